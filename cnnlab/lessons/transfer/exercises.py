"""Lesson 16, transfer learning: its exercises."""

import copy
import math
import statistics
import time

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import models, training
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.lessons.transfer.study import backbone, few, paired


@exercise(
    "16.head",
    points=2,
    stub='''
        def new_head(model, classes):
            """Give a network a new last layer for so many classes, change nothing else, and return the network.
            It should work for every network of the course whose head ends with a linear layer."""
            ...
    ''',
    solution="""
        def new_head(model, classes):
            model.head[-1] = nn.Linear(model.head[-1].in_features, classes)
            return model
    """,
    hints=[
        "Print model.head. Which of its parts know how many classes there are?",
        "An nn.Sequential takes a new layer by its index, also by -1. The old layer knows its in_features.",
    ],
    wrong={
        "its weight": """
            def new_head(model, classes):
                model.head[-1].out_features = classes
                return model
        """,
        "pooling": """
            def new_head(model, classes):
                model.head = nn.Linear(model.head[-1].in_features, classes)
                return model
        """,
        "takes 32 features": """
            def new_head(model, classes):
                model.head[-1] = nn.Linear(32, classes)
                return model
        """,
        "after the old one": """
            def new_head(model, classes):
                model.head.append(nn.Linear(model.head[-1].out_features, classes))
                return model
        """,
        "learnt is lost": """
            def new_head(model, classes):
                return models.get_model("resnet20_tiny", width=4, depths=(1, 1, 1), num_classes=classes)
        """,
    },
)
def check_head(new_head) -> None:
    cases = [("resnet20_tiny", {"width": 4, "depths": (1, 1, 1)}, 3), ("mobilenet_v2_tiny", {}, 7)]
    for name, options, classes in cases:
        model = models.get_model(name, **options).eval()
        before, length = copy.deepcopy(model.state_dict()), len(model.head)
        wanted = model.head[-1].in_features
        got = new_head(model, classes)
        if not isinstance(got, nn.Module):
            raise Wrong(f"new_head should return the network, not a {type(got).__name__}.")
        if not isinstance(got.head, nn.Sequential) or len(got.head) < length:
            raise Wrong("The whole head is gone, and with it the pooling: replace only its last layer.")
        if len(got.head) > length:
            raise Wrong("There is a layer more, after the old one: the new layer should take its place.")
        layer = got.head[-1]
        if getattr(layer, "in_features", wanted) != wanted:
            raise Wrong(f"Your layer takes {layer.in_features} features; this {name} hands it {wanted}.")
        for key, value in got.state_dict().items():
            if not key.startswith("head") and not (key in before and torch.equal(before[key], value)):
                raise Wrong(f"More than the head changed ({key}): what the network had learnt is lost.")
        with torch.no_grad():
            shape = tuple(got.eval()(torch.zeros(2, 3, 32, 32)).shape)
        if shape != (2, classes):
            raise Wrong(
                f"For two images and {classes} classes your network returns {shape}. A layer is as large as its weight "
                "is: an attribute changes nothing."
            )
        if torch.equal(layer.weight[:1], before[[k for k in before if k.startswith("head")][-2]][:1]):
            raise Wrong("Your layer still has weights of the old one: they stand for the old classes.")


@exercise(
    "16.freeze",
    points=3,
    stub='''
        def only_the_head(model):
            """Make a network ready so that training changes its head and nothing else in it, whatever images
            come. It is called in the place of model.train(); the network has a stem, stages and a head."""
            ...
    ''',
    solution="""
        def only_the_head(model):
            model.requires_grad_(False)
            model.head.requires_grad_(True)
            model.eval()
            model.head.train()
    """,
    hints=[
        "Two different things change a network while it trains: the optimiser, and the batch norms' own bookkeeping.",
        "requires_grad_ answers the first. What decides whether a batch norm uses its statistics or moves them?",
    ],
    wrong={
        "statistics": """
            def only_the_head(model):
                model.train()
                model.requires_grad_(False)
                model.head.requires_grad_(True)
        """,
        "still trained": """
            def only_the_head(model):
                model.eval()
                model.head.train()
        """,
        "Nothing is left": """
            def only_the_head(model):
                model.requires_grad_(False)
                model.eval()
        """,
        "scale and shift": """
            def only_the_head(model):
                model.eval()
                for module in model.modules():
                    if isinstance(module, nn.Conv2d):
                        module.requires_grad_(False)
        """,
        "in train mode still": """
            def only_the_head(model):
                model.requires_grad_(False)
                model.head.requires_grad_(True)
                for part in (model.stem, *model.stages[:-1]):
                    part.eval()
        """,
    },
)
def check_freeze(only_the_head) -> None:
    generator = torch.Generator().manual_seed(0)
    for number in range(2):
        model = models.get_model("resnet20_tiny", width=4, depths=(1, 1, 1)).train()
        before = copy.deepcopy(model.state_dict())
        only_the_head(model)
        learning = [p for p in model.parameters() if p.requires_grad]
        if not learning:
            raise Wrong("Nothing is left to train: no parameter requires gradients.")
        optimizer = torch.optim.SGD(learning, lr=0.1, weight_decay=0.1)
        for _ in range(2):
            images = torch.randn(8, 3, 32, 32, generator=generator) * (2 + number) + 1
            optimizer.zero_grad()
            model(images).square().mean().backward()
            optimizer.step()
        changed = {key for key, value in model.state_dict().items() if not torch.equal(before[key], value)}
        weights = {key for key, _ in model.named_parameters()} & changed
        norms = {key for key in weights if f"{key.rpartition('.')[0]}.running_mean" in before}
        if convolutions := {key for key in weights - norms if not key.startswith("head")}:
            raise Wrong(f"Weights of the backbone are still trained, for example {sorted(convolutions)[0]}.")
        if norms:
            raise Wrong(f"The scale and shift of batch norms are still trained, for example {sorted(norms)[0]}.")
        if moved := sorted(key for key in changed if "running" in key):
            whole = any(key.startswith("stem") for key in moved)
            where = "statistics of the batch norms move" if whole else "last stage is in train mode still: it moves"
            raise Wrong(f"The {where} with each batch ({moved[0]}), though no weight is trained.")
        if not any(key.startswith("head") for key in weights):
            raise Wrong("The head did not change in training.")


@exercise(
    "16.probe",
    points=3,
    stub='''
        def probe_gradient(features, labels, weight, bias, strength):
            """The gradient, with respect to weight, of what a linear probe minimises: the mean cross-entropy of
            softmax(features @ weight.T + bias) plus the sum of all squared weights / (2 * strength * N).
            features: (N, F); labels: (N,), whole numbers; weight: (classes, F). Do not use autograd."""
            ...
    ''',
    solution="""
        def probe_gradient(features, labels, weight, bias, strength):
            shares = (features @ weight.T + bias).softmax(1)
            error = shares - F.one_hot(labels, len(weight))
            return error.T @ features / len(labels) + weight / (strength * len(labels))
    """,
    hints=[
        "For one image the gradient with respect to its logits is softmax - one_hot. A logit is weight row · features.",
        "The penalty's gradient is weight / (strength * N). Check your function against torch.autograd.grad.",
    ],
    wrong={
        "penalty": """
            def probe_gradient(features, labels, weight, bias, strength):
                error = (features @ weight.T + bias).softmax(1) - F.one_hot(labels, len(weight))
                return error.T @ features / len(labels)
        """,
        "sum over the images": """
            def probe_gradient(features, labels, weight, bias, strength):
                error = (features @ weight.T + bias).softmax(1) - F.one_hot(labels, len(weight))
                return error.T @ features + weight / strength
        """,
        "downhill": """
            def probe_gradient(features, labels, weight, bias, strength):
                error = F.one_hot(labels, len(weight)) - (features @ weight.T + bias).softmax(1)
                return error.T @ features / len(labels) - weight / (strength * len(labels))
        """,
        "softmax": """
            def probe_gradient(features, labels, weight, bias, strength):
                error = features @ weight.T + bias - F.one_hot(labels, len(weight))
                return error.T @ features / len(labels) + weight / (strength * len(labels))
        """,
        "bias": """
            def probe_gradient(features, labels, weight, bias, strength):
                error = (features @ weight.T).softmax(1) - F.one_hot(labels, len(weight))
                return error.T @ features / len(labels) + weight / (strength * len(labels))
        """,
        "shape": """
            def probe_gradient(features, labels, weight, bias, strength):
                error = (features @ weight.T + bias).softmax(1) - F.one_hot(labels, len(weight))
                return features.T @ error / len(labels)
        """,
    },
)
def check_probe(probe_gradient) -> None:
    generator = torch.Generator().manual_seed(0)
    for images, width, classes, strength in ((6, 4, 3, 0.5), (9, 2, 5, 2.0), (5, 7, 2, 0.1)):
        features = torch.randn(images, width, generator=generator)
        labels = torch.randint(classes, (images,), generator=generator)
        weight = torch.randn(classes, width, generator=generator)
        bias = torch.randn(classes, generator=generator)
        got = probe_gradient(features.clone(), labels.clone(), weight.clone(), bias.clone(), strength)
        if not isinstance(got, Tensor) or got.shape != weight.shape:
            shape = tuple(getattr(got, "shape", ()))
            raise Wrong(f"The gradient should have the shape of weight, {tuple(weight.shape)}, not {shape}.")

        def slope(bias: Tensor, features=features, labels=labels, weight=weight) -> Tensor:
            given = weight.clone().requires_grad_()
            return torch.autograd.grad(F.cross_entropy(features @ given.T + bias, labels), given)[0]

        plain, penalty = slope(bias), weight / (strength * images)
        right = plain + penalty
        if torch.allclose(got, right, atol=1e-5):
            continue
        linear = (features @ weight.T + bias - F.one_hot(labels, classes)).T @ features / images + penalty
        diagnoses = [
            (plain, "The gradient of the penalty is missing: the weights of a probe would grow without bound."),
            (images * right, "This is the sum over the images, and not their mean."),
            (-right, "This points downhill: it is minus the gradient."),
            (linear, "The error of an image is its softmax minus the one-hot label; you used the logits themselves."),
            (slope(torch.zeros(classes)) + penalty, "You left out the bias in the logits."),
        ]
        for value, diagnosis in diagnoses:
            if torch.allclose(got, value, atol=1e-5):
                raise Wrong(diagnosis)
        raise Wrong(
            f"With {images} images, {width} features and {classes} classes it should begin with {right[0, 0]:.4f}; "
            f"yours with {got[0, 0]:.4f}."
        )


@exercise(
    "16.difference",
    points=2,
    stub='''
        def difference(first, second):
            """Two methods were run from the same seeds, on the same images. first, second: their accuracies, in
            the order of the seeds. Return the mean of the differences and the standard error of that mean."""
            ...
    ''',
    solution="""
        def difference(first, second):
            differences = torch.tensor(first) - torch.tensor(second)
            return differences.mean().item(), (differences.std() / len(first) ** 0.5).item()
    """,
    hints=[
        "Subtract seed by seed first. Everything after that looks at the differences only.",
        "The standard error of a mean is the standard deviation (divided by n - 1 inside) over the root of n.",
    ],
    wrong={
        "lost the pairs": """
            def difference(first, second):
                a, b = torch.tensor(first), torch.tensor(second)
                return (a - b).mean().item(), ((a.var() + b.var()) / len(a)).sqrt().item()
        """,
        "standard deviation": """
            def difference(first, second):
                differences = torch.tensor(first) - torch.tensor(second)
                return differences.mean().item(), differences.std().item()
        """,
        "n - 1": """
            def difference(first, second):
                differences = torch.tensor(first) - torch.tensor(second)
                return differences.mean().item(), (differences.std(correction=0) / len(first) ** 0.5).item()
        """,
        "first - second": """
            def difference(first, second):
                differences = torch.tensor(second) - torch.tensor(first)
                return differences.mean().item(), (differences.std() / len(first) ** 0.5).item()
        """,
    },
)
def check_difference(difference) -> None:
    cases = [
        ([0.81, 0.62, 0.74, 0.70, 0.55], [0.78, 0.60, 0.69, 0.68, 0.53]),
        ([0.3, 0.9, 0.5], [0.4, 0.7, 0.2]),
        ([0.91, 0.93, 0.90, 0.97], [0.95, 0.92, 0.96, 0.99]),
    ]
    for first, second in cases:
        got = [float(value) for value in difference(list(first), list(second))]
        if len(got) != 2:
            raise Wrong("Return two numbers: the mean of the differences and its standard error.")
        mean, error = paired(first, second)
        if math.isclose(got[0], -mean, abs_tol=1e-5) and not math.isclose(mean, 0, abs_tol=1e-5):
            raise Wrong("The sign is turned: a positive difference, first - second, says that the first is better.")
        if not math.isclose(got[0], mean, abs_tol=1e-5):
            raise Wrong(f"For {first} and {second} the mean difference is {mean:.4f}; yours is {got[0]:.4f}.")
        n = len(first)
        loose = math.sqrt((statistics.variance(first) + statistics.variance(second)) / n)
        diagnoses = [
            (loose, "You lost the pairs: this error has all that differs from seed to seed in it."),
            (error * n**0.5, "This is the standard deviation of one difference, not the standard error of their mean."),
            (error * ((n - 1) / n) ** 0.5, "Divide by n - 1 in the variance: the mean was taken from the same values."),
        ]
        for value, diagnosis in diagnoses:
            if math.isclose(got[1], value, abs_tol=1e-6):
                raise Wrong(diagnosis)
        if not math.isclose(got[1], error, abs_tol=1e-5):
            raise Wrong(f"For {first} and {second} the standard error is {error:.4f}; yours is {got[1]:.4f}.")


LEAST, WITHIN = 0.9, 60  # of the open exercise: accuracy in the mean of two draws, seconds for each


@exercise(
    "16.five-labels",
    points=3,
    stub='''
        def my_transfer(backbone, dataset):
            """Make of a network that learnt street digits one that reads handwritten ones. dataset.train has 5
            images of each class, with their labels; there are no test images. Return the network."""
            ...
    ''',
    solution="""
        def my_transfer(backbone, dataset):
            model = training.linear_probe(backbone, dataset)
            training.freeze(model, stages=0)
            shaken = training.Augment(shift=2, rotate=10, zoom=0.1, shear=0.1)
            slower = {"stem": 0.3, "stages": 0.3}
            settings = {"epochs": 45, "lr": 0.05, "batch_size": 25, "rates": slower, "progress": False}
            training.fit(model, dataset, augment=shaken, **settings)
            return model
    """,
    hints=[
        "training.fit takes augment=training.Augment(...). Which changes leave a handwritten digit what it is?",
        "Begin from the probe's head (training.linear_probe), free the backbone with training.freeze(model, 0), and "
        "give it a share of the rate: rates={'stem': 0.3, 'stages': 0.3}.",
    ],
    wrong={
        "in the mean": """
            def my_transfer(backbone, dataset):
                return training.linear_probe(backbone, dataset)
        """,
        "not a network": """
            def my_transfer(backbone, dataset):
                return training.fit(backbone, dataset, epochs=1, progress=False)
        """,
        "4 outputs": """
            def my_transfer(backbone, dataset):
                return training.replace_head(backbone, 4)
        """,
    },
)
def check_five_labels(my_transfer) -> None:
    accuracies = []
    for seed in (101, 102):
        dataset = few("handwritten", 5, seed)
        start = time.perf_counter()
        model = my_transfer(backbone("named"), dataset.without_test())
        seconds = time.perf_counter() - start
        if not isinstance(model, nn.Module):
            raise Wrong(
                f"my_transfer should return the network; what it returns is a {type(model).__name__}, not a network."
            )
        with torch.no_grad():
            outputs = model.eval()(dataset.test.inputs(slice(0, 2))).shape[1]
        if outputs != 10:
            raise Wrong(f"Your network has {outputs} outputs, and there are 10 classes.")
        if seconds > WITHIN:
            raise Wrong(f"It took {seconds:.0f} s; {WITHIN} are allowed for one network.")
        accuracies.append(training.evaluate(model, dataset.test).accuracy)
    mean = statistics.mean(accuracies)
    if mean < LEAST:
        listed = " and ".join(f"{a:.1%}" for a in accuracies)
        raise Wrong(
            f"From two draws of 50 images your networks read {listed}: {mean:.1%} in the mean; asked is {LEAST:.0%}."
        )
