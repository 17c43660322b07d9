"""Lesson 16, transfer learning: what takes longer to measure than the lesson has."""

import copy
import time
from collections.abc import Callable
from functools import cache, partial

import torch
from torch import nn

from cnnlab import data, models, training
from cnnlab.device import one_thread
from cnnlab.lessons.rates import climbed
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


CUT = ("5 stages frozen", "7 stages frozen")
BLOCKS = (  # methods, labels, seeds: what the lesson needs most comes first
    ((*solar.MAIN, *CUT), 100, study.SEEDS),
    ((*solar.MAIN, *CUT), 20, study.SEEDS),
    (("fine-tuned", "from scratch"), 500, study.SEEDS[:1]),
    (("fine-tuned, one rate", *CUT), 500, study.SEEDS),
    (("6 stages frozen",), 100, study.SEEDS),
    ((f"fine-tuned, one rate{solar.LONGER}",), 500, study.SEEDS),
    (("fine-tuned, one rate", *CUT[::-1]), 1900, study.SEEDS),
    (("from scratch",), 1900, study.SEEDS[:1]),
)


@one_thread()
def solar_cells(draft: Draft) -> None:
    """Solar cells: probes on features from five networks, and EfficientNet-Lite0 tuned, frozen and from scratch.

    Every strength and every learning rate is the best one on 200 validation cells, by balanced accuracy, with the first
    seed: of a few, and of others beyond them while the best is at the edge, six rates at most; with twice the steps it
    is that of the steps. What the lesson needs most comes first, so that a part of the record is a smaller study.
    """
    about = (
        "Accuracy and balanced accuracy on 524 test cells. `runs`: trainings by method, labels, seed (of the draw of "
        "labels, the head and the order) and learning rate; of the first seed at all rates that were tried. "
        "`validation`: balanced accuracy on 200 cells; `loss`: the mean of the last ten batches; `processor_seconds`: "
        "on one thread, testing not included. `probes`: the same by the strength of the penalty; their seconds are "
        "those of the features of the labelled cells and of the regression. `depths`: probes on the averages of the "
        "maps after the stem and so many stages (8: what the last layer is given), each of mean 0 and standard "
        "deviation 1 on all training cells; their seconds count the whole network."
    )
    fitted, depths, runs = (draft.results.setdefault(part, []) for part in ("probes", "depths", "runs"))
    for source in solar.PROBED:
        method = {"method": f"linear probe, {source}"}
        if not any(run["method"] == method["method"] for run in fitted):
            fitted += [method | run for run in probed(solar.probes(source))]
            draft.save(about, precision="fp32")
    for source in solar.BY_DEPTH:
        if not any(run["network"] == source for run in depths):
            for stages, probe in enumerate(solar.depth_probes(source)):
                depths += [{"network": source, "stages": stages} | run for run in probed(probe)]
            draft.save(about, precision="fp32")

    def score(method: str, labels: int, seed: int, lr: float) -> float:
        case = (method, labels, seed, lr)
        for run in runs:
            if (run["method"], run["labels"], run["seed"], run["lr"]) == case:
                return run["validation"]
        runs.append(solar.trained(*case))
        print(runs[-1], flush=True)
        draft.save(about, precision="fp32")
        return runs[-1]["validation"]

    for methods, labels, seeds in BLOCKS:
        best = {}
        for method in methods:
            first = method.removesuffix(solar.LONGER)
            if first != method:
                best[method] = solar.chosen(runs, first, labels)
            else:
                reached = climbed(solar.RATES, partial(score, method, labels, study.SEEDS[0]), most=solar.MOST)
                best[method] = max(reached, key=reached.get)
        for seed in seeds:
            for method, lr in best.items():
                score(method, labels, seed, lr)


def probed(probe: solar.Probe) -> list[dict]:
    """All of one kind: of each number of labels the strengths that are tried, and the best for the other seeds."""
    found = []

    def reach(labels: int, strength: float) -> float:
        found.append(probe(labels, study.SEEDS[0], strength))
        return found[-1]["validation"]

    for labels in solar.LABELS:
        reached = climbed(solar.STRENGTHS, partial(reach, labels), most=len(solar.STRENGTHS) + 3)
        best = max(reached, key=reached.get)
        found += [probe(labels, seed, best) for seed in study.SEEDS[1:]]
        print(found[-1], flush=True)
    return found


RECORDS = {"street_backbones": street_backbones, "transfer": transfer, "solar_cells": solar_cells}
