"""Every exercise: blank is not attempted, the solution passes, each wrong answer gets its own diagnosis."""

import linecache
import math
import re

import numpy as np
import proved
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import course, data, measure, models, training, view
from cnnlab.models import nasnet


def run(exercise: course.Exercise, source: str, imports: str = "") -> object:
    """What the learner's cell would leave in the exercise's variable. imports: those of the lesson's cells before."""
    filename = f"<exercise {exercise.id} {abs(hash(source))}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    names = {"__name__": "__main__", "math": math, "np": np, "torch": torch, "nn": nn, "F": F}
    names |= {"course": course, "data": data, "measure": measure, "models": models, "training": training, "view": view}
    names |= {name: getattr(nasnet, name) for name in ("CellSpec", "NORMAL_A", "REDUCTION_A")}
    images = data.load("street_digits") if "dataset" in source or "street" in source else None
    names |= {"dataset": images, "street": images}
    if re.search(r"\bfew\b", source) and exercise.id.startswith("02."):
        names["few"] = data.load("street_digits", train=500, test=1000)
    exec(imports, names)
    exec(compile(source, filename, "exec"), names)
    return names[exercise.name]


LONG = {"03.never-twice", "07.level", "08.steep", "08.wall", "12.your-cells", "16.by-heart", "17.beat-the-table"}


def trained(id: str) -> list[pytest.MarkDecorator]:
    """A mark for the exercises whose answers or checks train or measure a network for seconds."""
    solution = next(exercise.solution for exercise in course.exercises() if exercise.id == id)
    return [pytest.mark.slow] * ("fit(" in solution or id in LONG)


CASES = [pytest.param(exercise, id=exercise.id, marks=trained(exercise.id)) for exercise in course.exercises()]
QUICK = 3  # so many mistakes of each exercise in every run, all in `make test`
WRONG = [
    pytest.param(
        exercise,
        mistake,
        id=f"{exercise.id}: {mistake.diagnosis}",
        marks=[*trained(exercise.id), *[pytest.mark.slow] * (index >= QUICK)],
    )
    for exercise in course.exercises()
    for index, mistake in enumerate(exercise.wrong)
]
COMPARED = [case for case in CASES if case.values[0].compared]
KNOWN = [case for case in WRONG if case.values[0].compared]
CALLED = [case for case in COMPARED if case.values[0].cases is not None]


def test_there_are_exercises():
    assert len(course.exercises("00")) >= 3 and len(course.exercises("01")) >= 3


@pytest.mark.parametrize("exercise", CASES)
def test_a_blank_is_not_attempted(exercise):
    feedback = course.check(exercise.id, run(exercise, exercise.stub))
    assert feedback.status == "not attempted" and feedback.points == 0
    assert exercise.name in feedback.message


@pytest.mark.parametrize("exercise", CASES)
def test_the_solution_passes(exercise):
    with proved.short(exercise.id, exercise.solution) as short:
        feedback = course.check(exercise.id, run(exercise, exercise.solution))
    if short:
        assert runs(feedback), feedback
        return
    assert feedback.status == "passed", feedback
    assert feedback.points == feedback.worth == exercise.points > 0


def runs(feedback: course.Feedback) -> bool:
    """Whether an answer whose training was cut short could be judged at all."""
    return feedback.status in ("passed", "wrong") and not re.search("could not use|cannot be used", feedback.message)


def test_only_an_answer_that_is_proved_for_this_very_code_is_cut_short(monkeypatch):
    answer = "my_run = training.fit(models.get_model('lenet5'), dataset, epochs=7)"
    before = training.fit
    monkeypatch.delenv("CNNLAB_SLOW", raising=False)
    known = {proved.proof("00.better", answer)}
    monkeypatch.setattr(proved, "proofs", lambda: known)
    with proved.short("00.better", answer) as short:
        assert short and training.fit is not before
        assert proved.once(lambda *images, **settings: settings["epochs"])("lenet5", epochs=7) == 1
    assert training.fit is before
    for other in (("00.better", answer.replace("7", "8")), ("01.better-lenet", answer)):
        with pytest.warns(UserWarning, match="not proved"), proved.short(*other) as short:
            assert not short and training.fit is before
    monkeypatch.setattr(proved, "code", lambda lesson: "a change in the training loop")
    with pytest.warns(UserWarning, match="not proved"), proved.short("00.better", answer) as short:
        assert not short
    monkeypatch.setenv("CNNLAB_SLOW", "1")
    with proved.short("00.better", answer) as short:
        assert not short


@pytest.mark.parametrize(("exercise", "mistake"), WRONG)
def test_a_wrong_answer_gets_its_diagnosis(exercise, mistake):
    feedback = course.check(exercise.id, run(exercise, mistake.source))
    assert feedback.status == "wrong" and feedback.points == 0
    for part in re.split(r"{.*?}", mistake.diagnosis):  # what stands between the parts that the case fills in
        assert part in feedback.message, feedback.message
    assert f'course.hint("{exercise.id}")' in feedback.message
    assert f'course.solution("{exercise.id}")' in feedback.message


@pytest.mark.slow  # all mistakes against all
@pytest.mark.parametrize(("exercise", "mistake"), KNOWN)
def test_the_cases_tell_each_wrong_answer_from_all_others(exercise, mistake):
    cases = exercise.arguments()
    right = exercise.results(exercise.made(exercise.solution), cases)
    got = exercise.results(exercise.made(mistake.source), cases)
    found = exercise.matching(got, right, cases)
    assert found[0] == mistake and all(
        another.holds for another in found[1:]
    )  # predicates may overlap: the first counts


def other(value: object, change) -> object:
    """A result with every tensor and float in it changed."""
    if isinstance(value, (list, tuple)):
        return type(value)(other(v, change) for v in value)
    if isinstance(value, dict):
        return {key: other(v, change) for key, v in value.items()}
    return change(value)


CHANGES = {
    "double": lambda v: v.double() if isinstance(v, torch.Tensor) and v.is_floating_point() else v,
    "NumPy": lambda v: v.detach().numpy() if isinstance(v, torch.Tensor) else v,
    "NumPy's numbers": lambda v: np.asarray(v)[()] if isinstance(v, (int, float)) else v,
    "0-d tensors": lambda v: torch.tensor(v) if isinstance(v, (int, float)) and abs(v) < 2**62 else v,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("exercise", COMPARED)
def test_the_solution_passes_in_other_types(exercise, change):
    solved = run(exercise, exercise.solution)
    if exercise.cases is None:
        answer = other(solved, CHANGES[change])
    else:

        def answer(*arguments):
            return other(solved(*arguments), CHANGES[change])

    feedback = course.check(exercise.id, answer)
    if (exercise.id, change) == ("06.block", "NumPy"):  # a network of such blocks could not learn
        assert "no gradient gets through" in feedback.message
    else:
        assert feedback.status == "passed", feedback


@pytest.mark.parametrize("exercise", CALLED)
def test_cases_come_small_first_and_none_twice(exercise):
    def size(value: object) -> int:
        if isinstance(value, torch.Tensor):
            return value.numel()
        if isinstance(value, (list, tuple, dict)):
            return sum(map(size, value.values() if isinstance(value, dict) else value))
        return 1

    cases = exercise.arguments()
    assert len(cases) >= 2 and size(cases[0]) == min(map(size, cases))
    assert len({repr(case) for case in cases}) == len(cases)


@pytest.mark.parametrize("exercise", CASES)
def test_hints_come_in_turn(exercise):
    assert len(exercise.hints) >= 2
    given = [course.hint(exercise.id).text for _ in range(len(exercise.hints) + 1)]
    assert sorted(given[:-1]) == sorted(exercise.hints) and given[-1] == given[0]
    assert course.solution(exercise.id).text == exercise.solution


@pytest.mark.parametrize("exercise", CASES)
def test_each_has_several_seeded_mistakes(exercise):
    assert len(exercise.wrong) >= 3
    assert exercise.solution not in [mistake.source for mistake in exercise.wrong]


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
