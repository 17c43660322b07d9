"""Every network of the course by name. Each file of this package is one paper; this one only finds them."""

import difflib
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Literal, get_args, get_origin

from torch import nn

from cnnlab import files

from .imagenet import imagenet_input
from .pretrained import load_file, load_imagenet, load_shipped, load_torchvision, save_weights, weight_file

__all__ = ["family", "get_model", "imagenet_input", "list_models", "load_torchvision", "save_weights", "weight_file"]

_PAPERS = (
    *("lenet", "alexnet", "vgg", "googlenet", "resnet", "preact_resnet", "wide_resnet", "resnext", "densenet"),
    *("mobilenet", "mobilenet_v2", "nasnet", "efficientnet", "vit", "convnext", "convnext_roadmap"),
    "speednet",
)
_CONFIGS = {k: build for paper in _PAPERS for k, build in import_module(f".{paper}", __name__).CONFIGS.items()}


def list_models() -> list[str]:
    """The names that `get_model` knows, in the order of the lecture.

    `<name>_tiny` is the same class as `<name>` in a narrow configuration for images of 32x32.

    >>> list_models()[:2]
    ['lenet5_1998', 'lenet5']
    """
    return list(_CONFIGS)


def family(name: str) -> object:
    """The class of a network by its name, which its other configurations share.

    >>> family("resnet50") is family("resnet20")
    True
    """
    build = _CONFIGS[name]
    while isinstance(build, partial):
        build = build.func
    return build


def get_model(
    name: str,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    weights: str | Path | None = None,
    **config,
) -> nn.Module:
    """Build a network, in its paper's configuration where nothing else is said.

    name: one of `list_models()`.
    num_classes: outputs of the head; in_channels: channels of the images.
    weights: None initialises randomly; "imagenet" downloads torchvision's, where torchvision has the network, and takes
        efficientnet_lite0's from a package (`imagenet_input(name)` says what images they are for); the name of a data
        set, as "cifar10", takes those that the course trained on it and brings along; the path of a file takes those
        that `save_weights` or the command line wrote, or, as `load_torchvision` says, somebody else.
    config: the options of that network's class, for example `width` of a ResNet.

    Raises ValueError for an unknown name (with the nearest names), an option that the network does not have, a value
    that it cannot have, or weights that do not fit; ConnectionError where weights cannot be downloaded,
    FileNotFoundError where their package is not installed.

    >>> sum(p.numel() for p in get_model("lenet5").parameters())
    61706
    """
    if name not in _CONFIGS:
        near = difflib.get_close_matches(str(name).lower(), _CONFIGS, n=3, cutoff=0.4)
        hint = f"Did you mean {' or '.join(near)}?" if near else "See models.list_models()."
        raise ValueError(f"There is no model named {name!r}. {hint}")
    given = {"num_classes": num_classes, "in_channels": in_channels}
    config |= {option: value for option, value in given.items() if value is not None}
    _check_options(name, config)
    if weights is None:
        return _CONFIGS[name](**config)

    def build(**config) -> nn.Module:  # with options that came out of a file
        _check_options(name, config)
        return _CONFIGS[name](**config)

    path = files.place(str(weights))
    if isinstance(weights, Path) or path.suffix or path.is_file():
        return load_file(name, path, build, config)
    return load_imagenet(name, build, config) if weights == "imagenet" else load_shipped(name, weights, build, config)


def _check_options(name: str, config: Mapping[str, object]) -> None:
    allowed = inspect.signature(_CONFIGS[name]).parameters
    if unknown := sorted(set(config) - set(allowed)):
        options = ", ".join(allowed) or "none"
        raise ValueError(f"{name} has no option {', '.join(unknown)}. Its options: {options}.")
    for option, value in config.items():
        if wrong := _what_it_must_be(allowed[option].annotation, value):
            raise ValueError(f"{name}: {option} must be {wrong}, not {value!r}.")


def _what_it_must_be(kind: object, value: object) -> str | None:
    """What an option of this type takes, or None where it takes the value."""
    if kind in (int, int | None) and not _is_count(value):
        return "a whole number of at least 1"
    if kind == tuple[int, ...] and not (isinstance(value, (tuple, list)) and value and all(map(_is_count, value))):
        return "whole numbers of at least 1, as in (2, 2, 2)"
    if kind is bool and not isinstance(value, bool):
        return "True or False"
    if kind is float and not (isinstance(value, (int, float)) and value >= 0):
        return "a number of at least 0"
    if get_origin(kind) is Literal and value not in get_args(kind):
        return f"one of {get_args(kind)}"
    if get_origin(kind) in (Callable, type) and not callable(value):
        return "a class or a function that makes a layer"
    return None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
