"""Lesson 17, which network would you choose: what is stated about it, beside what was computed or measured."""

import torch

from cnnlab import models
from cnnlab.lessons.capstone.study import ROWS
from cnnlab.lessons.claims import REPORTED, SHOWN, Claim, register


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


register(
    Claim(
        lesson="17",
        id="paper",
        statement="94 % on CIFAR-10, on one GPU",
        stated="3.29 s",
        source=_PAPER,
        verdict=REPORTED,
        why="an A100 is some hundred times as fast as two cores",
    ),
)
