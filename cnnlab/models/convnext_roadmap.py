"""The road from ResNet-50 to ConvNeXt-T: Liu et al., "A ConvNet for the 2020s", 2022, section 2, Fig. 2 and Table 10.

Twelve changes, one after the other, each a network of its own. `STEPS` names them in the paper's order.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

from torch import Tensor, nn

from .convnext import ConvNeXt, LayerNorm2d

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
        norm, activation, bias = layers(taken)
        wide = out_channels * 4 if "inverted bottleneck" in taken else out_channels // 4
        # Of each convolution: channels before and after it, kernel, stride, groups.
        if "depthwise moved up" in taken:
            plan = (
                (in_channels, in_channels, kernel_size, stride, in_channels),
                (in_channels, wide, 1, 1, 1),
                (wide, out_channels, 1, 1, 1),
            )
        else:
            plan = (
                (in_channels, wide, 1, 1, 1),
                (wide, wide, kernel_size, stride, wide if "depthwise convolution" in taken else 1),
                (wide, out_channels, 1, 1, 1),
            )
        self.residual = nn.Sequential()
        for index, (before, after, kernel, step, groups) in enumerate(plan):
            normed = index == 0 or "fewer norms" not in taken
            self.residual.append(
                nn.Conv2d(before, after, kernel, step, kernel // 2, groups=groups, bias=bias or not normed)
            )
            if normed:
                self.residual.append(norm(after))
            if index == 1 or (index == 0 and "fewer activations" not in taken):
                self.residual.append(activation())
        self.shortcut = nn.Identity()
        if stride > 1 or in_channels != out_channels:
            project = nn.Conv2d(in_channels, out_channels, 1, stride, bias=bias)
            self.shortcut = nn.Sequential(project, norm(out_channels))
        self.activation = nn.Identity() if "fewer activations" in taken else activation()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.residual(x) + self.shortcut(x))


def layers(taken: tuple[str, ...]) -> tuple[Callable[[int], nn.Module], Callable[[], nn.Module], bool]:
    """Norm, activation, and whether a convolution before a norm has a bias: before batch norm it would be lost."""
    norm = LayerNorm2d if "layer norm" in taken else nn.BatchNorm2d
    return norm, nn.GELU if "gelu" in taken else partial(nn.ReLU, inplace=True), "layer norm" in taken


class Roadmap(nn.Module):
    """A ResNet-50 on which the first steps were taken: (N, in_channels, H, W) -> (N, num_classes) logits."""

    def __init__(
        self, taken: tuple[str, ...], width: int, kernel_size: int, patch_size: int, num_classes: int, in_channels: int
    ) -> None:
        super().__init__()
        norm, activation, bias = layers(taken)
        width = width * 3 // 2 if "width 96" in taken else width
        act = [] if "fewer activations" in taken else [activation()]
        if "patchify stem" in taken:
            patches = nn.Conv2d(in_channels, width, patch_size, patch_size, bias=bias)
            self.stem = nn.Sequential(patches, norm(width), *act)
        else:
            conv = nn.Conv2d(in_channels, width, 7, patch_size // 2, padding=3, bias=False)
            self.stem = nn.Sequential(conv, norm(width), *act, nn.MaxPool2d(3, 2, padding=1))
        self.stages, channels = nn.Sequential(), width
        for index, depth in enumerate((3, 3, 9, 3) if "stage ratio" in taken else (3, 4, 6, 3)):
            out = width * 2**index * (1 if "inverted bottleneck" in taken else 4)
            kernel = kernel_size if "large kernel" in taken else 3
            stage = nn.Sequential()
            for block in range(depth):
                stage.append(Block(channels, out, 2 if index and not block else 1, kernel, taken))
                channels = out
            self.stages.append(stage)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))
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
    patch_size: Literal[2, 4] = 4,
    num_classes: int = 1000,
    in_channels: int = 3,
) -> nn.Module:
    """The network after `steps` of STEPS: 0 is ResNet-50, 12 ConvNeXt-T. (N, in_channels, H, W) -> (N, num_classes).

    width: channels of ResNet-50's first stage; half more from "width 96" on.
    kernel_size: what "large kernel" makes of 3. ConvNeXt-T itself has 7; Table 10 has them all.
    patch_size: by how much the stem divides the size, patches or not; 2 for images of 32x32.

    >>> convnext_roadmap(steps=3)(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """
    if steps < len(STEPS):
        return Roadmap(STEPS[:steps], width, kernel_size, patch_size, num_classes, in_channels)
    if kernel_size != 7:
        raise ValueError(f"ConvNeXt-T has kernel_size 7, not {kernel_size}. Before its last step it can be another.")
    widths = tuple(width * 3 // 2 * 2**stage for stage in range(4))
    return ConvNeXt(widths, (3, 3, 9, 3), patch_size=patch_size, num_classes=num_classes, in_channels=in_channels)


CONFIGS = {
    "convnext_roadmap": convnext_roadmap,
    "convnext_roadmap_tiny": partial(convnext_roadmap, width=8, patch_size=2, num_classes=10),
}
