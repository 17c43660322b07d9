"""Lesson 12, NASNet: what is stated about it, beside what was computed or measured."""

import torch

from cnnlab import measure, models
from cnnlab.lessons.claims import NOT_SHOWN, REPORTED, SHOWN, Claim, compared, register
from cnnlab.models.nasnet import NORMAL_A, REDUCTION_A, Cell


def _mobile() -> measure.Cost:
    with torch.device("meta"):
        return measure.cost(models.get_model("nasnet_a_mobile"), 224)


def _large() -> measure.Cost:
    with torch.device("meta"):
        return measure.cost(models.get_model("nasnet_a_large"), 331)


def _sides() -> str:
    maps = torch.zeros(1, 8, 14, 14), torch.zeros(1, 8, 14, 14)
    cells = Cell(NORMAL_A, 8, 8, channels=8), Cell(REDUCTION_A, 8, 8, channels=8, stride=2)
    return "14 to {}, 14 to {}".format(*(cell.eval()(maps)[1].shape[-1] for cell in cells))


_PAPER = "Zoph et al. 2017"


register(
    Claim(
        lesson="12",
        id="params",
        statement="Parameters of NASNet-A (4 @ 1056)",
        stated="5.3M",
        source=f"lecture; {_PAPER}, Table 3",
        verdict=SHOWN,
        compute=lambda: f"{_mobile().params / 1e6:.1f}M",
    ),
    Claim(
        lesson="12",
        id="macs",
        statement="Its mult-adds at 224 x 224",
        stated="564M",
        source=f"{_PAPER}, Table 3",
        verdict=SHOWN,
        compute=lambda: f"{_mobile().macs / 1e6:.0f}M",
    ),
    Claim(
        lesson="12",
        id="accuracy",
        statement="Its accuracy on ImageNet, top-1 and top-5 (%)",
        stated="74.0 / 91.6",
        source=f"lecture; {_PAPER}, Table 3",
        verdict=REPORTED,
        why="ImageNet is 150 GB",
    ),
    Claim(
        lesson="12",
        id="large",
        statement="Mult-adds of the large network of the same cells, at 331 x 331",
        stated="23.8B",
        source=f"{_PAPER}, Table 2",
        verdict=SHOWN,
        compute=lambda: f"{_large().macs / 1e9:.1f}B",
    ),
    Claim(
        lesson="12",
        id="cells",
        statement="Normal cells keep the size of a map, reduction cells halve it",
        stated="14 to 14, 14 to 7",
        source="lecture",
        verdict=SHOWN,
        compute=_sides,
    ),
    Claim(
        lesson="12",
        id="learns",
        statement="A controller trained by reinforcement learning proposes better and better cells",
        stated="yes",
        source="lecture",
        verdict=SHOWN,
        judge=lambda first, _, last: compared(last - first, least=10),
    ),
    Claim(
        lesson="12",
        id="chance",
        statement="It finds better cells than random search does at the same budget",
        stated="the best model by over 1 % (CIFAR-10)",
        source=f"{_PAPER}, section 4.4",
        verdict=NOT_SHOWN,
        judge=lambda best, by_chance, again, again_by_chance: compared(
            min(best - by_chance, again - again_by_chance), least=1
        ),
        why="the best of a search is hardly better, and trained again no better; it takes a larger space, in"
        " which chance finds less",
    ),
    Claim(
        lesson="12",
        id="transfer",
        statement="Cells that are good on a small data set are good in a larger network on more data",
        stated="yes",
        source="lecture",
        verdict=SHOWN,
        judge=lambda *figures: compared(figures[1] - figures[3], least=3),
        why="found cells against the median ones; a ResNet of the same cost is as good",
    ),
    Claim(
        lesson="12",
        id="price",
        statement="What the search took",
        stated="500 GPUs for 4 days",
        source=f"lecture; {_PAPER}, section 4",
        verdict=REPORTED,
        why="this lesson's space is smaller by thirty powers of ten",
    ),
)
