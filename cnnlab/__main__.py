"""The command line, for what outgrows a notebook: `cnnlab --help`, or `python -m cnnlab --help`.

cnnlab models resnet
cnnlab train resnet20 --data cifar10 --hold-out 5000 --epochs 60 --flip --shift 4 --out resnet20.safetensors
torchrun --nproc_per_node 8 -m cnnlab train resnet50 --data imagenet --size 224 --epochs 90 --out resnet50.safetensors
cnnlab train efficientnet_lite0 --weights imagenet --data my-photographs --freeze 5 --out mine.safetensors
cnnlab evaluate resnet20.safetensors --data cifar10
cnnlab predict resnet20.safetensors cat.jpg
cnnlab surface resnet20.safetensors --data cifar10 --out surface.safetensors --picture surface.png
cnnlab record densenet
cnnlab lab my-lessons
"""

import argparse
import io
import os
import re
import sys

from cnnlab import commands


def main(words: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0; 130 if it was stopped, 141 if nobody reads
    its output any more, as a shell calls these; or 2 with one line on what is wrong."""
    words = sys.argv[1:] if words is None else words
    parser = _parser()
    given, further = parser.parse_known_args(words, argparse.Namespace(words=words))
    if further and given.run is not commands.lab:
        parser.error(f"unrecognized arguments: {' '.join(further)}")
    given.further = further
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":  # a console, or a file on Windows,
            stream.reconfigure(errors="replace")  # that does not know a class's name shows ? in its place
    try:
        status = given.run(given)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `cnnlab models | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python writes at its end
        return commands.CLOSED
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return commands.STOPPED
    except Exception as error:
        if given.traceback:
            raise
        print(f"error: {_one_line(error)}", file=sys.stderr)
        return 2


def _one_line(error: Exception) -> str:
    """What a user can mend speaks for itself; anything else is a mistake of ours, with the way to show it."""
    from cnnlab import data, training

    text = " ".join(str(error).split())
    if isinstance(error, (ValueError, OSError, data.DataError, training.CheckpointError, training.DivergedError)):
        return text
    return f"{type(error).__name__}: {text or 'no message'} (--traceback shows where)"


def _place(text: str) -> str:
    """A path; a shell leaves the ~ in --out=~/mine.safetensors as it is."""
    return os.path.expanduser(text)


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
    if name == "weights":
        raise argparse.ArgumentTypeError("weights are no option of the network: --weights FILE or --weights imagenet")
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


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


def _count_or_none(text: str) -> int:
    return 0 if text == "0" else _count(text)


def _positive(text: str) -> float:
    value = _value(text)
    if not (isinstance(value, (int, float)) and 0 < value < float("inf")):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return float(value)


def _positive_or_none(text: str) -> float:
    return 0.0 if _value(text) == 0 else _positive(text)


def _part(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d*|(\d|[1-9]\d)(\.\d+)?%", text) or float(text.rstrip("%")) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of images nor a share such as 20%")
    return text


def _parser() -> argparse.ArgumentParser:
    name = "cnnlab" if sys.argv[0].endswith(("cnnlab", "cnnlab.exe")) else "python -m cnnlab"
    parser = argparse.ArgumentParser(prog=name, description="Train, measure and use networks by name.")
    parser.add_argument("--traceback", action="store_true", help="where something is wrong, show all of it")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(run, word: str, example: str) -> argparse.ArgumentParser:
        text = f"Example: {name} {word} {example}"
        added = subparsers.add_parser(word, help=run.__doc__, description=run.__doc__, epilog=text)
        added.set_defaults(run=run)
        return added

    listed = command(commands.list_networks, "models", "resnet")
    listed.add_argument("part", nargs="?", default="", help="a part of the name")

    trained = command(commands.train, "train", "resnet20_tiny --data street_digits --epochs 3 --out mine.safetensors")
    trained.add_argument("model", help="a name that `models` lists")
    trained.add_argument("--option", type=_option, action="append", default=[], metavar="NAME=VALUE")
    trained.add_argument(
        "--weights", type=_place, metavar="FILE|imagenet", help="start from these, with a new last layer"
    )
    trained.add_argument(
        "--freeze", type=_stages, default=0, metavar="STAGES|all", help="leave the stem and so many stages as they are"
    )
    trained.add_argument(
        "--backbone", type=_positive, default=1.0, metavar="SHARE", help="its learning rate, as a share of the head's"
    )
    trained.add_argument(
        "--out", type=_place, required=True, metavar="FILE.safetensors", help="the weights, with their history"
    )
    trained.add_argument("--overwrite", action="store_true", help="replace that file if it is there")
    trained.add_argument("--epochs", type=_count, default=5)
    trained.add_argument("--lr", type=_positive, default=0.1, help="the peak of the cycle (default 0.1)")
    trained.add_argument("--batch-size", type=_count, default=128, help="of all processes together (default 128)")
    trained.add_argument("--weight-decay", type=_positive_or_none, default=5e-4)
    trained.add_argument("--optimizer", choices=("sgd", "adamw"), default="sgd")
    trained.add_argument("--flip", action="store_true", help="mirror every other image")
    trained.add_argument(
        "--shift", type=_count_or_none, default=0, metavar="PIXELS", help="shift images by up to so many pixels"
    )
    trained.add_argument("--best", action="store_true", help="keep the epoch that tested best, not the last")
    trained.add_argument("--csv", type=_place, metavar="FILE.csv", help="the history, an epoch a line")
    trained.add_argument("--picture", type=_place, metavar="FILE.png", help="draw its curves, too")

    evaluated = command(commands.evaluate, "evaluate", "mine.safetensors --data street_digits")
    evaluated.add_argument("--picture", type=_place, metavar="FILE.png", help="draw what is taken for what, too")

    predicted = command(commands.predict, "predict", "mine.safetensors cat.jpg dog.jpg")
    predicted.add_argument(
        "file", type=_place, help="weights that `train` wrote, or a network's name, with ImageNet's weights"
    )
    predicted.add_argument("images", type=_place, nargs="+", metavar="IMAGE", help="pictures, or folders of pictures")
    predicted.add_argument("--top", type=_count, default=3, help="classes to name (default 3)")
    predicted.add_argument("--picture", type=_place, metavar="FILE.png", help="draw them, too")

    exported = command(commands.export, "export", "mine.safetensors mine.onnx")
    exported.add_argument("--overwrite", action="store_true", help="replace that file if it is there")

    measured = command(commands.surface, "surface", "mine.safetensors --data street_digits --out surface.safetensors")
    measured.add_argument(
        "--out", type=_place, required=True, metavar="FILE.safetensors", help="the surface, kept while it grows"
    )
    measured.add_argument("--points", type=_count, default=21, help="of each axis (default 21)")
    measured.add_argument("--span", type=_positive, default=1.0, help="the axes go from minus this to this (default 1)")
    measured.add_argument("--images", type=_count, default=500, help="of the training images (default 500)")
    measured.add_argument("--picture", type=_place, metavar="FILE.png", help="draw it, too")
    for added in (evaluated, exported, measured):
        added.add_argument("file", type=_place, help="weights that `train` wrote")
    exported.add_argument("out", type=_place, metavar="FILE.onnx")

    recorded = command(commands.record, "record", "densenet")
    recorded.add_argument("lesson", nargs="?", help="its folder in cnnlab/lessons, or its number; none: list all")
    recorded.add_argument("name", nargs="?", help="one of its records (default: all)")
    recorded.add_argument("--data", default="cifar10", help="a folder with CIFAR-10's training images, if not cifar10")
    recorded.add_argument(
        "--workers", type=_count, default=1, help="trainings at once, where they are many (default 1)"
    )

    opened = command(commands.lab, "lab", "my-lessons --port=9000")
    opened.add_argument("folder", nargs="?", default="my-lessons", help="for your copies (default my-lessons)")
    opened.epilog += ". Further options go to JupyterLab, with a sign between name and value."

    for added in (trained, evaluated, measured):
        added.add_argument("--data", type=_place, required=True, help="street_digits, cifar10, ... or an image folder")
        added.add_argument("--root", type=_place, help="where the downloaded sets lie")
        added.add_argument("--train", type=_count, metavar="IMAGES", help="how many (default: all)")
        added.add_argument("--test", type=_count_or_none, metavar="IMAGES", help="how many (default: all)")
        added.add_argument(
            "--hold-out", type=_part, metavar="IMAGES|SHARE", help="test on so many of the training images, or 20%%"
        )
        added.add_argument(
            "--size", type=_count, metavar="PIXELS", help="stream the folder, cut to squares of this side"
        )
        added.add_argument(
            "--workers", type=_count_or_none, help="processes that read a streamed folder (default: one a core)"
        )
        added.add_argument("--seed", type=_count_or_none, default=0)
    for added in (trained, evaluated, predicted, measured):
        added.add_argument("--device", choices=("cuda", "mps", "cpu"))
        added.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    return parser


if __name__ == "__main__":
    sys.exit(main())
