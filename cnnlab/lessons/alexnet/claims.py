"""Lesson 02, AlexNet: what is stated about it, beside what was computed or measured."""

from math import prod

import torch

from cnnlab import measure, models
from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, REPORTED, SHOWN, VARIANT, Claim, compared, register


def _cost(name: str, size: int, **options: object) -> measure.Cost:
    with torch.device("meta"):  # shapes are enough to count
        return measure.cost(models.get_model(name, **options), (3, size, size))


def _neurons_2012() -> int:
    """Units of the five convolutions and the three fully-connected layers."""
    return sum(prod(row.output_shape) for row in _cost("alexnet_2012", 227).layers if row.macs)


def _share(layers: str, of: str) -> str:
    cost = _cost("alexnet_2012", 227)
    total = sum(getattr(row, of) for row in cost.layers)
    return f"{sum(getattr(row, of) for row in cost.layers if row.kind == layers) / total:.0%}"


_PAPER = "Krizhevsky et al. 2012"


register(
    Claim(
        lesson="02",
        id="params",
        statement="Parameters of AlexNet as it is used today",
        stated="61.1M",
        source="lecture",
        verdict=SHOWN,
        compute=lambda: f"{_cost('alexnet', 224).params / 1e6:.1f}M",
    ),
    Claim(
        lesson="02",
        id="params_digits",
        statement="The same, to the digit",
        stated=61_100_840,
        source="torchvision's documentation",
        verdict=SHOWN,
        compute=lambda: _cost("alexnet", 224).params,
    ),
    Claim(
        lesson="02",
        id="macs",
        statement="Mult-adds of the same network at 224 x 224, in units of 10⁹",
        stated="0.71",
        source="torchvision's documentation, which calls them GFLOPS",
        verdict=SHOWN,
        compute=lambda: f"{_cost('alexnet', 224).macs / 1e9:.2f}",
    ),
    Claim(
        lesson="02",
        id="params_2012",
        statement="Parameters of the network of 2012",
        stated="60 million",
        source=f"{_PAPER}, abstract",
        verdict=VARIANT,
        compute=lambda: _cost("alexnet_2012", 227).params,
        why="the paper rounds down",
    ),
    Claim(
        lesson="02",
        id="params_ungrouped",
        statement="Parameters of the network of 2012, in another count",
        stated="62.4M",
        source="often quoted",
        verdict=VARIANT,
        compute=lambda: f"{_cost('alexnet_2012', 227).params / 1e6:.1f}M",
        why=lambda: (
            f"62.4M forgets the two groups: without them it would be {_cost('alexnet_2012', 227, groups=1).params:,}"
        ),
    ),
    Claim(
        lesson="02",
        id="neurons",
        statement="Neurons of the network of 2012",
        stated=650_000,
        source=f"{_PAPER}, abstract",
        verdict=VARIANT,
        compute=_neurons_2012,
        why="rounded; section 3.5 gives the first layer 253,440 units, and 55 x 55 x 96 are 290,400",
    ),
    Claim(
        lesson="02",
        id="fc_params",
        statement="Share of the parameters in the fully-connected layers, network of 2012",
        stated="96%",
        source="this lesson, counted",
        verdict=SHOWN,
        compute=lambda: _share("Linear", "params"),
    ),
    Claim(
        lesson="02",
        id="conv_macs",
        statement="Share of the mult-adds in the convolutions, network of 2012",
        stated="92%",
        source="this lesson, counted",
        verdict=SHOWN,
        compute=lambda: _share("Conv2d", "macs"),
    ),
    Claim(
        lesson="02",
        id="relu_2012",
        statement="ReLU reaches a training error of 25 % several times sooner than tanh (six times in the paper's "
        "Fig. 1): steps of tanh for each of ReLU, pixels only centred",
        stated="about 6",
        source=f"{_PAPER}, section 3.1 and Fig. 1",
        verdict=VARIANT,
        figure="{:.1f}",
        judge=lambda times: SHOWN if times >= 5 else VARIANT if times >= 2 else compared(times - 1, least=0.2),
        why="several times, but not six: eight narrow layers where the paper has four, and other images",
    ),
    Claim(
        lesson="02",
        id="relu_normalised",
        statement="The same with normalised pixels, and nothing else changed",
        stated="sooner, as above",
        source="often concluded from it",
        verdict=OPPOSITE,
        figure="{:.1f}",
        judge=lambda times: compared(times - 1, least=0.2),
        why="tanh no longer saturates, and the signals of ReLU fade through the layers",
    ),
    Claim(
        lesson="02",
        id="relu_fitted",
        statement="The same with normalised pixels and initial weights that fit each activation",
        stated="sooner, as above",
        source="often concluded from it",
        verdict=NOT_SHOWN,
        figure="{:.1f}",
        judge=lambda times: compared(times - 1, least=0.5),
        why="about equally fast: with all signals of size 1 neither curve has an advantage here",
    ),
    Claim(
        lesson="02",
        id="saturate",
        statement="ReLUs do not require input normalisation (to prevent them from saturating): steps of ReLU with "
        "centred pixels for each with normalised ones, weights that fit",
        stated="in words",
        source=f"{_PAPER}, section 3.3",
        verdict=VARIANT,
        figure="{:.1f} or more",
        judge=lambda times: VARIANT if times >= 1.5 else compared(1.5 - times, least=0.25),
        why="they do not saturate, and all the same they learn much more slowly where their weights expect inputs of 1",
    ),
    Claim(
        lesson="02",
        id="leaky",
        statement="A learning rate that is too large stops a network of ReLUs because its units die: share of dead "
        "units, and training error with leaky ReLUs, which cannot die",
        stated="in words",
        source="often said",
        verdict=OPPOSITE,
        figure="{:.0f} % dead; {:.0f} % wrong without any dead",
        judge=lambda dead, wrong: OPPOSITE if dead > 5 and wrong > 80 else NOT_SHOWN if wrong > 50 else SHOWN,
        why="units do die, but leaky ones do not learn either at that rate",
    ),
    Claim(
        lesson="02",
        id="dropout",
        statement="Dropout works against overfitting: the gap in loss between training and test images, 500 of them",
        stated="in words",
        source=f"lecture; {_PAPER}, section 4.2",
        verdict=SHOWN,
        figure="{:.2f} without, {:.2f} with it",
        judge=lambda without, with_it: compared(without - with_it, least=0.1),
    ),
    Claim(
        lesson="02",
        id="missing",
        statement="It works because units are missing, so that none can rely on another: the gap with dropout, with "
        "noise that leaves out none, and with half of the units always missing",
        stated="in words",
        source=f"{_PAPER}, section 4.2",
        verdict=NOT_SHOWN,
        figure="{:.2f}, {:.2f}, {:.2f}",
        judge=lambda drops, disturbed, missing: NOT_SHOWN if disturbed < (drops + missing) / 2 else SHOWN,
        why="factors that are new for each image help, and none of them need be 0; how far units rely on one another "
        "would have to be measured itself",
    ),
    Claim(
        lesson="02",
        id="training_days",
        statement="Days for 90 epochs of ImageNet: two GTX 580, and this machine",
        stated="5 to 6",
        source=f"lecture; {_PAPER}, section 5",
        verdict=VARIANT,
        judge=lambda days: SHOWN if 5 <= days <= 6 else VARIANT,
        why="another machine, from a few steps of a network with 92 % of the work",
        timed=True,
    ),
    Claim(
        lesson="02",
        id="accuracy",
        statement="Top-1 and top-5 accuracy on ImageNet's 50,000 validation images, torchvision's weights",
        stated="56.5/79.0",
        source="lecture",
        verdict=REPORTED,
        why="the weights and images are downloads; torchvision documents 56.522/79.066, which the lecture cuts off",
    ),
    Claim(
        lesson="02",
        id="ilsvrc_2012",
        statement="Top-5 error in the ILSVRC of 2012; second place",
        stated="15.3 %; 26.2 %",
        source=f"{_PAPER}, abstract",
        verdict=REPORTED,
        why="seven networks averaged, two pre-trained on more images; the five without: 16.4 %, one alone: 18.2 %",
    ),
    Claim(
        lesson="02",
        id="imagenet",
        statement="ILSVRC: 1000 classes, 1.2M images, about 150 GB; ImageNet as a whole: > 14M images",
        stated="see left",
        source="lecture",
        verdict=REPORTED,
        why="ImageNet is not open to a free download; its site counts 1,281,167 training images and 14,197,122 in all",
    ),
    Claim(
        lesson="02",
        id="lrn",
        statement="Local response normalisation lowers the top-1 and top-5 error by 1.4 and 1.2 points",
        stated="1.4, 1.2",
        source=f"{_PAPER}, section 3.3",
        verdict=REPORTED,
        why="it takes two trainings on ImageNet; the VGG paper of 2014 found no gain",
    ),
    Claim(
        lesson="02",
        id="overlapping_pooling",
        statement="Overlapping max pooling, 3 x 3 with stride 2, lowers the same errors by 0.4 and 0.3 points",
        stated="0.4, 0.3",
        source=f"{_PAPER}, section 3.4",
        verdict=REPORTED,
        why="it takes two trainings on ImageNet",
    ),
    Claim(
        lesson="02",
        id="augmentation",
        statement="Augmentation works against overfitting; without it the network overfits substantially",
        stated="in words",
        source=f"lecture; {_PAPER}, section 4.1",
        verdict=REPORTED,
        why="on ImageNet; lesson 03 measures it on street digits",
    ),
)
