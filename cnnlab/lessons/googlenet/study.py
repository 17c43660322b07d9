"""Lesson 05, GoogLeNet: what the lesson and its records measure, and the lesson's tables and pictures."""

from collections.abc import Mapping, Sequence
from statistics import mean

from torch import Tensor, nn

from cnnlab import view
from cnnlab.lessons.arms import chosen_inside
from cnnlab.lessons.records import Record
from cnnlab.measure import Cost
from cnnlab.table import Table
from cnnlab.view import Picture

# The columns "params" (in K) and "ops" (in M) of Table 1, as printed. The second row is two layers: 1x1, then 3x3.
TABLE_1 = {
    "convolution 7x7": (2.7, 34),
    "convolution 3x3": (112, 360),
    "inception 3a": (159, 128),
    "inception 3b": (380, 304),
    "inception 4a": (364, 73),
    "inception 4b": (437, 88),
    "inception 4c": (463, 100),
    "inception 4d": (580, 119),
    "inception 4e": (840, 170),
    "inception 5a": (1072, 54),
    "inception 5b": (1388, 71),
    "linear": (1000, 1),
}
STEM = {"convolution 7x7": ["stem.conv1"], "convolution 3x3": ["stem.conv2", "stem.conv3"], "linear": ["head"]}
PARTS = {"1×1": view.BLUE, "reduce for 3×3": "#F6CE7A", "3×3": view.ORANGE, "reduce for 5×5": "#8CD3BB"}
PARTS |= {"5×5": view.GREEN, "projection": view.PURPLE}
BUDGET, WANTED = 130, 256  # million mult-adds of module 3a, and the channels that the next one wants


def in_a_row(costs: Mapping[str, tuple[int, Cost]]) -> Table:
    """Modules one after another: channels in and out, and mult-adds. costs: by module, the channels in and its cost."""
    rows = [[name, into, cost.output_shape[0], f"{cost.macs / 1e6:,.0f}M"] for name, (into, cost) in costs.items()]
    total = sum(cost.macs for _, cost in costs.values()) / 1e9
    title = f"Nine naive modules: {total:.1f} billion mult-adds"
    return Table(["module", "channels in", "channels out", "mult-adds"], rows, title)


def saving(costs: Mapping[str, tuple[Cost, Cost]]) -> tuple[Picture, Table]:
    """The nine modules naive and reduced: mult-adds as bars, and a table with the channels that come out."""
    ratios = {name: naive.macs / reduced.macs for name, (naive, reduced) in costs.items()}
    title = f"Reduced, a module takes {min(ratios.values()):.1f} to {max(ratios.values()):.1f} times fewer mult-adds"
    figure, axis = view.figure(size=(8.5, 3.4), title=title)
    for shift, index, label, color in [(-0.2, 0, "naive", view.VERMILLION), (0.2, 1, "reduced", view.BLUE)]:
        heights = [pair[index].macs / 1e6 for pair in costs.values()]
        look = {"label": label, "color": color, "hatch": None if index else "//", "ec": "white"}
        axis.bar([i + shift for i in range(len(costs))], heights, 0.4, **look)
    axis.set(xticks=range(len(costs)), xticklabels=costs, xlabel="module of Table 1", ylabel="mult-adds (millions)")
    axis.legend()
    listed = "; ".join(f"{name} {n.macs / 1e6:.0f} and {r.macs / 1e6:.0f} million" for name, (n, r) in costs.items())
    rows = [
        [name, f"{n.params:,}", f"{r.params:,}", f"{ratios[name]:.1f} times", n.output_shape[0], r.output_shape[0]]
        for name, (n, r) in costs.items()
    ]
    total = [f"{sum(pair[i].params for pair in costs.values()):,}" for i in (0, 1)]
    header = ["module", "params, naive", "reduced", "mult-adds saved", "channels out, naive", "reduced"]
    table = Table(header, [*rows, ["together", *total, "", "", ""]])
    return view.Picture(figure, f"{title}. Mult-adds, naive and reduced: {listed}."), table


def budget(widths: Sequence[int], weights: Sequence[int]) -> Picture:
    """Where the mult-adds of module 3a go, and which branch makes how many channels, with the budget.

    widths: the six numbers of Table 1; weights: of each of the six convolutions.
    """
    millions = [28 * 28 * count / 1e6 for count in weights]
    made = [widths[0], 0, widths[2], 0, widths[4], widths[5]]
    macs, out = sum(millions), sum(made)
    verdict = "over the budget" if macs > BUDGET else "too few channels" if out < WANTED else "within the budget"
    title = f"{verdict.capitalize()}: {out} channels for {macs:.1f}M mult-adds"
    figure, axes = view.figure(2, 1, size=(9, 3.6), title=title)
    for axis, amounts, limit in [(axes[0], millions, BUDGET), (axes[1], made, WANTED)]:
        for i, (name, color) in enumerate(PARTS.items()):
            axis.barh(0, amounts[i], left=sum(amounts[:i]), color=color, label=name, ec="white")
        axis.axvline(limit, color=view.INK, ls="--", marker="", lw=1.5)
        axis.set(xlim=(0, max(1.35 * limit, 1.02 * sum(amounts))), yticks=[])
    axes[0].set_xlabel("mult-adds (millions); dashed: budget")
    axes[1].set_xlabel("channels out; dashed: wanted")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper")
    parts = ", ".join(f"{name} {value:.1f}M" for name, value in zip(PARTS, millions, strict=True))
    total = sum(weights) + sum(widths)
    return Picture(figure, f"{total:,} parameters, {macs:.1f}M mult-adds, {out} channels: {verdict}. Of them {parts}.")


def table_1(network: nn.Module, cost: Cost, modules: Sequence[str]) -> tuple[Table, dict[str, tuple[bool, bool]]]:
    """Table 1 of the paper, recomputed, and for each row whether the parameters and the operations agree.

    Weights without biases in units of 1,024, as the paper counts; a row agrees where it differs by at most one.
    """
    places = STEM | {f"inception {name}": [f"stages.{int(name[0]) - 3}.{'abcde'.index(name[1])}"] for name in modules}
    rows, agree = [], {}
    for row, (thousands, millions) in TABLE_1.items():
        parameters = [p for place in places[row] for p in network.get_submodule(place).parameters()]
        weights = sum(p.numel() for p in parameters if p.ndim > 1) / 1024
        inside = tuple(f"{place}." for place in places[row])
        macs = sum(layer.macs for layer in cost.layers if layer.name.startswith(inside)) / 1e6
        agree[row] = abs(weights - thousands) <= 1, abs(macs - millions) <= 1
        first, second = ("agrees" if same else "differs" for same in agree[row])
        rows.append([row, f"{thousands}K", f"{weights:.1f}K", first, f"{millions}M", f"{macs:.1f}M", second])
    return Table(["row", "params, paper", "computed", "", "ops, paper", "computed", ""], rows), agree


def influence(maps: Mapping[str, Tensor], side: int = 19) -> tuple[Picture, dict[str, int]]:
    """By how much each pixel moves the middle unit of each branch, and how many pixels wide its field is.

    maps: (H, W) by branch; a square of `side` pixels around the middle is drawn.
    """
    sides = {name: int((values > 0).any(0).sum()) for name, values in maps.items()}
    listed = ", ".join(f"{name} {pixels}" for name, pixels in sides.items())
    title = f"Pixels a side that a unit of module 3a sees: {listed}"
    figure, axes = view.figure(1, len(maps), size=(9, 2.9), title=title)
    for axis, (name, values) in zip(axes, maps.items(), strict=True):
        first = (values.shape[0] + 1 - side) // 2
        part = values[first : first + side, first : first + side]
        view.blank(axis).imshow(part.numpy(), cmap="gray", vmin=0)
        axis.set_title(f"{name}\nsees {sides[name]} × {sides[name]}", loc="center", weight="normal", size=10)
    return Picture(figure, f"{title}. Brighter pixels move the unit more."), sides


def equal_minute(record: Record, names: Mapping[str, str]) -> tuple[Table, dict[str, list[float]]]:
    """Networks after the same minute of training on one core: what they cost, how fast they are, accuracies (%)."""
    rows, reached = [], {}
    for name, label in names.items():
        of = record.results[name]
        reached[label] = [100 * run["test"] for run in of["runs"]]
        epochs = of["runs"][0]["epochs"]
        rows.append([label, of["params"], f"{of['macs'] / 1e6:.1f}M", f"{of['speed']:,.0f}", epochs])
    return Table(["network", "parameters", "mult-adds", "images a second", "epochs in 60 s"], rows), reached


def calls(speeds: Mapping[str, Mapping[int, float]]) -> Table:
    """Images a second in training, by network and by the number of images in a batch."""
    sizes = list(next(iter(speeds.values())))
    rows = [[name, *(f"{of[size]:,.0f}" for size in sizes)] for name, of in speeds.items()]
    slower = ", ".join(f"{speeds['VGG-16'][size] / speeds['GoogLeNet'][size]:.1f}" for size in sizes)
    title = f"Images a second: VGG-16 does {slower} times those of GoogLeNet"
    return Table(["network", *(f"batches of {size}" for size in sizes)], rows, title)


def stem_gradients(norms: Mapping[str, Sequence[tuple[Sequence[float], Sequence[float]]]]) -> Table:
    """The gradient in the stem of the main loss alone and with the heads, means over seeds, and their ratios.

    norms: by case, for each seed the norms of all parts without heads, and with them; the stem comes first.
    """
    rows = []
    for case, runs in norms.items():
        with_heads, times = mean(run[1][0] for run in runs), ratios(runs)
        rows.append([case, f"{alone(runs):.2g}", f"{with_heads:.2g}", f"{min(times):.3g} to {max(times):.3g}"])
    return Table(["pixels, initial weights", "stem, without heads", "with heads", "ratio"], rows)


def by_part(norms: Mapping[str, Sequence[tuple[Sequence[float], Sequence[float]]]], modules: Sequence[str]) -> Picture:
    """The gradient in stem and modules, without heads and with them; the means over seeds."""
    series = {}
    for case, runs in norms.items():
        for index, word in enumerate(("without heads", "with heads")):
            series[f"{case}, {word}"] = [mean(values) for values in zip(*(run[index] for run in runs), strict=True)]
    title = "A head feeds gradient in at 4a and at 4d; below it the slope is as before"
    at = "from the image to the output; heads stand on 4a and 4d"
    picture = view.lines(series, x=at, y="norm of the gradient", log="y", title=title, size=(9, 3.8))
    axis = picture.figure.axes[0]
    axis.set_xticks(range(1, 2 + len(modules)), ["stem", *modules])
    for line in axis.lines:
        line.set_linestyle("-" if line.get_label().endswith("with heads") else "--")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return picture


def ratios(runs: Sequence[tuple[Sequence[float], Sequence[float]]]) -> list[float]:
    """How many times the gradient in the stem the heads make it, for each seed."""
    return [with_heads[0] / without[0] for without, with_heads in runs]


def alone(runs: Sequence[tuple[Sequence[float], Sequence[float]]]) -> float:
    """The gradient in the stem without heads, the mean over seeds."""
    return mean(without[0] for without, _ in runs)


def listed(counts: Mapping[str, float]) -> str:
    """Amounts in millions, in words."""
    return ", ".join(f"{count / 1e6:.0f}" for count in counts.values())


LEARNS = 15  # per cent of a network that learns, where chance is 10


def pairs(record: Record) -> dict[str, tuple[list[dict], list[dict]]]:
    """The runs of each case without heads, and with them, by seed."""
    cases = list(dict.fromkeys(arm.rsplit(", ", 1)[0] for arm in record.results))
    return {
        case: tuple(
            sorted(record.results[f"{case}, {word} heads"]["seeds"], key=lambda run: run["seed"])
            for word in ("without", "with")
        )
        for case in cases
    }


def accuracies(runs: Sequence[dict]) -> list[float]:
    """Accuracies on test images (%)."""
    return [100 * run["test"] for run in runs]


def added(runs: tuple[list[dict], list[dict]]) -> float:
    """Points of accuracy on test images that heads add, in the mean over seeds."""
    return mean(accuracies(runs[1])) - mean(accuracies(runs[0]))


def all_inside(record: Record) -> bool:
    """Whether each arm that learns at all has a learning rate between two others that were tried."""
    return chosen_inside(record.results, LEARNS / 100)


def heads(compared: Mapping[str, tuple[list[dict], list[dict]]]) -> Picture:
    """Validation accuracy by epoch for each case, with heads and without, each seed a line."""
    points = {case: f"{added(runs):+.0f}" for case, runs in compared.items()}
    stuck = sum(max(accuracies(without)) < LEARNS for without, _ in compared.values())
    title = f"At chance without heads: {stuck} of {len(compared)} cases; beside each: points that heads add"
    figure, axes = view.figure(2, 3, size=(9.5, 5.4), sharey=True, title=title)
    for axis, (case, runs) in zip(axes.flat, compared.items(), strict=True):
        for word, of, color, style in (("without", runs[0], view.BLUE, "--"), ("with", runs[1], view.VERMILLION, "-")):
            for run in of:
                values = [100 * held for _, held in run["curve"]]
                axis.plot(range(1, len(values) + 1), values, color=color, ls=style, marker="")
            axis.lines[-1].set_label(f"{word} heads")
        axis.set(title=f"{case.replace(', 2014', '')}: {points[case]}", ylim=(0, 100))
        axis.xaxis.get_major_locator().set_params(integer=True)
    for axis in axes[1]:
        axis.set_xlabel("epoch")
    for axis in axes[:, 0]:
        axis.set_ylabel("validation accuracy (%)")
    axes[0, 0].legend(loc="upper left")
    listed = "; ".join(f"{case} {more}" for case, more in points.items())
    return Picture(figure, f"{title}: {listed}. Validation accuracy by epoch; the points are of test images, means.")


def tested(compared: Mapping[str, tuple[list[dict], list[dict]]]) -> Table:
    """The learning rate of each arm, and what its networks classify correctly at their end (%), seed by seed."""
    rows = []
    for case, runs in compared.items():
        for word, of in zip(("without", "with"), runs, strict=True):
            learnt = [100 * run["curve"][-1][0] for run in of]
            listed = [", ".join(f"{right:.0f}" for right in each) for each in (learnt, accuracies(of))]
            rows.append([case, word, f"{of[0]['lr']:g}", *listed, f"{mean(accuracies(of)):.0f}"])
    header = ["pixels, network, weights", "heads", "learning rate", "training images", "test images", "mean"]
    return Table(header, rows, "Images classified correctly (%), for three seeds")


def verdicts(
    modules: Mapping[str, tuple[Cost, Cost]],
    norms: Mapping[str, Sequence[tuple[Sequence[float], Sequence[float]]]],
    trained: Mapping[str, tuple[list[dict], list[dict]]],
    race: Mapping[str, Sequence[float]],
) -> dict[str, object]:
    """What the claims need.

    modules: the nine naive and reduced; norms: gradients, see `stem_gradients`; trained: see `pairs`; race: accuracies
    after the same minute, GoogLeNet first.
    """
    saved = [naive.macs / reduced.macs for naive, reduced in modules.values()]
    ours, theirs = (mean(values) for values in race.values())
    glorot = ratios(norms["±1, Glorot"]) + ratios(norms["±128, Glorot"])
    return {
        "reduction": (min(saved), max(saved)),
        "gradient": (min(glorot), max(glorot)),
        "needed": (alone(norms["±128, Glorot"]), mean(run[0][-1] for run in norms["±128, Glorot"])),
        "batch_norm": (min(ratios(norms["±1, batch norm"])), max(ratios(norms["±1, batch norm"]))),
        "end_to_end": span(accuracies(trained["±128, 2014, Glorot, 16 epochs"][0])),
        "end_to_end_1": span(accuracies(trained["±1, 2014, Glorot, 16 epochs"][0])),
        "minute": (ours, theirs),
        **{id: span(accuracies(trained[case][1])) + span(accuracies(trained[case][0])) for id, case in HELPED.items()},
    }


HELPED = {  # claims that heads help the training, and the case of each
    "glorot": "±1, 2014, Glorot, 16 epochs",
    "he": "±1, 2014, He, 16 epochs",
    "glorot_128": "±128, 2014, Glorot, 16 epochs",
    "he_128": "±128, 2014, He, 16 epochs",
    "glorot_long": "±128, 2014, Glorot, 40 epochs",
    "trained_bn": "±1, batch norm, 16 epochs",
}


def span(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)
