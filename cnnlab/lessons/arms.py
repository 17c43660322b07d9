"""The arms of a comparison, each trained at the best of its own learning rates, from several seeds."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing import get_context
from threading import Lock

import torch

from cnnlab.device import Precision, one_thread
from cnnlab.lessons.rates import climbed, inside
from cnnlab.lessons.records import Draft

Run = dict[str, object]


@one_thread()
def compare(
    draft: Draft,
    about: str,
    trained: Callable[[str, float, int], Run],
    rates: Mapping[str, Sequence[float]],
    seeds: Sequence[int],
    precision: Precision = "auto",
    least: float = 0.0,
) -> None:
    """Train each arm at each of its rates with the first seed, and at others beyond them until the best is at no edge;
    then at that rate with all seeds. Recorded by arm: the runs of "rates", and those of "seeds".

    trained: arm, learning rate, seed -> what the training gave: "lr", "seed", and "curve", the accuracy in training and
        on validation images after each epoch; the last of the latter chooses the rate. Where `draft.workers` asks for
        several at once, it must be a function of a module.
    least: an accuracy; an arm that is above it at none of its rates does not learn, and no rate beyond them is tried.
    """
    saving, several = Lock(), draft.workers > 1

    def run(arm: str) -> None:
        done = draft.results.setdefault(arm, {"rates": [], "seeds": []})

        def begin(lr: float, seed: int) -> "Later":
            return pool.submit(trained, arm, lr, seed) if several else Later(trained, (arm, lr, seed))

        def note(training: "Later", where: str) -> Run:
            done[where].append(training.result())
            with saving:
                draft.save(about, precision=precision)
            return done[where][-1]

        known = {run["lr"]: validation(run) for run in done["rates"]}
        begun = {lr: begin(lr, seeds[0]) for lr in rates[arm] if lr not in known}

        def reach(lr: float) -> float:
            return known[lr] if lr in known else validation(note(begun.get(lr) or begin(lr, seeds[0]), "rates"))

        reached = climbed(rates[arm], reach, least=least)
        best = max(reached, key=reached.get)
        if best not in [run["lr"] for run in done["seeds"]]:
            done["seeds"] = [run for run in done["rates"] if run["lr"] == best]
        there = [run["seed"] for run in done["seeds"]]
        for training in [begin(best, seed) for seed in seeds if seed not in there]:
            note(training, "seeds")

    processes = ProcessPoolExecutor(draft.workers, get_context("spawn"), torch.set_num_threads, (1,))
    with processes if several else nullcontext() as pool, ThreadPoolExecutor(len(rates) if several else 1) as arms:
        list(arms.map(run, rates))


def validation(run: Run) -> float:
    return run["curve"][-1][1]


def chosen_inside(results: Mapping[str, Mapping[str, Sequence[Run]]], least: float = 0.0) -> bool:
    """Whether each arm of a record has a learning rate between two others that were tried, or none above `least`."""
    able = [arm for arm in results.values() if max(map(validation, arm["rates"])) > least]
    return all(inside(arm["seeds"][0]["lr"], [run["lr"] for run in arm["rates"]]) for arm in able)


@dataclass(frozen=True)
class Later:
    """A training that begins when its result is asked for."""

    work: Callable[..., Run]
    arguments: tuple[object, ...]

    def result(self) -> Run:
        return self.work(*self.arguments)
