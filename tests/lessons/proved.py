"""Answers that train: each is proved once for each state of the code that it runs, and proved.json keeps what was.

A training of a minute ends the same each time, for as long as nothing has changed that it runs. So the proof of an
answer is a hash of its source and of that code. Where it stands in the file, the answer trains for one epoch, which
shows that it still runs; where it does not, and with CNNLAB_SLOW=1, it trains to its end and is judged.

    python tests/lessons/proved.py      # after a change: proves what is not proved yet, and writes the file
"""

import hashlib
import json
import os
import re
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch

from cnnlab import files, lessons, training

FILE = Path(__file__).with_name("proved.json")
PACKAGE = Path(files.__file__).parent
ROOMS = ("data", "measure", "models", "training")
CHECKS = ("compare.py", "diagnose.py", "exercise.py")


@cache
def code(lesson: str) -> str:
    """The sources that an answer to an exercise of this lesson runs, and PyTorch's version."""
    used = [PACKAGE / "device.py", *(PACKAGE / "lessons" / name for name in CHECKS)]
    used += [file for room in ROOMS for file in sorted((PACKAGE / room).rglob("*.py"))]
    used += [PACKAGE / "lessons" / lessons.TOPICS[lesson] / name for name in ("exercises.py", "study.py")]
    return "\n".join([torch.__version__, *(file.read_text(encoding="utf-8") for file in used)])


def proof(exercise: str, source: str) -> str:
    return hashlib.sha256(f"{exercise}\n{source}\n{code(exercise[:2])}".encode()).hexdigest()[:20]


@cache
def proofs() -> frozenset[str]:
    return frozenset(json.loads(FILE.read_text(encoding="utf-8")))


def trains(source: str) -> bool:
    """Whether an answer trains a network, and for longer than an epoch."""
    return bool(re.search(r"training\.(?:fit|speed_run)\(", source)) and not re.search(r"epochs=1\b", source)


@contextmanager
def short(exercise: str, source: str) -> Iterator[bool]:
    """Whether this answer is proved; inside, its trainings then last one epoch."""
    proved = False
    if trains(source) and not os.environ.get("CNNLAB_SLOW"):
        proved = proof(exercise, source) in proofs()
        if not proved:
            warnings.warn("an answer is not proved for this code: python tests/lessons/proved.py", stacklevel=3)
    before = training.fit, training.speed_run
    if proved:
        training.fit, training.speed_run = map(once, before)
    try:
        yield proved
    finally:
        training.fit, training.speed_run = before


def once(train):
    """A training of one epoch."""

    def one_epoch(*arguments, **options):
        return train(*arguments, **options | {"epochs": 1})

    return one_epoch


def answers() -> Iterator[tuple[str, str, str, str]]:
    """Of each answer that trains: its exercise, its source, what stands before it, and how it is to be judged."""
    from answers import Right
    from test_answers import ANSWERS, imports
    from test_exercises import CASES

    for case in CASES:
        yield case.values[0].id, case.values[0].solution, "", "passed"
    for answer in ANSWERS:
        expected = "passed" if isinstance(answer, Right) else "wrong"
        yield answer.exercise, f"{answer.source.strip()}\n", imports(answer.exercise[:2]), expected


def prove(exercise: str, source: str, imports: str, expected: str) -> tuple[str, str]:
    """Train it to its end: the proof, and what was found."""
    from test_exercises import run

    from cnnlab import course

    torch.set_num_threads(1)
    task = next(task for task in course.exercises() if task.id == exercise)
    feedback = course.check(exercise, run(task, source, imports))
    return proof(exercise, source), feedback.status if feedback.status == expected else str(feedback)


def main() -> None:
    asked = [answer for answer in answers() if trains(answer[1])]
    known = proofs() if FILE.exists() else frozenset()
    kept = {proof(*answer[:2]) for answer in asked} & known
    to_do = [answer for answer in asked if proof(*answer[:2]) not in known]
    failed = 0
    with ProcessPoolExecutor(2) as pool:
        for number, (proved, found) in enumerate(pool.map(prove, *zip(*to_do, strict=True)) if to_do else (), 1):
            exercise, _, _, expected = to_do[number - 1]
            print(f"{number} of {len(to_do)}: {exercise}: {found}", flush=True)
            if found == expected:
                kept.add(proved)
            else:
                failed += 1
    FILE.write_text(json.dumps(sorted(kept), indent=0) + "\n", encoding="utf-8")
    sys.exit(bool(failed))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
