"""Lesson 16, transfer learning: photographs of solar cells, as a network that has seen ImageNet wants them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor, nn

from cnnlab import data, models, training
from cnnlab.data import Dataset, Split
from cnnlab.data.solar_cells import CREDIT
from cnnlab.view import INK, Picture, images

SIZE, VALIDATION = 96, 200
LABELS = (20, 100, 500, 1900)
STEPS = {20: 60, 100: 100, 500: 160, 1900: 480}  # by labels, of BATCH images each
BATCH = 20
RATES = (0.01, 0.04, 0.16)  # to begin with, of the head; a record tries others beyond the edge
STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)  # of a probe's penalty, to begin with
MOST = 6  # learning rates of one method

# What trains: how much slower the backbone is than the head. Frozen: the stem and so many of seven stages.
MAIN = {"fine-tuned": 0.1, "fine-tuned, one rate": 1.0, "unfrozen bit by bit": 0.1, "from scratch": 1.0}
FROZEN = {f"{stages} stage{'s'[: stages > 1]} frozen": stages for stages in range(1, 8)}
LONGER = ", twice the steps"  # after the name of a method
BIT_BY_BIT = (7, 5, 3, 0)  # stages that are frozen in each quarter of the steps

# Where the features of a probe come from: its network and weights.
PROBED = {
    "ImageNet": ("efficientnet_lite0", "imagenet"),
    "random weights, the same network": ("efficientnet_lite0", None),
    "photographs": ("resnet20", "cifar10"),
    "street digits": ("resnet20_tiny", "street_digits"),
    "random weights, as street digits": ("resnet20_tiny", None),
}
BY_DEPTH = ("ImageNet", "random weights, the same network")  # probed after the stem and after each stage, too


@cache
def cells(weights: str | None = "imagenet") -> Dataset:
    """1,900 to learn from, 200 to choose by, 524 to test with. DataError without the package.

    weights: of the network they are for; those of ImageNet want its normalisation, others that of the cells.
    """
    loaded = data.load("solar_cells", size=SIZE, validation=VALIDATION).in_rgb()
    wanted = models.imagenet_input("efficientnet_lite0")
    return loaded.normalised(wanted.mean, wanted.std) if weights == "imagenet" else loaded


def draw(cells: Split, count: int, seed: int) -> Split:
    """So many of them, at random."""
    order = torch.randperm(len(cells), generator=torch.Generator().manual_seed(seed))
    return cells.take(order[:count])


def with_labels(dataset: Dataset, labels: int, seed: int) -> Dataset:
    """The same set with so many of its training cells."""
    return replace(dataset, train=draw(dataset.train, labels, seed))


def gallery(dataset: Dataset) -> Picture:
    """Four sound and four broken cells, with their source and licence under them."""
    chosen = [int(i) for label in (0, 1) for i in (dataset.test.labels == label).nonzero()[:4]]
    names = [dataset.classes[label] for label in dataset.test.labels[chosen]]
    picture = images(dataset.test.images[chosen], names, columns=8, title="Four sound cells, and four broken ones")
    picture.figure.text(0.01, 0.04, CREDIT, ha="left", va="bottom", size=8, color=INK)
    return picture


@torch.inference_mode()
def answers(model: nn.Module, inputs: Tensor) -> Tensor:
    """The class with the largest logit, image by image."""
    return torch.cat([model.eval()(part).argmax(1) for part in inputs.split(50)])


def scored(guesses: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy, and the mean of the accuracies on each class: one half for whoever says the same of all.

    >>> scored(torch.tensor([0, 0, 0, 0]), torch.tensor([0, 0, 0, 1]))
    {'accuracy': 0.75, 'balanced': 0.5}
    """
    right = (guesses == labels).double()
    by_class = [right[labels == label].mean() for label in labels.unique()]
    found = {"accuracy": right.mean(), "balanced": torch.stack(by_class).mean()}
    return {name: round(value.item(), 4) for name, value in found.items()}


def untrained(name: str) -> nn.Module:
    """A network with random weights, the depthwise ones as large as its authors made them, by the inputs of each.

    As large as PyTorch makes them, by the channels, Lite0's maps shrink from block to block until the epsilon of its
    batch norms, 0.001, hides them.
    """
    model = models.get_model(name)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d) and layer.groups > 1:
            nn.init.kaiming_normal_(layer.weight)
    return model


def network(method: str, seed: int) -> nn.Module:
    """EfficientNet-Lite0 with two outputs and batch norms that keep up; "from scratch" with random weights."""
    torch.manual_seed(seed)
    scratch = method == "from scratch"
    model = untrained("efficientnet_lite0") if scratch else models.get_model("efficientnet_lite0", weights="imagenet")
    model = training.keep_up(training.replace_head(model, 2))
    return model.to(memory_format=torch.channels_last)


def below(model: nn.Module, stages: int) -> nn.Sequential:
    """The stem and so many stages; of none, nothing."""
    return nn.Sequential(*([model.stem, *model.stages[:stages]] if stages else []))


def above(model: nn.Module, stages: int) -> nn.Sequential:
    """What comes after them."""
    first = [] if stages else [model.stem]
    return nn.Sequential(*first, *model.stages[stages:], model.head)


@torch.inference_mode()
def maps(model: nn.Module, inputs: Tensor, stages: int) -> Tensor:
    """What the stem and so many stages make of images in eval mode: made once, however often it is learnt from."""
    if not stages:
        return inputs
    frozen = below(model, stages).eval()
    made = torch.cat([frozen(part) for part in inputs.split(50)])
    return made.contiguous(memory_format=torch.channels_last)


def tune(part: nn.Sequential, inputs: Tensor, labels: Tensor, lr: float, share: float, steps: int) -> list[float]:
    """SGD, the head at a one-cycle rate that peaks at lr, the rest at a share of it; the loss by step."""
    *stages, head = part
    slow = [parameter for stage in stages for parameter in stage.parameters()]
    groups = [{"params": head.parameters(), "lr": lr}]
    groups += [{"params": slow, "lr": lr * share}] if slow else []
    optimizer = torch.optim.SGD(groups, lr, momentum=0.9, nesterov=True, weight_decay=5e-4)
    peaks = [group["lr"] for group in groups]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peaks, steps + 1, pct_start=0.25)
    part.train()
    order = torch.cat([torch.randperm(len(labels)) for _ in range(-(-steps * BATCH // len(labels)))])
    losses = []
    for some in order.split(BATCH)[:steps]:
        loss = nn.functional.cross_entropy(part(inputs[some]), labels[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    part.eval()
    return losses


def learn(model: nn.Module, method: str, taught: Split, lr: float, steps: int) -> list[float]:
    """Train a network on labelled cells by one of the methods; the loss by step."""
    inputs = taught.inputs().contiguous(memory_format=torch.channels_last)
    phases = BIT_BY_BIT if method == "unfrozen bit by bit" else (FROZEN.get(method, 0),)
    losses = []
    for stages in phases:
        given = maps(model, inputs, stages).clone()
        settings = {"share": MAIN.get(method, 0.1), "steps": steps // len(phases)}
        losses += tune(above(model, stages), given, taught.labels, lr, **settings)
    return losses


@cache
def kept(stages: int) -> tuple[Tensor, Tensor]:
    """The maps of the validation and of the test cells, which all networks with so many frozen stages share."""
    dataset = cells()
    inputs = [
        part.inputs().contiguous(memory_format=torch.channels_last) for part in (dataset.validation, dataset.test)
    ]
    return tuple(maps(network("fine-tuned", 0), images, stages) for images in inputs)


def trained(method: str, labels: int, seed: int, lr: float) -> dict[str, object]:
    """One training, its score on test and validation cells, and the seconds of the processor that it took."""
    dataset, name = cells(), method
    method = name.removesuffix(LONGER)
    steps = STEPS[labels] * (1 if name == method else 2)
    taught, model = draw(dataset.train, labels, seed), network(method, seed)
    torch.manual_seed(seed)
    losses, seconds = timed(lambda: learn(model, method, taught, lr, steps))
    frozen = FROZEN.get(method, 0)
    choosing, testing = (answers(above(model, frozen), inputs) for inputs in kept(frozen))
    return {
        **{"method": name, "labels": labels, "seed": seed, "lr": lr, "steps": len(losses)},
        **scored(testing, dataset.test.labels),
        "validation": scored(choosing, dataset.validation.labels)["balanced"],
        "loss": round(sum(losses[-10:]) / 10, 4),
        "processor_seconds": round(seconds, 2),
    }


def timed(work: Callable[[], object]) -> tuple[object, float]:
    """What comes out, and the seconds of the processor that it took."""
    start = time.process_time()
    return work(), time.process_time() - start


@torch.no_grad()
def settle(model: nn.Module, cells: Split) -> None:
    """Let the batch norms of random weights see cells, or what comes out at the end is nearly the same for all."""
    training.keep_up(model).train()
    for some in torch.arange(len(cells))[:1000].split(50):
        model(cells.inputs(some))


Probe = Callable[[int, int, float], dict[str, object]]  # by labels, seed and strength


def regression(features: Sequence[Tensor], each: float) -> Probe:
    """Logistic regressions on features of training, validation and test cells.

    each: the seconds of the processor that the features of one cell took.
    """
    from sklearn.linear_model import LogisticRegression

    learnt, *others = features
    dataset = cells()

    def probe(labels: int, seed: int, strength: float) -> dict[str, object]:
        order = torch.randperm(len(learnt), generator=torch.Generator().manual_seed(seed))[:labels]
        regression = LogisticRegression(C=2 * strength, max_iter=5000)  # of two classes: as in training.linear_probe
        _, fitted = timed(lambda: regression.fit(learnt[order], dataset.train.labels[order]))
        choosing, testing = (torch.tensor(regression.predict(seen)) for seen in others)
        return {
            **{"labels": labels, "seed": seed, "strength": strength},
            **scored(testing, dataset.test.labels),
            "validation": scored(choosing, dataset.validation.labels)["balanced"],
            "processor_seconds": round(labels * each + fitted, 2),
        }

    return probe


def ready(source: str) -> tuple[nn.Module, Dataset]:
    """A network of PROBED and the cells as it wants them."""
    name, weights = PROBED[source]
    torch.manual_seed(0)
    model = models.get_model(name, weights=weights) if weights else untrained(name)
    model.to(memory_format=torch.channels_last)
    dataset = cells(weights)
    if not weights:
        settle(model, dataset.train)
    return model.eval(), dataset


def probes(source: str) -> Probe:
    """On what the last layer of a network is given."""
    model, dataset = ready(source)
    parts = (dataset.train, dataset.validation, dataset.test)
    features, took = timed(lambda: [training.features(model, part, batch_size=50) for part in parts])
    return regression(features, took / sum(map(len, parts)))


@torch.inference_mode()
def averages(model: nn.Module, cells: Split) -> list[Tensor]:
    """For each cell the average of each map after the stem and each stage, and what the last layer is given."""
    found = []
    for some in torch.arange(len(cells)).split(50):
        maps, at = cells.inputs(some).contiguous(memory_format=torch.channels_last), []
        for part in (model.stem, *model.stages):
            maps = part(maps)
            at.append(maps.mean((2, 3)))
        at.append(model.head[:-1](maps))
        found.append(at)
    return [torch.cat(parts) for parts in zip(*found, strict=True)]


def depth_probes(source: str) -> list[Probe]:
    """On the `averages` of a network at each depth, each of mean 0 and standard deviation 1 on all training cells."""
    model, dataset = ready(source)
    start = time.process_time()
    splits = zip(*(averages(model, part) for part in (dataset.train, dataset.validation, dataset.test)), strict=True)
    each = (time.process_time() - start) / (len(dataset.train) + len(dataset.validation) + len(dataset.test))
    likened = ([(seen - parts[0].mean(0)) / parts[0].std(0).clamp(min=1e-6) for seen in parts] for parts in splits)
    return [regression(parts, each) for parts in likened]


def chosen(runs: Sequence[Mapping], method: str, labels: int, setting: str = "lr") -> float:
    """The learning rate (or strength) that was best on validation cells, with the first seed."""
    tried = {r[setting]: r["validation"] for r in runs if (r["method"], r["labels"], r["seed"]) == (method, labels, 0)}
    return max(tried, key=tried.get)
