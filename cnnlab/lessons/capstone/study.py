"""Lesson 17, which network would you choose: its tables and pictures, and what its claims and records share."""

from collections.abc import Callable, Collection, Mapping, Sequence
from statistics import mean, variance

from torch import Tensor

from cnnlab import view
from cnnlab.lessons import facts, rates
from cnnlab.lessons.records import Record
from cnnlab.table import Table

# The lecture's nine tables: parameters in millions, top-1 and top-5 accuracy on ImageNet in percent, as it prints them.
LECTURE = {
    "alexnet": ("61.1M", "56.5 / 79.0"),
    "vgg19": ("143.7M", "72.4 / 90.9"),
    "googlenet": ("6.6M", "69.8 / 89.5"),
    "resnet152": ("60.2M", "78.3 / 94.0"),
    "densenet201": ("20.0M", "76.9 / 93.4"),
    "mobilenet_v1": ("4.2M", "70.9 / 89.9"),
    "nasnet_a_mobile": ("5.3M", "74.0 / 91.6"),
    "efficientnet_b0": ("5.3M", "77.7 / 93.5"),
    "convnext_base": ("88.6M", "84.0 / 96.9"),
}
# Where its accuracies come from, if not from torchvision.
ELSEWHERE = {
    "mobilenet_v1": "its authors' checkpoint; the paper says 70.6",
    "nasnet_a_mobile": "its authors' checkpoint",
}


def documented(name: str) -> str:
    network = facts.network(name)
    return ELSEWHERE.get(name, f"torchvision documents {network.top1:.3f} / {network.top5:.3f}")


# Name and label, what the lecture states, and what is documented.
ROWS = [(name, facts.network(name).label, *stated, documented(name)) for name, stated in LECTURE.items()]


def nine() -> view.Picture:
    """The lecture's nine networks: parameters against accuracy on ImageNet."""
    chosen = [facts.network(name) for name in LECTURE]
    largest = max(chosen, key=lambda network: network.params)
    better = [n for n in chosen if n.params < largest.params and n.top1 > largest.top1]
    smallest = min(better, key=lambda network: network.params)
    return view.scatter(
        {n.label: (n.params / 1e6, n.top1) for n in chosen},
        x="parameters (millions)",
        y="top-1 accuracy on ImageNet (%)",
        bold=[largest.label],
        title=f"The largest is beaten by {len(better)} smaller networks,"
        f" one of them {largest.params / smallest.params:.0f} times smaller",
    )


# ---- The table of one minute ----

Board = dict[str, dict]  # by network, the best first: its prices, `accuracies` of three seeds and their mean `accuracy`

SPEED_RUN = "speed run"
PRICES = {  # by its heading: the key in the record, and what it is divided by
    "thousand parameters": ("params", 1e3),
    "million mult-adds": ("macs", 1e6),
    "ms for an image": ("ms", 1),
    "KiB kept for an image": ("kept", 2**10),
}
LATER = ("mobilenet", "nasnet", "efficientnet", "vit", "convnext")  # papers of 2017 and after


def short(name: str) -> str:
    """A network's name in a figure: all here are small ones."""
    return name.removesuffix("_tiny")


def board(made: Record) -> Board:
    """The record "leaderboard": for each network its prices, passes, images a second, and accuracies in percent."""
    found = {}
    for name, entry in made.results.items():
        prices = {price: entry[key] / unit for price, (key, unit) in PRICES.items()}
        accuracies = [100 * run["test"] for run in entry["runs"]]
        found[name] = prices | {
            "passes": entry["runs"][0]["epochs"],
            "images/s in training": entry["speed"],
            "accuracies": accuracies,
            "accuracy": mean(accuracies),
        }
    return dict(sorted(found.items(), key=lambda item: -item[1]["accuracy"]))


def table(board: Board) -> Table:
    """The whole board, the best first."""
    rows = []
    for name, entry in board.items():
        spread = f"{min(entry['accuracies']):.1f} to {max(entry['accuracies']):.1f}"
        prices = [f"{entry[price]:,.3g}" if entry[price] < 1000 else f"{entry[price]:,.0f}" for price in PRICES]
        rows.append([name, *prices, entry["passes"], f"{entry['accuracy']:.1f} %", spread])
    return Table(["network", *PRICES, "passes", "accuracy", "three seeds"], rows)


def passes(board: Board) -> view.Picture:
    """How often each network saw the images in its minute, and what it misreads."""
    later = [short(name) for name in board if name.startswith(LATER)]
    lower = sum(list(board).index(name) >= len(board) / 2 for name in board if short(name) in later)
    named = {"alexnet", "resnet20", "lenet5", "mobilenet_v1", "efficientnet_b0", "convnext_tiny", "vit_b_16", SPEED_RUN}
    return view.scatter(
        {short(name): (entry["passes"], 100 - entry["accuracy"]) for name, entry in board.items()},
        x="passes over the 4,000 images in the minute",
        y="errors (%)",
        bold=later,
        named=named,
        log="xy",
        title=f"Of {len(later)} networks of 2017 and later (squares; not the speed run), {lower} are in the worse half",
    )


def same_passes(board: Board, parts: Record) -> dict[str, list[float]]:
    """ResNet-20 with the passes of its minute and with MobileNet's eight, beside MobileNet; accuracies in percent."""
    eight = [100 * value for value in parts.results["lengths"]["resnet20_tiny"]["8"]]
    few, many = (f"{board[name]['passes']} passes" for name in ("mobilenet_v1_tiny", "resnet20_tiny"))
    return {
        f"resnet20, {many}": board["resnet20_tiny"]["accuracies"],
        "resnet20, 8 passes": eight,
        f"mobilenet_v1, {few}": board["mobilenet_v1_tiny"]["accuracies"],
    }


def compared(found: Mapping[str, Sequence[float]]) -> view.Picture:
    """`same_passes` as a picture."""
    whole, cut, other = map(mean, found.values())
    return view.dots(
        found,
        label="accuracy on 2,000 street digits (%)",
        title=f"ResNet-20 leads by {whole - other:.1f} points; with as few passes, still by {cut - other:.1f}",
    )


def rates_tried(fitted: Record) -> Table:
    """Of the record "same_passes": accuracy on validation images by learning rate, and the rate that was chosen."""
    tried = {name: dict(map(tuple, of["rates"])) for name, of in fitted.results.items()}
    chosen = {name: max(reached, key=reached.get) for name, reached in tried.items()}
    shown = {name: {lr: f"{value:.1%}" for lr, value in reached.items()} for name, reached in tried.items()}
    return rates.table(shown, chosen, "Accuracy on 1,000 validation images, by learning rate (seed 0)")


def at_own_rates(board: Board, parts: Record, fitted: Record) -> dict[str, list[float]]:
    """Both networks after eight passes, with the board's learning rate and with their own; accuracies in percent."""
    _, resnet, mobilenet = same_passes(board, parts).values()
    found = {"resnet20, rate 0.1": resnet, "mobilenet_v1, rate 0.1": mobilenet}
    for name, of in fitted.results.items():
        lr, _ = max(of["rates"], key=lambda pair: pair[1])
        found[f"{name.removesuffix('_tiny')}, rate {lr:g}"] = [100 * value for value in of["test"]]
    return found


def left_over(found: Mapping[str, Sequence[float]]) -> view.Picture:
    """`at_own_rates` as a picture."""
    resnet, mobilenet, resnet_fitted, mobilenet_fitted = map(mean, found.values())
    before, after = resnet - mobilenet, resnet_fitted - mobilenet_fitted
    title = f"Eight passes for both: ResNet-20 leads by {before:.1f} points, each at its own rate by {after:.1f}"
    return view.dots(found, label="accuracy on 2,000 street digits (%)", title=title)


def fronts(board: Board, chosen: Mapping[str, Collection[str]]) -> view.Picture:
    """Errors against each price: the networks that nothing beats have a marker of their own, the others are grey."""
    anywhere = [name for name in board if any(name in names for names in chosen.values())]
    beaten = [name for name in board if name not in anywhere]
    looks = {name: {"color": f"C{i % 7}", "marker": "osD^vPX*<>"[i % 10]} for i, name in enumerate(anywhere)}
    title = f"{len(beaten)} of {len(board)} networks are beaten by another one, whichever of the four prices you pay"
    fig, axes = view.figure(2, 2, size=(10.5, 7.4), sharey=True, title=title)
    for axis, price in zip(axes.flat, chosen, strict=True):

        def points(names: Collection[str], price: str = price) -> tuple[list[float], list[float]]:
            return [board[name][price] for name in names], [100 - board[name]["accuracy"] for name in names]

        axis.plot(*points(beaten), ls="", marker=".", color="#B0B0B0", ms=7)
        line = sorted(chosen[price], key=lambda name, price=price: board[name][price])
        axis.plot(*points(line), color=view.GREY, marker="", lw=1)
        for name, look in looks.items():
            filled = {"ms": 9} if name in line else {"ms": 6, "mfc": "none"}
            axis.plot(*points([name]), ls="", zorder=3, **look, **filled)
        axis.set(xlabel=price)
        axis.margins(0.08, 0.08)
        view.log_axis(axis, "x")
        view.log_axis(axis, "y")
    for axis in axes[:, 0]:
        axis.set_ylabel("errors (%)")
    keys = {short(name): axis.plot([], [], ls="", ms=8, **look)[0] for name, look in looks.items()}
    keys["the others"] = axis.plot([], [], ls="", marker=".", color="#B0B0B0")[0]
    fig.legend(keys.values(), keys, loc="outside right center", fontsize=9, title="filled: on\nthis front")
    listed = "; ".join(f"{price}: {', '.join(sorted(map(short, names)))}" for price, names in chosen.items())
    return view.Picture(fig, f"{title}. The fronts by {listed}.")


def correlations(labels: Sequence[str], values: Tensor) -> Table:
    """Rank correlations as a table."""
    rows = [[label, *(f"{value:+.2f}" for value in row)] for label, row in zip(labels, values.tolist(), strict=True)]
    return Table(["rank correlation", *labels], rows)


def told_apart(board: Board, enough: Callable[[float, float], int]) -> Table:
    """How many test images it takes to tell the best network below the speed run from others."""
    _, best, *others = board
    rows = []
    for name in (others[0], others[3], others[7]):
        accuracies = [board[each]["accuracy"] / 100 for each in (best, name)]
        rows.append([f"{best}, {name}", *(f"{value:.1%}" for value in accuracies), f"{enough(*accuracies):,}"])
    return Table(["networks", "the first", "the second", "test images for two standard errors"], rows)


def explore(board: Board) -> view.Explorer:
    """What can be had for at most the price of some network."""

    def afford(price="ms for an image", at_most="resnet20_tiny", speed_run=False):
        limit = board[at_most][price]
        names = [name for name in board if board[name][price] <= limit and (speed_run or name != SPEED_RUN)]
        best, last = short(names[0]), short(min(names, key=lambda name: board[name][price]))
        costs = [entry[price] for entry in board.values()]
        return view.scatter(
            {short(name): (board[name][price], 100 - board[name]["accuracy"]) for name in names},
            x=price,
            y="errors (%)",
            bold=[best],
            named={best, last, short(at_most)},
            limits=(min(costs) / 2, 2 * max(costs), 0.5, 100),
            log="xy",
            title=f"For at most {limit:,.3g} {price}: {best} with {board[names[0]]['accuracy']:.1f} %,"
            f" best of {len(names)}",
        )

    return view.explore(afford, price=list(PRICES), at_most=sorted(board), speed_run=False)


# ---- The speed run ----


def whitened(before: Tensor, after: Tensor) -> view.Picture:
    """Sizes of the correlations between the outputs of a first layer, before and after it was whitened."""
    sizes = {"at random": before.abs(), "whitened": after.abs()}
    apart = [(c.sum() - len(c)) / (c.numel() - len(c)) for c in sizes.values()]
    fig, axes = view.figure(
        1, 2, size=(8, 3.7), title=f"Two outputs have a correlation of {apart[0]:.2f}, whitened {apart[1]:.2f}"
    )
    for axis, (name, c) in zip(axes, sizes.items(), strict=True):
        shown = view.blank(axis).imshow(c.detach().numpy(), cmap="Greys", vmin=0, vmax=1)
        axis.set_title(name, loc="center", weight="normal", size=10)
    fig.colorbar(shown, ax=axes, shrink=0.85, label="size of the correlation")
    alt = f"Mean size {apart[0]:.2f} before and {apart[1]:.2f} after, in two tables of {len(before)} by {len(before)}."
    return view.Picture(fig, alt)


def kernels(weight: Tensor) -> view.Picture:
    """The kernels of a whitening layer, those of the largest variance first, each on its own scale."""
    shown = weight.detach().flip(0)
    shown = shown / shown.abs().amax((1, 2, 3), keepdim=True) / 2 + 0.5
    shown = shown.repeat_interleave(16, 2).repeat_interleave(16, 3)
    return view.images(
        shown, columns=len(shown), title="Computed, not learnt: brightness, edges, colours, checkerboards"
    )


def by_step(losses: Sequence[float], rates: Sequence[float], accuracy: float) -> view.Picture:
    """The loss of each batch, and below it the rate of the step as a share of the highest."""
    said = f"After {len(losses)} steps it reads {accuracy:.1%} of the test images"
    fig, (top, bottom) = view.figure(2, 1, size=(8, 4.6), sharex=True, title=said)
    steps = range(1, 1 + len(losses))
    top.plot(steps, losses, color=view.BLUE, marker="", lw=1.2)
    top.set(ylabel="loss of the batch (nats)")
    bottom.plot(steps, rates, color=view.VERMILLION, marker="")
    bottom.set(xlabel="step", ylabel="share of the\nhighest learning rate", ylim=(0, 1.05))
    ends = f"the loss goes from {losses[0]:.2f} to {losses[-1]:.2f}"
    return view.Picture(fig, f"{said}. In {len(losses)} steps {ends}.")


def lengths(board: Board, parts: Record) -> view.Picture:
    """Trainings of 1 to 16 epochs, the speed run's and ResNet-20's, by the seconds of a quiet core."""
    fig, axis = view.figure(size=(9, 4))
    said = []
    for index, (name, by_epochs) in enumerate(parts.results["lengths"].items()):
        seconds = [int(epochs) * 4000 / board[name]["images/s in training"] for epochs in by_epochs]
        runs = [[100 * value for value in seeds] for seeds in by_epochs.values()]
        look = {"color": f"C{index}", "marker": "os"[index]}
        axis.plot(seconds, list(map(mean, runs)), label=short(name), **look)
        axis.fill_between(seconds, list(map(min, runs)), list(map(max, runs)), color=look["color"], alpha=0.2, lw=0)
        said.append([f"{mean(run):.1f} % after {time:.0f} s" for run, time in zip(runs, seconds, strict=True)])
    title = f"The speed run: {said[0][3]}. ResNet-20: {said[1][4]}"
    axis.set(xlabel="seconds of training on one core", ylabel="accuracy (%)", title=title)
    view.log_axis(axis, "x")
    axis.legend(loc="lower right")
    listed = "; ".join(f"{name} {', '.join(ends)}" for name, ends in zip(("speed run", "ResNet-20"), said, strict=True))
    return view.Picture(fig, f"{title}. Trainings of 1, 2, 4, 8 and 16 epochs, means of three seeds: {listed}.")


PARTS = {  # as the record calls them, and as the lesson does
    "whitening": "whitening",
    "identity": "identity",
    "fast shifts": "fast biases",
    "smoothing": "smoothing",
    "turns": "alternating flips",
    "lookahead": "lookahead",
}


def without(by_part: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Accuracies in percent, by seed, of the whole recipe and without each of its parts."""
    found = {part: [100 * value for value in values] for part, values in by_part.items()}
    return {"whole": found.pop("none")} | {f"without {PARTS[part]}": values for part, values in found.items()}


def changes(found: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Points more than the whole recipe, by seed, of each recipe that lacks a part."""
    whole = found["whole"]
    return {
        name: [value - of for value, of in zip(values, whole, strict=True)]
        for name, values in found.items()
        if name != "whole"
    }


def two_errors(found: Mapping[str, Sequence[float]]) -> float:
    """Two standard errors of a difference between two of the means, by how far the seeds of one recipe lie apart."""
    return 2 * (mean(map(variance, found.values())) * 2 / len(found["whole"])) ** 0.5


def shown(found: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The mean changes that all seeds agree about and that exceed two standard errors."""
    agreed = {name: points for name, points in changes(found).items() if min(points) > 0 or max(points) < 0}
    return {name: mean(points) for name, points in agreed.items() if abs(mean(points)) > two_errors(found)}


def left_out(by_images: Mapping[str, Mapping[str, Sequence[float]]]) -> view.Picture:
    """What the recipe reads without each of its parts, less what it reads whole: a panel for each kind of images."""
    names = list(dict.fromkeys(name for found in by_images.values() for name in changes(found)))
    seen = {
        images: [f"{name} {points:+.1f}" for name, points in shown(found).items()]
        for images, found in by_images.items()
    }
    said = "; ".join(f"on {images} {', '.join(parts) or 'none'}" for images, parts in seen.items())
    title = f"More than two standard errors: {said}"
    size = (4.4 + 3 * len(by_images), 0.42 * len(names) + 1.7)
    fig, axes = view.figure(1, len(by_images), size=size, sharex=True, sharey=True, squeeze=False, title=title)
    listed = []
    for axis, (images, found) in zip(axes.flat, by_images.items(), strict=True):
        least = two_errors(found)
        axis.axvspan(-least, least, color="#E4E4E4", lw=0)
        axis.axvline(0, color=view.GREY, lw=1)
        for name, points in changes(found).items():
            row = names.index(name)
            axis.plot(points, [row] * len(points), "o", color=f"C{row}", ms=7, mfc="none", mew=1.6)
            axis.plot(mean(points), row, "|", color=f"C{row}", ms=18, mew=3)
            listed.append(f"{images}, {name}: {mean(points):+.2f} (from {min(points):+.2f} to {max(points):+.2f})")
        axis.set_title(f"{images}: whole {mean(found['whole']):.1f} %", loc="center", weight="normal", size=10)
        axis.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
        axis.set(xlabel="points more than the whole recipe")
        axis.grid(False, axis="y")
    bands = "; ".join(f"{images} {two_errors(found):.2f}" for images, found in by_images.items())
    alt = f"{title}. Points more than the whole recipe: {'; '.join(listed)}. Two standard errors: {bands}."
    return view.Picture(fig, alt)


def gains(reads: Mapping[str, float]) -> dict[str, float]:
    """Points that the recipe gives each network, in place of SGD in the same batches."""
    return {name: reads[f"{name}, recipe"] - reads[f"{name}, SGD"] for name in ("SpeedNet", "ResNet-20")}


def crossed(reads: Mapping[str, float], epochs: int, batch_size: int, guess: object) -> view.Picture:
    """Two networks and two recipes, each with each."""
    said = ", ".join(f"{name} {points:+.1f}" for name, points in gains(reads).items())
    picture = view.dots(
        {name: [value] for name, value in reads.items()},
        label=f"accuracy on test images after {epochs} passes in batches of {batch_size}, unless named (%)",
        title=f"The recipe instead of SGD, in points: {said}",
    )
    return view.predicted(picture, guess)


def photographs(wide: Record, other: Record, averaged: Record) -> Table:
    """The speed run and ResNet-20 on CIFAR-10's photographs, both tested with the same two views of each image."""
    rows = [
        [f"speed run, seed {seed}", len(run["train"]), f"{run['seconds']:,.0f} on two cores", f"{run['held_out']:.1%}"]
        for seed, run in enumerate(wide.results["runs"])
    ]
    epochs = len(other.results["history"])
    rows.append(["ResNet-20", epochs, f"{other.seconds:,} on one core", f"{averaged.results['two']:.1%}"])
    return Table(["training", "epochs", "seconds", "held-out photographs, two views of each"], rows)


def figures(
    board: Board,
    cut_short: Mapping[str, Sequence[float]],
    own: Mapping[str, Sequence[float]],
    by_images: Mapping[str, Mapping[str, Sequence[float]]],
    reads: Mapping[str, float],
    averaged: Record,
) -> dict[str, object]:
    """The figures of the claims that the lesson measures."""
    later = [place for place, name in enumerate(board) if name.startswith(LATER)]
    whole, cut, other = map(mean, cut_short.values())
    _, _, resnet, mobilenet = map(mean, own.values())
    return parts_left_out(by_images) | {
        "later": (sum(place < len(board) / 2 for place in later), len(later)),
        "passes": (cut - other, whole - other, resnet - mobilenet),
        "recipe": tuple(gains(reads).values()),
        "averaging": (100 * averaged.results["one"], 100 * averaged.results["six"]),
    }


def parts_left_out(by_images: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, tuple[float, ...]]:
    """By the claim about each part: the mean change without it and two standard errors, for each kind of images."""
    found: dict[str, tuple[float, ...]] = {}
    for accuracies in by_images.values():
        for name, points in changes(accuracies).items():
            claim = name.split()[-1]  # "without fast biases" is the claim "biases"
            found[claim] = (*found.get(claim, ()), mean(points), two_errors(accuracies))
    return found
