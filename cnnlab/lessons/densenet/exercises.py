"""Lesson 10, DenseNet: its exercises."""

from copy import deepcopy

import torch
from torch.utils.flop_counter import FlopCounterMode

from cnnlab import measure
from cnnlab.lessons.calls import Watch
from cnnlab.lessons.compare import kind
from cnnlab.lessons.exercise import Wrong, edit, exercise, source
from cnnlab.lessons.runs import reads_digits, trained
from cnnlab.models.densenet import DenseBlock

exercise(
    "10.channels",
    points=2,
    stub='''
        def channels(stem_width, depths, growth_rate, compression):
            """How many channels leave each dense block, as a list. A transition between
            two blocks keeps int(compression * channels) of them."""
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
    cases=[
        (4, (2,), 3, 0.5),
        (4, (2, 3), 3, 0.46),  # no share of channels is a whole number, or a half
        (9, (4, 1, 2), 3, 0.3),
        (24, (3, 5, 2), 7, 0.61),
        (64, (6, 12, 48, 32), 32, 0.35),
    ],
    wrong=[
        edit("int(compression * now)", "now", "The transitions keep only a share of the channels: yours keep all."),
        edit("now += depth", "now = depth", "These are the new maps only. A dense block also passes on what came in."),
        edit("depth * growth_rate", "growth_rate", "A block makes growth_rate maps in each of its layers, not once."),
        edit(
            "if index > 0", "if True", "There is no transition after the stem: the first block reads all of its maps."
        ),
        source(
            """
            def channels(stem_width, depths, growth_rate, compression):
                leaving, now = [], stem_width
                for depth in depths:
                    now = int(compression * (now + depth * growth_rate))
                    leaving.append(now)
                return leaving
            """,
            "These have been through the transition. Asked for are the channels that leave the block, before it.",
        ),
        source(
            """
            def channels(stem_width, depths, growth_rate, compression):
                leaving, now = [], stem_width
                for index, depth in enumerate(depths):
                    now += depth * growth_rate
                    if index < len(depths) - 1:
                        now = int(compression * now)
                    leaving.append(now)
                return leaving
            """,
            "All but the last have been through the transition. Asked for are the channels that leave the block, before"
            " it.",
        ),
        edit(
            "int(",
            "math.ceil(",
            "Where the share is not a whole number, the transition rounds down (int); yours rounds up.",
        ),
        edit(
            "int(",
            "round(",
            "Where the share is not a whole number, the transition rounds down (int); yours rounds to the nearest.",
        ),
        edit("int(compression * now)", "compression * now", "Channels are whole numbers: a transition keeps int(...)."),
        edit(
            "int(compression * now)",
            "compression * now",
            "append(now)",
            "append(int(now))",
            "Each transition rounds down for itself: the next block reads a whole number of channels. Yours rounds at"
            " the end.",
        ),
        edit("compression * now", "0.5 * now", "compression is not used: the share that stays is not always one half."),
        edit(
            "int(compression * now)",
            "now - int(compression * now)",
            "compression is the share that stays, not the share that goes.",
        ),
        edit(
            "now += depth * growth_rate", "now += depth + growth_rate", "depth layers of growth_rate maps: a product."
        ),
        edit("[], stem_width", "[], 0", "stem_width is not used: the first block reads the stem, and passes it on."),
        edit(
            "leaving, now = [], stem_width",
            "leaving, now = [stem_width], stem_width",
            "The list starts with the first block: what leaves the stem is not asked for.",
        ),
        edit(
            "now += depth * growth_rate",
            "now += (depth - 1) * growth_rate",
            "One layer too few: every one of the depth layers adds growth_rate maps.",
        ),
    ],
)


def map_layers(*weights: tuple[float, float]) -> list:
    """Layers of two new maps each: the mean of all maps and the largest of them, weighted."""

    def layer(mean: float, largest: float):
        return lambda maps: torch.cat([mean * maps.mean(1, True), largest * maps.amax(1, True)], dim=1)

    return [layer(*pair) for pair in weights]


def blocks() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    block = DenseBlock(5, depth=4, growth_rate=3).eval()
    three = map_layers((0.5, 1.0), (-2.0, 0.3), (1.5, -1.0))
    return [
        (torch.tensor([[[[1.0, 2.0]], [[5.0, 3.0]]]]), map_layers((1.0, 1.0))),
        (torch.randn(2, 2, 2, 2, generator=generator), map_layers((0.5, 1.0))),  # other axes fit, too
        (torch.randn(2, 2, 3, 4, generator=generator), three),
        (torch.randn(1, 5, 6, 6, generator=generator), list(block)),
    ]


exercise(
    "10.dense-block",
    points=3,
    stub='''
        def dense_block(x, layers):
            """x: (N, C, H, W); layers: functions, each from maps (N, any, H, W) to a few
            new maps of the same size. Returns what a dense block of these layers
            returns."""
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
    cases=blocks,
    wrong=[
        edit(
            "torch.cat([x, layer(x)], dim=1)",
            "layer(x)",
            "This is a plain chain: the layers one after the other, and all earlier maps are lost.",
        ),
        edit(
            "torch.cat([x, layer(x)], dim=1)",
            "x + layer(x)",
            "You added, as ResNet does. A dense block concatenates.",
        ),
        source(
            """
            def dense_block(x, layers):
                maps = [x]
                for layer in layers:
                    maps.append(layer(maps[-1]))
                return torch.cat(maps, dim=1)
            """,
            "All maps are in the result, but each layer read only those of the layer just before.",
        ),
        source(
            """
            def dense_block(x, layers):
                return torch.cat([x] + [layer(x) for layer in layers], dim=1)
            """,
            "Every layer read the block's input only, and none the others'.",
        ),
        source(
            """
            def dense_block(x, layers):
                maps = [x]
                for layer in layers:
                    maps.append(layer(torch.cat(maps, dim=1)))
                return torch.cat(maps[1:], dim=1)
            """,
            "The new maps are right, but the block's input itself is missing before them.",
        ),
        edit(
            "[x, layer(x)]",
            "[layer(x), x]",
            "All the maps, in another order: new maps go behind the old ones, or trained weights meet the wrong maps.",
        ),
        source(
            """
            def dense_block(x, layers):
                maps = [x]
                for layer in layers:
                    maps.append(layer(torch.cat(maps[::-1], dim=1)))
                return torch.cat(maps, dim=1)
            """,
            "Your result is in the right order, but your layers read the maps in another one: the old ones come first.",
        ),
        source(
            """
            def dense_block(x, layers):
                maps = [x]
                for layer in layers:
                    maps.append(layer(torch.cat(maps, dim=1)))
                return maps[-1]
            """,
            "Only the last layer's maps come out; a dense block returns all of them, the input first.",
        ),
        source(
            """
            def dense_block(x, layers):
                maps = [x]
                for layer in layers:
                    maps.append(layer(torch.cat(maps, dim=1)))
                return torch.cat([x, maps[-1]], dim=1)
            """,
            "Only the input and the last layer's maps come out; those of the layers between belong to it, too.",
        ),
        source(
            """
            def dense_block(x, layers):
                y = x
                for layer in layers:
                    y = layer(y)
                return torch.cat([x, y], dim=1)
            """,
            "The input is put beside the end of a plain chain. In a dense block every layer reads all maps before it.",
        ),
        source(
            """
            def dense_block(x, layers):
                maps = [x]
                for layer in layers:
                    new = layer(torch.cat(maps[-2:], dim=1))
                    maps.append(new)
                return torch.cat(maps, dim=1)
            """,
            "Each layer read the maps of the two before it; it reads all maps that there are, the block's input too.",
        ),
        source(
            """
            def dense_block(x, layers):
                maps = [x]
                for layer in layers:
                    maps.append(layer(maps[0] if len(maps) == 1 else torch.cat(maps[1:], dim=1)))
                return torch.cat(maps, dim=1)
            """,
            "Your layers read what the layers before them made, but not the block's input; it is read by all of them.",
        ),
        edit("in layers", "in layers[:-1]", "One layer too few: the last one's maps belong to the result, too."),
        edit("dim=1", "dim=0", "The maps were joined along the images of the batch; channels are dimension 1."),
        edit("dim=1", "dim=2", "The maps were put below each other; channels are dimension 1."),
        edit("dim=1", "dim=3", "The maps were put side by side; channels are dimension 1."),
        edit(
            "in layers",
            "in reversed(layers)",
            "The layers come in reverse: the first of the list is the first to read.",
        ),
        edit("return x", "return torch.relu(x)", "The last ReLU is one too many: a dense block only joins the maps."),
    ],
)


def check_pairs(my_pairs: object) -> None:
    """Two pairs (a, b) that are one to a reader of relu(a) and relu(b), and two to a reader of relu(a + b)."""
    try:
        pairs = torch.stack([torch.as_tensor(pair, dtype=torch.float64).detach() for pair in my_pairs])
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"my_pairs is {kind(my_pairs)}; two pairs of numbers are asked for: ((a, b), (a, b)).") from None
    if pairs.shape != (2, 2) or not bool(pairs.isfinite().all()):
        raise Wrong("Two pairs of finite numbers are asked for: ((a, b), (a, b)).")
    (one, other), sums = pairs.relu().tolist(), pairs.sum(1).relu().tolist()
    if torch.equal(*pairs):
        raise Wrong("These are the same pair twice: no reader can tell them apart, nor has it to.")
    if one != other:
        raise Wrong(
            f"After the ReLU, a reader of the concatenation sees {one} and {other}. They differ, so suitable weights"
            " can make anything of them: both pairs must look the same to it."
        )
    if abs(sums[0] - sums[1]) < 1e-6:
        raise Wrong(f"A reader of the sum sees relu(a + b) = {sums[0]:g} for both: it cannot tell them apart either.")


exercise(
    "10.relu-first",
    points=2,
    stub="""
        my_pairs = (..., ...)  # two pairs (a, b) of numbers
    """,
    solution="""
        my_pairs = (2.0, -1.0), (2.0, -3.0)
    """,
    hints=[
        "What does relu make of -1 and of -3? What can a reader of relu(b) know about b?",
        "Let a be 2 in both pairs and b negative, once smaller than a in size and once larger.",
    ],
    check=check_pairs,
    wrong=[
        source("my_pairs = (2.0, -1.0), (2.0, -1.0)", "same pair twice"),
        source("my_pairs = (2.0, 1.0), (2.0, 3.0)", "They differ"),
        source("my_pairs = (1.0, -2.0), (1.0, -3.0)", "cannot tell them apart either"),
        source("my_pairs = (-1.0, -2.0), (-2.0, -1.0)", "cannot tell them apart either"),
        source("my_pairs = (1.0, 2.0, 3.0)", "Two pairs"),
        source("my_pairs = 'any'", "two pairs of numbers"),
    ],
)


def check_transition(transition) -> None:
    """The values are right by the cases: what it costs."""
    generator = torch.Generator().manual_seed(0)
    x, weight = torch.randn(2, 6, 8, 8, generator=generator), torch.randn(3, 6, generator=generator)
    with FlopCounterMode(display=False) as counter:
        transition(x, weight)
    macs, full = counter.get_total_flops() // 2, len(weight) * x.numel()
    if macs > full / 4:
        raise Wrong(
            "The values are right, but it is too expensive: for x of (2, 6, 8, 8) and weight of (3, 6) it takes"
            f" {macs:,} mult-adds, and may take {full // 4:,}, a quarter of {full:,}."
        )


def maps_and_weights() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    one = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[1.0, 0.0], [0.0, 0.0]]]]), torch.tensor([[1.0, 2.0]])
    shapes = (((2, 2, 4, 4), 2), ((1, 4, 4, 10), 5), ((2, 6, 8, 8), 3))  # the first: other axes fit, too
    return [one] + [
        (torch.randn(shape, generator=generator), torch.randn(maps, shape[1], generator=generator))
        for shape, maps in shapes
    ]


exercise(
    "10.transition",
    points=3,
    stub='''
        def transition(x, weight):
            """x: (N, C, H, W), after batch norm and ReLU; weight: (K, C), of a 1x1
            convolution. Returns F.avg_pool2d(F.conv2d(x, weight[:, :, None, None]), 2),
            for a quarter of the mult-adds."""
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
    cases=maps_and_weights,
    check=check_transition,
    wrong=[
        source(
            """
            def transition(x, weight):
                return F.conv2d(x, weight[:, :, None, None], stride=2)
            """,
            "That is cheap, but a stride takes one pixel in four; the mean needs all.",
        ),
        edit("avg_pool2d", "max_pool2d", "You took the largest of four pixels; here their mean goes on."),
        edit("F.avg", "4 * F.avg", "Your values are four times too large: the pooling is a mean, not a sum."),
        edit("F.avg_pool2d(x, 2)", "x", "The maps are not pooled: both sides must be halved."),
        edit(
            "F.conv2d(F.avg_pool2d(x, 2), weight[:, :, None, None])",
            "F.avg_pool2d(x, 2)",
            "The maps are pooled, but the convolution is missing: weight is not used.",
        ),
        edit("(x, 2)", "(x, 2, 1)", "Your squares overlap: the pooling has a stride of 2, as wide as its window."),
        edit("(x, 2)", "(x, 3, 2, 1)", "Your pooling takes 3 x 3 pixels; the transition's takes 2 x 2."),
        edit("(x, 2)", "(x, 4)", "Your pooling takes 4 x 4 pixels; the transition's takes 2 x 2."),
        edit("(x, 2)", "(x, (2, 1))", "Only the height is halved: pool both sides."),
        edit("(x, 2)", "(x, (1, 2))", "Only the width is halved: pool both sides."),
        edit("weight[", "weight.T[", "weight was used transposed: weight[k, c] leads from map c of x to map k."),
        edit(
            "return F.conv2d(F.avg_pool2d(x, 2), weight[:, :, None, None])",
            "return torch.relu(F.conv2d(F.avg_pool2d(x, 2), weight[:, :, None, None]))",
            "The ReLU is one too many: it stands before the convolution, and x has been through it.",
        ),
    ],
)

exercise(
    "10.kept",
    points=3,
    stub='''
        def numbers_kept(in_channels, depth, growth_rate, pixels):
            """How many numbers autograd keeps of one image inside a dense block of plain
            layers (batch norm, ReLU in place, 3x3 convolution) with maps of so many
            pixels. The batch norms' statistics do not count."""
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
    cases=[(3, 2, 4, 9), (5, 3, 2, 49), (16, 1, 12, 16), (3, 10, 4, 25), (12, 6, 6, 64)],
    wrong=[
        edit(
            "2 * pixels",
            "pixels",
            "One copy of what each layer reads. There are two copies: the concatenation and the batch norm's result.",
        ),
        edit(
            "2 * pixels",
            "3 * pixels",
            "You have three copies of what each layer reads. The ReLU works in place: its copy is the batch norm's.",
        ),
        edit(
            "sum(reads)",
            "(in_channels + depth * growth_rate)",
            "You counted the block's input and the new maps once. Each layer keeps its own copy of all maps before it.",
        ),
        edit(
            "+ index * growth_rate",
            "",
            "Every layer but the first reads more than the block's input: growth_rate maps more each time.",
        ),
        edit(
            "range(depth)",
            "range(1, depth + 1)",
            "One layer too late: a layer reads the maps there are before it has added its own.",
        ),
        edit("range(depth)", "range(depth + 1)", "One layer too many: the last one's maps are read by no layer of it."),
        edit("range(depth)", "range(depth - 1)", "One layer too few: all depth layers keep what they read."),
        edit("2 * pixels", "8 * pixels", "These are bytes; asked for are numbers, of which each has four."),
        edit("pixels *", "pixels**2 *", "pixels is already the number of pixels of a map: it is not squared."),
        edit("2 * pixels * sum", "2 * sum", "pixels is not used: a map has so many numbers."),
        edit(
            "in_channels + index * growth_rate",
            "index * growth_rate",
            "The block's input is read by every layer, too: in_channels is missing.",
        ),
        edit(
            "in_channels + index * growth_rate",
            "growth_rate",
            "These are the new maps alone. A layer keeps what it reads: the input and all maps made before.",
        ),
        edit("sum(reads)", "reads[-1]", "This is the last layer alone; every layer keeps its own copies."),
        edit(
            "2 * pixels * sum(reads)",
            "2 * (pixels + 1) * sum(reads)",
            "The batch norms' statistics, two numbers a channel, do not count here.",
        ),
        edit(
            "2 * pixels * sum(reads)",
            "2 * pixels * sum(reads) + 9 * growth_rate * sum(reads)",
            "The weights do not count: they are there anyway, and are not kept for each image.",
        ),
    ],
)


def check_thrifty(my_run: object) -> None:
    model = trained(my_run)
    image = torch.zeros(1, 3, 32, 32)
    copy = deepcopy(model).cpu()
    joined = Watch({"cat concat concatenate": "joined"})
    with torch.no_grad(), joined:
        copy.eval()(image)
    if not joined.found:
        raise Wrong(
            "Your network has no dense block, it joins no maps: this exercise is about DenseNets, densenet_40_12_tiny"
            " for one."
        )
    trained(my_run, parameters=40_000)
    kept = measure.kept_bytes(copy.train(), image) / 2**10
    if kept > 1024:
        raise Wrong(f"Your network keeps {kept:,.0f} KiB of an image for the backward pass; the budget is 1,024.")
    reads_digits(model, 0.85)


exercise(
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
        many = data.load("street_digits", train=4000)
        my_run = training.fit(mine, many, epochs=6, lr=0.1, batch_size=32)
    """,
    hints=[
        "The first block has the largest maps: a layer there costs four times the memory of one in the second.",
        "depths=(2, 4, 4), growth_rate=8, compression=0.5 keep less than 1 MiB. Then train: small batches, 6 epochs.",
    ],
    check=check_thrifty,
    wrong=[
        source("my_run = models.get_model('densenet_40_12_tiny')", "not the run"),
        source("my_run = training.fit(models.get_model('resnet20_tiny'), street, epochs=1)", "no dense block"),
        source(
            """
            mine = models.get_model("densenet_40_12_tiny", depths=(1, 1, 5), growth_rate=24)
            my_run = training.fit(mine, street, epochs=1)
            """,
            "parameters",
        ),
        source(
            """
            mine = models.get_model("densenet_40_12_tiny", depths=(5, 1, 1), growth_rate=6)
            my_run = training.fit(mine, street, epochs=1)
            """,
            "KiB",
        ),
        source(
            """
            mine = models.get_model("densenet_40_12_tiny", depths=(1, 1, 1), growth_rate=4)
            my_run = training.fit(mine, street, epochs=1)
            """,
            "fresh street digits",
        ),
    ],
)
