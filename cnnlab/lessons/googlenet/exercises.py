"""Lesson 05, GoogLeNet: its exercises."""

import functools
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: F401  the wrong answers use it

from cnnlab import measure
from cnnlab.lessons.compare import kind
from cnnlab.lessons.diagnose import Wrong
from cnnlab.lessons.exercise import edit, exercise, source
from cnnlab.models.googlenet import MODULES, Inception


def pixels() -> list[tuple]:
    generator = torch.Generator().manual_seed(5)
    few = torch.arange(1.0, 9).view(2, 2, 2), torch.tensor([[1.0, 0.0], [2.0, -1.0]]), torch.tensor([0.5, 0.25])
    sizes = [((4, 4, 4), (4, 4), (4,)), ((6, 5, 2), (3, 6), (3,))]  # in the first, wrong matches of axes fit too
    return [few] + [tuple(torch.randn(size, generator=generator) for size in three) for three in sizes]


exercise(
    "05.pointwise",
    points=2,
    stub='''
        def pointwise(x, weight, bias):
            """x: (C, H, W), weight: (K, C), bias: (K,). Without any convolution.

            Returns (K, H, W): the same linear layer at every pixel.
            """
            ...
    ''',
    solution="""
        def pointwise(x, weight, bias):
            pixels = x.permute(1, 2, 0)
            return (pixels @ weight.T + bias).permute(2, 0, 1)
    """,
    hints=[
        "x[:, i, j] holds the C numbers of one pixel. What would a linear layer make of them?",
        "A linear layer works on the last axis: bring the channels there with permute, and the results back.",
    ],
    cases=pixels,
    forbid={
        "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d convolution lazy_conv1d lazy_conv2d": (
            "Here no convolution is allowed: write the linear layer."
        )
    },
    wrong=[
        edit("weight.T + bias", "weight.T", "The bias is missing: one number for each output channel."),
        source(
            """
            def pointwise(x, weight, bias):
                return torch.einsum("kc,chw->khw", weight, x) + bias
            """,
            "The bias was added along the width of the map and not to the channels.",
        ),
        source(
            """
            def pointwise(x, weight, bias):
                return torch.einsum("kc,chw->khw", weight, x) + bias[:, None]
            """,
            "The bias was added along the height of the map and not to the channels: bias[:, None, None].",
        ),
        source(
            """
            def pointwise(x, weight, bias):
                c, h, w = x.shape
                return F.linear(x.reshape(h * w, c), weight, bias).T.reshape(len(weight), h, w)
            """,
            "A reshape alone does not bring the channels last, it mixes pixels: use permute.",
        ),
        source(
            """
            def pointwise(x, weight, bias):
                c, h, w = x.shape
                return F.linear(x.reshape(h * w, c), weight, bias).reshape(len(weight), h, w)
            """,
            "A reshape brings the channels neither last nor back, it mixes pixels: use permute.",
        ),
        edit(
            "permute(2, 0, 1)",
            "reshape(len(weight), *x.shape[1:])",
            "A reshape does not bring the channels back to the front, it mixes pixels: use permute.",
        ),
        source(
            """
            def pointwise(x, weight, bias):
                return torch.einsum("ck,chw->khw", weight, x) + bias[:, None, None]
            """,
            "The weight is used transposed: weight[k, c] belongs to output k and input c.",
        ),
        edit(
            "permute(1, 2, 0)",
            "permute(2, 1, 0)",
            "The image comes out mirrored: its rows and columns are exchanged.",
        ),
        edit(
            "(pixels @ weight.T + bias).permute(2, 0, 1)",
            "pixels @ weight.T + bias",
            "The channels are still on the last axis: permute them back to the front.",
        ),
        source(
            """
            def pointwise(x, weight, bias):
                return x @ weight.T + bias
            """,
            "The layer was applied to the last axis, the columns of the map: bring the channels there first.",
        ),
        source(
            """
            def pointwise(x, weight, bias):
                return weight @ x + bias[:, None, None]
            """,
            "@ works on the last two axes, so the rows of each map were mixed and not the channels.",
        ),
        edit(
            "(pixels @ weight.T + bias)",
            "(pixels @ weight.T + bias).relu()",
            "A linear layer is asked for, without a ReLU: negative results stay.",
        ),
    ],
)


def check_always_cheaper(branch: object) -> None:
    try:
        numbers = [int(number) for number in branch]  # type: ignore[union-attr]
        whole = len(numbers) == 3 and all(n == m for n, m in zip(numbers, branch, strict=True))
    except (TypeError, ValueError):
        raise Wrong(f"branch is to be three whole numbers, and is {kind(branch)}.") from None
    if not whole or min(numbers) < 1:
        raise Wrong("branch is to be three whole numbers: channels in, maps of the 1 x 1, maps of the 3 x 3.")
    if max(numbers) > 4096:
        raise Wrong("Keep to at most 4,096 channels: it can be shown with less.")
    into, reduced, maps = numbers
    if reduced >= into:
        raise Wrong(f"The reduction is to have fewer maps than come in; yours has {reduced} for {into}.")
    with torch.device("meta"):
        direct = nn.Conv2d(into, maps, 3, padding=1)
        branches = direct, nn.Sequential(nn.Conv2d(into, reduced, 1), nn.Conv2d(reduced, maps, 3, padding=1))
        without, with_it = (measure.cost(each, (into, 14, 14)).macs for each in branches)
    if with_it <= without:
        raise Wrong(
            f"The explanation survives: on 14 x 14 pixels your branch has {with_it:,} mult-adds with the reduction and"
            f" {without:,} without it."
        )


exercise(
    "05.always-cheaper",
    points=2,
    stub="branch = ...",
    solution="branch = (192, 96, 8)",
    hints=[
        "Without the reduction the branch has 9 * in * out mult-adds for each pixel. With it, two products take its"
        " place: what are they?",
        "in * reduced + 9 * reduced * out. The first does not get smaller with out: make few maps at the end.",
    ],
    check=check_always_cheaper,
    wrong=[
        source("branch = (192, 96, 128)", "The explanation survives"),
        source("branch = (192, 192, 128)", "fewer maps than come in"),
        source("branch = (192, 96)", "three whole numbers: channels in"),
        source("branch = (192, 9.5, 128)", "three whole numbers: channels in"),
        source("branch = 192", "three whole numbers, and is"),
        source("branch = (10**6, 10**5, 1)", "at most 4,096 channels"),
    ],
)


exercise(
    "05.module-cost",
    points=3,
    stub='''
        def module_cost(in_channels, widths, size):
            """widths: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj.

            Returns (parameters, mult-adds) of the module on maps of size x size. Every
            convolution has biases; mult-adds count the weights only.
            """
            ...
    ''',
    solution="""
        def module_cost(in_channels, widths, size):
            one, reduce3, three, reduce5, five, pool = widths
            weights = in_channels * (one + reduce3 + reduce5 + pool) + 9 * reduce3 * three + 25 * reduce5 * five
            return weights + sum(widths), weights * size * size
    """,
    hints=[
        "Four 1x1 convolutions read the module's input. What do the 3x3 and the 5x5 read?",
        "A convolution has in * out * k * k weights and out biases, and uses each weight once for each pixel.",
    ],
    cases=[(10, (1, 2, 3, 4, 5, 6), 9), (7, (6, 1, 4, 3, 2, 5), 7), (192, MODULES[0][0], 28), (832, MODULES[2][1], 7)],
    wrong=[
        edit(
            "weights + sum(widths)",
            "weights",
            "Nearly: these parameters have no biases, one for each map of every convolution.",
        ),
        edit(
            "weights * size",
            "(weights + sum(widths)) * size",
            "The mult-adds use the biases too: they are added and not multiplied, and by convention not counted.",
        ),
        edit(
            "weights * size * size",
            "weights * size * size + sum(widths)",
            "The mult-adds use the biases too: they are added and not multiplied, and by convention not counted.",
        ),
        edit(
            "9 * reduce3 * three + 25 * reduce5 * five",
            "in_channels * (9 * three + 25 * five)",
            "Here the 3x3 and the 5x5 read the module's input, as in the naive module; they read what was reduced.",
        ),
        source(
            """
            def module_cost(in_channels, widths, size):
                one, _, three, _, five, pool = widths
                weights = in_channels * (one + 9 * three + 25 * five + pool)
                return weights + one + three + five + pool, weights * size * size
            """,
            "The reductions are missing: here the 3x3 and the 5x5 read the module's input, as in the naive module.",
        ),
        edit(
            "reduce5 + pool)",
            "reduce5 + 9 * pool)",
            "The pool's 3x3 window has no weights, and the projection behind it is a 1x1 convolution.",
        ),
        edit(
            "reduce5 + pool)",
            "reduce5)",
            "sum(widths)",
            "sum(widths[:5])",
            "The 1x1 projection behind the pooling is missing.",
        ),
        edit("reduce5 + pool)", "reduce5)", "The weights of the 1x1 projection behind the pooling are missing."),
        edit(
            "9 * reduce3",
            "3 * reduce3",
            "25 * reduce5",
            "5 * reduce5",
            "A kernel has k times k weights for each pair of maps: 9 and 25, not 3 and 5.",
        ),
        edit(
            "9 * reduce3",
            "reduce3",
            "25 * reduce5",
            "reduce5",
            "A kernel has k times k weights for each pair of maps: 9 for the 3x3 and 25 for the 5x5.",
        ),
        edit("25 * reduce5", "9 * reduce5", "You gave the last kernel 9 weights for each pair of maps; 5x5 has 25."),
        edit(
            "* size * size",
            "",
            "The mult-adds are those of one position: every weight is used at every pixel of the map.",
        ),
        edit("* size * size", "* size", "A map of size x size has size * size pixels; you counted size."),
        edit(
            "sum(widths)",
            "one + three + five + pool",
            "The biases of the two reductions are missing: all six convolutions have biases.",
        ),
        edit(
            "weights + sum(widths)",
            "weights + 6",
            "Every map of a convolution has its own bias, not every convolution.",
        ),
        edit(
            "one + reduce3 + reduce5 + pool", "one + pool", "The two 1x1 reductions are missing: they read the input."
        ),
        edit("weights * size", "2 * weights * size", "A mult-add is a multiplication and its addition together."),
    ],
)


def rows_of_modules() -> list[tuple]:
    small, second = (1, 2, 3, 4, 5, 6), (8, 7, 9, 2, 4, 3)
    every = [row for stage in MODULES for row in stage]
    rows = [(7, [small]), (5, [small, second]), (192, every)]
    return [(*case, *naive) for case in rows for naive in ((), (True,))]


exercise(
    "05.concatenation",
    points=2,
    stub='''
        def output_channels(in_channels, modules, naive=False):
            """modules: the widths of modules in a row, each
            (#1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj).

            Returns the channels after the last. A naive module has no 1x1 before its
            kernels or after its pool.
            """
            ...
    ''',
    solution="""
        def output_channels(in_channels, modules, naive=False):
            for one, _, three, _, five, pool in modules:
                in_channels = one + three + five + (in_channels if naive else pool)
            return in_channels
    """,
    hints=[
        "Concatenation adds up channels. Which four of the six numbers leave the module?",
        "In a naive module the pooled input leaves too, with all its channels. Go through the modules in turn.",
    ],
    cases=rows_of_modules,
    wrong=[
        source(
            """
            def output_channels(in_channels, modules, naive=False):
                for widths in modules:
                    in_channels = sum(widths) if not naive else widths[0] + widths[2] + widths[4] + in_channels
                return in_channels
            """,
            "You added the reductions: they feed the 3x3 and the 5x5 and do not leave the module.",
        ),
        source(
            """
            def output_channels(in_channels, modules, naive=False):
                for widths in modules:
                    in_channels = sum(widths[:5]) + (in_channels if naive else widths[5])
                return in_channels
            """,
            "You added the reductions: they feed the 3x3 and the 5x5 and do not leave the module.",
        ),
        source(
            """
            def output_channels(in_channels, modules, naive=False):
                if not naive:
                    return sum(one + three + five + pool for one, _, three, _, five, pool in modules)
                return in_channels + sum(one + three + five for one, _, three, _, five, _ in modules)
            """,
            "These are the channels of all modules together: a module's output replaces its input.",
        ),
        edit(
            "(in_channels if naive else pool)",
            "pool",
            "Naive changes nothing in yours: without a projection, pooling keeps all channels of its input.",
        ),
        edit(
            "(in_channels if naive else pool)",
            "in_channels",
            "Right for naive modules; in the others a 1x1 behind the pooling makes pool channels of the input's.",
        ),
        edit(
            "(in_channels if naive else pool)",
            "(pool if naive else in_channels)",
            "Exchange the two: a naive module keeps the channels of its input, the other one projects them.",
        ),
        edit(
            "(in_channels if naive else pool)",
            "(in_channels + pool if naive else pool)",
            "Your naive module has the projection and the pooled input both; it has no projection.",
        ),
        source(
            """
            def output_channels(in_channels, modules, naive=False):
                one, _, three, _, five, pool = modules[-1]
                return one + three + five + (in_channels if naive else pool)
            """,
            "A naive module pools the output of the one before it, not the input of the whole row.",
        ),
        edit("in modules:", "in modules[:1]:", "Only the first module is counted: go through all of them."),
        edit(
            "in_channels if naive",
            "0 if naive",
            "Your naive module loses the pooled input: it is concatenated too, with all its channels.",
        ),
    ],
)

_SIZES = ((14, 14), (9, 11))


def check_own_module(my_module: object) -> None:
    if not isinstance(my_module, nn.Module):
        called = " Give an instance: call the class." if isinstance(my_module, type) else ""
        raise Wrong(f"my_module is {kind(my_module)}, not an nn.Module.{called}")
    module = deepcopy(my_module).float().eval()
    for height, width in _SIZES:
        check_size(module, height, width)
    cost = measure.cost(module, (480, 14, 14))
    if cost.macs > _half():
        raise Wrong(f"It takes {cost.macs / 1e6:.1f}M mult-adds; at most {_half() / 1e6:.1f}M are allowed.")
    x = torch.randn(6, 480, 14, 14, generator=torch.Generator().manual_seed(0)).requires_grad_()
    (gradient,) = torch.autograd.grad(module(x).square().sum(), x)
    if silent := int((gradient.abs().sum((0, 2, 3)) == 0).sum()):
        raise Wrong(f"It never looks at {silent} of the 480 input channels.")
    sides, moves = _sides(module, x.detach())
    if (wide := int((sides >= 5).sum())) < 48:
        raise Wrong(
            f"Only {wide} maps see 5 x 5 pixels or more; at least 48 must. The most that one sees is {sides.max()}."
        )
    if (narrow := int((moves & (sides <= 3)).sum())) < 48:
        raise Wrong(f"Only {narrow} maps see 3 x 3 pixels or less; at least 48 must, or small things are lost.")


def check_size(module: nn.Module, height: int, width: int) -> None:
    """Raises Wrong where maps of this size do not keep it, or do not become 512 channels."""
    try:
        with torch.no_grad():
            y = module(torch.randn(1, 480, height, width, generator=torch.Generator().manual_seed(0)))
    except Exception as error:
        if (height, width) == _SIZES[0]:
            raise
        raise Wrong(
            f"It takes maps of 14 x 14 and fails on {height} x {width} ({type(error).__name__}); any size is asked for."
        ) from error
    if not isinstance(y, Tensor) or y.ndim != 4:
        raise Wrong(f"Its output should be one tensor of shape (N, 512, H, W); yours is {kind(y)}.")
    if y.shape[2:] != (height, width):
        raise Wrong(
            f"{height} x {width} pixels go in and {y.shape[2]} x {y.shape[3]} come out: check the paddings and strides."
        )
    if y.shape[1] != 512:
        raise Wrong(f"Its output has {y.shape[1]} channels; what follows 4a expects 512 channels.")


@torch.no_grad()
def _sides(module: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """For each output map the side of the window that its middle unit depends on, and whether it says anything."""
    middle = module(x)[:, :, 7, 7]
    spread = middle.std(0)
    sides = torch.full_like(middle[0], 15, dtype=torch.long)
    for side in range(13, 0, -2):
        window = slice(7 - side // 2, 8 + side // 2)
        changed = x.roll(1, 0)  # another image outside the window
        changed[:, :, window, window] = x[:, :, window, window]
        sides[((module(changed)[:, :, 7, 7] - middle).abs() <= 1e-4 * spread).all(0)] = side
    return sides, spread > 0


@functools.cache
def _half() -> int:
    """Half the mult-adds of the module 4a."""
    return measure.cost(Inception(480, MODULES[1][0]), (480, 14, 14)).macs // 2


exercise(
    "05.own-module",
    points=4,
    stub="""
        my_module = ...
    """,
    solution="""
        my_module = models.googlenet.Inception(480, (64, 24, 320, 8, 64, 64))
    """,
    hints=[
        "models.googlenet.Inception(480, widths) is a module. Which of the four branches of 4a costs most, and why?",
        "Narrow the reductions. Or write your own nn.Module: two 3x3 in a row see what a 5x5 sees.",
    ],
    check=check_own_module,
    wrong=[
        source("my_module = models.googlenet.Inception(480, (64, 24, 256, 8, 32, 32))", "512 channels"),
        source("my_module = models.googlenet.Inception(480, models.googlenet.MODULES[1][0])", "at most 36.8"),
        source("my_module = models.googlenet.Inception", "call the class"),
        source(
            "my_module = nn.Sequential(nn.Conv2d(480, 16, 1), nn.ReLU(), nn.Conv2d(16, 512, 5))",
            "pixels go in",
        ),
        source(
            """
            class Resized(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.inner = models.googlenet.Inception(480, (64, 24, 320, 8, 64, 64))

                def forward(self, x):
                    return F.interpolate(self.inner(x), size=(14, 14))

            my_module = Resized()
            """,
            "9 x 11 pixels go in and 14 x 14 come out",
        ),
        source(
            """
            own = models.googlenet.Inception(480, (64, 24, 320, 8, 64, 64))
            my_module = nn.Sequential(own, nn.LayerNorm([512, 14, 14]))
            """,
            "fails on 9 x 11",
        ),
        source(
            "my_module = nn.Sequential(nn.Conv2d(480, 8, 1), nn.ReLU(), nn.Conv2d(8, 512, 3, padding=1))",
            "maps see 5 x 5",
        ),
        source(
            "my_module = nn.Sequential(nn.Conv2d(480, 8, 1), nn.ReLU(), nn.Conv2d(8, 512, 5, padding=2))",
            "maps see 3 x 3",
        ),
        source(
            """
            my_module = nn.Sequential(nn.Conv2d(480, 64, 5, padding=2, groups=32), nn.ReLU(), nn.Conv2d(64, 512, 1))
            my_module[0].weight.data[0, 3] = 0
            my_module[0].weight.data[1, 3] = 0
            """,
            "never looks",
        ),
    ],
)
