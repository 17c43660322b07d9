"""Pre-activation ResNet against timm's; its paper's equation 4; Wide ResNet's table."""

from collections.abc import Mapping

import pytest
import timm
import torch
from equivalence import assert_equivalent
from torch import nn

from cnnlab.models import get_model
from cnnlab.models.preact_resnet import PreActBasicBlock


def linear_head(by_name: Mapping) -> dict:
    """timm's classifier is a 1x1 convolution."""
    return {name: value.flatten(1) if name == "head.fc.weight" else value for name, value in by_name.items()}


@pytest.mark.slow  # a large network
def test_is_timms() -> None:
    assert_equivalent(lambda: timm.create_model("resnetv2_50"), lambda: get_model("preact_resnet50"), 64, linear_head)


def test_nothing_stands_on_the_shortcut() -> None:
    """Equation 4: what enters a stage after its first block leaves it with the blocks' residuals added, and no more."""
    stage = get_model("preact_resnet110_tiny").eval().stages[1][1:]
    x = torch.randn(2, 16, 8, 8)
    total, y = x.clone(), x
    for block in stage:
        total += block.residual(block.activate(y))
        y = block(y)
    torch.testing.assert_close(stage(x), total, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_a_block_that_changes_the_shape_activates_before_the_split(shortcut: str) -> None:
    block = PreActBasicBlock(4, 8, stride=2, shortcut=shortcut).eval()
    nn.init.zeros_(block.residual.conv2.weight)
    x = torch.randn(2, 4, 8, 8)
    assert torch.equal(block(x), block.shortcut(block.activate(x)))


def test_the_first_block_of_all_activates_before_the_split() -> None:
    first = get_model("preact_resnet110").eval().stages[0][0]
    nn.init.zeros_(first.residual.conv2.weight)
    x = torch.randn(2, 16, 8, 8)
    assert torch.equal(first(x), torch.relu(first.activate.norm1(x)))


def test_wide_resnet_has_the_layers_of_its_table() -> None:
    """Table 1 of Zagoruyko and Komodakis: a network of d layers has d convolutions, k times as wide as ResNet's."""
    for name, depth, k in (("wrn_28_10", 28, 10), ("wrn_16_8", 16, 8)):
        with torch.device("meta"):
            model = get_model(name)
        assert sum(isinstance(layer, nn.Conv2d) for layer in model.modules()) == depth
        assert [stage[-1].residual.conv2.out_channels for stage in model.stages] == [16 * k, 32 * k, 64 * k]
