"""The road from ResNet-50 to ConvNeXt-T: Liu et al., "A ConvNet for the 2020s", 2022, section 2, Fig. 2 and Table 10.

Twelve changes, one after the other, each a network of its own. `STEPS` names them in the paper's order.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

from torch import Tensor, nn

from .convnext import ConvNeXt, LayerNorm2d
from .layers import named

STEPS = (
    "stage ratio",  # 2.2: blocks 3-4-6-3 -> 3-3-9-3, as in Swin-T
    "patchify stem",  # 2.2: 7x7 convolution and pooling -> 4x4 patches
    "depthwise convolution",  # 2.3: the 3x3 convolution sees one channel at a time
    "width 96",  # 2.3: 64 -> 96 channels, which pays back what depthwise saved
    "inverted bottleneck",  # 2.4: wide in the middle instead of at the ends
    "depthwise moved up",  # 2.5: first filter, then the two 1x1 convolutions, as attention comes before the MLP
    "large kernel",  # 2.5: 3x3 -> 7x7
    "gelu",  # 2.6: instead of ReLU
    "fewer activations",  # 2.6: one, between the two 1x1 convolutions
    "fewer norms",  # 2.6: one, after the depthwise convolution
    "layer norm",  # 2.6: instead of batch norm
    "separate downsampling",  # 2.6: 2x2 convolutions between the stages, with norms around. This is ConvNeXt-T
)


class Block(nn.Module):
    """The residual block once `taken` were taken: (N, C, H, W) -> (N, out_channels, H/stride, W/stride)."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, kernel_size: int, taken: tuple[str, ...]
    ) -> None:
        super().__init__()
        norm, activation, bias = kinds(taken)
        wide = out_channels * 4 if "inverted bottleneck" in taken else out_channels // 4
        # Of each convolution: channels before and after it, size of its kernel, stride, groups.
        if "depthwise moved up" in taken:
            spatial = (in_channels, in_channels, kernel_size, stride, in_channels)
            plan = (spatial, (in_channels, wide, 1, 1, 1), (wide, out_channels, 1, 1, 1))
        else:
            spatial = (wide, wide, kernel_size, stride, wide if "depthwise convolution" in taken else 1)
            plan = ((in_channels, wide, 1, 1, 1), spatial, (wide, out_channels, 1, 1, 1))
        layers: dict[str, nn.Module | None] = {}
        for number, (before, after, side, step, groups) in enumerate(plan, start=1):
            has_norm = number == 1 or "fewer norms" not in taken
            has_act = number == 2 or (number == 1 and "fewer activations" not in taken)
            conv = nn.Conv2d(before, after, side, step, side // 2, groups=groups, bias=bias or not has_norm)
            layers[f"conv{number}"] = conv
            layers[f"norm{number}"] = norm(after) if has_norm else None
            layers[f"act{number}"] = activation() if has_act else None
        self.residual = named(**layers)
        self.shortcut = nn.Identity()
        if stride > 1 or in_channels != out_channels:
            conv = nn.Conv2d(in_channels, out_channels, 1, stride, bias=bias)
            self.shortcut = named(conv=conv, norm=norm(out_channels))
        self.act = nn.Identity() if "fewer activations" in taken else activation()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.residual(x) + self.shortcut(x))


def kinds(taken: tuple[str, ...]) -> tuple[Callable[[int], nn.Module], Callable[[], nn.Module], bool]:
    """Norm, activation, and whether a convolution before a norm has a bias: before batch norm it would be lost."""
    norm = LayerNorm2d if "layer norm" in taken else nn.BatchNorm2d
    return norm, nn.GELU if "gelu" in taken else partial(nn.ReLU, inplace=True), "layer norm" in taken


class Roadmap(nn.Module):
    """A ResNet-50 on which the first steps were taken: (N, in_channels, H, W) -> (N, num_classes) logits."""

    def __init__(
        self,
        taken: tuple[str, ...],
        width: int,
        kernel_size: int,
        small_images: bool,
        num_classes: int,
        in_channels: int,
    ) -> None:
        super().__init__()
        norm, activation, bias = kinds(taken)
        width = width * 3 // 2 if "width 96" in taken else width
        stride = 1 if small_images else 2
        if "patchify stem" in taken:
            conv, pool = nn.Conv2d(in_channels, width, 2 * stride, 2 * stride, bias=bias), None
        else:
            conv = nn.Conv2d(in_channels, width, 7, stride, padding=3, bias=False)
            pool = nn.MaxPool2d(3, 2, padding=1)
        act = None if "fewer activations" in taken else activation()
        self.stem = named(conv=conv, norm=norm(width), act=act, pool=pool)
        self.stages, channels = nn.Sequential(), width
        for index, depth in enumerate((3, 3, 9, 3) if "stage ratio" in taken else (3, 4, 6, 3)):
            out = width * 2**index * (1 if "inverted bottleneck" in taken else 4)
            stage = nn.Sequential()
            for block in range(depth):
                side = kernel_size if "large kernel" in taken else 3
                stage.append(Block(channels, out, 2 if index and not block else 1, side, taken))
                channels = out
            self.stages.append(stage)
        self.head = named(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(channels, num_classes))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(x)))


def convnext_roadmap(
    steps: Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] = 12,
    width: int = 64,
    kernel_size: Literal[5, 7, 9, 11] = 7,
    small_images: bool = False,
    num_classes: int = 1000,
    in_channels: int = 3,
) -> nn.Module:
    """The network after `steps` of STEPS: 0 is ResNet-50, 12 ConvNeXt-T. (N, in_channels, H, W) -> (N, num_classes).

    width: channels of ResNet-50's first stage; half more from "width 96" on.
    kernel_size: what "large kernel" makes of 3. ConvNeXt-T itself has 7; Table 10 has them all.
    small_images: for 32x32: the stem divides their size by 2, where it is 4.

    >>> convnext_roadmap(steps=3)(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """
    if steps < len(STEPS):
        return Roadmap(STEPS[:steps], width, kernel_size, small_images, num_classes, in_channels)
    if kernel_size != 7:
        raise ValueError(f"ConvNeXt-T has kernel_size 7, not {kernel_size}. Before its last step it can be another.")
    options = {"small_images": small_images, "num_classes": num_classes, "in_channels": in_channels}
    return ConvNeXt((3, 3, 9, 3), width * 3 // 2, **options)


CONFIGS = {
    "convnext_roadmap": convnext_roadmap,
    "convnext_roadmap_tiny": partial(convnext_roadmap, width=8, small_images=True, num_classes=10),
}
