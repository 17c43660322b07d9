"""The project's own files: where they lie, in a checkout or in an installed package, and how one is written."""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PACKAGE = Path(__file__).parent
_BESIDE = _PACKAGE.parent
CHECKOUT = _BESIDE if (_BESIDE / "pyproject.toml").is_file() and (_BESIDE / "notebooks").is_dir() else None

# Weights, records, surfaces and pictures; and the lessons as notebooks. A wheel carries both inside the package.
DATA = CHECKOUT / "data" if CHECKOUT else _PACKAGE / "_data"
NOTEBOOKS = CHECKOUT / "notebooks" if CHECKOUT else _PACKAGE / "_notebooks"


def place(path: str | Path) -> Path:
    """A path as people write it: ~ is the home folder, which only a shell knows by itself."""
    return Path(os.path.expanduser(path))


def instead(path: Path) -> str | None:
    """What lies in the place of a file that was never fetched: a pointer of Git LFS or a web page; else None."""
    try:
        with path.open("rb") as file:
            begins = file.read(64).lstrip().lower()
    except OSError:
        return None
    if begins.startswith(b"version https://git-lfs"):
        return "it is only a pointer of Git LFS: where it came from, git lfs pull fetches the file itself"
    if begins.startswith((b"<!doctype html", b"<html")):
        return "it is a web page: the download gave that in its place"
    return None


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """A path beside `path` to write to: what is there at the end takes the place of `path`, in one step.

    `path` therefore holds, at every moment, all of the old content or all of the new. After an error the old content is
    untouched and nothing is left beside it. Of a link, what it leads to is replaced, and the link stays.

    >>> with written_whole(folder / "numbers.txt") as beside:
    ...     _ = beside.write_text("1 2 3")
    >>> [file.name for file in folder.iterdir()]
    ['numbers.txt']
    """
    path = Path(os.path.realpath(place(path)))
    path.parent.mkdir(parents=True, exist_ok=True)
    name = zlib.crc32(os.fsencode(path.name))  # of a fixed length: the path's own may be as long as can be
    beside = path.with_name(f".{name:08x}-{os.getpid()}")
    try:
        yield beside
        with beside.open("rb+") as file:
            os.fsync(file.fileno())  # on the disk before it takes the other's place, or a power cut leaves neither
        os.replace(beside, path)
    finally:
        with suppress(OSError):
            beside.unlink()
