"""Lesson 10, DenseNet: what the lesson and its records measure, and the lesson's own tables and pictures."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import measure, models, view
from cnnlab.lessons import facts, rates
from cnnlab.models.densenet import DenseLayer, DenseNet, transition
from cnnlab.models.layers import named
from cnnlab.table import Table

# Top-1 accuracy on ImageNet (%).
TOP1 = {
    name: facts.network(name).top1
    for name in (
        *("densenet121", "densenet169", "densenet201"),
        *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    )
}


# Errors on CIFAR-10 with augmentation (%). DenseNets: the README of the authors' code. ResNets: He et al. 2015,
# Table 6; the last He et al. 2016 (pre-activation), Table 4. A name of the registry, its options, the error.
CIFAR_ERRORS = {
    "ResNet-20": ("resnet20", {}, 8.75),
    "ResNet-32": ("resnet32", {}, 7.51),
    "ResNet-44": ("resnet44", {}, 7.17),
    "ResNet-56": ("resnet56", {}, 6.97),
    "ResNet-110": ("resnet110", {}, 6.43),
    "pre-activation ResNet-1001": ("preact_resnet164", {"depths": (111, 111, 111)}, 4.92),
    "DenseNet-40, k 12": ("densenet_40_12", {}, 5.24),
    "DenseNet-100, k 12": ("densenet_40_12", {"depths": (32, 32, 32)}, 4.10),
    "DenseNet-100, k 24": ("densenet_40_12", {"depths": (32, 32, 32), "growth_rate": 24}, 3.74),
    "DenseNet-BC-100, k 12": ("densenet_bc_100_12", {}, 4.51),
    "DenseNet-BC-250, k 24": (
        "densenet_bc_100_12",
        {"depths": (41, 41, 41), "growth_rate": 24, "stem_width": 48},
        3.62,
    ),
    "DenseNet-BC-190, k 40": (
        "densenet_bc_100_12",
        {"depths": (31, 31, 31), "growth_rate": 40, "stem_width": 80},
        3.46,
    ),
}


GROWTH, STEM, DEPTHS, WIDTHS = 6, 12, (6, 6, 6), (13, 21, 27)


def concatenating(**options: object) -> DenseNet:
    """The lesson's twin: three blocks of six layers, growth rate 6, no bottlenecks, no compression."""
    own = {"depths": DEPTHS, "growth_rate": GROWTH, "stem_width": STEM}
    return models.get_model("densenet_40_12_tiny", **own | options)


class AddingBlock(nn.ModuleList):
    """The layers of a dense block, each of whose results is added to its input: (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__(DenseLayer(channels, channels, bottleneck=False, dropout=0.0) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self:
            x = x + layer(x)
        return x


class AddingNet(nn.Module):
    """`concatenating` with sums: the same layers and transitions, WIDTHS channels in the blocks.

    With these widths each block, with the transition before it, has as many weights as its dense twin, to 4 %. The
    mult-adds are a tenth fewer, because a narrower transition has fewer channels to mix on the larger maps.
    """

    def __init__(
        self, num_classes: int = 10, widths: tuple[int, ...] = WIDTHS, depths: tuple[int, ...] = DEPTHS
    ) -> None:
        super().__init__()
        self.stem = named(conv=nn.Conv2d(3, widths[0], 3, padding=1, bias=False))
        self.stages, channels = nn.Sequential(), widths[0]
        for width, depth in zip(widths, depths, strict=True):
            between = transition(channels, width) if len(self.stages) else None
            self.stages.append(named(transition=between, block=AddingBlock(width, depth)))
            channels = width
        self.head = named(
            norm=nn.BatchNorm2d(channels),
            relu=nn.ReLU(inplace=True),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            fc=nn.Linear(channels, num_classes),
        )
        for layer in self.modules():  # as DenseNet
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
            elif isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(x)))


def price(model: nn.Module) -> dict[str, float]:
    """What a network for images of 32 x 32 costs: parameters, mult-adds, and what autograd keeps of one image.

    model: on the meta device; it is left in training mode.
    """
    cost = measure.cost(model, (3, 32, 32))
    kept = measure.kept_bytes(model.train(), torch.zeros(1, 3, 32, 32, device="meta"))
    return {"parameters (M)": cost.params / 1e6, "mult-adds (M)": cost.macs / 1e6, "kept (MiB)": kept / 2**20}


class Reader(NamedTuple):
    """Who reads the maps of a dense block: a layer of it, or what follows it. norm gets them, weight multiplies."""

    name: str
    norm: nn.BatchNorm2d
    weight: Tensor
    sizes: list[int]


def readers(model: DenseNet) -> list[list[Reader]]:
    """For each block its layers, then the transition or the head after it; sizes: channels of each source in turn."""
    result = []
    for index, stage in enumerate(model.stages):
        first = stage.block[0]
        sizes = [first[0].num_features] + [first.conv2.out_channels] * len(stage.block)
        parts = [(f"layer {i}", layer, sizes[:i]) for i, layer in enumerate(stage.block, 1)]
        last = index + 1 == len(model.stages)
        after = ("head", model.head) if last else ("transition", model.stages[index + 1].transition)
        parts.append((*after, sizes))
        found = []
        for name, part, read in parts:
            weight = next(m.weight for m in part if isinstance(m, (nn.Conv2d, nn.Linear)))
            found.append(Reader(name, part[0], weight, read))
        result.append(found)
    return result


def reuse(model: DenseNet) -> list[Tensor]:
    """Fig. 5 of the paper: for each block the mean |weight| that each reader (column) gives to each source (row).

    NaN where a reader cannot see a source. The first row is the block's own input.
    """
    result = []
    for block in readers(model):
        table = torch.full((len(block), len(block)), torch.nan)
        for column, reader in enumerate(block):
            weight = reader.weight.detach().abs()
            for row, part in enumerate(weight.split(reader.sizes, dim=1)):
                table[row, column] = part.mean()
        result.append(table)
    return result


@torch.no_grad()
def missed(model: DenseNet, images: Tensor, labels: Tensor, most: int | None = None) -> list[Tensor]:
    """For each block the rise of the loss (nats) where one reader gets the mean of a source's maps for its maps.

    most: of a source with more maps, only so many are taken away; the mean over four draws.
    """
    model.eval()
    x, result, generator = model.stem(images), [], torch.Generator().manual_seed(0)

    def loss(x: Tensor, stages: nn.Sequential) -> float:
        return F.cross_entropy(model.head(stages(x)), labels).item()

    for index, block in enumerate(readers(model)):
        stages = model.stages[index:]
        whole = loss(x, stages)
        table = torch.full((len(block), len(block)), torch.nan)
        for column, reader in enumerate(block):
            first = 0
            for row, size in enumerate(reader.sizes):
                draws = 4 if most and size > most else 1
                rises = []
                for _ in range(draws):
                    taken = first + torch.randperm(size, generator=generator)[: most or size]
                    hook = reader.norm.register_forward_pre_hook(partial(without, taken))
                    rises.append(loss(x, stages) - whole)
                    hook.remove()
                table[row, column] = sum(rises) / draws
                first += size
        result.append(table)
        x = model.stages[index](x)
    return result


def without(taken: Tensor, norm: nn.Module, inputs: tuple[Tensor]) -> Tensor:
    """A hook before a batch norm: some of the maps that it reads become their mean."""
    maps = inputs[0].clone()
    maps[:, taken] = maps[:, taken].mean((0, 2, 3), keepdim=True)
    return maps


def connected_pairs(model: DenseNet) -> tuple[int, int]:
    """Of all pairs of layers in dense blocks: those where the later reads the maps of the earlier, and all."""
    joined = sum(len(reader.sizes) - 1 for block in readers(model) for reader in block[:-1])
    layers = sum(len(block) - 1 for block in readers(model))
    return joined, layers * (layers - 1) // 2


def connections(layers: int) -> view.Picture:
    """A dense block of up to five layers as a row of boxes, with an arc for each connection."""
    colors = [view.GREY, view.BLUE, view.ORANGE, view.GREEN, view.PURPLE, view.SKY]
    pairs = [(source, reader) for reader in range(1, layers + 1) for source in range(reader)]
    title = f"{layers} layers, and the {len(pairs)} connections of a dense block"
    figure, axis = view.figure(size=(8.5, 2.9), title=title)
    view.blank(axis).set(xlim=(-0.6, layers + 0.6), ylim=(-0.25, 0.27 * layers + 0.25))
    t = torch.linspace(0, torch.pi, 40)
    for source, reader in pairs:
        middle, reach = (source + reader) / 2, (reader - source) / 2
        height = 0.08 + 0.27 * (reader - source)
        axis.plot(middle - reach * t.cos(), 0.1 + height * t.sin(), color=colors[source], marker="", lw=1.6)
    for place in range(layers + 1):
        label = "input" if place == 0 else f"layer {place}"
        box = {"fc": "white", "ec": colors[place], "lw": 2, "boxstyle": "round,pad=0.4"}
        axis.text(place, 0, label, ha="center", va="center", size=9, bbox=box)
    alt = f"A row of {layers + 1} boxes, the input and {layers} layers. From each an arc goes to every later one."
    return view.Picture(figure, f"{alt} {len(pairs)} arcs.")


def accuracy_table(kept: Mapping[str, int]) -> Table:
    """The networks of TOP1 with their accuracies and costs. kept: bytes of one image."""
    rows = []
    for name, amount in kept.items():
        network = facts.network(name)
        macs = f"{network.macs / 1e9:.2f}"
        rows.append([name, f"{TOP1[name]:.1f} %", network.params, macs, f"{amount / 2**20:.0f} MiB"])
    return Table(["network", "top-1", "parameters", "billion mult-adds", "kept for the backward pass"], rows)


def accuracy_figure(kept: Mapping[str, int]) -> view.Picture:
    """Accuracy against parameters, mult-adds and memory, a line for each family."""
    title = "DenseNets need fewer parameters and more memory"
    figure, axes = view.figure(1, 3, size=(10, 3.5), sharey=True, title=title)
    columns = {
        "parameters (millions)": {name: facts.network(name).params / 1e6 for name in kept},
        "mult-adds (billions)": {name: facts.network(name).macs / 1e9 for name in kept},
        "kept for the backward pass (MiB per image)": {name: amount / 2**20 for name, amount in kept.items()},
    }
    for axis, (label, amounts) in zip(axes, columns.items(), strict=True):
        for family, color, marker, line, place in [
            ("densenet", view.BLUE, "o", "-", (-18, 5)),
            ("resnet", view.VERMILLION, "s", "--", (5, -11)),
        ]:
            names = [name for name in amounts if name.startswith(family)]
            heights = [TOP1[name] for name in names]
            axis.plot([amounts[name] for name in names], heights, color=color, marker=marker, ls=line)
            for name, height in zip(names, heights, strict=True):
                number = name.removeprefix(family)
                axis.annotate(number, (amounts[name], height), place, textcoords="offset points", size=8)
        axis.set(xlabel=label, xlim=(0, 1.12 * max(amounts.values())), ylim=(69, 79.2))
    axes[0].set_ylabel("top-1 accuracy (%)")
    axes[0].legend(["DenseNet", "ResNet"], loc="lower right")
    listed = "; ".join(
        f"{name} {TOP1[name]:.1f} %, " + ", ".join(f"{amounts[name]:.3g}" for amounts in columns.values())
        for name in kept
    )
    return view.Picture(figure, f"Top-1 accuracy against {', '.join(columns)}. {listed}.")


def cifar() -> view.Picture:
    """Reported errors on CIFAR-10 against parameters, which are counted here."""
    points = {}
    for label, (name, options, error) in CIFAR_ERRORS.items():
        with torch.device("meta"):
            points[label] = (sum(p.numel() for p in models.get_model(name, **options).parameters()) / 1e6, error)
    size, error = points["DenseNet-BC-100, k 12"]
    worse = [label for label, (_, errors) in points.items() if "ResNet" in label and errors > error]
    return view.scatter(
        points,
        limits=(0.2, 110, 3, 9.2),
        x="parameters (millions)",
        y="errors on CIFAR-10 (%)",
        bold=[label for label in points if label.startswith("DenseNet")],
        title=f"DenseNet-BC-100: fewer errors than {len(worse)} ResNets, with {size:.2f} million parameters",
    )


def growth(kept: Mapping[str, Sequence[float]], depths: Sequence[int]) -> view.Picture:
    """The memory of blocks of more and more layers (MiB); the title says what the last doubling does."""
    times = ", ".join(f"{name} × {amounts[-1] / amounts[-2]:.1f}" for name, amounts in kept.items())
    title = f"Twice the layers: {times}"
    picture = view.lines(kept, at=depths, x="layers in the block", y="kept (MiB per image)", log="xy", title=title)
    picture.figure.axes[0].set_xticks(depths, depths)
    picture.figure.axes[0].set_xticks([], minor=True)
    return picture


def design(
    growth_rate: int = 12, layers: int = 12, compression: float = 1.0, bottleneck: bool = False
) -> tuple[DenseNet, dict[str, float]]:
    """A DenseNet for CIFAR, without numbers, and its `price`."""
    options = {"growth_rate": growth_rate, "compression": compression, "bottleneck": bottleneck}
    with torch.device("meta"):
        network = models.get_model("densenet_40_12", depths=(layers,) * 3, **options)
    return network, price(network)


def explore() -> view.Explorer:
    """What the layers of a DenseNet read and make, and what it costs beside ResNet-56."""
    with torch.device("meta"):
        resnet56 = price(models.get_model("resnet56"))

    def drawn(
        growth_rate: int = 12, layers: int = 12, compression: float = 1.0, bottleneck: bool = False
    ) -> view.Picture:
        network, cost = design(growth_rate, layers, compression, bottleneck)
        reads = [sum(reader.sizes) for block in readers(network) for reader in block[:-1]]
        title = f"{max(reads)} maps read at most, {growth_rate} made by each layer"
        figure, (left, right) = view.figure(1, 2, size=(10, 3.5), width_ratios=[3, 2], title=title)
        places = range(1, len(reads) + 1)
        left.bar(places, reads, color="#C8C8C8", label="reads")
        left.bar(places, growth_rate, bottom=reads, color=view.BLUE, label="makes")
        left.set(xlabel="layer, three blocks in a row", ylabel="maps")
        left.legend(loc="upper left")
        times = [cost[name] / resnet56[name] for name in cost]
        right.barh(range(3), times, color=[view.GREEN, view.ORANGE, view.VERMILLION])
        right.axvline(1, color=view.INK, ls="--", lw=1, marker="")
        labels = [f"{name.split(' (')[0]}\n{amount:.3g} {name.split('(')[1][:-1]}" for name, amount in cost.items()]
        right.set(xlim=(0, 1.1 * max(1, *times)), yticks=range(3), yticklabels=labels, xlabel="times ResNet-56")
        right.invert_yaxis()
        listed = ", ".join(f"{name} {amount:.3g}" for name, amount in cost.items())
        return view.Picture(figure, f"Layers read {reads[0]} to {max(reads)} maps and make {growth_rate}. {listed}.")

    return view.explore(drawn, growth_rate=(4, 40, 4), layers=(2, 16), compression=[1.0, 0.5], bottleneck=False)


def designs(settings: Mapping[str, Mapping[str, object]]) -> Table:
    """The prices of some designs, by name."""
    prices = {name: design(**options)[1] for name, options in settings.items()}
    rows = [[name, *(f"{amount:.3g}" for amount in price.values())] for name, price in prices.items()]
    return Table(["DenseNet", *next(iter(prices.values()))], rows)


def kept_table(networks: Mapping[str, nn.Module], kept: Mapping[str, float]) -> Table:
    """Parameters, and what each network keeps of an image (MiB)."""
    params = {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()}
    rows = [[name, params[name], f"{amount:.2f} MiB"] for name, amount in kept.items()]
    return Table(["network", "parameters", "kept of each image"], rows)


def recovered_table(shares: Mapping[str, Sequence[float]]) -> Table:
    """How much of a block's input a linear layer finds in its output (%), for each block."""
    rows = [[name, *(f"{share:.0f} %" for share in blocks)] for name, blocks in shares.items()]
    return Table(["found again", *(f"block {block}" for block in (1, 2, 3))], rows)


Results = Mapping[str, Sequence[Mapping]]  # of the record "densenet_and_resnet": the runs of each network, by seed


def recorded(results: Results, what: str) -> dict[str, list[list[float]]]:
    """Of each network "train_accuracy" or "test_accuracy" after each epoch, a list for each seed; percent."""
    return {name: [[100 * epoch[what] for epoch in run["history"]] for run in runs] for name, runs in results.items()}


def after_four_epochs(results: Results) -> view.Picture:
    """How the recorded networks get to know their training images: 4,000 of them in batches of 64."""
    return view.in_training(recorded(results, "train_accuracy"), f"After {4 * 63} steps, in training")


def rates_tried(flat: Mapping[str, Mapping]) -> Table:
    """Of the record "twins_until_flat": what each network reached at each of its rates, and which one was chosen."""
    reached = {
        name: {float(lr): f"{run['validation'][-1]:.0%}" for lr, run in of["tried"].items()}
        for name, of in flat.items()
    }
    chosen = {name: of["chosen"] for name, of in flat.items()}
    return rates.table(reached, chosen, "Accuracy on 500 validation images, by learning rate (seed 0)")


def tested(flat: Mapping[str, Mapping]) -> dict[str, list[float]]:
    """Of the record "twins_until_flat": accuracy on test images for each seed at the chosen rate; percent."""
    return {name: [100 * run["test"] for run in of["seeds"]] for name, of in flat.items()}


def flat_figure(flat: Mapping[str, Mapping]) -> view.Picture:
    """`tested`, a circle for each seed."""
    reached = tested(flat)
    means = {name: sum(values) / len(values) for name, values in reached.items()}
    resnet = means.pop("ResNet")
    title = f"At the end: ResNet {resnet:.0f} %, the twins {min(means.values()):.0f} to {max(means.values()):.0f} %"
    return view.dots(reached, label="accuracy on 2,000 test images (%)", title=title)


def at_the_end(reached: Mapping[str, Sequence[float]], images: int) -> view.Picture:
    """Accuracies on test images after the training (%)."""
    ends = ", ".join(f"{name} {sum(values) / len(values):.1f} %" for name, values in reached.items())
    return view.dots(reached, label=f"accuracy on {images:,} test images (%)", title=f"At the end: {ends}")


Tables = Sequence[Tensor]  # of a network: for each block what each reader (column) has to do with each source (row)


def inside(results: Results, what: str) -> list[list[Tensor]]:
    """Of the dense twin's seeds: "untrained" or "trained" weights, or what is "missed"; NaN where nothing is read."""
    return [
        [torch.tensor([[torch.nan if v is None else v for v in row] for row in table]) for table in run[what]]
        for run in results["concatenation"]
    ]


def relative(tables: Tables) -> list[Tensor]:
    """Each column divided by its mean."""
    return [table / table.nanmean(0) for table in tables]


def relative_by_seed(results: Results) -> dict[str, list[list[Tensor]]]:
    """`relative` tables of the recorded dense twins, before and after their training."""
    return {name: [relative(tables) for tables in inside(results, name)] for name in ("untrained", "trained")}


def spread(runs: Mapping[str, Sequence[Tables]]) -> dict[str, list[float]]:
    """Of `relative` tables by seed: how far from 1 the furthest value is, for each block."""
    return {
        name: [
            round(max((table[~table.isnan()] - 1).abs().max().item() for table in block), 2)
            for block in zip(*seeds, strict=True)
        ]
        for name, seeds in runs.items()
    }


def least_for_the_input(runs: Sequence[Tables]) -> int:
    """In how many columns of blocks 2 and 3 the block's input gets the least weight, but for those that read nothing
    else."""
    tables = [table for run in runs for table in run[1:]]
    return sum((table[:, 1:].nan_to_num(torch.inf).argmin(0) == 0).sum().item() for table in tables)


def mean_of(runs: Sequence[Tables]) -> list[Tensor]:
    return [torch.stack(block).mean(0) for block in zip(*runs, strict=True)]


def missed_most(missed: Sequence[Tables]) -> view.Picture:
    """How far the loss rises where a reader of blocks 2 and 3 misses a source: the mean of each network."""
    rows = {"the block's input": slice(0, 1)}
    rows |= {f"layers {row} and {row + 1}": slice(row, row + 2) for row in (1, 3, 5)}
    rises = {
        name: [torch.cat([table[row, 1:].flatten() for table in tables[1:]]).nanmean().item() for tables in missed]
        for name, row in rows.items()
    }
    most = max(rises, key=lambda name: sum(rises[name]))
    title = f"A reader misses most: {most}"
    return view.dots(rises, label="rise of the loss where one reader misses one source (nats)", title=title)


def rises(all_maps: Tables, six_maps: Tables) -> dict[str, float]:
    """How far the loss rises where a reader of blocks 2 and 3 misses all or six maps of the input, or a layer's six."""

    def mean(tables: Tables, rows: slice) -> float:
        return torch.cat([table[rows, 1:].flatten() for table in tables[1:]]).nanmean().item()

    found = {"the whole input": mean(all_maps, slice(0, 1)), "six maps of the input": mean(six_maps, slice(0, 1))}
    return found | {"the six maps of a layer": mean(all_maps, slice(1, None))}


def rises_table(all_maps: Tables, six_maps: Tables) -> Table:
    rows = [[name, f"{rise:.3f}"] for name, rise in rises(all_maps, six_maps).items()]
    return Table(["a reader misses", "rise of the loss (nats)"], rows)


def rank_correlation(tables: Tables, others: Tables) -> float:
    """Spearman's, over all pairs of source and reader."""
    ranks = [torch.cat([t[~t.isnan()] for t in each]).argsort().argsort().double() for each in (tables, others)]
    return torch.corrcoef(torch.stack(ranks))[0, 1].item()


def heat(rows: Mapping[str, Tables], title: str, label: str, **look: object) -> view.Picture:
    """Tables of the three blocks, a row of them for each name; T and H are the transition and the head."""
    figure, axes = view.figure(len(rows), 3, size=(9.5, 2.9 * len(rows)), title=title, squeeze=False)
    for line, (name, tables) in zip(axes, rows.items(), strict=True):
        for block, (axis, table) in enumerate(zip(line, tables, strict=True), 1):
            shown = axis.imshow(table, **({"cmap": "viridis"} | look))
            axis.grid(False)
            axis.set_title(f"{name}, block {block}", size=10)
            axis.set_xticks(range(7), [*"123456", "H" if block == 3 else "T"])
            axis.set_yticks(range(7), ["in", *"123456"])
        line[0].set_ylabel("made by layer")
    for axis in axes[-1]:
        axis.set_xlabel("read by layer")
    figure.colorbar(shown, ax=axes, label=label)
    ends = []
    for name, tables in rows.items():
        values = torch.cat([table[~table.isnan()] for table in tables])
        ends.append(f"{name}: from {values.min():.3f} to {values.max():.3f}")
    return view.Picture(figure, f"{title}. {label}, three blocks of 7 sources and 7 readers. {'; '.join(ends)}.")


def reuse_figure(rows: Mapping[str, Tables]) -> view.Picture:
    title = "Trained or not: the weights fade from layer 1 to layer 6"
    return heat(rows, title, "mean |weight|", vmin=0, vmax=0.4)


def relative_figure(by_seed: Mapping[str, Sequence[Tables]]) -> view.Picture:
    """The mean of `relative` tables over the seeds."""
    changed = spread(by_seed)["trained"]
    title = f"Within the columns, training changes block {1 + changed.index(max(changed))} most"
    means = {name: mean_of(seeds) for name, seeds in by_seed.items()}
    return heat(means, title, "|weight| / its column's mean", vmin=0.5, vmax=1.5, cmap="PuOr_r")
