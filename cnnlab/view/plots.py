"""Pictures of images, filters, feature maps and training curves."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from IPython.display import display
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import Bbox
from torch import Tensor

from cnnlab.training import Run
from cnnlab.view.picture import BLUE, GREEN, INK, ORANGE, PURPLE, SIGNED, SKY, VERMILLION, Picture, blank, figure, plain

MARKERS = rcParams["axes.prop_cycle"].by_key()["marker"]
MARK = "you predicted"
PARTS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, "#C8C8C8", "#F0E442")


def images(
    images: Tensor,
    captions: Sequence[str] = (),
    *,
    columns: int = 10,
    title: str = "",
    alt: str = "",
    wrong: Sequence[bool] = (),
) -> Picture:
    """A grid of images: (N, 1 or 3, H, W), uint8 or floats in 0..1, with a caption above each.

    wrong: which captions to set in vermillion, with a cross.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    fig, axes = figure(rows, columns, size=(8, 8 / columns * rows * (1.3 if captions else 1.05) + 0.3), title=title)
    grid = np.atleast_1d(axes).flat
    for axis in grid:
        blank(axis)
    for index, (axis, image) in enumerate(zip(np.atleast_1d(axes).flat, images, strict=False)):
        axis.imshow(image.permute(1, 2, 0).squeeze(2).numpy(), vmin=0)
        if index < len(captions):
            bad = index < len(wrong) and wrong[index]
            axis.set_title(
                ("✗ " if bad else "") + plain(captions[index]),
                size=9,
                weight="normal",
                loc="center",
                color="#B34700" if bad else "#222222",
            )
    counted = f"{len(images)} images" + (f": {', '.join(captions)}" if captions else "")
    return Picture(fig, alt or f"{title + '. ' if title else ''}{counted}.")


def filters(weight: Tensor, *, title: str = "", alt: str = "", columns: int = 8) -> Picture:
    """The kernels of a convolution, (out, in, h, w), one square for each output map, summed over nothing: input 0.

    Blue is negative, white zero, vermillion positive, on one scale for all.
    """
    kernels = weight.detach().float().cpu()
    columns = min(columns, len(kernels))
    rows = -(-len(kernels) // columns)
    fig, axes = figure(rows, columns, size=(8, 8 / columns * rows + 0.4), title=title)
    limit = kernels.abs().max().item()
    for axis in np.atleast_1d(axes).flat:
        blank(axis)
    for axis, kernel in zip(np.atleast_1d(axes).flat, kernels, strict=False):
        shown = axis.imshow(kernel[0].numpy(), cmap=SIGNED, vmin=-limit, vmax=limit)
    fig.colorbar(shown, ax=axes, shrink=0.8, label="weight")
    size = "x".join(map(str, kernels.shape[2:]))
    return Picture(
        fig,
        alt or f"{title + '. ' if title else ''}{len(kernels)} kernels of {size}, from -{limit:.2f} to {limit:.2f}.",
    )


def feature_maps(maps: Mapping[str, Tensor], *, title: str = "", alt: str = "", most: int = 16) -> Picture:
    """The maps of each layer as a row of small images: the result of `measure.feature_maps`.

    Blue is negative, white zero, vermillion positive; each layer has its own scale.
    """
    planes = {name: m.detach().float().cpu()[:most] for name, m in maps.items() if m.ndim == 3}
    columns = max(len(m) for m in planes.values())
    fig, axes = figure(len(planes), columns, size=(9, 0.72 * len(planes) + 0.4), title=title, squeeze=False)
    for axis in axes.flat:
        blank(axis)
    for row, (name, layer) in zip(axes, planes.items(), strict=True):
        limit = layer.abs().max().item() or 1.0
        label = f"{name}\n{len(maps[name])} of {'x'.join(map(str, layer.shape[1:]))}"
        row[0].set_ylabel(label, rotation=0, ha="right", va="center", size=9)
        for axis, plane in zip(row, layer, strict=False):
            axis.imshow(plane.numpy(), cmap=SIGNED, vmin=-limit, vmax=limit)
    listed = ", ".join(
        f"{name} {len(maps[name])} maps of {'x'.join(map(str, m.shape[1:]))}" for name, m in planes.items()
    )
    return Picture(fig, alt or f"{title + '. ' if title else ''}Feature maps: {listed}.")


def curves(
    runs: Run | Mapping[str, Run], *, tested: Literal["test", "validation"] = "test", title: str = "", alt: str = ""
) -> Picture:
    """Loss and accuracy by epoch, training dashed, test solid, of one run or of several by name.

    tested: what images the runs were tested on after each epoch: "validation" where `fit` got `dataset.choosing()`.

    Raises ValueError where a run was stopped in its first epoch: there is nothing to draw.
    """
    runs = {type(runs.model).__name__: runs} if isinstance(runs, Run) else runs
    for name, run in runs.items():
        if not run.history:
            raise ValueError(f"{name} has no whole epoch yet, so there are no curves: train it again, to the end.")
    fig, (left, right) = figure(1, 2, title=title)
    for index, (name, run) in enumerate(runs.items()):
        epochs = [epoch.epoch for epoch in run.history]
        for axis, what, scale in ((left, "loss", 1), (right, "accuracy", 100)):
            for part, line in (("test", "-"), ("train", ":")):
                values = [scale * getattr(epoch, f"{part}_{what}") for epoch in run.history]
                look = {"ls": line, "color": f"C{index}", "alpha": 1 if part == "test" else 0.75}
                axis.plot(
                    epochs,
                    values,
                    marker=MARKERS[index],
                    label=f"{plain(name)}, {tested if part == 'test' else part}",
                    **look,
                )
    left.set(xlabel="epoch", ylabel="cross-entropy (nats)")
    left.set_ylim(bottom=0)
    right.set(xlabel="epoch", ylabel="accuracy (%)", ylim=(0, 102))
    for axis in (left, right):
        axis.xaxis.get_major_locator().set_params(integer=True)
    left.legend()
    ends = "; ".join(f"{name}: {_end(run, tested)}" for name, run in runs.items())
    return Picture(fig, alt or f"{title + '. ' if title else ''}Loss and accuracy by epoch. At the end {ends}.")


def confusion(counts: Tensor, classes: Sequence[str], *, title: str = "", alt: str = "") -> Picture:
    """How many images of each class (rows) were taken for each class (columns), as `training.Metrics.confusion`.

    Colours are shares of the row; up to twenty classes carry their numbers.
    """
    counts = counts[: len(classes), : len(classes)]
    shares = counts / counts.sum(1, keepdim=True).clamp(min=1)
    side = min(11.0, 2.2 + 0.45 * len(classes))
    fig, axis = figure(size=(side + 0.6, side), title=title)
    axis.imshow(shares.numpy(), cmap="Blues", vmin=0, vmax=1)
    axis.set(xlabel="taken for", ylabel="class")
    axis.grid(False)
    if len(classes) <= 20:
        names = [plain(name if len(name) <= 30 else f"{name[:29]}…") for name in classes]
        axis.set_xticks(range(len(classes)), names, rotation=45, ha="right")
        axis.set_yticks(range(len(classes)), names)
        for row in range(len(classes)):
            for column in range(len(classes)):
                ink = "white" if shares[row, column] > 0.5 else INK
                axis.text(column, row, f"{int(counts[row, column])}", ha="center", va="center", color=ink, size=8)
    right = int(counts.diagonal().sum())
    return Picture(fig, alt or f"{title + '. ' if title else ''}{right:,} of {int(counts.sum()):,} images are right.")


def _end(run: Run, tested: str) -> str:
    last = run.history[-1]
    test = "not tested" if math.isnan(last.test_accuracy) else f"{last.test_accuracy:.1%} on {tested} images"
    return f"{last.train_accuracy:.1%} in training, {test}"


def live_curves(title: str = "") -> Callable[[Run], None]:
    """A callback for `training.fit(..., on_epoch=...)` that draws the curves in the notebook after each epoch."""
    handle = None

    def draw(run: Run) -> None:
        nonlocal handle
        picture = curves(run, title=title)
        if handle is None:
            handle = display(picture, display_id=True)
        else:
            handle.update(picture)

    return draw


def top_predictions(logits: Tensor, labels: Tensor, classes: Sequence[str]) -> tuple[list[str], list[bool]]:
    """Captions "5" or "3, not 5" for `images`, and which of them are wrong."""
    guesses = torch.as_tensor(logits).argmax(1).tolist()
    pairs = list(zip(guesses, labels.tolist(), strict=True))
    captions = [
        classes[guess] if guess == label else f"{classes[guess]}, not {classes[label]}" for guess, label in pairs
    ]
    return captions, [guess != label for guess, label in pairs]


def panels(
    arrays: Mapping[str, Tensor], *, title: str = "", alt: str = "", size: tuple[float, float] = (9, 3.3)
) -> Picture:
    """Two-dimensional arrays side by side, each under its name; small ones carry their numbers.

    Arrays with negative values are blue, white and vermillion around zero, the others grey from 0 up.
    """
    fig, axes = figure(1, len(arrays), size=size, title=title, squeeze=False)
    for axis, (name, array) in zip(axes.flat, arrays.items(), strict=True):
        array = array.detach().float().cpu()
        limit = array.abs().max().item() or 1.0
        signed = bool((array < 0).any())
        look = {"cmap": SIGNED, "vmin": -limit, "vmax": limit} if signed else {"cmap": "gray", "vmin": 0, "vmax": limit}
        blank(axis).imshow(array.numpy(), **look)
        axis.set_title(f"{name}\n{array.shape[0]} × {array.shape[1]}", loc="center", weight="normal", size=10)
        if array.numel() <= 49:
            for (row, column), value in np.ndenumerate(array.numpy()):
                ink = "black" if signed or value > limit / 2 else "white"
                axis.text(column, row, f"{value:.2g}", ha="center", va="center", size=9, color=ink)
    listed = ", ".join(f"{name} {a.shape[0]}x{a.shape[1]}" for name, a in arrays.items())
    return Picture(fig, alt or f"{title + '. ' if title else ''}Side by side: {listed}.")


def scatter(
    points: Mapping[str, tuple[float, float]],
    *,
    x: str,
    y: str,
    bold: Sequence[str] = (),
    named: Collection[str] | None = None,
    limits: tuple[float, float, float, float] | None = None,
    log: str = "x",
    title: str = "",
    alt: str = "",
) -> Picture:
    """Named points: what something costs against what it gives.

    bold: the names to set in vermillion; named: the points that get their name, all if not given; limits: left, right,
    bottom, top of the axes, to keep them as points change; log: the axes that are logarithmic, "x", "y" or "xy".
    """
    fig, axis = figure(size=(9, 4.4))
    for name, (cost, gain) in points.items():
        marked = name in bold
        axis.plot(cost, gain, "s" if marked else "o", color=VERMILLION if marked else BLUE, ms=8 if marked else 6)
    axis.set(xlabel=x, ylabel=y, title=title)
    if limits:
        axis.set(xlim=limits[:2], ylim=limits[2:])
    for letter in log:
        log_axis(axis, letter)
    _name_points(fig, axis, points, bold, points if named is None else named)
    listed = "; ".join(f"{name} {cost:.3g}, {gain:.3g}" for name, (cost, gain) in points.items())
    return Picture(fig, alt or f"{title + '. ' if title else ''}{y} against {x}: {listed}.")


def log_axis(axis: Axes, letter: str) -> None:
    """Make the x or y axis logarithmic, with plain numbers: 1, 2, 5 where it is short, powers of ten where it is long.

    Call it once everything is drawn.
    """
    axis.set(**{f"{letter}scale": "log"})
    low, high = axis.get_xlim() if letter == "x" else axis.get_ylim()
    scale = axis.xaxis if letter == "x" else axis.yaxis
    scale.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,), numticks=20))
    scale.set_major_formatter("{x:,g}")
    scale.set_minor_formatter(NullFormatter())


def _name_points(
    fig: Figure,
    axis: Axes,
    points: Mapping[str, tuple[float, float]],
    bold: Sequence[str],
    named: Collection[str],
) -> None:
    """Write each of these names beside its point, at the first place where it covers no other point or name."""
    fig.draw_without_rendering()
    taken = [Bbox.from_bounds(x - 4, y - 4, 8, 8) for x, y in axis.transData.transform(list(points.values()))]
    for name, point in ((name, point) for name, point in points.items() if name in named):
        weight = "bold" if name in bold else "normal"
        for x, y, side in [(7, 3, "left"), (7, -9, "left"), (-7, 3, "right"), (-7, -9, "right"), (0, 8, "center")]:
            text = axis.annotate(name, point, (x, y), textcoords="offset points", ha=side, size=8.5, weight=weight)
            box = text.get_window_extent()
            if not any(box.overlaps(other) for other in taken):
                break
            if side != "center":
                text.remove()
        taken.append(box)


def dots(
    results: Mapping[str, Sequence[float]],
    *,
    label: str,
    limits: tuple[float, float] | None = None,
    title: str = "",
    alt: str = "",
) -> Picture:
    """Repeated measurements, a row for each name: every value a circle, their mean a bar with its number.

    results: values by name, for example one accuracy for each seed; label: what they are, with the unit.
    """
    fig, axis = figure(size=(8, 0.42 * len(results) + 1.1), title=title)
    for row, values in enumerate(results.values()):
        mean = sum(values) / len(values)
        axis.plot(values, [row] * len(values), "o", color=f"C{row}", ms=7, mfc="none", mew=1.6)
        axis.plot(mean, row, "|", color=f"C{row}", ms=18, mew=3)
        axis.annotate(f"{mean:.3g}", (mean, row), (0, 11), textcoords="offset points", ha="center", size=9)
    axis.set(xlabel=label, yticks=range(len(results)), yticklabels=list(results), ylim=(len(results) - 0.5, -0.7))
    axis.grid(False, axis="y")
    if limits:
        axis.set_xlim(limits)
    listed = "; ".join(
        f"{name} {sum(v) / len(v):.3g} (from {min(v):.3g} to {max(v):.3g}, {len(v)} runs)"
        for name, v in results.items()
    )
    return Picture(fig, alt or f"{title + '. ' if title else ''}{label}: {listed}.")


def lines(
    series: Mapping[str, Sequence[float] | Sequence[Sequence[float]]],
    *,
    x: str,
    y: str,
    at: Sequence[float] | None = None,
    log: str = "",
    title: str = "",
    alt: str = "",
    size: tuple[float, float] = (8, 3.6),
) -> Picture:
    """Values in order, a line for each name; where a name has several lists (seeds), their mean and range.

    x, y: what the axes are, with units; at: the places on the x axis (1, 2, 3 ... if not given); log: "x", "y" or "xy".
    """
    fig, axis = figure(size=size, title=title)
    ends = []
    for index, (name, values) in enumerate(series.items()):
        runs = np.atleast_2d(np.asarray(values, dtype=float))
        places = np.arange(1, runs.shape[1] + 1) if at is None else np.asarray(at)[: runs.shape[1]]
        mean = runs.mean(0)
        marker = MARKERS[index % len(MARKERS)]
        axis.plot(places, mean, color=f"C{index}", marker=marker, markevery=max(1, len(mean) // 12), label=name)
        if len(runs) > 1:
            axis.fill_between(places, runs.min(0), runs.max(0), color=f"C{index}", alpha=0.2, lw=0)
        ends.append(f"{name} from {mean[0]:.3g} to {mean[-1]:.3g}")
    axis.set(xlabel=x, ylabel=y)
    for letter in log:
        axis.set(**{f"{letter}scale": "log"})
    beside = {"loc": "upper left", "bbox_to_anchor": (1, 1)} if len(series) > 4 else {}  # many names would hide a curve
    axis.legend(**beside)
    return Picture(fig, alt or f"{title + '. ' if title else ''}{y} over {x}: {'; '.join(ends)}.")


def in_training(
    known: Mapping[str, Run | Sequence[float] | Sequence[Sequence[float]]],
    what: str = "",
    batch_size: int | None = None,
) -> Picture:
    """Accuracy on training images by epoch, a line for each name; what begins the title, which says where each ends.

    known: runs, or percent by epoch, or a list of them for each seed; batch_size: of the runs, to count their steps.
    """
    percent = {
        name: [100 * epoch.train_accuracy for epoch in each.history] if isinstance(each, Run) else each
        for name, each in known.items()
    }
    if batch_size:
        steps = max(-(-run.images // batch_size) * len(run.history) for run in known.values())
        what = f"{what}, after {steps:,} steps" if what else f"After {steps:,} steps, in training"
    ends = ", ".join(f"{name} {np.atleast_2d(values)[:, -1].mean():.0f} %" for name, values in percent.items())
    picture = lines(percent, x="epoch", y="accuracy on training images (%)", title=f"{what}: {ends}")
    picture.figure.axes[0].set_ylim(0, 104)
    picture.figure.axes[0].xaxis.get_major_locator().set_params(integer=True)
    return picture


def shares(parts: Mapping[str, Mapping[str, float]], *, unit: str = "", title: str = "", alt: str = "") -> Picture:
    """What a total is made of: one bar of 100 % for each name, divided into its parts.

    parts: for each bar its parts by name, as amounts in the same unit; parts below 4 % stay without a number.
    """
    fig, axis = figure(size=(9, 0.62 * len(parts) + 1.3), title=title)
    names = list(dict.fromkeys(part for bar in parts.values() for part in bar))
    listed = []
    for row, (bar, amounts) in enumerate(parts.items()):
        total, left = sum(amounts.values()) or 1, 0.0
        for name, amount in amounts.items():
            share = 100 * amount / total
            color = PARTS[names.index(name) % len(PARTS)]
            axis.barh(row, share, left=left, color=color, edgecolor="white", label=name if row == 0 else None)
            if share >= 4:
                axis.text(
                    left + share / 2,
                    row,
                    f"{share:.0f}%",
                    ha="center",
                    va="center",
                    size=9,
                    color="white" if color == BLUE else "black",
                )
            left += share
        listed.append(f"{bar}: " + ", ".join(f"{n} {100 * a / total:.1f} %" for n, a in amounts.items()))
    labels = [f"{bar}\n{sum(amounts.values()):,.0f} {unit}".strip() for bar, amounts in parts.items()]
    axis.set(xlim=(0, 100), xlabel="share (%)", yticks=range(len(parts)), yticklabels=labels)
    axis.invert_yaxis()
    axis.grid(False)
    seen = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    axis.legend(seen.values(), seen.keys(), loc="upper left", bbox_to_anchor=(1, 1), fontsize=9)
    return Picture(fig, alt or f"{title + '. ' if title else ''}Shares. {'; '.join(listed)}.")


def predicted(picture: Picture, name: object = None, *, x: float | None = None, y: float | None = None) -> Picture:
    """Mark in a picture what its reader predicted; without a prediction it stays as it is.

    name: a line in the legend, a row, a bar or a point, by the name that it has in the picture; x, y: a place on an
    axis. Raises ValueError where the picture does not show that name.
    """
    if name is None and x is None and y is None:
        return picture
    axis = picture.figure.axes[0]
    said = []
    if name is not None:
        _mark_name(axis, str(name))
        said.append(str(name))
    if x is not None:
        axis.axvline(x, color=INK, ls="--", lw=1.2)
        axis.annotate(MARK, (x, 1), (-3, -3), ("data", "axes fraction"), "offset points", ha="right", va="top", size=9)
        said.append(f"{axis.get_xlabel()} {x:g}")
    if y is not None:
        axis.axhline(y, color=INK, ls="--", lw=1.2)
        axis.annotate(MARK, (1, y), (-3, 3), ("axes fraction", "data"), "offset points", ha="right", size=9)
        said.append(f"{axis.get_ylabel()} {y:g}")
    return Picture(picture.figure, f"{picture.alt} You predicted: {', '.join(said)}.")


def _mark_name(axis: Axes, name: str) -> None:
    """Write behind a name that it was predicted: in the legend, at the ticks, or beside a point."""

    def marked(text: str) -> str:
        return text.replace(name, f"{name} ◂ {MARK}", 1) if f"{text}\n".startswith((f"{name}\n", f"{name},")) else text

    legend = axis.get_legend()
    texts = [*axis.texts, *(legend.texts if legend else [])]
    before = [text.get_text() for text in texts]
    for text in texts:
        text.set_text(marked(text.get_text()))
    for scale in (axis.xaxis, axis.yaxis):
        labels = [label.get_text() for label in scale.get_ticklabels()]
        before += labels
        if any(marked(label) != label for label in labels):
            scale.set_ticks(scale.get_ticklocs(), [marked(label) for label in labels])
    if all(marked(text) == text for text in before):
        shown = ", ".join(dict.fromkeys(filter(None, before))) or "nothing"
        raise ValueError(f"The picture does not show {name!r}. It names: {shown}.")
