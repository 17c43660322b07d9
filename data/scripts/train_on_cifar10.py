"""Train a network on CIFAR-10 and keep its weights, with all that is needed to train it again, in this folder.

    python data/train_on_cifar10.py resnet56 --option shortcut=B --epochs 60 --erase 8
    python data/train_on_cifar10.py plain56 --lr 0.05 --epochs 60

5,000 of the 50,000 training images are held out, the same for every run, and every accuracy in the record is that on
them; the test images are never looked at. Images are shifted by up to 4 pixels and mirrored, and may lose a square.
Interrupted, even by a power cut, the same command goes on after the last whole epoch. The weights are rounded to half
precision and measured again as they are in the file.
"""

import argparse
import shlex
import sys
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import torch

from cnnlab import course, data, models, training

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", help="a name of models.list_models()")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="an option of the model")
    parser.add_argument("--data", default="cifar10", help="a name of data.names(), or an image folder")
    parser.add_argument("--root", default=None, help="where data sets lie (default: datasets)")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--lr", type=float, default=0.2)
    parser.add_argument("--erase", type=int, default=0, metavar="PIXELS", help="side of a square to erase at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", type=Path, help="where to keep the training while it runs")
    given = parser.parse_args()

    options = {name: int(value) if value.isdigit() else value for name, value in (o.split("=") for o in given.option)}
    options |= {"num_classes": 10}
    torch.manual_seed(given.seed)
    model = models.get_model(given.model, **options)
    dataset = data.load(given.data, test=0, root=given.root).hold_out(5000)
    name = f"{given.model}-cifar10"
    run = training.fit(
        model,
        dataset,
        epochs=given.epochs,
        lr=given.lr,
        augment=training.Augment(flip=True, shift=4, erase=given.erase),
        seed=given.seed,
        checkpoint=given.checkpoint or HERE / f"{name}.checkpoint",
        on_epoch=lambda run: print(run.table().rows[-1], flush=True),
        progress=sys.stderr.isatty(),
    )
    file = HERE / f"{name}.safetensors"
    words = _without(sys.argv[1:], ("--data", "--root", "--checkpoint"))
    command = shlex.join(["python", "data/train_on_cifar10.py", *words])
    rounded = deepcopy(model).half()
    models.save_weights(rounded, file, name=given.model, options=options, command=command, seed=given.seed)
    measured = training.evaluate(models.get_model(given.model, weights=file), dataset.test, precision="fp32")
    about = (
        f"{given.model} on CIFAR-10's training images: 45,000 to learn from, 5,000 held out. The weights are in "
        f"{name}.safetensors, in half precision; `held_out` was measured from them."
    )
    results = {
        "options": options,
        "seed": given.seed,
        "parameters": sum(p.numel() for p in model.parameters()),
        "held_out": asdict(measured),
        "history": [asdict(epoch) for epoch in run.history],
    }
    course.save_record(name, about, command, run.seconds, results)
    print(f"{name}: {measured.accuracy:.2%} of the held-out images, {run.seconds:,.0f} s")


def _without(words: list[str], options: tuple[str, ...]) -> list[str]:
    """A command line less the options that say where things lie on this machine."""
    kept, skip = [], False
    for word in words:
        if not skip and word not in options and not word.startswith(tuple(f"{o}=" for o in options)):
            kept.append(word)
        skip = word in options
    return kept


if __name__ == "__main__":
    main()
