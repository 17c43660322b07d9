"""Lesson 09, ResNet's legacy: its exercises."""

import torch
from torch import nn

from cnnlab import data, measure
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.lessons.legacy.study import _Sums, _weights, path_width
from cnnlab.models.preact_resnet import PreActBasicBlock
from cnnlab.models.resnet import Bottleneck
from cnnlab.training import Run, evaluate


@exercise(
    "09.grouped-parameters",
    points=2,
    stub='''
        def bottleneck_parameters(channels, cardinality, path_width):
            """Parameters of a ResNeXt bottleneck with as many channels out as in, batch norms included."""
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
    wrong={
        "every path saw all": """
            def bottleneck_parameters(channels, cardinality, path_width):
                inner = cardinality * path_width
                return 2 * channels * inner + 9 * inner * inner + 4 * inner + 2 * channels
        """,
        "batch norms are missing": """
            def bottleneck_parameters(channels, cardinality, path_width):
                inner = cardinality * path_width
                return 2 * channels * inner + 9 * inner * path_width
        """,
        "one path only": """
            def bottleneck_parameters(channels, cardinality, path_width):
                inner = cardinality * path_width
                return 2 * channels * inner + 9 * path_width * path_width + 4 * inner + 2 * channels
        """,
        "1x1 convolutions as grouped": """
            def bottleneck_parameters(channels, cardinality, path_width):
                inner = cardinality * path_width
                return 2 * channels * path_width + 9 * inner * path_width + 4 * inner + 2 * channels
        """,
        "same number of channels": """
            def bottleneck_parameters(channels, cardinality, path_width):
                inner = cardinality * path_width
                return 2 * channels * inner + 9 * inner * path_width + 6 * channels
        """,
    },
)
def check_grouped_parameters(bottleneck_parameters) -> None:
    cases = [(256, 32, 4), (256, 1, 64), (64, 4, 6), (32, 15, 1), (128, 2, 20)]
    got = [bottleneck_parameters(*case) for case in cases]
    diagnoses = {
        "You counted the 3x3 convolution as if every path saw all paths: that is the case without groups.": (
            lambda w, c, d: _weights(w, 1, c * d) + 4 * c * d + 2 * w
        ),
        "The convolutions are right, the batch norms are missing.": lambda w, c, d: _weights(w, c, d),
        "You counted the 3x3 kernels of one path only; there are as many such sets as paths.": (
            lambda w, c, d: 2 * w * c * d + 9 * d * d + 4 * c * d + 2 * w
        ),
        "You counted the 1x1 convolutions as grouped: only the 3x3 convolution is.": (
            lambda w, c, d: 2 * w * d + 9 * c * d * d + 4 * c * d + 2 * w
        ),
        "The three batch norms do not have the same number of channels: the first two stand inside.": (
            lambda w, c, d: _weights(w, c, d) + 6 * w
        ),
    }
    for diagnosis, formula in diagnoses.items():
        if got == [formula(*case) for case in cases]:
            raise Wrong(diagnosis)
    for (channels, cardinality, width), value in zip(cases, got, strict=True):
        block = Bottleneck(channels, channels, ratio=cardinality * width / channels, groups=cardinality)
        true = sum(p.numel() for p in block.parameters())
        if value != true:
            case = f"{channels} channels and {cardinality} paths of {width}"
            raise Wrong(f"With {case} the block has {true:,} parameters; your function says {value:,}.")


@exercise(
    "09.equal-cost",
    points=3,
    stub='''
        def equal_cost_width(channels, cardinality):
            """The whole number d for which a bottleneck of so many paths of d channels has as nearly as possible
            the weights of the usual one, whose single path is channels // 4 wide. Count the convolutions only."""
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
    wrong={
        "keeps the cost of the 1x1": """
            def equal_cost_width(channels, cardinality):
                return channels // 4 // cardinality
        """,
        "keeps the cost of the 3x3": """
            def equal_cost_width(channels, cardinality):
                return round(channels / 4 / cardinality ** 0.5)
        """,
        "rounded down": """
            def equal_cost_width(channels, cardinality):
                def weights(paths, d):
                    return paths * d * (2 * channels + 9 * d)

                return max(d for d in range(1, channels) if weights(cardinality, d) <= weights(1, channels // 4))
        """,
        "counts one": """
            def equal_cost_width(channels, cardinality):
                def weights(paths, d):
                    return paths * d * (channels + 9 * d)

                return min(range(1, channels), key=lambda d: abs(weights(cardinality, d) - weights(1, channels // 4)))
        """,
        "inner width": """
            def equal_cost_width(channels, cardinality):
                def weights(paths, d):
                    return paths * d * (2 * channels + 9 * d)

                target = weights(1, channels // 4)
                return cardinality * min(range(1, channels), key=lambda d: abs(weights(cardinality, d) - target))
        """,
    },
)
def check_equal_cost(equal_cost_width) -> None:
    cases = [(256, 1), (256, 2), (256, 4), (256, 8), (256, 32), (64, 2), (128, 4), (512, 16)]
    got = [equal_cost_width(*case) for case in cases]
    true = [path_width(*case) for case in cases]
    if got == true:
        return

    def one(w: int, c: int, d: int) -> int:
        return c * d * (w + 9 * d)

    diagnoses = {
        "This keeps the cost of the 1x1 convolutions; the 3x3 became cheaper, and nothing uses what was saved.": (
            lambda w, c: w // 4 // c
        ),
        "This keeps the cost of the 3x3 convolution; the two 1x1 convolutions became dearer.": (
            lambda w, c: round(w / 4 / c**0.5)
        ),
        "You rounded down: with 256 channels and 8 paths 14 is nearer than 13.": (
            lambda w, c: max(d for d in range(1, w) if _weights(w, c, d) <= _weights(w))
        ),
        "Your count of the weights counts one 1x1 convolution; there is one before the 3x3 and one after it.": (
            lambda w, c: min(range(1, w), key=lambda d: abs(one(w, c, d) - one(w, 1, w // 4)))
        ),
        "This is the inner width, all paths together; asked for is the width of one path.": (
            lambda w, c: c * path_width(w, c)
        ),
    }
    for diagnosis, formula in diagnoses.items():
        if got == [formula(*case) for case in cases]:
            raise Wrong(diagnosis)
    (channels, cardinality), value, right = next(t for t in zip(cases, got, true, strict=True) if t[1] != t[2])
    raise Wrong(f"With {channels} channels and {cardinality} paths it should be {right}; yours is {value}.")


@exercise(
    "09.widening",
    points=2,
    stub='''
        def layers_left(depth, k):
            """A wide residual network has 6n + 4 layers. Make one of this depth k times as wide at the same mult-adds:
            how many layers may it have? n is a whole number, the nearest, and at least 1."""
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
    wrong={
        "square": """
            def layers_left(depth, k):
                return 6 * max(1, round((depth - 4) // 6 / k)) + 4
        """,
        "four fixed layers": """
            def layers_left(depth, k):
                return round(depth / k**2)
        """,
        "n, not the layers": """
            def layers_left(depth, k):
                return max(1, round((depth - 4) // 6 / k**2))
        """,
        "at least 1": """
            def layers_left(depth, k):
                return 6 * round((depth - 4) // 6 / k**2) + 4
        """,
        "deeper": """
            def layers_left(depth, k):
                return 6 * (depth - 4) // 6 * k**2 + 4
        """,
    },
)
def check_widening(layers_left) -> None:
    cases = [(40, 1), (52, 2), (100, 4), (226, 3), (28, 8), (964, 4)]
    got = [layers_left(*case) for case in cases]
    blocks = [(depth - 4) // 6 for depth, _ in cases]
    nearest = [
        min(range(1, n + 1), key=lambda m, n=n, k=k: abs(m * 9 * k * k - n * 9))
        for n, (_, k) in zip(blocks, cases, strict=True)
    ]
    true = [6 * m + 4 for m in nearest]
    if got == true:
        return
    pairs = list(zip(blocks, [k for _, k in cases], strict=True))
    diagnoses = {
        "k times the channels in and k times the channels out: the cost of a convolution grows with the square of k.": [
            6 * max(1, round(n / k)) + 4 for n, k in pairs
        ],
        "You divided the depth itself. Its four fixed layers stay; only the blocks are traded for width.": [
            round(depth / k**2) for depth, k in cases
        ],
        "This is n, not the layers: a network of n blocks a stage has 6n + 4.": nearest,
        "With 28 layers made 8 times as wide nothing would be left: n is at least 1.": [
            6 * round(n / k**2) + 4 for n, k in pairs
        ],
        "The network became deeper. Wider blocks cost more, so fewer of them can be had.": [
            6 * n * k**2 + 4 for n, k in pairs
        ],
    }
    for diagnosis, values in diagnoses.items():
        if got == values:
            raise Wrong(diagnosis)
    (depth, k), value, right = next(t for t in zip(cases, got, true, strict=True) if t[1] != t[2])
    raise Wrong(f"{depth} layers made {k} times as wide leave {right}; your function says {value}.")


@exercise(
    "09.pre-activation",
    points=3,
    stub='''
        def pre_activation(x, norm1, conv1, norm2, conv2):
            """The output of a pre-activation block that changes no shape, made of these four layers."""
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
    wrong={
        "original block": """
            def pre_activation(x, norm1, conv1, norm2, conv2):
                return torch.relu(x + norm2(conv2(torch.relu(norm1(conv1(x))))))
        """,
        "behind the sum": """
            def pre_activation(x, norm1, conv1, norm2, conv2):
                return torch.relu(x + conv2(torch.relu(norm2(conv1(torch.relu(norm1(x)))))))
        """,
        "activated x": """
            def pre_activation(x, norm1, conv1, norm2, conv2):
                active = torch.relu(norm1(x))
                return active + conv2(torch.relu(norm2(conv1(active))))
        """,
        "before the batch norm": """
            def pre_activation(x, norm1, conv1, norm2, conv2):
                return x + conv2(norm2(torch.relu(conv1(norm1(torch.relu(x))))))
        """,
        "shortcut is missing": """
            def pre_activation(x, norm1, conv1, norm2, conv2):
                return conv2(torch.relu(norm2(conv1(torch.relu(norm1(x))))))
        """,
        "changed x": """
            def pre_activation(x, norm1, conv1, norm2, conv2):
                x += conv2(torch.relu(norm2(conv1(torch.relu(norm1(x))))))
                return x
        """,
    },
)
def check_pre_activation(pre_activation) -> None:
    torch.manual_seed(0)
    block = PreActBasicBlock(4, 4).eval()
    norm1, norm2 = block.activate.norm1, block.residual.norm2
    conv1, conv2 = block.residual.conv1, block.residual.conv2
    for norm in (norm1, norm2):
        nn.init.normal_(norm.weight, 1, 0.3)
        nn.init.normal_(norm.bias)
    relu = torch.relu
    x = torch.randn(2, 4, 6, 6)
    given = x.clone()
    with torch.no_grad():
        got = pre_activation(given, norm1, conv1, norm2, conv2)
        if not torch.equal(given, x):
            raise Wrong("Your function changed x itself, which others may still need: write x + y, not x += y.")
        active = relu(norm1(x))
        residual = conv2(relu(norm2(conv1(active))))
        diagnoses = [
            (relu(x + norm2(conv2(relu(norm1(conv1(x)))))), "This is the original block: convolution, norm, ReLU."),
            (relu(x + residual), "The last ReLU is one too many: nothing stands behind the sum."),
            (active + residual, "Your shortcut carries the activated x; it should carry x as it came."),
            (x + conv2(norm2(relu(conv1(norm1(relu(x)))))), "Your ReLUs stand before the batch norm, not after it."),
            (residual, "The residual is right, but the shortcut is missing."),
        ]
        if torch.allclose(got, block(x), atol=1e-5):
            return
    for value, diagnosis in diagnoses:
        if got.shape == value.shape and torch.allclose(got, value, atol=1e-5):
            raise Wrong(diagnosis)
    raise Wrong("The result is not x plus the residual of norm, ReLU, convolution, norm, ReLU, convolution.")


_MOST = 8.4e6


@exercise(
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
        "fitted('basic', width) gives a network that uses the whole budget. Which width did best in the record?",
        "The budget is of mult-adds an image: more images and more epochs are free. So is a stem without a stride, "
        "models.get_model('preact_resnet110_tiny', depths=(n, n, n), width=...), with a smaller n.",
    ],
    wrong={
        "not the run": "my_run = models.get_model('preact_resnet110_tiny', depths=(1, 1, 1))",
        "million mult-adds": "my_run = training.fit(models.get_model('resnet20_tiny'), "
        "data.load('street_digits', train=64, test=10), epochs=1)",
        "no sum": "my_run = training.fit(models.get_model('plain20_tiny', depths=(1, 1, 1)), "
        "data.load('street_digits', train=64, test=10), epochs=1)",
        "fresh street digits": "my_run = training.fit(models.get_model('resnet20_tiny', depths=(1, 1, 1)), "
        "data.load('street_digits', train=64, test=10), epochs=1)",
    },
)
def check_your_block(my_run) -> None:
    if not isinstance(my_run, Run):
        raise Wrong(f"my_run is a {type(my_run).__name__}, not the run that training.fit returns.")
    model = my_run.model
    macs = measure.cost(model, (3, 32, 32)).macs
    if macs > _MOST:
        raise Wrong(f"Your network costs {macs / 1e6:.1f} million mult-adds an image; {_MOST / 1e6:.1f} are allowed.")
    with torch.no_grad(), _Sums() as counted:
        model(torch.zeros(2, 3, 32, 32, device=next(model.parameters()).device))
    if not counted.count:
        raise Wrong("There is no sum in your network: this exercise is about residual blocks.")
    accuracy = evaluate(model, data.load("street_digits", train=500, test=1000, seed=1).test).accuracy
    if accuracy < 0.9:
        raise Wrong(f"On 1,000 fresh street digits your network reads {accuracy:.0%}; at least 90 % is asked for.")
