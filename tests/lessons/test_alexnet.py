"""What lesson 02 compares activations and dropout with."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import course, data, measure, models
from cnnlab.lessons.alexnet.study import centred, initialized, losses_until, reached

TASKS = {task.id: task for task in course.exercises("02")}


def digits() -> data.Dataset:
    return data.load("handwritten", train=100, test=10)


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(1024, 10))


def test_a_target_is_reached_by_a_whole_window():
    assert reached([3.0, 1.0, 1.0], 1.0, window=2) and not reached([3.0, 1.0, 1.0], 1.0, window=3)
    assert not reached([0.0], 1.0, window=2) and not reached([0.0, math.nan], 1.0, window=2)


def test_training_stops_at_the_first_step_that_reaches_the_target():
    losses = losses_until(0.5, linear(), digits(), lr=0.01, window=10)
    assert reached(losses, 0.5, 10) and not reached(losses[:-1], 0.5, 10)
    assert losses == losses_until(0.5, linear(), digits(), lr=0.01, window=10)


def test_training_gives_up():
    assert len(losses_until(0.0, linear(), digits(), lr=0.01, most=12)) == 12
    diverged = losses_until(0.0, linear(), digits(), lr=1e38, most=30)
    assert len(diverged) < 30 and not math.isfinite(diverged[-1])


def test_centred_pixels_keep_their_scale():
    dataset = centred(digits())
    differences = dataset.train.inputs() - dataset.train.images
    assert torch.allclose(differences, differences.mean(), atol=1e-3)
    assert abs(dataset.train.inputs().mean()) < 0.01


@pytest.mark.parametrize(("nonlinearity", "factor"), [("relu", 2), ("linear", 1)])
def test_weights_keep_signals_their_size_and_no_class_is_preferred_at_first(nonlinearity, factor):
    torch.manual_seed(0)
    model = initialized(models.get_model("alexnet_tiny"), nonlinearity)
    for layer in (layer for layer in model.modules() if isinstance(layer, nn.Conv2d)):
        assert math.isclose(layer.weight.std().item(), math.sqrt(factor / layer.weight[0].numel()), rel_tol=0.1)
    assert not model(torch.randn(2, 3, 32, 32)).any()


def test_a_top_k_error_is_a_count_over_sorted_guesses():
    task = TASKS["02.top-k"]
    for logits, labels, k in task.arguments():
        place = (logits.argsort(dim=1, descending=True) == labels[:, None]).float().argmax(dim=1)  # of the label
        assert task.made(task.solution)(logits, labels, k) == pytest.approx((place >= k).float().mean().item())


def test_a_grouped_convolution_costs_what_pytorchs_does():
    task = TASKS["02.grouped"]
    for inputs, outputs, kernel, groups, side in task.arguments():
        layer = nn.Conv2d(inputs, outputs, kernel, groups=groups)
        cost = measure.cost(layer, (inputs, side + kernel - 1, side + kernel - 1))
        assert task.made(task.solution)(inputs, outputs, kernel, groups, side) == (cost.params, cost.macs)


def test_dropout_may_be_pytorchs_and_always_dropping_as_many_is_not():
    assert course.check("02.dropout", lambda x, p, training: F.dropout(x, p, training)).status == "passed"

    def as_many(x, p, training):
        order = torch.rand(x.numel()).argsort().argsort().view(x.shape)
        return x * (order >= round(p * x.numel())) / (1 - p) if training else x

    assert "same number of numbers" in course.check("02.dropout", as_many).message
