"""Lesson 09, ResNet's legacy: what takes longer to measure than the lesson has."""

from functools import cache

import torch

from cnnlab import data, training
from cnnlab.lessons.legacy.study import TWINS
from cnnlab.lessons.records import Draft

SEEDS, IMAGES, TEST = (0, 1, 2), 4000, 3000
RECIPE = {"epochs": 8, "lr": 0.1, "batch_size": 64}
ABOUT = (
    "Twins of 7.7 to 8.2 million mult-adds an image on 4,000 street digits: 8 epochs of batches of 64, SGD with lr 0.1 "
    "for all. `test` is on 3,000 other digits after the training, `train` the running accuracy of each epoch."
)


@cache
def digits(test: int) -> data.Dataset:
    return data.load("street_digits", train=IMAGES, test=test)


def block_variants(draft: Draft) -> None:
    """Block variants at one budget of mult-adds, on street digits, three seeds each."""
    for seed in SEEDS:
        for name, make in TWINS.items():
            entries = draft.results.setdefault(name, [])
            if len(entries) > seed:
                continue
            torch.manual_seed(seed)
            run = training.fit(make(), digits(200), seed=seed, progress=False, **RECIPE)
            test = training.evaluate(run.model, digits(TEST).test).accuracy
            entries.append({"test": test, "train": [epoch.train_accuracy for epoch in run.history]})
            print(f"{name}, seed {seed}: {entries[-1]}", flush=True)
            draft.save(ABOUT)


RECORDS = {"block_variants": block_variants}
