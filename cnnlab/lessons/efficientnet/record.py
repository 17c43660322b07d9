"""Lesson 13, EfficientNet: what takes longer to measure than the lesson has."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial

import torch

from cnnlab import data, training
from cnnlab.lessons.efficientnet import study
from cnnlab.lessons.efficientnet.study import BLOCKS, SIZE
from cnnlab.lessons.rates import climbed
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


# Four times the mult-adds of a base that sees 24 pixels, from digits drawn with 48, trained until the rate is zero.
BASE, LONG = 24, {"epochs": 20, "batch_size": 32, "precision": "fp32", "progress": False}
FEW, CHOOSE, REPORT = 600, 500, 1000  # training, validation and test images
LONG_SEEDS = range(5)
LONG_RATES = (0.05, 0.1, 0.2)  # to begin with


def equal_cost(draft: Draft) -> None:
    """Depth, width, resolution, or all three for the same four times the mult-adds, each at its own learning rate.

    The rate is the best one on 500 validation images, by seed 0, of LONG_RATES and of others beyond them while the best
    is at the edge. A seed is that of images, weights and order. The 1,000 test images choose
    nothing. Seconds are the processor's.
    """
    chosen = draft.results.setdefault("chosen", {})
    for arm, shape in shapes_of_equal_cost().items():
        tried = climbed(LONG_RATES, lambda lr, arm=arm, shape=shape: long_run(draft, arm, lr, 0, shape)["validation"])
        chosen[arm] = best = max(tried, key=tried.get)
        for seed in LONG_SEEDS:
            long_run(draft, arm, best, seed, shape)


def shapes_of_equal_cost() -> dict[str, dict]:
    """Width, blocks and pixels of each network; the compound one has phi = 2 of the paper's coefficients."""
    blocks, size = round(BLOCKS * PAPER[0] ** 2), round(BASE * PAPER[1] ** 2)
    compound = study.widened(blocks, size, 4 * study.macs(size=BASE))
    return {"base": {"size": BASE}} | study.single_axis(4, BASE) | {"compound": compound}


def long_run(draft: Draft, arm: str, lr: float, seed: int, shape: dict) -> dict:
    """What one training gave: from the record, or made now and recorded."""
    runs, which = draft.results.setdefault("runs", []), {"arm": arm, "lr": lr, "seed": seed}
    for run in runs:
        if which.items() <= run.items():
            return run
    start, shape = time.process_time(), {"width": 1.0, "blocks": BLOCKS} | shape
    drawn = data.load("street_digits", train=FEW, validation=CHOOSE, test=REPORT, seed=seed, size=2 * BASE)
    digits = drawn.resized(shape["size"])
    torch.manual_seed(seed)
    model = study.twin(shape["width"], shape["blocks"])
    history = training.fit(model, digits.without_test(), lr=lr, seed=seed, **LONG).history
    run = which | shape | {"macs": study.macs(**shape), "params": sum(p.numel() for p in model.parameters())}
    run |= {"train": [round(epoch.train_accuracy, 4) for epoch in history]}
    for part, images in (("validation", digits.validation), ("test", digits.test)):
        run[part] = training.evaluate(model, images, precision="fp32").accuracy
    print(run, flush=True)
    runs.append(run)
    about = "Narrow EfficientNets of equal cost, 20 epochs of 600 street digits drawn with 48 pixels"
    draft.save(about, time.process_time() - start, LONG["precision"])
    return run


RECORDS = {"compound_scaling": compound_scaling, "scaling_to_the_end": equal_cost}
