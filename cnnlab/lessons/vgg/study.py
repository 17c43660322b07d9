"""Lesson 04, VGG: networks that differ in one thing, how loud a network is, and the lesson's tables and pictures."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean

import torch
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from cnnlab import view
from cnnlab.lessons import rates as learning_rates
from cnnlab.lessons.records import Record
from cnnlab.measure import Cost
from cnnlab.models.vgg import DEPTHS, VGG
from cnnlab.table import Table
from cnnlab.view import Picture

HALF = {"width": 8, "hidden": 64, "dropout": 0.0, "small_images": True, "num_classes": 10}


def twin(layers: int) -> nn.Module:
    """A network of the family with half the channels of `vgg11_tiny` and its like."""
    return VGG(depths=DEPTHS[layers], **HALF)


def equal_gains(model: nn.Module) -> nn.Module:
    """He's rule, in place; the first layer, which has no ReLU before it, gets half the variance. Biases become 0."""
    halved = False  # whether a ReLU has taken half of the mean square of what comes in
    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            fan = layer.weight[0].numel()
            nn.init.normal_(layer.weight, std=((2 if halved else 1) / fan) ** 0.5)
            nn.init.zeros_(layer.bias)
            halved = False
        elif isinstance(layer, nn.ReLU):
            halved = True
    return model


def loudness(model: nn.Module, images: Tensor) -> float:
    """Root mean square of a network's logits."""
    with torch.no_grad():
        return model(images).square().mean().sqrt().item()


@torch.no_grad()
def scaled_to(model: nn.Module, layers: Iterable[str], images: Tensor, target: float) -> None:
    """Multiply the weights and biases of these layers by one factor, in place, so that `loudness` becomes `target`."""
    chosen = [model.get_submodule(name) for name in layers]
    for _ in range(20):  # the logits are not quite a power of the factor, since other layers have biases too
        factor = (target / loudness(model, images)) ** (1 / len(chosen))
        for layer in chosen:
            for values in layer.parameters():
                values.mul_(factor)


def fields(photo: Tensor, sides: Sequence[int], *, kernel: int, plain: bool) -> Picture:
    """What a unit of each layer sees, drawn over a photograph of 224 x 224: the first layer innermost.

    plain: no stride and no pooling, so that one large kernel sees as much.
    """
    side, weights = sides[-1], len(sides) * kernel**2
    figure, axis = view.figure(size=(5.6, 5.4))
    view.blank(axis).imshow(photo.permute(1, 2, 0).numpy())
    for index, field in enumerate(sides, 1):
        corner, width = 112 - field / 2, 2.5 if index == len(sides) else 1
        axis.add_patch(Rectangle((corner, corner), field, field, fill=False, ec=view.ORANGE, lw=width))
    reach = min(112, max(40, 0.8 * side))  # looks closer where there is little to see
    axis.set(xlim=(112 - reach, 112 + reach), ylim=(112 + reach, 112 - reach))
    one = f"one kernel of {side} × {side} has {side**2} C²" if plain else "strides and pooling widen the field"
    one += "; more than the photograph" if side > 224 else ""
    layers = f"{len(sides)} layer{'s' * (len(sides) > 1)}"
    axis.set_title(f"{layers} of {kernel} × {kernel} see {side} × {side} pixels\n{weights} C² weights; {one}")
    listed = ", ".join(map(str, sides))
    return Picture(figure, f"The fields from layer to layer: {listed} pixels. {weights} C² weights; {one}.")


def family(costs: Mapping[int, Cost]) -> Table:
    """Configurations A, B, D and E at full size."""
    letters = dict(zip(DEPTHS, "ABDE", strict=True))
    rows = [
        [letters[layers], layers, DEPTHS[layers], cost.params, cost.macs, cost.receptive_field]
        for layers, cost in costs.items()
    ]
    return Table(["net", "layers", "tuple", "parameters", "mult-adds", "field (pixels)"], rows)


def balance(costs: Mapping[str, Cost]) -> tuple[Picture, Table]:
    """Mult-adds by stage as bars, and the most costly by the least costly: stages, and convolutions."""
    bars, rows = {}, []
    for name, cost in costs.items():
        *stages, head = [row.macs / 1e6 for row in cost.stages if row.macs]
        bars[name] = {f"stage {n}": value for n, value in enumerate(stages, 1)} | {"fully connected": head}
        single = [row.macs for row in cost.layers if row.kind == "Conv2d"]
        rows.append([name, max(stages) / min(stages), max(single) / min(single)])
    ratios = ", ".join(f"{name} {stages:.1f}" for name, stages, _ in rows)
    title = f"Most costly stage by least costly: {ratios}"
    rows = [[name, *(f"{ratio:.1f} to 1" for ratio in ratios)] for name, *ratios in rows]
    return view.shares(bars, unit="M", title=title), Table(["", "between stages", "between convolutions"], rows)


def by_layer(values: Mapping[str, Sequence[float]], y: str, title: str) -> Picture:
    """A line for each start over the layers of a network, on a logarithmic scale."""
    picture = view.lines(values, x="layer (1 is next to the image)", y=y, log="y", title=title, size=(8.5, 4))
    axis = picture.figure.axes[0]
    axis.set_xticks(range(1, 1 + max(map(len, values.values()))))
    return picture


def products(gains: Mapping[str, Mapping[int, Sequence[float]]]) -> Table:
    """Gains of single layers, and of all layers together, of 11 and of 19 layers.

    gains: by the start, and by the number of layers.
    """
    rows = []
    for name, of in gains.items():
        together = [torch.tensor(of[layers]).prod().item() for layers in (11, 19)]
        rows.append([name, f"{of[19][1]:.2f}", f"{of[19][15]:.2f}", *(f"{product:.0e}" for product in together)])
    return Table(["start", "gain of layer 2", "gain of layer 16", "11 layers together", "19 together"], rows)


def percent(values: Iterable[float]) -> list[float]:
    return [100 * value for value in values]


def at_the_plateau(record: Record, part: str = "test") -> dict[str, list[float]]:
    """For each network at its own learning rate the values of its seeds, in percent: at the end, or for each epoch.

    part: "test" for the accuracy on test images, "train" or "validation" for the accuracy after each epoch.
    """
    found = {name: of["seeds"] for name, of in record.results.items()}
    if part == "test":
        return {name: percent(run["test"] for run in runs) for name, runs in found.items()}
    return {name: [percent(run[part]) for run in runs] for name, runs in found.items()}


def rates(record: Record) -> Table:
    """The validation accuracy of each network at each learning rate, by seed 0, and the rate that is chosen."""
    tried = {
        name: {float(lr): f"{100 * run['validation'][-1]:.1f} %" for lr, run in of["tried"].items()}
        for name, of in record.results.items()
    }
    chosen = {name: of["chosen"] for name, of in record.results.items()}
    return learning_rates.table(tried, chosen, "Accuracy on the validation images, by learning rate")


def inside(record: Record) -> bool:
    """Whether each chosen learning rate lies between two others of its grid."""
    return all(learning_rates.inside(of["chosen"], map(float, of["tried"])) for of in record.results.values())


def ends(record: Record, names: Mapping[str, str]) -> dict[str, list[float]]:
    """The last test accuracy of each seed, in percent. names: those of the record, and what to call them."""
    found = {}
    for name, label in names.items():
        runs = record.results[name]
        found[label] = percent(
            (run["test"] if "test" in run else [e["test_accuracy"] for e in run["history"]])[-1] for run in runs
        )
    return found


def by_epoch(record: Record, name: str) -> list[list[float]]:
    """The test accuracy after each epoch, for each seed, in percent."""
    return [[round(100 * epoch["test_accuracy"], 1) for epoch in run["history"]] for run in record.results[name]]


def means(values: Mapping[str, Sequence[float]], digits: int = 1) -> str:
    """In words: each name with the mean of its values."""
    return "; ".join(f"{name}: {mean(of):.{digits}f}" for name, of in values.items())


def verdicts(
    plateau: Mapping[str, Sequence[float]],
    at_once: Mapping[str, Sequence[float]],
    starts: Mapping[str, Sequence[float]],
) -> dict[str, object]:
    """What the claims need of the records: accuracies in percent.

    plateau: `at_the_plateau`; at_once: networks that were trained at once, by layers; starts: networks by their start.
    """
    ends = {name: mean(values) for name, values in plateau.items()}
    deep = [value for name, values in at_once.items() if name.startswith("19") for value in values]
    found: dict[str, object] = {
        "depth": tuple(ends[f"{layers} layers"] for layers in DEPTHS),
        "end_to_end": (min(deep), max(deep)),
    }
    for id, name in (
        ("in_stages", "19 layers, grown from 11, std 0.05"),
        ("glorot", "19 layers, Glorot, pixels to 255"),
        ("glorot_normalised", "19 layers, Glorot"),
    ):
        found[id] = (min(starts[name]), max(starts[name]))
    return found
