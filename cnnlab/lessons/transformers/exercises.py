"""Lesson 14, without convolutions: its exercises."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from cnnlab.lessons.compare import kind, number
from cnnlab.lessons.exercise import Wrong, edit, exercise, source, when
from cnnlab.lessons.runs import reads_digits, trained
from cnnlab.models.vit import SelfAttention

PATCHES = [  # images and kernels; in the second one wrong matches of axes fit too
    ((1, 1, 2, 4), (1, 1, 2, 2)),
    ((4, 4, 4, 4), (4, 4, 2, 2)),
    ((2, 3, 8, 12), (7, 3, 4, 4)),
    ((3, 2, 6, 15), (5, 2, 3, 3)),
]


def images_and_kernels() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    first = torch.tensor([[[[1.0, 2.0, 3.0, 5.0], [0.0, 4.0, 1.0, 2.0]]]]), torch.tensor([[[[1.0, -2.0], [3.0, 0.5]]]])
    found = [(*first, torch.tensor([0.25]))]
    for images, kernel in PATCHES[1:]:
        found.append(tuple(torch.randn(s, generator=generator) for s in (images, kernel, kernel[:1])))
    return found


def one_token_more(results: list) -> bool:
    tokens = [images[2] * images[3] // kernel[2] ** 2 for images, kernel in PATCHES]
    return [result.shape[1] for result in results] == [count + 1 for count in tokens]


exercise(
    "14.patches",
    points=3,
    stub='''
        def embed(images, weight, bias):
            """images: (N, C, H, W); weight: (D, C, P, P), a convolution's; bias: (D,).
            Returns (N, H/P * W/P, D): one token for each patch, row by row.
            No convolution."""
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
    cases=images_and_kernels,
    forbid={
        "conv1d conv2d conv3d convolution conv_transpose2d": "Here a convolution is not allowed: cut the patches, and "
        "multiply them by the weights."
    },
    wrong=[
        edit(" + bias", "", "The tokens are without the bias."),
        edit("(0, 2, 4, 1, 3, 5)", "(0, 4, 2, 1, 3, 5)", "Your patches go column by column, the tokens row by row."),
        edit(
            "(0, 2, 4, 1, 3, 5)",
            "(0, 2, 4, 3, 5, 1)",
            "The order inside a patch is not the weights': there the channel comes first.",
        ),
        edit(
            "(0, 2, 4, 1, 3, 5)",
            "(0, 2, 4, 1, 5, 3)",
            "Inside a patch you go column by column; the weights go row by row.",
        ),
        edit(
            "(0, 2, 4, 1, 3, 5)",
            "(0, 2, 4, 5, 3, 1)",
            "The order inside a patch is not the weights': there it is channel, then row, then column.",
        ),
        edit(
            "(0, 2, 4, 1, 3, 5)",
            "(0, 2, 4, 3, 1, 5)",
            "The order inside a patch is not the weights': there it is channel, then row, then column.",
        ),
        edit(
            ".permute(0, 2, 4, 1, 3, 5)",
            "",
            "You cut the image's numbers in order, but never permuted the axes: a patch is P rows.",
        ),
        source(
            """
            def embed(images, weight, bias):
                n, c, h, w = images.shape
                p = weight.shape[-1]
                patches = images.reshape(n, c, (h // p) * (w // p), p * p).permute(0, 2, 1, 3)
                return patches.reshape(n, (h // p) * (w // p), c * p * p) @ weight.flatten(1).T + bias
            """,
            "You cut each map's numbers in order: a patch is P rows of P pixels, not a run of P * P pixels.",
        ),
        source(
            """
            def embed(images, weight, bias):
                n, c, h, w = images.shape
                p = weight.shape[-1]
                patches = images.reshape(n, c, p, h // p, p, w // p).permute(0, 3, 5, 1, 2, 4)
                return patches.reshape(n, (h // p) * (w // p), c * p * p) @ weight.flatten(1).T + bias
            """,
            "Your patches are spread over the image: split a side into (H/P, P), which patch first, then where in it.",
        ),
        source(
            """
            def embed(images, weight, bias):
                return F.unfold(images, weight.shape[-1]).transpose(1, 2) @ weight.flatten(1).T + bias
            """,
            "Your patches overlap: the next one begins where the last one ends.",
        ),
        source(
            """
            def embed(images, weight, bias):
                patches = F.unfold(images, weight.shape[-1], stride=weight.shape[-1]).transpose(1, 2)
                return (patches @ weight.flatten(1).T + bias).transpose(1, 2)
            """,
            "Yours is (N, D, tokens): the numbers of a token come last.",
        ),
        source(
            """
            def embed(images, weight, bias):
                n, c, h, w = images.shape
                p = weight.shape[-1]
                patches = images.reshape(n, c, h // p, p, w // p, p).permute(0, 2, 4, 1, 3, 5)
                return patches.reshape(n, h // p, w // p, c * p * p) @ weight.flatten(1).T + bias
            """,
            "Yours is a map of tokens, (N, H/P, W/P, D); here they stand in one row, (N, H/P * W/P, D).",
        ),
        source(
            """
            def embed(images, weight, bias):
                n, c, h, w = images.shape
                p = weight.shape[-1]
                patches = images.reshape(n, c, h // p, p, w // p, p).permute(0, 2, 4, 1, 3, 5)
                return patches.reshape(n, (h // p) * (w // p), c * p * p)
            """,
            "These are the patches themselves; a token is a linear layer of one: @ weight.flatten(1).T + bias.",
        ),
        when(
            one_token_more,
            """
            def embed(images, weight, bias):
                p = weight.shape[-1]
                tokens = F.unfold(images, p, stride=p).transpose(1, 2) @ weight.flatten(1).T + bias
                return torch.cat([torch.zeros(len(tokens), 1, len(weight)), tokens], dim=1)
            """,
            "There is one token more than there are patches: leave out the class token, it is added later.",
        ),
        edit(
            "weight.flatten(1).T",
            "weight.reshape(c * p * p, -1)",
            "The weights were cut anew, not transposed: weight.flatten(1) is (D, C * P * P), and .T turns it.",
        ),
        edit(
            "weight.flatten(1).T",
            "weight.flip(2, 3).flatten(1).T",
            "You turned the kernels around; PyTorch's convolution lays them on the image as they are.",
        ),
        edit(
            "images.shape",
            "images[..., : images.shape[2]].shape",
            "images.reshape",
            "images[..., : images.shape[2]].reshape",
            "You took the height for the width: an image need not be square.",
        ),
        edit(
            "c * p * p) @",
            "c * p * p) / (c * p * p) @",
            "You divided by the numbers in a patch: a convolution sums, it takes no mean.",
        ),
    ],
)


def queries_keys_values() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    first = [
        [[1.0, 0.0], [0.0, 2.0], [1.0, -1.0]],
        [[2.0, 1.0], [0.0, 1.0], [-1.0, 0.5]],
        [[1.0, 5.0], [2.0, 0.0], [4.0, 3.0]],
    ]
    shapes = ((4, 4), (5, 3), (7, 9))  # in the first of these wrong matches of axes fit too
    return [tuple(map(torch.tensor, first))] + [torch.randn(3, *s, generator=generator).unbind() for s in shapes]


exercise(
    "14.attend",
    points=2,
    stub='''
        def attend(queries, keys, values):
            """Each (tokens, d). Returns (tokens, d): for each query the mean of the values,
            weighted by the softmax of its products with the keys over the square root of d.
            No scaled_dot_product_attention."""
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
    cases=queries_keys_values,
    forbid={
        "scaled_dot_product_attention multi_head_attention_forward _native_multi_head_attention MultiheadAttention": (
            "Here scaled_dot_product_attention and layers that use it are not allowed: write the products and "
            "the softmax."
        )
    },
    wrong=[
        edit(" / queries.shape[-1] ** 0.5", "", "The division by the square root of d is missing."),
        edit(" ** 0.5", "", "You divided by d itself, not by its square root."),
        edit("/ queries", "* queries", "You multiplied by the square root of d; divide by it."),
        edit(
            "queries.shape[-1]",
            "queries.shape[0]",
            "You divided by the root of the number of tokens; it is that of d, the length of a query.",
        ),
        edit(
            "softmax(-1)", "softmax(0)", "Your softmax goes over the queries: a query's own weights must add up to 1."
        ),
        edit(
            "queries @ keys.T",
            "keys @ queries.T",
            "Let queries and keys change places: the rows belong to the queries.",
        ),
        edit(
            "scores.softmax(-1)",
            "scores.softmax(-1).T",
            "The table of weights is turned: its rows belong to the queries, so no .T before @ values.",
        ),
        edit(
            "scores.softmax(-1)", "scores", "There is no softmax: the weights may be negative and need not add up to 1."
        ),
        edit(
            "scores.softmax(-1)",
            "scores.sigmoid()",
            "A sigmoid looks at each score alone; with a softmax the weights of a query add up to 1.",
        ),
        edit(
            "scores.softmax(-1)",
            "scores.exp()",
            "The exponentials are not divided by their sum: a query's weights must add up to 1.",
        ),
        edit(
            "scores.softmax(-1)",
            "(scores / scores.sum(-1, keepdim=True))",
            "You divided the scores by their sum, without the exponentials: that is no softmax.",
        ),
        edit(
            "scores.softmax(-1)",
            "scores.log_softmax(-1)",
            "These are the logarithms of the weights: softmax, not log_softmax.",
        ),
        edit(
            "scores.softmax(-1)",
            "scores.flatten().softmax(0).view_as(scores)",
            "Your softmax goes over the whole table: each query's weights must add up to 1.",
        ),
        edit(
            "scores.softmax(-1)",
            "F.one_hot(scores.argmax(-1), len(keys)).float()",
            "You took the value of the best key only; all values count, by their weights.",
        ),
        edit(
            "scores.softmax(-1)",
            "scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -math.inf).softmax(-1)",
            "You masked the tokens after the query; here each query sees all keys.",
        ),
        source(
            """
            def attend(queries, keys, values):
                return (queries @ keys.T).softmax(-1) / queries.shape[-1] ** 0.5 @ values
            """,
            "The division by the square root of d stands inside the softmax; yours comes after it.",
        ),
        source(
            """
            def attend(queries, keys, values):
                return values @ (queries.T @ keys / queries.shape[-1] ** 0.5).softmax(-1)
            """,
            "Your table has a row and a column for each channel, (d, d); it is for tokens: queries @ keys.T.",
        ),
        source(
            """
            def attend(queries, keys, values):
                return values @ (keys.T @ queries / queries.shape[-1] ** 0.5).softmax(-1)
            """,
            "Your table has a row and a column for each channel, (d, d); it is for tokens: queries @ keys.T.",
        ),
        edit(
            "scores.softmax(-1)",
            "(scores.clamp(min=0) / (scores.clamp(min=0).sum(-1, keepdim=True) + 1e-9))",
            "You divided the scores by their sum, without the exponentials: that is no softmax.",
        ),
        edit(" @ values", "", "These are the weights; the mean of the values is weights @ values."),
        edit("@ values", "@ keys", "You averaged the keys; the weights belong to the values."),
        edit("@ values", "@ queries", "You averaged the queries; the weights belong to the values."),
        edit("keys.T", "values.T", "The scores are of queries and keys; you used the values in place of the keys."),
        edit(
            "queries @ keys.T", "queries @ queries.T", "The scores are of queries and keys; you used the queries twice."
        ),
        edit("queries @ keys.T", "keys @ keys.T", "The scores are of queries and keys; you used the keys twice."),
        edit(
            "scores.softmax(-1) @ values",
            "values + scores.softmax(-1) @ values",
            "You added the values once more: there is no shortcut inside attention.",
        ),
    ],
)


exercise(
    "14.attention-cost",
    points=2,
    stub='''
        def attention_macs(size, patch, width):
            """Mult-adds of the two products of one attention layer, q with k and weights with
            v, for a square image of `size` pixels in patches of `patch`, with the class token.
            The heads' widths add up to width."""
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
    cases=[(4, 2, 3), (32, 8, 64), (64, 4, 48), (224, 16, 768)],
    wrong=[
        edit(" + 1", "", "Nearly: the class token is a token too, and meets all others."),
        edit("2 * tokens", "tokens", "There are two products: q with k, and the weights with v."),
        edit("2 * tokens", "4 * tokens", "You counted multiplications and additions apart; a mult-add is one of each."),
        edit(
            "2 * tokens",
            "3 * tokens",
            "There are two products, q with k and the weights with v: that there are three tables makes no third.",
        ),
        edit("tokens * tokens", "tokens", "Every token costs you the same, but each meets each: square it."),
        edit("(size // patch) ** 2 + 1", "size // patch + 1", "You counted the patches on a side, not in the image."),
        edit(
            "(size // patch) ** 2 + 1",
            "size // patch",
            "You counted the patches on a side, not in the image, and the class token is one more.",
        ),
        edit(
            "(size // patch) ** 2 + 1",
            "(size // patch + 1) ** 2",
            "There is one class token, not one for each row and column.",
        ),
        edit("(size // patch) ** 2 + 1", "size**2 + 1", "You counted pixels; the tokens are patches."),
        edit(
            "(size // patch) ** 2 + 1",
            "size**2 // patch + 1",
            "A patch has `patch` pixels on each side: divide both sides of the image by it.",
        ),
        edit(
            "(size // patch) ** 2 + 1",
            "size // patch**2 + 1",
            "Divide a side of the image by a side of the patch, then square.",
        ),
        edit(
            "return 2 * tokens * tokens * width",
            "return 2 * tokens * tokens * width + 4 * tokens * width * width",
            "You counted the linear layers before and after too; the question is only about the two products.",
        ),
        edit(
            "return 2 * tokens * tokens * width",
            "return 4 * tokens * width * width",
            "These are the four linear layers; the question is about the two products between them.",
        ),
        edit(
            "return 2 * tokens * tokens * width",
            "return 2 * tokens * tokens * width + tokens * tokens",
            "You counted the softmax or the scaling too; the question is only about the two products.",
        ),
        edit("* width", "* width * width", "A meeting of two tokens costs width mult-adds, not the square of it."),
        edit(
            "tokens * tokens * width",
            "tokens * width * width",
            "Here it is the tokens that are squared, each meets each, and not the width.",
        ),
        edit(" * width", "", "A meeting of two tokens is not one mult-add: it is one for each of their width numbers."),
        edit(
            "tokens * tokens",
            "tokens * (tokens - 1) // 2",
            "Every token meets every other twice, as query and as key, and itself: the table is tokens x tokens.",
        ),
        edit("tokens * tokens", "tokens * (tokens - 1)", "A token meets itself too: the table is tokens x tokens."),
    ],
)


exercise(
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
    wrong=[
        when(
            lambda shifts: any(number(shift) is None for shift in shifts),
            "smallest_shifts = (1, 4, 8, None)",
            "Each is a whole number of pixels: for each of the four networks there is such a shift.",
        ),
        when(
            lambda shifts: any(shift < 1 for shift in shifts),
            "smallest_shifts = (0, 4, 8, 32)",
            "A shift is 1 pixel or more: none at all changes nothing anywhere.",
        ),
        when(
            lambda shifts: any(shift % 1 for shift in shifts),
            "smallest_shifts = (1, 4, 8, 32.5)",
            "Each is a whole number of pixels.",
        ),
        when(
            lambda shifts: shifts[0] > 1,
            "smallest_shifts = (32, 4, 8, 32)",
            "For the three convolutions of stride 1 a smaller shift leaves the logits as they are: their output "
            "moves with "
            "their input, pixel by pixel, and the mean does not ask where.",
        ),
        when(
            lambda shifts: shifts[1] == 1,
            "smallest_shifts = (1, 1, 8, 32)",
            "A stride of 2 looks at every second place only: shifted by one, it sees the pixels in between.",
        ),
        when(
            lambda shifts: shifts[1] == 2,
            "smallest_shifts = (1, 2, 8, 32)",
            "Two strides of 2, one after the other, look at one place of every four.",
        ),
        when(
            lambda shifts: shifts[1] != 4 and shifts[1] % 4 == 0,
            "smallest_shifts = (1, 32, 8, 32)",
            "For the three convolutions with strides of 2 a smaller shift leaves the logits as they are, too.",
        ),
        when(
            lambda shifts: shifts[1] != 4,
            "smallest_shifts = (1, 3, 8, 32)",
            "With two strides of 2 the last convolution sees other pixels after your shift: which shifts move "
            "its output "
            "by whole places?",
        ),
        when(
            lambda shifts: shifts[2] % 8,
            "smallest_shifts = (1, 4, 1, 32)",
            "The shift for the ViT without positions cuts through the patches: each then holds other pixels than "
            "before.",
        ),
        when(
            lambda shifts: shifts[2] != 8,
            "smallest_shifts = (1, 4, 16, 32)",
            "For the ViT without positions a smaller shift leaves the logits as they are, too: it sees a bag of "
            "patches.",
        ),
        when(
            lambda shifts: shifts[3] % 8 == 0 and shifts[3] < 32,
            "smallest_shifts = (1, 4, 8, 8)",
            "With positions: after your shift the patches are whole, but they get other vectors added: positions "
            "are for "
            "places.",
        ),
        when(
            lambda shifts: shifts[3] > 32,
            "smallest_shifts = (1, 4, 8, 64)",
            "For the ViT with positions a smaller shift leaves the logits as they are: think of the size of the "
            "picture.",
        ),
        when(
            lambda shifts: shifts[3] != 32,
            "smallest_shifts = (1, 4, 8, 1)",
            "The shift for the ViT with positions cuts through the patches: each then holds other pixels than before.",
        ),
    ],
)


def changes_without(shares: Tensor, values: Tensor) -> list[float]:
    """By how much the shared mean of the values moves when one token is left out, for each token."""
    result, found = shares @ values, []
    for token in range(len(values)):
        others = torch.arange(len(values)) != token
        rest = shares[others] / shares[others].sum()
        found.append((rest @ values[others] - result).norm().item())
    return found


def check_refuted(refute: Callable) -> None:
    given = refute()
    if not isinstance(given, (tuple, list)) or len(given) != 3:
        raise Wrong(f"Return query, keys and values; yours is {kind(given)}.")
    try:
        query, keys, values = (torch.as_tensor(part).detach().double() for part in given)
    except (TypeError, ValueError, RuntimeError):
        raise Wrong("query, keys and values are to be tensors of numbers.") from None
    if query.ndim != 1 or keys.ndim != 2 or values.ndim != 2 or keys.shape[1] != len(query):
        shapes = ", ".join(str(tuple(part.shape)) for part in (query, keys, values))
        raise Wrong(f"Their shapes are to be (d,), (tokens, d) and (tokens, d); yours are {shapes}.")
    if len(keys) != len(values):
        raise Wrong(f"There are {len(keys)} keys and {len(values)} values: a token has one of each.")
    shares = (keys @ query / len(query) ** 0.5).softmax(0)
    if not all(part.isfinite().all() for part in (shares, values)):
        raise Wrong("query, keys and values have numbers that are not finite.")
    top = int(shares.argmax())
    if shares[top] < 0.9:
        raise Wrong(f"The largest share is {shares[top]:.0%}; the sentence speaks of a token that has at least 90 %.")
    if len(keys) < 3:
        raise Wrong("With two tokens the sentence is right: leaving out the one with the larger share changes more.")
    changes = changes_without(shares, values)
    most = max(changes[:top] + changes[top + 1 :])
    if most < 1e-9:
        rest = shares[torch.arange(len(shares)) != top].sum()
        why = f" Together they get only {rest:.0e} of the shares: let them have nearer to 10 %." if rest < 1e-6 else ""
        raise Wrong(
            f"Leaving out any of the other tokens changes nothing, so none matters more than the one looked at.{why}"
        )
    if changes[top] > most / 10:
        why = ""
        if not values[top].any():
            why = " A value of zero does not help by itself: without it the other shares grow until they add up to 1."
        raise Wrong(
            f"Without the token that was looked at the result changes by {changes[top]:.3g}, without another one by at"
            f" most {most:.3g}: the first is to be less than a tenth of the second.{why}"
        )


exercise(
    "14.looked-there",
    points=3,
    stub='''
        def refute():
            """Returns query (d,), keys (tokens, d) and values (tokens, d). One token has at
            least 90 % of the shares, and leaving it out changes the result less than a tenth
            as much as leaving out some other token."""
            ...
    ''',
    solution="""
        def refute():
            query = torch.tensor([1.0, 0.0])
            keys = torch.tensor([[6.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
            values = torch.tensor([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
            return query, keys, values
    """,
    hints=[
        "Two tokens are too few. Let the first of three have a key that agrees with the query, and the other two not.",
        "Leave out the first token: the shares of the other two grow until they add up to 1. Which values of theirs"
        " give the same mean then as before?",
        "Let the first value be 0, and the other two cancel each other as long as both are there.",
    ],
    check=check_refuted,
    wrong=[
        source("def refute():\n    return torch.ones(3)", "Return query, keys and values"),
        source("def refute():\n    return 'a', 'b', 'c'", "tensors of numbers"),
        source("def refute():\n    return torch.ones(1, 2), torch.ones(3, 2), torch.ones(3, 2)", "Their shapes"),
        source("def refute():\n    return torch.ones(2), torch.ones(3, 2), torch.ones(4, 2)", "3 keys and 4 values"),
        source(
            "def refute():\n    return torch.ones(2), torch.ones(3, 2), torch.full((3, 2), torch.nan)", "not finite"
        ),
        edit("6.0", "1.0", "The largest share is"),
        edit("[1.0, 0.0], [-1.0, 0.0]", "[0.0, 0.0], [0.0, 0.0]", "changes nothing"),
        edit("6.0", "90.0", "let them have nearer to 10 %"),
        edit("[-1.0, 0.0]", "[0.0, 0.0]", "A value of zero does not help by itself"),
        edit("values = torch.tensor([[0.0, 0.0]", "values = torch.tensor([[1.0, 0.0]", "less than a tenth"),
        edit(
            ", [0.0, 0.0], [0.0, 0.0]]",
            ", [0.0, 0.0]]",
            ", [-1.0, 0.0]]",
            "]",
            "With two tokens the sentence is right",
        ),
    ],
)


def check_my_run(my_run: object) -> None:
    network = trained(my_run)
    if sum(isinstance(layer, (SelfAttention, nn.MultiheadAttention)) for layer in network.modules()) < 2:
        raise Wrong("Your network has fewer than two layers of attention: keep the transformer, and help it.")
    reads_digits(trained(my_run, parameters=200_000), 0.90)


exercise(
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
        layers = []
        for into, out in ((3, 16), (16, 32), (32, 64)):
            layers += [nn.Conv2d(into, out, 3, stride=2, padding=1), nn.BatchNorm2d(out), nn.ReLU()]
        my_vit.stem.patches.project = nn.Sequential(*layers)
        my_vit.head = nn.Sequential(nn.LayerNorm(64), nn.Flatten(), nn.Linear(17 * 64, 10))
        options = {"optimizer": "adamw", "lr": 0.002, "batch_size": 32, "precision": "fp32"}
        my_run = training.fit(my_vit, data.load("street_digits", train=8000), epochs=8, **options)
    """,
    hints=[
        "The lesson's ViT stood still for hundreds of steps. What ended the waiting?",
        "The head on all tokens and the convolutional stem together, trained with AdamW at 0.002 for 8 epochs on 8,000"
        ' images, data.load("street_digits", train=8000), are enough.',
    ],
    check=check_my_run,
    wrong=[
        source("my_run = models.get_model('vit_b_16_tiny')", "not the run"),
        source("my_run = training.fit(models.get_model('lenet5', in_channels=3), street, epochs=1)", "attention"),
        source(
            "my_run = training.fit(models.get_model('vit_b_16_tiny', width=128, depth=2), street, epochs=1)",
            "parameters",
        ),
        source(
            "my_run = training.fit(models.get_model('vit_b_16_tiny', depth=2), street, epochs=1)", "fresh street digits"
        ),
    ],
)
