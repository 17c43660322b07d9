"""The door that the lessons use: their exercises, the lecture's statements, and what was recorded."""

from cnnlab.lessons.claims import Claim, all_claims, claims
from cnnlab.lessons.exercise import Exercise, Feedback, Hint, check, exercises, hint, solution
from cnnlab.lessons.records import Record, record, record_so_far, recorded_surface, save_record

__all__ = [
    "Claim", "Exercise", "Feedback", "Hint", "Record",
    "all_claims", "check", "claims", "exercises", "hint", "record", "record_so_far", "recorded_surface",
    "save_record", "solution",
]  # fmt: skip
