"""Lesson 15, ConvNeXt: its exercises."""

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import measure
from cnnlab.lessons.compare import kind
from cnnlab.lessons.exercise import Wrong, edit, exercise, source
from cnnlab.lessons.runs import reads_digits


def two_patchings() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    found = [(torch.tensor([[[[1.0, 2.0], [3.0, 5.0]]]]), torch.tensor([[[[1.0, -1.0], [2.0, 0.5]]]]))]
    for d, m, c, q, p in ((2, 2, 2, 2, 2), (4, 3, 2, 3, 2), (5, 2, 3, 2, 3)):  # in the first wrong axes fit too
        found.append(tuple(torch.randn(shape, generator=generator) for shape in ((m, c, p, p), (d, m, q, q))))
    return found


exercise(
    "15.patchify",
    points=3,
    stub='''
        def patchify(first, second):
            """Two patch convolutions, one after the other (stride = side of the kernel, no
            bias): first is (M, C, p, p), second (D, M, q, q). Returns the weight of the one
            patch convolution that computes the same, (D, C, q * p, q * p)."""
            ...
    ''',
    solution="""
        def patchify(first, second):
            (d, _, q, _), (_, c, p, _) = second.shape, first.shape
            merged = torch.einsum("dmIJ,mcij->dcIiJj", second, first)
            return merged.reshape(d, c, q * p, q * p)
    """,
    hints=[
        "Which weights lie on the way from one pixel to one output? The pixel's row in the large patch is I * p + i: "
        "I says which small patch it lies in, i where in it.",
        "Each way goes through M channels: multiply the two weights, and sum over the M channels.",
        "einsum can do it, with the axes in the order D, C, I, i, J, j at the end; then reshape.",
    ],
    cases=two_patchings,
    wrong=[
        edit(
            "dcIiJj",
            "dciIjJ",
            "You have the two scales exchanged: a pixel's row is I * p + i, with I of the second kernel and i of the "
            "first.",
        ),
        edit(
            "dcIiJj",
            "dcJjIi",
            "Rows and columns are exchanged: first the two parts of the row, then the two of the column.",
        ),
        edit(
            "dcIiJj",
            "dcIJij",
            "Your weights lie patch by patch in one row: the axes must be I, i, J, j before the reshape.",
        ),
        edit(
            "dcIiJj",
            "dcijIJ",
            "Your axes are i, j, I, J: a row of the large patch needs I and i side by side, and the column J and j.",
        ),
        edit(
            "dcIiJj",
            "dcIjJi",
            "You have paired the second kernel's row with the first's column.",
        ),
        edit(
            'torch.einsum("dmIJ,mcij->dcIiJj", second, first)',
            'torch.einsum("dIJ,cij->dcIiJj", second.sum(1), first.sum(0))',
            "You summed over the M channels before you multiplied: each channel's two weights belong together.",
        ),
        edit(
            'torch.einsum("dmIJ,mcij->dcIiJj", second, first)',
            'torch.einsum("dmIJ,mcij->dcIiJj", second, first) / len(first)',
            "You took the mean over the M channels; a convolution sums over them.",
        ),
        edit(
            'torch.einsum("dmIJ,mcij->dcIiJj", second, first)',
            'torch.einsum("dIJ,cij->dcIiJj", second[:, 0], first[0])',
            "You followed the first of the M channels only: sum over all of them.",
        ),
        edit(
            'torch.einsum("dmIJ,mcij->dcIiJj", second, first)',
            'torch.einsum("dm,mcij,IJ->dcIiJj", second.sum((2, 3)), first, torch.ones(q, q))',
            "You gave all small patches the same weight: the second kernel has one for each place.",
        ),
        edit(
            'torch.einsum("dmIJ,mcij->dcIiJj", second, first)',
            'torch.einsum("dmIJ,mc,ij->dcIiJj", second, first.sum((2, 3)), torch.ones(p, p))',
            "You gave all pixels of a small patch the same weight: the first kernel has one for each.",
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
            """Layer norm over the channels of each pixel. x: (N, C, H, W),
            weight, bias: (C,). Returns (N, C, H, W)."""
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
        "The variance divides by C, not C - 1: var(..., unbiased=False). weight[:, None, None] fits (N, C, H, W).",
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
        edit(
            "torch.sqrt(variance + eps)",
            "(x.std(1, keepdim=True) + eps)",
            "x.std divides by C - 1, and your eps comes after the root: a layer norm divides by C inside "
            "(unbiased=False), and adds eps to the variance.",
        ),
        edit(
            "(x - mean) / torch.sqrt(variance + eps)",
            "F.normalize(x - mean, dim=1)",
            "You brought each pixel's vector to length 1; a layer norm brings it to a mean square of 1.",
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


V = torch.tensor([2.0, -1.0, 0.0, 1.0])


def check_bias(my_bias: object) -> None:
    try:
        bias = torch.as_tensor(my_bias, dtype=torch.float32).detach().flatten()
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"my_bias is {kind(my_bias)}; four numbers are asked for, as in [0.0, 0.0, 0.0, 0.0].") from None
    if len(bias) != 4 or not bias.isfinite().all():
        raise Wrong(f"A pixel has four channels: give a finite number for each. Yours are {bias.tolist()}.")
    centred, direction = bias - bias.mean(), V - V.mean()
    if not centred.norm() > 1e-3:
        raise Wrong("The same number in each channel is the mean, and that is what a layer norm subtracts first.")
    if centred.dot(direction).abs() > (1 - 1e-6) * centred.norm() * direction.norm():
        raise Wrong(
            "But for its mean, your bias is a multiple of v: v + bias and 3 v + bias still point the same way or the "
            "opposite one, and their strength is divided away. Choose another direction."
        )
    weak, strong = (F.layer_norm(size * V + bias, (4,)) for size in (1, 3))
    apart = (strong - weak).abs().max().item()
    if apart < 0.5:
        raise Wrong(
            f"The two pixels differ by {apart:.2f} after the norm; at least 0.5 is asked for. A bias that is far "
            "smaller than v leaves the direction of v, one that is far larger drowns it."
        )


exercise(
    "15.strength",
    points=2,
    stub="""
        my_bias = ...  # four numbers, one for each channel
    """,
    solution="""
        my_bias = [0.0, 0.0, 5.0, 0.0]
    """,
    hints=[
        "A layer norm keeps the direction of a pixel, after its mean is gone. What must a bias do to the directions of "
        "v and 3 v?",
        "v + bias and 3 v + bias point in two directions if the bias points in a third. Try it in one channel.",
    ],
    check=check_bias,
    wrong=[
        source("my_bias = [0.0, 0.0, 0.0, 0.0]", "the mean"),
        source("my_bias = [7.0, 7.0, 7.0, 7.0]", "the mean"),
        source("my_bias = [4.0, -2.0, 0.0, 2.0]", "multiple of v"),
        source("my_bias = [-2.0, 1.0, 0.0, -1.0]", "multiple of v"),
        source("my_bias = [0.0, 0.0, 0.1, 0.0]", "differ by"),
        source("my_bias = [0.0, 0.0, 500.0, 0.0]", "differ by"),
        source("my_bias = [0.0, 0.0, 5.0]", "four channels"),
        source("my_bias = 'strong'", "four numbers"),
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
            """x: (N, C, H, W). depthwise is a 7x7 convolution; norm, widen (C -> 4C) and
            narrow (4C -> C) work on the last dimension; layer_scale: (C,). One GELU, one
            shortcut. Returns (N, C, H, W)."""
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
        edit(
            "layer_scale * narrow(F.gelu(widen(norm(y))))",
            "narrow(F.gelu(widen(layer_scale * norm(y))))",
            "The layer scale multiplies what narrow returns; yours multiplies what the norm returns.",
        ),
        edit(
            "depthwise(x).permute(0, 2, 3, 1)",
            "(x + depthwise(x)).permute(0, 2, 3, 1)",
            "x + y.permute(0, 3, 1, 2)",
            "x + depthwise(x) + y.permute(0, 3, 1, 2)",
            "There is one shortcut, around the whole; you have two, as a transformer's block has.",
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
            """The share of a kernel's weights that fall on the map and not on its padding,
            the mean over all positions. kernel: side of the square kernel, odd; size: side
            of the square map. Padding: kernel // 2, stride 1."""
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
    reads_digits(my_network, 0.75)


exercise(
    "15.own-network",
    points=4,
    stub="""
        torch.manual_seed(0)
        my_network = ...
    """,
    solution="""
        from cnnlab.lessons.convnext import study

        def halve(before, after):
            conv = nn.Conv2d(before, after, 3, stride=2, padding=1)
            return nn.Sequential(conv, nn.GroupNorm(4, after), nn.GELU())

        torch.manual_seed(0)
        head = [nn.Flatten(), nn.Linear(64 * 4 * 4, 10)]
        my_network = nn.Sequential(halve(3, 32), halve(32, 64), halve(64, 64), *head)
        digits = data.load("street_digits", train=6000)
        training.fit(my_network, digits, **study.RECIPE | {"epochs": 6}, progress=False)
    """,
    hints=[
        "What did the four networks above differ in, and which of them still rose when its training ended?",
        "Initial weights by width, more images and twice the epochs take ConvNeXt further. Or leave its road: "
        "convolutions that overlap, a group norm after each, a head that knows the places.",
    ],
    check=check_my_network,
    wrong=[
        source("my_network = 0.8", "not a network"),
        source("my_network = models.get_model('resnet20_tiny')", "batch norm"),
        source("my_network = models.get_model('convnext_tiny_tiny', width=48)", "at most 3 million"),
        source("my_network = models.get_model('convnext_tiny_tiny', width=12)", "at least 75%"),
    ],
)
