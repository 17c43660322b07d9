"""Lesson 08, loss surfaces: the lesson's own tables and pictures."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from cnnlab import training, view
from cnnlab.data import Dataset
from cnnlab.lessons.records import Record, file_of, recorded_surface
from cnnlab.measure import LossSurface
from cnnlab.table import Table

POINTS = 25  # a side, on which surfaces are compared
CUT = 10.0  # nats: the published instructions for the paper's 3-D picture say "--zmax 10 --log"


def learnt(runs: Mapping[str, training.Run], dataset: Dataset) -> Table:
    """What each of the lesson's networks has learnt; the test images are looked at here, once."""
    rows = []
    for name, run in runs.items():
        weights = sum(p.numel() for p in run.model.parameters() if p.ndim > 1)
        right = training.evaluate(run.model, dataset.test).accuracy
        rows.append([name, f"{weights:,}", f"{run.history[-1].train_loss:.3f}", f"{100 * right:.1f} %"])
    return Table(["network", "weights in its filters", "training loss", "test accuracy"], rows)


def recorded(name: str) -> list[LossSurface]:
    """The recorded surfaces of a network, one for each pair of directions."""
    names = (name, f"{name}-seed1", f"{name}-seed2")
    return [recorded_surface(each) for each in names if file_of(f"surface-{each}").exists()]


def alike(surface: LossSurface) -> LossSurface:
    """A surface on POINTS x POINTS points or one more: only grids of one spacing may be compared."""
    return surface.every(max(1, round((len(surface.x) - 1) / (POINTS - 1))))


def numbers(surfaces: Mapping[str, Sequence[LossSurface]]) -> dict[str, dict[str, list[float]]]:
    """What the eye sees on each surface of each network, as numbers, on grids of one spacing."""
    measured = {}
    for name, of_it in surfaces.items():
        maps = [alike(each) for each in of_it]
        measured[name] = {
            "laplacian": [each.laplacian for each in maps],
            "minima": [each.minima for each in maps],
            "descent": [each.descent() for each in maps],
        }
    return measured


def eye(measured: Mapping[str, Mapping[str, Sequence[float]]]) -> Table:
    """`numbers` as a table: the mean, and the single surfaces behind it."""
    rows = []
    for name, values in measured.items():
        row = [name]
        for what, figure in (("laplacian", "{:.2f}"), ("minima", "{:.0f}"), ("descent", "{:.2f}")):
            of_it = values[what]
            single = ", ".join(figure.format(value) for value in of_it)
            row.append(f"{sum(of_it) / len(of_it):.3g} ({single})")
        rows.append(row)
    header = ["network", "roughness", "local minima", "descent outwards"]
    return Table(header, rows, "The mean over pairs of directions, and in brackets each of them")


def means(*networks: Mapping[str, Sequence[float]]) -> tuple[float, ...]:
    """For each network its mean number of local minima, then for each its mean descent."""
    return tuple(sum(values[what]) / len(values[what]) for what in ("minima", "descent") for values in networks)


def known_shapes() -> view.Picture:
    """Three surfaces whose numbers can be worked out by hand, with what `LossSurface` says of each."""
    x = torch.linspace(-1, 1, 25)
    across, up = x[None], x[:, None]
    wave = 4 * math.pi
    shapes = {
        "bowl": 3 * (across**2 + up**2),
        "slope": 2 * across + 0 * up,
        "egg-box": -(wave * across).cos() - (wave * up).cos(),
    }
    fig, axes = view.figure(1, 3, size=(7.4, 3.5), subplot_kw={"projection": "3d"})
    view.entitle(fig, "Three shapes, and three numbers for each")
    said = []
    for axis, (name, log) in zip(axes, shapes.items(), strict=True):
        surface = LossSurface(x, x, log.exp(), log)
        text = f"roughness {surface.laplacian:.2f}\nminima {surface.minima}, descent {surface.descent():.2f}"
        _landscape(axis, x, log, (log.min().item(), log.max().item()))
        axis.set_title(f"{name}\n{text}", size=10)
        said.append(f"{name}: {text}".replace("\n", ", "))
    return view.Picture(fig, f"Three shapes, and three numbers for each. {'; '.join(said)}.")


DRAWINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "log10 of the loss, cut at 10": lambda loss: loss.clamp(max=CUT).log10(),
    "log10 of the loss, whole": lambda loss: loss.log10(),
    "loss (nats), cut at 10": lambda loss: loss.clamp(max=CUT),
    "loss (nats), whole": lambda loss: loss,
}


def four_drawings(surface: LossSurface) -> view.Picture:
    """The same surface with and without the logarithm, with and without the cut."""
    highest = surface.loss.max().item()
    title = f"One measurement, four drawings; as it is, it has needles of up to {highest:,.0f} nats"
    fig, axes = view.figure(1, len(DRAWINGS), size=(9, 2.6), title=title, subplot_kw={"projection": "3d"})
    for axis, (way, height) in zip(axes, DRAWINGS.items(), strict=True):
        heights = height(surface.loss)
        _landscape(axis, surface.x, heights, (heights.min().item(), heights.max().item()))
        axis.set_title(way, size=9)
    return view.Picture(fig, f"{title}: {', '.join(DRAWINGS)}.")


def training_curves(records: Mapping[str, Record]) -> view.Picture:
    """Accuracy in training and on held-out photographs, epoch by epoch, of recorded networks."""
    ends = [100 * record.results["history"][-1]["test_accuracy"] for record in records.values()]
    return view.lines(
        {
            f"{name}, {what}": [100 * epoch[f"{key}_accuracy"] for epoch in record.results["history"]]
            for name, record in records.items()
            for what, key in (("in training", "train"), ("held out", "test"))
        },
        x="epoch",
        y="accuracy (%)",
        title=f"After {len(next(iter(records.values())).results['history'])} epochs: {ends[0]:.1f} % with shortcuts,"
        f" {ends[1]:.1f} % without",
    )


def on_the_way(record: Record) -> dict[int, list[LossSurface]]:
    """The surfaces around a network after some epochs of its training, in one plane or more, without accuracies."""
    return {int(epoch): surfaces_of(then) for epoch, then in record.results["on_the_way"].items()}


def surfaces_of(then: Mapping[str, Sequence]) -> list[LossSurface]:
    """The recorded surfaces around one network."""
    at = torch.linspace(-1, 1, len(then["losses"][0]))
    grids = [torch.tensor(loss) for loss in then["losses"]]
    return [LossSurface(at, at, loss, torch.full_like(loss, math.nan)) for loss in grids]


def own_statistics(record: Record, model: str) -> list[LossSurface]:
    """The surfaces around one of the paper's networks whose points have statistics of their own, seed by seed."""
    cases = [then for case, then in record.results.items() if case.startswith(f"{model}, ")]
    return [surface for then in cases for surface in surfaces_of(then)]


def kept_as(first: Mapping[str, Mapping]) -> Table:
    """The network after its first epoch, as it was and as half precision keeps it."""
    rows = []
    for name, then in {"single precision": first, "half precision": first["rounded"]}.items():
        (each,) = surfaces_of(then)
        known = f"{100 * then['held_out']['accuracy']:.1f} %"
        rows.append([name, known, f"{each.laplacian:.2f}", each.minima, f"{each.descent():.2f}"])
    return Table(["kept in", "held out", "roughness", "minima", "descent"], rows, "56 plain layers after one epoch")


def rising(record: Record, most: int = 6) -> view.Picture:
    """The surface in one plane after these epochs, on one scale, drawn as in the paper. Of more than `most`, some."""
    seen = [(epoch, planes[0]) for epoch, planes in on_the_way(record).items()]
    maps = dict(seen[i] for i in np.linspace(0, len(seen) - 1, min(most, len(seen))).round().astype(int))
    heights = {epoch: DRAWINGS["log10 of the loss, cut at 10"](each.loss) for epoch, each in maps.items()}
    ends = min(h.min().item() for h in heights.values()), max(h.max().item() for h in heights.values())
    columns = -(-len(maps) // 2)
    first, last = min(maps), max(maps)
    title = f"Local minima after epoch {first}: {maps[first].minima}; after the last, {last}: {maps[last].minima}"
    size = (2.1 * columns, 4.5)
    fig, axes = view.figure(2, columns, size=size, title=title, subplot_kw={"projection": "3d"})
    for axis in axes.flat[len(maps) :]:
        axis.remove()
    for axis, (epoch, each) in zip(axes.flat, maps.items(), strict=False):
        _landscape(axis, each.x, heights[epoch], ends)
        axis.set_title(f"epoch {epoch}: minima {each.minima}\ndescent {each.descent():.2f}", size=9)
    said = "; ".join(f"epoch {e}: {m.minima} minima, descent {m.descent():.2f}" for e, m in maps.items())
    return view.Picture(fig, f"{title}. The log10 of the loss, cut at 10, around the network. {said}.")


def while_it_rises(record: Record) -> Table:
    """The same surfaces as numbers, beside what the network was then."""
    lrs = [epoch["lr"] for epoch in record.results["history"]]
    rows = []
    for epoch, planes in on_the_way(record).items():
        then = record.results["on_the_way"][str(epoch)]
        shapes = zip(*[(each.laplacian, each.minima, each.descent()) for each in planes], strict=True)
        rough, minima, down = (sum(values) / len(values) for values in shapes)
        known, held = (100 * then[part]["accuracy"] for part in ("learnt", "held_out"))
        row = [epoch, f"{lrs[max(epoch - 2, 0)]:.2g}", f"{known:.1f} %", f"{held:.1f} %", f"{then['cosines'][1]:.2f}"]
        rows.append([*row, f"{rough:.2f}", f"{minima:.3g}", f"{down:.2f}"])
    header = ["after epoch", "learning rate", "learnt", "held out", "median cosine", "roughness", "minima", "descent"]
    return Table(header, rows, f"The last row is the mean over {len(planes)} pairs of directions. {record}")


def twins_on_the_way(records: Mapping[str, Record]) -> Table:
    """Of networks trained alike: their surfaces after the same epochs, as numbers, and what they had learnt by then."""
    surfaces = {name: on_the_way(record) for name, record in records.items()}
    rows = []
    for epoch in next(iter(surfaces.values())):
        row = [epoch]
        for name, record in records.items():
            shapes = [(each.minima, each.descent()) for each in surfaces[name][epoch]]
            minima, down = (sum(values) / len(values) for values in zip(*shapes, strict=True))
            held = 100 * record.results["on_the_way"][str(epoch)]["held_out"]["accuracy"]
            row += [f"{minima:.3g}", f"{down:.2f}", f"{held:.1f} %"]
        rows.append(row)
    header = [f"{name}: {what}" for name in records for what in ("minima", "descent", "held out")]
    *_, last = records.values()
    return Table(["after epoch", *header], rows, f"The last row is the mean over pairs of directions. {last}")


def by_plane(then: Mapping[str, Sequence]) -> tuple[str, str]:
    """The local minima and the descents of the recorded surfaces around one network, one plane after the other."""
    maps = surfaces_of(then)
    return ", ".join(str(each.minima) for each in maps), ", ".join(f"{each.descent():.2f}" for each in maps)


def at_their_ends(trained: Mapping[tuple[str, int], Record]) -> Table:
    """By network and number of epochs: what it knows in the end, and the surfaces around it in each plane."""
    rows = []
    for (name, length), record in trained.items():
        then = record.results["on_the_way"][str(length)]
        known, held = (f"{100 * then[part]['accuracy']:.1f} %" for part in ("learnt", "held_out"))
        rows.append([name, length, known, held, *by_plane(then)])
    header = ["network", "epochs", "learnt", "held out", "local minima", "descent outwards"]
    return Table(header, rows, "At the end of each training, in three pairs of directions")


def small_pair(record: Record) -> Table:
    """Twins that a processor trains in minutes, by learning rate and weight decay, and the surfaces around them."""
    rows = []
    for case, then in record.results.items():
        network, rate, decay = case.split(", ")
        read = (f"{100 * then[part]:.1f} %" for part in ("learnt", "test"))
        cosine = f"{then['cosines'][1]:.2f}"
        rows.append([network, rate.split()[1], decay.split()[1], *read, cosine, *by_plane(then)])
    header = ["network", "learning rate", "weight decay", "learnt", "test", "median cosine", "local minima", "descent"]
    return Table(header, rows, str(record))


def of_the_start(rows: Sequence[Sequence[object]]) -> Table:
    """What is left of the initial weights. rows: network, what decay leaves of them, cosines of its filters."""
    header = ["network", "decay leaves", "median cosine", "from the 10th", "to the 90th percentile"]
    texts = []
    for name, left, cosines in rows:
        low, middle, high = np.quantile(cosines.numpy(), (0.1, 0.5, 0.9))
        texts.append([name, f"{100 * left:.1f} %", f"{middle:.2f}", f"{low:.2f}", f"{high:.2f}"])
    return Table(header, texts, "What is left of the initial weights")


def along_the_path(around: LossSurface, places: Tensor, losses: Mapping[int, float]) -> Table:
    """The loss on the map nearest to a place of the path, beside the loss of the network that was there, by epoch."""
    rows = []
    for epoch, loss in losses.items():
        column = (around.x - places[epoch, 0]).abs().argmin()
        row = (around.y - places[epoch, 1]).abs().argmin()
        rows.append([epoch, f"{around.loss[row, column]:.3g}", f"{loss:.3g}"])
    return Table(["after epoch", "loss on the map, at the nearest point", "loss of the network that was there"], rows)


def _landscape(axis: object, x: Tensor, heights: Tensor, ends: tuple[float, float]) -> None:
    across, up = np.meshgrid(x.numpy(), x.numpy())
    drawn = {"vmin": ends[0], "vmax": ends[1], "cmap": "cividis", "lw": 0, "rstride": 1, "cstride": 1}
    axis.plot_surface(across, up, heights.numpy(), antialiased=False, **drawn)
    axis.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1], zlim=ends)
    axis.tick_params(labelsize=7, pad=-2)
    axis.locator_params(axis="z", nbins=4)
    axis.view_init(elev=38, azim=-55)
