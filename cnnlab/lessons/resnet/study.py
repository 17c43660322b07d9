"""Lesson 06, ResNet: what its records say, and the lesson's own tables and pictures."""

from collections.abc import Mapping, Sequence
from statistics import mean, median

from cnnlab import view
from cnnlab.lessons.records import record
from cnnlab.table import Table

Runs = Mapping[str, Sequence[Mapping]]  # the results of the record "degradation": the runs of each network, by seed

PHOTOGRAPHS = ("plain20", "plain56", "resnet56")  # by one recipe, for 60 epochs


def accuracies(runs: Runs, name: str, part: str = "train") -> list[list[float]]:
    """The accuracy after each epoch, a list for each seed; percent. part: "train" or "test"."""
    return [[100 * epoch[f"{part}_accuracy"] for epoch in run["history"]] for run in runs[name]]


def known(runs: Runs, name: str) -> list[float]:
    """The accuracy on the training images after the training, for each seed; percent."""
    return [100 * run["train"]["accuracy"] for run in runs[name]]


def after_eight_epochs(runs: Runs) -> view.Picture:
    """How plain networks of four depths get to know their training images."""
    depths = (20, 32, 44, 56)
    ends = [mean(known(runs, f"plain{depth}, lr 0.1")) for depth in (depths[0], depths[-1])]
    return view.lines(
        {f"{depth} layers": accuracies(runs, f"plain{depth}, lr 0.1") for depth in depths},
        x="epoch",
        y="accuracy on training images (%)",
        title=f"Plain networks after 8 epochs: {ends[0]:.0f} % with 20 layers, {ends[1]:.0f} % with 56",
    )


def all_ends(runs: Runs) -> view.Picture:
    """What every recorded network knows of its training images after eight epochs."""
    names = [f"{kind}{depth}, lr 0.1" for depth in (20, 32, 44, 56) for kind in ("plain", "resnet")]
    names += ["plain56, lr 0.02", "resnet56, lr 0.02"]
    lowest = {
        kind: min(mean(known(runs, name)) for name in names if name.startswith(kind)) for kind in ("plain", "res")
    }
    return view.dots(
        {name: known(runs, name) for name in names},
        label="accuracy on training images after 8 epochs (%)",
        limits=(0, 104),
        title=f"The worst plain network knows {lowest['plain']:.0f} % of its images, the worst residual one"
        f" {lowest['res']:.0f} %",
    )


def first_half(runs: Runs) -> dict[str, list[int | None]]:
    """The epoch after which a run knew half of its training images; None where it never did. A number for each seed."""
    found = {}
    for name in runs:
        epochs = [[i for i, value in enumerate(run, 1) if value > 50] for run in accuracies(runs, name)]
        found[name] = [each[0] if each else None for each in epochs]
    return found


def when(runs: Runs) -> Table:
    """`first_half` of plain and residual networks at the same depths and the same learning rate."""
    half = {
        name: ", ".join("–" if epoch is None else str(epoch) for epoch in found)
        for name, found in first_half(runs).items()
    }
    depths = (20, 32, 44, 56)
    rows = [[f"{depth}", half[f"plain{depth}, lr 0.1"], half[f"resnet{depth}, lr 0.1"]] for depth in depths]
    title = "The epoch in which half of the training images are known, for three seeds (–: not within 8)"
    return Table(["layers", "plain", "residual"], rows, title)


def explore(runs: Runs) -> view.Explorer:
    """Each recorded network beside the residual one of 20 layers."""

    def trained(depth: int = 44, shortcuts: bool = False, images: str = "training") -> view.Picture:
        part = {"training": "train", "test": "test"}[images]
        name = f"{'resnet' if shortcuts else 'plain'}{depth}, lr 0.1"
        values = accuracies(runs, name, part)
        ends = [run[-1] for run in values]
        picture = view.lines(
            {name: values, "resnet20, lr 0.1": accuracies(runs, "resnet20, lr 0.1", part)},
            x="epoch",
            y=f"accuracy on {images} images (%)",
            title=f"{depth} layers {'with' if shortcuts else 'without'} shortcuts end between {min(ends):.0f} and"
            f" {max(ends):.0f} %",
        )
        picture.figure.axes[0].set_ylim(0, 104)
        return picture

    return view.explore(trained, depth=[20, 32, 44, 56], shortcuts=False, images=["training", "test"])


def photographs() -> dict[str, list[float]]:
    """Accuracy on CIFAR-10's training photographs by epoch, while it was trained; percent."""
    return {
        name: [100 * epoch["train_accuracy"] for epoch in record(f"{name}-60-epochs").results["history"]]
        for name in PHOTOGRAPHS
    }


def at_the_end() -> tuple[dict[str, float], dict[str, float]]:
    """What these networks know at the end of 5,000 of their photographs as they are, and of 5,000 held out; percent."""
    ends = {name: record(f"{name}-60-epochs").results["on_the_way"]["60"] for name in PHOTOGRAPHS}
    known, held_out = (
        {name: 100 * end[part]["accuracy"] for name, end in ends.items()} for part in ("learnt", "held_out")
    )
    return known, held_out


def chains(without: Sequence[float], with_shortcut: Sequence[float], title: str) -> view.Picture:
    """The gradient on its way back through a chain of blocks, without shortcuts and with them."""
    return view.lines(
        {"y = F(x)": list(without), "y = F(x) + x": list(with_shortcut)},
        x="blocks between the loss and the place of the gradient",
        y="size of the gradient",
        log="y",
        title=title,
    )


def added(shares: Mapping[str, Sequence[float]]) -> view.Picture:
    """How much each block of a network adds to what it is given: a line for each network."""
    middle = ", ".join(f"{name} {median(values):.0%}" for name, values in shares.items())
    picture = view.lines(
        {name: list(values) for name, values in shares.items()},
        x="block",
        y="size of F(x) / size of x",
        title=f"What the median block adds to its input: {middle}",
    )
    picture.figure.axes[0].set_ylim(bottom=0)
    picture.figure.axes[0].xaxis.get_major_locator().set_params(integer=True)
    return picture


def removed(left: Mapping[str, Sequence[float]]) -> view.Picture:
    """The share of its accuracy that each network keeps when one of its blocks is missing; percent."""
    kept = ", ".join(f"{name} {mean(values):.0f} %" for name, values in left.items())
    title = f"Accuracy kept on average: {kept}"
    return view.dots(left, label="accuracy with one block missing / with all (%)", limits=(0, 115), title=title)
