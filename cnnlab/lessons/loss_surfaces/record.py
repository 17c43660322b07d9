"""Lesson 08, loss surfaces: what takes longer to measure than the lesson has.

All of it learns from CIFAR-10, of whose 50,000 training images 5,000 are held out, the same for every network; the test
images are never looked at. The two networks of the paper's Figure 1 are not the course's to give away: PAPER says where
they come from, and only what was measured with them is kept.
"""

import os
import sys
import time
from copy import deepcopy
from dataclasses import asdict
from datetime import date
from functools import cache, partial
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import data, measure, models, training
from cnnlab.device import find_device, machine_class, one_thread
from cnnlab.lessons.records import WEIGHTS, Draft, file_of

IMAGES = 500  # of the training images: the loss on them is drawn
KEPT = (1, 3, 10, 30, 45, 55)  # the epochs after which a network by the paper's recipe is looked at

# The networks of Li et al. 2018, figure 1, from the history of github.com/tomgoldstein/loss-landscape (commit 820dc27,
# MIT licence); they were trained on pixels that were normalised by these numbers, and not by our own.
PAPER = {
    "resnet56": ("resnet56_model_300.t7", {"shortcut": "B"}),
    "plain56": ("resnet56_noshort_model_300.t7", {}),
}
PAPER_MEAN = (125.3 / 255, 123.0 / 255, 113.9 / 255)
PAPER_STD = (63.0 / 255, 62.1 / 255, 66.7 / 255)
FOLDER = "CNNLAB_LI2018"  # the variable of the environment that names the folder of the two files


def network(draft: Draft, model: str, epochs: int, lr: float = 0.2, **options: object) -> None:
    """A network trained on CIFAR-10, with its weights.

    Images are shifted by up to 4 pixels and mirrored. The training keeps a checkpoint: stopped, even by a power cut, it
    goes on after the last whole epoch. The weights are rounded to half precision and measured again as they are in the
    file.
    """
    if draft.results:
        return
    seed, options = 0, options | {"num_classes": 10}
    torch.manual_seed(seed)
    net, dataset = models.get_model(model, **options), draft.cifar10()
    run = training.fit(
        net,
        dataset,
        epochs=epochs,
        lr=lr,
        augment=training.Augment(flip=True, shift=4),
        seed=seed,
        checkpoint=draft.checkpoints / "training.checkpoint",
        on_epoch=lambda run: print(run.table().rows[-1], flush=True),
        progress=sys.stderr.isatty(),
    )
    file = WEIGHTS / f"{draft.name}.safetensors"
    origin = {"command": draft.command, "seed": seed, **dataset.preparation()}
    models.save_weights(deepcopy(net).half(), file, name=model, options=options, **origin)
    measured = training.evaluate(models.get_model(model, weights=file), dataset.test, precision="fp32")
    about = (
        f"{model} on CIFAR-10's training images: 45,000 to learn from, 5,000 held out. The weights are in "
        f"{file.name}, in half precision; `held_out` was measured from them."
    )
    draft.results |= {
        "options": options,
        "seed": seed,
        "parameters": sum(p.numel() for p in net.parameters()),
        "held_out": asdict(measured),
        "history": [asdict(epoch) for epoch in run.history],
    }
    draft.save(about, run.seconds)
    print(f"{draft.name}: {measured.accuracy:.2%} of the held-out images, {run.seconds:,.0f} s")


def by_the_papers_recipe(
    draft: Draft,
    model: str,
    epochs: int = 60,
    lr: float = 0.1,
    kept: tuple[int, ...] = KEPT,
    points: int = 25,
    **options: object,
) -> None:
    """One of these networks, trained as in the paper's section 4 in fewer epochs, and its surface on the way.

    Batches of 128, Nesterov momentum 0.9, weight decay 5e-4, and a learning rate, the paper's is 0.1, that is divided
    by 10 after a half, three quarters and eleven twelfths of the steps. The network is put aside after the epochs
    `kept`, and at the end, in half precision. Of each of these: its accuracies, the cosines of its filters with what
    they were before the first step, and the loss around it on 25 x 25 points; at the end in three planes. The first
    of them is looked at a second time as half precision would keep it. The training is compiled and keeps a
    checkpoint; stopped, all of this goes on where it was.
    """
    if draft.results:
        return
    seed, options = 0, options | {"num_classes": 10}
    torch.manual_seed(seed)
    net, dataset = models.get_model(model, **options), draft.cifar10()
    begun = filters(net)
    net.compile(dynamic=False)
    draft.checkpoints.mkdir(parents=True, exist_ok=True)
    origin = {"name": model, "options": options, "command": draft.command, "seed": seed, **dataset.preparation()}

    def keep(run: training.Run) -> None:
        print(run.table().rows[-1], flush=True)
        if (epoch := len(run.history)) in (*kept, epochs):
            models.save_weights(net, put_aside(draft, epoch), **origin)  # at first its variances are beyond half floats

    run = training.fit(
        net,
        dataset,
        epochs=epochs,
        lr=lr,
        schedule="steps",
        augment=training.Augment(flip=True, shift=4),
        seed=seed,
        checkpoint=draft.checkpoints / "training.checkpoint",
        on_epoch=keep,
        progress=sys.stderr.isatty(),
    )
    start, on_the_way = time.perf_counter(), {}

    def looked_at(net: nn.Module, epoch: int, planes: tuple[int | str, ...]) -> dict:
        maps = [seen_around(draft, net, epoch, plane, points) for plane in planes]
        return {
            "held_out": asdict(training.evaluate(net, dataset.test, precision="fp32")),
            "learnt": asdict(training.evaluate(net, dataset.train.take(slice(5000)), precision="fp32")),
            "losses": [[[float(f"{loss:.5g}") for loss in row] for row in each.loss.tolist()] for each in maps],
        }

    for epoch in (*kept, epochs):
        file = put_aside(draft, epoch)
        if epoch == epochs:
            file = WEIGHTS / f"{draft.name}.safetensors"
            models.save_weights(models.get_model(model, weights=put_aside(draft, epoch)).half(), file, **origin)
        then = models.get_model(model, weights=file)
        cosines = torch.cat([F.cosine_similarity(*pair) for pair in zip(begun, filters(then), strict=True)])
        seen = looked_at(then, epoch, (0, 1, 2) if epoch == epochs else (0,))
        on_the_way[str(epoch)] = seen | {"cosines": cosines.quantile(torch.tensor([0.1, 0.5, 0.9])).tolist()}
        if epoch == 1:
            on_the_way["1"]["rounded"] = looked_at(rounded(then), epoch, ("0-rounded",))
    draft.results |= {
        "options": options,
        "seed": seed,
        "history": [asdict(epoch) for epoch in run.history],
        "on_the_way": on_the_way,
    }
    about = (
        f"{model} by the recipe of Li et al. 2018 in {epochs} epochs, at first at a rate of {lr:g}, on 45,000 of"
        " CIFAR-10's training images, and what it was after some of them: accuracies (of 5,000 held out, of 5,000"
        " learnt), cosines of its filters with the initial ones (10th, 50th, 90th percentile), and the loss around it"
        f" on {points} x {points} points from -1 to 1. The last weights are in {draft.name}.safetensors, in half"
        " precision."
    )
    draft.save(about, run.seconds + time.perf_counter() - start)


SMALL = [  # network, learning rate, weight decay; at a rate of 0.1 the plain one learns half at the most
    *(("plain56_tiny", 0.1, decay) for decay in (5e-4, 2e-3, 8e-3)),
    *((model, 0.05, decay) for decay in (5e-4, 2e-3) for model in ("plain56_tiny", "resnet56_tiny")),
]
SMALL_FIT = {"epochs": 40, "batch_size": 32, "schedule": "steps", "seed": 0, "progress": False}


@one_thread()
def small_pair(draft: Draft) -> None:
    """Is there a pair with mountains that a learner can train? Twins of width 8, by the paper's steps of the rate.

    With the paper's weight decay and with more of it, so that little of the start is left in some of them.
    """
    about = (
        "Twins of 56 layers and width 8 on 2,000 street digits, 40 epochs of batches of 32, SGD with a rate that is "
        "divided by 10 after a half, three quarters and eleven twelfths, by rate and weight decay: accuracy on what "
        "they learnt and on 1,000 other digits, cosines of their filters with the initial ones (10th, 50th, 90th "
        "percentile), and the loss around them on 25 x 25 points from -1 to 1, on 500 of the digits, in three planes."
    )
    digits = cache(lambda: data.load("street_digits", train=2000, test=1000))
    for model, lr, decay in SMALL:
        name = f"{model}, rate {lr:g}, decay {decay:g}"
        if name in draft.results:
            continue
        torch.manual_seed(0)
        net, start = models.get_model(model), time.perf_counter()
        begun = filters(net)
        run = training.fit(net, digits().without_test(), lr=lr, weight_decay=decay, **SMALL_FIT)
        cosines = torch.cat([F.cosine_similarity(*pair) for pair in zip(begun, filters(net), strict=True)])
        some = digits().train.take(slice(500))
        maps = [
            measure.loss_surface(net, some, points=25, seed=seed, batch_size=100, progress=False) for seed in (0, 1, 2)
        ]
        draft.results[name] = {
            "train": [round(epoch.train_accuracy, 4) for epoch in run.history],
            "learnt": training.evaluate(net, digits().train).accuracy,
            "test": training.evaluate(net, digits().test).accuracy,
            "cosines": cosines.quantile(torch.tensor([0.1, 0.5, 0.9])).tolist(),
            "losses": [[[float(f"{loss:.5g}") for loss in row] for row in each.loss.tolist()] for each in maps],
        }
        minima, descent = [each.minima for each in maps], [round(each.descent(), 3) for each in maps]
        print(name, run.history[-1].train_accuracy, draft.results[name]["test"], minima, descent, flush=True)
        draft.save(about, time.perf_counter() - start)


def put_aside(draft: Draft, epoch: int) -> Path:
    """Where a network of a training that is under way is kept."""
    return draft.checkpoints / f"{epoch:03}.safetensors"


def rounded(net: nn.Module) -> nn.Module:
    """A network as half precision keeps it. What is infinite there is the largest number: to divide by it gives 0, too.

    >>> net = rounded(nn.BatchNorm2d(1).eval().requires_grad_(False))
    >>> net.running_var.fill_(70_000)[0].item(), rounded(net).running_var[0].item() > 1e38
    (70000.0, True)
    """
    half = deepcopy(net).half().float()
    half.load_state_dict({name: value.nan_to_num() for name, value in half.state_dict().items()})
    return half


def seen_around(draft: Draft, net: nn.Module, epoch: int, plane: int | str, points: int) -> measure.LossSurface:
    """The loss surface around a network that was put aside, in the plane whose seed the name begins with."""
    file = draft.checkpoints / f"{epoch:03}-plane{plane}.safetensors"
    options = {
        "points": points,
        "seed": int(str(plane)[0]),
        "batch_size": 100,
        "file": file,
        "progress": sys.stderr.isatty(),
    }
    return measure.loss_surface(net.eval(), photographs(draft), **options)


def filters(model: nn.Module) -> list[torch.Tensor]:
    """The filters of each layer: (filters, weights of one)."""
    return [p.detach().clone().flatten(1) for p in model.parameters() if p.ndim > 1]


def surface(draft: Draft, model: str, seed: int = 0, points: int = 51) -> None:
    """The loss surface of one of these networks on CIFAR-10: points x points around it.

    Two random, filter-normalised directions, drawn with the same seed for all networks, reach from -1 to 1, as in the
    paper; the loss is that on some of the training images.
    """
    if whole(draft):
        return
    net = models.get_model(model, weights=WEIGHTS / f"{model}-cifar10.safetensors").eval()
    split = photographs(draft)
    about = f"{model}, trained by the command for {model}-cifar10"
    record_surface(draft, net, split, about, points=points, seed=seed)


def paper_surface(
    draft: Draft, model: str, seed: int = 0, points: int = 51, folder: str | Path | None = None, anew: bool = False
) -> None:
    """The same of one of the two networks of the paper's Figure 1, on the same photographs.

    folder: where the paper's two files are; else the variable CNNLAB_LI2018 of the environment says it. anew: whether
    the statistics of its batch norms are first measured anew, on 4,000 of the photographs.
    """
    if whole(draft):
        return
    net, learnt = paper_network(model, folder), draft.cifar10().train
    split = photographs(draft)
    split, learnt = (data.Split(each.images, each.labels, PAPER_MEAN, PAPER_STD) for each in (split, learnt))
    about = (
        f"the network of Li et al. 2018, figure 1, {PAPER[model][0]}, trained by the paper's authors; on CIFAR-10's"
        " training photographs, JPEG copies of quality 75"
    )
    if anew:
        measure_statistics(net, learnt.take(slice(4000)))
        about += "; the statistics of its batch norms were measured anew on 4,000 of these"
    record_surface(draft, net, split, about, points=points, seed=seed)


def paper_network(model: str, folder: str | Path | None = None) -> nn.Module:
    """ResNet-56 or its plain twin, as the paper's authors trained it. Raises FileNotFoundError without its file."""
    name, options = PAPER[model]
    folder = folder or os.environ.get(FOLDER)
    file = Path(folder or ".") / name
    if not file.exists():
        raise FileNotFoundError(
            f"{file if folder else name} is missing. The networks of the paper's Figure 1 are in the history of"
            f" github.com/tomgoldstein/loss-landscape, commit 820dc27: put {' and '.join(n for n, _ in PAPER.values())}"
            f" into one folder, and name it in the environment: {FOLDER}=that/folder."
        )
    state = torch.load(file, weights_only=True, map_location="cpu")["state_dict"]
    return models.load_torchvision(models.get_model(model, **options), state).eval()


@torch.no_grad()
def measure_statistics(net: nn.Module, images: data.Split) -> None:
    """Give each batch norm the mean and the variance of these images, the mean over batches of 250."""
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None
    net.train()
    for batch in torch.arange(len(images)).split(250):
        net(images.inputs(batch))
    net.eval()


CHECKED = [(x, y) for x in (-1.0, -0.25, 0.5) for y in (-0.75, 0.0, 0.75)]  # places of a map


def statistics_everywhere(draft: Draft, points: int = 25, folder: str | Path | None = None) -> None:
    """The paper's two networks once more, their batch norms' statistics measured anew at every point of a map.

    A surface is drawn with the statistics of the network in its centre, and every other point is another network. Here
    each has its own: those of the 500 photographs on which the loss is measured. The planes are those of the recorded
    surfaces with seeds 1 and 2. At nine places of the first plane the statistics are those of 2,000 other photographs,
    too.
    """
    about = (
        f"The loss of the paper's networks of figure 1 on 500 photographs, on {points} x {points} points from -1 to 1,"
        " by seed of the directions; at each point the batch norms use the statistics of these photographs, measured"
        " there. `checked`: places x, y of the first plane, the loss there, and the loss with the statistics of 2,000"
        " other photographs."
    )
    cases = [(model, seed) for seed in (1, 2) for model in PAPER if f"{model}, seed {seed}" not in draft.results]
    unchecked = [model for model in PAPER if "checked" not in draft.results.get(f"{model}, seed 1", {})]
    if not (cases or unchecked):
        return
    some, others = photographs(draft), other_photographs(draft)
    some, others = (data.Split(part.images, part.labels, PAPER_MEAN, PAPER_STD) for part in (some, others))
    inputs = some.inputs().contiguous(memory_format=torch.channels_last)
    at = torch.linspace(-1, 1, points).tolist()
    for model, seed in cases:
        start, net = time.perf_counter(), paper_network(model, folder).to(memory_format=torch.channels_last)
        plane = measure.random_plane(net, seed)
        losses = [[loss_at(net, plane.at(x, y), inputs, some.labels) for x in at] for y in at]
        draft.results[f"{model}, seed {seed}"] = {"losses": [losses]}
        draft.save(about, time.perf_counter() - start, precision="fp32")
    for model in unchecked:
        start, net = time.perf_counter(), paper_network(model, folder).to(memory_format=torch.channels_last)
        plane, checked = measure.random_plane(net, 1), []
        for place in CHECKED:
            losses = [loss_at(net, plane.at(*place), inputs, some.labels, apart) for apart in (None, others)]
            checked.append([*place, *losses])
        draft.results[f"{model}, seed 1"]["checked"] = checked
        draft.save(about, time.perf_counter() - start, precision="fp32")


@torch.no_grad()
def loss_at(
    net: nn.Module,
    state: dict[str, torch.Tensor],
    inputs: torch.Tensor,
    labels: torch.Tensor,
    others: data.Split | None = None,
) -> float:
    """The loss of another state on all images at once, by their own statistics, or by those of other images."""
    net.load_state_dict(state)
    if others:
        measure_statistics(net, others)
    return float(f"{F.cross_entropy(net.train(not others)(inputs), labels).item():.5g}")


def whole(draft: Draft) -> bool:
    file = file_of(draft.name)
    return file.exists() and "command" in measure.LossSurface.load(file).provenance


def photographs(draft: Draft) -> data.Split:
    """The training images on which every surface is drawn."""
    learnt = draft.cifar10().train
    some = torch.randperm(len(learnt), generator=torch.Generator().manual_seed(0))[:IMAGES]
    return data.Split(learnt.images[some], learnt.labels[some], learnt.mean, learnt.std)


def other_photographs(draft: Draft) -> data.Split:
    """Four times as many training images, none of which is among these."""
    learnt = draft.cifar10().train
    order = torch.randperm(len(learnt), generator=torch.Generator().manual_seed(0))
    return learnt.take(order[IMAGES : 5 * IMAGES])


def record_surface(draft: Draft, net: nn.Module, split: data.Split, about: str, **settings: int) -> None:
    file = file_of(draft.name)
    options = settings | {"batch_size": 100, "file": file, "progress": sys.stderr.isatty()}
    measured = measure.loss_surface(net, split, **options)
    measured.provenance |= {
        "about": about,
        "command": draft.command,
        "date": date.today().isoformat(),
        "machine": machine_class(find_device()),
    }
    measured.save(file)
    print(measured, measured.provenance, flush=True)


RECORDS = {
    "resnet20-cifar10": partial(network, model="resnet20", epochs=60),
    "resnet56-cifar10": partial(network, model="resnet56", epochs=28, shortcut="B"),
    "plain56-cifar10": partial(network, model="plain56", epochs=28, lr=0.05),
    "plain56-60-epochs": partial(by_the_papers_recipe, model="plain56"),
    "resnet56-60-epochs": partial(by_the_papers_recipe, model="resnet56", shortcut="B"),
    "plain56-rate-0.01": partial(by_the_papers_recipe, model="plain56", epochs=40, lr=0.01, kept=(10, 20)),
    "plain20-60-epochs": partial(by_the_papers_recipe, model="plain20", kept=()),
    "small_pair": small_pair,
    "statistics_everywhere": statistics_everywhere,
}
RECORDS["surface-li2018-plain56-anew"] = partial(paper_surface, model="plain56", points=25, anew=True)
for _model in ("resnet56", "plain56"):
    RECORDS[f"surface-{_model}-cifar10"] = partial(surface, model=_model)
    RECORDS[f"surface-li2018-{_model}"] = partial(paper_surface, model=_model)
    for _seed in (1, 2):
        RECORDS[f"surface-{_model}-cifar10-seed{_seed}"] = partial(surface, model=_model, seed=_seed, points=25)
        RECORDS[f"surface-li2018-{_model}-seed{_seed}"] = partial(paper_surface, model=_model, seed=_seed, points=25)
