"""ConvNeXt: Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, "A ConvNet for the 2020s", 2022 (arXiv 2201.03545).

A ResNet-50, changed step by step towards what vision transformers do, until it was better than they were, and still
made of nothing but convolutions. The steps are in convnext_roadmap.py; this is where they end.
"""

from functools import partial

import torch
from torch import Tensor, nn

from .efficientnet import StochasticDepth


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
        self.residual = nn.Sequential(
            nn.Conv2d(channels, channels, 7, padding=3, groups=channels),
            Permute(0, 2, 3, 1),
            nn.LayerNorm(channels, eps=1e-6),
            nn.Linear(channels, 4 * channels),
            nn.GELU(),
            nn.Linear(4 * channels, channels),
            Permute(0, 3, 1, 2),
        )
        self.drop = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        residual = self.drop(self.layer_scale * self.residual(x))
        residual += x
        return residual


class ConvNeXt(nn.Module):
    """A ConvNeXt, for images from 8 patches on: (N, in_channels, H, W) -> (N, num_classes) logits.

    widths, depths: channels and blocks of each stage. patch_size: side of the stem's patches in pixels; 4, or 2 for
    images of 32x32. drop_path: stochastic depth of the last block, from 0 at the first on, growing linearly.

    >>> ConvNeXt(widths=(96, 192, 384, 768), depths=(3, 3, 9, 3))(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """

    def __init__(
        self,
        widths: tuple[int, ...],
        depths: tuple[int, ...],
        drop_path: float = 0.0,
        layer_scale: float = 1e-6,
        patch_size: int = 4,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if len(widths) != len(depths):
            raise ValueError(f"widths and depths must have one number for each stage, not {widths} and {depths}.")
        self.smallest = patch_size * 2 ** (len(widths) - 1)
        self.stem = nn.Sequential(nn.Conv2d(in_channels, widths[0], patch_size, patch_size), LayerNorm2d(widths[0]))
        drops = iter(drop_path * index / max(1, sum(depths) - 1) for index in range(sum(depths)))
        stages = []
        for index, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            before = widths[index - 1]
            halve = (LayerNorm2d(before), nn.Conv2d(before, width, 2, stride=2)) if index else ()
            stages.append(nn.Sequential(*halve, *(Block(width, next(drops), layer_scale) for _ in range(depth))))
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(width, eps=1e-6), nn.Linear(width, num_classes)
        )
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        if min(height, width) < self.smallest:
            raise ValueError(
                f"This ConvNeXt needs images of at least {self.smallest} x {self.smallest} pixels, not "
                f"{height} x {width}: its stem and its stages divide the size by {self.smallest}."
            )
        return self.head(self.stages(self.stem(x)))


CONFIGS = {
    "convnext_tiny": partial(ConvNeXt, widths=(96, 192, 384, 768), depths=(3, 3, 9, 3), drop_path=0.1),
    "convnext_small": partial(ConvNeXt, widths=(96, 192, 384, 768), depths=(3, 3, 27, 3), drop_path=0.4),
    "convnext_base": partial(ConvNeXt, widths=(128, 256, 512, 1024), depths=(3, 3, 27, 3), drop_path=0.5),
    "convnext_large": partial(ConvNeXt, widths=(192, 384, 768, 1536), depths=(3, 3, 27, 3), drop_path=0.5),
    "convnext_tiny_tiny": partial(
        ConvNeXt, widths=(24, 48, 96, 192), depths=(1, 1, 3, 1), layer_scale=1.0, patch_size=2, num_classes=10
    ),
}
