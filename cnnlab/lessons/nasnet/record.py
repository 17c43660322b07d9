"""Lesson 12, NASNet: what takes longer to measure than the lesson has."""

import time
from functools import cache

import torch

from cnnlab import data, measure, models, training
from cnnlab.lessons.nasnet.study import (
    CELLS,
    PRECISION,
    SPACE,
    number,
    proxy_data,
    train_proxy,
    trained_proxy,
    transferred,
)
from cnnlab.lessons.records import Draft, record
from cnnlab.models.nasnet import NORMAL_A, REDUCTION_A

SEEDS, TRIALS = (0, 1, 2), 100
TRAININGS = (0, 1)  # seeds of the weights and of the order of the images
SAVED_EVERY = 60  # seconds: a training takes five
METHODS = {"random search": training.random_search, "evolution": training.evolve, "controller": training.reinforce}


class Tables:
    """The accuracies known so far, by seed and cells; others are trained when they are asked for."""

    ABOUT = (
        "Accuracy on 1,000 street digits of 16x16 pixels after six epochs on 2,000. `tables`: by seed of the training, "
        "number of the normal cell (row) and of the reduction cell (column). `searches`: by method and seed, the "
        "decisions tried and their rewards, which are those of the first table. The seconds are those of training."
    )

    def __init__(self, draft: Draft) -> None:
        self.draft, self.spent, self.saved = draft, 0.0, time.time()
        empty = [[[None] * len(CELLS) for _ in CELLS] for _ in TRAININGS]
        self.values = draft.results.setdefault("tables", empty)

    def __call__(self, normal, reduction, seed: int = 0) -> float:
        row, column = number(normal), number(reduction)
        if self.values[seed][row][column] is None:
            start = time.perf_counter()
            # The cells as CELLS writes them: of the two orders of a sum, always the same is trained.
            self.values[seed][row][column] = round(train_proxy(CELLS[row], CELLS[column], proxy_data(), seed), 4)
            self.spent += time.perf_counter() - start
            if time.time() - self.saved > SAVED_EVERY:
                self.save()
        return self.values[seed][row][column]

    def save(self) -> None:
        self.draft.save(self.ABOUT, self.spent, PRECISION)
        self.spent, self.saved = 0.0, time.time()
        known = sum(value is not None for table in self.values for row in table for value in row)
        print(f"{known} trainings, {self.draft.seconds:.0f} s", flush=True)


def cell_search(draft: Draft) -> None:
    """A real search for cells: three methods, three seeds, then every network of the space.

    Nine searches of 100 trials each; a network that was trained once is not trained again. After them the rest of the
    441 different networks, and then all of them again from another seed.
    """
    tables = Tables(draft)
    searches = draft.results.setdefault("searches", {})
    for seed in SEEDS:
        for name, method in METHODS.items():
            if f"{name}, seed {seed}" in searches:
                continue
            found = method(SPACE, tables, TRIALS, seed=seed)
            tried = ["".join(map(str, decisions)) for decisions in found.tried]
            searches[f"{name}, seed {seed}"] = {"tried": tried, "rewards": found.rewards}
            print(f"{name}, seed {seed}: {max(found.rewards):.1%}", flush=True)
            tables.save()
    for seed in TRAININGS:
        for normal in CELLS:
            for reduction in CELLS:
                tables(normal, reduction, seed)
    if tables.spent:
        tables.save()


MACS, IMAGES, TEST, EPOCHS = 12.8e6, 4000, 2000, 6


@cache
def digits() -> data.Dataset:
    return data.load("street_digits", train=IMAGES, test=TEST)


def networks() -> dict:
    """The cells that the search found, by its record, and others, in networks of nearly the same mult-adds."""
    table = torch.tensor(record("cell_search").results["tables"][0])
    order = table.flatten().argsort(descending=True)
    best, median = (divmod(order[place].item(), len(CELLS)) for place in (0, len(order) // 2))
    return {
        "found cells": lambda: transferred(CELLS[best[0]], CELLS[best[1]], MACS),
        "median cells": lambda: transferred(CELLS[median[0]], CELLS[median[1]], MACS),
        "NASNet-A's cells": lambda: transferred(NORMAL_A, REDUCTION_A, MACS),
        "ResNet": lambda: models.get_model("resnet20_tiny", width=9, depths=(3, 3, 3)),
    }


def cell_transfer(draft: Draft) -> None:
    """The cells of the highest reward, in deeper networks and on more data, beside NASNet-A's and a ResNet."""
    about = (
        "Test and training accuracy of networks of some 12.5 million mult-adds: 6 epochs, 4,000 street digits, by seed."
    )
    for seed in SEEDS:
        for name, make in networks().items():
            entry = draft.results.setdefault(name, {"macs": 0, "params": 0, "runs": []})
            if len(entry["runs"]) > seed:
                continue
            torch.manual_seed(seed)
            model = make()
            cost = measure.cost(model, 32)
            dataset, start = digits(), time.perf_counter()
            run = training.fit(
                model, dataset, epochs=EPOCHS, lr=0.2, batch_size=64, seed=seed, precision=PRECISION, progress=False
            )
            entry |= {"macs": cost.macs, "params": cost.params}
            entry["runs"].append({"test": run.history[-1].test_accuracy, "train": run.history[-1].train_accuracy})
            print(name, f"{cost.macs:,}", seed, entry["runs"][-1], flush=True)
            draft.save(about, time.perf_counter() - start, PRECISION)


BEST, AGAIN, OTHERS = 30, 2, 2000


def best_retrained(draft: Draft) -> None:
    """The thirty networks of the highest reward, trained from a third seed, and tested on images no search has seen.

    Reward is the first table of "cell_search"; its second table holds the second seed.
    """
    about = (
        f"The {BEST} networks that are best by the first table of cell_search, each trained once more from seed "
        f"{AGAIN}: accuracy on the 1,000 digits that gave the rewards and on {OTHERS:,} others, by normal and "
        "reduction cell."
    )
    order = torch.tensor(record("cell_search").results["tables"][0]).flatten().argsort(descending=True, stable=True)
    for place in order[:BEST].tolist():
        row, column = divmod(place, len(CELLS))
        name = f"{row}, {column}"
        if name in draft.results:
            continue
        dataset, start = proxy_data(OTHERS), time.process_time()
        run = trained_proxy(CELLS[row], CELLS[column], dataset, AGAIN)
        others = training.evaluate(run.model, dataset.validation, precision=PRECISION).accuracy
        draft.results[name] = {"same": run.history[-1].test_accuracy, "others": others}
        print(name, draft.results[name], flush=True)
        draft.save(about, time.process_time() - start, PRECISION)


RECORDS = {"cell_search": cell_search, "cell_transfer": cell_transfer, "best_retrained": best_retrained}
