"""Lesson 15, ConvNeXt: what takes longer to measure than the lesson has."""

import time
from dataclasses import replace
from functools import cache

import torch

from cnnlab import data, training
from cnnlab.lessons.convnext import study
from cnnlab.lessons.records import Draft

SEEDS, CHOOSE, REPORT = (0, 1, 2), 1000, 2000  # validation images, test images
RATES = {  # none is best at an edge
    "ResNet": (0.003, 0.01, 0.03),
    "fewer activations": (0.003, 0.01, 0.03, 0.1),
    "layer norm": (0.001, 0.003, 0.01),
    "separate downsampling": (0.0003, 0.001, 0.003, 0.01),
    "and weights by width": (0.001, 0.003, 0.01),
    "or twice the epochs": (0.0003, 0.001, 0.003),
}


@cache
def digits(seed: int) -> data.Dataset:
    return data.load("street_digits", train=study.IMAGES, validation=CHOOSE, test=REPORT, seed=seed)


def convnext_road(draft: Draft) -> None:
    """The road from ResNet to ConvNeXt with narrow twins of equal mult-adds, each with a learning rate of its own.

    A seed is that of the images, the weights and the order. Seed 0 tries a grid of rates, and 1,000 validation images
    choose; the other seeds have the rate that was chosen. Test images choose nothing.
    """
    runs = draft.results.setdefault("runs", [])
    about = f"Twins of about {study.MACS / 1e6:.2f} million mult-adds, {study.EPOCHS} epochs of {study.IMAGES:,} street"
    about += " digits (or twice as many): accuracies by case, learning rate and seed"

    def run(case: str, lr: float, seed: int) -> None:
        if not any((run["case"], run["lr"], run["seed"]) == (case, lr, seed) for run in runs):
            before = time.process_time()
            runs.append({"case": case, "lr": lr, "seed": seed} | train(case, lr, seed))
            print(runs[-1], flush=True)
            draft.save(about, time.process_time() - before, study.RECIPE["precision"])

    for case, rates in RATES.items():
        for lr in rates:
            run(case, lr, seed=0)
    for seed in SEEDS[1:]:
        for case in RATES:
            run(case, study.chosen(runs, case), seed)


def train(case: str, lr: float, seed: int) -> dict:
    dataset = digits(seed)
    torch.manual_seed(seed)
    model = study.twin(case)
    few = replace(dataset.test, images=dataset.test.images[:10], labels=dataset.test.labels[:10])
    settings = study.recipe(case) | {"lr": lr}
    run = training.fit(model, replace(dataset, test=few), seed=seed, progress=False, **settings)
    of = {"precision": settings["precision"]}
    return {
        "train": [round(epoch.train_accuracy, 4) for epoch in run.history],
        "validation": training.evaluate(model, dataset.validation, **of).accuracy,
        "test": training.evaluate(model, dataset.test, **of).accuracy,
    }


RECORDS = {"convnext_road": convnext_road}
