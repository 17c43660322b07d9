"""What lesson 02 compares activations and dropout with."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import course, data, measure, models
from cnnlab.lessons.alexnet.study import (
    WINDOW,
    Noise,
    Race,
    centred,
    chosen_rate,
    dead,
    initialized,
    race,
    race_of_all,
    rate_grid,
    rates_are_inside,
    ratios,
    steps_of,
)
from cnnlab.lessons.records import Record

TASKS = {task.id: task for task in course.exercises("02")}


def digits(validation: int = 50) -> data.Dataset:
    return data.load("handwritten", train=100, validation=validation, test=10)


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(1024, 10))


def test_a_training_error_is_reached_by_a_whole_window_of_batches():
    assert Race(errors=[1.0] + [0.25] * WINDOW).steps == WINDOW + 1
    assert Race(errors=[0.0] * WINDOW).steps == WINDOW
    assert Race(errors=[0.0] * (WINDOW - 1)).steps is None
    assert Race(errors=[0.26] * 2 * WINDOW).steps is None


def test_a_validation_error_is_reached_at_the_first_look_that_shows_it():
    run = Race([1.0], [0.0], {25: 0.5, 50: 0.75, 75: 0.7})
    assert run.validation_steps == 50 and run.accuracy == 0.7
    assert Race([1.0], [0.0], {25: 0.5}).validation_steps is None
    assert Race([math.nan], [0.0], {25: 0.9}).accuracy == Race().accuracy == 0


def test_a_race_is_the_same_twice_and_ends_when_it_is_told_to():
    run = race(linear(), digits(), lr=0.01, most=60)
    assert run == race(linear(), digits(), lr=0.01, most=60)
    assert len(run.losses) == len(run.errors) == 60 and list(run.validation) == [25, 50]
    assert run.losses[-1] < run.losses[0] and run.accuracy > 0.5
    assert len(race(linear(), digits(), lr=0.01, most=60, stop=lambda run: True).losses) == 25
    assert not race(linear(), digits(0), lr=0.01, most=30).validation


def test_a_race_that_diverges_is_over():
    run = race(linear(), digits(), lr=1e38, most=60)
    assert len(run.losses) < 60 and not math.isfinite(run.losses[-1]) and run.accuracy == 0


def test_centred_pixels_keep_their_scale():
    dataset = centred(digits())
    for split in (dataset.train, dataset.validation, dataset.test):
        differences = split.inputs() - split.images
        assert torch.allclose(differences, differences.mean(), atol=1e-3)
    assert abs(dataset.train.inputs().mean()) < 0.01


def test_a_unit_is_dead_where_it_is_silent_on_all_images_and_at_all_places():
    images = torch.tensor([[1.0, -1.0, -1.0], [-1.0, 1.0, -1.0]])
    assert dead(nn.Sequential(nn.Flatten(), nn.ReLU()), images) == pytest.approx(1 / 3)
    maps = -torch.ones(2, 4, 3, 3)
    maps[1, 0, 2, 2] = 1
    assert dead(nn.Sequential(nn.Identity(), nn.ReLU()).train(), maps) == pytest.approx(3 / 4)


@pytest.mark.parametrize("normal", [False, True])
def test_noise_has_mean_and_variance_1_and_is_fresh_or_fixed(normal):
    torch.manual_seed(0)
    ones = torch.ones(200, 300)
    fresh, fixed = Noise(normal=normal, fresh=True), Noise(normal=normal, fresh=False)
    drawn = fresh.train()(ones)
    assert drawn.mean().item() == pytest.approx(1, abs=0.02) and drawn.var().item() == pytest.approx(1, abs=0.02)
    assert not torch.equal(drawn[0], drawn[1]) and torch.equal(fresh.eval()(ones), ones)
    assert normal or set(drawn.unique().tolist()) == {0.0, 2.0}
    once = fixed.train()(ones)
    assert torch.equal(once[0], once[1]) and torch.equal(once, fixed.eval()(ones))


def test_the_lesson_draws_what_the_records_hold():
    """Of numbers that no training made: what is chosen, and what is said of it."""
    runs = [{"lr": lr, "steps": n, "validation_steps": n, "tried": 2000, "test": 0.5} for lr, n in ((0.1, 9), (1, 3))]
    cases = {
        f"{pixels}, PyTorch's, {activation}": {"rates": [*runs, runs[0] | {"lr": 10}], "seeds": [runs[fast]] * 3}
        for pixels, best in (("centred", "ReLU"), ("normalised", "tanh"))
        for activation, fast in (("ReLU", best == "ReLU"), ("tanh", best == "tanh"))
    }
    record = Record("r", "", "python -m", "2026-01-01", "1 CPU thread", 1, cases)
    assert chosen_rate(record, "centred, PyTorch's, ReLU") == 1 and not rates_are_inside(record)
    assert ratios(steps_of(record, 2000)) == {"centred, PyTorch's": 3, "normalised, PyTorch's": pytest.approx(1 / 3)}
    assert rate_grid(record).header[1:] == ["0.1", "1", "10", "chosen"] and rate_grid(record).rows[0][1:3] == [9, 3]
    assert "takes 3.0 times" in race_of_all(record, 2000).alt
    record.results["centred, PyTorch's, tanh"]["seeds"] = [runs[0] | {"steps": None}] * 3
    assert "(3 of 3 not in 2,000)" in race_of_all(record, 2000).alt


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
