"""photos: scikit-image's own colour photographs, for galleries and kernels, and behind the digits of street_digits."""

import numpy as np
import torch

from cnnlab.data.dataset import Dataset, assemble, checked_size

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")
SIDE = 300

ABOUT = """\
Four colour photographs that come with scikit-image, the shorter side resized to 300 pixels and the centre cut out,
300x300. All are in the training split, the test split is empty. Licences: astronaut (Eileen Collins, by NASA) and
rocket (the launch of DSCOVR, by SpaceX) are in the public domain; chelsea (a cat, by Stéfan van der Walt) and coffee
(by Rachel Michetti) are CC0."""


def photograph(name: str) -> np.ndarray:
    """The whole photograph, uint8, height x width x 3. ValueError for a name that is not in `PHOTOGRAPHS`."""
    if name not in PHOTOGRAPHS:
        raise ValueError(f"no photograph is called {name!r}; there are {', '.join(PHOTOGRAPHS)}")
    from skimage import data

    return getattr(data, name)()


def centre_square(image: np.ndarray, side: int) -> np.ndarray:
    """Resize uint8 height x width x 3 until the shorter side has `side` pixels, and cut out the centre square."""
    from PIL import Image

    height, width = image.shape[:2]
    shorter = min(height, width)
    size = (round(width * side / shorter), round(height * side / shorter))
    resized = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
    top, left = (resized.shape[0] - side) // 2, (resized.shape[1] - side) // 2
    return resized[top : top + side, left : left + side]


def load(train: int | None = None, validation: int = 0, test: int | None = None, seed: int = 0) -> Dataset:
    """3x300x300, one class per photograph, always in the order of `PHOTOGRAPHS`: `seed` changes nothing.

    Each class has one image only, so that none can be held out for validation.
    """
    count = checked_size("photos", "train", len(PHOTOGRAPHS) if train is None else train, len(PHOTOGRAPHS))
    checked_size("photos", "test", 0 if test is None else test, 0)
    checked_size("photos", "validation", validation, 0)
    squares = np.stack([centre_square(photograph(name), SIDE) for name in PHOTOGRAPHS[:count]])
    images, labels = torch.from_numpy(squares).permute(0, 3, 1, 2).contiguous(), torch.arange(count)
    return assemble("photos", (images, labels), (images[:0], labels[:0]), PHOTOGRAPHS, ABOUT)
