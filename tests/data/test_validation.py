"""Images to choose by: disjoint from training and test, and asking for them changes neither."""

import numpy as np
import pytest
import torch
from PIL import Image

from cnnlab import data
from cnnlab.data import real, street_digits
from cnnlab.data.dataset import DataError, chosen

SIZES = {
    "street_digits": {"train": 60, "test": 30},
    "handwritten": {"train": 60, "test": 30},
    "faces": {"train": 60, "test": 30},
    "cifar10": {"train": 60, "test": 30},
}


@pytest.fixture
def cifar10(monkeypatch):
    """100 training and 40 test images, each of one colour of its own."""
    pixels = torch.arange(140, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 8, 8).contiguous()
    labels = torch.arange(140) % 10
    parts = {"train": (pixels[:100], labels[:100]), "test": (pixels[100:], labels[100:])}
    monkeypatch.setattr(real, "_read", lambda name, place, download=False: (parts, [f"class {i}" for i in range(10)]))


def same(one: data.Split, other: data.Split) -> bool:
    return torch.equal(one.images, other.images) and torch.equal(one.labels, other.labels) and one.mean == other.mean


def pictures(split: data.Split) -> set[bytes]:
    return {image.numpy().tobytes() for image in split.images}


@pytest.mark.parametrize("name", SIZES)
def test_training_and_test_images_stay_the_same_to_the_last_bit(name, cifar10):
    plain = data.load(name, **SIZES[name], seed=3)
    more = data.load(name, **SIZES[name], validation=20, seed=3)
    assert same(more.train, plain.train) and same(more.test, plain.test)
    assert len(plain.validation) == 0 and len(more.validation) == 20
    assert (more.validation.mean, more.validation.std) == (more.mean, more.std)
    assert not pictures(more.validation) & (pictures(more.train) | pictures(more.test))


@pytest.mark.parametrize("name", SIZES)
def test_validation_images_stay_with_another_number_of_training_images(name, cifar10):
    few, many = (data.load(name, train=train, test=20, validation=20, seed=1) for train in (10, 60))
    assert torch.equal(few.validation.images, many.validation.images)
    other = data.load(name, train=10, test=20, validation=20, seed=2)
    assert not torch.equal(few.validation.images, other.validation.images)


@pytest.mark.parametrize(
    ("name", "left"), [("handwritten", (798, 100, 899)), ("faces", (80, 20, 100)), ("cifar10", (80, 20, 40))]
)
def test_without_a_size_the_training_gives_them_where_the_set_has_no_others(name, left, cifar10):
    plain = data.load(name)
    loaded = data.load(name, validation=left[1])
    assert (len(loaded.train), len(loaded.validation), len(loaded.test)) == left
    assert pictures(loaded.train) | pictures(loaded.validation) == pictures(plain.train)
    assert torch.equal(loaded.test.images, plain.test.images)


def test_where_there_are_others_the_training_keeps_its_size():
    loaded = data.load("handwritten", test=100, validation=100)
    assert (len(loaded.train), len(loaded.validation), len(loaded.test)) == (898, 100, 100)
    assert same(loaded.train, data.load("handwritten", test=100).train)
    assert len(data.load("street_digits", validation=10).train) == 4000


def test_handwritten_takes_the_classes_in_turn():
    counts = torch.bincount(data.load("handwritten", train=100, test=100, validation=100).validation.labels)
    assert counts.min() >= 9 and counts.max() <= 11


def test_street_digits_choose_by_the_fonts_and_photographs_of_training(monkeypatch):
    used = []
    draw = street_digits.draw
    monkeypatch.setattr(street_digits, "draw", lambda *how: used.append(how) or draw(*how))
    data.load("street_digits", train=10, test=0, validation=600)
    (seed, *train), (first, *held), (second, *also_held) = used
    assert train == held == also_held  # and each with random numbers of its own
    assert len({seed.spawn_key, first.spawn_key, second.spawn_key}) == 3


@pytest.mark.parametrize(
    ("name", "sizes", "possible"),
    [
        ("handwritten", {"train": 1000, "test": 700, "validation": 98}, "0 to 97"),
        ("handwritten", {"train": 1700, "validation": 1}, "0 to 0"),
        ("cifar10", {"train": 90, "validation": 11}, "0 to 10"),
        ("cifar10", {"validation": 100}, "0 to 99"),
        ("photos", {"validation": 1}, "0 to 0"),
        ("street_digits", {"validation": -1}, "0 or more"),
        ("faces", {"validation": 100}, "0 to 99"),
        ("faces", {"validation": None}, "0 to"),
        ("street_digits", {"validation": True}, "0 or more"),
    ],
)
def test_impossible_sizes_say_what_is_possible(name, sizes, possible, cifar10):
    with pytest.raises(ValueError, match=f"validation=.* is not possible; validation is a whole .*{possible}"):
        data.load(name, **sizes)


def test_it_says_how_many_there_are_only_where_there_are():
    assert repr(data.load("street_digits", train=20, test=10, validation=5)) == (
        "street_digits: 20 training, 5 validation and 10 test images, 3x32x32, 10 classes"
    )
    assert "validation" not in repr(data.load("street_digits", train=20, test=10))


def test_choosing_tests_on_them_and_leaves_the_test_images_out():
    loaded = data.load("street_digits", train=20, test=10, validation=5)
    choosing = loaded.choosing()
    assert choosing.test is loaded.validation and choosing.train is loaded.train and len(choosing.validation) == 0
    with pytest.raises(ValueError, match="no images to choose by: load it with validation=n"):
        choosing.choosing()


def test_every_change_of_a_set_changes_them_too():
    grey = data.load("handwritten", train=30, test=10, validation=10)
    for changed in (grey.in_rgb(), grey.resized(16), grey.in_rgb().resized(16)):
        assert changed.validation.shape == changed.train.shape and changed.validation.mean == changed.mean
        assert torch.equal(changed.validation.labels, grey.validation.labels)
    assert grey.without_test().validation is grey.validation
    held_out = grey.hold_out(5)
    assert (len(held_out.train), len(held_out.test)) == (25, 5)
    assert torch.equal(held_out.validation.images, grey.validation.images)


def test_indices_of_a_training_part():
    for train in (None, 1, 50):
        learnt, held = chosen("x", 100, train, 20, seed=0)
        assert not set(learnt) & set(held) and len(held) == 20 and len(learnt) == (80 if train is None else train)
    assert chosen("x", 100, None, 0, seed=0)[0].tolist() == list(range(100))


@pytest.fixture
def folder(tmp_path):
    for part, count in (("train", 6), ("val", 2)):
        for label, name in enumerate(("cat", "dog")):
            (tmp_path / part / name).mkdir(parents=True)
            for i in range(count):
                Image.new("RGB", (4, 4), (i * 20, 100 * label, 200)).save(tmp_path / part / name / f"{i}.png")
    return tmp_path


def test_an_image_folder_holds_them_out_of_its_training_files(folder):
    loaded = data.load(folder, validation=4)
    assert (len(loaded.train), len(loaded.validation), len(loaded.test)) == (8, 4, 4)
    assert pictures(loaded.train) | pictures(loaded.validation) == pictures(data.load(folder).train)
    assert len(data.load(folder, train=3, validation=4).train) == 3
    assert same(data.load(folder, train=3, validation=4).train, data.load(folder, train=3).train)


def test_a_streamed_folder_cuts_them_as_test_images(folder):
    def tensor(value: float):
        return lambda pixels: torch.full((3, 4, 4), value) + torch.tensor(np.float32(pixels)).permute(2, 0, 1)

    streams = data.stream(folder, train=tensor(1000.0), test=tensor(0.0), validation=4, workers=0)
    assert repr(streams) == f"{folder.name}: 8 training, 4 validation and 4 test images, 3x4x4, 2 classes"
    assert streams.train.inputs().min() >= 1000 > streams.validation.inputs().max()
    assert not {path for path, _ in streams.train.files} & {path for path, _ in streams.validation.files}
    assert streams.choosing().test is streams.validation


def test_a_streamed_folder_says_what_it_cannot_do_and_does_the_rest(folder):
    def plain(pixels):
        return torch.tensor(np.float32(pixels)).permute(2, 0, 1)

    streams = data.stream(folder, train=plain, test=plain, workers=0)
    with pytest.raises(DataError, match="is streamed: its images are cut to size by its pipelines"):
        streams.resized(16)
    with pytest.raises(DataError, match="is streamed: move some of its training files"):
        streams.hold_out(3)
    assert streams.in_rgb() is streams  # a file is read in colour
    blind = streams.without_test()
    assert len(blind.test) == 0 and len(blind.train) == 12 and "0 test images" in repr(blind)
    assert repr(blind.test) == "0 images in files"
