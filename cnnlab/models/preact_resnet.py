"""Pre-activation ResNet: He, Zhang, Ren, Sun, "Identity Mappings in Deep Residual Networks", 2016 (arXiv 1603.05027).

ResNet puts a ReLU after each sum, so that the signal never travels freely. Here batch norm and ReLU come before the
convolutions and nothing stands on the shortcut: from any block to any later one, x_L = x_l + sum of F_i (equation 4).
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

from torch import Tensor, nn

from .layers import named
from .resnet import Norm, PadShortcut, ResNet

Option = Literal["A", "B"]


class PreActivationBlock(nn.Module):
    """y = residual(a) + x with a = relu(norm(x)), Fig. 1(b), or residual(a) + shortcut(a) where the shape changes.

    residual: what follows the first norm and ReLU, layers with names.
    shortcut: "A" pads with zeros where the shape changes, "B" projects by a 1x1 convolution.
    """

    def __init__(
        self, residual: nn.Sequential, in_channels: int, out_channels: int, stride: int, shortcut: Option, norm: Norm
    ) -> None:
        super().__init__()
        if stride == 1 and in_channels == out_channels:
            self.shortcut = None
        elif shortcut == "A":
            self.shortcut = PadShortcut(out_channels - in_channels, stride)
        else:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
        self.activate = named(norm1=norm(in_channels), relu1=nn.ReLU(inplace=True))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        active = self.activate(x)
        y = self.residual(active)
        y += x if self.shortcut is None else self.shortcut(active)
        return y


class PreActBasicBlock(PreActivationBlock):
    """Two 3x3 convolutions: (N, in_channels, H, W) -> (N, out_channels, H/stride, W/stride).

    >>> PreActBasicBlock(16, 32, stride=2)(torch.zeros(1, 16, 32, 32)).shape
    torch.Size([1, 32, 16, 16])
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, shortcut: Option = "B", norm: Norm = nn.BatchNorm2d
    ) -> None:
        residual = named(
            conv1=nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
            norm2=norm(out_channels),
            relu2=nn.ReLU(inplace=True),
            conv2=nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
        )
        super().__init__(residual, in_channels, out_channels, stride, shortcut, norm)


class PreActBottleneck(PreActivationBlock):
    """1x1, 3x3, 1x1: (N, in_channels, H, W) -> (N, out_channels, H/stride, W/stride).

    stride_first: the first 1x1 convolution has the stride, as in the authors' own code; otherwise the 3x3 one has it.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        shortcut: Option = "B",
        norm: Norm = nn.BatchNorm2d,
        stride_first: bool = False,
    ) -> None:
        inner = out_channels // 4
        first, second = (stride, 1) if stride_first else (1, stride)
        residual = named(
            conv1=nn.Conv2d(in_channels, inner, 1, first, bias=False),
            norm2=norm(inner),
            relu2=nn.ReLU(inplace=True),
            conv2=nn.Conv2d(inner, inner, 3, second, padding=1, bias=False),
            norm3=norm(inner),
            relu3=nn.ReLU(inplace=True),
            conv3=nn.Conv2d(inner, out_channels, 1, bias=False),
        )
        super().__init__(residual, in_channels, out_channels, stride, shortcut, norm)


class PreActResNet(ResNet):
    """ResNet without an activation in the stem, with one before the head: (N, in_channels, H, W) -> (N, num_classes).

    The options are those of `ResNet`.

    >>> PreActResNet(depths=(18, 18, 18), width=16, small_images=True)(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 1000])
    """

    def __init__(
        self,
        block: Callable[..., nn.Module] = PreActBasicBlock,
        depths: tuple[int, ...] = (2, 2, 2, 2),
        width: int = 64,
        stem_width: int | None = None,
        small_images: bool = False,
        shortcut: Option = "B",
        norm: Norm = nn.BatchNorm2d,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__(block, depths, width, stem_width, small_images, shortcut, norm, num_classes, in_channels)
        del self.stem.norm, self.stem.relu
        first = self.stages[0][0]
        if first.shortcut is None:  # the first activation of all stands before the split (appendix)
            first.shortcut = nn.Identity()
        norm_relu = {"norm": norm(self.head.fc.in_features), "relu": nn.ReLU(inplace=True)}
        self.head = named(**norm_relu, **dict(self.head.named_children()))


_cifar = partial(PreActResNet, small_images=True, num_classes=10)
_110 = partial(_cifar, block=PreActBasicBlock, depths=(18, 18, 18), shortcut="A")
_164 = partial(_cifar, block=partial(PreActBottleneck, stride_first=True), depths=(18, 18, 18))
_50 = partial(PreActResNet, block=PreActBottleneck, depths=(3, 4, 6, 3))
CONFIGS = {
    "preact_resnet110": partial(_110, width=16),
    "preact_resnet164": partial(_164, width=64, stem_width=16),
    "preact_resnet50": partial(_50, width=256, stem_width=64),
    "preact_resnet110_tiny": partial(_110, width=8),
    "preact_resnet50_tiny": partial(_50, width=32, stem_width=8, small_images=True, num_classes=10),
}
