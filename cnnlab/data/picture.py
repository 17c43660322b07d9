"""One picture file as pixels: whatever kind it is, in 8 bits, upright, and on white where it is transparent."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnnlab import files
from cnnlab.data.dataset import DataError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

READ = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".ppm", ".bmp", ".dib", ".pgm", ".tif", ".tiff", ".webp", ".gif"}
_MAYBE = {".avif": "avif", ".jp2": "jpg_2000"}  # read where Pillow was built with a library for it
UNREAD = {".heic", ".heif", ".jxl", ".svg", ".psd", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".exr"}
_BEGINS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*")  # JPEG, PNG, GIF, TIFF
TIFF_MAXIMUM = 281  # the tag MaxSampleValue


def suffixes() -> set[str]:
    """The ends of the names of files that `read` takes."""
    from PIL import features

    return READ | {end for end, library in _MAYBE.items() if features.check(library)}


def is_unread(path: Path) -> bool:
    """Whether a file is a picture by its name or its first bytes, but by its name none that `read` takes."""
    end, known = path.suffix.lower(), suffixes()
    if end in known:
        return False
    with suppress(OSError), path.open("rb") as file:
        return end in UNREAD or end in _MAYBE or file.read(8).startswith(_BEGINS)
    return False


def is_hidden(path: Path) -> bool:
    """What a file manager, a notebook server or an archive from a Mac leaves in a folder."""
    return path.name.startswith((".", "__MACOSX", "@eaDir"))


def read(path: Path) -> np.ndarray:
    """The first picture in a file: uint8, H x W x 3, turned as its camera says, transparent parts white.

    16 bits, and floats from 0 to 1, are scaled to 8 bits. Raises DataError, in one line with the file's name, where the
    file cannot be read, or where nothing says which number is white.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            image.load()  # the first frame of several
            with suppress(Exception):  # a picture whose notes are broken is a picture
                ImageOps.exif_transpose(image, in_place=True)
            return _eight_bits(image)
    except DataError as error:
        raise DataError(f"{str(path)!r} {error}") from None
    except Exception as error:  # Pillow's decoders raise nearly every kind
        reason = files.instead(path) or " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{str(path)!r} cannot be read as an image ({reason}); mend or remove it") from error


def _eight_bits(image: "Picture") -> np.ndarray:
    from PIL import Image

    if image.mode.startswith("I"):
        return _grey(np.asarray(image).astype(np.float64) / _white(image))
    if image.mode == "F":
        values = np.asarray(image)
        if not (values.min() >= 0 and values.max() <= 1):  # NaN is neither
            raise DataError(
                f"has floats from {values.min():g} to {values.max():g}, and nothing says which number is white; store "
                "it with floats from 0 to 1, or in 8 or 16 bits"
            )
        return _grey(values.astype(np.float64))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))


def _white(image: "Picture") -> int:
    """The number that is white in a picture of whole numbers of more than 8 bits."""
    said = getattr(image, "tag_v2", {}).get(TIFF_MAXIMUM)
    if said is not None:
        return max(1, int(said[0] if isinstance(said, tuple) else said))
    if image.mode == "I" and image.format == "TIFF":  # Pillow brings what has 16 bits in a PNG or PGM to all of them
        raise DataError("has whole numbers of 32 bits, and nothing says which one is white; store it in 8 or 16 bits")
    return 65535


def _grey(share: np.ndarray) -> np.ndarray:
    """Three equal channels of numbers from 0 to 1."""
    grey = np.rint(255 * share.clip(0, 1)).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)
