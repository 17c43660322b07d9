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
from cnnlab.lessons.transfer import solar, study

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


@one_thread()
def solar_cells(draft: Draft) -> None:
    """A network that has seen ImageNet, on photographs of solar cells: probes, fine-tuning, freezing.

    In the order in which the lesson needs it, so that a part of the record is a smaller study. Learning rates are
    chosen on 200 validation cells, with 100 labels of a draw that no result uses; batch norms follow the new images
    with a momentum of 0.1. Everything is computed in fp32.
    """
    about = "Accuracy and balanced accuracy on 524 solar cells, by method, labels and seed"
    runs = draft.results.setdefault("runs", [])
    _probes(draft, runs, about)
    rates = draft.results.setdefault("rates", [])
    for method in solar.ARMS:
        for lr in solar.LR:
            if not any((rate["method"], rate["lr"]) == (method, lr) for rate in rates):
                rates.append(solar.fine_tuned(solar.cells(), method, 100, 100, lr))
                print(rates[-1], flush=True)
                draft.save(about)
    best = {
        method: max((rate for rate in rates if rate["method"] == method), key=lambda rate: rate["validation"])["lr"]
        for method in solar.ARMS
    }
    done = {(run["method"], run["labels"], run["seed"]) for run in runs}
    for case in solar.CASES:
        if case not in done:
            runs.append(solar.fine_tuned(solar.cells(), *case, best.get(case[0], best["fine-tuned"])))
            print(runs[-1], flush=True)
            draft.save(about)


def _probes(draft: Draft, runs: list[dict], about: str) -> None:
    for name, size in solar.PROBED.items():
        method = f"linear probe, {name}"
        if any(run["method"] == method for run in runs):
            continue
        torch.manual_seed(0)
        dataset, model = solar.cells(size), solar.backbone(name)
        parts = (dataset.train, dataset.validation, dataset.test)
        start = time.process_time()
        features = [training.features(model, part, batch_size=50) for part in parts]
        seconds = round((time.process_time() - start) / sum(map(len, parts)), 5)
        for labels in solar.LABELS:
            found = solar.probed(features, [part.labels for part in parts], labels, study.SEEDS)
            runs += [{"method": method, "seconds_per_image": seconds, **run} for run in found]
        print(method, runs[-1], flush=True)
        draft.save(about)


RECORDS = {"street_backbones": street_backbones, "transfer": transfer, "solar_cells": solar_cells}
