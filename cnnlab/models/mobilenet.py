"""MobileNet: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", 2017
(arXiv 1704.04861).

A 3x3 convolution filters and combines in one step. MobileNet splits it: a depthwise convolution filters each channel
alone, a 1x1 convolution combines them, at 1/channels + 1/9 of the mult-adds (section 3.1).
"""

from functools import partial
from typing import Literal

from torch import Tensor, nn

# Table 1: channels and blocks of each stage; the first block of every stage but the first has stride 2. (The table's
# last depthwise row also says stride 2. Its own output sizes, and 569M mult-adds, need stride 1.)
STAGES = ((64, 1), (128, 2), (256, 2), (512, 6), (1024, 2))


def conv_norm_act(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    stride: int = 1,
    groups: int = 1,
    activation: type[nn.Module] = nn.ReLU6,  # the paper writes ReLU; its authors' network, of 70.9 %, clips it at 6
) -> tuple[nn.Module, ...]:
    """A convolution as all MobileNets have it: (N, C, H, W) -> (N, out_channels, H/stride, W/stride)."""
    return (
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out_channels),
        activation(inplace=True),
    )


class DepthwiseSeparable(nn.Sequential):
    """Filter each channel, then combine (Fig. 3, right): (N, C, H, W) -> (N, out_channels, H/stride, W/stride)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__(
            *conv_norm_act(in_channels, in_channels, kernel_size=3, stride=stride, groups=in_channels),
            *conv_norm_act(in_channels, out_channels, kernel_size=1),
        )


class FullConvolution(nn.Sequential):
    """What DepthwiseSeparable replaces (Fig. 3, left): (N, C, H, W) -> (N, out_channels, H/stride, W/stride)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__(*conv_norm_act(in_channels, out_channels, kernel_size=3, stride=stride))


class MobileNet(nn.Module):
    """MobileNet-v1, for images of any size: (N, in_channels, H, W) -> (N, num_classes) logits.

    block: DepthwiseSeparable, or FullConvolution for the "Conv MobileNet" of Table 4.
    width: multiplier of every layer's channels (section 3.3; the paper's: 1, 0.75, 0.5 and 0.25).
    shallow: without the five equal blocks of 512 channels at 14x14 (Table 5).
    stem_stride: 2; 1 for images of 32x32.

    >>> MobileNet(width=0.25)(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """

    def __init__(
        self,
        block: type[nn.Module] = DepthwiseSeparable,
        width: float = 1.0,
        shallow: bool = False,
        stem_stride: Literal[1, 2] = 2,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if width <= 0:
            raise ValueError(f"width multiplies the channels: it must be above 0 (the paper's 0.25 to 1), not {width}.")
        channels = max(8, int(32 * width))
        self.stem = nn.Sequential(*conv_norm_act(in_channels, channels, kernel_size=3, stride=stem_stride))
        self.stages = nn.Sequential()
        for index, (wider, depth) in enumerate(STAGES):
            wider = max(8, int(wider * width))
            blocks = [block(channels, wider, stride=1 if index == 0 else 2)]
            blocks += [block(wider, wider) for _ in range(depth - 1) if not (shallow and depth == 6)]
            self.stages.append(nn.Sequential(*blocks))
            channels = wider
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")
            elif isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(x)))


_TINY = {"width": 0.5, "shallow": True, "stem_stride": 1, "num_classes": 10}

CONFIGS = {
    "mobilenet_v1": MobileNet,
    "conv_mobilenet_v1": partial(MobileNet, block=FullConvolution),
    "mobilenet_v1_tiny": partial(MobileNet, **_TINY),
    "conv_mobilenet_v1_tiny": partial(MobileNet, block=FullConvolution, **_TINY),
}
