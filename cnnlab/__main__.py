"""The command line, for what outgrows a notebook: `python -m cnnlab --help`.

python -m cnnlab models resnet
python -m cnnlab train resnet20 --data cifar10 --hold-out 5000 --epochs 60 --flip --shift 4 --out resnet20.safetensors
torchrun --nproc_per_node 8 -m cnnlab train resnet50 --data imagenet --size 224 --epochs 90 --out resnet50.safetensors
python -m cnnlab train efficientnet_lite0 --weights imagenet --data my-photographs --freeze 5 --out mine.safetensors
python -m cnnlab evaluate resnet20.safetensors --data cifar10
python -m cnnlab surface resnet20.safetensors --data cifar10 --out surface.safetensors --picture surface.png
python -m cnnlab record densenet
python -m cnnlab lab my-lessons
"""

import argparse
import os
import shlex
import signal
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

# What needs PyTorch is imported by the commands that use it, so that `lab` opens at once.
if TYPE_CHECKING:
    import torch

    from cnnlab import data, training


def main(words: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, or 2 with one line on stderr that says what was wrong."""
    words = sys.argv[1:] if words is None else words
    parser = _parser()
    given, further = parser.parse_known_args(words, argparse.Namespace(words=words))
    if further and given.run is not lab:
        parser.error(f"unrecognized arguments: {' '.join(further)}")
    given.further = further
    try:
        given.run(given)
    except Exception as error:
        if not isinstance(error, _what_a_user_can_mend()):
            raise
        print(f"error: {error}", file=sys.stderr)  # one line without a traceback
        return 2
    return 0


def _what_a_user_can_mend() -> tuple[type[Exception], ...]:
    from cnnlab import data, training

    return (ValueError, OSError, data.DataError, training.CheckpointError, training.DivergedError)


def train(given: argparse.Namespace) -> None:
    """Train a network by `training.fit` and write its weights; interrupted or killed, the same command goes on."""
    import torch

    from cnnlab import models, training
    from cnnlab.device import find_device, machine_class

    out = Path(given.out)
    if out.suffix != ".safetensors":
        raise ValueError(f"--out must end in .safetensors, not {out.suffix or 'nothing'!r}.")
    if out.exists():
        raise ValueError(f"{out} is there already: remove it, or name another file.")
    wanted = _wanted(given)
    dataset = _dataset(given, wanted)
    options = {"num_classes": len(dataset.classes), "in_channels": dataset.train.shape[0], **dict(given.option)}
    torch.manual_seed(given.seed)
    if given.weights:
        model = models.get_model(given.model, weights=given.weights)
        if given.weights != "imagenet":
            options = models.weight_file(given.weights)[0]["options"] | {"num_classes": len(dataset.classes)}
        model = training.freeze(training.replace_head(training.keep_up(model), len(dataset.classes)), given.freeze)
    else:
        model = models.get_model(given.model, **options)
    checkpoint = out.with_suffix(".checkpoint")
    first = int(os.environ.get("RANK", 0)) == 0
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
        on_epoch=lambda run: print(_epoch_line(run), flush=True),
        progress=sys.stderr.isatty(),
    )
    if run.interrupted:
        print(f"Stopped after {len(run.history)} of {given.epochs} epochs; the same command goes on from there.")
    elif first:
        about = {
            "command": f"python -m cnnlab {shlex.join(given.words)}",
            "data": repr(dataset),
            "classes": dataset.classes,
            "history": [asdict(epoch) for epoch in run.history],
            "seconds": round(run.seconds),
            "machine": machine_class(find_device(given.device)),
            "date": date.today().isoformat(),
        }
        if wanted:
            about["input"] = {"size": dataset.train.shape[-1], "mean": wanted["mean"], "std": wanted["std"]}
        models.save_weights(model, out, name=given.model, options=options, **about)
        checkpoint.unlink(missing_ok=True)
        print(f"{out}: test accuracy {run.history[-1].test_accuracy:.2%} after {run.seconds:,.0f} s of training")


def _wanted(given: argparse.Namespace) -> dict[str, object] | None:
    """What images the weights to start from, or to measure, were trained on; None where they do not say it."""
    from cnnlab import models

    if getattr(given, "file", None):
        return models.weight_file(given.file)[0].get("input")
    if not given.weights:
        if given.freeze != 0 or given.backbone != 1:
            raise ValueError("--freeze and --backbone spare trained weights: say with --weights which ones.")
        return None
    if given.weights == "imagenet":
        return models.imagenet_input(given.model)._asdict()
    if not given.weights.endswith(".safetensors"):
        raise ValueError(f"--weights is imagenet, or a file that ends in .safetensors, not {given.weights!r}.")
    return models.weight_file(given.weights)[0].get("input")


def _slower(model: "torch.nn.Module", share: float) -> dict[str, float] | None:
    """The backbone's learning rate as a share of the head's, for the parts that are trained."""
    parts = {name.partition(".")[0] for name, parameter in model.named_parameters() if parameter.requires_grad}
    return {part: share for part in sorted(parts - {"head"})} if share != 1 else None


def _epoch_line(run: "training.Run") -> str:
    table = run.table()
    return ", ".join(f"{name} {value}" for name, value in zip(table.header, table.rows[-1], strict=True))


def evaluate(given: argparse.Namespace) -> None:
    """Measure the weights in a file on a data set's test split."""
    from cnnlab import training
    from cnnlab.device import find_device
    from cnnlab.table import Table

    model, dataset = _trained(given), _dataset(given, _wanted(given))
    measured = training.evaluate(model.to(find_device(given.device)), dataset.test, precision=given.precision)
    row = [f"{len(dataset.test):,}", f"{measured.loss:.4f}", f"{measured.accuracy:.2%}", f"{measured.top5:.2%}"]
    print(Table(["images", "loss", "accuracy", "top-5"], [row], f"{given.file} on {dataset.name}"))


def list_networks(given: argparse.Namespace) -> None:
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


def surface(given: argparse.Namespace) -> None:
    """Measure the loss surface around the weights in a file; interrupted, the same command goes on."""
    import torch

    from cnnlab import data, measure

    model, dataset = _trained(given), _dataset(given, _wanted(given))
    if isinstance(dataset.train, data.Stream):
        raise ValueError("A surface is measured on images in memory: leave --size out, or take fewer with --train.")
    images = min(given.images, len(dataset.train))
    chosen = torch.randperm(len(dataset.train), generator=torch.Generator().manual_seed(given.seed))[:images]
    split = data.Split(dataset.train.images[chosen], dataset.train.labels[chosen], dataset.mean, dataset.std)
    settings = {"points": given.points, "span": given.span, "seed": given.seed, "precision": given.precision}
    measured = measure.loss_surface(
        model, split, **settings, device=given.device, file=given.out, progress=sys.stderr.isatty()
    )
    print(measured)
    if given.picture and int(os.environ.get("RANK", 0)) == 0:
        from cnnlab import view

        view.surface({Path(given.file).stem: measured}).figure.savefig(given.picture)


class Stopped(BaseException):
    """Ctrl-C while a record is made. `training.fit` would take a KeyboardInterrupt for the end of the training, and
    half a training would be recorded."""


def record(given: argparse.Namespace) -> None:
    """Make a lesson's records again, which takes longer than a lesson has; stopped, the same command goes on."""
    from cnnlab import lessons
    from cnnlab.lessons import records

    if not given.lesson:
        print(records.listed())
        return
    topic = lessons.topic(given.lesson)
    names = list(lessons.recipes(topic))
    if given.name and given.name not in names:
        raise ValueError(f"The records of {topic} are: {', '.join(names) or 'none'}.")

    def stop(*_: object) -> None:
        raise Stopped

    before = signal.signal(signal.SIGINT, stop)
    try:
        for name in [given.name] if given.name else names:
            path = records.make(topic, name, given.data)
            print(f"{path} is whole. To measure it again, remove it first.")
    except Stopped:
        print("Stopped; the same command goes on with what was saved.")
    finally:
        signal.signal(signal.SIGINT, before)


def lab(given: argparse.Namespace) -> None:
    """Copy the lessons into a folder, never over a file that differs, and open the first in JupyterLab."""
    from cnnlab.teaching.lab import copy_lessons, open_lab

    folder = Path(given.folder)
    for line in copy_lessons(folder):
        print(line, flush=True)
    open_lab(folder, given.further)


def _trained(given: argparse.Namespace) -> "torch.nn.Module":
    from cnnlab import models

    about, _ = models.weight_file(given.file)
    if "model" not in about:
        raise ValueError(f"{given.file} does not say which network it is of.")
    return models.get_model(about["model"], weights=given.file).eval()


def _dataset(given: argparse.Namespace, wanted: dict[str, object] | None) -> "data.Dataset":
    """The images; in three channels and normalised as trained weights want them, where these say so."""
    from cnnlab import data, training

    if given.size:
        if given.train or given.test or given.hold_out:
            raise ValueError("--size streams a whole folder: leave --train, --test and --hold-out out.")
        pipelines = {"train": training.pipelines.torchvision_train(given.size)}
        pipelines["test"] = training.pipelines.torchvision_test(given.size, round(given.size * 256 / 224))
        if wanted:
            numbers = wanted["mean"], wanted["std"]
            pipelines = {k: training.pipelines.Renormalised(p, *numbers) for k, p in pipelines.items()}
        return data.stream(given.data, **pipelines, workers=given.workers)
    sizes = {"train": given.train, "test": 0 if given.hold_out else given.test}
    dataset = data.load(given.data, **sizes, seed=given.seed, root=given.root)
    dataset = dataset.hold_out(given.hold_out) if given.hold_out else dataset
    return dataset.in_rgb().normalised(wanted["mean"], wanted["std"]) if wanted else dataset


def _stages(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}: give a number of stages, or all")
    return int(text)


def _option(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r}: an option is given as name=value, for example width=8")
    return name, _value(value)


def _value(text: str) -> object:
    """A whole number, a number, True or False, several with commas between them, or else the text itself."""
    if "," in text:
        return tuple(_value(part) for part in text.split(",") if part)
    for read in (int, float, {"True": True, "False": False}.__getitem__):
        try:
            return read(text)
        except (ValueError, KeyError):
            continue
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cnnlab", description="Train and measure networks by name.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(run, name: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        added.set_defaults(run=run)
        return added

    listed = command(list_networks, "models")
    listed.add_argument("part", nargs="?", default="", help="a part of the name")

    trained = command(train, "train")
    trained.add_argument("model", help="a name that `models` lists")
    trained.add_argument("--option", type=_option, action="append", default=[], metavar="NAME=VALUE")
    trained.add_argument(
        "--weights", metavar="imagenet|FILE", help="start from these weights, with a new head for the folder's classes"
    )
    trained.add_argument(
        "--freeze", type=_stages, default=0, metavar="STAGES|all", help="leave the stem and so many stages as they are"
    )
    trained.add_argument(
        "--backbone", type=float, default=1.0, metavar="SHARE", help="its learning rate, as a share of the head's"
    )
    trained.add_argument("--out", required=True, metavar="FILE.safetensors", help="the weights, with their history")
    trained.add_argument("--epochs", type=int, default=5)
    trained.add_argument("--lr", type=float, default=0.1, help="the peak of the cycle (default 0.1)")
    trained.add_argument("--batch-size", type=int, default=128, help="of all processes together (default 128)")
    trained.add_argument("--weight-decay", type=float, default=5e-4)
    trained.add_argument("--optimizer", choices=("sgd", "adamw"), default="sgd")
    trained.add_argument("--flip", action="store_true", help="mirror every other image")
    trained.add_argument("--shift", type=int, default=0, metavar="PIXELS", help="shift images by up to so many pixels")

    evaluated = command(evaluate, "evaluate")
    measured = command(surface, "surface")
    for added in (evaluated, measured):
        added.add_argument("file", help="weights that `train` wrote")
    measured.add_argument("--out", required=True, metavar="FILE.safetensors", help="the surface, kept while it grows")
    measured.add_argument("--points", type=int, default=21, help="of each axis (default 21)")
    measured.add_argument("--span", type=float, default=1.0, help="the axes go from minus this to this (default 1)")
    measured.add_argument("--images", type=int, default=500, help="of the training images (default 500)")
    measured.add_argument("--picture", metavar="FILE.png", help="draw it, too")

    recorded = command(record, "record")
    recorded.add_argument("lesson", nargs="?", help="its folder in cnnlab/lessons, or its number; none: list all")
    recorded.add_argument("name", nargs="?", help="one of its records (default: all)")
    recorded.add_argument("--data", default="cifar10", help="a folder with CIFAR-10's training images, if not cifar10")

    opened = command(lab, "lab")
    opened.add_argument("folder", nargs="?", default="my-lessons", help="for your copies (default my-lessons)")
    opened.epilog = "Further options go to JupyterLab, with a sign between name and value: --port=9000."

    for added in (trained, evaluated, measured):
        added.add_argument("--data", required=True, help="street_digits, cifar10, ... or an image folder")
        added.add_argument("--root", help="where the downloaded sets lie")
        added.add_argument("--train", type=int, metavar="IMAGES", help="how many (default: all)")
        added.add_argument("--test", type=int, metavar="IMAGES", help="how many (default: all)")
        added.add_argument("--hold-out", type=int, metavar="IMAGES", help="test on so many of the training images")
        added.add_argument("--size", type=int, metavar="PIXELS", help="stream the folder, cut to squares of this side")
        added.add_argument("--workers", type=int, help="processes that read a streamed folder (default: one a core)")
        added.add_argument("--seed", type=int, default=0)
        added.add_argument("--device", choices=("cuda", "mps", "cpu"))
        added.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    return parser


if __name__ == "__main__":
    sys.exit(main())
