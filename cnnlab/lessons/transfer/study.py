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
from cnnlab.lessons import rates as learning_rates
from cnnlab.models.pretrained import FOLDER
from cnnlab.table import Table
from cnnlab.view import BLUE, GREY, INK, ORANGE, VERMILLION, Picture, blank, figure, images, lines

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


def few(name: str, labels: int, seed: int = 0, test: int | None = None, validation: int = 0) -> Dataset:
    """So many labelled images of each class, in three channels, and others to test: 500, or 100 of the faces.

    Of other sets than the lesson's, so many in the mean: their images are drawn whatever their class is.
    """
    classes, others = (2, 100) if name == "faces" else (10, 500)
    sizes = {"train": labels * classes, "test": test or others, "validation": validation}
    dataset = data.load(name, **sizes, seed=seed).in_rgb()
    return dataset if dataset.train.shape[-2:] == (32, 32) else dataset.resized(32)


def batch_norms(model: nn.Module) -> list[nn.BatchNorm2d]:
    """All of a network's, in their order."""
    return [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]


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


LOOKS = (("s-", BLUE), ("o--", VERMILLION), ("^-.", "#00785A"), ("x:", GREY))


def compared(
    study: training.Study,
    labels: Sequence[int],
    lines: Mapping[str, str],
    *,
    level: tuple[str, float] | None = None,
    title: str = "",
    what: str = "accuracy",
    images: str = "labelled images of each class",
) -> Picture:
    """Accuracy against labels: the mean of all seeds and their standard deviation.

    lines: at most four, by what they are called here: a method of the study. level: a name and an accuracy in percent.
    what: of the study's results; images: what is counted.
    """
    name = "accuracy" if what == "accuracy" else f"{what} accuracy"
    fig, axis = figure(size=(8.6, 4.2), title=title)
    said, seeds = [], 0
    for index, ((label, method), (look, hue)) in enumerate(zip(lines.items(), LOOKS, strict=False)):
        values = [[100 * a for a in study.values(method, count, what)] for count in labels]
        means, seeds = [statistics.mean(v) for v in values], len(values[0])
        spread = [statistics.stdev(v) for v in values]
        at = [count * 1.03 ** (index - 1.5) for count in labels]  # side by side, so that bars do not cover
        axis.errorbar(at, means, spread, fmt=look, color=hue, label=label, capsize=3, ms=6, lw=1.6, elinewidth=1)
        said.append(f"{label} " + ", ".join(f"{m:.0f}" for m in means))
    if level:
        axis.axhline(level[1], color=INK, lw=1, ls=(0, (1, 2)))
        axis.text(labels[-1] * 1.1, level[1], level[0], va="bottom", ha="right", size=9)
        said.append(f"{level[0]} {level[1]:.0f}")
    axis.set(xscale="log", xticks=labels, xlabel=images, ylabel=f"{name} (%)")
    axis.set_xticklabels([str(count) for count in labels])
    axis.minorticks_off()
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    listed = ", ".join(map(str, labels))
    return Picture(fig, f"Mean {name} in % of {seeds} seeds with {listed} {images}: {'; '.join(said)}.")


def rates(chosen: Mapping[str, Mapping[float, float]], of: str = "Accuracy on the validation images") -> Table:
    """Accuracy on validation images by learning rate, for each way to train, and the best rate of each.

    of: what was measured, for the caption.
    """
    best = {name: max(grid, key=grid.get) for name, grid in chosen.items()}
    shown = {name: {lr: f"{100 * grid[lr]:.1f} %" for lr in grid} for name, grid in chosen.items()}
    return learning_rates.table(shown, best, f"{of}, by learning rate", first="way to train")


def backbones(names: Sequence[str], results: Mapping) -> Table:
    """What each backbone is, what it reads at its own task, and how large its file is."""
    rows = []
    for name in names:
        network, weights = BACKBONES[name]
        model = backbone(name)
        size = (FOLDER / f"{network}-{weights}.safetensors").stat().st_size
        accuracy = f"{results[weights]['accuracy']:.1%}"
        params = sum(p.numel() for p in model.parameters())
        rows.append([name, network, params, training.last_layer(model).out_features, accuracy, f"{size // 1024} KiB"])
    return Table(["backbone", "network", "parameters", "outputs", "accuracy at its own task", "file"], rows)


def gallery(street: Dataset, labels: int) -> Picture:
    """Eight images of each: what the backbones learnt, and the two tasks that are new to them."""
    turned = training.quarter_turns(street.without_test()).train
    places = [turn * len(street.train) + image for image in range(2) for turn in range(4)]
    parts = [street.train.images[:8], turned.images[places]]
    names = [street.classes[i] for i in street.train.labels[:8]] + ["0°", "90°", "180°", "270°"] * 2
    for task in (few(name, labels) for name in LABELS):
        parts.append(task.train.images[:8])
        names += [task.classes[i] for i in task.train.labels[:8]]
    title = "The first two rows are what the backbones learnt, the last two are new to them"
    return images(torch.cat(parts), names, columns=8, title=title)


def neighbours(task: Dataset, seen: Tensor, library: Split, known: Tensor, classes: Sequence[str]) -> Picture:
    """Three images of a task, and those of a library whose features are nearest to theirs."""
    rows, labels = nearest(task.test.images[:3], seen[:3], library, known, most=7)
    captions = []
    for query, found in zip(task.test.labels[:3].tolist(), labels.tolist(), strict=True):
        captions += [f"asked: {task.classes[query]}", *(classes[i] for i in found)]
    right = (library.labels[torch.cdist(seen, known).argmin(1)] == task.test.labels).float().mean()
    title = f"The nearest street digit has the right name for {right:.0%} of the images"
    return images(rows, captions, columns=8, title=title)


def drifting(drifts: Sequence[Mapping[str, list[float]]], passes: Sequence[int]) -> Picture:
    """What `drift` found for several draws, as bands."""
    found = {name: [drift[name] for drift in drifts] for name in drifts[0]}
    change = {name: statistics.mean(v[-1] - v[0] for v in values) for name, values in found.items()}
    before, own = change["a probe made before"], change["its own head"]
    title = f"No weight changed: the old probe {before:+.0f} points, the network's own head {own:+.0f}"
    picture = lines(found, at=range(len(passes)), x="passes in training mode", y="accuracy (%)", title=title)
    picture.figure.axes[0].set_xticks(range(len(passes)), passes)
    picture.figure.axes[0].legend(loc="upper left", bbox_to_anchor=(1, 1))
    return picture


def differences(
    recorded: Mapping[str, training.Study],
    pairs: Mapping[str, tuple[str, str]],
    labels: Mapping[str, Sequence[int]] = LABELS,
    what: str = "accuracy",
) -> tuple[Table, dict[str, list[int]]]:
    """Paired differences as a table, and by pair where the first is clearly better (1), worse (-1), or neither (0)."""
    rows, clear = [], {name: [] for name in pairs}
    for where, part in recorded.items():
        for count in labels[where]:
            row = [f"{where}, {count}"]
            for name, (first, second) in pairs.items():
                gain, error = paired(*(part.values(method, count, what) for method in (first, second)))
                clear[name].append((gain > 0) - (gain < 0) if abs(gain) > CLEAR * error else 0)
                row.append(f"{round(100 * gain, 1) + 0.0:+.1f} ± {100 * error:.1f}{' *' * bool(clear[name][-1])}")
            rows.append(row)
    title = f"Points of difference ± standard error; * where it is more than {CLEAR} of them"
    header = "labels of each class" if labels is LABELS else "labels"
    return Table([header, *pairs], rows, title), clear


@torch.no_grad()
def drift(model: nn.Module, task: Dataset, home: Split, passes: Sequence[int]) -> dict[str, list[float]]:
    """Accuracies in percent after so many passes of a task's training images in training mode; no weight changes.

    model: a backbone with the head that it learnt at `home`; both are tested with batch norms that have moved.
    """
    own, probe = training.last_layer(model), training.linear_probe(model, task)
    moving, done = copy.deepcopy(model), 0
    results = {
        "a probe made before": [],
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


def advice(recorded: Mapping[str, training.Study]) -> Table:
    """How many labels, and how similar the tasks: what a probe, fine-tuning at one rate and scratch read."""
    rows = []
    for first, own in (("street digits", ""), ("photographs", ", photographs")):
        for task, labels in (("handwritten", (1, 20)), ("faces", (2, 40))):
            row = [f"{first} → {task}"]
            for count in labels:
                methods = (f"linear probe{own}", f"fine-tuned, one rate{own}", "from scratch")
                means = [100 * statistics.mean(recorded[task].values(method, count)) for method in methods]
                row.append(f"{count}: " + " / ".join(f"{mean:.0f}" for mean in means))
            rows.append(row)
    header = ["learnt first → new task", "few labels of each class", "many"]
    return Table(header, rows, "Accuracy in %, by number of labels: probe / fine-tuned at one rate / from scratch")
