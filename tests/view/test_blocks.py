"""Blocks drawn from their modules: what is drawn is what `forward` does."""

from itertools import combinations, pairwise

import pytest
import torch
from equivalence import SIBLINGS
from torch import nn
from torch.nn import functional as F

from cnnlab import models, view
from cnnlab.models.convnext import Block as ConvNeXtBlock
from cnnlab.models.densenet import DenseBlock, DenseLayer
from cnnlab.models.efficientnet import MBConv, SqueezeExcitation
from cnnlab.models.googlenet import Inception
from cnnlab.models.mobilenet import DepthwiseSeparable
from cnnlab.models.mobilenet_v2 import InvertedResidual
from cnnlab.models.preact_resnet import PreActBasicBlock
from cnnlab.models.resnet import BasicBlock, Bottleneck
from cnnlab.models.vit import Block as TransformerBlock
from cnnlab.view.blocks import Branches, Tangle, parse, trace

BLOCKS = {
    "plain": BasicBlock(16, 16, shortcut="none"),
    "residual": BasicBlock(16, 16),
    "projection": BasicBlock(16, 32, stride=2),
    "zeros": BasicBlock(16, 32, stride=2, shortcut="A"),
    "bottleneck": Bottleneck(64, 64),
    "ResNeXt": Bottleneck(64, 64, ratio=1 / 2, groups=8),
    "pre-activation": PreActBasicBlock(16, 16),
    "pre-activation, projection": PreActBasicBlock(16, 32, stride=2),
    "Inception": Inception(192, (64, 96, 128, 16, 32, 32)),
    "separable": DepthwiseSeparable(32, 64, stride=2),
    "inverted": InvertedResidual(24, 24, stride=1, expansion=6),
    "dense": DenseBlock(24, depth=4, growth_rate=12),
    "squeeze and excitation": SqueezeExcitation(96, 4),
    "MBConv": MBConv(40, 40, kernel_size=5, stride=1, expansion=6, drop=0.1),
    "transformer": TransformerBlock(64, heads=4, mlp_width=256),
    "ConvNeXt": ConvNeXtBlock(96),
}


def labels(module, **options):
    return [node.label for node in trace(module, **options).nodes]


def test_a_plain_block_is_its_layers_one_after_the_other():
    graph = trace(BLOCKS["plain"])
    chain = ["in", "3×3 conv, 16", "BN", "ReLU", "3×3 conv, 16", "BN", "ReLU", "out"]
    assert [node.label for node in graph.nodes] == chain
    assert graph.edges == list(pairwise(chain))


def test_the_sum_of_a_residual_block_reads_its_last_norm_and_its_input():
    nodes = trace(BLOCKS["residual"]).nodes
    (total,) = [node for node in nodes if node.kind == "sum"]
    assert [nodes[source].label for source in total.inputs] == ["BN", "in"]
    assert [node.label for node in nodes][-3:] == ["+", "ReLU", "out"]
    branches = parse(trace(BLOCKS["residual"]))[1]
    assert isinstance(branches, Branches) and [len(branch) for branch in branches.branches] == [5, 0]


def test_a_projection_has_its_own_branch_with_the_stride():
    alt = view.block(BLOCKS["projection"]).alt
    assert "[3×3 conv, 32, /2 → BN → ReLU → 3×3 conv, 32 → BN] | [1×1 conv, 32, /2 → BN] → sum → ReLU" in alt
    assert "[pad zeros, 32, /2] → sum" in view.block(BLOCKS["zeros"]).alt


def test_groups_are_named_and_one_for_each_channel_is_depthwise():
    assert "3×3 conv, 32, 8 groups" in labels(BLOCKS["ResNeXt"])
    assert labels(BLOCKS["separable"])[1:5] == ["3×3 depthwise, 32, /2", "BN", "ReLU6", "1×1 conv, 64"]


def test_pre_activation_leaves_the_shortcut_before_or_after_the_activation_as_the_block_does():
    nodes = trace(BLOCKS["pre-activation"]).nodes
    assert nodes[-1].inputs == (len(nodes) - 2,) and nodes[-2].kind == "sum" and 0 in nodes[-2].inputs
    nodes = trace(BLOCKS["pre-activation, projection"]).nodes
    shortcut = next(node for node in nodes if node.label == "1×1 conv, 32, /2")
    assert [nodes[source].label for source in shortcut.inputs] == ["ReLU"]


def test_an_inception_module_has_four_branches_and_concatenates_them_in_order():
    _, split, join, _ = parse(trace(BLOCKS["Inception"]))
    nodes = trace(BLOCKS["Inception"]).nodes
    assert [nodes[branch[0]].label for branch in split.branches] == [
        *("1×1 conv, 64", "1×1 conv, 96", "1×1 conv, 16", "3×3 max pool")
    ]
    assert nodes[join].label == "concatenate, 256"


def test_each_layer_of_a_dense_block_reads_all_before_it():
    graph = trace(BLOCKS["dense"], whole=[DenseLayer])
    joins = [node for node in graph.nodes if node.kind == "cat"]
    assert [len(node.inputs) for node in joins] == [2, 3, 4, 5]
    assert [node.channels for node in joins] == [36, 48, 60, 72]
    assert [node.label for node in graph.nodes].count("DenseLayer, 12") == 4
    assert isinstance(parse(graph)[1], Tangle)
    assert "(2) concatenate, 36 of (0) and (1)" in view.block(BLOCKS["dense"], whole=[DenseLayer]).alt
    assert len(trace(DenseBlock(24, depth=32, growth_rate=12)).nodes) == 226  # as many ways through it as 2**32


def test_squeeze_and_excitation_multiplies_and_stands_inside_the_inverted_residual():
    alt = view.block(BLOCKS["MBConv"]).alt
    weights = "global avg pool → 1×1 conv, 10 → SiLU → 1×1 conv, 240 → sigmoid"
    assert f"split into [unchanged] | [{weights}] → product → 1×1 conv, 40 → BN → stochastic depth, p = 0.1]" in alt


def test_attention_is_one_box_and_a_transformer_block_two_sums():
    found = labels(BLOCKS["transformer"])
    assert found.count("+") == 2 and found.count("SelfAttention, 64") == 1 and "linear, 256" in found


def test_what_is_scaled_by_a_parameter_says_so():
    assert "× layer scale" in labels(BLOCKS["ConvNeXt"])


class Own(nn.Module):
    """A block as a reader may write it, all in functions."""

    def __init__(self, in_place=False):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(inplace=in_place)
        self.unused = nn.Linear(3, 3)

    def forward(self, x):
        y = self.relu(x)
        return torch.cat([F.max_pool2d(torch.relu(self.conv(y)), 3, 1, 1), x * 0.5], 1)


def test_what_forward_does_counts_not_what_the_module_holds():
    found = labels(Own())
    assert found == ["in", "ReLU", "3×3 conv, 8", "ReLU", "3×3 max pool", "× 0.5", "concatenate, 16", "out"]


def test_a_layer_that_works_in_place_changes_what_later_layers_read():
    """The known mistake: ReLU(inplace=True) on x, and then the shortcut takes x."""
    for in_place, read in ((False, "in"), (True, "ReLU")):
        nodes = trace(Own(in_place)).nodes
        (scaled,) = [node for node in nodes if node.label == "× 0.5"]
        assert nodes[scaled.inputs[0]].label == read


class AsksForSize(nn.Module):
    def forward(self, x):
        return x[:, : x.shape[1] // 2]


class AsksForValues(nn.Module):
    def forward(self, x):
        return x if x.mean() > 0 else -x


class TwoInputs(nn.Module):
    def forward(self, x, y):
        return x + y


@pytest.mark.parametrize("kind", [AsksForSize, AsksForValues, TwoInputs])
def test_what_cannot_be_followed_is_one_clear_error(kind):
    with pytest.raises(ValueError, match=f"^{kind.__name__} cannot be drawn: "):
        view.block(kind())


def test_a_layer_alone_and_a_whole_network_can_be_drawn():
    assert labels(nn.Conv2d(3, 8, 5)) == ["in", "5×5 conv, 8", "out"]
    assert labels(models.get_model("resnet20"), whole=[BasicBlock]).count("BasicBlock, 32") == 3


def registry():
    """The blocks of each network in its narrow configuration: children of its stages, the first of each kind."""
    for name in models.list_models():
        if not name.endswith("_tiny") or name.startswith("nasnet"):  # a cell has two inputs: view.cell draws it
            continue
        kinds = set()
        for stage in models.get_model(name).stages:
            blocks = [block for block in stage.children() if any(block.children())]
            for block in blocks or [stage]:
                if type(block) not in kinds:
                    kinds.add(type(block))
                    yield pytest.param(
                        block,
                        id=f"{name}-{type(block).__name__}",
                        marks=[pytest.mark.slow] * bool(SIBLINGS.match(name)),
                    )


@pytest.mark.parametrize("module", list(registry()))
def test_any_block_of_the_registry_can_be_drawn(module):
    picture = view.block(module)
    assert "in, " in picture.alt and "out, " in picture.alt


def overlaps(picture):
    """Pairs of texts that lie on each other, and texts that leave the figure."""
    figure = picture.figure
    figure.draw_without_rendering()
    frame = figure.bbox
    boxes = {text: text.get_window_extent() for axes in figure.axes for text in axes.texts if text.get_text()}
    outside = [text for text, box in boxes.items() if box.x0 < frame.x0 or box.x1 > frame.x1 or box.y0 < frame.y0]
    return [pair for pair in combinations(boxes, 2) if boxes[pair[0]].overlaps(boxes[pair[1]])] + outside


@pytest.mark.parametrize("name", BLOCKS)
def test_no_label_stands_on_another(name):
    picture = view.block({name: BLOCKS[name]}, title="A title that is longer than the block is wide, by far")
    assert not overlaps(picture)
    assert not overlaps(view.block(BLOCKS[name], whole=[DenseLayer]))


def test_blocks_stand_side_by_side_with_names_and_parameters():
    picture = view.block(
        {name: BLOCKS[name] for name in ("plain", "residual", "bottleneck", "Inception")}, title="Four"
    )
    texts = [text.get_text() for text in picture.figure.axes[0].texts]
    assert {"plain", "residual", "bottleneck", "4,672 parameters"} <= set(texts)
    assert not overlaps(picture) and picture.alt.startswith("Four. plain (4,672 parameters): in, 16 → 3×3 conv, 16")
    assert picture.figure.get_figwidth() <= 11.01
    assert view.block(BLOCKS["plain"], alt="In words.").alt == "In words."


def test_a_layer_that_sees_a_part_of_the_channels_does_not_say_how_many_come_in():
    class Halves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(48, 64, 3), nn.Conv2d(48, 64, 3)

        def forward(self, x):
            one, other = x.chunk(2, dim=1)
            return torch.cat([self.first(one), self.second(other)], dim=1)

    assert trace(Halves()).nodes[0].channels is None
    assert "48" not in view.block(Halves()).alt
