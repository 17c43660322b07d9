"""Lesson 11, MobileNet: what takes longer to measure than the lesson has."""

from collections.abc import Callable, Mapping
from functools import cache, partial

import torch
from torch import nn

from cnnlab import data, models, training
from cnnlab.lessons import arms
from cnnlab.lessons.mobilenet.study import bottlenecks
from cnnlab.lessons.records import Draft

SEEDS, IMAGES, TEST = (0, 1, 2), 4000, 1000
SETTINGS = {"lr": 0.1, "batch_size": 64, "precision": "fp32"}
CASES = {  # model, width, epochs; the twin's own width is half the paper's
    "five epochs": ("mobilenet_v1_tiny", 0.5, 5),
    "five epochs, full convolutions": ("conv_mobilenet_v1_tiny", 0.5, 5),
    "width 0.25": ("mobilenet_v1_tiny", 0.125, 8),
    "width 1": ("mobilenet_v1_tiny", 0.5, 8),
    "width 0.5": ("mobilenet_v1_tiny", 0.25, 8),
    "width 0.75": ("mobilenet_v1_tiny", 0.375, 8),
}


def mobilenet_width(draft: Draft) -> None:
    """MobileNet's twin at the paper's four widths, and for fewer epochs beside full convolutions.

    Three seeds each, of the weights, the images and their order. The record holds the training and the test accuracy
    after each epoch.
    """
    about = "[training, test accuracy] after each epoch of MobileNet's twin on 4,000 street digits, for three seeds"
    for case in CASES:
        runs = draft.results.setdefault(case, [])
        for seed in SEEDS[len(runs) :]:
            runs.append(train(case, seed))
            draft.save(about, precision=SETTINGS["precision"])


def train(case: str, seed: int) -> list[list[float]]:
    name, width, epochs = CASES[case]
    dataset = data.load("street_digits", train=IMAGES, test=TEST, seed=seed)
    torch.manual_seed(seed)
    model = models.get_model(name, width_mult=width)
    run = training.fit(model, dataset, epochs=epochs, seed=seed, progress=False, **SETTINGS)
    print(case, seed, [f"{epoch.test_accuracy:.1%}" for epoch in run.history], flush=True)
    return [[epoch.train_accuracy, epoch.test_accuracy] for epoch in run.history]


RATES = {  # to begin with
    "separable": (0.1, 0.2, 0.4),
    "full, same widths": (0.05, 0.1, 0.2, 0.4),
    "full, same parameters": (0.05, 0.1, 0.2, 0.4, 0.8),
}


def separable_and_full(draft: Draft) -> None:
    """Depthwise separable against full convolutions until the curves are flat, each at its own rate, three seeds.

    Full convolutions twice: with as many channels, and with so few that the parameters are the same.
    """
    build = {
        "separable": partial(models.get_model, "mobilenet_v1_tiny", width_mult=0.25),
        "full, same widths": partial(models.get_model, "conv_mobilenet_v1_tiny", width_mult=0.25),
        "full, same parameters": partial(models.get_model, "conv_mobilenet_v1_tiny", width_mult=0.0875),
    }
    about = "MobileNet's twin at a quarter of the paper's width, on 3,000 street digits, 16 epochs of batches of 64. "
    compare(draft, about, build, RATES, images=3000, epochs=16, batch_size=64)


def linear_bottleneck(draft: Draft) -> None:
    """Inverted residuals whose narrow ends are linear or have a ReLU6, with few channels and with more, three seeds."""
    build, rates = {}, {}
    for channels in (8, 24):
        for end in ("linear", "ReLU6"):
            case = f"{channels} channels, {end}"
            build[case] = partial(bottlenecks, channels, relu=end == "ReLU6")
            rates[case] = BOTTLENECK_RATES
    about = "Five inverted residual blocks on 2,000 street digits, 15 epochs of batches of 32. "
    compare(draft, about, build, rates, images=2000, epochs=15, batch_size=32)


BOTTLENECK_RATES = (0.05, 0.1, 0.2)


@cache
def digits(images: int, seed: int) -> data.Dataset:
    return data.load("street_digits", train=images, validation=1000, test=2000, seed=seed)


def compare(
    draft: Draft,
    about: str,
    build: Mapping[str, Callable[[], nn.Module]],
    rates: Mapping[str, tuple[float, ...]],
    **options: int,
) -> None:
    """Each case at its own learning rate. options: images, epochs, batch_size."""
    about += (
        "SGD with momentum, float32, one cycle. rates: seed 0, the rate is chosen by 1,000 validation images; seeds: "
        "images, weights and order; curve: [training, validation accuracy] after each epoch; test: 2,000 images."
    )
    arms.compare(draft, about, partial(trained, build, options), rates, SEEDS, SETTINGS["precision"])


def trained(
    build: Mapping[str, Callable[[], nn.Module]], options: Mapping[str, int], case: str, lr: float, seed: int
) -> dict:
    settings = dict(options)
    dataset = digits(settings.pop("images"), seed)
    torch.manual_seed(seed)
    model = build[case]()
    settings |= {"lr": lr, "precision": "fp32", "seed": seed, "progress": False}
    run = training.fit(model, dataset.choosing(), **settings)
    curve = [[round(epoch.train_accuracy, 4), round(epoch.test_accuracy, 4)] for epoch in run.history]
    test = training.evaluate(model, dataset.test).accuracy
    print(f"{case}, lr {lr:g}, seed {seed}: {curve[-1]}, test {test:.1%}", flush=True)
    return {"lr": lr, "seed": seed, "curve": curve, "test": test}


RECORDS = {
    "mobilenet_width": mobilenet_width,
    "separable_and_full": separable_and_full,
    "linear_bottleneck": linear_bottleneck,
}
