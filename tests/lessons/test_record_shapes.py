"""What makes the records runs through as a whole, in seconds: no network is trained, numbers stand for what would be.

Every network is built as it would be, from nothing to the last case, and what would be recorded has the keys and the
lengths of what is recorded. So an option that has another name by now, or a case that has gone, is found before the
hours are spent.
"""

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import SimpleNamespace

import pytest

from cnnlab import data, lessons, measure, models, training
from cnnlab.lessons import rates, records
from cnnlab.training.run import Epoch, Metrics

RECIPES = {(topic, name): make for topic in lessons.TOPICS.values() for name, make in lessons.recipes(topic).items()}
# Networks on CIFAR-10 and their surfaces are made in tests/lessons/test_record.py.
HERE = [pair for pair in RECIPES if pair[0] != "loss_surfaces" and records.file_of(pair[1]).exists()]


def part(topic: str, of: str = "record"):
    return import_module(f"cnnlab.lessons.{topic}.{of}")


@pytest.fixture(autouse=True)
def no_hours(monkeypatch):
    few = data.load("street_digits", train=20, validation=20, test=20)

    def fit(model, dataset, *, epochs, **settings):
        history = [Epoch(epoch + 1, 1.0, 0.5, 1.0, 0.5, 0.1, 1.0) for epoch in range(epochs)]
        return training.Run(model, history, images=len(few.train))

    def transfer_study(methods, load, *, labels, seeds):
        assert seeds != [0] or all(make() for make, _ in methods.values())
        cases = [(label, seed, method) for label in labels for seed in seeds for method in methods]
        return training.Study(
            [{"method": m, "labels": n, "seed": s, "accuracy": 0.5, "seconds": 1.0} for n, s, m in cases]
        )

    best_rate = part("start").best_rate

    def chosen_rate(_, name):
        return best_rate(records.record("equal_time").results, name)

    def timed(method, spent):
        spent.append(1.0)
        return method

    small = part("augmentations", "study").network
    solar = part("transfer", "solar")
    network = cache(solar.network)

    def regression(features, each):
        score = dict.fromkeys(("accuracy", "balanced", "validation", "processor_seconds"), 0.5)
        return lambda labels, seed, strength: {"labels": labels, "seed": seed, "strength": strength} | score

    for room, name, stand_in in (
        (records, "record_so_far", lambda name: ({}, 0.0)),
        (records, "save_record", lambda *_: None),
        (records, "HELD_OUT", 5),
        (models, "save_weights", lambda *_, **__: None),
        (data, "load", lambda *_, **__: few),
        (data.Dataset, "hold_out", lambda *_: few),
        (measure, "cost", lambda *_: SimpleNamespace(macs=1, params=1)),
        (training, "fit", fit),
        (training, "speed_run", lambda dataset, *, epochs, **__: fit(None, dataset, epochs=epochs)),
        (training, "evaluate", lambda *_, **__: Metrics(1.0, 0.5, 0.9)),
        (training, "transfer_study", transfer_study),
        (part("start"), "best_rate", chosen_rate),
        (part("alexnet"), "race", lambda *_, **__: part("alexnet").Race([1.0] * 100, [0.4] * 100, {100: 0.6})),
        (part("augmentations", "study"), "train", lambda *_, classes, **__: small(classes).eval()),
        (part("augmentations", "study"), "accuracy", lambda *_: 50.0),
        (part("densenet"), "missed", lambda model, *_: part("densenet").reuse(model)),
        (part("nasnet"), "train_proxy", lambda *_: 0.5),
        (part("nasnet"), "transferred", lambda normal, reduction, _: part("nasnet", "study").proxy(normal, reduction)),
        (part("nasnet"), "rewarded", as_trained("rewards")),
        (part("nasnet"), "tested", as_trained("tested")),
        (part("nasnet"), "METHODS", dict.fromkeys(part("nasnet").METHODS, training.random_search)),
        (part("efficientnet", "study"), "macs", lambda width=1.0, blocks=6, size=16: width * blocks * size**2),
        (part("transfer"), "timed", timed),
        (solar, "network", lambda method, seed: network(method, 0)),
        (solar, "learn", lambda model, method, taught, lr, steps: [1.0] * steps),
        (solar, "regression", regression),
        (part("capstone"), "speed", lambda *_: 100.0),
        (part("capstone"), "costs", lambda name: dict.fromkeys(("params", "macs", "ms", "kept"), 1)),
    ):
        monkeypatch.setattr(room, name, stand_in)
    forget()
    yield
    forget()


def as_trained(what: str) -> Callable[[str, int], tuple[float, float]]:
    """Stands for the trainings of cells of two blocks: what the record has, since the next proposals depend on it."""

    def trained(name: str, seed: int) -> tuple[float, float]:
        study = part("nasnet", "study")
        study.proxy(*study.cells_named(name))
        return records.record("two_block_search").results[what][f"{name}, seed {seed}"], 1.0

    return trained


def forget() -> None:
    """What recipes and studies keep in memory is no longer, or not yet, the real thing."""
    rooms = [room for name, room in sys.modules.items() if name.startswith("cnnlab.lessons.")]
    for value in [value for room in rooms for value in vars(room).values()]:
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def shape(value):
    """What a record is made of: its keys and texts, and how long its lists are that are not of numbers."""
    if isinstance(value, dict):
        return {key: shape(inside) for key, inside in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], (dict, list)):
        return sorted(map(shape, value), key=str)  # some runs were recorded later than others
    return value if isinstance(value, str) else type(value).__name__.replace("NoneType", "int").replace("float", "int")


def of_cases(results: dict) -> list[list[float]]:
    return [[run["lr"] if isinstance(run, dict) else run[0] for run in case["rates"]] for case in results.values()]


def of_arms(results: dict) -> list[list[float]]:
    first = [run for run in results["runs"] if run["seed"] == 0]
    return [[run["lr"] for run in first if run["arm"] == arm] for arm in results["chosen"]]


def of_solar_cells(results: dict) -> list[list[float]]:
    """Strengths of probes, and then learning rates, block by block."""
    first = {}
    for run in (run for runs in results.values() for run in runs if run["seed"] == 0):
        case = tuple(run.get(key) for key in ("method", "network", "stages", "labels"))
        first.setdefault(case, []).append(run.get("strength", run.get("lr")))
    record = part("transfer")
    trained = [(m, None, None, n) for methods, n, _ in record.BLOCKS for m in methods]
    searched = [first[case] for case in trained if not case[0].endswith(record.solar.LONGER)]
    return [first[case] for case in first if case not in trained] + searched


# The learning rates that were tried, case by case, where a recipe goes on beyond the best one.
TRIED = {"separable_and_full": of_cases, "linear_bottleneck": of_cases, "same_passes": of_cases}
TRIED |= {"scaling_to_the_end": of_arms, "equal_steps": of_cases, "heads_and_pixels": of_cases}
TRIED |= {"solar_cells": of_solar_cells, "growing_together": of_cases}


def as_recorded(name: str) -> Callable[[dict], list[float]]:
    """Stands for `beyond`, which would go by the accuracies: the next of the rates that the record has."""
    cases, current = iter(TRIED[name](records.record(name).results)), []

    def beyond(reached: dict) -> list[float]:
        current[:] = current or next(cases)
        if left := [lr for lr in current if lr not in reached][:1]:
            return left
        current.clear()
        return []

    return beyond


@pytest.mark.slow  # builds every network of every record
@pytest.mark.parametrize(("topic", "name"), HERE, ids=[name for _, name in HERE])
def test_what_would_be_recorded_is_what_is(topic, name, monkeypatch):
    if name in TRIED:
        monkeypatch.setattr(rates, "beyond", as_recorded(name))
    draft = records.Draft(name, "command")
    RECIPES[topic, name](draft)
    assert shape(draft.results) == shape(records.record(name).results)
