"""Train the networks of lesson 08 on CIFAR-10 and keep their weights with all that is needed to train them again.

    python data/train_on_cifar10.py resnet56 --option shortcut=B --lr 0.2
    python data/train_on_cifar10.py plain56 --lr 0.05

5,000 of the 50,000 training images are held out, the same for every run, and every accuracy in the record is that on
them; the test images are never looked at. Images are shifted by up to 4 pixels and mirrored. Interrupted, even by a
power cut, the same command goes on after the last whole epoch. The weights are rounded to half precision and measured
again as they are in the file.
"""

import argparse
import json
import shlex
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path

import torch
from safetensors.torch import save_file

from cnnlab import data, models, training
from cnnlab.device import find_device, machine_class

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", help="a name of models.list_models()")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="an option of the model")
    parser.add_argument("--data", default="cifar10", help="a name of data.names(), or an image folder")
    parser.add_argument("--root", default=None, help="where data sets lie (default: datasets)")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--lr", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()

    options = {name: int(value) if value.isdigit() else value for name, value in (o.split("=") for o in given.option)}
    torch.manual_seed(given.seed)
    model = models.get_model(given.model, **options)
    whole = data.load(given.data, test=0, root=given.root)
    dataset = whole.hold_out(5000)
    name = f"{given.model}-cifar10"
    run = training.fit(
        model,
        dataset,
        epochs=given.epochs,
        lr=given.lr,
        augment=training.Augment(flip=True, shift=4),
        seed=given.seed,
        checkpoint=given.out / f"{name}.checkpoint",
        on_epoch=lambda run: print(run.table().rows[-1], flush=True),
        progress=sys.stderr.isatty(),
    )
    weights = {key: value.half() if value.is_floating_point() else value for key, value in model.state_dict().items()}
    model.load_state_dict(weights)
    measured = training.evaluate(model, dataset.test, precision="fp32")
    record = {
        "model": given.model,
        "options": options,
        "command": shlex.join(["python", "data/train_on_cifar10.py", *sys.argv[1:]]),
        "data": "CIFAR-10's training images, 45,000 to learn from and 5,000 held out",
        "seed": given.seed,
        "date": date.today().isoformat(),
        "machine": machine_class(find_device()),
        "seconds": round(run.seconds),
        "held_out": asdict(measured),
        "history": [asdict(epoch) for epoch in run.history],
    }
    save_file(
        {key: value.contiguous() for key, value in weights.items()},
        given.out / f"{name}.safetensors",
        metadata={"provenance": json.dumps(record)},
    )
    print(f"{name}: {measured.accuracy:.2%} of the held-out images, {run.seconds:,.0f} s")


if __name__ == "__main__":
    main()
