"""Lesson 01, LeNet: what is stated about it, beside what was computed or measured."""

import torch

from cnnlab import measure, models
from cnnlab.lessons.claims import REPORTED, SHOWN, VARIANT, Claim, compared, register
from cnnlab.models.lenet import LeNet5_1998


def _parameters(name: str) -> int:
    return measure.cost(models.get_model(name), (1, 32, 32)).params


def _refuses_other_sizes() -> str:
    try:
        models.get_model("lenet5")(torch.zeros(1, 1, 40, 40))
    except ValueError:
        return "yes"
    return "no"


_PAPER = "LeCun et al. 1998, section II.B"


register(
    Claim(
        lesson="01",
        id="params_1998",
        statement="Trainable parameters of LeNet-5",
        stated=60_000,
        source=_PAPER,
        verdict=SHOWN,
        compute=lambda: _parameters("lenet5_1998"),
    ),
    Claim(
        lesson="01",
        id="connections",
        statement="Connections of LeNet-5",
        stated=340_908,
        source=_PAPER,
        verdict=SHOWN,
        compute=lambda: sum(LeNet5_1998.connections().values()),
    ),
    Claim(
        lesson="01",
        id="params_modern",
        statement="Parameters of LeNet-5 as it is built today",
        stated=60_000,
        source="often quoted of the 1998 paper",
        verdict=VARIANT,
        compute=lambda: _parameters("lenet5"),
        why="every map of C3 sees all of S2, pooling is not trained, the output is a linear layer",
    ),
    Claim(
        lesson="01",
        id="fixed_size",
        statement="The size of the image is fixed",
        stated="yes",
        source="lecture",
        verdict=SHOWN,
        compute=_refuses_other_sizes,
    ),
    Claim(
        lesson="01",
        id="mnist_error",
        statement="Error on the 10,000 test digits of MNIST, trained without distortions",
        stated="0.95 %",
        source="LeCun et al. 1998, section III.B",
        verdict=REPORTED,
        why="MNIST is a download; data.load('mnist') fetches it where there is a network",
    ),
    Claim(
        lesson="01",
        id="handwritten",
        statement="Convolutions and subsampling extract features, a fully-connected head classifies: test accuracy on"
        " handwritten digits, where chance reads 10 %",
        stated="in words",
        source="lecture",
        verdict=SHOWN,
        judge=lambda accuracy: compared(accuracy - 10, least=80),
    ),
    Claim(
        lesson="01",
        id="street",
        statement="Digits in photographs are harder for the same network (handwritten ones: 97 % or more): test"
        " accuracy",
        stated="in words",
        source="this lesson",
        verdict=SHOWN,
        judge=lambda accuracy: compared(97 - accuracy, least=3),
    ),
)
