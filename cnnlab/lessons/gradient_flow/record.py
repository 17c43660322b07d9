"""Lesson 07, gradient flow: what takes longer to measure than the lesson has."""

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import data, models, training
from cnnlab.lessons import arms
from cnnlab.lessons.gradient_flow import study
from cnnlab.lessons.records import Draft

SEEDS, IMAGES = (0, 1, 2), 1500
EPOCHS = {"plain20": 22, "plain56": 44, "resnet56": 22}  # after 22 it has hardly begun
SETTINGS = {"batch_size": 32, "weight_decay": 0.0, "nesterov": False, "precision": "fp32"}
RATES = {  # to begin with
    "plain56, SGD": (0.025, 0.05, 0.1),
    "plain56, equal": (0.000625, 0.00125, 0.0025),
    "resnet56, SGD": (0.05, 0.1, 0.2),
    "resnet56, equal": (0.00125, 0.005, 0.01, 0.02),  # the first is the best of plain56
    "resnet56, uneven": (0.0005, 0.001, 0.002),
    "plain20, SGD": (0.05, 0.1, 0.2),
    "plain20, equal": (0.005, 0.01, 0.02),
}


def equal_steps(draft: Draft) -> None:
    """Networks trained by SGD, with equally long steps, and with steps as unequal as in a plain network at its start.

    Each at its own learning rate, three seeds. The direction of each step is that of the network's own gradient in all
    of them. All but plain56 know their images in the end.
    """
    about = (
        "Twins of width 8 on 1,500 street digits, 22 epochs (plain56: 44) of batches of 32: SGD with momentum, float32,"
        " one cycle, no weight decay. equal: every parameter's gradient is scaled to the parameter's first length, at"
        " which convolutions are kept; uneven: to shares of it as unequal as in plain56's first gradient. rates: seed"
        " 0, the rate is chosen by 500 validation images; seeds: images, weights and order; curve: [training,"
        " validation accuracy] after each epoch; ratio: the longest gradient of a convolution over the shortest, each"
        " by its weights' length, in the last batch of each epoch; test: 2,000 images."
    )
    arms.compare(draft, about, trained, RATES, SEEDS, SETTINGS["precision"])


@cache
def digits(seed: int) -> data.Dataset:
    return data.load("street_digits", train=IMAGES, validation=500, test=2000, seed=seed)


def trained(arm: str, lr: float, seed: int) -> arms.Run:
    name, rule = arm.split(", ")
    dataset = digits(seed)
    model = initial(name, seed)
    if rule != "SGD":
        shares = first_shares(dataset, seed) if rule == "uneven" else torch.ones(len([*model.parameters()]))
        study.scale_gradients(model, shares)
    ratio = []
    settings = SETTINGS | {"epochs": EPOCHS[name], "lr": lr, "seed": seed, "progress": False}
    run = training.fit(model, dataset.choosing(), on_epoch=lambda _: ratio.append(unevenness(model)), **settings)
    curve = [[round(epoch.train_accuracy, 4), round(epoch.test_accuracy, 4)] for epoch in run.history]
    test = training.evaluate(model, dataset.test, precision="fp32").accuracy
    print(f"{arm}, lr {lr:g}, seed {seed}: {curve[-1]}, test {test:.1%}", flush=True)
    return {"lr": lr, "seed": seed, "curve": curve, "ratio": ratio, "test": test}


def initial(name: str, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return models.get_model(f"{name}_tiny")


def first_shares(dataset: data.Dataset, seed: int) -> Tensor:
    """How long plain56's first gradient is for each parameter, as a share of its length; the geometric mean is 1."""
    model = initial("plain56", seed)
    inputs, labels = dataset.train.inputs(slice(0, 128)), dataset.train.labels[:128]
    F.cross_entropy(model(inputs), labels).backward()
    shares = torch.tensor([each.grad.norm().item() / study.length(each) for each in model.parameters()])
    return shares / shares.log().mean().exp()


def unevenness(model: nn.Module) -> float:
    """The longest gradient of a convolution over the shortest, each as a share of its weights' length."""
    weights = [layer.weight for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    shares = [(weight.grad.norm() / weight.norm()).item() for weight in weights]
    return round(max(shares) / max(min(shares), 1e-12), 2)


RECORDS = {"equal_steps": equal_steps}
