"""EfficientNet: Tan, Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019
(arXiv 1905.11946).

A small network found by search, B0, and one rule to enlarge it: depth, width and resolution grow together, by
ALPHA**phi, BETA**phi and GAMMA**phi. Mult-adds grow with depth, width squared and resolution squared, and
ALPHA * BETA**2 * GAMMA**2 is about 2, so each step of phi doubles them (section 3.3).
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from .layers import named
from .mobilenet import conv_norm_act
from .mobilenet_v2 import round_channels

ALPHA, BETA, GAMMA = 1.2, 1.1, 1.15

# Table 1: expansion, kernel size, stride, channels and blocks of each stage of B0.
STAGES = (
    *((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3)),
    *((6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)),
)

# The released networks: multipliers of the channels and of the blocks, side of the images in pixels, dropout. They
# follow the rule only roughly: for B7, phi = 6, it says width 1.77, depth 2.99 and 518 pixels.
SCALES = {
    "b0": (1.0, 1.0, 224, 0.2),
    "b1": (1.0, 1.1, 240, 0.2),
    "b2": (1.1, 1.2, 260, 0.3),
    "b3": (1.2, 1.4, 300, 0.3),
    "b4": (1.4, 1.8, 380, 0.4),
    "b5": (1.6, 2.2, 456, 0.4),
    "b6": (1.8, 2.6, 528, 0.5),
    "b7": (2.0, 3.1, 600, 0.5),
}


class SqueezeExcitation(nn.Module):
    """Weigh each channel by what the whole image shows (Hu et al. 2018, section 3): (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.weigh = named(
            pool=nn.AdaptiveAvgPool2d(1),
            fc1=nn.Conv2d(channels, squeezed, 1),
            act=nn.SiLU(inplace=True),
            fc2=nn.Conv2d(squeezed, channels, 1),
            gate=nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weigh(x)


class StochasticDepth(nn.Module):
    """Drop a residual branch for some images of a batch while training (Huang et al. 2016): a shape -> the same shape.

    p: the share of images that lose the branch; the others' is enlarged to keep the mean.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"Stochastic depth drops a share of the branches: it must be in [0, 1), not {p}.")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        kept = torch.empty(x.shape[0], 1, 1, 1, dtype=x.dtype, device=x.device).bernoulli_(1 - self.p)
        return x * kept.div_(1 - self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}"


conv_norm_silu = partial(conv_norm_act, activation=nn.SiLU)


class MBConv(nn.Module):
    """MobileNet-v2's inverted residual with squeeze and excitation: (N, C, H, W) -> (N, out_channels, H/s, W/s)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int,
        expansion: int,
        drop: float,
        activation: Callable[..., nn.Module] = nn.SiLU,
        squeeze_excitation: bool = True,
    ) -> None:
        super().__init__()
        hidden, conv_act = in_channels * expansion, partial(conv_norm_act, activation=activation)
        self.residual = named(
            expand=conv_act(in_channels, hidden, kernel_size=1) if expansion > 1 else None,
            depthwise=conv_act(hidden, hidden, kernel_size, stride=stride, groups=hidden),
            se=SqueezeExcitation(hidden, in_channels // 4) if squeeze_excitation else None,
            project=named(conv=nn.Conv2d(hidden, out_channels, 1, bias=False), norm=nn.BatchNorm2d(out_channels)),
        )
        self.has_shortcut = stride == 1 and in_channels == out_channels
        self.drop = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        residual = self.residual(x)
        if self.has_shortcut:
            residual = self.drop(residual)
            residual += x
        return residual


class EfficientNet(nn.Module):
    """An EfficientNet, for images of any size: (N, in_channels, H, W) -> (N, num_classes) logits.

    stages: as in Table 1.
    width_mult, depth_mult: multipliers of their channels (to multiples of 8) and of their blocks (rounded up).
    drop_path: stochastic depth of the last block, from 0 at the first on, growing linearly.
    activation, squeeze_excitation: nn.ReLU6 and False in the Lite networks, for processors without fast sigmoids.
    small_images: for 32x32: the stem has stride 1, where it is 2.

    >>> EfficientNet(width_mult=1.1, depth_mult=1.2, num_classes=10)(torch.zeros(1, 3, 260, 260)).shape
    torch.Size([1, 10])
    """

    def __init__(
        self,
        stages: tuple[tuple[int, int, int, int, int], ...] = STAGES,
        width_mult: float = 1.0,
        depth_mult: float = 1.0,
        dropout: float = 0.2,
        drop_path: float = 0.2,
        norm_eps: float = 1e-5,
        norm_momentum: float = 0.1,
        activation: Callable[..., nn.Module] = nn.SiLU,
        squeeze_excitation: bool = True,
        small_images: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if width_mult <= 0 or depth_mult <= 0:
            raise ValueError(f"width_mult and depth_mult must be above 0, not {width_mult} and {depth_mult}.")
        depths = [math.ceil(stage[-1] * depth_mult) for stage in stages]
        drops = iter(drop_path * index / sum(depths) for index in range(sum(depths)))
        conv_act = partial(conv_norm_act, activation=activation)
        block = partial(MBConv, activation=activation, squeeze_excitation=squeeze_excitation)
        channels = round_channels(32 * width_mult)
        self.stem = conv_act(in_channels, channels, kernel_size=3, stride=1 if small_images else 2)
        self.stages = nn.Sequential()
        for (expansion, kernel_size, stride, width, _), depth in zip(stages, depths, strict=True):
            width, stage = round_channels(width * width_mult), nn.Sequential()
            for index in range(depth):
                first = stride if index == 0 else 1
                stage.append(block(channels, width, kernel_size, first, expansion, next(drops)))
                channels = width
            self.stages.append(stage)
        conv, drop = conv_act(channels, 4 * channels, kernel_size=1), nn.Dropout(dropout, inplace=True)
        pool, fc = nn.AdaptiveAvgPool2d(1), nn.Linear(4 * channels, num_classes)
        self.head = named(conv=conv, pool=pool, flatten=nn.Flatten(), dropout=drop, fc=fc)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
            elif isinstance(layer, nn.Linear):
                nn.init.uniform_(layer.weight, -(num_classes**-0.5), num_classes**-0.5)
                nn.init.zeros_(layer.bias)
            elif isinstance(layer, nn.BatchNorm2d):
                layer.eps, layer.momentum = norm_eps, norm_momentum

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(x)))


_TINY_STAGES = ((1, 3, 1, 16, 1), (6, 3, 2, 24, 1), (6, 5, 1, 40, 1), (6, 3, 2, 80, 1))
_TINY = {"stages": _TINY_STAGES, "width_mult": 0.5, "dropout": 0.0, "drop_path": 0.0}
_TINY |= {"small_images": True, "num_classes": 10}

# The weights from B5 on come from TensorFlow, with its epsilon.
_TENSORFLOW = {"norm_eps": 1e-3, "norm_momentum": 0.01}
_NORM = dict.fromkeys(("b5", "b6", "b7"), _TENSORFLOW)

# B0 for phones, from its authors' repository (2020): ReLU6, and no squeeze and excitation. Its larger siblings scale
# neither stem nor head. TensorFlow pads maps of even sides on two sides only before a stride of 2, and here, as in all
# networks of the course, four are padded. Its weights learnt with the first: of 400 enlarged photographs they name
# 34.5 % with our padding and 35.2 % with theirs, and a doubtful first guess may change.
_LITE = {"activation": nn.ReLU6, "squeeze_excitation": False, **_TENSORFLOW}

CONFIGS = {
    f"efficientnet_{name}": partial(
        EfficientNet, width_mult=width, depth_mult=depth, dropout=dropout, **_NORM.get(name, {})
    )
    for name, (width, depth, _, dropout) in SCALES.items()
} | {"efficientnet_lite0": partial(EfficientNet, **_LITE), "efficientnet_b0_tiny": partial(EfficientNet, **_TINY)}
