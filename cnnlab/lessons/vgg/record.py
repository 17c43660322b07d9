"""Lesson 04, VGG: what takes longer to measure than the lesson has."""

from dataclasses import asdict
from functools import cache, partial

import torch
from torch import nn

from cnnlab import data, models, training
from cnnlab.lessons.records import Draft
from cnnlab.lessons.vgg import study

SEEDS, IMAGES, TEST = (0, 1, 2), 4000, 1000
SMALL, LARGER = (partial(nn.init.normal_, std=std) for std in (0.01, 0.05))
HE = partial(nn.init.kaiming_normal_, nonlinearity="relu")
GLOROT = nn.init.xavier_uniform_
ABOUT = (
    "VGG twins of width 16 without batch norm on 4,000 street digits, batches of 32. std: of a normal distribution "
    "with mean 0, for all weights, or for those that the shallower net does not give. Grown from 11: with its "
    "first four convolutions and the fully-connected layers, as in the paper; by few: 11, 13, 16, 19, with all "
    "layers. "
    "`train` is measured after the training."
)
TRAININGS = 13  # of a seed


@cache
def digits() -> data.Dataset:
    return data.load("street_digits", train=IMAGES, test=TEST)


def to_255() -> data.Dataset:
    """As in the paper: the mean is subtracted, nothing is divided."""
    return digits().normalised(digits().mean, (1 / 255,) * 3)


def begin(layers: int, rule, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return training.initialize(models.get_model(f"vgg{layers}_tiny"), rule)


def vgg_depth(draft: Draft) -> None:
    """Twins of VGG from several starts, and grown in stages, on street digits, three seeds each.

    Networks grow from others of their seed: until the record is whole, each training is kept in a checkpoint, out of
    which a stopped run has the networks that are trained already.
    """
    for seed in SEEDS:
        if sum(len(entries) > seed for entries in draft.results.values()) < TRAININGS:
            train_seed(draft, seed)


def train_seed(draft: Draft, seed: int) -> None:
    def train(name: str, model: nn.Module, epochs: int, lr: float, dataset: data.Dataset | None = None) -> nn.Module:
        settings = {"epochs": epochs, "lr": lr, "batch_size": 32, "seed": seed, "progress": False}
        kept = draft.checkpoints / f"{name}, seed {seed}.checkpoint"
        run = training.fit(model, dataset or digits(), checkpoint=kept, **settings)
        entries = draft.results.setdefault(name, [])
        if len(entries) == seed:
            known = training.evaluate(model, (dataset or digits()).train)
            entry = {"lr": lr, "history": [asdict(epoch) for epoch in run.history], "train": asdict(known)}
            entries.append(entry)
            test = run.history[-1].test_accuracy
            print(f"{name}, seed {seed}: train {known.accuracy:.1%}, test {test:.1%}", flush=True)
            draft.save(ABOUT)
        return model

    train("11 layers, std 0.01", begin(11, SMALL, seed), 3, 0.02)
    train("19 layers, std 0.01", begin(19, SMALL, seed), 3, 0.02)
    shallow = train("11 layers, std 0.05", begin(11, LARGER, seed), 10, 0.02)
    for std, rule in ((0.05, LARGER), (0.01, SMALL)):
        deep = begin(19, rule, seed)
        training.grow(deep, shallow, convolutions=4)
        train(f"19 layers, grown from 11, std {std}", deep, 4, 0.01)
    train("19 layers, std 0.05", begin(19, LARGER, seed), 14, 0.02)
    train("19 layers, std 0.05, half the rate", begin(19, LARGER, seed), 14, 0.01)
    train("19 layers, He", begin(19, HE, seed), 6, 0.01)
    train("19 layers, Glorot", begin(19, GLOROT, seed), 8, 0.01)
    train("19 layers, Glorot, pixels to 255", begin(19, GLOROT, seed), 8, 0.01, to_255())
    net = shallow
    for layers, epochs in ((13, 3), (16, 3), (19, 4)):
        deep = begin(layers, SMALL, seed)
        training.grow(deep, net)
        net = train(f"{layers} layers, grown by few, std 0.01", deep, epochs, 0.01)


RATES = {11: (0.005, 0.015, 0.045, 0.135), 13: (0.005, 0.015, 0.045, 0.135)}  # by layers; none is best at an edge
RATES |= {16: (0.005, 0.015, 0.045), 19: (0.005, 0.015, 0.045)}
PLATEAU = {"epochs": 14, "batch_size": 32, "progress": False}
CHOOSE, REPORT = 1000, 4000  # validation images, test images


def vgg_plateau(draft: Draft) -> None:
    """Twins of VGG with 11 to 19 layers until their curves are flat: what depth does if nothing else changes.

    They have 8 to 64 channels, and all start from He's rule. Each has its own learning rate, the best of three or four
    on 1,000 validation images by seed 0; then two more seeds of weights and order at the rate that was chosen, and
    4,000 test images, which choose nothing.
    """
    about = "Networks of VGG's family, 8 to 64 channels, on 4,000 street digits: accuracies by learning rate and seed"
    for layers, rates in RATES.items():
        of = draft.results.setdefault(f"{layers} layers", {"tried": {}})
        for lr in rates:
            if f"{lr:g}" not in of["tried"]:
                of["tried"][f"{lr:g}"] = to_the_plateau(layers, lr, seed=0)
                draft.save(about)
        chosen = max(rates, key=lambda lr: (of["tried"][f"{lr:g}"]["validation"][-1], -lr))
        of["chosen"], seeds = chosen, of.setdefault("seeds", [of["tried"][f"{chosen:g}"]])
        for seed in SEEDS[len(seeds) :]:
            seeds.append(to_the_plateau(layers, chosen, seed))
            draft.save(about)


def to_the_plateau(layers: int, lr: float, seed: int) -> dict:
    """Accuracies while it trains, on training and validation images after each epoch, and on test images at the end."""
    torch.manual_seed(seed)
    model = study.equal_gains(study.twin(layers))
    digits = data.load("street_digits", train=IMAGES, validation=CHOOSE, test=REPORT)
    try:
        history, lost = training.fit(model, digits.choosing(), lr=lr, seed=seed, **PLATEAU).history, []
    except training.DivergedError as error:
        history, lost = error.run.history, [0.0]
    known, held_out = [epoch.train_accuracy for epoch in history], [epoch.test_accuracy for epoch in history]
    test = training.evaluate(model, digits.test).accuracy
    print(f"{layers} layers, lr {lr:g}, seed {seed}: {test:.1%} of the test images", flush=True)
    return {"train": known, "validation": held_out + lost, "test": test}


RECORDS = {"vgg_depth": vgg_depth, "vgg_plateau": vgg_plateau}
