"""Checkpoints: everything that a training needs to go on as if it had never stopped, in one file."""

import os
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from tempfile import NamedTemporaryFile

import torch

FORMAT = "cnnlab checkpoint 1"


class CheckpointError(RuntimeError):
    """A checkpoint cannot be written, is damaged, or belongs to another training; the message says what to do."""


def save(path: Path, configuration: Mapping[str, object], state: Mapping[str, object]) -> None:
    """Write a checkpoint so that at every moment `path` holds either the last whole one or this one.

    It is written beside its place, forced to the disk, and only then moved there. Raises CheckpointError, with the last
    one untouched, where that fails.
    """
    content = {"format": FORMAT, "configuration": dict(configuration), "state": dict(state)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
            try:
                torch.save(content, file)
                file.flush()
                os.fsync(file.fileno())
                file.close()
                os.replace(file.name, path)
            except BaseException:
                file.close()
                Path(file.name).unlink(missing_ok=True)
                raise
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
    changed = [key for key in {**theirs, **configuration} if theirs.get(key) != configuration.get(key)]
    if changed:
        listed = "; ".join(f"{key} was {theirs.get(key)!r} and is {configuration.get(key)!r}" for key in changed)
        raise CheckpointError(
            f"The checkpoint {path} belongs to another training: {listed}. Train as before, or name another file."
        )
    return state
