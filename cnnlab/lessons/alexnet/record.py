"""Lesson 02, AlexNet: what takes longer to measure than the lesson has."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cache, partial

import torch
from torch import nn

from cnnlab import data, models, training
from cnnlab.lessons.alexnet.study import Noise, Race, centred, dead, initialized, race
from cnnlab.lessons.records import Draft

SEEDS = (0, 1, 2)
MOST, CHUNK = 2000, 50  # steps of a training; of a training curve, so many batches make a point
RATES = {  # by pixels, initial weights and activation: half a power of ten apart or nearer, so that the best lie inside
    "centred, PyTorch's, ReLU": (0.001, 0.003, 0.01),
    "centred, PyTorch's, tanh": (0.003, 0.01, 0.03),
    "centred, fitted, ReLU": (0.000003, 0.00001, 0.00003, 0.0001, 0.0003),
    "centred, fitted, tanh": (0.003, 0.01, 0.03, 0.1),
    "normalised, PyTorch's, ReLU": (0.003, 0.01, 0.02, 0.03),
    "normalised, PyTorch's, tanh": (0.01, 0.03, 0.1),
    "normalised, fitted, ReLU": (0.003, 0.01, 0.03),
    "normalised, fitted, tanh": (0.01, 0.03, 0.1),
}


@cache
def digits() -> dict[str, data.Dataset]:
    """The same street digits with each kind of pixels."""
    normalised = data.load("street_digits", train=4000, validation=500, test=1000)
    return {"centred": centred(normalised), "normalised": normalised}


def relu_and_tanh(draft: Draft) -> None:
    """ReLU against tanh: how soon? Centred or normalised pixels, PyTorch's or fitted weights, three seeds.

    For each case the rate is chosen that has three quarters of the validation images right soonest, with seed 0; where
    none of them gets that far, the one that has most of them right at its end.
    """
    about = (
        "A narrow twin of AlexNet (width 8, hidden 64, no dropout), batches of 32 of 4,000 street digits, SGD with "
        "momentum 0.9 at one rate, until the error was 25 % on validation images and over 50 batches, at most "
        f"{MOST:,} steps. steps: until the training error was 25 % over 50 batches; validation_steps: until it was on "
        f"500 validation images; curve: mean errors of {CHUNK} batches; dead: share of its ReLUs that are 0 on all "
        "validation images; rates: seed 0; seeds: three seeds at the chosen rate."
    )
    for case, rates in RATES.items():
        done = draft.results.setdefault(case, {"rates": [], "seeds": []})
        for lr in rates:
            if lr not in [run["lr"] for run in done["rates"]]:
                run = trained(case, lr, SEEDS[0])
                done["rates"] = sorted([*done["rates"], run], key=lambda run: run["lr"])
                draft.save(about)
        chosen = min(done["rates"], key=soonest)
        if [run["lr"] for run in done["seeds"]] != [chosen["lr"]] * len(SEEDS):
            known = {run["seed"]: run for run in done["seeds"] if run["lr"] == chosen["lr"]} | {chosen["seed"]: chosen}
            done["seeds"] = [known.get(seed) or trained(case, chosen["lr"], seed) for seed in SEEDS]
            draft.save(about)


def soonest(run: dict) -> tuple:
    """What is the least for the rate that is chosen."""
    return run["validation_steps"] or MOST + 1, -run["validation"], run["lr"]


def is_there(run: Race) -> bool:
    return bool(run.steps and run.validation_steps)


def trained(case: str, lr: float, seed: int) -> dict:
    """One training of one case, and what is kept of it."""
    pixels, weights, activation = case.split(", ")
    dataset = digits()[pixels]
    torch.manual_seed(seed)
    build = nn.ReLU if activation == "ReLU" else nn.Tanh
    model = models.get_model("alexnet_tiny", width=8, hidden=64, dropout=0.0, activation=build)
    if weights == "fitted":
        initialized(model, "relu" if activation == "ReLU" else "linear")
    run = race(model, dataset, lr=lr, most=MOST, seed=seed, stop=is_there)
    whole = len(run.errors) // CHUNK * CHUNK
    curve = torch.tensor(run.errors[:whole]).view(-1, CHUNK).mean(1)
    print(f"{case}, lr {lr:g}, seed {seed}: {run.steps} steps, {run.accuracy:.1%} after {len(run.losses)}", flush=True)
    return {
        "lr": lr,
        "seed": seed,
        "steps": run.steps,
        "validation_steps": run.validation_steps,
        "tried": len(run.losses),
        "validation": run.accuracy,
        "test": training.evaluate(model, dataset.test).accuracy if run.accuracy else 0.0,
        "dead": dead(model, dataset.validation.inputs()) if activation == "ReLU" else 0.0,
        "curve": [round(error, 4) for error in curve.tolist()],
    }


ARMS = {  # what is multiplied by random factors of mean 1 and variance 1, and when they are drawn
    "no factors": None,
    "0 or 2, fresh": {"normal": False, "fresh": True},
    "0 or 2, fixed": {"normal": False, "fresh": False},
    "normal, fresh": {"normal": True, "fresh": True},
    "normal, fixed": {"normal": True, "fresh": False},
}
NOISE_RATES, LAYER_RATES = (0.003, 0.01, 0.03), (0.005, 0.02, 0.08)


def dropout(draft: Draft) -> None:
    """Dropout on few images against its controls, each with its own rate, for three seeds of images and weights.

    Dropout multiplies by 0 or 2, others for each image ("fresh"). The controls draw the same factors once ("fixed",
    which leaves half of the units out), or normal numbers of the same mean and variance, which leave out none.
    """
    about = (
        "AlexNet's twin with narrow convolutions and a wide head (width 8, hidden 512), initialised, on 500 street "
        "digits: 80 epochs of batches of 32, one cycle. "
    )
    models_of = {arm: partial(with_noise, options) for arm, options in ARMS.items()}
    compare(draft, about, models_of, NOISE_RATES, images=500, epochs=80, batch_size=32)


def first_layer(draft: Draft) -> None:
    """A first layer that learns against one that stays as it was drawn, each with its own rate, for three seeds."""
    about = "AlexNet's twin (width 16, no dropout), initialised, on 4,000 street digits: 12 epochs of batches of 64. "
    models_of = {arm: partial(with_first_layer, learns) for arm, learns in (("learns", True), ("stays", False))}
    compare(draft, about, models_of, LAYER_RATES, images=4000, epochs=12, batch_size=64)


def compare(
    draft: Draft,
    about: str,
    models_of: Mapping[str, Callable[[], nn.Module]],
    rates: Sequence[float],
    *,
    images: int,
    epochs: int,
    batch_size: int,
) -> None:
    """Each network at each rate with one seed, and at its best rate with all seeds, whose images differ too."""
    about += (
        "rates: accuracy on 1,000 validation images, seed 0; runs: the best rate, known and new images measured after "
        "the training, on those that were learnt from and on 1,000 test images."
    )

    def fitted(arm: str, lr: float, seed: int) -> dict:
        dataset = data.load("street_digits", train=images, validation=1000, test=1000, seed=seed)
        torch.manual_seed(seed)
        model = models_of[arm]()
        options = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "progress": False}
        training.fit(model, dataset.without_test(), lr=lr, **options)
        known, new, held = (
            training.evaluate(model, part) for part in (dataset.train, dataset.test, dataset.validation)
        )
        print(f"{arm}, lr {lr:g}, seed {seed}: {held.accuracy:.1%} of the validation images", flush=True)
        return {"lr": lr, "seed": seed, "validation": held.accuracy, "known": asdict(known), "new": asdict(new)}

    for arm in models_of:
        done = draft.results.setdefault(arm, {"rates": [], "runs": []})
        for lr in rates:
            if lr not in [run["lr"] for run in done["rates"]]:
                done["rates"] = sorted([*done["rates"], fitted(arm, lr, SEEDS[0])], key=lambda run: run["lr"])
                draft.save(about)
        lr = min(done["rates"], key=lambda run: (-run["validation"], run["lr"]))["lr"]
        if [run["lr"] for run in done["runs"]] != [lr] * len(SEEDS):
            first = next(run for run in done["rates"] if run["lr"] == lr)
            done["runs"] = [first, *(fitted(arm, lr, seed) for seed in SEEDS[1:])]
            draft.save(about)


def with_noise(options: Mapping[str, bool] | None) -> nn.Module:
    """The twin with narrow convolutions and a wide head, and Noise in the places of its two dropouts."""
    model = initialized(models.get_model("alexnet_tiny", width=8, hidden=512, dropout=0.0))
    if options:
        model.head.dropout1, model.head.dropout2 = Noise(**options), Noise(**options)
    return model


def with_first_layer(learns: bool) -> nn.Module:
    """The twin of the lesson, with a first layer that learns, or that stays as it was drawn."""
    model = initialized(models.get_model("alexnet_tiny", dropout=0.0))
    model.stem.requires_grad_(learns)
    return model


RECORDS = {
    "relu_and_tanh": relu_and_tanh,
    "first_layer": first_layer,
    "dropout": dropout,
}
