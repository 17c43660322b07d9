"""Lesson 05, GoogLeNet: what takes longer to measure than the lesson has."""

from functools import cache

import torch
from torch import nn

from cnnlab import data, models, training
from cnnlab.lessons import arms
from cnnlab.lessons.records import Draft

SEEDS = (0, 1, 2)
PASSES = {"batch_size": 32, "precision": "fp32"}
RATES = {  # to begin with, by pixels, network and initial weights, and epochs
    "±1, 2014, He, 16 epochs": (0.005, 0.01, 0.02),
    "±1, 2014, Glorot, 16 epochs": (0.025, 0.05, 0.1, 0.2, 0.0125, 0.4),
    "±128, 2014, He, 16 epochs": (0.0001, 0.0003, 0.001, 0.003),
    "±128, 2014, Glorot, 16 epochs": (0.0025, 0.005, 0.01),
    "±1, batch norm, 16 epochs": (0.05, 0.1, 0.2),
    "±128, 2014, Glorot, 40 epochs": (0.01, 0.02),
}
CHANCE = 0.1


@cache
def digits(pixels: str, seed: int) -> data.Dataset:
    """Small street digits, normalised ("±1") or as in 2014: grey levels around the mean ("±128")."""
    dataset = data.load("street_digits", train=2000, validation=1000, test=2000, seed=seed).resized(16)
    return dataset.normalised(dataset.mean, (1 / 255,) * 3) if pixels == "±128" else dataset


def heads_and_pixels(draft: Draft) -> None:
    """GoogLeNet's twins with heads and without, with pixels of today and of 2014, each at its own learning rate."""
    about = (
        "Twins of GoogLeNet on 2,000 street digits of 16 x 16, 16 or 40 epochs of batches of 32, SGD with momentum, "
        "float32, one cycle. rates: seed 0, the rate is chosen by 1,000 validation images; seeds: images, weights and "
        "order; curve: [training, validation accuracy] after each epoch; test: 2,000 images. All accuracies are those "
        "of the network's own output. A training that diverged counts as guessing, 0.1, from that epoch on."
    )
    rates = {f"{case}, {word} heads": tried for case, tried in RATES.items() for word in ("without", "with")}
    arms.compare(draft, about, trained, rates, SEEDS, PASSES["precision"], least=1.5 * CHANCE)


def trained(arm: str, lr: float, seed: int) -> arms.Run:
    pixels, *case, length, heads = arm.split(", ")
    dataset, epochs = digits(pixels, seed), int(length.removesuffix(" epochs"))
    model = build(", ".join(case), heads == "with heads", seed)
    settings = PASSES | {"epochs": epochs, "lr": lr, "seed": seed, "progress": False}
    try:
        run = training.fit(model, dataset.choosing(), **settings)
        test = training.evaluate(model, dataset.test, precision=PASSES["precision"]).accuracy
    except training.DivergedError as error:
        run, test = error.run, CHANCE
    curve = [[round(epoch.train_accuracy, 4), round(epoch.test_accuracy, 4)] for epoch in run.history]
    curve += [[CHANCE, CHANCE]] * (epochs - len(curve))
    print(f"{arm}, lr {lr:g}, seed {seed}: {curve[-1]}, test {test:.1%}", flush=True)
    return {"lr": lr, "seed": seed, "curve": curve, "test": test}


def build(case: str, heads: bool, seed: int) -> nn.Module:
    """A twin. From He's rule and with batch norm its own weights are the same with heads as without."""
    name = "googlenet_tiny" if case == "batch norm" else "googlenet_2014_tiny"
    torch.manual_seed(seed)
    plain, model = models.get_model(name), models.get_model(name, aux_heads=heads)
    if case == "2014, Glorot":
        for weight in (p for net in (plain, model) for p in net.parameters() if p.ndim > 1):
            nn.init.xavier_uniform_(weight)
    model.load_state_dict(plain.state_dict(), strict=False)
    return model


RECORDS = {"heads_and_pixels": heads_and_pixels}
