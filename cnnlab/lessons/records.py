"""Results that took longer than a lesson has: recorded once, with all that is needed to make them again."""

import json
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from shutil import rmtree

from cnnlab import data, files, lessons
from cnnlab.device import Precision, find_device, machine_class
from cnnlab.measure import LossSurface
from cnnlab.table import Table

RECORDS, SURFACES, WEIGHTS = files.DATA / "records", files.DATA / "surfaces", files.DATA / "weights"
HELD_OUT = 5000  # of CIFAR-10's training images: no network of the course learns from them


@dataclass(frozen=True)
class Record:
    """`results` as they were measured, and where they come from: the command, its date, the class of machine."""

    name: str
    about: str
    command: str
    date: str
    machine: str
    seconds: int
    results: dict

    def __str__(self) -> str:
        return f"Recorded {self.date} on {self.machine} in {self.seconds:,} s by: {self.command}"


def record(name: str) -> Record:
    """The record data/records/<name>.json. Raises ValueError where there is none or it is damaged."""
    path = RECORDS / f"{name}.json"
    try:
        return Record(name, **json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        there = ", ".join(sorted(file.stem for file in RECORDS.glob("*.json")))
        raise ValueError(f"There is no record {name!r}. There are: {there}.") from None
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}): restore it, or make it again.") from error


def record_so_far(name: str) -> tuple[dict, float]:
    """The results of a record and their seconds, for a measurement that goes on with them; none yet: {} and 0.

    Raises ValueError where the file is damaged, so that no measurement is thrown away unasked.
    """
    if not (RECORDS / f"{name}.json").exists():
        return {}, 0.0
    before = record(name)
    return before.results, before.seconds


def recorded_surface(name: str) -> LossSurface:
    """The loss surface data/surfaces/<name>.safetensors. Raises ValueError where there is none or it is damaged."""
    path = SURFACES / f"{name}.safetensors"
    if not path.exists():
        there = ", ".join(sorted(file.stem for file in SURFACES.glob("*.safetensors")))
        raise ValueError(f"There is no recorded surface of {name!r}. There are: {there or 'none'}.")
    return LossSurface.load(path)


def save_record(
    name: str, about: str, command: str, seconds: float, results: dict, precision: Precision = "auto"
) -> Path:
    """Write data/records/<name>.json, whole or not at all: all results, or those so far.

    precision: what the networks were trained with; "auto" is what `training.fit` takes by itself on this machine.
    """
    content = {"about": about, "command": command, "date": date.today().isoformat()}
    content |= {"machine": machine_class(find_device(), precision), "seconds": round(seconds), "results": results}
    path = RECORDS / f"{name}.json"
    with files.written_whole(path) as beside:
        beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


class Draft:
    """A record while it is made.

    `results` are those so far, of this run and of one that was stopped: a lesson's record.py adds the next and saves.
    photographs: "cifar10", or an image folder that holds the same images; workers: how many trainings at once, where
        they are many.
    """

    def __init__(self, name: str, command: str, photographs: str = "cifar10", workers: int = 1) -> None:
        self.name, self.command, self.photographs, self.workers = name, command, photographs, workers
        self.results, self.seconds = record_so_far(name)
        self._last = time.perf_counter()

    def save(self, about: str, seconds: float | None = None, precision: Precision = "auto") -> None:
        """Write the results so far.

        seconds: what the newest took; None: all the time since they were saved last.
        precision: of the trainings, where they chose it.
        """
        now = time.perf_counter()
        self.seconds += now - self._last if seconds is None else seconds
        self._last = now
        save_record(self.name, about, self.command, self.seconds, self.results, precision)

    @property
    def checkpoints(self) -> Path:
        """A folder for the state of trainings that a stopped record goes on with; it goes when the record is whole."""
        return RECORDS / f".{self.name}"

    def cifar10(self) -> data.Dataset:
        """CIFAR-10's training images, the same HELD_OUT of them as its test; its own test images stay unseen."""
        return data.load(self.photographs, test=0).hold_out(HELD_OUT)


def make(topic: str, name: str, photographs: str = "cifar10", workers: int = 1) -> Path:
    """Make a record of a lesson, or what a stopped run left of it; the file. One that is whole is left as it is."""
    draft = Draft(name, f"python -m cnnlab record {topic} {name}", photographs, workers)
    lessons.recipes(topic)[name](draft)
    rmtree(draft.checkpoints, ignore_errors=True)
    return file_of(name)


def file_of(name: str) -> Path:
    """Where a record lies; that of a loss surface begins with "surface-", and is the surface itself."""
    surface = name.removeprefix("surface-")
    return RECORDS / f"{name}.json" if surface == name else SURFACES / f"{surface}.safetensors"


def listed() -> Table:
    """All records, and how long each took on which machine: those of the lessons' recipes, then what others made."""
    made = [(number, topic, name) for number, topic in lessons.TOPICS.items() for name in lessons.recipes(topic)]
    others = {file.stem for file in RECORDS.glob("*.json")} - {name for *_, name in made}
    rows = []
    for number, topic, name in made + [("", "", name) for name in sorted(others)]:
        path, said = file_of(name), {}
        if path.exists():
            said = vars(record(name)) if path.suffix == ".json" else LossSurface.load(path).provenance
        taken = [f"{said['seconds']:,.0f}", said["machine"], said["date"]] if "date" in said else ["not yet", "", ""]
        rows.append([number, topic, name, *taken])
    return Table(["", "lesson", "record", "seconds", "on", "date"], rows)
