"""Lesson 01, LeNet: what is stated about it, beside what was computed or measured."""

import torch

from cnnlab import measure, models
from cnnlab.lessons.claims import REPORTED, SHOWN, VARIANT, Claim, compared, register
from cnnlab.models.lenet import LeNet5_1998

_STRUCTURE = "LeCun et al. 1998, section II.B"


def _parameters(name: str) -> int:
    return measure.cost(models.get_model(name), (1, 32, 32)).params


def _refuses_other_sizes() -> str:
    try:
        models.get_model("lenet5")(torch.zeros(1, 1, 40, 40))
    except ValueError:
        return "yes"
    return "no"


def _c5_of_a_larger_image() -> str:
    network = models.get_model("lenet5_1998")
    height, width = network.stages(network.stem(torch.zeros(1, 1, 40, 40))).shape[2:]
    return f"{height} x {width} for an image of 40 x 40"


register(
    Claim(
        lesson="01",
        id="shared_weights",
        statement="Windows of 5 x 5 with shared weights: parameters of C1",
        stated=156,
        source=_STRUCTURE,
        verdict=SHOWN,
        compute=lambda: sum(p.numel() for p in models.get_model("lenet5_1998").stem.C1.parameters()),
    ),
    Claim(
        lesson="01",
        id="params_1998",
        statement="Trainable parameters of LeNet-5",
        stated=60_000,
        source=_STRUCTURE,
        verdict=SHOWN,
        compute=lambda: _parameters("lenet5_1998"),
    ),
    Claim(
        lesson="01",
        id="connections",
        statement="Connections of LeNet-5",
        stated=340_908,
        source=_STRUCTURE,
        verdict=SHOWN,
        compute=lambda: sum(LeNet5_1998.connections().values()),
    ),
    Claim(
        lesson="01",
        id="params_modern",
        statement="Parameters of LeNet-5 as it is built today",
        stated=60_000,
        source="often quoted from the 1998 paper",
        verdict=VARIANT,
        compute=lambda: _parameters("lenet5"),
        why="every map of C3 sees all of S2, pooling is not trained, the output is a linear layer",
    ),
    Claim(
        lesson="01",
        id="handwritten",
        statement="Convolutions and subsampling extract features, a fully-connected head classifies: accuracy on test"
        " digits, where chance reads 10 %",
        stated="in words",
        source="lecture",
        verdict=SHOWN,
        figure="{:.1f} %",
        judge=lambda accuracy: compared(accuracy - 10, least=80),
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
        id="larger_image",
        statement="With C5 as a convolution, a larger image makes its maps larger than 1 x 1",
        stated="in words",
        source=_STRUCTURE,
        verdict=SHOWN,
        compute=_c5_of_a_larger_image,
        judge=lambda height, width, *_: compared(min(height, width) - 1, least=1),
    ),
    Claim(
        lesson="01",
        id="draws",
        statement="With the constant j in the loss, F6 learns to draw the bitmap: median squared distance from it",
        stated="in words",
        source="LeCun et al. 1998, section II.C",
        verdict=SHOWN,
        figure="{:.1f} with j, {:.1f} without",
        judge=lambda with_j, without: compared(without - with_j, least=20),
    ),
    Claim(
        lesson="01",
        id="rejects",
        statement="RBF outputs are suited to reject what is no character: a digit told from the place between two",
        stated="in words",
        source=_STRUCTURE,
        verdict=SHOWN,
        figure="{:.1f} % of pairs with j, {:.1f} % without",
        judge=lambda with_j, without: compared(with_j - without, least=5),
    ),
    Claim(
        lesson="01",
        id="features",
        statement="Features are learnt from pixels: accuracy on test images with C1 and C3 trained, and left at random",
        stated="in words",
        source="lecture",
        verdict=SHOWN,
        figure="{:.1f} % and {:.1f} % handwritten, {:.1f} % and {:.1f} % in the street",
        judge=lambda written, random_written, street, random_street: compared(street - random_street, least=10),
    ),
    Claim(
        lesson="01",
        id="symmetry",
        statement="The partial table of C3 forces a break of symmetry, so that its maps find different features",
        stated="in words",
        source=_STRUCTURE,
        verdict=REPORTED,
        why="it would take networks with and without the table, over seeds, and a measure of how alike their maps are",
    ),
    Claim(
        lesson="01",
        id="mnist_error",
        statement="Error rate on the 10,000 test digits of MNIST, trained without distortions",
        stated="0.95 %",
        source="LeCun et al. 1998, section III.B",
        verdict=REPORTED,
        why="MNIST is a download; data.load('mnist') fetches it where there is a network",
    ),
    Claim(
        lesson="01",
        id="street",
        statement="The same network falls short on digits in photographs: accuracy on test images",
        stated="in words",
        source="this lesson",
        verdict=SHOWN,
        figure="{:.1f} % handwritten, {:.1f} % in the street",
        judge=lambda written, street: compared(written - street, least=5),
    ),
)
