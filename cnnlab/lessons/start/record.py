"""Lesson 00, start here: what takes longer to measure than the lesson has."""

import statistics
from dataclasses import replace

import torch

from cnnlab import data, models, training
from cnnlab.lessons.records import Draft

NETWORKS = {"lenet5": {"in_channels": 3}, "resnet20_tiny": {}}
RATES = {"lenet5": (0.025, 0.05, 0.1, 0.2, 0.4), "resnet20_tiny": (0.05, 0.1, 0.2, 0.4, 0.8)}
EPOCHS, BATCH, IMAGES, SEEDS = 4, 64, 4000, (0, 1, 2)
TIMES = (1, 2)  # as much time as the race gives, and twice as much


def equal_time(draft: Draft) -> None:
    """LeNet-5 and a narrow ResNet-20 for the same seconds on street digits, each at its own learning rate.

    The ResNet trains for four epochs, LeNet-5 for as many as fit into the same time on one thread: how many was
    measured once, in turns, and stands in the record. The rate is the best of five on 1,000 validation images, by
    seed 0; then three seeds of weights and order, once and for twice the time, and 1,000 test images.
    """
    about = "LeNet-5 and resnet20_tiny for equal times on 4,000 street digits; accuracies by network, rate, time, seed."
    if "ratio" not in draft.results:
        for name in NETWORKS:
            speed(name)  # the first is slower
        rounds = [{name: speed(name) for name in NETWORKS} for _ in range(5)]
        ratio = statistics.median(r["lenet5"] / r["resnet20_tiny"] for r in rounds)
        draft.results |= {"images_per_second": rounds, "ratio": ratio, "runs": {}}
        draft.save(about)
    for name in NETWORKS:
        for lr in RATES[name]:
            measured(draft, about, name, lr, times=1, seed=0)
    for times in TIMES:
        for seed in SEEDS:
            for name in NETWORKS:
                measured(draft, about, name, best_rate(draft.results, name), times, seed)


def best_rate(results: dict, name: str) -> float:
    """By the validation images, with seed 0; of two that are equally good the smaller."""
    return max(RATES[name], key=lambda lr: results["runs"][key(name, lr, 1, 0)]["validation"][-1])


def key(name: str, lr: float, times: int, seed: int) -> str:
    return f"{name}, lr {lr:g}, {times} times, seed {seed}"


def speed(name: str) -> float:
    """Images a second in training."""
    torch.manual_seed(0)
    few = data.load("street_digits", train=1024, test=10).without_test()
    options = {"epochs": 1, "lr": 0.01, "batch_size": BATCH, "progress": False, "precision": "fp32"}
    return training.fit(models.get_model(name, **NETWORKS[name]), few, **options).images_per_second


def measured(draft: Draft, about: str, name: str, lr: float, times: int, seed: int) -> None:
    """Train once, unless the record has it."""
    runs = draft.results["runs"]
    if (this := key(name, lr, times, seed)) in runs:
        return
    epochs = round(EPOCHS * times * (draft.results["ratio"] if name == "lenet5" else 1))
    dataset = data.load("street_digits", train=IMAGES + 1000, test=1000).hold_out(1000)
    test = replace(data.load("street_digits", train=IMAGES + 1000, test=1000).test, mean=dataset.mean, std=dataset.std)
    torch.manual_seed(seed)
    options = {"epochs": epochs, "lr": lr, "batch_size": BATCH, "seed": seed, "progress": False, "precision": "fp32"}
    run = training.fit(models.get_model(name, **NETWORKS[name]), dataset, **options)
    runs[this] = {
        "epochs": epochs,
        "train": run.history[-1].train_accuracy,
        "validation": [epoch.test_accuracy for epoch in run.history],
        "test": training.evaluate(run.model, test, precision="fp32").accuracy,
    }
    print(f"{this}: {runs[this]['validation'][-1]:.1%} of the validation images", flush=True)
    draft.save(about)


RECORDS = {"equal_time": equal_time}
