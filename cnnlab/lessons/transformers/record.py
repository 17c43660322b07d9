"""Lesson 14, without convolutions: what takes longer to measure than the lesson has."""

import time
from dataclasses import replace

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


RECORDS = {"cnn_and_vit": cnn_and_vit}
