"""Lesson 00, start here: its tables and figures."""

from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import Tensor, nn

from cnnlab import training, view
from cnnlab.data import Dataset
from cnnlab.lessons import rates
from cnnlab.lessons.facts import HUMAN_TOP5_ERROR, ILSVRC_TOP5_ERROR, NETWORKS, Network
from cnnlab.lessons.records import Record
from cnnlab.lessons.start.record import NETWORKS as RACERS
from cnnlab.lessons.start.record import RATES, SEEDS, TIMES, best_rate, key
from cnnlab.measure import Cost
from cnnlab.table import Table
from cnnlab.training import Run
from cnnlab.view import Picture

COSTS = ["parameters (millions)", "mult-adds (billions)"]
LABELS = {"lenet5": "LeNet-5", "resnet20_tiny": "ResNet-20"}


def first_images(dataset: Dataset, count: int) -> Picture:
    """The first images to learn from, and the first of the test, with what they show."""
    images = torch.cat([split.images[:count] for split in (dataset.train, dataset.test)])
    labels = torch.cat([split.labels[:count] for split in (dataset.train, dataset.test)])
    title = "Two rows to learn from, two rows in other fonts and photographs for the test"
    return view.images(images, [dataset.classes[label] for label in labels], title=title)


def costs(old: Cost, new: Cost) -> Table:
    """What the two networks of the race cost."""
    rows = [[name, cost.params, cost.macs] for name, cost in zip(LABELS.values(), (old, new), strict=True)]
    rows.append(["ratio", *(f"{b / a:.1f}" for a, b in zip(rows[0][1:], rows[1][1:], strict=True))])
    return Table(["", "parameters", "mult-adds"], rows)


def difference(first: nn.Module, second: nn.Module) -> Table:
    """How far the weights of two networks of one architecture are from each other."""
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    largest = max((a - b).abs().max().item() for a, b in pairs)
    equal = "equal, to the last bit" if largest == 0 else "not equal"
    return Table(["the weights of both are", "largest difference"], [[equal, f"{largest:.2g}"]])


def by_epoch(runs: Mapping[str, Run]) -> Picture:
    """The training loss after each epoch of a slow arm, of momentum, of its control, and of others.

    The title says how much of what momentum does the control does, too.
    """
    losses = {name: [epoch.train_loss for epoch in run.history] for name, run in runs.items()}
    (_, slow), (_, momentum), (control, large) = [(name, values[-1]) for name, values in losses.items()][:3]
    share = (slow - large) / (slow - momentum)
    count = len(next(iter(losses.values())))
    title = f"After {count} epochs {control} has done {share:.0%} of what momentum has done"
    picture = view.lines(losses, x="epoch", y="training loss (nats)", title=title)
    picture.figure.axes[0].xaxis.get_major_locator().set_params(integer=True)
    return picture


def images_per_second(model: nn.Module, dataset: Dataset, **fit: object) -> float:
    """How fast a network of this kind trains here. The model itself stays as it is."""
    return training.fit(deepcopy(model), dataset.without_test(), epochs=1, lr=0.01, **fit).images_per_second


def seconds(run: Run) -> list[float]:
    """When each epoch ended, training alone counted."""
    return torch.tensor([epoch.seconds for epoch in run.history]).cumsum(0).tolist()


def by_second(runs: Mapping[str, Run]) -> Picture:
    """Accuracy on the validation images against the seconds of training."""
    fig, axis = view.figure(size=(8, 3.8))
    for index, (name, run) in enumerate(runs.items()):
        values = [100 * epoch.test_accuracy for epoch in run.history]
        every = max(1, len(values) // 12)
        axis.plot(seconds(run), values, color=f"C{index}", marker="os"[index], markevery=every, label=name)
    best = max(runs, key=lambda name: runs[name].history[-1].test_accuracy)
    ends = {name: 100 * run.history[-1].test_accuracy for name, run in runs.items()}
    title = f"{quarter(runs)}; at the end {best}, {ends[best]:.0f} %"
    axis.set(xlabel="seconds of training", ylabel="accuracy on validation images (%)", title=title, ylim=(0, 102))
    axis.legend(loc="lower right")
    listed = "; ".join(f"{name} ends at {value:.1f} %" for name, value in ends.items())
    return Picture(fig, f"{title}. Accuracy against seconds: {listed}.")


def accuracy_at(run: Run, share: float) -> float:
    """Of the validation images, after this share of the training's time: after the last epoch that had ended by then.

    Before the first has ended it is 0: nothing was measured yet.
    """
    ended = seconds(run)
    known = [
        epoch.test_accuracy for epoch, at in zip(run.history, ended, strict=True) if at <= share * ended[-1] + 1e-6
    ]
    return known[-1] if known else 0.0


def quarter(runs: Mapping[str, Run]) -> str:
    """Which is ahead after a quarter of the time, as a sentence without its stop."""
    values = {name: 100 * accuracy_at(run, 0.25) for name, run in runs.items()}
    ahead = max(values, key=values.get)
    return f"After a quarter of the time {ahead} leads with {values[ahead]:.0f} %"


def best_rates(record: Record) -> dict[str, float]:
    """The learning rate that validation images chose, by network."""
    return {name: best_rate(record.results, name) for name in RACERS}


def grid(record: Record) -> Table:
    """Accuracy on validation images by learning rate, and where the record comes from."""
    runs, tried, chosen = record.results["runs"], {}, {}
    for name in RACERS:
        tried[LABELS[name]] = {lr: f"{runs[key(name, lr, 1, 0)]['validation'][-1]:.1%}" for lr in RATES[name]}
        chosen[LABELS[name]] = best_rate(record.results, name)
    return rates.table(tried, chosen, f"Accuracy on validation images, by learning rate. {record}")


def _tests(record: Record, name: str, times: int) -> list[float]:
    runs, lr = record.results["runs"], best_rate(record.results, name)
    return [100 * runs[key(name, lr, times, seed)]["test"] for seed in SEEDS]


def gains(record: Record, name: str) -> list[float]:
    """By how many points twice the time raises the accuracy on test images, for each seed."""
    once, twice = (_tests(record, name, times) for times in TIMES)
    return [after - before for before, after in zip(once, twice, strict=True)]


def gap(record: Record, times: int) -> float:
    """How many points ResNet-20 is ahead of LeNet-5, in the mean over seeds."""
    old, new = (sum(_tests(record, name, times)) / len(SEEDS) for name in RACERS)
    return new - old


def longer(record: Record) -> Picture:
    """Accuracy on test images with the time of the race and with twice as much."""
    words = {1: "the race", 2: "twice the time"}
    results = {f"{LABELS[n]}, {words[t]}": _tests(record, n, t) for n in RACERS for t in TIMES}
    once, twice = (gap(record, times) for times in TIMES)
    title = f"In the mean of three seeds ResNet-20 is {once:.1f} points ahead, with twice the time {twice:.1f}"
    return view.dots(results, label="accuracy on test images (%)", title=title)


def misread(dataset: Dataset, logits: Mapping[str, Tensor], most: int = 20) -> Picture:
    """Test images that one of two networks reads and the other does not, with the guesses of both."""
    labels, classes = dataset.test.labels, dataset.classes
    first, second = (values.argmax(1) for values in logits.values())
    disputed = ((first == labels) != (second == labels)).nonzero().flatten()[:most]
    captions = [f"{classes[first[i]]} / {classes[second[i]]}" for i in disputed]
    wrong = (second[disputed] != labels[disputed]).tolist()
    counts = [int((guesses != labels).sum()) for guesses in (first, second)]
    said = ", ".join(f"{name} misreads {count}" for name, count in zip(logits, counts, strict=True))
    title = f"Of {len(labels):,} test digits {said} (✗: the second is wrong)"
    return view.images(dataset.test.images[disputed], captions, wrong=wrong, title=title)


def winners() -> Picture:
    """The error of the challenge's winners, year by year."""
    figure, axis = view.figure(size=(9, 3.2))
    years, errors = list(ILSVRC_TOP5_ERROR), list(ILSVRC_TOP5_ERROR.values())
    bars = axis.bar(years, errors, color=[view.GREY if year < 2012 else view.BLUE for year in years], width=0.7)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # the line of the person passes behind the numbers
    axis.bar_label(bars, [f"{error:g}" for error in errors], padding=1, bbox=box, zorder=4)
    axis.axhline(HUMAN_TOP5_ERROR, color=view.VERMILLION, marker="", ls="--")
    axis.text(2017.4, HUMAN_TOP5_ERROR + 0.6, "a trained person", color="#B34700", ha="right")
    title = "2012: the winner is a convolutional network, and the error falls by a third"
    axis.set(xticks=years, ylabel="top-5 error (%)", ylim=(0, 31), title=title)
    listed = ", ".join(f"{year} {error}" for year, error in ILSVRC_TOP5_ERROR.items())
    return Picture(figure, f"Bars: top-5 error of the ILSVRC winners, {listed}")


def draw_map(cost: str = "parameters (millions)", until: int = 2022) -> Picture:
    """Reported accuracy on ImageNet against a cost, of the networks there were by a year."""
    values = {
        "parameters (millions)": lambda n: n.params / 1e6,
        "mult-adds (billions)": lambda n: n.macs / 1e9,
    }
    limits = (2, 250, 54, 86) if cost.startswith("parameters") else (0.2, 40, 54, 86)
    there = [n for n in NETWORKS if n.year <= until]
    points = {n.label: (values[cost](n), n.top1) for n in there}
    best = max(there, key=lambda n: n.top1)
    title = f"Until {until} the most accurate is {best.label}, with {best.top1:.1f} %"
    return view.scatter(points, x=cost, y="top-1 accuracy (%)", bold=[best.label], limits=limits, title=title)


def networks() -> dict[str, Network]:
    """The networks of the map, by name."""
    return {network.name: network for network in NETWORKS}
