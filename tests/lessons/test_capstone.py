"""Lesson 17's records say what its text reads out of them."""

import statistics
from fractions import Fraction

import pytest
import torch

from cnnlab import course, measure, models
from cnnlab.training.speedrun import Part

TASKS = {task.id: task for task in course.exercises("17")}


BOARD = course.record("leaderboard").results
ACCURACY = {name: statistics.mean(run["test"] for run in entry["runs"]) for name, entry in BOARD.items()}


# Other depths of networks that are in the table, those without shortcuts, and other names of two ("speed run").
LEFT_OUT = {f"vgg{depth}_tiny" for depth in (13, 16, 19)} | {f"vgg{depth}_bn_tiny" for depth in (11, 13, 19)}
LEFT_OUT |= {f"resnet{depth}_tiny" for depth in (32, 44, 110)} | {"convnext_tiny", "speednet_tiny"}
LEFT_OUT |= {f"plain{depth}_tiny" for depth in (20, 32, 44, 56, 110)}


def test_every_small_network_of_the_course_has_three_seeds_in_the_table():
    assert len(BOARD) >= 25 and all(len(entry["runs"]) == 3 for entry in BOARD.values())
    assert {name for name in models.list_models() if name.endswith("_tiny")} - set(BOARD) <= LEFT_OUT


@pytest.mark.slow  # every network of the table
@pytest.mark.parametrize("name", [name for name in BOARD if name not in ("speed run", "vit_b_16_tiny")])
def test_parameters_and_mult_adds_of_the_table(name):
    cost = measure.cost(models.get_model(name, in_channels=3, num_classes=10), 32)
    assert (BOARD[name]["params"], BOARD[name]["macs"]) == (cost.params, cost.macs)


def test_those_of_the_speed_run():
    cost = measure.cost(models.get_model("speednet_tiny"), 32)
    assert (BOARD["speed run"]["params"], BOARD["speed run"]["macs"]) == (cost.params, cost.macs)


def test_epochs_are_those_that_fit_into_a_minute():
    for name, entry in BOARD.items():
        for run in entry["runs"]:
            seconds = run["epochs"] * 4000 / entry["speed"]
            assert abs(seconds - 60) <= 2000 / entry["speed"] + 0.01, name


def test_the_speed_run_leads_the_table_in_every_seed():
    others = [run["test"] for name, entry in BOARD.items() if name != "speed run" for run in entry["runs"]]
    assert min(run["test"] for run in BOARD["speed run"]["runs"]) > max(others)


def test_the_record_of_the_parts_is_whole():
    study = course.record("speedrun_parts").results
    parts = {"none", *Part.__args__} - {"turns"}
    assert set(study["parts"]) == parts and all(len(values) == 3 for values in study["parts"].values())
    for by_epochs in study["lengths"].values():
        assert list(by_epochs) == ["1", "2", "4", "8", "16"] and all(len(v) == 3 for v in by_epochs.values())
        assert torch.tensor(list(by_epochs.values())).mean(1).diff().min() > 0


def test_the_capstone_reaches_its_mark_within_ten_minutes():
    runs = course.record("speedrun_cifar10").results["runs"]
    assert len(runs) == 3
    assert all(run["held_out"] >= 0.9 and run["seconds"] <= 600 for run in runs)


def test_the_front_is_what_nothing_beats():
    task = TASKS["17.front"]
    for (networks,) in task.arguments():
        points = {name: (-cost, accuracy) for name, (cost, accuracy) in networks.items()}
        beaten = {
            name
            for name, own in points.items()
            for other in points.values()
            if other != own and all(a >= b for a, b in zip(other, own, strict=True))
        }
        assert task.made(task.solution)(networks) == set(networks) - beaten


def test_so_many_images_are_enough_and_one_less_is_not():
    task = TASKS["17.luck"]
    for first, second, *rest in task.arguments():
        p, q = Fraction(str(first)), Fraction(str(second))
        errors = Fraction(str(rest[0])) if rest else 2
        needed = task.made(task.solution)(first, second, *rest)
        for images in (needed, needed - 1):
            squared_error = (p * (1 - p) + q * (1 - q)) / images
            assert ((p - q) ** 2 >= errors**2 * squared_error) == (images == needed)


def test_whitened_patches_have_no_correlation_and_mean_square_one():
    task = TASKS["17.whiten"]
    for (patches,) in task.arguments():
        outputs = patches @ task.made(task.solution)(patches).T
        torch.testing.assert_close(outputs.T @ outputs / len(outputs), torch.eye(patches.shape[1]), atol=2e-3, rtol=0)
