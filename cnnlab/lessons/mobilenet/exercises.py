"""Lesson 11, MobileNet: its exercises."""

import torch
from torch import nn

from cnnlab import data, measure
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.models.mobilenet import DepthwiseSeparable
from cnnlab.training import Run, evaluate


@exercise(
    "11.separable",
    points=3,
    stub='''
        def separable(in_channels, out_channels, stride=1):
            """Two nn.Conv2d in an nn.Sequential, without biases: a depthwise 3 x 3 with this stride that keeps
            the size of the map at stride 1, then a pointwise convolution to out_channels."""
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
    wrong={
        "reads all maps": """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, in_channels, 3, stride, padding=1, bias=False),
                    nn.Conv2d(in_channels, out_channels, 1, bias=False),
                )
        """,
        "order is reversed": """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 1, bias=False),
                    nn.Conv2d(out_channels, out_channels, 3, stride, padding=1, groups=out_channels, bias=False),
                )
        """,
        "bias=False": """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, in_channels, 3, stride, padding=1, groups=in_channels),
                    nn.Conv2d(in_channels, out_channels, 1),
                )
        """,
        "padding": """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, in_channels, 3, stride, groups=in_channels, bias=False),
                    nn.Conv2d(in_channels, out_channels, 1, bias=False),
                )
        """,
        "pointwise convolution has the stride": """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False),
                    nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                )
        """,
        "already makes": """
            def separable(in_channels, out_channels, stride=1):
                return nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, groups=in_channels, bias=False),
                    nn.Conv2d(out_channels, out_channels, 1, bias=False),
                )
        """,
    },
)
def check_separable(separable) -> None:
    for in_channels, out_channels, stride in ((8, 16, 1), (6, 12, 2), (4, 4, 1)):
        got = separable(in_channels, out_channels, stride)
        layers = [layer for layer in got.modules() if isinstance(layer, nn.Conv2d)]
        if len(layers) != 2:
            raise Wrong(f"There should be two convolutions; yours has {len(layers)}.")
        first, second = layers
        if first.kernel_size == (1, 1) and second.kernel_size != (1, 1):
            raise Wrong("The order is reversed: filter each map first, then combine.")
        if first.out_channels != in_channels:
            raise Wrong(f"The first convolution already makes {first.out_channels} maps; filtering {in_channels} gives"
                        f" {in_channels}, and the second makes new ones.")  # fmt: skip
        if first.groups != in_channels:
            raise Wrong("A kernel of your first convolution reads all maps, or several; a depthwise one reads one map.")
        if first.bias is not None or second.bias is not None:
            raise Wrong("There are biases: say bias=False. The batch norm that follows has its own.")
        if second.kernel_size != (1, 1) or second.groups != 1:
            raise Wrong("The second convolution should be pointwise: 1 x 1, in one group, so that it sees all maps.")
        if second.stride != (1, 1) and stride > 1:
            raise Wrong("Your pointwise convolution has the stride. The result has the right size, but the depthwise"
                        " one then filters every place, and of the results a part is thrown away.")  # fmt: skip
        x = torch.zeros(1, in_channels, 10, 10)
        size, true = tuple(got(x).shape[1:]), (out_channels, 10 // stride, 10 // stride)
        if size != true:
            more = " The padding is missing." if first.padding == (0, 0) else ""
            raise Wrong(f"{in_channels} maps of 10 x 10 at stride {stride} must become {true}; yours are {size}.{more}")


@exercise(
    "11.ratio",
    points=2,
    stub='''
        def times_fewer(in_channels, out_channels, kernel, size):
            """How many times fewer mult-adds does a depthwise separable convolution take than a full one?
            Both make maps of size x size, at stride 1."""
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
    wrong={
        "upside down": """
            def times_fewer(in_channels, out_channels, kernel, size):
                return 1 / out_channels + 1 / kernel**2
        """,
        "output channels": """
            def times_fewer(in_channels, out_channels, kernel, size):
                return 1 / (1 / in_channels + 1 / kernel**2)
        """,
        "kernel squared": """
            def times_fewer(in_channels, out_channels, kernel, size):
                return 1 / (1 / out_channels + 1 / kernel)
        """,
        "pointwise part is missing": """
            def times_fewer(in_channels, out_channels, kernel, size):
                return out_channels
        """,
        "depthwise part is missing": """
            def times_fewer(in_channels, out_channels, kernel, size):
                return kernel**2
        """,
    },
)
def check_ratio(times_fewer) -> None:
    cases = [(32, 64, 3, 112), (512, 512, 3, 14), (16, 8, 5, 20), (3, 24, 7, 9)]
    got = [times_fewer(*case) for case in cases]
    formulas = [
        (lambda m, n, k: 1 / n + 1 / k**2, "The ratio is upside down: how many times fewer, not what share is left."),
        (lambda m, n, k: 1 / (1 / m + 1 / k**2), "It is the number of output channels that decides, not of inputs."),
        (lambda m, n, k: 1 / (1 / n + 1 / k), "A kernel has kernel * kernel weights: the kernel squared."),
        (lambda m, n, k: n, "The pointwise part is missing in the cost of the separable convolution."),
        (lambda m, n, k: k**2, "The depthwise part is missing in the cost of the separable convolution."),
    ]
    for formula, diagnosis in formulas:
        if all(abs(value - formula(*case[:3])) < 1e-6 for value, case in zip(got, cases, strict=True)):
            raise Wrong(diagnosis)
    for (m, n, k, size), value in zip(cases, got, strict=True):
        full = nn.Conv2d(m, n, k, padding=k // 2)
        parts = nn.Sequential(nn.Conv2d(m, m, k, padding=k // 2, groups=m), nn.Conv2d(m, n, 1))
        true = measure.cost(full, (m, size, size)).macs / measure.cost(parts, (m, size, size)).macs
        if abs(value - true) > 1e-6:
            raise Wrong(f"For {m} channels to {n}, kernel {k}, it is {true:.3f} times, and not {value:.3f}.")


@exercise(
    "11.multipliers",
    points=3,
    stub='''
        def thinner(in_channels, out_channels, size, alpha, rho):
            """(weights, mult-adds) of a depthwise separable 3 x 3 convolution at stride 1 without biases: all channels
            times alpha, the size of the map times rho, each rounded to a whole number."""
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
    wrong={
        "both": """
            def thinner(in_channels, out_channels, size, alpha, rho):
                m, n, size = in_channels, round(alpha * out_channels), round(rho * size)
                return 9 * m + m * n, (9 * m + m * n) * size * size
        """,
        "rho squared": """
            def thinner(in_channels, out_channels, size, alpha, rho):
                m, n = round(alpha * in_channels), round(alpha * out_channels)
                return 9 * m + m * n, (9 * m + m * n) * size * round(rho * size)
        """,
        "do not depend on the size": """
            def thinner(in_channels, out_channels, size, alpha, rho):
                m, n, small = round(alpha * in_channels), round(alpha * out_channels), round(rho * size)
                return round((9 * m + m * n) * (small / size) ** 2), (9 * m + m * n) * small * small
        """,
        "alpha squared": """
            def thinner(in_channels, out_channels, size, alpha, rho):
                m, n, size = in_channels, out_channels, round(rho * size)
                weights = round(alpha * alpha * (9 * m + m * n))
                return weights, weights * size * size
        """,
        "full convolution": """
            def thinner(in_channels, out_channels, size, alpha, rho):
                m, n, size = round(alpha * in_channels), round(alpha * out_channels), round(rho * size)
                return 9 * m * n, 9 * m * n * size * size
        """,
    },
)
def check_multipliers(thinner) -> None:
    cases = [(512, 512, 14, 0.75, 10 / 14), (64, 128, 56, 0.5, 0.5), (32, 64, 112, 1, 1), (100, 40, 20, 0.25, 0.8)]
    got = [thinner(*case) for case in cases]

    def counted(m, n, size, alpha, rho):
        m, n, size = round(alpha * m), round(alpha * n), round(rho * size)
        convolutions = [layer for layer in DepthwiseSeparable(m, n) if isinstance(layer, nn.Conv2d)]
        cost = measure.cost(nn.Sequential(*convolutions), (m, size, size))
        return cost.params, cost.macs

    true = [counted(*case) for case in cases]
    if all(tuple(a) == b for a, b in zip(got, true, strict=True)):
        return
    mistakes = [
        (lambda m, n, s, a, r: _weights(m, round(a * n), round(r * s)), "Alpha thins both, the maps that come in and"
         " those that go out: the inputs of a layer are the outputs of the one before."),
        (lambda m, n, s, a, r: (counted(m, n, s, a, 1)[0], counted(m, n, s, a, 1)[0] * s * round(r * s)), "A map gets"
         " smaller in height and in width: mult-adds go with rho squared."),
        (lambda m, n, s, a, r: (9 * round(a * m) * round(a * n), 9 * round(a * m) * round(a * n) * round(r * s) ** 2),
         "This is a full convolution: 9 * in * out weights."),
    ]  # fmt: skip
    for formula, diagnosis in mistakes:
        if all(tuple(a) == formula(*case) for a, case in zip(got, cases, strict=True)):
            raise Wrong(diagnosis)
    if all(a[1] == b[1] for a, b in zip(got, true, strict=True)):
        raise Wrong("The mult-adds are right. The weights do not depend on the size of the map: rho leaves them alone.")
    if all(abs(a[0] - c[3] ** 2 * (9 * c[0] + c[0] * c[1])) <= 1 for a, c in zip(got, cases, strict=True)):
        raise Wrong("Only the pointwise part goes with alpha squared; the depthwise part has 9 weights a channel, and"
                    " goes with alpha.")  # fmt: skip
    case, value, right = next((c, a, b) for c, a, b in zip(cases, got, true, strict=True) if tuple(a) != b)
    raise Wrong(f"For {case[:3]}, alpha {case[3]:g} and rho {case[4]:.3g} it is {right}, not {value}.")


def _weights(m: int, n: int, size: int) -> tuple[int, int]:
    return 9 * m + m * n, (9 * m + m * n) * size * size


@exercise(
    "11.bytes",
    points=2,
    stub='''
        def macs_per_byte(in_channels, out_channels, kernel, size, groups):
            """Mult-adds of a convolution without biases, stride 1, on maps of size x size, for each byte that it reads
            (input and weights) or writes (output), once each, at 4 bytes a number."""
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
    wrong={
        "4 bytes": """
            def macs_per_byte(in_channels, out_channels, kernel, size, groups):
                weights = out_channels * (in_channels // groups) * kernel**2
                return weights * size**2 / ((in_channels + out_channels) * size**2 + weights)
        """,
        "weights have to be read": """
            def macs_per_byte(in_channels, out_channels, kernel, size, groups):
                weights = out_channels * (in_channels // groups) * kernel**2
                return weights * size**2 / (4 * (in_channels + out_channels) * size**2)
        """,
        "output is written": """
            def macs_per_byte(in_channels, out_channels, kernel, size, groups):
                weights = out_channels * (in_channels // groups) * kernel**2
                return weights * size**2 / (4 * (in_channels * size**2 + weights))
        """,
        "groups": """
            def macs_per_byte(in_channels, out_channels, kernel, size, groups):
                weights = out_channels * in_channels * kernel**2
                return weights * size**2 / (4 * ((in_channels + out_channels) * size**2 + weights))
        """,
        "upside down": """
            def macs_per_byte(in_channels, out_channels, kernel, size, groups):
                weights = out_channels * (in_channels // groups) * kernel**2
                return 4 * ((in_channels + out_channels) * size**2 + weights) / (weights * size**2)
        """,
    },
)
def check_bytes(macs_per_byte) -> None:
    cases = [(512, 512, 3, 14, 512), (512, 512, 1, 14, 1), (512, 256, 3, 14, 1), (12, 24, 5, 9, 3)]
    got = [macs_per_byte(*case) for case in cases]

    def formula(m, n, k, size, groups, *, each=4, weights=1, output=1):
        count = n * (m // groups) * k**2
        return count * size**2 / (each * ((m + output * n) * size**2 + weights * count))

    true = [formula(*case) for case in cases]
    if all(abs(a - b) < 1e-6 * b for a, b in zip(got, true, strict=True)):
        return
    mistakes = [
        ([formula(*case, each=1) for case in cases], "These are mult-adds for each number; a number takes 4 bytes."),
        ([formula(*case, weights=0) for case in cases], "The weights have to be read too."),
        ([formula(*case, output=0) for case in cases], "The output is written: its bytes count as well."),
        ([formula(*case[:4], 1) for case in cases], "The groups are not used: a kernel reads in // groups maps."),
        ([1 / value for value in true], "The ratio is upside down: these are bytes for each mult-add."),
    ]  # fmt: skip
    for values, diagnosis in mistakes:
        if all(abs(a - b) < 1e-6 * b for a, b in zip(got, values, strict=True)):
            raise Wrong(diagnosis)
    case, value, right = next((c, a, b) for c, a, b in zip(cases, got, true, strict=True) if abs(a - b) >= 1e-6 * b)
    raise Wrong(f"For (in, out, kernel, size, groups) = {case} it is {right:.3f}; your function gives {value:.3f}.")


@exercise(
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
    wrong={
        "not the run": "my_run = models.get_model('mobilenet_v1_tiny', width_mult=0.25)",
        "mult-adds": "my_run = training.fit(models.get_model('mobilenet_v1_tiny'), dataset, epochs=1)",
        "fresh street digits": """
            my_run = training.fit(models.get_model("mobilenet_v1_tiny", width_mult=0.125), dataset, epochs=1)
        """,
    },
)
def check_budget(my_run) -> None:
    if not isinstance(my_run, Run):
        raise Wrong(f"my_run is a {type(my_run).__name__}, not the run that training.fit returns.")
    macs = measure.cost(my_run.model, (3, 32, 32)).macs
    if macs > 2e6:
        raise Wrong(f"Your network takes {macs / 1e6:.2f} million mult-adds for 32 x 32 pixels: at most 2 million.")
    accuracy = evaluate(my_run.model, data.load("street_digits", train=1000, test=1000, seed=1).test).accuracy
    if accuracy < 0.8:
        raise Wrong(f"On 1,000 fresh street digits your network reads {accuracy:.0%}; at least 80 % is asked for.")
