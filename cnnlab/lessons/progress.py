"""Which exercises are passed, kept in a small file beside the notebooks. Grading neither reads nor writes it."""

import json
import os
from datetime import date
from pathlib import Path

from cnnlab import files, lessons
from cnnlab.lessons.exercise import exercises
from cnnlab.table import Table

FILE = Path(".cnnlab-progress.json")  # in the working directory, which for a notebook is its folder
_noted: dict[Path, dict[str, str]] = {}  # by this kernel: what another one, writing at the same moment, leaves out


def progress() -> Table:
    """Exercises passed and their points, lesson by lesson.

    Whatever is wrong with the file is said in one line: it never stops a lesson.
    """
    passed, rows = _read(), []
    named = {f"{number} {topic.replace('_', ' ')}": exercises(number) for number, topic in lessons.TOPICS.items()}
    for name, tasks in (named | {"all": exercises()}).items():
        done = [task for task in tasks if task.id in passed]
        points = [sum(task.points for task in some) for some in (done, tasks)]
        rows.append([name, f"{len(done)} of {len(tasks)}", "{} of {}".format(*points)])
    caption = "Kept in this folder, for you alone; no part of grading."
    return Table(["lesson", "exercises passed", "points"], rows, caption)


def note(exercise: str) -> None:
    """Keep that an exercise was passed today; one that was passed before keeps its day."""
    passed = _read()
    if exercise in passed:
        return
    passed[exercise] = date.today().isoformat()
    _noted.setdefault(FILE.absolute(), {})[exercise] = passed[exercise]
    try:
        with files.written_whole(FILE) as beside:
            beside.write_text(json.dumps(dict(sorted(passed.items())), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        print(f"Your progress could not be kept in {FILE} ({error.strerror or error}).")


def _read() -> dict[str, str]:
    """What the file says, and what this kernel noted. A damaged file is put aside."""
    noted = _noted.get(FILE.absolute(), {})
    try:
        passed = json.loads(FILE.read_text(encoding="utf-8"))
        if not isinstance(passed, dict) or not all(isinstance(day, str) for day in passed.values()):
            raise ValueError("it is no list of exercises and days")
    except FileNotFoundError:
        return dict(noted)
    except OSError as error:
        print(f"Your progress could not be read from {FILE} ({error.strerror or error}).")
        return dict(noted)
    except (ValueError, RecursionError):
        aside = FILE.with_name(f"{FILE.stem}-damaged.json")
        try:
            os.replace(FILE, aside)
            print(f"{FILE} was damaged: it is now {aside}, and a new one is begun.")
        except OSError as error:
            print(f"{FILE} is damaged, and could not be put aside ({error.strerror or error}).")
        return dict(noted)
    return noted | passed
