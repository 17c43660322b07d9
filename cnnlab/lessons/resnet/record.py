"""Lesson 06, ResNet: what takes longer to measure than the lesson has."""

from dataclasses import asdict
from functools import cache
from pathlib import Path

import torch

from cnnlab import data, models, training
from cnnlab.lessons.records import Draft

SEEDS, DEPTHS = (0, 1, 2), (20, 32, 44, 56)
IMAGES, TEST, EPOCHS = 4000, 1000, 8


@cache
def digits() -> data.Dataset:
    return data.load("street_digits", train=IMAGES, test=TEST)


def degradation(draft: Draft) -> None:
    """Plain and residual networks of four depths on street digits, three seeds each."""
    cases = [(kind, depth, 0.1) for depth in DEPTHS for kind in ("plain", "resnet")]
    # The deepest ones also at a fifth of the rate: does a smaller step help the plain network?
    cases += [(kind, max(DEPTHS), 0.02) for kind in ("plain", "resnet")]
    about = (
        "Twins of width 8 on 4,000 street digits, 8 epochs of batches of 64; `train` is measured after the training."
    )
    for kind, depth, lr in cases:
        name = f"{kind}{depth}, lr {lr:g}"
        for seed in SEEDS:
            entries = draft.results.setdefault(name, [])
            if len(entries) > seed:
                continue
            torch.manual_seed(seed)
            model = models.get_model(f"{kind}{depth}_tiny")
            run = training.fit(model, digits(), epochs=EPOCHS, lr=lr, batch_size=64, seed=seed, progress=False)
            known = training.evaluate(model, digits().train)
            entries.append({"history": [asdict(epoch) for epoch in run.history], "train": asdict(known)})
            last = run.history[-1].test_accuracy
            print(f"{name}, seed {seed}: train {known.accuracy:.1%}, test {last:.1%}", flush=True)
            draft.save(about)


LONG = 24  # epochs, after which the curves are flat
RATES = dict.fromkeys(("plain56", "plain20", "resnet56", "resnet20"), (0.02, 0.05, 0.12))


@cache
def digits_to_choose() -> data.Dataset:
    return data.load("street_digits", train=IMAGES, validation=TEST, test=TEST)


def plateau(draft: Draft) -> None:
    """Plain and residual networks of two depths until their curves are flat, each at the rate that suits it best."""
    about = (
        f"Twins of width 8 on {IMAGES:,} street digits, {LONG} epochs of batches of 32. The rate is chosen with seed 0,"
        f" on {TEST:,} validation images (`choice`), and three seeds are trained at it."
        " `learning` is the training accuracy epoch by epoch, all else is measured at the end."
    )
    draft.checkpoints.mkdir(parents=True, exist_ok=True)
    for name, rates in RATES.items():
        made = draft.results.setdefault(name, {"choice": [], "runs": []})
        for lr in rates[len(made["choice"]) :]:
            made["choice"].append(long_run(name, lr, 0, draft.checkpoints))
            draft.save(about)
        best = max(made["choice"], key=lambda run: run["validation"])
        for seed in SEEDS[len(made["runs"]) :]:
            made["runs"].append(best if seed == 0 else long_run(name, best["lr"], seed, draft.checkpoints))
            draft.save(about)


def long_run(name: str, lr: float, seed: int, folder: Path) -> dict:
    torch.manual_seed(seed)
    model, digits = models.get_model(f"{name}_tiny"), digits_to_choose()
    fit = {"epochs": LONG, "lr": lr, "batch_size": 32, "seed": seed, "progress": False}
    run = training.fit(model, digits.choosing(), checkpoint=folder / f"{name}-{lr:g}-{seed}", **fit)
    measured = {
        part: round(training.evaluate(model, getattr(digits, part)).accuracy, 4)
        for part in ("train", "validation", "test")
    }
    print(f"{name}, lr {lr:g}, seed {seed}: {measured}", flush=True)
    return {"lr": lr, **measured, "learning": [round(epoch.train_accuracy, 4) for epoch in run.history]}


RECORDS = {"degradation": degradation, "plateau": plateau}
