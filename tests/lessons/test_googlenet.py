"""Lesson 05: the solutions agree with PyTorch's convolution and with the package's modules."""

import torch
from torch.nn import functional as F

from cnnlab import course, measure
from cnnlab.models.googlenet import Inception

TASKS = {task.id: task for task in course.exercises("05")}


def solved(id: str):
    return TASKS[id].made(TASKS[id].solution)


def test_a_linear_layer_at_every_pixel_is_a_convolution():
    for x, weight, bias in TASKS["05.pointwise"].arguments():
        expected = F.conv2d(x, weight[:, :, None, None], bias)
        torch.testing.assert_close(solved("05.pointwise")(x, weight, bias), expected)


def test_a_convolution_is_refused_though_its_result_is_right():
    def pointwise(x, weight, bias):
        return F.conv2d(x, weight[:, :, None, None], bias)

    feedback = course.check("05.pointwise", pointwise)
    assert feedback.status == "wrong" and "no convolution is allowed" in feedback.message


def test_a_module_costs_what_the_packages_does():
    for channels, widths, size in TASKS["05.module-cost"].arguments():
        cost = measure.cost(Inception(channels, widths), (channels, size, size))
        assert solved("05.module-cost")(channels, widths, size) == (cost.params, cost.macs)


def test_a_row_of_modules_has_the_packages_channels():
    for channels, rows, *naive in TASKS["05.concatenation"].arguments():
        with torch.device("meta"):
            x = torch.zeros(1, channels, 5, 5)
            for widths in rows:
                kept = widths[5] if not naive else x.shape[1]  # without a projection the pool keeps all channels
                x = Inception(x.shape[1], (*widths[:5], kept))(x)
        assert solved("05.concatenation")(channels, rows, *naive) == x.shape[1]
