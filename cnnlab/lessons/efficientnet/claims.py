"""Lesson 13, EfficientNet: what is stated about it, beside what was computed or measured."""

import torch

from cnnlab import measure, models
from cnnlab.lessons.claims import NOT_SHOWN, REPORTED, SHOWN, VARIANT, Claim, Verdict, compared, register
from cnnlab.lessons.efficientnet.study import TABLE_7, count, of_phi
from cnnlab.models.efficientnet import (
    ALPHA,
    BETA,
    GAMMA,
    SCALES,
)


def _cost(name: str) -> measure.Cost:
    size = SCALES[name][2]
    with torch.device("meta"):
        return measure.cost(models.get_model(f"efficientnet_{name}"), (3, size, size))


def _at_both(twice: float, four_times: float) -> Verdict:
    """The verdict on "better at both costs", from the differences in points."""
    verdicts = {compared(difference, least=4) for difference in (twice, four_times)}
    return verdicts.pop() if len(verdicts) == 1 else NOT_SHOWN


_PAPER = "Tan, Le 2019, arXiv 1905.11946v5"


register(
    Claim(
        lesson="13",
        id="params_b0",
        statement="Parameters of EfficientNet-B0",
        stated="5.3M",
        source="lecture",
        verdict=SHOWN,
        compute=lambda: f"{_cost('b0').params / 1e6:.1f}M",
    ),
    Claim(
        lesson="13",
        id="accuracy_b0",
        statement="EfficientNet-B0 on ImageNet, top-1 and top-5 (%)",
        stated="77.7 / 93.5",
        source="lecture; torchvision documents 77.692 / 93.532, the paper says 77.1 / 93.3",
        verdict=REPORTED,
        why="ImageNet is 150 GB",
    ),
    Claim(
        lesson="13",
        id="macs_b0",
        statement="Mult-adds of B0 at 224 pixels",
        stated="0.39B",
        source=f"{_PAPER}, Table 2",
        verdict=SHOWN,
        compute=lambda: f"{_cost('b0').macs / 1e9:.2f}B",
    ),
    Claim(
        lesson="13",
        id="params_b7",
        statement="Parameters of B7",
        stated="66M",
        source=f"{_PAPER}, Table 2",
        verdict=SHOWN,
        compute=lambda: f"{_cost('b7').params / 1e6:.0f}M",
    ),
    Claim(
        lesson="13",
        id="params_b2",
        statement="Parameters of B2",
        stated="9.2M",
        source=f"{_PAPER}, Table 2",
        verdict=VARIANT,
        compute=lambda: f"{_cost('b2').params / 1e6:.1f}M",
        why="the released network has 9,109,994, here and in torchvision; where 9.2 comes from is not said",
    ),
    Claim(
        lesson="13",
        id="macs_b7",
        statement="Mult-adds of B7 at 600 pixels",
        stated="37B",
        source=f"{_PAPER}, Table 2",
        verdict=VARIANT,
        compute=lambda: f"{_cost('b7').macs / 1e9:.1f}B",
        why="torchvision documents 37.746 billion too; in B4, B5 and B7 the paper prints 2 to 4 % less",
    ),
    Claim(
        lesson="13",
        id="accuracy_b7",
        statement="EfficientNet-B7 on ImageNet, top-1 and top-5 (%)",
        stated="84.3 / 97.0",
        source=f"{_PAPER}, Table 2; torchvision documents 84.122 / 96.908 for its weights",
        verdict=REPORTED,
        why="ImageNet is 150 GB",
    ),
    Claim(
        lesson="13",
        id="constraint",
        statement="Each step of the coefficient doubles the mult-adds: alpha * beta^2 * gamma^2",
        stated="about 2",
        source=f"{_PAPER}, equation 3",
        verdict=VARIANT,
        compute=lambda: (
            f"{ALPHA * BETA**2 * GAMMA**2:.2f}; the first step of B0 {count(*of_phi(1))[1] / count(1, 1, 224)[1]:.2f}"
        ),
        why="1.2, 1.1 and 1.15 multiply to 1.92; channels and blocks are rounded, blocks always up",
    ),
    Claim(
        lesson="13",
        id="table_7",
        statement="B0 four times as deep, twice as wide, at twice the resolution, and compound: mult-adds",
        stated="1.8B, 1.8B, 1.9B, 1.8B",
        source=f"{_PAPER}, Table 7",
        verdict=VARIANT,
        compute=lambda: ", ".join(
            f"{count(w, d, round(224 * r))[1] / 1e9:.2f}B" for (d, w, r), *_ in list(TABLE_7.values())[1:]
        ),
        why="with the factors as printed and the usual rounding; the compound network gets more than the others",
    ),
    Claim(
        lesson="13",
        id="search",
        statement="B0 comes from a search like MnasNet's, for accuracy and mult-adds",
        stated="based on MnasNet",
        source=f"lecture; {_PAPER}, section 4",
        verdict=REPORTED,
        why="the search trains thousands of networks; its code was not released",
    ),
    Claim(
        lesson="13",
        id="grid",
        statement="A grid search on the small network finds the coefficients",
        stated="1.2, 1.1, 1.15",
        source=f"{_PAPER}, section 4",
        verdict=NOT_SHOWN,
        figure="the best point leads by {:.1f} points; the runs of one point lie up to {:.0f} points apart",
        judge=lambda lead, apart: SHOWN if lead > apart else NOT_SHOWN,
        why="after 235 steps the winner changes with the seed; it takes more seeds and a longer training, until the"
        " best is clear of the second",
    ),
    Claim(
        lesson="13",
        id="beats_depth",
        statement="All three axes together beat depth alone, at equal cost (after 235 steps)",
        stated="81.1 % against 79.0 % (ImageNet)",
        source=f"lecture; {_PAPER}, Table 7",
        verdict=SHOWN,
        figure="{:.1f} % against {:.1f} % at 2 times the cost, {:.1f} % against {:.1f} % at 4 times",
        judge=lambda two, depth2, four, depth4: _at_both(two - depth2, four - depth4),
        why="a short training; two rows below is one to the end",
    ),
    Claim(
        lesson="13",
        id="beats_resolution",
        statement="All three axes together beat resolution alone, at equal cost (after 235 steps)",
        stated="81.1 % against 79.1 % (ImageNet)",
        source=f"lecture; {_PAPER}, Table 7",
        verdict=NOT_SHOWN,
        figure="{:.1f} % against {:.1f} % at 2 times the cost, {:.1f} % against {:.1f} % at 4 times",
        judge=lambda two, size2, four, size4: _at_both(two - size2, four - size4),
        why="resolution leads on average, but not in each pair of runs with one seed; the row below has a training to"
        " the end",
    ),
    Claim(
        lesson="13",
        id="to_the_end",
        statement="All three axes together beat each one alone, at equal cost (at the end, each at its own learning"
        " rate)",
        stated="81.1 % against 79.0, 78.9 and 79.1 % (ImageNet)",
        source=f"lecture; {_PAPER}, Table 7",
        verdict=NOT_SHOWN,
        figure="{:.1f} % against depth {:.1f} %, width {:.1f} %, resolution {:.1f} %",
        judge=lambda compound, *single: compared(compound - max(single), least=3),
        why="it beats depth in every seed, but leads width and resolution by less than their seeds lie apart; it takes"
        " more seeds",
    ),
    Claim(
        lesson="13",
        id="gates",
        statement="Squeeze-and-excitation weighs the channels of an image by what that image shows",
        stated="yes",
        source="Hu, Shen, Sun 2018, section 1",
        verdict=NOT_SHOWN,
        figure="{:.1f} % read with the gates of the image itself, {:.1f} % with those of another",
        judge=lambda own, other: compared(own - other, least=3),
        why="in small networks after short trainings the gates stay near one half; the authors find gates that depend"
        " on the class in the late blocks of a ResNet-50 trained on ImageNet",
    ),
)
