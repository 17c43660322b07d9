"""Lesson 14, without convolutions: what the lesson and its records measure."""

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import models, view
from cnnlab.lessons.twins import VIT_FIT, small_vit
from cnnlab.models.vit import SelfAttention, ViT

__all__ = [  # the two of `twins` among them, which lesson 17 trains too
    "OFFSETS", "RESNET_FIT", "STEM_TIMES", "TIMES", "VIT_FIT",
    "as_tokens", "attention", "convolution_as_attention", "looks", "neighbours", "small_resnet", "small_vit",
    "torchvisions_best", "with_conv_stem", "with_positions",
]  # fmt: skip


def small_resnet(seed: int = 0) -> nn.Module:
    """The course's ResNet-20 of width 8."""
    torch.manual_seed(seed)
    return models.get_model("resnet20_tiny")


TIMES = 7  # as many images does the ViT see for the mult-adds that the ResNet needs for one
STEM_TIMES = 5  # and the ViT with a convolutional stem

RESNET_FIT: Mapping[str, object] = {"lr": 0.05, "batch_size": 32}


def with_positions(std: float, seed: int = 0) -> ViT:
    """The small ViT, whose positions begin at random with this standard deviation."""
    model = small_vit(seed)
    nn.init.normal_(model.stem.positions.pos_embedding, std=std)
    return model


def with_conv_stem(seed: int = 0) -> ViT:
    """The small ViT, whose sixteen tokens come from three 3x3 convolutions of stride 2 (Xiao et al. 2021)."""
    model, widths = small_vit(seed), (3, 16, 32, 64)
    layers: list[nn.Module] = []
    for into, out in pairwise(widths):
        layers += [nn.Conv2d(into, out, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
    model.stem.patches.project = nn.Sequential(*layers, nn.Conv2d(64, 64, 1))
    return model


@torch.no_grad()
def neighbours(positions: Tensor) -> tuple[float, float]:
    """The mean cosine of the vectors of two places side by side, and of two that are further apart.

    positions: (1, 1 + side * side, width), the class token's first.
    """
    vectors = F.normalize(positions[0, 1:], dim=1)
    side = math.isqrt(len(vectors))
    places = torch.cartesian_prod(torch.arange(side), torch.arange(side)).float()
    far, alike = torch.cdist(places, places), vectors @ vectors.T
    return alike[(far > 0) & (far < 1.1)].mean().item(), alike[far > 1.1].mean().item()


@torch.no_grad()
def attention(model: ViT, images: Tensor) -> list[Tensor]:
    """Where every token looks: for each block (N, heads, tokens, tokens), whose rows, the queries, add up to 1.

    images: (N, C, H, W), normalised. Token 0 is the class token; the patches follow row by row.
    """
    x, found = model.stem(images), []
    for block in model.stages[0]:
        layer = block.attention
        projected = F.linear(block.norm1(x), layer.in_proj_weight, layer.in_proj_bias)
        queries, keys, _ = projected.unflatten(2, (3, layer.heads, -1)).permute(2, 0, 3, 1, 4)
        found.append((queries @ keys.transpose(2, 3) / queries.shape[-1] ** 0.5).softmax(-1))
        x = block(x)
    return found


def looks(image: Tensor, shares: Tensor, place: tuple[int, int] | None, title: str) -> view.Picture:
    """An image (3, H, W), and for each head what one token takes from its patches: shares (heads, rows, columns).

    place: the row and column of the patch that asks, which is framed; None for the class token.
    """
    heads, rows, columns = shares.shape
    figure, axes = view.figure(1, 1 + heads, size=(2 + 2 * heads, 2.6), title=title)
    for index, axis in enumerate(axes):
        view.blank(axis).imshow(image.permute(1, 2, 0).numpy(), extent=(0, columns, rows, 0))
        axis.set_title(f"head {index}" if index else "image", size=10, weight="normal", loc="center")
        if index:
            patches = 100 * shares[index - 1]
            axis.imshow(patches.numpy(), extent=(0, columns, rows, 0), cmap="magma", alpha=0.65, vmin=0, vmax=100)
            for (row, column), value in np.ndenumerate(patches.numpy()):
                ink = "black" if value > 60 else "white"
                axis.text(column + 0.5, row + 0.5, f"{value:.0f}", ha="center", va="center", size=8, color=ink)
        if place:
            (top, left), look = place, {"color": view.SKY, "lw": 2, "marker": ""}
            axis.plot([left, left + 1, left + 1, left, left], [top, top, top + 1, top + 1, top], **look)
    largest = ", ".join(f"{100 * head.max():.0f}" for head in shares)
    return view.Picture(figure, f"{title}. Shares of the patches in percent, head by head; the largest are {largest}.")


OFFSETS = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1))  # as the weights of a 3x3 kernel lie


def as_tokens(images: Tensor) -> Tensor:
    """A token for each pixel, (N, C, H, W) -> (N, H*W + 1, 9 * (C + H*W + 1)): its channels, its place as one 1 among
    zeros, zeros to fill up. The last token is "outside": it has a place, and no colour.
    """
    n, channels, height, width = images.shape
    places = height * width + 1
    tokens = torch.zeros(n, places, len(OFFSETS) * (channels + places))
    tokens[:, :-1, :channels] = images.flatten(2).transpose(1, 2)
    tokens[:, :, channels : channels + places] = torch.eye(places)
    return tokens


@torch.no_grad()
def convolution_as_attention(conv: nn.Conv2d, height: int, width: int, sharpness: float = 200.0) -> SelfAttention:
    """The attention layer that does to the tokens of `as_tokens` what a 3x3 convolution with padding 1 does to pixels.

    Head h asks, at each place, for the place one step away in direction OFFSETS[h], or for "outside", and hands on the
    colour found there; the last linear layer has the kernel's weights. sharpness: how much larger the score of the
    right place is than all others: e^-200 of the attention goes astray, 0 in float32.
    """
    out_channels, channels = conv.weight.shape[:2]
    places = height * width + 1
    head = channels + places  # numbers of a query, a key, a value
    layer = SelfAttention(head * len(OFFSETS), len(OFFSETS))
    for parameter in layer.parameters():
        parameter.zero_()
    queries, keys, values = layer.in_proj_weight.view(3, len(OFFSETS), head, -1)
    for index, (down, right) in enumerate(OFFSETS):
        for place in range(places):
            row, column = divmod(place, width)
            row, column = row + down, column + right
            inside = place < places - 1 and 0 <= row < height and 0 <= column < width
            wanted = row * width + column if inside else places - 1
            queries[index, wanted, channels + place] = sharpness * head**0.5
            keys[index, place, channels + place] = 1
        values[index, :channels, :channels] = torch.eye(channels)
        found = slice(index * head, index * head + channels)
        layer.out_proj.weight[:out_channels, found] = conv.weight[:, :, down + 1, right + 1]
    layer.out_proj.bias[:out_channels] = conv.bias
    return layer


def torchvisions_best(count: int) -> list[dict[str, object]]:
    """The networks with the highest top-1 accuracy on ImageNet that torchvision has weights of, each with its best.

    No weights are fetched: the figures are those that the installed torchvision itself documents.
    """
    from torchvision import models as torchvisions

    found = []
    for name in torchvisions.list_models(module=torchvisions):
        every = list(torchvisions.get_model_weights(name))
        best = max(every, key=lambda weights: weights.meta["_metrics"]["ImageNet-1K"]["acc@1"])
        found.append(
            {
                "name": name,
                "kind": "transformer" if name.startswith(("vit", "swin", "maxvit")) else "convolutions",
                "elsewhere": "SWAG" in best.name,  # weights that were trained on other images first
                "top1": best.meta["_metrics"]["ImageNet-1K"]["acc@1"],
                "gmacs": best.meta["_ops"],
            }
        )
    return sorted(found, key=lambda network: -network["top1"])[:count]
