"""Any folder of images in ImageNet's layout: held in memory, or streamed from the disk by several workers."""

import inspect
import signal
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from pickle import PicklingError
from typing import ClassVar
from unicodedata import normalize

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, default_collate

from cnnlab.data import picture
from cnnlab.data.dataset import (
    Batches,
    DataError,
    Dataset,
    Index,
    assemble,
    chosen,
    chosen_for_test,
    divide_in_three,
)
from cnnlab.files import place

Transform = Callable[[np.ndarray], Tensor]  # uint8 H x W x 3 -> float32 3 x size x size

Files = list[tuple[Path, int]]  # and the number of the class


def load_folder(folder: Path, train: int | None, validation: int, test: int | None, seed: int) -> Dataset:
    """Images in ImageNet's layout, `train/<class>/*` and `val/<class>/*` (or `test/<class>/*`), as 3 x H x W.

    Where there is no val or test, or nothing but classes, `<class>/*`, `test` images are held out. All are held in
    memory and must have one size. DataError if they do not, or if something is missing or unreadable.
    """
    classes, parts = _divided(folder, train, validation, test, seed)
    images, labels = _decoded([file for part in parts for file in part])
    sizes = [len(part) for part in parts]
    learnt, held, tested = zip(images.split(sizes), labels.split(sizes), strict=True)
    return assemble(folder.resolve().name, learnt, tested, classes, _about(folder), held)


def stream(
    folder: str | Path,
    *,
    train: Transform,
    test: Transform,
    validation: int = 0,
    hold_out: int | None = None,
    seed: int = 0,
    workers: int | None = None,
) -> Dataset:
    """A folder in ImageNet's layout that need not fit into memory: each image is read when it is its turn.

    train, test: what becomes of an image on its way: uint8 H x W x 3 -> float32 3 x size x size, cut and normalised,
        for example `training.pipelines.torchvision_train(224)` and `torchvision_test(224)`. The dataset itself
        therefore has no mean and no deviation. Images may differ in size and shape. A pipeline of albumentations is
        taken as it is; its random numbers follow PyTorch's, others in each worker and each pass.
    validation: so many training images, chosen by `seed`, are held out to choose by, and cut as test images are.
    hold_out: so many images are held out to test with where the folder has only train, or only classes, `<class>/*`; 0
        for none.
    workers: processes that read and transform ahead of the training; one for each core where None, 0 for none.

    Raises DataError where the layout is another, and, when it is its turn, for an image that cannot be read.

    >>> pipelines = {"train": torchvision_train(224), "test": torchvision_test(224)}  # doctest: +SKIP
    >>> data.stream("imagenet", **pipelines)  # doctest: +SKIP
    imagenet: 1,281,167 training and 50,000 test images, 3x224x224, 1000 classes
    """
    workers = torch.get_num_threads() if workers is None else workers
    folder = place(folder)
    if hold_out and _held_out(folder):
        raise DataError(f"{str(folder)!r} has its own test images: leave hold_out= out, or ask for validation=")
    classes, (learnt, held, tested) = _divided(folder, None, validation, hold_out, seed)
    parts = [Stream(learnt, train, workers), Stream(tested, test, workers)]
    held_out = Stream(held, test, workers)
    return Dataset(folder.resolve().name, *parts, tuple(classes), (), (), _about(folder), held_out)


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
        pixels = picture.read(path)
        try:
            if _is_albumentations(self.transform):
                return self.transform(image=pixels)["image"], label
            return self.transform(pixels), label
        except Exception as error:
            reason = " ".join(str(error).split())
            height, width = pixels.shape[:2]
            raise DataError(
                f"{str(path)!r}, {width}x{height} pixels: its pipeline ends in {type(error).__name__} ({reason})"
            ) from error

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
        options = {"num_workers": self.workers, "pin_memory": pinned, "worker_init_fn": partial(_begin, self.transform)}
        if self.workers == 0:
            _draw_anew(self.transform)
        loader = DataLoader(
            _OrError(self), batch_sampler=[batch.tolist() for batch in indices], collate_fn=_together, **options
        )
        try:
            begun = iter(loader)
        except (AttributeError, PicklingError, TypeError) as error:  # where processes are spawned, and not forked
            raise DataError(
                f"the pipeline cannot travel to the workers ({error}): give a function of a module and not a lambda, "
                "or workers=0"
            ) from error
        for read in begun:
            if isinstance(read, DataError):
                raise read
            images, labels = read
            images = images.to(device, memory_format=torch.channels_last, non_blocking=True)
            yield images, labels.to(device, non_blocking=True)

    def reader(self, device: torch.device) -> Callable[[Sequence[Tensor]], Batches]:
        return partial(self.batches, device=device)

    def take(self, index: slice | Tensor) -> "Stream":
        return replace(self, files=[self.files[i] for i in torch.arange(len(self))[index].tolist()])

    def __repr__(self) -> str:
        return ", ".join([f"{len(self):,} images in files", *filter(None, ["x".join(map(str, self.shape))])])


class _OrError(torch.utils.data.Dataset):
    """An image, or the error in its place: what is raised in a worker arrives as a page of its traceback."""

    def __init__(self, split: Stream) -> None:
        self.split = split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[Tensor, int] | DataError:
        try:
            return self.split[index]
        except DataError as error:
            return DataError(str(error))  # without the objects that it came from, which may not travel


def _together(read: list[tuple[Tensor, int] | DataError]) -> list[Tensor] | DataError:
    """A batch, or the first error in it."""
    return next((one for one in read if isinstance(one, DataError)), None) or default_collate(read)


def _begin(transform: Transform, worker: int) -> None:
    """A terminal sends its interrupt to the workers too; if they stopped by themselves, the training would fail."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _draw_anew(transform)


def _draw_anew(transform: Transform) -> None:
    """Let albumentations' own random numbers follow PyTorch's, which differ by worker and pass.

    A worker is a copy of this process, so that without this each pass of each worker would draw the same.
    """
    held = [transform]
    if inspect.isfunction(transform):  # lambda pixels: pipeline(image=pixels)["image"]
        used = inspect.getclosurevars(transform)
        held += [*used.nonlocals.values(), *used.globals.values()]
    for one in held:
        if _is_albumentations(one):
            one.set_random_seed(int(torch.randint(2**31, ())))


def _is_albumentations(transform: object) -> bool:
    return type(transform).__module__.partition(".")[0] == "albumentations" and hasattr(transform, "set_random_seed")


def _divided(
    folder: Path, train: int | None, validation: int, test: int | None, seed: int
) -> tuple[list[str], tuple[Files, Files, Files]]:
    """The classes of a folder, and its files to learn from, to choose by and to test with. test: all where None."""
    name, held_out = folder.resolve().name, _held_out(folder)
    classes, files = _listed(_training(folder))
    if len(classes) == 1:
        raise DataError(_one_class(_training(folder), classes[0]))
    if not held_out:
        if test != 0 and (near := _near(folder, "val") or _near(folder, "test")):
            raise DataError(f"{str(folder)!r} has neither val nor test beside train; there is {near.name!r}: rename it")
        if test is None:
            raise DataError(
                f"{str(folder)!r} has neither val nor test beside train; add one, or ask for test=n (data.stream calls "
                "it hold_out=n): so many of its images are held out then, 0 for none"
            )
        if test == 0:
            learnt, held = chosen(name, len(files), train, validation, seed)
            tested = []
        else:
            labels = np.array([label for _, label in files])
            most = len(files) - test - validation if train is None else train
            learnt, held, tested = divide_in_three(name, labels, most, validation, test, seed)
        return classes, tuple([files[i] for i in part] for part in (learnt, held, tested))
    if held_out.resolve() == _training(folder).resolve():
        raise DataError(f"train and {held_out.name} of {str(folder)!r} are the same folder: nothing would be tested")
    test_classes, test_files = _listed(held_out)
    if test_classes != classes:
        odd = ", ".join(sorted(set(classes) ^ set(test_classes)))
        raise DataError(f"train and {held_out.name} of {str(folder)!r} must have the same classes; these differ: {odd}")
    learnt, held = chosen(name, len(files), train, validation, seed)
    tested = chosen_for_test(name, len(test_files), test, seed)
    return classes, ([files[i] for i in learnt], [files[i] for i in held], [test_files[i] for i in tested])


def _training(folder: Path) -> Path:
    """Where the classes of the training images lie: in train, or, of a folder of nothing but classes, in itself."""
    if (folder / "train").is_dir():
        return folder / "train"
    if near := _near(folder, "train"):
        raise DataError(f"no folder {str(folder / 'train')!r}; there is {near.name!r}: rename it to 'train'")
    return folder / "train" if _held_out(folder) else folder


def _held_out(folder: Path) -> Path | None:
    """The folder of the test images, if there is one."""
    return next((folder / part for part in ("val", "test") if (folder / part).is_dir()), None)


_NEAR = {  # what the parts are called elsewhere
    "train": ("training", "trainset", "train_set", "train_images"),
    "val": ("validation", "valid", "valset", "val_set", "val_images", "dev", "eval"),
    "test": ("testing", "testset", "test_set", "test_images"),
}


def _near(folder: Path, part: str) -> Path | None:
    """A folder whose name is nearly that of a part."""
    if not folder.is_dir():
        return None
    names = {part, *_NEAR[part]}
    return next((path for path in sorted(folder.iterdir()) if path.is_dir() and path.name.lower() in names), None)


def _about(folder: Path) -> str:
    return f"The image folder {folder.resolve()}. Licence: see where it came from."


def _listed(folder: Path) -> tuple[list[str], Files]:
    """The classes (the names of the subfolders, sorted) and every image file with the number of its class.

    Hidden files and folders are passed over; pictures of a kind that cannot be read are, too, with a warning.
    """
    if not folder.is_dir():
        raise DataError(f"no folder {str(folder)!r}; the images of a class lie in {str(folder / '<class>')!r}")
    of_class: dict[str, list[Path]] = {}  # a Mac may write é as two signs: one class, whoever wrote it
    for path in folder.iterdir():
        if path.is_dir() and not picture.is_hidden(path):
            of_class.setdefault(normalize("NFC", path.name), []).extend(_files(path, (folder.resolve(),)))
    classes = sorted(of_class)
    known, files, unread = picture.suffixes(), [], []
    for label, name in enumerate(classes):
        images = sorted(path for path in of_class[name] if path.suffix.lower() in known)
        others = sorted(path for path in of_class[name] if picture.is_unread(path))
        if not images:
            reason = f"{_counted(others)} cannot be read; " if others else ""
            raise DataError(f"no image in {str(folder / name)!r}; {reason}known are {', '.join(sorted(known))}")
        files += [(path, label) for path in images]
        unread += others
    if not files:
        raise DataError(f"no image in {str(folder)!r}; the images of a class lie in {str(folder / '<class>')!r}")
    if unread:
        warnings.warn(
            f"{len(unread)} pictures in {str(folder)!r} cannot be read and are left out: {_counted(unread)}. Convert "
            "them to PNG or JPEG, with such an ending, to learn from them.",
            stacklevel=5,
        )
    return classes, files


def _one_class(where: Path, name: str) -> str:
    inner = sorted(path.name for path in (where / name).glob("*") if path.is_dir() and not picture.is_hidden(path))
    deeper = f": the classes seem to lie one folder deeper ({', '.join(inner[:3])}); give that one" if inner else ""
    return f"{str(where)!r} has only one class, {name!r}, so that there is nothing to tell apart{deeper}"


def _files(folder: Path, above: tuple[Path, ...] = ()) -> list[Path]:
    """All files in a folder and its subfolders that are not hidden; a link back to a folder above is not followed."""
    found, above = [], (*above, folder.resolve())
    for path in folder.iterdir():
        if picture.is_hidden(path) or (path.is_dir() and path.resolve() in above):
            continue
        found += _files(path, above) if path.is_dir() else [path]
    return found


def _counted(paths: Sequence[Path]) -> str:
    """By kind, with an example: 2 .heic (a.heic, ...)."""
    kinds = Counter(path.suffix.lower() or "without an ending" for path in paths)
    first = {path.suffix.lower() or "without an ending": path.name for path in reversed(paths)}
    return ", ".join(f"{count} {kind} ({first[kind]}{', ...' if count > 1 else ''})" for kind, count in kinds.items())


def _decoded(files: Files) -> tuple[Tensor, Tensor]:
    images = None
    for i, (path, _) in enumerate(files):
        pixels = picture.read(path)
        if images is None:
            images = np.empty((len(files), 3, *pixels.shape[:2]), np.uint8)
        if pixels.shape[:2] != images.shape[2:]:
            (height, width), (first_height, first_width) = pixels.shape[:2], images.shape[2:]
            raise DataError(
                f"the images differ in size: {str(files[0][0])!r} has {first_width}x{first_height} pixels, "
                f"{str(path)!r} {width}x{height}; resize them to one size, or cut them to one by data.stream "
                "(--size on the command line)"
            )
        images[i] = pixels.transpose(2, 0, 1)
    return torch.from_numpy(images), torch.tensor([label for _, label in files], dtype=torch.int64)
