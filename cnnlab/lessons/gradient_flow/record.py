"""Lesson 07, gradient flow: what takes longer to measure than the lesson has."""

from functools import cache

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import data, models, training
from cnnlab.device import autocast, find_device
from cnnlab.lessons.records import Draft

SEEDS, EPOCHS, BATCH, LR = (0, 1, 2), 4, 64, 0.02
IMAGES, TEST = 4000, 1000


@cache
def digits() -> data.Dataset:
    return data.load("street_digits", train=IMAGES, test=TEST)


def gradient_sizes(draft: Draft) -> None:
    """Networks trained with steps of equal relative size in all layers, so that a gradient's size does not matter.

    Each weight's gradient is scaled to the length of the weight before every step (as in LARS, You et al. 2017), so
    that a gradient counts by its direction alone.
    """
    about = "Test accuracy after each epoch: twins of width 8, 4,000 street digits, equal relative steps in all layers."
    for name in ("plain20", "plain56", "resnet56"):
        runs = draft.results.setdefault(name, [])
        for seed in SEEDS[len(runs) :]:
            runs.append(accuracies(f"{name}_tiny", digits(), seed))
            print(name, seed, runs[-1], flush=True)
            draft.save(about)


def accuracies(name: str, dataset: data.Dataset, seed: int) -> list[float]:
    """Test accuracy after each epoch."""
    torch.manual_seed(seed)
    device = find_device()
    model = models.get_model(name).to(device, memory_format=torch.channels_last)
    images, labels = dataset.train.inputs().to(device), dataset.train.labels.to(device)
    optimizer = torch.optim.SGD(model.parameters(), LR, 0.9)
    steps = -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, EPOCHS * steps + 1, pct_start=0.25)
    result = []
    for _ in range(EPOCHS):
        model.train()
        for batch in torch.randperm(len(images)).split(BATCH):
            with autocast(device, "auto"):
                loss = F.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            equalise(model)
            optimizer.step()
            schedule.step()
        result.append(training.evaluate(model, dataset.test).accuracy)
    return result


@torch.no_grad()
def equalise(model: nn.Module) -> None:
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.grad *= parameter.norm() / (parameter.grad.norm() + 1e-9)
        else:
            parameter.grad *= 0.1  # biases and batch norms start at 0 and 1: their lengths say nothing


RECORDS = {"gradient_sizes": gradient_sizes}
