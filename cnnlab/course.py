"""The door that the lessons use: exercises, predictions, the lecture's statements, records, and what was passed."""

from cnnlab.lessons.claims import Claim, all_claims, claims
from cnnlab.lessons.exercise import Exercise, Feedback, Hint, answer, exercises, hint, solution
from cnnlab.lessons.exercise import check as _check
from cnnlab.lessons.predict import Prediction, predict
from cnnlab.lessons.progress import note as _note
from cnnlab.lessons.progress import progress
from cnnlab.lessons.records import Record, record, recorded_surface
from cnnlab.lessons.settings import begin, expect

__all__ = [
    "Claim", "Exercise", "Feedback", "Hint", "Prediction", "Record",
    "all_claims", "answer", "begin", "check", "claims", "exercises", "expect", "hint", "predict", "progress",
    "record", "recorded_surface", "solution",
]  # fmt: skip


def check(exercise: str, answer: object) -> Feedback:
    """Whether an answer is right, and if not, what is wrong with it. `progress` remembers what was passed here.

    Grading calls the engine's own check, which remembers nothing.
    """
    feedback = _check(exercise, answer)
    if feedback.status == "passed":
        _note(feedback.exercise)
    return feedback
