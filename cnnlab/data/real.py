"""Sets that do not come with the package: torchvision's, downloaded once."""

import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from cnnlab.data.dataset import DataError, Dataset, assemble, checked_size, chosen

Images = tuple[Tensor, Tensor]  # uint8 N x C x H x W and int64 N

PATIENCE = 30  # seconds without a byte until a download is given up


@dataclass(frozen=True)
class Source:
    """One of torchvision's sets: the class that reads it, the files that are downloaded for it, what people call it."""

    reader: str
    archives: tuple[str, ...]
    about: str


_MNIST = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")

SOURCES = {
    "mnist": Source(
        "MNIST",
        tuple(f"MNIST/raw/{part}-ubyte.gz" for part in _MNIST),
        "70,000 digits written by hand (Y. LeCun, C. Cortes, C. Burges, 1998), 28x28, here in the centre of a black "
        "32x32 field as in LeNet-5's paper. Licence: CC BY-SA 3.0.",
    ),
    "fashion_mnist": Source(
        "FashionMNIST",
        tuple(f"FashionMNIST/raw/{part}-ubyte.gz" for part in _MNIST),
        "70,000 grey pictures of clothes from Zalando's shop (H. Xiao et al., 2017), 28x28, here in the centre of a "
        "black 32x32 field. Licence: MIT.",
    ),
    "cifar10": Source(
        "CIFAR10",
        ("cifar-10-python.tar.gz",),
        "60,000 small photographs of ten kinds of animals and vehicles (A. Krizhevsky, 2009), 32x32, a labelled subset "
        "of the Tiny Images. Licence: none stated; the authors ask to cite their report.",
    ),
    "cifar100": Source(
        "CIFAR100",
        ("cifar-100-python.tar.gz",),
        "60,000 small photographs of a hundred kinds of things (A. Krizhevsky, 2009), 32x32, a labelled subset of the "
        "Tiny Images. Licence: none stated; the authors ask to cite their report.",
    ),
    "svhn": Source(
        "SVHN",
        ("train_32x32.mat", "test_32x32.mat"),
        "99,289 house numbers from Street View, one digit in the centre of each 32x32 image (Y. Netzer et al., 2011). "
        "Licence: for non-commercial use only.",
    ),
}


def load(name: str, train: int | None, test: int | None, seed: int, root: str | Path) -> Dataset:
    """One of `SOURCES` from `root`, downloaded to it if it is not there: whole, or random images if sizes are given.

    Raises DataError if it is not there (or damaged) and cannot be downloaded, OSError if `root` cannot be used.
    """
    root = Path(root).expanduser()
    if root.exists() and not root.is_dir():
        raise NotADirectoryError(f"root={str(root)!r} is a file; give the folder where the data sets lie or shall lie")
    sizes = {"train": train, "test": test}
    for part, size in sizes.items():
        checked_size(name, part, 1 if size is None else size)  # before a long download
    try:
        splits, classes = _read(name, root)
    except Exception:  # missing or damaged: torchvision, pickle, gzip and scipy each have their own errors for it
        splits, classes = _download(name, root)
    for part, size in sizes.items():
        images, labels = splits[part]
        if size is not None:
            some = chosen(name, part, len(labels), size, seed)
            splits[part] = images[some], labels[some]
    return assemble(name, splits["train"], splits["test"], classes, SOURCES[name].about)


def _read(name: str, root: Path, download: bool = False) -> tuple[dict[str, Images], Sequence[str]]:
    """Both splits and the classes' names, as torchvision reads them. It checks the files' md5, except MNIST's."""
    from torchvision import datasets

    reader = getattr(datasets, SOURCES[name].reader)
    splits = {}
    for part in ("train", "test"):
        which = {"split": part} if name == "svhn" else {"train": part == "train"}
        read = reader(root, download=download, **which)
        images = torch.as_tensor(read.data)
        if name.startswith("cifar"):
            images = images.permute(0, 3, 1, 2)
        elif name.endswith("mnist"):
            images = torch.nn.functional.pad(images, (2, 2, 2, 2))[:, None]
        splits[part] = images.contiguous(), torch.as_tensor(read.labels if name == "svhn" else read.targets)
    classes = tuple("0123456789") if name in ("mnist", "svhn") else read.classes
    return splits, classes


def _download(name: str, root: Path) -> tuple[dict[str, Images], Sequence[str]]:
    """Download, unpack and read in a folder of its own inside `root`; only what could be read moves to its place."""
    archives = SOURCES[name].archives
    created = not root.exists()
    try:
        root.mkdir(parents=True, exist_ok=True)
        staging = TemporaryDirectory(prefix=".download-", dir=root)
    except OSError as error:
        raise OSError(f"cannot write into the folder {str(root)!r} ({error}); give another one as root=") from error
    try:
        with staging, _patience():
            for archive in archives:
                if (root / archive).is_file():
                    copy = Path(staging.name) / archive
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(root / archive, copy)
            read = _read(name, Path(staging.name), download=True)
            for file in [path for path in Path(staging.name).rglob("*") if path.is_file()]:
                place = root / file.relative_to(staging.name)
                place.parent.mkdir(parents=True, exist_ok=True)
                file.replace(place)
            return read
    except Exception as error:  # the network, the disk, the archive: whatever it was, it is named in the message
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DataError(
            f"{name} is not in {str(root)!r}, or damaged there, and downloading it failed ({reason}). Run this once "
            f"with a network, or put {', '.join(archives)} under that folder. Sets that need neither: street_digits, "
            "handwritten, faces, photos"
        ) from error
    finally:
        if created:
            with suppress(OSError):  # it is not empty if all went well
                root.rmdir()


@contextmanager
def _patience() -> Iterator[None]:
    """torchvision waits for ever for a network that does not answer; a class should not."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
