"""Says what is wrong with an answer: the known mistake that it is, or where it differs from what is asked for."""

import ast
import functools
import inspect
import os
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from cnnlab.lessons.calls import Outcome, Watch, outcome, written
from cnnlab.lessons.compare import difference, kind, number, relation, shown

if TYPE_CHECKING:
    from cnnlab.lessons.exercise import Exercise


class Wrong(Exception):
    """Raised by a checker: the diagnosis of an answer."""


def judged(task: "Exercise", answer: object) -> str:
    """What is wrong with an answer; "" where it is right."""
    _refuse_iterator(answer, task.name)
    wants_call = isinstance(ast.parse(task.stub).body[-1], (ast.FunctionDef, ast.ClassDef))
    if wants_call and not callable(answer):
        return f"{task.name} should be a function; yours is {kind(answer)}."
    if task.compared and (message := _compared(task, answer)):
        return message
    if not task.compared and task.forbid and (message := written(answer, task.forbid)):
        return message
    if task.checker is not None:
        returns = inspect.isfunction(answer) and "return" in task.solution  # some functions change what they are given
        task.checker(_returning(answer) if returns else answer)
    return ""


def _compared(task: "Exercise", answer: object) -> str:
    cases = task.arguments()
    right = task.results(task.made(task.solution), cases)
    watch = Watch(task.forbid) if task.forbid else None
    got = task.results(answer, cases, watch)
    if watch is not None and (forbidden := watch.found or written(answer, task.forbid)):
        return forbidden
    off = [index for index, pair in enumerate(zip(right, got, strict=True)) if task.differs(*pair)]
    if not off:
        changed = [name for r, g in zip(right, got, strict=True) if not r.changed for name in g.changed]
        return _changed(task, changed[0], cases[0]) if changed else ""
    first = off[0]
    case = cases[first] if cases else ()
    if found := task.matching(got, right, cases):
        return _filled(found[0].diagnosis, task, case, right[first], got[first])
    if isinstance(got[first].error, Wrong):  # said by `look`
        return words(got[first].error)
    if task.cases is None:
        return _wrong_value(task, right[0], got[0])
    if got[first].error is not None:
        call = _call(task, case)
        if got[first].raw is not None and _word(got[first].raw) != _word(right[first].raw):  # it could not be looked at
            return f"{call} should be {kind(right[first].raw)}; yours is {kind(got[first].raw)}."
        return explain(got[first].error, task.name, kind(answer), call)
    if got[first].value is None:
        return "Your function returned nothing: end it with return."
    _refuse_iterator(got[first].value, "what your function returns")
    again = [outcome(f, case, look=task._look(), seed=1_000) for f in (answer, task.made(task.solution))]
    random = task.differs(right[first], again[1]) or difference(right[first].raw, again[1].raw)
    if not random and task.differs(got[first], again[0]):  # where the solution is random, an answer may be so too
        return (
            f"Called twice with the same arguments, {task.name} gave two different results: something in it is random,"
            " or it remembers the call before."
        )
    return _unlike(task, cases, right, got, off)


def _unlike(
    task: "Exercise", cases: Sequence[tuple], right: Sequence[Outcome], got: Sequence[Outcome], off: Sequence[int]
) -> str:
    """Where the results differ first, and how the one comes from the other; how many are right."""
    first = off[0]
    found = task.differs(right[first], got[first])
    key, closed, rest = found.place.partition("']")
    if task.look is not None and closed:  # what was looked at has a name: "f(x): the share of zeros should be ..."
        what = f"{_call(task, cases[first])}: the {key[2:]}{rest}"
    else:
        what = _call(task, cases[first], found.place)
    said = f"{what} should be {found.expected}; yours is {found.got}. {found.note}"
    names = task.parameters()
    said += relation(
        [(r.value, g.value) for r, g in zip(right, got, strict=True)],
        [_sizes(dict(zip(names, case, strict=False))) for case in cases],
    )
    fine = len(cases) - len(off)
    return said + (f"({fine} of {len(cases)} cases that were tried are right.)" if fine else "")


def _wrong_value(task: "Exercise", right: Outcome, got: Outcome) -> str:
    """Of a plain value, what is said without giving the right one away."""
    if got.error is not None:
        return explain(got.error, task.name, kind(got.raw))
    if task.look is None and _word(right.raw) != _word(got.raw):
        return f"{task.name} should be {_word(right.raw)}; yours is {kind(got.raw)}."
    if task.otherwise:
        return _filled(task.otherwise, task, (), right, got)
    found = task.differs(right, got)
    return f"{task.name}{found.place} is {found.got}: that is not right. {found.note}"


def _word(value: object) -> str:
    """What a value is, without giving it away: "a number", "a list of 3 numbers"."""
    if isinstance(value, (bool, np.bool_)):
        return "True or False"
    if number(value) is not None:
        return "a number"
    return "a text" if isinstance(value, str) else kind(value).replace("a tuple", "a list")


def _call(task: "Exercise", case: Sequence[object], place: str = "") -> str:
    """A call as the learner would write it: short arguments in their places, long ones told before."""
    names = task.parameters()
    texts = [shown(value, digits=4, few=9) for value in case]
    if sum(map(len, texts)) <= 40:
        return f"{task.name}({', '.join(texts)}){place}"
    told = [f"{n}{' ' if t.startswith(('a ', 'an ')) else ' = '}{t}" for n, t in zip(names, texts, strict=False)]
    return f"For {', '.join(told)}: {task.name}({', '.join(names[: len(case)])}){place}"


def _sizes(arguments: Mapping[str, object]) -> dict[str, int]:
    """The whole numbers that a case knows: its own, and the lengths and axes of what it holds."""
    found: dict[str, int] = {}
    for name, value in arguments.items():
        if isinstance(value, torch.Tensor):
            found |= {f"{name}.shape[{axis}]": size for axis, size in enumerate(value.shape)}
            if value.ndim > 2:
                found[f"the pixels of a map of {name}"] = value.shape[-1] * value.shape[-2]
        elif isinstance(value, int):
            found[name] = value
        elif isinstance(value, (list, tuple)):
            found[f"len({name})"] = len(value)
    return found


def _filled(diagnosis: str, task: "Exercise", case: Sequence[object], right: Outcome, got: Outcome) -> str:
    if "{" not in diagnosis:
        return diagnosis

    def plain(value: object) -> object:
        return value if number(value) is not None or isinstance(value, str) else shown(value)

    values = dict(zip(task.parameters(), map(plain, case), strict=False))
    values |= {"expected": plain(right.value), "got": plain(got.value)}
    return diagnosis.format(call=_call(task, case), **values)


def _changed(task: "Exercise", argument: str, case: Sequence[object]) -> str:
    value = dict(zip(task.parameters(), case, strict=False)).get(argument)
    how = f"{argument}.clone()" if isinstance(value, torch.Tensor) else f"copy.deepcopy({argument})"
    return (
        f"The result is right, but {task.name} changes {argument}, which it was given: whoever called it may still need"
        f" it. Work on a copy, {how}, or write a = a + b for a += b."
    )


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


def has_placeholder(answer: object) -> bool:
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


def explain(error: BaseException, name: str, answer: str, call: str = "") -> str:
    """An exception in the learner's own code, with its line; or one that the answer as a whole caused."""
    ours, libraries = str(Path(__file__).parents[1]), (sys.prefix, sys.base_prefix, os.path.dirname(os.__file__))
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [
        f for f in frames if not f.filename.startswith((ours, *libraries)) and not f.filename.startswith("<frozen")
    ]
    what = f"{type(error).__name__}: {words(error)}".strip(": \n").removesuffix(".")
    if not theirs:
        return f"{call} fails: {what}." if call else f"{name}, {answer}, cannot be used here: {what}."
    line = f" ({theirs[-1].line})" if theirs[-1].line else ""
    after = f" The call was {call}." if call.startswith(name) else ""
    return f"{name} raised an error in line {theirs[-1].lineno}{line}: {what}.{after}"


def words(error: BaseException) -> str:
    """What an error says, as much of it as one reads; nothing, where its own code for that fails."""
    try:
        return str(error)[:1000]
    except Exception:
        return ""
