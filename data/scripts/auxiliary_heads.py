"""What auxiliary heads do to the training of GoogLeNet's twins: the study that lesson 05 shows.

    python data/auxiliary_heads.py

Three cases: the twin with batch norm, and the one without, as in 2014, from He's and from Glorot's first weights; each
with and without heads, over three seeds: of the weights, the images and their order. The two of a pair start from the
same weights. Some 30 minutes on one core. The record holds the test loss and accuracy after each epoch, of the
network's own output: the heads are not asked any more. Cases that are in the record already are not run again.
"""

import time

import torch
from torch import nn

from cnnlab import course, data, models, training

NAME = "auxiliary_heads"
SEEDS = (0, 1, 2)
SETTINGS = {  # learning rates: chosen by one to three short trials on seed 0
    "batch norm": {"epochs": 5, "lr": 0.05, "batch_size": 32},
    "2014, He": {"epochs": 6, "lr": 0.005, "batch_size": 32},
    "2014, Glorot": {"epochs": 9, "lr": 0.05, "batch_size": 32},
}


def main() -> None:
    try:
        before = course.record(NAME)
        results, seconds = before.results, before.seconds
    except ValueError:
        results, seconds = {}, 0
    start = time.perf_counter()
    for case, settings in SETTINGS.items():
        for heads in (False, True):
            key = f"{case}, {'with' if heads else 'without'} heads"
            if key not in results:
                results[key] = [train(case, heads, seed, settings) for seed in SEEDS]
    results["settings"] = SETTINGS
    about = "Twins of GoogLeNet on 4,000 street digits: [test loss, test accuracy] after each epoch, for three seeds"
    course.save_record(NAME, about, f"python data/{NAME}.py", seconds + time.perf_counter() - start, results)


def train(case: str, heads: bool, seed: int, settings: dict) -> list[list[float]]:
    dataset = data.load("street_digits", train=4000, test=1000, seed=seed)
    run = training.fit(build(case, heads, seed), dataset, seed=seed, progress=False, **settings)
    print(case, heads, seed, [f"{epoch.test_accuracy:.1%}" for epoch in run.history], flush=True)
    return [[epoch.test_loss, epoch.test_accuracy] for epoch in run.history]


def build(case: str, heads: bool, seed: int) -> nn.Module:
    """A twin whose own weights are the same with heads as without."""
    name = "googlenet_tiny" if case == "batch norm" else "googlenet_2014_tiny"
    torch.manual_seed(seed)
    plain, model = models.get_model(name), models.get_model(name, aux_heads=heads)
    if case == "2014, Glorot":
        for weight in (p for net in (plain, model) for p in net.parameters() if p.ndim > 1):
            nn.init.xavier_uniform_(weight)
    model.load_state_dict(plain.state_dict(), strict=False)
    return model


if __name__ == "__main__":
    main()
