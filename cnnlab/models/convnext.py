"""ConvNeXt: Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, "A ConvNet for the 2020s", 2022 (arXiv 2201.03545).

A ResNet-50, changed step by step towards what vision transformers do, until it was better than they were, and still
made of nothing but convolutions. The steps are in convnext_roadmap.py; this is where they end.
"""

from functools import partial

import torch
from torch import Tensor, nn

from .efficientnet import StochasticDepth
from .layers import check_size, named


class Permute(nn.Module):
    """Reorder the dimensions, because layer norm and linear layers work on the last one."""

    def __init__(self, *order: int) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.order)


class LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels of each pixel: (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """Filter each channel, then two layers on each pixel, wide in between (Fig. 4): (N, C, H, W) -> (N, C, H, W).

    layer_scale: where the learned factor of the residual starts. Near 0, the untrained block hands on its input.
    """

    def __init__(self, channels: int, drop: float = 0.0, layer_scale: float = 1e-6) -> None:
        super().__init__()
        self.layer_scale = nn.Parameter(torch.full((channels, 1, 1), layer_scale))
        self.residual = named(
            depthwise=nn.Conv2d(channels, channels, 7, padding=3, groups=channels),
            channels_last=Permute(0, 2, 3, 1),
            norm=nn.LayerNorm(channels, eps=1e-6),
            fc1=nn.Linear(channels, 4 * channels),
            act=nn.GELU(),
            fc2=nn.Linear(4 * channels, channels),
            channels_first=Permute(0, 3, 1, 2),
        )
        self.drop = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        residual = self.drop(self.layer_scale * self.residual(x))
        residual += x
        return residual


def downsample(in_channels: int, out_channels: int) -> nn.Sequential:
    """Between two stages (section 2.6): (N, in_channels, H, W) -> (N, out_channels, H/2, W/2)."""
    return named(norm=LayerNorm2d(in_channels), conv=nn.Conv2d(in_channels, out_channels, 2, stride=2))


class ConvNeXt(nn.Module):
    """A ConvNeXt, for images from 8 patches on: (N, in_channels, H, W) -> (N, num_classes) logits.

    depths: blocks of each stage. width: channels of the first stage, doubled at each next one.
    drop_path: stochastic depth of the last block, from 0 at the first on, growing linearly.
    small_images: for 32x32: the stem's patches have 2 pixels a side, where they have 4.

    >>> ConvNeXt(depths=(3, 3, 9, 3), width=96)(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """

    def __init__(
        self,
        depths: tuple[int, ...],
        width: int = 96,
        drop_path: float = 0.0,
        layer_scale: float = 1e-6,
        small_images: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        patch_size = 2 if small_images else 4
        self.min_size = patch_size * 2 ** (len(depths) - 1)
        self.stem = named(conv=nn.Conv2d(in_channels, width, patch_size, patch_size), norm=LayerNorm2d(width))
        drops = iter(drop_path * index / max(1, sum(depths) - 1) for index in range(sum(depths)))
        self.stages = nn.Sequential()
        for index, depth in enumerate(depths):
            stage, channels = nn.Sequential(), width * 2**index
            if index > 0:
                stage.add_module("downsample", downsample(channels // 2, channels))
            for number in range(1, depth + 1):
                stage.add_module(f"block{number}", Block(channels, next(drops), layer_scale))
            self.stages.append(stage)
        norm, fc = nn.LayerNorm(channels, eps=1e-6), nn.Linear(channels, num_classes)
        self.head = named(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), norm=norm, fc=fc)
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        check_size(self, x)
        return self.head(self.stages(self.stem(x)))


CONFIGS = {
    "convnext_tiny": partial(ConvNeXt, depths=(3, 3, 9, 3), width=96, drop_path=0.1),
    "convnext_small": partial(ConvNeXt, depths=(3, 3, 27, 3), width=96, drop_path=0.4),
    "convnext_base": partial(ConvNeXt, depths=(3, 3, 27, 3), width=128, drop_path=0.5),
    "convnext_large": partial(ConvNeXt, depths=(3, 3, 27, 3), width=192, drop_path=0.5),
    "convnext_tiny_tiny": partial(
        ConvNeXt, depths=(1, 1, 3, 1), width=24, layer_scale=1.0, small_images=True, num_classes=10
    ),
}
