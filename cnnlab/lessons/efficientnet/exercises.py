"""Lesson 13, EfficientNet: its exercises."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import data, measure, models
from cnnlab.lessons.efficientnet.study import macs
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.models.efficientnet import (
    SqueezeExcitation,
)
from cnnlab.training import evaluate

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
def check_round_channels(round_channels) -> None:
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
def check_constraint(gamma) -> None:
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
def check_squeeze_excitation(squeeze_excite) -> None:
    torch.manual_seed(0)
    layer = SqueezeExcitation(12, 4)
    narrow, widen = nn.Linear(12, 4), nn.Linear(4, 12)
    for linear, conv in ((narrow, layer.weigh.fc1), (widen, layer.weigh.fc2)):
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
    wrong={
        "a pair": "my_network = 20",
        "twice the base": """
            from cnnlab.lessons.efficientnet import study
            my_network = (study.twin(2.0, 6), 16)
        """,
        "at least 85 %": """
            from cnnlab.lessons.efficientnet import study
            my_network = (study.twin(), 16)
        """,
        "whole number": """
            from cnnlab.lessons.efficientnet import study
            my_network = (study.twin(), "16")
        """,
    },
)
def check_own_scaling(my_network) -> None:
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
