"""solar_cells: photographs from a factory's test bench, from the package `elpv-dataset`; a small, real, uneven set."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from cnnlab.data.dataset import DataError, Dataset, assemble, checked_size, chosen, chosen_for_test

REQUIREMENT = "elpv-dataset==1.0.0.post1"
CELLS, SIDE = 2624, 300
TEST = 524  # a fifth
CLASSES = ("sound", "broken")

CREDIT = "Solar cells: ELPV dataset, ZAE Bayern; Buerhop-Lutz et al. 2018, Deitsch et al. 2019, 2021; CC BY-NC-SA 4.0"

ABOUT = f"""\
2,624 solar cells, photographed while a current makes them glow, so that cracks and dead regions stay dark; grey,
300x300 pixels, cut out of pictures of 44 modules, 1,074 cells monocrystalline and 1,550 polycrystalline. Experts gave
each a probability of being broken, 0, 1/3, 2/3 or 1; "broken" here means at least 0.5, which is 31 %. The split is
fixed: a fifth of each kind and probability, {TEST} cells, is for testing. Cells of one module can be on both sides,
because the package does not say which cells belong together.
Source: the package elpv-dataset (https://github.com/zae-bayern/elpv-dataset); C. Buerhop-Lutz et al., "A Benchmark for
Visual Identification of Defective Solar Cells in Electroluminescence Imagery", 2018; S. Deitsch et al., 2019 and 2021.
Licence: CC BY-NC-SA 4.0, so you may use, share and change the photographs for no commercial purpose, if you name the
source and share what you make of them under the same licence."""


class Cell(NamedTuple):
    """A photograph, how likely it shows a broken cell, and "mono" or "poly" for the crystal."""

    path: Path
    probability: float
    kind: str


@cache
def cells() -> tuple[Cell, ...]:
    """All of the package's, in its order. DataError where it is not installed or not whole."""
    spec = find_spec("elpv_dataset")  # finds the folder, runs nothing of it
    if spec is None or not spec.submodule_search_locations:
        raise DataError(f"solar_cells come in a package of their own (91 MB): pip install {REQUIREMENT}")
    folder = Path(spec.submodule_search_locations[0], "data")
    try:
        listed = (folder / "labels.csv").read_text(encoding="utf-8")
        rows = [line.split() for line in listed.splitlines() if line.strip()]
        found = tuple(Cell(folder / path, float(probability), kind) for path, probability, kind in rows)
    except (OSError, ValueError) as error:
        raise _damaged(folder, error) from error
    if len(found) != CELLS:
        raise _damaged(folder, f"it lists {len(found)} cells instead of {CELLS}")
    return found


def divided() -> tuple[np.ndarray, np.ndarray]:
    """Which cells are to learn from and which to test with: the same for everybody, alike in kind and probability."""
    order = np.random.default_rng(2624).permutation(CELLS)
    groups = np.array([f"{cell.kind} {cell.probability:.2f}" for cell in cells()])[order]
    order = order[np.argsort(groups, kind="stable")]  # group by group, each in random order
    tested = np.zeros(CELLS, bool)
    tested[order[np.linspace(0, CELLS - 1, TEST).round().astype(int)]] = True  # evenly through all groups
    return np.flatnonzero(~tested), np.flatnonzero(tested)


def load(
    train: int | None = None, validation: int = 0, test: int | None = None, seed: int = 0, size: int | None = None
) -> Dataset:
    """1 x size x size, of 2,100 cells to learn from and 524 to test with. DataError without the package."""
    size = checked_size("solar_cells", "size", SIDE if size is None else size)
    learnt, tested = divided()
    drawn, held = chosen("solar_cells", len(learnt), train, validation, seed)
    parts = [learnt[drawn], tested[chosen_for_test("solar_cells", len(tested), test, seed)], learnt[held]]
    taught, examined, validating = (_read(part, size) for part in parts)
    return assemble("solar_cells", taught, examined, CLASSES, ABOUT, validating)


def _read(indices: np.ndarray, size: int) -> tuple[Tensor, Tensor]:
    from PIL import Image

    images, labels = np.empty((len(indices), 1, size, size), np.uint8), np.empty(len(indices), np.int64)
    for row, index in enumerate(indices):
        cell = cells()[index]
        try:
            with Image.open(cell.path) as image:
                grey = image.convert("L")
        except (OSError, SyntaxError, ValueError) as error:
            raise _damaged(cell.path, error) from error
        images[row, 0] = grey.resize((size, size), Image.Resampling.BICUBIC)
        labels[row] = cell.probability >= 0.5
    return torch.from_numpy(images), torch.from_numpy(labels)


def _damaged(path: Path, error: object) -> DataError:
    again = f"Install it again: pip install --force-reinstall {REQUIREMENT}"
    return DataError(f"{str(path)!r} of solar_cells is damaged ({error}). {again}")
