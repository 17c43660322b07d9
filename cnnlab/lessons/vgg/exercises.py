"""Lesson 04, VGG: its exercises."""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab.lessons.compare import kind
from cnnlab.lessons.diagnose import Wrong
from cnnlab.lessons.exercise import edit, exercise, source, when
from cnnlab.lessons.runs import reads_digits, trained

exercise(
    "04.receptive-field",
    points=2,
    stub='''
        def receptive_field(layers):
            """layers: (kernel, stride) of each layer, from the image upwards.

            Returns the receptive field in pixels.
            """
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
    cases=[
        ([(3, 2)],),
        ([(3, 1), (3, 1)],),
        ([(1, 1), (7, 1)],),
        ([(3, 1), (2, 2), (3, 1)],),
        ([(11, 4), (3, 2), (5, 1)],),
        ([(3, 2), (3, 2), (3, 2), (3, 1)],),
        ([(3, 1), (3, 1), (2, 2)] * 3,),
    ],
    wrong=[
        edit("* step", "", "The stride is not used: after a stride of 2 each step is two pixels."),
        edit(
            "field += (kernel - 1) * step\n        step *= stride",
            "step *= stride\n        field += (kernel - 1) * step",
            "A layer's own stride says how far apart its units are, not how far they see.",
        ),
        edit("* step", "* stride", "A layer's own stride says how far apart its units are, not how far they see."),
        edit("1, 1", "0, 1", "Nearly: one too few. Without any layer a unit sees its own pixel."),
        edit(
            "(kernel - 1)", "kernel", "A kernel of k pixels has its first one at hand: it reaches k - 1 steps further."
        ),
        source(
            """
            def receptive_field(layers):
                return math.prod(kernel for kernel, stride in layers)
            """,
            "You multiplied the kernels: two of 3 would see 9 pixels, and they see 5.",
        ),
        source(
            """
            def receptive_field(layers):
                return sum(kernel for kernel, stride in layers)
            """,
            "You added up the kernels: two of 3 would see 6 pixels, and they see 5, since their windows overlap.",
        ),
        edit(
            "step *= stride",
            "step += stride - 1",
            "Strides do not add up: two strides of 2 put units four pixels apart.",
        ),
        edit(
            "step *= stride", "step += stride", "Strides do not add up: two strides of 2 put units four pixels apart."
        ),
        edit(
            "step *= stride",
            "step = stride",
            "Your step is the last stride alone. Strides multiply: two of 2 put units four pixels apart.",
        ),
        source(
            """
            def receptive_field(layers):
                field = 1
                for kernel, stride in layers:
                    field = (field - 1) * stride + kernel
                return field
            """,
            "This belongs to the other direction. (field - 1) * stride + kernel goes from the last layer to the first;"
            " from the first on, a layer adds (kernel - 1) steps, and multiplies the step by its stride.",
        ),
        edit("return field", "return field**2", "These are the pixels of a square; how wide it is, is asked for."),
        edit("return field", "return step", "This is the step between neighbouring units, not what one of them sees."),
    ],
)


def left_over(kernel: Tensor, starts: int = 20, rounds: int = 200) -> float:
    """How much of a 5x5 kernel no two kernels of 3x3 make, by the root of the sum of squares, as a share of its own.

    With one of the two fixed, the best other one is a least-squares solution: they take turns, from so many starts.
    """
    wanted = kernel.double().reshape(1, 25, 1)
    ones = torch.eye(9, dtype=torch.float64).view(1, 9, 3, 3)
    generator = torch.Generator().manual_seed(0)
    fixed = torch.randn(starts, 3, 3, generator=generator, dtype=torch.float64)
    for _ in range(2 * rounds):
        spread = F.conv_transpose2d(fixed[:, None], ones).flatten(2).mT  # what each number of the other one adds
        other = torch.linalg.lstsq(spread, wanted.expand(starts, -1, -1), driver="gelsd").solution
        missing = (spread @ other - wanted).norm(dim=(1, 2)) / wanted.norm()
        fixed = (other / other.norm(dim=1, keepdim=True).clamp_min(1e-12)).view(-1, 3, 3)
    return missing.min().item()


def check_same_pixels(kernel: object) -> None:
    try:
        values = torch.as_tensor(kernel).detach().squeeze()
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"kernel is to be a tensor of 5 x 5 numbers, and is {kind(kernel)}.") from None
    if values.shape != (5, 5):
        raise Wrong(f"kernel is to have 5 x 5 numbers, and has the shape {tuple(values.shape)}.")
    if values.is_complex() or not values.double().isfinite().all():
        raise Wrong("kernel has numbers that are not finite and real.")
    if not values.any():
        raise Wrong("A kernel of zeros is made by any kernel and a second one of zeros.")
    missing = left_over(values)
    if missing < 0.1:
        found = "exactly" if missing < 1e-4 else f"but for {missing:.1%}"
        raise Wrong(
            f"Two kernels of 3 x 3 were found that make yours {found}: at least 10 % are to be left over."
            + (
                " Yours is a column times a row, and two kernels can always share these out."
                if torch.linalg.matrix_rank(values.double()) == 1
                else ""
            )
        )


exercise(
    "04.same-pixels",
    points=2,
    stub="kernel = ...",
    solution="""
        kernel = torch.zeros(5, 5)
        kernel[2, :] = 1
        kernel[:, 2] = 1
    """,
    hints=[
        "Two kernels have 18 numbers, and yours has 25: the two have to make compromises. Single dots are easy,"
        " and so is a column times a row.",
        "Draw something that is not a product: a plus sign of ones, or numbers at random.",
    ],
    check=check_same_pixels,
    wrong=[
        source("kernel = torch.ones(5, 5)", "a column times a row"),
        source("kernel = torch.eye(5)", "make yours exactly"),
        source("kernel = torch.zeros(5, 5)", "any kernel and a second one of zeros"),
        source("kernel = torch.eye(5) + torch.eye(5).flip(0)", "at least 10 % are to be left over"),
        source("kernel = torch.randn(3, 3)", "has the shape (3, 3)"),
        source("kernel = torch.full((5, 5), float('nan'))", "not finite"),
        source("kernel = 'a cross'", "a tensor of 5 x 5 numbers"),
    ],
)


def what_is_built(net: nn.Module, depths: tuple, width: int = 64) -> dict[str, object]:
    """The layers in the order in which they run, and what they make of an image with weights that are drawn anew."""
    net, layers, own = deepcopy(net).float().eval(), [], set()
    image = torch.randn(1, 3, 96, 100)  # large enough for convolutions without padding
    generator = torch.Generator().manual_seed(0)

    def note(layer: nn.Module, *_: object) -> None:
        layers.append(described(layer))
        if isinstance(layer, nn.Conv2d):
            own.add(layer)
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator) / layer.weight[0].numel() ** 0.5)
            if layer.bias is not None:
                layer.bias.zero_()

    for layer in net.modules():
        if not list(layer.children()) and not isinstance(layer, nn.Identity):
            layer.register_forward_pre_hook(note)  # a lazy layer has its weights by then
    with torch.no_grad():
        output = net(image)
    return {"row of layers": layers, "number of convolutions with weights of their own": len(own), "output": output}


def described(layer: nn.Module) -> str:
    if isinstance(layer, nn.Conv2d):
        height, width = layer.kernel_size
        return f"a convolution of {height} x {width}, {layer.in_channels} to {layer.out_channels} channels"
    return type(layer).__name__


exercise(
    "04.builder",
    points=3,
    stub='''
        def build(depths, width=64):
            """The convolutional part of a VGG network.

            depths: the number of convolutions of each stage.

            Returns an nn.Sequential of convolutions of 3x3 that keep the map's size, each
            followed by nn.ReLU, and one nn.MaxPool2d(2) at the end of each stage. The
            stages have 1, 2, 4, 8 and 8 times width channels.
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
    cases=[((1, 1, 1, 1, 1), 4), ((1, 2, 1, 1, 1), 3), ((2, 2, 4, 4, 4), 2)],
    look=what_is_built,
    wrong=[
        edit(
            ", padding=1",
            "",
            "A 3 x 3 convolution without padding takes a frame of one pixel off its map: padding=1 keeps it.",
        ),
        edit(
            "8, 8)",
            "8, 16)",
            "The fifth stage keeps the channels of the fourth, 8 times the width: 512 in VGG, not 1,024.",
        ),
        edit(
            "padding=1), nn.ReLU()]",
            "padding=1)]",
            "layers.append(nn.MaxPool2d(2))",
            "layers += [nn.ReLU(), nn.MaxPool2d(2)]",
            "Yours has one ReLU for each stage; VGG has one after each convolution: that is its argument.",
        ),
        edit(", nn.ReLU()]", "]", "The ReLUs are missing: without them two convolutions are no more than one."),
        edit(
            "nn.ReLU()]",
            "nn.ReLU(), nn.MaxPool2d(2)]",
            "        layers.append(nn.MaxPool2d(2))\n",
            "",
            "Yours pools after every convolution; VGG pools once, at the end of each stage.",
        ),
        edit(
            "range(depth)",
            "range(1)",
            "Yours has one convolution in every stage: depths says how many there are to be.",
        ),
        when(
            lambda results: all(one["row of layers"][0].endswith("to 64 channels") for one in results),
            """
            def build(depths, width=64):
                layers, channels = [], 3
                for depth, out in zip(depths, (64, 128, 256, 512, 512)):
                    for _ in range(depth):
                        layers += [nn.Conv2d(channels, out, 3, padding=1), nn.ReLU()]
                        channels = out
                    layers.append(nn.MaxPool2d(2))
                return nn.Sequential(*layers)
            """,
            "The width is not used: {call} must begin with {width} channels, not 64.",
        ),
        source(
            """
            def build(depths, width=64):
                layers, channels = [], 3
                for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
                    out = width * factor
                    layers += [nn.Conv2d(channels, out, 3, padding=1), nn.ReLU()]
                    layers += [nn.Conv2d(out, out, 3, padding=1), nn.ReLU()] * (depth - 1)
                    layers.append(nn.MaxPool2d(2))
                    channels = out
                return nn.Sequential(*layers)
            """,
            "One and the same convolution stands several times in your network: make a new one each time, since each"
            " has weights of its own.",
        ),
        edit("3, padding=1", "5, padding=2", "Every convolution of VGG is 3 x 3; yours are 5 x 5."),
        edit(
            "3, padding=1), nn.ReLU()",
            "3, padding=1), nn.BatchNorm2d(width * factor), nn.ReLU()",
            "The network is to have no batch norm: only convolutions, ReLUs and poolings.",
        ),
        edit(
            "        layers.append(nn.MaxPool2d(2))\n",
            "",
            "Nothing pools: one nn.MaxPool2d(2) belongs at the end of each stage.",
        ),
        edit(
            "return nn.Sequential(*layers)",
            "return nn.Sequential(*layers[:-1])",
            "The last stage ends without its pooling.",
        ),
        edit("MaxPool2d", "AvgPool2d", "VGG pools the largest of each square, nn.MaxPool2d(2); yours the mean."),
        edit(
            "[nn.Conv2d(channels, width * factor, 3, padding=1), nn.ReLU()]",
            "[nn.ReLU(), nn.Conv2d(channels, width * factor, 3, padding=1)]",
            "Each ReLU stands before its convolution; it is to follow it.",
        ),
    ],
)


def weights() -> list[tuple]:
    shapes = ((2, 3, 1, 1), (5, 5, 3, 3), (64, 3, 3, 3), (32, 96, 5, 5), (8, 16, 3, 5))
    generator = torch.Generator().manual_seed(0)
    return [(torch.randn(shape, generator=generator).div(10).round(decimals=2),) for shape in shapes]


exercise(
    "04.he-std",
    points=2,
    stub='''
        def he_std(weight):
            """weight: (out, in, height, width) of a convolution.

            Returns the standard deviation to draw it with, so that the mean square of the
            signal stays the same through the convolution and the ReLU before it.
            """
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
    cases=weights,
    tolerance=1e-3,
    wrong=[
        edit("2 /", "1 /", "Nearly: a ReLU takes half of the mean square away, and this forgets it."),
        edit(" ** 0.5", "", "This is the variance; the standard deviation is its square root."),
        edit(
            "weight[0].numel()",
            "weight.shape[1]",
            "An output also sums over the kernel's pixels, not over the maps only.",
        ),
        edit(
            "weight[0].numel()",
            "weight[0, 0].numel()",
            "An output also sums over the maps that come in, not over the kernel's pixels only.",
        ),
        edit(
            "weight[0].numel()",
            "weight[:, 0].numel()",
            "You counted what goes out of a unit; a sum is as long as what comes in.",
        ),
        edit(
            "weight[0].numel()", "weight.numel()", "These are the weights of all outputs; one output's sum is shorter."
        ),
        edit("weight[0].numel()", "len(weight)", "You counted the outputs; a sum is as long as what comes in."),
        edit(
            "weight[0].numel()",
            "(weight[0].numel() + weight[:, 0].numel())",
            "This is Glorot's rule, which averages the two directions and was made for units without a ReLU.",
        ),
        edit(
            "2 / weight[0].numel()",
            "4 / (weight[0].numel() + weight[:, 0].numel())",
            "This averages the two directions, as Glorot's rule does; a sum is as long as what comes in.",
        ),
        edit(
            "weight[0].numel()",
            "(weight.shape[1] * weight.shape[2] ** 2)",
            "A kernel need not be square: its pixels are height * width.",
        ),
        edit("weight[0].numel()", "(9 * weight.shape[1])", "Not every kernel is 3 x 3: its pixels are height * width."),
        edit(
            "(2 / weight[0].numel()) ** 0.5",
            "weight.std().item()",
            "This is the standard deviation that the weight has; the one to draw it with depends on its shape alone.",
        ),
        edit(
            "2 /",
            "6 /",
            "This is the bound of a uniform draw with that standard deviation, which is smaller by sqrt(3).",
        ),
        when(
            lambda results: max(results) - min(results) < 1e-9,
            """
            def he_std(weight):
                return 0.01
            """,
            "Yours is the same for every layer: that is what went wrong with 0.01. A longer sum needs less.",
        ),
    ],
)


def check_nineteen_layers(my_run: object) -> None:
    layers = list(trained(my_run).modules())
    if any(isinstance(layer, (nn.BatchNorm2d, nn.InstanceNorm2d, nn.GroupNorm, nn.LayerNorm)) for layer in layers):
        raise Wrong("With batch norm or another normalisation it is easy: this exercise is about how to start without.")
    convolutions = sum(isinstance(layer, nn.Conv2d) for layer in layers)
    if convolutions != 16:
        raise Wrong(f"VGG-19 has 16 convolutions and 3 fully-connected layers; yours has {convolutions} convolutions.")
    reads_digits(my_run.model, 0.8)


exercise(
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
        "training.initialize(net, rule) takes any function that fills a weight: your he_std is nearly one. A learning"
        " rate of 0.01 and small batches helped.",
    ],
    check=check_nineteen_layers,
    wrong=[
        source("my_run = models.get_model('vgg19_tiny')", "not the run"),
        source("my_run = training.Run(models.get_model('vgg19_bn_tiny'))", "batch norm"),
        source("my_run = training.Run(models.get_model('vgg11_tiny'))", "16 convolutions"),
        source("my_run = training.Run(models.get_model('vgg19_tiny'))", "fresh street digits"),
    ],
)
