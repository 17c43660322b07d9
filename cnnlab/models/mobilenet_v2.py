"""MobileNet-v2: Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018
(arXiv 1801.04381).

A residual block turned inside out: the shortcut joins the narrow ends, the 3x3 convolution works on the wide middle and
is depthwise, so that the width costs little. The narrow end has no ReLU: there it would destroy information.
"""

from functools import partial

from torch import Tensor, nn

from .layers import named
from .mobilenet import conv_norm_act, initialize

# Table 2: expansion, channels, blocks and stride of each stage.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def round_channels(channels: float) -> int:
    """The nearest multiple of 8, but never less than 90 % of what was asked for.

    >>> round_channels(24 * 1.4), round_channels(11)
    (32, 16)
    """
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels else rounded + 8


class InvertedResidual(nn.Module):
    """Expand, filter, project (Table 1): (N, C, H, W) -> (N, out_channels, H/stride, W/stride).

    expansion: how many times wider than its input the middle is.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.residual = named(
            expand=conv_norm_act(in_channels, hidden, kernel_size=1) if expansion > 1 else None,
            depthwise=conv_norm_act(hidden, hidden, kernel_size=3, stride=stride, groups=hidden),
            project=named(conv=nn.Conv2d(hidden, out_channels, 1, bias=False), norm=nn.BatchNorm2d(out_channels)),
        )
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        return x + self.residual(x) if self.has_shortcut else self.residual(x)


class MobileNetV2(nn.Module):
    """MobileNet-v2, for images of any size: (N, in_channels, H, W) -> (N, num_classes) logits.

    stages: as in Table 2.
    width_mult: multiplier of the channels, to multiples of 8; the last 1x1 convolution never narrows.
    small_images: for 32x32: the stem has stride 1, where it is 2.

    >>> MobileNetV2(num_classes=10)(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 10])
    """

    def __init__(
        self,
        stages: tuple[tuple[int, int, int, int], ...] = STAGES,
        width_mult: float = 1.0,
        dropout: float = 0.2,
        small_images: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if width_mult <= 0:
            raise ValueError(f"width_mult must be above 0 (the paper's go from 0.35 to 1.4), not {width_mult}.")
        channels, last = round_channels(32 * width_mult), round_channels(1280 * max(1.0, width_mult))
        self.stem = conv_norm_act(in_channels, channels, kernel_size=3, stride=1 if small_images else 2)
        self.stages = nn.Sequential()
        for expansion, width, depth, stride in stages:
            width, stage = round_channels(width * width_mult), nn.Sequential()
            for index in range(depth):
                stage.append(InvertedResidual(channels, width, stride if index == 0 else 1, expansion))
                channels = width
            self.stages.append(stage)
        conv, drop = conv_norm_act(channels, last, kernel_size=1), nn.Dropout(dropout)
        pool, fc = nn.AdaptiveAvgPool2d(1), nn.Linear(last, num_classes)
        self.head = named(conv=conv, pool=pool, flatten=nn.Flatten(), dropout=drop, fc=fc)
        initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(x)))


_TINY_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 2, 1), (6, 64, 2, 2))

CONFIGS = {
    "mobilenet_v2": MobileNetV2,
    "mobilenet_v2_tiny": partial(MobileNetV2, stages=_TINY_STAGES, width_mult=0.5, small_images=True, num_classes=10),
}
