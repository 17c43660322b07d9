"""Lesson 13, EfficientNet: what takes longer to measure than the lesson has."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial

import torch

from cnnlab import data, training
from cnnlab.lessons.efficientnet import study
from cnnlab.lessons.efficientnet.study import BLOCKS, SIZE
from cnnlab.lessons.records import Draft

SEEDS, IMAGES, TEST = (0, 1, 2), 3000, 2000
SETTINGS = {"epochs": 5, "lr": 0.1, "batch_size": 64, "precision": "fp32", "progress": False}
# Blocks and pixels of the grid; the width takes what they leave of the budget, twice the mult-adds of the base.
GRID = ((6, 16), (6, 20), (6, 22), (7, 18), (8, 18), (8, 20), (9, 16), (12, 16))
PAPER = (1.2, 1.15)  # alpha and gamma


@cache
def digits(seed: int) -> data.Dataset:
    return data.load("street_digits", train=IMAGES, test=TEST, seed=seed)


def compound_scaling(draft: Draft) -> None:
    """EfficientNet's grid search and its comparison of scalings, with a narrow twin.

    A seed is that of the images, the weights and the order. Each run of the record says what was trained (width,
    blocks, pixels), what it costs, and its accuracy on the test images.
    """
    grid = {f"grid {blocks} {size}": partial(of_cost, 2, blocks, size) for blocks, size in GRID}
    train_all(draft, {"base": dict} | grid)
    # phi = 2 of the paper's coefficients: its blocks and pixels, and the width that makes the cost four times.
    compound = partial(of_cost, 4, round(BLOCKS * PAPER[0] ** 2), round(SIZE * PAPER[1] ** 2))
    single = {f"4x {axis}": partial(along, axis) for axis in ("depth", "width", "resolution")}
    train_all(draft, single | {"4x compound": compound})


def of_cost(factor: int, blocks: int, size: int) -> dict:
    """So many blocks, such images, and the width that makes the cost `factor` times that of the base."""
    return study.widened(blocks, size, factor * study.macs())


def along(axis: str) -> dict:
    return study.single_axis(4)[axis]


def train_all(draft: Draft, cases: dict[str, Callable[[], dict]]) -> None:
    """Train what is not in the record yet; a case says what when it is called, which takes seconds."""
    runs = draft.results.setdefault("runs", [])
    about = "Narrow EfficientNets, 5 epochs of 3,000 street digits, accuracy on 2,000 others, by seed"
    for seed in SEEDS:
        for case, chosen in cases.items():
            if not any(run["case"] == case and run["seed"] == seed for run in runs):
                runs.append({"case": case, "seed": seed} | train(seed, **chosen()))
                print(runs[-1], flush=True)
                draft.save(about, precision=SETTINGS["precision"])


def train(seed: int, width: float = 1.0, blocks: int = BLOCKS, size: int = SIZE) -> dict:
    dataset = digits(seed).resized(size)
    few = replace(dataset.test, images=dataset.test.images[:100], labels=dataset.test.labels[:100])
    torch.manual_seed(seed)
    model = study.twin(width, blocks)
    run = training.fit(model, replace(dataset, test=few), seed=seed, **SETTINGS)
    return {
        "width": width,
        "blocks": blocks,
        "size": size,
        "macs": study.macs(width, blocks, size),
        "params": sum(p.numel() for p in model.parameters()),
        "accuracy": training.evaluate(model, dataset.test, precision="fp32").accuracy,
        "train_loss": run.history[-1].train_loss,
    }


RECORDS = {"compound_scaling": compound_scaling}
