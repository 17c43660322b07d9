"""Lesson 13, EfficientNet: its exercises."""

from numbers import Integral

import torch
from torch import nn

from cnnlab import data, measure
from cnnlab.lessons.compare import kind, shown
from cnnlab.lessons.efficientnet.study import count, macs, of_phi
from cnnlab.lessons.exercise import Wrong, edit, exercise, source, when
from cnnlab.training import evaluate

exercise(
    "13.round-channels",
    points=2,
    stub='''
        def round_channels(channels):
            """The multiple of 8 nearest to `channels` (at least 8), or the next one
            if that is less than 90 % of it."""
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
    cases=[  # none halfway between two multiples of 8
        (channels,)
        for channels in (38.4, 35.2, 32, 11, 9.5, 19, 2, 3.2, 17.6, 22, 28.8, 44.8, 51.5, 52.5, 59.7, 104.0001, 352)
    ],
    wrong=[
        source(
            """
            def round_channels(channels):
                return -(-int(channels) // 8) * 8
            """,
            "You always round up; 35.2 channels are nearest to 32.",
        ),
        source(
            """
            def round_channels(channels):
                return math.ceil(channels / 8) * 8
            """,
            "You always go up; 35.2 channels are nearest to 32, and up to a tenth may be lost.",
        ),
        edit(
            "rounded if rounded >= 0.9 * channels else rounded + 8",
            "rounded",
            "Of 11 wanted channels yours leaves 8, which is less than 90% of them: there it must go up.",
        ),
        source(
            """
            def round_channels(channels):
                rounded = int(channels + 4) // 8 * 8
                return rounded if rounded == 0 or rounded >= 0.9 * channels else rounded + 8
            """,
            "For 2 wanted channels yours gives 0: a layer with no channels at all.",
        ),
        source(
            """
            def round_channels(channels):
                return int(channels + 4) // 8 * 8
            """,
            "For 2 wanted channels yours gives 0, a layer with no channels at all, and of 11 it leaves less than 90%.",
        ),
        source(
            """
            def round_channels(channels):
                return max(8, int(channels) // 8 * 8)
            """,
            "You cut off what is over; 38.4 channels are nearer to 40 than to 32.",
        ),
        source(
            """
            def round_channels(channels):
                return int(channels) // 8 * 8
            """,
            "You cut off what is over; 38.4 channels are nearer to 40 than to 32.",
        ),
        edit("channels + 4", "channels", "You cut off what is over; 38.4 channels are nearer to 40 than to 32."),
        edit("rounded + 8", "8 * math.ceil(0.9 * channels / 8 + 1)", "One step up is enough: the next multiple of 8."),
        edit(
            "rounded >= 0.9 * channels",
            "channels >= 0.9 * rounded",
            "The other way around: what is left, `rounded`, must be at least 90% of `channels`.",
        ),
        edit("// 8 * 8", "// 8", "This is the number of eights: times 8."),
        edit(
            "0.9 *", "0.8 *", "90% of the channels must be left, not 80%: of {channels} wanted ones yours leaves {got}."
        ),
        edit("rounded + 8", "max(8, int(0.9 * channels))", "{got} is no multiple of 8: go up to the next one, by 8."),
        when(
            lambda results: any(result % 8 for result in results),
            """
            def round_channels(channels):
                rounded = max(4, round(channels / 4) * 4)
                return rounded if rounded >= 0.9 * channels else rounded + 4
            """,
            "Some of your numbers are no multiples of 8.",
        ),
    ],
)


exercise(
    "13.constraint",
    points=2,
    stub='''
        def gamma(alpha, beta, factor=2):
            """The resolution's coefficient: it makes alpha * beta**2 * gamma**2 equal
            to factor. Raises ValueError if alpha and beta alone exceed the budget:
            gamma must be at least 1."""
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
    cases=[
        (1.2, 1.1),
        (1.0, 1.0),
        (1.3, 1.05),
        (1.6, 1.3),
        (1.4, 1.2),
        (2.0, 1.0),
        (1.1, 1.2, 3),
        (1.3, 1.2, 4),
        (1.5, 1.45, 3),
        (1.7, 1.1, 1.9),
    ],
    wrong=[
        edit("return squared**0.5", "return squared", "This is the square of gamma: take the root."),
        edit(
            "beta**2",
            "beta",
            "Beta is there only once; twice the channels is four times the work.",
        ),
        edit("(alpha * beta**2)", "(alpha * beta) ** 2", "You squared alpha too: depth counts once, width twice."),
        edit(
            "(alpha * beta**2)", "(alpha**2 * beta)", "It is beta that is squared, and not alpha: width counts twice."
        ),
        edit("(alpha * beta**2)", "alpha * beta**2", "Brackets: factor is divided by the whole product."),
        edit(
            '    if squared < 1:\n        raise ValueError("alpha and beta alone exceed the budget")\n',
            "",
            "{call}: alpha and beta exceed the budget, and yours gives a gamma below 1, {got:.2f}, and no ValueError.",
        ),
        edit(
            '    if squared < 1:\n        raise ValueError("alpha and beta alone exceed the budget")\n',
            "",
            "return squared**0.5",
            "return max(1.0, squared**0.5)",
            "{call}: alpha and beta alone exceed the budget, and a gamma of 1 does not mend that: raise a ValueError.",
        ),
        when(
            lambda results: any(isinstance(result, ValueError) or result is ValueError for result in results),
            """
            def gamma(alpha, beta, factor=2):
                squared = factor / (alpha * beta**2)
                return squared**0.5 if squared >= 1 else ValueError("too much")
            """,
            "You returned the ValueError; an error is raised: raise ValueError(...).",
        ),
        when(
            lambda results: any(result is None for result in results) and not all(result is None for result in results),
            """
            def gamma(alpha, beta, factor=2):
                squared = factor / (alpha * beta**2)
                return squared**0.5 if squared >= 1 else None
            """,
            "{call}: alpha and beta alone exceed the budget; yours returns None there. Raise a ValueError.",
        ),
        edit("squared = factor /", "squared = 2 /", "Right for a factor of 2, but yours ignores another budget."),
        edit(
            "squared < 1",
            "factor > alpha * beta**2",
            "The comparison is the wrong way around: yours refuses what leaves room.",
        ),
        edit(
            "factor / (alpha * beta**2)",
            "alpha * beta**2 / factor",
            "This is upside down: solve alpha * beta**2 * gamma**2 = factor for gamma.",
        ),
        edit(
            "factor / (alpha * beta**2)",
            "1 + factor - alpha * beta**2",
            "The three multiply: divide factor by alpha * beta**2, do not subtract.",
        ),
        edit(
            "factor / (alpha * beta**2)",
            "factor - alpha * beta**2",
            "The three multiply: divide factor by alpha * beta**2, do not subtract.",
        ),
    ],
)


def maps_and_layers() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    found = [(torch.tensor([[[[1.0, 3.0]], [[-2.0, 0.5]]]]), *_layers(drawn, 2, 3))]
    for n, c, few, h, w in ((4, 4, 2, 4, 4), (3, 12, 4, 5, 7)):  # in the first of these wrong matches of axes fit too
        found.append((drawn(n, c, h, w) + 2 * drawn(n, c, 1, 1), *_layers(drawn, c, few)))
    return found


def _layers(drawn, channels: int, few: int) -> tuple[nn.Linear, nn.Linear]:
    narrow, widen = nn.Linear(channels, few), nn.Linear(few, channels)
    for layer in (narrow, widen):
        layer.weight.data, layer.bias.data = drawn(*layer.weight.shape), drawn(*layer.bias.shape)
    return narrow, widen


exercise(
    "13.squeeze-excitation",
    points=3,
    stub='''
        def squeeze_excite(x, narrow, widen):
            """x: (N, C, H, W). narrow and widen are linear layers, from C numbers to few
            and back to C. Squeeze, narrow, SiLU, widen, sigmoid; then weigh the channels
            of x: (N, C, H, W)."""
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
    cases=maps_and_layers,
    wrong=[
        edit(
            "torch.sigmoid(widen(F.silu(narrow(squeezed))))",
            "widen(F.silu(narrow(squeezed)))",
            "Gates without the sigmoid can be negative or large; they should be in 0 to 1.",
        ),
        edit(
            "torch.sigmoid(widen(F.silu(narrow(squeezed))))",
            "widen(F.silu(narrow(squeezed))).softmax(1)",
            "A softmax makes channels compete; each gate is a sigmoid of its own.",
        ),
        edit(
            "torch.sigmoid(widen(F.silu(narrow(squeezed))))",
            "widen(F.silu(narrow(squeezed))).softmax(0)",
            "A softmax makes images compete; each gate is a sigmoid of its own.",
        ),
        edit("torch.sigmoid", "torch.tanh", "tanh runs from -1 to 1; a gate is a sigmoid, from 0 to 1."),
        edit(
            "torch.sigmoid", "F.hardsigmoid", "This is the sigmoid of straight lines, of other networks: torch.sigmoid."
        ),
        edit("torch.sigmoid", "F.relu", "You used a ReLU for the gates; a sigmoid keeps them in 0 to 1."),
        edit("x.mean((2, 3))", "x.amax((2, 3))", "You squeezed to the largest value; it is the mean."),
        edit("x.mean((2, 3))", "x.sum((2, 3))", "You squeezed to the sum over the pixels; it is the mean."),
        edit(
            "x * gates[:, :, None, None]",
            "gates",
            "These are only the gates: multiply x by them.",
        ),
        edit("x * gates", "gates", "These are only the gates: multiply x by them."),
        edit(
            "x.mean((2, 3))",
            "x.mean((0, 2, 3))",
            "gates[:, :, None, None]",
            "gates[:, None, None]",
            "You averaged over all images: each has its own gates.",
        ),
        edit("F.silu", "F.relu", "Between the two layers stands a SiLU here, not a ReLU."),
        edit("F.silu", "F.gelu", "Between the two layers stands a SiLU here, not a GELU."),
        edit(
            "F.silu",
            "torch.sigmoid",
            "Between the two layers stands a SiLU here, x times its sigmoid; you took the sigmoid alone.",
        ),
        edit("F.silu(narrow(squeezed))", "narrow(squeezed)", "The SiLU between the two layers is missing."),
        edit(
            "widen(F.silu(narrow(squeezed)))",
            "F.silu(widen(narrow(squeezed)))",
            "The SiLU stands between the two layers; yours comes after them.",
        ),
        edit(
            "widen(F.silu(narrow(squeezed)))",
            "F.silu(widen(F.silu(narrow(squeezed))))",
            "There is one SiLU, between the two layers; yours has a second after them.",
        ),
        edit("x * gates", "x + gates", "You added the gates to x: they multiply it."),
        edit(
            "x * gates[:, :, None, None]",
            "x + x * gates[:, :, None, None]",
            "You added x once more; it is only multiplied by its gates.",
        ),
        edit(
            "x * gates[:, :, None, None]",
            "x * (1 - gates[:, :, None, None])",
            "Yours closes where it should open: x times the gates, not times 1 - gates.",
        ),
        edit(
            "x * gates[:, :, None, None]",
            "squeezed * gates",
            "You weighed the squeezed numbers, the means; the gates weigh every pixel of x.",
        ),
        edit(
            "x * gates[:, :, None, None]",
            "(squeezed * gates)[:, :, None, None].expand_as(x)",
            "You weighed the squeezed numbers, the means; the gates weigh every pixel of x.",
        ),
        edit(
            "gates[:, :, None, None]",
            "gates[:, None, None]",
            "The gates were matched with the width of the map: [:, :, None, None] sets them beside the channels.",
        ),
        edit(
            "gates[:, :, None, None]",
            "gates",
            "The gates were matched with height and width: [:, :, None, None] sets them beside the channels.",
        ),
        edit(
            "torch.sigmoid(widen(F.silu(narrow(squeezed))))",
            "torch.sigmoid(squeezed)",
            "The two linear layers are not used.",
        ),
    ],
)


def check_phis(my_phis: object) -> None:
    """Measures what is refuted: what a small step of phi costs, with B0's channels, blocks and pixels rounded."""
    try:
        phis = torch.as_tensor(my_phis, dtype=torch.float64).flatten()
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"my_phis is {kind(my_phis)}; two numbers are asked for, as in (3.0, 3.1).") from None
    if len(phis) != 2:
        raise Wrong(f"Two values of phi are asked for, before and after the step; you gave {len(phis)}.")
    before, after = phis.tolist()
    if not (0 <= before <= 7 and 0 <= after <= 7):
        raise Wrong("Both values must lie between 0, which is B0, and 7.")
    if not 0 < after - before <= 0.1 + 1e-6:
        raise Wrong(f"The step must lead upwards, by at most 0.1; yours is {after - before:.3g}.")
    (_, cheap), (_, dear) = (count(*of_phi(phi)) for phi in (before, after))
    if dear < 1.4 * cheap:
        raise Wrong(
            f"This step multiplies the mult-adds by {dear / cheap:.2f}. Where do many stages gain a block at once?"
        )


exercise(
    "13.same-factor",
    points=2,
    stub="""
        my_phis = (..., ...)  # before the step, after the step
    """,
    solution="""
        my_phis = (0.0, 0.1)
    """,
    hints=[
        "Which rounding made the first step cost 2.57 times? Where does it strike all seven stages at once?",
        "At a depth of exactly 1 no stage is rounded. At 1.001 all are.",
    ],
    check=check_phis,
    wrong=[
        source("my_phis = (1.0, 1.1)", "multiplies the mult-adds by 1.05"),
        source("my_phis = (0.0, 0.5)", "at most 0.1"),
        source("my_phis = (0.1, 0.0)", "upwards"),
        source("my_phis = (-0.1, 0.0)", "between 0"),
        source("my_phis = 0.1", "you gave 1"),
        source("my_phis = 'the first'", "two numbers"),
    ],
)


def check_my_network(my_network: object) -> None:
    if not isinstance(my_network, (tuple, list)) or len(my_network) != 2:
        raise Wrong(
            "my_network should be a pair: the trained network and the number of pixels of its images; yours is "
            f"{kind(my_network)}."
        )
    model, size = my_network
    if not isinstance(model, nn.Module):
        raise Wrong(f"The first of the pair should be the trained network; yours is {kind(model)}.")
    if not isinstance(size, Integral) or isinstance(size, bool) or not 4 <= size <= 32:
        raise Wrong(f"The number of pixels should be a whole number from 4 to 32, not {shown(size)}.")
    size = int(size)
    spent = measure.cost(model, (3, size, size)).macs
    if spent > 2.02 * macs():
        raise Wrong(f"It takes {spent:,} mult-adds; at most twice the base's are allowed, {2 * macs():,}.")
    fresh = data.load("street_digits", train=1000, test=1000, seed=7).resized(size)
    accuracy = evaluate(model, fresh.test).accuracy
    if accuracy < 0.85:
        raise Wrong(f"It reads {accuracy:.0%} of 1,000 fresh digits of {size} pixels; at least 85% is asked for.")


exercise(
    "13.own-scaling",
    points=4,
    stub="""
        my_network = (..., ...)
    """,
    solution="""
        from cnnlab.lessons.efficientnet import study
        torch.manual_seed(0)
        chosen = study.widened(blocks=6, size=20, target=2 * study.macs())
        mine = study.twin(chosen["width"], chosen["blocks"])
        smaller = data.load("street_digits", train=4000).resized(20)
        training.fit(mine, smaller, epochs=8, lr=0.1, batch_size=64, precision="fp32")
        my_network = (mine, 20)
    """,
    hints=[
        "my_network = (model, size): a trained twin and the number of pixels that it was trained with.",
        "Look at the grid: which axis helps most at this size? Then train longer, and on all 4,000 digits.",
    ],
    check=check_my_network,
    wrong=[
        source("my_network = 20", "a pair"),
        source(
            """
            from cnnlab.lessons.efficientnet import study
            my_network = (study.twin(2.0, 6), 16)
            """,
            "twice the base",
        ),
        source(
            """
            from cnnlab.lessons.efficientnet import study
            my_network = (study.twin(), 16)
            """,
            "at least 85%",
        ),
        source(
            """
            from cnnlab.lessons.efficientnet import study
            my_network = (study.twin(), "16")
            """,
            "whole number",
        ),
    ],
)
