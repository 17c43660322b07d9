"""Lesson 04: the solutions agree with gradients, with the package's network and with PyTorch's rules."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import course
from cnnlab.models.vgg import VGG

TASKS = {task.id: task for task in course.exercises("04")}


def test_a_receptive_field_is_what_the_gradient_reaches():
    task = TASKS["04.receptive-field"]
    for (layers,) in task.arguments():
        image = torch.zeros(1, 1, 400, dtype=torch.float64, requires_grad=True)
        values = image
        for kernel, stride in layers:
            values = F.conv1d(values, torch.ones(1, 1, kernel, dtype=torch.float64), stride=stride)
        values[0, 0, values.shape[-1] // 2].backward()
        assert task.made(task.solution)(layers) == int((image.grad != 0).sum())


def test_the_built_network_is_the_packages():
    task = TASKS["04.builder"]
    image = torch.randn(1, 3, 32, 64, generator=torch.Generator().manual_seed(0))
    for depths, width in task.arguments():
        mine, reference = task.made(task.solution)(depths, width), VGG(depths, width=width, hidden=8, num_classes=2)
        for one, other in zip(mine.parameters(), reference.stages.parameters(), strict=True):
            other.data.copy_(one.data)
        torch.testing.assert_close(mine(image), reference.stages(image))


@pytest.mark.parametrize("conv", ["nn.Conv2d(c, out, 3, padding='same')", "nn.LazyConv2d(out, (3, 3), padding=1)"])
def test_a_network_may_be_built_of_other_layers_of_the_same_kind(conv):
    source = f"""
def build(depths, width=64):
    stages, c = [], 3
    for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
        out, stage = width * factor, []
        for _ in range(depth):
            stage += [{conv}, nn.ReLU(inplace=True)]
            c = out
        stages.append(nn.Sequential(*stage, nn.MaxPool2d(2, 2)))
    return nn.Sequential(*stages)
"""
    task = TASKS["04.builder"]
    assert course.check(task.id, task.made(source)).status == "passed"


def test_the_deviation_is_pytorchs_for_a_relu():
    task = TASKS["04.he-std"]
    for (weight,) in task.arguments():
        fan_in, _ = nn.init._calculate_fan_in_and_fan_out(weight)
        assert task.made(task.solution)(weight) == pytest.approx(nn.init.calculate_gain("relu") / fan_in**0.5)
