"""Checkpoints: everything that a training needs to go on as if it had never stopped, in one file."""

import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError
from typing import Protocol

import torch
from torch import Tensor, nn

from cnnlab import files
from cnnlab.data import Dataset
from cnnlab.device import random_state, set_random_state
from cnnlab.training.run import Epoch, Run
from cnnlab.training.team import Team

FORMAT = "cnnlab checkpoint 1"
ADDED = {"momentum": 0.9, "nesterov": True, "schedule": "one-cycle"}  # what older files do not say, as it was then


class Stateful(Protocol):
    """A model, an optimiser, a schedule."""

    def state_dict(self) -> dict[str, object]: ...

    def load_state_dict(self, state: dict[str, object]) -> object: ...


class CheckpointError(RuntimeError):
    """A checkpoint cannot be written, is damaged, or belongs to another training; the message says what to do."""


class Checkpoint:
    """The state of a training in one file; without a path nothing is kept.

    configuration: what a training must have in common with the file to go on from it.
    """

    def __init__(
        self, path: str | Path | None, configuration: Mapping[str, object], team: Team, parts: Mapping[str, Stateful]
    ) -> None:
        self.path, self.team, self.parts = path and files.place(path), team, parts
        self.configuration = dict(configuration) | ({"processes": team.size} if team.size > 1 else {})

    def restore(self, run: Run) -> None:
        """Go on from the file where there is one: the parts, the history of the run, and the random numbers."""
        state = load(self.path, self.configuration) if self.path else None
        if state:
            for name, part in self.parts.items():
                part.load_state_dict(state[name])
            run.history = [Epoch(**epoch) for epoch in state["history"]]
            state = state["random"]
            set_random_state(state[self.team.rank] if self.team.size > 1 else state, self.team.device)

    def keep(self, run: Run) -> None:
        """Replace the file by the state after the last epoch of the run."""
        if self.path:
            states = self.team.gather(random_state(self.team.device))
            state = {name: part.state_dict() for name, part in self.parts.items()}
            state |= {"history": [asdict(epoch) for epoch in run.history]}
            state |= {"random": states if self.team.size > 1 else states[0]}
            if self.team.first:
                save(self.path, self.configuration, state)


def description(
    model: nn.Module, dataset: Dataset, augment: Callable[[Tensor], Tensor] | None, **settings: object
) -> dict[str, object]:
    """What makes two trainings the same one. Settings of None are left out."""
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    count = sum(parameter.numel() for parameter in model.parameters())
    frozen = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
    settings["frozen"] = f"{len(frozen)} parameters ({zlib.crc32(repr(frozen).encode()):08x})" if frozen else None
    return {name: value for name, value in settings.items() if value is not None} | {
        "augment": re.sub(r" at 0x[0-9a-fA-F]+", "", getattr(augment, "__qualname__", repr(augment))),
        "model": f"{type(model).__name__} of {count:,} parameters ({zlib.crc32(repr(shapes).encode()):08x})",
        "data": f"{dataset!r} ({zlib.crc32(dataset.train.labels.numpy(force=True)):08x})",
    }


def save(path: Path, configuration: Mapping[str, object], state: Mapping[str, object]) -> None:
    """Write a checkpoint so that at every moment `path` holds either the last whole one or this one.

    Raises CheckpointError, with the last one untouched, where it cannot be written.
    """
    content = {"format": FORMAT, "configuration": dict(configuration), "state": dict(state)}
    try:
        with files.written_whole(path) as beside, beside.open("wb") as file:
            torch.save(content, file)
    except (OSError, RuntimeError) as error:  # torch.save makes a RuntimeError of a full disk
        kept = "The last one there is untouched." if path.exists() else "There is none yet."
        raise CheckpointError(f"The checkpoint {path} could not be written ({error}). {kept}") from error


def load(path: Path, configuration: Mapping[str, object]) -> dict[str, object] | None:
    """The state in a checkpoint, or None where there is no file.

    Raises CheckpointError where the file is damaged or something else, or its training had another configuration.
    """
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']!r}")
        theirs, state = content["configuration"], content["state"]
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path} is damaged or no checkpoint of cnnlab ({reason}). Delete it to start again, or name another file."
        ) from error
    theirs = {key: value for key, value in ADDED.items() if key in configuration} | theirs
    changed = [key for key in {**theirs, **configuration} if theirs.get(key) != configuration.get(key)]
    if changed:
        listed = "; ".join(f"{key} was {theirs.get(key)!r} and is {configuration.get(key)!r}" for key in changed)
        raise CheckpointError(
            f"The checkpoint {path} belongs to another training: {listed}. Train as before, or name another file."
        )
    return state
