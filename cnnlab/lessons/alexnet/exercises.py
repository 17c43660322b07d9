"""Lesson 02, AlexNet: its exercises."""

import torch
from torch import nn

from cnnlab.lessons.diagnose import Wrong
from cnnlab.lessons.exercise import edit, exercise, source, when
from cnnlab.lessons.runs import reads_digits, trained


def logits_labels_and_k() -> list[tuple]:
    two = torch.tensor([[0.1, 0.4, 0.3, 0.2, 0.0, 0.6], [0.5, 0.1, 0.2, 0.4, 0.3, 0.0]])
    many = torch.rand(40, 7, generator=torch.Generator().manual_seed(0))
    return [
        (two[:1], torch.tensor([2]), 2),
        (two, torch.tensor([1, 1]), 2),  # two images, two guesses: a wrong match of axes fits too
        *((many, torch.arange(40) % 7, k) for k in (1, 2, 3, 5)),
    ]


exercise(
    "02.top-k",
    points=2,
    stub='''
        def top_k_error(logits, labels, k):
            """logits: (N, classes), labels: (N,). Returns the fraction, from 0 to 1, of images
            whose label is not among the k classes with the largest logits."""
            ...
    ''',
    solution="""
        def top_k_error(logits, labels, k):
            guesses = logits.topk(k, dim=1).indices
            hits = (guesses == labels[:, None]).any(dim=1)
            return 1 - hits.float().mean().item()
    """,
    hints=[
        "logits.topk(k, dim=1).indices is a table of k guesses for each image, the best one first.",
        "Compare that table with labels[:, None]. An image is right if any of its k guesses is; an error is the rest.",
    ],
    cases=logits_labels_and_k,
    wrong=[
        edit("return 1 - ", "return ", "This is how often it is right: the error is one minus that."),
        edit(
            "dim=1).indices", "dim=1, largest=False).indices", "You took the k smallest logits, and need the largest."
        ),
        edit(".indices", ".indices[:, -1:]", "You compared only the last of the k guesses."),
        edit(".indices", ".indices[:, :1]", "You compared only the first guess: a label among the first k is enough."),
        edit(
            ".any(dim=1)",
            "",
            "You divided by all guesses, k for each image. An image is wrong where none of its k guesses is right.",
        ),
        edit(
            "1 - hits.float().mean().item()",
            "(~hits).sum().item()",
            "This is how many images are wrong; divide by the number of images.",
        ),
        edit("return 1 - hits", "return 100 - 100 * hits", "This is in percent; a share from 0 to 1 is asked for."),
        edit(".any(", ".all(", "You ask that all k guesses be the label; one of them is enough: any(dim=1)."),
        edit(".any(dim=1)", ".any()", "any() without dim=1 asks whether any image at all is right: ask it of each."),
        edit(
            "labels[:, None]",
            "labels",
            "The labels were matched with the places of the guesses, not with the images: give them shape (N, 1).",
        ),
        source(
            """
            def top_k_error(logits, labels, k):
                guesses = logits.topk(k, dim=1).indices
                return 1 - (guesses[:, :, None] == labels).any(dim=2).any(dim=1).float().mean().item()
            """,
            "The guesses of an image were compared with the labels of all images: each has a label of its own.",
        ),
        edit("topk(k,", "topk(k + 1,", "You looked at k + 1 guesses: one too many."),
        edit(".indices", ".values", "No guess ever equals a label: compare the classes, .indices, not their logits."),
    ],
)

exercise(
    "02.grouped",
    points=3,
    stub='''
        def grouped_convolution(inputs, outputs, kernel, groups, side):
            """A convolution with biases from `inputs` to `outputs` channels in `groups` groups,
            with kernels of kernel x kernel and an output of side x side places.
            Returns (parameters, mult-adds); adding a bias is no mult-add."""
            ...
    ''',
    solution="""
        def grouped_convolution(inputs, outputs, kernel, groups, side):
            weights = outputs * (inputs // groups) * kernel**2
            return weights + outputs, weights * side**2
    """,
    hints=[
        "Take one output channel. It sees inputs / groups channels, through a kernel for each. How many weights?",
        "All outputs together have outputs times as many, and one bias each. At each of side x side places every weight"
        " is used once.",
    ],
    cases=[
        (4, 6, 3, 2, 5),
        (3, 5, 7, 1, 6),
        (6, 9, 1, 3, 4),
        (8, 24, 3, 4, 10),
        (384, 384, 3, 2, 13),
        (96, 256, 5, 2, 27),
    ],
    wrong=[
        edit("(inputs // groups)", "inputs", "This is the convolution without groups, where all see all."),
        edit(
            "outputs * (inputs",
            "(outputs // groups) * (inputs",
            "You divided by the groups twice. Every output is still there; it only sees fewer inputs.",
        ),
        edit("+ outputs", "+ outputs // groups", "A bias belongs to an output channel: there are as many as before."),
        edit("+ outputs", "+ groups", "A bias belongs to an output channel, not to a group."),
        edit("+ outputs", "+ inputs", "A bias belongs to an output channel; you gave one to each input."),
        edit("weights + outputs", "weights", "The parameters' biases are missing, one for each output channel."),
        edit(
            "weights * side**2",
            "(weights + outputs) * side**2",
            "Your second figure counts the biases, which are only added.",
        ),
        edit(
            "weights * side**2",
            "weights * side**2 + outputs",
            "Your second figure counts the biases, which are only added.",
        ),
        edit(
            "weights * side**2", "weights", "Every weight is used at every place of the output map: side * side times."
        ),
        edit("side**2", "side", "The map has side * side places, not side."),
        edit("kernel**2", "kernel", "A kernel of kernel x kernel has kernel * kernel weights."),
        edit("weights * side**2", "2 * weights * side**2", "A mult-add is a multiplication and its addition together."),
        edit(
            "weights * side**2",
            "groups * weights * side**2",
            "Your parameters are right; the mult-adds forget the groups: every weight is used once at each place.",
        ),
        edit(
            "weights * side**2",
            "weights // groups * side**2",
            "Your parameters are right; the mult-adds are divided by the groups a second time.",
        ),
    ],
)


def numbers(*shape: int) -> torch.Tensor:
    return 1 + torch.rand(shape, generator=torch.Generator().manual_seed(0))


def numbers_to_drop() -> list[tuple]:
    few, many = torch.tensor([[1.0, 2.0, 3.0]]), numbers(200, 300)
    return [(few, 0.5, False), (few, 0.0, True), *((many, p, True) for p in (0.2, 0.5, 0.7)), (many, 0.2, False)]


def what_is_dropped(result: torch.Tensor, x: torch.Tensor, p: float, training: bool) -> object:
    """Of a large x what holds of every mask: the random numbers themselves may be drawn in any way."""
    result = torch.as_tensor(result)
    if x.numel() < 10 or result.shape != x.shape:
        return result
    gone = (result == 0).double()
    share, asked = gone.mean().item(), p if training else 0
    by_chance = max(asked * (1 - asked), 1e-6) ** 0.5
    kept = (result / numbers(*x.shape))[gone == 0]  # not x itself, which may have been changed
    return {
        "share of zeros": asked if abs(share - asked) < 0.012 else round(share, 3),
        "smallest factor of the rest": kept.min() if len(kept) else 0,
        "largest factor of the rest": kept.max() if len(kept) else 0,
        "spread of the zeros over the rows, where 1 is chance": round(
            (gone.mean(1).std() / by_chance * x.shape[1] ** 0.5).item()
        ),
        "spread of the zeros over the columns, where 1 is chance": round(
            (gone.mean(0).std() / by_chance * x.shape[0] ** 0.5).item()
        ),
    }


def drops(results: list, *indices: int) -> list[float]:
    return [results[index]["share of zeros"] for index in indices]


def factors(results: list) -> list[float]:
    return [round(float(results[index]["largest factor of the rest"]), 2) for index in (2, 3, 4)]


def off_by(results: list) -> list[float]:
    """How far the factors of what is kept are from 1 / (1 - p), as fractions of it."""
    asked = ((2, 0.2), (3, 0.5), (4, 0.7))
    return [abs(float(results[i]["largest factor of the rest"]) * (1 - p) - 1) for i, p in asked]


def spread(results: list, over: str) -> int:
    return min(results[i][f"spread of the zeros over the {over}, where 1 is chance"] for i in (2, 3, 4))


def check_dropout(dropout: object) -> None:
    masks = [torch.as_tensor(dropout(torch.ones(4, 5), 0.5, True)) != 0 for _ in range(10)]
    if all(torch.equal(mask, masks[0]) for mask in masks):
        raise Wrong("Your function drops the same numbers each time that it is called: draw new ones in each call.")
    if len({mask.sum().item() for mask in masks}) == 1:
        raise Wrong(
            "Your function always drops the same number of numbers. Each is to be dropped with probability p on its"
            " own, so that now and then there are more or fewer."
        )


exercise(
    "02.dropout",
    points=3,
    stub='''
        def dropout(x, p, training):
            """As in PyTorch: while training, each number of x becomes 0 with probability p, and
            the others are scaled so that the mean stays what it was on average; at test time
            x stays as it is. 0 <= p < 1."""
            ...
    ''',
    solution="""
        def dropout(x, p, training):
            if not training:
                return x
            keep = torch.rand_like(x) >= p
            return x * keep / (1 - p)
    """,
    hints=[
        "torch.rand_like(x) >= p is True with probability 1 - p, for each number of x on its own.",
        "Of numbers whose mean is m a share 1 - p is left, so the mean becomes (1 - p) * m. What brings it back?",
    ],
    cases=numbers_to_drop,
    look=what_is_dropped,
    check=check_dropout,
    wrong=[
        edit(
            "return x\n",
            "return x * (1 - p)\n",
            " / (1 - p)",
            "",
            "This is the way of 2012: it scales at test time. PyTorch scales in training, by 1 / (1 - p).",
        ),
        edit(
            "return x\n",
            "return x * (1 - p)\n",
            "You scale twice: in training, and at test time once more, where x is to stay as it is.",
        ),
        when(
            lambda results: drops(results, 2, 3, 4) == [0, 0, 0] and drops(results, 5)[0] > 0.1,
            """
            def dropout(x, p, training):
                return x if training else x * (torch.rand_like(x) >= p) / (1 - p)
            """,
            "Your function drops at test time and not in training: exchange the two.",
        ),
        when(
            lambda results: drops(results, 5)[0] > 0.1,
            """
            def dropout(x, p, training):
                return x * (torch.rand_like(x) >= p) / (1 - p)
            """,
            "Your function drops numbers at test time too. There the whole network answers.",
        ),
        when(
            lambda results: 1 in drops(results, 2, 3, 4),
            """
            def dropout(x, p, training):
                return x * (torch.rand(1) >= p) / (1 - p) if training else x
            """,
            "All numbers of x are dropped at once: draw a random number for each of them, torch.rand_like(x).",
        ),
        when(
            lambda results: spread(results, "rows") > 3,
            """
            def dropout(x, p, training):
                return x * (torch.rand(len(x), 1) >= p) / (1 - p) if training else x
            """,
            "You drop whole rows, images: each number is to be dropped on its own.",
        ),
        when(
            lambda results: spread(results, "columns") > 3,
            """
            def dropout(x, p, training):
                return x * (torch.rand(x.shape[1]) >= p) / (1 - p) if training else x
            """,
            "You use the same mask for all rows: each number is to be dropped on its own.",
        ),
        when(
            lambda results: all(abs(s - q) < 0.02 for s, q in zip(drops(results, 2, 4), (0.8, 0.3), strict=True)),
            """
            def dropout(x, p, training):
                return x * (torch.rand_like(x) < p) / p if training else x
            """,
            "You drop with probability 1 - p: what is dropped and what is kept are exchanged.",
        ),
        when(
            lambda results: drops(results, 2, 3, 4) == [0.2, 0.5, 0.7] and factors(results) == [5.0, 2.0, 1.43],
            """
            def dropout(x, p, training):
                return x * (torch.rand_like(x) >= p) / p if training and p else x
            """,
            "What is left is a share of 1 - p, so that is what to divide by; you divided by p.",
        ),
        when(
            lambda results: all(abs(share - 0.5) < 0.02 for share in drops(results, 2, 3, 4)),
            """
            def dropout(x, p, training):
                return x * (torch.rand_like(x) >= 0.5) * 2 if training and p else x
            """,
            "You drop half of the numbers whatever p is.",
        ),
        when(
            lambda results: abs(drops(results, 2)[0] - 0.579) < 0.02 and abs(drops(results, 4)[0] - 0.758) < 0.02,
            """
            def dropout(x, p, training):
                return x * (torch.randn_like(x) >= p) / (1 - p) if training else x
            """,
            "Normal random numbers, randn, are below p with another probability than p: draw uniform ones, rand.",
        ),
        when(
            lambda results: (
                drops(results, 2, 3, 4) == [0.2, 0.5, 0.7]
                and 0 < max(off_by(results)) < 0.03
                and not drops(results, 5)[0]
            ),
            """
            def dropout(x, p, training):
                keep = torch.rand_like(x) >= p
                return x * keep / keep.float().mean() if training else x
            """,
            "You scale by what this draw happens to keep; 1 / (1 - p) is the same in every draw, and keeps the mean on"
            " average.",
        ),
        edit(" / (1 - p)", "", "The mean falls, to 1 - p of what it was: scale what is left."),
        edit("/ (1 - p)", "* (1 - p)", "You multiplied by 1 - p: the mean falls still further. Divide by it."),
        edit(
            "/ (1 - p)", "* (1 + p)", "1 + p does not bring the mean back: a share of 1 - p is left, so divide by it."
        ),
    ],
)


LAYERS, WIDTH, VANISHED = 10, 100, 1e-6


def check_slope_one(initial_weights: object) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = [nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS)]
        for index, layer in enumerate(layers):
            returned = initial_weights(layer)
            layers[index] = (returned if isinstance(returned, nn.Linear) else layer).float()
        x, outputs = torch.randn(200, WIDTH), []
    for layer in layers:
        if layer.weight.shape != (WIDTH, WIDTH):
            raise Wrong(f"A weight has the shape {tuple(layer.weight.shape)} now: change its numbers, not its shape.")
        x = layer(x).relu()
        outputs.append(x)
    if not all(output.isfinite().all() for output in outputs):
        raise Wrong("With your weights a layer puts out numbers that are infinite or NaN.")
    silent = torch.stack([(output <= 0).all(0) for output in outputs]).double().mean().item()
    if silent > 0.5:
        raise Wrong(
            f"{silent:.0%} of your units are 0 for every input. There the slope is 0, and the sentence is about ReLUs"
            " with a slope of 1: keep at least half of the units alive."
        )
    first, last = torch.autograd.grad(x.sum(), [outputs[0], outputs[-1]], allow_unused=True)
    left = 0.0 if first is None else (first.norm() / last.norm()).item()
    if left > 10:
        raise Wrong(f"With your weights the gradient grows on its way down, to {left:.2g} times its size.")
    if left > VANISHED:
        raise Wrong(
            f"With your weights {left:.2g} of the gradient's size is left at the first layer; less than a millionth is"
            " asked for. A ReLU passes the gradient on: what else does a layer multiply it by?"
        )


exercise(
    "02.slope-one",
    points=2,
    stub='''
        def initial_weights(layer):
            """layer: an nn.Linear(100, 100), one of ten, each followed by a ReLU.
            Gives it other weights and biases, in place."""
            ...
    ''',
    solution="""
        def initial_weights(layer):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
    """,
    hints=[
        "On its way down a gradient is multiplied by the slope of each ReLU, and by something else in each layer.",
        "It is multiplied by the weights. nn.init.normal_(layer.weight, std=...) draws them; with which std does a"
        " layer of 100 inputs make it ten times smaller?",
    ],
    check=check_slope_one,
    wrong=[
        source(
            """
            def initial_weights(layer):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
            """,
            "less than a millionth is",
        ),
        source("def initial_weights(layer):\n    nn.init.constant_(layer.bias, -100)", "are 0 for every input"),
        source("def initial_weights(layer):\n    nn.init.normal_(layer.weight)", "grows on its way down"),
        source("def initial_weights(layer):\n    layer.weight.data.fill_(float('inf'))", "infinite or NaN"),
        source("def initial_weights(layer):\n    layer.weight.data = torch.zeros(1, 100)", "not its shape"),
        source("initial_weights = 0.01", "should be a function"),
    ],
)


def check_few_images(my_run: object) -> None:
    reads_digits(trained(my_run, images=500, parameters=500_000), 0.9)


exercise(
    "02.few-images",
    points=3,
    stub="""
        torch.manual_seed(0)
        my_run = ...
    """,
    solution="""
        from cnnlab.lessons.alexnet import study

        torch.manual_seed(0)
        mine = study.initialized(models.get_model("alexnet_tiny", dropout=0.3))
        few = data.load("street_digits", train=500, test=1000)
        moved = training.Augment(shift=2, rotate=10, zoom=0.2, shear=0.2, contrast=0.4)
        my_run = training.fit(mine, few, epochs=60, lr=0.02, batch_size=32, augment=moved)
    """,
    hints=[
        "Other images made of the same 500 help more than any layer: training.fit(..., augment=training.Augment(...))."
        " Which changes leave a digit the same digit?",
        "study.initialized saves many epochs at the start. Then small shifts, turns, zooms and slopes, contrasts,"
        " a little dropout, and 50 epochs or more.",
    ],
    check=check_few_images,
    wrong=[
        source("my_run = models.get_model('alexnet_tiny')", "not the run"),
        source(
            "my_run = training.fit(models.get_model('lenet5', in_channels=3), street, epochs=1)",
            "4,000 training images",
        ),
        source(
            """
            few = data.load("street_digits", train=40, test=10)
            my_run = training.fit(models.get_model("alexnet_tiny", hidden=1024), few, epochs=1)
            """,
            "parameters",
        ),
        source(
            """
            few = data.load("street_digits", train=500, test=10)
            my_run = training.fit(models.get_model("alexnet_tiny"), few, epochs=1)
            """,
            "fresh street digits",
        ),
    ],
)
