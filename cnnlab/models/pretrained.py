"""Trained parameters: torchvision's, for the networks that torchvision has too, and the course's own and yours."""

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from cnnlab import files

from .imagenet import PACKAGES, packaged

FOLDER = files.DATA / "weights"
OPTIONS = {"googlenet": {"transform_input": True}}  # without which the weights are of no use

# How many batches a batch norm has seen: it takes no part in the network, and old files do not have it.
BATCH_COUNT = "num_batches_tracked"


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
    if (channels := config.get("in_channels", 3)) != 3:
        raise ValueError(
            f"The ImageNet weights of {name} see 3 channels, not {channels}. Load them without in_channels, then "
            "replace the first convolution, or bring the images to 3 channels."
        )
    model = build(**{**OPTIONS.get(name, {}), **config})
    if (classes := config.get("num_classes", 1000)) != 1000:
        raise ValueError(
            f"The ImageNet weights of {name} tell 1000 classes apart, not {classes}. Load them without num_classes, "
            f"then replace the last layer: model.head[-1] = nn.Linear({model.head[-1].in_features}, {classes})"
        )
    if weights is None:
        return load_torchvision(model, packaged(name))
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GoogLeNet's, about an initialisation that does not happen on "meta"
        order = [key for key in theirs.get_model(name).state_dict() if not key.endswith(BATCH_COUNT)]
    state_dict = _fetch(weights.url, weights.get_state_dict)
    if {key for key in state_dict if not key.endswith(BATCH_COUNT)} == set(order):  # some files keep another order
        state_dict = {key: state_dict[key] for key in order}
    if getattr(model, "aux_heads", None) is None:
        state_dict = {key: value for key, value in state_dict.items() if not key.startswith("aux")}
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

    about: what else the file is to say of itself, in values that JSON has. `weight_file` reads it, `get_model(name,
    weights=path)` takes the weights. The file is there whole, or not at all: OSError where it cannot be written.
    """
    path = Path(path)
    weights = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    about = {"model": name, "options": dict(options), **about}
    content = save(weights, {key: json.dumps(value) for key, value in about.items()})
    try:
        with files.written_whole(path) as beside:
            beside.write_bytes(content)
    except OSError as error:
        raise OSError(f"The weights could not be written to {path} ({error}).") from error


def weight_file(path: str | Path) -> tuple[dict[str, object], dict[str, Tensor]]:
    """What a file of `save_weights` says of itself, and its tensors by name. ValueError where it is damaged."""
    try:
        with safe_open(path, "pt") as file:
            about = {key: json.loads(value) for key, value in file.metadata().items()}
            if not isinstance(about["options"], dict):
                raise ValueError("its options are no dictionary")
            return about, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118, it is no dictionary
    except FileNotFoundError:
        raise ValueError(f"There is no file {path}.") from None
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise ValueError(f"{path} is damaged, or no file of weights ({error}).") from error


def load_file(name: str, path: Path, build: Callable[..., nn.Module], config: Mapping[str, object]) -> nn.Module:
    """The network of that name with the weights of a file, built with the options it was trained with."""
    about, weights = weight_file(path)
    if about.get("model", name) != name:
        raise ValueError(f"{path} holds the weights of {about['model']}, not of {name}.")
    model = build(**{**about["options"], **config})
    shapes = {key: value.shape for key, value in model.state_dict().items()}
    if shapes != {key: value.shape for key, value in weights.items()}:
        raise ValueError(f"{path} is of a {name} with {about['options']}, and does not fit one with {dict(config)}.")
    model.load_state_dict(weights)
    return model


def load_torchvision(model: nn.Module, state_dict: Mapping[str, Tensor]) -> nn.Module:
    """Copy torchvision's parameters of the same architecture into a network of ours, and return that.

    The two name their layers differently but hold them in the same order, so the layers are matched in order, and in
    each layer by the name of the parameter (weight, bias, running_mean, ...) and its shape. Everything is checked
    before anything is copied: after an error the network is as it was.

    Raises ValueError where they do not match, with the first place where they differ.

    >>> from torchvision.models import alexnet
    >>> load_torchvision(get_model("alexnet"), alexnet().state_dict())(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """
    what = f"These parameters do not fit {type(model).__name__}"
    ours, theirs = _layers(model.state_dict()), _layers(state_dict)
    pairs = []
    for (our_layer, own), (their_layer, given) in zip(ours.items(), theirs.items(), strict=False):
        if own.keys() != given.keys():
            raise ValueError(
                f"{what}: {our_layer} has {', '.join(own)}, {their_layer} in its place {', '.join(given)}."
            )
        for name, target in own.items():
            if target.shape != given[name].shape:
                shapes = f"{tuple(target.shape)}, {their_layer}.{name} in its place {tuple(given[name].shape)}"
                raise ValueError(f"{what}: {our_layer}.{name} has shape {shapes}.")
            pairs.append((target, given[name]))
    if len(ours) != len(theirs):
        raise ValueError(f"{what}: it has {len(ours)} layers with parameters, they have {len(theirs)}.")
    for target, source in pairs:
        target.copy_(source)
    return model


def _layers(state_dict: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """The tensors of each layer, by the layer's name: {"stem.conv": {"weight": ..., "bias": ...}, ...}."""
    if not isinstance(state_dict, Mapping) or not all(isinstance(value, Tensor) for value in state_dict.values()):
        raise ValueError("Parameters are a state dict: a dictionary of tensors, as model.state_dict() returns it.")
    layers: dict[str, dict[str, Tensor]] = {}
    for key, value in state_dict.items():
        layer, _, name = key.rpartition(".")
        if name != BATCH_COUNT:
            layers.setdefault(layer, {})[name] = value
    return layers


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
