"""Trained parameters: torchvision's, for the networks that torchvision has too, and the course's own and yours."""

import hashlib
import json
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from cnnlab import files

from .imagenet import PACKAGES, packaged
from .layouts import damaged, in_our_names, read_tensors, state_dict_in

FOLDER = files.DATA / "weights"
OPTIONS = {"googlenet": {"transform_input": True}}  # without which the weights are of no use


def load_imagenet(name: str, build: Callable[..., nn.Module], config: Mapping[str, object]) -> nn.Module:
    """`build(**config)` with parameters trained on ImageNet: those of a package in `PACKAGES`, or else torchvision's,
    by the simpler recipe ("IMAGENET1K_V1").

    Torchvision's are downloaded once, checked against their checksum and kept where `torch.hub.get_dir()` says.

    Raises ValueError where there are none that fit or the file is damaged, ConnectionError without a network,
    FileNotFoundError without the package.
    """
    from torchvision import models as theirs  # here, because it takes seconds

    try:
        weights = None if name in PACKAGES else theirs.get_model_weights(name)["IMAGENET1K_V1"]
    except (ValueError, KeyError):
        raise ValueError(f"torchvision has no ImageNet weights for {name}. Build it without weights.") from None
    _check_ends(f"The ImageNet weights of {name}", {"in_channels": 3, "num_classes": 1000}, config)
    model = build(**{**OPTIONS.get(name, {}), **config})
    state_dict = packaged(name) if weights is None else _fetch(weights.url, weights.get_state_dict)
    return load_torchvision(model, state_dict)


def load_shipped(name: str, dataset: str, build: Callable[..., nn.Module], config: Mapping[str, object]) -> nn.Module:
    """A network that the course trained on a data set, from `data/weights/<name>-<dataset>.safetensors`.

    It is built with the options it was trained with. Raises ValueError where there is none, where other options are
    asked for, or where the file is damaged.
    """
    path = FOLDER / f"{name}-{dataset}.safetensors"
    if not path.exists():
        there = ", ".join(sorted(file.stem for file in FOLDER.glob("*-*.safetensors")))
        raise ValueError(
            f"There are no weights {dataset!r} of {name}: weights is None, 'imagenet', a file, or the data set of one "
            f"of the networks that the course trained ({there or 'none yet'})."
        )
    return load_file(name, path, build, config)


def save_weights(model: nn.Module, path: str | Path, *, name: str, options: Mapping[str, object], **about) -> None:
    """Write a network's weights with what it takes to build it again: its name in `list_models()` and its options.

    model: also inside of torch.compile, DataParallel or AveragedModel.
    about: what else the file is to say of itself, in values that JSON has, or numbers of NumPy or PyTorch.

    `weight_file` reads it, `get_model(name, weights=path)` takes the weights. The file is there whole, or not at all:
    OSError where it cannot be written, ValueError where a number is infinite or none.
    """
    weights, stored = {}, set()
    for key, value in _bare(model).state_dict().items():
        value = value.detach().cpu().contiguous()
        if not value.isfinite().all():
            half = " (half precision ends at 65,504: save the network in single precision)"
            why = half if value.dtype == torch.float16 else ""
            raise ValueError(f"{key} has values that are infinite or no numbers{why}: {path} was not written.")
        memory = value.untyped_storage().data_ptr()
        weights[key] = value.clone() if memory in stored else value  # what is tied is written twice
        stored.add(memory)
    about = {"model": name, "options": dict(options), **about}
    content = save(weights, {key: json.dumps(value, default=_in_json) for key, value in about.items()})
    try:
        with files.written_whole(path) as beside:
            beside.write_bytes(content)
    except OSError as error:
        raise OSError(f"The weights could not be written to {path} ({error}).") from error


def _bare(model: nn.Module) -> nn.Module:
    """A network without what is wrapped around it, which would put its own name before each parameter's."""
    if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel, AveragedModel)):
        return _bare(model.module)
    return _bare(model._orig_mod) if hasattr(model, "_orig_mod") else model  # of torch.compile


def _in_json(value: object) -> object:
    """A number or an array of NumPy's or PyTorch's as Python's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"A file of weights can say numbers, texts, lists and dictionaries of itself, not {value!r}.")


def weight_file(path: str | Path) -> tuple[dict[str, object], dict[str, Tensor]]:
    """What a file of `save_weights` says of itself, and its tensors by name.

    Raises ValueError where it is damaged, or of somebody else and says nothing that is needed here.
    """
    path = files.place(path)
    weights = read_tensors(path)
    about = metadata(path)
    if "options" not in about:
        raise ValueError(
            f"{path} has no cnnlab metadata, so it does not say which network it is of. Name that: "
            f'models.get_model(NAME, weights="{path}").'
        )
    if not isinstance(about["options"], dict):
        raise ValueError(f"{path} is damaged, or no file of weights (its options are no dictionary).")
    return about, weights


def load_file(name: str, path: Path, build: Callable[..., nn.Module], config: Mapping[str, object]) -> nn.Module:
    """The network of that name with the weights of a file.

    It is built with the options it was trained with, where the file says so. Else the file is somebody else's, and the
    names in it are recognised as `load_torchvision` does. Raises ValueError where it does not fit.
    """
    if not {"model", "options"} & metadata(path).keys():
        try:
            return load_torchvision(build(**config), read_tensors(path))
        except ValueError as error:
            raise ValueError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
    about, weights = weight_file(path)
    if about.get("model", name) != name:
        raise ValueError(f"{path} holds the weights of {about['model']}, not of {name}.")
    model = build(**{**about["options"], **config})
    first = weights.get(next(iter(model.state_dict())), torch.empty(0))
    channels = {"in_channels": first.shape[1]} if first.ndim == 4 else {}
    _check_ends(f"The weights in {path}", channels | about["options"], config)
    shapes = {key: value.shape for key, value in model.state_dict().items()}
    if shapes != {key: value.shape for key, value in weights.items()}:
        raise ValueError(f"{path} is of a {name} with {about['options']}, and does not fit one with {dict(config)}.")
    model.load_state_dict(weights)
    return model


def load_torchvision(model: nn.Module, weights: str | Path | Mapping[str, object]) -> nn.Module:
    """Copy somebody's parameters of the same architecture into a network, and return that.

    weights: a state dict, alone or in the dictionary that a training saved it in (the average, where there is one
        beside it), or the path of such a file. Its names
        may be ours; torchvision's or timm's, for the networks that these have too; or those of the common ResNets for
        CIFAR. They are matched by name, never by order.

    Everything is checked before anything is copied: after an error the network is as it was. Raises ValueError where
    names or shapes do not match, with what is missing.

    >>> from torchvision.models import alexnet
    >>> load_torchvision(get_model("alexnet"), alexnet().state_dict())(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """
    if isinstance(weights, (str, Path)):
        weights = read_tensors(files.place(weights))
    found = in_our_names(model, state_dict_in(weights))
    model.load_state_dict(found, strict=False)  # but for the counts of batches, which are not asked for
    return model


def metadata(path: Path) -> dict[str, object]:
    """What `save_weights` wrote beside the tensors; nothing in any other file."""
    if path.suffix != ".safetensors" or not path.is_file():
        return {}
    try:
        with safe_open(path, "pt") as file:
            written = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise damaged(path, error) from error
    if "options" not in written:  # timm and the hub write {"format": "pt"}
        return {}
    try:
        return {key: json.loads(value) for key, value in written.items()}
    except ValueError as error:
        raise damaged(path, error) from error


def _check_ends(what: str, theirs: Mapping[str, object], config: Mapping[str, object]) -> None:
    """Refuse other channels or classes than the weights have, with the way to them."""
    channels, classes = (config.get(name, theirs.get(name)) for name in ("in_channels", "num_classes"))
    if channels != theirs.get("in_channels", channels):
        raise ValueError(
            f"{what} see {theirs['in_channels']} channels, not {channels}. Load them without in_channels, then "
            "replace the first convolution, or bring the images to as many channels: dataset.in_rgb()."
        )
    if classes != theirs.get("num_classes", classes):
        raise ValueError(
            f"{what} tell {theirs['num_classes']} classes apart, not {classes}. Load them without num_classes, then "
            f"put a new layer at the end: training.replace_head(model, {classes})"
        )


def _fetch(url: str, download: Callable[..., Mapping[str, Tensor]]) -> Mapping[str, Tensor]:
    file = Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
    if file.exists():  # torch.hub checks what it downloads, but not what it finds
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if not digest.startswith(file.stem.rpartition("-")[2]):
            raise ValueError(f"{file} is damaged or another file: its checksum is wrong. Delete it and try again.")
    try:
        return download(progress=True, check_hash=True, weights_only=True, map_location="cpu")
    except (OSError, HTTPException) as error:
        raise ConnectionError(
            f"Could not download {url} ({error}). Try again with a network, or put that file at {file}."
        ) from error
    except (RuntimeError, UnpicklingError) as error:  # a wrong checksum, or more in it than tensors
        raise ValueError(f"What came from {url} is damaged or no file of parameters. Try again.") from error
