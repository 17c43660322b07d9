"""Lesson 13, EfficientNet: what the lesson and its records measure."""

import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import cache, partial

import torch
from torch import Tensor, nn

from cnnlab import measure
from cnnlab.models.efficientnet import (
    ALPHA,
    BETA,
    GAMMA,
    STAGES,
    EfficientNet,
    MBConv,
    SqueezeExcitation,
    conv_norm_silu,
)
from cnnlab.models.layers import named
from cnnlab.models.mobilenet_v2 import round_channels

# Tan and Le, version 5 of arXiv 1905.11946.
# Table 2: top-1 and top-5 accuracy on ImageNet (%), parameters and mult-adds (the paper's "FLOPS"), as printed.
TABLE_2 = {
    "b0": (77.1, 93.3, "5.3M", "0.39B"),
    "b1": (79.1, 94.4, "7.8M", "0.70B"),
    "b2": (80.1, 94.9, "9.2M", "1.0B"),
    "b3": (81.6, 95.7, "12M", "1.8B"),
    "b4": (82.9, 96.4, "19M", "4.2B"),
    "b5": (83.6, 96.7, "30M", "9.9B"),
    "b6": (84.0, 96.8, "43M", "19B"),
    "b7": (84.3, 97.0, "66M", "37B"),
}


# Table 7: B0 enlarged in four ways. Factors of depth, width and resolution; mult-adds as printed; top-1 (%).
TABLE_7 = {
    "B0": ((1, 1, 1), "0.4B", 77.3),
    "depth": ((4, 1, 1), "1.8B", 79.0),
    "width": ((1, 2, 1), "1.8B", 78.9),
    "resolution": ((1, 1, 2), "1.9B", 79.1),
    "compound": ((1.4, 1.2, 1.3), "1.8B", 81.1),
}


# The instruments


def count(
    width: float,
    depth: float,
    size: int,
    rounded: Callable[[float], int] = round_channels,
    blocks: Callable[[float], int] = math.ceil,
    classes: int = 1000,
) -> tuple[int, int]:
    """Parameters and mult-adds of an EfficientNet by arithmetic, in no time: B0 with its three axes multiplied.

    rounded, blocks: how channels and the blocks of a stage become whole numbers.

    >>> count(1.0, 1.0, 224)
    (5288548, 385814752)
    """
    channels, side = rounded(32 * width), math.ceil(size / 2)
    params, macs = 29 * channels, 27 * channels * side**2
    for expansion, kernel, stride, wanted, repeats in STAGES:
        wider = rounded(wanted * width)
        for block in range(blocks(repeats * depth)):
            hidden, squeezed = channels * expansion, channels // 4
            if expansion > 1:
                params += channels * hidden + 2 * hidden
                macs += channels * hidden * side**2
            side = math.ceil(side / stride) if block == 0 else side
            params += kernel**2 * hidden + 2 * hidden + hidden * wider + 2 * wider
            macs += (kernel**2 * hidden + hidden * wider) * side**2
            params += 2 * hidden * squeezed + squeezed + hidden
            macs += 2 * hidden * squeezed
            channels = wider
    last = 4 * channels
    params += channels * last + 2 * last + last * classes + classes
    return params, macs + channels * last * side**2 + last * classes


def of_phi(phi: float, alpha: float = ALPHA, beta: float = BETA, gamma: float = GAMMA) -> tuple[float, float, int]:
    """Width, depth and side of the images that the rule gives for a coefficient."""
    return beta**phi, alpha**phi, round(224 * gamma**phi)


class Twin(EfficientNet):
    """A narrow EfficientNet that can be enlarged in small steps: (N, 3, H, W) -> (N, num_classes) logits.

    channels: of its stages (the stem has those of the first); blocks: of all stages together, spread evenly, the rest
    to the last ones; gates: whether there is squeeze-and-excitation. The second stage halves the map once more. The
    package's own class rounds to 8 channels and rounds up the blocks of every stage: steps too large to compare small
    networks of equal cost.
    """

    def __init__(self, channels: tuple[int, ...], blocks: int, num_classes: int = 10, gates: bool = True) -> None:
        nn.Module.__init__(self)
        block = partial(MBConv, kernel_size=3, expansion=4, drop=0.0, squeeze_excitation=gates)
        self.stem = conv_norm_silu(3, channels[0], kernel_size=3, stride=2)
        self.stages, before = nn.Sequential(), channels[0]
        for i, (wider, count) in enumerate(zip(channels, spread(blocks, len(channels)), strict=True)):
            stage = []
            for index in range(count):
                stage.append(block(before, wider, stride=2 if i == 1 and index == 0 else 1))
                before = wider
            self.stages.append(nn.Sequential(*stage))
        self.head = named(
            conv=conv_norm_silu(before, 4 * before, kernel_size=1),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            fc=nn.Linear(4 * before, num_classes),
        )


def spread(blocks: int, stages: int) -> tuple[int, ...]:
    """The blocks of each stage: as even as possible, the later stages get what is left.

    >>> spread(8, 3)
    (2, 3, 3)
    """
    return tuple((blocks + i) // stages for i in range(stages))


CHANNELS, BLOCKS, SIZE = (12, 16, 24), 6, 16


def twin(width: float = 1.0, blocks: int = BLOCKS, gates: bool = True) -> Twin:
    """The twin of this lesson, its channels multiplied by `width` and rounded to whole numbers.

    gates: whether its blocks have squeeze-and-excitation.
    """
    return Twin(tuple(round(width * channels) for channels in CHANNELS), blocks, gates=gates)


@cache
def macs(width: float = 1.0, blocks: int = BLOCKS, size: int = SIZE) -> int:
    """Mult-adds of the twin for one image of size x size pixels."""
    with torch.device("meta"):
        return measure.cost(twin(width, blocks), (3, size, size)).macs


def nearest(settings: Iterable[dict], target: float) -> dict:
    """The settings whose network comes nearest to a number of mult-adds."""
    return min(settings, key=lambda chosen: abs(macs(**chosen) - target))


def widened(blocks: int, size: int, target: float) -> dict:
    """So many blocks, such images, and the width that brings the network nearest to a number of mult-adds."""
    low, high = 50, 400  # percent; mult-adds grow with the width, so halve the interval until two are left
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if macs(middle / 100, blocks, size) < target else (low, middle)
    return nearest(({"width": w / 100, "blocks": blocks, "size": size} for w in (low, high)), target)


def single_axis(factor: float, size: int = SIZE) -> dict[str, dict]:
    """The twin of images of so many pixels made `factor` times as expensive, by one of the three axes alone."""
    target = factor * macs(size=size)
    depths = ({"blocks": b, "size": size} for b in range(BLOCKS, 1 + round(2 * factor * BLOCKS)))
    return {
        "depth": nearest(depths, target),
        "width": widened(BLOCKS, size, target),
        "resolution": nearest(({"size": s} for s in range(size, round(size * factor), 2)), target),
    }


def gates_of(model: nn.Module, inputs: Tensor) -> list[Tensor]:
    """The gates of each squeeze-and-excitation for these images, (N, C), in the order of the blocks."""
    seen = []
    hooks = [
        layer.weigh.register_forward_hook(lambda _layer, _inputs, gates: seen.append(gates[:, :, 0, 0]))
        for layer in model.modules()
        if isinstance(layer, SqueezeExcitation)
    ]
    try:
        with torch.no_grad():
            model(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def with_gates(model: nn.Module, change: Callable[[Tensor], Tensor]) -> nn.Module:
    """A copy of a model in which every gate, (N, C, 1, 1), is replaced by what `change` makes of it."""
    model = deepcopy(model)
    for layer in model.modules():
        if isinstance(layer, SqueezeExcitation):
            layer.weigh.register_forward_hook(lambda _layer, _inputs, gates: change(gates))
    return model


def measured_again(model: nn.Module, inputs: Tensor, batch_size: int = 100) -> nn.Module:
    """A copy whose batch norms have the statistics of these images, as they are now; no weight changes."""
    model = deepcopy(model)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean over all batches
    model.train()
    with torch.no_grad():
        for batch in inputs.split(batch_size):
            model(batch)
    return model.eval()


CHANGES: dict[str, Callable[[Tensor], Tensor]] = {
    "its own gates": lambda gates: gates,
    "another image's": lambda gates: gates.roll(1, 0),
    "a mean for each channel": lambda gates: gates.mean(0, keepdim=True).expand_as(gates),
    "one mean for each block": lambda gates: gates.mean((0, 1), keepdim=True).expand_as(gates),
    "all open": torch.ones_like,
}
AGAIN = ("its own gates", "all open")  # with the statistics of the batch norms measured again, too
