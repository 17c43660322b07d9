"""Lesson 17, which network would you choose: what is stated about it, beside what was computed or measured."""

import torch

from cnnlab import models
from cnnlab.lessons.capstone.study import ROWS
from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, REPORTED, SHOWN, Claim, compared, register


def _millions(name: str) -> str:
    with torch.device("meta"):
        return f"{sum(p.numel() for p in models.get_model(name).parameters()) / 1e6:.1f}M"


for _name, _label, _params, _accuracies, _documented in ROWS:
    register(
        Claim(
            lesson="17",
            id=f"params_{_name}",
            statement=f"{_label}: parameters",
            stated=_params,
            source="lecture, table",
            verdict=SHOWN,
            compute=lambda name=_name: _millions(name),
        ),
        Claim(
            lesson="17",
            id=f"accuracy_{_name}",
            statement=f"{_label}: top-1 / top-5 on ImageNet (%)",
            stated=_accuracies,
            source=f"lecture, table; {_documented}",
            verdict=REPORTED,
            why="ImageNet is 150 GB and not at hand",
        ),
    )

_PAPER = "Jordan 2024"
_DAWN = "Stanford's DAWNBench, entry of October 2017 (dawn_resnet164_nb_1p100-dawn_pytorch)"
_ABLATIONS = "Jordan's repository cifar10-zoo, airbench_ablations"
_SEEDS = "three seeds show 0.3 points, and 0.1 would take 33 of each; epochs to 94 % were not counted"


def _part(part: str, statement: str, stated: str, why: str = _SEEDS, also_digits: bool = True) -> Claim:
    """What the recipe loses without one of its parts: judged by photographs, with two standard errors of the mean."""
    digits = "; digits {:+.2f} ± {:.2f}" if also_digits else ""
    return Claim(
        lesson="17",
        id=part,
        statement=statement,
        stated=stated,
        source=_ABLATIONS,
        verdict=NOT_SHOWN,
        figure="left out, points ± two standard errors: photographs {:+.2f} ± {:.2f}" + digits,
        judge=lambda change, error, *_: compared(-change, least=error),
        why=why,
    )


register(
    Claim(
        lesson="17",
        id="paper",
        statement="94 % on CIFAR-10, seconds on one A100",
        stated="3.29 s",
        source=_PAPER,
        verdict=REPORTED,
        why="it takes the original photographs; here 90 % of JPEG copies, in ten minutes on two cores or four seconds"
        " on an H200",
    ),
    Claim(
        lesson="17",
        id="dawnbench",
        statement="94 % on CIFAR-10 with a ResNet of 164 layers, on one P100",
        stated="2.53 hours",
        source=_DAWN,
        verdict=REPORTED,
        why="another machine of another year",
    ),
    Claim(
        lesson="17",
        id="averaging",
        statement="Six views of each test image instead of one",
        stated="0.8 points",
        source="Jordan's repository, cifar10-airbench, for the speed run",
        verdict=SHOWN,
        figure="ResNet-20 knows {:.1f} % of the held-out photographs with one, {:.1f} % with six",
        judge=lambda one, six: compared(six - one, least=0.5),
    ),
    _part("whitening", "A whitened first layer", "9.9 epochs to 94 %, 22.0 without"),
    _part(
        "identity",
        "Convolutions that begin as the identity",
        "9.9 epochs to 94 %, 12.7 without",
        f"{_SEEDS}; on digits it does harm",
    ),
    _part("biases", "Biases of batch norms that learn 64 times as fast", "9.9 epochs to 94 %, 14.2 without"),
    _part("smoothing", "Label smoothing", "in the baseline already", f"{_SEEDS}; on digits it may do harm"),
    _part("lookahead", "Lookahead", "9.9 epochs to 94 %, 10.7 without"),
    _part(
        "flips",
        "Images mirrored in every second epoch instead of by chance",
        "9.9 epochs to 94 %, 10.8 without",
        f"{_SEEDS}; digits must not be mirrored",
        also_digits=False,
    ),
    Claim(
        lesson="17",
        id="later",
        statement="What came later is better (networks of 2017 and after in the better half, the speed run aside)",
        stated="better",
        source="what the order of the lecture suggests",
        verdict=OPPOSITE,
        figure="{:.0f} of {:.0f}",
        judge=lambda better, all_of_them: compared(better - all_of_them / 2, least=1),
        why="after a minute on 4,000 digits; ImageNet's accuracies, above, say the contrary",
    ),
    Claim(
        lesson="17",
        id="passes",
        statement="A network that is slow to train reads less because it sees the images less often",
        stated="all of the gap",
        source="often heard",
        verdict=NOT_SHOWN,
        figure="with as few passes, ResNet-20 keeps {:.1f} of its {:.1f} points over MobileNet; each at its own rate,"
        " {:.1f}",
        judge=lambda left, lead, fitted: SHOWN if left < 0.2 * lead else NOT_SHOWN,
        why="with as many passes, each at its own rate, a part of the lead remains; how much of the rest belongs to the"
        " passes would take ResNet-20's 21 passes at a rate of their own",
    ),
    Claim(
        lesson="17",
        id="recipe",
        statement="A better recipe makes every network better",
        stated="yes",
        source="often heard",
        verdict=NOT_SHOWN,
        figure="SpeedNet {:+.1f} points by the speed run's recipe, ResNet-20 {:+.1f}",
        judge=lambda own, other: SHOWN if min(own, other) >= 2 else NOT_SHOWN,
        why="its numbers were tuned for the one and not for the other; it takes a rate chosen for each pair",
    ),
)
