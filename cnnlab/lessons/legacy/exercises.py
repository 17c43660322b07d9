"""Lesson 09, ResNet's legacy: its exercises."""

import operator
from copy import deepcopy

import torch
from torch import nn

from cnnlab import measure, models
from cnnlab.lessons.exercise import Wrong, edit, exercise, source
from cnnlab.lessons.legacy.study import _Sums
from cnnlab.lessons.runs import reads_digits, sees_colours, trained

exercise(
    "09.grouped-parameters",
    points=2,
    stub='''
        def bottleneck_parameters(channels, cardinality, path_width):
            """Parameters of a ResNeXt bottleneck with as many channels out as in, batch norms
            included."""
            ...
    ''',
    solution="""
        def bottleneck_parameters(channels, cardinality, path_width):
            inner = cardinality * path_width
            convolutions = channels * inner + 9 * inner * path_width + inner * channels
            return convolutions + 2 * inner + 2 * inner + 2 * channels
    """,
    hints=[
        "The 3x3 convolution has cardinality * path_width channels. How many of them does one of its kernels look at?",
        "Three convolutions without biases, each followed by a batch norm with two numbers for each of its channels.",
    ],
    cases=[(8, 2, 3), (64, 4, 6), (32, 15, 1), (128, 2, 20), (256, 1, 64), (256, 32, 4)],
    wrong=[
        edit(
            "9 * inner * path_width",
            "9 * inner * inner",
            "You counted the 3x3 convolution as if every path saw all paths: that is the case without groups.",
        ),
        edit(
            "return convolutions + 2 * inner + 2 * inner + 2 * channels",
            "return convolutions",
            "The convolutions are right, the batch norms are missing.",
        ),
        edit(
            "9 * inner * path_width",
            "9 * path_width * path_width",
            "You counted the 3x3 kernels of one path only; there are as many such sets as paths.",
        ),
        edit(
            "= channels * inner",
            "= channels * path_width",
            "inner * channels",
            "path_width * channels",
            "You counted the 1x1 convolutions as grouped: only the 3x3 convolution is.",
        ),
        edit(
            "convolutions + 2 * inner + 2 * inner + 2 * channels",
            "convolutions + 6 * channels",
            "The three batch norms do not have the same number of channels: the first two stand inside.",
        ),
        edit(
            "convolutions + 2 * inner + 2 * inner + 2 * channels",
            "convolutions + 6 * inner",
            "The three batch norms do not have the same number of channels: the last one stands after the last 1x1"
            " convolution and has channels of them.",
        ),
        edit(
            "convolutions + 2 * inner + 2 * inner + 2 * channels",
            "convolutions + inner + inner + channels",
            "A batch norm has two numbers for each channel, a factor and a shift; you counted one.",
        ),
        edit(
            "convolutions + 2 * inner + 2 * inner + 2 * channels",
            "convolutions + 4 * inner + 4 * inner + 4 * channels",
            "A batch norm has two parameters for each channel. Its running mean and variance are no parameters: nothing"
            " trains them.",
        ),
        edit(
            "convolutions + 2 * inner + 2 * inner + 2 * channels",
            "convolutions + 2 * (inner + inner + channels) + inner + inner + channels",
            "The convolutions have no biases: the batch norm behind each has its own.",
        ),
        edit(
            "convolutions + 2 * inner + 2 * inner + 2 * channels",
            "convolutions + 2 * inner + 2 * channels",
            "One batch norm is missing: each of the three convolutions is followed by one.",
        ),
        edit(
            "convolutions + 2 * inner + 2 * inner + 2 * channels",
            "convolutions + 2 * inner + 2 * inner",
            "The last batch norm is missing: the 1x1 convolution that makes channels maps is followed by one, too.",
        ),
        edit(
            "+ 9 * inner * path_width + inner * channels",
            "+ 9 * inner * path_width",
            "One 1x1 convolution is missing: there is one before the 3x3 and one after it.",
        ),
        edit("9 * inner", "3 * inner", "A kernel of 3x3 has 9 weights, not 3."),
        edit("9 * inner", "inner", "The convolution inside is 3x3: 9 weights for each pair of channels."),
        edit(
            "9 * inner * path_width",
            "9 * inner",
            "This is a depthwise 3x3 convolution, each kernel on one channel. Here each sees the path_width channels of"
            " its path.",
        ),
        edit(
            "inner = cardinality * path_width",
            "inner = path_width",
            "This is one path alone: all paths together are cardinality * path_width channels wide.",
        ),
    ],
)

exercise(
    "09.equal-cost",
    points=3,
    stub='''
        def equal_cost_width(channels, cardinality):
            """The whole number d for which a bottleneck of so many paths of d channels has as
            nearly as possible the weights of the usual one, whose single path is channels // 4
            wide. Count the convolutions only."""
            ...
    ''',
    solution="""
        def equal_cost_width(channels, cardinality):
            def weights(paths, d):
                return paths * d * (2 * channels + 9 * d)

            target = weights(1, channels // 4)
            return min(range(1, channels), key=lambda d: abs(weights(cardinality, d) - target))
    """,
    hints=[
        "With C paths of d channels the two 1x1 convolutions have 2 * channels * C * d weights. And the 3x3 in groups?",
        "C * d * (2 * channels + 9 * d) is to be as near as possible to the same with C = 1 and d = channels // 4. Try "
        "all d, or solve the quadratic equation and compare the two whole numbers beside its root.",
    ],
    cases=[
        (8, 2),
        (12, 1),
        (32, 5),
        (40, 12),
        (64, 2),
        (128, 4),
        (512, 16),
        (256, 2),
        (256, 4),
        (256, 8),
        (256, 16),  # here the batch norms would count
        (256, 32),
    ],
    wrong=[
        source(
            """
            def equal_cost_width(channels, cardinality):
                return channels // 4 // cardinality
            """,
            "This keeps the cost of the 1x1 convolutions; the 3x3 became cheaper, and nothing uses what was saved.",
        ),
        source(
            """
            def equal_cost_width(channels, cardinality):
                return round(channels / 4 / cardinality**0.5)
            """,
            "This keeps the cost of the 3x3 convolution; the two 1x1 convolutions became more expensive.",
        ),
        source(
            """
            def equal_cost_width(channels, cardinality):
                def weights(paths, d):
                    return paths * d * (2 * channels + 9 * d)

                return max(d for d in range(1, channels) if weights(cardinality, d) <= weights(1, channels // 4))
            """,
            "You rounded down: with 256 channels and 8 paths 14 is nearer than 13.",
        ),
        source(
            """
            def equal_cost_width(channels, cardinality):
                def weights(paths, d):
                    return paths * d * (2 * channels + 9 * d)

                return min(d for d in range(1, channels) if weights(cardinality, d) >= weights(1, channels // 4))
            """,
            "You rounded up: with 256 channels and 4 paths 24 is nearer than 25.",
        ),
        edit(
            "2 * channels",
            "channels",
            "Your count of the weights counts one 1x1 convolution; there is one before the 3x3 and one after it.",
        ),
        source(
            """
            def equal_cost_width(channels, cardinality):
                target = channels // 4 * (2 * channels + 9 * (channels // 4)) / cardinality
                return round((math.sqrt(channels**2 + 9 * target) - channels) / 9)
            """,
            "You rounded the root to the nearest d. The weights grow with the square of d, so that the nearest d and"
            " the nearest cost are not always the same: compare the costs of the two whole numbers beside the root.",
        ),
        edit(
            "return paths * d * (2 * channels + 9 * d)",
            "return paths * d * (2 * channels + 9 * d) + 4 * paths * d + 2 * channels",
            "You counted the batch norms too. Count the convolutions only.",
        ),
        edit(
            "return min(",
            "return cardinality * min(",
            "This is the inner width, all paths together; asked for is the width of one path.",
        ),
        edit(
            "2 * channels + 9 * d",
            "2 * channels + 9 * paths * d",
            "You counted the 3x3 convolution as if every path saw all. In groups it has 9 * d * d weights a path.",
        ),
        edit(
            "9 * d",
            "d",
            "The convolution inside is 3x3: its 9 weights for each pair of channels are missing.",
        ),
        edit("9 * d", "3 * d", "A kernel of 3x3 has 9 weights, not 3."),
        edit(
            "weights(1, channels // 4)",
            "weights(1, channels)",
            "The usual bottleneck's single path is channels // 4 wide, not channels.",
        ),
        edit(
            "weights(1, channels // 4)",
            "weights(1, channels // 2)",
            "The usual bottleneck's single path is channels // 4 wide, not channels // 2.",
        ),
        edit(
            "return paths * d",
            "return d",
            "You compared one path with the usual block; the paths have as many weights all together.",
        ),
        edit(
            "key=lambda d: abs(weights(cardinality, d) - target)",
            "key=lambda d: weights(cardinality, d)",
            "You took the cheapest of all; asked for is the one that costs most nearly the same.",
        ),
    ],
)

exercise(
    "09.widening",
    points=2,
    stub='''
        def layers_left(depth, k):
            """A wide residual network has 6n + 4 layers. Make one of this depth k times as
            wide at the same mult-adds: how many layers may it have? n is a whole number,
            the nearest, and at least 1."""
            ...
    ''',
    solution="""
        def layers_left(depth, k):
            n = (depth - 4) // 6
            return 6 * max(1, round(n / k**2)) + 4
    """,
    hints=[
        "A convolution from w to w channels has 9 * w * w weights. What happens to them when w becomes k * w?",
        "First get n out of the depth, then divide it, then make a depth of it again.",
    ],
    cases=[(46, 2), (40, 1), (58, 2), (28, 8), (100, 4), (226, 3), (118, 3), (964, 4)],
    wrong=[
        edit(
            "k**2",
            "k",
            "k times the channels in and k times the channels out: the cost of a convolution grows with the square of"
            " k.",
        ),
        edit("n / k**2", "n / k**3", "The cost of a convolution grows with the square of k, not with its cube."),
        edit("n / k**2", "n / (2 * k)", "The cost of a convolution grows with the square of k, not with its double."),
        source(
            """
            def layers_left(depth, k):
                return round(depth / k**2)
            """,
            "You divided the depth itself. Its four fixed layers stay; only the blocks are traded for width.",
        ),
        source(
            """
            def layers_left(depth, k):
                return round((depth - 4) / k**2) + 4
            """,
            "A network of this kind has 6n + 4 layers, n a whole number. Round n, not the layers.",
        ),
        edit(
            "6 * max(1, round(n / k**2)) + 4",
            "max(1, round(n / k**2))",
            "This is n, not the layers: a network of n blocks a stage has 6n + 4.",
        ),
        edit("round(n / k**2)) + 4", "round(n / k**2))", "The four fixed layers are missing: 6n + 4."),
        edit("round(n / k**2)) + 4", "round(n / k**2)) + 2", "A wide residual network has 6n + 4 layers, not 6n + 2."),
        edit(
            "max(1, round(n / k**2))",
            "round(n / k**2)",
            "With 28 layers made 8 times as wide nothing would be left: n is at least 1.",
        ),
        edit("n / k**2", "n * k**2", "The network became deeper. Wider blocks cost more, so fewer of them can be had."),
        edit("n / k**2", "n * k", "The network became deeper. Wider blocks cost more, so fewer of them can be had."),
        edit("round(n / k**2)", "n // k**2", "Yours rounds n down; the nearest whole number is asked for."),
        edit("round(", "math.ceil(", "Yours rounds n up; the nearest whole number is asked for."),
        edit("round(n / k**2)", "n / k**2", "n is a whole number, the nearest: yours is not rounded."),
        edit("max(1, ", "min(1, ", "n is at least 1: max, not min."),
        edit(
            "n = (depth - 4) // 6",
            "n = depth - 4",
            "These are layers, not n: a depth of 6n + 4 has n = (depth - 4) // 6.",
        ),
        edit(
            "(depth - 4) // 6",
            "(depth - 4) / 3 / 3",
            "A depth of 6n + 4 has n = (depth - 4) // 6.",
        ),
    ],
)


def blocks() -> list[tuple]:
    """An input and four layers, small ones first; the norms have numbers that show where each stands."""
    torch.manual_seed(0)
    cases = []
    for shape in ((1, 1, 2, 2), (2, 4, 4, 4), (2, 3, 5, 7)):
        norms = [nn.BatchNorm2d(shape[1]).eval() for _ in range(2)]
        for norm in norms:
            for numbers in (norm.weight, norm.bias, norm.running_mean):
                nn.init.normal_(numbers)
            nn.init.uniform_(norm.running_var, 0.5, 2)
        convs = [nn.Conv2d(shape[1], shape[1], 3, padding=1, bias=False) for _ in range(2)]
        cases.append((torch.randn(shape), norms[0], convs[0], norms[1], convs[1]))
    return cases


def pre(body: str, diagnosis: str):
    """A wrong answer of one expression."""
    return source(f"def pre_activation(x, norm1, conv1, norm2, conv2):\n    return {body}", diagnosis)


exercise(
    "09.pre-activation",
    points=3,
    stub='''
        def pre_activation(x, norm1, conv1, norm2, conv2):
            """The output of a pre-activation block that changes no shape, made of these
            four layers."""
            ...
    ''',
    solution="""
        def pre_activation(x, norm1, conv1, norm2, conv2):
            y = conv1(torch.relu(norm1(x)))
            y = conv2(torch.relu(norm2(y)))
            return x + y
    """,
    hints=[
        "Each convolution is preceded by a batch norm and a ReLU, in this order.",
        "The shortcut carries x as it came, and nothing stands behind the sum.",
    ],
    cases=blocks,
    wrong=[
        pre(
            "torch.relu(x + norm2(conv2(torch.relu(norm1(conv1(x))))))",
            "This is the original block: convolution, norm, ReLU.",
        ),
        pre(
            "x + norm2(conv2(torch.relu(norm1(conv1(x)))))",
            "Your norms stand behind the convolutions, as in the original block; here each convolution has its norm and"
            " its ReLU before it.",
        ),
        pre(
            "x + torch.relu(norm2(conv2(torch.relu(norm1(conv1(x))))))",
            "Your norms and ReLUs stand behind the convolutions; here each convolution has them before it.",
        ),
        edit(
            "return x + y", "return torch.relu(x + y)", "The last ReLU is one too many: nothing stands behind the sum."
        ),
        edit(
            "return x + y",
            "return x + torch.relu(y)",
            "There is a ReLU behind the second convolution: nothing stands there but the sum.",
        ),
        edit(
            "y = conv1(torch.relu(norm1(x)))",
            "x = torch.relu(norm1(x))\n    y = conv1(x)",
            "Your shortcut carries the activated x; it should carry x as it came.",
        ),
        edit(
            "y = conv1(torch.relu(norm1(x)))",
            "x = norm1(x)\n    y = conv1(torch.relu(x))",
            "Your shortcut carries x after the batch norm; it should carry x as it came.",
        ),
        edit(
            "return x + y",
            "return torch.relu(x) + y",
            "Your shortcut carries the ReLU of x; it should carry x as it came.",
        ),
        edit(
            "torch.relu(norm1(x))",
            "norm1(torch.relu(x))",
            "torch.relu(norm2(y))",
            "norm2(torch.relu(y))",
            "Your ReLUs stand before the batch norm, not after it.",
        ),
        edit("return x + y", "return y", "The residual is right, but the shortcut is missing."),
        edit("return x + y", "return x - y", "The shortcut and the residual are added; you took their difference."),
        edit("return x + y", "return y - x", "The shortcut and the residual are added; you took their difference."),
        edit("torch.relu(norm1(x))", "norm1(x)", "The first ReLU, before the first convolution, is missing."),
        edit("torch.relu(norm2(y))", "norm2(y)", "The second ReLU, before the second convolution, is missing."),
        edit(
            "torch.relu(norm1(x))",
            "norm1(x)",
            "torch.relu(norm2(y))",
            "norm2(y)",
            "The ReLUs are missing: one stands between each batch norm and its convolution.",
        ),
        edit("torch.relu(norm1(x))", "torch.relu(x)", "The first batch norm is not used."),
        edit("torch.relu(norm2(y))", "torch.relu(y)", "The second batch norm is not used."),
        edit("conv1(torch.relu(norm1(x)))", "torch.relu(norm1(x))", "The first convolution is not used."),
        edit("conv2(torch.relu(norm2(y)))", "torch.relu(norm2(y))", "The second convolution is not used."),
        edit("norm1(x)", "norm2(x)", "norm2(y)", "norm1(y)", "The two batch norms are exchanged: norm1 comes first."),
        edit(
            "= conv1",
            "= conv2",
            "= conv2(torch.relu(norm2(y)))",
            "= conv1(torch.relu(norm2(y)))",
            "The two convolutions are exchanged: conv1 comes first.",
        ),
    ],
)


def check_same_work(my_depths: object) -> None:
    """Measures what is refuted: whether equal mult-adds are equal parameters."""
    try:
        depths = [tuple(operator.index(blocks) for blocks in each) for each in my_depths]
    except TypeError:
        raise Wrong("Two networks are asked for, each as three whole numbers: (n1, n2, n3), (m1, m2, m3).") from None
    if len(depths) != 2 or {len(each) for each in depths} != {3}:
        raise Wrong("Two networks are asked for, each of three stages: (n1, n2, n3), (m1, m2, m3).")
    if min(map(min, depths)) < 1 or max(map(sum, depths)) > 60:
        raise Wrong("Each stage needs at least one block, and 60 blocks are enough for a network.")
    one, other = (measure.cost(models.get_model("preact_resnet110_tiny", depths=each), (3, 32, 32)) for each in depths)
    work = max(one.macs, other.macs) / min(one.macs, other.macs)
    if work > 1.05:
        raise Wrong(f"One of them has {work:.2f} times the mult-adds of the other; 1.05 times is allowed.")
    size = max(one.params, other.params) / min(one.params, other.params)
    if size < 3:
        raise Wrong(
            f"The same mult-adds, and the larger has {size:.2f} times the parameters; at least 3 times is asked for."
            " In which stage does a block have most parameters for its mult-adds?"
        )


exercise(
    "09.same-work",
    points=2,
    stub="""
        my_depths = (..., ...)
    """,
    solution="""
        my_depths = (9, 1, 1), (1, 1, 9)
    """,
    hints=[
        "A weight is used once at each place of its map. Where is a map small?",
        "From stage to stage the channels double and the map halves: a block has four times as many weights, each used"
        " at a quarter of the places. So move blocks from one stage to another.",
    ],
    check=check_same_work,
    wrong=[
        source("my_depths = (3, 3, 3), (3, 3, 3)", "1.00 times the parameters"),
        source("my_depths = (9, 1, 1), (1, 9, 1)", "at least 3 times"),
        source("my_depths = (1, 1, 1), (1, 1, 9)", "1.05 times is allowed"),
        source("my_depths = (9, 1, 1)", "three whole numbers"),
        source("my_depths = (9, 1), (1, 9)", "three stages"),
        source("my_depths = (11, 0, 0), (1, 1, 9)", "at least one block"),
        source("my_depths = (900, 1, 1), (1, 1, 900)", "60 blocks"),
    ],
)

MOST = 8.4e6  # mult-adds


def check_your_block(my_run: object) -> None:
    model = trained(my_run)
    sees_colours(model)
    macs = measure.cost(model, (3, 32, 32)).macs
    if macs > MOST:
        raise Wrong(f"Your network costs {macs / 1e6:.1f} million mult-adds an image; {MOST / 1e6:.1f} are allowed.")
    with torch.no_grad(), _Sums() as counted:
        deepcopy(model).cpu()(torch.zeros(2, 3, 32, 32))
    if not counted.count:
        raise Wrong("There is no sum in your network: this exercise is about residual blocks.")
    reads_digits(model, 0.9)


exercise(
    "09.your-block",
    points=3,
    stub="""
        torch.manual_seed(0)
        my_run = ...
    """,
    solution="""
        torch.manual_seed(0)
        mine = models.get_model("preact_resnet110_tiny", depths=(2, 2, 2), width=8)
        digits = data.load("street_digits", train=4000, test=300)
        my_run = training.fit(mine, digits, epochs=6, lr=0.008, batch_size=32, optimizer="adamw", weight_decay=0.05)
    """,
    hints=[
        "study.fitted('basic', width, budget=8e6) uses the budget. Which width did best in the record?",
        "The budget is of mult-adds an image: more images and more epochs are free. So is a stem without a stride, "
        "models.get_model('preact_resnet110_tiny', depths=(n, n, n), width=...), with a smaller n.",
    ],
    check=check_your_block,
    wrong=[
        source("my_run = models.get_model('preact_resnet110_tiny', depths=(1, 1, 1))", "not the run"),
        source(
            """
            few = data.load("street_digits", train=64, test=10)
            my_run = training.fit(models.get_model("resnet20_tiny"), few, epochs=1)
            """,
            "million mult-adds",
        ),
        source(
            """
            few = data.load("street_digits", train=64, test=10)
            my_run = training.fit(models.get_model("plain20_tiny", depths=(1, 1, 1)), few, epochs=1)
            """,
            "no sum",
        ),
        source(
            """
            few = data.load("street_digits", train=64, test=10)
            my_run = training.fit(models.get_model("resnet20_tiny", depths=(1, 1, 1)), few, epochs=1)
            """,
            "fresh street digits",
        ),
    ],
)
