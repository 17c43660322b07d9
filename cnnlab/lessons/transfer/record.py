"""Lesson 16, transfer learning: what takes longer to measure than the lesson has."""

import copy
import time
from collections.abc import Callable
from functools import cache, partial

import torch
from torch import nn

from cnnlab import data, models, training
from cnnlab.device import one_thread
from cnnlab.lessons.records import WEIGHTS, Draft
from cnnlab.lessons.transfer import study

MODEL, SEED, IMAGES, TEST = "resnet20_tiny", 0, 16000, 2000
EPOCHS = {"street_digits": 12, "turned_street_digits": 3}
SETTINGS = {"lr": 0.2, "batch_size": 128, "seed": SEED, "progress": False}


@cache
def street() -> data.Dataset:
    return data.load("street_digits", train=IMAGES, test=TEST, seed=SEED)


def street_backbones(draft: Draft) -> None:
    """Two backbones from the same street digits: one learnt to name them, one only which way up they are.

    Both are a resnet20_tiny that sees 192,000 images: 16,000 street digits twelve times with their labels, or three
    times in each of four orientations, without any label but the turn. The weights are written with 16 bits each, read
    again, and tested as they were read.
    """
    about = "Test accuracy of the shipped resnet20_tiny, each on its own task: 2,000 street digits, upright or turned."
    for name, epochs in EPOCHS.items():
        if name in draft.results:
            continue
        dataset = street() if name == "street_digits" else training.quarter_turns(street())
        torch.manual_seed(SEED)
        options = {"num_classes": len(dataset.classes)}
        kept = draft.checkpoints / f"{name}.checkpoint"
        net = models.get_model(MODEL, **options)
        run = training.fit(net, dataset, epochs=epochs, checkpoint=kept, **SETTINGS)
        path = WEIGHTS / f"{MODEL}-{name}.safetensors"
        origin = {"data": dataset.name, "images": IMAGES, "epochs": epochs, "seed": SEED, "command": draft.command}
        origin |= dataset.preparation()
        models.save_weights(copy.deepcopy(run.model).half(), path, name=MODEL, options=options, **origin)
        accuracy = training.evaluate(models.get_model(MODEL, weights=path), dataset.test).accuracy
        draft.results[name] = {
            "accuracy": accuracy,
            "before rounding": run.history[-1].test_accuracy,
            "seed": SEED,
            "epochs": epochs,
            "views": epochs * len(dataset.train),
            "seconds": round(run.seconds),
        }
        print(name, draft.results[name], flush=True)
        draft.save(about)


@one_thread()
def transfer(draft: Draft) -> None:
    """Methods of transfer on few labels, from five seeds.

    A seed is that of the labelled images, of those to test and of the new head; the backbone stays the one that is
    shipped. Each result says how much of other images was read, and what the method took: seconds by the clock, and of
    the processor (one thread). With one more in `study.BACKBONES`, a record that was whole gets what is new.
    """
    about = "Accuracy on other images after transfer, by data set, labels per class, method and seed"
    results = draft.results.setdefault("runs", [])
    # Seed by seed, so that a part of the record is a small study too.
    cases = [(seed, name, count) for seed in study.SEEDS for name in study.LABELS for count in study.LABELS[name]]
    for seed, name, count in cases:
        done = {r["method"] for r in results if (r["seed"], r["data"], r["labels"]) == (seed, name, count)}
        left = {method: pair for method, pair in study.methods().items() if method not in done}
        if not left:
            continue
        spent: list[float] = []
        left = {method: (make, timed(run, spent)) for method, (make, run) in left.items()}
        outcome = training.transfer_study(left, partial(study.few, name), labels=[count], seeds=[seed])
        for result, processor in zip(outcome.results, spent, strict=True):
            rounded = {"seconds": round(result["seconds"], 2), "processor_seconds": round(processor, 2)}
            results.append({"data": name} | result | rounded)
        print(seed, name, count, [f"{r['method']} {r['accuracy']:.3f}" for r in outcome.results], flush=True)
        draft.save(about)


def timed(method: Callable, spent: list[float]) -> Callable:
    def run(model: nn.Module, dataset: data.Dataset) -> nn.Module:
        start = time.process_time()
        model = method(model, dataset)
        spent.append(time.process_time() - start)
        return model

    return run


RECORDS = {"street_backbones": street_backbones, "transfer": transfer}
