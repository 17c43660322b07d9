"""Lesson 06, ResNet: what is stated about it, beside what was computed or measured."""

import torch
from torch import nn

from cnnlab import measure, models
from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, REPORTED, SHOWN, VARIANT, Claim, compared, register
from cnnlab.models.resnet import Bottleneck


def _params(name: str, **options: object) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in models.get_model(name, **options).parameters())


def _gmacs(name: str) -> str:
    with torch.device("meta"):
        return f"{measure.cost(models.get_model(name), (3, 224, 224)).macs / 1e9:.2f}"


def _swapped_gmacs(depth: int) -> str:
    """With the stride in the first 1x1 convolution of a bottleneck, as in the paper."""
    with torch.device("meta"):
        model = models.get_model(f"resnet{depth}")
        for block in model.modules():
            if isinstance(block, Bottleneck):
                first, middle = block.residual.conv1, block.residual.conv2
                first.stride, middle.stride = middle.stride, (1, 1)
        return f"{measure.cost(model, (3, 224, 224)).macs / 1e9:.2f}"


def _takes_any_size() -> str:
    model = models.get_model("resnet20").eval()
    with torch.no_grad():
        shapes = {tuple(model(torch.zeros(1, 3, *size)).shape) for size in ((32, 32), (48, 48), (64, 64), (40, 56))}
    return "yes" if shapes == {(1, 10)} else "no"


def _pooling() -> int:
    """Pooling layers in the blocks of ResNet-50."""
    kinds = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
    with torch.device("meta"):
        layers = models.get_model("resnet50").stages.modules()
        return sum(isinstance(layer, kinds) for layer in layers)


_PAPER = "He et al. 2015"


_STRIDE = "here the 3x3 convolution of a bottleneck has the stride, in the paper the first 1x1"


register(
    Claim(
        lesson="06",
        id="params152",
        statement="Parameters of ResNet-152",
        stated="60.2M",
        source="lecture",
        verdict=SHOWN,
        compute=lambda: f"{_params('resnet152') / 1e6:.1f}M",
    ),
    Claim(
        lesson="06",
        id="accuracy152",
        statement="ResNet-152 on ImageNet, top-1 and top-5 (%)",
        stated="78.3 / 94.0",
        source="lecture; torchvision documents 78.312 / 94.046",
        verdict=REPORTED,
        why="ImageNet is 150 GB",
    ),
    *(
        Claim(
            lesson="06",
            id=f"macs{depth}",
            statement=f"Mult-adds of ResNet-{depth} (billions)",
            stated=stated,
            source=f"{_PAPER}, Table 1",
            verdict=VARIANT,
            compute=lambda depth=depth: _gmacs(f"resnet{depth}"),
            why=why,
        )
        for depth, stated, why in (
            (34, "3.6", "the same network; the paper cut the digit off"),
            (50, "3.8", lambda: f"{_STRIDE}: with that {_swapped_gmacs(50)}"),
            (101, "7.6", lambda: f"{_STRIDE}: with that {_swapped_gmacs(101)}"),
            (152, "11.3", lambda: f"{_STRIDE}: with that {_swapped_gmacs(152)}"),
        )
    ),
    Claim(
        lesson="06",
        id="params56",
        statement="Parameters of CIFAR's ResNet-56 (option A)",
        stated="0.85M",
        source=f"{_PAPER}, Table 6",
        verdict=SHOWN,
        compute=lambda: f"{_params('resnet56') / 1e6:.2f}M",
    ),
    Claim(
        lesson="06",
        id="error56",
        statement="Errors of ResNet-56 on CIFAR-10",
        stated="6.97 %",
        source=f"{_PAPER}, Table 6",
        verdict=REPORTED,
        why="CIFAR-10 is a download; a ResNet-56 trained on it is lesson 08's",
    ),
    Claim(
        lesson="06",
        id="imagenet",
        statement="Top-5 error of an ensemble of ResNets, the winner of ILSVRC 2015",
        stated="3.57 %",
        source=f"{_PAPER}, Table 5",
        verdict=REPORTED,
        why="ImageNet is 150 GB, and the ensemble was never released",
    ),
    Claim(
        lesson="06",
        id="any_size",
        statement="Global average pooling: images of any size",
        stated="yes",
        source="lecture",
        verdict=SHOWN,
        compute=_takes_any_size,
    ),
    Claim(
        lesson="06",
        id="pooling",
        statement="Strided convolutions instead of pooling, in the blocks (pooling layers in those of ResNet-50)",
        stated=0,
        source="lecture",
        verdict=SHOWN,
        compute=lambda: _pooling(),
    ),
    Claim(
        lesson="06",
        id="plain",
        statement="Deeper plain networks are worse on their own training images (after 8 epochs)",
        stated="56 layers worse than 20",
        source=f"lecture; {_PAPER}, Fig. 1",
        verdict=SHOWN,
        figure="{:.1f} % with 20 layers, {:.1f} % with 56",
        judge=lambda shallow, deep: compared(shallow - deep, least=3),
    ),
    Claim(
        lesson="06",
        id="residual",
        statement="Deeper residual networks are better on them",
        stated="56 layers better than 20",
        source=f"lecture; {_PAPER}, Fig. 6",
        verdict=NOT_SHOWN,
        figure="{:.1f} % with 20 layers, {:.1f} % with 56",
        judge=lambda shallow, deep: compared(deep - shallow, least=1),
        why="not worse, but no better either: both know their training images; it takes a task that 20 layers"
        " cannot finish",
    ),
    Claim(
        lesson="06",
        id="photographs",
        statement="At the end of training, 56 plain layers know less of their photographs than 56 with shortcuts",
        stated="plain worse",
        source=f"{_PAPER}, Fig. 6",
        verdict=SHOWN,
        figure="{:.1f} % plain, {:.1f} % with shortcuts",
        judge=lambda plain, residual: compared(residual - plain, least=5),
    ),
    Claim(
        lesson="06",
        id="plain20",
        statement="At the end of training, 56 plain layers know less of their photographs than 20",
        stated="56 layers worse than 20",
        source=f"{_PAPER}, Fig. 6",
        verdict=SHOWN,
        figure="{:.1f} % with 56, {:.1f} % with 20",
        judge=lambda deep, shallow: compared(shallow - deep, least=5),
    ),
    Claim(
        lesson="06",
        id="one_block",
        statement="Without one of its blocks, a residual network still works and a plain one does not",
        stated="yes",
        source="Veit, Wilber, Belongie 2016, section 4.1",
        verdict=SHOWN,
        figure="ResNet-20 keeps {:.0f} % of its accuracy on average, plain-20 {:.0f} %",
        judge=lambda residual, plain: compared(residual - plain, least=10),
    ),
    Claim(
        lesson="06",
        id="sizes",
        statement="On a larger image, with the object as large as before, it reads as well",
        stated="yes",
        source="often heard, of global average pooling",
        verdict=OPPOSITE,
        figure="{:.0f} % of the images as they are, {:.0f} % in a larger frame",
        judge=lambda small, large: compared(5 - (small - large), least=5),
        why="the average runs over the frame too, and the digit's part in it shrinks",
    ),
)
