"""street_digits: printed digits on photographs, drawn from a seed; a stand-in for SVHN that needs no download.

An image is two lookups. The *glyph atlas* holds each digit of each font, large and blurred beforehand: a random affine
map (scale, rotation, shear) says which place of it each pixel shows, and nothing is interpolated, since the blur has
smoothed the edges already. The *photograph atlas* gives the background. The rest is mixing:
background + mask * (ink - background) + noise.

The bits depend on the seed alone. Random numbers are integers and binary fractions from PCG64; all else is addition,
multiplication, division and comparison, which IEEE 754 rounds alike on every machine: no sine, no exponential.

The ranges below were chosen by trial: people read nearly every image, and after 5 epochs on 4,000 of them LeNet-5 with
tanh is right in 50 to 57 % of the test images, a ResNet-20 with 8 channels in 94 to 96 %.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from cnnlab.data.dataset import Dataset, assemble, checked_size
from cnnlab.data.photos import photograph

# Families and the files of their styles, all from matplotlib; test has families and photographs of its own.
TRAIN_FONTS = {
    "DejaVu Sans": ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    "DejaVu Sans Mono": (
        "DejaVuSansMono",
        "DejaVuSansMono-Bold",
        "DejaVuSansMono-Oblique",
        "DejaVuSansMono-BoldOblique",
    ),
    "DejaVu Serif": ("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic"),
    "Computer Modern Roman": ("cmr10", "cmb10", "cmti10"),
    "Computer Modern Typewriter": ("cmtt10",),
}
TEST_FONTS = {
    "STIX": ("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    "Computer Modern Sans": ("cmss10",),
}
TRAIN_PHOTOGRAPHS = ("astronaut", "coffee")
TEST_PHOTOGRAPHS = ("chelsea", "rocket")

SIDE = 32  # of an image, in pixels, where no other is asked for
LARGEST = 96  # side that can be drawn: the smallest photograph has 100 pixels
CHUNK = 500  # images drawn at once from a random stream of their own: with another value every image is another
# Of the atlas for images of SIDE pixels; larger images have a larger atlas, so that they show more detail.
GLYPH = 48  # height of a digit in the atlas
CELL = 80  # height and width of its cell there: the widest digit, its blur and a blank border
BLURS = (3, 5)  # width of the box that blurs a digit, in atlas pixels, of which an image's pixel has 2 to 3
BLANK = 10  # after the cells of the ten digits, the one without any
CALM = 32  # greatest mean deviation, in grey levels, of a background from its own mean

ABOUT = """\
Printed digits over crops of photographs, with parts of other digits at the sides: a stand-in for Street View House
Numbers (Y. Netzer et al., 2011), drawn by this package from the seed, as many as are asked for. Scale, rotation, shear,
place, colour, contrast, blur and noise are random, the ten classes equally likely. Training images use the fonts DejaVu
Sans, DejaVu Sans Mono, DejaVu Serif, Computer Modern Roman and Computer Modern Typewriter over the photographs
astronaut and coffee; test images use STIX and Computer Modern Sans over chelsea and rocket, so that a network is tested
on fonts and photographs that it never saw. Licences: the fonts come with matplotlib (DejaVu: Bitstream Vera licence;
STIX: STIX Font License; Computer Modern: BaKoMa Fonts Licence), the photographs with scikit-image (astronaut by NASA
and rocket by SpaceX: public domain; chelsea by Stéfan van der Walt and coffee by Rachel Michetti: CC0)."""


@cache
def glyph_atlas(fonts: tuple[str, ...], side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """How much ink, 0..128: uint8, blurs x fonts x 11 x cell x cell; and the width of each font's widest digit.

    side: of the images that it is for, in pixels; a cell has CELL pixels for SIDE.
    """
    from PIL import Image, ImageFont

    glyph, cell = GLYPH * side / SIDE, CELL * side // SIDE

    # Found without importing matplotlib, which would make a folder in the user's home.
    folder = Path(find_spec("matplotlib").origin).parent / "mpl-data" / "fonts" / "ttf"
    cells = np.zeros((len(fonts), 11, cell, cell), np.int32)
    widths = np.zeros(len(fonts), np.float32)
    for i, name in enumerate(fonts):
        font = ImageFont.truetype(str(folder / f"{name}.ttf"), 100, layout_engine=ImageFont.Layout.BASIC)
        _, top, _, bottom = font.getmask("0").getbbox()
        font = font.font_variant(size=100 * glyph / (bottom - top))
        for digit in range(10):
            mask = font.getmask(str(digit))
            ink = np.asarray(Image.frombytes("L", mask.size, bytes(mask)).crop(mask.getbbox()))
            (height, width), (top, left) = ink.shape, (cell - np.array(ink.shape)) // 2
            cells[i, digit, top : top + height, left : left + width] = ink
            widths[i] = max(widths[i], width)
    return np.stack([_blurred(cells, box) for box in BLURS]), widths


def _blurred(cells: np.ndarray, box: int) -> np.ndarray:
    sums = cells
    for axis in (2, 3, 2, 3):  # a box twice is a triangle; what is rolled around the edge is blank
        sums = sum(np.roll(sums, shift, axis) for shift in range(-(box // 2), box // 2 + 1))
    return (sums * 128 // (255 * box**4)).astype(np.uint8)


@cache
def photograph_atlas(names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Photographs at a half and a third of their size: uint8, n x 3 x H x W, zero-padded; and each one's own H, W."""
    shrunk = []
    for name in names:
        image = photograph(name).astype(np.int32)
        for factor in (2, 3):
            height, width = image.shape[0] // factor, image.shape[1] // factor
            blocks = image[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
            shrunk.append((blocks.sum((1, 3)) // factor**2).transpose(2, 0, 1))
    sizes = np.array([image.shape[1:] for image in shrunk])
    atlas = np.zeros((len(shrunk), 3, *sizes.max(0)), np.uint8)
    for place, image in zip(atlas, shrunk, strict=True):
        place[:, : image.shape[1], : image.shape[2]] = image
    return atlas, sizes


def _between(rng: np.random.Generator, low: float, high: float, *shape: int) -> np.ndarray:
    """Uniform float32. (`rng.uniform` may be compiled to a fused multiply-add, which rounds in another way.)"""
    return (low + (high - low) * rng.random(shape)).astype(np.float32)


def _masks(rng: np.random.Generator, fonts: tuple[str, ...], digits: np.ndarray, side: int = SIDE) -> np.ndarray:
    """How much ink each pixel has, 0..128: the digit in the middle and parts of its neighbours, left and right."""
    atlas, widths = glyph_atlas(fonts, side)
    n, larger, size = len(digits), np.float32(side / SIDE), atlas.shape[-1]
    blur, font = rng.integers(len(BLURS), size=n), rng.integers(len(fonts), size=n)
    left, right = np.where(rng.random((2, n)) < 0.5, rng.integers(10, size=(2, n)), BLANK)
    first = (blur * len(fonts) + font) * 11
    cells = (np.stack([first + left, first + digits, first + right], 1) * size**2).astype(np.int32)

    # From a pixel (x, y) to its place (u, v) in the cell: rotate by a rational point of the circle, shear, enlarge.
    t, shear = _between(rng, -0.12, 0.12, n), _between(rng, -0.25, 0.25, n)
    cos, sin = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
    tall = GLYPH / _between(rng, 18, 24, n)
    wide = tall * _between(rng, 0.8, 1.25, n)
    pixels = np.arange(side, dtype=np.float32) - (side - 1) / 2
    x, y = pixels - larger * _between(rng, -4, 4, n, 1), pixels - larger * _between(rng, -4, 4, n, 1)
    u = _outer_sum((wide * (cos + shear * sin))[:, None] * x, (wide * (shear * cos - sin))[:, None] * y)
    v = _outer_sum((tall * sin)[:, None] * x, (tall * cos)[:, None] * y)

    # A neighbour begins a little after the widest digit's end, and its own middle is at least 18 pixels away.
    step = np.maximum(widths[font] + larger * _between(rng, 5, 12, n), larger * 18 * wide)[:, None, None]
    which = (u > step / 2).astype(np.int8) - (u < -step / 2)  # -1, 0, 1: left neighbour, digit, right neighbour
    column = np.clip(u - which * step + size / 2, 0, size - 1).astype(np.int32)
    line = np.clip(v + size / 2, 0, size - 1).astype(np.int32)
    cell = np.take_along_axis(cells, which.reshape(n, -1) + 1, 1).reshape(which.shape)
    return atlas.ravel()[cell + line * size + column]


def _outer_sum(along_x: np.ndarray, along_y: np.ndarray) -> np.ndarray:
    return along_x[:, None, :] + along_y[:, :, None]


def _backgrounds(rng: np.random.Generator, names: tuple[str, ...], n: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Random crops, int16, n x 3 x side x side, the busy ones with less contrast; and their mean colours."""
    atlas, sizes = photograph_atlas(names)
    photo = rng.integers(len(sizes), size=n)
    top, left = (rng.random((n, 2)) * (sizes[photo] - side + 1)).astype(np.int64).T
    crops = sliding_window_view(atlas, (side, side), (2, 3))[photo, :, top, left].astype(np.int16)
    colours = (crops.sum((2, 3), np.int32, keepdims=True) // side**2).astype(np.int16)
    crops -= colours
    deviation = np.abs(crops).sum((1, 2, 3), np.int32, keepdims=True) // (3 * side**2)
    contrast = rng.integers(64, 129, (n, 1, 1, 1)) * CALM // np.maximum(deviation, CALM)
    return colours + (crops * contrast.astype(np.int16) >> 7), colours


def draw(
    seed: np.random.SeedSequence, fonts: tuple[str, ...], photographs: tuple[str, ...], side: int = SIDE
) -> tuple[np.ndarray, ...]:
    """CHUNK images, uint8 CHUNK x 3 x side x side, and their digits, int64. Within, int16 holds every product."""
    rng = np.random.Generator(np.random.PCG64(seed))
    digits = rng.integers(10, size=CHUNK)
    mask = _masks(rng, fonts, digits, side)[:, None].astype(np.int16)
    ground, colours = _backgrounds(rng, photographs, CHUNK, side)

    # Ink is darker than a light background and lighter than a dark one; in between, either.
    darker = colours.sum(1, keepdims=True) + rng.integers(-200, 201, (CHUNK, 1, 1, 1)) > 3 * 128
    step = rng.integers(76, 166, (CHUNK, 1, 1, 1), np.int16)
    tint = rng.integers(-40, 41, (CHUNK, 3, 1, 1), np.int16)
    ink = np.clip(colours + np.where(darker, -step, step) + tint, 0, 255)

    noise = rng.integers(0, 256, (2, CHUNK, 3, side, side), np.uint8)  # the difference of two is a triangle again
    noise = (noise[0].astype(np.int16) - noise[1]) * rng.integers(2, 9, (CHUNK, 1, 1, 1), np.int16)
    images = ground + ((ink - ground) * mask >> 7) + (noise >> 7)
    return np.clip(images, 0, 255).astype(np.uint8), digits


def _split(part: int, size: int, seed: int, side: int) -> tuple[Tensor, Tensor]:
    """The first `size` images of training (part 0), test (1) or validation (2): each chunk from a stream of its own."""
    families, photographs = (TEST_FONTS, TEST_PHOTOGRAPHS) if part == 1 else (TRAIN_FONTS, TRAIN_PHOTOGRAPHS)
    fonts = tuple(file for files in families.values() for file in files)
    images, labels = np.empty((size, 3, side, side), np.uint8), np.empty(size, np.int64)
    for start in range(0, size, CHUNK):
        stream = np.random.SeedSequence(seed, spawn_key=(part, start // CHUNK))
        here = slice(start, min(start + CHUNK, size))
        images[here], labels[here] = (drawn[: here.stop - start] for drawn in draw(stream, fonts, photographs, side))
    return torch.from_numpy(images), torch.from_numpy(labels)


def load(
    train: int | None = None, validation: int = 0, test: int | None = None, seed: int = 0, side: int = SIDE
) -> Dataset:
    """3x32x32, 4,000 training and 1,000 test images unless sizes are given; the first n are the same for every size.

    Validation images are drawn besides, with the fonts and photographs of training: they are held out of what the
    network learns, so that its settings can be chosen by them, while the test asks for fonts and photographs that
    neither the training nor the choice has seen.

    side: in pixels, SIDE to LARGEST; the digits of the same seed, in more detail, over other parts of the photographs.
    """
    train = checked_size("street_digits", "train", 4000 if train is None else train)
    test = checked_size("street_digits", "test", 1000 if test is None else test)
    validation = checked_size("street_digits", "validation", validation)
    learnt, tested, held = (_split(part, size, seed, side) for part, size in enumerate((train, test, validation)))
    return assemble("street_digits", learnt, tested, tuple("0123456789"), ABOUT, held)
