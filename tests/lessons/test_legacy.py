"""What lesson 09 compares: blocks that are what they are called, at one price."""

import pytest
import torch
from torch import nn

from cnnlab import course, measure
from cnnlab.lessons.legacy.study import (
    ORDERS,
    TWINS,
    NormAfterSum,
    Original,
    PreActivation,
    ReluBeforeSum,
    ReluFirst,
    fitted,
    path_width,
    sums,
)
from cnnlab.models.preact_resnet import PreActBasicBlock
from cnnlab.models.resnet import BasicBlock, Bottleneck

TASKS = {task.id: task for task in course.exercises("09")}


def filled(module: nn.Module) -> nn.Module:
    """With numbers in its norms that would show where each stands."""
    torch.manual_seed(0)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.normal_(norm.weight, 1, 0.3)
            nn.init.normal_(norm.bias)
    return module.eval()


def test_the_original_is_the_package_s_basic_block():
    block, reference = filled(Original(4, 8, 2)), BasicBlock(4, 8, 2, "A").eval()
    reference.residual.conv1, reference.residual.norm1 = block.conv1, block.norm1
    reference.residual.conv2, reference.residual.norm2 = block.conv2, block.norm2
    x = torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(block(x), reference(x))


def test_pre_activation_is_the_package_s_block():
    block, reference = filled(PreActivation(4, 4)), PreActBasicBlock(4, 4).eval()
    reference.activate.norm1, reference.residual.conv1 = block.norm1, block.conv1
    reference.residual.norm2, reference.residual.conv2 = block.norm2, block.conv2
    x = torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(block(x), reference(x))


def test_what_stands_on_the_shortcut():
    """With the second convolution at zero only the shortcut speaks."""
    x = torch.randn(2, 4, 8, 8)
    after = {}
    for kind in ORDERS.values():
        block = kind(4, 4).eval()
        nn.init.zeros_(block.conv2.weight)
        after[kind] = block(x)
    torch.testing.assert_close(after[Original], x.relu())
    torch.testing.assert_close(after[NormAfterSum], (x / (1 + 1e-5) ** 0.5).relu())
    assert all(torch.equal(after[kind], x) for kind in (ReluBeforeSum, ReluFirst, PreActivation))
    block = filled(ReluBeforeSum(4, 4))
    assert (block(x) >= x).all()  # it can only add


@pytest.mark.parametrize("name", TWINS)
def test_all_twins_cost_the_same(name):
    model = TWINS[name]()
    assert abs(measure.cost(model, (3, 32, 32)).macs / 2e6 - 1) < 0.05
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_orders_differ_in_nothing_but_the_order():
    counts = {sum(p.numel() for p in block(6, 6).parameters()) for block in ORDERS.values()}
    assert len(counts) == 1


def test_what_stands_on_a_shortcut_can_be_exchanged():
    block = PreActivation(4, 4).eval()
    x = torch.randn(2, 4, 8, 8)
    free = block(x)
    block.shortcut = nn.ReLU()
    torch.testing.assert_close(block(x) - free, x.relu() - x)


def test_paths_of_table_2():
    assert [path_width(256, paths) for paths in (1, 2, 4, 8, 32)] == [64, 40, 24, 14, 4]


@pytest.mark.parametrize(("block", "width", "paths"), [("basic", 6, 1), ("basic", 13, 1), ("bottleneck", 32, 4)])
def test_the_depth_meets_the_budget(block, width, paths):
    model, layers = fitted(block, width, paths)
    assert abs(measure.cost(model, (3, 32, 32)).macs / 2e6 - 1) < 0.1
    assert layers == 1 + sum(isinstance(layer, nn.Conv2d) for layer in model.modules())


def test_one_block_a_stage_is_the_least():
    model, layers = fitted("basic", 64)
    assert layers == 8 and measure.cost(model, (3, 32, 32)).macs > 20 * 2e6


def test_sums_are_counted_once_for_each_block():
    assert [sums(name) for name in ("resnet18", "resnet50", "vgg16", "mobilenet_v2")] == [8, 16, 0, 10]
    assert sums("vit_b_16") == 2 * 12  # the position's vector is no feature map


def solved(id: str):
    return TASKS[id].made(TASKS[id].solution)


@pytest.mark.parametrize(("channels", "paths", "width"), TASKS["09.grouped-parameters"].arguments())
def test_parameters_are_those_of_the_package_s_block(channels, paths, width):
    block = Bottleneck(channels, channels, ratio=paths * width / channels, groups=paths)
    assert solved("09.grouped-parameters")(channels, paths, width) == sum(p.numel() for p in block.parameters())


@pytest.mark.parametrize(("channels", "paths"), TASKS["09.equal-cost"].arguments())
def test_equal_cost_is_that_of_built_blocks(channels, paths):
    def weights(paths: int, width: int) -> int:
        block = Bottleneck(channels, channels, ratio=paths * width / channels, groups=paths)
        return sum(p.numel() for p in block.parameters() if p.ndim == 4)

    best, usual = solved("09.equal-cost")(channels, paths), weights(1, channels // 4)
    off = {width: abs(weights(paths, width) - usual) for width in (best - 1, best, best + 1) if width}
    assert min(off, key=off.get) == best and sorted(off.values())[0] < sorted(off.values())[1]


def test_pre_activation_of_the_exercise_is_the_package_s_block():
    block, x = filled(PreActBasicBlock(4, 4)), torch.randn(2, 4, 6, 6)
    layers = block.activate.norm1, block.residual.conv1, block.residual.norm2, block.residual.conv2
    torch.testing.assert_close(solved("09.pre-activation")(x, *layers), block(x))


def test_a_pre_activation_that_changes_its_input_is_told_so():
    def changing(x, norm1, conv1, norm2, conv2):
        x += conv2(norm2(conv1(norm1(x).relu())).relu())
        return x

    assert "changes x" in course.check("09.pre-activation", changing).message


def test_wider_networks_have_about_the_same_mult_adds():
    for depth, k in TASKS["09.widening"].arguments():
        left = solved("09.widening")(depth, k)
        cost = {layers: (layers - 4) // 6 * k**2 for layers in (left - 6, left, left + 6) if layers >= 10}
        assert min(cost, key=lambda layers: abs(cost[layers] - (depth - 4) // 6)) == left
