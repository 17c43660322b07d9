"""Solar cells of the package elpv-dataset: the split, what is refused, and that none of them is in the repository."""

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cnnlab import data
from cnnlab.data import DataError, solar_cells

there = pytest.mark.skipif(find_spec("elpv_dataset") is None, reason="elpv-dataset is not installed")


@there
def test_the_split_is_fixed_and_alike_on_both_sides():
    learnt, tested = solar_cells.divided()
    assert len(learnt) == 2100 and len(tested) == 524 and not set(learnt) & set(tested)
    assert tested[:8].tolist() == [1, 3, 12, 15, 19, 20, 41, 53]
    for what in ("kind", "probability"):
        values = np.array([getattr(cell, what) for cell in solar_cells.cells()])
        for value in np.unique(values):
            assert abs(np.mean(values[learnt] == value) - np.mean(values[tested] == value)) < 0.003


@pytest.mark.slow  # seconds
@there
def test_sound_or_broken_at_any_size():
    cells = data.load("solar_cells", train=300, validation=50, test=100, size=32)
    assert repr(cells) == "solar_cells: 300 training, 50 validation and 100 test images, 1x32x32, 2 classes"
    assert cells.classes == ("sound", "broken") and cells.in_rgb().train.shape == (3, 32, 32)
    assert 0.2 < cells.train.labels.float().mean() < 0.4
    whole = data.load("solar_cells", train=10, test=1)
    assert whole.train.shape == (1, 300, 300)
    fewer = data.load("solar_cells", train=10, test=1, size=32)
    assert torch.equal(fewer.train.images, cells.train.images[:10])  # the first n are the same for every n
    other = data.load("solar_cells", train=300, test=100, size=32, seed=1)
    assert not torch.equal(other.train.labels, cells.train.labels)
    assert len(data.load("solar_cells", validation=200, test=0, size=8).train) == 1900


@there
def test_what_may_be_done_with_it_is_said():
    about = data.load("solar_cells", train=1, test=0, size=8).about
    for word in ("CC BY-NC-SA 4.0", "no commercial", "elpv-dataset", "Deitsch", "Buerhop-Lutz", "both sides"):
        assert word in about
    assert "CC BY-NC-SA 4.0" in solar_cells.CREDIT and len(solar_cells.CREDIT) < 120


@there
@pytest.mark.parametrize("sizes", [{"train": 2101}, {"test": 525}, {"train": 2000, "validation": 101}, {"size": 0}])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match=r"solar_cells: (train|test|validation|size)=.* is not possible"):
        data.load("solar_cells", **sizes)


@pytest.fixture
def empty():
    """What was read of the package is forgotten before and after."""
    solar_cells.cells.cache_clear()
    yield
    solar_cells.cells.cache_clear()


def test_without_the_package_the_error_says_what_to_install(monkeypatch, empty):
    monkeypatch.setattr(solar_cells, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install elpv-dataset==1\.0\.0\.post1$"):
        data.load("solar_cells")


@pytest.mark.parametrize("labels", [None, "", "images/cell0001.png 1.0", "images/cell0001.png 1.0 mono"])
def test_a_damaged_package_is_refused(tmp_path, monkeypatch, empty, labels):
    if labels is not None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "labels.csv").write_text(labels, encoding="utf-8")
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(solar_cells, "find_spec", lambda name: found)
    with pytest.raises(DataError, match=r"is damaged .*pip install --force-reinstall"):
        data.load("solar_cells")


def test_the_pinned_version_is_the_one_that_the_error_names():
    root = Path(__file__).parents[2]
    for name in ("requirements.txt", "constraints.txt"):
        assert solar_cells.REQUIREMENT in (root / name).read_text(encoding="utf-8"), name


def test_size_is_a_number_of_pixels_for_every_set():
    assert data.load("faces", size=16).train.shape == (1, 16, 16)
    with pytest.raises(ValueError, match=r"faces: size=1\.5 is not possible; size is a whole number of pixels"):
        data.load("faces", size=1.5)


def test_a_normalisation_from_elsewhere():
    faces = data.load("faces").normalised([0.5], [0.25])
    for split in (faces.train, faces.test, faces.validation):
        assert (split.mean, split.std) == ((0.5,), (0.25,)) == (faces.mean, faces.std)
    expected = (faces.train.images.float() / 255 - 0.5) / 0.25
    torch.testing.assert_close(faces.train.inputs(), expected)
    for wrong in (([0.5] * 3, [0.5] * 3), ([0.5], [0.0])):
        with pytest.raises(ValueError, match="faces has 1 channels"):
            faces.normalised(*wrong)
