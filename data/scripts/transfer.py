"""Methods of transfer on few labels, from five seeds: the record of lesson 16.

    python data/transfer.py

A seed is that of the labelled images, of those to test and of the new head; the backbone stays the one that is shipped.
Each result says how much of other images was read, and what the method took: seconds by the clock, and of the processor
(one thread). What is in the record already is not run again: with one more in `study.BACKBONES`, the same command
adds it. Some twenty minutes on one core.
"""

import time
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from cnnlab import course, training
from cnnlab.lessons.transfer import study

NAME = "transfer"


def timed(method: Callable, spent: list[float]) -> Callable:
    def run(model: nn.Module, dataset) -> nn.Module:
        start = time.process_time()
        model = method(model, dataset)
        spent.append(time.process_time() - start)
        return model

    return run


def main() -> None:
    torch.set_num_threads(1)
    before, seconds = course.record_so_far(NAME)
    results = before.get("runs", [])
    start = time.perf_counter()
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
        about = "Accuracy on other images after transfer, by data set, labels per class, method and seed"
        course.save_record(
            NAME, about, f"python data/{NAME}.py", seconds + time.perf_counter() - start, {"runs": results}
        )


if __name__ == "__main__":
    main()
