"""Answers of learners to the exercises, right and wrong, that the checks of every lesson are judged by.

A file a lesson, `01.py` for lesson 01, with one list `ANSWERS`. A source is run after the lesson's own cells, or with
the names that they would have left, and ends with the name that the notebook hands to `course.check`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Right:
    """An answer that is right by the exercise's text. slow: it trains a network for longer than some seconds."""

    exercise: str
    style: str
    source: str
    slow: bool = False


@dataclass(frozen=True)
class Wrong:
    """An answer that is wrong for some legitimate input. mistake: what a teacher would say of it."""

    exercise: str
    style: str
    source: str
    mistake: str
    slow: bool = False
