"""Lesson 06: the solutions agree with the package's blocks and with PyTorch's layers."""

import torch
from torch.nn import functional as F

from cnnlab import course
from cnnlab.lessons.resnet import study
from cnnlab.models.resnet import BasicBlock

TASKS = {task.id: task for task in course.exercises("06")}


def solved(id: str):
    return TASKS[id].made(TASKS[id].solution)


def test_a_block_has_the_packages_parameters():
    for in_channels, channels, shortcut in TASKS["06.block-parameters"].arguments():
        block = BasicBlock(in_channels, channels, stride=1 + (in_channels != channels), shortcut=shortcut)
        counted = sum(p.numel() for p in block.parameters())
        assert solved("06.block-parameters")(in_channels, channels, shortcut) == counted


def test_a_block_is_the_packages():
    block, x = BasicBlock(4, 4).eval(), torch.randn(2, 4, 6, 6)
    with torch.no_grad():
        block.residual.norm2.weight.normal_()
        torch.testing.assert_close(solved("06.block")(x, block.residual), block(x))


def test_a_shortcut_that_no_gradient_takes_is_none():
    def block(x, f):
        return torch.relu(f(x) + x.detach())

    assert "no gradient takes the shortcut" in course.check("06.block", block).message


def test_a_head_is_pooling_and_a_linear_layer():
    for maps, weight, bias in TASKS["06.pooling-head"].arguments():
        expected = F.linear(F.adaptive_avg_pool2d(maps, 1).flatten(1), weight, bias)
        torch.testing.assert_close(solved("06.pooling-head")(maps, weight, bias), expected)


def test_a_run_that_never_knew_half_has_no_epoch():
    def run(*accuracies):
        return {"history": [{"train_accuracy": each, "test_accuracy": 0.0} for each in accuracies]}

    runs = {"a": [run(0.1, 0.6, 0.9), run(0.1, 0.2, 0.4)], "b": [run(0.51)]}
    assert study.first_half(runs) == {"a": [2, None], "b": [1]}
