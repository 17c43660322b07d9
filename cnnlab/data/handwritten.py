"""handwritten: scikit-learn's 1,797 real digits, in the frame that LeNet-5 expects."""

import numpy as np
import torch

from cnnlab.data.dataset import Dataset, assemble, divide_in_three

SIDE = 32
DIGIT = 28  # LeCun et al. 1998, section III.A: 28x28 digits in the centre of a 32x32 field

ABOUT = """\
1,797 digits written by hand by 13 people, 8x8 pixels with 17 grey levels: the test set of the UCI "Optical Recognition
of Handwritten Digits" (E. Alpaydin and C. Kaynak, 1998), as it comes with scikit-learn. Here they are enlarged smoothly
to 28x28 and set in the centre of a black 32x32 field, with bright ink. Training and test images are taken from one pool
at random, so that both may have digits of the same writer. Licence: CC BY 4.0 (UCI Machine Learning Repository)."""


def enlarge(images: np.ndarray, side: int) -> np.ndarray:
    """Resize grey uint8 images, N x H x W, to N x side x side with bicubic interpolation."""
    from PIL import Image

    resample = Image.Resampling.BICUBIC
    return np.stack([np.asarray(Image.fromarray(image).resize((side, side), resample)) for image in images])


def load(train: int | None = None, validation: int = 0, test: int | None = None, seed: int = 0) -> Dataset:
    """1x32x32, 898 training and 899 test images unless sizes are given. ValueError if they exceed 1,797 together."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = (digits.images.astype(np.int64) * 255 // 16).astype(np.uint8)
    margin = (SIDE - DIGIT) // 2
    padded = np.pad(enlarge(grey, DIGIT), ((0, 0), (margin, margin), (margin, margin)))[:, None]
    images, labels = torch.from_numpy(padded), torch.from_numpy(digits.target.astype(np.int64))
    parts = divide_in_three("handwritten", digits.target, train, validation, test, seed)
    learnt, held, tested = ((images[part], labels[part]) for part in parts)
    return assemble("handwritten", learnt, tested, tuple("0123456789"), ABOUT, held)
