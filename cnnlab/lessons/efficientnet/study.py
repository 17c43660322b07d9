"""Lesson 13, EfficientNet: what the lesson and its records measure."""

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from statistics import mean

import torch
from torch import Tensor, nn

from cnnlab import measure, view
from cnnlab.lessons import rates
from cnnlab.models.efficientnet import (
    ALPHA,
    BETA,
    GAMMA,
    SCALES,
    STAGES,
    EfficientNet,
    MBConv,
    conv_norm_silu,
)
from cnnlab.models.layers import named
from cnnlab.models.mobilenet_v2 import round_channels
from cnnlab.table import Table
from cnnlab.training import Run

# Tan and Le, version 5 of arXiv 1905.11946.
# Table 2: top-1 and top-5 accuracy on ImageNet (%), parameters and mult-adds (the paper's "FLOPS"), as printed.
TABLE_2 = {
    "b0": (77.1, 93.3, "5.3M", "0.39B"),
    "b1": (79.1, 94.4, "7.8M", "0.70B"),
    "b2": (80.1, 94.9, "9.2M", "1.0B"),
    "b3": (81.6, 95.7, "12M", "1.8B"),
    "b4": (82.9, 96.4, "19M", "4.2B"),
    "b5": (83.6, 96.7, "30M", "9.9B"),
    "b6": (84.0, 96.8, "43M", "19B"),
    "b7": (84.3, 97.0, "66M", "37B"),
}


# Table 7: B0 enlarged in four ways. Factors of depth, width and resolution; mult-adds as printed; top-1 (%).
TABLE_7 = {
    "B0": ((1, 1, 1), "0.4B", 77.3),
    "depth": ((4, 1, 1), "1.8B", 79.0),
    "width": ((1, 2, 1), "1.8B", 78.9),
    "resolution": ((1, 1, 2), "1.9B", 79.1),
    "compound": ((1.4, 1.2, 1.3), "1.8B", 81.1),
}


# The instruments


def count(
    width: float,
    depth: float,
    size: int,
    rounded: Callable[[float], int] = round_channels,
    blocks: Callable[[float], int] = math.ceil,
    classes: int = 1000,
) -> tuple[int, int]:
    """Parameters and mult-adds of an EfficientNet by arithmetic, in no time: B0 with its three axes multiplied.

    rounded, blocks: how channels and the blocks of a stage become whole numbers.

    >>> count(1.0, 1.0, 224)
    (5288548, 385814752)
    """
    channels, side = rounded(32 * width), math.ceil(size / 2)
    params, macs = 29 * channels, 27 * channels * side**2
    for expansion, kernel, stride, wanted, repeats in STAGES:
        wider = rounded(wanted * width)
        for block in range(blocks(repeats * depth)):
            hidden, squeezed = channels * expansion, channels // 4
            if expansion > 1:
                params += channels * hidden + 2 * hidden
                macs += channels * hidden * side**2
            side = math.ceil(side / stride) if block == 0 else side
            params += kernel**2 * hidden + 2 * hidden + hidden * wider + 2 * wider
            macs += (kernel**2 * hidden + hidden * wider) * side**2
            params += 2 * hidden * squeezed + squeezed + hidden
            macs += 2 * hidden * squeezed
            channels = wider
    last = 4 * channels
    params += channels * last + 2 * last + last * classes + classes
    return params, macs + channels * last * side**2 + last * classes


def of_phi(phi: float, alpha: float = ALPHA, beta: float = BETA, gamma: float = GAMMA) -> tuple[float, float, int]:
    """Width, depth and side of the images that the rule gives for a coefficient."""
    return beta**phi, alpha**phi, round(224 * gamma**phi)


class Twin(EfficientNet):
    """A narrow EfficientNet that can be enlarged in small steps: (N, 3, H, W) -> (N, num_classes) logits.

    channels: of its stages (the stem has those of the first); blocks: of all stages together, spread evenly, the rest
    to the last ones. The second stage halves the map once more. The package's own class rounds to 8 channels and
    rounds up the blocks of every stage: steps too large to compare small networks of equal cost.
    """

    def __init__(self, channels: tuple[int, ...], blocks: int, num_classes: int = 10) -> None:
        nn.Module.__init__(self)
        self.stem = conv_norm_silu(3, channels[0], kernel_size=3, stride=2)
        self.stages, before = nn.Sequential(), channels[0]
        for i, (wider, count) in enumerate(zip(channels, spread(blocks, len(channels)), strict=True)):
            stage = []
            for block in range(count):
                stride = 2 if i == 1 and block == 0 else 1
                stage.append(MBConv(before, wider, 3, stride, expansion=4, drop=0.0))
                before = wider
            self.stages.append(nn.Sequential(*stage))
        self.head = named(
            conv=conv_norm_silu(before, 4 * before, kernel_size=1),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            fc=nn.Linear(4 * before, num_classes),
        )


def spread(blocks: int, stages: int) -> tuple[int, ...]:
    """The blocks of each stage: as even as possible, the later stages get what is left.

    >>> spread(8, 3)
    (2, 3, 3)
    """
    return tuple((blocks + i) // stages for i in range(stages))


CHANNELS, BLOCKS, SIZE = (12, 16, 24), 6, 16


def twin(width: float = 1.0, blocks: int = BLOCKS) -> Twin:
    """The twin of this lesson, its channels multiplied by `width` and rounded to whole numbers."""
    return Twin(tuple(round(width * channels) for channels in CHANNELS), blocks)


@cache
def macs(width: float = 1.0, blocks: int = BLOCKS, size: int = SIZE) -> int:
    """Mult-adds of the twin for one image of size x size pixels."""
    with torch.device("meta"):
        return measure.cost(twin(width, blocks), (3, size, size)).macs


def nearest(settings: Sequence[dict], target: float) -> dict:
    """The settings, from the cheapest to the dearest, whose network comes nearest to a number of mult-adds."""
    place = bisect_left(settings, target, key=lambda chosen: macs(**chosen))
    return min(settings[max(place - 1, 0) : place + 1], key=lambda chosen: abs(macs(**chosen) - target))


def widened(blocks: int, size: int, target: float) -> dict:
    """So many blocks, such images, and the width that brings the network nearest to a number of mult-adds."""
    return nearest([{"width": w / 100, "blocks": blocks, "size": size} for w in range(50, 401)], target)


def single_axis(factor: float, size: int = SIZE) -> dict[str, dict]:
    """The twin of images of so many pixels made `factor` times as expensive, by one of the three axes alone."""
    target = factor * macs(size=size)
    depths = [{"blocks": b, "size": size} for b in range(BLOCKS, 1 + round(2 * factor * BLOCKS))]
    return {
        "depth": nearest(depths, target),
        "width": widened(BLOCKS, size, target),
        "resolution": nearest([{"size": s} for s in range(size, round(size * factor), 2)], target),
    }


# What the records say


Runs = Sequence[Mapping]  # of the record "compound_scaling"

SINGLE = ("depth alone", "width alone", "resolution alone")
POINTS = {"depth alone": "grid 12 16", "width alone": "grid 6 16", "resolution alone": "grid 6 22"}
POINTS |= {"compound": "grid 7 18"}  # the point nearest to the paper's coefficients


def first(runs: Runs, case: str) -> Mapping:
    """The run of a case with the first seed: what was trained is the same for all."""
    return next(run for run in runs if run["case"] == case)


def accuracies(runs: Runs, case: str) -> list[float]:
    """On 2,000 test images, by seed; percent."""
    return [100 * run["accuracy"] for run in sorted(runs, key=lambda run: run["seed"]) if run["case"] == case]


def grid(runs: Runs) -> dict[str, list[float]]:
    """The accuracies of each point of the grid, by its coefficients."""
    base, points = first(runs, "base"), {}
    for case in dict.fromkeys(run["case"] for run in runs if run["case"].startswith("grid")):
        run = first(runs, case)
        factors = run["blocks"] / base["blocks"], run["width"], run["size"] / base["size"]
        points["α {:.2f}, β {:.2f}, γ {:.2f}".format(*factors)] = accuracies(runs, case)
    return points


def draw_grid(runs: Runs) -> view.Picture:
    """The grid search, with the base, and how far the best is ahead."""
    points = grid(runs)
    best, second = sorted(map(mean, points.values()))[:-3:-1]
    widest = max(max(values) - min(values) for values in points.values())
    title = f"After 235 steps the best point leads by {best - second:.1f} points; the three runs of a point lie"
    title += f"\nup to {widest:.0f} points apart"
    results = {"base, half the cost": accuracies(runs, "base")} | points
    return view.dots(results, label="accuracy on 2,000 test digits (%)", title=title)


def equal_cost(runs: Runs, times: int) -> dict[str, list[float]]:
    """The accuracies of the three axes alone and of all together, at 2 or 4 times the mult-adds of the base."""
    cases = POINTS if times == 2 else {name: f"4x {name.removesuffix(' alone')}" for name in POINTS}
    return {name: accuracies(runs, case) for name, case in cases.items()}


def trained(runs: Runs) -> Table:
    """What was trained at four times the cost of the base."""
    base, rows = first(runs, "base"), []
    for name in ("base", *POINTS):
        run = first(runs, "base" if name == "base" else f"4x {name.removesuffix(' alone')}")
        cost = f"{run['macs'] / base['macs']:.2f}"
        rows.append([name, run["blocks"], f"{run['width']:.2f}", run["size"], cost, run["params"]])
    return Table(["enlarged in", "blocks", "width", "pixels", "mult-adds of the base", "parameters"], rows)


def draw_equal_cost(runs: Runs) -> view.Picture:
    """Where four times the mult-adds were spent, and what it gave."""
    results = equal_cost(runs, 4)
    best = max(SINGLE, key=lambda name: mean(results[name]))
    title = f"Four times the cost: compound {mean(results['compound']):.0f} %, {best} {mean(results[best]):.0f} %"
    results = {"base, a quarter of the cost": accuracies(runs, "base")} | results
    return view.dots(results, label="accuracy on 2,000 test digits after 235 steps (%)", title=title)


# Of the record "scaling_to_the_end"


def at_its_rate(results: Mapping, what: str = "test") -> dict[str, list[float]]:
    """What each network reached at the learning rate that was chosen for it, by seed; percent.

    what: "test" or "validation" images that were read, or "train", of which it knows so many at the end.
    """
    found = {}
    for arm, lr in results["chosen"].items():
        runs = [run for run in results["runs"] if run["arm"] == arm and run["lr"] == lr]
        ends = [run["train"][-1] if what == "train" else run[what] for run in sorted(runs, key=lambda run: run["seed"])]
        found[arm] = [100 * end for end in ends]
    return found


def rates_tried(results: Mapping) -> Table:
    """Accuracy on validation images by learning rate, and the rate that was chosen."""
    tried = {arm: {} for arm in results["chosen"]}
    for run in results["runs"]:
        if run["seed"] == 0:
            tried[run["arm"]][run["lr"]] = f"{run['validation']:.1%}"
    caption = "Accuracy on 500 validation images, by learning rate (seed 0)"
    return rates.table(tried, results["chosen"], caption, first="enlarged in")


def draw_to_the_end(results: Mapping) -> view.Picture:
    """What each network reads of the test images after its last epoch."""
    found = at_its_rate(results)
    order = sorted(set(found) - {"base"}, key=lambda arm: mean(found[arm]), reverse=True)
    title = "To the end, four times the cost: " + ", ".join(f"{arm} {mean(found[arm]):.0f} %" for arm in order)
    return view.dots(found, label="accuracy on 1,000 test digits (%)", title=title)


# The lesson's tables and pictures


def explore_phi() -> view.Explorer:
    """B0 enlarged by the rule, as phi, alpha and beta are chosen; gamma takes what they leave of the constraint."""

    def scaled(phi: float = 2.0, alpha: float = 1.2, beta: float = 1.1) -> view.Picture:
        gamma = max(1, math.sqrt(2 / (alpha * beta**2)))
        over = "" if alpha * beta**2 <= 2.001 else "; over the constraint"
        base, steps = count(1, 1, 224), [i / 2 for i in range(15)]
        costs = [count(*of_phi(p, alpha, beta, gamma)) for p in steps]
        width, depth, size = shape = of_phi(phi, alpha, beta, gamma)
        params, macs = count(*shape)
        fig, (left, right) = view.figure(1, 2, size=(10, 3.6))
        for axis, index, unit, mine in ((left, 1, 1e9, macs), (right, 0, 1e6, params)):
            label = "B0 by the rule, rounded"
            axis.plot(steps, [cost[index] / unit for cost in costs], "o", color=view.BLUE, label=label)
            axis.plot(phi, mine / unit, "s", color=view.VERMILLION, ms=9, label="your φ")
            axis.set(xlabel="φ")
        promised = [base[1] * 2**p / 1e9 for p in steps]
        left.plot(steps, promised, "-", color=view.INK, marker="", label="twice for each φ")
        left.set(ylabel="mult-adds (billions)")
        left.legend(loc="upper left")
        right.set(ylabel="parameters (millions)")
        for axis in (left, right):
            view.log_axis(axis, "y")
        said = f"depth {depth:.2f}, width {width:.2f}, {size} pixels (γ = {gamma:.3f}){over}"
        title = f"φ = {phi:g}: {macs / base[1]:.1f} times the mult-adds, promised {2**phi:.1f}"
        view.entitle(fig, f"{title}\n{said}")
        alt = f"{title}; {said}. {macs / 1e9:.2f} billion mult-adds, {params / 1e6:.1f} million parameters."
        return view.Picture(fig, alt)

    return view.explore(scaled, phi=(0, 7, 0.5), alpha=(1.0, 2.0, 0.1), beta=(1.0, 1.4, 0.05))


def doubled(small: measure.Cost, costs: Mapping[str, measure.Cost]) -> Table:
    """What it costs to double one axis of B0."""
    rows = []
    for name, cost in costs.items():
        times = f"{cost.params / small.params:.2f}", f"{cost.macs / small.macs:.2f}"
        rows.append([f"twice the {name}", cost.params, f"{cost.macs / 1e9:.2f}", *times])
    header = ["B0 with", "parameters", "billion mult-adds", "times the parameters", "times the mult-adds"]
    return Table(header, rows)


def cost_of_gates(with_them: measure.Cost, without: measure.Cost) -> Table:
    """B0 with its gates and without."""
    rows = [["B0", with_them.params, with_them.macs], ["without its gates", without.params, without.macs]]
    shares = (f"{1 - getattr(without, what) / getattr(with_them, what):.1%}" for what in ("params", "macs"))
    return Table(["", "parameters", "mult-adds"], [*rows, ["share of the gates", *shares]])


def first_guesses(sure: Mapping[int, Tensor], classes: Sequence[str], photos: Sequence[str]) -> Table:
    """The first guess for each photograph at each size, with its probability."""
    rows = []
    for size, probabilities in sure.items():
        best = zip(*(values.tolist() for values in probabilities.max(dim=1)), strict=True)
        rows.append([size, *(f"{classes[i]}, {p:.0%}" for p, i in best)])
    return Table(["pixels", *photos], rows, "First guesses of EfficientNet-Lite0")


def beside_table_7(macs: Mapping[str, int]) -> Table:
    """The paper's Table 7, beside our count."""
    rows = [
        [name, " / ".join(map(str, factors)), printed, f"{macs[name] / 1e9:.2f}B", f"{top1} %"]
        for name, (factors, printed, top1) in TABLE_7.items()
    ]
    header = ["B0 enlarged in", "depth / width / resolution", "mult-adds, paper", "here", "top-1, paper"]
    return Table(header, rows)


def by_stage(rounded: Callable[[float], int], widths: Sequence[float], depths: Sequence[float]) -> Table:
    """Channels and blocks that rounding leaves of B0's stages."""
    rows = []
    for stage, (_, _, _, channels, repeats) in enumerate(STAGES, start=1):
        wide = [f"{channels * w:.1f} → {rounded(channels * w)}" for w in widths]
        rows.append([stage, *wide, " ".join(str(math.ceil(repeats * d)) for d in depths)])
    listed = ", ".join(f"{depth:g}" for depth in depths)
    return Table(["stage", *(f"width {w:g}" for w in widths), f"blocks at depth {listed}"], rows)


def family(costs: Mapping[str, measure.Cost]) -> Table:
    """B0 to B7, beside the paper's Table 2."""
    rows = []
    for name, (width, depth, size, _) in SCALES.items():
        top1, _, params, macs = TABLE_2[name]
        here = f"{costs[name].params / 1e6:.2f}M", f"{costs[name].macs / 1e9:.2f}B"
        rows.append([name.upper(), f"{width:g} / {depth:g} / {size}", params, here[0], macs, here[1], f"{top1} %"])
    header = ["", "width / depth / pixels", "parameters, paper", "here", "mult-adds, paper", "here", "top-1, paper"]
    return Table(header, rows)


def draw_implied(implied: Mapping[str, Sequence[float]]) -> view.Picture:
    """The phi that each axis of each released network implies."""
    ends = [sorted(values[i] for values in implied.values()) for i in (1, 7)]
    small, large = (f"from {values[0]:.1f} to {values[-1]:.1f}" for values in ends)
    axes = {"x": "network, B0 to B7", "y": "φ that this axis implies", "at": range(8)}
    return view.lines(implied, title=f"One φ for all? In B1 they range {small}, in B7 {large}", **axes)


def draw_longer(runs: Mapping[str, Run]) -> view.Picture:
    """How two networks get to know their training images in short and in long trainings."""
    known = {name: [100 * epoch.train_accuracy for epoch in run.history] for name, run in runs.items()}
    short, long = (known[f"12 blocks, {length}"][-1] for length in ("short", "long"))
    title = f"12 blocks know {short:.0f} % of their images after a short training, {long:.0f} % after a long one"
    picture = view.lines(known, x="epoch", y="accuracy on training images (%)", title=title)
    picture.figure.axes[0].set_ylim(0, 104)
    picture.figure.axes[0].xaxis.get_major_locator().set_params(integer=True)
    return picture


def draw_gates(before: Tensor, after: Tensor) -> view.Picture:
    """The gates of all channels, (images, channels), of an untrained network and of the same one trained."""
    x, y = before.mean(0), after.mean(0)
    title = f"Trained, every mean gate lies between {y.min():.2f} and {y.max():.2f}"
    fig, axis = view.figure(size=(5.6, 4.6), title=title)
    axis.plot([0, 1], [0, 1], "-", color=view.GREY, marker="", label="unchanged")
    axis.errorbar(x, y, yerr=after.std(0), fmt="o", ms=3, color=view.BLUE, lw=0.8, label="a channel, ± over images")
    axis.set(xlim=(0, 1), ylim=(0, 1), xlabel="mean gate before training", ylabel="mean gate after training")
    axis.legend(loc="upper left")
    alt = f"{title}. {len(x)} channels; before training from {x.min():.2f} to {x.max():.2f}; the standard deviation"
    return view.Picture(fig, f"{alt} of a gate over the images is {after.std(0).mean():.3f} on average.")


def draw_changed(results: Mapping[str, Sequence[float]]) -> view.Picture:
    """What networks read with other gates than their own."""
    said = "; ".join(f"{name}: {mean(values):.0f} %" for name, values in results.items() if "open" in name)
    label = f"test images read (%), {len(next(iter(results.values())))} networks"
    return view.dots(results, label=label, limits=(0, 100), title=said.capitalize())
