"""NASNet: Zoph, Vasudevan, Shlens, Le, "Learning Transferable Architectures for Scalable Image Recognition", 2017
(arXiv 1707.07012).

The search chose two small cells on CIFAR-10, not a whole network: normal cells, and reduction cells that halve the map.
A network repeats them, for any size of image. Each cell joins, five times, two earlier maps by two operations.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import named

norm = partial(nn.BatchNorm2d, eps=1e-3)
average = partial(F.avg_pool2d, count_include_pad=False)  # what lies outside the map does not count


def relu_conv_norm(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """A 1x1 convolution: (N, in_channels, H, W) -> (N, out_channels, H/stride, W/stride)."""
    conv = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
    return named(relu=nn.ReLU(), conv=conv, norm=norm(out_channels))


# TensorFlow, where the search ran, pads an even side of stride 2 on the right only: the centres of the kernels fall on
# the pixels 1, 3, 5 ..., those of an odd side on 0, 2, 4 ... Convolution and pooling below do the same.


class Filter(nn.Conv2d):
    """A depthwise convolution: (N, C, H, W) -> (N, C, H/stride, W/stride), rounded up."""

    def __init__(self, channels: int, kernel_size: int, stride: int) -> None:
        super().__init__(channels, channels, kernel_size, stride, kernel_size // 2, groups=channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == (1, 1):
            return super().forward(x)
        odd, around = (x.shape[-2] % 2, x.shape[-1] % 2), self.padding[0] - 1
        x = F.pad(x, (0, 1 - odd[1], 0, 1 - odd[0]))
        return F.conv2d(x, self.weight, None, 2, (around + odd[0], around + odd[1]), groups=self.groups)


class Pool(nn.Module):
    """A 3x3 pooling: (N, in_channels, H, W) -> (N, out_channels, H/stride, W/stride), rounded up."""

    def __init__(self, pool: Callable[..., Tensor], in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.pool, self.stride = pool, stride
        same = in_channels == out_channels
        self.project = nn.Identity() if same else relu_conv_norm(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        padding = 1 if self.stride == 1 else (x.shape[-2] % 2, x.shape[-1] % 2)
        return self.project(self.pool(x, 3, self.stride, padding, ceil_mode=True))


def separable(kernel_size: int, in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """A depthwise-separable convolution, twice (appendix A.4)."""
    return named(
        relu1=nn.ReLU(),
        depthwise1=Filter(in_channels, kernel_size, stride),
        pointwise1=nn.Conv2d(in_channels, out_channels, 1, bias=False),
        norm1=norm(out_channels),
        relu2=nn.ReLU(inplace=True),
        depthwise2=Filter(out_channels, kernel_size, stride=1),
        pointwise2=nn.Conv2d(out_channels, out_channels, 1, bias=False),
        norm2=norm(out_channels),
    )


def identity(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    same = stride == 1 and in_channels == out_channels
    return nn.Identity() if same else relu_conv_norm(in_channels, out_channels, stride)


# What a cell may do to a map, built by (in_channels, out_channels, stride): those of NASNet-A, of section 3's 13.
OPERATIONS: dict[str, Callable[[int, int, int], nn.Module]] = {
    "identity": identity,
    "sep3": partial(separable, 3),
    "sep5": partial(separable, 5),
    "sep7": partial(separable, 7),
    "avg3": partial(Pool, average),
    "max3": partial(Pool, F.max_pool2d),
}


@dataclass(frozen=True)
class CellSpec:
    """A cell as data. "h" is the current map, "p" the one before it, and the pairs make "b1", "b2" and so on.

    pairs: (operation, input, operation, input) of each; the two results are added.
    output: the maps that are concatenated; if not given, the blocks that no other block uses.

    Raises ValueError for an unknown operation, or an input that does not exist yet.

    >>> CellSpec((("sep3", "h", "identity", "p"), ("avg3", "b1", "sep5", "h"))).output
    ('b2',)
    """

    pairs: tuple[tuple[str, str, str, str], ...]
    output: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        maps = ["h", "p"]
        for left, left_input, right, right_input in self.pairs:
            for operation, source in ((left, left_input), (right, right_input)):
                if operation not in OPERATIONS:
                    raise ValueError(f"There is no operation {operation!r}. The operations: {', '.join(OPERATIONS)}.")
                if source not in maps:
                    raise ValueError(f"b{len(maps) - 1} cannot read {source!r}, only {', '.join(maps)}.")
            maps.append(f"b{len(maps) - 1}")
        used = {source for pair in self.pairs for source in pair[1::2]}
        output = self.output or tuple(block for block in maps[2:] if block not in used)
        if not output or not set(output) <= set(maps):
            raise ValueError(
                f"The output of a cell is made of {', '.join(maps)}, not of {', '.join(output) or 'nothing'}."
            )
        object.__setattr__(self, "output", output)


# Fig. 4. The outputs are those of the authors' code, which keeps p in the first and b2 in the second, used or not.
NORMAL_A = CellSpec(
    pairs=(
        ("sep5", "h", "sep3", "p"),
        ("sep5", "p", "sep3", "p"),
        ("avg3", "h", "identity", "p"),
        ("avg3", "p", "avg3", "p"),
        ("sep3", "h", "identity", "h"),
    ),
    output=("p", "b1", "b2", "b3", "b4", "b5"),
)
REDUCTION_A = CellSpec(
    pairs=(
        ("sep5", "h", "sep7", "p"),
        ("max3", "h", "sep7", "p"),
        ("avg3", "h", "sep5", "p"),
        ("identity", "b2", "avg3", "b1"),
        ("sep3", "b1", "max3", "h"),
    ),
    output=("b2", "b3", "b4", "b5"),
)


class Halve(nn.Module):
    """Half the size without losing every second pixel: (N, in_channels, H, W) -> (N, out_channels, H/2, W/2).

    One half of the channels sees the even pixels, the other the odd ones. An odd size is rounded up.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.even = nn.Conv2d(in_channels, out_channels - out_channels // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(in_channels, out_channels // 2, 1, stride=2, bias=False)
        self.norm = norm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(x)
        return self.norm(torch.cat([self.even(x), self.odd(F.pad(x, (-1, 1, -1, 1)))], 1))


class Cell(nn.Module):
    """A cell built from its specification: the maps (p, h) -> (h, output), so that cells form a chain.

    p_channels: None for the first cell of a network, which has only one map: it takes that as p, unchanged.
    channels: of each operation's result. stride: of the operations on p and h; 2 makes a reduction cell.
    p_larger: p has twice the size of h.
    keep_p: give (p, output), so that the next cell sees what came before this one's input.

    >>> p, h = torch.zeros(1, 32, 28, 28), torch.zeros(1, 64, 28, 28)
    >>> Cell(NORMAL_A, 32, 64, channels=44)((p, h))[1].shape
    torch.Size([1, 264, 28, 28])
    """

    def __init__(
        self,
        spec: CellSpec,
        p_channels: int | None,
        h_channels: int,
        channels: int,
        stride: int = 1,
        p_larger: bool = False,
        keep_p: bool = False,
    ) -> None:
        super().__init__()
        if stride > 1 and {"p", "h"} & set(spec.output):
            raise ValueError(f"A reduction cell cannot give p or h, which have another size, but {spec.output} has.")
        self.spec, self.keep_p = spec, keep_p
        if p_channels is None or (p_channels == channels and not p_larger):
            self.p = nn.Identity()
        else:
            self.p = (Halve if p_larger else relu_conv_norm)(p_channels, channels)
        self.h = relu_conv_norm(h_channels, channels)
        self.pairs, widths = nn.ModuleList(), {"p": h_channels if p_channels is None else channels}
        for left, left_input, right, right_input in spec.pairs:
            operations = [
                OPERATIONS[operation](widths.get(source, channels), channels, stride if source in ("p", "h") else 1)
                for operation, source in ((left, left_input), (right, right_input))
            ]
            self.pairs.append(nn.ModuleList(operations))
        self.out_channels = sum(widths.get(name, channels) for name in spec.output)

    def forward(self, maps: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        p, h = maps
        made = {"p": self.p(p), "h": self.h(h)}
        for (left, right), (_, left_input, _, right_input) in zip(self.pairs, self.spec.pairs, strict=True):
            made[f"b{len(made) - 1}"] = left(made[left_input]) + right(made[right_input])
        return (p if self.keep_p else h), torch.cat([made[name] for name in self.spec.output], 1)


class NASNet(nn.Module):
    """A network of cells, for images of any size from 3x3 on: (N, in_channels, H, W) -> (N, num_classes) logits.

    width: channels inside the first normal cells, doubled by each reduction. The paper's "4 @ 1056" has depth 4 and
    1056 channels at the end, which is 6 x 4 x 44.
    depth: normal cells in each of the three groups.
    stem_width: channels of the first convolution; stem_cells: reduction cells between it and the first group.
    small_images: for 32x32: the first convolution keeps their size, and no stem cells follow it (Fig. 2).
    keep_p: whether a normal cell after a reduction takes as p what the reduction had as p, instead of its input.

    >>> NASNet(num_classes=10)(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 10])
    """

    def __init__(
        self,
        normal: CellSpec = NORMAL_A,
        reduction: CellSpec = REDUCTION_A,
        width: int = 44,
        depth: int = 4,
        stem_width: int = 32,
        stem_cells: Literal[1, 2] = 2,
        keep_p: bool = False,
        dropout: float = 0.5,
        small_images: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        stem_cells, stride, padding = (0, 1, 1) if small_images else (stem_cells, 2, 0)
        if width % 2**stem_cells:
            raise ValueError(f"width must be a multiple of {2**stem_cells}, for the narrower stem cells, not {width}.")
        conv = nn.Conv2d(in_channels, stem_width, 3, stride, padding, bias=False)
        self.stem = named(conv=conv, norm=norm(stem_width))
        halvings = range(stem_cells, 0, -1)
        plan = [] if small_images else [[(reduction, width // 2**i, 2, False) for i in halvings]]
        for group in range(3):
            cells = [(reduction, width * 2**group, 2, keep_p)] if group else []
            plan.append(cells + [(normal, width * 2**group, 1, False)] * depth)
        self.stages = nn.Sequential()
        p, h, p_size, h_size = None, stem_width, 0, 0  # channels of the maps, and how often they were halved
        for cells in plan:
            stage = nn.Sequential()
            for spec, channels, stride, keep in cells:
                stage.append(Cell(spec, p, h, channels, stride, p_size < h_size, keep))
                if not keep:
                    p, p_size = h, h_size
                h, h_size = stage[-1].out_channels, h_size + stride - 1
            self.stages.append(stage)
        relu, drop, fc = nn.ReLU(inplace=True), nn.Dropout(dropout), nn.Linear(h, num_classes)
        self.head = named(relu=relu, pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), dropout=drop, fc=fc)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        _, h = self.stages((x, x))
        return self.head(h)


CONFIGS = {
    "nasnet_a_mobile": NASNet,
    "nasnet_a_large": partial(NASNet, width=168, depth=6, stem_width=96, keep_p=True),
    "nasnet_a_mobile_tiny": partial(NASNet, width=16, depth=1, stem_width=16, stem_cells=1, num_classes=10),
}
