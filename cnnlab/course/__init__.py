"""The lecture's statements and the exercises of the lessons."""

from importlib import import_module
from pathlib import Path

from cnnlab.course.claims import Claim, all_claims, claims
from cnnlab.course.exercise import Exercise, Feedback, Hint, check, exercises, hint, solution
from cnnlab.course.records import Record, record, record_so_far, recorded_surface, save_record

__all__ = [
    "Claim", "Exercise", "Feedback", "Hint", "Record",
    "all_claims", "check", "claims", "exercises", "hint", "record", "record_so_far",
    "recorded_surface",
    "save_record", "solution",
]  # fmt: skip

for _lesson in sorted(Path(__file__).parent.glob("lesson[0-9][0-9].py")):  # each registers its exercises and claims
    import_module(f"{__name__}.{_lesson.stem}")
