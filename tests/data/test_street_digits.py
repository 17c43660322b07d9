"""street_digits: the same bits from the same seed, splits that share nothing, quick, small and readable."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from PIL import ImageFont

from cnnlab import data
from cnnlab.data import street_digits

COST_SCRIPT = """
import re, resource, time
from pathlib import Path
from cnnlab import data
start = time.process_time()
data.load("street_digits", train=19_000, test=1_000)
seconds = time.process_time() - start
status = Path("/proc/self/status")  # where there is one: ru_maxrss counts the process that started this one too
peak = re.search("VmHWM:(.*)kB", status.read_text(encoding="utf-8"))[1] if status.exists() else 0
print(seconds, int(peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024**2)
"""


@pytest.fixture(scope="module")
def digits():
    return data.load("street_digits", train=3000, test=1000)


def test_shapes_and_types(digits):
    for split, size in ((digits.train, 3000), (digits.test, 1000)):
        assert split.images.shape == (size, 3, 32, 32) and split.images.dtype == torch.uint8
        assert split.labels.shape == (size,) and split.labels.dtype == torch.int64
    assert digits.classes == tuple("0123456789")
    default = data.load("street_digits")
    assert repr(default) == "street_digits: 4,000 training and 1,000 test images, 3x32x32, 10 classes"


def test_more_images_begin_with_the_same_ones(digits):
    fewer = data.load("street_digits", train=701, test=30)
    for few, many in ((fewer.train, digits.train), (fewer.test, digits.test)):
        assert torch.equal(few.images, many.images[: len(few)]) and torch.equal(few.labels, many.labels[: len(few)])


def test_seeds_chunks_and_splits_are_independent(digits):
    other = data.load("street_digits", train=1000, test=1000, seed=1)
    chunk = street_digits.CHUNK
    streams = [
        labels[i : i + chunk]
        for labels in (digits.train.labels[:1000], digits.test.labels, other.train.labels, other.test.labels)
        for i in (0, chunk)
    ]
    for i, one in enumerate(streams):
        for another in streams[:i]:  # one in ten agrees by chance: 50 of 500, standard deviation 6.7
            assert (one == another).sum() < 90


def test_classes_are_equally_likely(digits):
    counts = torch.bincount(digits.train.labels, minlength=10)
    assert counts.min() > 220 and counts.max() < 380  # 300 expected, standard deviation 16.4


def test_splits_share_neither_family_nor_font_nor_photograph():
    train, test = street_digits.TRAIN_FONTS, street_digits.TEST_FONTS
    assert not set(train) & set(test)
    assert not {file for files in train.values() for file in files} & {
        file for files in test.values() for file in files
    }
    assert not set(street_digits.TRAIN_PHOTOGRAPHS) & set(street_digits.TEST_PHOTOGRAPHS)


def test_families_are_those_that_the_font_files_name():
    """No file of a test family hides in a training family. (Computer Modern's files call themselves cmr10, ...)"""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for families in (street_digits.TRAIN_FONTS, street_digits.TEST_FONTS):
        for family, files in families.items():
            for file in files:
                named, _ = ImageFont.truetype(str(folder / f"{file}.ttf"), 10).getname()
                assert named.startswith(("cm", family)), (family, file, named)


def test_each_split_opens_its_own_fonts_and_photographs_only(monkeypatch):
    opened = []
    truetype, photograph = ImageFont.truetype, street_digits.photograph

    def recording_truetype(path, *args, **kwargs):
        if isinstance(path, str):
            opened.append(path.rsplit("/")[-1].removesuffix(".ttf"))
        return truetype(path, *args, **kwargs)

    monkeypatch.setattr(ImageFont, "truetype", recording_truetype)
    monkeypatch.setattr(street_digits, "photograph", lambda name: opened.append(name) or photograph(name))
    street_digits.glyph_atlas.cache_clear()
    street_digits.photograph_atlas.cache_clear()

    data.load("street_digits", train=1, test=0)
    fonts = {file for files in street_digits.TRAIN_FONTS.values() for file in files}
    assert set(opened) == fonts | set(street_digits.TRAIN_PHOTOGRAPHS)
    opened.clear()
    data.load("street_digits", train=1, test=1)
    fonts = {file for files in street_digits.TEST_FONTS.values() for file in files}
    assert set(opened) == fonts | set(street_digits.TEST_PHOTOGRAPHS)


def test_glyphs_are_whole_distinct_and_within_their_cells():
    fonts = tuple(file for files in street_digits.TRAIN_FONTS.values() for file in files)
    atlas, widths = street_digits.glyph_atlas(fonts)
    assert atlas.shape == (len(street_digits.BLURS), len(fonts), 11, street_digits.CELL, street_digits.CELL)
    assert atlas.max() <= 128 and not atlas[:, :, street_digits.BLANK].any()
    border = np.ones(atlas.shape[-2:], bool)
    border[1:-1, 1:-1] = False
    assert not atlas[..., border].any()
    digits = atlas[0, :, :10].reshape(len(fonts), 10, -1).astype(np.int64)
    for font, width in zip(digits, widths, strict=True):
        assert 20 < width < 60
        for i in range(10):
            assert all(np.abs(font[i] - font[j]).sum() > 0.1 * font[i].sum() for j in range(i))


def test_the_label_is_the_digit_in_the_middle():
    """The mean mask of each class, compared with new masks, tells the digit far better than the 10 % of chance."""
    fonts = street_digits.TRAIN_FONTS["DejaVu Sans"]
    rng = np.random.default_rng(0)
    digits = rng.integers(10, size=4000)
    masks = street_digits._masks(rng, fonts, digits).reshape(4000, -1).astype(np.float32)
    means = np.stack([masks[:3000][digits[:3000] == digit].mean(0) for digit in range(10)])
    means -= means.mean(1, keepdims=True)
    assert ((masks[3000:] @ means.T / np.linalg.norm(means, axis=1)).argmax(1) == digits[3000:]).mean() > 0.35


@pytest.mark.slow  # it measures seconds
def test_twenty_thousand_images_take_seconds_and_little_memory(run_fresh, tmp_path):
    for _ in range(2):  # the better of two, so that a busy machine is forgiven once
        seconds, gibibytes = map(float, run_fresh(COST_SCRIPT, tmp_path).split())
        assert gibibytes <= 1.5
        if seconds <= 5:
            break
    assert seconds <= 5


def test_larger_ones_are_the_same_digits_drawn_in_more_detail():
    small, large = (data.load("street_digits", train=100, test=20, size=size) for size in (32, 64))
    assert torch.equal(small.train.images, data.load("street_digits", train=100, test=20).train.images)
    assert large.train.images.shape == (100, 3, 64, 64) and torch.equal(large.test.labels, small.test.labels)

    def masks(side: int) -> torch.Tensor:
        fonts = tuple(file for files in street_digits.TRAIN_FONTS.values() for file in files)
        rng = np.random.Generator(np.random.PCG64(0))
        return torch.from_numpy(street_digits._masks(rng, fonts, rng.integers(10, size=200), side).astype(np.float32))

    halved = torch.nn.functional.avg_pool2d(masks(64)[:, None], 2)[:, 0]
    assert torch.corrcoef(torch.stack([masks(32).flatten(), halved.flatten()]))[0, 1] > 0.95
    enlarged = small.resized(64).train.images
    fine = [
        (images[..., 1:].float() - images[..., :-1].float()).abs().mean() for images in (large.train.images, enlarged)
    ]
    assert fine[0] > 1.5 * fine[1]


@pytest.mark.parametrize("size", [16, 128])
def test_sizes_beyond_those_that_are_drawn_are_resized(size):
    drawn = data.load("street_digits", train=20, test=0)
    assert torch.equal(
        data.load("street_digits", train=20, test=0, size=size).train.images, drawn.resized(size).train.images
    )
