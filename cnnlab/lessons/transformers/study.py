"""Lesson 14, without convolutions: what the lesson and its records measure."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import models, view
from cnnlab.data import Dataset
from cnnlab.lessons.arms import chosen_inside
from cnnlab.lessons.records import Record
from cnnlab.lessons.twins import VIT_FIT, small_vit
from cnnlab.measure import Cost
from cnnlab.models.vit import SelfAttention, ViT
from cnnlab.table import Table
from cnnlab.training import Run

__all__ = [  # the two of `twins` among them, which lesson 17 trains too
    "EPOCHS", "GROWING", "LEAST", "OFFSETS", "RESNET_FIT", "VIT_FIT",
    "all_inside", "as_tokens", "attention", "behind", "best_table", "by_epoch", "by_size",
    "convolution_as_attention", "costs", "for_vit", "gains", "gaps", "growing", "heads", "longer", "looks",
    "neighbours", "nine_heads", "of_waiting", "parts", "position_maps", "saturation", "sizes", "small_resnet",
    "small_vit", "steps", "times_the_errors", "torchvisions_best", "twice_as_long", "validated", "waiting",
    "with_positions", "words",
]  # fmt: skip


def small_resnet(seed: int = 0) -> nn.Module:
    """The course's ResNet-20 of width 8."""
    torch.manual_seed(seed)
    return models.get_model("resnet20_tiny")


RESNET_FIT: Mapping[str, object] = {"lr": 0.05, "batch_size": 32}


@torch.no_grad()
def neighbours(positions: Tensor, rim: bool = False) -> tuple[float, float]:
    """The mean cosine of the vectors of two places side by side, and of two that are further apart.

    positions: (1, 1 + side * side, width), the class token's first. rim: only of places at the rim.
    """
    vectors = F.normalize(positions[0, 1:], dim=1)
    side = math.isqrt(len(vectors))
    places = torch.cartesian_prod(torch.arange(side), torch.arange(side)).float()
    if rim:
        outside = ((places == 0) | (places == side - 1)).any(1)
        places, vectors = places[outside], vectors[outside]
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


def words(image: Tensor, name: str, patch: int = 8) -> view.Picture:
    """The patches of an image (3, H, W) in the order in which a ViT gets them, each with its number."""
    cut = image.unfold(1, patch, patch).unfold(2, patch, patch).permute(1, 2, 0, 3, 4).flatten(0, 1)
    numbers = [str(place) for place in range(1, len(cut) + 1)]
    return view.images(cut, numbers, columns=len(cut), title=f"A {name} as {len(cut)} tokens")


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


def heads(model: ViT, images: Tensor) -> tuple[Table, list[float]]:
    """How far each head looks, and how much of where it looks depends on the image; then the second, as numbers.

    The distance is in patches, among patches only. What depends on the image is the part of the shares that is
    elsewhere than in their mean over all images.
    """
    side = math.isqrt(model.stem.positions.pos_embedding.shape[1] - 1)
    places = torch.cartesian_prod(torch.arange(side), torch.arange(side)).float()
    far, rows, follow = torch.cdist(places, places), [], []
    for block, shares in enumerate(attention(model, images), start=1):
        among = shares[:, :, 1:, 1:] / shares[:, :, 1:, 1:].sum(-1, keepdim=True)
        average = among.mean(0)
        moved = 0.5 * (among - average).abs().sum(-1).mean((0, 2))
        for head, (share, own) in enumerate(zip(average, moved, strict=True), start=1):
            rows.append([f"block {block}, head {head}", f"{(share * far).sum(1).mean():.2f}", f"{own:.0%}"])
            follow.append(own.item())
    rows.append(["the same share to every patch", f"{far.mean():.2f}", "0%"])
    title = f"Between {min(follow):.0%} and {max(follow):.0%} of a head's shares depend on the image"
    return Table(["", "mean distance (patches)", "depends on the image"], rows, title), follow


def position_maps(positions: Mapping[str, Tensor]) -> view.Picture:
    """For each network a map of maps: how alike the vector of each place is to those of all places.

    positions: (1, 1 + side * side, width) by name, the class token's first.
    """
    figure, axes = view.figure(1, len(positions), size=(4.3 * len(positions) + 0.8, 4.3), squeeze=False)
    said = []
    for axis, (name, tokens) in zip(axes.flat, positions.items(), strict=True):
        vectors = F.normalize(tokens.detach()[0, 1:], dim=1)
        side = math.isqrt(len(vectors))
        maps = (vectors @ vectors.T).view(side, side, side, side)
        gap = torch.full((side, side, 1, side), torch.nan)
        maps = torch.cat([maps, gap], 2)
        maps = torch.cat([maps, torch.full((side, side, side + 1, 1), torch.nan)], 3)
        mosaic = maps.permute(0, 2, 1, 3).reshape(side * (side + 1), -1)[:-1, :-1]
        drawn = view.blank(axis).imshow(mosaic.numpy(), cmap=view.SIGNED, vmin=-1, vmax=1)
        near, rest = neighbours(tokens)
        axis.set_title(f"{name}\nside by side {near:.2f}, others {rest:.2f}", size=10, loc="center", weight="normal")
        said.append(f"{near:.2f} with {name}")
    figure.colorbar(drawn, ax=axes, shrink=0.7, label="cosine of two positions' vectors")
    title = f"Cosine of two places side by side: {'; '.join(said)}"
    view.entitle(figure, title)
    return view.Picture(figure, f"{title}. For each of the places the cosines of its vector with all others.")


def nine_heads(shares: Tensor, row: int, column: int) -> view.Picture:
    """What nine heads take from the pixels, asked from one of them: shares (9, H, W)."""
    figure, axes = view.figure(1, len(shares), size=(10, 1.75))
    places = []
    for head, axis in enumerate(axes):
        view.blank(axis).imshow(shares[head].numpy(), cmap="Blues", vmin=0, vmax=1.2)
        axis.plot(column, row, "+", color="black")
        axis.set_title(f"head {head + 1}", size=9, weight="normal")
        places.append(divmod(int(shares[head].argmax()), shares.shape[2]))
    most = max(max(abs(down - row), abs(right - column)) for down, right in places)
    title = f"Nine heads, asked from one pixel: none looks further than {most} step{'s' * (most != 1)}"
    view.entitle(figure, title)
    return view.Picture(figure, f"{title}. From row {row}, column {column} they look at (row, column) {places}.")


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


def best_table(count: int) -> Table:
    """Of `torchvisions_best`, what a reader compares."""
    rows = [
        [n["name"], n["kind"], f"{n['top1']:.2f}", f"{n['gmacs']:,.1f}", "yes" if n["elsewhere"] else "no"]
        for n in torchvisions_best(count)
    ]
    number = sum(row[1] == "transformer" for row in rows)
    header = ["network", "made of", "top-1 (%)", "billion mult-adds", "other images first"]
    return Table(header, rows, f"{number} of the best {count} are transformers, by torchvision's documentation")


def parts(cost: Cost) -> Table:
    """Where the parameters and the mult-adds of a ViT are."""
    named = {"patches, class token": ("stem.patches",), "positions": ("stem.positions",)}
    named |= {"attention": (".norm1", ".attention"), "MLP": (".norm2", ".mlp."), "head": ("head",)}
    rows = []
    for part, keys in named.items():
        chosen = [layer for layer in cost.layers if any(key in layer.name for key in keys)]
        rows.append([part, sum(layer.params for layer in chosen), sum(layer.macs for layer in chosen)])
    rows.append(["all", cost.params, cost.macs])
    shares = [100 * rows[3][column] / rows[-1][column] for column in (1, 2)]
    title = f"The MLPs hold {shares[0]:.0f} % of the parameters and do {shares[1]:.0f} % of the mult-adds"
    return Table(["part of the ViT", "parameters", "mult-adds"], rows, title)


def costs(billions: Mapping[str, Sequence[float]], sizes: Sequence[int]) -> view.Picture:
    """Mult-adds over the side of the image; the title says by how much each grows from the first size to the last."""
    grown = ", ".join(f"{name} x {values[-1] / values[0]:,.0f}" for name, values in billions.items())
    title = f"{sizes[-1] // sizes[0]} times the side: {grown}"
    picture = view.lines(
        billions, at=sizes, log="xy", x="side of the image (pixels)", y="billion mult-adds", title=title
    )
    axis = picture.figure.axes[0]
    axis.set_xticks(sizes, [str(size) for size in sizes])
    axis.minorticks_off()
    return picture


def for_vit(dataset: Dataset) -> Dataset:
    """The same set in three channels and at 32 x 32 pixels, which is what the small ViT takes."""
    dataset = dataset.in_rgb()
    return dataset if dataset.train.shape[1:] == (32, 32) else dataset.resized(32)


def saturation(largest: Mapping[tuple, float], reacts: Mapping[tuple, float]) -> Table:
    """By (d, divisor): the largest share of a query, and how much its shares react to their scores."""
    rows = [
        [d, "1" if divisor == 1 else "root of d", f"{largest[d, divisor]:.2f}", f"{reacts[d, divisor]:.2f}"]
        for d, divisor in largest
    ]
    hard = max(largest, key=largest.get)
    title = f"With d = {hard[0]} and no division one key of 17 gets {largest[hard]:.0%} on average"
    return Table(["d", "scores divided by", "largest share", "sum of the slopes"], rows, title)


# The record "growing_together": percent of the test images for each seed, by network and training images

Reached = dict[tuple[str, int], list[float]]

EPOCHS = {"ResNet": 16, "ViT": 20, "ViT, convolutional stem": 20}
LEAST = {"ResNet": 4000, "ViT": 16000, "ViT, convolutional stem": 4000}  # fewer images are repeated within an epoch
GROWING = tuple(EPOCHS)  # the networks that are trained on every number of images


def steps(network: str, images: int) -> int:
    """Of a training in batches of 32."""
    return EPOCHS[network] * max(LEAST[network], images) // 32


def growing(record: Record, what: str = "test") -> Reached:
    """What each network reads at the chosen rates: "test", or "training", what was read in training in the last epoch.

    But for the arms that were trained twice as long, which are no other networks.
    """
    found: Reached = {}
    for arm, of in record.results.items():
        *network, images = arm.split(", ")
        if "epochs" not in images:
            runs = sorted(of["seeds"], key=lambda run: run["seed"])
            ends = [run["test"] if what == "test" else run["curve"][-1][0] for run in runs]
            found[", ".join(network), int(images.split()[0])] = [100 * end for end in ends]
    return dict(sorted(found.items(), key=lambda pair: pair[0][1]))


TWICE = ", twice the epochs"


def longer(record: Record, images: int = 4000) -> dict[str, list[float]]:
    """What each arm with so many training images reads by seed, those that were trained twice as long among them."""
    arms = {arm.replace(f", {images} images", ""): of for arm, of in record.results.items() if f" {images} " in arm}
    found = {}
    for arm, of in arms.items():
        found[arm] = [100 * run["test"] for run in sorted(of["seeds"], key=lambda run: run["seed"])]
    return dict(sorted(found.items(), key=lambda pair: fmean(pair[1])))


def gains(record: Record) -> dict[str, list[float]]:
    """By how many points a network reads more after twice the epochs, by seed."""
    found = longer(record)
    networks = [network for network in GROWING if network + TWICE in found]
    return {n: [long - short for short, long in zip(found[n], found[n + TWICE], strict=True)] for n in networks}


def all_inside(record: Record) -> bool:
    """Whether each arm has a learning rate between two others that were tried."""
    return chosen_inside(record.results)


def validated(record: Record, arm: str) -> dict[float, float]:
    """What an arm reads of the validation images at the end, in percent, by the learning rate that was tried."""
    runs = sorted(record.results[arm]["rates"], key=lambda run: run["lr"])
    return {run["lr"]: 100 * run["curve"][-1][1] for run in runs}


def sizes(reached: Reached) -> list[int]:
    """The numbers of training images."""
    return sorted({images for _, images in reached})


def behind(reached: Reached, kind: str = "ViT") -> list[float]:
    """By how many points the mean of a network is below the ResNet's, from the fewest images to the most."""
    return [fmean(reached["ResNet", images]) - fmean(reached[kind, images]) for images in sizes(reached)]


def times_the_errors(reached: Reached, kind: str = "ViT") -> list[float]:
    """How many times the ResNet's errors a network makes, from the fewest images to the most."""
    return [(100 - fmean(reached[kind, n])) / (100 - fmean(reached["ResNet", n])) for n in sizes(reached)]


def gaps(reached: Reached, macs: Mapping[str, int]) -> Table:
    """How far each ViT is behind the ResNet, and for how much more or less work.

    macs: the mult-adds of one image, by network.
    """
    rows, counts = [], sizes(reached)
    for kind in GROWING[1:]:
        for images, points, times in zip(counts, behind(reached, kind), times_the_errors(reached, kind), strict=True):
            work = steps(kind, images) * macs[kind] / (steps("ResNet", images) * macs["ResNet"])
            rows.append([kind, f"{images:,}", f"{points:.1f}", f"{times:.1f}", steps(kind, images), f"{work:.1f}"])
    points = [f"{behind(reached, kind)[-1]:.1f}" for kind in GROWING[1:]]
    title = f"With {counts[-1]:,} images the ViT is {points[0]} points behind, with the stem {points[1]}"
    header = [
        "network",
        "training images",
        "points behind the ResNet",
        "times its errors",
        "steps",
        "times its mult-adds",
    ]
    return Table(header, rows, title)


def by_size(reached: Reached) -> view.Picture:
    """The error rate of each network that was trained on every number of images; the lower, the better."""
    counts, said = sizes(reached), []
    first, last = ({kind: behind(reached, kind)[at] for kind in GROWING[1:]} for at in (0, -1))
    gone = "; ".join(f"{kind} {first[kind]:.0f} to {last[kind]:.0f}" for kind in first)
    title = f"Points behind the ResNet from {counts[0]} to {counts[-1]:,} images: {gone}"
    figure, axis = view.figure(size=(8, 3.8), title=title)
    for index, kind in enumerate(GROWING):
        errors = [[100 - value for value in reached[kind, images]] for images in counts]
        axis.plot(counts, [fmean(each) for each in errors], color=f"C{index}", marker="os^"[index], label=kind)
        for images, each in zip(counts, errors, strict=True):
            axis.plot([images] * len(each), each, "_", color=f"C{index}", ms=10)
        said.append(f"{kind} " + ", ".join(f"{100 - fmean(each):.1f} %" for each in errors))
    axis.set(xscale="log", yscale="log", xlabel="training images", ylabel="errors on test images (%)")
    axis.set_xticks(counts, [f"{images:,}" for images in counts])
    axis.set_yticks([1, 2, 5, 10, 20, 50, 100], [1, 2, 5, 10, 20, 50, 100])
    axis.minorticks_off()
    axis.legend()
    return view.Picture(figure, f"{title}. Test accuracy with {', '.join(map(str, counts))} images: {'; '.join(said)}.")


def twice_as_long(record: Record) -> view.Picture:
    """The arms of `longer`; the title says what twice the epochs are worth."""
    said = ", ".join(f"{network} {fmean(each):+.1f} points" for network, each in gains(record).items())
    title = f"Twice the epochs of 4,000 images: {said}"
    return view.dots(longer(record), label="accuracy on 4,000 test images (%)", title=title)


def with_positions(record: Record) -> dict[str, list[float]]:
    """Of the record "positions": what the ViT reads of the test images with them and without, by seed; percent."""
    found: dict[str, list[float]] = {}
    for run in sorted(record.results["runs"], key=lambda run: run["seed"]):
        found.setdefault(run["kind"], []).append(100 * run["test"])
    return found


def of_waiting(record: Record, lr: float = 0.001) -> dict[str, list[float]]:
    """Of the record "waiting": what each network reads of the test images after its last epoch, by seed; percent."""
    found: dict[str, list[float]] = {}
    for run in sorted(record.results["runs"], key=lambda run: run["seed"]):
        if run["lr"] == lr:
            found.setdefault(run["case"], []).append(100 * run["test"])
    return found


def waiting(record: Record) -> view.Picture:
    """What each change to the small ViT is worth after six epochs."""
    found = of_waiting(record)
    lowest, *_, highest = sorted(found, key=lambda case: fmean(found[case]))
    ends = f"{fmean(found[lowest]):.0f} % ({lowest}) to {fmean(found[highest]):.0f} % ({highest})"
    return view.dots(found, label="accuracy on 1,000 test images (%)", title=f"After six epochs: from {ends}")


def by_epoch(runs: Mapping[str, Run]) -> view.Picture:
    """The accuracy on validation images after each epoch; the title says which ends lowest, and which highest."""
    percent = {name: [100 * epoch.test_accuracy for epoch in run.history] for name, run in runs.items()}
    low, *_, high = sorted(percent, key=lambda name: percent[name][-1])
    ends = f"{percent[low][-1]:.0f} % ({low}) to {percent[high][-1]:.0f} % ({high})"
    epochs = max(map(len, percent.values()))
    title = f"After {epochs} epoch{'s' * (epochs > 1)}: from {ends}"
    picture = view.lines(percent, x="epoch", y="accuracy on validation images (%)", title=title)
    picture.figure.axes[0].xaxis.get_major_locator().set_params(integer=True)
    return picture
