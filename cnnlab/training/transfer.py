"""Transfer learning: from a network that learnt on many images to one for a task with few.

model = models.get_model("resnet20_tiny", weights="street_digits")
probe = training.linear_probe(model, few)                      # features once, then a logistic regression
freeze(replace_head(model, 10), stages=2)                      # or train what is left, by `training.fit`
training.fit(model, few, lr=0.02, rates={"stages": 0.1})       # the backbone ten times slower than the head
"""

import copy
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Integral

import torch
from torch import Tensor, nn

from cnnlab.data import Dataset, Images, Split
from cnnlab.data.dataset import assemble
from cnnlab.device import eval_mode
from cnnlab.table import Table
from cnnlab.training.loop import evaluate, fit


def last_layer(model: nn.Module) -> nn.Linear:
    """The linear layer that makes the logits. Raises ValueError where a network ends otherwise."""
    head = getattr(model, "head", None)
    if not isinstance(head, nn.Sequential) or not isinstance(head[-1], nn.Linear):
        raise ValueError(
            f"{type(model).__name__} does not end with a linear layer in its head: what is to be replaced?"
        )
    return head[-1]


def replace_head(model: nn.Module, classes: int) -> nn.Module:
    """Put a fresh linear layer for so many classes in the place of the last one, and return the network.

    >>> replace_head(models.get_model("resnet20_tiny"), 3).head[-1]
    Linear(in_features=32, out_features=3, bias=True)
    """
    if not isinstance(classes, Integral) or classes < 1:
        raise ValueError(f"classes must be a whole number of at least 1, not {classes!r}.")
    old = last_layer(model)
    model.head[-1] = nn.Linear(old.in_features, classes).to(old.weight)
    return model


def freeze(model: nn.Module, stages: int | None = None) -> nn.Module:
    """Let training change only what comes after the stem and so many stages, and return the network.

    stages: 0 frees the whole network, None leaves only the head. A frozen batch norm keeps its statistics too:
        `training.fit` leaves it in eval mode. Raises ValueError where there are fewer stages.
    """
    if stages is not None and not 0 <= stages <= len(model.stages):
        raise ValueError(f"stages must be 0 to {len(model.stages)}, or None for all but the head, not {stages!r}.")
    model.requires_grad_(True)
    parts = [] if stages == 0 else [model.stem, *model.stages[:stages]]
    if stages is None:  # a transformer's class token and positions belong to no part
        model.requires_grad_(False)
        model.head.requires_grad_(True)
    for part in parts:
        part.requires_grad_(False)
    return model


def keep_up(model: nn.Module, momentum: float = 0.1) -> nn.Module:
    """Let batch norms that move by less follow new images at this share a batch, and return the network.

    Some networks were trained with a hundredth: in the few steps of a fine-tuning their statistics would stay those of
    the images before, while the weights learn with those of each batch.
    """
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.momentum is not None:
            module.momentum = max(module.momentum, momentum)
    return model


@torch.no_grad()
def features(model: nn.Module, split: Images, *, batch_size: int = 500) -> Tensor:
    """What the last linear layer gets to see of each image, (N, features), in eval mode.

    Raises ValueError for an empty split.
    """
    if len(split) == 0:
        raise ValueError("There are no images to take features of: load the data set with some in this split.")
    seen = []
    hook = last_layer(model).register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].float().cpu()))
    device = next(model.parameters()).device
    try:
        with eval_mode(model):
            for part in torch.arange(len(split)).split(batch_size):
                model(split.inputs(part).to(device))
    finally:
        hook.remove()
    return torch.cat(seen)


def linear_probe(model: nn.Module, dataset: Dataset, *, strength: float = 1.0) -> nn.Module:
    """A copy of a network whose last layer is a logistic regression on its features; nothing else changes.

    The features are computed once. scikit-learn then finds the one minimum of the mean cross-entropy plus
    |weight|^2 / (2 strength N) over N training images; SGD on a frozen backbone goes to the same place with
    `weight_decay=1 / (strength * N)`, but for the bias, which it decays too.
    """
    from sklearn.linear_model import LogisticRegression

    classes = len(dataset.classes)
    probe = replace_head(copy.deepcopy(model), classes)
    labels = dataset.train.labels.numpy()
    known = len(set(labels.tolist()))
    if known < 2:
        raise ValueError(f"A linear probe needs images of at least two classes, not of {known}.")
    halves = 2 if known == 2 else 1  # of two classes scikit-learn keeps one row, twice as long as a softmax's two
    found = LogisticRegression(C=halves * strength, max_iter=5000, tol=1e-6).fit(features(model, dataset.train), labels)
    share = torch.tensor([[-0.5], [0.5]]) if known == 2 else torch.ones(1, 1)
    layer = last_layer(probe)
    nn.init.zeros_(layer.weight)
    nn.init.constant_(layer.bias, -1e4)  # of a class that has no training image
    with torch.no_grad():
        layer.weight[found.classes_] = share * torch.tensor(found.coef_).float()
        layer.bias[found.classes_] = share[:, 0] * torch.tensor(found.intercept_).float()
    return probe.eval()


def fine_tune(
    model: nn.Module,
    dataset: Dataset,
    *,
    stages: int | None = 0,
    new_head: bool = True,
    backbone: float = 0.1,
    lr: float = 0.05,
    steps: int = 150,
    batch_size: int = 32,
    seed: int = 0,
) -> nn.Module:
    """Give a network a new head and train it by `fit` on a few images; trained in place, returned.

    stages: so many stay frozen, as in `freeze`. new_head: False keeps the one there is, for example a linear probe's,
        so that training does not begin with the errors of a random one (Kumar et al. 2022).
    backbone: the learning rate of what is not the head, as a share of lr.
    steps: of SGD, at least; whole passes over the images.
    """
    freeze(replace_head(model, len(dataset.classes)) if new_head else model, stages)
    epochs = -(-steps // -(-len(dataset.train) // batch_size))
    slow = {part: backbone for part in ("stem", "stages")} if backbone != 1 and stages is not None else None
    dataset = dataset.without_test()  # to test after each of so many short epochs would take longer than they
    fit(model, dataset, epochs=epochs, lr=lr, batch_size=batch_size, rates=slow, seed=seed, progress=False)
    return model


def quarter_turns(dataset: Dataset) -> Dataset:
    """A task without labels: every image in its four orientations, and the turn as the class (Gidaris et al. 2018).

    Raises DataError where the images are streamed.
    """

    def turned(split: Split) -> tuple[Tensor, Tensor]:
        images = [torch.rot90(split.images, turns, (2, 3)) for turns in range(4)]
        return torch.cat(images), torch.arange(4).repeat_interleave(len(split))

    streamed = "turn the images in memory, which data.load(folder) reads where all have one size"
    train, test, validation = map(turned, dataset.in_memory(streamed))
    about = f"{dataset.about} Here each image in four orientations; the class is the turn."
    classes = ("upright", "90 degrees", "180 degrees", "270 degrees")
    return assemble(f"{dataset.name}, turned", train, test, classes, about, validation)


@dataclass
class Study:
    """Methods compared on few labels: one dictionary a training, with its method, labels, seed, accuracy, seconds."""

    results: list[dict[str, object]] = field(default_factory=list)

    def values(self, method: str, labels: int, what: str = "accuracy") -> list[float]:
        """Of all seeds."""
        return [r[what] for r in self.results if (r["method"], r["labels"]) == (method, labels)]

    def table(self) -> Table:
        """Accuracy in percent, mean and standard deviation over seeds, and the median of the seconds."""
        labels = list(dict.fromkeys(r["labels"] for r in self.results))
        methods = list(dict.fromkeys(r["method"] for r in self.results))
        rows = []
        for method in methods:
            cells = []
            for count in labels:
                percents = [100 * a for a in self.values(method, count)]
                spread = f" ± {statistics.stdev(percents):.1f}" if len(percents) > 1 else ""
                cells.append(f"{statistics.mean(percents):.1f}{spread}")
            seconds = [s for count in labels for s in self.values(method, count, "seconds")]
            rows.append([method, *cells, f"{statistics.median(seconds):.2f}"])
        return Table(["accuracy in %, by labels per class", *map(str, labels), "seconds"], rows)

    def __repr__(self) -> str:
        return repr(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


Method = Callable[[nn.Module, Dataset], nn.Module]


def transfer_study(
    methods: Mapping[str, tuple[Callable[[], nn.Module], Method]],
    load: Callable[[int, int], Dataset],
    *,
    labels: Iterable[int],
    seeds: Iterable[int],
    on_result: Callable[[Study], None] | None = None,
) -> Study:
    """Compare methods of transfer on the same few images.

    methods: by name, what makes the network to start from, and what makes of it and a data set a network to test.
    load: the data set with so many labels per class, for a seed, which is also that of the weights and of training.
    """
    study = Study()
    for count in labels:
        for seed in seeds:
            dataset = load(count, seed)
            for name, (make, method) in methods.items():
                torch.manual_seed(seed)
                model = make()
                start = time.perf_counter()
                model = method(model, dataset)
                seconds = time.perf_counter() - start
                accuracy = evaluate(model, dataset.test).accuracy
                result = {"method": name, "labels": count, "seed": seed, "accuracy": accuracy, "seconds": seconds}
                study.results.append(result)
                if on_result:
                    on_result(study)
    return study
