"""Lesson 12, NASNet: what is stated about it, beside what was computed or measured."""

import torch

from cnnlab import measure, models
from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, REPORTED, SHOWN, Claim, compared, register
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
        figure="chance {:.0f} %, the last 20 proposals of PPO {:.0f} %",
        judge=lambda chance, last: compared(last - chance, least=8),
    ),
    Claim(
        lesson="12",
        id="chance",
        statement="It finds better cells than random search does at the same budget",
        stated="the best model by over 1 % (CIFAR-10)",
        source=f"{_PAPER}, section 4.4",
        verdict=NOT_SHOWN,
        figure="REINFORCE {:.1f} %, chance {:.1f} %; from another seed {:.1f} and {:.1f} %",
        judge=lambda best, by_chance, again, again_by_chance: compared(
            min(best - by_chance, again - again_by_chance), least=3
        ),
        why="chance comes within four points of the best of the 441; the next row is of a larger space",
    ),
    Claim(
        lesson="12",
        id="larger",
        statement="The same, where the trials do not exhaust the space (540,225 networks)",
        stated="better than random search",
        source=f"{_PAPER}, section 4.4",
        verdict=NOT_SHOWN,
        figure="five best, trained again: PPO {:+.1f} ± {:.1f} points, REINFORCE {:+.1f} ± {:.1f}",
        judge=lambda ppo, error, reinforce, its_error: compared(min(ppo / error, reinforce / its_error), least=2.5),
        why="four searches of each lie too far apart; a lead of five points would take some twenty",
    ),
    Claim(
        lesson="12",
        id="ppo",
        statement="PPO finds better cells than REINFORCE, which Zoph and Le had used before",
        stated="PPO was preferred",
        source=_PAPER,
        verdict=NOT_SHOWN,
        figure="REINFORCE {:.1f} %, PPO {:.1f} %",
        judge=lambda before, after: compared(after - before, least=2),
        why="each at its own learning rate, in 441 networks; the clip helps where the rate is too large",
    ),
    Claim(
        lesson="12",
        id="reward",
        statement="The best networks of a search are as good as their rewards",
        stated="yes",
        source="taken for granted where one run of each network is reported",
        verdict=OPPOSITE,
        figure="the thirty best {:.1f} % in the search, {:.1f} % from a third seed",
        judge=lambda reward, again: compared(3 - (reward - again), least=3),
        why="the highest rewards are also the luckiest ones",
    ),
    Claim(
        lesson="12",
        id="cost",
        statement="With the cost in the reward, a search finds cheaper networks",
        stated="yes",
        source="Tan et al. 2018 (MnasNet), section 3",
        verdict=SHOWN,
        figure="{:.2f} million mult-adds without, {:.2f} with w = -0.5; accuracy {:.1f} and {:.1f} %",
        judge=lambda before, after, *_: compared(100 * (1 - after / before), least=5),
        why="by mult-adds, not by the latency of a phone",
    ),
    Claim(
        lesson="12",
        id="mnas",
        statement="EfficientNet is based on MNAS",
        stated="yes",
        source="lecture",
        verdict=REPORTED,
        why="its smallest network was searched with mult-adds in the reward (Tan, Le 2019, section 4)",
    ),
    Claim(
        lesson="12",
        id="transfer",
        statement="Cells that are good on a small data set are good in a larger network on more data",
        stated="yes",
        source="lecture",
        verdict=SHOWN,
        figure="found cells {:.1f} %, median cells {:.1f} %, NASNet-A's {:.1f} %, a ResNet {:.1f} %",
        judge=lambda found, median, *_: compared(found - median, least=5),
        why="two pairs of cells, after 378 steps; a ResNet of the same cost is as good",
    ),
    Claim(
        lesson="12",
        id="price",
        statement="What the search took",
        stated="500 GPUs for 4 days",
        source=f"{_PAPER}, section 4",
        verdict=REPORTED,
        why="this lesson's space is smaller by thirty powers of ten",
    ),
)
