"""Any folder of images in ImageNet's layout: held in memory, or streamed from the disk by several workers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from cnnlab.data.dataset import DataError, Dataset, assemble, chosen

Transform = Callable[[np.ndarray], Tensor]  # uint8 H x W x 3 -> float32 3 x size x size

SUFFIXES = {".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"}  # torchvision's ImageFolder's


def load_folder(folder: Path, train: int | None, test: int | None, seed: int) -> Dataset:
    """Images in ImageNet's layout, `train/<class>/*` and `val/<class>/*` (or `test/<class>/*`), as 3 x H x W.

    All are held in memory and must have one size. DataError if they do not, or if something is missing or unreadable.
    """
    name, classes, files, test_files = _found(folder, need_test=test != 0)
    learnt = [files[i] for i in chosen(name, "train", len(files), train, seed)]
    held = [test_files[i] for i in chosen(name, "test", len(test_files), test, seed)]
    images, labels = _decoded(learnt + held)
    n = len(learnt)
    return assemble(name, (images[:n], labels[:n]), (images[n:], labels[n:]), classes, _about(folder))


def stream(folder: str | Path, *, train: Transform, test: Transform, workers: int | None = None) -> Dataset:
    """A folder in ImageNet's layout that need not fit into memory: each image is read when it is its turn.

    train, test: what becomes of an image on its way: uint8 H x W x 3 -> float32 3 x size x size, cut and normalised,
        for example `training.pipelines.torchvision_train(224)` and `torchvision_test(224)`. The dataset itself
        therefore has no mean and no deviation. Images may differ in size and shape.
    workers: processes that read and transform ahead of the training; one for each core where None, 0 for none.

    Raises DataError where the layout is another, and, when it is its turn, for an image that cannot be read.

    >>> pipelines = {"train": torchvision_train(224), "test": torchvision_test(224)}  # doctest: +SKIP
    >>> data.stream("imagenet", **pipelines)  # doctest: +SKIP
    imagenet: 1,281,167 training and 50,000 test images, 3x224x224, 1000 classes
    """
    workers = torch.get_num_threads() if workers is None else workers
    name, classes, files, test_files = _found(Path(folder), need_test=True)
    parts = (Stream(files, train, workers), Stream(test_files, test, workers))
    return Dataset(name, *parts, tuple(classes), (), (), _about(Path(folder)))


@dataclass(frozen=True, eq=False, repr=False)
class Stream(torch.utils.data.Dataset):
    """Images on the disk and how they become a network's input. It stands where a `Split` stands in memory."""

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
        return torch.tensor([label for _, label in self.files])

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input, by the first image."""
        return tuple(self[0][0].shape)

    def inputs(self, index: slice | Sequence[int] | Tensor = slice(None)) -> Tensor:
        """The images at `index` as a network wants them, read here and now."""
        return torch.stack([self[i][0] for i in torch.arange(len(self))[index].tolist()])

    def batches(self, indices: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs and labels of each of these lists of indices, in this order, read ahead by the workers."""
        batches = [batch.tolist() for batch in indices]
        pinned = torch.cuda.is_available()  # from such memory the copy to a GPU does not stop the training
        yield from DataLoader(self, batch_sampler=batches, num_workers=self.workers, pin_memory=pinned)

    def __repr__(self) -> str:
        return f"{len(self):,} images in files, {'x'.join(map(str, self.shape))}"


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
