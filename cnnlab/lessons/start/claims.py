"""Lesson 00, start here: what is stated about it, beside what was computed or measured."""

from cnnlab import measure, models
from cnnlab.lessons.claims import REPORTED, SHOWN, VARIANT, Claim, register

register(
    Claim(
        lesson="00",
        id="resnet20",
        statement="Parameters of ResNet-20 for CIFAR-10",
        stated="0.27 M",
        source="He et al. 2015, Table 6",
        verdict=SHOWN,
        compute=lambda: f"{measure.cost(models.get_model('resnet20'), (3, 32, 32)).params / 1e6:.2f} M",
    ),
    Claim(
        lesson="00",
        id="resnet20_tiny",
        statement="Parameters of the ResNet-20 of this lesson",
        stated="0.27 M",
        source="He et al. 2015, Table 6",
        verdict=VARIANT,
        compute=lambda: f"{measure.cost(models.get_model('resnet20_tiny'), (3, 32, 32)).params / 1e6:.2f} M",
        why="half as wide: 8, 16 and 32 channels in place of 16, 32 and 64",
    ),
    Claim(
        lesson="00",
        id="ilsvrc_2011",
        statement="Top-5 error of the ILSVRC winner in 2011, the last before convolutional networks",
        stated="25.8 %",
        source="Russakovsky et al. 2015, Table 5",
        verdict=REPORTED,
        why="ImageNet is 150 GB, and the labels of the challenge's test images are not public",
    ),
)
