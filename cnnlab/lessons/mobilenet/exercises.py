"""Lesson 11, MobileNet: its exercises."""

import math
from copy import deepcopy

import numpy as np
import torch
from torch import nn

from cnnlab import measure
from cnnlab.lessons.compare import kind
from cnnlab.lessons.exercise import Wrong, behaviour, edit, exercise, source, when
from cnnlab.lessons.runs import reads_digits, trained


def convolutions(net: nn.Module, in_channels: int, out_channels: int, stride: int = 1) -> dict[str, object]:
    """What a network of convolutions is made of, and what it does."""
    x, run = torch.randn(2, in_channels, 10, 10), deepcopy(net).eval()
    run(x)  # a lazy layer takes its shape
    layers = [m for m in run.modules() if not list(m.children()) and not isinstance(m, (nn.Identity, nn.Sequential))]
    found = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    return {
        "layers": " and ".join(type(layer).__name__.removeprefix("Lazy") for layer in layers),
        "kernels": [list(layer.kernel_size) for layer in found],
        "maps that the convolutions make": [layer.out_channels for layer in found],
        "groups of the convolutions": [layer.groups for layer in found],
        "strides": [list(layer.stride) for layer in found],
        "biases": ["none" if layer.bias is None else "bias" for layer in found],
        **behaviour(net, x),
    }


exercise(
    "11.separable",
    points=3,
    stub='''
        def separable(in_channels, out_channels, stride=1):
            """Two nn.Conv2d in an nn.Sequential, without biases: a depthwise 3 x 3 with this
            stride that keeps the size of the map at stride 1, then a pointwise convolution
            to out_channels."""
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
    cases=[(2, 3), (4, 4, 1), (8, 16), (6, 12, 2), (4, 6, 3)],
    look=convolutions,
    wrong=[
        edit(
            " groups=in_channels,",
            "",
            "A kernel of your first convolution reads all maps; a depthwise one reads one: groups=in_channels.",
        ),
        source(
            """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 1, bias=False),
                    nn.Conv2d(out_channels, out_channels, 3, stride, padding=1, groups=out_channels, bias=False),
                )
            """,
            "The order is reversed: filter each map first, then combine.",
        ),
        source(
            """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, in_channels, 3, stride, padding=1, groups=in_channels),
                    nn.Conv2d(in_channels, out_channels, 1),
                )
            """,
            "There are biases: say bias=False. The batch norm that follows has its own.",
        ),
        edit(
            "groups=in_channels, bias=False",
            "groups=in_channels",
            "The depthwise convolution has a bias: say bias=False there, too.",
        ),
        edit(
            "out_channels, 1, bias=False",
            "out_channels, 1",
            "The pointwise convolution has a bias: say bias=False there, too.",
        ),
        edit(
            " padding=1,",
            "",
            "The padding is missing: without it a kernel of 3 takes a row of pixels off each side.",
        ),
        source(
            """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False),
                    nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                )
            """,
            "Your pointwise convolution has the stride. The result has the right size, but the depthwise one then"
            " filters every place, and a part of what it makes is thrown away.",
        ),
        edit(
            "out_channels, 1, bias",
            "out_channels, 1, stride, bias",
            "Both convolutions have the stride, so that a stride of 2 quarters each side; it belongs to the first.",
        ),
        edit("3, stride, padding", "3, padding", "The stride is not used: give it to the depthwise convolution."),
        edit(
            "in_channels, in_channels, 3",
            "in_channels, out_channels, 3",
            "in_channels, out_channels, 1",
            "out_channels, out_channels, 1",
            "The first convolution already makes out_channels maps; filtering in_channels gives in_channels, and the"
            " second makes new ones.",
        ),
        edit(
            "3, stride, padding=1",
            "5, stride, padding=2",
            "Your depthwise kernels are 5 x 5; 3 x 3 is asked for.",
        ),
        edit(
            "out_channels, 1, bias",
            "out_channels, 3, padding=1, bias",
            "Your second convolution is a full one of 3 x 3; a pointwise one is 1 x 1.",
        ),
        when(
            lambda results: all("Norm" in one["layers"] for one in results),
            """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, in_channels, 3, stride, padding=1, groups=in_channels, bias=False),
                    nn.BatchNorm2d(in_channels),
                    nn.ReLU(),
                    nn.Conv2d(in_channels, out_channels, 1, bias=False),
                    nn.BatchNorm2d(out_channels),
                    nn.ReLU(),
                )
            """,
            "There is a norm in it: MobileNet has one behind each convolution, but asked for are the two convolutions"
            " alone.",
        ),
        when(
            lambda results: all("ReLU" in one["layers"] for one in results),
            """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, in_channels, 3, stride, padding=1, groups=in_channels, bias=False),
                    nn.ReLU(),
                    nn.Conv2d(in_channels, out_channels, 1, bias=False),
                )
            """,
            "There is a ReLU in it: MobileNet has one behind each convolution, but asked for are the two convolutions"
            " alone.",
        ),
        when(
            lambda results: all(one["layers"] == "Conv2d" for one in results),
            """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False))
            """,
            "There is one convolution; asked for are two, a depthwise one and a pointwise one.",
        ),
        when(
            lambda results: all(one["kernels"][1:] == [[3, 3]] for one in results),
            """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, in_channels, 1, bias=False),
                    nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
                )
            """,
            "Your second convolution is 3 x 3. Filter each map first, with 3 x 3, then combine the maps, with 1 x 1.",
        ),
    ],
)

exercise(
    "11.ratio",
    points=2,
    stub='''
        def times_fewer(in_channels, out_channels, kernel, size):
            """How many times fewer mult-adds does a depthwise separable convolution take than
            a full one? Both make maps of size x size, at stride 1."""
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
    cases=[(2, 3, 3, 4), (5, 5, 3, 5), (16, 8, 5, 20), (3, 24, 7, 9), (32, 64, 3, 112), (512, 512, 3, 14)],
    wrong=[
        edit(
            "full / (depthwise + pointwise)",
            "(depthwise + pointwise) / full",
            "The ratio is upside down: how many times fewer, not what share is left.",
        ),
        edit(
            "full / (depthwise + pointwise)",
            "1 - (depthwise + pointwise) / full",
            "This is the share that is saved; asked for is how many times fewer: full / separable.",
        ),
        source(
            """
            def times_fewer(in_channels, out_channels, kernel, size):
                return 1 / (1 / in_channels + 1 / kernel**2)
            """,
            "You counted the depthwise kernels by the output channels: there is one for each input channel, and in the"
            " ratio it is the number of outputs that decides.",
        ),
        edit(
            "out_channels * kernel**2",
            "out_channels * kernel",
            "depthwise = in_channels * kernel**2",
            "depthwise = in_channels * kernel",
            "A kernel has kernel * kernel weights: the kernel squared.",
        ),
        edit(
            "(depthwise + pointwise)",
            "depthwise",
            "The pointwise part is missing in the cost of the separable convolution.",
        ),
        edit(
            "(depthwise + pointwise)",
            "pointwise",
            "The depthwise part is missing in the cost of the separable convolution.",
        ),
        edit(
            "(depthwise + pointwise)",
            "(depthwise * pointwise)",
            "The two steps come one after the other: their costs are added, not multiplied.",
        ),
        edit("full /", "full //", "// rounds down: the ratio is no whole number, so divide with /."),
        edit(
            "return full / (depthwise + pointwise)",
            "return round(full / (depthwise + pointwise))",
            "The ratio is no whole number: do not round it.",
        ),
        edit(
            "depthwise = in_channels * kernel**2",
            "depthwise = in_channels * out_channels * kernel**2",
            "Your depthwise part costs as much as a full convolution. It has one kernel for each input channel, and"
            " each kernel reads one map.",
        ),
        edit(
            "depthwise = in_channels * kernel**2",
            "depthwise = kernel**2",
            "The depthwise part has a kernel for each input channel; yours has a single one.",
        ),
        edit(
            "pointwise = in_channels * out_channels",
            "pointwise = in_channels * out_channels * kernel**2",
            "The pointwise part has kernels of 1 x 1: kernel**2 is not in it.",
        ),
        edit(
            "pointwise = in_channels * out_channels",
            "pointwise = out_channels",
            "Each of the pointwise part's kernels reads all in_channels maps.",
        ),
        edit(
            "full / (depthwise + pointwise)",
            "full - depthwise - pointwise",
            "This is how many fewer; asked for is how many times fewer: divide.",
        ),
        edit(
            "full = in_channels * out_channels * kernel**2 * size**2",
            "full = in_channels * out_channels * kernel**2",
            "Your full convolution is counted at one position, the separable one at size * size positions.",
        ),
    ],
)

# (in, out, size, alpha, rho): none of the products is a whole number, or a half, but those with 1.
THINNER = [
    (5, 8, 6, 0.65, 0.6),
    (10, 14, 9, 0.77, 0.62),
    (33, 47, 29, 0.7, 0.6),
    (100, 40, 20, 0.232, 0.81),
    (32, 64, 112, 1, 1),
    (64, 128, 56, 0.45, 0.35),
]


def has_right_mult_adds(results: list) -> bool:
    def right(m: int, n: int, size: int, alpha: float, rho: float) -> int:
        m, n = round(alpha * m), round(alpha * n)
        return (9 * m + m * n) * round(rho * size) ** 2

    return all(macs == right(*case) for (_, macs), case in zip(results, THINNER, strict=True))


def goes_with_alpha_squared(results: list) -> bool:
    """Whether the weights are alpha squared times those of the whole, rounded in any way."""
    return all(
        abs(weights - alpha**2 * (9 * m + m * n)) <= 1
        for (weights, _), (m, n, _, alpha, _) in zip(results, THINNER, strict=True)
    )


exercise(
    "11.multipliers",
    points=3,
    stub='''
        def thinner(in_channels, out_channels, size, alpha, rho):
            """(weights, mult-adds) of a depthwise separable 3 x 3 convolution at stride 1
            without biases: all channels times alpha, the size of the map times rho, each
            rounded to a whole number."""
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
    cases=THINNER,
    wrong=[
        edit(
            "round(alpha * in_channels)",
            "in_channels",
            "Alpha thins both, the maps that come in and those that go out: the inputs of a layer are the outputs of"
            " the one before.",
        ),
        edit(
            "round(alpha * out_channels)",
            "out_channels",
            "Alpha thins both, the maps that come in and those that go out; yours thins those that come in.",
        ),
        edit(
            "round(alpha * in_channels), round(alpha * out_channels)",
            "in_channels, out_channels",
            "alpha is not used: it thins the maps that come in and those that go out.",
        ),
        edit("round(rho * size)", "size", "rho is not used: the map is rho * size wide."),
        source(
            """
            def thinner(in_channels, out_channels, size, alpha, rho):
                m, n = round(alpha * in_channels), round(alpha * out_channels)
                return 9 * m + m * n, (9 * m + m * n) * size * round(rho * size)
            """,
            "A map gets smaller in height and in width: mult-adds go with rho squared.",
        ),
        source(
            """
            def thinner(in_channels, out_channels, size, alpha, rho):
                m, n = round(alpha * in_channels), round(alpha * out_channels)
                return 9 * m + m * n, (9 * m + m * n) * round(rho * size)
            """,
            "A map has a height and a width: each weight is used at size * size positions.",
        ),
        edit(
            "return weights, weights * size * size",
            "return weights, weights",
            "Each weight is used at every position of the map: the mult-adds are weights * size * size.",
        ),
        edit(
            "return weights, weights * size * size",
            "return weights * size * size, weights",
            "The order is turned around: first the weights, then the mult-adds.",
        ),
        edit("9 * m + m * n", "9 * m * n", "This is a full convolution: 9 * in * out weights."),
        edit(
            "9 * m + m * n",
            "9 * m * m + m * n",
            "A depthwise kernel reads one map: 9 weights for each map that comes in.",
        ),
        edit("9 * m + m * n", "9 * m", "The pointwise part is missing: in * out weights more."),
        edit("9 * m + m * n", "m * n", "The depthwise part is missing: 9 weights for each map that comes in."),
        edit(
            "9 * m + m * n", "9 * n + m * n", "The depthwise part filters the maps that come in, not those that go out."
        ),
        edit("9 * m + m * n", "3 * m + m * n", "A kernel of 3 x 3 has 9 weights, not 3."),
        edit(
            "9 * m + m * n",
            "9 * m + 9 * m * n",
            "The pointwise part has kernels of 1 x 1: one weight for each pair of maps.",
        ),
        edit("9 * m + m * n", "10 * m + m * n + n", "There are no biases here."),
        edit(
            "round(alpha * in_channels), round(alpha * out_channels), round(rho * size)",
            "int(alpha * in_channels), int(alpha * out_channels), int(rho * size)",
            "Yours rounds down (int); each number is rounded to the nearest, with round.",
        ),
        edit(
            "round(alpha * in_channels), round(alpha * out_channels)",
            "int(alpha * in_channels), int(alpha * out_channels)",
            "Your channels are rounded down (int); they are rounded to the nearest, with round.",
        ),
        edit("round(rho * size)", "int(rho * size)", "Your map is rounded down (int); it is rounded to the nearest."),
        edit(
            "round(alpha * in_channels), round(alpha * out_channels), round(rho * size)",
            "math.ceil(alpha * in_channels), math.ceil(alpha * out_channels), math.ceil(rho * size)",
            "Yours rounds up; each number is rounded to the nearest, with round.",
        ),
        edit(
            "round(alpha * in_channels), round(alpha * out_channels), round(rho * size)",
            "alpha * in_channels, alpha * out_channels, rho * size",
            "There are only whole channels and whole pixels: round each of the three before you count.",
        ),
        edit(
            "round(alpha * in_channels), round(alpha * out_channels), round(rho * size)",
            "alpha * in_channels, alpha * out_channels, rho * size",
            "weights, weights * size * size",
            "round(weights), round(weights * size * size)",
            "You rounded at the end. Round the channels and the size of the map first, then count.",
        ),
        edit(
            "return weights, weights",
            "return weights + m + n, weights",
            "The mult-adds are right. Your weights count biases, and there are none here.",
        ),
        when(
            has_right_mult_adds,
            """
            def thinner(in_channels, out_channels, size, alpha, rho):
                m, n, small = round(alpha * in_channels), round(alpha * out_channels), round(rho * size)
                return round((9 * m + m * n) * (small / size) ** 2), (9 * m + m * n) * small * small
            """,
            "The mult-adds are right. The weights are not: they are those that one place of the map takes, 9 for each"
            " map that comes in and one for each pair of maps, whatever the size of the map.",
        ),
        when(
            goes_with_alpha_squared,
            """
            def thinner(in_channels, out_channels, size, alpha, rho):
                m, n, size = in_channels, out_channels, round(rho * size)
                weights = round(alpha * alpha * (9 * m + m * n))
                return weights, weights * size * size
            """,
            "Only the pointwise part goes with alpha squared; the depthwise part has 9 weights a channel, and goes with"
            " alpha.",
        ),
    ],
)

exercise(
    "11.bytes",
    points=2,
    stub='''
        def macs_per_byte(in_channels, out_channels, kernel, size, groups):
            """Mult-adds of a convolution without biases, stride 1, on maps of size x size, for
            each byte that it reads (input and weights) or writes (output), once each, at
            4 bytes a number."""
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
    cases=[
        (2, 4, 3, 5, 1),
        (6, 9, 3, 4, 3),
        (7, 7, 5, 11, 7),
        (12, 24, 5, 9, 3),
        (512, 256, 3, 14, 1),
        (512, 512, 3, 14, 512),
    ],
    wrong=[
        edit("(4 * numbers)", "numbers", "These are mult-adds for each number; a number takes 4 bytes."),
        edit(
            "(4 * numbers)",
            "(2 * numbers)",
            "These are twice as many: a number takes 4 bytes, and a multiplication and its addition together are one"
            " mult-add.",
        ),
        edit("(4 * numbers)", "(32 * numbers)", "These are mult-adds for each bit; a number takes 4 bytes."),
        edit("(4 * numbers)", "4 * numbers", "Brackets: a / 4 * b divides by 4 and multiplies by b."),
        edit("size**2 + weights", "size**2", "The weights have to be read too."),
        edit(
            "(in_channels + out_channels) * size**2",
            "in_channels * size**2",
            "The output is written: its bytes count as well.",
        ),
        edit(
            "(in_channels + out_channels) * size**2",
            "out_channels * size**2",
            "The input is read: its bytes count as well.",
        ),
        edit(
            "(in_channels + out_channels) * size**2 + weights",
            "weights",
            "The input is read and the output written: their bytes count as well, not the weights' alone.",
        ),
        edit("(in_channels // groups)", "in_channels", "The groups are not used: a kernel reads in // groups maps."),
        edit(
            "out_channels * (in_channels // groups)",
            "(out_channels // groups) * (in_channels // groups)",
            "Your weights are those of one group; there are groups of them, so that groups stands under the product"
            " once.",
        ),
        edit(
            "weights * size**2 / (4 * numbers)",
            "4 * numbers / (weights * size**2)",
            "The ratio is upside down: these are bytes for each mult-add.",
        ),
        edit(
            "return weights * size**2",
            "return weights",
            "The mult-adds are too few: each weight is used at size * size positions.",
        ),
        edit("kernel**2", "kernel", "A kernel has kernel * kernel weights: the kernel squared."),
        edit(
            "(in_channels + out_channels) * size**2 + weights",
            "(in_channels + out_channels) * size + weights",
            "A map of size x size has size squared numbers.",
        ),
        edit(
            "(in_channels + out_channels) * size**2",
            "(in_channels + out_channels)",
            "The maps are counted as single numbers: each is size x size.",
        ),
        edit("/ (4", "// (4", "// rounds down: the result is no whole number, so divide with /."),
    ],
)

AROUND = [(math.cos(angle), math.sin(angle)) for angle in (0.001 + i * math.tau / 720 for i in range(720))]


def check_lossless(my_directions: object) -> None:
    try:
        given = my_directions.detach() if isinstance(my_directions, torch.Tensor) else my_directions
        rows = torch.as_tensor(np.asarray(given, dtype=float))
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"my_directions is {kind(my_directions)}; asked for are four rows of two numbers.") from None
    if rows.shape != (4, 2):
        raise Wrong(
            f"Four rows of two numbers are asked for, one row a channel; yours has the shape {tuple(rows.shape)}."
        )
    if not rows.isfinite().all():
        raise Wrong("Some of your numbers are not finite.")
    lengths = rows.norm(dim=1)
    if not lengths.all():
        raise Wrong("A direction of two zeros reads nothing: that channel is never on.")
    points = torch.tensor(AROUND, dtype=torch.float64)
    lost, parallel = [], []
    for x in points:
        on = rows[rows @ x > 0] / lengths[rows @ x > 0, None]
        if len(on) < 2:
            lost.append(x)
        elif torch.linalg.matrix_rank(on, tol=0.05) < 2:
            parallel.append(x)
    if lost:
        x = ", ".join(f"{number:.2f}" for number in lost[0].tolist())
        count = int((rows @ lost[0] > 0).sum())
        on = "no channel is on" if not count else "one channel is on, and one number does not tell two"
        raise Wrong(f"{len(lost) / len(points):.0%} of the points are lost: for example at ({x}) {on}.")
    if parallel:
        x = ", ".join(f"{number:.2f}" for number in parallel[0].tolist())
        raise Wrong(f"At ({x}) the channels that are on read the same direction, so that they tell one number only.")


exercise(
    "11.lossless",
    points=3,
    stub="""
        my_directions = ...  # four rows of two numbers: what each of four channels reads
    """,
    solution="""
        my_directions = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    """,
    hints=[
        "A channel is on in half of the plane. To recover a point, two channels with different directions must be on.",
        "Which half of the plane does one channel not see? Give that half to another channel.",
        "max(x, 0) and max(-x, 0) together tell x, whatever its sign.",
    ],
    check=check_lossless,
    wrong=[
        source("my_directions = 'north'", "four rows of two numbers"),
        source("my_directions = torch.eye(2)", "yours has the shape (2, 2)"),
        source("my_directions = torch.randn(2, 4)", "yours has the shape (2, 4)"),
        source("my_directions = torch.full((4, 2), torch.nan)", "not finite"),
        edit("[0.0, -1.0]", "[0.0, 0.0]", "reads nothing"),
        edit("[0.0, -1.0]", "[0.0, 2.0]", "one channel is on"),
        source("my_directions = [[-1, 0], [-1, 1], [-1, -1], [-2, 1]]", "no channel is on"),
        source("my_directions = [[1, 0], [2, 0], [-1, 0.001], [-2, 0.001]]", "read the same direction"),
    ],
)


def check_budget(my_run: object) -> None:
    model = trained(my_run)
    macs = measure.cost(model, (3, 32, 32)).macs
    if macs > 2e6:
        raise Wrong(f"Your network takes {macs / 1e6:.2f} million mult-adds for 32 x 32 pixels: at most 2 million.")
    reads_digits(model, 0.8)


exercise(
    "11.budget",
    points=3,
    stub="""
        torch.manual_seed(0)
        my_run = ...
    """,
    solution="""
        torch.manual_seed(0)
        mine = models.get_model("mobilenet_v1_tiny", width_mult=0.25)
        my_run = training.fit(mine, dataset, epochs=7, lr=0.1, batch_size=64, precision="fp32")
    """,
    hints=[
        "measure.cost(model, (3, 32, 32)).macs counts before you train. Two multipliers make a network cheaper.",
        "The twin at half its width has 1.9 million mult-adds. How many epochs does it want?",
    ],
    check=check_budget,
    wrong=[
        source("my_run = models.get_model('mobilenet_v1_tiny', width_mult=0.25)", "not the run"),
        source("my_run = training.fit(models.get_model('mobilenet_v1_tiny'), dataset, epochs=1)", "mult-adds"),
        source(
            """
            my_run = training.fit(models.get_model("mobilenet_v1_tiny", width_mult=0.125), dataset, epochs=1)
            """,
            "fresh street digits",
        ),
    ],
)
