"""Images to learn from: four small sets that come with the package, one that has a package of its own, and real ones
where there is a network or a copy.

>>> from cnnlab import data
>>> data.load("street_digits")
street_digits: 4,000 training and 1,000 test images, 3x32x32, 10 classes
"""

from difflib import get_close_matches
from numbers import Integral
from pathlib import Path

from cnnlab import files
from cnnlab.data import faces, folder, handwritten, photos, real, solar_cells, street_digits
from cnnlab.data.dataset import DataError, Dataset, Images, Split, assemble, checked_size
from cnnlab.data.folder import Stream, stream

__all__ = ["DataError", "Dataset", "Images", "Split", "Stream", "assemble", "load", "names", "stream"]

_EMBEDDED = {
    "street_digits": street_digits.load,
    "handwritten": handwritten.load,
    "faces": faces.load,
    "photos": photos.load,
}
_SOLAR = "solar_cells"  # of the package elpv-dataset


def names() -> list[str]:
    """What `load` knows: first the sets that need no network, then those that are downloaded."""
    return [*_EMBEDDED, _SOLAR, *real.SOURCES]


def load(
    name: str | Path,
    *,
    train: int | None = None,
    validation: int = 0,
    test: int | None = None,
    seed: int = 0,
    root: str | Path | None = None,
    size: int | None = None,
) -> Dataset:
    """Load a data set by its name, or an image folder by its path.

    `train` and `test` limit the number of images, `seed` says which ones. `validation` asks for so many images to
    choose rates and networks by, so that the test images need not be used for it: they come from where the training
    images come from, and are neither trained on nor tested with. They are others than the `train` images asked for,
    which stay the same ones, as do the test images; without `train`, a set that has no others takes them out of the
    training. `Dataset.choosing` tests on them.

    `root` is the folder where the real sets lie or are downloaded to. By default it is one for all: the folder of the
    environment variable CNNLAB_DATA; else `data/downloads` of the checkout of cnnlab; else `cnnlab` in the user's cache
    folder. A path as `name` must lead to a folder in ImageNet's layout, `train/<class>/*.jpg` and `val/<class>/*.jpg`,
    or of nothing but classes, of which `test` images are then held out, with all images of one size; others, and large
    ones, take `stream`.

    `size` asks for so many pixels a side. Photographs of solar_cells are then read at that size, and take no more
    memory; street_digits are drawn at it, from 32 to 96 pixels; every other set is loaded and `resized`.

    Raises ValueError for an unknown name and for impossible sizes, OSError for a `root` that cannot be used, and
    `DataError` for a set that is damaged, or missing and not to be had.

    >>> data.load("street_digits", train=2000, validation=500)
    street_digits: 2,000 training, 500 validation and 1,000 test images, 3x32x32, 10 classes
    >>> data.load("cifar10", train=5000, root="/data").train.images.shape  # doctest: +SKIP
    torch.Size([5000, 3, 32, 32])
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"seed={seed!r} is not possible; seed is a whole number, 0 or more")
    if size is not None:
        checked_size(str(name), "size", size)
        drawn = name == "street_digits" and street_digits.SIDE <= size <= street_digits.LARGEST
        if name != _SOLAR and not drawn:
            return load(name, train=train, validation=validation, test=test, seed=seed, root=root).resized(size)
    if name in real.SOURCES:
        return real.load(name, train, validation, test, seed, root)
    embedded = name in _EMBEDDED or name == _SOLAR
    path = files.place(str(name))
    if root is not None and (embedded or path.is_dir()):
        raise ValueError(f"{name} is not read from a root folder: leave root= out")
    if name == _SOLAR:
        return solar_cells.load(train, validation, test, seed, size)
    if size is not None:
        return street_digits.load(train, validation, test, seed, size)
    if embedded:
        return _EMBEDDED[name](train, validation, test, seed)
    if path.is_dir():
        return folder.load_folder(path, train, validation, test, seed)
    if path.is_file():
        raise ValueError(f"{str(path)!r} is a file, and no folder of images: unpack an archive first")
    if len(path.parts) > 1:
        raise ValueError(f"there is no folder {str(path.absolute())!r}")
    near = get_close_matches(str(name).lower(), names(), cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    known = ", ".join(names())
    raise ValueError(f"no data set is called {str(name)!r}.{hint} There are {known}, and any image folder by its path")
