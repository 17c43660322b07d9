"""Lesson 11, MobileNet: what takes longer to measure than the lesson has."""

import torch

from cnnlab import data, models, training
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


RECORDS = {"mobilenet_width": mobilenet_width}
