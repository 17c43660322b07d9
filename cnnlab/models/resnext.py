"""ResNeXt: Xie, Girshick, Dollár, Tu, He, "Aggregated Residual Transformations for Deep Neural Networks", 2016
(arXiv 1611.05431).

A third number beside depth and width: cardinality, the number of parallel paths whose results are added. A block of C
paths, d channels wide, is a bottleneck whose 3x3 convolution has C groups (Fig. 3(c)): "32x4d" is C = 32, d = 4.

>>> get_model("resnext50_32x4d")(torch.zeros(1, 3, 224, 224)).shape
torch.Size([1, 1000])
"""

from functools import partial

from .resnet import Bottleneck, ResNet


def _block(cardinality: int, path_width: int, width: int) -> partial[Bottleneck]:
    """The bottleneck of C paths of d channels in a first stage with `width` channels out (Table 1)."""
    return partial(Bottleneck, ratio=cardinality * path_width / width, groups=cardinality)


_imagenet = partial(ResNet, width=256, stem_width=64)
_cifar = partial(ResNet, depths=(3, 3, 3), small_images=True, num_classes=10)
CONFIGS = {
    "resnext50_32x4d": partial(_imagenet, block=_block(32, 4, 256), depths=(3, 4, 6, 3)),
    "resnext101_32x8d": partial(_imagenet, block=_block(32, 8, 256), depths=(3, 4, 23, 3)),
    "resnext29_8x64d": partial(_cifar, block=_block(8, 64, 256), width=256, stem_width=64),
    "resnext29_8x64d_tiny": partial(_cifar, block=_block(8, 4, 32), width=32, stem_width=8),
}
