"""Lesson 11, MobileNet: its exercises, its claims, the tables of its paper, and where a network's time goes."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from cnnlab import data, measure, models
from cnnlab.course.claims import Claim, register
from cnnlab.course.exercise import Wrong, exercise
from cnnlab.course.facts import NETWORKS
from cnnlab.device import Precision, autocast
from cnnlab.models.mobilenet import DepthwiseSeparable
from cnnlab.training import Run, evaluate

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
    "0.75 MobileNet": (68.4, 325, 2.6, "mobilenet_v1", {"width": 0.75}, 224),
    "0.5 MobileNet": (63.7, 149, 1.3, "mobilenet_v1", {"width": 0.5}, 224),
    "0.25 MobileNet": (50.6, 41, 0.5, "mobilenet_v1", {"width": 0.25}, 224),
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


def core_seconds(run: Callable[[], object], at_least: float = 0.03) -> float:
    """Seconds of one processor core that `run` takes: the best of three, each of so many calls as fill `at_least`.

    It is this program's own time on the processor, so that other programs do not disturb it, with one thread.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        run()
        calls, tries = 1, []
        while len(tries) < 3:
            start = time.process_time()
            for _ in range(calls):
                run()
            taken = time.process_time() - start
            if taken < at_least and not tries:
                calls *= 2
            else:
                tries.append(taken / calls)
    finally:
        torch.set_num_threads(threads)
    return min(tries)


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
    run, threads = step(model, images, training=False, precision="fp32"), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(steps):
            run()
    finally:
        torch.set_num_threads(threads)
    total: dict[str, float] = {}
    for layer, seconds in best.items():
        total[kind(layer)] = total.get(kind(layer), 0.0) + seconds
    return total


def folded(model: nn.Module) -> nn.Module:
    """A copy for use without training, with each batch norm folded into the convolution before it."""
    model = copy.deepcopy(model).eval()
    for parent in list(model.modules()):
        names = list(parent._modules)
        for first, second in pairwise(names):
            layer, norm = parent._modules[first], parent._modules[second]
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                parent._modules[first] = fuse_conv_bn_eval(layer, norm)
                parent._modules[second] = nn.Identity()
    return model


@exercise(
    "11.separable",
    points=3,
    stub='''
        def separable(in_channels, out_channels, stride=1):
            """Two nn.Conv2d in an nn.Sequential, without biases: a depthwise 3 x 3 with this stride that keeps
            the size of the map at stride 1, then a pointwise convolution to out_channels."""
            ...
    ''',
    solution="""
        def separable(in_channels, out_channels, stride=1):
            return nn.Sequential(
                nn.Conv2d(in_channels, in_channels, 3, stride, padding=1, groups=in_channels, bias=False),
                nn.Conv2d(in_channels, out_channels, 1, bias=False),
            )
    """,
    hints=[
        "Grouped convolutions came with AlexNet: with groups=2 each half of the maps sees one half of the input. How"
        " many groups are there if each map sees one map?",
        "The first makes as many maps as it reads, in as many groups. The second has a kernel of 1 and no groups.",
    ],
    wrong={
        "reads all maps": """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, in_channels, 3, stride, padding=1, bias=False),
                    nn.Conv2d(in_channels, out_channels, 1, bias=False),
                )
        """,
        "order is reversed": """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 1, bias=False),
                    nn.Conv2d(out_channels, out_channels, 3, stride, padding=1, groups=out_channels, bias=False),
                )
        """,
        "bias=False": """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, in_channels, 3, stride, padding=1, groups=in_channels),
                    nn.Conv2d(in_channels, out_channels, 1),
                )
        """,
        "padding": """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, in_channels, 3, stride, groups=in_channels, bias=False),
                    nn.Conv2d(in_channels, out_channels, 1, bias=False),
                )
        """,
        "pointwise convolution has the stride": """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False),
                    nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                )
        """,
        "already makes": """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, groups=in_channels, bias=False),
                    nn.Conv2d(out_channels, out_channels, 1, bias=False),
                )
        """,
    },
)
def _(separable) -> None:
    for in_channels, out_channels, stride in ((8, 16, 1), (6, 12, 2), (4, 4, 1)):
        got = separable(in_channels, out_channels, stride)
        layers = [layer for layer in got.modules() if isinstance(layer, nn.Conv2d)]
        if len(layers) != 2:
            raise Wrong(f"There should be two convolutions; yours has {len(layers)}.")
        first, second = layers
        if first.kernel_size == (1, 1) and second.kernel_size != (1, 1):
            raise Wrong("The order is reversed: filter each map first, then combine.")
        if first.out_channels != in_channels:
            raise Wrong(f"The first convolution already makes {first.out_channels} maps; filtering {in_channels} gives"
                        f" {in_channels}, and the second makes new ones.")  # fmt: skip
        if first.groups != in_channels:
            raise Wrong("A kernel of your first convolution reads all maps, or several; a depthwise one reads one map.")
        if first.bias is not None or second.bias is not None:
            raise Wrong("There are biases: say bias=False. The batch norm that follows has its own.")
        if second.kernel_size != (1, 1) or second.groups != 1:
            raise Wrong("The second convolution should be pointwise: 1 x 1, in one group, so that it sees all maps.")
        if second.stride != (1, 1) and stride > 1:
            raise Wrong("Your pointwise convolution has the stride. The result has the right size, but the depthwise"
                        " one then filters every place, and of the results a part is thrown away.")  # fmt: skip
        x = torch.zeros(1, in_channels, 10, 10)
        size, true = tuple(got(x).shape[1:]), (out_channels, 10 // stride, 10 // stride)
        if size != true:
            more = " The padding is missing." if first.padding == (0, 0) else ""
            raise Wrong(f"{in_channels} maps of 10 x 10 at stride {stride} must become {true}; yours are {size}.{more}")


@exercise(
    "11.ratio",
    points=2,
    stub='''
        def times_fewer(in_channels, out_channels, kernel, size):
            """How many times fewer mult-adds does a depthwise separable convolution take than a full one?
            Both make maps of size x size, at stride 1."""
            ...
    ''',
    solution="""
        def times_fewer(in_channels, out_channels, kernel, size):
            full = in_channels * out_channels * kernel**2 * size**2
            depthwise = in_channels * kernel**2 * size**2
            pointwise = in_channels * out_channels * size**2
            return full / (depthwise + pointwise)
    """,
    hints=[
        "Write the three costs down: full, depthwise, pointwise. Each is the number of weights times the positions.",
        "A depthwise convolution has kernel * kernel weights for each input channel. Divide full by the sum.",
    ],
    wrong={
        "upside down": """
            def times_fewer(in_channels, out_channels, kernel, size):
                return 1 / out_channels + 1 / kernel**2
        """,
        "output channels": """
            def times_fewer(in_channels, out_channels, kernel, size):
                return 1 / (1 / in_channels + 1 / kernel**2)
        """,
        "kernel squared": """
            def times_fewer(in_channels, out_channels, kernel, size):
                return 1 / (1 / out_channels + 1 / kernel)
        """,
        "pointwise part is missing": """
            def times_fewer(in_channels, out_channels, kernel, size):
                return out_channels
        """,
        "depthwise part is missing": """
            def times_fewer(in_channels, out_channels, kernel, size):
                return kernel**2
        """,
    },
)
def _(times_fewer) -> None:
    cases = [(32, 64, 3, 112), (512, 512, 3, 14), (16, 8, 5, 20), (3, 24, 7, 9)]
    got = [times_fewer(*case) for case in cases]
    formulas = [
        (lambda m, n, k: 1 / n + 1 / k**2, "The ratio is upside down: how many times fewer, not what share is left."),
        (lambda m, n, k: 1 / (1 / m + 1 / k**2), "It is the number of output channels that decides, not of inputs."),
        (lambda m, n, k: 1 / (1 / n + 1 / k), "A kernel has kernel * kernel weights: the kernel squared."),
        (lambda m, n, k: n, "The pointwise part is missing in the cost of the separable convolution."),
        (lambda m, n, k: k**2, "The depthwise part is missing in the cost of the separable convolution."),
    ]
    for formula, diagnosis in formulas:
        if all(abs(value - formula(*case[:3])) < 1e-6 for value, case in zip(got, cases, strict=True)):
            raise Wrong(diagnosis)
    for (m, n, k, size), value in zip(cases, got, strict=True):
        full = nn.Conv2d(m, n, k, padding=k // 2)
        parts = nn.Sequential(nn.Conv2d(m, m, k, padding=k // 2, groups=m), nn.Conv2d(m, n, 1))
        true = measure.cost(full, (m, size, size)).macs / measure.cost(parts, (m, size, size)).macs
        if abs(value - true) > 1e-6:
            raise Wrong(f"For {m} channels to {n}, kernel {k}, it is {true:.3f} times, and not {value:.3f}.")


@exercise(
    "11.multipliers",
    points=3,
    stub='''
        def thinner(in_channels, out_channels, size, alpha, rho):
            """(weights, mult-adds) of a depthwise separable 3 x 3 convolution at stride 1 without biases: all channels
            times alpha, the size of the map times rho, each rounded to a whole number."""
            ...
    ''',
    solution="""
        def thinner(in_channels, out_channels, size, alpha, rho):
            m, n, size = round(alpha * in_channels), round(alpha * out_channels), round(rho * size)
            weights = 9 * m + m * n
            return weights, weights * size * size
    """,
    hints=[
        "Scale the three numbers first, round them, and then count as before.",
        "Does the number of weights know how large the map is? And how often does alpha stand in in * out?",
    ],
    wrong={
        "both": """
            def thinner(in_channels, out_channels, size, alpha, rho):
                m, n, size = in_channels, round(alpha * out_channels), round(rho * size)
                return 9 * m + m * n, (9 * m + m * n) * size * size
        """,
        "rho squared": """
            def thinner(in_channels, out_channels, size, alpha, rho):
                m, n = round(alpha * in_channels), round(alpha * out_channels)
                return 9 * m + m * n, (9 * m + m * n) * size * round(rho * size)
        """,
        "do not depend on the size": """
            def thinner(in_channels, out_channels, size, alpha, rho):
                m, n, small = round(alpha * in_channels), round(alpha * out_channels), round(rho * size)
                return round((9 * m + m * n) * (small / size) ** 2), (9 * m + m * n) * small * small
        """,
        "alpha squared": """
            def thinner(in_channels, out_channels, size, alpha, rho):
                m, n, size = in_channels, out_channels, round(rho * size)
                weights = round(alpha * alpha * (9 * m + m * n))
                return weights, weights * size * size
        """,
        "full convolution": """
            def thinner(in_channels, out_channels, size, alpha, rho):
                m, n, size = round(alpha * in_channels), round(alpha * out_channels), round(rho * size)
                return 9 * m * n, 9 * m * n * size * size
        """,
    },
)
def _(thinner) -> None:
    cases = [(512, 512, 14, 0.75, 10 / 14), (64, 128, 56, 0.5, 0.5), (32, 64, 112, 1, 1), (100, 40, 20, 0.25, 0.8)]
    got = [thinner(*case) for case in cases]

    def counted(m, n, size, alpha, rho):
        m, n, size = round(alpha * m), round(alpha * n), round(rho * size)
        convolutions = [layer for layer in DepthwiseSeparable(m, n) if isinstance(layer, nn.Conv2d)]
        cost = measure.cost(nn.Sequential(*convolutions), (m, size, size))
        return cost.params, cost.macs

    true = [counted(*case) for case in cases]
    if all(tuple(a) == b for a, b in zip(got, true, strict=True)):
        return
    mistakes = [
        (lambda m, n, s, a, r: _weights(m, round(a * n), round(r * s)), "Alpha thins both, the maps that come in and"
         " those that go out: the inputs of a layer are the outputs of the one before."),
        (lambda m, n, s, a, r: (counted(m, n, s, a, 1)[0], counted(m, n, s, a, 1)[0] * s * round(r * s)), "A map gets"
         " smaller in height and in width: mult-adds go with rho squared."),
        (lambda m, n, s, a, r: (9 * round(a * m) * round(a * n), 9 * round(a * m) * round(a * n) * round(r * s) ** 2),
         "This is a full convolution: 9 * in * out weights."),
    ]  # fmt: skip
    for formula, diagnosis in mistakes:
        if all(tuple(a) == formula(*case) for a, case in zip(got, cases, strict=True)):
            raise Wrong(diagnosis)
    if all(a[1] == b[1] for a, b in zip(got, true, strict=True)):
        raise Wrong("The mult-adds are right. The weights do not depend on the size of the map: rho leaves them alone.")
    if all(abs(a[0] - c[3] ** 2 * (9 * c[0] + c[0] * c[1])) <= 1 for a, c in zip(got, cases, strict=True)):
        raise Wrong("Only the pointwise part goes with alpha squared; the depthwise part has 9 weights a channel, and"
                    " goes with alpha.")  # fmt: skip
    case, value, right = next((c, a, b) for c, a, b in zip(cases, got, true, strict=True) if tuple(a) != b)
    raise Wrong(f"For {case[:3]}, alpha {case[3]:g} and rho {case[4]:.3g} it is {right}, not {value}.")


def _weights(m: int, n: int, size: int) -> tuple[int, int]:
    return 9 * m + m * n, (9 * m + m * n) * size * size


@exercise(
    "11.bytes",
    points=2,
    stub='''
        def macs_per_byte(in_channels, out_channels, kernel, size, groups):
            """Mult-adds of a convolution without biases, stride 1, on maps of size x size, for each byte that it reads
            (input and weights) or writes (output), once each, at 4 bytes a number."""
            ...
    ''',
    solution="""
        def macs_per_byte(in_channels, out_channels, kernel, size, groups):
            weights = out_channels * (in_channels // groups) * kernel**2
            numbers = (in_channels + out_channels) * size**2 + weights
            return weights * size**2 / (4 * numbers)
    """,
    hints=[
        "Three things move: the input, the weights, the output. Count their numbers, then their bytes.",
        "A kernel of a grouped convolution reads in_channels // groups maps. Each weight is used size * size times.",
    ],
    wrong={
        "4 bytes": """
            def macs_per_byte(in_channels, out_channels, kernel, size, groups):
                weights = out_channels * (in_channels // groups) * kernel**2
                return weights * size**2 / ((in_channels + out_channels) * size**2 + weights)
        """,
        "weights have to be read": """
            def macs_per_byte(in_channels, out_channels, kernel, size, groups):
                weights = out_channels * (in_channels // groups) * kernel**2
                return weights * size**2 / (4 * (in_channels + out_channels) * size**2)
        """,
        "output is written": """
            def macs_per_byte(in_channels, out_channels, kernel, size, groups):
                weights = out_channels * (in_channels // groups) * kernel**2
                return weights * size**2 / (4 * (in_channels * size**2 + weights))
        """,
        "groups": """
            def macs_per_byte(in_channels, out_channels, kernel, size, groups):
                weights = out_channels * in_channels * kernel**2
                return weights * size**2 / (4 * ((in_channels + out_channels) * size**2 + weights))
        """,
        "upside down": """
            def macs_per_byte(in_channels, out_channels, kernel, size, groups):
                weights = out_channels * (in_channels // groups) * kernel**2
                return 4 * ((in_channels + out_channels) * size**2 + weights) / (weights * size**2)
        """,
    },
)
def _(macs_per_byte) -> None:
    cases = [(512, 512, 3, 14, 512), (512, 512, 1, 14, 1), (512, 256, 3, 14, 1), (12, 24, 5, 9, 3)]
    got = [macs_per_byte(*case) for case in cases]

    def formula(m, n, k, size, groups, *, each=4, weights=1, output=1):
        count = n * (m // groups) * k**2
        return count * size**2 / (each * ((m + output * n) * size**2 + weights * count))

    true = [formula(*case) for case in cases]
    if all(abs(a - b) < 1e-6 * b for a, b in zip(got, true, strict=True)):
        return
    mistakes = [
        ([formula(*case, each=1) for case in cases], "These are mult-adds for each number; a number takes 4 bytes."),
        ([formula(*case, weights=0) for case in cases], "The weights have to be read too."),
        ([formula(*case, output=0) for case in cases], "The output is written: its bytes count as well."),
        ([formula(*case[:4], 1) for case in cases], "The groups are not used: a kernel reads in // groups maps."),
        ([1 / value for value in true], "The ratio is upside down: these are bytes for each mult-add."),
    ]  # fmt: skip
    for values, diagnosis in mistakes:
        if all(abs(a - b) < 1e-6 * b for a, b in zip(got, values, strict=True)):
            raise Wrong(diagnosis)
    case, value, right = next((c, a, b) for c, a, b in zip(cases, got, true, strict=True) if abs(a - b) >= 1e-6 * b)
    raise Wrong(f"For (in, out, kernel, size, groups) = {case} it is {right:.3f}; your function gives {value:.3f}.")


@exercise(
    "11.budget",
    points=3,
    stub="""
        torch.manual_seed(0)
        my_run = ...
    """,
    solution="""
        torch.manual_seed(0)
        mine = models.get_model("mobilenet_v1_tiny", width=0.25)
        my_run = training.fit(mine, dataset, epochs=7, lr=0.1, batch_size=64, precision="fp32")
    """,
    hints=[
        "measure.cost(model, (3, 32, 32)).macs counts before you train. Two multipliers make a network cheaper.",
        "The twin at half its width has 1.9 million mult-adds. How many epochs does it want?",
    ],
    wrong={
        "not the run": "my_run = models.get_model('mobilenet_v1_tiny', width=0.25)",
        "mult-adds": "my_run = training.fit(models.get_model('mobilenet_v1_tiny'), dataset, epochs=1)",
        "fresh street digits": """
            my_run = training.fit(models.get_model("mobilenet_v1_tiny", width=0.125), dataset, epochs=1)
        """,
    },
)
def _(my_run) -> None:
    if not isinstance(my_run, Run):
        raise Wrong(f"my_run is a {type(my_run).__name__}, not the run that training.fit returns.")
    macs = measure.cost(my_run.model, (3, 32, 32)).macs
    if macs > 2e6:
        raise Wrong(f"Your network takes {macs / 1e6:.2f} million mult-adds for 32 x 32 pixels: at most 2 million.")
    accuracy = evaluate(my_run.model, data.load("street_digits", train=1000, test=1000, seed=1).test).accuracy
    if accuracy < 0.8:
        raise Wrong(f"On 1,000 fresh street digits your network reads {accuracy:.0%}; at least 80 % is asked for.")


def _cost(name: str, **options) -> measure.Cost:
    return measure.cost(models.get_model(name, **options), 224)


def _millions(name: str) -> str:
    cost = _cost(name)
    return f"{cost.macs / 1e6:.0f}M, {cost.params / 1e6:.1f}M"


def _share_of_pointwise(what: str) -> str:
    parts = work(models.get_model("mobilenet_v1"), 224)
    whole = sum(getattr(part, what) for part in parts.values())
    return f"{100 * getattr(parts['1 × 1'], what) / whole:.2f} %"


def _share_of_first() -> str:
    parts = work(models.get_model("mobilenet_v1"), 224)
    return f"{100 * parts['3 × 3'].macs / sum(part.macs for part in parts.values()):.2f} %"


def _times_smaller_than_vgg() -> str:
    vgg, ours = (next(n for n in NETWORKS if n.name == name) for name in ("vgg16", "mobilenet_v1"))
    return f"{vgg.params / ours.params:.1f} and {vgg.macs / ours.macs:.1f}"


def _range_of_ratios() -> str:
    ratios = [1 / (1 / channels + 1 / 9) for channels in (64, 1024)]  # the narrowest block of the network, the widest
    return f"{ratios[0]:.1f} to {ratios[1]:.1f}"


_PAPER = "Howard et al. 2017, arXiv 1704.04861"
register(
    Claim(
        lesson="11",
        id="params",
        statement="Parameters of MobileNet",
        stated="4.2M",
        source=f"lecture; {_PAPER}, Table 4",
        status="exact",
        compute=lambda: f"{_cost('mobilenet_v1').params / 1e6:.1f}M",
    ),
    Claim(
        lesson="11",
        id="mobilenet",
        statement="Mult-adds and parameters of MobileNet",
        stated="569M, 4.2M",
        source=f"{_PAPER}, Table 4",
        status="exact",
        compute=lambda: _millions("mobilenet_v1"),
    ),
    Claim(
        lesson="11",
        id="conv_mobilenet",
        statement="The same with full convolutions",
        stated="4866M, 29.3M",
        source=f"{_PAPER}, Table 4",
        status="variant",
        compute=lambda: _millions("conv_mobilenet_v1"),
        why="the paper's 4866 leaves out the fully-connected layer, which its 569 includes",
    ),
    Claim(
        lesson="11",
        id="ratio",
        statement="Times fewer mult-adds in a 3 x 3 depthwise separable convolution",
        stated="8 to 9",
        source=f"{_PAPER}, section 3.1; 1/N + 1/D^2 in the lecture",
        status="variant",
        compute=_range_of_ratios,
        why="below 8 in the first block, which makes only 64 maps",
    ),
    Claim(
        lesson="11",
        id="share_macs",
        statement="Share of the 1 x 1 convolutions in the mult-adds",
        stated="94.86 %",
        source=f"{_PAPER}, Table 2",
        status="exact",
        compute=lambda: _share_of_pointwise("macs"),
    ),
    Claim(
        lesson="11",
        id="share_params",
        statement="Share of the 1 x 1 convolutions in the parameters",
        stated="74.59 %",
        source=f"{_PAPER}, Table 2",
        status="exact",
        compute=lambda: _share_of_pointwise("weights"),
    ),
    Claim(
        lesson="11",
        id="share_first",
        statement="Share of the first 3 x 3 convolution in the mult-adds",
        stated="1.19 %",
        source=f"{_PAPER}, Table 2",
        status="variant",
        compute=_share_of_first,
        why="two digits changed places: as printed, the column adds up to 99.29 %",
    ),
    Claim(
        lesson="11",
        id="vgg",
        statement="Times smaller than VGG-16, and times fewer mult-adds",
        stated="32 and 27",
        source=f"{_PAPER}, section 4.2",
        status="variant",
        compute=_times_smaller_than_vgg,
        why="exact up to rounding: 138.4M by 4.23M is nearer to 33",
    ),
    Claim(
        lesson="11",
        id="v2",
        statement="Parameters of MobileNetV2",
        stated=3_504_872,
        source="torchvision; 3.4M in Sandler et al. 2018, Table 4",
        status="exact",
        compute=lambda: _cost("mobilenet_v2").params,
    ),
    Claim(
        lesson="11",
        id="time",
        statement="MobileNet spends 95 % of its computation time in 1 x 1 convolutions",
        stated="95 %",
        source=f"{_PAPER}, section 3.2",
        status="measured",
    ),
    Claim(
        lesson="11",
        id="speed",
        statement="Fewer mult-adds make the network faster: times, by 8.6 times fewer at full size, 7.8 in the twin",
        stated="not stated",
        source="lecture",
        status="measured",
    ),
    Claim(
        lesson="11",
        id="twin_accuracy",
        statement="What depthwise separable convolutions cost in accuracy",
        stated="1.1 points",
        source=f"{_PAPER}, Table 4",
        status="measured",
    ),
    Claim(
        lesson="11",
        id="width",
        statement="Accuracy drops off smoothly with the width",
        stated="70.6, 68.4, 63.7, 50.6 %",
        source=f"{_PAPER}, Table 6",
        status="measured",
    ),
    Claim(
        lesson="11",
        id="accuracy",
        statement="Top-1 and top-5 accuracy on ImageNet",
        stated="70.9 / 89.9 %",
        source="lecture; the authors' checkpoint (the paper: 70.6 %)",
        status="reported only",
        why="the weights are a download, and ImageNet has to be asked for",
    ),
)
