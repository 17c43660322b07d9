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


class Progress(Table):
    """A column for each lesson, filled as far as its exercises are passed; below it, folded, the numbers."""

    def _repr_html_(self) -> str:
        counts = [tuple(map(int, row[1].split(" of "))) for row in self.rows]
        *lessons_of, (passed, of) = counts
        names = [row[0].partition(" ")[0] for row in self.rows]
        bars = []
        for i, ((done, tasks), name) in enumerate(zip(lessons_of, names, strict=False)):
            filled, x = 40 * done / tasks if tasks else 0, 30 * i + 2
            bars.append(
                f'<rect x="{x}" y="1" width="24" height="40" fill="none" stroke="#767676"/>'
                f'<rect x="{x}" y="{41 - filled:g}" width="24" height="{filled:g}" fill="#0072B2"/>'
                f'<text x="{x + 12}" y="56" text-anchor="middle" font-size="12" fill="currentColor">{name}</text>'
            )
        begun = [
            f"lesson {name} {row[1]}" for name, row in zip(names, self.rows[:-1], strict=False) if row[1][0] != "0"
        ]
        said = f"{passed} of {of} exercises passed" + "".join(f"; {each}" for each in begun)
        drawing = f'<svg role="img" aria-label="{said}" width="{30 * len(bars)}" height="60">{"".join(bars)}</svg>'
        return f"{drawing}<details><summary>{said}</summary>{super()._repr_html_()}</details>"


def progress() -> Progress:
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
    return Progress(["lesson", "exercises passed", "points"], rows, caption)


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
