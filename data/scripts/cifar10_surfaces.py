"""The loss surfaces of the two networks of lesson 08 on CIFAR-10: 51 x 51 points around each, in this folder.

    python data/cifar10_surfaces.py resnet56
    python data/cifar10_surfaces.py plain56
    python data/cifar10_surfaces.py plain56 --seed 1 --points 25

Two random, filter-normalised directions, drawn with the same seed for both, reach from -1 to 1, as in the paper; the
loss is that on 500 of the training images. Interrupted, the same command goes on where it stopped.
"""

import argparse
import sys
from datetime import date
from pathlib import Path

import torch

from cnnlab import data, measure, models
from cnnlab.device import find_device, machine_class

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", help="a network that data/ holds trained weights of")
    parser.add_argument("--data", default="cifar10", help="a name of data.names(), or an image folder")
    parser.add_argument("--root", default=None, help="where data sets lie (default: datasets)")
    parser.add_argument("--seed", type=int, default=0, help="of the directions; others than 0 get a file of their own")
    parser.add_argument("--points", type=int, default=51)
    parser.add_argument("--images", type=int, default=500)
    given = parser.parse_args()

    model = models.get_model(given.model, weights="cifar10").eval()
    learnt = data.load(given.data, test=0, root=given.root).hold_out(5000).train
    some = torch.randperm(len(learnt), generator=torch.Generator().manual_seed(0))[: given.images]
    split = data.Split(learnt.images[some], learnt.labels[some], learnt.mean, learnt.std)
    directions = f"-seed{given.seed}" if given.seed else ""
    file = HERE / f"{given.model}-cifar10{directions}-surface.safetensors"
    surface = measure.loss_surface(
        model, split, points=given.points, seed=given.seed, file=file, progress=sys.stderr.isatty()
    )
    chosen = [f"--{k} {v}" for k, v in vars(given).items() if k in ("seed", "points") and v != parser.get_default(k)]
    surface.provenance |= {
        "command": " ".join(["python data/cifar10_surfaces.py", given.model, *chosen]),
        "date": date.today().isoformat(),
        "machine": machine_class(find_device()),
    }
    surface.save(file)
    print(surface, surface.provenance)


if __name__ == "__main__":
    main()
