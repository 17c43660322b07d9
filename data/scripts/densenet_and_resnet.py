"""Concatenation, addition and ResNet at equal parameters, and what the dense twin reuses: the record of lesson 10.

python data/densenet_and_resnet.py
"""

import time
from dataclasses import asdict

import torch

from cnnlab import course, data, models, training
from cnnlab.lessons.densenet.study import AddingNet, concatenating, missed, reuse

SEEDS = (0, 1, 2)
NETWORKS = {
    "concatenation": concatenating,
    "addition": AddingNet,
    "ResNet": lambda: models.get_model("resnet20_tiny", depths=(4, 4, 3)),
}


def numbers(tables: list[torch.Tensor]) -> list:
    """Rounded, and None where a reader does not see a source."""
    return [[[None if v != v else round(v, 5) for v in row] for row in table.tolist()] for table in tables]


def train(name: str, dataset: data.Dataset, seed: int) -> tuple[torch.nn.Module, dict]:
    torch.manual_seed(seed)
    model = NETWORKS[name]()
    settings = {"lr": 0.1, "batch_size": 64, "seed": seed, "precision": "fp32", "progress": False}
    run = training.fit(model, dataset, epochs=4, **settings)
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


def main() -> None:
    start = time.perf_counter()
    dataset = data.load("street_digits", train=4000, test=1000)
    results = {}
    for seed in SEEDS:
        for name in NETWORKS:
            model, entry = train(name, dataset, seed)
            if name == "concatenation":
                entry |= inside(seed, model, dataset)
            results.setdefault(name, []).append(entry)
    about = (
        "Twins of about 75,000 parameters on 4,000 street digits, 4 epochs of batches of 64; `train` is measured "
        "after the training. Of the dense one, by block, source (row) and reader (column): mean |weight| before and "
        "after, and the rise of the loss on 300 test images where a reader misses a source."
    )
    command = "python data/densenet_and_resnet.py"
    course.save_record("densenet_and_resnet", about, command, time.perf_counter() - start, results)


if __name__ == "__main__":
    main()
