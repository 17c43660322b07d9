"""GoogLeNet: Szegedy et al., "Going Deeper with Convolutions", 2014 (arXiv 1409.4842).

An Inception module looks at several scales at once and lets 1x1 convolutions keep that affordable. `googlenet_2014` is
the network of the paper. `googlenet` is what torchvision calls so: with batch norm instead of biases, and with 3x3
kernels where the paper has 5x5, an old slip that its released weights have made permanent.
"""

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .alexnet import local_response_norm
from .layers import check_size, named

# Table 1, one tuple for each module: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj. One row for each stage.
MODULES = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        *((192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64)),
        *((112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128)),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)


def scaled(channels: int, width_mult: float) -> int:
    return max(1, round(channels * width_mult))


def conv_relu(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, batch_norm: bool = True
) -> nn.Sequential:
    """(N, in_channels, H, W) -> (N, out_channels, H/stride, W/stride), with batch norm or with a bias."""
    padding = kernel_size // 2
    return named(
        conv=nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=not batch_norm),
        norm=nn.BatchNorm2d(out_channels, eps=0.001) if batch_norm else None,
        relu=nn.ReLU(inplace=True),
    )


class Inception(nn.Module):
    """Fig. 2(b), four branches side by side: (N, in_channels, H, W) -> (N, widths[0] + [2] + [4] + [5], H, W).

    widths: one tuple of Table 1; kernel_size: of the third branch, which is 3 in torchvision's network.

    >>> Inception(192, (64, 96, 128, 16, 32, 32))(torch.zeros(1, 192, 28, 28)).shape
    torch.Size([1, 256, 28, 28])
    """

    def __init__(
        self, in_channels: int, widths: tuple[int, ...], kernel_size: int = 5, batch_norm: bool = False
    ) -> None:
        super().__init__()
        conv = partial(conv_relu, batch_norm=batch_norm)
        one, reduce3, three, reduce5, five, project = widths
        self.branch1x1 = conv(in_channels, one, 1)
        self.branch3x3 = named(reduce=conv(in_channels, reduce3, 1), conv=conv(reduce3, three, 3))
        self.branch5x5 = named(reduce=conv(in_channels, reduce5, 1), conv=conv(reduce5, five, kernel_size))
        self.branch_pool = named(pool=nn.MaxPool2d(3, stride=1, padding=1), project=conv(in_channels, project, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1x1(x), self.branch3x3(x), self.branch5x5(x), self.branch_pool(x)], dim=1)


class AuxiliaryHead(nn.Sequential):
    """A classifier halfway, whose loss brings gradient to the layers before it: (N, in_channels, H, W) -> (N, classes).

    The paper averages windows of 5x5 with stride 3, which gives 4x4 on its 14x14 maps only; here any map gives 4x4.
    """

    def __init__(self, in_channels: int, width_mult: float, batch_norm: bool, dropout: float, num_classes: int) -> None:
        super().__init__()
        width, hidden = scaled(128, width_mult), scaled(1024, width_mult)
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.conv = conv_relu(in_channels, width, 1, batch_norm=batch_norm)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(width * 4 * 4, hidden)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden, num_classes)


class Outputs(NamedTuple):
    """What a GoogLeNet with auxiliary heads returns while it trains: three times (N, num_classes)."""

    logits: Tensor
    aux1: Tensor
    aux2: Tensor


class GoogLeNet(nn.Module):
    """GoogLeNet: (N, in_channels, H, W) -> (N, num_classes) logits, in training with auxiliary heads -> Outputs.

    Images have at least 15 pixels a side, 31 in the original.

    aux_heads: two more classifiers, after modules 4a and 4d, to train by `aux_weight` times their loss; see section 5.
    original: the paper's network instead of torchvision's.
    width_mult: multiplier of all channels.
    small_images: for 32x32: a first convolution of 3x3, where it is 7x7 with stride 2 and a pool.
    transform_input: take images normalised as usual for weights that were trained on pixels from -1 to 1.

    >>> GoogLeNet(original=True)(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """

    aux_weight = 0.3

    def __init__(
        self,
        aux_heads: bool = False,
        original: bool = False,
        width_mult: float = 1.0,
        dropout: float = 0.2,
        aux_dropout: float = 0.7,
        small_images: bool = False,
        transform_input: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if transform_input and in_channels != 3:
            raise ValueError(f"transform_input is for images of 3 channels, not {in_channels}.")
        self.min_size = (8 if original else 4) if small_images else (31 if original else 15)
        conv, pool = partial(conv_relu, batch_norm=not original), partial(nn.MaxPool2d, stride=2, ceil_mode=True)
        norm = local_response_norm if original else nn.Identity  # which the paper takes over from AlexNet (Fig. 3)
        thin, channels = scaled(64, width_mult), scaled(192, width_mult)
        self.stem = named(
            rescale=Rescale() if transform_input else nn.Identity(),
            conv1=conv(in_channels, thin, 3) if small_images else conv(in_channels, thin, 7, stride=2),
            pool1=nn.Identity() if small_images else pool(3),
            norm1=norm(),
            conv2=conv(thin, thin, 1),
            conv3=conv(thin, channels, 3),
            norm2=norm(),
            pool2=pool(3),
        )
        self.stages, outputs = nn.Sequential(), []
        for modules, end in zip(MODULES, (pool(3), pool(3 if original else 2), nn.Identity()), strict=True):
            stage = nn.Sequential()
            for row in modules:
                widths = tuple(scaled(number, width_mult) for number in row)
                stage.append(Inception(channels, widths, 5 if original else 3, batch_norm=not original))
                channels = widths[0] + widths[2] + widths[4] + widths[5]
                outputs.append(channels)
            stage.add_module("pool", end)
            self.stages.append(stage)
        self.aux_heads = None
        if aux_heads:  # on 4a and 4d, the third and the sixth module
            heads = (AuxiliaryHead(outputs[i], width_mult, not original, aux_dropout, num_classes) for i in (2, 5))
            self.aux_heads = nn.ModuleList(heads)
        drop, fc = nn.Dropout(dropout), nn.Linear(channels, num_classes)
        self.head = named(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), dropout=drop, fc=fc)
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)) and (original or small_images):
                # He's of 2015, as the paper says nothing. From Glorot's the twin of 2014 stays at chance on normalised
                # pixels, and from torchvision's, so small that each step turns the weights far, its twin may.
                nn.init.kaiming_normal_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
            elif isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(layer.weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor | Outputs:
        check_size(self, x)
        x = self.stem(x)
        if not (self.training and self.aux_heads):
            return self.head(self.stages(x))
        first, second, third = self.stages
        after_4a = second[:1](first(x))
        after_4d = second[1:4](after_4a)
        logits = self.head(third(second[4:](after_4d)))
        return Outputs(logits, self.aux_heads[0](after_4a), self.aux_heads[1](after_4d))


class Rescale(nn.Module):
    """Images normalised by ImageNet's mean and deviation -> pixels from -1 to 1: (N, 3, H, W) -> (N, 3, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        self.register_buffer("scale", (std / 0.5)[:, None, None], persistent=False)
        self.register_buffer("shift", ((mean - 0.5) / 0.5)[:, None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale + self.shift


_2014 = partial(GoogLeNet, original=True, dropout=0.4)
_tiny = {"width_mult": 1 / 8, "small_images": True, "num_classes": 10}
CONFIGS = {
    "googlenet": GoogLeNet,
    "googlenet_2014": _2014,
    "googlenet_tiny": partial(GoogLeNet, **_tiny),
    "googlenet_2014_tiny": partial(_2014, **_tiny | {"dropout": 0.0, "aux_dropout": 0.0}),
}
