"""Results that took longer than a lesson has: recorded once, with all that is needed to make them again."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cnnlab import files
from cnnlab.device import find_device, machine_class
from cnnlab.measure import LossSurface

RECORDS, SURFACES = files.DATA / "records", files.DATA / "surfaces"


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
        return Record(name, **json.loads(path.read_text()))
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


def save_record(name: str, about: str, command: str, seconds: float, results: dict) -> Path:
    """Write data/records/<name>.json, whole or not at all: all results, or those so far."""
    content = {"about": about, "command": command, "date": date.today().isoformat()}
    content |= {"machine": machine_class(find_device()), "seconds": round(seconds), "results": results}
    path = RECORDS / f"{name}.json"
    with files.written_whole(path) as beside:
        beside.write_text(json.dumps(content, indent=1) + "\n")
    return path
