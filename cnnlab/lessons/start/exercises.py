"""Lesson 00, start here: its exercises."""

import torch

from cnnlab.lessons.exercise import edit, exercise, source
from cnnlab.lessons.runs import reads_digits, trained


def logits_and_labels() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    three = torch.tensor([[2.0, 1.0, 0.0], [0.1, 0.3, 0.2], [5.0, 0.0, 4.0]])  # columns and rows can be confused
    four = torch.cat([three, torch.tensor([[1.0, 2.0, 0.0]])])
    many = torch.randn(40, 7, generator=generator)
    return [
        (three, torch.tensor([0, 1, 2])),
        (four, torch.tensor([0, 1, 0, 0])),
        (many, torch.where(torch.arange(40) < 26, many.argmax(dim=1), torch.arange(40) % 7)),
    ]


exercise(
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
        "Comparing two tensors gives one True or False per image; .float().mean() turns them into a fraction.",
    ],
    cases=logits_and_labels,
    wrong=[
        edit(
            "dim=1", "dim=0", "The largest logit is looked for in each row, an image, so dim=1: you took the columns."
        ),
        edit(".mean()", ".sum()", "This is how many guesses are right; divide by the number of images."),
        edit("return ", "return 100 * ", "This is in percent: 75 where 0.75 is asked for."),
        edit("==", "!=", "This is the fraction of wrong guesses."),
        edit("argmax", "argmin", "You took the smallest logit of each image; the guess is the largest."),
    ],
)


def images_and_statistics() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    images = [
        torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        for shape in ((1, 3, 1, 3), (2, 3, 4, 3), (4, 3, 3, 5))  # 3 wide: a wrong match of axes fits too
    ]
    return [(one, (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)) for one in images]


exercise(
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
    cases=images_and_statistics,
    wrong=[
        edit(
            "images / 255",
            "images",
            "The images still run from 0 to 255 when mean and std, which are for values from 0 to 1, are applied.",
        ),
        edit("(images / 255 - mean) / std", "images / 255 - mean", "The mean is subtracted, but std is not used."),
        edit("(images / 255 - mean) / std", "images / 255", "You only divided by 255: mean and std are not used."),
        edit("(images / 255 - mean) / std", "images / 255 - mean / std", "Brackets: only the mean is divided by std."),
        edit(
            "mean = torch.tensor(mean).view(3, 1, 1)",
            "mean = torch.tensor(mean)",
            "std = torch.tensor(std).view(3, 1, 1)",
            "std = torch.tensor(std)",
            "The means were matched along the width of the image, not with its channels: give them shape (3, 1, 1).",
        ),
        edit("/ std", "/ std.sqrt()", "Divide by std itself: std is not the variance, so no square root."),
        edit("/ std", "* std", "You multiplied by std; divide by it."),
        edit("- mean", "+ mean", "You added the mean; subtract it."),
        edit("images / 255", "images // 255", "// divides into whole numbers, so nearly every pixel became 0: use /."),
    ],
)

exercise(
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
    tolerance=2e-3,  # 2.3 is near enough
    wrong=[
        edit("math.log(10)", "1 / 10", "This is the probability of the right class; the loss is minus its logarithm."),
        edit(
            "math.log(10)",
            "9 / 10",
            "This is the fraction of wrong guesses; the loss is minus the logarithm of the probability.",
        ),
        edit("log", "log10", "Nearly: PyTorch's cross-entropy uses the natural logarithm, not the one to base 10."),
        edit("log", "log2", "This is in bits; PyTorch's cross-entropy uses the natural logarithm, so it is in nats."),
        edit(
            "log(10)",
            "log(1 / 10)",
            "A loss is not below zero: the cross-entropy has a minus sign before the logarithm.",
        ),
        edit("math.log", "10 * math.log", "Only the label's own class counts: there is no sum over the classes."),
        edit("math.log(10)", "math.log(10) / 10", "Only the label's own class counts, and it counts whole."),
    ],
    otherwise="{got:g} is not the loss of a uniform guess among 10 classes.",
)


def check_my_run(my_run: object) -> None:
    reads_digits(trained(my_run), 0.9)


exercise(
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
    check=check_my_run,
    wrong=[
        source("my_run = models.get_model('resnet20_tiny')", "not the run"),
        source(
            "my_run = training.fit(models.get_model('lenet5', in_channels=3), dataset, epochs=1)",
            "at least 90%",
        ),
        source("my_run = training.fit(models.get_model('lenet5'), data.load('handwritten'), epochs=1)", "handwritten"),
    ],
)
