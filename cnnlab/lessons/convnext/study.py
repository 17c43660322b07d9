"""Lesson 15, ConvNeXt: what the lesson and its records measure."""

from functools import cache

import torch
from torch import nn

from cnnlab import measure, models
from cnnlab.lessons import facts
from cnnlab.models.convnext import ConvNeXt
from cnnlab.models.convnext_roadmap import STEPS, Roadmap

# Liu et al., arXiv 2201.03545, Table 10, the ResNet-50 / Swin-T regime: each row's name, the steps of
# models.convnext_roadmap that it has taken, its large kernel, top-1 accuracy on ImageNet (%; the spread of three runs
# in the second column, None for the first row) and "FLOPs" in billions, which are mult-adds.
TABLE_10 = (
    ("ResNet-50", 0, 7, 76.13, None, 4.09),
    ("training recipe", 0, 7, 78.82, 0.07, 4.09),
    ("stage ratio", 1, 7, 79.36, 0.07, 4.53),
    ("patchify stem", 2, 7, 79.51, 0.18, 4.42),
    ("depthwise convolution", 3, 7, 78.28, 0.08, 2.35),
    ("width 96", 4, 7, 80.50, 0.02, 5.27),
    ("inverted bottleneck", 5, 7, 80.64, 0.03, 4.64),
    ("depthwise moved up", 6, 7, 79.92, 0.08, 4.07),
    ("kernel 5", 7, 5, 80.35, 0.08, 4.10),
    ("kernel 7", 7, 7, 80.57, 0.14, 4.15),
    ("kernel 9", 7, 9, 80.57, 0.06, 4.21),
    ("kernel 11", 7, 11, 80.47, 0.11, 4.29),
    ("gelu", 8, 7, 80.62, 0.14, 4.15),
    ("fewer activations", 9, 7, 81.27, 0.06, 4.15),
    ("fewer norms", 10, 7, 81.41, 0.09, 4.15),
    ("layer norm", 11, 7, 81.47, 0.09, 4.46),
    ("separate downsampling", 12, 7, 81.97, 0.06, 4.49),
)


# Top-1 and top-5 accuracy (%), and billions of mult-adds as torchvision documents them, to three digits.
FAMILY = {
    network.name: (network.top1, network.top5, round(network.macs / 1e9, 3))
    for network in map(facts.network, ("convnext_tiny", "convnext_small", "convnext_base", "convnext_large"))
}


# The instruments


@cache
def cost(steps: int, kernel_size: int = 7) -> measure.Cost:
    """The network after so many steps of the road, at 224 x 224 pixels, counted without its weights."""
    with torch.device("meta"):
        return measure.cost(models.get_model("convnext_roadmap", steps=steps, kernel_size=kernel_size), 224)


@cache
def block_of(steps: int, kernel_size: int = 7) -> nn.Module:
    """The last block of the second stage after so many steps: one that changes neither size nor channels."""
    with torch.device("meta"):
        return models.get_model("convnext_roadmap", steps=steps, kernel_size=kernel_size).stages[1][-1]


def describe(block: nn.Module) -> list[tuple[str, int]]:
    """A block layer by layer, as the paper's Fig. 4 prints it: each layer in words, and its channels of output.

    >>> describe(block_of(0))[:2]
    [('1 × 1, 512 → 128', 128), ('BatchNorm', 128)]
    """
    lines, channels = [], 0
    for layer in block.residual:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            before, after = (
                getattr(layer, f"{end}_channels", getattr(layer, f"{end}_features", 0)) for end in ("in", "out")
            )
            side = layer.kernel_size[0] if isinstance(layer, nn.Conv2d) else 1
            grouped = isinstance(layer, nn.Conv2d) and layer.groups > 1
            text = f"{side} × {side} depthwise, {before}" if grouped else f"{side} × {side}, {before} → {after}"
            channels = after
        elif isinstance(layer, (nn.LayerNorm, nn.BatchNorm2d, nn.ReLU, nn.GELU)):
            text = type(layer).__name__.removesuffix("2d")
        else:  # a permutation
            continue
        lines.append((text, channels))
    if hasattr(block, "layer_scale"):
        lines.append(("layer scale", channels))
    lines.append(("+ input", channels))
    if isinstance(getattr(block, "act", None), (nn.ReLU, nn.GELU)):
        lines.append((type(block.act).__name__, channels))
    return lines


def inside(kernel: int, size: int) -> float:
    """The share of a kernel's weights that fall on the map and not on its padding, the mean over all positions.

    >>> round(inside(7, 7), 2)
    0.57
    """
    reach = kernel // 2
    on_axis = sum(min(i, reach) + min(size - 1 - i, reach) + 1 for i in range(size))
    return (on_axis / (kernel * size)) ** 2


# The twins of the recorded study: steps taken, channels of the first stage (for equal mult-adds).
IMAGES, EPOCHS, MACS = 4000, 5, 2_860_000


TWINS = {
    "ResNet": (0, 7),
    "patchify stem": (2, 9),
    "depthwise, wider": (4, 11),
    "inverted bottleneck": (5, 13),
    "moved up": (6, 16),
    "large kernel": (7, 15),
    "fewer activations": (9, 15),
    "layer norm": (11, 15),
    "separate downsampling": (12, 13),
    "first weights by width": (12, 13),
}


def build(steps: int, width: int, depths: tuple[int, ...] = (1, 1, 3, 1), layer_scale: float = 1.0) -> nn.Module:
    """A narrow network for images of 32 x 32 after so many steps of the road; `width` channels in the first stage.

    The stem divides the size by 2, the kernel grows to 7. Two steps are not compared: all have the blocks of `depths`
    in their stages, and "width 96" has no meaning where the width is free.
    """
    if steps == len(STEPS):
        return ConvNeXt(depths, width, layer_scale=layer_scale, small_images=True, num_classes=10)
    taken = tuple(step for step in STEPS[:steps] if step != "width 96")
    model = Roadmap(taken, width, kernel_size=7, small_images=True, num_classes=10, in_channels=3)
    for stage, depth in enumerate(depths):
        model.stages[stage] = model.stages[stage][:depth]
    return model


def weights_by_width(model: nn.Module) -> nn.Module:
    """First weights anew, by PyTorch's rule: uniform, of a variance of 1 / (3 inputs of the unit); the same model."""
    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.reset_parameters()
    return model


def twin(case: str) -> nn.Module:
    """One of TWINS, untrained."""
    model = build(*TWINS[case])
    return weights_by_width(model) if case == "first weights by width" else model


# Arguments of training.fit, the same for all.
RECIPE = {
    "epochs": EPOCHS,
    "batch_size": 32,
    "optimizer": "adamw",
    "lr": 0.003,
    "weight_decay": 0.05,
    "precision": "fp32",
}


@cache
def macs(case: str) -> int:
    """Mult-adds of one of TWINS for one image."""
    with torch.device("meta"):
        return measure.cost(twin(case), (3, 32, 32)).macs


@cache
def released(name: str) -> measure.Cost:
    """A released ConvNeXt at 224 x 224 pixels."""
    with torch.device("meta"):
        return measure.cost(models.get_model(name), 224)
