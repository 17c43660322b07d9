"""faces: 100 faces and 100 other patches from scikit-image, a small target for transfer learning."""

import numpy as np
import torch

from cnnlab.data.dataset import Dataset, assemble, divide_in_three
from cnnlab.data.handwritten import enlarge

SIDE = 32
CLASSES = ("no face", "face")

ABOUT = """\
100 faces and 100 patches without one, cut from the photographs of Labeled Faces in the Wild (G. Huang et al., 2007),
grey, 25x25 pixels, as they come with scikit-image (`lfw_subset`); here enlarged to 32x32. Half of each class is for
training unless sizes are given. Licence: LFW was gathered from news photographs for research and states none; the
copies here are those that scikit-image (BSD) distributes."""


def load(train: int | None = None, validation: int = 0, test: int | None = None, seed: int = 0) -> Dataset:
    """1x32x32, 100 training and 100 test images, both balanced. ValueError if the sizes exceed 200 together."""
    from skimage.data import lfw_subset

    patches = lfw_subset()
    grey = enlarge((patches * 255 + 0.5).astype(np.uint8), SIDE)[:, None]
    is_face = (np.arange(len(patches)) < 100).astype(np.int64)
    images, labels = torch.from_numpy(grey), torch.from_numpy(is_face)
    parts = divide_in_three("faces", is_face, train, validation, test, seed)
    learnt, held, tested = ((images[part], labels[part]) for part in parts)
    return assemble("faces", learnt, tested, CLASSES, ABOUT, held)
