"""Wide ResNet: Zagoruyko, Komodakis, "Wide Residual Networks", 2016 (arXiv 1605.07146).

Not more layers but wider ones: 16 layers as wide as this learn what takes a thin network a thousand, in a fraction of
the time. No new block: `wrn_d_k` is the pre-activation network of d layers with k times the channels (Table 1), and
`wide_resnet50_2` is ResNet-50 with twice the channels in each 3x3 convolution.

>>> get_model("wrn_28_10")(torch.zeros(1, 3, 32, 32)).shape
torch.Size([1, 10])
"""

from functools import partial

from .preact_resnet import PreActBasicBlock, PreActResNet
from .resnet import Bottleneck, ResNet

_wide = partial(ResNet, block=partial(Bottleneck, ratio=1 / 2), width=256, stem_width=64)
_cifar = partial(PreActResNet, block=PreActBasicBlock, small_images=True, num_classes=10)


def _wrn(depth: int, k: int) -> partial[PreActResNet]:
    n = (depth - 4) // 6  # blocks in each of three stages; 4 more layers are the stem and their three projections
    return partial(_cifar, depths=(n, n, n), width=16 * k, stem_width=16)


CONFIGS = {
    "wide_resnet50_2": partial(_wide, depths=(3, 4, 6, 3)),
    "wide_resnet101_2": partial(_wide, depths=(3, 4, 23, 3)),
    "wrn_28_10": _wrn(28, 10),
    "wrn_16_8": _wrn(16, 8),
    "wrn_16_8_tiny": _wrn(16, 1),
}
