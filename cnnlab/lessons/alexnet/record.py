"""Lesson 02, AlexNet: what takes longer to measure than the lesson has."""

from dataclasses import asdict

import torch
from torch import nn

from cnnlab import data, models, training
from cnnlab.lessons.alexnet.study import centred, initialized, losses_until, reached
from cnnlab.lessons.records import Draft

TARGET, MOST, EVERY = 0.5, 1200, 10
RATES = {  # each activation gets three rates, three times apart, and is judged by its best
    "centred pixels, ReLU": (0.003, 0.001, 0.01),
    "centred pixels, tanh": (0.01, 0.03, 0.003),
    "normalised pixels, ReLU": (0.01, 0.03, 0.1),
    "normalised pixels, tanh": (0.03, 0.01, 0.1),
    "normalised and initialised, ReLU": (0.01, 0.03, 0.003),
    "normalised and initialised, tanh": (0.03, 0.01, 0.1),
}


def relu_and_tanh(draft: Draft) -> None:
    """ReLU against tanh on street digits, prepared as in 2012 and as today, three seeds each.

    Each case has its three rates with seed 0, none for longer than the best so far took; then two more seeds. Stopped,
    it goes on with the case that was not finished.
    """
    about = (
        "AlexNet's twin, width 16, without dropout: batches of 64 of 4,000 street digits until the mean loss of 50 "
        f"batches is {TARGET:g}, at most {MOST:,} steps, SGD with momentum 0.9 at one rate; losses: means of {EVERY} "
        "batches."
    )
    left = {case: rates for case, rates in RATES.items() if case not in draft.results}
    dataset = data.load("street_digits", train=4000, test=0) if left else None
    for case, rates in left.items():
        best, others = None, []
        for lr in rates:
            run = steps_to_target(case, lr, 0, dataset, best["steps"] or MOST if best else MOST)
            better = best is None or (run["steps"] or MOST) < (best["steps"] or MOST)
            others += [other for other in (best if better else run,) if other]
            best = run if better else best
        seeds = [best, *(steps_to_target(case, best["lr"], seed, dataset) for seed in (1, 2))]
        draft.results[case] = {
            "runs": seeds,
            "other rates": [{k: run[k] for k in ("lr", "steps", "tried")} for run in others],
        }
        draft.save(about)


def steps_to_target(case: str, lr: float, seed: int, dataset: data.Dataset, most: int | None = None) -> dict:
    """One training: the steps it took, or None where `most` were too few, and the mean losses of EVERY batches."""
    torch.manual_seed(seed)
    model = models.get_model("alexnet_tiny", dropout=0.0, activation=nn.Tanh if "tanh" in case else nn.ReLU)
    if "initialised" in case:
        model = initialized(model, "linear" if "tanh" in case else "relu")
    images = centred(dataset) if "centred" in case else dataset
    losses = losses_until(TARGET, model, images, lr=lr, most=most or MOST, seed=seed)
    means = [sum(losses[i : i + EVERY]) / EVERY for i in range(0, len(losses) - EVERY + 1, EVERY)]
    steps = len(losses) if reached(losses, TARGET) else None
    print(f"{case}, lr {lr:g}, seed {seed}: {steps} of {len(losses)} steps", flush=True)
    return {"lr": lr, "seed": seed, "steps": steps, "tried": len(losses), "losses": [round(m, 3) for m in means]}


def dropout(draft: Draft) -> None:
    """Dropout on few images, on street digits, five seeds: other images, other weights."""
    about = (
        "AlexNet's twin with narrow convolutions and a wide head (width 8, hidden 512), initialised, on 500 street "
        "digits: 80 epochs of batches of 32, lr 0.01. `train` and `test` are measured after the training."
    )
    for seed in range(5):
        for rate in (0.0, 0.5):
            entries = draft.results.setdefault(f"dropout {rate:g}", [])
            if len(entries) > seed:
                continue
            dataset = data.load("street_digits", train=500, test=1000, seed=seed)
            torch.manual_seed(seed)
            model = initialized(models.get_model("alexnet_tiny", width=8, hidden=512, dropout=rate))
            run = training.fit(model, dataset, epochs=80, lr=0.01, batch_size=32, seed=seed, progress=False)
            known, new = training.evaluate(model, dataset.train), training.evaluate(model, dataset.test)
            print(f"dropout {rate:g}, seed {seed}: {known.accuracy:.1%} and {new.accuracy:.1%}", flush=True)
            entry = {"seed": seed, "train": asdict(known), "test": asdict(new)}
            entries.append(entry | {"history": [asdict(epoch) for epoch in run.history[::5]]})
            draft.save(about)


RECORDS = {"relu_and_tanh": relu_and_tanh, "dropout": dropout}
