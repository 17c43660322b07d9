"""The settings at the top of a lesson: what was changed, and what the lesson states where they are its own."""

from importlib import import_module

import numpy as np
import torch

from cnnlab import lessons
from cnnlab.lessons import cells

_changed: dict[str, str] = {}


def defaults(lesson: str) -> dict[str, object]:
    """The settings that a lesson ("00") was written for, by name. Raises ValueError where there is no such lesson."""
    if lesson not in lessons.TOPICS:
        raise ValueError(f"There is no lesson {lesson!r}: the lessons are {', '.join(lessons.TOPICS)}.")
    return import_module(f"{lessons.__name__}.{lessons.TOPICS[lesson]}").DEFAULTS


def begin(lesson: str, **settings: object) -> None:
    """Say in one line which settings of a lesson were changed; nothing, where none was.

    What `expect` and `claims` do afterwards depends on it. Raises ValueError where a setting is missing or unknown.
    """
    own = defaults(lesson)
    if set(settings) != set(own):
        raise ValueError(
            f"Lesson {lesson} has the settings {', '.join(own)}; given were {', '.join(settings) or 'none'}."
        )
    cells.explain_missing_names()
    _changed.clear()
    _changed.update({name: f"{name} = {settings[name]!r}" for name in own if settings[name] != own[name]})
    if _changed:
        was = ", ".join(f"{text} (not {own[name]!r})" for name, text in _changed.items())
        print(f"Changed: {was}. The text was written for the lesson's own settings: its numbers may not hold here.")


def changed() -> bool:
    """Whether the lesson that was begun last runs with other settings than its own."""
    return bool(_changed)


def expect(statement: str, holds: bool | np.bool_ | torch.Tensor) -> None:
    """What a lesson states of its results, and whether it holds.

    With the lesson's own settings, or where `begin` was not called: AssertionError, with the statement, where it does
    not hold. With changed ones: one line that says whether it still does. Raises TypeError where `holds` is neither
    True nor False.

    >>> expect("two and two are four", 2 + 2 == 4)
    """
    if not isinstance(statement, str) or not statement.strip():
        raise TypeError(f"expect needs a statement in words first, and got {statement!r}.")
    if isinstance(holds, torch.Tensor) and holds.ndim == 0 and holds.dtype == torch.bool:
        holds = holds.item()
    if not isinstance(holds, (bool, np.bool_)):
        many = isinstance(holds, (torch.Tensor, np.ndarray)) and holds.ndim
        what = (
            f"{type(holds).__name__} of shape {tuple(holds.shape)}: end with .all() or .any()" if many else repr(holds)
        )
        raise TypeError(f"Whether it holds that {statement!r} must be True or False, and is {what}.")
    if changed():
        print(f"✓ Holds here too: {statement}" if holds else f"✗ Does not hold with these settings: {statement}")
    elif not holds:
        raise AssertionError(statement)
