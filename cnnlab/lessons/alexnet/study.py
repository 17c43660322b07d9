"""Lesson 02, AlexNet: what the lesson and its records measure."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import training
from cnnlab.data import Dataset
from cnnlab.device import autocast, eval_mode, find_device, reproducible

MARK, WINDOW = 0.25, 50  # the training error of the paper's Fig. 1, over so many batches


@dataclass
class Race:
    """One training at one constant rate, batch by batch.

    losses, errors: the loss and the share of wrong answers of each batch. validation: of the validation images the share
    that is right, by the steps done.
    """

    losses: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    validation: dict[int, float] = field(default_factory=dict)

    @property
    def steps(self) -> int | None:
        """After how many steps the mean training error of WINDOW batches was at most MARK; None: never."""
        sums = torch.tensor(self.errors).cumsum(0)
        means = (sums[WINDOW - 1 :] - F.pad(sums, (1, 0))[: len(sums) - WINDOW + 1]) / WINDOW
        below = (means <= MARK + 1e-6).nonzero()
        return below[0].item() + WINDOW if len(below) else None

    @property
    def validation_steps(self) -> int | None:
        """After how many steps the error on validation images was at most MARK; None: never."""
        return next((steps for steps, right in self.validation.items() if right >= 1 - MARK), None)

    @property
    def accuracy(self) -> float:
        """The last accuracy on validation images; 0 where the loss was no number any more."""
        return list(self.validation.values())[-1] if self.validation and math.isfinite(self.losses[-1]) else 0.0


def race(
    model: nn.Module,
    dataset: Dataset,
    *,
    lr: float,
    most: int,
    batch_size: int = 32,
    every: int = 25,
    seed: int = 0,
    stop: Callable[[Race], bool] = lambda race: False,
) -> Race:
    """Train at one constant rate, and look at the validation images after each `every` steps.

    Nothing but SGD with momentum 0.9: no schedule, no weight decay, so that steps can be compared. It ends after `most`
    steps, where the loss is no number any more, or where `stop` says so; `stop` is asked after each look.
    """
    device = find_device()
    model.to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), lr, momentum=0.9)
    images = dataset.train.inputs().to(device, memory_format=torch.channels_last)
    labels = dataset.train.labels.to(device)
    run = Race()
    with reproducible(seed, device):
        while len(run.losses) < most:
            batch = torch.randint(len(images), (batch_size,), device=device)
            with autocast(device, "auto"):
                logits = model(images[batch])
                loss = F.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            run.losses.append(loss.item())
            run.errors.append((logits.argmax(1) != labels[batch]).float().mean().item())
            if not math.isfinite(run.losses[-1]):
                break
            if len(run.losses) % every == 0 and len(dataset.validation):
                run.validation[len(run.losses)] = training.evaluate(model, dataset.validation).accuracy
                if stop(run):
                    break
    model.eval().to(memory_format=torch.contiguous_format)
    return run


def centred(dataset: Dataset) -> Dataset:
    """The same images as AlexNet got them: of each pixel, from 0 to 255, only the mean is taken away.

    >>> centred(data.load("street_digits", train=100, test=0)).train.inputs().std() > 40
    tensor(True)
    """
    parts = {
        part: replace(split, std=(1 / 255,) * len(split.mean))
        for part in ("train", "validation", "test")
        for split in (getattr(dataset, part),)
    }
    return replace(dataset, **parts)


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


@torch.no_grad()
def dead(model: nn.Module, inputs: Tensor) -> float:
    """The share of a network's units with a ReLU that are 0 for all of these images, at all places of their map."""
    silent: list[Tensor] = []

    def look(_layer: nn.Module, _inputs: tuple, output: Tensor) -> None:
        per_unit = output.transpose(0, 1).flatten(1)  # a channel is a unit that is used at many places
        silent.append((per_unit <= 0).all(1))

    hooks = [layer.register_forward_hook(look) for layer in model.modules() if isinstance(layer, nn.ReLU)]
    with eval_mode(model):
        model(inputs)
    for hook in hooks:
        hook.remove()
    return torch.cat(silent).float().mean().item()


class Noise(nn.Module):
    """Multiplies each number of an image, (N, units), by a random factor of mean 1 and variance 1.

    normal: the factors are normal numbers; else they are 0 or 2, as those of a dropout with p = 1/2.
    fresh: others for each image while it trains, and none at test time, as a dropout; else drawn once, and then the
        same for every image and always. With factors of 0 and 2, half of the units are then missing from the network.
    """

    def __init__(self, *, normal: bool, fresh: bool) -> None:
        super().__init__()
        self.normal, self.fresh, self.factors = normal, fresh, None

    def draw(self, like: Tensor) -> Tensor:
        return 1 + torch.randn_like(like) if self.normal else 2 * torch.bernoulli(torch.full_like(like, 0.5))

    def forward(self, x: Tensor) -> Tensor:
        if self.fresh:
            return x * self.draw(x) if self.training else x
        if self.factors is None:
            self.factors = self.draw(x[:1])
        return x * self.factors
