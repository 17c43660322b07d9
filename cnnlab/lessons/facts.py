"""Figures that papers and libraries report and that this project does not measure itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """An ImageNet network of the course: parameters, mult-adds of one image, and reported accuracies in percent.

    The mult-adds are at the image size that the accuracy was measured at: 224 pixels where `size` says nothing else.
    """

    name: str
    label: str
    lesson: str
    year: int
    params: int
    macs: int
    top1: float
    top5: float
    size: int = 224


# Accuracies: torchvision's first weights (IMAGENET1K_V1), by their documentation; for the MobileNet and the two NASNets
# the authors' TensorFlow checkpoints, by their documentation. Parameters and mult-adds are computed.
NETWORKS = (
    Network("alexnet", "AlexNet", "02", 2012, 61_100_840, 714_188_480, 56.522, 79.066),
    Network("vgg16", "VGG-16", "04", 2014, 138_357_544, 15_470_264_320, 71.592, 90.382),
    Network("vgg19", "VGG-19", "04", 2014, 143_667_240, 19_632_062_464, 72.376, 90.876),
    Network("googlenet", "GoogLeNet", "05", 2014, 6_624_904, 1_498_376_192, 69.778, 89.530),
    Network("resnet18", "ResNet-18", "06", 2015, 11_689_512, 1_814_073_344, 69.758, 89.078),
    Network("resnet50", "ResNet-50", "06", 2015, 25_557_032, 4_089_184_256, 76.130, 92.862),
    Network("resnet152", "ResNet-152", "06", 2015, 60_192_808, 11_513_626_624, 78.312, 94.046),
    Network("wide_resnet50_2", "Wide ResNet-50-2", "09", 2016, 68_883_240, 11_398_021_120, 78.468, 94.086),
    Network("resnext50_32x4d", "ResNeXt-50", "09", 2016, 25_028_904, 4_230_479_872, 77.618, 93.698),
    Network("densenet201", "DenseNet-201", "10", 2016, 20_013_928, 4_291_365_888, 76.896, 93.370),
    Network("mobilenet_v1", "MobileNet", "11", 2017, 4_231_976, 568_740_352, 70.9, 89.9),
    Network("nasnet_a_mobile", "NASNet-A mobile", "12", 2017, 5_289_978, 563_638_816, 74.0, 91.6),
    Network("mobilenet_v2", "MobileNetV2", "11", 2018, 3_504_872, 300_774_272, 71.878, 90.286),
    Network("efficientnet_b0", "EfficientNet-B0", "13", 2019, 5_288_548, 385_814_752, 77.692, 93.532),
    Network("vit_b_16", "ViT-B/16", "14", 2020, 86_567_656, 17_563_828_224, 81.072, 95.318),
    Network("convnext_tiny", "ConvNeXt-T", "15", 2022, 28_589_128, 4_455_531_264, 82.520, 96.146),
    Network("convnext_base", "ConvNeXt-B", "15", 2022, 88_591_464, 15_354_729_472, 84.062, 96.870),
)

# Other depths of these families, which single lessons show; torchvision's first weights too.
SIBLINGS = (
    Network("resnet34", "ResNet-34", "06", 2015, 21_797_672, 3_663_761_408, 73.314, 91.420),
    Network("resnet101", "ResNet-101", "06", 2015, 44_549_160, 7_801_405_440, 77.374, 93.546),
    Network("densenet121", "DenseNet-121", "10", 2016, 7_978_856, 2_834_161_664, 74.434, 91.972),
    Network("densenet169", "DenseNet-169", "10", 2016, 14_149_480, 3_359_843_328, 75.600, 92.806),
    Network("convnext_small", "ConvNeXt-S", "15", 2022, 50_223_688, 8_683_712_256, 83.616, 96.650),
    Network("convnext_large", "ConvNeXt-L", "15", 2022, 197_767_336, 34_361_433_600, 84.414, 96.976),
)

# One network, several recipes: epochs, and top-1 accuracy (%) of ResNet-50 on ImageNet at 224 pixels. Sources: the
# documentation of torchvision's first and second weights; Liu et al. 2022, Table 10; Wightman, Touvron, Jégou,
# "ResNet strikes back", 2021, Table 2.
RESNET50_BY_RECIPE = {
    "2015: SGD, flips and crops (torchvision's first weights)": (90, 76.13),
    "2022: ConvNeXt's, by its authors": (300, 78.82),
    "ResNet strikes back, A3": (100, 78.1),
    "ResNet strikes back, A2": (300, 79.8),
    "ResNet strikes back, A1": (600, 80.4),
    "torchvision's second weights": (600, 80.858),
}


def network(name: str) -> Network:
    """The figures of a network by its name in the registry. Raises KeyError where there are none."""
    return {network.name: network for network in NETWORKS + SIBLINGS}[name]


# Top-5 error of the ILSVRC classification winners in percent: Russakovsky et al. 2015, Table 5, and the challenge's
# later results. 2012 to 2015 are AlexNet (an ensemble, without extra data), Clarifai, GoogLeNet and ResNet (ensembles).
ILSVRC_TOP5_ERROR = {2010: 28.2, 2011: 25.8, 2012: 16.4, 2013: 11.7, 2014: 6.67, 2015: 3.57, 2016: 2.99, 2017: 2.25}
HUMAN_TOP5_ERROR = 5.1  # one trained person, Russakovsky et al. 2015, section 6.4
