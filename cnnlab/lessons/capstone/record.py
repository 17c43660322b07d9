"""Lesson 17, which network would you choose: what takes longer to measure than the lesson has."""

import statistics
import time
from collections.abc import Callable
from functools import cache
from typing import get_args

import torch

from cnnlab import data, measure, models, training
from cnnlab.device import one_thread
from cnnlab.lessons import twins
from cnnlab.lessons.rates import climbed
from cnnlab.lessons.records import Draft
from cnnlab.training.speedrun import Part

SEEDS, IMAGES, TEST = (0, 1, 2), 4000, 2000
BUDGET = 60  # seconds of training for each network
ADAMW = {"optimizer": "adamw", "lr": 0.003, "weight_decay": 0.05}
SLOW = {"optimizer": "adamw", "lr": 0.001, "weight_decay": 0.05, "batch_size": 32}  # for what SGD hardly starts
RECIPES = {  # what differs from SGD with lr 0.1 and batches of 64
    "lenet5": {"lr": 0.05},
    "alexnet_tiny": SLOW,
    "vgg11_tiny": {"lr": 0.02},
    "vgg16_bn_tiny": {},
    "googlenet_tiny": {},
    "googlenet_2014_tiny": SLOW,
    "resnet18_tiny": {},
    "resnet20_tiny": {},
    "resnet56_tiny": {},
    "resnet50_tiny": {"lr": 0.05, "batch_size": 32},
    "preact_resnet110_tiny": {},
    "preact_resnet50_tiny": {},
    "wrn_16_8_tiny": {},
    "resnext29_8x64d_tiny": {},
    "densenet_40_12_tiny": {},
    "densenet_bc_100_12_tiny": {},
    "mobilenet_v1_tiny": {},
    "conv_mobilenet_v1_tiny": {},
    "mobilenet_v2_tiny": {},
    "nasnet_a_mobile_tiny": {},
    "efficientnet_b0_tiny": {},
    "vit_b_16_tiny": dict(twins.VIT_FIT),  # the smaller one of lesson 14
    "convnext_tiny_tiny": ADAMW,
    "convnext_roadmap_tiny": ADAMW,
}
SPEED_RUN, SMALL = "speed run", (32, 64, 64)  # the capstone's network, narrow, with its own training


@cache
def digits() -> data.Dataset:
    return data.load("street_digits", train=IMAGES, test=TEST)


@one_thread()
def leaderboard(draft: Draft) -> None:
    """Every small network of the course under one budget: 60 seconds of training on one core.

    4,000 street digits, as many whole epochs as fit into the time, three seeds, accuracy on 2,000 others. The speed of
    all trainings is measured first, in turn, while the machine should do nothing else; the epochs follow from it, and
    what else the machine does later changes nothing. Rate, optimizer and batches are those that a few trials per family
    found.
    """
    about = (
        "Small networks after 60 s of training on one core, on 4,000 street digits: by network its parameters, "
        "mult-adds for an image of 32x32, milliseconds for one image (the median of 30, one thread), bytes that "
        "training keeps for an image, images a second in training, and by seed the epochs that fit and the accuracy on "
        "2,000 other images."
    )
    names = [*RECIPES, SPEED_RUN]
    new = [name for name in names if name not in draft.results]
    if new:
        few = data.load("street_digits", train=512, test=10)
        rounds = [{name: speed(name, few) for name in new} for _ in range(3)]  # in turn, as machines have moods
        draft.results |= {name: costs(name) | {"speed": statistics.median(r[name] for r in rounds)} for name in new}
        draft.save(about, 0)
    for seed in SEEDS:
        for name in names:
            entry = draft.results[name]
            runs = entry.setdefault("runs", [])
            if len(runs) > seed:
                continue
            epochs = max(1, round(BUDGET * entry["speed"] / IMAGES))
            run = train(name, digits(), epochs, seed)
            runs.append({"epochs": epochs, "test": run.history[-1].test_accuracy})
            print(seed, name, runs[-1], f"{run.seconds:.0f} s", flush=True)
            draft.save(about, run.seconds)


def build(name: str) -> torch.nn.Module:
    if name == SPEED_RUN:
        return models.get_model("speednet_tiny")
    if name == "vit_b_16_tiny":
        return twins.small_vit(torch.initial_seed())
    return models.get_model(name, in_channels=3, num_classes=10)


def train(name: str, dataset: data.Dataset, epochs: int, seed: int, **changed: object) -> training.Run:
    torch.manual_seed(seed)
    options = {"epochs": epochs, "seed": seed, "progress": False} | changed
    if name == SPEED_RUN:
        return training.speed_run(dataset, widths=SMALL, batch_size=128, flip=False, **options)
    return training.fit(build(name), dataset, **({"lr": 0.1, "batch_size": 64} | RECIPES[name] | options))


def speed(name: str, few: data.Dataset) -> float:
    """Images a second in training, after an epoch to warm up."""
    run = train(name, few, epochs=2, seed=0)
    return len(few.train) / run.history[-1].seconds


def costs(name: str) -> dict[str, float]:
    """What the network costs where it is used, and in memory where it is trained."""
    model = build(name).eval()
    cost, image, taken = measure.cost(model, 32), torch.zeros(1, 3, 32, 32), []
    with torch.inference_mode():
        for _ in range(33):
            start = time.perf_counter()
            model(image)
            taken.append(time.perf_counter() - start)
    kept = measure.kept_bytes(model.train(), torch.randn(8, 3, 32, 32)) // 8
    return {"params": cost.params, "macs": cost.macs, "ms": 1000 * statistics.median(taken[3:]), "kept": kept}


EPOCHS = 10


def speedrun_cifar10(draft: Draft) -> None:
    """The speed run on CIFAR-10, three seeds: seconds and accuracy on 5,000 held-out images."""
    about = (
        "The speed run on CIFAR-10's training images: 45,000 to learn from, 5,000 held out. By seed: seconds of "
        "training, accuracy on the held-out images, which were looked at once, and that in training, by epoch."
    )
    runs = draft.results.setdefault("runs", [])
    left = SEEDS[len(runs) :]
    dataset = draft.cifar10() if left else None
    for seed in left:
        run = training.speed_run(dataset, epochs=EPOCHS, seed=seed)
        last = run.history[-1]
        print(f"seed {seed}: {last.test_accuracy:.2%} of the held-out images after {run.seconds:,.0f} s", flush=True)
        train = [round(epoch.train_accuracy, 4) for epoch in run.history]
        runs.append({"seconds": round(run.seconds, 1), "held_out": last.test_accuracy, "train": train})
        draft.save(about, run.seconds)


def speedrun_parts_cifar10(draft: Draft) -> None:
    """The speed run on CIFAR-10 without each of its parts, three seeds, on 5,000 held-out images."""
    about = (
        "The speed run on CIFAR-10's training images, ten epochs on 45,000: accuracy on the 5,000 held out, one value "
        "a seed, by what was left out (`none`: nothing)."
    )
    dataset = cache(draft.cifar10)
    for seed in SEEDS:
        for part in (None, *get_args(Part)):
            values = draft.results.setdefault(part or "none", [])
            if len(values) <= seed:
                run = training.speed_run(dataset(), epochs=EPOCHS, seed=seed, without=part, progress=False)
                values.append(run.history[-1].test_accuracy)
                print(f"without {part}, seed {seed}: {values[-1]:.2%}, {run.seconds:.1f} s", flush=True)
                draft.save(about, run.seconds)


LENGTHS, SHORT = (1, 2, 4, 8, 16), 6  # epochs


@one_thread()
def speedrun_parts(draft: Draft) -> None:
    """The speed run on street digits: whole, without each of its parts, and how long; three seeds.

    4,000 digits and a narrow network; digits are not mirrored, so that the turns have no part in it. The parts are left
    out of trainings of six epochs. Trainings of 1 to 16 epochs, each with its own whole cycle, stand beside
    ResNet-20's.
    """
    about = (
        "Accuracy on 2,000 street digits after training on 4,000 others, one value a seed. `parts`: six epochs of the "
        "speed run in batches of 128, widths (32, 64, 64), by what was left out (`none`: nothing). `lengths`: by "
        "network and epochs; resnet20_tiny with SGD, rate 0.1, batches of 64."
    )

    def speed_run(epochs: int, seed: int, without: Part | None = None) -> training.Run:
        options = {"batch_size": 128, "widths": SMALL, "flip": False, "progress": False}
        return training.speed_run(digits(), epochs=epochs, seed=seed, without=without, **options)

    def resnet20(epochs: int, seed: int) -> training.Run:
        return train("resnet20_tiny", digits(), epochs, seed)

    for seed in SEEDS:
        for part in (None, *(part for part in get_args(Part) if part != "turns")):
            values = draft.results.setdefault("parts", {}).setdefault(part or "none", [])
            if len(values) <= seed:
                run = speed_run(SHORT, seed, part)
                values.append(run.history[-1].test_accuracy)
                print(f"without {part}, seed {seed}: {values[-1]:.1%}", flush=True)
                draft.save(about, run.seconds)
        for name, method in {"speed run": speed_run, "resnet20_tiny": resnet20}.items():
            for epochs in LENGTHS:
                values = draft.results.setdefault("lengths", {}).setdefault(name, {}).setdefault(str(epochs), [])
                if len(values) <= seed:
                    run = method(epochs, seed)
                    values.append(run.history[-1].test_accuracy)
                    print(f"{name}, {epochs} epochs, seed {seed}: {values[-1]:.1%}", flush=True)
                    draft.save(about, run.seconds)


PASSES, RATES = 8, (0.05, 0.1, 0.2)  # MobileNet's passes of its minute; learning rates to begin with


@one_thread()
def same_passes(draft: Draft) -> None:
    """ResNet-20 and MobileNet after eight passes over 4,000 street digits, each at its own learning rate, three seeds.

    The rate is the best one on 1,000 validation images, by seed 0, of RATES and of others beyond them while the best is
    at the edge.
    """
    about = (
        "Two networks after eight passes over 4,000 street digits, SGD, batches of 64, one cycle: by network the "
        "learning rates that were tried, with the accuracy on 1,000 validation images (seed 0), and for the best of "
        "them the accuracy on 2,000 test images by seed."
    )
    dataset = cache(lambda: data.load("street_digits", train=IMAGES, validation=1000, test=TEST))
    for name in ("resnet20_tiny", "mobilenet_v1_tiny"):
        done = draft.results.setdefault(name, {"rates": [], "test": []})

        def trained(lr: float, seed: int, name: str = name) -> training.Run:
            run = train(name, dataset().choosing(), PASSES, seed, lr=lr)
            print(f"{name}, lr {lr:g}, seed {seed}: {run.history[-1].test_accuracy:.1%}", flush=True)
            return run

        def reach(lr: float, done: dict = done, trained: Callable = trained) -> float:
            if lr not in dict(done["rates"]):
                run = trained(lr, SEEDS[0])
                done["rates"].append([lr, run.history[-1].test_accuracy])
                draft.save(about, run.seconds)
            return dict(done["rates"])[lr]

        reached = climbed(RATES, reach)
        for seed in SEEDS[len(done["test"]) :]:
            run = trained(max(reached, key=reached.get), seed)
            done["test"].append(training.evaluate(run.model, dataset().test).accuracy)
            draft.save(about, run.seconds)


@one_thread()
def mirrored(draft: Draft) -> None:
    """ResNet-20, as the course brings it along, on the held-out photographs: with one view of each image, two, and six.

    The speed run is tested with two, so what stands beside it must be too. Six are the paper's: mirrored, and shifted
    by a pixel in two directions.
    """
    if draft.results:
        return
    model, images = models.get_model("resnet20", weights="cifar10"), draft.cifar10().test
    views = {"one": model, "two": training.Averaged(model), "six": training.Averaged(model, shift=1)}
    draft.results |= {name: training.evaluate(network, images).accuracy for name, network in views.items()}
    print(draft.results, flush=True)
    draft.save(
        "Accuracy of resnet20-cifar10.safetensors on the 5,000 held-out images of CIFAR-10: with one view of each "
        "image, with two (its mirror image), and with six (both, and both shifted by one pixel in two directions)."
    )


RECORDS = {
    "leaderboard": leaderboard,
    "speedrun_cifar10": speedrun_cifar10,
    "speedrun_parts": speedrun_parts,
    "speedrun_parts_cifar10": speedrun_parts_cifar10,
    "same_passes": same_passes,
    "mirrored": mirrored,
}
