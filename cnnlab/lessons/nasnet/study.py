"""Lesson 12, NASNet: what the lesson and its records measure."""

from functools import cache
from itertools import combinations_with_replacement, product

import torch
from torch import nn

from cnnlab import data, measure, models, training
from cnnlab.data import Dataset
from cnnlab.models.nasnet import CellSpec
from cnnlab.training import CellSpace

# One block a cell, three operations: small enough to train every network of it.
SPACE = CellSpace(blocks=1, operations=("identity", "sep3", "max3"))


# A cell is an unordered pair of these, since the two results are added.
TERMS = tuple(product(SPACE.operations, ("h", "p")))


CELLS = tuple(CellSpec(((*left, *right),)) for left, right in combinations_with_replacement(TERMS, 2))


def number(cell: CellSpec) -> int:
    """Which of the 21 different cells of the space this is, in whatever order its two inputs are written."""
    ((left, left_input, right, right_input),) = cell.pairs
    first, second = sorted([(left, left_input), (right, right_input)], key=TERMS.index)
    return CELLS.index(CellSpec(((*first, *second),)))


@cache
def proxy_data() -> Dataset:
    """What every candidate of the record learned: 2,000 street digits of 16x16 pixels, and 1,000 more to judge it."""
    return data.load("street_digits", train=2000, test=1000).resized(16)


def proxy(normal: CellSpec, reduction: CellSpec) -> nn.Module:
    """A candidate: three normal and two reduction cells, 8 channels at first, for the images of `proxy_data`."""
    options = {"width": 8, "depth": 1, "stem_width": 8, "small_images": True, "dropout": 0.0}
    return models.get_model("nasnet_a_mobile_tiny", normal=normal, reduction=reduction, **options)


def train_proxy(normal: CellSpec, reduction: CellSpec, dataset: Dataset, seed: int = 0) -> float:
    """What a pair of cells is worth: the test accuracy of its network after six short epochs."""
    torch.manual_seed(seed)
    settings = {"epochs": 6, "lr": 0.3, "batch_size": 128, "precision": "fp32", "progress": False}
    run = training.fit(proxy(normal, reduction), dataset, seed=seed, **settings)
    return run.history[-1].test_accuracy


def transferred(normal: CellSpec, reduction: CellSpec, macs: float) -> nn.Module:
    """A deeper network of these cells for images of 32x32, two normal cells a group, as wide as the mult-adds allow."""

    def build(width: int) -> nn.Module:
        options = {"width": width, "depth": 2, "stem_width": 16, "small_images": True, "dropout": 0.0}
        return models.get_model("nasnet_a_mobile_tiny", normal=normal, reduction=reduction, **options)

    with torch.device("meta"):
        fitting = [width for width in range(4, 80, 2) if measure.cost(build(width), 32).macs <= macs]
    return build(max(fitting, default=4))
