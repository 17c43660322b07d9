"""Lesson 08, loss surfaces: what is stated about it, beside what was computed or measured."""

from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, SHOWN, VARIANT, Claim, register
from cnnlab.lessons.records import record

register(
    Claim(
        lesson="08",
        id="skips",
        statement="With skip connections the loss surface of a deep network is smooth, without them it is chaotic",
        stated="yes",
        source="lecture; Li et al. 2018, figure 1",
        verdict=NOT_SHOWN,
        judge=lambda _, smooth, __, plain: (
            SHOWN if plain > 50 > 2 * smooth else OPPOSITE if smooth > plain + 5 else NOT_SHOWN
        ),
        why="both maps are bowls, the plain one with more dents; it may take the paper's training: 300 epochs"
        " and a larger learning rate",
    ),
    Claim(
        lesson="08",
        id="errors",
        statement="Errors on CIFAR-10 of ResNet-56, and of the same network without shortcuts",
        stated="5.89 %, 13.31 %",
        source="Li et al. 2018, figures 1 and 5",
        verdict=VARIANT,
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
        verdict=SHOWN,
        judge=lambda one, other, apart: SHOWN if one > 20 * other and apart < 5 else NOT_SHOWN,
    ),
)
