"""Lesson 09, ResNet's legacy: what takes longer to measure than the lesson has."""

from functools import cache

import torch

from cnnlab import data, training
from cnnlab.lessons.legacy.study import TWINS
from cnnlab.lessons.rates import inside
from cnnlab.lessons.records import Draft

NAMES = (
    "pre-activation, 26 × 6",
    "original, 26 × 6",
    "pre-activation, 8 × 13",
    "ReLU before the sum, 26 × 6",
    "norm after the sum, 26 × 6",
)
SEEDS, RATES, STEP = (0, 1, 2), (0.05, 0.2, 0.8), 4
RECIPE = {"epochs": 10, "batch_size": 32, "precision": "fp32", "progress": False}
ABOUT = (
    "Twins of 1.9 to 2.1 million mult-adds an image on 3,000 street digits, in fp32: 10 epochs of batches of 32, SGD,"
    " one cycle. validation: accuracy on 1,000 images with seed 0, at rates a factor of four apart until the best "
    "lies between two others; runs: at the best rate, the running accuracy of each epoch, and after the training that"
    " on 2,000 test images."
)


@cache
def digits() -> data.Dataset:
    return data.load("street_digits", train=3000, validation=1000, test=2000)


def block_variants(draft: Draft) -> None:
    """Orders of a block, and width against depth, on street digits, each at its own rate, three seeds."""
    for name in NAMES:
        done = draft.results.setdefault(name, {"rates": [], "validation": [], "runs": []})
        while not (done["rates"] and inside(best(done), done["rates"])):
            lr = next_rate(done)
            accuracy, run = trained(name, lr, SEEDS[0])
            done["rates"].append(lr)
            done["validation"].append(accuracy)
            if best(done) == lr:
                done["runs"] = [run]
            draft.save(ABOUT, precision=RECIPE["precision"])
        for seed in SEEDS[len(done["runs"]) :]:
            done["runs"].append(trained(name, best(done), seed)[1])
            draft.save(ABOUT, precision=RECIPE["precision"])


def best(done: dict[str, list]) -> float:
    """The rate with the highest accuracy on validation images; the first one of two that are equal."""
    return max(zip(done["validation"], done["rates"], strict=True), key=lambda pair: pair[0])[1]


def next_rate(done: dict[str, list]) -> float:
    """The rate to try next: of RATES, or beyond the best where that stands at an edge."""
    tried = done["rates"]
    left = [lr for lr in RATES if lr not in tried]
    if left:
        return left[0]
    return max(tried) * STEP if best(done) == max(tried) else min(tried) / STEP


def trained(name: str, lr: float, seed: int) -> tuple[float, dict]:
    """The accuracy on validation images after one training, and what is kept of that training."""
    torch.manual_seed(seed)
    run = training.fit(TWINS[name](), digits().without_test(), lr=lr, seed=seed, **RECIPE)
    known = [round(epoch.train_accuracy, 4) for epoch in run.history]
    chosen, test = (training.evaluate(run.model, part).accuracy for part in (digits().validation, digits().test))
    print(f"{name}, rate {lr:g}, seed {seed}: validation {chosen:.1%}, test {test:.1%}, training {known}", flush=True)
    return chosen, {"test": test, "train": known}


RECORDS = {"block_variants": block_variants}
