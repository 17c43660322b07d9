"""What `load` returns: images and labels in memory, how they become a network's input, and how a set is split."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from cnnlab.data.folder import Stream


class DataError(RuntimeError):
    """A data set is missing, damaged or of the wrong form; the message says what to do about it."""


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Images and their labels.

    `images` is uint8, N x C x H x W; `labels` is int64, N; `mean` and `std` are those of the *training* split, one
    number per channel for pixels between 0 and 1, so that train and test are normalised alike.
    """

    images: Tensor
    labels: Tensor
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image: channels, height, width."""
        return tuple(self.images.shape[1:])

    def inputs(self, index: int | slice | Sequence[int] | Tensor = slice(None)) -> Tensor:
        """The images at `index` as a network wants them: float32, (pixel / 255 - mean) / std, on the images' device.

        >>> data.load("street_digits").train.inputs(slice(0, 64)).shape
        torch.Size([64, 3, 32, 32])
        """
        images = self.images[index]
        mean, std = (torch.tensor(v, device=images.device).view(-1, 1, 1) for v in (self.mean, self.std))
        return images.to(torch.float32).mul_(1 / (255 * std)).sub_(mean / std)

    def __repr__(self) -> str:
        return f"{len(self):,} images, {'x'.join(map(str, self.shape))}"


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A training and a test split with the names of their classes; `about` says what it is, its source and licence."""

    name: str
    train: "Split | Stream"
    test: "Split | Stream"
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    about: str

    def hold_out(self, images: int, seed: int = 0) -> "Dataset":
        """The same set with a test split of so many of its *training* images, to choose by; they leave the training.

        They are drawn after the images were put in the order of their classes, so that a set in one file and the same
        set in folders lose the same ones.

        >>> data.load("street_digits").hold_out(500)
        street_digits: 3,500 training and 500 test images, 3x32x32, 10 classes
        """
        if not isinstance(self.train, Split):
            raise DataError(f"{self.name} is streamed: move some of its training files into its folder val instead")
        checked_size(self.name, "test", images, len(self.train) - 1)
        drawn = torch.randperm(len(self.train), generator=torch.Generator().manual_seed(seed))
        order = self.train.labels.argsort(stable=True)[drawn]
        parts = [(self.train.images[part], self.train.labels[part]) for part in (order[images:], order[:images])]
        return assemble(self.name, *parts, self.classes, self.about)

    def in_rgb(self) -> "Dataset":
        """The same set with three equal channels, for networks that learnt on coloured images.

        >>> data.load("faces").in_rgb()
        faces: 100 training and 100 test images, 3x32x32, 2 classes
        """
        parts = [(split.images.expand(-1, 3, -1, -1).contiguous(), split.labels) for split in (self.train, self.test)]
        return assemble(self.name, *parts, self.classes, self.about)

    def without_test(self) -> "Dataset":
        """The same set with an empty test split, so that a training does not stop to test.

        >>> data.load("street_digits").without_test()
        street_digits: 4,000 training and 0 test images, 3x32x32, 10 classes
        """
        if not isinstance(self.test, Split):
            raise DataError(f"{self.name} is streamed: take its folder val away instead")
        return replace(self, test=replace(self.test, images=self.test.images[:0], labels=self.test.labels[:0]))

    def resized(self, size: int) -> "Dataset":
        """The same images with so many pixels a side, by interpolation that averages what it cannot keep.

        >>> data.load("street_digits").resized(16)
        street_digits: 4,000 training and 1,000 test images, 3x16x16, 10 classes
        """
        parts = []
        for split in (self.train, self.test):
            images = F.interpolate(split.images.float(), size=(size, size), mode="bilinear", antialias=True)
            parts.append((images.round().clamp(0, 255).to(torch.uint8), split.labels))
        return assemble(self.name, *parts, self.classes, self.about)

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.train.shape))
        sizes = f"{len(self.train):,} training and {len(self.test):,} test images"
        return f"{self.name}: {sizes}, {shape}, {len(self.classes)} classes"


def assemble(
    name: str, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], classes: Sequence[str], about: str
) -> Dataset:
    """A `Dataset` of two (images, labels) pairs, with the training images' statistics."""
    mean, std = channel_statistics(train[0])
    return Dataset(name, Split(*train, mean, std), Split(*test, mean, std), tuple(classes), mean, std, about)


def channel_statistics(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel of uint8 N x C x H x W, in the scale 0..1.

    Counted from histograms, which are exact, so that the same images give the same numbers on every machine. A channel
    of one single value gets 1 as its deviation: it can be divided by.
    """
    values = torch.arange(256, dtype=torch.float64) / 255
    means, deviations = [], []
    for channel in images.unbind(1):
        share = torch.bincount(channel.flatten(), minlength=256).double() / channel.numel()
        mean = (share * values).sum()
        means.append(mean.item())
        deviations.append((share * (values - mean) ** 2).sum().sqrt().item() or 1.0)
    return tuple(means), tuple(deviations)


def checked_size(name: str, split: str, size: int, most: int | None = None) -> int:
    """`size` as an int if it is possible (at least one training image, at most `most`), else ValueError."""
    least = 1 if split == "train" else 0
    whole = isinstance(size, Integral) and not isinstance(size, bool)
    if whole and size >= least and (most is None or size <= most):
        return int(size)
    possible = f"{least} or more" if most is None else f"{least} to {most:,}"
    raise ValueError(f"{name}: {split}={size!r} is not possible; {split} is a whole number of images, {possible}")


def chosen(name: str, part: str, available: int, size: int | None, seed: int) -> np.ndarray:
    """Indices: all in their own order, or `size` of them at random, the first n being the same for every size."""
    if size is None:
        return np.arange(available)
    size = checked_size(name, part, size, available)
    stream = np.random.SeedSequence(seed, spawn_key=(("train", "test").index(part),))
    return np.random.default_rng(stream).permutation(available)[:size]


def divide(
    name: str, labels: np.ndarray, train: int | None, test: int | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Which images of one pool are for training and which for testing: disjoint, half and half if no size is given.

    The order is random but takes the classes in turn, so that `train=10` of ten classes has one image of each. Training
    images are taken from its front and test images from its end: with another `train` the test images stay.
    """
    total = len(labels)
    if test is not None:
        test = checked_size(name, "test", test, total - 1)
    if train is None:
        train = min(total // 2, total - (test or 0))
    train = checked_size(name, "train", train, total - (test or 0))
    if test is None:
        test = min(total - total // 2, total - train)
    order = np.random.default_rng(seed).permutation(total)
    turn = np.empty(total, np.int64)
    for label in np.unique(labels):
        of_class = labels[order] == label
        turn[of_class] = np.arange(of_class.sum())
    order = order[np.argsort(turn, kind="stable")]
    return order[:train], order[total - test :]
