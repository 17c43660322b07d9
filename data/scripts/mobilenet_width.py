"""MobileNet's twin at the paper's four widths, and for fewer epochs beside full convolutions: lesson 11's record.

    python data/mobilenet_width.py

Three seeds each, of the weights, the images and their order. Some six minutes on one quiet core. The record holds the
training and the test accuracy after each epoch. What is in the record already is not run again.
"""

import time

import torch

from cnnlab import course, data, models, training

NAME = "mobilenet_width"
SEEDS = (0, 1, 2)
SETTINGS = {"lr": 0.1, "batch_size": 64, "precision": "fp32"}
CASES = {  # model, width, epochs; the twin's own width is half the paper's
    "five epochs": ("mobilenet_v1_tiny", 0.5, 5),
    "five epochs, full convolutions": ("conv_mobilenet_v1_tiny", 0.5, 5),
    "width 0.25": ("mobilenet_v1_tiny", 0.125, 8),
    "width 1": ("mobilenet_v1_tiny", 0.5, 8),
    "width 0.5": ("mobilenet_v1_tiny", 0.25, 8),
    "width 0.75": ("mobilenet_v1_tiny", 0.375, 8),
}


def main() -> None:
    try:
        before = course.record(NAME)
        results, seconds = before.results, before.seconds
    except ValueError:
        results, seconds = {}, 0
    start = time.perf_counter()
    for case in (case for case in CASES if case not in results):
        results[case] = [train(case, seed) for seed in SEEDS]
        about = "[training, test accuracy] after each epoch of MobileNet's twin on 4,000 street digits, for three seeds"
        course.save_record(NAME, about, f"python data/{NAME}.py", seconds + time.perf_counter() - start, results)


def train(case: str, seed: int) -> list[list[float]]:
    name, width, epochs = CASES[case]
    dataset = data.load("street_digits", train=4000, test=1000, seed=seed)
    torch.manual_seed(seed)
    model = models.get_model(name, width_mult=width)
    run = training.fit(model, dataset, epochs=epochs, seed=seed, progress=False, **SETTINGS)
    print(case, seed, [f"{epoch.test_accuracy:.1%}" for epoch in run.history], flush=True)
    return [[epoch.train_accuracy, epoch.test_accuracy] for epoch in run.history]


if __name__ == "__main__":
    main()
