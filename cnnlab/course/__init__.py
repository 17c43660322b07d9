"""The lecture's statements and the exercises of the lessons."""

from cnnlab.course import lesson00, lesson01
from cnnlab.course.claims import Claim, all_claims, claims
from cnnlab.course.exercise import Exercise, Feedback, Hint, check, exercises, hint, solution

__all__ = [
    "Claim", "Exercise", "Feedback", "Hint",
    "all_claims", "check", "claims", "exercises", "hint", "lesson00", "lesson01", "solution",
]  # fmt: skip
