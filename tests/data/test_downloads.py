"""Downloads have one place, whatever the current folder is."""

import sys
import warnings
from pathlib import Path

import pytest
import torch

import cnnlab
from cnnlab import data
from cnnlab.data import real

NAMES = ("CNNLAB_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA")


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """As if the package had been imported from site-packages, by a user whose home is `tmp_path`."""
    package = tmp_path / "site-packages" / "cnnlab"
    package.mkdir(parents=True)
    monkeypatch.setattr(real, "files", lambda name: package)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def sets(monkeypatch):
    """Which folders hold cifar10, and which were asked to download it."""
    pixels, labels = torch.zeros(20, 3, 4, 4, dtype=torch.uint8), torch.arange(20) % 10
    holding, downloaded = set(), []

    def read(name, place, download=False):
        if place.absolute() not in holding:
            raise RuntimeError("not here")
        return {"train": (pixels, labels), "test": (pixels, labels)}, list("0123456789")

    def download(name, places):
        downloaded.append(places[0])
        holding.add(places[0].absolute())
        return read(name, places[0])

    monkeypatch.setattr(real, "_read", read)
    monkeypatch.setattr(real, "_download", download)
    return holding, downloaded


def test_a_checkout_keeps_them_beside_its_other_data():
    root = Path(cnnlab.__file__).parents[1]
    assert real.downloads() == root / "data" / "downloads"
    assert "/data/downloads/" in (root / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("platform", "environment", "place"),
    [
        ("linux", {}, ".cache/cnnlab"),
        ("linux", {"XDG_CACHE_HOME": "{}/elsewhere"}, "elsewhere/cnnlab"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, ".cache/cnnlab"),
        ("darwin", {}, "Library/Caches/cnnlab"),
        ("win32", {"LOCALAPPDATA": "{}/local"}, "local/cnnlab"),
        ("win32", {}, "AppData/Local/cnnlab"),
        ("linux", {"CNNLAB_DATA": "{}/mine"}, "mine"),
    ],
)
def test_elsewhere_they_are_in_the_users_cache(installed, monkeypatch, platform, environment, place):
    monkeypatch.setattr(sys, "platform", platform)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(installed))
    assert real.downloads() == installed / place


def test_the_current_folder_makes_no_difference(tmp_path, monkeypatch, sets):
    _, downloaded = sets
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "place"))
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        assert len(data.load("cifar10").train) == 20
    assert downloaded == [tmp_path / "place"]


def test_root_comes_before_the_environment(tmp_path, monkeypatch, sets):
    _, downloaded = sets
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "place"))
    data.load("cifar10", root=tmp_path / "given")
    assert downloaded == [tmp_path / "given"]


def test_what_lies_in_datasets_from_before_is_read_with_a_word_and_not_downloaded_again(tmp_path, monkeypatch, sets):
    holding, downloaded = sets
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "place"))
    monkeypatch.chdir(tmp_path)
    holding.add(tmp_path / "datasets")
    with pytest.warns(UserWarning, match=r"datasets', which is no longer where downloads go: move .*place"):
        data.load("cifar10")
    assert downloaded == []
    holding.add(tmp_path / "place")  # moved, or copied
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data.load("cifar10")
    with pytest.raises(UserWarning), warnings.catch_warnings():
        warnings.simplefilter("error")
        holding.remove(tmp_path / "place")
        data.load("cifar10")


def test_datasets_in_the_current_folder_is_not_asked_where_root_is_given(tmp_path, monkeypatch, sets):
    holding, downloaded = sets
    monkeypatch.chdir(tmp_path)
    holding.add(tmp_path / "datasets")
    data.load("cifar10", root=tmp_path / "given")
    assert downloaded == [tmp_path / "given"]


def test_a_place_that_is_a_file_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "file"))
    with pytest.raises(NotADirectoryError, match=r"CNNLAB_DATA=.* is a file; give the folder"):
        data.load("cifar10")
