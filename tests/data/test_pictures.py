"""Folders as people have them: pictures of every kind, what programs leave beside them, names that are nearly right."""

import shutil
import unicodedata
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnnlab import data
from cnnlab.data import picture

RAMP = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)  # 0, 257, ...: 256 greys in 16 bits


def read(image: Image.Image, path: Path, **options) -> np.ndarray:
    image.save(path, **options)
    return picture.read(path)


@pytest.mark.parametrize("end", ["png", "tif", "pgm"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path, end):
    pixels = read(Image.fromarray(RAMP), tmp_path / f"a.{end}")
    assert pixels.shape == (16, 16, 3) and np.array_equal(pixels[..., 1].ravel(), np.arange(256))


def test_what_the_file_says_is_white_is_white(tmp_path):
    twelve_bits = Image.fromarray((RAMP // 16).astype(np.uint16))
    pixels = read(twelve_bits, tmp_path / "a.tif", tiffinfo={picture.TIFF_MAXIMUM: 4095})
    assert pixels.min() == 0 and pixels.max() == 255 and np.ptp(np.diff(pixels[..., 0].ravel().astype(int))) == 0


def test_floats_from_0_to_1_are_scaled_and_others_refused(tmp_path):
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    assert np.array_equal(read(Image.fromarray(ramp), tmp_path / "a.tif")[..., 2].ravel(), np.arange(256))
    for wrong in (ramp * 300, ramp - 0.5, ramp * np.nan):
        with pytest.raises(data.DataError, match=r"b\.tif' has floats from .* nothing says which number is white"):
            read(Image.fromarray(wrong), tmp_path / "b.tif")
    with pytest.raises(data.DataError, match=r"c\.tif' has whole numbers of 32 bits"):
        read(Image.fromarray(RAMP.astype(np.int32)), tmp_path / "c.tif")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L"])
def test_transparent_parts_are_white(tmp_path, mode):
    drawing = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    drawing.putpixel((3, 4), (0, 0, 0, 255))
    options = {}
    if mode == "P":
        drawing, options = Image.new("P", (8, 8), 0), {"transparency": 0}
        drawing.putpalette([0, 0, 0, 0, 0, 1])
        drawing.putpixel((3, 4), 1)
    elif mode == "L":
        drawing, options = Image.new("L", (8, 8), 0), {"transparency": 0}
        drawing.putpixel((3, 4), 1)
    else:
        drawing = drawing.convert(mode)
    pixels = read(drawing, tmp_path / "a.png", **options)
    assert (pixels == 255).all(2).sum() == 63 and pixels[4, 3].max() <= 1


def test_cameras_turn_pictures_by_a_note(tmp_path):
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[0] = 255
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    upright = read(image, tmp_path / "a.png", exif=exif)
    assert upright.shape == (6, 4, 3) and (upright[:, -1] == 255).all() and (upright[:, 0] == 0).all()


def test_of_a_gif_the_first_frame(tmp_path):
    frames = [Image.new("RGB", (5, 4), colour) for colour in ((200, 0, 0), (0, 200, 0))]
    assert read(frames[0], tmp_path / "a.gif", save_all=True, append_images=frames[1:])[0, 0].tolist() == [200, 0, 0]


def test_other_modes(tmp_path):
    for mode, end in (("1", "png"), ("CMYK", "jpg"), ("CMYK", "tif"), ("YCbCr", "jpg"), ("L", "bmp")):
        pixels = read(Image.new("RGB", (8, 8), "white").convert(mode), tmp_path / f"{mode}.{end}")
        assert pixels.shape == (8, 8, 3) and pixels.dtype == np.uint8 and pixels.min() > 250


def test_pictures_too_large_for_pillow_are_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    with pytest.raises(data.DataError, match=r"a\.png' cannot be read as an image .*exceeds limit") as error:
        read(Image.new("RGB", (8, 8)), tmp_path / "a.png")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\x89PNG\r\n\x1a\n", b"II*\0\x08\0\0\0\xff\xff"])
def test_any_broken_file_is_one_line(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(data.DataError, match=r"a\.png' cannot be read as an image") as error:
        picture.read(tmp_path / "a.png")
    assert "\n" not in str(error.value)


def folder_of(root: Path, *parts: str, images: int = 3) -> Path:
    for part in parts:
        for name, colour in (("cat", 250), ("dog", 0)):
            (root / part / name).mkdir(parents=True)
            for i in range(images):
                Image.new("RGB", (8, 8), (colour, i, i)).save(root / part / name / f"{i}.png")
    return root


def plain(pixels: np.ndarray) -> torch.Tensor:
    return torch.tensor(pixels.astype(np.float32)).permute(2, 0, 1)


def test_what_programs_leave_in_folders_is_passed_over(tmp_path):
    folder = folder_of(tmp_path, "train", "val")
    for litter in ("._0.png", ".DS_Store", ".ipynb_checkpoints/0-checkpoint.png", "__MACOSX/cat/._0.png", "Thumbs.db"):
        for place in (folder / "train", folder / "train" / "cat", folder / "val" / "dog"):
            (place / litter).parent.mkdir(parents=True, exist_ok=True)
            (place / litter).write_bytes(b"no picture")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert repr(data.load(folder)) == f"{folder.name}: 6 training and 6 test images, 3x8x8, 2 classes"


def test_pictures_that_cannot_be_read_are_counted_in_one_warning(tmp_path):
    folder = folder_of(tmp_path, "train", "val")
    for name in ("a.HEIC", "b.heic", "c.psd"):
        (folder / "train" / "cat" / name).write_bytes(b"")
    with pytest.warns(UserWarning, match=r"^3 pictures in .* cannot be read .*2 \.heic \(.*, \.\.\.\), 1 \.psd \(c"):
        assert len(data.load(folder).train) == 6
    for file in (folder / "val" / "dog").iterdir():
        file.rename(file.with_suffix(".heic"))
    with pytest.raises(data.DataError, match=r"no image in .*dog'; 3 \.heic .* cannot be read; known are"):
        data.load(folder)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("train", "validation"), "'validation': rename it"),
        (("train", "Test"), "'Test': rename it"),
        (("Train", "val"), "no folder .*/train'; there is 'Train': rename it to 'train'"),
        (("training", "test"), "there is 'training': rename it to 'train'"),
    ],
)
def test_a_name_that_is_nearly_right_is_named(tmp_path, names, said):
    folder = folder_of(tmp_path, *names)
    for load in (data.load, lambda path: data.stream(path, train=plain, test=plain)):
        with pytest.raises(data.DataError, match=said):
            load(folder)


@pytest.mark.parametrize("part", ["", "train"])
def test_a_folder_without_test_images_holds_some_out(tmp_path, part):
    folder = folder_of(tmp_path, part)
    for load in (data.load, lambda path: data.stream(path, train=plain, test=plain)):
        with pytest.raises(data.DataError, match="neither val nor test beside train; add one, or ask for test=n"):
            load(folder)
    in_memory = data.load(folder, test=2, validation=1)
    streamed = data.stream(folder, train=plain, test=plain, hold_out=2, validation=1, workers=0)
    for dataset in (in_memory, streamed):
        assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [3, 1, 2]
        assert dataset.classes == ("cat", "dog") and set(dataset.test.labels.tolist()) == {0, 1}
    assert torch.equal(in_memory.test.images.float(), streamed.test.inputs())
    blind = data.stream(folder, train=plain, test=plain, hold_out=0, workers=0)
    assert len(blind.test) == 0 and len(blind.train) == 6


def test_held_out_twice_is_refused(tmp_path):
    with pytest.raises(data.DataError, match="has its own test images: leave hold_out= out"):
        data.stream(folder_of(tmp_path, "train", "val"), train=plain, test=plain, hold_out=2)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_file_or_pipeline_is_one_line_from_a_worker_too(tmp_path, workers):
    folder = folder_of(tmp_path, "train", "val")
    split = data.stream(folder, train=plain, test=plain, workers=workers).train
    (folder / "train" / "dog" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    order = torch.arange(6).split(3)
    with pytest.raises(data.DataError, match=r"^'.*dog/1\.png' cannot be read as an image \(.*\); mend") as error:
        list(split.batches(order))
    assert "\n" not in str(error.value)

    def fails(pixels):
        raise ValueError("crop is larger\nthan the image")

    split = data.stream(folder, train=fails, test=plain, workers=workers).train
    with pytest.raises(data.DataError, match=r"8x8 pixels: its pipeline ends in ValueError \(crop .* image\)$"):
        list(split.batches(order))


def test_a_pipeline_that_cannot_travel_is_said(tmp_path):
    folder = folder_of(tmp_path, "train", "val")
    split = data.stream(folder, train=lambda pixels: plain(pixels), test=plain, workers=1).train
    before = torch.multiprocessing.get_start_method()
    torch.multiprocessing.set_start_method("spawn", force=True)  # as on macOS and Windows
    try:
        with pytest.raises(data.DataError, match=r"cannot travel to the workers .* not a lambda, or workers=0"):
            list(split.batches([torch.arange(2)]))
    finally:
        torch.multiprocessing.set_start_method(before, force=True)


def test_testing_on_the_training_images_is_refused(tmp_path):
    folder = folder_of(tmp_path, "train")
    (folder / "val").symlink_to(folder / "train")
    with pytest.raises(data.DataError, match=r"train and val of .* are the same folder"):
        data.load(folder)


def test_what_lies_in_the_place_of_a_picture_is_named(tmp_path):
    for content, said in (
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"<!DOCTYPE html>", "web page"),
    ):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(data.DataError, match=rf"a\.png' cannot be read as an image \(it is .*{said}"):
            picture.read(tmp_path / "a.png")


def test_a_folder_of_one_class_is_refused_with_where_the_classes_lie(tmp_path):
    """An archive that was unpacked into a folder of its own name: all images would be of one class, 100 % right."""
    folder_of(tmp_path / "photos", "photos")
    folder_of(tmp_path / "deep", "train/images", "val/images")
    with pytest.raises(data.DataError, match=r"photos' has only one class, 'photos', .*deeper \(cat, dog\); give that"):
        data.load(tmp_path / "photos", test=2)
    with pytest.raises(data.DataError, match=r"train' has only one class, 'images'.*deeper \(cat, dog\)"):
        data.stream(tmp_path / "deep", train=plain, test=plain)
    shutil.rmtree(tmp_path / "photos" / "photos" / "dog")
    with pytest.raises(data.DataError, match=r"only one class, 'cat', so that there is nothing to tell apart$"):
        data.load(tmp_path / "photos" / "photos", test=1)


def test_a_class_is_the_same_whoever_wrote_its_name(tmp_path):
    """A Mac may write é as e and an accent: two names for a file system, and one for whoever reads them."""
    for part, form in (("train", "NFD"), ("val", "NFC")):
        for name in ("café", "thé"):
            kind = tmp_path / part / unicodedata.normalize(form, name)
            kind.mkdir(parents=True)
            Image.new("RGB", (8, 8)).save(kind / "0.png")
    loaded = data.load(tmp_path)
    assert loaded.classes == ("café", "thé") and len(loaded.train) == len(loaded.test) == 2


def test_a_link_back_is_not_followed_and_others_are(tmp_path):
    folder = folder_of(tmp_path, "train", "val")
    (folder / "train" / "cat" / "again").symlink_to(folder / "train" / "cat")
    (folder / "train" / "dog" / "all").symlink_to(folder / "train")
    for part in ("train", "val"):
        (folder / part / "wolf").symlink_to(folder / part / "dog")
    loaded = data.load(folder)
    assert loaded.classes == ("cat", "dog", "wolf") and len(loaded.train) == len(loaded.test) == 9


def test_pictures_whose_names_do_not_say_so_are_counted_in_the_warning(tmp_path):
    folder = folder_of(tmp_path, "train", "val")
    content = (folder / "train" / "cat" / "0.png").read_bytes()
    for name in ("a.jpg_large", "b", "c"):
        (folder / "train" / "cat" / name).write_bytes(content)
    (folder / "train" / "cat" / "notes.txt").write_text("of cats", encoding="utf-8")
    with pytest.warns(
        UserWarning, match=r"^3 pictures .* 1 \.jpg_large \(.*2 without an ending .* with such an ending"
    ):
        assert len(data.load(folder).train) == 6
    (folder / "train" / "cat" / "a.jpg_large").rename(folder / "train" / "cat" / "a.jpe")
    with pytest.warns(UserWarning, match="^2 pictures"):
        assert len(data.load(folder).train) == 7


def test_a_folder_may_begin_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    folder_of(tmp_path / "mine", "train", "val")
    assert len(data.load("~/mine").train) == len(data.stream("~/mine", train=plain, test=plain).train) == 6


def test_what_is_no_folder_says_what_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photos.zip").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"'photos\.zip' is a file, and no folder of images: unpack"):
        data.load("photos.zip")
    with pytest.raises(ValueError, match=f"there is no folder '{tmp_path}/mine/photos'"):
        data.load("mine/photos")
    for name, meant in (("CIFAR-10", "cifar10"), ("FashionMNIST", "fashion_mnist")):
        with pytest.raises(ValueError, match=f"Did you mean {meant}"):
            data.load(name)
