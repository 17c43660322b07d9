"""Lesson 01, LeNet: choosing learning rates, and the lesson's own tables and pictures."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import measure, training, view
from cnnlab.data import Dataset
from cnnlab.data.dataset import assemble
from cnnlab.lessons import rates as learning_rates
from cnnlab.models.lenet import C3_INPUTS, LeNet5_1998
from cnnlab.table import Table


def for_lenet(dataset: Dataset) -> Dataset:
    """The same set in one grey channel and at 32 x 32 pixels, which is what LeNet takes. Both splits in memory.

    >>> for_lenet(data.load("street_digits", train=100, test=50))
    street_digits: 100 training and 50 test images, 1x32x32, 10 classes
    """
    if dataset.train.shape[1:] != (32, 32):
        dataset = dataset.resized(32)
    if dataset.train.shape[0] == 1:
        return dataset
    parts = [
        (split.images.float().mean(1, keepdim=True).round().to(torch.uint8), split.labels)
        for split in (dataset.train, dataset.test)
    ]
    return assemble(dataset.name, *parts, dataset.classes, dataset.about)


def train_at_each(
    build: Callable[[], nn.Module], dataset: Dataset, rates: Iterable[float], *, seed: int = 0, **options: object
) -> dict[float, training.Run]:
    """The same network with the same initial weights, trained once at each learning rate; `options` are those of `fit`.

    Each is tested once, at its end; a training whose loss is no longer a number is not.
    """
    runs = {}
    for lr in rates:
        torch.manual_seed(seed)
        try:
            run = training.fit(build(), dataset.without_test(), lr=lr, seed=seed, progress=False, **options)
        except training.DivergedError as error:
            run = error.run
        else:
            test = training.evaluate(run.model, dataset.test)
            run.history[-1] = replace(run.history[-1], test_loss=test.loss, test_accuracy=test.accuracy)
        runs[lr] = run
    return runs


def accuracy(run: training.Run) -> float:
    """The last accuracy on images that were not trained on, in percent; 0 where the training diverged."""
    tested = run.history and not math.isnan(run.history[-1].test_accuracy)
    return 100 * run.history[-1].test_accuracy if tested else 0.0


def best(runs: Mapping[float, training.Run]) -> float:
    """The rate with the highest accuracy; of equal ones the smallest."""
    return max(sorted(runs), key=lambda lr: accuracy(runs[lr]))


def inside(*grids: Mapping[float, training.Run]) -> bool:
    """Whether the best rate of each grid lies between two others, so that no better one is missed beyond its edge."""
    return all(learning_rates.inside(best(runs), runs) for runs in grids)


def rates(grids: Mapping[str, Mapping[float, training.Run]]) -> Table:
    """The validation accuracy of each network at each rate, and the rate that is chosen."""
    tried = {name: {lr: f"{accuracy(run):.1f} %" for lr, run in runs.items()} for name, runs in grids.items()}
    chosen = {name: best(runs) for name, runs in grids.items()}
    return learning_rates.table(tried, chosen, "Accuracy on the validation images, by learning rate")


def counts(model: LeNet5_1998) -> Table:
    """Parameters and connections of each layer of the network of 1998, as its authors count them."""
    layers = {name.rpartition(".")[2]: module for name, module in model.named_modules()}
    rows = []
    for name, connections in LeNet5_1998.connections().items():
        params = sum(p.numel() for p in layers[name].parameters())
        rows.append([name, params, connections, f"{connections / params:.0f}" if params else "fixed"])
    total = [sum(row[column] for row in rows) for column in (1, 2)]
    convolutions = [sum(row[column] for row in rows if row[0] in ("C1", "C3")) for column in (1, 2)]
    shares = [f"{100 * part / whole:.0f} %" for part, whole in zip(convolutions, total, strict=True)]
    title = f"C1 and C3 have {shares[0]} of the parameters and {shares[1]} of the connections"
    header = ["layer", "parameters", "connections", "uses of a parameter"]
    return Table(header, [*rows, ["LeNet-5", *total, ""]], title)


def answers(rows: Sequence[Sequence[float]]) -> Table:
    """Accuracy on the training images while an epoch runs and after it, with eleven answers and with ten.

    rows: epoch, during with 11 and 10, after with 11 and 10, and the test with 10; percent.
    """
    header = ["epoch", "during, 11 answers", "during, 10", "after, 11", "after, 10", "test images, 10"]
    title = "Accuracy on the training images (%), and in the last column on the test images"
    return Table(header, [[f"{row[0]:d}", *(f"{value:.1f}" for value in row[1:])] for row in rows], title)


def first_epochs(runs: Mapping[str, training.Run], epochs: int = 4) -> Table:
    """Training and test accuracy of each run in its first epochs; percent."""
    header = ["epoch", *(f"{name}: {part}" for name in runs for part in ("training", "test"))]
    rows = []
    for index in range(min(epochs, *(len(run.history) for run in runs.values()))):
        epochs_of = [run.history[index] for run in runs.values()]
        values = [100 * value for epoch in epochs_of for value in (epoch.train_accuracy, epoch.test_accuracy)]
        rows.append([f"{index + 1}", *(f"{value:.1f}" for value in values)])
    return Table(header, rows, "Accuracy (%) in the first epochs")


def named(guesses: Tensor, classes: Sequence[str]) -> list[str]:
    """The class of each guess, and a dot for what is none of them."""
    return [classes[guess] if guess < len(classes) else "·" for guess in guesses.tolist()]


def c3_table() -> view.Picture:
    """Table I of the paper: which maps of S2 each map of C3 sees."""
    seen = torch.zeros(6, 16)
    for out, into in enumerate(C3_INPUTS):
        seen[list(into), out] = 1
    fig, axis = view.figure(size=(8, 2.9))
    axis.imshow(seen.numpy(), cmap="Blues", vmax=1.4)
    axis.hlines(torch.arange(0.5, 5), -0.5, 15.5, color="white", lw=2)
    axis.vlines(torch.arange(0.5, 15), -0.5, 5.5, color="white", lw=2)
    axis.set(xlabel="map of C3", ylabel="map of S2", xticks=range(16), yticks=range(6))
    axis.set(title="Not every map of C3 sees every map of S2")
    axis.grid(False)
    listed = "; ".join(f"{out} sees {', '.join(map(str, into))}" for out, into in enumerate(C3_INPUTS))
    return view.Picture(fig, f"Table I of the paper, a row for each map of S2, a column for each of C3. {listed}.")


def bitmap_images(values: Tensor) -> Tensor:
    """F6, (N, 84), as N pictures of 12 x 7 for `view.images`: +1 is black, -1 white."""
    return (1 - values.clamp(-1, 1).view(-1, 1, 12, 7)) / 2


def drawings(networks: Mapping[str, LeNet5_1998], dataset: Dataset, title: str) -> view.Picture:
    """The first test image of each class, and under it what F6 of each network makes of it."""
    labels = dataset.test.labels
    first = [int((labels == label).nonzero()[0]) for label in range(len(dataset.classes)) if (labels == label).any()]
    written = dataset.test.inputs(torch.tensor(first))
    rows = [1 - F.interpolate(dataset.test.images[first] / 255, size=(24, 14), mode="area")]
    for network in networks.values():
        f6 = [measure.feature_maps(network, x, {"F6": "head.f6"})["F6"] for x in written]
        rows.append(F.interpolate(bitmap_images(torch.stack(f6)), size=(24, 14)))
    names = [dataset.classes[int(labels[i])] for i in first]
    captions = [f"{kind} {name}" for kind in ("written", *networks) for name in names]
    return view.images(torch.cat(rows), captions, columns=len(first), title=title)


def line(dataset: Dataset, logits: Mapping[str, Tensor]) -> view.Picture:
    """The first six test images side by side, and what networks read at each place of a window of 32 x 32 over them.

    logits: (lines, places, answers) by the name of the network, of which the first line is drawn; the places are four
    pixels apart, and an answer that is no class is drawn as a dot.
    """
    pixels = torch.cat(list(dataset.test.images[:6, 0]), dim=1)
    readings = {name: named(values[0].argmax(1), dataset.classes) for name, values in logits.items()}
    none = ", ".join(f"{name} {read.count('·')} of {len(read)}" for name, read in readings.items())
    title = f"Places that are called no digit: {none}"
    width, height = pixels.shape[1] + 30, 36 + 7.5 * len(readings)
    fig, axis = view.figure(size=(9, 9 * height / width + 0.4), title=title)
    axis.imshow(pixels.numpy(), extent=(0, pixels.shape[1], 0, 32), cmap="gray_r")
    for row, (name, read) in enumerate(readings.items()):
        y = -6 - 7.5 * row
        axis.text(-4, y, name, ha="right", va="center", size=10)
        for place, text in enumerate(read):
            centred = place % 8 == 0
            look = {"color": view.INK, "weight": "bold", "size": 12} if centred else {"color": view.GREY, "size": 9}
            axis.text(16 + 4 * place, y, text, ha="center", va="center", **look)
    view.blank(axis).set(xlim=(-30, pixels.shape[1]), ylim=(-7.5 * len(readings) - 3, 33))
    said = "; ".join(f"{name}: {' '.join(read)}" for name, read in readings.items())
    return view.Picture(fig, f"{title}. Six digits in a line, and what is read at each place. {said}.")
