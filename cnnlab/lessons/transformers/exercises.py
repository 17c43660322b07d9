"""Lesson 14, without convolutions: its exercises."""

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import data, measure
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.lessons.transformers.study import small_vit
from cnnlab.models.vit import SelfAttention, ViT
from cnnlab.training import Run, evaluate

# The exercises


@exercise(
    "14.patches",
    points=3,
    stub='''
        def embed(images, weight, bias):
            """images: (N, C, H, W); weight: (D, C, P, P), a convolution's; bias: (D,).
            Returns (N, H/P * W/P, D): one token for each patch, row by row, without a convolution."""
            ...
    ''',
    solution="""
        def embed(images, weight, bias):
            n, c, h, w = images.shape
            p = weight.shape[-1]
            patches = images.reshape(n, c, h // p, p, w // p, p).permute(0, 2, 4, 1, 3, 5)
            return patches.reshape(n, (h // p) * (w // p), c * p * p) @ weight.flatten(1).T + bias
    """,
    hints=[
        "A patch is C * P * P numbers, and a token is one linear layer of them: patches @ weight.flatten(1).T + bias.",
        "Split both sides: (N, C, H/P, P, W/P, P). Which order of these six axes gives patches first and, inside a"
        " patch, the order of weight.flatten(1)?",
        "permute(0, 2, 4, 1, 3, 5), then reshape.",
    ],
    wrong={
        "without the bias": """
            def embed(images, weight, bias):
                p = weight.shape[-1]
                return F.unfold(images, p, stride=p).transpose(1, 2) @ weight.flatten(1).T
        """,
        "column by column": """
            def embed(images, weight, bias):
                n, c, h, w = images.shape
                p = weight.shape[-1]
                patches = images.reshape(n, c, h // p, p, w // p, p).permute(0, 4, 2, 1, 3, 5)
                return patches.reshape(n, (h // p) * (w // p), c * p * p) @ weight.flatten(1).T + bias
        """,
        "inside a patch": """
            def embed(images, weight, bias):
                n, c, h, w = images.shape
                p = weight.shape[-1]
                patches = images.reshape(n, c, h // p, p, w // p, p).permute(0, 2, 4, 3, 5, 1)
                return patches.reshape(n, (h // p) * (w // p), c * p * p) @ weight.flatten(1).T + bias
        """,
        "never permuted": """
            def embed(images, weight, bias):
                n, c, h, w = images.shape
                p = weight.shape[-1]
                return images.reshape(n, (h // p) * (w // p), c * p * p) @ weight.flatten(1).T + bias
        """,
        "overlap": """
            def embed(images, weight, bias):
                return F.unfold(images, weight.shape[-1]).transpose(1, 2) @ weight.flatten(1).T + bias
        """,
        "(N, D, tokens)": """
            def embed(images, weight, bias):
                return F.conv2d(images, weight, bias, stride=weight.shape[-1]).flatten(2)
        """,
    },
)
def check_patches(embed) -> None:
    generator = torch.Generator().manual_seed(0)
    for n, c, h, w, p, d in ((2, 3, 8, 12, 4, 7), (1, 2, 6, 6, 3, 5)):
        images, weight, bias = (torch.randn(s, generator=generator) for s in ((n, c, h, w), (d, c, p, p), (d,)))
        maps = F.conv2d(images, weight, bias, stride=p)
        true = maps.flatten(2).transpose(1, 2)
        got = embed(images, weight, bias)
        tokens = true.shape[1]
        if tuple(got.shape) == (n, d, tokens):
            raise Wrong("Yours is (N, D, tokens): the numbers of a token come last.")
        if got.ndim == 3 and got.shape[1] > tokens:
            raise Wrong(f"You made {got.shape[1]} tokens where {tokens} were asked for: patches do not overlap.")
        if got.shape != true.shape:
            raise Wrong(f"The result must be {tuple(true.shape)} here; yours is {tuple(got.shape)}.")
        if torch.allclose(got, true, atol=1e-4):
            continue
        raw = images.reshape(n, tokens, -1)
        last = images.reshape(n, c, h // p, p, w // p, p).permute(0, 2, 4, 3, 5, 1).reshape(n, tokens, -1)
        flat = weight.flatten(1).T
        diagnoses = [
            (true - bias, "The tokens are without the bias."),
            (
                maps.transpose(2, 3).flatten(2).transpose(1, 2),
                "Your patches go column by column, the tokens row by row.",
            ),
            (last @ flat + bias, "The order inside a patch is not the weights': there the channel comes first."),
            (
                raw @ flat + bias,
                "You cut the image's numbers in order, but never permuted the axes: a patch is P rows.",
            ),
        ]
        for values, diagnosis in diagnoses:
            if torch.allclose(got, values, atol=1e-4):
                raise Wrong(diagnosis)
        raise Wrong("The values are not those of a convolution with stride P.")


@exercise(
    "14.attend",
    points=2,
    stub='''
        def attend(queries, keys, values):
            """Each (tokens, d). Returns (tokens, d): for each query the mean of the values, weighted by the softmax
            of its products with the keys over the square root of d. No scaled_dot_product_attention."""
            ...
    ''',
    solution="""
        def attend(queries, keys, values):
            scores = queries @ keys.T / queries.shape[-1] ** 0.5
            return scores.softmax(-1) @ values
    """,
    hints=[
        "queries @ keys.T is a table with a row for each query and a column for each key.",
        "The weights of one query add up to 1: softmax along its row. Then weights @ values.",
    ],
    wrong={
        "square root": """
            def attend(queries, keys, values):
                return (queries @ keys.T).softmax(-1) @ values
        """,
        "by d itself": """
            def attend(queries, keys, values):
                return (queries @ keys.T / queries.shape[-1]).softmax(-1) @ values
        """,
        "over the queries": """
            def attend(queries, keys, values):
                return (queries @ keys.T / queries.shape[-1] ** 0.5).softmax(0) @ values
        """,
        "change places": """
            def attend(queries, keys, values):
                return (keys @ queries.T / queries.shape[-1] ** 0.5).softmax(-1) @ values
        """,
        "no softmax": """
            def attend(queries, keys, values):
                return (queries @ keys.T / queries.shape[-1] ** 0.5) @ values
        """,
    },
)
def check_attend(attend) -> None:
    generator = torch.Generator().manual_seed(0)
    for tokens, d in ((5, 4), (7, 9)):
        q, k, v = torch.randn(3, tokens, d, generator=generator).unbind()
        got = attend(q, k, v)
        if tuple(got.shape) != (tokens, d):
            raise Wrong(f"The result must be {(tokens, d)} here; yours is {tuple(got.shape)}.")
        if torch.allclose(got, F.scaled_dot_product_attention(q[None], k[None], v[None])[0], atol=1e-4):
            continue
        scores = q @ k.T / d**0.5
        diagnoses = [
            ((scores * d**0.5).softmax(-1) @ v, "The division by the square root of d is missing."),
            ((scores / d**0.5).softmax(-1) @ v, "You divided by d itself, not by its square root."),
            (scores.softmax(0) @ v, "Your softmax goes over the queries: a query's own weights must add up to 1."),
            (scores.T.softmax(-1) @ v, "Let queries and keys change places: the rows belong to the queries."),
            (scores @ v, "There is no softmax: the weights may be negative and need not add up to 1."),
        ]
        for values, diagnosis in diagnoses:
            if torch.allclose(got, values, atol=1e-4):
                raise Wrong(diagnosis)
        raise Wrong("The values are not the attention's. Begin with one query, and compare with a weighted mean.")


@exercise(
    "14.attention-cost",
    points=2,
    stub='''
        def attention_macs(size, patch, width):
            """Mult-adds of the two products of one attention layer, q with k and weights with v, for a square
            image of `size` pixels in patches of `patch`, with the class token; the heads' widths add up to width."""
            ...
    ''',
    solution="""
        def attention_macs(size, patch, width):
            tokens = (size // patch) ** 2 + 1
            return 2 * tokens * tokens * width
    """,
    hints=[
        "How many tokens are there? Each meets each. What does one meeting cost in q with k?",
        "One head's product costs tokens * tokens * (width / heads), and there are heads of them. Then the other.",
    ],
    wrong={
        "class token": """
            def attention_macs(size, patch, width):
                return 2 * (size // patch) ** 4 * width
        """,
        "two products": """
            def attention_macs(size, patch, width):
                return ((size // patch) ** 2 + 1) ** 2 * width
        """,
        "each meets each": """
            def attention_macs(size, patch, width):
                return 2 * ((size // patch) ** 2 + 1) * width
        """,
        "patches on a side": """
            def attention_macs(size, patch, width):
                return 2 * (size // patch + 1) ** 2 * width
        """,
        "linear layers": """
            def attention_macs(size, patch, width):
                tokens = (size // patch) ** 2 + 1
                return 2 * tokens * tokens * width + 4 * tokens * width * width
        """,
    },
)
def check_attention_cost(attention_macs) -> None:
    cases = [(224, 16, 768), (32, 8, 64), (64, 4, 48)]
    got = [attention_macs(*case) for case in cases]
    diagnoses = [
        (lambda s, p, w: 2 * (s // p) ** 4 * w, "Nearly: the class token is a token too, and meets all others."),
        (lambda s, p, w: ((s // p) ** 2 + 1) ** 2 * w, "There are two products: q with k, and the weights with v."),
        (
            lambda s, p, w: 2 * ((s // p) ** 2 + 1) * w,
            "Every token costs you the same, but each meets each: square it.",
        ),
        (lambda s, p, w: 2 * (s // p + 1) ** 2 * w, "You counted the patches on a side, not in the image."),
        (
            lambda s, p, w: 2 * ((s // p) ** 2 + 1) ** 2 * w + 4 * ((s // p) ** 2 + 1) * w * w,
            "You counted the linear layers before and after too; the question is only about the two products.",
        ),
    ]
    for formula, diagnosis in diagnoses:
        if got == [formula(*case) for case in cases]:
            raise Wrong(diagnosis)
    for (size, patch, width), value in zip(cases, got, strict=True):
        true = _product_macs(size, patch, width)
        if value != true:
            raise Wrong(f"For {size} pixels, patches of {patch} and width {width} it is {true:,}; yours is {value:,}.")


def _product_macs(size: int, patch: int, width: int) -> int:
    """Counted in the network: all that an attention layer does, without its two linear layers."""
    with torch.device("meta"):
        layers = measure.cost(ViT(size, patch, width, depth=1, heads=4, mlp_width=8), size).layers
    tokens = (size // patch) ** 2 + 1
    return sum(layer.macs for layer in layers if ".attention." in layer.name) - 4 * tokens * width * width


_SHIFTED = (  # the networks of the question below, in its order
    "three convolutions of stride 1",
    "three convolutions, two of stride 2",
    "a ViT with patches of 8, its positions taken away",
    "the same ViT with its positions",
)


@exercise(
    "14.shift",
    points=3,
    stub="""
        smallest_shifts = (..., ..., ..., ...)
    """,
    solution="""
        smallest_shifts = (1, 4, 8, 32)
    """,
    hints=[
        "A convolution of stride 1 moves its output with its input, and a mean over all places does not ask where.",
        "A stride of 2 looks at every second place: an odd shift shows it other pixels. And two strides of 2?",
        "Without positions a ViT sees a bag of patches. When does a shift leave every patch whole? With positions,"
        " which shift of a picture of 32 pixels changes nothing at all?",
    ],
    wrong={
        "four numbers": "smallest_shifts = (1, 4, 8)",
        "three convolutions of stride 1": "smallest_shifts = (32, 4, 8, 32)",
        "every second place": "smallest_shifts = (1, 1, 8, 32)",
        "of every four": "smallest_shifts = (1, 2, 8, 32)",
        "cuts through": "smallest_shifts = (1, 4, 1, 32)",
        "other vectors": "smallest_shifts = (1, 4, 8, 8)",
        "smaller shift": "smallest_shifts = (1, 4, 16, 32)",
    },
)
def check_shift(smallest_shifts) -> None:
    if not isinstance(smallest_shifts, (tuple, list)) or len(smallest_shifts) != 4:
        raise Wrong("Give four numbers, (a, b, c, d), one for each network.")
    if any(not isinstance(shift, int) or shift < 1 for shift in smallest_shifts):
        raise Wrong("Each is a whole number of pixels, 1 or more.")
    _, b, c, d = smallest_shifts
    if b == 1:
        raise Wrong("A stride of 2 looks at every second place only: shifted by one, it sees the pixels in between.")
    if b == 2:
        raise Wrong("Two strides of 2, one after the other, look at one place of every four.")
    if c < 8:
        raise Wrong(f"A shift by {c} cuts through the patches: each then holds other pixels than before.")
    if d < 32 and d % 8 == 0:
        raise Wrong(
            f"Shifted by {d} the patches are whole, but they get other vectors added: positions are for places."
        )
    true = _smallest_shifts()
    for name, shift, right in zip(_SHIFTED, smallest_shifts, true, strict=True):
        if shift != right:
            if shift % right == 0 and shift < 32:
                raise Wrong(f"For {name}: {shift} leaves the logits as they are, but so does a smaller shift.")
            raise Wrong(f"For {name}, {shift} is not the smallest shift that leaves the logits as they are.")


@torch.no_grad()
def _smallest_shifts() -> list[int]:
    """Tried: the first shift of a picture, circular in both directions, that leaves the logits as they are."""
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 3, 32, 32, generator=generator, dtype=torch.float64)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks = [_three_convolutions(1), _three_convolutions(2), small_vit(), small_vit()]
    for vit in networks[2:]:
        nn.init.normal_(vit.head[-1].weight, generator=generator)  # it begins at zero, and would hide everything
    nn.init.zeros_(networks[2].stem.positions.pos_embedding)
    found = []
    for network in networks:
        network.double().eval()
        logits = network(image)
        shifts = range(1, 33)
        found.append(
            next(s for s in shifts if torch.allclose(network(image.roll((s, s), (2, 3))), logits, atol=1e-9, rtol=0))
        )
    return found


def _three_convolutions(stride: int) -> nn.Module:
    layers = [nn.Conv2d(3, 8, 3, 1, 1, padding_mode="circular"), nn.ReLU()]
    for _ in range(2):
        layers += [nn.Conv2d(8, 8, 3, stride, 1, padding_mode="circular"), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))


@exercise(
    "14.help-it",
    points=3,
    stub="""
        torch.manual_seed(0)
        my_vit = models.get_model("vit_b_16_tiny", depth=2, mlp_width=128)
        my_run = ...
    """,
    solution="""
        torch.manual_seed(0)
        my_vit = models.get_model("vit_b_16_tiny", depth=2, mlp_width=128)
        nn.init.normal_(my_vit.stem.positions.pos_embedding)
        my_run = training.fit(my_vit, street, epochs=16, optimizer="adamw", lr=0.002, batch_size=32, precision="fp32")
    """,
    hints=[
        "The lesson's ViT needed hundreds of steps before anything happened. How many does one epoch have?",
        "nn.init.normal_(my_vit.stem.positions.pos_embedding) is how the lesson's positions begin. Batches of 32, AdamW"
        " with a rate of 0.002 and 16 epochs are enough; then look for what is better.",
    ],
    wrong={
        "not the run": "my_run = models.get_model('vit_b_16_tiny')",
        "attention": "my_run = training.fit(models.get_model('lenet5', in_channels=3), street, epochs=1)",
        "parameters": "my_run = training.fit(models.get_model('vit_b_16_tiny', width=128, depth=2), street, epochs=1)",
        "fresh street digits": "my_run = training.fit(models.get_model('vit_b_16_tiny', depth=2), street, epochs=1)",
    },
)
def check_help_it(my_run) -> None:
    if not isinstance(my_run, Run):
        raise Wrong(f"my_run is a {type(my_run).__name__}, not the run that training.fit returns.")
    if sum(isinstance(module, SelfAttention) for module in my_run.model.modules()) < 2:
        raise Wrong("Your network has fewer than two layers of attention: keep the transformer, and help it.")
    params = sum(p.numel() for p in my_run.model.parameters())
    if params > 200_000:
        raise Wrong(f"Your network has {params:,} parameters: at most 200,000, or size could do what ideas should.")
    accuracy = evaluate(my_run.model, data.load("street_digits", train=1000, test=1000, seed=1).test).accuracy
    if accuracy < 0.35:
        raise Wrong(f"On 1,000 fresh street digits your network reads {accuracy:.0%}; at least 35 % is asked for.")
