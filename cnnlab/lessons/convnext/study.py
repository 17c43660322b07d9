"""Lesson 15, ConvNeXt: what the lesson and its records measure."""

from collections.abc import Mapping, Sequence
from difflib import ndiff
from functools import cache
from statistics import fmean

import torch
from torch import Tensor, nn

from cnnlab import measure, models, view
from cnnlab.lessons import facts, rates
from cnnlab.models.convnext import ConvNeXt
from cnnlab.models.convnext_roadmap import STEPS, Roadmap
from cnnlab.table import Table
from cnnlab.training import Run

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


# The twins of the recorded study, whose mult-adds are within 8 percent of MACS.
IMAGES, EPOCHS, MACS = 4000, 5, 1_030_000

# Steps taken, channels of the first stage (for equal mult-adds).
TWINS = {
    "ResNet": (0, 4),
    "fewer activations": (9, 9),
    "layer norm": (11, 9),
    "separate downsampling": (12, 8),
    "and weights by width": (12, 8),
    "or twice the epochs": (12, 8),
}


def build(steps: int, width: int, depths: tuple[int, ...] = (1, 1, 2, 1), layer_scale: float = 1.0) -> nn.Module:
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
    """Initial weights by PyTorch's rule, in the same model: uniform, of a variance of 1 / (3 inputs of the unit)."""
    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.reset_parameters()
    return model


def twin(case: str) -> nn.Module:
    """One of TWINS, untrained."""
    model = build(*TWINS[case])
    return weights_by_width(model) if case == "and weights by width" else model


# Arguments of training.fit, the same for all but the learning rate, of which each twin has its own.
RECIPE = {
    "epochs": EPOCHS,
    "batch_size": 16,
    "optimizer": "adamw",
    "lr": 0.003,
    "weight_decay": 0.05,
    "schedule": "one-cycle",
    "precision": "fp32",
}


def recipe(case: str) -> dict[str, object]:
    """How one of TWINS is trained, but for its learning rate."""
    return RECIPE | {"epochs": 2 * EPOCHS} if case == "or twice the epochs" else RECIPE


def chosen(runs: Sequence[Mapping], case: str) -> float:
    """The learning rate with which a twin of seed 0 read most validation images; of equal ones the lowest."""
    tried = [run for run in runs if run["case"] == case and run["seed"] == 0]
    return max(tried, key=lambda run: (run["validation"], -run["lr"]))["lr"]


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


# What the notebook shows of them


def road_table() -> Table:
    """Table 10 beside what is counted here; a cross where the mult-adds are not the paper's."""
    rows, same = [], 0
    for name, steps, kernel, top1, _, printed in TABLE_10:
        counted = cost(steps, kernel)
        agrees = round(counted.macs / 1e9, 2) == printed
        same += agrees
        here = f"{counted.macs / 1e9:.3f}{'' if agrees else '  ✗'}"
        rows.append([name, f"{top1:.2f}", f"{printed:.2f}", here, f"{counted.params / 1e6:.1f}"])
    header = ["row", "top-1, paper (%)", "billion mult-adds, paper", "here", "million parameters"]
    return Table(header, rows, f"{same} of the {len(rows)} rows have the paper's mult-adds")


def steps_table() -> Table:
    """What each step changes in the last block of the second stage: − a layer that goes, + one that comes."""
    rows = []
    for number, step in enumerate(STEPS, start=1):
        before, after = ([text for text, _ in describe(block_of(n))] for n in (number - 1, number))
        changes = [line for line in ndiff(before, after) if line[0] in "+-"]
        marks = ["− " + line[2:] if line[0] == "-" else "+ " + line[2:] for line in changes]
        rows.append([number, step, "; ".join(marks) or "(the block stays)"])
    return Table(["", "step", "what changes in the block"], rows)


def kernels_table() -> Table:
    """What the side of the depthwise kernel costs, and how much of it lies on the maps of an image of 224 pixels."""
    rows, sizes = [], (56, 28, 14, 7)
    for kernel in (3, 5, 7, 9, 11):
        steps, side = (6, 7) if kernel == 3 else (7, kernel)
        counted = cost(steps, side)
        top1 = next(row[3] for row in TABLE_10 if row[1:3] == (steps, side))
        shares = [f"{inside(kernel, size):.0%}" for size in sizes]
        known = [f"{counted.macs / 1e9:.2f}", counted.receptive_field, f"{top1:.2f}"]
        rows.append([f"{kernel} × {kernel}", *known, *shares])
    more = cost(7).macs / cost(6).macs - 1
    header = ["kernel", "billion mult-adds", "field (pixels)", "top-1, paper (%)"]
    title = f"From 3 × 3 to 7 × 7 the network needs {more:.1%} more mult-adds"
    return Table([*header, *(f"inside at {size} × {size}" for size in sizes)], rows, title)


def gains(steps: Mapping[str, tuple[float, float]]) -> view.Picture:
    """By step its gain and the standard error of it, in points; grey where zero is within two of them."""
    noise = [name for name, (gain, error) in steps.items() if abs(gain) < 2 * error]
    title = f"{len(noise)} of the paper's {len(steps)} steps are within two standard errors of nothing"
    fig, axis = view.figure(size=(8, 0.34 * len(steps) + 1.1), title=title)
    for row, (name, (gain, error)) in enumerate(steps.items()):
        color = view.GREY if name in noise else view.BLUE
        axis.errorbar(gain, row, xerr=2 * error, fmt="s" if name in noise else "o", color=color, capsize=4)
    axis.axvline(0, color=view.INK, lw=1)
    axis.set(yticks=range(len(steps)), yticklabels=list(steps), ylim=(len(steps) - 0.5, -0.5))
    axis.set(xlabel="gain in top-1 on ImageNet, and two standard errors of it (points)")
    axis.grid(False, axis="y")
    said = "; ".join(f"{name} {gain:+.2f} ± {2 * error:.2f}" for name, (gain, error) in steps.items())
    return view.Picture(fig, f"{title}. {said}.")


def walk() -> view.Explorer:
    """A slider through the rows of Table 10: the block on the left, the road on the right."""

    def at(row: int = 6, against: str = "mult-adds") -> view.Picture:
        name, steps, kernel, top1, *_ = TABLE_10[row]
        lines = describe(block_of(steps, kernel))
        costs = [cost(s, k) for _, s, k, *_ in TABLE_10]
        x = [each.macs / 1e9 if against == "mult-adds" else each.params / 1e6 for each in costs]
        y = [accuracy for *_, accuracy, _, _ in TABLE_10]
        fig, (left, right) = view.figure(1, 2, size=(10, 4.2))
        colors = [view.BLUE if "×" in text else view.ORANGE if text.endswith("LU") else view.SKY for text, _ in lines]
        left.barh(range(len(lines)), [channels for _, channels in lines], color=colors)
        left.set(yticks=range(len(lines)), yticklabels=[text for text, _ in lines], ylim=(len(lines) - 0.4, -0.6))
        left.set(xlabel="channels", xlim=(0, 800))
        right.plot(x, y, "-o", color="#C8C8C8", ms=5)
        right.plot(x[: row + 1], y[: row + 1], "-o", color=view.BLUE, ms=5)
        right.plot(x[row], y[row], "s", color=view.VERMILLION, ms=10)
        units = {"mult-adds": "mult-adds (billions)", "parameters": "parameters (millions)"}
        right.set(xlabel=units[against], ylabel="top-1 on ImageNet in the paper (%)", ylim=(75.5, 82.5))
        spent = f"{costs[row].macs / 1e9:.2f} billion mult-adds and {costs[row].params / 1e6:.1f} million parameters"
        title = f"Row {row}, {name}: {top1:.2f} % at {spent}"
        view.entitle(fig, title)
        return view.Picture(fig, f"{title}. The block: {', '.join(text for text, _ in lines)}.")

    return view.explore(at, row=(0, len(TABLE_10) - 1), against=["mult-adds", "parameters"])


def lengths(grey: Tensor, maps: Mapping[str, Tensor]) -> view.Picture:
    """How long the vector of each pixel is, before a norm and after two. grey: (H, W); maps: (C, H, W) by name."""
    found = {name: x.norm(dim=0) for name, x in maps.items()}
    spread = {name: (x.std() / x.mean()).item() for name, x in found.items()}
    flat = [name for name, value in spread.items() if value < 0.01]
    title = f"After {' and '.join(flat) or 'none of the norms'} all pixels are equally strong"
    fig, axes = view.figure(1, 1 + len(found), size=(10, 2.9), title=title)
    view.blank(axes[0]).imshow(grey, cmap="gray", vmin=0, vmax=1)
    axes[0].set_title("the image, in grey", loc="center", weight="normal", size=10)
    for axis, (name, length) in zip(axes[1:], found.items(), strict=True):
        drawn = view.blank(axis).imshow(length / length.mean(), cmap="viridis", vmin=0, vmax=2)
        axis.set_title(f"length, {name}", loc="center", weight="normal", size=10)
    fig.colorbar(drawn, ax=axes, label="length, mean = 1")
    said = "; ".join(f"{name} {value:.2f}" for name, value in spread.items())
    return view.Picture(fig, f"{title}. Spread of the lengths over the pixels, as a share of their mean: {said}.")


def recipes_table() -> Table:
    """What one network, ResNet-50, has reached with other recipes."""
    rows = [[recipe, epochs or "–", f"{top1:.2f}"] for recipe, (epochs, top1) in facts.RESNET50_BY_RECIPE.items()]
    title = "ResNet-50, never changed: top-1 on ImageNet at 224 pixels, by the recipe that trained it"
    return Table(["recipe", "epochs", "top-1 (%)"], rows, title)


# What was recorded


def reached(runs: Sequence[Mapping], case: str, what: str = "test") -> list[float]:
    """Percent, with the learning rate that was chosen, one number a seed. what: "test", "validation" or "train"."""
    rate = chosen(runs, case)
    found = [run[what] for run in runs if (run["case"], run["lr"]) == (case, rate)]
    return [100 * (value[-1] if what == "train" else value) for value in found]


def rates_table(runs: Sequence[Mapping], cases: Sequence[str]) -> Table:
    """What some twins of seed 0 read of the validation images, by learning rate."""
    tried: dict[str, dict[float, str]] = {case: {} for case in cases}
    for run in sorted(runs, key=lambda run: run["lr"]):
        if run["seed"] == 0 and run["case"] in tried:
            tried[run["case"]][run["lr"]] = f"{run['validation']:.1%}"
    best = {case: chosen(runs, case) for case in cases}
    return rates.table(
        tried, best, "Accuracy on 1,000 validation images, by learning rate (seed 0)", first="after the step"
    )


def road(runs: Sequence[Mapping]) -> view.Picture:
    """What the twins read of test images, each with the learning rate that was chosen for it."""
    values = {case: reached(runs, case) for case in TWINS}
    mean = {case: fmean(found) for case, found in values.items()}
    steps = EPOCHS * -(-IMAGES // RECIPE["batch_size"])
    ends = f"ResNet {mean['ResNet']:.0f} %, ConvNeXt {mean['separate downsampling']:.0f} %"
    title = f"{ends} after {steps:,} steps (the last row: {2 * steps:,})"
    return view.dots(values, label="test images read (%)", title=title)


def by_epoch(runs: Mapping[str, Run]) -> view.Picture:
    """What networks read of the validation images after each epoch; the title says which ends lowest, and highest."""
    percent = {name: [100 * epoch.test_accuracy for epoch in run.history] for name, run in runs.items()}
    low, *_, high = sorted(percent, key=lambda name: percent[name][-1])
    title = f"From {percent[low][-1]:.0f} % ({low}) to {percent[high][-1]:.0f} % ({high})"
    picture = view.lines(percent, x="epoch", y="validation images read (%)", title=title)
    picture.figure.axes[0].xaxis.get_major_locator().set_params(integer=True)
    return picture
