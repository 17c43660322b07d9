"""Lesson 08, loss surfaces: what is stated about it, beside what was computed or measured."""

from cnnlab.lessons.claims import Claim, register
from cnnlab.lessons.records import record

register(
    Claim(
        lesson="08",
        id="skips",
        statement="With skip connections the loss surface of a deep network is smooth, without them it is chaotic",
        stated="yes",
        source="lecture; Li et al. 2018, figure 1",
        status="measured",
    ),
    Claim(
        lesson="08",
        id="errors",
        statement="Errors on CIFAR-10 of ResNet-56, and of the same network without shortcuts",
        stated="5.89 %, 13.31 %",
        source="Li et al. 2018, figures 1 and 5",
        status="variant",
        compute=lambda: ", ".join(
            f"{1 - record(f'{name}-cifar10').results['held_out']['accuracy']:.2%}".replace("%", " %")
            for name in ("resnet56", "plain56")
        ),
        why="trained for 28 epochs and not 300; 5,000 held-out photographs, stored as JPEG before; another schedule",
    ),
    Claim(
        lesson="08",
        id="normalisation",
        statement="Without filter normalisation, rescaling the weights changes the picture and not the network",
        stated="yes",
        source="Li et al. 2018, section 3",
        status="measured",
    ),
)
