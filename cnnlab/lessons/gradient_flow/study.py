"""Lesson 07, gradient flow: the networks that it measures, and its own tables and pictures."""

from collections.abc import Mapping, Sequence
from functools import partial
from math import inf
from statistics import median

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


def length(parameter: Tensor) -> float:
    """Of a bias or of a batch norm's, which start at 0 and 1: as long as if each number were 1."""
    return parameter.norm().item() if parameter.ndim > 1 else parameter.numel() ** 0.5


def scale_gradients(model: nn.Module, shares: Tensor) -> None:
    """From now on each gradient is as long as this share of its parameter; its direction stays what it is.

    Convolutions keep their length, too, which changes nothing else, for a batch norm follows each of them. Otherwise
    they would grow with every step, as a step is nearly at a right angle to the weights.
    """
    for parameter, share in zip(model.parameters(), shares.tolist(), strict=True):
        parameter.register_post_accumulate_grad_hook(partial(scale_gradient, length(parameter), share))


def scale_gradient(start: float, share: float, parameter: Tensor) -> None:
    if parameter.ndim == 4:
        parameter *= start / parameter.norm()
    parameter.grad *= share * start / parameter.grad.norm().clamp(min=1e-30)


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


RULES = {"SGD": "plain SGD", "equal": "equal steps", "uneven": "uneven steps"}
Arms = Mapping[str, Mapping]  # of the record: for each network and rule the runs at its rates, and those from its seeds


def rates_tried(arms: Arms) -> Table:
    """What each network reached with each rule on validation images, by learning rate, and which one was chosen."""
    rows = []
    for arm, of in arms.items():
        network, rule = arm.split(", ")
        runs = sorted(of["rates"], key=lambda run: run["lr"])
        tried = ", ".join(f"{run['lr']:g}: {run['curve'][-1][1]:.0%}" for run in runs)
        rows.append([network, RULES[rule], tried, f"{of['seeds'][0]['lr']:g}"])
    header = ["network", "steps", "accuracy by learning rate", "chosen"]
    return Table(header, rows, "Learning rates, by 500 validation images (seed 0)")


def in_training(arms: Arms, arm: str) -> list[list[float]]:
    """Percent of the training images that are known after each epoch, for each seed."""
    return [[100 * known for known, _ in run["curve"]] for run in arms[arm]["seeds"]]


def half_known(arms: Arms, arm: str) -> list[float]:
    """The epoch, from 1 on, in which each seed first knows half of its training images; infinite: never."""
    return [next((i for i, known in enumerate(run, 1) if known >= 50), inf) for run in in_training(arms, arm)]


def epoch(number: float) -> str:
    """An epoch, or that there was none."""
    return "never" if number == inf else f"{number}"


def by_rule(arms: Arms) -> view.Picture:
    """Accuracy in training, a panel for each network, a line for each rule: the mean of the seeds, and their range."""
    networks = list(dict.fromkeys(arm.split(", ")[0] for arm in arms))
    half = {arm: sum(half_known(arms, arm)) / len(arms[arm]["seeds"]) for arm in arms}
    title = (
        "Half is known after {:.0f} epochs in plain56 with equal steps, {:.0f} in resnet56 ({:.0f} with uneven ones)"
    )
    title = title.format(half["plain56, equal"], half["resnet56, equal"], half["resnet56, uneven"])
    fig, axes = view.figure(1, len(networks), size=(9, 3.2), title=title, sharex=True, sharey=True)
    for axis, network in zip(axes, networks, strict=True):
        for rule in [rule for rule in RULES if f"{network}, {rule}" in arms]:
            runs = torch.tensor(in_training(arms, f"{network}, {rule}"))
            epochs = range(1, runs.shape[1] + 1)
            (line,) = axis.plot(epochs, runs.mean(0), markevery=3, label=RULES[rule])
            axis.fill_between(epochs, runs.amin(0), runs.amax(0), color=line.get_color(), alpha=0.2, lw=0)
        axis.set(xlabel="epoch", title=network, ylim=(0, 104))
        if all(f"{network}, {rule}" in arms for rule in RULES):
            axis.legend(loc="lower right")
    axes[0].xaxis.get_major_locator().set_params(integer=True)
    axes[0].set_ylabel("accuracy on training images (%)")
    ends = {arm: sum(run[-1] for run in in_training(arms, arm)) / len(arms[arm]["seeds"]) for arm in arms}
    listed = "; ".join(f"{arm} {end:.0f} %" for arm, end in ends.items())
    return view.Picture(fig, f"{title}. Accuracy on training images by epoch; at the end: {listed}.")


def outcome(arms: Arms) -> Table:
    """How uneven the steps are, how soon and how well each network learns; of the last two a number for each seed."""
    rows = []
    for arm, of in arms.items():
        network, rule = arm.split(", ")
        uneven = median(ratio for run in of["seeds"] for ratio in run["ratio"])
        half = " ".join(map(epoch, half_known(arms, arm)))
        ends = " ".join(f"{run[-1]:.0f}" for run in in_training(arms, arm))
        tests = " ".join(f"{100 * run['test']:.0f}" for run in of["seeds"])
        epochs = len(of["seeds"][0]["curve"])
        rows.append([network, RULES[rule], f"{uneven:,.0f}", epochs, half, ends, tests])
    header = ["network", "steps", "longest / shortest", "epochs", "half known in epoch", "known (%)", "test images (%)"]
    return Table(
        header, rows, "Each at its best learning rate, three seeds; longest / shortest: steps of the layers, the median"
    )


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
