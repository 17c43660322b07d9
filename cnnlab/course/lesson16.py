"""Lesson 16, transfer learning: the backbones and methods of its record, its pictures, exercises and claims."""

import copy
import math
import statistics
import time
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import data, models, training
from cnnlab.course.claims import Claim, register
from cnnlab.course.exercise import Wrong, exercise
from cnnlab.data import Dataset, Split
from cnnlab.view import BLUE, GREY, INK, ORANGE, VERMILLION, Picture, blank, figure

# What a network learnt first: its name and its shipped weights. The first is taken apart, of others less is recorded.
BACKBONES = {
    "named": ("resnet20_tiny", "street_digits"),
    "turned": ("resnet20_tiny", "turned_street_digits"),
    "photographs": ("resnet20", "cifar10"),
}
LABELS = {"handwritten": (1, 2, 5, 10, 20), "faces": (2, 5, 10, 40)}  # per class
SEEDS = (0, 1, 2, 3, 4)
CLEAR = 2.78  # standard errors of five differences: 95 % of Student's t with four degrees of freedom


def backbone(name: str) -> nn.Module:
    """A network as it came out of its first training."""
    network, weights = BACKBONES[name]
    return models.get_model(network, weights=weights)


def few(name: str, labels: int, seed: int = 0, test: int | None = None) -> Dataset:
    """So many labelled images of each class, in three channels, and others to test: 500, or 100 of the faces."""
    classes, others = (2, 100) if name == "faces" else (10, 500)
    return data.load(name, train=labels * classes, test=test or others, seed=seed).in_rgb()


def probe_then_tune(model: nn.Module, dataset: Dataset) -> nn.Module:
    """Fine-tuning that starts from the probe's head and not from a random one (Kumar et al. 2022)."""
    return training.fine_tune(training.linear_probe(model, dataset), dataset, new_head=False)


METHODS = {
    "linear probe": training.linear_probe,
    "fine-tuned": training.fine_tune,
    "fine-tuned, one rate": partial(training.fine_tune, backbone=1),  # the backbone as fast as the head
    "probe, then fine-tuned": probe_then_tune,
    "1 stage frozen": partial(training.fine_tune, stages=1),
    "2 stages frozen": partial(training.fine_tune, stages=2),
    "3 stages frozen": partial(training.fine_tune, stages=3),
}
SCRATCH = partial(training.fine_tune, backbone=1, lr=0.1)


def methods() -> dict[str, tuple]:
    """What the study compares: by name a network to start from, and what is made of it."""
    first, *others = BACKBONES
    chosen = {name: (partial(backbone, first), method) for name, method in METHODS.items()}
    for other in others:
        for name in ("linear probe", "fine-tuned", "fine-tuned, one rate"):
            chosen[f"{name}, {other}"] = (partial(backbone, other), METHODS[name])
    return chosen | {"from scratch": (partial(models.get_model, "resnet20_tiny"), SCRATCH)}


def recorded(results: Sequence[Mapping], name: str, without: str | None = None) -> training.Study:
    """The part of a record that is of one data set, without one of the backbones that are not the first.

    Its seconds are those of the processor, on which no others wait.
    """
    chosen = [r for r in results if r["data"] == name and not r["method"].endswith(f", {without}")]
    return training.Study([result | {"seconds": result["processor_seconds"]} for result in chosen])


def compared(study: training.Study, labels: Sequence[int], *, level: float | None = None, title: str = "") -> Picture:
    """Accuracy against labels per class: the mean of all seeds and their standard deviation, a line for each method.

    level: what the backbone reads before it has learnt anything of the task, in percent.
    """
    hues = dict(zip(BACKBONES, (BLUE, VERMILLION, "#00785A"), strict=False))
    looks = {
        "linear probe": "o--",
        "2 stages frozen": "^-.",
        "fine-tuned": "s-",
        "fine-tuned, one rate": "v-",
        "probe, then fine-tuned": "D:",
    }
    lines = []  # what it is called here, and in the study
    for name, hue in hues.items():
        own = "" if name == next(iter(BACKBONES)) else f", {name}"
        lines += [(f"{method}, {name}", method + own, look, hue) for method, look in looks.items()]
    lines = [
        line for line in (*lines, ("from scratch", "from scratch", "x-", GREY)) if study.values(line[1], labels[0])
    ]
    fig, axis = figure(size=(9.5, 4.6), title=title)
    said = []
    for index, (label, method, look, hue) in enumerate(lines):
        values = [[100 * a for a in study.values(method, count)] for count in labels]
        means = [statistics.mean(v) for v in values]
        spread = [statistics.stdev(v) for v in values]
        at = [count * 1.025 ** (index - len(lines) / 2) for count in labels]  # side by side, so that bars do not cover
        axis.errorbar(at, means, spread, fmt=look, color=hue, label=label, capsize=2, ms=5, lw=1.4, elinewidth=1)
        said.append(f"{label} " + ", ".join(f"{m:.0f}" for m in means))
    if level is not None:
        axis.axhline(level, color=INK, lw=1, ls=(0, (1, 2)))
        axis.text(labels[-1] * 1.1, level, "named, as it is", va="bottom", ha="right", size=9)
    axis.set(xscale="log", xticks=labels, xlabel="labelled images of each class", ylabel="accuracy (%)")
    axis.set_xticklabels([str(count) for count in labels])
    axis.minorticks_off()
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), title="method, backbone")
    seeds = len(study.values(lines[0][1], labels[0]))
    listed = ", ".join(map(str, labels))
    return Picture(fig, f"Mean accuracy in % of {seeds} seeds with {listed} labels a class: {'; '.join(said)}.")


@torch.no_grad()
def drift(model: nn.Module, task: Dataset, home: Split, passes: Sequence[int]) -> dict[str, list[float]]:
    """Accuracies in percent after so many passes of a task's training images in training mode; no weight changes.

    model: a backbone with the head that it learnt at `home`; both are tested with batch norms that have moved.
    """
    own, probe = training.last_layer(model), training.linear_probe(model, task)
    moving, done = copy.deepcopy(model), 0
    results = {
        "the probe of before": [],
        "a probe made anew": [],
        "its own head": [],
        "its own head, street digits": [],
    }
    for count in passes:
        moving.train()
        for _ in range(count - done):
            moving(task.train.inputs())
        done = count
        heads = [training.last_layer(probe), training.last_layer(training.linear_probe(moving, task)), own, own]
        splits = [task.test, task.test, task.test, home]
        for accuracies, head, split in zip(results.values(), heads, splits, strict=True):
            moving.head[-1] = head
            accuracies.append(100 * training.evaluate(moving, split).accuracy)
    return results


def paired(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """The mean of the differences first - second, seed by seed, and its standard error."""
    differences = [a - b for a, b in zip(first, second, strict=True)]
    return statistics.mean(differences), statistics.stdev(differences) / len(differences) ** 0.5


def parts(model: nn.Module) -> dict[str, int]:
    """Parameters of the stem, of each stage and of the head."""
    named = {"stem": model.stem} | {f"stage {i}": stage for i, stage in enumerate(model.stages, start=1)}
    return {name: sum(p.numel() for p in part.parameters()) for name, part in (named | {"head": model.head}).items()}


def frozen(sizes: Mapping[str, int], stages: int, accuracies: Mapping[int, Sequence[float]], title: str) -> Picture:
    """A network with its stem and so many stages frozen, beside what each such freezing reached, in percent."""
    fig, (left, right) = figure(1, 2, size=(9.5, 3.4), title=title, width_ratios=(1, 1.3))
    trained = 0
    for row, (name, size) in enumerate(sizes.items()):
        learns = name == "head" or stages == 0 or row > stages
        trained += size * learns
        look = {"facecolor": ORANGE} if learns else {"facecolor": "#E6E6E6", "hatch": "//"}
        left.barh(row, 1, edgecolor="white", **look)
        left.text(0.5, row, f"{name}: {size:,} {'trained' if learns else 'frozen'}", ha="center", va="center", size=10,
                  bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2})  # fmt: skip
    blank(left)
    left.set_title(f"{trained:,} parameters trained", loc="center", weight="normal", size=10)
    means = {count: statistics.mean(values) for count, values in accuracies.items()}
    for count, values in accuracies.items():
        hue = VERMILLION if count == stages else BLUE
        right.plot([count] * len(values), values, "o", color=hue, mfc="none", ms=7)
        right.plot(count, means[count], "_", color=hue, ms=26, mew=3)
        right.annotate(f"{means[count]:.1f}", (count, means[count]), (17, -3), textcoords="offset points", size=9)
    names = ["none", *(f"stem, {count} stage{'s'[: count > 1]}" for count in accuracies if count)]
    right.set(xticks=list(accuracies), xticklabels=names, ylabel="accuracy (%)", xlabel="frozen")
    right.set_xlim(-0.5, len(accuracies) - 0.4)
    listed = ", ".join(f"{name} {mean:.1f}" for name, mean in zip(names, means.values(), strict=True))
    return Picture(fig, f"{title}. {trained:,} parameters are trained. Accuracy in % by what is frozen: {listed}.")


def alike(features: Tensor, labels: Tensor) -> float:
    """The share of images whose nearest other image, by Euclidean distance, is of the same class."""
    far = torch.cdist(features, features).fill_diagonal_(math.inf)
    return (labels[far.argmin(1)] == labels).float().mean().item()


def planes(features: Mapping[str, Tensor], labels: Tensor, *, title: str, shown: int = 120) -> Picture:
    """Each image as the numeral of its class, on the two first principal components of several networks' features."""
    fig, axes = figure(2, -(-len(features) // 2), size=(8.6, 6.8), title=title)
    hues = [BLUE, VERMILLION, "#00785A", "#A0527A", "#8A6000", "#2A7CB5", INK, "#707070", "#7A4FBF", "#A33B00"]
    said = []
    for axis, (name, seen) in zip(axes.flat, features.items(), strict=True):
        centred = seen - seen.mean(0)
        _, lengths, directions = torch.linalg.svd(centred, full_matrices=False)
        places = (centred @ directions[:2].T)[:shown]
        part = (lengths[:2].square().sum() / lengths.square().sum()).item()
        for (x, y), label in zip(places.tolist(), labels.tolist(), strict=False):
            axis.text(x, y, str(label), color=hues[label], size=8, ha="center", va="center")
        near = alike(seen, labels)
        low, high = places.min(0).values, places.max(0).values
        edge = 0.06 * (high - low)
        (left, lower), (right, upper) = (low - edge).tolist(), (high + edge).tolist()
        axis.set(xlim=(left, right), ylim=(lower, upper), xlabel="first component", ylabel="second component")
        axis.set_title(f"{name}: neighbours alike {near:.0%}", loc="center", weight="normal", size=10)
        said.append(f"{name} {near:.0%}, the plane holds {part:.0%} of the variance")
    return Picture(fig, f"{title}. Images whose nearest neighbour is of their class: {'; '.join(said)}.")


def nearest(images: Tensor, features: Tensor, library: Split, seen: Tensor, most: int = 5) -> tuple[Tensor, Tensor]:
    """Rows of pictures: each image and those of a library that are nearest by their features; and whose these are."""
    order = torch.cdist(features, seen).argsort(1)[:, :most]
    rows = [torch.cat([image[None], library.images[found]]) for image, found in zip(images, order, strict=True)]
    return torch.cat(rows), library.labels[order]


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
def _(new_head) -> None:
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
def _(only_the_head) -> None:
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
def _(probe_gradient) -> None:
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
def _(difference) -> None:
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
def _(my_transfer) -> None:
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


register(
    Claim(
        lesson="16",
        id="small_data",
        statement="Who has few images begins with a network that learnt on many",
        stated="yes",
        source="lecture",
        status="measured",
    ),
    Claim(
        lesson="16",
        id="probe_faster",
        statement="Linear probing is faster than fine-tuning",
        stated="yes",
        source="lecture",
        status="measured",
    ),
    Claim(
        lesson="16",
        id="tuning_better",
        statement="Fine-tuning is better in general",
        stated="yes",
        source="lecture",
        status="measured",
    ),
    Claim(
        lesson="16",
        id="partial",
        statement="A part of the network may stay frozen",
        stated="yes",
        source="lecture; Yosinski et al. 2014",
        status="measured",
    ),
    Claim(
        lesson="16",
        id="no_labels",
        statement="The first training needs no labels",
        stated="yes",
        source="lecture; Gidaris et al. 2018",
        status="measured",
    ),
    Claim(
        lesson="16",
        id="turns_voc",
        statement="Detection on PASCAL VOC after learning turns without labels, mean average precision (%)",
        stated="54.4, 2.4 below labels",
        source="Gidaris et al. 2018, abstract",
        status="reported only",
        why="an AlexNet that learnt from all of ImageNet, and another task",
    ),
    Claim(
        lesson="16",
        id="better_transfers_better",
        statement="Correlation of accuracy on ImageNet and after transfer: probe, fine-tuned",
        stated="0.99, 0.96",
        source="Kornblith et al. 2019, abstract",
        status="reported only",
        why="16 networks trained on ImageNet, and 12 data sets",
    ),
    Claim(
        lesson="16",
        id="distortion",
        statement="Fine-tuning against the probe: on images like those of training, and on others (points)",
        stated="+2, -7",
        source="Kumar et al. 2022, abstract",
        status="reported only",
        why="ten large data sets, tested on shifted ones; this lesson tests on images like those of training",
    ),
)
