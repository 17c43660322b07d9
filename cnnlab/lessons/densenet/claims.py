"""Lesson 10, DenseNet: what is stated about it, beside what was computed or measured."""

import torch
from torch import nn

from cnnlab import models
from cnnlab.lessons import facts
from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, REPORTED, SHOWN, VARIANT, Claim, compared, register
from cnnlab.lessons.densenet.study import TOP1, connected_pairs, readers
from cnnlab.models.densenet import DenseBlock


def _build(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return models.get_model(name, **options)


def _params(name: str) -> int:
    return sum(p.numel() for p in _build(name).parameters())


def _fewer() -> str:
    """Whether each DenseNet of ImageNet has fewer parameters than every ResNet that is at least as accurate."""
    pairs = [(d, r) for d in TOP1 for r in TOP1 if d.startswith("dense") and r.startswith("res") and TOP1[r] > TOP1[d]]
    return "fewer" if all(facts.network(d).params < facts.network(r).params for d, r in pairs) else "not always fewer"


def _connections(depth: int) -> int:
    """Connections of a dense block with as many layers: the block's input and each layer, to each later layer."""
    block = readers(_build("densenet_40_12", depths=(depth,)))[0]
    return sum(len(reader.sizes) for reader in block[:-1])


def _concatenates() -> str:
    torch.manual_seed(0)
    block, x = DenseBlock(4, depth=3, growth_rate=2).eval(), torch.randn(1, 4, 5, 5)
    with torch.no_grad():
        return "yes" if torch.equal(block(x)[:, :4], x) else "no"


_PAPER = "Huang et al. 2016"


_FAR = "maps of unlike size cannot be concatenated, so the connections end at a transition"


register(
    Claim(
        lesson="10",
        id="params201",
        statement="Parameters of DenseNet-201",
        stated="20.0M",
        source="lecture",
        verdict=SHOWN,
        compute=lambda: f"{_params('densenet201') / 1e6:.1f}M",
    ),
    Claim(
        lesson="10",
        id="accuracy201",
        statement="DenseNet-201 on ImageNet, top-1 and top-5 (%)",
        stated="76.9 / 93.4",
        source="lecture; torchvision documents 76.896 / 93.370",
        verdict=REPORTED,
        why="ImageNet is 150 GB",
    ),
    Claim(
        lesson="10",
        id="any_two",
        statement="Any two layers are connected",
        stated="all pairs",
        source="lecture",
        verdict=VARIANT,
        compute=lambda: "{:,} of {:,} pairs in DenseNet-201".format(*connected_pairs(_build("densenet201"))),
        why=_FAR,
    ),
    Claim(
        lesson="10",
        id="connections",
        statement="Connections in a block of L = 12 layers: L (L + 1) / 2",
        stated=78,
        source=f"{_PAPER}, abstract",
        verdict=SHOWN,
        compute=lambda: _connections(12),
    ),
    Claim(
        lesson="10",
        id="concatenated",
        statement="Maps are concatenated, not added: the input leaves a block unchanged",
        stated="yes",
        source="lecture",
        verdict=SHOWN,
        compute=_concatenates,
    ),
    Claim(
        lesson="10",
        id="narrow",
        statement="Very narrow layers: new maps of each layer in DenseNet-201",
        stated=32,
        source=f"lecture; {_PAPER}, Table 1",
        verdict=SHOWN,
        compute=lambda: readers(_build("densenet201"))[0][1].sizes[-1],
    ),
    Claim(
        lesson="10",
        id="fewer",
        statement="Parameters of the DenseNets beside each ResNet that is more accurate on ImageNet",
        stated="fewer",
        source="lecture; accuracies by torchvision's documentation",
        verdict=SHOWN,
        compute=_fewer,
    ),
    Claim(
        lesson="10",
        id="cifar",
        statement="Errors of DenseNet-BC-100 (growth rate 12) on CIFAR-10",
        stated="4.51 %",
        source="README of the authors' code",
        verdict=REPORTED,
        why="CIFAR-10 is a download, and the paper trains for 300 epochs",
    ),
    Claim(
        lesson="10",
        id="memory",
        statement="Written naively, the memory grows quadratically with the layers of a block",
        stated="quadratically",
        source="Pleiss et al. 2017, abstract",
        verdict=SHOWN,
        figure="{:.1f} times from 32 layers to 64",
        judge=lambda times: compared(times - 3, least=0.5),
    ),
    Claim(
        lesson="10",
        id="relu",
        statement="A concatenation can do all that a sum can",
        stated="the same result with tied weights",
        source="often heard",
        verdict=OPPOSITE,
        figure="for a convolution they differ by {:.3f}, for a ReLU and a convolution by {:.0f}",
        judge=lambda _, relu_first: compared(1 - relu_first, least=3),
        why="true of a linear reader only; a dense layer begins with batch norm and ReLU",
    ),
    Claim(
        lesson="10",
        id="supervision",
        statement="Short ways to the loss train every layer as extra classifiers would",
        stated="implicit deep supervision",
        source=f"{_PAPER}, section 5",
        verdict=REPORTED,
        why="no network was trained here with longer ways and all else equal",
    ),
    Claim(
        lesson="10",
        id="spread",
        statement="All layers spread their weights over many inputs of their block",
        stated="yes",
        source=f"{_PAPER}, section 5 and Fig. 5",
        verdict=NOT_SHOWN,
        figure="blocks 1 and 2: at most {:.0%} from even untrained, {:.0%} trained",
        judge=lambda untrained, trained: NOT_SHOWN if trained < 0.3 else OPPOSITE,
        why="those of an untrained network are as even, so it is not what was learnt; it takes a longer training to"
        " tell",
    ),
    Claim(
        lesson="10",
        id="transition",
        statement="Blocks 2 and 3 give the least weight to what the transition hands them",
        stated="yes",
        source=f"{_PAPER}, section 5 and Fig. 5",
        verdict=SHOWN,
        figure="in {:.0f} of {:.0f} columns of three networks",
        judge=lambda columns, of: compared(columns / of - 0.5, least=0.3),
    ),
    Claim(
        lesson="10",
        id="head",
        statement="The head gives most weight to the maps made last",
        stated="yes",
        source=f"{_PAPER}, section 5 and Fig. 5",
        verdict=SHOWN,
        figure="at least {:.2f} times the column's mean, in three networks",
        judge=lambda times: compared(times - 1, least=0.1),
    ),
    Claim(
        lesson="10",
        id="redundant",
        statement="Of the transition's maps many are redundant: six of them are needed less than six of a layer",
        stated="yes",
        source=f"{_PAPER}, section 5",
        verdict=SHOWN,
        figure="without them the loss rises by {:.3f}, without a layer's by {:.3f}",
        judge=lambda six, layer: compared(1 - six / layer, least=0.2),
    ),
    Claim(
        lesson="10",
        id="resnet",
        statement="A DenseNet reads more than a ResNet with as many parameters (1,500 digits of 16 x 16, to the end)",
        stated="yes",
        source=f"lecture (fewer parameters); {_PAPER}, section 5",
        verdict=SHOWN,
        figure="{:.1f} % of the test images against {:.1f} % (means of three seeds)",
        judge=lambda dense, resnet: compared(dense - resnet, least=2),
    ),
    Claim(
        lesson="10",
        id="early",
        statement="The same on 4,000 digits of 32 x 32, after 252 steps",
        stated="yes",
        source=f"lecture (fewer parameters); {_PAPER}, section 5",
        verdict=OPPOSITE,
        figure="{:.0f} % of the test images against {:.0f} % (three seeds, one learning rate)",
        judge=lambda dense, resnet: compared(dense - resnet, least=2),
        why="a comparison of starts: all curves are still rising",
    ),
    Claim(
        lesson="10",
        id="sum",
        statement="Concatenation reads more than addition with as many layers and parameters (6 layers in a block)",
        stated="yes",
        source=f"lecture; {_PAPER}, section 3",
        verdict=SHOWN,
        figure="{:.1f} % of the test images against {:.1f} % (means of three seeds)",
        judge=lambda concatenated, added: compared(concatenated - added, least=1.5),
    ),
    Claim(
        lesson="10",
        id="sum_wide",
        statement="The same with half the layers, which are wider",
        stated="yes",
        source=f"lecture; {_PAPER}, section 3",
        verdict=NOT_SHOWN,
        figure="{:.1f} % of the test images against {:.1f} % (means of three seeds)",
        judge=lambda concatenated, added: compared(concatenated - added, least=1.5),
        why="the twin that adds is as good; smaller differences take more seeds",
    ),
)
