"""Lesson 02, AlexNet: what the lesson and its records measure."""

import math
from dataclasses import replace

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab.data import Dataset
from cnnlab.device import autocast, find_device, reproducible


def losses_until(
    target: float,
    model: nn.Module,
    dataset: Dataset,
    *,
    lr: float,
    most: int = 2000,
    window: int = 50,
    batch_size: int = 64,
    seed: int = 0,
) -> list[float]:
    """Train at one rate until the mean loss of the last `window` batches is at most `target`: the loss of each batch.

    Nothing but SGD with momentum 0.9: no schedule, no weight decay, so that steps can be compared. It gives up after
    `most` steps, or where the loss is no longer a number, and then the last window is not below the target.
    """
    device = find_device()
    model.to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), lr, momentum=0.9)
    images = dataset.train.inputs().to(device, memory_format=torch.channels_last)
    labels = dataset.train.labels.to(device)
    losses: list[float] = []
    with reproducible(seed, device):
        while len(losses) < most and not reached(losses, target, window):
            batch = torch.randint(len(images), (batch_size,), device=device)
            with autocast(device, "auto"):
                loss = F.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                break
    model.eval().to(memory_format=torch.contiguous_format)
    return losses


def reached(losses: list[float], target: float, window: int = 50) -> bool:
    """Whether the mean of the last `window` losses is at most `target`."""
    return len(losses) >= window and sum(losses[-window:]) / window <= target


def centred(dataset: Dataset) -> Dataset:
    """The same images as AlexNet got them: of each pixel, from 0 to 255, only the mean is taken away.

    >>> centred(data.load("street_digits", train=100, test=0)).train.inputs().std() > 40
    tensor(True)
    """
    train, test = (replace(split, std=(1 / 255,) * len(split.mean)) for split in (dataset.train, dataset.test))
    return replace(dataset, train=train, test=test)


def initialized(model: nn.Module, nonlinearity: str = "relu") -> nn.Module:
    """The same model, its weights drawn anew so that signals keep their size from layer to layer.

    nonlinearity: as in `nn.init.calculate_gain`. "relu" is He's rule (He et al. 2015, "Delving Deep into Rectifiers",
        section 2.2); "linear" is LeCun's (1998, "Efficient BackProp", section 4.6), for a tanh near its middle.

    Biases and the last layer begin at 0: then all classes are equally likely at first, and none has to be unlearnt.
    """
    for layer in (module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))):
        nn.init.kaiming_normal_(layer.weight, nonlinearity=nonlinearity)
        nn.init.zeros_(layer.bias)
    nn.init.zeros_(layer.weight)
    return model
