"""Lesson 05, GoogLeNet: its exercises."""

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import measure
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.models.googlenet import MODULES, Inception


@exercise(
    "05.pointwise",
    points=2,
    stub='''
        def pointwise(x, weight, bias):
            """x: (C, H, W), weight: (K, C), bias: (K,). Returns (K, H, W): the same linear layer at every pixel.
            Without any convolution."""
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
    wrong={
        "bias is missing": """
            def pointwise(x, weight, bias):
                return torch.einsum("kc,chw->khw", weight, x)
        """,
        "along the width": """
            def pointwise(x, weight, bias):
                return torch.einsum("kc,chw->khw", weight, x) + bias
        """,
        "reshape": """
            def pointwise(x, weight, bias):
                c, h, w = x.shape
                return F.linear(x.reshape(h * w, c), weight, bias).T.reshape(len(weight), h, w)
        """,
        "transposed": """
            def pointwise(x, weight, bias):
                return torch.einsum("ck,chw->khw", weight, x) + bias[:, None, None]
        """,
        "rows and columns": """
            def pointwise(x, weight, bias):
                return F.linear(x.permute(2, 1, 0), weight, bias).permute(2, 0, 1)
        """,
        "last axis": """
            def pointwise(x, weight, bias):
                return F.linear(x.permute(1, 2, 0), weight, bias)
        """,
    },
)
def check_pointwise(pointwise) -> None:
    square, other = _pixels(4, 4, 4, 4), _pixels(6, 3, 5, 2)  # in the first, wrong matches of axes fit too
    got = pointwise(*square)
    x, weight, bias = square
    right = F.conv2d(x, weight[:, :, None, None], bias)
    no_bias = right - bias[:, None, None]
    diagnoses = [
        (no_bias, "The bias is missing: one number for each output channel."),
        (no_bias + bias, "The bias was added along the width of the map and not to the channels."),
        (
            F.linear(x.reshape(16, 4), weight, bias).T.reshape(4, 4, 4),
            "A reshape alone does not bring the channels last, it mixes pixels: use permute.",
        ),
        (
            F.conv2d(x, weight.T[:, :, None, None], bias),
            "The weight is used transposed: weight[k, c] belongs to output k and input c.",
        ),
        (right.transpose(1, 2), "The image comes out mirrored: its rows and columns are exchanged."),
        (right.permute(1, 2, 0), "The channels are still on the last axis: permute them back to the front."),
    ]
    if tuple(got.shape) != (4, 4, 4):
        raise Wrong(f"4 maps of 4 x 4 must come out here; yours have the shape {tuple(got.shape)}.")
    if not torch.allclose(got, right, atol=1e-5):
        for values, diagnosis in diagnoses:
            if torch.allclose(got, values, atol=1e-5):
                raise Wrong(diagnosis)
        raise Wrong("The values are not weight @ x[:, i, j] + bias at every pixel (i, j).")
    x, weight, bias = other
    got = pointwise(x, weight, bias)
    if tuple(got.shape) != (3, 5, 2) or not torch.allclose(got, F.conv2d(x, weight[:, :, None, None], bias), atol=1e-5):
        raise Wrong("Right for 4 channels to 4 on 4 x 4 pixels, and wrong for 6 channels to 3 on 5 x 2.")


def _pixels(channels: int, outputs: int, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    sizes = (channels, height, width), (outputs, channels), (outputs,)
    return tuple(torch.randn(size, generator=generator) for size in sizes)


@exercise(
    "05.module-cost",
    points=3,
    stub='''
        def module_cost(in_channels, widths, size):
            """widths: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj. Returns (parameters, mult-adds)
            of the module on maps of size x size. Every convolution has biases; mult-adds count the weights only."""
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
    wrong={
        "no biases": """
            def module_cost(in_channels, widths, size):
                one, reduce3, three, reduce5, five, pool = widths
                weights = in_channels * (one + reduce3 + reduce5 + pool) + 9 * reduce3 * three + 25 * reduce5 * five
                return weights, weights * size * size
        """,
        "use the biases": """
            def module_cost(in_channels, widths, size):
                one, reduce3, three, reduce5, five, pool = widths
                weights = in_channels * (one + reduce3 + reduce5 + pool) + 9 * reduce3 * three + 25 * reduce5 * five
                return weights + sum(widths), (weights + sum(widths)) * size * size
        """,
        "read the module's input": """
            def module_cost(in_channels, widths, size):
                one, reduce3, three, reduce5, five, pool = widths
                weights = in_channels * (one + reduce3 + 9 * three + reduce5 + 25 * five + pool)
                return weights + sum(widths), weights * size * size
        """,
        "projection": """
            def module_cost(in_channels, widths, size):
                one, reduce3, three, reduce5, five, pool = widths
                weights = in_channels * (one + reduce3 + reduce5) + 9 * reduce3 * three + 25 * reduce5 * five
                return weights + sum(widths[:5]), weights * size * size
        """,
        "k times k": """
            def module_cost(in_channels, widths, size):
                one, reduce3, three, reduce5, five, pool = widths
                weights = in_channels * (one + reduce3 + reduce5 + pool) + 3 * reduce3 * three + 5 * reduce5 * five
                return weights + sum(widths), weights * size * size
        """,
        "every pixel": """
            def module_cost(in_channels, widths, size):
                one, reduce3, three, reduce5, five, pool = widths
                weights = in_channels * (one + reduce3 + reduce5 + pool) + 9 * reduce3 * three + 25 * reduce5 * five
                return weights + sum(widths), weights
        """,
    },
)
def check_module_cost(module_cost) -> None:
    cases = [(192, MODULES[0][0], 28), (832, MODULES[2][1], 7), (10, (1, 2, 3, 4, 5, 6), 9)]
    got = [module_cost(*case) for case in cases]

    def all_of(weights, biases=sum, positions=lambda size: size * size):
        return [(weights(n, *w) + biases(w), weights(n, *w) * positions(size)) for n, w, size in cases]

    def true(n, one, r3, three, r5, five, pool):
        return n * (one + r3 + r5 + pool) + 9 * r3 * three + 25 * r5 * five

    diagnoses = [
        (all_of(true, lambda w: 0), "Nearly: these parameters have no biases, one for each map of every convolution."),
        (
            [(true(n, *w) + sum(w), (true(n, *w) + sum(w)) * s * s) for n, w, s in cases],
            "The mult-adds use the biases too: they are added and not multiplied, and by convention not counted.",
        ),
        (
            all_of(lambda n, one, r3, three, r5, five, pool: n * (one + r3 + 9 * three + r5 + 25 * five + pool)),
            "Here the 3x3 and the 5x5 read the module's input, as in the naive module; they read what was reduced.",
        ),
        (
            all_of(lambda n, *w: true(n, *w) - n * w[5], lambda w: sum(w[:5])),
            "The 1x1 projection behind the pooling is missing.",
        ),
        (
            all_of(
                lambda n, one, r3, three, r5, five, pool: n * (one + r3 + r5 + pool) + 3 * r3 * three + 5 * r5 * five
            ),
            "A kernel has k times k weights for each pair of maps: 9 and 25, not 3 and 5.",
        ),
        (
            all_of(true, positions=lambda size: 1),
            "The mult-adds are those of one position: every weight is used at every pixel of the map.",
        ),
    ]
    got = [tuple(pair) for pair in got]
    for values, diagnosis in diagnoses:
        if got == values:
            raise Wrong(diagnosis)
    for (channels, widths, size), pair in zip(cases, got, strict=True):
        cost = measure.cost(Inception(channels, widths), (channels, size, size))
        if pair != (cost.params, cost.macs):
            raise Wrong(
                f"For {channels} channels, widths {widths} and {size} x {size} pixels the built module has"
                f" {cost.params:,} parameters and {cost.macs:,} mult-adds; your function gives {pair}."
            )


@exercise(
    "05.concatenation",
    points=2,
    stub='''
        def output_channels(in_channels, modules, naive=False):
            """modules: the widths of modules in a row (#1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj).
            Returns the channels after the last. A naive module has no 1x1 before its kernels or after its pool."""
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
    wrong={
        "reductions": """
            def output_channels(in_channels, modules, naive=False):
                for widths in modules:
                    in_channels = sum(widths) if not naive else widths[0] + widths[2] + widths[4] + in_channels
                return in_channels
        """,
        "of all modules": """
            def output_channels(in_channels, modules, naive=False):
                if not naive:
                    return sum(one + three + five + pool for one, _, three, _, five, pool in modules)
                return in_channels + sum(one + three + five for one, _, three, _, five, _ in modules)
        """,
        "pooling keeps": """
            def output_channels(in_channels, modules, naive=False):
                one, _, three, _, five, pool = modules[-1]
                return one + three + five + pool
        """,
        "before it": """
            def output_channels(in_channels, modules, naive=False):
                one, _, three, _, five, pool = modules[-1]
                return one + three + five + (in_channels if naive else pool)
        """,
        "loses the pooled": """
            def output_channels(in_channels, modules, naive=False):
                one, _, three, _, five, pool = modules[-1]
                return one + three + five + (0 if naive else pool)
        """,
    },
)
def check_concatenation(output_channels) -> None:
    first = [row for stage in MODULES[:1] for row in stage]
    every = [row for stage in MODULES for row in stage]
    cases = [(192, first), (192, every), (7, [(1, 2, 3, 4, 5, 6)])]
    got = [(output_channels(n, m), output_channels(n, m, naive=True)) for n, m in cases]

    def leaves(widths, last):
        return widths[0] + widths[2] + widths[4] + last

    reduced = [leaves(m[-1], m[-1][5]) for _, m in cases]
    naive = [n + sum(leaves(widths, 0) for widths in m) for n, m in cases]
    if [pair[0] for pair in got] == [sum(m[-1]) for _, m in cases]:
        raise Wrong("You added the reductions: they feed the 3x3 and the 5x5 and do not leave the module.")
    if [pair[0] for pair in got] == [sum(leaves(w, w[5]) for w in m) for _, m in cases]:
        raise Wrong("These are the channels of all modules together: a module's output replaces its input.")
    for pair, (channels, rows) in zip(got, cases, strict=True):
        with torch.device("meta"):
            x = torch.zeros(1, channels, 5, 5)
            for widths in rows:
                x = Inception(x.shape[1], widths)(x)
        if pair[0] != x.shape[1]:
            raise Wrong(f"After {len(rows)} module(s) on {channels} channels there are {x.shape[1]}, not {pair[0]}.")
    if [pair[1] for pair in got] == reduced:
        raise Wrong("Naive changes nothing in yours: without a projection, pooling keeps all channels of its input.")
    if [pair[1] for pair in got] == [leaves(m[-1], n) for n, m in cases]:
        raise Wrong("A naive module pools the output of the one before it, not the input of the whole row.")
    if [pair[1] for pair in got] == [leaves(m[-1], 0) for _, m in cases]:
        raise Wrong("Your naive module loses the pooled input: it is concatenated too, with all its channels.")
    if [pair[1] for pair in got] != naive:
        raise Wrong(f"Naive, these rows of modules end with {naive} channels; yours give {[pair[1] for pair in got]}.")


@exercise(
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
    wrong={
        "512 channels": "my_module = models.googlenet.Inception(480, (64, 24, 256, 8, 32, 32))",
        "at most 36.8": "my_module = models.googlenet.Inception(480, models.googlenet.MODULES[1][0])",
        "pixels go in": "my_module = nn.Sequential(nn.Conv2d(480, 16, 1), nn.ReLU(), nn.Conv2d(16, 512, 5))",
        "maps see 5 x 5": "my_module = nn.Sequential(nn.Conv2d(480, 8, 1), nn.ReLU(), nn.Conv2d(8, 512, 3, padding=1))",
        "maps see 3 x 3": "my_module = nn.Sequential(nn.Conv2d(480, 8, 1), nn.ReLU(), nn.Conv2d(8, 512, 5, padding=2))",
        "never looks": """
            my_module = nn.Sequential(nn.Conv2d(480, 64, 5, padding=2, groups=32), nn.ReLU(), nn.Conv2d(64, 512, 1))
            my_module[0].weight.data[0, 3] = 0
            my_module[0].weight.data[1, 3] = 0
        """,
    },
)
def check_own_module(my_module) -> None:
    if not isinstance(my_module, nn.Module):
        raise Wrong(f"my_module is a {type(my_module).__name__}, not an nn.Module.")
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(12, 480, 14, 14, generator=generator).requires_grad_()
    y = my_module.eval()(x)
    if y.shape[2:] != x.shape[2:]:
        raise Wrong(f"14 x 14 pixels go in and {y.shape[2]} x {y.shape[3]} come out: check the paddings.")
    if y.shape[1] != 512:
        raise Wrong(f"Its output has {y.shape[1]} channels; what follows 4a expects 512 channels.")
    cost = measure.cost(my_module, (480, 14, 14))
    if cost.macs > _half():
        raise Wrong(f"It takes {cost.macs / 1e6:.1f}M mult-adds; at most {_half() / 1e6:.1f}M are allowed.")
    (gradient,) = torch.autograd.grad(y.square().sum(), x)
    if silent := int((gradient.abs().sum((0, 2, 3)) == 0).sum()):
        raise Wrong(f"It never looks at {silent} of the 480 input channels.")
    sides, moves = _sides(my_module, x.detach())
    if (wide := int((sides >= 5).sum())) < 48:
        raise Wrong(
            f"Only {wide} maps see 5 x 5 pixels or more; at least 48 must. The most that one sees is {sides.max()}."
        )
    if (narrow := int((moves & (sides <= 3)).sum())) < 48:
        raise Wrong(f"Only {narrow} maps see 3 x 3 pixels or less; at least 48 must, or small things are lost.")


@torch.no_grad()
def _sides(module: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """For each output map the side of the window that its middle unit depends on, and whether it says anything."""
    middle = module(x)[:, :, 7, 7]
    sides = torch.full_like(middle[0], 15, dtype=torch.long)
    for side in range(13, 0, -2):
        window = slice(7 - side // 2, 8 + side // 2)
        changed = x.roll(1, 0)  # another image outside the window
        changed[:, :, window, window] = x[:, :, window, window]
        sides[((module(changed)[:, :, 7, 7] - middle).abs() <= 1e-5).all(0)] = side
    return sides, middle.std(0) > 0


@functools.cache
def _half() -> int:
    """Half the mult-adds of the module 4a."""
    return measure.cost(Inception(480, MODULES[1][0]), (480, 14, 14)).macs // 2
