"""Lesson 04, VGG: its exercises."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import data
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.models.vgg import VGG
from cnnlab.training import Run, evaluate


@exercise(
    "04.receptive-field",
    points=2,
    stub='''
        def receptive_field(layers):
            """layers: (kernel, stride) of each layer, from the image upwards. Returns the receptive field in pixels."""
            ...
    ''',
    solution="""
        def receptive_field(layers):
            field, step = 1, 1
            for kernel, stride in layers:
                field += (kernel - 1) * step
                step *= stride
            return field
    """,
    hints=[
        "Neighbours in the image are 1 pixel apart. How far apart are neighbours after a layer of stride 2?",
        "Keep two numbers: the field, and the step between neighbouring units in pixels. A kernel of k reaches k - 1"
        " steps further; only then does the layer's own stride lengthen the step.",
    ],
    wrong={
        "stride is not used": """
            def receptive_field(layers):
                return 1 + sum(kernel - 1 for kernel, stride in layers)
        """,
        "own stride": """
            def receptive_field(layers):
                field, step = 1, 1
                for kernel, stride in layers:
                    step *= stride
                    field += (kernel - 1) * step
                return field
        """,
        "one too few": """
            def receptive_field(layers):
                field, step = 0, 1
                for kernel, stride in layers:
                    field += (kernel - 1) * step
                    step *= stride
                return field
        """,
        "k - 1 steps": """
            def receptive_field(layers):
                field, step = 1, 1
                for kernel, stride in layers:
                    field += kernel * step
                    step *= stride
                return field
        """,
        "multiplied": """
            def receptive_field(layers):
                return math.prod(kernel for kernel, stride in layers)
        """,
        "add up": """
            def receptive_field(layers):
                field, step = 1, 1
                for kernel, stride in layers:
                    field += (kernel - 1) * step
                    step += stride - 1
                return field
        """,
    },
)
def check_receptive_field(receptive_field) -> None:
    cases = [
        [(3, 1), (3, 1)],
        [(7, 1)],
        [(3, 1), (2, 2), (3, 1)],
        [(11, 4), (3, 2), (5, 1)],
        [(3, 2), (3, 2), (3, 2), (3, 1)],
        [(1, 1)],
        [(3, 1), (3, 1), (2, 2)] * 3,
    ]
    got = [receptive_field(list(case)) for case in cases]

    def steps(layers: list, *, field: int = 1, reach: int = -1, late: bool = True, add: bool = False) -> int:
        step = 1
        for kernel, stride in layers:
            longer = step + stride - 1 if add else step * stride
            field += (kernel + reach) * (step if late else longer)
            step = longer
        return field

    diagnoses = [
        (
            lambda c: 1 + sum(k - 1 for k, _ in c),
            "The stride is not used: after a stride of 2 each step is two pixels.",
        ),
        (
            lambda c: steps(c, late=False),
            "A layer's own stride says how far apart its units are, not how far they see.",
        ),
        (lambda c: steps(c, field=0), "Nearly: one too few. Without any layer a unit sees its own pixel."),
        (
            lambda c: steps(c, reach=0),
            "A kernel of k pixels has its first one at hand: it reaches k - 1 steps further.",
        ),
        (
            lambda c: math.prod(k for k, _ in c),
            "You multiplied the kernels: two of 3 would see 9 pixels, and they see 5.",
        ),
        (lambda c: steps(c, add=True), "Strides do not add up: two strides of 2 put the units four pixels apart."),
    ]
    true = [_seen(case) for case in cases]
    if got == true:
        return
    for formula, diagnosis in diagnoses:
        if got == [formula(case) for case in cases]:
            raise Wrong(diagnosis)
    case, value, wanted = next(c for c in zip(cases, got, true, strict=True) if c[1] != c[2])
    raise Wrong(f"For the layers {case} your function says {value}; a unit there depends on {wanted} pixels.")


def _seen(layers: list) -> int:
    """Counted, not computed: the pixels that one unit's gradient reaches."""
    image = torch.zeros(1, 1, 400, dtype=torch.float64, requires_grad=True)
    values = image
    for kernel, stride in layers:
        values = F.conv1d(values, torch.ones(1, 1, kernel, dtype=torch.float64), stride=stride)
    values[0, 0, values.shape[-1] // 2].backward()
    return int((image.grad != 0).sum())


@exercise(
    "04.builder",
    points=3,
    stub='''
        def build(depths, width=64):
            """The convolutional part of a VGG network, from depths, the convolutions of each stage.

            Returns an nn.Sequential of convolutions of 3x3 that keep the map's size, each followed by nn.ReLU, and one
            nn.MaxPool2d(2) at the end of each stage. The stages have 1, 2, 4, 8 and 8 times width channels.
            """
            ...
    ''',
    solution="""
        def build(depths, width=64):
            layers, channels = [], 3
            for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
                for _ in range(depth):
                    layers += [nn.Conv2d(channels, width * factor, 3, padding=1), nn.ReLU()]
                    channels = width * factor
                layers.append(nn.MaxPool2d(2))
            return nn.Sequential(*layers)
    """,
    hints=[
        "One loop over the stages, one inside it over a stage's convolutions. Keep the number of channels that the last"
        " convolution put out: it is what the next one takes in.",
        "nn.Conv2d(channels, width * factor, 3, padding=1), then nn.ReLU(); after the inner loop nn.MaxPool2d(2).",
    ],
    wrong={
        "without padding": """
            def build(depths, width=64):
                layers, channels = [], 3
                for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
                    for _ in range(depth):
                        layers += [nn.Conv2d(channels, width * factor, 3), nn.ReLU()]
                        channels = width * factor
                    layers.append(nn.MaxPool2d(2))
                return nn.Sequential(*layers)
        """,
        "fifth stage": """
            def build(depths, width=64):
                layers, channels = [], 3
                for depth, factor in zip(depths, (1, 2, 4, 8, 16)):
                    for _ in range(depth):
                        layers += [nn.Conv2d(channels, width * factor, 3, padding=1), nn.ReLU()]
                        channels = width * factor
                    layers.append(nn.MaxPool2d(2))
                return nn.Sequential(*layers)
        """,
        "one ReLU for each stage": """
            def build(depths, width=64):
                layers, channels = [], 3
                for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
                    for _ in range(depth):
                        layers.append(nn.Conv2d(channels, width * factor, 3, padding=1))
                        channels = width * factor
                    layers += [nn.ReLU(), nn.MaxPool2d(2)]
                return nn.Sequential(*layers)
        """,
        "pools after every convolution": """
            def build(depths, width=64):
                layers, channels = [], 3
                for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
                    for _ in range(depth):
                        layers += [nn.Conv2d(channels, width * factor, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
                        channels = width * factor
                return nn.Sequential(*layers)
        """,
        "one convolution in every stage": """
            def build(depths, width=64):
                layers, channels = [], 3
                for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
                    layers += [nn.Conv2d(channels, width * factor, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
                    channels = width * factor
                return nn.Sequential(*layers)
        """,
        "width is not used": """
            def build(depths, width=64):
                layers, channels = [], 3
                for depth, out in zip(depths, (64, 128, 256, 512, 512)):
                    for _ in range(depth):
                        layers += [nn.Conv2d(channels, out, 3, padding=1), nn.ReLU()]
                        channels = out
                    layers.append(nn.MaxPool2d(2))
                return nn.Sequential(*layers)
        """,
    },
)
def check_builder(build) -> None:
    for depths, width in [((1, 1, 2, 2, 2), 8), ((2, 2, 4, 4, 4), 4), ((1, 2, 1, 3, 1), 6)]:
        net = build(depths, width=width)
        if not isinstance(net, nn.Module):
            raise Wrong(f"build must return an nn.Sequential; yours returns a {type(net).__name__}.")
        kinds = [layer for layer in net.modules() if isinstance(layer, (nn.Conv2d, nn.ReLU, nn.MaxPool2d))]
        convolutions = [layer for layer in kinds if isinstance(layer, nn.Conv2d)]
        relus = sum(isinstance(layer, nn.ReLU) for layer in kinds)
        pools = sum(isinstance(layer, nn.MaxPool2d) for layer in kinds)
        wanted = [width * f for depth, f in zip(depths, (1, 2, 4, 8, 8), strict=True) for _ in range(depth)]
        outs = [layer.out_channels for layer in convolutions]
        what = f"build({depths}, width={width})"
        if len(outs) == 5 and sum(depths) != 5:
            raise Wrong(f"{what} has one convolution in every stage: depths says how many there are to be.")
        if outs and outs[0] == 64:
            raise Wrong(f"The width is not used: {what} must begin with {width} channels, not 64.")
        if outs[: -depths[-1]] == wanted[: -depths[-1]] and outs[-1:] == [16 * width]:
            raise Wrong("The fifth stage keeps the channels of the fourth, 8 times the width: 512 in VGG, not 1,024.")
        if outs != wanted:
            raise Wrong(f"{what} must have convolutions of {wanted} channels; yours have {outs}.")
        if any(layer.kernel_size != (3, 3) for layer in convolutions):
            raise Wrong("Every convolution of VGG is 3 x 3.")
        if any(layer.padding != (1, 1) for layer in convolutions):
            raise Wrong(
                "A 3 x 3 convolution without padding takes a frame of one pixel off its map: padding=1 keeps it."
            )
        if pools == len(convolutions) != 5:
            raise Wrong("Yours pools after every convolution; VGG pools once, at the end of each stage.")
        if pools != 5:
            raise Wrong(f"Five stages, five poolings; {what} has {pools}.")
        if relus == 5 != len(convolutions):
            raise Wrong("Yours has one ReLU for each stage; VGG has one after each convolution: that is its argument.")
        if relus != len(convolutions):
            raise Wrong(f"{what} has {len(convolutions)} convolutions and must have as many ReLUs, not {relus}.")
        reference = VGG(depths, width=width, hidden=8, num_classes=2)
        theirs = [layer for layer in reference.stages.modules() if isinstance(layer, nn.Conv2d)]
        for mine, other in zip(convolutions, theirs, strict=True):
            if mine.weight.shape != other.weight.shape:
                raise Wrong(f"A convolution of {what} takes {mine.in_channels} channels, not {other.in_channels}.")
            other.load_state_dict({"weight": mine.weight, "bias": torch.zeros_like(other.bias)}, strict=False)
            if mine.bias is not None:
                other.bias.data.copy_(mine.bias)
        image = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            mine, other = net(image), reference.stages(image)
        if mine.shape != other.shape or not torch.allclose(mine, other, atol=1e-6):
            raise Wrong("The layers are all there, but not in the order convolution, ReLU, ..., pooling.")


@exercise(
    "04.he-std",
    points=2,
    stub='''
        def he_std(weight):
            """weight: (out, in, height, width) of a convolution. Returns the standard deviation to draw it with, so
            that the mean square of the signal stays the same through the convolution and the ReLU before it."""
            ...
    ''',
    solution="""
        def he_std(weight):
            return (2 / weight[0].numel()) ** 0.5
    """,
    hints=[
        "One output is a sum of n = in * height * width products. How large is the mean square of such a sum, if the"
        " weights have the variance v and the inputs the mean square q?",
        "It is n * v * q, and a ReLU takes half of the mean square away. So n * v / 2 must be 1.",
    ],
    wrong={
        "ReLU takes half": """
            def he_std(weight):
                return (1 / weight[0].numel()) ** 0.5
        """,
        "variance": """
            def he_std(weight):
                return 2 / weight[0].numel()
        """,
        "kernel's pixels": """
            def he_std(weight):
                return (2 / weight.shape[1]) ** 0.5
        """,
        "comes in": """
            def he_std(weight):
                return (2 / weight[:, 0].numel()) ** 0.5
        """,
        "Glorot": """
            def he_std(weight):
                return (2 / (weight[0].numel() + weight[:, 0].numel())) ** 0.5
        """,
        "same for every layer": """
            def he_std(weight):
                return 0.01
        """,
    },
)
def check_he_std(he_std) -> None:
    shapes = [(64, 3, 3, 3), (128, 64, 3, 3), (32, 96, 5, 5), (256, 128, 1, 1), (8, 512, 3, 5)]
    got = [he_std(torch.zeros(shape)) for shape in shapes]
    got = [float(value) for value in got]
    fans = [(i * h * w, o * h * w, i) for o, i, h, w in shapes]
    if _near(got, [(2 / n) ** 0.5 for n, _, _ in fans]):
        return
    diagnoses = [
        (
            [(1 / n) ** 0.5 for n, _, _ in fans],
            "Nearly: a ReLU takes half of the mean square away, and this forgets it.",
        ),
        ([2 / n for n, _, _ in fans], "This is the variance; the standard deviation is its square root."),
        ([(2 / i) ** 0.5 for _, _, i in fans], "An output also sums over the kernel's pixels, not over the maps only."),
        (
            [(2 / m) ** 0.5 for _, m, _ in fans],
            "You counted what goes out of a unit; a sum is as long as what comes in.",
        ),
        (
            [(2 / (n + m)) ** 0.5 for n, m, _ in fans],
            "This is Glorot's rule, which averages the two directions and was made for units without a ReLU.",
        ),
    ]
    for values, diagnosis in diagnoses:
        if _near(got, values):
            raise Wrong(diagnosis)
    if max(got) - min(got) < 1e-9:
        raise Wrong("Yours is the same for every layer: that is what went wrong with 0.01. A longer sum needs less.")
    raise Wrong(
        f"For a weight of {shapes[1]} your function gives {got[1]:.4f}, and {(2 / fans[1][0]) ** 0.5:.4f} is right."
    )


def _near(values: list[float], others: list[float]) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(values, others, strict=True))


@exercise(
    "04.nineteen-layers",
    points=3,
    stub="""
        torch.manual_seed(0)
        my_run = ...
    """,
    solution="""
        def he(weight):
            nn.init.normal_(weight, std=(2 / weight[0].numel()) ** 0.5)

        torch.manual_seed(0)
        mine = training.initialize(models.get_model("vgg19_tiny"), he)
        my_run = training.fit(mine, street, epochs=8, lr=0.01, batch_size=32)
    """,
    hints=[
        "Two ways were seen to work: a rule that looks at each layer's fan-in, and growing from a shallower network.",
        "training.initialize(net, rule) takes any function that fills a weight: your he_std is nearly one. A rate of"
        " 0.01 and small batches helped.",
    ],
    wrong={
        "not the run": "my_run = models.get_model('vgg19_tiny')",
        "batch norm": "my_run = training.Run(models.get_model('vgg19_bn_tiny'))",
        "16 convolutions": "my_run = training.Run(models.get_model('vgg11_tiny'))",
        "fresh street digits": "my_run = training.Run(models.get_model('vgg19_tiny'))",
    },
)
def check_nineteen_layers(my_run) -> None:
    if not isinstance(my_run, Run):
        raise Wrong(f"my_run is a {type(my_run).__name__}, not the run that training.fit returns.")
    layers = list(my_run.model.modules())
    if any(isinstance(layer, (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)) for layer in layers):
        raise Wrong("With batch norm or another normalisation it is easy: this exercise is about how to start without.")
    convolutions = sum(isinstance(layer, nn.Conv2d) for layer in layers)
    if convolutions != 16:
        raise Wrong(f"VGG-19 has 16 convolutions and 3 fully-connected layers; yours has {convolutions} convolutions.")
    accuracy = evaluate(my_run.model, data.load("street_digits", train=1000, test=1000, seed=1).test).accuracy
    if accuracy < 0.8:
        raise Wrong(f"On 1,000 fresh street digits your network reads {accuracy:.0%}; at least 80 % is asked for.")
