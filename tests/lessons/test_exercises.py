"""Every exercise: blank is not attempted, the solution passes, each wrong answer gets its own diagnosis."""

import linecache
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import course, data, models, training
from cnnlab.models import nasnet


def run(exercise: course.Exercise, source: str) -> object:
    """What the learner's cell would leave in the exercise's variable."""
    filename = f"<exercise {exercise.id} {abs(hash(source))}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    names = {"__name__": "__main__", "math": math, "torch": torch, "nn": nn, "F": F}
    names |= {"course": course, "data": data, "models": models, "training": training}
    names |= {name: getattr(nasnet, name) for name in ("CellSpec", "NORMAL_A", "REDUCTION_A")}
    images = data.load("street_digits") if "dataset" in source or "street" in source else None
    names |= {"dataset": images, "street": images}
    exec(compile(source, filename, "exec"), names)
    return names[exercise.name]


CASES = [pytest.param(exercise, id=exercise.id) for exercise in course.exercises()]
WRONG = [
    pytest.param(exercise, diagnosis, source, id=f"{exercise.id}: {diagnosis}")
    for exercise in course.exercises()
    for diagnosis, source in exercise.wrong.items()
]


def test_there_are_exercises():
    assert len(course.exercises("00")) >= 3 and len(course.exercises("01")) >= 3


@pytest.mark.parametrize("exercise", CASES)
def test_a_blank_is_not_attempted(exercise):
    feedback = course.check(exercise.id, run(exercise, exercise.stub))
    assert feedback.status == "not attempted" and feedback.points == 0
    assert exercise.name in feedback.message


@pytest.mark.parametrize("exercise", CASES)
def test_the_solution_passes(exercise):
    feedback = course.check(exercise.id, run(exercise, exercise.solution))
    assert feedback.status == "passed", feedback
    assert feedback.points == feedback.worth == exercise.points > 0


@pytest.mark.parametrize(("exercise", "diagnosis", "source"), WRONG)
def test_a_wrong_answer_gets_its_diagnosis(exercise, diagnosis, source):
    feedback = course.check(exercise.id, run(exercise, source))
    assert feedback.status == "wrong" and feedback.points == 0
    assert diagnosis in feedback.message, feedback.message
    assert f'course.hint("{exercise.id}")' in feedback.message


@pytest.mark.parametrize("exercise", CASES)
def test_hints_come_in_turn(exercise):
    assert len(exercise.hints) >= 2
    given = [course.hint(exercise.id).text for _ in range(len(exercise.hints) + 1)]
    assert sorted(given[:-1]) == sorted(exercise.hints) and given[-1] == given[0]
    assert course.solution(exercise.id).text == exercise.solution


@pytest.mark.parametrize("exercise", CASES)
def test_each_has_several_seeded_mistakes(exercise):
    assert len(exercise.wrong) >= 3
    assert exercise.solution not in exercise.wrong.values()


RETURN = [case for case in CASES if case.values[0].solution.startswith("def ") and "return" in case.values[0].solution]


@pytest.mark.parametrize("exercise", RETURN)
def test_a_forgotten_return_is_named(exercise):
    feedback = course.check(exercise.id, lambda *args, **kwargs: None)
    assert feedback.status == "wrong" and "returned nothing: end it with return" in feedback.message, feedback.message


@pytest.mark.parametrize("answer", [None, 7, "text", object(), {}, [], lambda: 1 / 0, float("nan"), torch.zeros(0)])
def test_nonsense_never_raises(answer):
    for exercise in course.exercises():
        assert course.check(exercise.id, answer).status != "passed"


def test_an_error_in_the_learners_code_is_shown_with_its_line():
    exercise = next(e for e in course.exercises() if e.id == "01.output-size")
    answer = run(
        exercise, "def output_size(size, kernel, stride=1, padding=0):\n    steps = size / 0\n    return steps\n"
    )
    message = course.check(exercise.id, answer).message
    assert "line 2" in message and "steps = size / 0" in message and "ZeroDivisionError" in message


def test_an_ellipsis_as_an_index_is_no_blank():
    exercise = next(e for e in course.exercises() if e.id == "01.subsampling")
    answer = run(exercise, "def subsample(x, coefficient, bias):\n    return x[..., ::2, ::2]\n")
    assert course.check(exercise.id, answer).status == "wrong"


def test_an_unknown_exercise_names_the_nearest():
    with pytest.raises(ValueError, match=r"01\.pooling"):
        course.check("01.poling", 1)


def test_feedback_shows_as_text_and_html_without_depending_on_colour():
    feedback = course.check("00.chance", math.log(10))
    assert repr(feedback).startswith("✓ Passed (00.chance, 1/1 points)")
    assert "Passed" in feedback._repr_html_() and 'role="status"' in feedback._repr_html_()
