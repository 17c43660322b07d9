"""Augmentation: other images made of the same ones, with labels that stay true."""

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Augment:
    """Random changes of a whole batch at once, other ones for each image: (N, C, H, W) floats -> the same shape.

    It works on the device that the images are on, takes its random numbers from PyTorch's generator there, and is meant
    for normalised images, as `training.fit(..., augment=...)` hands them over. What a change lets in at an edge is the
    image's own mirror image.

    flip: mirror left and right every other time.
    shift: at most so many pixels in each direction, whole ones.
    rotate: at most so many degrees; zoom: a factor of at most 1 + zoom, larger or smaller; shear: at most this slope.
    contrast: multiply by 1 - contrast to 1 + contrast, around the image's mean.
    brightness: add at most so many standard deviations, up or down.
    erase: side of a square, in pixels, that becomes 0 at a random place ("cutout", DeVries and Taylor 2017).

    >>> Augment(flip=True, shift=4)(torch.zeros(8, 3, 32, 32)).shape
    torch.Size([8, 3, 32, 32])
    """

    flip: bool = False
    shift: int = 0
    rotate: float = 0.0
    zoom: float = 0.0
    shear: float = 0.0
    contrast: float = 0.0
    brightness: float = 0.0
    erase: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 0 or (field.name in ("shift", "erase") and value != int(value)):
                raise ValueError(f"{field.name} must be 0 or more, in whole pixels where it is pixels, not {value!r}.")
        if self.contrast > 1:
            raise ValueError(f"contrast must be at most 1, or images turn into negatives, not {self.contrast!r}.")

    def __call__(self, images: Tensor) -> Tensor:
        if self.rotate or self.zoom or self.shear:
            images = self._turned(images)
        if self.shift or self.flip:
            images = self._moved(images)
        if self.contrast or self.brightness:
            images = self._lit(images)
        return self._erased(images) if self.erase else images

    def _turned(self, images: Tensor) -> Tensor:
        """Rotation, zoom and shear in one interpolation."""
        n, device = len(images), images.device
        angle = _between(-1, 1, n, device) * math.radians(self.rotate)
        size = (1 + self.zoom) ** -_between(-1, 1, n, device)  # the grid shrinks where the image grows
        slope = _between(-1, 1, n, device) * self.shear
        cos, sin, zero = angle.cos() * size, angle.sin() * size, torch.zeros(n, device=device)
        matrix = torch.stack([cos, cos * slope - sin, zero, sin, sin * slope + cos, zero], 1).view(n, 2, 3)
        grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
        return F.grid_sample(images, grid.to(images.dtype), padding_mode="reflection", align_corners=False)

    def _moved(self, images: Tensor) -> Tensor:
        """Shift and flip: every image is read from its own rows and columns."""
        n, height, width = len(images), *images.shape[-2:]
        rows, columns = (torch.arange(size, device=images.device).expand(n, size) for size in (height, width))
        if self.shift:
            rows, columns = (
                _mirrored(at + torch.randint(-self.shift, self.shift + 1, (n, 1), device=images.device), at.shape[1])
                for at in (rows, columns)
            )
        if self.flip:
            columns = torch.where(torch.rand(n, 1, device=images.device) < 0.5, columns.flip(1), columns)
        places = (rows[:, :, None] * width + columns[:, None, :]).flatten(1)
        pixels = images.permute(0, 2, 3, 1).reshape(n, height * width, -1)  # all channels of a pixel move together
        moved = pixels.gather(1, places[:, :, None].expand(-1, -1, pixels.shape[2]))
        return moved.view(n, height, width, -1).permute(0, 3, 1, 2)

    def _lit(self, images: Tensor) -> Tensor:
        shape = (len(images), 1, 1, 1)
        factor = _between(1 - self.contrast, 1 + self.contrast, shape, images.device)
        added = _between(-self.brightness, self.brightness, shape, images.device)
        return images * factor + (images.mean((1, 2, 3), keepdim=True) * (1 - factor) + added)

    def _erased(self, images: Tensor) -> Tensor:
        n, height, width = len(images), *images.shape[-2:]
        inside = []
        for size in (height, width):
            start = torch.randint(0, max(1, size - self.erase + 1), (n, 1), device=images.device)
            at = torch.arange(size, device=images.device)
            inside.append((at >= start) & (at < start + self.erase))
        return images.masked_fill((inside[0][:, :, None] & inside[1][:, None, :])[:, None], 0)


def _between(low: float, high: float, size: int | tuple[int, ...], device: torch.device) -> Tensor:
    return torch.rand(size, device=device) * (high - low) + low


def _mirrored(index: Tensor, size: int) -> Tensor:
    """Indices beyond an edge, folded back inside: -1 becomes 1, size becomes size - 2."""
    period = max(1, 2 * (size - 1))
    index = index.remainder(period)
    return torch.minimum(index, period - index) if size > 1 else index
