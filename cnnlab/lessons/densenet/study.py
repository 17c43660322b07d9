"""Lesson 10, DenseNet: what the lesson and its records measure."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import measure, models
from cnnlab.lessons import facts
from cnnlab.models.densenet import DenseLayer, DenseNet, transition
from cnnlab.models.layers import named

# Top-1 accuracy on ImageNet (%).
TOP1 = {
    name: facts.network(name).top1
    for name in (
        *("densenet121", "densenet169", "densenet201"),
        *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    )
}


# Errors on CIFAR-10 with augmentation (%). DenseNets: the README of the authors' code. ResNets: He et al. 2015,
# Table 6; the last He et al. 2016 (pre-activation), Table 4. A name of the registry, its options, the error.
CIFAR_ERRORS = {
    "ResNet-20": ("resnet20", {}, 8.75),
    "ResNet-32": ("resnet32", {}, 7.51),
    "ResNet-44": ("resnet44", {}, 7.17),
    "ResNet-56": ("resnet56", {}, 6.97),
    "ResNet-110": ("resnet110", {}, 6.43),
    "pre-activation ResNet-1001": ("preact_resnet164", {"depths": (111, 111, 111)}, 4.92),
    "DenseNet-40, k 12": ("densenet_40_12", {}, 5.24),
    "DenseNet-100, k 12": ("densenet_40_12", {"depths": (32, 32, 32)}, 4.10),
    "DenseNet-100, k 24": ("densenet_40_12", {"depths": (32, 32, 32), "growth_rate": 24}, 3.74),
    "DenseNet-BC-100, k 12": ("densenet_bc_100_12", {}, 4.51),
    "DenseNet-BC-250, k 24": (
        "densenet_bc_100_12",
        {"depths": (41, 41, 41), "growth_rate": 24, "stem_width": 48},
        3.62,
    ),
    "DenseNet-BC-190, k 40": (
        "densenet_bc_100_12",
        {"depths": (31, 31, 31), "growth_rate": 40, "stem_width": 80},
        3.46,
    ),
}


GROWTH, STEM, DEPTHS, WIDTHS = 6, 12, (6, 6, 6), (13, 21, 27)


def concatenating(memory_efficient: bool = False) -> DenseNet:
    """The lesson's twin: three blocks of six layers, growth rate 6, no bottlenecks, no compression."""
    options = {"depths": DEPTHS, "growth_rate": GROWTH, "stem_width": STEM, "memory_efficient": memory_efficient}
    return models.get_model("densenet_40_12_tiny", **options)


class AddingBlock(nn.ModuleList):
    """The layers of a dense block, each of whose results is added to its input: (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__(DenseLayer(channels, channels, bottleneck=False, dropout=0.0) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self:
            x = x + layer(x)
        return x


class AddingNet(nn.Module):
    """`concatenating` with sums: the same layers and transitions, WIDTHS channels in the blocks.

    With these widths each block, with the transition before it, has as many weights as its dense twin, to 4 %. The
    mult-adds are a tenth fewer, because a narrower transition has fewer channels to mix on the larger maps.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.stem = named(conv=nn.Conv2d(3, WIDTHS[0], 3, padding=1, bias=False))
        self.stages, channels = nn.Sequential(), WIDTHS[0]
        for width, depth in zip(WIDTHS, DEPTHS, strict=True):
            between = transition(channels, width) if len(self.stages) else None
            self.stages.append(named(transition=between, block=AddingBlock(width, depth)))
            channels = width
        self.head = named(
            norm=nn.BatchNorm2d(channels),
            relu=nn.ReLU(inplace=True),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            fc=nn.Linear(channels, num_classes),
        )
        for layer in self.modules():  # as DenseNet
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
            elif isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(x)))


def price(model: nn.Module) -> dict[str, float]:
    """What a network for images of 32 x 32 costs: parameters, mult-adds, and what autograd keeps of one image.

    model: on the meta device; it is left in training mode.
    """
    cost = measure.cost(model, (3, 32, 32))
    kept = measure.kept_bytes(model.train(), torch.zeros(1, 3, 32, 32, device="meta"))
    return {"parameters (M)": cost.params / 1e6, "mult-adds (M)": cost.macs / 1e6, "kept (MiB)": kept / 2**20}


class Reader(NamedTuple):
    """Who reads the maps of a dense block: a layer of it, or what follows it. norm gets them, weight multiplies."""

    name: str
    norm: nn.BatchNorm2d
    weight: Tensor
    sizes: list[int]


def readers(model: DenseNet) -> list[list[Reader]]:
    """For each block its layers, then the transition or the head after it; sizes: channels of each source in turn."""
    result = []
    for index, stage in enumerate(model.stages):
        first = stage.block[0]
        sizes = [first[0].num_features] + [first.conv2.out_channels] * len(stage.block)
        parts = [(f"layer {i}", layer, sizes[:i]) for i, layer in enumerate(stage.block, 1)]
        last = index + 1 == len(model.stages)
        after = ("head", model.head) if last else ("transition", model.stages[index + 1].transition)
        parts.append((*after, sizes))
        found = []
        for name, part, read in parts:
            weight = next(m.weight for m in part if isinstance(m, (nn.Conv2d, nn.Linear)))
            found.append(Reader(name, part[0], weight, read))
        result.append(found)
    return result


def reuse(model: DenseNet) -> list[Tensor]:
    """Fig. 5 of the paper: for each block the mean |weight| that each reader (column) gives to each source (row).

    NaN where a reader cannot see a source. The first row is the block's own input.
    """
    result = []
    for block in readers(model):
        table = torch.full((len(block), len(block)), torch.nan)
        for column, reader in enumerate(block):
            weight = reader.weight.detach().abs()
            for row, part in enumerate(weight.split(reader.sizes, dim=1)):
                table[row, column] = part.mean()
        result.append(table)
    return result


@torch.no_grad()
def missed(model: DenseNet, images: Tensor, labels: Tensor) -> list[Tensor]:
    """For each block the rise of the loss (nats) where one reader gets the mean of a source's maps for its maps."""
    model.eval()
    x, result = model.stem(images), []

    def loss(x: Tensor, stages: nn.Sequential) -> float:
        return F.cross_entropy(model.head(stages(x)), labels).item()

    for index, block in enumerate(readers(model)):
        stages = model.stages[index:]
        whole = loss(x, stages)
        table = torch.full((len(block), len(block)), torch.nan)
        for column, reader in enumerate(block):
            first = 0
            for row, size in enumerate(reader.sizes):
                part = slice(first, first + size)

                def blur(norm: nn.Module, inputs: tuple[Tensor], part: slice = part) -> Tensor:
                    maps = inputs[0].clone()
                    maps[:, part] = maps[:, part].mean((0, 2, 3), keepdim=True)
                    return maps

                hook = reader.norm.register_forward_pre_hook(blur)
                table[row, column] = loss(x, stages) - whole
                hook.remove()
                first += size
        result.append(table)
        x = model.stages[index](x)
    return result


def connected_pairs(model: DenseNet) -> tuple[int, int]:
    """Of all pairs of layers in dense blocks: those where the later reads the maps of the earlier, and all."""
    joined = sum(len(reader.sizes) - 1 for block in readers(model) for reader in block[:-1])
    layers = sum(len(block) - 1 for block in readers(model))
    return joined, layers * (layers - 1) // 2
