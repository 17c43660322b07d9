"""Results that took longer than a lesson has: recorded once, with all that is needed to make them again."""

import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cnnlab.device import find_device, machine_class
from cnnlab.measure import LossSurface

FOLDER = Path(__file__).parents[2] / "data"


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
    """The record data/<name>.json. Raises ValueError where there is none or it is damaged."""
    path = FOLDER / f"{name}.json"
    try:
        return Record(name, **json.loads(path.read_text()))
    except FileNotFoundError:
        there = ", ".join(sorted(file.stem for file in FOLDER.glob("*.json")))
        raise ValueError(f"There is no record {name!r}. There are: {there}.") from None
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}): restore it, or make it again.") from error


def record_so_far(name: str) -> tuple[dict, float]:
    """The results of data/<name>.json and their seconds, for a script that goes on with them; none yet: {} and 0.

    Raises ValueError where the file is damaged, so that no measurement is thrown away unasked.
    """
    if not (FOLDER / f"{name}.json").exists():
        return {}, 0.0
    before = record(name)
    return before.results, before.seconds


def recorded_surface(name: str) -> LossSurface:
    """The loss surface data/<name>-surface.safetensors. Raises ValueError where there is none or it is damaged."""
    path = FOLDER / f"{name}-surface.safetensors"
    if not path.exists():
        there = ", ".join(sorted(file.stem.removesuffix("-surface") for file in FOLDER.glob("*-surface.safetensors")))
        raise ValueError(f"There is no recorded surface of {name!r}. There are: {there or 'none'}.")
    return LossSurface.load(path)


def save_record(name: str, about: str, command: str, seconds: float, results: dict) -> Path:
    """Write data/<name>.json, whole or not at all: what scripts in data/ do with all results, or those so far."""
    content = {"about": about, "command": command, "date": date.today().isoformat()}
    content |= {"machine": machine_class(find_device()), "seconds": round(seconds), "results": results}
    path = FOLDER / f"{name}.json"
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(json.dumps(content, indent=1) + "\n")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path
