"""What users rely on in training.Augment and training.pipelines."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from cnnlab import data, models, training
from cnnlab.training import Augment, pipelines

ALL = {
    "flip": True,
    "shift": 3,
    "rotate": 10,
    "zoom": 0.2,
    "shear": 0.1,
    "contrast": 0.3,
    "brightness": 0.3,
    "erase": 8,
}
DEVICES = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def drawn(augment: Augment, images: torch.Tensor, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return augment(images)


def always(value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every random number in 0..1 from now on: 1 is the strongest change in one direction, 0.5 is none."""
    monkeypatch.setattr(
        torch, "rand", lambda size, device=None: torch.full((size,) if isinstance(size, int) else size, value)
    )


def test_nothing_asked_is_nothing_done(images):
    assert torch.equal(Augment()(images), images)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("strength", [{name: value} for name, value in ALL.items()] + [ALL], ids=lambda s: "+".join(s))
def test_each_change_keeps_form_and_input_and_differs_from_image_to_image(images, strength, device):
    same = images[:1].expand(64, -1, -1, -1).contiguous().to(device)
    before = same.clone()
    out = drawn(Augment(**strength), same)
    assert out.shape == same.shape and out.dtype == same.dtype and out.device == same.device and out.isfinite().all()
    assert torch.equal(same, before)
    assert len(out.flatten(1).unique(dim=0)) >= (2 if strength == {"flip": True} else 15)


@pytest.mark.parametrize("strength", [{name: value} for name, value in ALL.items()] + [ALL], ids=lambda s: "+".join(s))
def test_it_follows_the_seed(images, strength):
    augment = Augment(**strength)
    first = drawn(augment, images)
    assert torch.equal(first, drawn(augment, images)) and not torch.equal(first, drawn(augment, images, seed=1))


def test_half_of_the_images_are_mirrored(images):
    out = drawn(Augment(flip=True), images.repeat(8, 1, 1, 1))
    mirrored = (out == images.repeat(8, 1, 1, 1).flip(3)).all((1, 2, 3))
    kept = (out == images.repeat(8, 1, 1, 1)).all((1, 2, 3))
    assert (mirrored ^ kept).all() and 200 < mirrored.sum() < 312


def test_a_shift_is_a_window_of_the_image_and_its_mirror_images(images):
    padded = F.pad(images, (2,) * 4, mode="reflect")
    out, seen = drawn(Augment(shift=2), images), set()
    for index in range(64):
        where = [
            (y, x)
            for y in range(5)
            for x in range(5)
            if torch.equal(out[index], padded[index, :, y : y + 32, x : x + 32])
        ]
        assert len(where) == 1
        seen |= set(where)
    assert len(seen) > 15 and {0, 4} < {y for y, _ in seen} and {0, 4} < {x for _, x in seen}


@pytest.mark.parametrize("size", [(32, 32), (40, 56)])
def test_a_turn_of_nothing_puts_every_pixel_back(size):
    images = torch.randn(4, 3, *size)
    assert torch.allclose(Augment(rotate=1e-6)(images), images, atol=1e-3)


def test_a_quarter_turn_is_rot90(images, monkeypatch):
    always(1.0, monkeypatch)
    out = Augment(rotate=90)(images)
    quarter = [torch.allclose(out, torch.rot90(images, k, (2, 3)), atol=1e-3) for k in (1, 3)]
    assert any(quarter)


def test_turning_an_oblong_image_shears_nothing(monkeypatch):
    y, x = torch.meshgrid(torch.arange(40) - 19.5, torch.arange(56) - 27.5, indexing="ij")
    disc = torch.exp(-(x**2 + y**2) / 20)[None, None]
    always(0.9, monkeypatch)
    assert (Augment(rotate=90)(disc) - disc)[
        ..., 10:30, 18:38
    ].abs().max() < 0.03  # a disc stays one, whatever the angle


def test_a_zoom_of_one_doubles_a_square(monkeypatch):
    square = torch.zeros(1, 1, 32, 32)
    square[..., 12:20, 12:20] = 1
    always(1.0, monkeypatch)
    assert Augment(zoom=1)(square).sum() == pytest.approx(4 * 64, rel=0.02)
    always(0.0, monkeypatch)
    assert Augment(zoom=1)(square)[..., 8:24, 8:24].sum() == pytest.approx(64 / 4, rel=0.02)  # outside: mirror images


def test_shear_moves_the_rows_against_each_other(monkeypatch):
    line = torch.zeros(1, 1, 33, 33)
    line[..., 16] = 1
    always(1.0, monkeypatch)
    columns = Augment(shear=0.5)(line)[0, 0].argmax(1)
    assert abs(columns[26] - columns[6]).item() == 10  # half a pixel a row, over twenty rows


def test_flip_and_shift_work_in_the_same_interpolation_too(images, monkeypatch):
    always(0.25, monkeypatch)  # below one half: mirrored; a shift of -2; a turn of nearly nothing
    out = Augment(rotate=1e-6, shift=4, flip=True)(images)
    expected = images.flip(3).roll((2, -2), (2, 3))
    inside = slice(6, 26)
    close = [torch.allclose(out[..., inside, inside], e[..., inside, inside], atol=1e-3)
             for e in (expected, images.flip(3).roll((2, 2), (2, 3)))]  # fmt: skip
    assert any(close)


def test_contrast_keeps_the_mean_and_brightness_the_rest(images):
    means = images.mean((1, 2, 3))
    contrasted = drawn(Augment(contrast=0.5), images)
    ratio = contrasted.std((1, 2, 3)) / images.std((1, 2, 3))
    assert torch.allclose(contrasted.mean((1, 2, 3)), means, atol=1e-5)
    assert 0.5 <= ratio.min() < 0.6 and 1.4 < ratio.max() <= 1.5001
    added = drawn(Augment(brightness=0.5), images) - images
    assert added.std((1, 2, 3)).max() < 1e-5
    assert -0.5 <= added.min() < -0.4 and 0.4 < added.max() <= 0.5


def test_a_square_is_erased_at_every_place_in_turn():
    out = drawn(Augment(erase=4), torch.ones(2000, 3, 12, 10))
    assert (out.eq(0).sum((1, 2, 3)) == 3 * 16).all()
    assert (out == 0).any(0).all()  # the corners too


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_floats_and_memory_formats(images, dtype):
    out = drawn(Augment(**ALL), images.to(dtype, memory_format=torch.channels_last))
    assert out.dtype == dtype and out.isfinite().all()


def test_a_batch_of_none(images):
    assert Augment(**ALL)(images[:0]).shape == (0, 3, 32, 32)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shift": -1}, "shift"),
        ({"shift": 1.5}, "whole pixels"),
        ({"erase": 2.5}, "whole pixels"),
        ({"contrast": 2}, "negatives"),
        ({"rotate": float("nan")}, "rotate"),
        ({"brightness": float("inf")}, "brightness"),
    ],
)
def test_impossible_strengths_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Augment(**wrong)


def test_images_of_the_wrong_form_are_refused(images):
    for wrong in (images[0], (images * 50).to(torch.uint8)):
        with pytest.raises(ValueError, match=r"\(N, C, H, W\) floats"):
            Augment(flip=True)(wrong)
    for large in (Augment(shift=32), Augment(erase=33)):
        with pytest.raises(ValueError, match="must fit"):
            large(images)


def test_fit_augments_the_training_images_and_only_those():
    digits = data.load("handwritten", train=40, test=30)
    batches = []

    def spy(images: torch.Tensor) -> torch.Tensor:
        batches.append(len(images))
        return Augment(**ALL)(images)

    def trained(augment) -> list[float]:
        torch.manual_seed(0)
        run = training.fit(models.get_model("lenet5"), digits, epochs=2, batch_size=16, augment=augment, progress=False)
        return [run.history[-1].train_loss, run.history[-1].test_loss]

    assert trained(spy) == trained(Augment(**ALL)) != trained(None)
    assert batches == [16, 16, 8] * 2


# The pipelines


@pytest.fixture
def photo() -> np.ndarray:
    return data.load("photos").train.images[0].permute(1, 2, 0).numpy()


def test_the_test_pipeline_is_resize_crop_normalise_and_no_more(photo):
    planes = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].float()
    resized = F.interpolate(planes, size=(256, 256), mode="bilinear", antialias=True)[0, :, 16:240, 16:240] / 255
    expected = (resized - torch.tensor(pipelines.MEAN).view(3, 1, 1)) / torch.tensor(pipelines.STD).view(3, 1, 1)
    got = pipelines.torchvision_test()(photo)
    assert got.shape == (3, 224, 224) and got.dtype == torch.float32 and type(got) is torch.Tensor
    assert (got - expected).abs().max() <= 1.01 / 255 / min(pipelines.STD)  # torchvision rounds to grey levels twice
    assert torch.equal(got, pipelines.torchvision_test()(photo))


def test_the_two_libraries_agree_to_one_grey_level_without_antialiasing(photo):
    levels = 255 * torch.tensor(pipelines.STD).view(3, 1, 1)
    theirs = pipelines.albumentations_test()(image=photo)["image"]
    ours = pipelines.torchvision_test(antialias=False)(photo)
    assert theirs.shape == ours.shape and theirs.dtype == ours.dtype
    assert ((ours - theirs).abs() * levels).max() < 1.01
    assert ((pipelines.torchvision_test()(photo) - theirs).abs() * levels).max() > 5  # and with it they do not


def test_the_training_pipelines_are_random_and_follow_their_seeds(photo):
    torchvision, albumentations = pipelines.torchvision_train(64), pipelines.albumentations_train(64, seed=0)
    torch.manual_seed(0)
    first = [torchvision(photo) for _ in range(3)]
    torch.manual_seed(0)
    assert all(torch.equal(a, torchvision(photo)) for a in first) and not torch.equal(first[0], first[1])
    first = [albumentations(image=photo)["image"] for _ in range(3)]
    again = pipelines.albumentations_train(64, seed=0)
    assert all(torch.equal(a, again(image=photo)["image"]) for a in first) and not torch.equal(first[0], first[1])
    assert first[0].shape == (3, 64, 64) and first[0].dtype == torch.float32


def test_normalising_can_be_taken_back(photo):
    pixels = torch.from_numpy(photo.copy()).permute(2, 0, 1)
    normal = pipelines.normalize(pixels)
    assert torch.allclose(normal[0], (pixels[0] / 255 - 0.485) / 0.229, atol=1e-6)
    assert torch.equal((pipelines.denormalize(normal) * 255).round().to(torch.uint8), pixels)
    digits = data.load("street_digits", train=20, test=1)
    inputs = digits.train.inputs()
    assert torch.allclose(pipelines.normalize(digits.train.images, digits.mean, digits.std), inputs, atol=1e-5)
    back = pipelines.denormalize(inputs, digits.mean, digits.std)
    assert torch.allclose(back, digits.train.images / 255, atol=1e-5)


@pytest.mark.slow  # a process
def test_importing_the_package_loads_neither_library_and_keeps_albumentations_off_the_network():
    code = "import sys, os; from cnnlab import training"
    code += "; print('albumentations' in sys.modules, os.environ['NO_ALBUMENTATIONS_UPDATE'])"
    environment = {name: value for name, value in os.environ.items() if name != "NO_ALBUMENTATIONS_UPDATE"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout.split() == ["False", "1"], done.stderr
