"""A real search for cells: three methods, three seeds, then every network of the space. The record of lesson 12.

    python data/cell_search.py

Nine searches of 100 trials each; a network that was trained once is not trained again. After them the rest of the 441
different networks, and then all of them again from another seed. Then every search is known in advance, and is made
a hundred times by looking up. About an hour and a quarter on one core. Interrupted, the same command goes on.
"""

import time

import torch

from cnnlab import course, training
from cnnlab.lessons.nasnet.study import CELLS, SPACE, number, proxy_data, train_proxy

NAME = "cell_search"
TRIALS, SEEDS = 100, (0, 1, 2)
TRAININGS = (0, 1)  # seeds of the weights and of the order of the images
METHODS = {"random search": training.random_search, "evolution": training.evolve, "controller": training.reinforce}
ABOUT = (
    "Accuracy on 1,000 street digits of 16x16 pixels after six epochs on 2,000. `tables`: by seed of the training, "
    "number of the normal cell (row) and of the reduction cell (column). `searches`: by method and seed, the decisions "
    "tried and their rewards, which are those of the first table. `replays`: of 100 searches by method, looked up in "
    "the first table: the mean reward of each trial, the quartiles of the best until then, and the best network (row, "
    "column) of each search. The seconds are those of training."
)


class Tables:
    """The accuracies known so far; others are trained when they are asked for."""

    def __init__(self) -> None:
        before, self.seconds = course.record_so_far(NAME)
        self.values = before.get("tables", [[[None] * len(CELLS) for _ in CELLS] for _ in TRAININGS])
        self.searches, self.replays = before.get("searches", {}), {}
        self.saved = time.time()

    def __call__(self, normal, reduction, seed: int = 0) -> float:
        row, column = number(normal), number(reduction)
        if self.values[seed][row][column] is None:
            start = time.perf_counter()
            # The cells as CELLS writes them: of the two orders of a sum, always the same is trained.
            self.values[seed][row][column] = round(train_proxy(CELLS[row], CELLS[column], proxy_data(), seed), 4)
            self.seconds += time.perf_counter() - start
            if time.time() - self.saved > 60:
                self.save()
        return self.values[seed][row][column]

    def save(self) -> None:
        results = {"tables": self.values, "searches": self.searches, "replays": self.replays}
        course.save_record(NAME, ABOUT, "python data/cell_search.py", self.seconds, results)
        self.saved = time.time()
        known = sum(value is not None for table in self.values for row in table for value in row)
        print(f"{known} trainings, {self.seconds:.0f} s", flush=True)


def main() -> None:
    tables = Tables()
    for seed in SEEDS:
        for name, method in METHODS.items():
            found = method(SPACE, tables, TRIALS, seed=seed)
            tried = ["".join(map(str, decisions)) for decisions in found.tried]
            tables.searches[f"{name}, seed {seed}"] = {"tried": tried, "rewards": found.rewards}
            print(f"{name}, seed {seed}: {max(found.rewards):.1%}", flush=True)
    for seed in TRAININGS:
        for normal in CELLS:
            for reduction in CELLS:
                tables(normal, reduction, seed)
    tables.save()
    for name, method in METHODS.items():
        runs = [method(SPACE, tables, TRIALS, seed=seed) for seed in range(100)]
        best = torch.tensor([run.best_so_far for run in runs])
        quartiles = best.quantile(torch.tensor([0.25, 0.5, 0.75]), 0)
        found = [[number(cell) for cell in run.best] for run in runs]
        proposed = torch.tensor([run.rewards for run in runs]).mean(0)
        rows = [[round(value, 4) for value in row] for row in (proposed.tolist(), *quartiles.tolist())]
        tables.replays[name] = {"proposed": rows[0], "quartiles": rows[1:], "found": found}
        tables.save()


if __name__ == "__main__":
    main()
