"""Lesson 14, without convolutions: what takes longer to measure than the lesson has."""

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from torch import nn

from cnnlab import data, measure, training
from cnnlab.device import one_thread
from cnnlab.lessons.records import Draft
from cnnlab.lessons.transformers import study

SIZES, SEEDS, TEST = (500, 2000, 8000, 16000), (0, 1, 2), 2000


@one_thread()
def cnn_and_vit(draft: Draft) -> None:
    """A ResNet and a small ViT on 500 to 16,000 street digits, for the same mult-adds of training.

    A seed is that of the images, the weights and the order. The ViT costs a seventh of the ResNet for an image, and
    sees seven times as many. Each run of the record says how often it saw the images, how much of its training images
    and of 2,000 others it read at the end, and the seconds of training: by the clock, and of the processor (one
    thread).
    """
    # Seed by seed, so that a part of the record is a small study too; two seeds of the largest are enough.
    cases = [(kind, images, seed) for seed in SEEDS for images in SIZES for kind in ("ResNet", "ViT")]
    cases = [case for case in cases if case[1:] != (max(SIZES), 2)]
    cases += [("ViT without positions", 8000, seed) for seed in SEEDS]
    about = "A small ResNet and a small ViT, trained for the same mult-adds, by kind, training images and seed"
    runs = draft.results.setdefault("runs", [])
    for kind, images, seed in cases:
        if not any((run["kind"], run["images"], run["seed"]) == (kind, images, seed) for run in runs):
            runs.append({"kind": kind, "images": images, "seed": seed} | train(kind, images, seed))
            print(runs[-1], flush=True)
            draft.save(about)


def train(kind: str, images: int, seed: int) -> dict:
    street = data.load("street_digits", train=images, test=TEST, seed=seed)
    few = replace(street, test=replace(street.test, images=street.test.images[:10], labels=street.test.labels[:10]))
    if kind == "ResNet":
        model, passes, settings = study.small_resnet(seed), 1, study.RESNET_FIT
    else:
        model, passes, settings = study.small_vit(seed), study.TIMES, study.VIT_FIT
    if kind == "ViT without positions":
        model.stem.positions = nn.Identity()
    epochs = passes * max(SIZES) // images
    before = time.process_time()
    run = training.fit(model, few, epochs=epochs, seed=seed, progress=False, **settings)
    return {
        "epochs": epochs,
        "macs": measure.cost(model, 32).macs,
        "params": sum(p.numel() for p in model.parameters()),
        "accuracy": training.evaluate(model, street.test).accuracy,
        "train_accuracy": training.evaluate(model, street.train).accuracy,
        "seconds": round(run.seconds, 1),
        "processor_seconds": round(time.process_time() - before, 1),
    }


ARMS: Mapping[str, tuple] = {  # each: build, how many images for the mult-adds of one in the ResNet, rates, settings
    "ViT, positions of 1": (study.small_vit, study.TIMES, (0.0003, 0.001, 0.003), study.VIT_FIT),
    "ViT, positions of 0.02": (partial(study.with_positions, 0.02), study.TIMES, (0.0003, 0.001, 0.003), study.VIT_FIT),
    "ViT, conv stem": (study.with_conv_stem, study.STEM_TIMES, (0.0003, 0.001, 0.003), study.VIT_FIT),
    "ResNet": (study.small_resnet, 1, (0.02, 0.1, 0.5), study.RESNET_FIT),
}
LARGE = (16000, 4)  # images, and budgets: one is 16,000 images seen by the ResNet
ABOUT = (
    "A small ViT with large or small positions or a convolutional stem, and a small ResNet, for the same mult-adds:"
    " validation accuracy by rate, then runs at the best. The ViTs in fp32, the ResNet in the machine's precision"
)


@one_thread()
def starts_and_stems(draft: Draft) -> None:
    """What the positions begin with, what a convolutional stem does, and images and budget growing together.

    The rate of each arm is the best of three on 1,000 validation images, by seed 0, at 8,000 images and the budget of
    `cnn_and_vit`. Then three seeds at that size, and one with twice the images and four times the budget; each run
    looks once at 2,000 test images. A run of a ViT says how alike the vectors of neighbouring places are at the end,
    and of others.
    """
    rates = draft.results.setdefault("rates", {})
    draft.results.setdefault("runs", [])
    for arms in (list(ARMS)[:2], list(ARMS)[2:]):  # what the lesson needs first is measured first
        for arm in arms:
            for lr in ARMS[arm][2]:
                if f"{lr:g}" not in rates.setdefault(arm, {}):
                    rates[arm][f"{lr:g}"] = grown(arm, 8000, 1, lr, 0)["validation_accuracy"]
                    print(arm, lr, rates[arm][f"{lr:g}"], flush=True)
                    draft.save(ABOUT)
        for seed in SEEDS:
            for arm in arms:
                measured(draft, arm, 8000, 1, seed)
    for arm in ("ViT, positions of 1", "ViT, conv stem", "ResNet"):
        measured(draft, arm, *LARGE, 0)


def measured(draft: Draft, arm: str, images: int, budget: int, seed: int) -> None:
    """Train at the best rate, unless the record has it."""
    case = {"arm": arm, "images": images, "budget": budget, "seed": seed}
    if not any(case.items() <= run.items() for run in draft.results["runs"]):
        found = grown(arm, images, budget, best_rate(draft.results, arm), seed, test=True)
        draft.results["runs"].append(case | found)
        print(draft.results["runs"][-1], flush=True)
        draft.save(ABOUT)


def best_rate(results: dict, arm: str) -> float:
    """By the validation images; of two that are equally good the smaller."""
    return max(ARMS[arm][2], key=lambda lr: results["rates"][arm][f"{lr:g}"])


def grown(arm: str, images: int, budget: int, lr: float, seed: int, test: bool = False) -> dict:
    """One training, judged by 1,000 validation images; by the test images only where these are asked for."""
    build, times, _, settings = ARMS[arm]
    street = data.load("street_digits", train=images, validation=1000, test=TEST, seed=seed)
    epochs, before = times * budget * max(SIZES) // images, time.process_time()
    run = training.fit(
        model := build(seed=seed),
        street.without_test(),
        epochs=epochs,
        seed=seed,
        progress=False,
        **settings | {"lr": lr},
    )
    found = {"epochs": epochs, "lr": lr, "processor_seconds": round(time.process_time() - before, 1)}
    found["train_accuracy"] = run.history[-1].train_accuracy
    found["validation_accuracy"] = training.evaluate(model, street.validation).accuracy
    if test:
        found["accuracy"] = training.evaluate(model, street.test).accuracy
    if arm != "ResNet":
        positions, began = (net.stem.positions.pos_embedding.detach() for net in (model, build(seed=seed)))
        found["neighbours"], found["others"] = study.neighbours(positions)
        found["as_begun"] = nn.functional.cosine_similarity(positions, began, dim=2).mean().item()
    return found


RECORDS = {"cnn_and_vit": cnn_and_vit, "starts_and_stems": starts_and_stems}
