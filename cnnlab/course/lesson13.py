"""Lesson 13, EfficientNet: its instruments, its exercises and claims."""

import math
from collections.abc import Callable, Iterable
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import data, measure, models
from cnnlab.course.claims import Claim, register
from cnnlab.course.exercise import Wrong, exercise
from cnnlab.models.efficientnet import (
    ALPHA,
    BETA,
    GAMMA,
    SCALES,
    STAGES,
    EfficientNet,
    MBConv,
    SqueezeExcitation,
    conv_norm_silu,
)
from cnnlab.models.mobilenet_v2 import round_channels
from cnnlab.training import evaluate

# Tan and Le, version 5 of arXiv 1905.11946.
# Table 2: top-1 and top-5 accuracy on ImageNet (%), parameters and mult-adds (the paper's "FLOPS"), as printed.
TABLE_2 = {
    "b0": (77.1, 93.3, "5.3M", "0.39B"),
    "b1": (79.1, 94.4, "7.8M", "0.70B"),
    "b2": (80.1, 94.9, "9.2M", "1.0B"),
    "b3": (81.6, 95.7, "12M", "1.8B"),
    "b4": (82.9, 96.4, "19M", "4.2B"),
    "b5": (83.6, 96.7, "30M", "9.9B"),
    "b6": (84.0, 96.8, "43M", "19B"),
    "b7": (84.3, 97.0, "66M", "37B"),
}
# Table 7: B0 enlarged in four ways. Factors of depth, width and resolution; mult-adds as printed; top-1 (%).
TABLE_7 = {
    "B0": ((1, 1, 1), "0.4B", 77.3),
    "depth": ((4, 1, 1), "1.8B", 79.0),
    "width": ((1, 2, 1), "1.8B", 78.9),
    "resolution": ((1, 1, 2), "1.9B", 79.1),
    "compound": ((1.4, 1.2, 1.3), "1.8B", 81.1),
}

# The instruments


def count(
    width: float, depth: float, size: int, rounded: Callable[[float], int] = round_channels, classes: int = 1000
) -> tuple[int, int]:
    """Parameters and mult-adds of an EfficientNet by arithmetic, in no time: B0 with its three axes multiplied.

    >>> count(1.0, 1.0, 224)
    (5288548, 385814752)
    """
    channels, side = rounded(32 * width), math.ceil(size / 2)
    params, macs = 29 * channels, 27 * channels * side**2
    for expansion, kernel, stride, wanted, blocks in STAGES:
        wider = rounded(wanted * width)
        for block in range(math.ceil(blocks * depth)):
            hidden, squeezed = channels * expansion, channels // 4
            if expansion > 1:
                params += channels * hidden + 2 * hidden
                macs += channels * hidden * side**2
            side = math.ceil(side / stride) if block == 0 else side
            params += kernel**2 * hidden + 2 * hidden + hidden * wider + 2 * wider
            macs += (kernel**2 * hidden + hidden * wider) * side**2
            params += 2 * hidden * squeezed + squeezed + hidden
            macs += 2 * hidden * squeezed
            channels = wider
    last = 4 * channels
    params += channels * last + 2 * last + last * classes + classes
    return params, macs + channels * last * side**2 + last * classes


def of_phi(phi: float, alpha: float = ALPHA, beta: float = BETA, gamma: float = GAMMA) -> tuple[float, float, int]:
    """Width, depth and side of the images that the rule gives for a coefficient."""
    return beta**phi, alpha**phi, round(224 * gamma**phi)


class Twin(EfficientNet):
    """A narrow EfficientNet that can be enlarged in small steps: (N, 3, H, W) -> (N, num_classes) logits.

    channels: of its stages (the stem has those of the first); blocks: of all stages together, spread evenly, the rest
    to the last ones. The second stage halves the map once more. The package's own class rounds to 8 channels and
    rounds up the blocks of every stage: steps too large to compare small networks of equal cost.
    """

    def __init__(self, channels: tuple[int, ...], blocks: int, num_classes: int = 10) -> None:
        nn.Module.__init__(self)
        self.stem = nn.Sequential(*conv_norm_silu(3, channels[0], kernel_size=3, stride=2))
        self.stages, before = nn.Sequential(), channels[0]
        for i, (wider, count) in enumerate(zip(channels, spread(blocks, len(channels)), strict=True)):
            stage = []
            for block in range(count):
                stride = 2 if i == 1 and block == 0 else 1
                stage.append(MBConv(before, wider, 3, stride, expansion=4, drop=0.0))
                before = wider
            self.stages.append(nn.Sequential(*stage))
        self.head = nn.Sequential(
            *conv_norm_silu(before, 4 * before, kernel_size=1),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * before, num_classes)),
        )


def spread(blocks: int, stages: int) -> tuple[int, ...]:
    """The blocks of each stage: as even as possible, the later stages get what is left.

    >>> spread(8, 3)
    (2, 3, 3)
    """
    return tuple((blocks + i) // stages for i in range(stages))


CHANNELS, BLOCKS, SIZE = (12, 16, 24), 6, 16


def twin(width: float = 1.0, blocks: int = BLOCKS) -> Twin:
    """The twin of this lesson, its channels multiplied by `width` and rounded to whole numbers."""
    return Twin(tuple(round(width * channels) for channels in CHANNELS), blocks)


@cache
def macs(width: float = 1.0, blocks: int = BLOCKS, size: int = SIZE) -> int:
    """Mult-adds of the twin for one image of size x size pixels."""
    with torch.device("meta"):
        return measure.cost(twin(width, blocks), (3, size, size)).macs


def nearest(settings: Iterable[dict], target: float) -> dict:
    """The settings whose network comes nearest to a number of mult-adds."""
    return min(settings, key=lambda chosen: abs(macs(**chosen) - target))


def widened(blocks: int, size: int, target: float) -> dict:
    """So many blocks, such images, and the width that brings the network nearest to a number of mult-adds."""
    low, high = 50, 400  # percent; mult-adds grow with the width, so halve the interval until two are left
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if macs(middle / 100, blocks, size) < target else (low, middle)
    return nearest(({"width": w / 100, "blocks": blocks, "size": size} for w in (low, high)), target)


def single_axis(factor: float) -> dict[str, dict]:
    """The twin made `factor` times as expensive, by one of the three axes alone."""
    target = factor * macs()
    return {
        "depth": nearest(({"blocks": b} for b in range(BLOCKS, 1 + round(2 * factor * BLOCKS))), target),
        "width": widened(BLOCKS, SIZE, target),
        "resolution": nearest(({"size": s} for s in range(SIZE, round(SIZE * factor), 2)), target),
    }


class Gates(list):
    """The gates of every squeeze-and-excitation of a model for the images it is shown, in order, and a way to replace
    them: used as a context, it calls `change` with each layer's gates (N, C, 1, 1) and lets the result go on."""

    def __init__(self, model: nn.Module, change: Callable[[Tensor], Tensor] = lambda gates: gates) -> None:
        super().__init__()
        self.model, self.change, self.hooks = model, change, []

    def __enter__(self) -> "Gates":
        layers = [m for m in self.model.modules() if isinstance(m, SqueezeExcitation)]
        self.hooks = [layer.weigh.register_forward_hook(self._seen) for layer in layers]
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self.hooks:
            hook.remove()

    def _seen(self, _layer: nn.Module, _inputs: tuple, output: Tensor) -> Tensor:
        self.append(output.detach()[:, :, 0, 0])
        return self.change(output)


# The exercises


@exercise(
    "13.round-channels",
    points=2,
    stub='''
        def round_channels(channels):
            """The multiple of 8 nearest to `channels` (at least 8), or the next one if that is less than 90 % of it."""
            ...
    ''',
    solution="""
        def round_channels(channels):
            rounded = max(8, int(channels + 4) // 8 * 8)
            return rounded if rounded >= 0.9 * channels else rounded + 8
    """,
    hints=[
        "To the nearest multiple of 8: add 4 and cut off what is over, int(channels + 4) // 8 * 8.",
        "Then two special cases: nothing may be below 8, and nothing below 0.9 * channels.",
    ],
    wrong={
        "always round up": """
            def round_channels(channels):
                return -(-int(channels) // 8) * 8
        """,
        "90 %": """
            def round_channels(channels):
                return max(8, int(channels + 4) // 8 * 8)
        """,
        "no channels at all": """
            def round_channels(channels):
                rounded = int(channels + 4) // 8 * 8
                return rounded if rounded == 0 or rounded >= 0.9 * channels else rounded + 8
        """,
        "even multiple": """
            def round_channels(channels):
                rounded = max(8, round(channels / 8) * 8)
                return rounded if rounded >= 0.9 * channels else rounded + 8
        """,
        "cut": """
            def round_channels(channels):
                return max(8, int(channels) // 8 * 8)
        """,
    },
)
def _(round_channels) -> None:
    cases = [32, 35.2, 38.4, 22, 44.8, 17.6, 28.8, 11, 52, 3.2, 2, 352, 104.0001]
    got = [round_channels(c) for c in cases]
    true = [models.mobilenet_v2.round_channels(c) for c in cases]
    if got == true:
        return
    by_case = dict(zip(cases, got, strict=True))
    if by_case[2] == 0:
        raise Wrong("For 2 wanted channels yours gives 0: a layer with no channels at all.")
    if got == [max(8, int(c) // 8 * 8) for c in cases]:
        raise Wrong("You cut off what is over; 38.4 channels are nearer to 40 than to 32.")
    if got == [-(-int(c) // 8) * 8 for c in cases]:
        raise Wrong("You always round up; 35.2 channels are nearest to 32.")
    if by_case[11] == 8:
        raise Wrong("Of 11 wanted channels yours leaves 8, which is less than 90 % of them: there it must go up.")
    if by_case[52] == 48:
        raise Wrong("Python's round takes 6.5 to the even multiple, 6: of 52 channels 48 are left. Add 4 and cut.")
    case, value, right = next(t for t in zip(cases, got, true, strict=True) if t[1] != t[2])
    raise Wrong(f"Of {case} wanted channels there should be {right}; yours gives {value}.")


@exercise(
    "13.constraint",
    points=2,
    stub='''
        def gamma(alpha, beta, factor=2):
            """The resolution's coefficient that makes alpha * beta**2 * gamma**2 equal to factor.
            Raises ValueError if alpha and beta alone exceed the budget: gamma must be at least 1."""
            ...
    ''',
    solution="""
        def gamma(alpha, beta, factor=2):
            squared = factor / (alpha * beta**2)
            if squared < 1:
                raise ValueError("alpha and beta alone exceed the budget")
            return squared**0.5
    """,
    hints=[
        "Solve alpha * beta**2 * gamma**2 = factor for gamma**2, then take the root.",
        "If gamma**2 comes out below 1, nothing is left for the resolution: raise ValueError(...).",
    ],
    wrong={
        "square of gamma": """
            def gamma(alpha, beta, factor=2):
                if factor < alpha * beta**2:
                    raise ValueError
                return factor / (alpha * beta**2)
        """,
        "once": """
            def gamma(alpha, beta, factor=2):
                if factor < alpha * beta:
                    raise ValueError
                return (factor / (alpha * beta)) ** 0.5
        """,
        "depth counts once": """
            def gamma(alpha, beta, factor=2):
                if factor < (alpha * beta) ** 2:
                    raise ValueError
                return (factor / (alpha * beta) ** 2) ** 0.5
        """,
        "below 1": """
            def gamma(alpha, beta, factor=2):
                return (factor / (alpha * beta**2)) ** 0.5
        """,
        "another budget": """
            def gamma(alpha, beta, factor=2):
                if 2 < alpha * beta**2:
                    raise ValueError
                return (2 / (alpha * beta**2)) ** 0.5
        """,
    },
)
def _(gamma) -> None:
    cases = [(1.2, 1.1, 2), (1.0, 1.0, 2), (1.3, 1.05, 2), (1.1, 1.2, 3), (1.3, 1.2, 4)]
    got = []
    for case in cases:
        try:
            got.append(gamma(*case))
        except ValueError:
            raise Wrong(
                f"Yours refuses alpha {case[0]}, beta {case[1]} and factor {case[2]}, which leave room."
            ) from None

    def matches(formula: Callable[[float, float, float], float]) -> bool:
        return all(math.isclose(value, formula(*case), rel_tol=1e-6) for value, case in zip(got, cases, strict=True))

    diagnoses = [
        (lambda a, b, f: f / (a * b * b), "This is the square of gamma: take the root."),
        (lambda a, b, f: math.sqrt(f / (a * b)), "Beta is there only once; twice the channels is four times the work."),
        (lambda a, b, f: math.sqrt(f / (a * b) ** 2), "You squared alpha too: depth counts once, width twice."),
        (lambda a, b, f: math.sqrt(2 / (a * b * b)), "Right for a factor of 2, but yours ignores another budget."),
    ]
    for formula, diagnosis in diagnoses:
        if matches(formula):
            raise Wrong(diagnosis)
    if not matches(lambda a, b, f: math.sqrt(f / (a * b * b))):
        products = [a * b**2 * g**2 for (a, b, _), g in zip(cases, got, strict=True)]
        raise Wrong(f"With your gamma the product is {products[0]:.3f} for alpha 1.2 and beta 1.1; it should be 2.")
    try:
        value = gamma(1.6, 1.3)
    except ValueError:
        return
    raise Wrong(
        f"Alpha 1.6 and beta 1.3 exceed the budget; yours gives a gamma below 1, {value:.2f}, and no ValueError."
    )


@exercise(
    "13.squeeze-excitation",
    points=3,
    stub='''
        def squeeze_excite(x, narrow, widen):
            """x: (N, C, H, W). narrow and widen are linear layers, from C numbers to few and back to C.
            Squeeze, narrow, SiLU, widen, sigmoid; then weigh the channels of x: (N, C, H, W)."""
            ...
    ''',
    solution="""
        def squeeze_excite(x, narrow, widen):
            squeezed = x.mean((2, 3))
            gates = torch.sigmoid(widen(F.silu(narrow(squeezed))))
            return x * gates[:, :, None, None]
    """,
    hints=[
        "Squeeze: the mean of each channel over height and width, (N, C, H, W) becomes (N, C).",
        "The gates are (N, C). gates[:, :, None, None] fits to x and multiplies each channel by its own gate.",
    ],
    wrong={
        "without the sigmoid": """
            def squeeze_excite(x, narrow, widen):
                return x * widen(F.silu(narrow(x.mean((2, 3)))))[:, :, None, None]
        """,
        "softmax": """
            def squeeze_excite(x, narrow, widen):
                return x * widen(F.silu(narrow(x.mean((2, 3))))).softmax(1)[:, :, None, None]
        """,
        "largest": """
            def squeeze_excite(x, narrow, widen):
                return x * torch.sigmoid(widen(F.silu(narrow(x.amax((2, 3))))))[:, :, None, None]
        """,
        "only the gates": """
            def squeeze_excite(x, narrow, widen):
                return torch.sigmoid(widen(F.silu(narrow(x.mean((2, 3))))))
        """,
        "all images": """
            def squeeze_excite(x, narrow, widen):
                return x * torch.sigmoid(widen(F.silu(narrow(x.mean((0, 2, 3))))))[:, None, None]
        """,
        "ReLU": """
            def squeeze_excite(x, narrow, widen):
                return x * torch.sigmoid(widen(F.relu(narrow(x.mean((2, 3))))))[:, :, None, None]
        """,
        "added": """
            def squeeze_excite(x, narrow, widen):
                return x + torch.sigmoid(widen(F.silu(narrow(x.mean((2, 3))))))[:, :, None, None]
        """,
    },
)
def _(squeeze_excite) -> None:
    torch.manual_seed(0)
    layer = SqueezeExcitation(12, 4)
    narrow, widen = nn.Linear(12, 4), nn.Linear(4, 12)
    for linear, conv in ((narrow, layer.weigh[1]), (widen, layer.weigh[3])):
        nn.init.normal_(linear.weight)
        conv.weight.data.copy_(linear.weight[:, :, None, None])
        conv.bias.data.copy_(linear.bias)
    x = torch.randn(3, 12, 5, 7) + torch.randn(3, 12, 1, 1)
    with torch.no_grad():
        got, mean = squeeze_excite(x, narrow, widen), x.mean((2, 3))
        if got.shape == (3, 12) or got.shape == (3, 12, 1, 1):
            raise Wrong("These are only the gates: multiply x by them.")

        def gated(raw: Tensor, gate: Callable[[Tensor], Tensor] = torch.sigmoid) -> Tensor:
            return x * gate(raw).unsqueeze(-1).unsqueeze(-1)

        raw = widen(F.silu(narrow(mean)))
        diagnoses = [
            (gated(raw, lambda v: v), "Gates without the sigmoid can be negative or large; they should be in 0 to 1."),
            (
                gated(raw, lambda v: v.softmax(1)),
                "A softmax makes channels compete; each gate is a sigmoid of its own.",
            ),
            (gated(widen(F.silu(narrow(x.amax((2, 3)))))), "You squeezed to the largest value; it is the mean."),
            (gated(widen(F.silu(narrow(x.mean((0, 2, 3)))))), "You averaged over all images: each has its own gates."),
            (gated(widen(F.relu(narrow(mean)))), "Between the two layers stands a SiLU here, not a ReLU."),
            (x + raw.sigmoid()[:, :, None, None], "You added the gates to x: they multiply it."),
        ]
        if got.shape == x.shape and torch.allclose(got, layer(x), atol=1e-5):
            return
        for value, diagnosis in diagnoses:
            if got.shape == value.shape and torch.allclose(got, value, atol=1e-5):
                raise Wrong(diagnosis)
    raise Wrong(f"The result is not x times its gates; its shape is {tuple(got.shape)} for x of {tuple(x.shape)}.")


@exercise(
    "13.own-scaling",
    points=4,
    stub="""
        my_network = (..., ...)
    """,
    solution="""
        from cnnlab.course import lesson13
        torch.manual_seed(0)
        chosen = lesson13.widened(blocks=6, size=20, target=2 * lesson13.macs())
        mine = lesson13.twin(chosen["width"], chosen["blocks"])
        smaller = data.load("street_digits", train=4000).resized(20)
        training.fit(mine, smaller, epochs=8, lr=0.1, batch_size=64, precision="fp32")
        my_network = (mine, 20)
    """,
    hints=[
        "my_network = (model, size): a trained twin and the number of pixels that it was trained with.",
        "Look at the grid: which axis helps most at this size? Then train longer, and on all 4,000 digits.",
    ],
    wrong={
        "a pair": "my_network = 20",
        "twice the base": """
            from cnnlab.course import lesson13
            my_network = (lesson13.twin(2.0, 6), 16)
        """,
        "at least 85 %": """
            from cnnlab.course import lesson13
            my_network = (lesson13.twin(), 16)
        """,
        "whole number": """
            from cnnlab.course import lesson13
            my_network = (lesson13.twin(), "16")
        """,
    },
)
def _(my_network) -> None:
    if not isinstance(my_network, tuple) or len(my_network) != 2 or not isinstance(my_network[0], nn.Module):
        raise Wrong("my_network should be a pair: the trained network and the number of pixels of its images.")
    model, size = my_network
    if not isinstance(size, int) or not 4 <= size <= 32:
        raise Wrong(f"The number of pixels should be a whole number from 4 to 32, not {size!r}.")
    spent = measure.cost(model, (3, size, size)).macs
    if spent > 2.02 * macs():
        raise Wrong(f"It takes {spent:,} mult-adds; at most twice the base's are allowed, {2 * macs():,}.")
    fresh = data.load("street_digits", train=1000, test=1000, seed=7).resized(size)
    accuracy = evaluate(model, fresh.test).accuracy
    if accuracy < 0.85:
        raise Wrong(f"It reads {accuracy:.0%} of 1,000 fresh digits of {size} pixels; at least 85 % is asked for.")


def _cost(name: str) -> measure.Cost:
    size = SCALES[name][2]
    with torch.device("meta"):
        return measure.cost(models.get_model(f"efficientnet_{name}"), (3, size, size))


_PAPER = "Tan, Le 2019, arXiv 1905.11946v5"
register(
    Claim(
        lesson="13",
        id="params_b0",
        statement="Parameters of EfficientNet-B0",
        stated="5.3M",
        source="lecture",
        status="exact",
        compute=lambda: f"{_cost('b0').params / 1e6:.1f}M",
    ),
    Claim(
        lesson="13",
        id="accuracy_b0",
        statement="EfficientNet-B0 on ImageNet, top-1 and top-5 (%)",
        stated="77.7 / 93.5",
        source="lecture; torchvision documents 77.692 / 93.532, the paper says 77.1 / 93.3",
        status="reported only",
        why="ImageNet is 150 GB",
    ),
    Claim(
        lesson="13",
        id="macs_b0",
        statement="Mult-adds of B0 at 224 pixels",
        stated="0.39B",
        source=f"{_PAPER}, Table 2",
        status="exact",
        compute=lambda: f"{_cost('b0').macs / 1e9:.2f}B",
    ),
    Claim(
        lesson="13",
        id="params_b7",
        statement="Parameters of B7",
        stated="66M",
        source=f"{_PAPER}, Table 2",
        status="exact",
        compute=lambda: f"{_cost('b7').params / 1e6:.0f}M",
    ),
    Claim(
        lesson="13",
        id="params_b2",
        statement="Parameters of B2",
        stated="9.2M",
        source=f"{_PAPER}, Table 2",
        status="variant",
        compute=lambda: f"{_cost('b2').params / 1e6:.1f}M",
        why="the released network has 9,109,994, here and in torchvision; where 9.2 comes from is not said",
    ),
    Claim(
        lesson="13",
        id="macs_b7",
        statement="Mult-adds of B7 at 600 pixels",
        stated="37B",
        source=f"{_PAPER}, Table 2",
        status="variant",
        compute=lambda: f"{_cost('b7').macs / 1e9:.1f}B",
        why="torchvision documents 37.746 billion too; in B4, B5 and B7 the paper prints 2 to 4 % less",
    ),
    Claim(
        lesson="13",
        id="accuracy_b7",
        statement="EfficientNet-B7 on ImageNet, top-1 and top-5 (%)",
        stated="84.3 / 97.0",
        source=f"{_PAPER}, Table 2; torchvision documents 84.122 / 96.908 for its weights",
        status="reported only",
        why="ImageNet is 150 GB",
    ),
    Claim(
        lesson="13",
        id="constraint",
        statement="Each step of the coefficient doubles the mult-adds: alpha * beta^2 * gamma^2",
        stated="about 2",
        source=f"{_PAPER}, equation 3",
        status="variant",
        compute=lambda: (
            f"{ALPHA * BETA**2 * GAMMA**2:.2f}; the first step of B0 {count(*of_phi(1))[1] / count(1, 1, 224)[1]:.2f}"
        ),
        why="1.2, 1.1 and 1.15 multiply to 1.92; channels and blocks are rounded, blocks always up",
    ),
    Claim(
        lesson="13",
        id="table_7",
        statement="B0 four times as deep, twice as wide, at twice the resolution, and compound: mult-adds",
        stated="1.8B, 1.8B, 1.9B, 1.8B",
        source=f"{_PAPER}, Table 7",
        status="variant",
        compute=lambda: ", ".join(
            f"{count(w, d, round(224 * r))[1] / 1e9:.2f}B" for (d, w, r), *_ in list(TABLE_7.values())[1:]
        ),
        why="with the factors as printed and the usual rounding; the compound network gets more than the others",
    ),
    Claim(
        lesson="13",
        id="grid",
        statement="A grid search on the small network finds the coefficients",
        stated="1.2, 1.1, 1.15",
        source=f"{_PAPER}, section 4",
        status="measured",
    ),
    Claim(
        lesson="13",
        id="compound",
        statement="Width, depth and resolution scaled together beat each of them alone, at equal cost",
        stated="81.1 % against 78.9 to 79.1 % (ImageNet)",
        source=f"lecture; {_PAPER}, Table 7",
        status="measured",
    ),
)
