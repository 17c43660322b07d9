"""The instruments of lesson 13: counting by arithmetic, twins of a given cost, smaller images, gates."""

import pytest
import torch

from cnnlab import course, measure, models
from cnnlab.lessons.efficientnet import study
from cnnlab.models.efficientnet import SCALES, SqueezeExcitation

TASKS = {task.id: task for task in course.exercises("13")}


@pytest.mark.parametrize("name", ["b0", "b1", "b3"])
def test_the_arithmetic_counts_as_the_network_does(name):
    width, depth, size, _ = SCALES[name]
    with torch.device("meta"):
        cost = measure.cost(models.get_model(f"efficientnet_{name}"), size)
    assert study.count(width, depth, size) == (cost.params, cost.macs)


def test_a_twin_spreads_its_blocks_and_takes_any_size():
    assert [study.spread(blocks, 3) for blocks in (6, 7, 8)] == [(2, 2, 2), (2, 2, 3), (2, 3, 3)]
    model = study.twin(1.5, 7).eval()
    assert [len(stage) for stage in model.stages] == [2, 2, 3]
    for size in (16, 21, 32):
        assert model(torch.zeros(2, 3, size, size)).shape == (2, 10)


@pytest.mark.slow  # it counts some hundred networks
def test_every_way_to_enlarge_keeps_the_budget():
    target = 4 * study.macs()
    ways = [*study.single_axis(4).values(), study.widened(9, 21, target)]
    for way in ways:
        assert study.macs(**way) == pytest.approx(target, rel=0.02)
    assert [sorted(way) for way in ways[:3]] == [["blocks", "size"], ["blocks", "size", "width"], ["size"]]


def test_blocks_and_channels_can_be_rounded_in_other_ways():
    b0, larger = study.count(1, 1, 224), study.of_phi(1)
    assert study.count(1, 1, 224, lambda channels: channels, round) == b0
    assert study.count(*larger, blocks=round)[1] < study.count(*larger)[1]
    assert study.count(*larger, rounded=lambda channels: channels)[1] > study.count(*larger)[1]


@pytest.mark.slow  # large networks
def test_the_record_keeps_its_budgets():
    runs = course.record("compound_scaling").results["runs"]
    for run in runs:
        wanted = {"base": 1, "grid": 2, "4x": 4}[run["case"].split()[0]]
        assert run["macs"] == study.macs(run["width"], run["blocks"], run["size"])
        assert run["macs"] == pytest.approx(wanted * study.macs(), rel=0.02)


@pytest.mark.slow  # it counts some networks
def test_the_long_trainings_cost_the_same_and_their_rates_lie_inside():
    results = course.record("scaling_to_the_end").results
    base = next(run["macs"] for run in results["runs"] if run["arm"] == "base")
    for run in results["runs"]:
        assert run["macs"] == study.macs(run["width"], run["blocks"], run["size"])
        assert run["macs"] == pytest.approx((1 if run["arm"] == "base" else 4) * base, rel=0.02)
    for arm, values in study.at_its_rate(results).items():
        tried = {run["lr"]: run["validation"] for run in results["runs"] if run["arm"] == arm and run["seed"] == 0}
        assert len(values) == 5 and results["chosen"][arm] == max(tried, key=tried.get)
        assert min(tried) < results["chosen"][arm] < max(tried)


def test_channels_are_rounded_as_the_networks_are():
    task = TASKS["13.round-channels"]
    for (channels,) in task.arguments():
        assert task.made(task.solution)(channels) == models.mobilenet_v2.round_channels(channels)


def test_the_three_coefficients_spend_the_budget():
    task = TASKS["13.constraint"]
    for alpha, beta, *factor in task.arguments():
        budget = factor[0] if factor else 2
        if alpha * beta**2 > budget:
            with pytest.raises(ValueError, match="budget"):
                task.made(task.solution)(alpha, beta, *factor)
        else:
            assert alpha * beta**2 * task.made(task.solution)(alpha, beta, *factor) ** 2 == pytest.approx(budget)


def test_squeeze_and_excitation_is_the_networks():
    task = TASKS["13.squeeze-excitation"]
    for x, narrow, widen in task.arguments():
        layer = SqueezeExcitation(narrow.in_features, narrow.out_features)
        for linear, conv in ((narrow, layer.weigh.fc1), (widen, layer.weigh.fc2)):
            conv.weight.data.copy_(linear.weight[:, :, None, None])
            conv.bias.data.copy_(linear.bias)
        torch.testing.assert_close(task.made(task.solution)(x, narrow, widen), layer(x))
