"""handwritten, faces and photos: where the images come from, and how a pool is divided."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from cnnlab import data
from cnnlab.data import photos
from cnnlab.data.dataset import divide


@pytest.mark.parametrize("train, test", [(None, None), (1500, None), (None, 1500), (1, 1796), (10, 20)])
def test_division_is_disjoint_and_has_the_sizes_asked_for(train, test):
    labels = load_digits().target
    front, end = divide("handwritten", labels, train, test, seed=3)
    assert not set(front) & set(end)
    if train is not None:
        assert len(front) == train
    if test is not None:
        assert len(end) == test
    if train is None or test is None:
        assert sorted([*front, *end]) == list(range(1797))


def test_division_depends_on_the_seed_alone():
    labels = np.arange(100) % 10
    assert np.array_equal(divide("x", labels, 50, 50, 1)[0], divide("x", labels, 50, 50, 1)[0])
    assert not np.array_equal(divide("x", labels, 50, 50, 1)[0], divide("x", labels, 50, 50, 2)[0])
    assert np.array_equal(divide("x", labels, 50, 50, 1)[0][:20], divide("x", labels, 20, 50, 1)[0])
    assert np.array_equal(divide("x", labels, 50, 30, 1)[1], divide("x", labels, 20, 30, 1)[1])


def test_few_labels_are_the_same_number_of_each_class():
    for per_class in (1, 5):
        labels = data.load("handwritten", train=10 * per_class).train.labels
        assert torch.bincount(labels, minlength=10).tolist() == [per_class] * 10


def test_handwritten_is_scikit_learns_digits_enlarged_in_the_centre():
    dataset = data.load("handwritten")
    assert repr(dataset) == "handwritten: 898 training and 899 test images, 1x32x32, 10 classes"
    images = torch.cat([dataset.train.images, dataset.test.images])
    frame = torch.ones(32, 32, dtype=torch.bool)
    frame[2:30, 2:30] = False
    assert not images[:, 0, frame].any() and images.max() == 255

    # Shrunk again, the image is its own original's nearest: which one that is comes from the division.
    original = load_digits()
    train, _ = divide("handwritten", original.target, None, None, 0)
    assert dataset.train.labels.tolist() == original.target[train].tolist()
    small = torch.nn.functional.adaptive_avg_pool2d(dataset.train.images[:, :, 2:30, 2:30].float(), 8)[:, 0].flatten(1)
    distances = torch.cdist(small, torch.tensor(original.data, dtype=torch.float32) * 255 / 16)
    assert (distances.argmin(1).numpy() == train).mean() > 0.99


def test_faces_are_balanced_and_rightly_labelled():
    from skimage.data import lfw_subset

    dataset = data.load("faces")
    assert repr(dataset) == "faces: 100 training and 100 test images, 1x32x32, 2 classes"
    for split in (dataset.train, dataset.test):
        assert torch.bincount(split.labels).tolist() == [50, 50]
    assert dataset.classes[1] == "face"
    small = torch.nn.functional.adaptive_avg_pool2d(dataset.test.images.float(), 8)[:, 0].flatten(1)
    patches = torch.nn.functional.adaptive_avg_pool2d(torch.tensor(lfw_subset())[:, None].float() * 255, 8).flatten(1)
    is_face = torch.cdist(small, patches).argmin(1) < 100  # the first hundred are the faces
    assert torch.equal(is_face.long(), dataset.test.labels)


def test_photos_are_squares_named_by_their_class():
    dataset = data.load("photos")
    assert dataset.train.images.shape == (4, 3, 300, 300) and len(dataset.test) == 0
    assert dataset.classes == ("astronaut", "chelsea", "coffee", "rocket")
    chelsea = photos.photograph("chelsea")  # 300 pixels high: cut, not resized
    left = (chelsea.shape[1] - 300) // 2
    assert np.array_equal(dataset.train.images[1].permute(1, 2, 0).numpy(), chelsea[:, left : left + 300])
    with pytest.raises(ValueError, match="no photograph is called 'dog'; there are astronaut"):
        photos.photograph("dog")
