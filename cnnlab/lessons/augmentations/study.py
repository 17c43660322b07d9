"""Lesson 03, augmentations: the small network and the loop of its trainings, what they change, and its pictures."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import view
from cnnlab.data import Dataset, Split
from cnnlab.device import autocast, find_device, reproducible
from cnnlab.lessons.records import Record
from cnnlab.table import Table
from cnnlab.training import optimizer as optimizers
from cnnlab.view import Picture

Change = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # of a batch of images and targets
WIDTHS = (3, 12, 24, 48, 48)


def network(classes: int = 10) -> nn.Sequential:
    """Four convolutions of 3 x 3, each with batch norm, ReLU and max pooling, and a linear layer: 34,774 parameters."""
    layers: list[nn.Module] = []
    for before, after in pairwise(WIDTHS):
        convolution = nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTHS[-1], classes))


def train(
    dataset: Dataset, change: Change | None = None, *, epochs: int, lr: float, seed: int = 0, classes: int = 10
) -> nn.Module:
    """Train `network` in batches of 50 with the recipe of `fit`, on images *and targets* that `change` has changed.

    Targets are probabilities of the classes, which `change` may mix. Without a change the weights are those of `fit`.
    """
    torch.manual_seed(seed)
    model = network(classes)
    device = find_device()
    model.to(device, memory_format=torch.channels_last).train()
    inputs = dataset.train.inputs().to(device, memory_format=torch.channels_last)
    targets = F.one_hot(dataset.train.labels.to(device), len(dataset.classes)).float()
    optimizer = optimizers.make_optimizer(model, "sgd", lr, None, 5e-4, 0.9, True)
    schedule = optimizers.make_schedule(optimizer, "one-cycle", epochs * len(targets.split(50)))
    with reproducible(seed, device):
        for _ in range(epochs):
            for batch in torch.randperm(len(targets), device=device).split(50):
                x, y = inputs[batch], targets[batch]
                if change:
                    x, y = change(x, y)
                with autocast(device, "auto"):
                    loss = F.cross_entropy(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
    return model.eval()


def images_only(augment: Callable[[Tensor], Tensor]) -> Change:
    """A change that leaves the targets as they are."""
    return lambda images, targets: (augment(images), targets)


def mix(x: Tensor, share: float) -> Tensor:
    """`share` of each row, and the rest of the one before it in the batch; before the first is the last."""
    return share * x + (1 - share) * x.roll(1, 0)


def larger(x: Tensor, share: float) -> Tensor:
    """Of the two rows that `mix` would mix, the one with the larger share, as it is."""
    return x if share >= 0.5 else x.roll(1, 0)


def mixing(of_images: Callable = mix, of_targets: Callable = mix) -> Change:
    """Mixup (Zhang et al. 2018): two images and their targets mixed, in shares that are drawn anew for each batch."""
    shares = torch.distributions.Beta(1.0, 1.0)

    def change(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        share = shares.sample().item()
        return of_images(images, share), of_targets(targets, share)

    return change


def cutmix(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """CutMix (Yun et al. 2019): a rectangle comes from the image before in the batch, and as much of the target."""
    share = torch.distributions.Beta(1.0, 1.0).sample().item()
    height, width = images.shape[2:]
    x, y = int(torch.randint(width, (1,))), int(torch.randint(height, (1,)))
    w, h = (int(0.5 * (1 - share) ** 0.5 * side) for side in (width, height))
    top, bottom, left, right = max(y - h, 0), min(y + h, height), max(x - w, 0), min(x + w, width)
    images, others = images.clone(), images.roll(1, 0)
    images[:, :, top:bottom, left:right] = others[:, :, top:bottom, left:right]
    return images, mix(targets, 1 - (bottom - top) * (right - left) / (height * width))


def smooth(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Label smoothing (Szegedy et al. 2016): a tenth of each target is spread over all classes."""
    return images, 0.9 * targets + 0.1 / targets.shape[1]


def own_labels(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Mirror half of the images, and give a mirrored digit a class of its own: ten more classes behind the ten."""
    mirrored = torch.rand(len(images), 1, device=images.device) < 0.5
    images = torch.where(mirrored[:, :, None, None], images.flip(3), images)
    return images, torch.cat([targets * ~mirrored, targets * mirrored], 1)


def one_after_another(*changes: Change) -> Change:
    """All of these changes, the first one first."""

    def change(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        for each in changes:
            images, targets = each(images, targets)
        return images, targets

    return change


@torch.inference_mode()
def logits(model: nn.Module, images: Tensor) -> Tensor:
    """Of the first ten classes, in ordinary floats, on the processor."""
    device = next(model.parameters()).device
    parts = []
    for part in images.split(500):
        with autocast(device, "auto"):
            parts.append(model(part.to(device)).float().cpu()[:, :10])
    return torch.cat(parts)


def accuracy(model: nn.Module, split: Split) -> float:
    """In percent."""
    return 100 * (logits(model, split.inputs()).argmax(1) == split.labels).float().mean().item()
