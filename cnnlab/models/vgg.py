"""VGG: Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014
(arXiv 1409.1556).

Only 3x3 convolutions, the smallest that know left from right and up from down: two see as much as one of 5x5, three as
one of 7x7, with fewer parameters and more non-linearities (section 2.3). Five stages, each halving the map.
"""

from functools import partial

from torch import Tensor, nn

from .layers import check_size, named

# Table 1: convolutions of each stage in configurations A, B, D and E. The channels are 64, 128, 256, 512 and 512.
DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


class VGG(nn.Module):
    """A VGG network, for images of 32 pixels or more a side: (N, in_channels, H, W) -> (N, num_classes) logits.

    depths: convolutions of each of the five stages.
    width: channels of the first stage, 2, 4, 8 and 8 times as many in the next ones; hidden: fully-connected units.
    batch_norm: after each convolution, invented a few months later.
    small_images: for 32x32: the head takes the last map averaged to 1x1, where it takes 7x7.

    >>> VGG(DEPTHS[16])(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """

    min_size = 32  # which five stages halve to one pixel

    def __init__(
        self,
        depths: tuple[int, ...],
        width: int = 64,
        hidden: int = 4096,
        batch_norm: bool = False,
        dropout: float = 0.5,
        small_images: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if len(depths) != 5:
            raise ValueError(f"A VGG network has five stages, so depths are five numbers, not {depths}.")
        self.stem = nn.Identity()  # a VGG has no other beginning than its first stage
        self.stages, channels = nn.Sequential(), in_channels
        for depth, factor in zip(depths, (1, 2, 4, 8, 8), strict=True):
            stage: dict[str, nn.Module | None] = {}
            for number in range(1, depth + 1):
                stage[f"conv{number}"] = nn.Conv2d(channels, width * factor, 3, padding=1)
                stage[f"norm{number}"] = nn.BatchNorm2d(width * factor) if batch_norm else None
                stage[f"relu{number}"] = nn.ReLU(inplace=True)
                channels = width * factor
            self.stages.append(named(**stage, pool=nn.MaxPool2d(2)))
        side = 1 if small_images else 7
        self.head = named(
            pool=nn.AdaptiveAvgPool2d(side),
            flatten=nn.Flatten(),
            fc1=nn.Linear(channels * side * side, hidden),
            relu1=nn.ReLU(inplace=True),
            dropout1=nn.Dropout(dropout),
            fc2=nn.Linear(hidden, hidden),
            relu2=nn.ReLU(inplace=True),
            dropout2=nn.Dropout(dropout),
            fc3=nn.Linear(hidden, num_classes),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):  # He's: from the paper's N(0, 0.01) only shallow networks learn
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.bias)
            elif isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.01 * (4096 / hidden) ** 0.5)  # as large an output at any width
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        check_size(self, x)
        return self.head(self.stages(self.stem(x)))


_tiny = partial(VGG, width=16, hidden=128, dropout=0.0, small_images=True, num_classes=10)
CONFIGS = {
    **{f"vgg{layers}": partial(VGG, depths=depths) for layers, depths in DEPTHS.items()},
    **{f"vgg{layers}_bn": partial(VGG, depths=depths, batch_norm=True) for layers, depths in DEPTHS.items()},
    **{f"vgg{layers}_tiny": partial(_tiny, depths=depths) for layers, depths in DEPTHS.items()},
    **{f"vgg{layers}_bn_tiny": partial(_tiny, depths=depths, batch_norm=True) for layers, depths in DEPTHS.items()},
}
