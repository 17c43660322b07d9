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
from torch.utils.checkpoint import checkpoint

from .layers import check_size, named


class DenseLayer(nn.Sequential):
    """H(x) of section 3: (N, in_channels, H, W), all maps so far -> (N, growth_rate, H, W), the new ones.

    Batch norm and ReLU come before the convolution, as in a pre-activation ResNet.

    bottleneck: first a 1x1 convolution to 4 * growth_rate channels ("DenseNet-B").
    """

    def __init__(self, in_channels: int, growth_rate: int, bottleneck: bool, dropout: float) -> None:
        super().__init__()
        if bottleneck:
            self.norm1, self.relu1 = nn.BatchNorm2d(in_channels), nn.ReLU(inplace=True)
            self.conv1 = nn.Conv2d(in_channels, 4 * growth_rate, 1, bias=False)
            in_channels = 4 * growth_rate
        self.norm2, self.relu2 = nn.BatchNorm2d(in_channels), nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(in_channels, growth_rate, 3, padding=1, bias=False)
        if dropout > 0:
            self.dropout = nn.Dropout(dropout, inplace=True)


class DenseBlock(nn.ModuleList):
    """`depth` layers, each reading all maps before it: (N, C, H, W) -> (N, C + depth * growth_rate, H, W).

    memory_efficient: keep only the maps for the backward pass and make there, once more, what each layer made of them
        (Pleiss et al. 2017, arXiv 1707.06990). Its batch norms then see each batch twice.

    >>> DenseBlock(64, depth=6, growth_rate=32)(torch.zeros(1, 64, 56, 56)).shape
    torch.Size([1, 256, 56, 56])
    """

    def __init__(
        self,
        in_channels: int,
        depth: int,
        growth_rate: int,
        bottleneck: bool = True,
        dropout: float = 0.0,
        memory_efficient: bool = False,
    ) -> None:
        inputs = range(in_channels, in_channels + depth * growth_rate, growth_rate)
        super().__init__(DenseLayer(channels, growth_rate, bottleneck, dropout) for channels in inputs)
        self.memory_efficient = memory_efficient

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for layer in self:
            if self.memory_efficient and torch.is_grad_enabled() and any(each.requires_grad for each in maps):
                maps.append(checkpoint(new_maps, layer, *maps, use_reentrant=True))
            else:
                maps.append(new_maps(layer, *maps))
        return torch.cat(maps, dim=1)


def new_maps(layer: nn.Module, *maps: Tensor) -> Tensor:
    return layer(torch.cat(maps, dim=1))


def transition(in_channels: int, out_channels: int) -> nn.Sequential:
    """Between two blocks (section 3): (N, in_channels, H, W) -> (N, out_channels, H/2, W/2)."""
    return named(
        norm=nn.BatchNorm2d(in_channels),
        relu=nn.ReLU(inplace=True),
        conv=nn.Conv2d(in_channels, out_channels, 1, bias=False),
        pool=nn.AvgPool2d(2),
    )


class DenseNet(nn.Module):
    """A DenseNet, for images that are halved once a stage: (N, in_channels, H, W) -> (N, num_classes) logits.

    depths: layers of each block.
    stem_width: channels out of the stem.
    bottleneck: see DenseLayer; compression: share of the channels that the layer between two blocks keeps. With 1x1
        convolutions and compression 0.5 the paper calls the network DenseNet-BC.
    dropout: after each layer; the paper's 0.2 on CIFAR without augmentation.
    memory_efficient: see DenseBlock.
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
        memory_efficient: bool = False,
        small_images: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if not 0 < compression <= 1:
            raise ValueError(f"compression is the share of channels kept: above 0, at most 1, not {compression}.")
        if small_images:
            self.stem = named(conv=nn.Conv2d(in_channels, stem_width, 3, padding=1, bias=False))
        else:
            self.stem = named(
                conv=nn.Conv2d(in_channels, stem_width, 7, stride=2, padding=3, bias=False),
                norm=nn.BatchNorm2d(stem_width),
                relu=nn.ReLU(inplace=True),
                pool=nn.MaxPool2d(3, stride=2, padding=1),
            )
        self.stages, channels = nn.Sequential(), stem_width
        for index, depth in enumerate(depths):
            kept = int(channels * compression) if index > 0 else channels
            between = transition(channels, kept) if index > 0 else None
            block = DenseBlock(kept, depth, growth_rate, bottleneck, dropout, memory_efficient)
            self.stages.append(named(transition=between, block=block))
            channels = kept + depth * growth_rate
        norm, relu, fc = nn.BatchNorm2d(channels), nn.ReLU(inplace=True), nn.Linear(channels, num_classes)
        self.head = named(norm=norm, relu=relu, pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=fc)
        self.min_size = 2 ** (len(depths) - 1) if small_images else 2 ** (len(depths) + 1) - 3
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
            elif isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        check_size(self, x)
        return self.head(self.stages(self.stem(x)))


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
