"""Lesson 10, DenseNet: what takes longer to measure than the lesson has."""

from dataclasses import asdict
from functools import cache, partial

import torch

from cnnlab import data, models, training
from cnnlab.device import one_thread
from cnnlab.lessons.densenet.study import AddingNet, concatenating, missed, reuse
from cnnlab.lessons.records import Draft

SEEDS, IMAGES, TEST, EPOCHS, PRECISION = (0, 1, 2), 4000, 1000, 4, "fp32"
NETWORKS = {
    "concatenation": concatenating,
    "addition": AddingNet,
    "ResNet": lambda: models.get_model("resnet20_tiny", depths=(4, 4, 3)),
}
ABOUT = (
    "Twins of about 75,000 parameters on 4,000 street digits, 4 epochs of batches of 64; `train` is measured "
    "after the training. Of the dense one, by block, source (row) and reader (column): mean |weight| before and "
    "after, and the rise of the loss on 300 test images where a reader misses a source."
)


@cache
def digits() -> data.Dataset:
    return data.load("street_digits", train=IMAGES, test=TEST)


def densenet_and_resnet(draft: Draft) -> None:
    """Concatenation, addition and ResNet at equal parameters, and what the dense twin reuses, three seeds each."""
    for seed in SEEDS:
        for name in NETWORKS:
            entries = draft.results.setdefault(name, [])
            if len(entries) > seed:
                continue
            model, entry = train(name, digits(), seed)
            if name == "concatenation":
                entry |= inside(seed, model, digits())
            entries.append(entry)
            draft.save(ABOUT, precision=PRECISION)


def train(name: str, dataset: data.Dataset, seed: int) -> tuple[torch.nn.Module, dict]:
    torch.manual_seed(seed)
    model = NETWORKS[name]()
    settings = {"lr": 0.1, "batch_size": 64, "seed": seed, "precision": PRECISION, "progress": False}
    run = training.fit(model, dataset, epochs=EPOCHS, **settings)
    known = training.evaluate(model, dataset.train)
    print(f"{name}, seed {seed}: {known.accuracy:.1%} {run.history[-1].test_accuracy:.1%}", flush=True)
    return model, {"history": [asdict(epoch) for epoch in run.history], "train": asdict(known)}


def inside(seed: int, model: torch.nn.Module, dataset: data.Dataset) -> dict:
    """What the trained dense twin reuses, beside the weights that it began with."""
    torch.manual_seed(seed)
    images, labels = dataset.test.inputs(slice(0, 300)), dataset.test.labels[:300]
    return {
        "untrained": numbers(reuse(NETWORKS["concatenation"]())),
        "trained": numbers(reuse(model)),
        "missed": numbers(missed(model, images, labels)),
    }


def numbers(tables: list[torch.Tensor]) -> list:
    """Rounded, and None where a reader does not see a source."""
    return [[[None if v != v else round(v, 5) for v in row] for row in table.tolist()] for table in tables]


SMALL = {"train": 1500, "validation": 500, "test": 2000, "size": 16}
TO_THE_END = {"epochs": 20, "batch_size": 64, "progress": False}
WIDE = {"depths": (3, 3, 3), "growth_rate": 12, "stem_width": 15}  # half the layers, with twice the growth rate
TWINS = NETWORKS | {
    "concatenation, half the layers": partial(concatenating, **WIDE),
    "addition, half the layers": partial(AddingNet, widths=(18, 29, 38), depths=(3, 3, 3)),
}
RATES = (0.03, 0.1, 0.3, 1.0, 3.0)  # none is best at an edge


@cache
def small_digits() -> data.Dataset:
    return data.load("street_digits", **SMALL)


@one_thread()
def twins_until_flat(draft: Draft) -> None:
    """Concatenation, addition and ResNet at equal parameters until their curves are flat, and what is reused.

    Each network has its own learning rate, the best of five on 500 validation images by seed 0; then two more seeds of
    weights and order at that rate, and 2,000 test images, which choose nothing. Of the dense twin each seed has, by
    block, source (row) and reader (column): mean |weight| before and after the training, and the rise of the loss on
    300 test images where a reader misses a source, or six maps of one.
    """
    about = "Twins of about 75,000 parameters on 1,500 street digits of 16 x 16 pixels, 20 epochs of batches of 64"
    for name in TWINS:
        of = draft.results.setdefault(name, {"tried": {}})
        for lr in RATES:
            if f"{lr:g}" not in of["tried"]:
                of["tried"][f"{lr:g}"] = to_the_end(name, lr, seed=0)
                draft.save(about)
        chosen = max(RATES, key=lambda lr: (of["tried"][f"{lr:g}"]["validation"][-1], -lr))
        if of.get("chosen") != chosen:
            of |= {"chosen": chosen, "seeds": [dict(of["tried"][f"{chosen:g}"])]}
        for entry in of["tried"].values():
            entry.pop("inside", None)
        for seed in SEEDS[len(of["seeds"]) :]:
            of["seeds"].append(to_the_end(name, chosen, seed))
            draft.save(about)


def to_the_end(name: str, lr: float, seed: int) -> dict:
    """Accuracies while it trains, on training and validation images after each epoch, and on test images at the end."""
    torch.manual_seed(seed)
    model = TWINS[name]()
    before = reuse(model) if name == "concatenation" else None
    history = training.fit(model, small_digits().choosing(), lr=lr, seed=seed, **TO_THE_END).history
    test = training.evaluate(model, small_digits().test).accuracy
    print(f"{name}, lr {lr:g}, seed {seed}: {history[-1].train_accuracy:.1%}, test {test:.1%}", flush=True)
    curves = {"train": [epoch.train_accuracy for epoch in history]}
    curves |= {"validation": [epoch.test_accuracy for epoch in history], "test": test}
    if before is None:
        return curves
    images, labels = small_digits().test.inputs(slice(0, 300)), small_digits().test.labels[:300]
    tables = {"untrained": before, "trained": reuse(model), "missed": missed(model, images, labels)}
    tables["missed, six maps"] = missed(model, images, labels, 6)
    return curves | {"inside": {what: numbers(blocks) for what, blocks in tables.items()}}


RECORDS = {"densenet_and_resnet": densenet_and_resnet, "twins_until_flat": twins_until_flat}
