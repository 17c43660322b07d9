"""Lesson 06, ResNet: what takes longer to measure than the lesson has."""

from dataclasses import asdict
from functools import cache

import torch

from cnnlab import data, models, training
from cnnlab.lessons.records import Draft

SEEDS, DEPTHS = (0, 1, 2), (20, 32, 44, 56)
IMAGES, TEST, EPOCHS = 4000, 1000, 8


@cache
def digits() -> data.Dataset:
    return data.load("street_digits", train=IMAGES, test=TEST)


def degradation(draft: Draft) -> None:
    """Plain and residual networks of four depths on street digits, three seeds each."""
    cases = [(kind, depth, 0.1) for depth in DEPTHS for kind in ("plain", "resnet")]
    # The deepest ones also at a fifth of the rate: does a smaller step help the plain network?
    cases += [(kind, max(DEPTHS), 0.02) for kind in ("plain", "resnet")]
    about = (
        "Twins of width 8 on 4,000 street digits, 8 epochs of batches of 64; `train` is measured after the training."
    )
    for kind, depth, lr in cases:
        name = f"{kind}{depth}, lr {lr:g}"
        for seed in SEEDS:
            entries = draft.results.setdefault(name, [])
            if len(entries) > seed:
                continue
            torch.manual_seed(seed)
            model = models.get_model(f"{kind}{depth}_tiny")
            run = training.fit(model, digits(), epochs=EPOCHS, lr=lr, batch_size=64, seed=seed, progress=False)
            known = training.evaluate(model, digits().train)
            entries.append({"history": [asdict(epoch) for epoch in run.history], "train": asdict(known)})
            last = run.history[-1].test_accuracy
            print(f"{name}, seed {seed}: train {known.accuracy:.1%}, test {last:.1%}", flush=True)
            draft.save(about)


RECORDS = {"degradation": degradation}
