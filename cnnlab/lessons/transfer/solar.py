"""Lesson 16, transfer learning: solar cells, and a network that has seen ImageNet; for the lesson and its record."""

import copy
import time
from collections.abc import Callable, Sequence
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
EPOCHS = {20: 40, 100: 10, 500: 6, 1900: 4}
BATCH = 20
MOMENTUM = 0.1  # of the batch norms while they are fine-tuned: with the network's own 0.01 their statistics lag behind
STRENGTHS = (0.01, 0.1, 1.0, 10.0)  # of a probe, chosen on the validation images
LR = (0.003, 0.01, 0.03)  # of fine-tuning, too
ARMS = {"fine-tuned": 0.1, "fine-tuned, one rate": 1.0}  # the backbone's learning rate, as a share of the head's
PROBED = {  # where features come from, and at how many pixels
    "ImageNet": 96,
    "ImageNet, 64 pixels": 64,
    "photographs": 64,
    "named": 64,
    "random weights": 64,
}

SEEDS = (0, 1, 2)
CASES = tuple(  # of fine-tuning: what it is, labels, seed; what the lesson needs most comes first
    (method, labels, seed)
    for methods, counts in (
        ((*ARMS, "5 stages frozen"), (20, 100)),
        (("3 stages frozen", "6 stages frozen", "7 stages frozen"), (100,)),
        (("fine-tuned", "5 stages frozen"), (500,)),
        (("unfrozen bit by bit", "from scratch"), (100,)),
        (("5 stages frozen",), (1900,)),
        (("fine-tuned, one rate", "from scratch"), (500,)),
        (("fine-tuned",), (1900,)),
    )
    for seed in SEEDS
    for method in methods
    for labels in counts
)


@cache
def cells(size: int = SIZE) -> Dataset:
    """1,900 to learn from, 200 to choose by, 524 to test with, in three equal channels, as ImageNet's weights want."""
    wanted = models.imagenet_input("efficientnet_lite0")
    loaded = data.load("solar_cells", size=size, validation=VALIDATION)
    return loaded.in_rgb().normalised(wanted.mean, wanted.std)


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


def network(pretrained: bool = True, seed: int = 0) -> nn.Module:
    """Lite0 with two outputs, and batch norms that follow new images."""
    torch.manual_seed(seed)
    model = models.get_model("efficientnet_lite0", weights="imagenet" if pretrained else None)
    nn.init.zeros_(training.replace_head(model, 2).head[-1].weight)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = MOMENTUM
    return model


def tune(
    model: nn.Module, inputs: Tensor, labels: Tensor, *, epochs: int, lr: float, share: float, seed: int
) -> nn.Module:
    """SGD over whole passes, the head at a one-cycle rate that peaks at lr, all before it at a share of that."""
    torch.manual_seed(seed)
    head = training.last_layer(model) if hasattr(model, "head") else model[-1][-1]
    own = {id(parameter) for parameter in head.parameters()}
    slow = [p for p in model.parameters() if p.requires_grad and id(p) not in own]
    groups = [{"params": list(head.parameters()), "lr": lr}, *([{"params": slow, "lr": lr * share}] if slow else [])]
    steps = epochs * -(-len(labels) // BATCH)
    optimizer = torch.optim.SGD(groups, lr, momentum=0.9, nesterov=True, weight_decay=5e-4)
    peaks = [group["lr"] for group in groups]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peaks, steps + 1, pct_start=0.25)
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(labels)).split(BATCH):
            loss = nn.functional.cross_entropy(model(inputs[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.inference_mode()
def answers(model: nn.Module, inputs: Tensor) -> Tensor:
    """The class with the largest logit, image by image."""
    return torch.cat([model.eval()(part).argmax(1) for part in inputs.split(50)])


def scored(guesses: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy, and the mean of the accuracies on each class: sound cells alone give one half."""
    right = guesses == labels
    of_class = [right[labels == label].float().mean() for label in (0, 1)]
    return {
        "accuracy": round(right.float().mean().item(), 4),
        "balanced": round(torch.stack(of_class).mean().item(), 4),
    }


@torch.inference_mode()
def maps(model: nn.Module, inputs: Tensor, stages: int) -> Tensor:
    """What the stem and so many stages make of images: computed once, as often used as they are frozen."""
    frozen = nn.Sequential(model.stem, *model.stages[:stages]).eval()
    return torch.cat([frozen(part) for part in inputs.split(50)]).clone()


def tail(model: nn.Module, stages: int) -> nn.Sequential:
    """What comes after these stages."""
    return nn.Sequential(*model.stages[stages:], model.head)


def timed(work: Callable[[], nn.Module]) -> tuple[nn.Module, float]:
    """What comes out, and the seconds of the processor that it took."""
    start = time.process_time()
    return work(), round(time.process_time() - start, 1)


def fine_tuned(dataset: Dataset, method: str, labels: int, seed: int, lr: float) -> dict[str, object]:
    """One training by `ARMS`, "from scratch", "unfrozen bit by bit" or "3 stages frozen", and its test."""
    taught, epochs = draw(dataset.train, labels, seed), EPOCHS[labels]
    model = network(method != "from scratch", seed)
    frozen = int(method[0]) if method.endswith("frozen") else 0
    settings = {"lr": lr, "share": ARMS.get(method, 0.1), "seed": seed}

    def work() -> nn.Module:
        if frozen:
            part = copy.deepcopy(tail(model, frozen))
            return tune(part, maps(model, taught.inputs(), frozen), taught.labels, epochs=epochs, **settings)
        if method == "unfrozen bit by bit":  # the last two stages and the head, then all
            tune(tail(model, 5), maps(model, taught.inputs(), 5), taught.labels, epochs=epochs // 2, **settings)
            return tune(model, taught.inputs(), taught.labels, epochs=epochs // 2, **settings)
        if method == "from scratch":
            settings.update(share=1.0, lr=0.05)
        return tune(model, taught.inputs(), taught.labels, epochs=epochs, **settings)

    tuned, seconds = timed(work)
    tested = [maps(model, s.inputs(), frozen) if frozen else s.inputs() for s in (dataset.test, dataset.validation)]
    score, choice = (
        scored(answers(tuned, inputs), s.labels)
        for inputs, s in zip(tested, (dataset.test, dataset.validation), strict=True)
    )
    return {
        **{"method": method, "labels": labels, "seed": seed, "lr": lr, **score},
        **{"validation": choice["accuracy"], "processor_seconds": seconds},
    }


def backbone(name: str) -> nn.Module:
    """A network of `PROBED`."""
    if name == "photographs":
        return models.get_model("resnet20", weights="cifar10").eval()
    if name == "named":
        return models.get_model("resnet20_tiny", weights="street_digits").eval()
    return models.get_model("efficientnet_lite0", weights="imagenet" if name.startswith("ImageNet") else None).eval()


def probed(
    features: Sequence[Tensor], targets: Sequence[Tensor], labels: int, seeds: Sequence[int]
) -> list[dict[str, object]]:
    """Logistic regressions on features of training, validation and test cells; the strength chosen by validation."""
    from sklearn.linear_model import LogisticRegression

    def fitted(seed: int, strength: float) -> tuple[object, float]:
        drawn = torch.randperm(len(targets[0]), generator=torch.Generator().manual_seed(seed))[:labels]
        start = time.process_time()
        made = LogisticRegression(C=strength, max_iter=1000).fit(features[0][drawn], targets[0][drawn])
        return made, round(time.process_time() - start, 2)

    chosen = {strength: 0.0 for strength in STRENGTHS}
    for strength in STRENGTHS:
        chosen[strength] = sum(fitted(100 + seed, strength)[0].score(features[1], targets[1]) for seed in range(2))
    best = max(chosen, key=chosen.get)
    results = []
    for seed in seeds:
        made, seconds = fitted(seed, best)
        score = scored(torch.tensor(made.predict(features[2])), targets[2])
        results.append({"labels": labels, "seed": seed, "strength": best, **score, "processor_seconds": seconds})
    return results
