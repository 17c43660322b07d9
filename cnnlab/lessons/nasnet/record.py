"""Lesson 12, NASNet: what takes longer to measure than the lesson has."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from functools import cache, partial
from multiprocessing import get_context
from threading import Lock

import torch

from cnnlab import data, measure, models, training
from cnnlab.device import one_thread
from cnnlab.lessons.arms import Later
from cnnlab.lessons.nasnet.study import (
    CELLS,
    CHECKED,
    PRECISION,
    REPEATED,
    RETRAINED,
    SEARCHES,
    SPACE,
    TWO_BLOCKS,
    cells_named,
    chosen,
    name_of,
    number,
    one_block,
    proxy,
    proxy_data,
    short_data,
    train_proxy,
    train_short,
    trained_proxy,
    transferred,
    unseen_data,
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


def by_policy(
    space: training.CellSpace,
    reward: training.search.Reward,
    trials: int,
    *,
    seed: int,
    lr: float,
    size: int = 1,
    passes: int = 1,
    epsilon: float = 0.2,
) -> training.Search:
    """PPO with a row of logits for each decision; with one network a batch and one pass it is REINFORCE."""
    generator = torch.Generator().manual_seed(seed)
    missing = torch.arange(max(space.choices)) >= torch.tensor(space.choices)[:, None]
    logits = torch.zeros(missing.shape, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr)
    found, usual = training.Search("policy", space), None
    for _ in range(trials // size):
        p = logits.detach().masked_fill(missing, -1e9).log_softmax(-1).exp()
        batch = [torch.multinomial(p, 1, generator=generator) for _ in range(size)]
        found.tried += [tuple(net.flatten().tolist()) for net in batch]
        found.rewards += [reward(*space.cells(net)) for net in found.tried[-size:]]
        values = torch.tensor(found.rewards[-size:])
        usual = values.mean() if usual is None else usual
        advantage, old = values - usual, None
        for _ in range(passes):
            log_p = logits.masked_fill(missing, -1e9).log_softmax(-1)
            new = torch.stack([log_p.gather(1, net).sum() for net in batch])
            old = new.detach() if old is None else old
            ratio = (new - old).exp()
            objective = torch.minimum(ratio * advantage, ratio.clamp(1 - epsilon, 1 + epsilon) * advantage)
            optimizer.zero_grad()
            (-objective.mean()).backward()
            optimizer.step()
        for value in values:
            usual = 0.9 * usual + 0.1 * value
    return found


SEARCHERS = {  # learning rates: the best where a candidate is two pairs of cells, which are 16 decisions too
    "random search": training.random_search,
    "evolution": training.evolve,
    "REINFORCE": partial(by_policy, lr=0.1),
    "PPO": partial(by_policy, lr=0.2, size=10, passes=4),
}


def rewarded(name: str, seed: int) -> tuple[float, float]:
    """What a search is told of a network, from a short training on small images; and the seconds it took."""
    dataset, start = short_data(), time.process_time()
    return train_short(*cells_named(name), dataset, seed), time.process_time() - start


def tested(name: str, seed: int) -> tuple[float, float]:
    """What a network is worth on images that no search has seen, by the lesson's proxy; and the seconds it took."""
    dataset, start = unseen_data(), time.process_time()
    run = trained_proxy(*cells_named(name), dataset.choosing(), seed)
    accuracy = training.evaluate(run.model, dataset.test, precision=PRECISION).accuracy
    return round(accuracy, 4), time.process_time() - start


Work = Callable[[str, int], tuple[float, float]]


class Trainings:
    """Accuracies by network and seed: each is trained once, in a process of the pool where there is one."""

    ABOUT = (
        "Four searches of 100 trials for pairs of cells of two blocks. `rewards`: accuracy on 1,000 street digits of "
        "12x12 pixels after six epochs on 1,000, by decisions and seed; some of random search's also from seed 20. "
        "`tried`: by search and seed, the decisions in their order. `tested`: accuracy on 2,000 digits of 16x16 "
        "pixels that no search has seen, after six epochs on 2,000, from seeds 10 and 11: of each search's five "
        "highest rewards, of random search's first five and first five wide ones, and of the five best pairs of one "
        "block in cell_search; `macs` are these networks' mult-adds. The seconds are those of training, added over "
        "all processes."
    )

    def __init__(self, draft: Draft, pool: Executor | None) -> None:
        self.draft, self.pool, self.begun, self.lock = draft, pool, {}, Lock()

    def __call__(self, what: str, work: Work, wanted: Iterable[tuple[str, int]]) -> list[float]:
        known = self.draft.results.setdefault(what, {})
        wanted = {f"{name}, seed {seed}": (name, seed) for name, seed in wanted}
        with self.lock:
            for key in wanted:
                if key not in known and (what, key) not in self.begun:
                    self.begun[what, key] = self.begin(work, *wanted[key])
        for key in wanted:
            if key not in known:
                self.note(what, key, *self.begun[what, key].result())
        return [known[key] for key in wanted]

    def begin(self, work: Work, name: str, seed: int) -> Later:
        return self.pool.submit(work, name, seed) if self.pool else Later(work, (name, seed))

    def note(self, what: str, key: str, accuracy: float, seconds: float) -> None:
        with self.lock:
            if key not in self.draft.results[what]:  # two searches may wait for the same training
                self.draft.results[what][key] = accuracy
                self.draft.save(self.ABOUT, seconds, PRECISION)
                print(f"{what} {key}: {accuracy:.1%} in {seconds:.1f} s, {self.draft.seconds:.0f} s in all", flush=True)


@one_thread()
def two_block_search(draft: Draft) -> None:
    """Search for cells of two blocks, 540,225 networks: four methods, four seeds; the best of each are trained again.

    A stopped search is made again from the rewards that are known, up to the first that is not.
    """
    tried = draft.results.setdefault("tried", {})
    several = draft.workers > 1
    processes = ProcessPoolExecutor(draft.workers, get_context("spawn"), torch.set_num_threads, (1,))
    with processes if several else nullcontext() as pool, ThreadPoolExecutor(16) as threads:
        trainings = Trainings(draft, pool)

        def search(seed: int, method: str) -> None:
            def reward(normal, reduction) -> float:
                return trainings("rewards", rewarded, [(name_of(normal, reduction), seed)])[0]

            if f"{method}, seed {seed}" not in tried:
                found = SEARCHERS[method](TWO_BLOCKS, reward, TRIALS, seed=seed)
                if len(found.tried) < TRIALS:  # the package's searches end at the stop button
                    raise KeyboardInterrupt
                tried[f"{method}, seed {seed}"] = [name_of(*TWO_BLOCKS.cells(net)) for net in found.tried]

        pairs = [(seed, method) for seed in SEARCHES for method in SEARCHERS]
        list((threads.map if several else map)(search, *zip(*pairs, strict=True)))
        again = [name for seed in SEARCHES for name in tried[f"random search, seed {seed}"][:CHECKED]]
        trainings("rewards", rewarded, [(name, REPEATED) for name in again])
        groups = [*chosen(draft.results).values(), one_block()]
        names = dict.fromkeys(name for group in groups for name in group)
        trainings("tested", tested, [(name, seed) for name in names for seed in RETRAINED])
    costs = draft.results.setdefault("macs", {})
    if missing := [name for name in names if name not in costs]:
        costs |= {name: measure.cost(proxy(*cells_named(name)), 16).macs for name in missing}
        draft.save(Trainings.ABOUT, 0.0, PRECISION)


RECORDS = {
    "cell_search": cell_search,
    "cell_transfer": cell_transfer,
    "best_retrained": best_retrained,
    "two_block_search": two_block_search,
}
