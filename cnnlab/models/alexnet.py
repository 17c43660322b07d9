"""AlexNet: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.

`AlexNet2012` is the network of the paper. `AlexNet` is what is called AlexNet today: Krizhevsky's one-GPU version of
2014 ("One weird trick for parallelizing convolutional neural networks", arXiv 1404.5997), without groups and local
response normalisation, as in torchvision.
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from .layers import check_size, named

RELU = partial(nn.ReLU, inplace=True)


class AlexNet(nn.Module):
    """AlexNet of 2014, for images of 63 pixels or more a side: (N, in_channels, H, W) -> (N, num_classes) logits.

    width: channels of the first convolution; 3, 6, 4 and 4 times as many in the next ones.
    hidden: units of a fully-connected layer.
    activation: the layer after each convolution and fully-connected layer, for example nn.Tanh.
    groups: of the second, fourth and fifth convolution, which had two in 2012.
    small_images: for 32x32, 15 pixels or more: the first convolution is 5x5 with stride 1, where it is 11x11 with 4.

    >>> AlexNet()(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """

    def __init__(
        self,
        width: int = 64,
        hidden: int = 4096,
        dropout: float = 0.5,
        activation: Callable[[], nn.Module] = RELU,
        groups: int = 1,
        small_images: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        kernel_size, stride, side, self.min_size = (5, 1, 3, 15) if small_images else (11, 4, 6, 63)
        self.stem = named(
            conv=nn.Conv2d(in_channels, width, kernel_size, stride, padding=2),
            act=activation(),
            pool=nn.MaxPool2d(3, stride=2),
        )
        self.stages = nn.Sequential(
            named(
                conv=nn.Conv2d(width, 3 * width, 5, padding=2, groups=groups),
                act=activation(),
                pool=nn.MaxPool2d(3, stride=2),
            ),
            named(
                conv1=nn.Conv2d(3 * width, 6 * width, 3, padding=1),
                act1=activation(),
                conv2=nn.Conv2d(6 * width, 4 * width, 3, padding=1, groups=groups),
                act2=activation(),
                conv3=nn.Conv2d(4 * width, 4 * width, 3, padding=1, groups=groups),
                act3=activation(),
                pool=nn.MaxPool2d(3, stride=2),
            ),
        )
        self.head = named(
            pool=nn.AdaptiveAvgPool2d(side),
            flatten=nn.Flatten(),
            dropout1=nn.Dropout(dropout),
            fc1=nn.Linear(4 * width * side * side, hidden),
            act1=activation(),
            dropout2=nn.Dropout(dropout),
            fc2=nn.Linear(hidden, hidden),
            act2=activation(),
            fc3=nn.Linear(hidden, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        check_size(self, x)
        return self.head(self.stages(self.stem(x)))


class AlexNet2012(nn.Module):
    """AlexNet as published: (N, in_channels, 227, 227) -> (N, num_classes) logits.

    groups: two GPUs held one half of the channels each and saw the other half only in the third convolution; elsewhere,
    that is a convolution of two groups. With groups=1 every channel sees all, as if one GPU had held the network.

    The paper says 224x224 pixels; its 55x55 maps need 227.

    >>> AlexNet2012()(torch.zeros(1, 3, 227, 227)).shape
    torch.Size([1, 1000])
    """

    def __init__(self, dropout: float = 0.5, groups: int = 2, num_classes: int = 1000, in_channels: int = 3) -> None:
        super().__init__()
        self.stem = named(
            conv=nn.Conv2d(in_channels, 96, 11, stride=4),
            relu=RELU(),
            norm=local_response_norm(),
            pool=nn.MaxPool2d(3, stride=2),
        )
        self.stages = nn.Sequential(
            named(
                conv=nn.Conv2d(96, 256, 5, padding=2, groups=groups),
                relu=RELU(),
                norm=local_response_norm(),
                pool=nn.MaxPool2d(3, stride=2),
            ),
            named(
                conv1=nn.Conv2d(256, 384, 3, padding=1),
                relu1=RELU(),
                conv2=nn.Conv2d(384, 384, 3, padding=1, groups=groups),
                relu2=RELU(),
                conv3=nn.Conv2d(384, 256, 3, padding=1, groups=groups),
                relu3=RELU(),
                pool=nn.MaxPool2d(3, stride=2),
            ),
        )
        self.head = named(
            flatten=nn.Flatten(),
            fc1=nn.Linear(256 * 6 * 6, 4096),
            relu1=RELU(),
            dropout1=nn.Dropout(dropout),
            fc2=nn.Linear(4096, 4096),
            relu2=RELU(),
            dropout2=nn.Dropout(dropout),
            fc3=nn.Linear(4096, num_classes),
        )
        layers = [layer for layer in self.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
        for number, layer in enumerate(layers, start=1):  # section 5; ones give the ReLUs positive inputs to start with
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.constant_(layer.bias, 1 if number in (2, 4, 5, 6, 7) else 0)

    def forward(self, x: Tensor) -> Tensor:
        if not all(227 <= side <= 242 for side in x.shape[-2:]):  # up to 242, the last map is 6x6 all the same
            raise ValueError(f"AlexNet of 2012 takes images of 227 x 227 pixels, not {tuple(x.shape[-2:])}.")
        return self.head(self.stages(self.stem(x)))


def local_response_norm() -> nn.Module:
    """Local response normalisation, section 3.3: k = 2, n = 5, alpha = 1e-4, beta = 0.75."""
    return nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2)  # PyTorch takes a mean over n where the paper sums


CONFIGS = {
    "alexnet": AlexNet,
    "alexnet_2012": AlexNet2012,
    "alexnet_tiny": partial(AlexNet, width=16, hidden=128, small_images=True, num_classes=10),
}
