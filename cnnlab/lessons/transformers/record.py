"""Lesson 14, without convolutions: what takes longer to measure than the lesson has."""

from dataclasses import replace
from functools import cache, lru_cache

import torch
from torch import Tensor, nn

from cnnlab import data, training
from cnnlab.device import one_thread
from cnnlab.lessons import arms
from cnnlab.lessons.records import Draft
from cnnlab.lessons.transformers import study

SEEDS = (0, 1, 2)


@one_thread()
def positions(draft: Draft) -> None:
    """The small ViT with positions and without, after 14 epochs of 8,000 street digits, three seeds.

    A seed is that of the images, the weights and the order.
    """
    about = (
        "The small ViT with positions and without, after 14 epochs of 8,000 street digits (AdamW, learning rate 0.002, "
        "batches of 32): accuracy on 2,000 test images and on the training images."
    )
    runs = draft.results.setdefault("runs", [])
    for kind, seed in [(kind, seed) for seed in SEEDS for kind in ("ViT", "ViT without positions")]:
        if not any((run["kind"], run["seed"]) == (kind, seed) for run in runs):
            street = data.load("street_digits", train=8000, test=2000, seed=seed)
            model = study.small_vit(seed)
            if kind == "ViT without positions":
                model.stem.positions = nn.Identity()
            run = training.fit(model, street, epochs=14, seed=seed, progress=False, **study.VIT_FIT)
            reads = {name: training.evaluate(model, getattr(street, name)).accuracy for name in ("test", "train")}
            runs.append({"kind": kind, "seed": seed} | reads)
            print(runs[-1], flush=True)
            draft.save(about, run.seconds, study.VIT_FIT["precision"])


# What is changed in the lesson's ViT, to see what it waits for.
WAITING = {
    "class token": {},
    "class token, last layer at random": {"at_zero": False},
    "mean over all tokens": {"head": "mean"},
    "weights for each place": {"head": "places"},
    "weights for each place, no attention": {"head": "places", "attention": False},
    "patches with norms and ReLUs": {"stem": "norms"},
    "convolutional stem": {"stem": "convolutions"},
    "convolutional stem, weights for each place": {"stem": "convolutions", "head": "places"},
}
WAITING_RATE, OTHER_RATES = 0.001, (0.0003, 0.003)  # the others for the first and the third only


@one_thread()
def waiting(draft: Draft) -> None:
    """The small ViT after six epochs of 4,000 street digits, with one part changed at a time, three seeds."""
    about = (
        "A small ViT after six epochs of 4,000 street digits (AdamW, batches of 32), with one part changed at a time: "
        "accuracy on 1,000 validation images after each epoch, and on 1,000 test images at the end."
    )
    cases = [(case, WAITING_RATE, seed) for seed in SEEDS for case in WAITING]
    cases += [(case, lr, seed) for seed in SEEDS for lr in OTHER_RATES for case in list(WAITING)[0:3:2]]
    runs = draft.results.setdefault("runs", [])
    street = cache(lambda: study.for_vit(data.load("street_digits", train=4000, validation=1000, test=1000)))
    for case, lr, seed in cases:
        if not any((run["case"], run["lr"], run["seed"]) == (case, lr, seed) for run in runs):
            settings = study.VIT_FIT | {"lr": lr, "epochs": 6, "seed": seed, "progress": False}
            run = training.fit(changed(seed, **WAITING[case]), street().choosing(), **settings)
            of_run = {"validation": [epoch.test_accuracy for epoch in run.history]}
            of_run["test"] = training.evaluate(run.model, street().test).accuracy
            runs.append({"case": case, "lr": lr, "seed": seed} | of_run)
            print(runs[-1], flush=True)
            draft.save(about, run.seconds, settings["precision"])


def changed(
    seed: int, stem: str = "patches", head: str = "class token", attention: bool = True, at_zero: bool = True
) -> nn.Module:
    """The small ViT with another stem or head, or with blocks whose attention adds nothing.

    head: "mean" of all tokens, or "places": weights of its own for each of the 17. at_zero: how the last layer begins.
    """
    net = study.small_vit(seed)
    if stem == "norms":  # as many norms and ReLUs as in a stem of two layers, and no pixel of another patch
        layers = [net.stem.patches.project, *norm_relu(), nn.Conv2d(64, 64, 1), *norm_relu()]
        net.stem.patches.project = nn.Sequential(*layers)
    elif stem == "convolutions":
        channels = ((3, 16), (16, 32), (32, 64))
        convs = [(nn.Conv2d(*pair, 3, stride=2, padding=1), *norm_relu(pair[1])) for pair in channels]
        net.stem.patches.project = nn.Sequential(*(layer for layers in convs for layer in layers))
    if head == "mean":
        net.head = nn.Sequential(nn.LayerNorm(64), Mean(), nn.Linear(64, 10))
    elif head == "places":
        net.head = nn.Sequential(nn.LayerNorm(64), nn.Flatten(), nn.Linear(17 * 64, 10))
    last = training.last_layer(net)
    last.reset_parameters()
    if at_zero:
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
    if not attention:
        for block in net.stages[0]:
            block.attention = Nothing()
    return net


def norm_relu(channels: int = 64) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), nn.ReLU()


class Mean(nn.Module):
    """Over tokens: (N, tokens, width) -> (N, width)."""

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens.mean(1)


class Nothing(nn.Module):
    """What a branch that is taken out adds."""

    def forward(self, tokens: Tensor) -> Tensor:
        return torch.zeros_like(tokens)


COUNTS = (500, 2000, 4000, 8000, 16000)
LONGER = (("ViT", 4000), ("ViT, convolutional stem", 4000))  # trained for twice the epochs too: is it flat?
FIRST_RATES = {
    "ResNet": (0.05, 0.1, 0.2),
    "ViT": (0.001, 0.002, 0.004),
    "ViT, convolutional stem": (0.001, 0.002, 0.004),
}


def growing_together(draft: Draft) -> None:
    """A ResNet, a ViT and one with a convolutional stem on 500 to 16,000 street digits.

    From 4,000 images on, the steps of the ResNet and of the ViT with the stem grow with the images; the plain ViT has
    10,000 steps at every number of them. The first convolution of the ResNet has a stride of 2: for an image it needs
    twice the mult-adds of the ViT, not seven times as many. Each network has its own rate at each number of images. Two
    arms are trained twice as long.
    """
    about = (
        "Three small networks on 500 to 16,000 street digits, batches of 32, float32, one cycle: the ResNet with SGD "
        "for 16 epochs, the ViTs with AdamW for 20. Fewer images are repeated: an epoch has at least 4,000, that of "
        "the plain ViT 16,000, which are 10,000 steps at every number of images. "
        "rates: seed 0, the rate is chosen by 1,000 validation images; seeds: images, weights and order; curve: "
        "[training, validation accuracy] after each epoch; test: 4,000 images."
    )
    rates = {arm: FIRST_RATES[network] for arm, (network, *_) in growing_arms().items()}
    arms.compare(draft, about, grown, rates, SEEDS, "fp32")


def growing_arms() -> dict[str, tuple[str, int, int]]:
    """(network, images, epochs) by the name of the arm; the longest trainings come first."""
    epochs = study.EPOCHS
    found = {f"{name}, {count} images, twice the epochs": (name, count, 2 * epochs[name]) for name, count in LONGER}
    for images in sorted(COUNTS, reverse=True):
        found |= {f"{network}, {images} images": (network, images, epochs[network]) for network in study.GROWING}
    return found


def grown(arm: str, lr: float, seed: int) -> dict:
    network, images, epochs = growing_arms()[arm]
    dataset = growing_digits(images, seed, study.LEAST[network])
    settings = (study.RESNET_FIT if network == "ResNet" else study.VIT_FIT) | {"precision": "fp32", "lr": lr}
    model = growing_network(network, seed)
    run = training.fit(model, dataset.choosing(), epochs=epochs, seed=seed, progress=False, **settings)
    curve = [[round(epoch.train_accuracy, 4), round(epoch.test_accuracy, 4)] for epoch in run.history]
    test = training.evaluate(model, dataset.test).accuracy
    print(f"{arm}, lr {lr:g}, seed {seed}: {curve[-1]}, test {test:.1%}, {run.seconds:.0f} s", flush=True)
    return {"lr": lr, "seed": seed, "curve": curve, "test": test}


def growing_network(name: str, seed: int) -> nn.Module:
    if name == "ResNet":
        model = study.small_resnet(seed)
        next(layer for layer in model.modules() if isinstance(layer, nn.Conv2d)).stride = (2, 2)
        return model
    return changed(seed, "convolutions") if "stem" in name else study.small_vit(seed)


@lru_cache(maxsize=2)
def growing_digits(images: int, seed: int, least: int) -> data.Dataset:
    """Street digits, of which fewer training images than `least` are there several times."""
    street = study.for_vit(data.load("street_digits", train=images, validation=1000, test=4000, seed=seed))
    here = len(street.train)
    return replace(street, train=street.train.take(torch.arange(here).repeat(max(1, least // here))))


RECORDS = {"positions": positions, "waiting": waiting, "growing_together": growing_together}
