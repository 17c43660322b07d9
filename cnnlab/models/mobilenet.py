"""MobileNet: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", 2017
(arXiv 1704.04861).

A 3x3 convolution filters and combines in one step. MobileNet splits it: a depthwise convolution filters each channel
alone, a 1x1 convolution combines them, at 1/channels + 1/9 of the mult-adds (section 3.1).
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from .layers import named

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
) -> nn.Sequential:
    """A convolution as all MobileNets have it: (N, C, H, W) -> (N, out_channels, H/stride, W/stride)."""
    padding = kernel_size // 2
    return named(
        conv=nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False),
        norm=nn.BatchNorm2d(out_channels),
        act=activation(inplace=True),
    )


class DepthwiseSeparable(nn.Sequential):
    """Filter each channel, then combine (Fig. 3, right): (N, C, H, W) -> (N, out_channels, H/stride, W/stride)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        filtered = conv_norm_act(in_channels, in_channels, kernel_size=3, stride=stride, groups=in_channels)
        self.depthwise, self.norm1, self.act1 = filtered
        self.pointwise, self.norm2, self.act2 = conv_norm_act(in_channels, out_channels, kernel_size=1)


class FullConvolution(nn.Sequential):
    """What DepthwiseSeparable replaces (Fig. 3, left): (N, C, H, W) -> (N, out_channels, H/stride, W/stride)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv, self.norm, self.act = conv_norm_act(in_channels, out_channels, kernel_size=3, stride=stride)


def initialize(model: nn.Module) -> None:
    """First weights of MobileNets, drawn in place: He's for convolutions, small ones for the linear layer."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out")
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)


class MobileNet(nn.Module):
    """MobileNet-v1, for images of any size: (N, in_channels, H, W) -> (N, num_classes) logits.

    block: DepthwiseSeparable, or FullConvolution for the "Conv MobileNet" of Table 4.
    width_mult: multiplier of every layer's channels (section 3.3; the paper's: 1, 0.75, 0.5 and 0.25).
    shallow: without the five equal blocks of 512 channels at 14x14 (Table 5).
    small_images: for 32x32: the stem has stride 1, where it is 2.

    >>> MobileNet(width_mult=0.25)(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """

    def __init__(
        self,
        block: Callable[..., nn.Module] = DepthwiseSeparable,
        width_mult: float = 1.0,
        shallow: bool = False,
        small_images: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if width_mult <= 0:
            raise ValueError(f"width_mult must be above 0 (the paper's go from 0.25 to 1), not {width_mult}.")
        widths = [max(8, int(channels * width_mult)) for channels, _ in STAGES]
        channels = max(8, int(32 * width_mult))
        self.stem = conv_norm_act(in_channels, channels, kernel_size=3, stride=1 if small_images else 2)
        self.stages = nn.Sequential()
        for index, (width, (_, depth)) in enumerate(zip(widths, STAGES, strict=True)):
            blocks = [block(channels, width, stride=1 if index == 0 else 2)]
            blocks += [block(width, width) for _ in range(depth - 1) if not (shallow and depth == 6)]
            self.stages.append(nn.Sequential(*blocks))
            channels = width
        self.head = named(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(channels, num_classes))
        initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(x)))


_TINY = {"width_mult": 0.5, "shallow": True, "small_images": True, "num_classes": 10}

CONFIGS = {
    "mobilenet_v1": MobileNet,
    "conv_mobilenet_v1": partial(MobileNet, block=FullConvolution),
    "mobilenet_v1_tiny": partial(MobileNet, **_TINY),
    "conv_mobilenet_v1_tiny": partial(MobileNet, block=FullConvolution, **_TINY),
}
