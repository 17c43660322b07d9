"""The exercise engine: an exercise is declared, and its answers are compared with its solution and its wrong answers.

    exercise(
        "01.output-size",                       # lesson and name: never changed, the notebooks and the grades use it
        points=2,
        stub='''def output_size(size, kernel, stride=1, padding=0): ...''',    # the last name of the stub is checked
        solution='''...''',                     # sources run with the names of the file that declares the exercise
        hints=["...", "..."],                   # each stronger than the one before
        cases=[(5, 3), (7, 3, 2), (5, 3, 1, 1)],        # arguments of the calls, small ones first, or a function that
        wrong=[                                         # makes them; none where the answer is a plain value
            edit("// stride + 1", "// stride", "Nearly: one too few."),         # in the solution this becomes that
            source('''def output_size(...): ...''', "Round down."),             # an answer of its own
            when(lambda results: ..., '''def ...''', "..."),                    # where comparing outputs is not enough
        ],
        forbid={"conv2d unfold": "..."},        # functions that the text forbids, and what to say
        look=lambda result, *arguments: ...,    # what counts, where several results are right (see `behaviour`)
        check=check_output_size,                # for what no case shows: a function of the answer, raises Wrong
        otherwise="...", tolerance=1e-4,        # of a plain value that no wrong answer gave; of floats
    )

A diagnosis is given where the wrong answer's results equal the learner's in every case. It may name {call}, {expected},
{got} and the arguments of the first case that differs. Types, shapes, copies, changed inputs, errors, NaN and what is
said of an answer that nothing matches are the engine's. Cases must tell every small change of the solution from it, and
none may stand where rounding decides: tests/lessons/test_mutations.py tries. An exercise with a checker alone (a run,
an open task) has no cases; `source` then lists answers, and the checker says of each what `source` says.
"""

import ast
import functools
import math
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from difflib import get_close_matches
from html import escape
from typing import Literal

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import lessons
from cnnlab.lessons.calls import Outcome, Watch, kept, outcome
from cnnlab.lessons.compare import Difference, difference, kind
from cnnlab.lessons.diagnose import Wrong, explain, has_placeholder, judged, words
from cnnlab.view import Source

Status = Literal["passed", "not attempted", "wrong"]
VOCABULARY = {"F": F, "math": math, "nn": nn, "np": np, "torch": torch}  # what every source may use
Cases = Sequence[tuple] | Callable[[], Sequence[tuple]]
_LOOKS = {  # colours of at least 4.5:1 on their backgrounds, and a sign and a word so that colour is never alone
    "passed": ("✓", "Passed", "#005c41", "#e8f5ef"),
    "not attempted": ("○", "Not attempted yet", "#444444", "#f1f1f1"),
    "wrong": ("✗", "Not yet", "#8f3e00", "#fdf1e8"),
    "hint": ("→", "Hint", "#00507d", "#e9f3fa"),
}


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
class Mistake:
    """A wrong answer that is known: its source and what is said of it. Made by `edit`, `source` and `when`."""

    source: str
    diagnosis: str
    holds: Callable[[object], bool] | None = None
    edits: tuple[str, ...] = ()


def edit(*texts: str) -> Mistake:
    """The solution with one text in the place of another: edit(old, new, diagnosis), or with several such pairs."""
    *pairs, diagnosis = texts
    return Mistake("", diagnosis, edits=tuple(pairs))


def source(text: str, diagnosis: str) -> Mistake:
    """A wrong answer of its own."""
    return Mistake(_clean(text), diagnosis)


def when(holds: Callable[[object], bool], example: str, diagnosis: str) -> Mistake:
    """Wrong answers that are known by what holds of the list of their results, or of a plain value; one as an example.

    An error in `holds` counts as no.
    """
    return Mistake(_clean(example), diagnosis, holds)


@dataclass(frozen=True)
class Exercise:
    """An exercise as it stands in a notebook, and what is needed to check it.

    name: the variable that holds the answer; stub, solution: the source that defines it. names: what sources may use.
    """

    id: str
    name: str
    points: int
    stub: str
    solution: str
    hints: Sequence[str]
    wrong: Sequence[Mistake]
    cases: Cases | None = None
    look: Callable | None = None
    forbid: Mapping[str, str] = field(default_factory=dict)
    checker: Callable[[object], None] | None = None
    otherwise: str = ""
    tolerance: float = 1e-4
    names: Mapping[str, object] = field(default_factory=dict, repr=False)

    @property
    def compared(self) -> bool:
        """Whether answers are compared with the solution; else the checker alone decides."""
        return self.cases is not None or self.checker is None

    def arguments(self) -> list[tuple]:
        """The cases, each a tuple of arguments; of an exercise that asks for a plain value, none."""
        return list(self.cases() if callable(self.cases) else self.cases or ())

    def made(self, text: str) -> object:
        """What a source leaves in the exercise's variable."""
        names = VOCABULARY | dict(self.names)
        exec(compile(text, f"<{self.id}>", "exec"), names)
        return names[self.name]

    def parameters(self) -> list[str]:
        """The names of the solution's arguments."""
        function = next((n for n in reversed(ast.parse(self.solution).body) if isinstance(n, ast.FunctionDef)), None)
        return [argument.arg for argument in function.args.args] if function else []

    def results(self, answer: object, cases: Sequence[tuple], watch: Watch | None = None) -> list[Outcome]:
        """What an answer gives in each case; of a plain value, the value."""
        return list(self._results(answer, cases, watch))

    def _results(self, answer: object, cases: Sequence[tuple], watch: Watch | None = None) -> Iterator[Outcome]:
        if self.cases is None:
            yield outcome(lambda: answer, (), look=self.look)
            return
        call = functools.partial(outcome, answer, names=self.parameters(), look=self._look(), watch=watch)
        for seed, case in enumerate(cases):
            yield call(case, seed=seed)

    def _look(self) -> Callable | None:
        """What is looked at of a result; nothing of None, where the solution returns something."""
        if self.look is None or "return" not in self.solution:
            return self.look
        return lambda result, *arguments: None if result is None else self.look(result, *arguments)

    def matching(self, got: Sequence[Outcome], right: Sequence[Outcome], cases: Sequence[tuple]) -> list[Mistake]:
        """The known wrong answers whose results are these in every case."""
        return [mistake for mistake in self.wrong if self._is(mistake, got, right, cases)]

    def _is(self, mistake: Mistake, got: Sequence[Outcome], right: Sequence[Outcome], cases: Sequence[tuple]) -> bool:
        if mistake.holds is not None:
            values = [one.value for one in got]
            with_errors = any(one.error for one in got)
            return not with_errors and _true(mistake.holds, values if self.cases is not None else values[0])
        theirs = []
        for one, result in zip(self._results(self.made(mistake.source), cases), got, strict=True):
            if bool(one.error) != bool(result.error) or (one.error is None and self.differs(one, result)):
                return False
            theirs.append(one)
        # Not where this wrong answer is right, or fails, in all of the cases.
        return any(one.error is None and self.differs(r, one) for one, r in zip(theirs, right, strict=True))

    def differs(self, right: Outcome, got: Outcome) -> Difference | None:
        """Where a result is not the right one. An error is right where the solution raises such a one."""
        if right.error is not None:
            same = isinstance(got.error, type(right.error))
            asked = type(right.error).__name__
            return None if same else Difference("", f"an error, {asked}", kind(got.value))
        if got.error is not None:
            return Difference("", kind(right.value), type(got.error).__name__)
        return difference(right.value, got.value, self.tolerance)


_EXERCISES: dict[str, Exercise] = {}
_hints_given: dict[str, int] = {}


def exercise(
    id: str,
    *,
    points: int,
    stub: str,
    solution: str,
    hints: Sequence[str],
    wrong: Sequence[Mistake],
    cases: Cases | None = None,
    look: Callable | None = None,
    forbid: Mapping[str, str] | None = None,
    check: Callable[[object], None] | None = None,
    otherwise: str = "",
    tolerance: float = 1e-4,
) -> None:
    """Declare an exercise, as the head of this file shows. Sources are indented as the file that they stand in.

    Raises ValueError where the text of an edit does not stand in the solution exactly once.
    """
    stub, solution = _clean(stub), _clean(solution)
    mistakes = [_edited(mistake, solution, id) for mistake in wrong]
    names = sys._getframe(1).f_globals
    _EXERCISES[id] = Exercise(
        id, _last_name(stub), points, stub, solution, hints, mistakes,
        cases, look, forbid or {}, check, otherwise, tolerance, names,
    )  # fmt: skip


def _edited(mistake: Mistake, solution: str, id: str) -> Mistake:
    text = solution if mistake.edits else mistake.source
    for old, new in zip(mistake.edits[::2], mistake.edits[1::2], strict=True):
        if text.count(old) != 1:
            raise ValueError(f"{id}: {old!r} stands {text.count(old)} times in the solution; once is asked for.")
        text = text.replace(old, new)
    return Mistake(text, mistake.diagnosis, mistake.holds)


def _last_name(stub: str) -> str:
    last = ast.parse(stub).body[-1]
    return last.targets[0].id if isinstance(last, ast.Assign) else last.name


def exercises(lesson: str = "") -> list[Exercise]:
    """The exercises of a lesson ("01"), or all."""
    lessons.load("exercises", lesson)
    return [e for e in _EXERCISES.values() if e.id.startswith(lesson)]


def check(exercise: str, answer: object) -> Feedback:
    """Whether an answer is right, and if not, what is wrong with it. Never raises what the answer's own code raises."""
    task = find(exercise)
    blank = f"Replace the ... in {task.name} and run the cell."
    try:
        if answer is None or has_placeholder(answer):
            return Feedback(task.id, "not attempted", blank, 0, task.points)
        message = judged(task, answer)
    except (Exception, SystemExit) as error:
        message = words(error) if isinstance(error, Wrong) else explain(error, task.name, kind(answer))
    if message:
        or_solution = f', or course.solution("{task.id}")' if has_solutions() else ""
        more = f'Stuck? Run course.hint("{task.id}"){or_solution}.'
        return Feedback(task.id, "wrong", f"{message.strip()} {more}", 0, task.points)
    return Feedback(task.id, "passed", "Well done.", task.points, task.points)


def hint(exercise: str) -> Hint:
    """The next hint; after the last one, the first again."""
    task = find(exercise)
    given = _hints_given.get(task.id, 0)
    _hints_given[task.id] = given + 1
    index = given % len(task.hints)
    return Hint(index + 1, len(task.hints), task.hints[index])


def solution(exercise: str) -> Source:
    """The solution, one of many; where a class is graded its teacher can switch them off."""
    task = find(exercise)
    return Source(task.solution if has_solutions() else f'# Solutions are off in this class. course.hint("{task.id}")')


def has_solutions() -> bool:
    """Whether learners are shown solutions: unless the environment variable CNNLAB_SOLUTIONS is "off"."""
    return os.environ.get("CNNLAB_SOLUTIONS", "").lower() != "off"


def answer(exercise: str, answer: object) -> object:
    """The learner's answer where it passes, and the solution's as long as it does not: what a lesson goes on with."""
    task = find(exercise)
    feedback = check(exercise, answer)
    if feedback.status == "passed":
        return answer
    if feedback.status == "wrong":
        print(f"Your {task.name} does not pass its check yet: from here on the solution's is used.")
    return task.made(task.solution)


def behaviour(network: nn.Module, *inputs: torch.Tensor) -> dict[str, object]:
    """What a network does, for `look`: the shapes of its weights in order, and its output in evaluation mode.

    Its weights are drawn anew, in their order, so that two networks of the same layers give the same output however
    they are written. A lazy layer takes its shape from a first run.
    """
    network = deepcopy(network).float().eval()
    with torch.no_grad():
        network(*inputs)
        generator = torch.Generator().manual_seed(0)
        for parameter in network.parameters():
            fan_in = max(1, parameter[0].numel()) if parameter.ndim else 1
            drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_(drawn / fan_in**0.5)
        shapes = [str(tuple(p.shape)) for p in network.parameters()]
        return {"shapes of the weights": shapes, "output": network(*inputs)}


def _true(holds: Callable[[object], bool], value: object) -> bool:
    try:
        return bool(holds(kept(value)))
    except Exception:
        return False


def find(id: str) -> Exercise:
    """An exercise by its id. ValueError where there is none, with the nearest."""
    if id not in _EXERCISES:
        lessons.load("exercises", str(id)[:2])
    if id not in _EXERCISES:
        lessons.load("exercises")
        near = get_close_matches(str(id), _EXERCISES, n=1, cutoff=0.3)
        raise ValueError(f"There is no exercise {id!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
    return _EXERCISES[id]


def _clean(source: str) -> str:
    return textwrap.dedent(source).strip("\n")


def _box(look: str, html: str) -> str:
    sign, word, ink, paper = _LOOKS[look]
    box = f"border-left:5px solid {ink};background:{paper};color:#1a1a1a;padding:.5em .8em;margin:.3em 0"
    return f'<div role="status" style="{box}"><b style="color:{ink}">{sign} {word}</b> {html}</div>'
