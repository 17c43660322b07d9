"""Lesson 15, ConvNeXt: what is stated about it, beside what was computed or measured."""

from math import ceil

from torch import nn

from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, REPORTED, SHOWN, VARIANT, Claim, compared, register
from cnnlab.lessons.convnext.study import TABLE_10, cost, released
from cnnlab.models.convnext import Block, LayerNorm2d


def _exact_rows() -> list[str]:
    """The rows of Table 10 whose mult-adds are, rounded, those that are counted here."""
    return [name for name, steps, kernel, _, _, paper in TABLE_10 if round(cost(steps, kernel).macs / 1e9, 2) == paper]


def _gain(step: str) -> tuple[float, float]:
    """Points of accuracy that a step of the road gains, and the standard error of that, from three runs each."""
    rows = [row for row in TABLE_10 if row[2] == 7]
    number = [row[0] for row in rows].index(step)
    (*_, before, first, _), (*_, after, second, _) = rows[number - 1 : number + 1]
    return after - before, ((first**2 + second**2) / 3) ** 0.5


def _runs(step: str) -> int:
    """Runs of each network with which the gain would be two standard errors."""
    gain, error = _gain(step)
    return ceil(3 * (2 * error / gain) ** 2)


_PAPER = "Liu et al. 2022"


register(
    Claim(
        lesson="15",
        id="mimic",
        statement="A ConvNet that mimics a transformer's internal structure: what is in a block",
        stated="1 norm, 1 GELU, 4 times as wide inside",
        source=f"lecture; {_PAPER}, sections 2.4 and 2.6",
        verdict=SHOWN,
        compute=lambda: _structure(Block(8)),
    ),
    Claim(
        lesson="15",
        id="params_base",
        statement="Parameters of ConvNeXt-Base",
        stated="88.6M",
        source="lecture; torchvision documents 88,591,464",
        verdict=SHOWN,
        compute=lambda: f"{released('convnext_base').params / 1e6:.1f}M",
    ),
    Claim(
        lesson="15",
        id="macs_base",
        statement="Mult-adds of ConvNeXt-Base (billions)",
        stated="15.355",
        source="torchvision's documentation",
        verdict=SHOWN,
        compute=lambda: f"{released('convnext_base').macs / 1e9:.3f}",
    ),
    Claim(
        lesson="15",
        id="accuracy_base",
        statement="ConvNeXt-Base on ImageNet, top-1 and top-5 (%)",
        stated="84.0 / 96.9",
        source="lecture; torchvision documents 84.062 / 96.870, the paper 83.8",
        verdict=REPORTED,
        why="ImageNet is 150 GB; the lecture cuts 84.062 off where rounding gives 84.1",
    ),
    Claim(
        lesson="15",
        id="road_cost",
        statement="Mult-adds of each row of the road, to three digits",
        stated="17 rows",
        source=f"{_PAPER}, Table 10",
        verdict=VARIANT,
        compute=lambda: f"{len(_exact_rows())} rows the same",
        why="the two rows with layer norm are not: see below",
    ),
    Claim(
        lesson="15",
        id="norm_cost",
        statement="Mult-adds of the rows layer norm and separate downsampling (billions)",
        stated="4.46, 4.49",
        source=f"{_PAPER}, Table 10",
        verdict=VARIANT,
        compute=lambda: f"{cost(11).macs / 1e9:.2f}, {cost(12).macs / 1e9:.2f}",
        why="a norm has no mult-adds in this count; torchvision documents 4.456 for the last network too",
    ),
    Claim(
        lesson="15",
        id="road_accuracy",
        statement="Top-1 on ImageNet at the beginning and the end of the road (%)",
        stated="76.13 to 81.97",
        source=f"{_PAPER}, Table 10",
        verdict=REPORTED,
        why="seventeen trainings on ImageNet, all but the first by the long recipe",
    ),
    Claim(
        lesson="15",
        id="recipe",
        statement="The training recipe alone takes ResNet-50 from 76.1 to 78.8 %",
        stated="+2.7 points",
        source=f"{_PAPER}, section 2.1",
        verdict=REPORTED,
        why="two trainings on ImageNet; of the recipe only the optimiser and the schedule fit into small networks",
    ),
    Claim(
        lesson="15",
        id="strikes_back",
        statement="A recipe alone takes ResNet-50 to 80.4 % on ImageNet",
        stated="80.4",
        source="Wightman, Touvron, Jégou 2021, abstract; torchvision documents 80.858 for its second weights",
        verdict=REPORTED,
        why="600 epochs of ImageNet",
    ),
    Claim(
        lesson="15",
        id="small_steps",
        statement="GELU for ReLU, and layer norm for batch norm, improve the network (gain in standard errors)",
        stated="+0.05 and +0.06 points",
        source=f"{_PAPER}, Table 10, three runs each",
        verdict=NOT_SHOWN,
        compute=lambda: " and ".join(f"{gain / error:.1f}" for gain, error in map(_gain, ("gelu", "layer norm"))),
        judge=lambda *errors: SHOWN if min(errors) > 2 else NOT_SHOWN,
        why=lambda: (
            "three runs cannot tell them from nothing; with the same spread it would take "
            + " and ".join(f"{_runs(step)}" for step in ("gelu", "layer norm"))
        ),
    ),
    Claim(
        lesson="15",
        id="swin",
        statement="Without attention it is better than Swin-T, a transformer of like cost: top-1 on ImageNet (%)",
        stated="82.1 against 81.3",
        source=f"{_PAPER}, Table 1",
        verdict=REPORTED,
        why="ImageNet is 150 GB",
    ),
    Claim(
        lesson="15",
        id="layer_scale",
        statement="A block whose layer scale starts at 0.000001 learns, because the scale itself does",
        stated="in words",
        source="Touvron et al. 2021 (CaiT), section 2; this lesson",
        verdict=SHOWN,
        figure="mean squared error {:.2f}; with the scale frozen {:.2f}",
        judge=lambda free, frozen: compared(frozen - free, least=0.3),
    ),
    Claim(
        lesson="15",
        id="road_twins",
        statement="The road goes up: ResNet, then ConvNeXt, at nearly equal mult-adds, each at its own learning rate",
        stated="78.82 to 81.97 % (ImageNet)",
        source=f"{_PAPER}, Table 10",
        verdict=OPPOSITE,
        figure="{:.1f} %, then {:.1f} % (1,250 steps)",
        judge=lambda first, last: compared(last - first, least=3),
        why="after 1,250 steps on small digits ConvNeXt has hardly begun; the road was made for 300 epochs of ImageNet",
    ),
    Claim(
        lesson="15",
        id="one_rate",
        statement="ConvNeXt learns as well at the ResNet's learning rate as at its own (validation images)",
        stated="assumed wherever one learning rate is given to all",
        source="this lesson",
        verdict=OPPOSITE,
        figure="{:.0f} % at the ResNet's, {:.0f} % at its own",
        judge=lambda there, own: compared(there - own, least=5),
        why="at the learning rate that is best for the ResNet it guesses",
    ),
    Claim(
        lesson="15",
        id="speed",
        statement="A ConvNeXt is slower than a ResNet of like mult-adds, on this machine",
        stated="not stated",
        source="this lesson",
        verdict=NOT_SHOWN,
        figure="time {:.2f} times, mult-adds {:.2f} times",
        judge=lambda time, mult_adds: compared(time - mult_adds, least=0.1),
        why="in the program's own time on one core it takes about as long as its mult-adds say",
        timed=True,
    ),
)


def _structure(block: Block) -> str:
    layers = list(block.residual)
    norms = sum(isinstance(layer, (nn.LayerNorm, LayerNorm2d, nn.BatchNorm2d)) for layer in layers)
    gelus = sum(isinstance(layer, (nn.GELU, nn.ReLU)) for layer in layers)
    widen = next(layer for layer in layers if isinstance(layer, nn.Linear))
    return f"{norms} norm, {gelus} GELU, {widen.out_features // widen.in_features} times as wide inside"
