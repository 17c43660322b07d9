"""Lesson 10, DenseNet: what takes longer to measure than the lesson has."""

from dataclasses import asdict
from functools import cache

import torch

from cnnlab import data, models, training
from cnnlab.lessons.densenet.study import AddingNet, concatenating, missed, reuse
from cnnlab.lessons.records import Draft

SEEDS, IMAGES, TEST, EPOCHS = (0, 1, 2), 4000, 1000, 4
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
            draft.save(ABOUT)


def train(name: str, dataset: data.Dataset, seed: int) -> tuple[torch.nn.Module, dict]:
    torch.manual_seed(seed)
    model = NETWORKS[name]()
    settings = {"lr": 0.1, "batch_size": 64, "seed": seed, "precision": "fp32", "progress": False}
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


RECORDS = {"densenet_and_resnet": densenet_and_resnet}
