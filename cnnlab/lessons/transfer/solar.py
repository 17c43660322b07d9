"""Lesson 16, transfer learning: photographs of solar cells, as a network that has seen ImageNet wants them."""

from dataclasses import replace
from functools import cache

import torch
from torch import Tensor, nn

from cnnlab import data, models
from cnnlab.data import Dataset, Split
from cnnlab.data.solar_cells import CREDIT
from cnnlab.view import INK, Picture, images

SIZE, VALIDATION = 96, 200


@cache
def cells() -> Dataset:
    """1,900 to learn from, 200 to choose by, 524 to test with. DataError without the package."""
    wanted = models.imagenet_input("efficientnet_lite0")
    loaded = data.load("solar_cells", size=SIZE, validation=VALIDATION)
    return loaded.in_rgb().normalised(wanted.mean, wanted.std)


def draw(cells: Split, count: int, seed: int) -> Split:
    """So many of them, at random."""
    order = torch.randperm(len(cells), generator=torch.Generator().manual_seed(seed))
    return cells.take(order[:count])


def with_labels(dataset: Dataset, labels: int, seed: int) -> Dataset:
    """The same set with so many of its training cells."""
    return replace(dataset, train=draw(dataset.train, labels, seed))


def gallery(dataset: Dataset) -> Picture:
    """Four sound and four broken cells, with their source and licence under them."""
    chosen = [int(i) for label in (0, 1) for i in (dataset.test.labels == label).nonzero()[:4]]
    names = [dataset.classes[label] for label in dataset.test.labels[chosen]]
    picture = images(dataset.test.images[chosen], names, columns=8, title="Four sound cells, and four broken ones")
    picture.figure.text(0.01, 0.04, CREDIT, ha="left", va="bottom", size=8, color=INK)
    return picture


@torch.inference_mode()
def answers(model: nn.Module, inputs: Tensor) -> Tensor:
    """The class with the largest logit, image by image."""
    return torch.cat([model.eval()(part).argmax(1) for part in inputs.split(50)])
