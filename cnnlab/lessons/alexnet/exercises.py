"""Lesson 02, AlexNet: its exercises."""

import math

import torch
from torch import nn

from cnnlab import data, measure
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.training import Run, evaluate


@exercise(
    "02.top-k",
    points=2,
    stub='''
        def top_k_error(logits, labels, k):
            """logits: (N, classes), labels: (N,). Returns the share, from 0 to 1, of images whose label
            is not among the k classes with the largest logits."""
            ...
    ''',
    solution="""
        def top_k_error(logits, labels, k):
            guesses = logits.topk(k, dim=1).indices
            hits = (guesses == labels[:, None]).any(dim=1)
            return 1 - hits.float().mean().item()
    """,
    hints=[
        "logits.topk(k, dim=1).indices is a table of k guesses for each image, the best one first.",
        "Compare that table with labels[:, None]. An image is right if any of its k guesses is; an error is the rest.",
    ],
    wrong={
        "how often it is right": """
            def top_k_error(logits, labels, k):
                return (logits.topk(k, dim=1).indices == labels[:, None]).any(dim=1).float().mean().item()
        """,
        "smallest": """
            def top_k_error(logits, labels, k):
                hits = (logits.topk(k, dim=1, largest=False).indices == labels[:, None]).any(dim=1)
                return 1 - hits.float().mean().item()
        """,
        "only the last of the k guesses": """
            def top_k_error(logits, labels, k):
                return (logits.topk(k, dim=1).indices[:, -1] != labels).float().mean().item()
        """,
        "only the first guess": """
            def top_k_error(logits, labels, k):
                return (logits.argmax(dim=1) != labels).float().mean().item()
        """,
        "divided by all guesses": """
            def top_k_error(logits, labels, k):
                return (logits.topk(k, dim=1).indices != labels[:, None]).float().mean().item()
        """,
        "how many": """
            def top_k_error(logits, labels, k):
                return (logits.topk(k, dim=1).indices != labels[:, None]).all(dim=1).sum().item()
        """,
    },
)
def check_top_k(top_k_error) -> None:
    logits = torch.rand(40, 7, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(40) % 7
    order = logits.argsort(dim=1, descending=True)
    place = (order == labels[:, None]).float().argmax(dim=1)  # of the label among the guesses, from 0
    ks = (1, 2, 3, 5)
    true = [(place >= k).float().mean().item() for k in ks]
    diagnoses = [
        ([1 - error for error in true], "This is how often it is right: the error is one minus that."),
        ([(place < 7 - k).float().mean().item() for k in ks], "You took the k smallest logits, and need the largest."),
        ([(place != k - 1).float().mean().item() for k in ks], "You compared only the last of the k guesses."),
        ([true[0]] * 4, "You compared only the first guess: a label among the first k is enough."),
        (
            [1 - (1 - error) / k for error, k in zip(true, ks, strict=True)],
            "You divided by all guesses, k for each image. An image is wrong where none of its k guesses is right.",
        ),
        ([40 * error for error in true], "This is how many images are wrong; divide by the number of images."),
        ([100 * error for error in true], "This is in percent; a share from 0 to 1 is asked for."),
    ]
    got = [top_k_error(logits, labels, k) for k in ks]
    got = [float(value) for value in got]

    def same(values: list[float]) -> bool:
        return all(math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-5) for a, b in zip(got, values, strict=True))

    if same(true):
        return
    for values, diagnosis in diagnoses:
        if same(values):
            raise Wrong(diagnosis)
    k, value, error = next(
        case for case in zip(ks, got, true, strict=True) if not math.isclose(*case[1:], rel_tol=1e-4, abs_tol=1e-5)
    )
    raise Wrong(f"For 40 images and k = {k} the top-{k} error is {error:.3f}; your function gives {value:.3f}.")


@exercise(
    "02.grouped",
    points=3,
    stub='''
        def grouped_convolution(inputs, outputs, kernel, groups, side):
            """A convolution with biases from `inputs` to `outputs` channels in `groups` groups, kernel x kernel,
            whose output map is side x side. Returns (parameters, mult-adds); biases are no mult-adds."""
            ...
    ''',
    solution="""
        def grouped_convolution(inputs, outputs, kernel, groups, side):
            weights = outputs * (inputs // groups) * kernel**2
            return weights + outputs, weights * side**2
    """,
    hints=[
        "Take one output channel. It sees inputs / groups channels, through a kernel for each. How many weights?",
        "All outputs together have outputs times as many, and one bias each. At each of side x side places every weight"
        " is used once.",
    ],
    wrong={
        "without groups": """
            def grouped_convolution(inputs, outputs, kernel, groups, side):
                weights = outputs * inputs * kernel**2
                return weights + outputs, weights * side**2
        """,
        "twice": """
            def grouped_convolution(inputs, outputs, kernel, groups, side):
                weights = (outputs // groups) * (inputs // groups) * kernel**2
                return weights + outputs, weights * side**2
        """,
        "bias belongs to an output": """
            def grouped_convolution(inputs, outputs, kernel, groups, side):
                weights = outputs * (inputs // groups) * kernel**2
                return weights + outputs // groups, weights * side**2
        """,
        "biases are missing": """
            def grouped_convolution(inputs, outputs, kernel, groups, side):
                weights = outputs * (inputs // groups) * kernel**2
                return weights, weights * side**2
        """,
        "counts the biases": """
            def grouped_convolution(inputs, outputs, kernel, groups, side):
                parameters = outputs * (inputs // groups) * kernel**2 + outputs
                return parameters, parameters * side**2
        """,
        "every place": """
            def grouped_convolution(inputs, outputs, kernel, groups, side):
                weights = outputs * (inputs // groups) * kernel**2
                return weights + outputs, weights
        """,
    },
)
def check_grouped(grouped_convolution) -> None:
    cases = [(96, 256, 5, 2, 27), (384, 384, 3, 2, 13), (8, 24, 3, 4, 10), (6, 9, 1, 3, 4), (3, 5, 7, 1, 6)]
    diagnoses = [
        (lambda w, o, g, s: (w * g + o, w * g * s), "This is the convolution without groups, where all see all."),
        (
            lambda w, o, g, s: (w // g + o, w // g * s),
            "You divided by the groups twice. Every output is still there; it only sees fewer inputs.",
        ),
        (
            lambda w, o, g, s: (w + o // g, w * s),
            "A bias belongs to an output channel: there are as many as before.",
        ),
        (lambda w, o, g, s: (w, w * s), "The parameters' biases are missing, one for each output channel."),
        (
            lambda w, o, g, s: (w + o, (w + o) * s),
            "Your second figure counts the biases, which are only added.",
        ),
        (lambda w, o, g, s: (w + o, w), "Every weight is used at every place of the output map: side * side times."),
    ]
    truths, got, terms = [], [], []
    for inputs, outputs, kernel, groups, side in cases:
        layer = nn.Conv2d(inputs, outputs, kernel, groups=groups)
        counted = measure.cost(layer, (inputs, side + kernel - 1, side + kernel - 1))
        truths.append((counted.params, counted.macs))
        terms.append((layer.weight.numel(), outputs, groups, side**2))
        answer = grouped_convolution(inputs, outputs, kernel, groups, side)
        if not isinstance(answer, (tuple, list)) or len(answer) != 2:
            raise Wrong("Return two numbers: return parameters, mult_adds.")
        got.append(tuple(answer))
    if got == truths:
        return
    for formula, diagnosis in diagnoses:
        if got == [formula(*term) for term in terms]:
            raise Wrong(diagnosis)
    case, value, true = next(c for c in zip(cases, got, truths, strict=True) if c[1] != c[2])
    raise Wrong(f"For inputs, outputs, kernel, groups, side = {case} PyTorch has {true}; your function gives {value}.")


@exercise(
    "02.dropout",
    points=3,
    stub='''
        def dropout(x, p, training):
            """As in PyTorch: while training, each number of x becomes 0 with probability p, and the others are
            scaled so that the mean stays what it was; at test time x stays as it is. 0 <= p < 1."""
            ...
    ''',
    solution="""
        def dropout(x, p, training):
            if not training:
                return x
            keep = torch.rand_like(x) >= p
            return x * keep / (1 - p)
    """,
    hints=[
        "torch.rand_like(x) >= p is True with probability 1 - p, for each number of x on its own.",
        "Of numbers whose mean is m a share 1 - p is left, so the mean becomes (1 - p) * m. What brings it back?",
    ],
    wrong={
        "the mean falls": """
            def dropout(x, p, training):
                return x * (torch.rand_like(x) >= p) if training else x
        """,
        "the way of 2012": """
            def dropout(x, p, training):
                return x * (torch.rand_like(x) >= p) if training else x * (1 - p)
        """,
        "at test time": """
            def dropout(x, p, training):
                return x * (torch.rand_like(x) >= p) / (1 - p)
        """,
        "probability 1 - p": """
            def dropout(x, p, training):
                return x * (torch.rand_like(x) < p) / p if training else x
        """,
        "whole rows": """
            def dropout(x, p, training):
                return x * (torch.rand(len(x), 1) >= p) / (1 - p) if training else x
        """,
        "same mask for all": """
            def dropout(x, p, training):
                return x * (torch.rand(x.shape[1]) >= p) / (1 - p) if training else x
        """,
    },
)
def check_dropout(dropout) -> None:
    x = torch.rand(200, 300, generator=torch.Generator().manual_seed(0)) + 1
    with torch.random.fork_rng():
        torch.manual_seed(0)
        outputs = {p: (dropout(x.clone(), p, True), dropout(x.clone(), p, False)) for p in (0.2, 0.5, 0.7)}
    if any(output is None for pair in outputs.values() for output in pair):
        raise Wrong("Your function returned nothing: end it with return.")
    for p, (trained, tested) in outputs.items():
        if trained.shape != x.shape or tested.shape != x.shape:
            raise Wrong(f"The shape must stay {tuple(x.shape)}; yours is {tuple(trained.shape)} in training.")
        if (tested == 0).any():
            raise Wrong("Your function drops numbers at test time too. There the whole network answers.")
        gone = trained == 0
        share, kept = gone.float().mean().item(), trained[~gone] / x[~gone]
        if torch.allclose(tested, x * (1 - p)) and torch.allclose(kept, torch.ones(1)):
            raise Wrong("This is the way of 2012: it scales at test time. PyTorch scales in training, by 1 / (1 - p).")
        if not torch.allclose(tested, x):
            raise Wrong("At test time x must come back as it is.")
        if abs(share - p) > 0.1 and abs(share - (1 - p)) < 0.1:
            raise Wrong(f"You drop with probability 1 - p: of p = {p} a share of {share:.2f} became 0.")
        if gone.float().mean(1).std() > 0.2:
            raise Wrong("You drop whole rows, images: each number is to be dropped on its own.")
        if gone.float().mean(0).std() > 0.2:
            raise Wrong("You use the same mask for all rows: each number is to be dropped on its own.")
        if abs(share - p) > 0.02:
            raise Wrong(f"With p = {p} a share of {share:.2f} became 0.")
        if torch.allclose(kept, torch.ones(1)):
            raise Wrong(f"With p = {p} the mean falls from {x.mean():.2f} to {trained.mean():.2f}: scale what is left.")
        if not torch.allclose(kept, torch.full((1,), 1 / (1 - p)), rtol=1e-4):
            raise Wrong(f"With p = {p} what is left is multiplied by {kept.mean():.3g}: the mean does not stay.")


@exercise(
    "02.few-images",
    points=3,
    stub="""
        torch.manual_seed(0)
        my_run = ...
    """,
    solution="""
        from cnnlab.lessons.alexnet import study

        torch.manual_seed(0)
        mine = study.initialized(models.get_model("alexnet_tiny", dropout=0.3))
        few = data.load("street_digits", train=500, test=1000)
        moved = training.Augment(shift=2, rotate=10, zoom=0.2, shear=0.2, contrast=0.4)
        my_run = training.fit(mine, few, epochs=60, lr=0.02, batch_size=32, augment=moved)
    """,
    hints=[
        "Other images made of the same 500 help more than any layer: training.fit(..., augment=training.Augment(...))."
        " Which changes leave a digit the same digit?",
        "study.initialized saves many epochs at the start. Then small shifts, turns, zooms and slopes, contrasts,"
        " a little dropout, and 50 epochs or more.",
    ],
    wrong={
        "not the run": "my_run = models.get_model('alexnet_tiny')",
        "4,000 training images": "my_run = training.fit(models.get_model('lenet5', in_channels=3), street, epochs=1)",
        "parameters": """
            few = data.load("street_digits", train=40, test=10)
            my_run = training.fit(models.get_model("alexnet_tiny", hidden=1024), few, epochs=1)
        """,
        "fresh street digits": """
            few = data.load("street_digits", train=500, test=10)
            my_run = training.fit(models.get_model("alexnet_tiny"), few, epochs=1)
        """,
    },
)
def check_few_images(my_run) -> None:
    if not isinstance(my_run, Run):
        raise Wrong(f"my_run is a {type(my_run).__name__}, not the run that training.fit returns.")
    if my_run.images > 500:
        raise Wrong(f"Your run saw {my_run.images:,} training images: this exercise allows 500.")
    params = sum(p.numel() for p in my_run.model.parameters())
    if params > 500_000:
        raise Wrong(f"Your network has {params:,} parameters: at most 500,000 are allowed.")
    accuracy = evaluate(my_run.model, data.load("street_digits", train=1000, test=1000, seed=1).test).accuracy
    if accuracy < 0.9:
        raise Wrong(f"On 1,000 fresh street digits your network reads {accuracy:.0%}; at least 90 % is asked for.")
