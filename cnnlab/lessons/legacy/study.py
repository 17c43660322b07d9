"""Lesson 09, ResNet's legacy: what the lesson and its records measure."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from statistics import mean, median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from cnnlab import measure, models, view
from cnnlab.lessons import rates
from cnnlab.lessons.records import Record
from cnnlab.models.preact_resnet import PreActResNet
from cnnlab.models.resnet import Bottleneck, Norm, PadShortcut, ResNet
from cnnlab.table import Table


class Block(nn.Module):
    """Two 3x3 convolutions, two batch norms, one sum with option A's shortcut: what each subclass puts in order."""

    def __init__(
        self, in_channels: int, channels: int, stride: int = 1, shortcut: str = "A", norm: Norm = nn.BatchNorm2d
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = norm(channels), norm(channels)
        same = stride == 1 and in_channels == channels
        self.shortcut = nn.Identity() if same else PadShortcut(channels - in_channels, stride)


class Original(Block):
    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x)))))
        return torch.relu(self.shortcut(x) + y)


class NormAfterSum(Block):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(torch.relu(self.norm1(self.conv1(x))))
        return torch.relu(self.norm2(self.shortcut(x) + y))


class ReluBeforeSum(Block):
    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x))))))
        return self.shortcut(x) + y


class ReluFirst(Block):
    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(torch.relu(x))))))
        return self.shortcut(x) + y


class PreActivation(Block):
    def __init__(self, in_channels: int, channels: int, *options: object) -> None:
        super().__init__(in_channels, channels, *options)
        self.norm1 = type(self.norm2)(in_channels)  # it now stands before the first convolution

    def residual(self, x: Tensor) -> Tensor:
        return self.conv2(torch.relu(self.norm2(self.conv1(torch.relu(self.norm1(x))))))

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.residual(x)


ORDERS: dict[str, type[Block]] = {  # as in Fig. 4 of He et al. 2016
    "original": Original,
    "norm after the sum": NormAfterSum,
    "ReLU before the sum": ReluBeforeSum,
    "ReLU first": ReluFirst,
    "pre-activation": PreActivation,
}


def stacked(block: type[Block], n: int, width: int) -> ResNet:
    """6n + 2 layers of one of these blocks, for images of 32x32; pre-activation ends with norm and ReLU."""
    return _network(PreActResNet if block is PreActivation else ResNet, block, n, width)


def bottlenecks(cardinality: int, path_width: int, n: int = 2, width: int = 32) -> ResNet:
    """Three stages of n bottlenecks of so many paths of so many channels: 9n + 2 layers for images of 32x32."""
    ratio = cardinality * path_width / width
    return _network(ResNet, partial(Bottleneck, ratio=ratio, groups=cardinality), n, width)


def _network(network: type[ResNet], block: Callable[..., nn.Module], n: int, width: int) -> ResNet:
    model = network(block, (n, n, n), width, small_images=True, shortcut="A", num_classes=10)
    model.stem.conv.stride = (2, 2)  # a quarter of the work, in all networks alike
    return model


# What the lesson compares, all at nearly the same mult-adds: by name, what makes the network.
TWINS: dict[str, Callable[[], ResNet]] = {
    "pre-activation, 26 × 6": partial(stacked, PreActivation, 4, 6),
    "original, 26 × 6": partial(stacked, Original, 4, 6),
    "pre-activation, 8 × 13": partial(stacked, PreActivation, 1, 13),
    "ReLU before the sum, 26 × 6": partial(stacked, ReluBeforeSum, 4, 6),
    "norm after the sum, 26 × 6": partial(stacked, NormAfterSum, 4, 6),
    "pre-activation, 56 × 4": partial(stacked, PreActivation, 9, 4),
}


def path_width(channels: int, cardinality: int) -> int:
    """The whole d for which that many paths of d channels cost what one of channels / 4 costs, as near as can be."""
    return min(range(1, channels), key=lambda d: abs(_weights(channels, cardinality, d) - _weights(channels)))


def _weights(channels: int, cardinality: int = 1, d: int | None = None) -> int:
    """The weights of a bottleneck's three convolutions, which are also its mult-adds at one position."""
    d = d or channels // 4
    return cardinality * d * (2 * channels + 9 * d)


def fitted(block: str, width: int, cardinality: int = 1, budget: float = 2e6) -> tuple[ResNet, int]:
    """The network whose depth comes nearest to a budget of mult-adds on 32x32 images, and its layers.

    block: "basic" for pre-activation blocks, or "bottleneck", whose paths have the width that keeps a block's cost.
    There is at least one block in each stage, whatever it costs.
    """

    def make(n: int) -> ResNet:
        if block == "basic":
            return stacked(PreActivation, n, width)
        return bottlenecks(cardinality, path_width(width, cardinality), n, width)

    one, two = (measure.cost(make(n), (3, 32, 32)).macs for n in (1, 2))
    n = 1 + max(0, round((budget - one) / (two - one)))
    return make(n), (6 if block == "basic" else 9) * n + 2


class _Sums(TorchDispatchMode):
    """Counts the additions of one feature map to another."""

    count = 0

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if op.overloadpacket in (torch.ops.aten.add, torch.ops.aten.add_):
            shapes = [a.shape for a in args if isinstance(a, Tensor)]
            self.count += len(shapes) == 2 and shapes[0] == shapes[1] and len(shapes[0]) > 2
        return op(*args, **(kwargs or {}))


def sums(name: str) -> int:
    """How many times a network of the course adds two feature maps, for an image of 224x224.

    >>> sums("resnet50"), sums("vgg16")
    (16, 0)
    """
    with torch.device("meta"), torch.no_grad(), _Sums() as counted:
        models.get_model(name).eval()(torch.zeros(2, 3, 224, 224))  # two images, so that a position's vector is no map
    return counted.count


LATER = (  # the course's networks for ImageNet since ResNet, one of each family
    ("wide_resnet50_2", 2016),
    ("resnext50_32x4d", 2016),
    ("densenet201", 2016),
    ("mobilenet_v1", 2017),
    ("nasnet_a_mobile", 2017),
    ("mobilenet_v2", 2018),
    ("efficientnet_b0", 2019),
    ("vit_b_16", 2020),
    ("convnext_base", 2022),
)


# ---- What the lesson shows ----

MEASURED = (1, 3, 9, 18, 27)  # blocks after which the gradient is measured
Runs = Mapping[str, Sequence[Sequence[float]]]  # by name: a list of values for each seed


def on_the_shortcut(altogether: Runs, alone: Runs) -> view.Picture:
    """What comes back of the gradient through a chain of blocks: altogether, and by the shortcuts alone."""
    figure, axes = view.figure(1, 2, size=(11, 3.9))
    for axis, values, title in zip(axes, (altogether, alone), ("altogether", "by the shortcuts alone"), strict=True):
        for name, runs in values.items():
            typical = [mean(at) for at in zip(*runs, strict=True)]
            (line,) = axis.plot(MEASURED, typical, label=name)
            low, high = ([pick(at) for at in zip(*runs, strict=True)] for pick in (min, max))
            axis.fill_between(MEASURED, low, high, color=line.get_color(), alpha=0.2, lw=0)
        axis.set(xlabel="blocks passed", xticks=MEASURED, yscale="log", title=title)
    axes[0].set(ylabel="gradient (times what entered)")
    axes[0].legend(title="on each shortcut")
    half, free = (mean(run[-1] for run in altogether[name]) for name in ("a half", "nothing"))
    lost = mean(run[-1] for run in alone["a half"])
    title = (
        f"A half on each shortcut: {lost:.0e} comes back by the shortcuts, in all {half / free:,.0f} times what free"
    )
    title += " ones let back"
    view.entitle(figure, title)
    listed = "; ".join(
        f"{name} {mean(run[-1] for run in altogether[name]):.2g} and {mean(run[-1] for run in alone[name]):.2g}"
        for name in altogether
    )
    return view.Picture(figure, f"{title}. After the last block, altogether and by the shortcuts alone: {listed}.")


def without_norms(altogether: Runs, bare: Runs) -> Table:
    """What comes back past all blocks, with batch norm and without: the middle one of the seeds."""
    rows = []
    for name, runs in bare.items():
        middle = (median(run[-1] for run in each) for each in (altogether[name], runs))
        rows.append([name, *(f"{value:,.0f}" for value in middle)])
    return Table(
        ["on each shortcut", "with batch norm", "without"], rows, "Gradient past 27 blocks, times what entered"
    )


def tested(record: Record, *names: str) -> dict[str, list[float]]:
    """The accuracy on test images at the end of each recorded training; percent, a number for each seed."""
    return {name: [100 * run["test"] for run in record.results[name]["runs"]] for name in names}


def spreads(values: Mapping[str, Sequence[float]]) -> tuple[float, float]:
    """How far the means of several networks lie apart, and the seeds of one network at most.

    >>> spreads({"one": [90, 92], "other": [94, 95]})
    (3.5, 2)
    """
    means = [mean(each) for each in values.values()]
    return max(means) - min(means), max(max(each) - min(each) for each in values.values())


def ends(record: Record, names: Sequence[str], what: str) -> view.Picture:
    """The test accuracies of recorded networks, a circle for each seed. what: begins the title."""
    values = tested(record, *names)
    between, within = spreads(values)
    title = f"{what}: means {between:.1f} points apart, the seeds of one network up to {within:.1f}"
    return view.dots(values, label="accuracy on 2,000 test images (%)", title=title)


def best(record: Record, name: str) -> float:
    """The accuracy on validation images at the best of the learning rates that a network has tried, with one seed."""
    return max(record.results[name]["validation"])


def tried(record: Record, names: Sequence[str]) -> Table:
    """The learning rates that were tried for each network, and what they gave on validation images."""
    results = {name: record.results[name] for name in names}
    reached = {name: dict(zip(each["rates"], each["validation"], strict=True)) for name, each in results.items()}
    chosen = {name: max(values, key=values.get) for name, values in reached.items()}
    shown = {name: {lr: f"{values[lr]:.1%}" for lr in sorted(values)} for name, values in reached.items()}
    caption = "Accuracy on 1,000 validation images after ten epochs, by learning rate (seed 0)"
    return rates.table(shown, chosen, caption)


def prices(names: Sequence[str]) -> Table:
    """Layers, parameters and mult-adds of the lesson's twins."""
    rows = []
    for name in names:
        net = TWINS[name]()
        cost = measure.cost(net, (3, 32, 32))
        layers = sum(isinstance(module, (nn.Conv2d, nn.Linear)) for module in net.modules())
        rows.append([name, layers, cost.params, f"{cost.macs / 1e6:.2f}"])
    return Table(["network, width of its first stage", "layers", "parameters", "million mult-adds"], rows)


@cache  # who comes back to a network finds the same numbers
def _spent(block: str, width: int, paths: int) -> tuple[int, dict[str, float]]:
    model, layers = fitted(block, width, paths)
    cost = measure.cost(model, (3, 32, 32))
    speed = measure.throughput(model, (3, 32, 32), batch_size=32, steps=3, precision="fp32").images_per_second
    return layers, {"layers": layers, "parameters": cost.params, "mult-adds": cost.macs, "images a second": speed}


def spend() -> view.Explorer:
    """A budget of two million mult-adds, for a block, a width and a number of paths."""

    def draw(block: str = "basic", width: int = 12, paths: int = 1) -> view.Picture:
        paths = paths if block == "bottleneck" else 1
        layers, here = _spent(block, width, paths)
        usual = _spent("basic", 6, 1)[1]
        times = {what: here[what] / usual[what] for what in usual}
        title = f"{block}, {width} wide{f', {paths} paths' if paths > 1 else ''}: {layers} layers"
        figure, axis = view.figure(size=(8, 2.6), title=title)
        axis.barh(list(times), list(times.values()), color=[view.BLUE] * 3 + [view.ORANGE])
        for row, (what, ratio) in enumerate(times.items()):
            look = {"va": "center", "size": 9, "bbox": {"fc": "white", "ec": "none", "pad": 1}, "zorder": 5}
            axis.annotate(f"{here[what]:,.0f}", (ratio, row), (4, 0), textcoords="offset points", **look)
        axis.axvline(1, color=view.INK, lw=1)
        axis.set(xlabel="times the basic network of width 6", xlim=(0, max(2.2, 1.25 * max(times.values()))))
        axis.invert_yaxis()
        listed = "; ".join(f"{what} {here[what]:,.0f} ({ratio:.2f} times)" for what, ratio in times.items())
        return view.Picture(figure, f"{title}: {listed}.")

    return view.explore(
        draw, block=["basic", "bottleneck"], width=[4, 6, 8, 12, 16, 32, 64], paths=[1, 2, 4, 8, 16, 32]
    )


def layer_prices(seconds: Mapping[tuple[int, str], float], work: Mapping[int, float]) -> view.Picture:
    """What one layer takes at several widths. seconds: by width and what is in the layer; work: its mult-adds."""
    widths = list(work)
    parts = list(dict.fromkeys(part for _, part in seconds))
    figure, axis = view.figure(size=(8, 3.6))
    for part in parts:
        axis.plot(widths, [1000 * seconds[width, part] for width in widths], label=part)
    first, last = widths[0], widths[-1]
    longer = seconds[last, parts[-1]] / seconds[first, parts[-1]]
    title = f"{work[last] / work[first]:,.0f} times the mult-adds of a layer take {longer:.0f} times as long"
    axis.set(xlabel="channels of the layer", ylabel="ms, forward and back", title=title, ylim=(0, None))
    axis.set_xscale("log")
    axis.set_xticks(widths, widths)
    axis.minorticks_off()
    axis.legend()
    listed = "; ".join(f"{part}, {width} channels: {1000 * value:.2f} ms" for (width, part), value in seconds.items())
    return view.Picture(figure, f"{title}. {listed}.")


PAPERS = {  # million parameters, and the error in percent that the papers or torchvision state
    "preact_resnet110": (1.7, "6.37, CIFAR-10"),
    "preact_resnet164": (1.7, "5.46, CIFAR-10"),
    "wrn_16_8": (11.0, "4.27, CIFAR-10"),
    "wrn_28_10": (36.5, "4.00, CIFAR-10"),
    "resnext29_8x64d": (34.4, "3.65, CIFAR-10"),
    "resnet18": (11.7, "30.2, ImageNet"),
    "resnet34": (21.8, "26.7, ImageNet"),
    "resnet50": (25.6, "23.9, ImageNet"),
    "wide_resnet50_2": (68.9, "21.5, ImageNet"),
    "wide_resnet101_2": (126.9, "21.2, ImageNet"),
    "resnext50_32x4d": (25.0, "22.4, ImageNet"),
    "resnext101_32x8d": (88.8, "20.7, ImageNet"),
}


def family(costs: Mapping[str, measure.Cost]) -> Table:
    """The networks of the three papers and the usual baselines, counted, beside what is stated of them."""
    rows = []
    for name, cost in costs.items():
        stated, error = PAPERS[name]
        rows.append([name, cost.params, stated, f"{cost.macs / 1e9:.2f}", error])
    header = ["network", "parameters", "stated (millions)", "billion mult-adds", "reported top-1 error (%)"]
    return Table(header, rows)


def sums_table() -> Table:
    """How many times networks of each year add two feature maps."""
    networks = (("vgg16", 2014), ("googlenet", 2014), ("resnet50", 2015), *LATER)
    return Table(
        ["network", "year", "sums of feature maps"], [[name, str(year), sums(name)] for name, year in networks]
    )
