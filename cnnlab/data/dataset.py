"""What `load` returns: images and labels in memory, how they become a network's input, and how a set is split."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import ClassVar, Protocol, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

Index = int | slice | Sequence[int] | Tensor
Batches = Iterator[tuple[Tensor, Tensor]]  # inputs and labels


class DataError(RuntimeError):
    """A data set is missing, damaged or of the wrong form; the message says what to do about it."""


class Images(Protocol):
    """Images and their labels, wherever they are: what a `Split` in memory and a `Stream` from the disk both are."""

    in_memory: ClassVar[bool]  # whether there are `images` to change; else they are read when it is their turn

    def __len__(self) -> int: ...

    @property
    def labels(self) -> Tensor:
        """int64, N."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input: channels, height, width."""

    def inputs(self, index: Index = slice(None)) -> Tensor:
        """The images at `index` as a network wants them: float32, N x C x H x W, normalised."""

    def batches(self, indices: Sequence[Tensor], device: torch.device | str = "cpu") -> Batches:
        """Inputs and labels of each of these lists of indices, in this order, on the device."""

    def reader(self, device: torch.device) -> Callable[[Sequence[Tensor]], Batches]:
        """`batches` on this device for many passes: what can be done once for all of them is done now."""

    def take(self, index: slice | Tensor) -> Self:
        """Only the images at `index`, in this order."""


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Images and their labels.

    `images` is uint8, N x C x H x W; `labels` is int64, N; `mean` and `std` are those of the *training* split, one
    number per channel for pixels between 0 and 1, so that train and test are normalised alike. DataError where images
    or labels have another form.
    """

    in_memory: ClassVar[bool] = True

    images: Tensor
    labels: Tensor
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.dtype != torch.uint8 or images.ndim != 4:
            way = (
                " Of floats from 0 to 1: (255 * images).round().to(torch.uint8)." if images.is_floating_point() else ""
            )
            raise DataError(
                f"images must be uint8, N x C x H x W, not {images.dtype} of the shape {tuple(images.shape)}.{way}"
            )
        if labels.ndim != 1 or len(labels) != len(images):
            raise DataError(
                f"there must be one number as a label for each of {len(images):,} images, not a tensor of the shape "
                f"{tuple(labels.shape)}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image: channels, height, width."""
        return tuple(self.images.shape[1:])

    def inputs(self, index: Index = slice(None)) -> Tensor:
        """The images at `index` as a network wants them: float32, (pixel / 255 - mean) / std, on the images' device.

        >>> data.load("street_digits").train.inputs(slice(0, 64)).shape
        torch.Size([64, 3, 32, 32])
        """
        images = self.images[index]
        mean, std = (torch.tensor(v, device=images.device).view(-1, 1, 1) for v in (self.mean, self.std))
        return images.to(torch.float32).mul_(1 / (255 * std)).sub_(mean / std)

    def batches(self, indices: Sequence[Tensor], device: torch.device | str = "cpu") -> Batches:
        """Each normalised when it is needed, so that a large split takes the memory of one batch."""
        to = {"device": device, "memory_format": torch.channels_last}
        return ((self.inputs(i).to(**to), self.labels[i].to(device)) for i in indices)

    def reader(self, device: torch.device) -> Callable[[Sequence[Tensor]], Batches]:
        """All are normalised now, once, and kept on the device."""
        images, labels = self.inputs().to(device, memory_format=torch.channels_last), self.labels.to(device)
        return lambda indices: ((images[i], labels[i]) for i in indices)

    def take(self, index: slice | Tensor) -> "Split":
        return replace(self, images=self.images[index], labels=self.labels[index])

    def __repr__(self) -> str:
        return f"{len(self):,} images, {'x'.join(map(str, self.shape))}"


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images to train on and to test with, and the names of their classes; `about` says what it is, source and licence.

    `validation` images are held out of the same images as the training ones, to choose rates and networks by; there
    are none unless they are asked for.
    """

    name: str
    train: Images
    test: Images
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    about: str
    validation: Images | None = None  # None becomes a split without images

    def __post_init__(self) -> None:
        if self.validation is None:
            object.__setattr__(self, "validation", self.train.take(slice(0)))
        for part, split in (("training", self.train), ("test", self.test), ("validation", self.validation)):
            labels = split.labels
            if labels.dtype != torch.int64:
                raise DataError(f"{self.name}: labels must be int64, not {labels.dtype}: labels.long()")
            odd = (labels < 0) | (labels >= len(self.classes))
            if odd.any():
                raise DataError(
                    f"{self.name}: {int(odd.sum()):,} {part} images have labels that are no number of a class, from 0 "
                    f"to {len(self.classes) - 1}; the first is {int(labels[odd][0])}, of image {int(odd.nonzero()[0])}"
                )

    def preparation(self) -> dict[str, object]:
        """What a file of weights says of the images it was trained on, for whoever uses it: classes, shape, mean, std.

        >>> data.load("faces").preparation()["classes"], data.load("faces").preparation()["input"]
        (['no face', 'face'], [1, 32, 32])
        """
        said = {"classes": self.classes, "input": self.train.shape, "mean": self.mean, "std": self.std}
        return {name: list(values) for name, values in said.items()}

    def choosing(self) -> "Dataset":
        """The same set with its validation images for a test, so that `fit` shows what to choose by.

        The test images then take no part in the choice. Raises ValueError where there are no validation images.

        >>> data.load("street_digits", train=2000, validation=500).choosing()
        street_digits: 2,000 training and 500 test images, 3x32x32, 10 classes
        """
        if not len(self.validation):
            raise ValueError(f"{self.name} has no images to choose by: load it with validation=n.")
        return replace(self, test=self.validation, validation=None)

    def hold_out(self, images: int, seed: int = 0) -> "Dataset":
        """The same set with a test split of so many of its *training* images, to choose by; they leave the training.

        They are drawn after the images were put in the order of their classes, so that a set in one file and the same
        set in folders lose the same ones. DataError where the images are streamed.

        >>> data.load("street_digits").hold_out(500)
        street_digits: 3,500 training and 500 test images, 3x32x32, 10 classes
        """
        train, _, validation = self.in_memory(
            "move some of its training files into its folder val instead, or ask data.stream for validation images"
        )
        checked_size(self.name, "test", images, len(train) - 1)
        drawn = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))
        order = train.labels.argsort(stable=True)[drawn]
        parts = [(train.images[part], train.labels[part]) for part in (order[images:], order[:images])]
        return assemble(self.name, *parts, self.classes, self.about, (validation.images, validation.labels))

    def in_rgb(self) -> "Dataset":
        """The same set with three equal channels, for networks that learnt on coloured images.

        >>> data.load("faces").in_rgb()
        faces: 100 training and 100 test images, 3x32x32, 2 classes
        """
        if self.train.shape[0] == 3:  # so is all that is streamed
            return self
        parts = self.in_memory("its pipelines must give three channels")
        return self._of([split.images.expand(-1, 3, -1, -1).contiguous() for split in parts])

    def resized(self, size: int) -> "Dataset":
        """The same images with so many pixels a side, by interpolation that averages what it cannot keep.

        DataError where the images are streamed.

        >>> data.load("street_digits").resized(16)
        street_digits: 4,000 training and 1,000 test images, 3x16x16, 10 classes
        """
        changed = []
        for split in self.in_memory("its images are cut to size by its pipelines, so ask these for another one"):
            images = F.interpolate(split.images.float(), size=(size, size), mode="bilinear", antialias=True)
            changed.append(images.round().clamp(0, 255).to(torch.uint8))
        return self._of(changed)

    def normalised(self, mean: Sequence[float], std: Sequence[float]) -> "Dataset":
        """The same images with another normalisation: the one that a network's weights were trained with.

        Ask for it last: what changes the pixels brings their own statistics along. DataError where the images are
        streamed, ValueError where there is not a number for each channel.

        >>> street = data.load("street_digits").normalised((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
        >>> street.train.inputs().aminmax()[1].item()
        1.0
        """
        splits = self.in_memory("its pipelines normalise its images")
        mean, std = tuple(map(float, mean)), tuple(map(float, std))
        channels = self.train.shape[0]
        if len(mean) != channels or len(std) != channels or min(std) <= 0:
            raise ValueError(f"{self.name} has {channels} channels: give so many means, and deviations above 0")
        train, test, validation = (replace(split, mean=mean, std=std) for split in splits)
        return replace(self, train=train, test=test, validation=validation, mean=mean, std=std)

    def without_test(self) -> "Dataset":
        """The same set with an empty test split, so that a training does not stop to test.

        >>> data.load("street_digits").without_test()
        street_digits: 4,000 training and 0 test images, 3x32x32, 10 classes
        """
        return replace(self, test=self.test.take(slice(0)))

    def in_memory(self, instead: str) -> tuple[Split, Split, Split]:
        """The training, test and validation split, for a change of their pixels.

        Raises DataError where they are streamed, with the words that say what to do instead.
        """
        splits = self.train, self.test, self.validation
        if not all(split.in_memory for split in splits):
            raise DataError(f"{self.name} is streamed: {instead}")
        return splits

    def _of(self, images: Sequence[Tensor]) -> "Dataset":
        """The same set with other training, test and validation images, and their statistics."""
        splits = zip(images, (self.train, self.test, self.validation), strict=True)
        train, test, validation = ((changed, split.labels) for changed, split in splits)
        return assemble(self.name, train, test, self.classes, self.about, validation)

    def __repr__(self) -> str:
        sizes = [(self.train, "training"), (self.validation, "validation"), (self.test, "test")]
        *first, last = [f"{len(split):,} {name}" for split, name in sizes if name != "validation" or len(split)]
        shape = "x".join(map(str, self.train.shape))
        return f"{self.name}: {', '.join(first)} and {last} images, {shape}, {len(self.classes)} classes"


def assemble(
    name: str,
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    classes: Sequence[str],
    about: str = "",
    validation: tuple[Tensor, Tensor] | None = None,
) -> Dataset:
    """A `Dataset` of tensors of your own, with the training images' statistics.

    train, test, validation: images, uint8 N x C x H x W, and their labels, int64, which are numbers of `classes`.
    Raises DataError where they have another form.

    >>> images, labels = torch.zeros(6, 3, 8, 8, dtype=torch.uint8), torch.arange(6) % 2
    >>> assemble("mine", (images, labels), (images[:2], labels[:2]), ["cat", "dog"])
    mine: 6 training and 2 test images, 3x8x8, 2 classes
    """
    mean, std = channel_statistics(train[0])
    splits = [part and Split(*part, mean, std) for part in (train, test, validation)]
    return Dataset(name, *splits[:2], tuple(classes), mean, std, about, splits[2])


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
    least = 0 if split in ("test", "validation") else 1
    whole = isinstance(size, Integral) and not isinstance(size, bool)
    if whole and size >= least and (most is None or size <= most):
        return int(size)
    possible = f"{least} or more" if most is None else f"{least} to {most:,}"
    what = "pixels" if split == "size" else "images"
    raise ValueError(f"{name}: {split}={size!r} is not possible; {split} is a whole number of {what}, {possible}")


def chosen(name: str, available: int, train: int | None, validation: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Which images of a training part are learnt from, and which are held out of it: disjoint.

    `train` at random, the first n being the same for every size; all but those held out, in their own order, if None.
    Those held out come from the end of the same random order, so that they stay with another `train`.
    """
    if train is not None:
        train = checked_size(name, "train", train, available)
    validation = checked_size(name, "validation", validation, available - (train or 1))
    order = _shuffled("train", available, seed)
    held = order[available - validation :]
    return (np.setdiff1d(np.arange(available), held) if train is None else order[:train]), held


def chosen_for_test(name: str, available: int, size: int | None, seed: int) -> np.ndarray:
    """Indices: all in their own order, or `size` of them at random, the first n being the same for every size."""
    if size is None:
        return np.arange(available)
    return _shuffled("test", available, seed)[: checked_size(name, "test", size, available)]


def _shuffled(part: str, available: int, seed: int) -> np.ndarray:
    stream = np.random.SeedSequence(seed, spawn_key=(("train", "test").index(part),))
    return np.random.default_rng(stream).permutation(available)


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


def divide_in_three(
    name: str, labels: np.ndarray, train: int | None, validation: int, test: int | None, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`divide` with the images before the test images for validation: they, too, stay with another `train`.

    Where the pool has none left over, the training gives them, unless its size was asked for.
    """
    learnt, tested = divide(name, labels, train, test, seed)
    left = len(labels) - len(tested) - (1 if train is None else len(learnt))
    validation = checked_size(name, "validation", validation, left)
    learnt, held = divide(name, labels, train, len(tested) + validation, seed)
    return learnt, held[:validation], held[validation:]
