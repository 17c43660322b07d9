"""Sets that do not come with the package: torchvision's, downloaded once, to one place."""

import os
import shutil
import socket
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from cnnlab.data.dataset import DataError, Dataset, assemble, checked_size, chosen, chosen_for_test

Pair = tuple[Tensor, Tensor]  # uint8 N x C x H x W and int64 N

PATIENCE = 30  # seconds without a byte until a download is given up
BEFORE = Path("datasets")  # in the current folder: where downloads went before they had one place


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


def downloads() -> Path:
    """The folder where the sets lie, the same whatever the current folder is: that of the environment variable
    CNNLAB_DATA; else `data/downloads` of the checkout that this package is run from; else the user's cache folder.
    """
    if asked := os.environ.get("CNNLAB_DATA"):
        return Path(asked).expanduser().absolute()
    checkout = Path(str(files("cnnlab"))).parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "data").is_dir():
        return checkout / "data" / "downloads"
    if sys.platform == "win32":
        caches = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        caches = Path.home() / "Library" / "Caches"
    else:  # the XDG Base Directory Specification: a path that is not absolute is to be ignored
        asked = Path(os.environ.get("XDG_CACHE_HOME", ""))
        caches = asked if asked.is_absolute() else Path.home() / ".cache"
    return caches / "cnnlab"


def load(
    name: str, train: int | None, validation: int, test: int | None, seed: int, root: str | Path | None
) -> Dataset:
    """One of `SOURCES` from `root`, downloaded to it if it is not there: whole, or random images if sizes are given.

    Without `root`, that is `downloads()`. What an earlier version left in ./datasets is then read from there, with a
    warning, instead of being downloaded again. Raises DataError if the set is not there (or damaged) and cannot be
    downloaded, OSError if `root` cannot be used.
    """
    sizes = {"train": train, "validation": validation, "test": test}
    for part, size in sizes.items():
        checked_size(name, part, 1 if size is None else size)  # before a long download
    places = [downloads(), BEFORE] if root is None else [Path(root).expanduser()]
    if places[0].exists() and not places[0].is_dir():
        what = "CNNLAB_DATA" if root is None else "root"
        raise NotADirectoryError(
            f"{what}={str(places[0])!r} is a file; give the folder where the data sets lie or shall lie"
        )
    parts, classes = _found(name, places) or _download(name, places)
    (images, labels), (test_images, test_labels) = parts["train"], parts["test"]
    learnt, held = chosen(name, len(labels), train, validation, seed)
    tested = chosen_for_test(name, len(test_labels), test, seed)
    return assemble(
        name,
        (images[learnt], labels[learnt]),
        (test_images[tested], test_labels[tested]),
        classes,
        SOURCES[name].about,
        (images[held], labels[held]),
    )


def _found(name: str, places: Sequence[Path]) -> tuple[dict[str, Pair], Sequence[str]] | None:
    """What the first of these folders has that holds the set whole."""
    for place in places:
        try:
            read = _read(name, place)
        except Exception:  # missing or damaged: torchvision, pickle, gzip and scipy each have their own errors for it
            continue
        if place == BEFORE:
            warnings.warn(
                f"{name} was read from the folder {str(place.absolute())!r}, which is no longer where downloads go: "
                f"move what is in it to {str(places[0])!r}, so that it is found from every folder.",
                stacklevel=4,
            )
        return read
    return None


def _read(name: str, root: Path, download: bool = False) -> tuple[dict[str, Pair], Sequence[str]]:
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


def _download(name: str, places: Sequence[Path]) -> tuple[dict[str, Pair], Sequence[str]]:
    """Download, unpack and read in a folder of its own inside the first place; only what could be read moves there.

    An archive that lies in one of the places is not downloaded.
    """
    root, archives = places[0], SOURCES[name].archives
    created = not root.exists()
    try:
        root.mkdir(parents=True, exist_ok=True)
        staging = TemporaryDirectory(prefix=".download-", dir=root)
    except OSError as error:
        raise OSError(f"cannot write into the folder {str(root)!r} ({error}); give another one as root=") from error
    try:
        with staging, _patience():
            for archive in archives:
                if there := next((place / archive for place in places if (place / archive).is_file()), None):
                    copy = Path(staging.name) / archive
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(there, copy)
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
