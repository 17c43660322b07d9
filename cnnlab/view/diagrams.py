"""Architectures as diagrams, drawn from what really flows through them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from torch import Tensor

from cnnlab.models.nasnet import CellSpec
from cnnlab.view.picture import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SIGNED, SKY, VERMILLION, Picture, blank, figure

_OPERATIONS = {"identity": GREY, "sep3": BLUE, "sep5": SKY, "sep7": GREEN, "avg3": ORANGE, "max3": VERMILLION}
_STEP = 0.16  # how far each plane of a stack stands behind the one before, in units of the drawing


def ribbon(
    maps: Mapping[str, Tensor], *, classes: Sequence[str] = (), title: str = "", alt: str = "", most: int = 16
) -> Picture:
    """A network as a ribbon of feature-map planes, as LeNet-5 is drawn in its paper's Fig. 2, with the maps themselves.

    maps: the result of `measure.feature_maps`: (channels, height, width) become stacks of planes (at most `most` are
        drawn), (features,) become columns. Blue is negative, vermillion positive; each layer has its own scale.
    classes: names of the cells of the last column; the largest is set in bold.
    """
    fig, axes = figure(title=title)
    blank(axes)
    right, anchors = 0.0, []
    for name, values in maps.items():
        values = values.detach().float().cpu()
        last = name == list(maps)[-1]
        draw = _column if values.ndim == 1 else _stack
        start, width, size, text = draw(axes, right, values, most, classes if last else ())
        axes.text(start + width / 2, -2.75, f"{name}\n{text}", ha="center", va="top", size=8.5, color=INK)
        anchors.append((start, start + width, size))
        right = start + width + 0.9
    for (_, x0, size0), (x1, _, size1) in pairwise(anchors):
        for sign in (-1, 1):
            axes.plot([x0, x1], [sign * size0 / 2, sign * size1 / 2], color=GREY, lw=0.6, ls=":", marker="", zorder=0)
    fig.set_size_inches(11, 11 * 6.1 / right + 0.35)
    axes.set(xlim=(-0.3, right - 0.4), ylim=(-3.6, 2.5), aspect="equal")  # after the columns, which are not to scale
    shapes = ", ".join(f"{name} {'x'.join(map(str, values.shape))}" for name, values in maps.items())
    return Picture(fig, alt or f"{title + '. ' if title else ''}The layers as stacks of planes: {shapes}.")


def _stack(
    axes: Axes, left: float, maps: Tensor, most: int, _classes: Sequence[str]
) -> tuple[float, float, float, str]:
    """Planes one behind the other. Returns left edge, width and height of the stack, and its size in words."""
    channels, height, width = maps.shape
    tall = 3.0 * (height / 32) ** 0.6  # not in proportion, or the small maps could not be seen
    wide = tall * width / height
    colour = channels == 3 and left == 0
    planes = maps.permute(1, 2, 0)[None] if colour else maps[: min(channels, most)]
    limit = planes.abs().max().item() or 1.0
    spread = _STEP * (len(planes) - 1)
    for index in reversed(range(len(planes))):
        x, y = left + index * _STEP, -tall / 2 - spread / 2 + index * _STEP
        box = (x, x + wide, y, y + tall)
        front = len(planes) - index
        if colour:
            low, high = planes[index].min(), planes[index].max()
            axes.imshow(((planes[index] - low) / (high - low)).numpy(), extent=box, zorder=front)
        elif left == 0:
            axes.imshow(planes[index].numpy(), extent=box, zorder=front)
        else:
            axes.imshow(planes[index].numpy(), extent=box, cmap=SIGNED, vmin=-limit, vmax=limit, zorder=front)
        _outline(axes, box, front)
    return left, wide + spread, tall, f"{channels} × {height}×{width}"


def _column(
    axes: Axes, left: float, values: Tensor, _most: int, classes: Sequence[str]
) -> tuple[float, float, float, str]:
    """A vector as one column of cells, tall as it is long, about its mean: of logits only the differences count."""
    tall = min(4.6, 1.9 * (len(values) / 10) ** 0.35) if not classes else 4.0
    centred = (values - values.mean())[:, None].numpy()
    limit = abs(centred).max() or 1.0
    box = (left, left + 0.32, -tall / 2, tall / 2)
    axes.imshow(centred, extent=box, cmap=SIGNED, vmin=-limit, vmax=limit, zorder=2)
    _outline(axes, box, 3)
    best = int(values.argmax())
    for index, label in enumerate(classes):
        y = tall / 2 - (index + 0.5) * tall / len(classes)
        look = {"size": 11, "weight": "bold", "color": INK} if index == best else {"size": 8, "color": GREY}
        axes.text(left + 0.45, y, f"{label} ◀" if index == best else label, va="center", **look)
    return left, 0.32 + (0.8 if classes else 0), tall, f"{len(values)}"


def _outline(axes: Axes, box: tuple[float, float, float, float], front: int) -> None:
    left, right, bottom, top = box
    xs, ys = [left, right, right, left, left], [bottom, bottom, top, top, bottom]
    axes.plot(xs, ys, color=INK, lw=0.5, marker="", zorder=front)


def cell(specs: CellSpec | Mapping[str, CellSpec], *, title: str = "", alt: str = "") -> Picture:
    """Cells as NASNet's Fig. 4 draws them, side by side: operations as boxes, each block's sum as a circle.

    "h" is the map that comes in, "p" the one before it; all that goes into "out" is concatenated.
    """
    specs = {"": specs} if isinstance(specs, CellSpec) else specs
    deepest = max(len(_levels(spec)) for spec in specs.values())
    fig, axes = figure(1, len(specs), size=(5.6 * len(specs), 2.7 + 1.4 * (deepest - 1)), title=title, squeeze=False)
    for axis, (name, spec) in zip(axes.flat, specs.items(), strict=True):
        _draw_cell(axis, spec)
        axis.set_title(name, size=10, loc="center")
    said = [
        f"{name or 'Cell'}: "
        + "; ".join(f"b{b} = {x}({xi}) + {y}({yi})" for b, (x, xi, y, yi) in enumerate(spec.pairs, 1))
        + f"; out = {', '.join(spec.output)}"
        for name, spec in specs.items()
    ]
    return Picture(fig, alt or f"{title + '. ' if title else ''}{'. '.join(said)}.")


def _levels(spec: CellSpec) -> list[list[int]]:
    """The numbers of the blocks in rows, each block above all that it reads."""
    level = {"h": 0, "p": 0}
    for number, (_, left, _, right) in enumerate(spec.pairs, 1):
        level[f"b{number}"] = 1 + max(level[left], level[right])
    rows = [[] for _ in range(max(level.values()))]
    for number in range(1, len(spec.pairs) + 1):
        rows[level[f"b{number}"] - 1].append(number)
    return rows


def _draw_cell(axis: Axes, spec: CellSpec) -> None:
    rows = _levels(spec)
    width = max(map(len, rows))
    middle = 2.4 * (width - 1) / 2
    place = {"p": (middle - 1.2, 0.0), "h": (middle + 1.2, 0.0)}
    boxes = []
    for height, row in enumerate(rows):
        for index, number in enumerate(row):
            x, y = 2.4 * index + 1.2 * (width - len(row)), 2.4 * height + 2.6
            place[f"b{number}"] = (x, y)
            left, left_input, right, right_input = spec.pairs[number - 1]
            boxes += [(left, left_input, x - 0.6, y - 1.05, x, y), (right, right_input, x + 0.6, y - 1.05, x, y)]
    top = 2.4 * len(rows) + 1.9
    arrow = {"arrowstyle": "-|>", "color": GREY, "lw": 1.1, "shrinkA": 9, "shrinkB": 9}
    for _, source, x, y, sum_x, sum_y in boxes:
        axis.annotate("", (x, y), place[source], arrowprops=arrow | {"connectionstyle": "arc3,rad=0.08"})
        axis.annotate("", (sum_x, sum_y), (x, y), arrowprops=arrow)
    for name in spec.output:
        axis.annotate("", (middle, top), place[name], arrowprops=arrow)
    for operation, _, x, y, _, _ in boxes:
        box = {"boxstyle": "round,pad=0.3", "fc": "white", "ec": _OPERATIONS[operation], "lw": 2}
        axis.text(x, y, operation, ha="center", va="center", size=8.5, bbox=box, zorder=3)
    for name, (x, y) in place.items():
        text, shape = (name, "square") if name in "ph" else ("+", "circle")
        box = {"boxstyle": f"{shape},pad=0.3", "fc": "white", "ec": INK, "lw": 1.2}
        axis.text(x, y, text, ha="center", va="center", size=9, bbox=box, zorder=4)
    box = {"boxstyle": "round,pad=0.3", "fc": "white", "ec": PURPLE, "lw": 2}
    axis.text(middle, top, "out", ha="center", va="center", size=9, bbox=box, zorder=4)
    side = max(middle + 1.4, 2.6)
    blank(axis).set(xlim=(middle - side, middle + side), ylim=(-0.7, top + 0.6))
