"""Lesson 15, ConvNeXt: its exercises."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import data, measure
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.models.convnext import Block
from cnnlab.training import evaluate

# The exercises


@exercise(
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
    wrong={
        "order of the numbers": """
            def patchify(images, weight, bias, patch):
                n, c, h, w = images.shape
                squares = images.reshape(n, c, h // patch, patch, w // patch, patch)
                squares = squares.permute(0, 2, 4, 3, 5, 1).reshape(n, h // patch, w // patch, c * patch * patch)
                return (squares @ weight.T + bias).permute(0, 3, 1, 2)
        """,
        "runs of one row": """
            def patchify(images, weight, bias, patch):
                n, c, h, w = images.shape
                squares = images.reshape(n, h // patch, w // patch, c * patch * patch)
                return (squares @ weight.T + bias).permute(0, 3, 1, 2)
        """,
        "bias is missing": """
            def patchify(images, weight, bias, patch):
                kernel = weight.reshape(-1, images.shape[1], patch, patch)
                return F.conv2d(images, kernel, stride=patch)
        """,
        "overlap": """
            def patchify(images, weight, bias, patch):
                kernel = weight.reshape(-1, images.shape[1], patch, patch)
                return F.conv2d(images, kernel, bias)
        """,
        "list of tokens": """
            def patchify(images, weight, bias, patch):
                return F.unfold(images, patch, stride=patch).transpose(1, 2) @ weight.T + bias
        """,
        "swapped": """
            def patchify(images, weight, bias, patch):
                kernel = weight.reshape(-1, images.shape[1], patch, patch)
                return F.conv2d(images, kernel, bias, stride=patch).transpose(2, 3)
        """,
    },
)
def check_patchify(patchify) -> None:
    generator = torch.Generator().manual_seed(0)
    for channels, patch, size in ((3, 4, (16, 24)), (2, 2, (6, 10)), (1, 3, (9, 6))):
        images = torch.randn(2, channels, *size, generator=generator)
        kernel = torch.randn(5, channels, patch, patch, generator=generator)
        weight, bias = kernel.flatten(1), torch.randn(5, generator=generator)
        got = patchify(images, weight, bias, patch)
        right = F.conv2d(images, kernel, bias, stride=patch)
        if got.ndim == 3:
            raise Wrong("This is a list of tokens, as a transformer takes it; here it must be a map, (N, D, H', W').")
        if got.shape[2:].numel() > right.shape[2:].numel():
            raise Wrong("Your patches overlap: the next one begins where the last one ends, so the stride is patch.")
        if got.shape == right.shape and torch.allclose(got, right, atol=1e-4):
            continue
        if got.shape == right.shape and torch.allclose(got + bias[:, None, None], right, atol=1e-4):
            raise Wrong("The bias is missing.")
        if got.shape == right.transpose(2, 3).shape and torch.allclose(got, right.transpose(2, 3), atol=1e-4):
            raise Wrong("Height and width of the map are swapped.")
        cuts = images.reshape(2, -1, channels * patch * patch) @ weight.T + bias
        if got.shape == right.shape and torch.allclose(got.flatten(2).transpose(1, 2), cuts, atol=1e-4):
            raise Wrong("These are runs of one row and not squares: split height and width into two axes each first.")
        if got.shape != right.shape:
            raise Wrong(f"The map should be {tuple(right.shape)}; yours is {tuple(got.shape)}.")
        raise Wrong(
            "The shape is right, the order of the numbers within a patch is not: channel, then row, then column."
        )


@exercise(
    "15.layer-norm",
    points=3,
    stub='''
        def layer_norm(x, weight, bias, eps=1e-6):
            """Layer norm over the channels of each pixel. x: (N, C, H, W), weight, bias: (C,). Returns (N, C, H, W)."""
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
    wrong={
        "whole image": """
            def layer_norm(x, weight, bias, eps=1e-6):
                mean = x.mean((1, 2, 3), keepdim=True)
                variance = x.var((1, 2, 3), unbiased=False, keepdim=True)
                return (x - mean) / torch.sqrt(variance + eps) * weight[:, None, None] + bias[:, None, None]
        """,
        "batch norm": """
            def layer_norm(x, weight, bias, eps=1e-6):
                mean = x.mean((0, 2, 3), keepdim=True)
                variance = x.var((0, 2, 3), unbiased=False, keepdim=True)
                return (x - mean) / torch.sqrt(variance + eps) * weight[:, None, None] + bias[:, None, None]
        """,
        "each map": """
            def layer_norm(x, weight, bias, eps=1e-6):
                mean = x.mean((2, 3), keepdim=True)
                variance = x.var((2, 3), unbiased=False, keepdim=True)
                return (x - mean) / torch.sqrt(variance + eps) * weight[:, None, None] + bias[:, None, None]
        """,
        "C - 1": """
            def layer_norm(x, weight, bias, eps=1e-6):
                deviation = torch.sqrt(x.var(1, keepdim=True) + eps)
                return (x - x.mean(1, keepdim=True)) / deviation * weight[:, None, None] + bias[:, None, None]
        """,
        "weight and bias": """
            def layer_norm(x, weight, bias, eps=1e-6):
                return (x - x.mean(1, keepdim=True)) / torch.sqrt(x.var(1, unbiased=False, keepdim=True) + eps)
        """,
        "divided by the variance": """
            def layer_norm(x, weight, bias, eps=1e-6):
                mean = x.mean(1, keepdim=True)
                variance = x.var(1, unbiased=False, keepdim=True)
                return (x - mean) / (variance + eps) * weight[:, None, None] + bias[:, None, None]
        """,
    },
)
def check_layer_norm(layer_norm) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 6, 4, 5, generator=generator) * 2 + torch.randn(3, 6, 1, 1, generator=generator)
    weight, bias = torch.randn(6, generator=generator), torch.randn(6, generator=generator)
    got = layer_norm(x, weight, bias)
    if got.shape != x.shape:
        raise Wrong(f"The shape must stay {tuple(x.shape)}; yours is {tuple(got.shape)}.")
    right = F.layer_norm(x.permute(0, 2, 3, 1), (6,), weight, bias, 1e-6).permute(0, 3, 1, 2)
    if torch.allclose(got, right, atol=1e-4):
        small = torch.full((1, 6, 1, 1), 3.0)
        if not torch.allclose(layer_norm(small, weight, bias), bias.view(1, 6, 1, 1), atol=1e-4):
            raise Wrong("Where all channels of a pixel are equal the variance is 0: add eps to it before the root.")
        return

    def normed(dims: tuple[int, ...], unbiased: bool = False, power: float = 0.5) -> Tensor:
        mean, variance = x.mean(dims, keepdim=True), x.var(dims, unbiased=unbiased, keepdim=True)
        return (x - mean) / (variance + 1e-6) ** power * weight[:, None, None] + bias[:, None, None]

    diagnoses = [
        (normed((1, 2, 3)), "You normalised the whole image at once; here each pixel has its own mean and variance."),
        (normed((0, 2, 3)), "This is batch norm: it mixes the images. Layer norm goes over the channels of one pixel."),
        (normed((2, 3)), "You normalised each map on its own (instance norm); go over the channels, dimension 1."),
        (normed((1,), unbiased=True), "Your variance divides by C - 1; a layer norm divides by C: unbiased=False."),
        (normed((1,), power=1.0), "You divided by the variance; divide by its root, the standard deviation."),
        ((right - bias[:, None, None]) / weight[:, None, None], "The learned weight and bias are missing."),
    ]
    for value, diagnosis in diagnoses:
        if torch.allclose(got, value, atol=1e-3):
            raise Wrong(diagnosis)
    means = got.mean(1).abs().max().item()
    raise Wrong(f"This is not a layer norm over channels (largest mean over the channels of a pixel: {means:.2f}).")


@exercise(
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
    wrong={
        "shortcut is missing": """
            def block(x, depthwise, norm, widen, narrow, layer_scale):
                y = depthwise(x).permute(0, 2, 3, 1)
                return (layer_scale * narrow(F.gelu(widen(norm(y))))).permute(0, 3, 1, 2)
        """,
        "narrow one": """
            def block(x, depthwise, norm, widen, narrow, layer_scale):
                y = depthwise(x).permute(0, 2, 3, 1)
                y = layer_scale * F.gelu(narrow(F.gelu(widen(norm(y)))))
                return x + y.permute(0, 3, 1, 2)
        """,
        "ReLU": """
            def block(x, depthwise, norm, widen, narrow, layer_scale):
                y = depthwise(x).permute(0, 2, 3, 1)
                y = layer_scale * narrow(F.relu(widen(norm(y))))
                return x + y.permute(0, 3, 1, 2)
        """,
        "layer scale is missing": """
            def block(x, depthwise, norm, widen, narrow, layer_scale):
                y = depthwise(x).permute(0, 2, 3, 1)
                return x + narrow(F.gelu(widen(norm(y)))).permute(0, 3, 1, 2)
        """,
        "scaled the shortcut": """
            def block(x, depthwise, norm, widen, narrow, layer_scale):
                y = depthwise(x).permute(0, 2, 3, 1)
                y = narrow(F.gelu(widen(norm(y)))).permute(0, 3, 1, 2)
                return layer_scale[:, None, None] * (x + y)
        """,
        "before the filter": """
            def block(x, depthwise, norm, widen, narrow, layer_scale):
                y = depthwise(norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
                y = layer_scale * narrow(F.gelu(widen(y)))
                return x + y.permute(0, 3, 1, 2)
        """,
    },
)
def check_block(block) -> None:
    torch.manual_seed(0)
    reference = Block(6, layer_scale=1.0).eval()
    for parameter in reference.parameters():
        nn.init.normal_(parameter, std=0.5)
    depthwise, norm = reference.residual.depthwise, reference.residual.norm
    widen, narrow = reference.residual.fc1, reference.residual.fc2
    scale, x = reference.layer_scale.flatten().detach(), torch.randn(2, 6, 5, 8)
    given = x.clone()
    with torch.no_grad():
        got = block(given, depthwise, norm, widen, narrow, scale)
        if not torch.equal(given, x):
            raise Wrong("Your function changed x itself: write x + ..., not x += ...")
        right, tall = reference(x), scale[:, None, None]
        if got.shape != right.shape:
            raise Wrong(f"The shape must stay {tuple(right.shape)}; yours is {tuple(got.shape)}.")
        if torch.allclose(got, right, atol=1e-4):
            return

        def back(y: Tensor) -> Tensor:
            return y.permute(0, 3, 1, 2)

        normed = norm(depthwise(x).permute(0, 2, 3, 1))
        late = depthwise(back(norm(x.permute(0, 2, 3, 1)))).permute(0, 2, 3, 1)
        inner = narrow(F.gelu(widen(normed)))
        diagnoses = [
            (right - x, "The shortcut is missing: add the input."),
            (
                x + back(scale * F.gelu(inner)),
                "There is one GELU, in the wide part; you put a second on the narrow one.",
            ),
            (x + back(scale * narrow(F.relu(widen(normed)))), "You used ReLU; this block has GELU: F.gelu."),
            (x + back(scale * narrow(widen(normed))), "The GELU is missing between widen and narrow."),
            (x + back(inner), "The layer scale is missing: it multiplies the residual."),
            (tall * (x + back(inner)), "You scaled the shortcut too; the layer scale belongs to the residual only."),
            (x + back(scale * narrow(F.gelu(widen(late)))), "The norm stands before the filter; it comes after it."),
        ]
    for value, diagnosis in diagnoses:
        if torch.allclose(got, value, atol=1e-4):
            raise Wrong(diagnosis)
    raise Wrong("The shape is right, the numbers are not: filter, norm, widen, GELU, narrow, layer scale, add x.")


@exercise(
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
    wrong={
        "one axis": """
            def inside(kernel, size):
                reach = kernel // 2
                hits = [min(i, reach) + min(size - 1 - i, reach) + 1 for i in range(size)]
                return sum(hits) / (kernel * size)
        """,
        "middle": """
            def inside(kernel, size):
                return min(1.0, size / kernel) ** 2
        """,
        "number of weights": """
            def inside(kernel, size):
                ones = torch.ones(1, 1, size, size)
                return F.conv2d(ones, torch.ones(1, 1, kernel, kernel), padding=kernel // 2).mean().item()
        """,
        "on the padding": """
            def inside(kernel, size):
                ones = torch.ones(1, 1, size, size)
                hits = F.conv2d(ones, torch.ones(1, 1, kernel, kernel), padding=kernel // 2)
                return 1 - hits.mean().item() / kernel**2
        """,
    },
)
def check_inside(inside) -> None:
    cases = [(7, 7), (3, 7), (7, 2), (5, 4), (3, 1), (7, 56), (1, 9)]
    got = [inside(*case) for case in cases]
    true = []
    for kernel, size in cases:  # every weight at every position, counted
        reach = range(-(kernel // 2), kernel // 2 + 1)
        hits = sum(
            0 <= i + a < size and 0 <= j + b < size
            for i in range(size)
            for j in range(size)
            for a in reach
            for b in reach
        )
        true.append(hits / (kernel * size) ** 2)

    def all_are(values: list[float]) -> bool:
        return all(math.isclose(float(a), b, rel_tol=1e-4, abs_tol=1e-6) for a, b in zip(got, values, strict=True))

    if all_are(true):
        return
    if all_are([value**0.5 for value in true]):
        raise Wrong("This is the share along one axis: a square kernel loses weights on both.")
    if all_are([value * kernel**2 for value, (kernel, _) in zip(true, cases, strict=True)]):
        raise Wrong("This is the mean number of weights on the map; divide by the number of weights of the kernel.")
    if all_are([1 - value for value in true]):
        raise Wrong("This is the share that falls on the padding.")
    if all_are([min(1.0, size / kernel) ** 2 for kernel, size in cases]):
        raise Wrong("You looked at the middle of the map only; at its edges part of every kernel hangs over.")
    (kernel, size), value, right = next(
        t for t in zip(cases, got, true, strict=True) if not math.isclose(t[1], t[2], rel_tol=1e-4)
    )
    raise Wrong(f"A kernel of {kernel} on a map of {size} x {size}: {right:.3f} are inside; yours says {value:.3f}.")


@exercise(
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
    wrong={
        "not a network": "my_network = 0.8",
        "batch norm": "my_network = models.get_model('resnet20_tiny')",
        "at most 3 million": "my_network = models.get_model('convnext_tiny_tiny', width=48)",
        "at least 50 %": "my_network = models.get_model('convnext_tiny_tiny', width=12)",
    },
)
def check_own_network(my_network) -> None:
    if not isinstance(my_network, nn.Module):
        raise Wrong(f"my_network is a {type(my_network).__name__}, not a network.")
    if any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in my_network.modules()):
        raise Wrong("Your network has a batch norm; this exercise is about networks without one.")
    spent = measure.cost(my_network, (3, 32, 32)).macs
    if spent > 3e6:
        raise Wrong(f"Your network has {spent / 1e6:.2f} million mult-adds; at most 3 million are allowed.")
    accuracy = evaluate(my_network, data.load("street_digits", train=1000, test=1000, seed=1).test).accuracy
    if accuracy < 0.5:
        raise Wrong(f"On 1,000 fresh street digits your network reads {accuracy:.0%}; at least 50 % is asked for.")
