"""Any folder of images in ImageNet's layout: held in memory, or streamed from the disk by several workers."""

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from cnnlab.data.dataset import Batches, DataError, Dataset, Index, assemble, chosen, chosen_for_test

Transform = Callable[[np.ndarray], Tensor]  # uint8 H x W x 3 -> float32 3 x size x size

SUFFIXES = {".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"}  # torchvision's ImageFolder's


def load_folder(folder: Path, train: int | None, validation: int, test: int | None, seed: int) -> Dataset:
    """Images in ImageNet's layout, `train/<class>/*` and `val/<class>/*` (or `test/<class>/*`), as 3 x H x W.

    All are held in memory and must have one size. DataError if they do not, or if something is missing or unreadable.
    """
    name, classes, files, test_files = _found(folder, need_test=test != 0)
    learnt, held = chosen(name, len(files), train, validation, seed)
    tested = chosen_for_test(name, len(test_files), test, seed)
    images, labels = _decoded([files[i] for i in (*learnt, *held)] + [test_files[i] for i in tested])
    sizes = [len(learnt), len(held), len(tested)]
    train, held_out, test = zip(images.split(sizes), labels.split(sizes), strict=True)
    return assemble(name, train, test, classes, _about(folder), held_out)


def stream(
    folder: str | Path,
    *,
    train: Transform,
    test: Transform,
    validation: int = 0,
    seed: int = 0,
    workers: int | None = None,
) -> Dataset:
    """A folder in ImageNet's layout that need not fit into memory: each image is read when it is its turn.

    train, test: what becomes of an image on its way: uint8 H x W x 3 -> float32 3 x size x size, cut and normalised,
        for example `training.pipelines.torchvision_train(224)` and `torchvision_test(224)`. The dataset itself
        therefore has no mean and no deviation. Images may differ in size and shape.
    validation: so many training images, chosen by `seed`, are held out to choose by, and cut as test images are.
    workers: processes that read and transform ahead of the training; one for each core where None, 0 for none.

    Raises DataError where the layout is another, and, when it is its turn, for an image that cannot be read.

    >>> pipelines = {"train": torchvision_train(224), "test": torchvision_test(224)}  # doctest: +SKIP
    >>> data.stream("imagenet", **pipelines)  # doctest: +SKIP
    imagenet: 1,281,167 training and 50,000 test images, 3x224x224, 1000 classes
    """
    workers = torch.get_num_threads() if workers is None else workers
    name, classes, files, test_files = _found(Path(folder), need_test=True)
    learnt, held = chosen(name, len(files), None, validation, seed)
    parts = [Stream([files[i] for i in learnt], train, workers), Stream(test_files, test, workers)]
    held_out = Stream([files[i] for i in held], test, workers)
    return Dataset(name, *parts, tuple(classes), (), (), _about(Path(folder)), held_out)


@dataclass(frozen=True, eq=False, repr=False)
class Stream(torch.utils.data.Dataset):
    """Images on the disk and how they become a network's input. It stands where a `Split` stands in memory."""

    in_memory: ClassVar[bool] = False

    files: Sequence[tuple[Path, int]]
    transform: Transform
    workers: int

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        path, label = self.files[index]
        return self.transform(_pixels(path)), label

    @property
    def labels(self) -> Tensor:
        return torch.tensor([label for _, label in self.files], dtype=torch.int64)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input, by the first image; () where there is none."""
        return tuple(self[0][0].shape) if self.files else ()

    def inputs(self, index: Index = slice(None)) -> Tensor:
        """The images at `index` as a network wants them, read here and now."""
        return torch.stack([self[i][0] for i in torch.arange(len(self))[index].tolist()])

    def batches(self, indices: Sequence[Tensor], device: torch.device | str = "cpu") -> Batches:
        """Read ahead by the workers."""
        pinned = torch.device(device).type == "cuda"  # from such memory the copy to a GPU does not stop the training
        options = {"num_workers": self.workers, "pin_memory": pinned, "worker_init_fn": _leave_stopping_to_the_training}
        for images, labels in DataLoader(self, batch_sampler=[batch.tolist() for batch in indices], **options):
            images = images.to(device, memory_format=torch.channels_last, non_blocking=True)
            yield images, labels.to(device, non_blocking=True)

    def reader(self, device: torch.device) -> Callable[[Sequence[Tensor]], Batches]:
        return partial(self.batches, device=device)

    def take(self, index: slice | Tensor) -> "Stream":
        return replace(self, files=[self.files[i] for i in torch.arange(len(self))[index].tolist()])

    def __repr__(self) -> str:
        return ", ".join([f"{len(self):,} images in files", *filter(None, ["x".join(map(str, self.shape))])])


def _leave_stopping_to_the_training(worker: int) -> None:
    """A terminal sends its interrupt to the workers too; if they stopped by themselves, the training would fail."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _found(folder: Path, need_test: bool) -> tuple[str, list[str], list[tuple[Path, int]], list[tuple[Path, int]]]:
    """The folder's name, its classes, and the files to learn from and to test with."""
    held_out = next((folder / part for part in ("val", "test") if (folder / part).is_dir()), None)
    classes, files = _listed(folder / "train")
    if held_out is None and need_test:
        raise DataError(f"{str(folder)!r} has neither val nor test beside train; add one, or ask for test=0")
    test_classes, test_files = _listed(held_out) if held_out else (classes, [])
    if test_classes != classes:
        odd = ", ".join(sorted(set(classes) ^ set(test_classes)))
        raise DataError(f"train and {held_out.name} of {str(folder)!r} must have the same classes; these differ: {odd}")
    return folder.resolve().name, classes, files, test_files


def _about(folder: Path) -> str:
    return f"The image folder {folder.resolve()}. Licence: see where it came from."


def _listed(folder: Path) -> tuple[list[str], list[tuple[Path, int]]]:
    """The classes (the names of the subfolders, sorted) and every image file with the number of its class."""
    if not folder.is_dir():
        raise DataError(f"no folder {str(folder)!r}; the images of a class lie in {str(folder / '<class>')!r}")
    classes = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    files = []
    for label, name in enumerate(classes):
        images = sorted(path for path in (folder / name).rglob("*") if path.suffix.lower() in SUFFIXES)
        if not images:
            raise DataError(f"no image in {str(folder / name)!r}; known are {', '.join(sorted(SUFFIXES))}")
        files += [(path, label) for path in images]
    if not files:
        raise DataError(f"no image in {str(folder)!r}; the images of a class lie in {str(folder / '<class>')!r}")
    return classes, files


def _pixels(path: Path) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{str(path)!r} cannot be read as an image ({error}); mend or remove it") from error


def _decoded(files: list[tuple[Path, int]]) -> tuple[Tensor, Tensor]:
    images = None
    for i, (path, _) in enumerate(files):
        pixels = _pixels(path)
        if images is None:
            images = np.empty((len(files), 3, *pixels.shape[:2]), np.uint8)
        if pixels.shape[:2] != images.shape[2:]:
            (height, width), (first_height, first_width) = pixels.shape[:2], images.shape[2:]
            raise DataError(
                f"the images differ in size: {str(files[0][0])!r} has {first_width}x{first_height} pixels, "
                f"{str(path)!r} {width}x{height}; resize them to one size first"
            )
        images[i] = pixels.transpose(2, 0, 1)
    return torch.from_numpy(images), torch.tensor([label for _, label in files])
