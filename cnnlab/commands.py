"""What the command line does, one function a command; `cnnlab/__main__.py` reads the words.

Each prints its results and returns the exit status. What needs PyTorch is imported where it is used, so that `lab`
opens at once.
"""

import argparse
import csv
import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

    from cnnlab import data, training

DONE, STOPPED, CLOSED = 0, 130, 141  # as a shell calls what Ctrl-C ended, and what wrote into a closed pipe


def train(given: argparse.Namespace) -> int:
    """Train a network by `training.fit` and write its weights; interrupted or killed, the same command goes on."""
    import torch

    from cnnlab import models, training
    from cnnlab.device import find_device, machine_class

    out = _to_write(given.out, ".safetensors", given.overwrite)
    _check_others(given)
    if given.best and given.test == 0:
        raise ValueError("--best chooses by the test images: leave --test 0 out.")
    start = _start(given)
    dataset = _dataset(given, start.prepared)
    _say(dataset)
    torch.manual_seed(given.seed)
    model, options, dataset = _network(given, start, dataset)
    checkpoint, best = out.with_suffix(".checkpoint"), out.with_suffix(".best.safetensors")
    first = int(os.environ.get("RANK", 0)) == 0
    about = {
        "command": f"python -m cnnlab {shlex.join(given.words)}",
        "data": repr(dataset),
        **_prepared(given, dataset, start.prepared),
    }

    def after_epoch(run: "training.Run") -> None:
        print(_epoch_line(run, given.epochs), flush=True)
        if given.best and _is_best(run):
            models.save_weights(model, best, name=given.model, options=options, **about)

    run = training.fit(
        model,
        dataset,
        epochs=given.epochs,
        lr=given.lr,
        batch_size=given.batch_size,
        weight_decay=given.weight_decay,
        optimizer=given.optimizer,
        rates=_slower(model, given.backbone),
        augment=training.Augment(flip=given.flip, shift=given.shift) if given.flip or given.shift else None,
        seed=given.seed,
        device=given.device,
        precision=given.precision,
        checkpoint=checkpoint,
        on_epoch=after_epoch,
        progress=sys.stderr.isatty(),
    )
    if run.interrupted:
        print(f"Stopped after {len(run.history)} of {given.epochs} epochs; the same command goes on from there.")
        return STOPPED
    if not first:
        return DONE
    kept = max(run.history, key=lambda epoch: epoch.test_accuracy) if given.best else run.history[-1]
    if given.best:
        models.load_torchvision(model, models.weight_file(best)[1])
    about |= {
        "history": [asdict(epoch) for epoch in run.history],
        "epoch": kept.epoch,
        "seconds": round(run.seconds),
        "machine": machine_class(find_device(given.device)),
        "date": date.today().isoformat(),
    }
    models.save_weights(model, out, name=given.model, options=options, **about)
    checkpoint.unlink(missing_ok=True)
    best.unlink(missing_ok=True)
    if given.csv:
        _write_history(run, Path(given.csv))
    if given.picture:
        from cnnlab import view

        view.curves(run).save(given.picture)
    tested = "not tested" if isnan(kept.test_accuracy) else f"test accuracy {kept.test_accuracy:.2%}"
    of = f" (epoch {kept.epoch}, the best)" if given.best else ""
    print(f"{out}: {tested}{of} after {run.seconds:,.0f} s of training")
    return DONE


def evaluate(given: argparse.Namespace) -> int:
    """Measure the weights in a file on a data set's test split: accuracy, by class too, and what is taken for what."""
    from cnnlab import training
    from cnnlab.device import find_device
    from cnnlab.table import Table

    _check_others(given)
    model, about = _trained(given.file)
    dataset = _dataset(given, about)
    _say(dataset)
    dataset = _as_in_training(given.file, model, about, dataset)
    measured = training.evaluate(model.to(find_device(given.device)), dataset.test, precision=given.precision)
    row = {"images": f"{len(dataset.test):,}", "loss": f"{measured.loss:.4f}", "accuracy": f"{measured.accuracy:.2%}"}
    if measured.confusion.shape[1] > 5:  # of five classes all are among the first five
        row["top-5"] = f"{measured.top5:.2%}"
    print(Table([*row], [[*row.values()]], f"{given.file} on {dataset.name}"))
    rows = [
        [name, f"{count:,}", f"{share:.1%}" if count else "no image", _mostly(counts, label, dataset.classes)]
        for label, (name, counts, share) in enumerate(
            zip(dataset.classes, measured.confusion, measured.per_class, strict=False)
        )
        for count in [int(counts.sum())]
    ]
    print()
    print(Table(["class", "images", "accuracy", "else mostly taken for"], rows))
    if given.picture:
        from cnnlab import view

        view.confusion(measured.confusion, dataset.classes, title=f"{Path(given.file).stem} on {dataset.name}").save(
            given.picture
        )
    return DONE


def predict(given: argparse.Namespace) -> int:
    """Say what is on pictures: the most likely classes with their probabilities."""
    import torch

    from cnnlab.data import picture
    from cnnlab.device import autocast, find_device
    from cnnlab.table import Table

    _check_others(given)
    model, about = _trained(given.file)
    if "mean" not in about:
        raise ValueError(f"{given.file} does not say how its images were prepared: train it again by `cnnlab train`.")
    files = [file for name in given.images for file in _pictures(Path(name))]
    device, rows = find_device(given.device), []
    prepare, model = _preparation(about), model.to(device)
    for file in files:
        image = prepare(picture.read(file))[None].to(device)
        with torch.no_grad(), autocast(device, given.precision):
            shares, labels = model(image).float().softmax(1)[0].sort(descending=True)
        pairs = zip(shares.tolist()[: given.top], labels.tolist(), strict=False)
        names = about["classes"]
        rows.append([str(file), *(f"{names[label]} {share:.1%}" for share, label in pairs)])
    top = len(rows[0]) - 1
    print(Table(["picture", *(["most likely", *(f"{place}." for place in range(2, top + 1))][:top])], rows))
    if given.picture:
        _draw_predictions(files, rows, given.picture)
    return DONE


def export(given: argparse.Namespace) -> int:
    """Write the network in a file as ONNX, for other programs; it needs the packages onnx and onnxscript."""
    from importlib.util import find_spec

    import torch

    out = _to_write(given.out, ".onnx", given.overwrite)
    if missing := [name for name in ("onnx", "onnxscript") if find_spec(name) is None]:
        raise ValueError(f"ONNX needs a package that is not installed: pip install {' '.join(missing)}")
    model, about = _trained(given.file)
    shape = about.get("input") or [next(p for p in model.parameters() if p.ndim == 4).shape[1], 224, 224]
    images = torch.zeros(2, *shape)  # of a batch of one the exporter would keep the one
    batch = torch.export.Dim("batch")
    program = torch.onnx.export(model, (images,), dynamo=True, dynamic_shapes=({0: batch},), verbose=False,
                                input_names=["images"], output_names=["logits"])  # fmt: skip
    program.save(str(out))
    size = "x".join(map(str, shape))
    print(f"{out}: images of {size}, float32, any number at a time, prepared as in training -> logits of {_n(about)}")
    return DONE


def list_networks(given: argparse.Namespace) -> int:
    """The networks by name, with their parameters."""
    import torch

    from cnnlab import models
    from cnnlab.table import Table

    rows = []
    for name in (name for name in models.list_models() if given.part in name):
        with torch.device("meta"):
            count = sum(p.numel() for p in models.get_model(name).parameters())
        rows.append([name, count])
    if not rows:
        raise ValueError(f"No network has {given.part!r} in its name.")
    print(Table(["network", "parameters"], rows))
    return DONE


def surface(given: argparse.Namespace) -> int:
    """Measure the loss surface around the weights in a file; interrupted, the same command goes on."""
    import torch

    from cnnlab import measure

    _check_others(given)
    model, about = _trained(given.file)
    dataset = _dataset(given, about)
    _say(dataset)
    dataset = _as_in_training(given.file, model, about, dataset)
    images = min(given.images, len(dataset.train))
    chosen = torch.randperm(len(dataset.train), generator=torch.Generator().manual_seed(given.seed))[:images]
    split = dataset.train.take(chosen)
    if not split.in_memory:
        split = _held(split, about)
    settings = {"points": given.points, "span": given.span, "seed": given.seed, "precision": given.precision}
    if Path(given.out).exists():
        rows, columns = measure.LossSurface.load(given.out).loss.shape
        if (rows, columns) != (given.points, given.points):
            raise ValueError(
                f"{given.out} is there already, with {columns} x {rows} points and not {given.points} x {given.points}:"
                " ask for as many, or name another file."
            )
    measured = measure.loss_surface(
        model,
        split,
        **settings,
        device=given.device,
        file=given.out,
        progress=sys.stderr.isatty(),
    )
    print(measured)
    if not measured.complete:
        print("Stopped; the same command goes on with what was measured.")
        return STOPPED
    if given.picture and int(os.environ.get("RANK", 0)) == 0:
        from cnnlab import view

        view.surface({Path(given.file).stem: measured}).save(given.picture)
    return DONE


class Stopped(BaseException):
    """Ctrl-C while a record is made. `training.fit` would take a KeyboardInterrupt for the end of the training, and
    half a training would be recorded."""


def record(given: argparse.Namespace) -> int:
    """Make a lesson's records again, which takes longer than a lesson has; stopped, the same command goes on."""
    from cnnlab import lessons
    from cnnlab.lessons import records

    if not given.lesson:
        print(records.listed())
        return 0
    topic = lessons.topic(given.lesson)
    names = list(lessons.recipes(topic))
    if given.name and given.name not in names:
        raise ValueError(f"The records of {topic} are: {', '.join(names) or 'none'}.")

    def stop(*_: object) -> None:
        raise Stopped

    before = signal.signal(signal.SIGINT, stop)
    try:
        for name in [given.name] if given.name else names:
            path = records.make(topic, name, given.data, given.workers)
            print(f"{path} is whole. To measure it again, remove it first.")
    except Stopped:
        print("Stopped; the same command goes on with what was saved.")
        return STOPPED
    finally:
        signal.signal(signal.SIGINT, before)
    return 0


def lab(given: argparse.Namespace) -> int:
    """Copy the lessons into a folder, never over a file that differs, and open the first in JupyterLab."""
    from cnnlab.teaching.lab import copy_lessons, open_lab

    folder = Path(given.folder)
    for line in copy_lessons(folder):
        print(line, flush=True)
    open_lab(folder, given.further)
    return DONE


class Start(NamedTuple):
    """What a training starts from: weights as `get_model` takes them, the options they belong to, what they know."""

    weights: str | None = None
    options: Mapping[str, object] = {}
    prepared: Mapping[str, object] = {}


def _start(given: argparse.Namespace) -> Start:
    from cnnlab import models

    if not given.weights:
        if given.freeze != 0 or given.backbone != 1:
            raise ValueError("--freeze and --backbone spare trained weights: say with --weights which ones.")
        return Start()
    if given.weights == "imagenet":
        wanted = models.imagenet_input(given.model)
        options = models.pretrained.OPTIONS.get(given.model, {})
        return Start("imagenet", options, {"mean": wanted.mean, "std": wanted.std})
    shipped = models.pretrained.FOLDER / f"{given.model}-{given.weights}.safetensors"
    about = models.pretrained.metadata(shipped if shipped.exists() else Path(given.weights))
    known = {key: about[key] for key in ("mean", "std", "classes") if key in about}
    return Start(given.weights, about.get("options", {}), known)


def _network(
    given: argparse.Namespace, start: Start, dataset: "data.Dataset"
) -> tuple["torch.nn.Module", dict[str, object], "data.Dataset"]:
    """The network to train, the options that build it again, and the images with as many channels as it sees."""
    from cnnlab import models, training

    classes, channels = len(dataset.classes), dataset.train.shape[0]
    if not start.weights:
        options = {"num_classes": classes, "in_channels": channels, **dict(given.option)}
        return models.get_model(given.model, **options), options, dataset
    options = {**start.options, **dict(given.option)}
    model = models.get_model(given.model, weights=start.weights, **options)
    sees = next(p for p in model.parameters() if p.ndim == 4).shape[1]
    if sees == 3 and channels == 1:
        dataset, channels = dataset.in_rgb(), 3
    known = start.prepared.get("classes", dataset.classes)
    if training.last_layer(model).out_features != classes or tuple(known) != dataset.classes:
        training.replace_head(model, classes)
    if given.freeze != 0:
        training.freeze(model, given.freeze)
    training.keep_up(model)
    if "mean" in start.prepared and dataset.train.in_memory:
        dataset = dataset.normalised(start.prepared["mean"], start.prepared["std"])
    return model, {**options, "num_classes": classes, "in_channels": channels}, dataset


def _prepared(given: argparse.Namespace, dataset: "data.Dataset", wanted: Mapping[str, object]) -> dict[str, object]:
    """How the images of a training are prepared, for whoever uses its weights."""
    from cnnlab.training import pipelines

    if dataset.train.in_memory:
        return dataset.preparation()
    mean, std = wanted.get("mean", pipelines.MEAN), wanted.get("std", pipelines.STD)
    return dataset.preparation() | {"size": given.size, "mean": list(mean), "std": list(std)}


def _as_in_training(
    file: str, model: "torch.nn.Module", about: Mapping[str, object], dataset: "data.Dataset"
) -> "data.Dataset":
    """The images as the network learnt to see them; ValueError where its classes or channels are others."""
    if (known := about.get("classes")) is not None and known != list(dataset.classes):
        odd = sorted(set(known) ^ set(dataset.classes)) or "their order"
        differing = odd if isinstance(odd, str) else ", ".join(odd[:6]) + (", ..." if len(odd) > 6 else "")
        raise ValueError(
            f"{file} tells {len(known)} classes apart and {dataset.name} has {len(dataset.classes)}; these differ: "
            f"{differing}."
        )
    sees = next(p for p in model.parameters() if p.ndim == 4).shape[1]
    channels = dataset.train.shape[0]
    if sees == 3 and channels == 1:
        dataset = dataset.in_rgb()
    elif sees != channels:
        raise ValueError(f"{file} sees images of {sees} channel{'s' * (sees > 1)}, and {dataset.name} has {channels}.")
    outputs = next((p for p in reversed(list(model.parameters())) if p.ndim == 2), None)
    if outputs is not None and len(outputs) < len(dataset.classes):
        raise ValueError(f"{file} tells {len(outputs)} classes apart, and {dataset.name} has {len(dataset.classes)}.")
    if dataset.train.in_memory and "mean" in about:
        side = about.get("input", dataset.train.shape)[1]
        if side != dataset.train.shape[1]:
            dataset = dataset.resized(side)
            print(f"Brought to {side} pixels a side, as in training.")
        dataset = dataset.normalised(about["mean"], about["std"])
    return dataset


def _held(split: "data.Stream", about: Mapping[str, object]) -> "data.Split":
    """Images of a stream in memory, cut as its pipeline cuts them."""
    from cnnlab import data
    from cnnlab.training import pipelines

    mean, std = about.get("mean", pipelines.MEAN), about.get("std", pipelines.STD)
    pixels = pipelines.denormalize(split.inputs(), mean, std)
    return data.Split((255 * pixels).round().byte(), split.labels, tuple(mean), tuple(std))


def _dataset(given: argparse.Namespace, about: Mapping[str, object]) -> "data.Dataset":
    """The data set that was asked for; a folder is cut to --size, or to the size that a file says it was trained at."""
    from cnnlab import data

    if given.data in data.names() and Path(given.data).is_dir():
        print(
            f"note: {given.data!r} is a data set of cnnlab; for the folder of that name here: --data ./{given.data}",
            file=sys.stderr,
        )
    folder = given.data not in data.names() and Path(given.data).is_dir()
    size = given.size or (about.get("size") if folder else None)
    if size:
        if given.train or given.test:
            raise ValueError("--size streams a whole folder: leave --train and --test out.")
        if not folder:
            raise ValueError(f"--size cuts the pictures of a folder, and {given.data!r} is none: leave it out.")
        return _streamed(given, size, about)
    sizes = {"train": given.train, "test": 0 if given.hold_out else given.test}
    dataset = data.load(given.data, **sizes, seed=given.seed, root=given.root)
    return dataset.hold_out(_count(given.hold_out, len(dataset.train))) if given.hold_out else dataset


def _streamed(given: argparse.Namespace, size: int, about: Mapping[str, object]) -> "data.Dataset":
    from cnnlab import data
    from cnnlab.training import pipelines

    middle = pipelines.torchvision_test(size, round(size * 256 / 224))
    # A surface is of the images as they are; a training sees a random piece of each.
    learn = pipelines.torchvision_train(size) if given.run is train else middle
    mean, std = about.get("mean", pipelines.MEAN), about.get("std", pipelines.STD)
    both = {"train": learn, "test": middle}
    if (tuple(mean), tuple(std)) != (pipelines.MEAN, pipelines.STD):
        both = {part: pipelines.Renormalised(pipeline, mean, std) for part, pipeline in both.items()}
    hold_out = given.hold_out
    if hold_out:
        whole = data.stream(given.data, **both, hold_out=0, workers=given.workers)
        hold_out = _count(hold_out, len(whole.train))
    return data.stream(given.data, **both, hold_out=hold_out, seed=given.seed, workers=given.workers)


def _preparation(about: Mapping[str, object]):
    """What a picture of any size goes through before a network: the shorter side brought to its size, the middle."""
    import torch
    from torchvision.transforms import v2

    channels, height, width = about["input"]
    shorter = round(height * 256 / 224) if "size" in about else min(height, width)
    return v2.Compose(
        [
            v2.ToImage(),
            v2.Resize(shorter),
            v2.CenterCrop((height, width)),
            *([v2.Grayscale()] if channels == 1 else []),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(about["mean"], about["std"]),
            v2.ToPureTensor(),
        ]
    )


def _trained(file: str) -> tuple["torch.nn.Module", dict[str, object]]:
    """The network in a file and what the file says of itself; by a network's name, that with ImageNet's weights."""
    from cnnlab import models

    if file in models.list_models():
        model, wanted = models.get_model(file, weights="imagenet"), models.imagenet_input(file)
        about = {"size": wanted.size, "input": [3, wanted.size, wanted.size], "classes": list(wanted.classes)}
        return model.eval(), about | {"mean": list(wanted.mean), "std": list(wanted.std)}
    about, _ = models.weight_file(file)
    if "model" not in about:
        raise ValueError(f"{file} does not say which network it is of.")
    return models.get_model(about["model"], weights=Path(file)).eval(), about


def _to_write(name: str, suffix: str, overwrite: bool) -> Path:
    out = Path(name)
    if out.suffix != suffix:
        raise ValueError(f"The file must end in {suffix}, not {out.suffix or 'nothing'!r}: {name}.")
    if out.exists() and not overwrite:
        raise ValueError(f"{out} is there already: remove it, name another file, or add --overwrite.")
    out.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(out.parent, os.W_OK):
        raise ValueError(f"Nothing can be written to {out.parent}: name another file.")
    return out


def _check_others(given: argparse.Namespace) -> None:
    """What else is to be written: that it cannot be is found before the work, and not after it."""
    for name in (given.picture, getattr(given, "csv", None)):
        if name:
            _to_write(name, ".png" if name == given.picture else Path(name).suffix, overwrite=True)


def _count(asked: str, images: int) -> int:
    """So many images, or of so many a share: "500", "20%"."""
    return max(1, round(images * float(asked[:-1]) / 100)) if asked.endswith("%") else int(asked)


def _say(dataset: "data.Dataset") -> None:
    """The data set first, so that another one than meant is noticed before its hours."""
    if int(os.environ.get("RANK", 0)) == 0:
        names = ", ".join(dataset.classes[:10]) + (", ..." if len(dataset.classes) > 10 else "")
        print(f"{dataset}: {names}", flush=True)


def _slower(model: "torch.nn.Module", share: float) -> dict[str, float] | None:
    """The backbone's learning rate as a share of the head's, for the parts that are trained."""
    parts = {name.partition(".")[0] for name, parameter in model.named_parameters() if parameter.requires_grad}
    return {part: share for part in sorted(parts - {"head"})} if share != 1 else None


def _epoch_line(run: "training.Run", epochs: int) -> str:
    table = run.table()
    values = ", ".join(f"{name} {value}" for name, value in zip(table.header, table.rows[-1], strict=True))
    left = run.seconds / len(run.history) * (epochs - len(run.history))
    return f"{values}, {run.images_per_second:,.0f} images/s" + (f", {_duration(left)} left" if left else "")


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _is_best(run: "training.Run") -> bool:
    *before, last = [epoch.test_accuracy for epoch in run.history]
    return not before or last > max(before)


def _write_history(run: "training.Run", path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, asdict(run.history[0]))
        writer.writeheader()
        for epoch in run.history:
            writer.writerow({name: "" if value != value else value for name, value in asdict(epoch).items()})


def _mostly(counts: "torch.Tensor", label: int, classes: Sequence[str]) -> str:
    counts = counts[: len(classes)].clone()
    counts[label] = 0
    return f"{classes[int(counts.argmax())]} ({int(counts.max())})" if counts.any() else ""


def _pictures(path: Path) -> list[Path]:
    from cnnlab.data import picture

    if not path.is_dir():
        return [path]
    found = [file for file in sorted(path.iterdir()) if file.suffix.lower() in picture.suffixes()]
    found = [file for file in found if not picture.is_hidden(file)]
    if not found:
        raise ValueError(f"There is no picture in the folder {path}.")
    return found


def _draw_predictions(files: Sequence[Path], rows: Sequence[Sequence[str]], out: str) -> None:
    import torch
    from torchvision.transforms.v2.functional import center_crop, resize

    from cnnlab import view
    from cnnlab.data import picture

    shown = [torch.from_numpy(picture.read(file)).permute(2, 0, 1) for file in files[:40]]
    squares = torch.stack([center_crop(resize(image, 160, antialias=True), [160, 160]) for image in shown])
    view.images(squares, [row[1] for row in rows[:40]], columns=4).save(out)


def _n(about: Mapping[str, object]) -> str:
    return f"{len(about['classes'])} classes" if "classes" in about else "its classes"
