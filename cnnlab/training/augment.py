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

    flip: mirror left and right, every image with probability 1/2.
    shift: at most so many pixels in each direction; whole ones, unless the image is turned, zoomed or sheared too.
    rotate: at most so many degrees; zoom: a factor of at most 1 + zoom, larger or smaller; shear: at most this slope.
    contrast: multiply by 1 - contrast to 1 + contrast, around the image's mean.
    brightness: add at most so much, up or down, in the unit of the images: standard deviations where they are
        normalised.
    erase: side of a square, in pixels, that becomes 0 at a random place ("cutout", DeVries and Taylor 2017); 0 is the
        mean colour of the training images.

    Raises ValueError for a strength that cannot be, and for images that are not such a batch.

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
            if not 0 <= value < math.inf or (field.name in ("shift", "erase") and value != int(value)):
                raise ValueError(f"{field.name} must be 0 or more, in whole pixels where it is pixels, not {value!r}.")
        if self.contrast > 1:
            raise ValueError(f"contrast must be at most 1, or images turn into negatives, not {self.contrast!r}.")

    def __call__(self, images: Tensor) -> Tensor:
        if images.ndim != 4 or not images.is_floating_point():
            raise ValueError(f"images must be (N, C, H, W) floats, not {images.dtype} of {tuple(images.shape)}.")
        if max(self.shift + 1, self.erase) > min(images.shape[2:]):
            raise ValueError(
                f"shift={self.shift} and erase={self.erase} must fit into {tuple(images.shape[2:])} pixels."
            )
        if self.rotate or self.zoom or self.shear:
            images = self._turned(images)
        elif self.shift or self.flip:
            images = self._moved(images)
        if self.contrast or self.brightness:
            images = self._lit(images)
        return self._erased(images) if self.erase else images

    def _turned(self, images: Tensor) -> Tensor:
        """Everything that moves pixels, in one interpolation: each pixel asks where in the image it comes from."""
        n, _, height, width = images.shape
        device = images.device
        angle = _between(-1, 1, n, device) * math.radians(self.rotate)
        size = (1 + self.zoom) ** -_between(-1, 1, n, device)  # steps get smaller where the image grows
        slope = _between(-1, 1, n, device) * self.shear
        cos, sin = angle.cos() * size, angle.sin() * size
        mirror = torch.where(_coin(n, device), -1.0, 1.0) if self.flip else 1.0
        start = _between(-self.shift, self.shift, (n, 1, 2), device)
        right = torch.stack([cos * mirror, sin * mirror], 1)[:, None]  # the step in the source, x and y, for one pixel
        down = torch.stack([cos * slope - sin, sin * slope + cos], 1)[:, None]
        x, y = (torch.arange(side, device=device)[:, None] - (side - 1) / 2 for side in (width, height))
        half = torch.tensor([max(1, width - 1) / 2, max(1, height - 1) / 2], device=device)  # grid_sample's own unit
        grid = (right * x / half)[:, None] + ((down * y + start) / half)[:, :, None]
        return F.grid_sample(images, grid.to(images.dtype), padding_mode="reflection", align_corners=True)

    def _moved(self, images: Tensor) -> Tensor:
        """Shift and flip copy whole pixels: every image is read from its own rows and columns."""
        n, _, height, width = images.shape
        rows, columns = (torch.arange(side, device=images.device).expand(n, side) for side in (height, width))
        if self.shift:
            down, right = torch.randint(-self.shift, self.shift + 1, (2, n, 1), device=images.device)
            rows, columns = _mirrored(rows + down, height), _mirrored(columns + right, width)
        if self.flip:
            columns = torch.where(_coin((n, 1), images.device), columns.flip(1), columns)
        places = (rows[:, :, None] * width + columns[:, None, :]).flatten(1)
        pixels = images.permute(0, 2, 3, 1).reshape(n, height * width, -1)  # all channels of a pixel move together
        moved = pixels.gather(1, places[:, :, None].expand_as(pixels))
        return moved.view(n, height, width, -1).permute(0, 3, 1, 2)

    def _lit(self, images: Tensor) -> Tensor:
        shape, device = (len(images), 1, 1, 1), images.device
        factor = _between(1 - self.contrast, 1 + self.contrast, shape, device).to(images.dtype)
        added = _between(-self.brightness, self.brightness, shape, device).to(images.dtype)
        return torch.addcmul(images.mean((1, 2, 3), keepdim=True) * (1 - factor) + added, images, factor)

    def _erased(self, images: Tensor) -> Tensor:
        n, _, height, width = images.shape
        inside = []
        for size in (height, width):
            start = torch.randint(0, size - self.erase + 1, (n, 1), device=images.device)
            at = torch.arange(size, device=images.device)
            inside.append((at >= start) & (at < start + self.erase))
        return images.masked_fill((inside[0][:, :, None] & inside[1][:, None, :])[:, None], 0)


def _between(low: float, high: float, size: int | tuple[int, ...], device: torch.device) -> Tensor:
    return torch.rand(size, device=device) * (high - low) + low


def _coin(size: int | tuple[int, ...], device: torch.device) -> Tensor:
    return torch.rand(size, device=device) < 0.5


def _mirrored(index: Tensor, size: int) -> Tensor:
    """Indices at most size - 1 beyond an edge, folded back inside: -1 becomes 1, size becomes size - 2."""
    return size - 1 - (size - 1 - index.abs()).abs()
