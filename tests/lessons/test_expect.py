"""The settings of a lesson and what it states: strict with its own, telling with others."""

import subprocess
import sys

import nbformat
import numpy as np
import pytest
import torch

from cnnlab import course, files, lessons
from cnnlab.lessons.settings import defaults

OWN = defaults("00")


@pytest.fixture(autouse=True)
def afterwards():
    yield
    course.begin("00", **OWN)


@pytest.mark.parametrize("lesson", lessons.TOPICS)
def test_the_defaults_are_those_of_the_notebook(lesson):
    path = next(files.NOTEBOOKS.glob(f"{lesson}-*.ipynb"))
    cells = nbformat.read(path, as_version=4).cells
    names: dict = {}
    exec(next(c.source for c in cells if "parameters" in c.metadata.get("tags", [])), {}, names)
    assert names == defaults(lesson)


def test_begin_is_silent_on_the_defaults_and_names_what_was_changed(capsys):
    assert course.begin("00", **OWN) is None
    assert capsys.readouterr().out == ""
    course.begin("00", **OWN | {"DATASET": "cifar10", "EPOCHS": 2})
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "DATASET = 'cifar10' (not 'street_digits'), EPOCHS = 2 (not 4)" in said and "IMAGES" not in said


def test_begin_asks_for_the_settings_of_a_lesson_that_exists():
    with pytest.raises(ValueError, match="DATASET, IMAGES, EPOCHS; given were EPOCHS"):
        course.begin("00", EPOCHS=4)
    with pytest.raises(ValueError, match="no lesson '0'"):
        course.begin("0", **OWN)


@pytest.mark.parametrize("true", [True, np.bool_(True), torch.tensor(True), torch.tensor([1, 2]).min() > 0])
def test_what_holds_is_silent(true, capsys):
    course.expect("two is more than one", true)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("false", [False, np.False_, torch.tensor(False)])
def test_what_does_not_hold_raises_the_statement(false):
    with pytest.raises(AssertionError, match=r"^ResNet-20 reads more than LeNet$"):
        course.expect("ResNet-20 reads more than LeNet", false)


def test_with_changed_settings_it_is_said_and_nothing_raised(capsys):
    course.begin("00", **OWN | {"EPOCHS": 1})
    capsys.readouterr()
    course.expect("one is one", True)
    course.expect("one is two", np.False_)
    assert capsys.readouterr().out.splitlines() == [
        "✓ Holds here too: one is one",
        "✗ Does not hold with these settings: one is two",
    ]
    course.begin("00", **OWN)  # and with its own settings again it is as strict as before
    with pytest.raises(AssertionError):
        course.expect("one is two", False)


@pytest.mark.parametrize("answer", [1, None, "yes", [], torch.tensor([True]), np.array([True, False]), torch.tensor(1)])
def test_neither_true_nor_false_is_an_error_in_words(answer):
    with pytest.raises(TypeError, match="'one is one' must be True or False, and is"):
        course.expect("one is one", answer)


def test_arguments_in_the_wrong_order_are_an_error_in_words():
    with pytest.raises(TypeError, match="a statement in words first"):
        course.expect(True, "one is one")


@pytest.mark.slow  # a process
def test_without_begin_it_is_strict_and_needs_no_notebook():
    code = "from cnnlab import course; course.expect('one is one', True); course.expect('one is two', 1 == 2)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.splitlines()[-1] == "AssertionError: one is two"
