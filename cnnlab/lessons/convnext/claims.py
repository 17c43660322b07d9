"""Lesson 15, ConvNeXt: what is stated about it, beside what was computed or measured."""

from torch import nn

from cnnlab.lessons.claims import OPPOSITE, REPORTED, SHOWN, VARIANT, Claim, compared, register
from cnnlab.lessons.convnext.study import TABLE_10, cost, released
from cnnlab.models.convnext import Block, LayerNorm2d


def _exact_rows() -> list[str]:
    """The rows of Table 10 whose mult-adds are, rounded, those that are counted here."""
    return [name for name, steps, kernel, _, _, paper in TABLE_10 if round(cost(steps, kernel).macs / 1e9, 2) == paper]


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
        id="road_twins",
        statement="The road goes up: ResNet, then ConvNeXt, at nearly equal mult-adds",
        stated="78.82 to 81.97 % (ImageNet)",
        source=f"{_PAPER}, Table 10",
        verdict=OPPOSITE,
        judge=lambda first, *rest: compared(rest[-1] - first, least=3),
        why="on 4,000 small digits and five epochs one step leads far up, and the last ones down; the road was"
        " made for ImageNet and 300 epochs",
    ),
    Claim(
        lesson="15",
        id="speed",
        statement="A ConvNeXt is slower than a ResNet of like mult-adds, on this machine",
        stated="not stated",
        source="this lesson",
        verdict=SHOWN,
        judge=lambda time, mult_adds: compared(time - mult_adds, least=0.1),
        timed=True,
    ),
)


def _structure(block: Block) -> str:
    layers = list(block.residual)
    norms = sum(isinstance(layer, (nn.LayerNorm, LayerNorm2d, nn.BatchNorm2d)) for layer in layers)
    gelus = sum(isinstance(layer, (nn.GELU, nn.ReLU)) for layer in layers)
    widen = next(layer for layer in layers if isinstance(layer, nn.Linear))
    return f"{norms} norm, {gelus} GELU, {widen.out_features // widen.in_features} times as wide inside"
