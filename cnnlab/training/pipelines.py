"""The ImageNet pipelines, one image at a time, as two libraries write them; and normalisation with its inverse.

Each function returns its library's own object. Both take uint8 images, height x width x 3, and give float32 tensors,
3 x size x size; albumentations is called as `pipeline(image=image)["image"]`. The libraries are imported when they are
asked for: a training that needs neither does not wait for them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    import albumentations
    import numpy as np
    from torchvision.transforms import v2

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # red, green, blue of ImageNet's training images, in 0..1

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # or its import asks the network for a newer version


def torchvision_train(size: int = 224, *, antialias: bool = True) -> v2.Compose:
    """A random piece of 8 % to 100 % of the area, brought to size x size, mirrored every other time, normalised."""
    from torchvision.transforms import v2

    return v2.Compose(
        [
            v2.ToImage(),
            v2.RandomResizedCrop(size, scale=(0.08, 1), ratio=(3 / 4, 4 / 3), antialias=antialias),
            v2.RandomHorizontalFlip(p=0.5),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
            v2.ToPureTensor(),
        ]
    )


def torchvision_test(size: int = 224, resize: int = 256, *, antialias: bool = True) -> v2.Compose:
    """The shorter side brought to `resize`, the middle cut out, normalised. Nothing here is random."""
    from torchvision.transforms import v2

    return v2.Compose(
        [
            v2.ToImage(),
            v2.Resize(resize, antialias=antialias),
            v2.CenterCrop(size),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
            v2.ToPureTensor(),
        ]
    )


class Renormalised:
    """A pipeline whose images are normalised by other numbers: those that a network's weights were trained with."""

    def __init__(self, pipeline: Callable[[np.ndarray], Tensor], mean: Sequence[float], std: Sequence[float]) -> None:
        self.pipeline = pipeline
        ours, theirs = ([torch.tensor(values).view(-1, 1, 1) for values in pair] for pair in ((MEAN, STD), (mean, std)))
        self.factor, self.shift = ours[1] / theirs[1], (ours[0] - theirs[0]) / theirs[1]

    def __call__(self, image: np.ndarray) -> Tensor:
        return self.pipeline(image) * self.factor + self.shift


def albumentations_train(size: int = 224, *, seed: int | None = None) -> albumentations.Compose:
    """The same as `torchvision_train`, without antialiasing. It has random numbers of its own, which `seed` sets."""
    import albumentations as A

    return A.Compose(
        [
            A.RandomResizedCrop(size=(size, size), scale=(0.08, 1), ratio=(3 / 4, 4 / 3)),
            A.HorizontalFlip(p=0.5),
            A.Normalize(MEAN, STD),
            A.ToTensorV2(),
        ],
        seed=seed,
    )


def albumentations_test(size: int = 224, resize: int = 256) -> albumentations.Compose:
    """The same as `torchvision_test`, without antialiasing."""
    import albumentations as A

    return A.Compose([A.SmallestMaxSize(resize), A.CenterCrop(size, size), A.Normalize(MEAN, STD), A.ToTensorV2()])


def normalize(images: Tensor, mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> Tensor:
    """Pixels, (..., C, H, W), uint8 or floats in 0..1, as a network wants them: (pixel - mean) / std by channel.

    >>> normalize(torch.tensor([[[124]], [[116]], [[104]]], dtype=torch.uint8)).abs().max() < 0.01
    tensor(True)
    """
    mean, std = (torch.tensor(values, device=images.device).view(-1, 1, 1) for values in (mean, std))
    pixels = images if images.is_floating_point() else images.to(torch.float32) / 255
    return (pixels - mean) / std


def denormalize(images: Tensor, mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> Tensor:
    """The inverse of `normalize`: pixels in 0..1, to look at. Values that no pixel can have are cut off.

    >>> pixels = torch.arange(48, dtype=torch.uint8).view(3, 4, 4)
    >>> torch.equal((denormalize(normalize(pixels)) * 255).round().to(torch.uint8), pixels)
    True
    """
    mean, std = (torch.tensor(values, device=images.device).view(-1, 1, 1) for values in (mean, std))
    return (images * std + mean).clamp(0, 1)
