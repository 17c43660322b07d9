"""Lesson 01, LeNet: its exercises."""

import numpy as np
import torch
from torch.nn import functional as F

from cnnlab.lessons.compare import kind
from cnnlab.lessons.exercise import Wrong, edit, exercise, source
from cnnlab.lessons.runs import reads_digits, trained
from cnnlab.models.lenet import C3_INPUTS

exercise(
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
    cases=[(5, 3), (5, 2, 2), (5, 3, 1, 1), (9, 4, 3, 2), (28, 2, 2), (224, 7, 2, 3), (227, 11, 4, 0)],
    wrong=[
        edit(" // stride + 1", " // stride", "Nearly: one too few. The kernel has a first place before any step."),
        edit("2 * padding", "padding", "Padding is added on both sides, so it counts twice."),
        edit("+ 2 * padding", "", "The padding is not used: it adds pixels on both sides."),
        edit(
            "- kernel) // stride + 1",
            "- kernel + 1) // stride",
            "The 1 is for the first place, before any step: it is not to be divided by the stride last.",
        ),
        edit("// stride", "", "The stride is not used: a stride of 2 takes only every other place."),
        edit("//", "/", "A size is a whole number, and yours is {got:g} for {call}: round down, with //."),
        source(
            """
            def output_size(size, kernel, stride=1, padding=0):
                return math.ceil((size + 2 * padding - kernel) / stride) + 1
            """,
            "Round down: a last step that would carry the kernel past the edge is not taken.",
        ),
    ],
)

exercise(
    "01.c3-parameters",
    points=2,
    stub='''
        def c3_parameters(inputs):
            """inputs: for each map of C3, the maps of S2 that it sees. Returns a number."""
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
    cases=[(((0,), (0, 1, 2)),), (C3_INPUTS,)],
    wrong=[
        edit(" + 1", "", "Nearly: this is the formula without the biases, one for each map."),
        edit(
            "25 * len(seen) + 1",
            "26 * len(seen)",
            "You gave a bias for each kernel; a map has one, added after its kernels are summed.",
        ),
        edit("len(seen)", "6", "This is the modern C3, in which every map sees all six. Use the table."),
        source(
            """
            def c3_parameters(inputs):
                return 16 * (6 * 25 + 1)
            """,
            "This is the modern C3, in which each of 16 maps sees all six. Use the table.",
        ),
        edit("25 * ", "", "Each pair of maps has a kernel of 5 x 5: 25 weights, not one."),
        edit("25 * ", "5 * ", "Each pair of maps has a kernel of 5 x 5: 25 weights, not five."),
        edit(
            "sum",
            "100 * sum",
            "These are the connections: the same weights are used at every position of the 10 x 10 map.",
        ),
    ],
)


def maps_to_subsample() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    one = torch.tensor([[[1.0, 2.0], [3.0, 5.0]]]), torch.tensor([0.5]), torch.tensor([0.25])
    shapes = ((2, 2, 4), (3, 6, 6), (2, 6, 4))  # in the first two the maps come out C wide: wrong matches fit too
    return [one] + [
        (
            torch.rand(shape, generator=generator),
            torch.randn(shape[0], generator=generator),
            torch.randn(shape[0], generator=generator),
        )
        for shape in shapes
    ]


exercise(
    "01.subsampling",
    points=3,
    stub='''
        def subsample(x, coefficient, bias):
            """x: (C, H, W), coefficient and bias: (C,). Returns (C, H/2, W/2): each 2x2 square
            summed, times the coefficient of its map, plus the bias of its map."""
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
    cases=maps_to_subsample,
    forbid={"avg_pool2d adaptive_avg_pool2d lp_pool2d": "Here avg_pool2d is not allowed: write slices and sums."},
    wrong=[
        edit("* sums", "* sums / 4", "You took the mean of the four pixels; the paper takes their sum."),
        source(
            """
            def subsample(x, coefficient, bias):
                return coefficient[:, None, None] * F.max_pool2d(x, 2) + bias[:, None, None]
            """,
            "You took the largest of the four pixels: that is max pooling, which came later.",
        ),
        edit(" + bias[:, None, None]", "", "The bias is missing."),
        edit("+ bias", "+ 4 * bias", "The bias is added four times: add it after the sum."),
        edit("coefficient[:, None, None] * ", "", "The coefficient is missing: it multiplies the sums of its map."),
        source(
            """
            def subsample(x, coefficient, bias):
                sums = x[:, :-1, :-1] + x[:, 1:, :-1] + x[:, :-1, 1:] + x[:, 1:, 1:]
                return coefficient[:, None, None] * sums + bias[:, None, None]
            """,
            "Your squares overlap: LeNet's do not, so 6 x 6 becomes 3 x 3.",
        ),
        edit(
            "coefficient[:, None, None] * sums + bias[:, None, None]",
            "coefficient * sums + bias",
            "The coefficients were matched along the width of the map, not with the maps: [:, None, None].",
        ),
        edit(
            "x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]",
            "x[:, ::2, ::2]",
            "You took one pixel of each square; all four are summed.",
        ),
    ],
)


def check_image(image: object) -> None:
    if not isinstance(image, (torch.Tensor, np.ndarray)):
        raise Wrong(f"The image must be a tensor; yours is {kind(image)}.")
    image = torch.as_tensor(image).float()
    if tuple(image.shape) != (4, 4):
        raise Wrong(f"The image must be 4 x 4; yours is {kind(image)}.")
    largest, mean = F.max_pool2d(image[None], 2), F.avg_pool2d(image[None], 2)
    if not torch.allclose(largest, torch.ones_like(largest)):
        furthest = largest.flatten()[(largest - 1).abs().argmax()].item()
        raise Wrong(f"In some square max pooling gives {furthest:g}, not 1.")
    if not torch.allclose(mean, torch.zeros_like(mean), atol=1e-6):
        raise Wrong(f"In some square average pooling gives {mean.flatten()[mean.abs().argmax()].item():g}, not 0.")


exercise(
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
        "The square [[1, -1], [-1, 1]] will do. Now put four of them side by side.",
    ],
    check=check_image,
    wrong=[
        source("image = torch.ones(4, 4)", "average pooling gives 1"),
        source("image = torch.zeros(4, 4)", "max pooling gives 0"),
        source("image = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])", "must be 4 x 4"),
        source("image = torch.tensor([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]] * 2)", "average pooling gives 0.5"),
        source(
            "image = torch.tensor([[1 - 1e-7, -1.0], [-1.0, 1 - 1e-7]]).repeat(2, 2)\nimage[2, 2] = 3.0",
            "max pooling gives 3",
        ),
    ],
)


def check_my_run(my_run: object) -> None:
    reads_digits(trained(my_run, parameters=65_000), 0.9)


exercise(
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
    check=check_my_run,
    wrong=[
        source("my_run = models.get_model('lenet5', in_channels=3)", "not the run"),
        source("my_run = training.fit(models.get_model('resnet20_tiny'), street, epochs=1)", "parameters"),
        source(
            "my_run = training.fit(models.get_model('lenet5', in_channels=3), street, epochs=1)",
            "fresh street digits",
        ),
    ],
)
