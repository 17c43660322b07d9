"""Lesson 15, ConvNeXt: what takes longer to measure than the lesson has."""

from dataclasses import replace
from functools import cache

import torch

from cnnlab import data, training
from cnnlab.lessons.convnext import study
from cnnlab.lessons.records import Draft

SEEDS, TEST = (0, 1, 2), 1000
# Trained first with all seeds: what the lesson needs most if the run is cut short.
FIRST = ("ResNet", "depthwise, wider", "large kernel", "fewer activations", "layer norm", "separate downsampling")
FIRST += ("first weights by width",)


@cache
def digits(seed: int) -> data.Dataset:
    return data.load("street_digits", train=study.IMAGES, test=TEST, seed=seed)


def convnext_road(draft: Draft) -> None:
    """The road from ResNet to ConvNeXt with narrow twins of equal mult-adds.

    A seed is that of the images, the weights and the order.
    """
    runs = draft.results.setdefault("runs", [])
    about = f"Twins of about {study.MACS / 1e6:.2f} million mult-adds, {study.EPOCHS} epochs of {study.IMAGES}"
    about += " street digits, accuracy on 1,000 others, by seed"
    for cases in (FIRST, [case for case in study.TWINS if case not in FIRST]):
        for seed in SEEDS:
            for case in cases:
                if not any(run["case"] == case and run["seed"] == seed for run in runs):
                    runs.append({"case": case, "seed": seed} | train(case, seed))
                    print(runs[-1], flush=True)
                    draft.save(about)


def train(case: str, seed: int) -> dict:
    dataset = digits(seed)
    torch.manual_seed(seed)
    model = study.twin(case)
    few = replace(dataset.test, images=dataset.test.images[:100], labels=dataset.test.labels[:100])
    run = training.fit(model, replace(dataset, test=few), seed=seed, progress=False, **study.RECIPE)
    return {
        "macs": study.macs(case),
        "params": sum(p.numel() for p in model.parameters()),
        "accuracy": training.evaluate(model, dataset.test, precision="fp32").accuracy,
        "train_accuracy": [round(epoch.train_accuracy, 4) for epoch in run.history],
    }


RECORDS = {"convnext_road": convnext_road}
