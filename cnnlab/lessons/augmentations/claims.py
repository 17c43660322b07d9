"""Lesson 03, augmentations: what is stated about it, beside what was computed or measured."""

from fractions import Fraction

import torch

from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, REPORTED, SHOWN, VARIANT, Claim, compared, register
from cnnlab.training import pipelines


def _crops(image: int = 256, crop: int = 224) -> int:
    """Windows of one size in an image, each as it is and mirrored: counted, by sliding one over a row of pixels."""
    places = len(torch.arange(image).unfold(0, crop, 1))
    return places * places * 2


def _resized_crop() -> str:
    from torchvision.transforms import v2

    crop = next(step for step in pipelines.torchvision_train().transforms if isinstance(step, v2.RandomResizedCrop))
    (least, most), (narrow, wide) = crop.scale, crop.ratio
    ratios = [Fraction(ratio).limit_denominator(9) for ratio in (narrow, wide)]
    return f"{least:.0%} to {most:.0%} of the area, ratio {ratios[0]} to {ratios[1]}"


_ALEXNET = "Krizhevsky et al. 2012, section 4.1"


register(
    Claim(
        lesson="03",
        id="crops",
        statement="Images that random crops of 224 and mirroring make of one of 256 x 256",
        stated=2048,
        source=_ALEXNET,
        verdict=VARIANT,
        compute=_crops,
        why="a crop of 224 has 33 places in each direction, not 32: 33 x 33 x 2",
    ),
    Claim(
        lesson="03",
        id="resized_crop",
        statement="The random piece of the training pipeline",
        stated="8% to 100% of the area, ratio 3/4 to 4/3",
        source="Szegedy et al. 2015, section 6; the lecture's pipeline",
        verdict=SHOWN,
        compute=_resized_crop,
    ),
    Claim(
        lesson="03",
        id="libraries",
        statement="torchvision's and albumentations' test pipelines give the same image: largest difference in levels",
        stated="the same",
        source="lecture, two listings of one pipeline",
        verdict=OPPOSITE,
        figure="{:.0f} as they come, {:.0f} with one resize",
        judge=lambda as_listed, one_resize: SHOWN if as_listed <= 1 else OPPOSITE,
        why="torchvision smooths before it shrinks, and the two round the width differently; with one resize a single"
        " level is left",
    ),
    Claim(
        lesson="03",
        id="gain",
        statement="Augmentation works against overfitting: gain in test accuracy on 500 images",
        stated="in words",
        source="lecture",
        verdict=SHOWN,
        figure="{:+.1f} points",
        judge=lambda points: compared(points, least=3),
    ),
    Claim(
        lesson="03",
        id="flips",
        statement="A change must keep the label: mirroring digits, which does not, lowers the test accuracy",
        stated="lower",
        source="this lesson",
        verdict=SHOWN,
        figure="{:+.1f} points, {:+.1f} in twice the time",
        judge=lambda points, in_twice_the_time: compared(-max(points, in_twice_the_time), least=1),
    ),
    Claim(
        lesson="03",
        id="mixup",
        statement="Mixup raises the test accuracy",
        stated="4.2 % errors instead of 5.6 % on CIFAR-10 (a ResNet-18)",
        source="Zhang et al. 2018",
        verdict=NOT_SHOWN,
        figure="{:+.1f} points on 500 images",
        judge=lambda points: compared(points, least=2),
        why="three seeds differ by more than it gains; it would take many more of them",
    ),
    Claim(
        lesson="03",
        id="cutmix",
        statement="CutMix raises the test accuracy",
        stated="21.4 % errors instead of 23.7 % on ImageNet (ResNet-50)",
        source="Yun et al. 2019",
        verdict=OPPOSITE,
        figure="{:+.1f} points on 500 images",
        judge=lambda points: compared(points, least=2),
        why="on these 500 digits it costs points, also in twice the time; why, was not looked into",
    ),
    Claim(
        lesson="03",
        id="smoothing",
        statement="Label smoothing raises the test accuracy",
        stated="by 0.2 points on ImageNet (Inception v3)",
        source="Szegedy et al. 2016",
        verdict=NOT_SHOWN,
        figure="{:+.1f} points on 500 images",
        judge=lambda points: compared(points, least=2),
        why="three seeds differ by more than it gains; it would take many more of them",
    ),
    Claim(
        lesson="03",
        id="randaugment",
        statement="Two random changes of fourteen, of one strength, raise the test accuracy",
        stated="77.6 % instead of 76.3 % on ImageNet (ResNet-50)",
        source="Cubuk et al. 2020",
        verdict=SHOWN,
        figure="{:+.1f} points on 500 images",
        judge=lambda points: compared(points, least=2),
    ),
    Claim(
        lesson="03",
        id="averaging",
        statement="The mean of the answers for several views of a test image is right more often",
        stated="37.5 % errors instead of 39.0 % (AlexNet, ten views)",
        source=f"{_ALEXNET} and table 1",
        verdict=SHOWN,
        figure="{:+.1f} points, eight views",
        judge=lambda points: compared(points, least=0.5),
    ),
    Claim(
        lesson="03",
        id="overfitting",
        statement="Without these crops AlexNet suffers from substantial overfitting",
        stated="yes",
        source=_ALEXNET,
        verdict=REPORTED,
        why="it would take ImageNet; on 500 digits the small network shows the same",
    ),
    Claim(
        lesson="03",
        id="colours",
        statement="Random changes of colour along the principal components: top-1 error",
        stated="over 1 % lower",
        source=_ALEXNET,
        verdict=REPORTED,
        why="it would take two trainings on ImageNet",
    ),
    Claim(
        lesson="03",
        id="lenet_distortions",
        statement="LeNet-5's error on MNIST with distorted copies of the training images",
        stated="0.8 % instead of 0.95 %",
        source="LeCun et al. 1998, section III.B",
        verdict=REPORTED,
        why="MNIST is a download; data.load('mnist') fetches it where there is a network",
    ),
)
