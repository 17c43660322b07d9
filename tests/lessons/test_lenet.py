"""Lesson 01: the solutions agree with PyTorch, and with the network of 1998."""

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import course, models

TASKS = {task.id: task for task in course.exercises("01")}


def test_an_output_is_as_wide_as_pytorchs():
    solved = TASKS["01.output-size"].made(TASKS["01.output-size"].solution)
    for size, kernel, *rest in TASKS["01.output-size"].arguments():
        image = torch.zeros(1, 1, size, size)
        assert nn.Conv2d(1, 1, kernel, *rest)(image).shape[-1] == solved(size, kernel, *rest)


def test_c3_has_the_parameters_of_the_network():
    task = TASKS["01.c3-parameters"]
    (c3,) = (layer for name, layer in models.get_model("lenet5_1998").named_modules() if name.endswith("C3"))
    counted = sum(p.numel() for p in c3.parameters())
    assert task.made(task.solution)(*task.arguments()[-1]) == counted == 1516


def test_subsampling_is_a_scaled_average():
    task = TASKS["01.subsampling"]
    for x, coefficient, bias in task.arguments():
        scaled = coefficient[:, None, None] * 4 * F.avg_pool2d(x, 2) + bias[:, None, None]
        torch.testing.assert_close(task.made(task.solution)(x, coefficient, bias), scaled)
