"""The exercise engine: check an answer and say what is wrong with it, give hints, show the solution."""

import ast
import functools
import inspect
import os
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from pathlib import Path
from typing import Literal

from cnnlab import lessons
from cnnlab.view import Source

Status = Literal["passed", "not attempted", "wrong"]
_LOOKS = {  # colours of at least 4.5:1 on their backgrounds, and a sign and a word so that colour is never alone
    "passed": ("✓", "Passed", "#005c41", "#e8f5ef"),
    "not attempted": ("○", "Not attempted yet", "#444444", "#f1f1f1"),
    "wrong": ("✗", "Not yet", "#8f3e00", "#fdf1e8"),
    "hint": ("→", "Hint", "#00507d", "#e9f3fa"),
}


class Wrong(Exception):
    """Raised by a checker: the diagnosis of an answer."""


@dataclass(frozen=True)
class Feedback:
    """What `check` says. points: earned, of `worth`."""

    exercise: str
    status: Status
    message: str
    points: int
    worth: int

    def __repr__(self) -> str:
        sign, word, *_ = _LOOKS[self.status]
        return f"{sign} {word} ({self.exercise}, {self.points}/{self.worth} points). {self.message}"

    def _repr_html_(self) -> str:
        return _box(self.status, f"({self.exercise}, {self.points}/{self.worth} points) {escape(self.message)}")


@dataclass(frozen=True)
class Hint:
    number: int
    of: int
    text: str

    def __repr__(self) -> str:
        return f"→ Hint {self.number} of {self.of}: {self.text}"

    def _repr_html_(self) -> str:
        return _box("hint", f"{self.number} of {self.of}: {escape(self.text)}")


@dataclass(frozen=True)
class Exercise:
    """An exercise as it stands in a notebook, and what is needed to check it.

    name: the variable that holds the answer; stub, solution: the source that defines it.
    wrong: sources of wrong answers, each with a part of the diagnosis that it must get.
    """

    id: str
    name: str
    points: int
    stub: str
    solution: str
    hints: Sequence[str]
    wrong: Mapping[str, str]
    checker: Callable[[object], None]


_EXERCISES: dict[str, Exercise] = {}
_hints_given: dict[str, int] = {}


def exercise(id: str, *, points: int, stub: str, solution: str, hints: Sequence[str], wrong: Mapping[str, str]):
    """Register a checker: a function of one argument, named like the learner's variable, that raises `Wrong`.

    stub, solution and the values of `wrong` (diagnosis -> source) are indented source, as in the lesson files.
    """

    def register(checker: Callable[[object], None]) -> Callable[[object], None]:
        name = next(iter(inspect.signature(checker).parameters))
        sources = {diagnosis: _clean(source) for diagnosis, source in wrong.items()}
        _EXERCISES[id] = Exercise(id, name, points, _clean(stub), _clean(solution), hints, sources, checker)
        return checker

    return register


def exercises(lesson: str = "") -> list[Exercise]:
    """The exercises of a lesson ("01"), or all."""
    lessons.load("exercises", lesson)
    return [e for e in _EXERCISES.values() if e.id.startswith(lesson)]


def check(exercise: str, answer: object) -> Feedback:
    """Whether an answer is right, and if not, what is wrong with it. Never raises what the answer's own code raises."""
    task = _find(exercise)
    try:
        if answer is None or _has_placeholder(answer):
            raise Wrong
        _refuse_iterator(answer, task.name)
        returns = inspect.isfunction(answer) and "return" in task.solution  # some functions change what they are given
        task.checker(_returning(answer) if returns else answer)
    except (Exception, SystemExit) as error:
        if answer is None or _has_placeholder(answer):
            return Feedback(
                task.id, "not attempted", f"Replace the ... in {task.name} and run the cell.", 0, task.points
            )
        message = _words(error) if isinstance(error, Wrong) else _explain(error, task.name)
        more = f' Stuck? Run course.hint("{task.id}").'
        return Feedback(task.id, "wrong", message + more, 0, task.points)
    return Feedback(task.id, "passed", "Well done.", task.points, task.points)


def hint(exercise: str) -> Hint:
    """The next hint; after the last one, the first again."""
    task = _find(exercise)
    given = _hints_given.get(task.id, 0)
    _hints_given[task.id] = given + 1
    index = given % len(task.hints)
    return Hint(index + 1, len(task.hints), task.hints[index])


def solution(exercise: str) -> Source:
    """The solution, one of many."""
    return Source(_find(exercise).solution)


def _find(id: str) -> Exercise:
    if id not in _EXERCISES:
        lessons.load("exercises", str(id)[:2])
    if id not in _EXERCISES:
        lessons.load("exercises")
        near = get_close_matches(str(id), _EXERCISES, n=1, cutoff=0.3)
        raise ValueError(f"There is no exercise {id!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
    return _EXERCISES[id]


def _returning(function: Callable) -> Callable:
    """The learner's function, which fails with a diagnosis where its `return` is forgotten."""

    @functools.wraps(function)
    def call(*args: object, **kwargs: object) -> object:
        result = function(*args, **kwargs)
        if result is None:
            raise Wrong("Your function returned nothing: end it with return.")
        _refuse_iterator(result, "what your function returns")
        return result

    return call


def _refuse_iterator(answer: object, name: str) -> None:
    """No exercise asks for one. It may have no end, and what one look takes out of it is gone for the next."""
    if isinstance(answer, Iterator):
        raise Wrong(f"Here {name} is an iterator ({type(answer).__name__}): make it a list with list(...).")


def _has_placeholder(answer: object) -> bool:
    """Whether a `...` of the stub is still there: as the value itself, inside it, or in the source of its code."""
    if answer is ...:
        return True
    if isinstance(answer, (tuple, list)):
        return any(value is ... for value in answer)
    kind = answer if inspect.isclass(answer) else type(answer)
    methods = vars(kind).values() if kind.__module__ == "__main__" else ()  # a class made in the notebook
    return any(_has_ellipsis(f) for f in (answer, *methods) if inspect.isfunction(f))


def _has_ellipsis(function: Callable) -> bool:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return False
    indices = {id(node) for sub in ast.walk(tree) if isinstance(sub, ast.Subscript) for node in ast.walk(sub.slice)}
    return any(isinstance(n, ast.Constant) and n.value is ... and id(n) not in indices for n in ast.walk(tree))


def _explain(error: BaseException, name: str) -> str:
    """An exception in the learner's own code, with its line; or one in the checker, which the answer's type caused."""
    ours, libraries = str(Path(__file__).parents[1]), (sys.prefix, sys.base_prefix, os.path.dirname(os.__file__))
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [
        f for f in frames if not f.filename.startswith((ours, *libraries)) and not f.filename.startswith("<frozen")
    ]
    what = f"{type(error).__name__}: {_words(error)}".strip(": \n")
    if not theirs:
        return f"The check could not use {name}: {what}."
    line = f" ({theirs[-1].line})" if theirs[-1].line else ""
    return f"{name} raised an error in line {theirs[-1].lineno}{line}: {what}."


def _words(error: BaseException) -> str:
    """What an error says, as much of it as one reads; nothing, where its own code for that fails."""
    try:
        return str(error)[:1000]
    except Exception:
        return ""


def _clean(source: str) -> str:
    return textwrap.dedent(source).strip("\n")


def _box(look: str, html: str) -> str:
    sign, word, ink, paper = _LOOKS[look]
    box = f"border-left:5px solid {ink};background:{paper};color:#1a1a1a;padding:.5em .8em;margin:.3em 0"
    return f'<div role="status" style="{box}"><b style="color:{ink}">{sign} {word}</b> {html}</div>'
