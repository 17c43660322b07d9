"""Lesson 02, AlexNet: what the lesson and its records measure, and the lesson's own tables and pictures."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from statistics import mean

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import measure, training, view
from cnnlab.data import Dataset
from cnnlab.data.photos import centre_square
from cnnlab.device import autocast, eval_mode, find_device, reproducible
from cnnlab.lessons import rates
from cnnlab.lessons.facts import ILSVRC_TOP5_ERROR
from cnnlab.lessons.records import Record
from cnnlab.table import Table

WINNERS = {
    2010: "NEC-UIUC: features and SVM",
    2011: "XRCE: features and SVM",
    2012: "AlexNet: 8 layers",
    2013: "Clarifai: 8 layers",
    2014: "GoogLeNet: 22 layers",
    2015: "ResNet: 152 layers",
    2016: "Trimps-Soushen: several networks",
    2017: "SENet: several networks",
}
MARK, WINDOW = 0.25, 50  # the training error of the paper's Fig. 1, over so many batches


@dataclass
class Race:
    """One training at one constant rate, batch by batch.

    losses, errors: the loss and the share of wrong answers of each batch. validation: the share of right answers on the
    validation images, by the steps done.
    """

    losses: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    validation: dict[int, float] = field(default_factory=dict)

    @property
    def steps(self) -> int | None:
        """After how many steps the mean training error of WINDOW batches was at most MARK; None: never."""
        if len(self.errors) < WINDOW:
            return None
        below = (torch.tensor(self.errors).unfold(0, WINDOW, 1).mean(1) <= MARK + 1e-6).nonzero()
        return below[0].item() + WINDOW if len(below) else None

    @property
    def validation_steps(self) -> int | None:
        """After how many steps the error on validation images was at most MARK; None: never."""
        return next((steps for steps, right in self.validation.items() if right >= 1 - MARK), None)

    @property
    def accuracy(self) -> float:
        """The last accuracy on validation images; 0 where the loss was no number any more."""
        return list(self.validation.values())[-1] if self.validation and math.isfinite(self.losses[-1]) else 0.0


def race(
    model: nn.Module,
    dataset: Dataset,
    *,
    lr: float,
    most: int,
    batch_size: int = 32,
    every: int = 25,
    seed: int = 0,
    stop: Callable[[Race], bool] = lambda race: False,
) -> Race:
    """Train at one constant rate, and look at the validation images after each `every` steps.

    Nothing but SGD with momentum 0.9: no schedule, no weight decay, so that steps can be compared. It ends after `most`
    steps, where the loss is no number any more, or where `stop` says so; `stop` is asked after each look.
    """
    device = find_device()
    model.to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), lr, momentum=0.9)
    images = dataset.train.inputs().to(device, memory_format=torch.channels_last)
    labels = dataset.train.labels.to(device)
    run = Race()
    with reproducible(seed, device):
        while len(run.losses) < most:
            batch = torch.randint(len(images), (batch_size,), device=device)
            with autocast(device, "auto"):
                logits = model(images[batch])
                loss = F.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            run.losses.append(loss.item())
            run.errors.append((logits.argmax(1) != labels[batch]).float().mean().item())
            if not math.isfinite(run.losses[-1]):
                break
            if len(run.losses) % every == 0 and len(dataset.validation):
                run.validation[len(run.losses)] = training.evaluate(model, dataset.validation).accuracy
                if stop(run):
                    break
    model.eval().to(memory_format=torch.contiguous_format)
    return run


def centred(dataset: Dataset) -> Dataset:
    """The same images as AlexNet got them: of each pixel, from 0 to 255, only the mean is taken away.

    >>> centred(data.load("street_digits", train=100, test=0)).train.inputs().std() > 40
    tensor(True)
    """
    return dataset.normalised(dataset.mean, (1 / 255,) * len(dataset.mean))


def initialized(model: nn.Module, nonlinearity: str = "relu") -> nn.Module:
    """The same model, its weights drawn anew so that signals keep their size from layer to layer.

    nonlinearity: as in `nn.init.calculate_gain`. "relu" is He's rule (He et al. 2015, "Delving Deep into Rectifiers",
        section 2.2); "linear" is LeCun's (1998, "Efficient BackProp", section 4.6), for a tanh near its middle.

    Biases and the last layer begin at 0: then all classes are equally likely at first, and none has to be unlearnt.
    """
    training.initialize(model, partial(nn.init.kaiming_normal_, nonlinearity=nonlinearity))
    nn.init.zeros_(training.last_layer(model).weight)
    return model


@torch.no_grad()
def dead(model: nn.Module, inputs: Tensor) -> float:
    """The share of a network's units with a ReLU that are 0 for all of these images, at all places of their map."""
    silent: list[Tensor] = []

    def look(_layer: nn.Module, _inputs: tuple, output: Tensor) -> None:
        per_unit = output.transpose(0, 1).flatten(1)  # a channel is a unit that is used at many places
        silent.append((per_unit <= 0).all(1))

    hooks = [layer.register_forward_hook(look) for layer in model.modules() if isinstance(layer, nn.ReLU)]
    with eval_mode(model):
        model(inputs)
    for hook in hooks:
        hook.remove()
    return torch.cat(silent).float().mean().item()


class Noise(nn.Module):
    """Multiplies each number of an image, (N, units), by a random factor of mean 1 and variance 1.

    normal: the factors are normal numbers; else they are 0 or 2, as those of a dropout with p = 1/2.
    fresh: others for each image while it trains, and none at test time, as a dropout; else drawn once, and then the
        same for every image and always. With factors of 0 and 2, half of the units are then missing from the network.
    """

    def __init__(self, *, normal: bool, fresh: bool) -> None:
        super().__init__()
        self.normal, self.fresh, self.factors = normal, fresh, None

    def draw(self, like: Tensor) -> Tensor:
        return 1 + torch.randn_like(like) if self.normal else 2 * torch.bernoulli(torch.full_like(like, 0.5))

    def forward(self, x: Tensor) -> Tensor:
        if self.fresh:
            return x * self.draw(x) if self.training else x
        if self.factors is None:
            self.factors = self.draw(x[:1])
        return x * self.factors


def steps_down() -> dict[int, float]:
    """By how many points the winner's top-5 error fell in each year."""
    errors = ILSVRC_TOP5_ERROR
    return {year: errors[before] - errors[year] for before, year in pairwise(errors)}


def winners() -> view.Picture:
    """The winners of the ILSVRC and their top-5 error."""
    figure, axis = view.figure(size=(9, 3.6))
    errors = list(ILSVRC_TOP5_ERROR.values())
    colors = [view.GREY if year < 2012 else view.BLUE for year in WINNERS]
    bars = axis.barh([f"{year}  {name}" for year, name in WINNERS.items()], errors, color=colors)
    axis.bar_label(bars, [f"{error:g}" for error in errors], padding=3)
    axis.invert_yaxis()
    axis.grid(False, axis="y")
    falls = steps_down()
    largest = max(falls, key=falls.get)
    title = f"The largest step is that of {largest}: {falls[largest]:.1f} points"
    axis.set(xlim=(0, 31), xlabel="top-5 error of the winner (%)", title=title)
    listed = "; ".join(f"{year} {WINNERS[year]}, {error}" for year, error in ILSVRC_TOP5_ERROR.items())
    return view.Picture(figure, f"{title}. Winners of the ILSVRC, top-5 error in percent: {listed}")


def guesses(
    photographs: Mapping[str, np.ndarray], probabilities: Tensor, classes: Sequence[str], *, title: str, most: int = 5
) -> view.Picture:
    """Photographs, and under each the classes that a network finds most probable."""
    fig, axes = view.figure(2, len(photographs), size=(10.5, 4.1), title=title, squeeze=False)
    listed = []
    for column, (name, photograph) in enumerate(photographs.items()):
        best = probabilities[column].topk(most)
        named = [(classes[i], 100 * p) for i, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)]
        view.blank(axes[0, column]).imshow(centre_square(photograph, 112))  # a notebook must not become too large
        axis = view.blank(axes[1, column])
        axis.barh(range(most), [p for _, p in named], color=view.SKY, height=0.8)
        for row, (label, p) in enumerate(named):
            axis.text(2, row, f"{label} {p:.0f} %", va="center", size=8.5, clip_on=False)
        axis.set(xlim=(0, 100), ylim=(most - 0.4, -0.6))
        listed.append(f"{name}: " + ", ".join(f"{label} {p:.0f} %" for label, p in named))
    return view.Picture(fig, f"{title}. Photographs and the five most probable classes. {'; '.join(listed)}.")


def first_guesses(names: Iterable[str], ways: Mapping[str, Tensor], classes: Sequence[str]) -> Table:
    """What a network calls each photograph, shown in several ways: probabilities (photographs, classes) by way."""
    rows = []
    for index, name in enumerate(names):
        best = [way[index].max(0) for way in ways.values()]
        rows.append([name, *(f"{classes[b.indices]}, {100 * b.values:.0f} %" for b in best)])
    stays = sum(len({way[index].argmax().item() for way in ways.values()}) == 1 for index in range(len(rows)))
    return Table(["photograph", *ways], rows, f"{stays} of {len(rows)} first guesses stay the same")


def who_sees_whom(seen: Mapping[str, Tensor]) -> view.Picture:
    """Which output channels (rows) see which input channels (columns), for each number of groups."""
    title = "Connected pairs of channels: " + ", ".join(str(int(matrix.sum())) for matrix in seen.values())
    fig, axes = view.figure(1, len(seen), size=(8, 2.9), title=title)
    for axis, (name, matrix) in zip(axes, seen.items(), strict=True):
        axis.imshow(matrix, cmap="Blues", vmin=0, vmax=1.4)
        ticks = range(0, len(matrix), 4)
        axis.set(title=name, xlabel="input channel", xticks=ticks, yticks=ticks)
        axis.grid(False)
    axes[0].set_ylabel("output channel")
    return view.Picture(
        fig, f"{title}. Each group of outputs sees the inputs of its own group: blocks on the diagonal."
    )


def counted(rows: Mapping[str, tuple[int, int]], title: str) -> Table:
    """Parameters and mult-adds of each layer by its name, and of all."""
    total = [sum(row[column] for row in rows.values()) for column in (0, 1)]
    listed = [[name, *row] for name, row in rows.items()]
    return Table(["layer", "parameters", "mult-adds"], [*listed, ["all", *total]], title)


def head_shares(costs: Mapping[str, measure.Cost]) -> dict[str, tuple[float, float]]:
    """The share of the parameters and of the mult-adds that the fully-connected layers have, by network."""
    found = {}
    for name, cost in costs.items():
        layers = [row for row in cost.layers if row.macs]
        linear = [row for row in layers if row.kind == "Linear"]
        found[name] = tuple(
            sum(getattr(row, of) for row in linear) / sum(getattr(row, of) for row in layers)
            for of in ("params", "macs")
        )
    return found


def split_of(costs: Mapping[str, measure.Cost]) -> view.Picture:
    """Parameters and mult-adds of networks, divided between convolutions and fully-connected layers."""
    kinds = {"Conv2d": "convolutions", "Linear": "fully connected"}
    bars = {}
    for of, unit in (("params", "parameters"), ("macs", "mult-adds")):
        for name, cost in costs.items():
            bars[f"{name}, {unit}"] = {
                label: sum(getattr(row, of) for row in cost.layers if row.kind == kind) for kind, label in kinds.items()
            }
    last = list(costs)[-1]
    params, macs = head_shares(costs)[last]
    title = f"The head of {last} has {params:.0%} of its parameters and does {macs:.0%} of its work"
    return view.shares(bars, title=title)


def budget(cost: measure.Cost) -> view.Picture:
    """What each layer of an AlexNet costs, in parameters and in mult-adds."""
    layers = [row for row in cost.layers if row.macs]
    names = [f"conv {n}" for n in range(1, 6)] + [f"fc {n}" for n in range(6, 9)]
    figure, axes = view.figure(1, 2, size=(9, 3.2), sharey=True)
    colors = [view.BLUE if row.kind == "Conv2d" else view.ORANGE for row in layers]
    for axis, of, what in zip(axes, ("params", "macs"), ("parameters", "mult-adds"), strict=True):
        values = [getattr(row, of) / 1e6 for row in layers]
        axis.bar_label(axis.barh(names, values, color=colors), [f"{value:.3g}" for value in values], padding=3, size=9)
        axis.set(xlabel=f"{what} (millions)", title=f"{getattr(cost, of) / 1e6:,.1f} million {what}")
        axis.set_xlim(0, 1.18 * max(values))
    axes[0].invert_yaxis()
    alt = "; ".join(f"{n} {r.params / 1e6:.3g} and {r.macs / 1e6:.3g}" for n, r in zip(names, layers, strict=True))
    said = f"Millions of parameters and of mult-adds: {alt}. In all {cost.params:,} and {cost.macs:,}."
    return view.Picture(figure, said)


def chosen_rate(record: Record, case: str) -> float:
    """The learning rate that the validation images chose for a case of `relu_and_tanh`."""
    return record.results[case]["seeds"][0]["lr"]


def rate_grid(record: Record) -> Table:
    """All rates of `relu_and_tanh` that were tried, and which of them were chosen on validation images."""
    tried = {
        case: {run["lr"]: run["validation_steps"] or f"{100 * run['validation']:.0f} %" for run in done["rates"]}
        for case, done in record.results.items()
    }
    chosen = {case: chosen_rate(record, case) for case in tried}
    steps = max(run["tried"] for done in record.results.values() for run in done["rates"])
    what = f"Steps to 75 % of the validation images, or what is right after {steps:,}, by learning rate (seed 0)"
    caption = f"{what}. {record}"
    return rates.table(tried, chosen, caption, first="pixels, weights, activation")


def rates_are_inside(record: Record) -> bool:
    """Whether no chosen rate is the smallest or the largest that was tried for its case."""
    tried = {case: [run["lr"] for run in done["rates"]] for case, done in record.results.items()}
    return all(rates.inside(chosen_rate(record, case), grid) for case, grid in tried.items())


def steps_of(record: Record, most: int) -> dict[str, list[float]]:
    """Steps to the training error of the paper's figure, for each seed, by case; `most` where it was not reached."""
    return {case: [run["steps"] or most for run in done["seeds"]] for case, done in record.results.items()}


def ratios(values: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """For each way of preparing: the mean of tanh divided by that of ReLU."""
    return {
        case.removesuffix(", tanh"): mean(seeds) / mean(values[case.replace("tanh", "ReLU")])
        for case, seeds in values.items()
        if case.endswith("tanh")
    }


def race_of_all(record: Record, most: int) -> view.Picture:
    """Steps to the training error of the paper's figure, for each seed, by case; `most` where they were too few."""
    steps = steps_of(record, most)
    rows = {}
    for case, values in steps.items():
        never = [run["steps"] for run in record.results[case]["seeds"]].count(None)
        rows[case + (f" ({never} of {len(values)} not in {most:,})" if never else "")] = [v / 100 for v in values]
    times = ratios(steps)
    raw, scaled = (times[f"{pixels}, PyTorch's"] for pixels in ("centred", "normalised"))
    title = (
        f"PyTorch's weights, centred pixels: tanh takes {raw:.1f} times ReLU's steps; normalised: {scaled:.1f} times"
    )
    return view.dots(rows, label=f"steps to a training error of {100 * MARK:.0f} % (hundreds)", title=title)


def dying(
    died: Mapping[str, Sequence[float]], woke: Mapping[str, Sequence[float]], wrong: Mapping[str, Sequence[float]]
) -> Table:
    """Of short trainings, in percent, a number for each seed, by activation and learning rate.

    died: units that are dead at the end; woke: units that were dead at the start and are not at the end; wrong: errors.
    """
    rows = [[name, *(", ".join(f"{v:.0f}" for v in of[name]) for of in (died, woke, wrong))] for name in wrong]
    header = ["activation, learning rate", "dead units (%)", "dead before, alive now (%)", "training error (%)"]
    return Table(header, rows, "After 150 steps, for three seeds; the error is that of the last 50 steps")


def noise(record: Record) -> view.Picture:
    """The gap in loss between new and known images, for each seed, by arm of `dropout`."""
    found = gaps(record)
    means = {arm: mean(values) for arm, values in found.items()}
    title = "Gap in loss: " + ", ".join(f"{arm} {value:.2f}" for arm, value in means.items() if "normal" not in arm)
    return view.dots(found, label="loss on new images minus loss on known ones (nats)", title=title)


def gaps(record: Record) -> dict[str, list[float]]:
    """By how much the loss on new images is above that on known ones, for each seed, by arm of `dropout`."""
    return {
        arm: [run["new"]["loss"] - run["known"]["loss"] for run in done["runs"]] for arm, done in record.results.items()
    }


def new_accuracy(record: Record) -> dict[str, list[float]]:
    """Test accuracy in percent, for each seed, by arm of `dropout`."""
    return {arm: [100 * run["new"]["accuracy"] for run in done["runs"]] for arm, done in record.results.items()}


def first_layer(record: Record) -> view.Picture:
    """Test accuracy with a first layer that learns, and with one that stays as it was drawn, for each seed."""
    found = {f"the first layer {arm}": values for arm, values in new_accuracy(record).items()}
    learns, stays = (mean(values) for values in found.values())
    title = f"Test accuracy {learns:.1f} % with a first layer that learns, {stays:.1f} % with a random one"
    return view.dots(found, label="accuracy on test images (%)", title=title)
