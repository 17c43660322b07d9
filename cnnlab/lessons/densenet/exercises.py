"""Lesson 10, DenseNet: its exercises."""

import copy

import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from cnnlab import data, measure, models
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.models.densenet import DenseBlock
from cnnlab.training import Run, evaluate


@exercise(
    "10.channels",
    points=2,
    stub='''
        def channels(stem_width, depths, growth_rate, compression):
            """How many channels leave each dense block, as a list. A transition between two blocks keeps
            int(compression * channels) of them."""
            ...
    ''',
    solution="""
        def channels(stem_width, depths, growth_rate, compression):
            leaving, now = [], stem_width
            for index, depth in enumerate(depths):
                if index > 0:
                    now = int(compression * now)
                now += depth * growth_rate
                leaving.append(now)
            return leaving
    """,
    hints=[
        "A block passes on all that came in, and growth_rate new maps for each of its layers.",
        "The first block reads the stem. Each later one reads a transition, which keeps int(compression * channels).",
    ],
    wrong={
        "transitions keep": """
            def channels(stem_width, depths, growth_rate, compression):
                leaving, now = [], stem_width
                for depth in depths:
                    now += depth * growth_rate
                    leaving.append(now)
                return leaving
        """,
        "passes on what came in": """
            def channels(stem_width, depths, growth_rate, compression):
                return [depth * growth_rate for depth in depths]
        """,
        "each of its layers": """
            def channels(stem_width, depths, growth_rate, compression):
                leaving, now = [], stem_width
                for index, depth in enumerate(depths):
                    if index > 0:
                        now = int(compression * now)
                    now += growth_rate
                    leaving.append(now)
                return leaving
        """,
        "after the stem": """
            def channels(stem_width, depths, growth_rate, compression):
                leaving, now = [], stem_width
                for depth in depths:
                    now = int(compression * now) + depth * growth_rate
                    leaving.append(now)
                return leaving
        """,
        "before the transition": """
            def channels(stem_width, depths, growth_rate, compression):
                leaving, now = [], stem_width
                for depth in depths:
                    now = int(compression * (now + depth * growth_rate))
                    leaving.append(now)
                return leaving
        """,
        "up": """
            def channels(stem_width, depths, growth_rate, compression):
                leaving, now = [], stem_width
                for index, depth in enumerate(depths):
                    if index > 0:
                        now = math.ceil(compression * now)
                    now += depth * growth_rate
                    leaving.append(now)
                return leaving
        """,
    },
)
def check_channels(channels) -> None:
    cases = [(64, (6, 12, 48, 32), 32, 0.5), (16, (12, 12, 12), 12, 1.0), (24, (3, 5, 2), 7, 0.5), (9, (4, 1), 3, 0.3)]
    got = [channels(*case) for case in cases]
    got = [list(value) for value in got]

    def all_of(between=lambda now, theta: int(theta * now), stem=True, new=lambda depth, k: depth * k, carried=True):
        results = []
        for width, depths, k, theta in cases:
            now, leaving = width, []
            for index, depth in enumerate(depths):
                if index > 0 or not stem:
                    now = between(now, theta)
                now = (now if carried else 0) + new(depth, k)
                leaving.append(now)
            results.append(leaving)
        return results

    diagnoses = [
        (all_of(lambda now, theta: now), "The transitions keep only a share of the channels: yours keep all."),
        (all_of(carried=False), "These are the new maps only. A dense block also passes on what came in."),
        (all_of(new=lambda depth, k: k), "A block makes growth_rate maps in each of its layers, not once."),
        (all_of(stem=False), "There is no transition after the stem: the first block reads all of its maps."),
        (
            [[int(theta * now) for now in row] for row, (*_, theta) in zip(all_of(), cases, strict=True)],
            "These have been through the transition. Asked for are the channels that leave the block, before the"
            " transition.",
        ),
        (
            [_compressed_and_left(width, depths, k, theta) for width, depths, k, theta in cases],
            "These have been through the transition. Asked for are the channels that leave the block, before the"
            " transition.",
        ),
        (
            all_of(lambda now, theta: -int(-theta * now // 1)),
            "Where the share is not a whole number, the transition rounds down (int); yours rounds up.",
        ),
    ]
    true = all_of()
    if got == true:
        for case, value in zip(cases, got, strict=True):
            if value != _block_outputs(*case):
                raise Wrong(f"For {case} the built network gives {_block_outputs(*case)}; your function gives {value}.")
        return
    for values, diagnosis in diagnoses:
        if got == values:
            raise Wrong(diagnosis)
    case = next(i for i, value in enumerate(got) if value != true[i])
    raise Wrong(f"For {cases[case]} the built network gives {_block_outputs(*cases[case])}, not {got[case]}.")


def _compressed_and_left(now: int, depths: tuple[int, ...], k: int, theta: float) -> list[int]:
    leaving = []
    for depth in depths:
        now = int(theta * (now + depth * k))
        leaving.append(now)
    return leaving


def _block_outputs(stem_width: int, depths: tuple[int, ...], growth_rate: int, compression: float) -> list[int]:
    options = {"stem_width": stem_width, "depths": depths, "growth_rate": growth_rate, "compression": compression}
    with torch.device("meta"):
        model = models.get_model("densenet_40_12", **options).eval()
        x, leaving = model.stem(torch.zeros(1, 3, 32, 32)), []
        for stage in model.stages:
            x = stage(x)
            leaving.append(x.shape[1])
    return leaving


@exercise(
    "10.dense-block",
    points=3,
    stub='''
        def dense_block(x, layers):
            """x: (N, C, H, W); layers: functions, each from maps (N, any, H, W) to a few new maps of the same size.
            Returns what a dense block of these layers returns."""
            ...
    ''',
    solution="""
        def dense_block(x, layers):
            for layer in layers:
                x = torch.cat([x, layer(x)], dim=1)
            return x
    """,
    hints=[
        "Each layer reads everything that there is so far, and what it makes is put behind it.",
        "torch.cat([...], dim=1) joins along the channels.",
    ],
    wrong={
        "one after the other": """
            def dense_block(x, layers):
                for layer in layers:
                    x = layer(x)
                return x
        """,
        "ResNet": """
            def dense_block(x, layers):
                for layer in layers:
                    x = x + layer(x)
                return x
        """,
        "the layer just before": """
            def dense_block(x, layers):
                maps = [x]
                for layer in layers:
                    maps.append(layer(maps[-1]))
                return torch.cat(maps, dim=1)
        """,
        "the block's input": """
            def dense_block(x, layers):
                return torch.cat([x] + [layer(x) for layer in layers], dim=1)
        """,
        "itself is missing": """
            def dense_block(x, layers):
                maps = [x]
                for layer in layers:
                    maps.append(layer(torch.cat(maps, dim=1)))
                return torch.cat(maps[1:], dim=1)
        """,
        "behind": """
            def dense_block(x, layers):
                for layer in layers:
                    x = torch.cat([layer(x), x], dim=1)
                return x
        """,
    },
)
def check_dense_block(dense_block) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 2, 4, 4)

    def make(first: float, second: float):
        return lambda maps: torch.cat([first * maps.mean(1, True), second * maps.amax(1, True)], dim=1)

    layers = [make(0.5, 1.0), make(-2.0, 0.3), make(1.5, -1.0)]
    got = dense_block(x, layers)

    def run(step, start=None):
        now = x if start is None else start
        for layer in layers:
            now = step(now, layer)
        return now

    chained = [x]
    for layer in layers:
        chained.append(layer(chained[-1]))
    right = run(lambda now, layer: torch.cat([now, layer(now)], 1))
    diagnoses = [
        (chained[-1], "This is a plain chain: the layers one after the other, and all earlier maps are lost."),
        (run(lambda now, layer: now + layer(now)), "You added, as ResNet does. A dense block concatenates."),
        (torch.cat(chained, 1), "All maps are in the result, but each layer read only those of the layer just before."),
        (torch.cat([x, *[f(x) for f in layers]], 1), "Every layer read the block's input only, and none the others'."),
        (right[:, 2:], "The new maps are right, but the block's input itself is missing before them."),
        (
            run(lambda now, layer: torch.cat([layer(now), now], 1)),
            "All the maps, in another order: new maps go behind the old ones, or trained weights meet the wrong maps.",
        ),
    ]
    if got.shape != right.shape or not torch.allclose(got, right, atol=1e-5):
        for value, diagnosis in diagnoses:
            if got.shape == value.shape and torch.allclose(got, value, atol=1e-5):
                raise Wrong(diagnosis)
        raise Wrong(f"The result has shape {tuple(got.shape)}; a dense block's has {tuple(right.shape)}, input first.")
    block = DenseBlock(5, depth=4, growth_rate=3).eval()
    x = torch.randn(1, 5, 6, 6)
    with torch.no_grad():
        if not torch.allclose(dense_block(x, list(block)), block(x), atol=1e-5):
            raise Wrong("Right for three layers of two maps, and wrong for four of three after an input of five.")


@exercise(
    "10.transition",
    points=3,
    stub='''
        def transition(x, weight):
            """x: (N, C, H, W), after batch norm and ReLU; weight: (K, C), of a 1x1 convolution. Returns
            F.avg_pool2d(F.conv2d(x, weight[:, :, None, None]), 2), for a quarter of the mult-adds."""
            ...
    ''',
    solution="""
        def transition(x, weight):
            return F.conv2d(F.avg_pool2d(x, 2), weight[:, :, None, None])
    """,
    hints=[
        "Both steps are linear, one across channels, the other across pixels. Does their order matter?",
        "The convolution costs K * C for every pixel that it reads. How could it get a quarter of the pixels?",
    ],
    wrong={
        "no cheaper": """
            def transition(x, weight):
                return F.avg_pool2d(F.conv2d(x, weight[:, :, None, None]), 2)
        """,
        "one pixel in four": """
            def transition(x, weight):
                return F.conv2d(x, weight[:, :, None, None], stride=2)
        """,
        "largest": """
            def transition(x, weight):
                return F.conv2d(F.max_pool2d(x, 2), weight[:, :, None, None])
        """,
        "four times": """
            def transition(x, weight):
                return F.conv2d(4 * F.avg_pool2d(x, 2), weight[:, :, None, None])
        """,
        "not pooled": """
            def transition(x, weight):
                return F.conv2d(x, weight[:, :, None, None])
        """,
    },
)
def check_transition(transition) -> None:
    generator = torch.Generator().manual_seed(0)
    for shape, maps in (((2, 6, 8, 8), 3), ((1, 4, 4, 10), 5)):
        x, weight = torch.randn(shape, generator=generator), torch.randn(maps, shape[1], generator=generator)
        kernel = weight[:, :, None, None]
        true = F.avg_pool2d(F.conv2d(x, kernel), 2)
        with FlopCounterMode(display=False) as counter:
            got = transition(x, weight)
        if got.shape == true.shape and torch.allclose(got, true, atol=1e-5):
            macs, full = counter.get_total_flops() // 2, maps * x.numel()
            if macs > full / 4:
                raise Wrong(f"The values are right, but it is no cheaper: {macs:,} mult-adds of at most {full // 4:,}.")
            continue
        diagnoses = [
            (F.conv2d(x, kernel, stride=2), "That is cheap, but a stride takes one pixel in four; the mean needs all."),
            (
                F.conv2d(F.max_pool2d(x, 2), kernel),
                "You took the largest of four pixels; here their mean goes on.",
            ),
            (4 * true, "Your values are four times too large: the pooling is a mean, not a sum."),
            (F.conv2d(x, kernel), "The maps are not pooled: both sides must be halved."),
        ]
        for value, diagnosis in diagnoses:
            if got.shape == value.shape and torch.allclose(got, value, atol=1e-5):
                raise Wrong(diagnosis)
        raise Wrong(f"For x of {shape} the result has shape {tuple(got.shape)} or other values; wanted is a tensor of"
                    f" {tuple(true.shape)} that equals pooling after the convolution.")  # fmt: skip


@exercise(
    "10.kept",
    points=3,
    stub='''
        def numbers_kept(in_channels, depth, growth_rate, pixels):
            """How many numbers autograd keeps of one image inside a dense block of plain layers (batch norm, ReLU in
            place, 3x3 convolution) with maps of so many pixels. The batch norms' statistics do not count."""
            ...
    ''',
    solution="""
        def numbers_kept(in_channels, depth, growth_rate, pixels):
            reads = [in_channels + index * growth_rate for index in range(depth)]
            return 2 * pixels * sum(reads)
    """,
    hints=[
        "How many channels does each layer read? It gets a fresh copy of them, made by torch.cat.",
        "The batch norm keeps what it read. Its result, on which the ReLU works in place, is kept for the convolution.",
    ],
    wrong={
        "two copies": """
            def numbers_kept(in_channels, depth, growth_rate, pixels):
                return pixels * sum(in_channels + index * growth_rate for index in range(depth))
        """,
        "three copies": """
            def numbers_kept(in_channels, depth, growth_rate, pixels):
                return 3 * pixels * sum(in_channels + index * growth_rate for index in range(depth))
        """,
        "new maps": """
            def numbers_kept(in_channels, depth, growth_rate, pixels):
                return 2 * pixels * (in_channels + depth * growth_rate)
        """,
        "reads more than": """
            def numbers_kept(in_channels, depth, growth_rate, pixels):
                return 2 * pixels * depth * in_channels
        """,
        "before it has added": """
            def numbers_kept(in_channels, depth, growth_rate, pixels):
                return 2 * pixels * sum(in_channels + index * growth_rate for index in range(1, depth + 1))
        """,
    },
)
def check_kept(numbers_kept) -> None:
    cases = [(12, 6, 6, 64), (5, 3, 2, 49), (16, 1, 12, 16), (3, 10, 4, 9)]
    got = [numbers_kept(*case) for case in cases]

    def all_of(formula):
        return [formula(*case) for case in cases]

    def read(c: int, depth: int, k: int, first: int = 0) -> int:
        return sum(c + index * k for index in range(first, depth + first))

    diagnoses = [
        (
            all_of(lambda c, d, k, p: p * read(c, d, k)),
            "One copy of what each layer reads. There are two copies: the concatenation and the batch norm's result.",
        ),
        (
            all_of(lambda c, d, k, p: 3 * p * read(c, d, k)),
            "You have three copies of what each layer reads. The ReLU works in place: its copy is the batch norm's.",
        ),
        (
            all_of(lambda c, d, k, p: 2 * p * (c + d * k)),
            "You counted the block's input and the new maps once. Each layer keeps its own copy of all maps before it.",
        ),
        (
            all_of(lambda c, d, k, p: 2 * p * d * c),
            "Every layer but the first reads more than the block's input: growth_rate maps more each time.",
        ),
        (
            all_of(lambda c, d, k, p: 2 * p * read(c, d, k, first=1)),
            "One layer too late: a layer reads the maps there are before it has added its own.",
        ),
    ]
    for values, diagnosis in diagnoses:
        if got == values:
            raise Wrong(diagnosis)
    for (c, depth, k, pixels), value in zip(cases, got, strict=True):
        side = round(pixels**0.5)
        block = DenseBlock(c, depth, k, bottleneck=False).train()
        statistics = 2 * read(c, depth, k)
        true = measure.kept_bytes(block, torch.zeros(1, c, side, side, requires_grad=True)) // 4 - statistics
        if value != true:
            raise Wrong(
                f"A block of {depth} layers with growth rate {k} on {c} maps of {pixels} pixels keeps {true:,} numbers;"
                f" your function gives {value}."
            )


@exercise(
    "10.thrifty",
    points=3,
    stub="""
        torch.manual_seed(0)
        my_run = ...
    """,
    solution="""
        torch.manual_seed(0)
        options = {"depths": (2, 4, 4), "growth_rate": 8, "stem_width": 12, "compression": 0.5}
        mine = models.get_model("densenet_40_12_tiny", **options)
        my_run = training.fit(mine, street, epochs=6, lr=0.1, batch_size=32)
    """,
    hints=[
        "The first block has the largest maps: a layer there costs four times the memory of one in the second.",
        "depths=(2, 4, 4), growth_rate=8, compression=0.5 keep less than 1 MiB. Then train: small batches, 6 epochs.",
    ],
    wrong={
        "not the run": "my_run = models.get_model('densenet_40_12_tiny')",
        "no dense block": "my_run = training.fit(models.get_model('resnet20_tiny'), street, epochs=1)",
        "parameters": (
            "my_run = training.fit(models.get_model('densenet_40_12_tiny', depths=(1, 1, 5), growth_rate=24), street,"
            " epochs=1)"
        ),
        "KiB": (
            "my_run = training.fit(models.get_model('densenet_40_12_tiny', depths=(5, 1, 1), growth_rate=6), street,"
            " epochs=1)"
        ),
        "fresh street digits": (
            "my_run = training.fit(models.get_model('densenet_40_12_tiny', depths=(1, 1, 1), growth_rate=4), street,"
            " epochs=1)"
        ),
    },
)
def check_thrifty(my_run) -> None:
    if not isinstance(my_run, Run):
        raise Wrong(f"my_run is a {type(my_run).__name__}, not the run that training.fit returns.")
    model = my_run.model
    if not any(isinstance(module, DenseBlock) for module in model.modules()):
        raise Wrong("Your network has no dense block: this exercise is about DenseNets, densenet_40_12_tiny for one.")
    params = sum(p.numel() for p in model.parameters())
    if params > 40_000:
        raise Wrong(f"Your network has {params:,} parameters; the budget is 40,000.")
    kept = measure.kept_bytes(copy.deepcopy(model).train(), torch.zeros(1, 3, 32, 32)) / 2**10
    if kept > 1024:
        raise Wrong(f"Your network keeps {kept:,.0f} KiB of an image for the backward pass; the budget is 1,024.")
    accuracy = evaluate(model, data.load("street_digits", train=1000, test=1000, seed=1).test).accuracy
    if accuracy < 0.85:
        raise Wrong(f"On 1,000 fresh street digits your network reads {accuracy:.0%}; at least 85 % is asked for.")
