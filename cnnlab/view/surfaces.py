"""Loss surfaces: as contours, and as a landscape that turns under the mouse."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from matplotlib.colors import LogNorm
from torch import Tensor

from cnnlab.measure import LossSurface
from cnnlab.view.picture import VERMILLION, Picture, figure

COLORS = "cividis"  # as light as the loss is high, for every kind of eyes


def surface(
    surfaces: LossSurface | Mapping[str, LossSurface],
    *,
    most: float | None = None,
    path: Tensor | None = None,
    mark: Sequence[float] | None = None,
    labels: tuple[str, str] = ("along the first direction", "along the second direction"),
    title: str = "",
    alt: str = "",
) -> Picture:
    """Contours of one loss surface, or of several side by side, all on one logarithmic scale.

    most: the loss from which on all is drawn alike (default: the highest of all). path: places (points, 2) of a
        training, joined by a line; mark: a place (x, y) to show by a cross.
    """
    surfaces = {"": surfaces} if isinstance(surfaces, LossSurface) else surfaces
    norm = _scale(surfaces.values(), most)
    levels = np.geomspace(norm.vmin, norm.vmax, 17)
    columns = len(surfaces)
    fig, axes = figure(
        1, columns, size=(4.3 * columns + 0.9 if columns > 1 else 6.5, 4.2), title=title, squeeze=False, sharex=True
    )
    for axis, (name, each) in zip(axes.flat, surfaces.items(), strict=True):
        loss = each.loss.double().clamp(norm.vmin, norm.vmax * 0.9999).numpy()  # rounded to floats, a hole below vmin
        drawn = axis.contourf(each.x, each.y, loss, levels, norm=norm, cmap=COLORS)
        axis.contour(each.x, each.y, loss, levels[::2], colors="white", linewidths=0.6, alpha=0.7)
        axis.set(title=name, xlabel=labels[0], aspect="equal" if path is None else "auto")
        axis.locator_params(nbins=5)  # or the numbers of the two axes meet in their corner
        axis.grid(False)
        if path is not None:
            axis.plot(*path.T, "o-", color="white", ms=4.5, mec="black", lw=1.6)
        if mark is not None:
            axis.plot(*mark, "x", color=VERMILLION, ms=12, mew=3.5)
    axes.flat[0].set_ylabel(labels[1])
    bar = fig.colorbar(drawn, ax=axes, label="loss (nats)", format="{x:g}", ticks=_ticks(norm))
    bar.ax.minorticks_off()
    return Picture(fig, alt or f"{title + '. ' if title else ''}{_words(surfaces)}")


class Rotatable:
    """A plotly figure that a mouse or a finger turns, and in its place, where nothing can turn, its words.

    `figure` is the plotly figure. JupyterLab shows it by plotly's own extension, without a network.
    """

    def __init__(self, figure: object, alt: str) -> None:
        self.figure, self.alt = figure, alt

    def __repr__(self) -> str:
        return f"Rotatable: {self.alt}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {
            "application/vnd.plotly.v1+json": self.figure.to_plotly_json(),
            "text/html": f"<p><em>{escape(self.alt)}</em></p>",
            "text/plain": repr(self),
        }


def rotatable_surface(
    surfaces: LossSurface | Mapping[str, LossSurface], *, most: float | None = None, title: str = "", alt: str = ""
) -> Rotatable:
    """Loss surfaces as landscapes side by side, on one logarithmic scale of heights and colours; see `surface`."""
    from plotly import graph_objects, subplots  # here, because it takes half a second

    surfaces = {"": surfaces} if isinstance(surfaces, LossSurface) else surfaces
    norm = _scale(surfaces.values(), most)
    low, high = np.log10([norm.vmin, norm.vmax])
    ticks = _ticks(norm)
    scale = {"tickvals": np.log10(ticks).round(4).tolist(), "ticktext": [f"{tick:g}" for tick in ticks]}
    fig = subplots.make_subplots(
        1, len(surfaces), specs=[[{"type": "surface"}] * len(surfaces)], subplot_titles=list(surfaces)
    )
    for column, each in enumerate(surfaces.values(), start=1):
        height = each.loss.double().clamp(norm.vmin, norm.vmax).log10().numpy().round(3)  # written with 3 digits
        fig.add_trace(
            graph_objects.Surface(
                x=each.x.double().numpy().round(4).tolist(),
                y=each.y.double().numpy().round(4).tolist(),
                z=height.tolist(),
                cmin=low,
                cmax=high,
                colorscale=COLORS,
                showscale=column == len(surfaces),
                colorbar={"title": {"text": "loss (nats)"}, **scale, "len": 0.7},
                hovertemplate="x %{x:.2f}, y %{y:.2f}<extra></extra>",
            ),
            1,
            column,
        )
    axes = {name: {"title": {"text": ""}} for name in ("xaxis", "yaxis", "zaxis")}
    axes["zaxis"] |= {"range": [low, high], **scale}
    fig.update_scenes(**axes, camera={"eye": {"x": 1.45, "y": -1.45, "z": 1.2}}, aspectratio={"x": 1, "y": 1, "z": 0.8})
    fig.update_layout(
        title={"text": title, "font": {"size": 15}}, width=410 * len(surfaces) + 80, height=440, template="plotly_white"
    )
    fig.update_layout(margin={"l": 10, "r": 10, "t": 70, "b": 10})
    return Rotatable(
        fig, alt or f"{title + '. ' if title else ''}A landscape to turn with the mouse. {_words(surfaces)}"
    )


def _scale(surfaces: Sequence[LossSurface], most: float | None) -> LogNorm:
    known = np.concatenate([each.loss[each.loss.isfinite()].numpy() for each in surfaces])
    if not len(known):
        raise ValueError("There is nothing to draw: no point of these surfaces was measured.")
    least = max(known.min().item(), 1e-4)
    return LogNorm(least, max(most or known.max().item(), least * 1.01))


def _ticks(norm: LogNorm) -> list[float]:
    return [tick for k in range(-4, 5) for tick in (10.0**k, 3 * 10.0**k) if norm.vmin <= tick <= norm.vmax]


def _words(surfaces: Mapping[str, LossSurface]) -> str:
    said = []
    for name, each in surfaces.items():
        rows, columns = each.loss.shape
        ends = f"loss from {each.loss.nan_to_num(np.inf).min():.3g} to {each.loss.nan_to_num(-np.inf).max():.3g}"
        said.append(f"{name + ': ' if name else ''}{columns} x {rows} points, {ends}")
    return "; ".join(said) + "."
