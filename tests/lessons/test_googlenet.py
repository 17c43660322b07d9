"""Lesson 05: the solutions agree with PyTorch's convolution and with the package's modules."""

import pytest
import torch
from torch.nn import functional as F

from cnnlab import course, data, measure
from cnnlab.lessons.googlenet import record, study
from cnnlab.lessons.records import Record
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


@pytest.mark.parametrize("case", ["batch norm", "2014, He"])
def test_a_pair_starts_from_the_same_weights(case):
    without, with_heads = (dict(record.build(case, heads, seed=0).named_parameters()) for heads in (False, True))
    assert len(with_heads) > len(without)
    assert all(torch.equal(weight, with_heads[name]) for name, weight in without.items())
    assert not torch.equal(without["head.fc.weight"], record.build(case, heads=False, seed=1).head.fc.weight)


def test_glorots_weights_are_drawn_for_every_layer_and_for_the_heads():
    for name, weight in record.build("2014, Glorot", heads=True, seed=0).named_parameters():
        if weight.ndim > 1:
            fans = sum(torch.nn.init._calculate_fan_in_and_fan_out(weight))
            assert weight.abs().max() <= (6 / fans) ** 0.5 and weight.std() > 0.8 * (2 / fans) ** 0.5, name


def test_pixels_of_2014_differ_in_size_alone():
    today, then = (record.digits(pixels, 0).train.inputs(slice(0, 100)) for pixels in ("±1", "±128"))
    factor = then / today
    assert 30 < factor.mean() < 128 and factor.std(dim=(0, 2, 3)).max() < 0.01 * factor.mean()


def test_a_training_that_diverges_counts_as_guessing(monkeypatch):
    few = data.load("street_digits", train=64, validation=20, test=20).resized(16)
    monkeypatch.setattr(record, "digits", lambda pixels, seed: few)
    run = record.trained("±1, 2014, He, 3 epochs, with heads", 1e6, 0)
    assert run["curve"] == [[0.1, 0.1]] * 3 and run["test"] == 0.1
    run = record.trained("±1, 2014, He, 1 epochs, with heads", 1e-6, 0)
    assert len(run["curve"]) == 1 and run["curve"] != [[0.1, 0.1]]


def test_an_arm_that_learns_has_a_rate_inside_those_that_were_tried():
    def arm(**reached):
        rates = [{"lr": float(lr[1:]), "curve": [[0.0, accuracy]]} for lr, accuracy in reached.items()]
        return {"rates": rates, "seeds": [max(rates, key=lambda run: run["curve"][-1][1])]}

    def inside(arm):
        return study.all_inside(Record("", "", "", "", "", 0, {"arm": arm}))

    assert inside(arm(_1=0.3, _2=0.5, _4=0.4))
    assert not inside(arm(_1=0.3, _2=0.5))
    assert inside(arm(_1=0.1, _2=0.11))  # at chance there is nothing to choose
