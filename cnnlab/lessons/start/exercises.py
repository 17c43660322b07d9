"""Lesson 00, start here: its exercises."""

import math

import torch

from cnnlab import data
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.training import Run, evaluate


@exercise(
    "00.accuracy",
    points=2,
    stub='''
        def accuracy(logits, labels):
            """logits: (N, classes), labels: (N,). Returns the share of right first guesses, from 0 to 1."""
            ...
    ''',
    solution="""
        def accuracy(logits, labels):
            return (logits.argmax(dim=1) == labels).float().mean().item()
    """,
    hints=[
        "The network's guess for an image is the class with the largest logit: logits.argmax(dim=...).",
        "Comparing two tensors gives one True or False an image; .float().mean() turns them into a share.",
    ],
    wrong={
        "dim=1": """
            def accuracy(logits, labels):
                guesses = logits.argmax(dim=0)[: len(labels)]
                return (guesses[: len(labels)] == labels[: len(guesses)]).float().mean().item()
        """,
        "how many": """
            def accuracy(logits, labels):
                return (logits.argmax(1) == labels).sum().item()
        """,
        "percent": """
            def accuracy(logits, labels):
                return 100 * (logits.argmax(1) == labels).float().mean().item()
        """,
        "share of wrong": """
            def accuracy(logits, labels):
                return (logits.argmax(1) != labels).float().mean().item()
        """,
        "raised an error in line 2": """
            def accuracy(logits, labels):
                return (logits.argmax(1) == labels).mean().item()
        """,
        "returned nothing": """
            def accuracy(logits, labels):
                share = (logits.argmax(1) == labels).float().mean().item()
        """,
    },
)
def check_accuracy(accuracy) -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.1, 0.3, 0.2], [5.0, 0.0, 6.0], [1.0, 2.0, 0.0]])
    labels = torch.tensor([0, 1, 2, 0])  # three of four are right
    got = accuracy(logits, labels)
    got = float(got)
    if math.isclose(got, 0.75):
        return
    if got == 3:
        raise Wrong("This is how many guesses are right; the share is that divided by the number of images.")
    if math.isclose(got, 75):
        raise Wrong("This is in percent: 75 where 0.75 is asked for.")
    if math.isclose(got, 0.25):
        raise Wrong("This is the share of wrong guesses.")
    by_column = (logits.argmax(0) == labels[:3]).float().mean().item()
    if math.isclose(got, by_column, rel_tol=1e-5):
        raise Wrong("The largest logit is to be found in each row, an image, so dim=1: you took the columns.")
    raise Wrong(f"For four images of which three are right your function gives {got:g} and not 0.75.")


@exercise(
    "00.normalise",
    points=2,
    stub='''
        def normalise(images, mean, std):
            """images: (N, 3, H, W) uint8; mean, std: three floats each, for values 0 to 1. Returns floats."""
            ...
    ''',
    solution="""
        def normalise(images, mean, std):
            mean = torch.tensor(mean).view(3, 1, 1)
            std = torch.tensor(std).view(3, 1, 1)
            return (images / 255 - mean) / std
    """,
    hints=[
        "Three steps: bytes to values from 0 to 1, minus the mean, divided by the standard deviation.",
        "mean has shape (3,), the images (N, 3, H, W): shapes match from the right. torch.tensor(mean).view(3, 1, 1)"
        " stands beside the channels.",
    ],
    wrong={
        "from 0 to 255": """
            def normalise(images, mean, std):
                mean, std = (torch.tensor(v).view(3, 1, 1) for v in (mean, std))
                return (images.float() - mean) / std
        """,
        "not divided by std": """
            def normalise(images, mean, std):
                return images / 255 - torch.tensor(mean).view(3, 1, 1)
        """,
        "along the width": """
            def normalise(images, mean, std):
                return (images / 255 - torch.tensor(mean)) / torch.tensor(std)
        """,
        "std is not the variance": """
            def normalise(images, mean, std):
                mean, std = (torch.tensor(v).view(3, 1, 1) for v in (mean, std))
                return (images / 255 - mean) / std.sqrt()
        """,
        "whole numbers": """
            def normalise(images, mean, std):
                mean, std = (torch.tensor(v).view(3, 1, 1) for v in (mean, std))
                return ((images // 255) - mean) / std
        """,
    },
)
def check_normalise(normalise) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(
        0, 256, (4, 3, 3, 3), dtype=torch.uint8, generator=generator
    )  # 3 wide: a wrong match fits too
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
    m, s = torch.tensor(mean).view(3, 1, 1), torch.tensor(std).view(3, 1, 1)
    x = images / 255
    got = normalise(images, mean, std)
    if tuple(got.shape) != tuple(images.shape):
        raise Wrong(f"The shape must stay {tuple(images.shape)}; yours is {tuple(got.shape)}.")

    def same(other: torch.Tensor) -> bool:
        return torch.allclose(got.float(), other, atol=1e-4)

    if same((x - m) / s):
        return
    if same((images.float() - m) / s):
        raise Wrong(
            "The images still run from 0 to 255 when mean and std, which are for values from 0 to 1, are applied."
        )
    if same(x - m):
        raise Wrong("The mean is taken off, but the result is not divided by std.")
    if same((x - m.view(3)) / s.view(3)):
        raise Wrong(
            "The means were matched along the width of the image, not with its channels: give them the shape (3, 1, 1)."
        )
    if same((x - m) / s.sqrt()):
        raise Wrong("Divide by std itself: std is not the variance, so no square root.")
    if same(((images // 255) - m) / s):
        raise Wrong("// divides into whole numbers, so nearly every pixel became 0: use /.")
    raise Wrong("The values are not (image / 255 - mean) / std, channel by channel.")


@exercise(
    "00.chance",
    points=1,
    stub="""
        chance_loss = ...
    """,
    solution="""
        chance_loss = math.log(10)
    """,
    hints=[
        "A network that knows nothing gives each of the 10 classes the probability 1/10.",
        "The cross-entropy of one image is -log(probability of its label), with the natural logarithm: math.log.",
    ],
    wrong={
        "probability": "chance_loss = 1 / 10",
        "natural logarithm": "chance_loss = math.log10(10)",
        "bits": "chance_loss = math.log2(10)",
        "minus sign": "chance_loss = math.log(1 / 10)",
        "sum over the classes": "chance_loss = 10 * math.log(10)",
    },
)
def check_chance(chance_loss) -> None:
    diagnoses = {
        0.1: "This is the probability of the right class; the loss is minus its logarithm.",
        0.9: "This is the share of wrong guesses; the loss is minus the logarithm of the probability.",
        1.0: "Nearly: PyTorch's cross-entropy uses the natural logarithm, not the one to base 10.",
        math.log2(10): "This is in bits; PyTorch's cross-entropy uses the natural logarithm, so it is in nats.",
        -math.log(10): "A loss is not below zero: the cross-entropy has a minus sign before the logarithm.",
        10 * math.log(10): "Only the label's own class counts: there is no sum over the classes.",
    }
    value = float(chance_loss)
    if math.isclose(value, math.log(10), abs_tol=0.01):
        return
    for wrong, diagnosis in diagnoses.items():
        if math.isclose(value, wrong, abs_tol=0.005):
            raise Wrong(diagnosis)
    raise Wrong(f"{value:g} is not the loss of a uniform guess among 10 classes.")


@exercise(
    "00.better",
    points=3,
    stub="""
        torch.manual_seed(0)
        my_run = ...
    """,
    solution="""
        torch.manual_seed(0)
        my_run = training.fit(models.get_model("resnet20_tiny"), dataset, epochs=5, lr=0.2, batch_size=64)
    """,
    hints=[
        "LeNet-5 was drawn for centred digits on plain paper. models.list_models() has younger networks.",
        'models.get_model("resnet20_tiny") passes the mark in five epochs; smaller batches mean more steps.',
    ],
    wrong={
        "not the run": "my_run = models.get_model('resnet20_tiny')",
        "at least 90 %": "my_run = training.fit(models.get_model('lenet5', in_channels=3), dataset, epochs=1)",
        "handwritten": "my_run = training.fit(models.get_model('lenet5'), data.load('handwritten'), epochs=1)",
    },
)
def check_better(my_run) -> None:
    if not isinstance(my_run, Run):
        raise Wrong(f"my_run is a {type(my_run).__name__}, not the run that training.fit returns.")
    fresh = data.load("street_digits", train=1000, test=1000, seed=1).test  # not the images that the lesson tests on
    first = next(p for p in my_run.model.parameters() if p.ndim == 4)
    if first.shape[1] != 3:
        raise Wrong("This network takes grey images, such as handwritten digits: train on dataset, the street digits.")
    accuracy = evaluate(my_run.model, fresh).accuracy
    if accuracy < 0.9:
        raise Wrong(f"On 1,000 fresh images your network reads {accuracy:.0%}; at least 90 % is asked for.")
