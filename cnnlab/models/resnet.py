"""ResNet: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015 (arXiv 1512.03385).

A block learns what to add to its input instead of a new output: y = relu(F(x) + x), section 3.2. The networks for
ImageNet are those of Table 1; those for CIFAR-10, 6n + 2 layers deep, and the plain ones beside them of section 4.2.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from .layers import named

Option = Literal["A", "B", "none"]
Norm = Callable[[int], nn.Module]


class PadShortcut(nn.Module):
    """Option A: every stride-th pixel, the new channels zero: (N, C, H, W) -> (N, C + extra, H/stride, W/stride).

    The new channels stand behind the others, but for `before` of them.
    """

    def __init__(self, extra: int, stride: int, before: int = 0) -> None:
        super().__init__()
        self.extra, self.stride, self.before = extra, stride, before

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.extra - self.before))


class ResidualBlock(nn.Module):
    """y = relu(residual(x) + shortcut(x)). The shortcut is the identity unless the block changes the shape.

    residual: F(x), layers with names.
    shortcut: "A" pads with zeros where the shape changes, "B" projects by a 1x1 convolution (section 3.3); "none" gives
        a block of a plain network, y = relu(residual(x)).
    """

    def __init__(
        self, residual: nn.Sequential, in_channels: int, out_channels: int, stride: int, shortcut: Option, norm: Norm
    ) -> None:
        super().__init__()
        self.residual = residual
        if shortcut == "none":
            self.shortcut = None
        elif stride == 1 and in_channels == out_channels:
            self.shortcut = nn.Identity()
        elif shortcut == "A":
            self.shortcut = PadShortcut(out_channels - in_channels, stride)
        else:
            conv = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
            self.shortcut = named(conv=conv, norm=norm(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        y = self.residual(x)
        if self.shortcut is not None:
            y += self.shortcut(x)
        return F.relu(y, inplace=True)


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions (Fig. 5, left): (N, in_channels, H, W) -> (N, out_channels, H/stride, W/stride).

    >>> block = BasicBlock(16, 32, stride=2)
    >>> block(torch.zeros(1, 16, 32, 32)).shape, block.residual.conv2.kernel_size
    (torch.Size([1, 32, 16, 16]), (3, 3))
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, shortcut: Option = "B", norm: Norm = nn.BatchNorm2d
    ) -> None:
        residual = named(
            conv1=nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
            norm1=norm(out_channels),
            relu1=nn.ReLU(inplace=True),
            conv2=nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            norm2=norm(out_channels),
        )
        super().__init__(residual, in_channels, out_channels, stride, shortcut, norm)


class Bottleneck(ResidualBlock):
    """1x1, 3x3, 1x1 (Fig. 5, right): (N, in_channels, H, W) -> (N, out_channels, H/stride, W/stride).

    The stride is the 3x3 convolution's, as in every later implementation; the paper gives it to the first 1x1, which
    then skips three pixels of four.

    ratio: channels of the 3x3 convolution per channel of the output, 1/4 in this paper; groups: 1 in this paper.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        shortcut: Option = "B",
        norm: Norm = nn.BatchNorm2d,
        ratio: float = 1 / 4,
        groups: int = 1,
    ) -> None:
        inner = int(out_channels * ratio)
        residual = named(
            conv1=nn.Conv2d(in_channels, inner, 1, bias=False),
            norm1=norm(inner),
            relu1=nn.ReLU(inplace=True),
            conv2=nn.Conv2d(inner, inner, 3, stride, padding=1, groups=groups, bias=False),
            norm2=norm(inner),
            relu2=nn.ReLU(inplace=True),
            conv3=nn.Conv2d(inner, out_channels, 1, bias=False),
            norm3=norm(out_channels),
        )
        super().__init__(residual, in_channels, out_channels, stride, shortcut, norm)


class ResNet(nn.Module):
    """A residual network, for images of any size: (N, in_channels, H, W) -> (N, num_classes) logits.

    depths: blocks in each stage.
    width: channels of the first stage, doubled at each next one; stem_width: of the stem, where that is another number.
    small_images: for CIFAR: the stem is a 3x3 convolution, where it is 7x7 with stride 2 and a pool for ImageNet.
    shortcut: see ResidualBlock; "none" makes it a plain network. "A-both" is "A" with half of the new channels before
        the others and half behind, as weights of akamaster/pytorch_resnet_cifar10 want it.
    norm: what follows each convolution; nn.Identity for nothing.

    >>> ResNet(Bottleneck, depths=(3, 4, 6, 3), width=256, stem_width=64)(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """

    def __init__(
        self,
        block: Callable[..., nn.Module] = BasicBlock,
        depths: tuple[int, ...] = (2, 2, 2, 2),
        width: int = 64,
        stem_width: int | None = None,
        small_images: bool = False,
        shortcut: Literal["A", "A-both", "B", "none"] = "B",
        norm: Norm = nn.BatchNorm2d,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        channels = stem_width or width
        kernel_size, stride = (3, 1) if small_images else (7, 2)
        self.stem = named(
            conv=nn.Conv2d(in_channels, channels, kernel_size, stride, padding=kernel_size // 2, bias=False),
            norm=norm(channels),
            relu=nn.ReLU(inplace=True),
            pool=nn.Identity() if small_images else nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.stages = nn.Sequential()
        for stage, depth in enumerate(depths):
            blocks = nn.Sequential()
            for index in range(depth):
                stride = 2 if stage > 0 and index == 0 else 1  # each stage but the first halves the map
                blocks.append(block(channels, width * 2**stage, stride, shortcut.removesuffix("-both"), norm))
                channels = width * 2**stage
            self.stages.append(blocks)
        self.head = named(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(channels, num_classes))
        for layer in self.modules():
            if isinstance(layer, PadShortcut) and shortcut == "A-both":
                layer.before = layer.extra // 2
            if isinstance(layer, nn.Conv2d):  # so that gradients keep their size through ReLUs (reference [13])
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(x)))


_50 = partial(ResNet, block=Bottleneck, depths=(3, 4, 6, 3))
_cifar = partial(ResNet, small_images=True, shortcut="A", num_classes=10)
_plain = partial(_cifar, shortcut="none")
_cifar_depths = {6 * n + 2: (n, n, n) for n in (3, 5, 7, 9, 18)}
CONFIGS = {
    "resnet18": partial(ResNet, depths=(2, 2, 2, 2)),
    "resnet34": partial(ResNet, depths=(3, 4, 6, 3)),
    "resnet50": partial(_50, width=256, stem_width=64),
    "resnet101": partial(_50, width=256, stem_width=64, depths=(3, 4, 23, 3)),
    "resnet152": partial(_50, width=256, stem_width=64, depths=(3, 8, 36, 3)),
    **{f"resnet{layers}": partial(_cifar, depths=depths, width=16) for layers, depths in _cifar_depths.items()},
    **{f"plain{layers}": partial(_plain, depths=depths, width=16) for layers, depths in _cifar_depths.items()},
    "resnet18_tiny": partial(ResNet, width=8, small_images=True, num_classes=10),
    "resnet50_tiny": partial(_50, width=32, stem_width=8, small_images=True, num_classes=10),
    **{f"resnet{layers}_tiny": partial(_cifar, depths=depths, width=8) for layers, depths in _cifar_depths.items()},
    **{f"plain{layers}_tiny": partial(_plain, depths=depths, width=8) for layers, depths in _cifar_depths.items()},
}
