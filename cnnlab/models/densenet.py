"""DenseNet: Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional Networks", 2016
(arXiv 1608.06993).

ResNet adds, DenseNet keeps: every layer of a block reads the maps of all layers before it and appends a few of its own,
`growth_rate` of them, so that nothing is computed twice and no layer needs to be wide.

For ImageNet, Table 1: four blocks of DenseNet-BC with growth rate 32, laid out as in torchvision. For CIFAR, section 3:
three equal blocks after a 3x3 convolution to 16 channels, or to twice the growth rate in DenseNet-BC. A stage here is a
block with the transition before it, so that each stage has one size of map.
"""

from functools import partial

import torch
from torch import Tensor, nn


class DenseLayer(nn.Sequential):
    """H(x) of section 3: (N, in_channels, H, W), all maps so far -> (N, growth_rate, H, W), the new ones.

    bottleneck: first a 1x1 convolution to 4 * growth_rate channels ("DenseNet-B").
    """

    def __init__(self, in_channels: int, growth_rate: int, bottleneck: bool, dropout: float) -> None:
        super().__init__()
        if bottleneck:
            self.extend(norm_relu_conv(in_channels, 4 * growth_rate, 1))
            in_channels = 4 * growth_rate
        self.extend(norm_relu_conv(in_channels, growth_rate, 3))
        if dropout > 0:
            self.append(nn.Dropout(dropout, inplace=True))


class DenseBlock(nn.ModuleList):
    """`depth` layers, each reading all maps before it: (N, C, H, W) -> (N, C + depth * growth_rate, H, W).

    >>> DenseBlock(64, depth=6, growth_rate=32)(torch.zeros(1, 64, 56, 56)).shape
    torch.Size([1, 256, 56, 56])
    """

    def __init__(
        self, in_channels: int, depth: int, growth_rate: int, bottleneck: bool = True, dropout: float = 0.0
    ) -> None:
        inputs = range(in_channels, in_channels + depth * growth_rate, growth_rate)
        super().__init__(DenseLayer(channels, growth_rate, bottleneck, dropout) for channels in inputs)

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for layer in self:
            maps.append(layer(torch.cat(maps, dim=1)))
        return torch.cat(maps, dim=1)


class DenseNet(nn.Module):
    """A DenseNet, for images that are halved once a stage: (N, in_channels, H, W) -> (N, num_classes) logits.

    depths: layers of each block.
    stem_width: channels out of the stem.
    bottleneck: see DenseLayer; compression: share of the channels that the layer between two blocks keeps. With 1x1
        convolutions and compression 0.5 the paper calls the network DenseNet-BC.
    dropout: after each layer; the paper's 0.2 on CIFAR without augmentation.
    small_images: for CIFAR: the stem is a 3x3 convolution, where it is 7x7 with stride 2 and a pool for ImageNet.

    >>> DenseNet((6, 12, 48, 32))(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """

    def __init__(
        self,
        depths: tuple[int, ...],
        growth_rate: int = 32,
        stem_width: int = 64,
        bottleneck: bool = True,
        compression: float = 0.5,
        dropout: float = 0.0,
        small_images: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if not 0 < compression <= 1:
            raise ValueError(f"compression is the share of channels kept: above 0, at most 1, not {compression}.")
        if small_images:
            self.stem = nn.Sequential(nn.Conv2d(in_channels, stem_width, 3, padding=1, bias=False))
        else:
            self.stem = nn.Sequential(
                nn.Conv2d(in_channels, stem_width, 7, stride=2, padding=3, bias=False),
                nn.BatchNorm2d(stem_width),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(3, stride=2, padding=1),
            )
        self.stages, channels = nn.Sequential(), stem_width
        for index, depth in enumerate(depths):
            stage = nn.Sequential()
            if index > 0:  # transition (section 3)
                kept = int(channels * compression)
                stage.extend([*norm_relu_conv(channels, kept, 1), nn.AvgPool2d(2)])
                channels = kept
            self.stages.append(stage.append(DenseBlock(channels, depth, growth_rate, bottleneck, dropout)))
            channels += depth * growth_rate
        self.head = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(channels, num_classes),
        )
        self.min_size = 2 ** (len(depths) - 1) if small_images else 2 ** (len(depths) + 1) - 3
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
            elif isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        if min(x.shape[-2:]) < self.min_size:
            raise ValueError(f"This DenseNet needs {self.min_size} pixels a side or more, not {tuple(x.shape[-2:])}.")
        return self.head(self.stages(self.stem(x)))


def norm_relu_conv(in_channels: int, channels: int, kernel: int) -> list[nn.Module]:
    """Batch norm and ReLU come before the convolution, as in a pre-activation ResNet."""
    convolution = nn.Conv2d(in_channels, channels, kernel, padding=kernel // 2, bias=False)
    return [nn.BatchNorm2d(in_channels), nn.ReLU(inplace=True), convolution]


_cifar = partial(DenseNet, small_images=True, num_classes=10)
_plain = partial(_cifar, stem_width=16, bottleneck=False, compression=1.0)
CONFIGS = {
    "densenet121": partial(DenseNet, depths=(6, 12, 24, 16)),
    "densenet169": partial(DenseNet, depths=(6, 12, 32, 32)),
    "densenet201": partial(DenseNet, depths=(6, 12, 48, 32)),
    "densenet_40_12": partial(_plain, depths=(12, 12, 12), growth_rate=12),
    "densenet_bc_100_12": partial(_cifar, depths=(16, 16, 16), growth_rate=12, stem_width=24),
    "densenet_40_12_tiny": partial(_plain, depths=(4, 4, 4), growth_rate=12),
    "densenet_bc_100_12_tiny": partial(_cifar, depths=(4, 4, 4), growth_rate=12, stem_width=24),
}
