"""Lesson 17's records say what its text reads out of them."""

import math
import statistics
from fractions import Fraction

import pytest
import torch

from cnnlab import course, measure, models
from cnnlab.lessons.capstone import claims, study
from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, SHOWN
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


DIGITS = study.without(course.record("speedrun_parts").results["parts"])
PHOTOS = study.without(course.record("speedrun_parts_cifar10").results)
TRAININGS = [value for values in PHOTOS.values() for value in values]


def test_the_record_of_the_parts_on_photographs_is_whole():
    made = course.record("speedrun_parts_cifar10")
    assert set(made.results) == {"none", *Part.__args__} and all(len(values) == 3 for values in made.results.values())
    images = [50 * value for value in TRAININGS]  # of 5,000
    assert all(abs(count - round(count)) < 1e-6 and 4400 < count < 4600 for count in images)
    assert 3.5 < made.seconds / len(TRAININGS) < 4.5  # the claim "paper" says four, on this machine
    assert made.machine == "NVIDIA H200"


def test_on_photographs_no_part_is_shown_to_matter():
    assert study.shown(PHOTOS) == {}
    for points in study.changes(PHOTOS).values():
        assert min(points) < 0 < max(points) and -0.3 < statistics.mean(points) < 0
        assert abs(statistics.mean(points)) + study.two_errors(PHOTOS) < 0.7


def test_on_digits_two_parts_do_harm():
    harm = study.shown(DIGITS)
    assert {name: round(points, 1) for name, points in harm.items()} == {
        "without identity": 0.9,
        "without smoothing": 0.5,
    }
    assert [round(20 * points) for points in study.changes(DIGITS)["without fast biases"]] == [-4, -8, -4]  # images
    for part, there, here in (("without identity", 0.7, 0.12), ("without smoothing", 0.4, 0.02)):
        on_digits, on_photographs = (study.changes(found)[part] for found in (DIGITS, PHOTOS))
        assert (min(on_digits), max(on_photographs)) == pytest.approx((there, here), abs=0.005)


def test_so_many_seeds_would_show_a_tenth_of_a_point():
    variance = statistics.mean(map(statistics.variance, PHOTOS.values()))
    seeds = math.ceil(8 * variance / 0.1**2)
    assert 2 * (2 * variance / seeds) ** 0.5 <= 0.1 < 2 * (2 * variance / (seeds - 1)) ** 0.5
    assert f"0.1 would take {seeds} of each" in claims._SEEDS
    assert f"three seeds show {study.two_errors(PHOTOS):.1f} points" in claims._SEEDS


def test_two_standard_errors_are_those_of_a_difference_of_means():
    """Of many recipes that are equal, 95 % lie within them."""
    torch.manual_seed(0)
    apart = []
    for _ in range(2000):
        found = {name: row.tolist() for name, row in zip(("whole", *"abcde"), torch.randn(6, 3), strict=True)}
        apart.append(abs(statistics.mean(study.changes(found)["a"])) > study.two_errors(found))
    assert 0.03 < statistics.mean(apart) < 0.1


def test_only_what_all_seeds_agree_about_is_shown():
    found = {"whole": [90.0, 90.1, 90.2], "without identity": [89.0, 89.1, 89.2], "without smoothing": [89.9, 90.2, 90]}
    assert set(study.shown(found)) == {"without identity"}
    assert "on photographs without identity -1.0" in study.left_out({"photographs": found}).alt
    found["without identity"] = [89.9, 90.0, 90.1]  # less with every seed, but by no more than the seeds lie apart
    assert study.shown(found) == {} and "on photographs none" in study.left_out({"photographs": found}).alt
    found["without identity"] = [86.0, 86.0, 90.3]  # far on average, and one seed does not agree
    assert statistics.mean(study.changes(found)["without identity"]) < -study.two_errors(found)
    assert study.shown(found) == {}


def test_the_parts_are_judged_by_photographs():
    judged = {claim.id: claim for claim in course.all_claims("17") if claim.source == claims._ABLATIONS}
    figures = study.parts_left_out({"photographs": PHOTOS, "street digits": DIGITS})
    assert set(judged) == set(figures) and {claim.follows(figures[id]) for id, claim in judged.items()} == {NOT_SHOWN}
    whitening = judged["whitening"]
    assert whitening.shown(figures["whitening"]).startswith(
        "left out, points ± two standard errors: photographs -0.10 ± 0.33; digits +0."
    )
    assert whitening.follows((-0.4, 0.3, 9, 1)) == SHOWN and whitening.follows((0.4, 0.3, -9, 1)) == OPPOSITE
    assert "±" in judged["flips"].shown(figures["flips"]) and len(figures["flips"]) == 2
    assert all("harm" in judged[part].why for part in ("identity", "smoothing"))


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
