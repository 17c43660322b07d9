"""The lecture's statements, each with its source, beside what this project computes or measures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cnnlab import lessons
from cnnlab.table import Table

Status = Literal["exact", "variant", "measured", "reported only"]


@dataclass(frozen=True)
class Claim:
    """One statement.

    stated: the figure or the words of the lecture or paper; source: where it stands.
    status: "exact" - computed here, the same to the last digit given;
        "variant" - computed here, and another figure, for the reason in `why`;
        "measured" - a lesson measures it live and hands the figure to `claims`;
        "reported only" - not reproduced here, for the reason in `why`.
    compute: the figure from the project's own networks, where the status is exact or variant.
    why: the reason; a function where networks must be built to give it, which an import would pay for otherwise.
    """

    lesson: str
    id: str
    statement: str
    stated: object
    source: str
    status: Status
    compute: Callable[[], object] | None = None
    why: str | Callable[[], str] = ""


_CLAIMS: list[Claim] = []


def register(*claims: Claim) -> None:
    """Add claims; each lesson's file of exercises does it for its own."""
    _CLAIMS.extend(claims)


def all_claims(lesson: str = "") -> list[Claim]:
    """The claims of a lesson ("01"), or all."""
    lessons.load("claims", lesson)
    return [claim for claim in _CLAIMS if claim.lesson.startswith(lesson)]


def claims(lesson: str, **measured: object) -> Table:
    """The claims of a lesson as a table, computed now.

    measured: the figures of the claims that the lesson measures, by their id. Raises ValueError where one is missing
    or unknown.
    """
    chosen = all_claims(lesson)
    wanted = {claim.id for claim in chosen if claim.status == "measured"}
    if wanted != set(measured):
        raise ValueError(f"Lesson {lesson} measures {sorted(wanted)}; given were {sorted(measured)}.")
    rows = []
    for c in chosen:
        here = c.compute() if c.compute else measured.get(c.id, "–")
        why = c.why() if callable(c.why) else c.why
        rows.append([c.statement, c.stated, here, c.status, why, c.source])
    return Table(["statement", "stated", "here", "status", "why", "source"], rows)
