"""Lesson 03, augmentations: the small network and the loop of its trainings, what they change, and its pictures."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import fmean as mean

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import view
from cnnlab.data import Dataset, Split
from cnnlab.device import autocast, find_device, reproducible
from cnnlab.lessons import rates as learning_rates
from cnnlab.lessons.records import Record
from cnnlab.table import Table
from cnnlab.training import Run, pipelines
from cnnlab.training import optimizer as optimizers
from cnnlab.view import Picture

Change = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # of a batch of images and targets
WIDTHS = (3, 12, 24, 48, 48)


def network(classes: int = 10) -> nn.Sequential:
    """Four convolutions of 3 x 3, each with max pooling, batch norm and ReLU, and a linear layer: 34,774 parameters."""
    layers: list[nn.Module] = []
    for before, after in pairwise(WIDTHS):
        convolution = nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False)
        layers += [convolution, nn.MaxPool2d(2), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTHS[-1], classes))


def train(
    dataset: Dataset, change: Change | None = None, *, epochs: int, lr: float, seed: int = 0, classes: int | None = None
) -> nn.Module:
    """Train `network` in batches of 50 with the recipe of `fit`, on images *and targets* that `change` has changed.

    Targets are probabilities of the classes, which `change` may mix. Without a change the weights are those of `fit`.
    classes: where the targets that `change` returns have more of them than the data set.
    """
    torch.manual_seed(seed)
    model = network(classes or len(dataset.classes))
    device = find_device()
    model.to(device, memory_format=torch.channels_last).train()
    inputs = dataset.train.inputs().to(device, memory_format=torch.channels_last)
    targets = F.one_hot(dataset.train.labels.to(device), len(dataset.classes)).float()
    optimizer = optimizers.make_optimizer(model, "sgd", lr, None, 5e-4, 0.9, True)
    schedule = optimizers.make_schedule(optimizer, "one-cycle", epochs * len(targets.split(50)))
    with reproducible(seed, device):
        for _ in range(epochs):
            for batch in torch.randperm(len(targets), device=device).split(50):
                x, y = inputs[batch], targets[batch]
                if change:
                    x, y = change(x, y)
                with autocast(device, "auto"):
                    loss = F.cross_entropy(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
    return model.eval()


def images_only(augment: Callable[[Tensor], Tensor]) -> Change:
    """A change that leaves the targets as they are."""
    return lambda images, targets: (augment(images), targets)


def mix(x: Tensor, share: float) -> Tensor:
    """`share` of each row, and the rest of the one before it in the batch; before the first is the last."""
    return share * x + (1 - share) * x.roll(1, 0)


def larger(x: Tensor, share: float) -> Tensor:
    """Of the two rows that `mix` would mix, the one with the larger share, as it is."""
    return x if share >= 0.5 else x.roll(1, 0)


def mixing(of_images: Callable = mix, of_targets: Callable = mix) -> Change:
    """Mixup (Zhang et al. 2018): two images and their targets mixed, in shares that are drawn anew for each batch."""
    shares = torch.distributions.Beta(1.0, 1.0)

    def change(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        share = shares.sample().item()
        return of_images(images, share), of_targets(targets, share)

    return change


def cutmix(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """CutMix (Yun et al. 2019): a rectangle comes from the image before in the batch, and as much of the target."""
    share = torch.distributions.Beta(1.0, 1.0).sample().item()
    height, width = images.shape[2:]
    x, y = int(torch.randint(width, (1,))), int(torch.randint(height, (1,)))
    w, h = (int(0.5 * (1 - share) ** 0.5 * side) for side in (width, height))
    top, bottom, left, right = max(y - h, 0), min(y + h, height), max(x - w, 0), min(x + w, width)
    images, others = images.clone(), images.roll(1, 0)
    images[:, :, top:bottom, left:right] = others[:, :, top:bottom, left:right]
    return images, mix(targets, 1 - (bottom - top) * (right - left) / (height * width))


def smooth(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Label smoothing (Szegedy et al. 2016): a tenth of each target is spread over all classes."""
    return images, 0.9 * targets + 0.1 / targets.shape[1]


def own_labels(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Mirror half of the images, and give a mirrored digit a class of its own: ten more classes behind the ten."""
    mirrored = torch.rand(len(images), 1, device=images.device) < 0.5
    images = torch.where(mirrored[:, :, None, None], images.flip(3), images)
    return images, torch.cat([targets * ~mirrored, targets * mirrored], 1)


def one_after_another(*changes: Change) -> Change:
    """All of these changes, the first one first."""

    def change(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        for each in changes:
            images, targets = each(images, targets)
        return images, targets

    return change


@torch.inference_mode()
def logits(model: nn.Module, images: Tensor, classes: int | None = None) -> Tensor:
    """Of the first so many classes, or all, in ordinary floats, on the processor."""
    device = next(model.parameters()).device
    parts = []
    for part in images.split(500):
        with autocast(device, "auto"):
            parts.append(model(part.to(device)).float().cpu()[:, :classes])
    return torch.cat(parts)


def accuracy(model: nn.Module, split: Split, classes: int | None = None) -> float:
    """In percent; of a network with more classes than the split has, among the first so many."""
    return 100 * (logits(model, split.inputs(), classes).argmax(1) == split.labels).float().mean().item()


# ---- Photographs ----


def small(pixels: np.ndarray | Tensor) -> Tensor:
    """A photograph, H x W x 3, with 76 pixels a side, so that a lesson's file stays small."""
    planes = torch.as_tensor(pixels).permute(2, 0, 1)[None].float()
    return F.interpolate(planes, size=(76, 76), mode="area")[0].round().to(torch.uint8)


def few_colours(images: Tensor, colours: int = 180) -> Tensor:
    """Images of bytes, (N, 3, H, W), with so many colours altogether: then `Picture` stores a third of the bytes."""
    count, _, height, width = images.shape
    sheet = Image.fromarray(images.permute(0, 2, 3, 1).reshape(count * height, width, 3).numpy())
    drawn = sheet.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    return torch.from_numpy(np.array(drawn)).view(count, height, width, 3).permute(0, 3, 1, 2)


def digits(images: Tensor, captions: Sequence[str] = (), *, columns: int = 10, title: str = "") -> Picture:
    """Images, bytes or floats in 0..1, drawn with 32 levels a colour so that a lesson's file stays small."""
    pixels = images.float() if images.dtype == torch.uint8 else 255 * images.clamp(0, 1)
    return view.images((pixels // 8 * 8 + 4).to(torch.uint8), captions, columns=columns, title=title)


def photographs(pixels: Mapping[str, np.ndarray | Tensor], title: str) -> Picture:
    """Photographs, H x W x 3, in rows of four, each with its name."""
    shown = torch.stack([small(one) for one in pixels.values()]) // 8 * 8 + 4  # 32 levels a colour
    return view.images(shown, list(pixels), columns=4, title=title)


def before_and_after(before: np.ndarray, after: np.ndarray, change: str) -> Picture:
    """A photograph, what a change makes of it, and how many pixels have each grey level."""
    means = f"mean grey level {before.mean():.0f} → {after.mean():.0f}"
    title = f"{change}: {means}"
    figure, axes = view.figure(1, 3, size=(9, 3.1), title=title)
    looks = {"before": (before, ":", view.BLUE), "after": (after, "-", view.VERMILLION)}
    shown = few_colours(torch.stack([small(before), small(after)]))
    for axis, image, (name, (pixels, line, color)) in zip(axes, shown, looks.items(), strict=False):
        view.blank(axis).imshow(image.permute(1, 2, 0))
        axis.set_title(name, loc="center", size=10, weight="normal")
        counts = np.bincount(pixels.mean(2).astype(int).ravel(), minlength=256)
        axes[2].plot(100 * counts / counts.sum(), color=color, ls=line, marker="", label=name)
    axes[2].set(xlabel="grey level", ylabel="pixels (%)", ylim=(0, 3))
    axes[2].legend()
    return Picture(figure, f"{title}; {len(np.unique(after))} of 256 levels are in use.")


def libraries(differences: Mapping[str, Mapping[str, Tensor]]) -> Table:
    """The largest and the mean difference of two pipelines, by photograph and by what was made equal in them."""
    rows = []
    for name, ways in differences.items():
        rows.append([name, *(f"{d.max():.0f} (mean {d.mean():.2f})" for d in ways.values())])
    header = ["photograph", *next(iter(differences.values()))]
    return Table(header, rows, "Largest difference of the two test pipelines, in grey levels of 0 to 255")


def eye(ours: Tensor, theirs: Tensor, difference: Tensor) -> Picture:
    """The same piece of an image by two libraries, in grey, and how far they are apart, with its scale."""
    figure, axes = view.figure(1, 3, size=(9, 3.3))
    for axis, name, piece in zip(axes, ("torchvision", "albumentations"), (ours, theirs), strict=False):
        view.blank(axis).imshow(piece.numpy(), cmap="gray", vmin=0, vmax=1)
        axis.set_title(name, loc="center", size=10, weight="normal")
    shown = view.blank(axes[2]).imshow(difference.numpy(), cmap="magma", vmin=0)
    axes[2].set_title("difference", loc="center", size=10, weight="normal")
    figure.colorbar(shown, ax=axes[2], shrink=0.8, label="grey levels")
    sharp, flat = by_detail(theirs, difference)
    title = f"Apart by {sharp:.1f} grey levels at the strongest edges, by {flat:.1f} where it is flat"
    view.entitle(figure, title)
    return Picture(figure, f"{title}. The cat's eye in both, and the difference, up to {difference.max():.0f}.")


def by_detail(image: Tensor, difference: Tensor) -> tuple[float, float]:
    """The mean difference in the tenth of all pixels with the strongest edges, and in the flatter half."""
    down, right = torch.gradient(image)
    order = (down.square() + right.square()).flatten().argsort()
    ordered = difference.flatten()[order]
    return ordered[-len(order) // 10 :].mean().item(), ordered[: len(order) // 2].mean().item()


def guesses(probabilities: Mapping[str, Tensor], classes: Sequence[str]) -> Table:
    """The first guess for each photograph, given by one library's pipeline and by the other's, and its probability."""
    rows = []
    for name, pair in probabilities.items():
        rows.append([name, *(f"{classes[int(one.argmax())]} ({one.max():.1%})" for one in pair)])
    return Table(["photograph", "by torchvision's pipeline", "by albumentations' pipeline"], rows)


# ---- What the lesson itself measures ----


def speeds(per_second: Mapping[str, float]) -> Table:
    """How many images a second each pipeline makes."""
    return Table(["pipeline", "images/s"], [[name, f"{value:,.0f}"] for name, value in per_second.items()])


def curves(runs: Mapping[str, Run]) -> Picture:
    """Loss and accuracy by epoch, in training and on validation images, which `fit` was given for its test."""
    ends = {name: 100 * run.history[-1].test_accuracy for name, run in runs.items()}
    said = ", ".join(f"{name} {value:.0f} %" for name, value in ends.items())
    title = f"The same images, changed or not: validation images read {said}"
    return view.curves(runs, tested="validation", title=title)


def reads(accuracies: Mapping[str, float]) -> Picture:
    """Accuracies on known and on new images, a row each."""
    new = [value for name, value in accuracies.items() if name.endswith("new")]
    title = f"New digits read: {' → '.join(f'{value:.0f} %' for value in new)}"
    return view.dots({name: [value] for name, value in accuracies.items()}, label="accuracy (%)", title=title)


def noisy(table: Mapping[str, Mapping[str, float]]) -> Picture:
    """Accuracy on clean and on noisy images, of networks trained without noise and with it."""
    on = {kind: table["noise"][kind] - table["none"][kind] for kind in table["none"]}
    title = "Noise in training: " + ", ".join(f"{points:+.1f} points on {kind}" for kind, points in on.items())
    return heat(table, "validation images read", "trained with", title)


# ---- The record ----


def runs(record: Record, name: str, part: str = "seeds") -> list[dict]:
    """What was measured of an arm, one entry for each seed; part: "seeds", or "twice as long"."""
    return record.results["arms"][name][part]


def tests(record: Record, name: str, part: str = "seeds") -> list[float]:
    """Accuracy on test images in percent, by seed."""
    return [run["test"] for run in runs(record, name, part)]


def gains(record: Record, name: str, over: str = "none", part: str = "seeds") -> list[float]:
    """By how many points an arm is above another, by seed."""
    pairs = zip(tests(record, name, part), tests(record, over, part), strict=True)
    return [above - below for above, below in pairs]


def signed(values: Sequence[float]) -> str:
    """Points of single seeds, for a title: "+9.4, +10.2, +8.8"."""
    return ", ".join(f"{value:+.1f}" for value in values)


def arms(record: Record, names: Sequence[str] | Mapping[str, tuple[str, str]], title: str) -> Picture:
    """Accuracy on test images, a row for each arm, a circle for each seed; names may map a row to its arm and part."""
    named = names if isinstance(names, Mapping) else {name: (name, "seeds") for name in names}
    results = {row: tests(record, *arm) for row, arm in named.items()}
    return view.dots(results, label="accuracy on 2,000 new digits (%)", title=title)


def rate(record: Record, name: str) -> float:
    """The learning rate that validation images chose for an arm."""
    return record.results["arms"][name]["lr"]


def rates(record: Record, names: Sequence[str] = ()) -> Table:
    """Accuracy on validation images at each learning rate that was tried, by arm, and which was chosen.

    names: of the arms; all of them by default.
    """
    arms = {name: record.results["arms"][name] for name in names or record.results["arms"]}
    tried = {
        name: {lr: f"{value:.1f} %" for lr, value in zip(arm["rates"], arm["validation"], strict=True)}
        for name, arm in arms.items()
    }
    chosen = {name: arm["lr"] for name, arm in arms.items()}
    what = "Accuracy on 1,000 validation images, by learning rate (mean of two seeds)"
    return learning_rates.table(tried, chosen, f"{what}. {record}", first="arm")


def inside(record: Record, names: Sequence[str] = ()) -> bool:
    """Whether the chosen rate of each arm lies between two others."""
    chosen = (record.results["arms"][name] for name in names or record.results["arms"])
    return all(learning_rates.inside(arm["lr"], arm["rates"]) for arm in chosen)


def kept(record: Record) -> dict[str, dict[str, float]]:
    """By arm and by change of the test images: how many guesses stay what they were, in percent, mean over seeds."""
    steady = {name: runs(record, name) for name in record.results["arms"] if "kept" in runs(record, name)[0]}
    return {
        name: {change: mean([run["kept"][change] for run in seeds]) for change in seeds[0]["kept"]}
        for name, seeds in steady.items()
    }


def heat(table: Mapping[str, Mapping[str, float]], x: str, y: str, title: str) -> Picture:
    """Percentages by row and column, as numbers on a field of colour."""
    columns = list(next(iter(table.values())))
    values = np.array([[row[column] for column in columns] for row in table.values()])
    figure, axis = view.figure(size=(6.4, 0.55 * len(table) + 1.5), title=title)
    axis.imshow(values, cmap="Blues", vmin=values.min() - 10, vmax=130, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        axis.text(column, row, f"{value:.0f} %", ha="center", va="center", size=11)
    axis.set(xlabel=x, ylabel=y, xticks=range(len(columns)), yticks=range(len(table)))
    axis.set(xticklabels=columns, yticklabels=list(table))
    axis.grid(False)
    listed = "; ".join(
        f"{name}: {', '.join(f'{c} {value:.0f} %' for c, value in row.items())}" for name, row in table.items()
    )
    return Picture(figure, f"{title}. {y}, then {x}: {listed}.")


def mistakes(record: Record, name: str, part: str = "seeds") -> Tensor:
    """How often each digit (row) was taken for each other one, over all seeds."""
    counts = torch.tensor([run["taken_for"] for run in runs(record, name, part)]).sum(0)
    return counts.masked_fill(torch.eye(10, dtype=torch.bool), 0)


def more_mistakes(more: Tensor, least: int = 5) -> Picture:
    """Mistakes of one arm less those of another, with the numbers that are at least `least`."""
    figure, axis = view.figure(size=(7.2, 4.6))
    shown = axis.imshow(more.numpy(), cmap=view.SIGNED, vmin=-more.abs().max(), vmax=more.abs().max())
    figure.colorbar(shown, ax=axis, shrink=0.8, label="mistakes more with flips")
    for (row, column), value in np.ndenumerate(more.numpy()):
        if abs(value) >= least:
            axis.text(column, row, f"{value:+.0f}", ha="center", va="center", size=9)
    axis.set(xlabel="taken for", ylabel="digit", xticks=range(10), yticks=range(10))
    kinds = top(more)
    first = " and ".join(f"{row} for {column} ({more[row, column]:+d})" for row, column in kinds[:2])
    axis.set_title(f"What flips add most: {first}")
    axis.grid(False)
    listed = ", ".join(f"{row} for {column} {more[row, column]:+d}" for row, column in kinds)
    return Picture(figure, f"Mistakes with flips less mistakes without, among 6,000 digits. Most frequent: {listed}.")


def top(more: Tensor, most: int = 5) -> list[tuple[int, int]]:
    """The kinds of mistake, digit and what it is taken for, of which there are most."""
    return [divmod(place, 10) for place in more.flatten().topk(most).indices.tolist()]


# ---- Figures of the record ----


def for_longer(names: Sequence[str], *longer: str) -> dict[str, tuple[str, str]]:
    """Rows for `arms`: each of these arms, and some of them once more, trained for twice as long."""
    rows = {name: (name, "seeds") for name in names}
    return rows | {f"{name}, twice as long": (name, "twice as long") for name in longer}


def apart(record: Record, names: Sequence[str]) -> Picture:
    """The augmentation taken apart, beside more real images and more training."""
    once, twice = (mean(gains(record, "both", "none", part)) for part in ("seeds", "twice as long"))
    title = f"Geometry and light gain {once:.1f} points, trained for twice as long {twice:.1f}"
    return arms(record, for_longer(names, "none", "both"), title)


def lacking(record: Record) -> Picture:
    """What light gains on images of all kinds, and where bright ones were taken out of the training."""
    rows = {
        "all images: none": ("none", "seeds"),
        "all images: light": ("light", "seeds"),
        "dark images: none": ("none, dark images", "seeds"),
        "dark images: light": ("light, dark images", "seeds"),
    }
    everywhere, dark = gains(record, "light"), gains(record, "light, dark images", "none, dark images")
    title = f"Light gains {mean(everywhere):+.1f} points on all images, {mean(dark):+.1f} where bright ones are missing"
    return arms(record, rows, title)


def steady(table: Mapping[str, Mapping[str, float]]) -> Picture:
    """Which guesses stay, by what the network was trained with and by what is done to the test images."""
    own = [name for name in table if table[name].get(name, 0) >= max(row.get(name, 100) for row in table.values())]
    title = f"Steadiest under its own change: {', '.join(own) or 'none of them'}"
    return heat(table, "change of the test images", "trained with", title)


def flips(record: Record) -> Picture:
    """Mirrored digits, with the labels of the digits and with labels of their own."""
    names = {"both": "both", "flips": "both and flip", "flips, true labels": "both and flip, own labels"}
    rows = {name: (arm, "seeds") for name, arm in names.items()}
    rows |= {f"{name}, twice as long": (arm, "twice as long") for name, arm in names.items()}
    lie, true = (mean(gains(record, arm, "both", "twice as long")) for arm in list(names.values())[1:])
    title = f"Trained for long, flips change the accuracy by {lie:+.1f} points, with true labels by {true:+.1f}"
    return arms(record, rows, title)


def mixed(kinds: Mapping[str, tuple[Tensor, Tensor]], dataset: Dataset, count: int = 6) -> Picture:
    """The first images of each kind, with what their targets say: the parts that are at least a twentieth."""
    images, captions = [], []
    for changed, targets in kinds.values():
        images.append(pipelines.denormalize(changed[:count], dataset.mean, dataset.std))
        for row in targets[:count]:
            parts = sorted(((part, c) for c, part in enumerate(row.tolist()) if part >= 0.05), reverse=True)
            captions.append(" + ".join(f"{part:.0%} {dataset.classes[c]}" for part, c in parts))
    rows = "; ".join(f"row {number}: {name}" for number, name in enumerate(kinds, 1))
    return digits(torch.cat(images), captions, columns=count, title=rows)


def best_of(record: Record, names: Sequence[str]) -> str:
    """A title: which arm reads most, and what is second."""
    means = {name: mean(tests(record, name)) for name in names}
    first, second = sorted(means, key=means.get, reverse=True)[:2]
    return f"Most digits: {first}, {means[first]:.1f} %; then {second}, {means[second]:.1f} %"


def halves(record: Record) -> str:
    """A title: what each half of mixup gains, and the whole."""
    names = {"mixed images": "mixed images, one label", "mixed labels": "one image, mixed labels", "mixup": "mixup"}
    return "Above none: " + ", ".join(f"{n} {mean(gains(record, arm)):+.1f} points" for n, arm in names.items())


def averages(record: Record, views: str) -> dict[str, list[float]]:
    """By arm: how many points averaging over these views gains over the image alone, by seed."""
    named = [name for name in record.results["arms"] if "averaged" in runs(record, name)[0]]
    return {name: [run["averaged"][views] - run["test"] for run in runs(record, name)] for name in named}


def averaged(record: Record) -> Picture:
    """What averaging gains at test time, for networks trained without and with augmentation."""
    kinds = {"draws": "8 draws of geometry", "mirror image": "with its mirror image"}
    results = {f"{n}: {said}": points for v, said in kinds.items() for n, points in averages(record, v).items()}
    draws, mirror = (mean(averages(record, v)["both"]) for v in kinds)
    title = f"Trained with both, averaging changes it by {draws:+.1f} points; with mirror images by {mirror:+.1f}"
    return view.dots(results, label="points above the image alone", title=title)


def claims(record: Record) -> dict[str, object]:
    """The numbers of the statements about trainings, in points: means over seeds."""
    found = {"gain": mean(gains(record, "both"))}
    found["flips"] = tuple(mean(gains(record, "both and flip", "both", part)) for part in ("seeds", "twice as long"))
    names = {"mixup": "mixup", "cutmix": "CutMix", "smoothing": "label smoothing", "randaugment": "RandAugment"}
    found |= {id: mean(gains(record, name)) for id, name in names.items()}
    return found | {"averaging": mean(averages(record, "draws")["both"])}
