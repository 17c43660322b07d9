"""ReLU against tanh on street digits, prepared as in 2012 and as today, three seeds each: a record of lesson 02.

python data/relu_and_tanh.py
"""

import time

import torch
from torch import nn

from cnnlab import course, data, models
from cnnlab.lessons.alexnet.study import centred, initialized, losses_until, reached

TARGET, MOST, EVERY = 0.5, 1200, 10
RATES = {  # each activation gets three rates, three times apart, and is judged by its best
    "centred pixels, ReLU": (0.003, 0.001, 0.01),
    "centred pixels, tanh": (0.01, 0.03, 0.003),
    "normalised pixels, ReLU": (0.01, 0.03, 0.1),
    "normalised pixels, tanh": (0.03, 0.01, 0.1),
    "normalised and initialised, ReLU": (0.01, 0.03, 0.003),
    "normalised and initialised, tanh": (0.03, 0.01, 0.1),
}


def steps_to_target(case: str, lr: float, seed: int, dataset: data.Dataset, most: int = MOST) -> dict:
    """One training: the steps it took, or None where `most` were too few, and the mean losses of EVERY batches."""
    torch.manual_seed(seed)
    model = models.get_model("alexnet_tiny", dropout=0.0, activation=nn.Tanh if "tanh" in case else nn.ReLU)
    if "initialised" in case:
        model = initialized(model, "linear" if "tanh" in case else "relu")
    images = centred(dataset) if "centred" in case else dataset
    losses = losses_until(TARGET, model, images, lr=lr, most=most, seed=seed)
    means = [sum(losses[i : i + EVERY]) / EVERY for i in range(0, len(losses) - EVERY + 1, EVERY)]
    steps = len(losses) if reached(losses, TARGET) else None
    print(f"{case}, lr {lr:g}, seed {seed}: {steps} of {len(losses)} steps", flush=True)
    return {"lr": lr, "seed": seed, "steps": steps, "tried": len(losses), "losses": [round(m, 3) for m in means]}


def activations() -> dict:
    """Each case with its three rates and seed 0, none for longer than the best so far took; then two more seeds."""
    dataset = data.load("street_digits", train=4000, test=0)
    results = {}
    for case, rates in RATES.items():
        best, others = None, []
        for lr in rates:
            run = steps_to_target(case, lr, 0, dataset, best["steps"] or MOST if best else MOST)
            better = best is None or (run["steps"] or MOST) < (best["steps"] or MOST)
            others += [other for other in (best if better else run,) if other]
            best = run if better else best
        seeds = [best, *(steps_to_target(case, best["lr"], seed, dataset) for seed in (1, 2))]
        results[case] = {
            "runs": seeds,
            "other rates": [{k: run[k] for k in ("lr", "steps", "tried")} for run in others],
        }
    return results


def main() -> None:
    start = time.perf_counter()
    about = (
        "AlexNet's twin, width 16, without dropout: batches of 64 of 4,000 street digits until the mean loss of 50 "
        f"batches is {TARGET:g}, at most {MOST:,} steps, SGD with momentum 0.9 at one rate; losses: means of {EVERY} "
        "batches."
    )
    results = activations()
    course.save_record("relu_and_tanh", about, "python data/relu_and_tanh.py", time.perf_counter() - start, results)


if __name__ == "__main__":
    main()
