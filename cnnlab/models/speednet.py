"""SpeedNet: Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024 (arXiv 2404.00498).

Seven convolutions, made to be trained in seconds. The first is not learnt: `whiten` computes it from images. The others
begin by passing their inputs on unchanged. How it is trained is `training.speed_run`.
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import named

norm = partial(nn.BatchNorm2d, momentum=0.4, eps=1e-12)


class SpeedNet(nn.Module):
    """Seven convolutions for images of 32x32: (N, in_channels, 32, 32) -> (N, num_classes) logits.

    widths: channels of the stages; the paper has three, of 64, 256 and 256.

    >>> SpeedNet()(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, widths: tuple[int, ...] = (64, 256, 256), num_classes: int = 10, in_channels: int = 3) -> None:
        super().__init__()
        whitened = 2 * 4 * in_channels  # the numbers of a 2x2 patch, and the same with a minus sign
        self.stem = named(conv=nn.Conv2d(in_channels, whitened, 2), act=nn.GELU())
        self.stages = nn.Sequential(*map(_stage, (whitened, *widths), widths))
        self.head = named(pool=nn.MaxPool2d(3), flatten=nn.Flatten(), fc=nn.Linear(widths[-1], num_classes, bias=False))
        for layer in self.stages.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.dirac_(layer.weight[: layer.in_channels])  # as many outputs as there are inputs pass them on
            elif isinstance(layer, nn.BatchNorm2d):
                layer.weight.requires_grad_(False)  # it stays 1: the next convolution can scale as well

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-2:] != (32, 32):
            height, width = x.shape[-2:]
            raise ValueError(f"SpeedNet takes images of 32 x 32 pixels, not {height} x {width}. Resize or crop them.")
        return self.head(self.stages(self.stem(x))) / 9


def _stage(in_channels: int, out_channels: int) -> nn.Sequential:
    return named(
        conv1=nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        pool=nn.MaxPool2d(2),
        norm1=norm(out_channels),
        act1=nn.GELU(),
        conv2=nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
        norm2=norm(out_channels),
        act2=nn.GELU(),
    )


@torch.no_grad()
def whiten(model: SpeedNet, images: Tensor) -> None:
    """Set the first layer so that its outputs are uncorrelated, each with mean square 1, and freeze its kernels.

    They are the principal components of all 2x2 patches of normalised images (N, C, H, W), and these with a minus sign.
    """
    convolution = model.stem.conv
    patches = F.unfold(images, 2)  # of each image its patches as columns
    moments = (patches @ patches.transpose(1, 2)).sum(0) / (len(patches) * patches.shape[2])
    values, vectors = torch.linalg.eigh(moments)
    components = (vectors / (values + 5e-4).sqrt()).T.reshape(-1, *convolution.weight.shape[1:])
    convolution.weight.copy_(torch.cat([components, -components]))
    convolution.weight.requires_grad_(False)
    nn.init.zeros_(convolution.bias)


CONFIGS = {"speednet": SpeedNet, "speednet_tiny": partial(SpeedNet, widths=(32, 64, 64))}
