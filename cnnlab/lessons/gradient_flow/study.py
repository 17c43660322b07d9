"""Lesson 07, gradient flow: the networks that it measures, and its own tables and pictures."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from cnnlab import models, view
from cnnlab.table import Table

TWINS = {"plain": "plain20_tiny", "residual": "resnet20_tiny", "pre-activation": "preact_resnet110_tiny"}


def network(kind: str, depth: int, norm: bool = True, gain: float = 1.0, seed: int = 0) -> nn.Module:
    """A network of one of three kinds, with initial weights that are `gain` times He's."""
    torch.manual_seed(seed)
    n = (depth - 2) // 6
    net = models.get_model(TWINS[kind], depths=(n, n, n), norm=nn.BatchNorm2d if norm else nn.Identity)
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight *= gain
    return net


@torch.no_grad()
def with_statistics_of(net: nn.Module, images: Tensor) -> nn.Module:
    """The network in eval mode, its batch norms with the statistics of these images."""
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
    net.train()(images)
    return net.eval()


def by_layer(norms: Mapping[str, Sequence[float]], title: str, y: str = "gradient norm of its weights") -> view.Picture:
    """A line for each network: one number for each layer, on a logarithmic axis."""
    picture = view.lines(
        {name: list(values) for name, values in norms.items()},
        x="layer, from the image to the loss",
        y=y,
        log="y",
        title=title,
    )
    picture.figure.axes[0].xaxis.get_major_locator().set_params(integer=True)
    return picture


def by_depth(growth: Mapping[str, Sequence[Sequence[float]]], depths: Sequence[int]) -> view.Picture:
    """How many times larger the gradient is at the first block than at the last, a line for each kind of network."""
    ends = {name: torch.tensor(runs)[:, -1].log().mean().exp().item() for name, runs in growth.items()}
    said = ", ".join(
        f"{name} {value:,.0f}" if value < 1e6 else f"{name} {value / 1e6:,.0f} million" for name, value in ends.items()
    )
    return view.lines(
        {name: [list(run) for run in runs] for name, runs in growth.items()},
        at=depths,
        x="layers",
        y="gradient at the first block / at the last",
        log="y",
        title=f"Growth of the gradient over {depths[-1]} layers: {said}",
    )


def gains(first: Mapping[float, float], reference: float, layers: int) -> Table:
    """The first layer's gradient relative to that of the reference gain, as the law predicts it and as measured."""
    rows = [
        [f"{gain:g}", f"{(gain / reference) ** layers:.3g}", f"{value / first[reference]:.3g}"]
        for gain, value in first.items()
        if gain != reference and gain < 1
    ]
    title = f"The first layer's gradient, relative to a gain of {reference:g}"
    return Table(["gain", "predicted", "measured"], rows, title)


def with_norm(rows: Mapping[float, tuple[float, float]]) -> Table:
    """The first layer's gradient without and with batch norm, for each gain."""
    shown = [[f"{gain:g}", f"{none:.2g}", f"{norm:.3g}", f"{norm * gain:.3g}"] for gain, (none, norm) in rows.items()]
    header = ["gain", "no batch norm", "with batch norm", "with batch norm, times the gain"]
    return Table(header, shown, "The first layer's gradient")


def growth_by_activation(factors: Mapping[str, Sequence[float]]) -> view.Picture:
    """What each layer multiplies the gradient by, with different activations; a circle for each seed."""
    said = ", ".join(f"{name} {sum(values) / len(values):.2f}" for name, values in factors.items())
    return view.dots(factors, label="growth of the gradient in each layer", title=f"Growth in each layer: {said}")


def equal_steps(results: Mapping[str, Sequence[Sequence[float]]]) -> view.Picture:
    """Test accuracy after the recorded trainings whose steps were equally long in all layers."""
    ends = {name: [100 * run[-1] for run in runs] for name, runs in results.items()}
    said = ", ".join(f"{name} {sum(values) / len(values):.0f} %" for name, values in ends.items())
    label = "accuracy on test images after 252 steps (%)"
    return view.dots(ends, label=label, limits=(0, 100), title=f"Equally long steps, after 252 of them: {said}")


def along(
    cosines: Mapping[str, Sequence[Sequence[float]]], at: Sequence[float], x: str, where: str, log: str = ""
) -> view.Picture:
    """How alike gradients are at growing distances. where: the second of these in words, for the title."""
    near = {name: sum(run[1] for run in runs) / len(runs) for name, runs in cosines.items()}
    low, high = min(near, key=near.get), max(near, key=near.get)
    return view.lines(
        {name: [list(run) for run in runs] for name, runs in cosines.items()},
        at=at,
        x=x,
        y="cosine of the gradients",
        log=log,
        title=f"{where}, the cosine is {near[low]:.2f} ({low} layers) to {near[high]:.2f} ({high} layers)",
    )


def stretched(values: Mapping[str, Tensor]) -> view.Picture:
    """The singular values of one block of each network, largest first."""
    kept = {kind: (v > 0.3).float().mean().item() for kind, v in values.items()}
    said = ", ".join(f"{kind} {share:.0%}" for kind, share in kept.items())
    return view.lines(
        {kind: v.clamp(min=1e-4).tolist() for kind, v in values.items()},
        x="direction, the most stretched first",
        y="stretched by",
        log="y",
        title=f"Directions that keep at least 30 % of their size: {said}",
    )


def histograms(outputs: Mapping[str, Tensor]) -> view.Picture:
    """How the numbers that blocks hand on are distributed, and how many of them are zero."""
    zeros = {kind: (maps == 0).float().mean().item() for kind, maps in outputs.items()}
    said = ", ".join(f"{kind} {share:.0%}" for kind, share in zeros.items())
    title = f"Zeros among what a block hands on: {said}"
    fig, axes = view.figure(1, len(outputs), size=(9, 2.6), title=title, sharey=True)
    for axis, (kind, maps) in zip(axes, outputs.items(), strict=True):
        values = maps.detach().flatten().sort().values
        few = len(values) // 200  # half a percent at each end would leave the rest a single bar
        shown = values[few:-few].numpy()
        axis.hist(shown, bins=40, weights=[100 / len(values)] * len(shown), color=view.BLUE)
        axis.set(xlabel="value", title=kind)
    axes[0].set_ylabel("share (%)")
    return view.Picture(fig, f"{title}. Histograms of the values, one for each kind of network.")
