"""Lesson 01, LeNet: its exercises."""

import math

import torch
from torch.nn import functional as F

from cnnlab import data
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.models.lenet import C3_INPUTS
from cnnlab.training import Run, evaluate


@exercise(
    "01.output-size",
    points=2,
    stub='''
        def output_size(size, kernel, stride=1, padding=0):
            """How many pixels wide is the output of a convolution over size pixels?"""
            ...
    ''',
    solution="""
        def output_size(size, kernel, stride=1, padding=0):
            return (size + 2 * padding - kernel) // stride + 1
    """,
    hints=[
        "Padding adds pixels on both sides. How many places can the left edge of the kernel take, with stride 1?",
        "With stride 1 there are size + 2 * padding - kernel + 1 places. With stride s only every s-th of them counts,"
        " beginning with the first.",
    ],
    wrong={
        "one too few": """
            def output_size(size, kernel, stride=1, padding=0):
                return (size + 2 * padding - kernel) // stride
        """,
        "both sides": """
            def output_size(size, kernel, stride=1, padding=0):
                return (size + padding - kernel) // stride + 1
        """,
        "whole number": """
            def output_size(size, kernel, stride=1, padding=0):
                return (size + 2 * padding - kernel) / stride + 1
        """,
        "divided by the stride last": """
            def output_size(size, kernel, stride=1, padding=0):
                return (size + 2 * padding - kernel + 1) // stride
        """,
        "stride is not used": """
            def output_size(size, kernel, stride=1, padding=0):
                return size + 2 * padding - kernel + 1
        """,
        "past the edge": """
            def output_size(size, kernel, stride=1, padding=0):
                return math.ceil((size + 2 * padding - kernel) / stride) + 1
        """,
    },
)
def check_output_size(output_size) -> None:
    cases = [(32, 5, 1, 0), (28, 2, 2, 0), (32, 3, 1, 1), (224, 7, 2, 3), (10, 3, 2, 0), (227, 11, 4, 0), (9, 4, 3, 2)]
    diagnoses = [
        (lambda n, k, s, p: (n + 2 * p - k) // s, "Nearly: one too few. The kernel has a first place before any step."),
        (lambda n, k, s, p: (n + p - k) // s + 1, "Padding is added on both sides, so it counts twice."),
        (
            lambda n, k, s, p: (n + 2 * p - k + 1) // s,
            "The 1 is for the first place, before any step: it is not to be divided by the stride last.",
        ),
        (lambda n, k, s, p: n + 2 * p - k + 1, "The stride is not used: a stride of 2 takes only every other place."),
        (
            lambda n, k, s, p: math.ceil((n + 2 * p - k) / s) + 1,
            "Round down: a last step that would carry the kernel past the edge is not taken.",
        ),
    ]
    got = [output_size(*case) for case in cases]
    for formula, diagnosis in diagnoses:
        if got == [formula(*case) for case in cases]:
            raise Wrong(diagnosis)
    for (size, kernel, stride, padding), value in zip(cases, got, strict=True):
        true = F.conv2d(torch.zeros(1, 1, size, size), torch.zeros(1, 1, kernel, kernel), None, stride, padding).shape[
            -1
        ]
        if value != true:
            if not float(value).is_integer() and int(value) == true:
                raise Wrong(f"A size is a whole number, and yours is {value:g}: round down, with //.")
            case = f"size {size}, kernel {kernel}, stride {stride}, padding {padding}"
            raise Wrong(f"For {case} PyTorch gives {true}, your function {value}.")


@exercise(
    "01.c3-parameters",
    points=2,
    stub='''
        def c3_parameters(inputs):
            """inputs: for each map of C3 the tuple of S2 maps that it sees. Returns C3's parameters."""
            ...
    ''',
    solution="""
        def c3_parameters(inputs):
            return sum(25 * len(seen) + 1 for seen in inputs)
    """,
    hints=[
        "Take one map of C3 that sees three maps of S2. It has three kernels. How many weights is that?",
        "Each of the 16 maps has 25 weights for each map that it sees, and one bias, whatever it sees.",
    ],
    wrong={
        "without the biases": """
            def c3_parameters(inputs):
                return sum(25 * len(seen) for seen in inputs)
        """,
        "a bias for each kernel": """
            def c3_parameters(inputs):
                return sum(26 * len(seen) for seen in inputs)
        """,
        "every map sees all": """
            def c3_parameters(inputs):
                return 16 * (6 * 25 + 1)
        """,
        "25 weights": """
            def c3_parameters(inputs):
                return sum(len(seen) + 1 for seen in inputs)
        """,
        "every position": """
            def c3_parameters(inputs):
                return sum(100 * (25 * len(seen) + 1) for seen in inputs)
        """,
    },
)
def check_c3_parameters(c3_parameters) -> None:
    pairs = sum(map(len, C3_INPUTS))
    diagnoses = {
        25 * pairs: "Nearly: this is the formula without the biases, one for each of the 16 maps.",
        26 * pairs: "You gave a bias for each kernel; a map has one, added after its kernels are summed.",
        16 * (6 * 25 + 1): "This is the modern C3, in which every map sees all six. Use the table.",
        pairs + 16: "Each pair of maps has a kernel of 5 x 5: 25 weights, not one.",
        100
        * (
            25 * pairs + 16
        ): "These are the connections: the same weights are used at every position of the 10 x 10 map.",
    }
    got = c3_parameters(C3_INPUTS)
    if got in diagnoses:
        raise Wrong(diagnoses[got])
    other = ((0,), (0, 1, 2))  # another table, so that the number alone is not enough
    if got != 1516 or c3_parameters(other) != 102:
        raise Wrong(f"For the paper's table your function gives {got}, for {other} {c3_parameters(other)} and not 102.")


@exercise(
    "01.subsampling",
    points=3,
    stub='''
        def subsample(x, coefficient, bias):
            """x: (C, H, W), coefficient and bias: (C,). Returns (C, H/2, W/2): each 2x2 square summed,
            times its map's coefficient, plus its map's bias."""
            ...
    ''',
    solution="""
        def subsample(x, coefficient, bias):
            sums = x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]
            return coefficient[:, None, None] * sums + bias[:, None, None]
    """,
    hints=[
        "x[:, ::2, ::2] is the upper left pixel of every square. Which slices are the other three?",
        "coefficient has shape (C,), the sums (C, H/2, W/2): coefficient[:, None, None] stands beside the maps.",
    ],
    wrong={
        "mean": """
            def subsample(x, coefficient, bias):
                return coefficient[:, None, None] * F.avg_pool2d(x, 2) + bias[:, None, None]
        """,
        "largest": """
            def subsample(x, coefficient, bias):
                return coefficient[:, None, None] * F.max_pool2d(x, 2) + bias[:, None, None]
        """,
        "bias is missing": """
            def subsample(x, coefficient, bias):
                return coefficient[:, None, None] * 4 * F.avg_pool2d(x, 2)
        """,
        "four times": """
            def subsample(x, coefficient, bias):
                return 4 * (coefficient[:, None, None] * F.avg_pool2d(x, 2) + bias[:, None, None])
        """,
        "overlap": """
            def subsample(x, coefficient, bias):
                return coefficient[:, None, None] * 4 * F.avg_pool2d(x, 2, stride=1) + bias[:, None, None]
        """,
        "width of the map": """
            def subsample(x, coefficient, bias):
                return coefficient * 4 * F.avg_pool2d(x, 2) + bias
        """,
    },
)
def check_subsampling(subsample) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(3, 6, 6, generator=generator)  # the maps come out 3 wide: a wrong match of shapes fits too
    c, b = torch.tensor([0.5, -1.0, 2.0]), torch.tensor([0.1, 0.2, 0.3])
    wide = (slice(None), None, None)
    sums = 4 * F.avg_pool2d(x, 2)
    diagnoses = [
        (c[wide] * sums / 4 + b[wide], "You took the mean of the four pixels; the paper takes their sum."),
        (
            c[wide] * F.max_pool2d(x, 2) + b[wide],
            "You took the largest of the four pixels: that is max pooling, which came later.",
        ),
        (c[wide] * sums, "The bias is missing."),
        (c[wide] * sums + 4 * b[wide], "The bias is added four times: add it after the sum."),
        (c * sums + b, "The coefficients were matched along the width of the map, not with the maps: [:, None, None]."),
    ]
    got = subsample(x, c, b)
    if tuple(got.shape) == (3, 5, 5):
        raise Wrong("Your squares overlap: LeNet's do not, so 6 x 6 becomes 3 x 3.")
    if tuple(got.shape) != (3, 3, 3):
        raise Wrong(f"3 maps of 6 x 6 must become 3 maps of 3 x 3; yours have the shape {tuple(got.shape)}.")
    if torch.allclose(got, c[wide] * sums + b[wide], atol=1e-5):
        return
    for values, diagnosis in diagnoses:
        if torch.allclose(got, values, atol=1e-5):
            raise Wrong(diagnosis)
    raise Wrong("The values are not coefficient * (sum of the four pixels) + bias, map by map.")


@exercise(
    "01.pooling",
    points=2,
    stub="""
        image = ...
    """,
    solution="""
        image = torch.tensor([[1.0, -1.0, 1.0, -1.0], [-1.0, 1.0, -1.0, 1.0]] * 2)
    """,
    hints=[
        "Look at one 2x2 square: its largest pixel must be 1, and its four pixels must add up to 0.",
        "The square [[1, -1], [-1, 1]] will do. Now lay four of them side by side.",
    ],
    wrong={
        "average pooling gives 1": "image = torch.ones(4, 4)",
        "max pooling gives 0": "image = torch.zeros(4, 4)",
        "4 x 4": "image = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])",
        "floats": "image = torch.tensor([[1, -1, 1, -1], [-1, 1, -1, 1]] * 2)",
        "average pooling gives 0.5": "image = torch.tensor([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]] * 2)",
    },
)
def check_pooling(image) -> None:
    if tuple(image.shape) != (4, 4):
        raise Wrong(f"The image must be 4 x 4; yours has the shape {tuple(image.shape)}.")
    if not image.is_floating_point():
        raise Wrong("Pooling averages need floats: write 1.0 for 1, or add .float().")
    largest, mean = F.max_pool2d(image[None], 2), F.avg_pool2d(image[None], 2)
    if not torch.allclose(largest, torch.ones(1, 2, 2)):
        raise Wrong(f"In some square max pooling gives {largest.min().item():g}, not 1.")
    if not torch.allclose(mean, torch.zeros(1, 2, 2), atol=1e-6):
        raise Wrong(f"In some square average pooling gives {mean.flatten()[mean.abs().argmax()].item():g}, not 0.")


@exercise(
    "01.better-lenet",
    points=3,
    stub="""
        torch.manual_seed(0)
        my_run = ...
    """,
    solution="""
        torch.manual_seed(0)
        mine = models.get_model("lenet5", in_channels=3, activation=torch.nn.ReLU, pool=torch.nn.MaxPool2d)
        my_run = training.fit(mine, street, epochs=15, lr=0.05, batch_size=32)
    """,
    hints=[
        "Two options of the network change much and add no weight: activation= and pool=.",
        "ReLU and max pooling, smaller batches, more epochs: each gives something. Watch both curves.",
    ],
    wrong={
        "not the run": "my_run = models.get_model('lenet5', in_channels=3)",
        "parameters": "my_run = training.fit(models.get_model('resnet20_tiny'), street, epochs=1)",
        "fresh street digits": "my_run = training.fit(models.get_model('lenet5', in_channels=3), street, epochs=1)",
    },
)
def check_better_lenet(my_run) -> None:
    if not isinstance(my_run, Run):
        raise Wrong(f"my_run is a {type(my_run).__name__}, not the run that training.fit returns.")
    params = sum(p.numel() for p in my_run.model.parameters())
    if params > 65_000:
        raise Wrong(f"Your network has {params:,} parameters: this exercise is for LeNet's size, at most 65,000.")
    accuracy = evaluate(my_run.model, data.load("street_digits", train=1000, test=1000, seed=1).test).accuracy
    if accuracy < 0.9:
        raise Wrong(f"On 1,000 fresh street digits your network reads {accuracy:.0%}; at least 90 % is asked for.")
