"""Measure the networks in this folder that were trained on CIFAR-10 again, from their files.

    python data/measure_on_cifar10.py
    python data/measure_on_cifar10.py --data FOLDER

On the 5,000 training images that they did not learn from, and on the test images where there are any. FOLDER is laid
out as train/<class>/*, in the original order within each class, or the held-out images are not the same.
"""

import argparse
from pathlib import Path

from cnnlab import data, models, training
from cnnlab.table import Table

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="cifar10", help="a name of data.names(), or an image folder")
    parser.add_argument("--root", default=None, help="where data sets lie (default: datasets)")
    given = parser.parse_args()

    try:
        whole = data.load(given.data, root=given.root)
    except data.DataError:
        whole = data.load(given.data, test=0, root=given.root)
    held_out = whole.hold_out(5000)
    splits = {"held out": held_out.test}
    if len(whole.test):
        images = whole.test
        splits["test"] = data.Split(images.images, images.labels, held_out.mean, held_out.std)
    rows = []
    for file in sorted(HERE.glob("*-cifar10.safetensors")):
        model = models.get_model(file.stem.removesuffix("-cifar10"), weights="cifar10")
        for name, split in splits.items():
            measured = training.evaluate(model, split, precision="fp32")
            rows.append([file.stem, name, f"{len(split):,}", f"{measured.accuracy:.2%}", f"{measured.loss:.3f}"])
    print(Table(["network", "images", "how many", "accuracy", "loss"], rows))


if __name__ == "__main__":
    main()
