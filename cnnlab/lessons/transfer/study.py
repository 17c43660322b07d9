"""Lesson 16, transfer learning: what the lesson and its records measure."""

import copy
import math
import statistics
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from cnnlab import data, models, training
from cnnlab.data import Dataset, Split
from cnnlab.view import BLUE, GREY, INK, ORANGE, VERMILLION, Picture, blank, figure

# What a network learnt first: its name and its shipped weights. The first is taken apart, of others less is recorded.
BACKBONES = {
    "named": ("resnet20_tiny", "street_digits"),
    "turned": ("resnet20_tiny", "turned_street_digits"),
    "photographs": ("resnet20", "cifar10"),
}


LABELS = {"handwritten": (1, 2, 5, 10, 20), "faces": (2, 5, 10, 40)}  # per class


SEEDS = (0, 1, 2, 3, 4)


CLEAR = 2.78  # standard errors of five differences: 95 % of Student's t with four degrees of freedom


def backbone(name: str) -> nn.Module:
    """A network as it came out of its first training."""
    network, weights = BACKBONES[name]
    return models.get_model(network, weights=weights)


def few(name: str, labels: int, seed: int = 0, test: int | None = None) -> Dataset:
    """So many labelled images of each class, in three channels, and others to test: 500, or 100 of the faces."""
    classes, others = (2, 100) if name == "faces" else (10, 500)
    return data.load(name, train=labels * classes, test=test or others, seed=seed).in_rgb()


def probe_then_tune(model: nn.Module, dataset: Dataset) -> nn.Module:
    """Fine-tuning that starts from the probe's head and not from a random one (Kumar et al. 2022)."""
    return training.fine_tune(training.linear_probe(model, dataset), dataset, new_head=False)


METHODS = {
    "linear probe": training.linear_probe,
    "fine-tuned": training.fine_tune,
    "fine-tuned, one rate": partial(training.fine_tune, backbone=1),  # the backbone as fast as the head
    "probe, then fine-tuned": probe_then_tune,
    "1 stage frozen": partial(training.fine_tune, stages=1),
    "2 stages frozen": partial(training.fine_tune, stages=2),
    "3 stages frozen": partial(training.fine_tune, stages=3),
}


SCRATCH = partial(training.fine_tune, backbone=1, lr=0.1)


def methods() -> dict[str, tuple]:
    """What the study compares: by name a network to start from, and what is made of it."""
    first, *others = BACKBONES
    chosen = {name: (partial(backbone, first), method) for name, method in METHODS.items()}
    for other in others:
        for name in ("linear probe", "fine-tuned", "fine-tuned, one rate"):
            chosen[f"{name}, {other}"] = (partial(backbone, other), METHODS[name])
    return chosen | {"from scratch": (partial(models.get_model, "resnet20_tiny"), SCRATCH)}


def recorded(results: Sequence[Mapping], name: str, without: str | None = None) -> training.Study:
    """The part of a record that is of one data set, without one of the backbones that are not the first.

    Its seconds are those of the processor, on which no others wait.
    """
    chosen = [r for r in results if r["data"] == name and not r["method"].endswith(f", {without}")]
    return training.Study([result | {"seconds": result["processor_seconds"]} for result in chosen])


def compared(study: training.Study, labels: Sequence[int], *, level: float | None = None, title: str = "") -> Picture:
    """Accuracy against labels per class: the mean of all seeds and their standard deviation, a line for each method.

    level: what the backbone reads before it has learnt anything of the task, in percent.
    """
    hues = dict(zip(BACKBONES, (BLUE, VERMILLION, "#00785A"), strict=False))
    looks = {
        "linear probe": "o--",
        "2 stages frozen": "^-.",
        "fine-tuned": "s-",
        "fine-tuned, one rate": "v-",
        "probe, then fine-tuned": "D:",
    }
    lines = []  # what it is called here, and in the study
    for name, hue in hues.items():
        own = "" if name == next(iter(BACKBONES)) else f", {name}"
        lines += [(f"{method}, {name}", method + own, look, hue) for method, look in looks.items()]
    lines = [
        line for line in (*lines, ("from scratch", "from scratch", "x-", GREY)) if study.values(line[1], labels[0])
    ]
    fig, axis = figure(size=(9.5, 4.6), title=title)
    said = []
    for index, (label, method, look, hue) in enumerate(lines):
        values = [[100 * a for a in study.values(method, count)] for count in labels]
        means = [statistics.mean(v) for v in values]
        spread = [statistics.stdev(v) for v in values]
        at = [count * 1.025 ** (index - len(lines) / 2) for count in labels]  # side by side, so that bars do not cover
        axis.errorbar(at, means, spread, fmt=look, color=hue, label=label, capsize=2, ms=5, lw=1.4, elinewidth=1)
        said.append(f"{label} " + ", ".join(f"{m:.0f}" for m in means))
    if level is not None:
        axis.axhline(level, color=INK, lw=1, ls=(0, (1, 2)))
        axis.text(labels[-1] * 1.1, level, "named, as it is", va="bottom", ha="right", size=9)
    axis.set(xscale="log", xticks=labels, xlabel="labelled images of each class", ylabel="accuracy (%)")
    axis.set_xticklabels([str(count) for count in labels])
    axis.minorticks_off()
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), title="method, backbone")
    seeds = len(study.values(lines[0][1], labels[0]))
    listed = ", ".join(map(str, labels))
    return Picture(fig, f"Mean accuracy in % of {seeds} seeds with {listed} labels a class: {'; '.join(said)}.")


@torch.no_grad()
def drift(model: nn.Module, task: Dataset, home: Split, passes: Sequence[int]) -> dict[str, list[float]]:
    """Accuracies in percent after so many passes of a task's training images in training mode; no weight changes.

    model: a backbone with the head that it learnt at `home`; both are tested with batch norms that have moved.
    """
    own, probe = training.last_layer(model), training.linear_probe(model, task)
    moving, done = copy.deepcopy(model), 0
    results = {
        "the probe of before": [],
        "a probe made anew": [],
        "its own head": [],
        "its own head, street digits": [],
    }
    for count in passes:
        moving.train()
        for _ in range(count - done):
            moving(task.train.inputs())
        done = count
        heads = [training.last_layer(probe), training.last_layer(training.linear_probe(moving, task)), own, own]
        splits = [task.test, task.test, task.test, home]
        for accuracies, head, split in zip(results.values(), heads, splits, strict=True):
            moving.head[-1] = head
            accuracies.append(100 * training.evaluate(moving, split).accuracy)
    return results


def paired(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """The mean of the differences first - second, seed by seed, and its standard error."""
    differences = [a - b for a, b in zip(first, second, strict=True)]
    return statistics.mean(differences), statistics.stdev(differences) / len(differences) ** 0.5


def parts(model: nn.Module) -> dict[str, int]:
    """Parameters of the stem, of each stage and of the head."""
    named = {"stem": model.stem} | {f"stage {i}": stage for i, stage in enumerate(model.stages, start=1)}
    return {name: sum(p.numel() for p in part.parameters()) for name, part in (named | {"head": model.head}).items()}


def frozen(sizes: Mapping[str, int], stages: int, accuracies: Mapping[int, Sequence[float]], title: str) -> Picture:
    """A network with its stem and so many stages frozen, beside what each such freezing reached, in percent."""
    fig, (left, right) = figure(1, 2, size=(9.5, 3.4), title=title, width_ratios=(1, 1.3))
    trained = 0
    for row, (name, size) in enumerate(sizes.items()):
        learns = name == "head" or stages == 0 or row > stages
        trained += size * learns
        look = {"facecolor": ORANGE} if learns else {"facecolor": "#E6E6E6", "hatch": "//"}
        left.barh(row, 1, edgecolor="white", **look)
        left.text(0.5, row, f"{name}: {size:,} {'trained' if learns else 'frozen'}", ha="center", va="center", size=10,
                  bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2})  # fmt: skip
    blank(left)
    left.set_title(f"{trained:,} parameters trained", loc="center", weight="normal", size=10)
    means = {count: statistics.mean(values) for count, values in accuracies.items()}
    for count, values in accuracies.items():
        hue = VERMILLION if count == stages else BLUE
        right.plot([count] * len(values), values, "o", color=hue, mfc="none", ms=7)
        right.plot(count, means[count], "_", color=hue, ms=26, mew=3)
        right.annotate(f"{means[count]:.1f}", (count, means[count]), (17, -3), textcoords="offset points", size=9)
    names = ["none", *(f"stem, {count} stage{'s'[: count > 1]}" for count in accuracies if count)]
    right.set(xticks=list(accuracies), xticklabels=names, ylabel="accuracy (%)", xlabel="frozen")
    right.set_xlim(-0.5, len(accuracies) - 0.4)
    listed = ", ".join(f"{name} {mean:.1f}" for name, mean in zip(names, means.values(), strict=True))
    return Picture(fig, f"{title}. {trained:,} parameters are trained. Accuracy in % by what is frozen: {listed}.")


def alike(features: Tensor, labels: Tensor) -> float:
    """The share of images whose nearest other image, by Euclidean distance, is of the same class."""
    far = torch.cdist(features, features).fill_diagonal_(math.inf)
    return (labels[far.argmin(1)] == labels).float().mean().item()


def planes(features: Mapping[str, Tensor], labels: Tensor, *, title: str, shown: int = 120) -> Picture:
    """Each image as the numeral of its class, on the two first principal components of several networks' features."""
    fig, axes = figure(2, -(-len(features) // 2), size=(8.6, 6.8), title=title)
    hues = [BLUE, VERMILLION, "#00785A", "#A0527A", "#8A6000", "#2A7CB5", INK, "#707070", "#7A4FBF", "#A33B00"]
    said = []
    for axis, (name, seen) in zip(axes.flat, features.items(), strict=True):
        centred = seen - seen.mean(0)
        _, lengths, directions = torch.linalg.svd(centred, full_matrices=False)
        places = (centred @ directions[:2].T)[:shown]
        part = (lengths[:2].square().sum() / lengths.square().sum()).item()
        for (x, y), label in zip(places.tolist(), labels.tolist(), strict=False):
            axis.text(x, y, str(label), color=hues[label], size=8, ha="center", va="center")
        near = alike(seen, labels)
        low, high = places.min(0).values, places.max(0).values
        edge = 0.06 * (high - low)
        (left, lower), (right, upper) = (low - edge).tolist(), (high + edge).tolist()
        axis.set(xlim=(left, right), ylim=(lower, upper), xlabel="first component", ylabel="second component")
        axis.set_title(f"{name}: neighbours alike {near:.0%}", loc="center", weight="normal", size=10)
        said.append(f"{name} {near:.0%}, the plane holds {part:.0%} of the variance")
    return Picture(fig, f"{title}. Images whose nearest neighbour is of their class: {'; '.join(said)}.")


def nearest(images: Tensor, features: Tensor, library: Split, seen: Tensor, most: int = 5) -> tuple[Tensor, Tensor]:
    """Rows of pictures: each image and those of a library that are nearest by their features; and whose these are."""
    order = torch.cdist(features, seen).argsort(1)[:, :most]
    rows = [torch.cat([image[None], library.images[found]]) for image, found in zip(images, order, strict=True)]
    return torch.cat(rows), library.labels[order]
