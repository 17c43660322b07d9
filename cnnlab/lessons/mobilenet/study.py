"""Lesson 11, MobileNet: what the lesson and its records measure, and the lesson's own tables and pictures."""

import copy
import ctypes
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import measure, models, training, view
from cnnlab.device import Precision, autocast, one_thread
from cnnlab.lessons import facts
from cnnlab.lessons.rates import table as table_of_rates
from cnnlab.models.mobilenet import conv_norm_act, initialize
from cnnlab.models.mobilenet_v2 import InvertedResidual
from cnnlab.table import Table

# As printed. Table 2: percent of the mult-adds, percent of the parameters.
TABLE_2 = {
    "1 × 1": (94.86, 74.59),
    "depthwise 3 × 3": (3.06, 1.06),
    "3 × 3": (1.19, 0.02),
    "fully connected": (0.18, 24.33),
}


# Tables 4, 5, 6 and 7: accuracy in percent, mult-adds and parameters in millions; and how the network is built here.
TABLES_4_TO_7 = {
    "Conv MobileNet": (71.7, 4866, 29.3, "conv_mobilenet_v1", {}, 224),
    "MobileNet": (70.6, 569, 4.2, "mobilenet_v1", {}, 224),
    "Shallow MobileNet": (65.3, 307, 2.9, "mobilenet_v1", {"shallow": True}, 224),
    "0.75 MobileNet": (68.4, 325, 2.6, "mobilenet_v1", {"width_mult": 0.75}, 224),
    "0.5 MobileNet": (63.7, 149, 1.3, "mobilenet_v1", {"width_mult": 0.5}, 224),
    "0.25 MobileNet": (50.6, 41, 0.5, "mobilenet_v1", {"width_mult": 0.25}, 224),
    "MobileNet-192": (69.1, 418, 4.2, "mobilenet_v1", {}, 192),
    "MobileNet-160": (67.2, 290, 4.2, "mobilenet_v1", {}, 160),
    "MobileNet-128": (64.4, 186, 4.2, "mobilenet_v1", {}, 128),
}


def kind(layer: nn.Module) -> str:
    """What a layer counts as: one of the rows of Table 2, or a kind of layer that the table leaves out."""
    match layer:
        case nn.Conv2d(kernel_size=(1, 1)):
            return "1 × 1"
        case nn.Conv2d():
            return "depthwise 3 × 3" if layer.groups > 1 else "3 × 3"
        case nn.Linear():
            return "fully connected"
        case nn.BatchNorm2d():
            return "batch norm"
        case nn.ReLU6() | nn.ReLU():
            return "ReLU"
    return "other"


@dataclass(frozen=True)
class Work:
    """What layers do for one image. weights: without biases and batch norm; bytes: read and written in float32."""

    macs: int = 0
    weights: int = 0
    bytes: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(self.macs + other.macs, self.weights + other.weights, self.bytes + other.bytes)


def work(model: nn.Module, size: int) -> dict[str, Work]:
    """The work of each kind of layer for one image of `size` pixels a side.

    A layer reads its input and its parameters and writes its output, once each: 4 bytes a number.
    """
    twin = copy.deepcopy(model).to("meta").eval()
    macs = {layer.name: layer.macs for layer in measure.cost(model, size).layers}
    total: dict[str, Work] = {}

    def add(name: str, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        weights = sum(p.numel() for p in layer.parameters() if p.ndim > 1)
        numbers = inputs[0].numel() + output.numel() + sum(p.numel() for p in layer.parameters())
        total[kind(layer)] = total.get(kind(layer), Work()) + Work(macs.get(name, 0), weights, 4 * numbers)

    for name, layer in twin.named_modules():
        if not list(layer.children()) and not isinstance(layer, nn.Identity):
            layer.register_forward_hook(lambda *call, name=name: add(name, *call))
    with torch.no_grad():
        twin(torch.empty(1, 3, size, size, device="meta"))
    return total


def step(model: nn.Module, images: Tensor, *, training: bool, precision: Precision) -> Callable[[], object]:
    """One step of a network on the processor, to be timed: forward, and where `training` backward."""
    model.to(memory_format=torch.channels_last).train(training)
    images = images.to(memory_format=torch.channels_last)
    labels = torch.zeros(len(images), dtype=torch.long)

    def forward() -> Tensor:
        with autocast(torch.device("cpu"), precision):
            return model(images)

    def train() -> None:
        F.cross_entropy(forward(), labels).backward()
        model.zero_grad()

    return train if training else torch.inference_mode()(forward)


def seconds_by_kind(model: nn.Module, images: Tensor, steps: int = 5) -> dict[str, float]:
    """Core seconds of each kind of layer in one forward pass in float32: of each layer the best of `steps`."""
    model = copy.deepcopy(model)
    started: dict[nn.Module, float] = {}
    best: dict[nn.Module, float] = {}

    def begin(layer: nn.Module, inputs: object) -> None:
        started[layer] = time.process_time()

    def end(layer: nn.Module, inputs: object, output: object) -> None:
        best[layer] = min(best.get(layer, float("inf")), time.process_time() - started[layer])

    for layer in (layer for layer in model.modules() if not list(layer.children())):
        layer.register_forward_pre_hook(begin)
        layer.register_forward_hook(end)
    run = step(model, images, training=False, precision="fp32")
    with one_thread():
        for _ in range(steps):
            run()
    total: dict[str, float] = {}
    for layer, seconds in best.items():
        total[kind(layer)] = total.get(kind(layer), 0.0) + seconds
    return total


def folded(model: nn.Module, fold: Callable[[nn.Conv2d, nn.BatchNorm2d], nn.Conv2d]) -> nn.Module:
    """A copy for use without training, in which `fold` makes one convolution of each and the batch norm after it."""
    model = copy.deepcopy(model).eval()
    for parent in list(model.modules()):
        for first, second in pairwise(list(parent._modules)):
            layer, norm = parent._modules[first], parent._modules[second]
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                parent._modules[first] = fold(layer, norm)
                parent._modules[second] = nn.Identity()
    return model


def bottlenecks(channels: int, *, relu: bool, classes: int = 10) -> nn.Sequential:
    """Five inverted residual blocks of this many channels, for images of 32 pixels.

    relu: whether the narrow end of each block has a ReLU6 too, as it has after its other convolutions.
    """
    blocks = [InvertedResidual(channels, channels, stride, expansion=6) for stride in (1, 2, 1, 2, 1)]
    head = conv_norm_act(channels, 128, kernel_size=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, classes)
    model = nn.Sequential(conv_norm_act(3, channels, kernel_size=3, stride=2), *blocks, *head)
    if relu:
        for block in blocks:
            block.residual.project.append(nn.ReLU6())
    initialize(model)
    return model


# Numbers of glibc's mallopt, and what its own adjustment arrives at once a block of 32 MiB was freed.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4
ADJUSTED = {M_MMAP_MAX: 65536, M_MMAP_THRESHOLD: 32 << 20, M_TRIM_THRESHOLD: 64 << 20}


@contextmanager
def memory_kept() -> Iterator[None]:
    """Inside, the C library keeps the memory of a freed tensor for the next one, however large; only glibc's can.

    What it holds when this ends, it goes on using: the first measurement without it has to come before.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (TypeError, OSError, AttributeError):  # Windows, macOS
        yield
        return
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:
        for parameter, value in ADJUSTED.items():
            mallopt(parameter, value)


def page_faults(run: Callable[[], object]) -> int:
    """Pages of memory that the system hands to this program during one call, after another; 0 where it is not told."""
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:  # Windows
        return 0
    run()
    before = getrusage(RUSAGE_SELF).ru_minflt
    run()
    return getrusage(RUSAGE_SELF).ru_minflt - before


def in_turn(runs: Mapping[str, Callable[[], object]], rounds: int = 3) -> dict[str, float]:
    """Core seconds of each, the best of some rounds in which each has its turn: a machine has its moods."""
    taken = [{name: measure.core_seconds(run, at_least=0.01) for name, run in runs.items()} for _ in range(rounds)]
    return {name: min(one[name] for one in taken) for name in runs}


def until_2017() -> view.Picture:
    """What accuracy on ImageNet cost in mult-adds until MobileNet."""
    left_out = "mobilenet_v2", "vgg19", "wide_resnet50_2"
    chosen = [n for n in facts.NETWORKS if n.lesson <= "11" and n.name not in left_out and n.year <= 2017]
    points = {n.label: (n.macs / 1e6, n.top1) for n in chosen}
    vgg, ours = points["VGG-16"], points["MobileNet"]
    axes = {"x": "mult-adds of one image (millions)", "y": "top-1 accuracy on ImageNet (%)"}
    title = (
        f"MobileNet is {abs(vgg[1] - ours[1]):.1f} points from VGG-16, for {vgg[0] / ours[0]:.0f} times fewer mult-adds"
    )
    return view.scatter(points, **axes, bold=["MobileNet"], title=title)


def kernels(named: Mapping[str, Tensor], layers: Mapping[str, nn.Module]) -> view.Picture:
    """The kernels of layers, (N, M, k, k): row n, column m is what output map n does with input map m."""
    weights = {name: sum(p.numel() for p in layer.parameters()) for name, layer in layers.items()}
    used, of = weights["both"], weights["full"]
    title = f"Two steps with {used} weights reach all that a full convolution of {of} weights reaches"
    fig, axes = view.figure(1, len(named), size=(10, 3.2), title=title)
    for axis, (name, kernel) in zip(axes, named.items(), strict=True):
        (out, into, side, _), limit = kernel.shape, kernel.abs().max().item()
        image = kernel.permute(0, 2, 1, 3).reshape(out * side, into * side)
        view.blank(axis).imshow(image.numpy(), cmap=view.SIGNED, vmin=-limit, vmax=limit)
        for edge in range(side, side * into, side):
            axis.axvline(edge - 0.5, color=view.INK, lw=0.8, marker="")
            axis.axhline(edge - 0.5, color=view.INK, lw=0.8, marker="")
        axis.set_title(f"{name}\n{weights[name]} weights", size=10, loc="center", weight="normal")
        axis.set(xlabel="input map", ylabel="output map" if axis is axes[0] else "")
    shares = "; ".join(f"{name}: {(k.abs() > 1e-6).float().mean():.0%} of the numbers" for name, k in named.items())
    return view.Picture(fig, f"Kernels of four layers on {into} maps, as one square each. Not zero are, {shares}.")


def blocks_counted(rows: Sequence[tuple[int, int, int, float, float]]) -> Table:
    """Blocks of MobileNet: channels in and out, side of the map, mult-adds of both kinds of convolution."""
    shown = [
        [f"{m} → {n}", f"{f} × {f}", f"{full / 1e6:.1f}M", f"{ours / 1e6:.1f}M", f"{full / ours:.2f}"]
        for m, n, f, full, ours in rows
    ]
    return Table(["maps", "size", "full", "separable", "times fewer"], shown)


def split(d: int, n: int, macs: Mapping[str, int], moved: Mapping[str, int]) -> view.Picture:
    """Two steps against a full convolution, in mult-adds and in bytes; and the law for this kernel."""
    fewer, share = ((a["depthwise"] + a["pointwise"]) / a["full"] for a in (macs, moved))
    title = f"{1 / fewer:.1f} times fewer mult-adds, for {share:.2f} times the bytes"
    fig, (left, right) = view.figure(1, 2, size=(10, 3.3), title=title)
    for row, amounts in enumerate((macs, moved)):
        start = 0.0
        for step, color in [("depthwise", view.ORANGE), ("pointwise", view.BLUE)]:
            percent = 100 * amounts[step] / amounts["full"]
            left.barh(row, percent, left=start, color=color, label=step if row == 0 else None, ec="white")
            start += percent
    left.axvline(100, color=view.INK, ls="--", marker="", lw=1.5, label="full convolution")
    left.set(yticks=[0, 1], yticklabels=["mult-adds", "bytes"], xlabel="share of a full convolution (%)")
    left.invert_yaxis()
    left.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    widths = [2**i for i in range(2, 12)]
    right.plot(widths, [1 / (1 / w + 1 / d**2) for w in widths], color=view.GREEN, marker="", label="1 / (1/N + 1/D²)")
    right.plot(n, 1 / fewer, "s", color=view.VERMILLION, ms=9, label="your layer")
    right.axhline(d * d, color=view.GREY, ls=":", marker="", label=f"D² = {d * d}")
    right.set(xlabel="N, maps out", ylabel="times fewer mult-adds", ylim=(0, 1.12 * d * d))
    view.log_axis(right, "x")
    right.legend(loc="lower right", fontsize=8.5)
    return view.Picture(fig, f"{title}: kernel {d}, {n} maps out.")


def table_2(parts: Mapping[str, Work]) -> Table:
    """The paper's Table 2 beside the shares that are computed."""
    sums = [sum(getattr(part, what) for part in parts.values()) for what in ("macs", "weights")]
    rows = []
    for name, printed in TABLE_2.items():
        here = [100 * value / whole for value, whole in zip((parts[name].macs, parts[name].weights), sums, strict=True)]
        row = [name]
        for said, value in zip(printed, here, strict=True):
            row += [f"{said} %", f"{value:.2f} %", "agrees" if f"{value:.2f}" == f"{said:.2f}" else "differs"]
        rows.append(row)
    return Table(["Table 2", "mult-adds, paper", "computed", "", "parameters, paper", "computed", ""], rows)


def tables_4_to_7() -> Table:
    """The family of the paper: its accuracies, and its costs beside those that are computed."""
    rows = []
    for name, (top1, macs, params, model, options, size) in TABLES_4_TO_7.items():
        cost = measure.cost(models.get_model(model, **options), size)
        here = cost.macs / 1e6
        note = "agrees" if round(here) == macs else "cut, not rounded" if int(here) == macs else "differs"
        shown = [f"{macs}M", f"{here:.1f}M", note, f"{params}M", f"{cost.params / 1e6:.2f}M"]
        rows.append([name, f"{top1} %", *shown])
    header = ["network", "top-1, paper", "mult-adds, paper", "computed", "", "parameters, paper", "computed"]
    return Table(header, rows)


def faster(times: Mapping[str, tuple[float, float]]) -> view.Picture:
    """Times fewer mult-adds, and times faster, of MobileNets against the same with full convolutions."""
    fig, axis = view.figure(size=(8, 0.75 * len(times) + 1.3))
    for row, (fewer, speed) in enumerate(times.values()):
        axis.plot([speed, fewer], [row, row], color=view.GREY, lw=1.5, marker="")
        axis.plot(speed, row, "s", color=view.VERMILLION, ms=9, label="times faster" if row == 0 else None)
        axis.plot(fewer, row, "o", color=view.BLUE, ms=9, label="times fewer mult-adds" if row == 0 else None)
        for value in (fewer, speed):
            axis.annotate(f"{value:.1f}", (value, row), (0, 9), textcoords="offset points", ha="center", size=9)
    said = ", ".join(f"{name} {speed:.1f} for {fewer:.1f}" for name, (fewer, speed) in times.items())
    axis.set(yticks=range(len(times)), yticklabels=list(times), ylim=(len(times) - 0.4, -0.7))
    axis.set(xlim=(0, 10.5), xlabel="full convolutions / separable ones, float32 on one core")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    axis.grid(False, axis="y")
    fewer, speed = (" and ".join(f"{pair[i]:.1f}" for pair in times.values()) for i in (0, 1))
    axis.set_title(f"{fewer} times fewer mult-adds; {speed} times faster", loc="left", size=11)
    return view.Picture(fig, f"MobileNet against full convolutions, times faster for times fewer mult-adds: {said}.")


def by_kernel(seconds: Mapping[tuple[str, int], float]) -> view.Picture:
    """The time of convolutions of the same maps by the side of their kernel, beside that of a copy of the maps."""
    kinds = list(dict.fromkeys(kind for kind, _ in seconds))
    took = {kind: seconds[kind, 3] / seconds[kind, 1] for kind in kinds if (kind, 3) in seconds}
    said = ", ".join(f"{kind} {times:.1f}" for kind, times in took.items())
    title = f"Nine times the mult-adds (3 × 3 for 1 × 1), times as long: {said}"
    fig, axis = view.figure(size=(8.5, 3.6), title=title)
    listed = []
    for index, kind in enumerate(kinds):
        points = {side: 1e3 * value for (of, side), value in seconds.items() if of == kind}
        listed.append(f"{kind} " + ", ".join(f"{side} {value:.2f} ms" for side, value in points.items()))
        if len(points) == 1:
            axis.axhline(*points.values(), color=view.INK, ls="--", marker="", label=kind)
        else:
            axis.plot(list(points), list(points.values()), "os^"[index], color=f"C{index}", ls="-", label=kind)
    axis.set(xlabel="side of the kernel", ylabel="time (ms of one core)", xticks=[1, 3, 5, 7])
    view.log_axis(axis, "y")
    axis.legend()
    return view.Picture(fig, f"{title}. Time by side of the kernel: {'; '.join(listed)}.")


def rates(found: Mapping[str, Mapping[int, float]], kept: Mapping[str, float] | None = None) -> view.Picture:
    """Billion mult-adds a second of each kind of convolution, by the side of its map.

    kept: the rates at the largest map where the memory of the outputs was kept.
    """
    largest = max(max(by) for by in found.values())
    ours = found["depthwise"]
    title = f"Depthwise: {ours[largest]:.0f} billion mult-adds a second at {largest} × {largest}"
    if kept:
        title += f", and {kept['depthwise']:.0f} with memory that is kept"
    fig, axis = view.figure(size=(8, 3.7), title=title)
    for index, (kind, by) in enumerate(found.items()):
        axis.plot(list(by), list(by.values()), "os^"[index], color=f"C{index}", ls="-", label=kind)
        if kept:
            label = "memory kept" if index == 0 else None
            axis.plot(largest, kept[kind], "*", ms=14, color=f"C{index}", mec=view.INK, label=label)
    axis.set(xlabel="side of the map (pixels); channels × side is the same", ylabel="billion mult-adds a second")
    view.log_axis(axis, "x")
    view.log_axis(axis, "y")
    axis.set_xticks(list(ours), [str(side) for side in ours])
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    listed = "; ".join(f"{k} " + ", ".join(f"{s} {v:.3g}" for s, v in by.items()) for k, by in found.items())
    return view.Picture(fig, f"{title}. Billion mult-adds a second by side of the map: {listed}.")


KINDS = ("1 × 1", "depthwise 3 × 3", "3 × 3", "batch norm", "ReLU")


def by_kind(amounts: Mapping[str, float]) -> dict[str, float]:
    """Amounts of the kinds of layers that matter here, and the rest."""
    named = {kind: amounts.get(kind, 0.0) for kind in KINDS}
    return named | {"rest": sum(value for kind, value in amounts.items() if kind not in KINDS)}


def where_the_time_goes(
    parts: Mapping[str, Work], clock: Mapping[str, float], clock_folded: Mapping[str, float]
) -> view.Picture:
    """Mult-adds, bytes and time of a network by kind of layer; and the time with its batch norms folded."""
    bars = {
        "mult-adds (millions)": by_kind({kind: part.macs / 1e6 for kind, part in parts.items()}),
        "bytes moved (millions)": by_kind({kind: part.bytes / 1e6 for kind, part in parts.items()}),
        "time (ms)": by_kind({kind: 1e3 * seconds for kind, seconds in clock.items()}),
        "time, norms folded (ms)": by_kind({kind: 1e3 * seconds for kind, seconds in clock_folded.items()}),
    }
    macs, _, took, _ = (share_of_pointwise(bar) for bar in bars.values())
    return view.shares(bars, title=f"1 × 1 convolutions: {macs:.0f} % of the mult-adds, {took:.0f} % of the time")


def share_of_pointwise(amounts: Mapping[str, float]) -> float:
    """What the 1 × 1 convolutions take of the whole; percent."""
    return 100 * amounts["1 × 1"] / sum(amounts.values())


def beside(nets: Mapping[str, nn.Module], seconds: Mapping[str, float], *, images: int) -> Table:
    """Networks at 224 pixels: parameters, and for one image mult-adds, bytes moved and the time of one core."""
    rows = []
    for name, net in nets.items():
        moved = sum(part.bytes for part in work(net, 224).values())
        cost = measure.cost(net, 224)
        amounts = f"{cost.macs / 1e6:.0f}M", f"{moved / 1e6:.0f} MB", f"{1e3 * seconds[name] / images:.1f} ms"
        rows.append([name, cost.params, *amounts])
    return Table(["network", "parameters", "mult-adds", "bytes moved", "one image, one core"], rows)


def spirals(curve: Tensor, back: Mapping[int, Tensor], relu: str) -> view.Picture:
    """A curve, and what could be recovered of it after a number of channels; NaN where nothing could."""
    gone = {n: points.isnan().any(1).float().mean().item() for n, points in back.items()}
    title = f"Recovered after random channels {relu} a ReLU: {gone[2]:.0%} lost in 2, {gone[15]:.0%} in 15"
    fig, axes = view.figure(1, 1 + len(back), size=(10, 2.5), title=title)
    shown = {"the points": curve} | {f"{n} channels": points for n, points in back.items()}
    for axis, (name, points) in zip(axes, shown.items(), strict=True):
        lost = points.isnan().any(1)
        view.blank(axis).scatter(*curve[lost].T, s=5, color="#C8C8C8")
        axis.scatter(*points[~lost].T, s=7, c=torch.linspace(0, 1, len(curve))[~lost], cmap="viridis", vmin=0, vmax=1)
        said = f"{lost.float().mean():.0%} lost" if name != "the points" else f"{len(curve)} points"
        axis.set_title(f"{name}\n{said}", size=10, loc="center", weight="normal")
        axis.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal")
    shares = ", ".join(f"{n} channels {share:.0%}" for n, share in gone.items())
    return view.Picture(fig, f"{title}. Points lost (grey): {shares}.")


def losses(lost: Mapping[int, float]) -> view.Picture:
    """The share of points that a ReLU loses, by the number of channels, beside the formula."""
    counted = [100 * (n + 1) / 2**n for n in lost]
    title = f"Of two numbers in 3 channels a ReLU loses {100 * lost[3]:.0f} %, in 12 channels {100 * lost[12]:.1f} %"
    picture = view.lines(
        {"measured": [100 * share for share in lost.values()], "(n + 1) / 2ⁿ": counted},
        at=list(lost),
        x="n, channels",
        y="points lost (%)",
        title=title,
    )
    picture.figure.axes[0].set_xticks(list(lost))
    return picture


def ends(known: Mapping[str, Sequence[float]], images: int, settings: Mapping[str, object]) -> view.Picture:
    """Accuracy on the training images by epoch, of networks with and without a ReLU at the narrow ends."""
    last = [f"{values[-1]:.0f}" for values in known.values()]
    steps = -(-images // settings["batch_size"]) * settings["epochs"]
    title = f"After {steps} steps, without and with ReLU6: {last[0]} and {last[1]} % in 8 channels, "
    title += f"{last[2]} and {last[3]} % in 16"
    return view.lines(known, x="epoch", y="accuracy on training images (%)", title=title, size=(9.5, 3.6))


def twins(runs: Mapping[str, training.Run], settings: Mapping[str, object]) -> view.Picture:
    """How networks get to know their training images, and what they read in the end."""
    known = {name: [100 * epoch.train_accuracy for epoch in run.history] for name, run in runs.items()}
    read = " and ".join(f"{name} {100 * run.history[-1].test_accuracy:.0f} %" for name, run in runs.items())
    steps = max(-(-run.images // settings["batch_size"]) * len(run.history) for run in runs.values())
    title = f"After {steps} steps, of test images: {read}"
    picture = view.lines(known, x="epoch", y="accuracy on training images (%)", title=title, size=(9, 3.6))
    picture.figure.axes[0].xaxis.get_major_locator().set_params(integer=True)
    return picture


Flat = Mapping[str, Mapping]  # of a record that goes on until the curves are flat: for each case its rates and seeds


def rates_tried(flat: Flat) -> Table:
    """What each case reached on validation images at each of its learning rates, and which one was chosen."""
    reached = {
        name: {
            run["lr"]: f"{100 * run['curve'][-1][1]:.1f} %" for run in sorted(of["rates"], key=lambda run: run["lr"])
        }
        for name, of in flat.items()
    }
    chosen = {name: of["seeds"][0]["lr"] for name, of in flat.items()}
    return table_of_rates(reached, chosen, "Accuracy on 1,000 validation images, by learning rate (seed 0)")


def flat_curves(flat: Flat, what: str = "Until flat") -> view.Picture:
    """How each case gets to know its training images at its own rate: a line is the mean of the seeds."""
    known = {name: [[100 * train for train, _ in run["curve"]] for run in of["seeds"]] for name, of in flat.items()}
    return view.in_training(known, what)


def tested(flat: Flat) -> dict[str, list[float]]:
    """Accuracy on 2,000 test images of each seed at the chosen rate; percent."""
    return {name: [100 * run["test"] for run in of["seeds"]] for name, of in flat.items()}


def width_table(results: Mapping[str, Sequence]) -> Table:
    """MobileNet's twin at four widths after eight epochs: what it knows and what it reads, for three seeds."""
    rows = []
    for width, runs in widths(results).items():
        cost = measure.cost(models.get_model("mobilenet_v1_tiny", width_mult=width / 2), 32)
        ends = [run[-1] for run in runs]
        read = [f"{100 * test:.1f} %" for _, test in ends]
        rows.append(
            [f"{width:g}", cost.params, f"{cost.macs / 1e6:.1f}M", f"{100 * mean(k for k, _ in ends):.1f} %", *read]
        )
    header = ["width", "parameters", "mult-adds", "training images, mean"]
    return Table(header + [f"test, seed {seed}" for seed in (0, 1, 2)], rows)


def widths(results: Mapping[str, Sequence]) -> dict[float, Sequence]:
    """The runs of the record by width, the widest first."""
    return {width: results[f"width {width:g}"] for width in (1, 0.75, 0.5, 0.25)}


def read_by_width(results: Mapping[str, Sequence], part: int) -> dict[float, list[float]]:
    """The last accuracy of each run by width; percent. part: 0 for training images, 1 for test images."""
    return {width: [100 * run[-1][part] for run in runs] for width, runs in widths(results).items()}


def width_picture(results: Mapping[str, Sequence]) -> view.Picture:
    """Accuracy on training and test images over the mult-adds of four widths."""
    places = [
        measure.cost(models.get_model("mobilenet_v1_tiny", width_mult=w / 2), 32).macs / 1e6 for w in widths(results)
    ]
    series = {
        f"{name} images": [list(seed) for seed in zip(*read_by_width(results, part).values(), strict=True)]
        for part, name in enumerate(("training", "test"))
    }
    falls = [mean(by[1]) - mean(by[0.25]) for by in (read_by_width(results, 0), read_by_width(results, 1))]
    title = f"From width 1 to 0.25, after 8 epochs: {falls[0]:.1f} points on training, {falls[1]:.1f} on test images"
    axes = {"x": "mult-adds of one image (millions)", "y": "accuracy after eight epochs (%)"}
    picture = view.lines(series, at=places, log="x", **axes, title=title)
    axis = picture.figure.axes[0]
    axis.set_xticks(places, [f"{at:.1f}\nwidth {a:g}" for at, a in zip(places, widths(results), strict=True)])
    axis.minorticks_off()
    return picture
