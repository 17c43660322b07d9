"""The door that the lessons use: exercises, predictions, the lecture's statements, records, and what was passed."""

from cnnlab.lessons.cells import did_not_run as _did_not_run
from cnnlab.lessons.claims import Claim, all_claims, claims
from cnnlab.lessons.exercise import Exercise, Feedback, Hint, answer, exercises, hint, solution
from cnnlab.lessons.exercise import check as _check
from cnnlab.lessons.exercise import find as _find
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

    Where Python could not read the learner's cell, that is said, and not what the name held before. Grading calls the
    engine's own check, which remembers nothing.
    """
    task = _find(exercise)
    if _did_not_run(task.name):
        said = f"The cell with {task.name} has a SyntaxError, so it did not run: mend it, run it, then this one again."
        return Feedback(task.id, "not attempted", said, 0, task.points)
    feedback = _check(exercise, answer)
    if feedback.status == "passed":
        _note(feedback.exercise)
    return feedback
