"""Lesson 15, ConvNeXt: its exercises."""

import torch
from torch import nn

from cnnlab import measure
from cnnlab.lessons.compare import kind
from cnnlab.lessons.exercise import Wrong, edit, exercise, source
from cnnlab.lessons.runs import reads_digits


def images_and_weights() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    first = torch.tensor([[[[1.0, 2.0, 3.0, 5.0], [0.0, 4.0, 1.0, 2.0]]]]), torch.tensor([[1.0, -2.0, 3.0, 0.5]])
    found = [(*first, torch.tensor([0.25]), 2)]
    for (n, c, h, w), d, patch in (((2, 2, 4, 4), 2, 2), ((2, 3, 8, 12), 5, 4), ((3, 1, 9, 6), 7, 3)):
        shapes = (n, c, h, w), (d, c * patch * patch), (d,)  # in the first of these wrong matches of axes fit too
        found.append((*(torch.randn(shape, generator=generator) for shape in shapes), patch))
    return found


exercise(
    "15.patchify",
    points=3,
    stub='''
        def patchify(images, weight, bias, patch):
            """The stem without a convolution: cut images (N, C, H, W) into squares of patch x patch pixels, lay each
            out as C * patch * patch numbers, and apply weight (D, C * patch * patch) and bias (D,).
            Returns a map, (N, D, H / patch, W / patch)."""
            ...
    ''',
    solution="""
        def patchify(images, weight, bias, patch):
            n, c, h, w = images.shape
            squares = images.reshape(n, c, h // patch, patch, w // patch, patch)
            squares = squares.permute(0, 2, 4, 1, 3, 5).reshape(n, h // patch, w // patch, c * patch * patch)
            return (squares @ weight.T + bias).permute(0, 3, 1, 2)
    """,
    hints=[
        "images.reshape(n, c, h // patch, patch, w // patch, patch) splits both axes: which patch, and where in it.",
        "Bring what belongs to one patch to the end, in the order channel, row, column; then one matrix product.",
    ],
    cases=images_and_weights,
    forbid={
        "conv1d conv2d conv3d convolution conv_transpose2d": "Here a convolution is not allowed: cut the squares, and "
        "multiply them by the weights."
    },
    wrong=[
        edit(
            "(0, 2, 4, 1, 3, 5)",
            "(0, 2, 4, 3, 5, 1)",
            "The shape is right, the order of the numbers within a patch is not: channel, then row, then column.",
        ),
        edit(
            "(0, 2, 4, 1, 3, 5)",
            "(0, 2, 4, 1, 5, 3)",
            "Within a patch you go column by column: the order is channel, then row, then column.",
        ),
        edit(
            "(0, 2, 4, 1, 3, 5)",
            "(0, 2, 4, 5, 3, 1)",
            "The order of the numbers within a patch is turned around: channel, then row, then column.",
        ),
        edit(
            "(0, 2, 4, 1, 3, 5)",
            "(0, 2, 4, 3, 1, 5)",
            "The order of the numbers within a patch is channel, then row, then column: you put the rows first.",
        ),
        source(
            """
            def patchify(images, weight, bias, patch):
                n, c, h, w = images.shape
                squares = images.reshape(n, h // patch, w // patch, c * patch * patch)
                return (squares @ weight.T + bias).permute(0, 3, 1, 2)
            """,
            "These are runs of one row and not squares: split height and width into two axes each first.",
        ),
        source(
            """
            def patchify(images, weight, bias, patch):
                n, c, h, w = images.shape
                squares = images.reshape(n, c, h // patch, w // patch, patch * patch).permute(0, 2, 3, 1, 4)
                squares = squares.reshape(n, h // patch, w // patch, c * patch * patch)
                return (squares @ weight.T + bias).permute(0, 3, 1, 2)
            """,
            "These are runs of a map's numbers and not squares: split height and width into two axes each first.",
        ),
        source(
            """
            def patchify(images, weight, bias, patch):
                n, c, h, w = images.shape
                squares = images.reshape(n, c, patch, h // patch, patch, w // patch).permute(0, 3, 5, 1, 2, 4)
                squares = squares.reshape(n, h // patch, w // patch, c * patch * patch)
                return (squares @ weight.T + bias).permute(0, 3, 1, 2)
            """,
            "Your squares are spread over the image: split a side into (H / patch, patch), which square, then "
            "where in it.",
        ),
        edit(" + bias", "", "The bias is missing."),
        source(
            """
            def patchify(images, weight, bias, patch):
                n, c, h, w = images.shape
                squares = F.unfold(images, patch).transpose(1, 2) @ weight.T + bias
                return squares.transpose(1, 2).reshape(n, -1, h - patch + 1, w - patch + 1)
            """,
            "Your patches overlap: the next one begins where the last one ends, so the stride is patch.",
        ),
        source(
            """
            def patchify(images, weight, bias, patch):
                return F.unfold(images, patch, stride=patch).transpose(1, 2) @ weight.T + bias
            """,
            "This is a list of tokens, as a transformer takes it; here it must be a map, (N, D, H / patch, W / patch).",
        ),
        source(
            """
            def patchify(images, weight, bias, patch):
                return (F.unfold(images, patch, stride=patch).transpose(1, 2) @ weight.T + bias).transpose(1, 2)
            """,
            "The places are in one row, (N, D, places); here they make a map, (N, D, H / patch, W / patch).",
        ),
        edit(
            ".permute(0, 3, 1, 2)",
            ".permute(0, 3, 1, 2).reshape(n, -1, w // patch, h // patch)",
            "The map is H / patch high and W / patch wide: you took its width for its height.",
        ),
        edit(".permute(0, 3, 1, 2)", ".permute(0, 3, 2, 1)", "Height and width of the map are swapped."),
        edit(
            ".permute(0, 3, 1, 2)",
            "",
            "Yours is (N, H / patch, W / patch, D), as the matrix product leaves it: bring D to the second place.",
        ),
        edit(
            ".permute(0, 3, 1, 2)",
            ".reshape(n, -1, h // patch, w // patch)",
            "At the end you used reshape, which cuts the same row of numbers in other places: axes are moved by "
            "permute.",
        ),
        edit(
            "(squares @ weight.T + bias).permute(0, 3, 1, 2)",
            "squares.permute(0, 3, 1, 2)",
            "These are the squares themselves: apply weight and bias to each, squares @ weight.T + bias.",
        ),
        edit(
            "weight.T",
            "weight.reshape(c * patch * patch, -1)",
            "The weights were cut anew, not transposed: weight is (D, C * patch * patch), and .T turns it.",
        ),
    ],
)


def maps_to_norm() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    first = torch.tensor([[[[1.0, 2.0]], [[4.0, 0.0]], [[1.0, -5.0]]]]), torch.tensor([1.0, 2.0, 3.0])
    return [
        (torch.full((1, 3, 1, 1), 3.0), torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.5, 0.0, -1.0])),
        (*first, torch.tensor([0.5, 0.0, -1.0])),
        (drawn(4, 4, 4, 4) + 1, drawn(4), drawn(4), 0.1),  # here wrong matches of axes fit too
        (drawn(3, 6, 4, 5) * 2 + drawn(3, 6, 1, 1), drawn(6), drawn(6)),
        (drawn(2, 5, 3, 2) / 300, drawn(5), drawn(5)),  # so small that eps counts
    ]


exercise(
    "15.layer-norm",
    points=3,
    stub='''
        def layer_norm(x, weight, bias, eps=1e-6):
            """Layer norm over the channels of each pixel. x: (N, C, H, W), weight, bias: (C,).
            Returns (N, C, H, W)."""
            ...
    ''',
    solution="""
        def layer_norm(x, weight, bias, eps=1e-6):
            mean = x.mean(1, keepdim=True)
            variance = x.var(1, unbiased=False, keepdim=True)
            return (x - mean) / torch.sqrt(variance + eps) * weight[:, None, None] + bias[:, None, None]
    """,
    hints=[
        "Mean and variance go over dimension 1 only, each pixel has its own. keepdim=True keeps (N, 1, H, W).",
        "The variance divides by C, not C - 1: var(..., unbiased=False). weight[:, None, None] fits to (N, C, H, W).",
    ],
    cases=maps_to_norm,
    wrong=[
        *(
            edit("x.mean(1", f"x.mean({axes}", "x.var(1", f"x.var({axes}", diagnosis)
            for axes, diagnosis in {
                "(1, 2, 3)": "You normalised the whole image at once; here each pixel has its own mean and variance.",
                "(0, 2, 3)": "This is batch norm: it mixes the images. Layer norm goes over the channels of one pixel.",
                "(2, 3)": "You normalised each map on its own (instance norm); go over the channels, dimension 1.",
                "0": "You normalised over the images; go over the channels, dimension 1.",
                "(0, 1)": "You normalised over images and channels; each pixel of each image has its own mean "
                "and variance.",
                "2": "You normalised over the height; go over the channels, dimension 1.",
                "3": "You normalised over the width, the last dimension; go over the channels, dimension 1.",
                "(0, 1, 2, 3)": "You normalised all numbers at once; here each pixel has its own mean and variance.",
            }.items()
        ),
        edit("unbiased=False, ", "", "Your variance divides by C - 1; a layer norm divides by C: unbiased=False."),
        edit(" * weight[:, None, None] + bias[:, None, None]", "", "The learned weight and bias are missing."),
        edit(" * weight[:, None, None]", "", "The learned weight is missing."),
        edit(" + bias[:, None, None]", "", "The learned bias is missing."),
        edit(
            "(x - mean) / torch.sqrt(variance + eps) * weight[:, None, None] + bias[:, None, None]",
            "((x - mean) / torch.sqrt(variance + eps) + bias[:, None, None]) * weight[:, None, None]",
            "The weight multiplies before the bias is added; yours multiplies the bias, too.",
        ),
        edit(
            "torch.sqrt(variance + eps)",
            "(variance + eps)",
            "You divided by the variance; divide by its root, the standard deviation.",
        ),
        edit(
            "torch.sqrt(variance + eps)",
            "(torch.sqrt(variance) + eps)",
            "eps is added to the variance, before the root; yours comes after it.",
        ),
        edit(
            "torch.sqrt(variance + eps)",
            "torch.sqrt(variance)",
            "eps is missing. Where all channels of a pixel are equal the variance is 0: add eps to it before the root.",
        ),
        edit("variance + eps", "variance + 1e-6", "Right for eps = 1e-6, but yours ignores another eps."),
        edit("variance + eps", "variance + 1e-5", "Your eps is 1e-5, PyTorch's default: use the argument eps."),
        edit("(x - mean)", "x", "The mean is not subtracted."),
        edit(
            "(x - mean)",
            "x",
            "x.var(1, unbiased=False, keepdim=True)",
            "x.square().mean(1, keepdim=True)",
            "This is the norm by the mean square alone (RMSNorm): a layer norm subtracts the mean.",
        ),
        edit(
            "weight[:, None, None] + bias[:, None, None]",
            "weight + bias",
            "Weight and bias were matched along the width of the map, not with the channels: [:, None, None].",
        ),
        edit(
            "weight[:, None, None] + bias[:, None, None]",
            "weight[:, None] + bias[:, None]",
            "Weight and bias were matched along the height of the map, not with the channels: [:, None, None].",
        ),
        edit(
            "/ torch.sqrt(variance + eps)",
            "* torch.sqrt(variance + eps)",
            "You multiplied by the standard deviation; divide by it.",
        ),
        edit(" / torch.sqrt(variance + eps)", "", "You do not divide by the standard deviation."),
    ],
)


def maps_and_layers() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    found = []
    for n, c, h, w in ((1, 2, 2, 2), (4, 4, 4, 4), (2, 6, 5, 8)):  # in the second wrong matches of axes fit too
        layers = (
            nn.Conv2d(c, c, 7, padding=3, groups=c),
            nn.LayerNorm(c, eps=1e-6),
            nn.Linear(c, 4 * c),
            nn.Linear(4 * c, c),
        )
        for layer in layers:
            layer.weight.data, layer.bias.data = drawn(*layer.weight.shape) / 2, drawn(*layer.bias.shape) / 2
        found.append((drawn(n, c, h, w), *layers, drawn(c)))
    return found


exercise(
    "15.block",
    points=3,
    stub='''
        def block(x, depthwise, norm, widen, narrow, layer_scale):
            """x: (N, C, H, W). depthwise is a 7x7 convolution; norm, widen (C -> 4C) and narrow (4C -> C) work on the
            last dimension; layer_scale: (C,). One GELU, one shortcut. Returns (N, C, H, W)."""
            ...
    ''',
    solution="""
        def block(x, depthwise, norm, widen, narrow, layer_scale):
            y = depthwise(x).permute(0, 2, 3, 1)
            y = layer_scale * narrow(F.gelu(widen(norm(y))))
            return x + y.permute(0, 3, 1, 2)
    """,
    hints=[
        "The convolution takes (N, C, H, W), the other three layers (N, H, W, C): permute(0, 2, 3, 1) in between.",
        "Filter, norm, widen, GELU, narrow, layer scale; then back to (N, C, H, W), and add the input.",
    ],
    cases=maps_and_layers,
    wrong=[
        edit("x + y.permute", "y.permute", "The shortcut is missing: add the input."),
        edit(
            "narrow(F.gelu(widen(norm(y))))",
            "F.gelu(narrow(F.gelu(widen(norm(y)))))",
            "There is one GELU, in the wide part; you put a second on the narrow one.",
        ),
        edit(
            "narrow(F.gelu(widen(norm(y))))",
            "F.gelu(narrow(widen(norm(y))))",
            "The GELU stands in the wide part, between widen and narrow; yours comes after narrow.",
        ),
        edit(
            "F.gelu(widen(norm(y)))",
            "widen(F.gelu(norm(y)))",
            "The GELU stands between widen and narrow; yours comes before widen.",
        ),
        edit("F.gelu", "F.relu", "You used ReLU; this block has GELU: F.gelu."),
        edit("F.gelu", "F.silu", "You used SiLU; this block has GELU: F.gelu."),
        edit(
            "F.gelu(widen(norm(y)))",
            "F.gelu(widen(norm(y)), approximate='tanh')",
            "This is the approximation of GELU by tanh; the block has GELU itself: F.gelu(...).",
        ),
        edit("F.gelu(widen(norm(y)))", "widen(norm(y))", "The GELU is missing between widen and narrow."),
        edit("layer_scale * ", "", "The layer scale is missing: it multiplies the residual."),
        edit(
            "layer_scale * ",
            "",
            "x + y.permute(0, 3, 1, 2)",
            "layer_scale[:, None, None] * (x + y.permute(0, 3, 1, 2))",
            "You scaled the shortcut too; the layer scale belongs to the residual only.",
        ),
        edit(
            "layer_scale * ",
            "",
            "x + y.permute(0, 3, 1, 2)",
            "layer_scale[:, None, None] * x + y.permute(0, 3, 1, 2)",
            "You scaled the shortcut; the layer scale belongs to the residual.",
        ),
        edit("layer_scale * ", "layer_scale + ", "The layer scale multiplies the residual; you added it."),
        edit(
            "layer_scale * ",
            "layer_scale[:, None, None] * ",
            "The layer scale was matched with the height: while the channels come last, layer_scale fits as it is.",
        ),
        edit(
            "y = depthwise(x).permute(0, 2, 3, 1)",
            "y = depthwise(norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)",
            "widen(norm(y))",
            "widen(y)",
            "The norm stands before the filter; it comes after it.",
        ),
        edit(
            "y = depthwise(x).permute(0, 2, 3, 1)",
            "y = norm(depthwise(x)).permute(0, 2, 3, 1)",
            "widen(norm(y))",
            "widen(y)",
            "The norm went over the width of the map: it works on the last dimension, so permute first.",
        ),
        edit("widen(norm(y))", "widen(y)", "The norm is missing: it stands between the filter and widen."),
        edit(
            "narrow(F.gelu(widen(norm(y))))",
            "narrow(F.gelu(widen(y)))",
            "return x + y.permute(0, 3, 1, 2)",
            "return x + norm(y).permute(0, 3, 1, 2)",
            "The norm stands after the layer scale; it comes right after the filter.",
        ),
        edit(
            "narrow(F.gelu(widen(norm(y))))",
            "norm(narrow(F.gelu(widen(y))))",
            "The norm stands after narrow; it comes right after the filter.",
        ),
        edit("depthwise(x)", "x", "The depthwise convolution is not used: it comes first."),
        edit(
            "x + y.permute(0, 3, 1, 2)",
            "depthwise(x) + y.permute(0, 3, 1, 2)",
            "The shortcut carries the input itself; yours carries what the filter made of it.",
        ),
        edit(
            "x + y.permute(0, 3, 1, 2)",
            "x + y",
            "The residual was added with its channels last: permute it back to (N, C, H, W) first.",
        ),
        edit(
            "x + y.permute(0, 3, 1, 2)",
            "(x + y.permute(0, 3, 1, 2)).relu()",
            "After the sum there is no activation: the shortcut runs through.",
        ),
        edit(
            "x + y.permute(0, 3, 1, 2)",
            "F.gelu(x + y.permute(0, 3, 1, 2))",
            "After the sum there is no activation: the shortcut runs through.",
        ),
        edit(
            "x + y.permute(0, 3, 1, 2)",
            "x - y.permute(0, 3, 1, 2)",
            "The residual is added to the input, not subtracted.",
        ),
        edit(
            "x + y.permute(0, 3, 1, 2)",
            "x + y.permute(0, 3, 2, 1)",
            "On the way back height and width are swapped: from (N, H, W, C) to (N, C, H, W) it is permute(0, 3, "
            "1, 2).",
        ),
        edit(
            "widen(norm(y))",
            "widen(F.gelu(norm(y)))",
            "There is one GELU, in the wide part; you put a second after the norm.",
        ),
        edit(
            "widen(norm(y))",
            "widen(F.gelu(norm(y)))",
            "x + y.permute(0, 3, 1, 2)",
            "F.gelu(x + y.permute(0, 3, 1, 2))",
            "There is one GELU, in the wide part; you put others after the norm and after the sum.",
        ),
        edit(
            "depthwise(x).permute(0, 2, 3, 1)",
            "F.gelu(depthwise(x)).permute(0, 2, 3, 1)",
            "There is one GELU, in the wide part; you put a second after the filter.",
        ),
    ],
)


exercise(
    "15.inside",
    points=2,
    stub='''
        def inside(kernel, size):
            """The share of a kernel's weights that fall on the map and not on its padding, the mean over all positions.
            kernel: side of the square kernel, odd; size: side of the square map. Padding: kernel // 2, stride 1."""
            ...
    ''',
    solution="""
        def inside(kernel, size):
            ones = torch.ones(1, 1, size, size)
            hits = F.conv2d(ones, torch.ones(1, 1, kernel, kernel), padding=kernel // 2)
            return hits.mean().item() / kernel**2
    """,
    hints=[
        "Let PyTorch count: a kernel of ones on a map of ones counts, at each position, the weights that hit the map.",
        "The mean of these counts over all positions, divided by the number of weights, kernel ** 2.",
    ],
    cases=[(3, 2), (3, 1), (7, 7), (3, 7), (7, 2), (5, 4), (1, 9), (7, 56)],
    wrong=[
        source(
            """
            def inside(kernel, size):
                reach = kernel // 2
                hits = [min(i, reach) + min(size - 1 - i, reach) + 1 for i in range(size)]
                return sum(hits) / (kernel * size)
            """,
            "This is the share along one axis: a square kernel loses weights on both.",
        ),
        source(
            """
            def inside(kernel, size):
                return min(1.0, size / kernel) ** 2
            """,
            "This is the share in the middle of the map, the best position; at the edges part of every kernel "
            "hangs over.",
        ),
        source(
            """
            def inside(kernel, size):
                return min(1.0, size / kernel)
            """,
            "You looked at the middle of the map only, and at one axis; at the edges part of every kernel hangs over.",
        ),
        edit(
            " / kernel**2",
            "",
            "This is the mean number of weights on the map; divide by the number of weights of the kernel.",
        ),
        edit("kernel**2", "kernel", "Divide by the number of weights of the kernel: it is a square, so kernel ** 2."),
        edit("kernel**2", "size**2", "You divided by the pixels of the map; divide by the weights of the kernel."),
        edit("hits.mean()", "hits.sum()", "You summed over the positions; it is the mean over them."),
        edit(
            "hits.mean().item()",
            "hits.min().item()",
            "This is the share in a corner, the worst position; it is the mean over all.",
        ),
        edit(
            "hits.mean()",
            "(hits == kernel**2).float().mean()",
            " / kernel**2",
            "",
            "This is the share of positions where the whole kernel is on the map; count the weights at each position.",
        ),
        edit(
            "hits.mean().item() / kernel**2",
            "1 - hits.mean().item() / kernel**2",
            "This is the share that falls on the padding.",
        ),
        edit(
            ", padding=kernel // 2",
            ", padding=0 if kernel <= size else kernel // 2",
            "The kernel has a position at every pixel of the map, those at the edges too: padding is kernel // 2.",
        ),
        source(
            """
            def inside(kernel, size):
                reach = kernel // 2
                hits = sum(0 <= i + step < size for i in range(size) for step in range(-reach, reach))
                return (hits / (kernel * size)) ** 2
            """,
            "You left out the last row and column of the kernel: it reaches from -(kernel // 2) to kernel // 2, "
            "both included.",
        ),
        source(
            """
            def inside(kernel, size):
                reach = kernel // 2
                return (sum(size - abs(step) for step in range(-reach, reach + 1)) / (kernel * size)) ** 2
            """,
            "A weight that is further from the middle than the map is wide never meets the map: yours counts it "
            "below zero.",
        ),
        source(
            """
            def inside(kernel, size):
                return (size / (size + 2 * (kernel // 2))) ** 2
            """,
            "This is size / (size + kernel - 1) on each axis: you let the kernel stand on the padding too, or "
            "counted the pixels of the padded map. Its middle stands on each pixel of the map.",
        ),
    ],
)


def check_my_network(my_network: object) -> None:
    if not isinstance(my_network, nn.Module):
        raise Wrong(f"my_network is {kind(my_network)}, not a network.")
    if any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in my_network.modules()):
        raise Wrong("Your network has a batch norm; this exercise is about networks without one.")
    spent = measure.cost(my_network, (3, 32, 32)).macs
    if spent > 3e6:
        raise Wrong(f"Your network has {spent / 1e6:.2f} million mult-adds; at most 3 million are allowed.")
    reads_digits(my_network, 0.5)


exercise(
    "15.own-network",
    points=4,
    stub="""
        torch.manual_seed(0)
        my_network = ...
    """,
    solution="""
        from cnnlab.lessons.convnext import study
        torch.manual_seed(0)
        my_network = study.weights_by_width(study.build(12, width=13))
        digits = data.load("street_digits", train=4000)
        training.fit(my_network, digits, progress=False, **study.RECIPE)
    """,
    hints=[
        "Look at the last two rows of the record: what did the last step change beside what the paper names?",
        "study.build(12, width=13) is within the budget. Give it other first weights, or more epochs, or both.",
    ],
    check=check_my_network,
    wrong=[
        source("my_network = 0.8", "not a network"),
        source("my_network = models.get_model('resnet20_tiny')", "batch norm"),
        source("my_network = models.get_model('convnext_tiny_tiny', width=48)", "at most 3 million"),
        source("my_network = models.get_model('convnext_tiny_tiny', width=12)", "at least 50%"),
    ],
)
