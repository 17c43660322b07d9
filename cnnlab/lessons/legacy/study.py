"""Lesson 09, ResNet's legacy: what the lesson and its records measure."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from cnnlab import measure, models
from cnnlab.models.preact_resnet import PreActResNet
from cnnlab.models.resnet import Bottleneck, Norm, PadShortcut, ResNet


class Block(nn.Module):
    """Two 3x3 convolutions, two batch norms, one sum with option A's shortcut: what each subclass puts in order."""

    def __init__(
        self, in_channels: int, channels: int, stride: int = 1, shortcut: str = "A", norm: Norm = nn.BatchNorm2d
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = norm(channels), norm(channels)
        same = stride == 1 and in_channels == channels
        self.shortcut = nn.Identity() if same else PadShortcut(channels - in_channels, stride)


class Original(Block):
    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x)))))
        return torch.relu(self.shortcut(x) + y)


class NormAfterSum(Block):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(torch.relu(self.norm1(self.conv1(x))))
        return torch.relu(self.norm2(self.shortcut(x) + y))


class ReluBeforeSum(Block):
    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x))))))
        return self.shortcut(x) + y


class PreActivation(Block):
    def __init__(self, in_channels: int, channels: int, *options: object) -> None:
        super().__init__(in_channels, channels, *options)
        self.norm1 = type(self.norm2)(in_channels)  # it now stands before the first convolution

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(torch.relu(self.norm2(self.conv1(torch.relu(self.norm1(x))))))
        return self.shortcut(x) + y


PLACEMENTS = {
    "original": Original,
    "norm after the sum": NormAfterSum,
    "ReLU before the sum": ReluBeforeSum,
    "pre-activation": PreActivation,
}


def stacked(block: type[Block], n: int, width: int) -> ResNet:
    """6n + 2 layers of one of these blocks, for images of 32x32; pre-activation ends with norm and ReLU."""
    return _network(PreActResNet if block is PreActivation else ResNet, block, n, width)


def bottlenecks(cardinality: int, path_width: int, n: int = 2, width: int = 64) -> ResNet:
    """Three stages of n bottlenecks of so many paths of so many channels: 9n + 2 layers for images of 32x32."""
    ratio = cardinality * path_width / width
    return _network(ResNet, partial(Bottleneck, ratio=ratio, groups=cardinality), n, width)


def _network(network: type[ResNet], block: Callable[..., nn.Module], n: int, width: int) -> ResNet:
    model = network(block, (n, n, n), width, small_images=True, shortcut="A", num_classes=10)
    model.stem.conv.stride = (2, 2)  # a quarter of the work, in all networks alike
    return model


# What the lesson compares, all at nearly the same mult-adds: by name, what makes the network.
TWINS: dict[str, Callable[[], ResNet]] = {
    "original, 26 layers × 12": partial(stacked, Original, 4, 12),
    "norm after the sum, 26 × 12": partial(stacked, NormAfterSum, 4, 12),
    "ReLU before the sum, 26 × 12": partial(stacked, ReluBeforeSum, 4, 12),
    "pre-activation, 26 × 12": partial(stacked, PreActivation, 4, 12),
    "pre-activation, 56 × 8": partial(stacked, PreActivation, 9, 8),
    "pre-activation, 8 × 26": partial(stacked, PreActivation, 1, 26),
    "bottlenecks, 1 path × 16": partial(bottlenecks, 1, 16),
    "bottlenecks, 4 paths × 6": partial(bottlenecks, 4, 6),
    "bottlenecks, 32 paths × 1": partial(bottlenecks, 32, 1),
}


def path_width(channels: int, cardinality: int) -> int:
    """The whole d for which that many paths of d channels cost what one of channels / 4 costs, as near as can be."""
    return min(range(1, channels), key=lambda d: abs(_weights(channels, cardinality, d) - _weights(channels)))


def _weights(channels: int, cardinality: int = 1, d: int | None = None) -> int:
    """The weights of a bottleneck's three convolutions, which are also its mult-adds at one position."""
    d = d or channels // 4
    return cardinality * d * (2 * channels + 9 * d)


def fitted(block: str, width: int, cardinality: int = 1, budget: float = 8e6) -> tuple[ResNet, int]:
    """The network whose depth comes nearest to a budget of mult-adds on 32x32 images, and its layers.

    block: "basic" for pre-activation blocks, or "bottleneck", whose paths have the width that keeps a block's cost.
    There is at least one block in each stage, whatever it costs.
    """

    def make(n: int) -> ResNet:
        if block == "basic":
            return stacked(PreActivation, n, width)
        return bottlenecks(cardinality, path_width(width, cardinality), n, width)

    one, two = (measure.cost(make(n), (3, 32, 32)).macs for n in (1, 2))
    n = 1 + max(0, round((budget - one) / (two - one)))
    return make(n), (6 if block == "basic" else 9) * n + 2


class _Sums(TorchDispatchMode):
    """Counts the additions of one feature map to another."""

    count = 0

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if op.overloadpacket in (torch.ops.aten.add, torch.ops.aten.add_):
            shapes = [a.shape for a in args if isinstance(a, Tensor)]
            self.count += len(shapes) == 2 and shapes[0] == shapes[1] and len(shapes[0]) > 2
        return op(*args, **(kwargs or {}))


def sums(name: str) -> int:
    """How many times a network of the course adds two feature maps, for an image of 224x224.

    >>> sums("resnet50"), sums("vgg16")
    (16, 0)
    """
    with torch.device("meta"), torch.no_grad(), _Sums() as counted:
        models.get_model(name).eval()(torch.zeros(2, 3, 224, 224))  # two images, so that a position's vector is no map
    return counted.count


LATER = (  # the course's networks for ImageNet since ResNet, one of each family
    ("wide_resnet50_2", 2016),
    ("resnext50_32x4d", 2016),
    ("densenet201", 2016),
    ("mobilenet_v1", 2017),
    ("nasnet_a_mobile", 2017),
    ("mobilenet_v2", 2018),
    ("efficientnet_b0", 2019),
    ("vit_b_16", 2020),
    ("convnext_base", 2022),
)
