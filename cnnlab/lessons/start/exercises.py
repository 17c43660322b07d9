"""Lesson 00, start here: its exercises."""

import math

import torch
from torch import Tensor, nn

from cnnlab.lessons.compare import kind, number
from cnnlab.lessons.diagnose import Wrong
from cnnlab.lessons.exercise import edit, exercise, source, when
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
            """logits: (N, classes), labels: (N,). Returns a fraction from 0 to 1."""
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
            """images: (N, 3, H, W) uint8; mean, std: three floats each, for values 0 to 1.
            Returns floats."""
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
        edit("log(10)", "log(11)", "That would be one of 11 classes; there are 10."),
        edit("math.log(10)", "10", "This is e to the power of the loss: take its natural logarithm."),
        when(
            lambda loss: loss < 0,
            "chance_loss = -0.1",
            "{got:g} is below zero, and a loss is not: the logarithm of a probability is, and the loss is minus that.",
        ),
        when(
            lambda loss: loss < 2.3,
            "chance_loss = 0.325",
            "{got:g} is too small. A network that knows nothing gives the label the probability 1/10, no more; the loss"
            " is minus the natural logarithm of that one number.",
        ),
    ],
    otherwise="{got:g} is too large. A network that knows nothing still gives the label the probability 1/10; the loss"
    " is minus the natural logarithm of that one number.",
)


class Recorder(nn.Module):
    """A linear classifier with dropout that notes each batch that it sees: which images, and in which mode."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.dropout = nn.Linear(4, 3), nn.Dropout(0.1)
        self.batches: list[list[int]] = []
        self.modes: list[bool] = []

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        self.batches.append(x[:, 0].round().int().tolist())  # the first pixel of image n is n
        self.modes.append(self.training)
        return self.linear(self.dropout(0.01 * x))


class Counted(torch.optim.SGD):
    """SGD that counts its steps."""

    steps = 0

    def step(self, closure=None):
        self.steps += 1
        return super().step(closure)


def check_train_epoch(train_epoch) -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(11, 1, 2, 2, generator=generator)
    inputs[:, 0, 0, 0] = torch.arange(11)
    labels = torch.randint(0, 3, (11,), generator=generator)
    model = Recorder().eval()
    computed: list[bool] = []  # one entry for each gradient
    model.linear.weight.register_hook(lambda gradient: computed.append(True))
    optimizer, before = Counted(model.parameters(), lr=0.5), model.linear.weight.detach().clone()
    loss = train_epoch(model, inputs, labels, optimizer, 4)
    seen, first = [image for batch in model.batches for image in batch], list(model.batches)
    if not model.batches:
        raise Wrong("Your function never calls the model.")
    if not optimizer.steps:
        raise Wrong("Your function computes losses but never calls optimizer.step(): no parameter moves.")
    if torch.equal(before, model.linear.weight) and computed:
        raise Wrong(
            "The optimizer steps, but no parameter moves: loss.backward() computes gradients, and they are cleared "
            "before the step. Call optimizer.zero_grad() before loss.backward(), or after optimizer.step()."
        )
    if torch.equal(before, model.linear.weight):
        raise Wrong("The optimizer steps, but no parameter moves: call loss.backward() before optimizer.step().")
    if max(map(len, first)) > 4:
        raise Wrong(f"With batch_size 4 your model was given {max(map(len, first))} images at a time.")
    if len(set(seen)) < 11:
        raise Wrong(
            f"Of 11 images your epoch showed {len(set(seen))} to the model: every image is to be seen, and the last "
            "batch may be smaller."
        )
    if len(seen) > 11:
        raise Wrong(f"Your epoch showed {len(seen)} images, and there are 11: each is seen once in an epoch.")
    if optimizer.steps != len(first):
        raise Wrong(
            f"Your function made {optimizer.steps} step{'s' * (optimizer.steps > 1)} for {len(first)} batches: a step "
            "belongs to each batch."
        )
    if not all(model.modes):
        raise Wrong("The model was in evaluation mode, in which dropout does nothing: call model.train() first.")
    model.batches.clear()
    train_epoch(model, inputs, labels, optimizer, 4)
    if seen in (sorted(seen), [image for batch in model.batches for image in batch]):
        raise Wrong("The images come in the same order each time: draw a new order for each epoch (torch.randperm).")
    _check_gradients(train_epoch)
    value = number(loss)
    if value is None:
        raise Wrong(f"Return the mean of the batches' losses as a number; you returned {kind(loss)}.")
    _check_loss(train_epoch)


def _check_gradients(train_epoch) -> None:
    """Two batches of the same image and a rate of 0: the second gradient must not hold the first."""
    model = nn.Linear(4, 3)
    inputs, labels = torch.ones(6, 1, 2, 2), torch.tensor([0] * 6)
    network, grads = nn.Sequential(nn.Flatten(), model), []

    class Still(torch.optim.SGD):
        def step(self, closure=None):
            loss = super().step(closure)  # at a rate of 0 it moves nothing
            grads.append(model.weight.grad.clone())
            return loss

    train_epoch(network, inputs, labels, Still(network.parameters(), lr=0.0), 2)
    exact = torch.autograd.grad(nn.functional.cross_entropy(network(inputs), labels), model.weight)[0]
    if torch.allclose(grads[0], exact, atol=1e-5) and not torch.allclose(grads[1], exact, atol=1e-5):
        raise Wrong("Gradients add up from batch to batch: call optimizer.zero_grad() before loss.backward().")
    if not torch.allclose(grads[0], exact, atol=1e-5):
        raise Wrong("The gradient is not that of the mean cross-entropy of the batch: F.cross_entropy(logits, labels).")


def _check_loss(train_epoch) -> None:
    """Six batches of one image each, with known losses, and a rate of 0."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    inputs, labels = torch.arange(24.0).view(6, 1, 2, 2) / 10, torch.tensor([0, 1, 2, 0, 1, 2])
    loss = number(train_epoch(network, inputs, labels, torch.optim.SGD(network.parameters(), lr=0.0), 1))
    losses = nn.functional.cross_entropy(network(inputs), labels, reduction="none")
    mean = losses.mean().item()
    if math.isclose(loss, mean, rel_tol=1e-3):
        return
    if math.isclose(loss, losses.sum().item(), rel_tol=1e-3):
        raise Wrong("You returned the sum of the batches' losses; divide by the number of batches.")
    if any(math.isclose(loss, one, rel_tol=1e-3) for one in losses.tolist()):
        raise Wrong("You returned the loss of one batch; the mean over all batches is asked for.")
    raise Wrong(
        f"The batches' losses have the mean {mean:.4f}; your function returned {loss:.4f}. Does each image still "
        "have its own label?"
    )


exercise(
    "00.training-loop",
    points=3,
    stub='''
        def train_epoch(model, inputs, labels, optimizer, batch_size):
            """One pass over inputs (N, C, H, W) and labels (N,), in random order.
            Returns the mean of the losses of its batches, a float."""
            ...
    ''',
    solution="""
        def train_epoch(model, inputs, labels, optimizer, batch_size):
            model.train()
            losses = []
            for batch in torch.randperm(len(labels)).split(batch_size):
                loss = F.cross_entropy(model(inputs[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            return sum(losses) / len(losses)
    """,
    hints=[
        "torch.randperm(len(labels)) is a random order, .split(batch_size) cuts it into batches of indices.",
        "For each batch the five lines of the cell above: logits and loss, zero_grad, backward, step.",
        "loss.item() is the loss as a number. Collect them in a list, and return their mean at the end.",
    ],
    check=check_train_epoch,
    wrong=[
        source(
            """
            def train_epoch(model, inputs, labels, optimizer, batch_size):
                model.train()
                losses = []
                for batch in torch.randperm(len(labels)).split(batch_size):
                    loss = F.cross_entropy(model(inputs[batch]), labels[batch])
                    loss.backward()
                    optimizer.step()
                    losses.append(loss.item())
                return sum(losses) / len(losses)
            """,
            "zero_grad",
        ),
        source(
            """
            def train_epoch(model, inputs, labels, optimizer, batch_size):
                losses = []
                for batch in torch.randperm(len(labels)).split(batch_size):
                    loss = F.cross_entropy(model(inputs[batch]), labels[batch])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    losses.append(loss.item())
                return sum(losses) / len(losses)
            """,
            "evaluation mode",
        ),
        source(
            """
            def train_epoch(model, inputs, labels, optimizer, batch_size):
                model.train()
                losses = []
                for batch in torch.arange(len(labels)).split(batch_size):
                    loss = F.cross_entropy(model(inputs[batch]), labels[batch])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    losses.append(loss.item())
                return sum(losses) / len(losses)
            """,
            "same order",
        ),
        source(
            """
            def train_epoch(model, inputs, labels, optimizer, batch_size):
                model.train()
                losses = []
                for batch in torch.randperm(len(labels)).split(batch_size):
                    loss = F.cross_entropy(model(inputs[batch]), labels[batch])
                    losses.append(loss.item())
                    optimizer.zero_grad()
                    loss.backward()
                optimizer.step()
                return sum(losses) / len(losses)
            """,
            "a step belongs to each batch",
        ),
        source(
            """
            def train_epoch(model, inputs, labels, optimizer, batch_size):
                model.train()
                losses = []
                for start in range(0, len(labels) - batch_size + 1, batch_size):
                    batch = torch.randperm(len(labels))[start : start + batch_size]
                    loss = F.cross_entropy(model(inputs[batch]), labels[batch])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    losses.append(loss.item())
                return sum(losses) / len(losses)
            """,
            "every image is to be seen",
        ),
        source(
            """
            def train_epoch(model, inputs, labels, optimizer, batch_size):
                model.train()
                for batch in torch.randperm(len(labels)).split(batch_size):
                    loss = F.cross_entropy(model(inputs[batch]), labels[batch])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                return loss.item()
            """,
            "the mean over all batches",
        ),
        source(
            """
            def train_epoch(model, inputs, labels, optimizer, batch_size):
                model.train()
                losses = []
                for batch in torch.randperm(len(labels)).split(batch_size):
                    loss = F.cross_entropy(model(inputs[batch]), labels[batch])
                    optimizer.zero_grad()
                    optimizer.step()
                    losses.append(loss.item())
                return sum(losses) / len(losses)
            """,
            "loss.backward()",
        ),
        source(
            """
            def train_epoch(model, inputs, labels, optimizer, batch_size):
                model.train()
                losses = []
                for batch in torch.randperm(len(labels)).split(batch_size):
                    loss = F.cross_entropy(model(inputs[batch]), labels[batch])
                    loss.backward()
                    optimizer.zero_grad()
                    optimizer.step()
                    losses.append(loss.item())
                return sum(losses) / len(losses)
            """,
            "they are cleared before the step",
        ),
    ],
)


def check_my_run(my_run: object) -> None:
    reads_digits(trained(my_run), 0.95)


exercise(
    "00.better",
    points=3,
    stub="""
        torch.manual_seed(0)
        my_run = ...
    """,
    solution="""
        torch.manual_seed(0)
        my_run = training.fit(models.get_model("resnet20_tiny"), dataset, epochs=12, lr=0.2, batch_size=64)
    """,
    hints=[
        "LeNet-5 was drawn for centred digits on plain paper. models.list_models() has younger networks.",
        'models.get_model("resnet20_tiny") passes the mark in twelve epochs; so do other ways.',
    ],
    check=check_my_run,
    wrong=[
        source("my_run = models.get_model('resnet20_tiny')", "not the run"),
        source(
            "my_run = training.fit(models.get_model('lenet5', in_channels=3), dataset, epochs=1)",
            "at least 95%",
        ),
        source("my_run = training.fit(models.get_model('lenet5'), data.load('handwritten'), epochs=1)", "handwritten"),
    ],
)
