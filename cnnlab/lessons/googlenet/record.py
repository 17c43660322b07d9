"""Lesson 05, GoogLeNet: what takes longer to measure than the lesson has."""

import torch
from torch import nn

from cnnlab import data, models, training
from cnnlab.lessons.records import Draft

SEEDS, IMAGES, TEST = (0, 1, 2), 4000, 1000
SETTINGS = {  # learning rates: chosen by one to three short trials on seed 0
    "batch norm": {"epochs": 5, "lr": 0.05, "batch_size": 32},
    "2014, He": {"epochs": 6, "lr": 0.005, "batch_size": 32},
    "2014, Glorot": {"epochs": 9, "lr": 0.05, "batch_size": 32},
}


def auxiliary_heads(draft: Draft) -> None:
    """What auxiliary heads do to the training of GoogLeNet's twins.

    Three cases: the twin with batch norm, and the one without, as in 2014, from He's and from Glorot's first weights;
    each with and without heads, over three seeds: of the weights, the images and their order. The two of a pair start
    from the same weights. The record holds the test loss and accuracy after each epoch, of the network's own output:
    the heads are not asked any more.
    """
    draft.results["settings"] = SETTINGS
    about = "Twins of GoogLeNet on 4,000 street digits: [test loss, test accuracy] after each epoch, for three seeds"
    for case, settings in SETTINGS.items():
        for heads in (False, True):
            runs = draft.results.setdefault(f"{case}, {'with' if heads else 'without'} heads", [])
            for seed in SEEDS[len(runs) :]:
                runs.append(train(case, heads, seed, settings))
                draft.save(about)


def train(case: str, heads: bool, seed: int, settings: dict) -> list[list[float]]:
    dataset = data.load("street_digits", train=IMAGES, test=TEST, seed=seed)
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


RECORDS = {"auxiliary_heads": auxiliary_heads}
