"""Lesson 11, MobileNet: what the lesson and its records measure."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from cnnlab import measure
from cnnlab.device import Precision, autocast, one_thread

# As printed. Table 2: percent of the mult-adds, percent of the parameters.
TABLE_2 = {
    "1 × 1": (94.86, 74.59),
    "depthwise 3 × 3": (3.06, 1.06),
    "3 × 3": (1.19, 0.02),
    "fully connected": (0.18, 24.33),
}


# Tables 4, 5, 6 and 7: accuracy in percent, mult-adds and parameters in millions; and how the network is built here.
TABLES_4_TO_7 = {
    "Conv MobileNet": (71.7, 4866, 29.3, "conv_mobilenet_v1", {}, 224),
    "MobileNet": (70.6, 569, 4.2, "mobilenet_v1", {}, 224),
    "Shallow MobileNet": (65.3, 307, 2.9, "mobilenet_v1", {"shallow": True}, 224),
    "0.75 MobileNet": (68.4, 325, 2.6, "mobilenet_v1", {"width_mult": 0.75}, 224),
    "0.5 MobileNet": (63.7, 149, 1.3, "mobilenet_v1", {"width_mult": 0.5}, 224),
    "0.25 MobileNet": (50.6, 41, 0.5, "mobilenet_v1", {"width_mult": 0.25}, 224),
    "MobileNet-192": (69.1, 418, 4.2, "mobilenet_v1", {}, 192),
    "MobileNet-160": (67.2, 290, 4.2, "mobilenet_v1", {}, 160),
    "MobileNet-128": (64.4, 186, 4.2, "mobilenet_v1", {}, 128),
}


def kind(layer: nn.Module) -> str:
    """What a layer counts as: one of the rows of Table 2, or a kind of layer that the table leaves out."""
    match layer:
        case nn.Conv2d(kernel_size=(1, 1)):
            return "1 × 1"
        case nn.Conv2d():
            return "depthwise 3 × 3" if layer.groups > 1 else "3 × 3"
        case nn.Linear():
            return "fully connected"
        case nn.BatchNorm2d():
            return "batch norm"
        case nn.ReLU6() | nn.ReLU():
            return "ReLU"
    return "other"


@dataclass(frozen=True)
class Work:
    """What layers do for one image. weights: without biases and batch norm; bytes: read and written in float32."""

    macs: int = 0
    weights: int = 0
    bytes: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(self.macs + other.macs, self.weights + other.weights, self.bytes + other.bytes)


def work(model: nn.Module, size: int) -> dict[str, Work]:
    """The work of each kind of layer for one image of `size` pixels a side.

    A layer reads its input and its parameters and writes its output, once each: 4 bytes a number.
    """
    twin = copy.deepcopy(model).to("meta").eval()
    macs = {layer.name: layer.macs for layer in measure.cost(model, size).layers}
    total: dict[str, Work] = {}

    def add(name: str, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        weights = sum(p.numel() for p in layer.parameters() if p.ndim > 1)
        numbers = inputs[0].numel() + output.numel() + sum(p.numel() for p in layer.parameters())
        total[kind(layer)] = total.get(kind(layer), Work()) + Work(macs.get(name, 0), weights, 4 * numbers)

    for name, layer in twin.named_modules():
        if not list(layer.children()) and not isinstance(layer, nn.Identity):
            layer.register_forward_hook(lambda *call, name=name: add(name, *call))
    with torch.no_grad():
        twin(torch.empty(1, 3, size, size, device="meta"))
    return total


def step(model: nn.Module, images: Tensor, *, training: bool, precision: Precision) -> Callable[[], object]:
    """One step of a network on the processor, to be timed: forward, and where `training` backward."""
    model.to(memory_format=torch.channels_last).train(training)
    images = images.to(memory_format=torch.channels_last)
    labels = torch.zeros(len(images), dtype=torch.long)

    def forward() -> Tensor:
        with autocast(torch.device("cpu"), precision):
            return model(images)

    def train() -> None:
        F.cross_entropy(forward(), labels).backward()
        model.zero_grad()

    return train if training else torch.inference_mode()(forward)


def seconds_by_kind(model: nn.Module, images: Tensor, steps: int = 5) -> dict[str, float]:
    """Core seconds of each kind of layer in one forward pass in float32: of each layer the best of `steps`."""
    model = copy.deepcopy(model)
    started: dict[nn.Module, float] = {}
    best: dict[nn.Module, float] = {}

    def begin(layer: nn.Module, inputs: object) -> None:
        started[layer] = time.process_time()

    def end(layer: nn.Module, inputs: object, output: object) -> None:
        best[layer] = min(best.get(layer, float("inf")), time.process_time() - started[layer])

    for layer in (layer for layer in model.modules() if not list(layer.children())):
        layer.register_forward_pre_hook(begin)
        layer.register_forward_hook(end)
    run = step(model, images, training=False, precision="fp32")
    with one_thread():
        for _ in range(steps):
            run()
    total: dict[str, float] = {}
    for layer, seconds in best.items():
        total[kind(layer)] = total.get(kind(layer), 0.0) + seconds
    return total


def folded(model: nn.Module) -> nn.Module:
    """A copy for use without training, with each batch norm folded into the convolution before it."""
    model = copy.deepcopy(model).eval()
    for parent in list(model.modules()):
        names = list(parent._modules)
        for first, second in pairwise(names):
            layer, norm = parent._modules[first], parent._modules[second]
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                parent._modules[first] = fuse_conv_bn_eval(layer, norm)
                parent._modules[second] = nn.Identity()
    return model
