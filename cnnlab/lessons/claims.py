"""The lecture's statements, each with its source, beside what this project computes or measures, and a verdict."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from cnnlab import lessons
from cnnlab.lessons.settings import changed
from cnnlab.table import Table

Verdict = Literal[
    "shown here", "not shown at this scale", "the opposite was measured", "a variant", "reported only"
]  # fmt: skip
SHOWN, NOT_SHOWN, OPPOSITE, VARIANT, REPORTED = get_args(Verdict)


@dataclass(frozen=True)
class Claim:
    """One statement of the lecture or a paper.

    stated: the figure or the words there; source: where they stand.
    verdict: what this project can say of it. It has to follow from the figure, or `claims` fails:
        a computed figure makes "shown here" where it equals `stated`, else "a variant";
        a figure with a `judge` makes what the judge says of it;
        without a figure a statement is "reported only".
    compute: the figure from the project's own networks; None where a lesson measures it and hands it to `claims`.
    judge: the verdict, from the numbers of the figure.
    timed: whether the figure is a time of this machine, so that another one may make another verdict.
    figure: how measured numbers are shown, as a format string; without it a lesson hands over the finished words, and
        the judge gets the numbers that stand in them.
    why: the reason of every other verdict than "shown here": what is different, or what it would take; a function where
        networks must be built to give it, which an import would pay for otherwise.
    """

    lesson: str
    id: str
    statement: str
    stated: object
    source: str
    verdict: Verdict
    compute: Callable[[], object] | None = None
    judge: Callable[..., Verdict] | None = None
    timed: bool = False
    figure: str = ""
    why: str | Callable[[], str] = ""

    @property
    def measured(self) -> bool:
        """Whether a lesson has to hand over the figure."""
        return self.compute is None and self.judge is not None

    def shown(self, given: object) -> object:
        """What was measured, as the table shows it. Raises ValueError where it does not fit `figure`."""
        if not self.figure:
            return given
        try:
            return self.figure.format(*_numbers(given))
        except (IndexError, ValueError, TypeError):
            raise ValueError(f"{self.id} is shown as {self.figure!r}: give its numbers, not {given!r}.") from None

    def follows(self, figure: object = None) -> Verdict:
        """The verdict that follows from a computed or measured figure. Raises ValueError where it cannot be judged."""
        if self.judge is None:
            return REPORTED if self.compute is None else SHOWN if figure == self.stated else VARIANT
        try:
            return self.judge(*_numbers(figure))
        except TypeError as error:
            raise ValueError(f"{self.id} cannot be judged from {figure!r}: {error}.") from None


_CLAIMS: list[Claim] = []


def register(*claims: Claim) -> None:
    """Add claims; each lesson's claims.py does it for its own."""
    _CLAIMS.extend(claims)


def all_claims(lesson: str = "") -> list[Claim]:
    """The claims of a lesson ("01"), or all."""
    lessons.load("claims", lesson)
    return [claim for claim in _CLAIMS if claim.lesson.startswith(lesson)]


def claims(lesson: str, **measured: object) -> Table:
    """The claims of a lesson as a table, computed and judged now.

    measured: the figures of the claims that the lesson measures, by their id: a number, a tuple of numbers, or words.
    Raises ValueError where one is missing or unknown, and, on the lesson's own settings, AssertionError where a verdict
    does not follow from its figure. With other settings the table shows the verdict that follows.
    """
    chosen = all_claims(lesson)
    wanted = {claim.id for claim in chosen if claim.measured}
    if wanted != set(measured):
        raise ValueError(f"Lesson {lesson} measures {sorted(wanted)}; given were {sorted(measured)}.")
    rows, false = [], []
    for c in chosen:
        given = c.compute() if c.compute else measured.get(c.id)
        here, verdict = c.shown(given) if c.measured else given, c.follows(given)
        why = c.why() if callable(c.why) else c.why
        if verdict != c.verdict:
            why = f"on this machine; where the lesson was written: {c.verdict}"
            if not c.timed:
                false.append(f"{c.id} is declared {c.verdict!r}, and {here!r} makes it {verdict!r}")
                why = f"with these settings; with the lesson's own: {c.verdict}"
        rows.append([c.statement, c.stated, "–" if here is None else here, verdict, why, c.source])
    if false and not changed():
        raise AssertionError(f"In the claims of lesson {lesson} {'; '.join(false)}. Correct verdict and why.")
    counts = Counter(row[3] for row in rows)
    summary = ", ".join(f"{counts[verdict]} {verdict}" for verdict in get_args(Verdict) if counts[verdict])
    return Table(
        ["statement", "stated", "here", "verdict", "why", "source"], rows, f"{len(rows)} statements: {summary}"
    )


def compared(difference: float, least: float) -> Verdict:
    """The verdict on "this is more than that": shown from a difference of `least` on, the opposite from -`least` on.

    >>> compared(74 - 61, least=3), compared(74 - 73, least=3), compared(61 - 74, least=3)
    ('shown here', 'not shown at this scale', 'the opposite was measured')
    """
    return SHOWN if difference >= least else OPPOSITE if difference <= -least else NOT_SHOWN


def _numbers(figure: object) -> tuple:
    if isinstance(figure, str):
        found = re.findall(r"(?:(?<![\w.])[-−+])?(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?", figure)
        return tuple(float(number.replace(",", "").replace("−", "-")) for number in found)
    return tuple(figure) if isinstance(figure, (tuple, list)) else (figure,)
