"""How many images of 32x32 a second `training.Augment` changes, beside torchvision's v2 and albumentations.

    python benchmarks/augmentation.py      # Augment on two threads
    python benchmarks/augmentation.py 1    # on one, where other work keeps the second core busy

Two recipes, the same transforms and strengths for all. Every way starts from the form that it is meant for (normalised
float batches of 128 for `Augment` and for torchvision on batches, uint8 images one by one for the others), already in
memory, and its result is not converted: what per-image pipelines need besides, to normalise and to stack, is left out
in their favour. They run in one process each. A DataLoader would run one on each core, so the ratio printed last is
`Augment` on so many threads over so many times their figure. On batches torchvision changes all images of a batch in
the same way, and its affine transform has no mirrored border but a black one: both ask for less.

Rounds take turns, so that a machine that gets slower does so for all. The figures are medians over the rounds, with
their range; 20,000 images/s is the least that the project asks of `Augment`.
"""

import math
import statistics
import sys
import time
from collections.abc import Callable

import albumentations as A
import cv2
import torch
from torchvision.transforms import v2

from cnnlab import data
from cnnlab.training import Augment

ROUNDS, SECONDS, BATCH = 7, 0.25, 128
SLOPE = math.degrees(math.atan(0.1))
SCALE = (1 / 1.15, 1.15)

RECIPES = {
    "shift 4, flip, contrast and brightness": (
        Augment(shift=4, flip=True, contrast=0.3, brightness=0.3),
        [
            v2.RandomCrop(32, padding=4, padding_mode="reflect"),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(brightness=0.3, contrast=0.3),
        ],
        [
            A.Pad(4, border_mode=cv2.BORDER_REFLECT_101),
            A.RandomCrop(32, 32),
            A.HorizontalFlip(),
            A.RandomBrightnessContrast(0.3, 0.3, p=1),
        ],
    ),
    "rotate 10°, zoom 15 %, shear 0.1, shift 3, flip": (
        Augment(rotate=10, zoom=0.15, shear=0.1, shift=3, flip=True),
        [
            v2.RandomAffine(10, (3 / 32, 3 / 32), SCALE, SLOPE, interpolation=v2.InterpolationMode.BILINEAR),
            v2.RandomHorizontalFlip(),
        ],
        [
            A.Affine(
                scale=SCALE,
                keep_ratio=True,
                translate_px=(-3, 3),
                rotate=(-10, 10),
                shear={"x": (-SLOPE, SLOPE)},
                border_mode=cv2.BORDER_REFLECT_101,
                p=1,
            ),
            A.HorizontalFlip(),
        ],
    ),
}


def rate(work: Callable[[], object], images: int) -> float:
    """Images a second of `work`, which changes so many a call."""
    calls, start = 0, time.perf_counter()
    while (taken := time.perf_counter() - start) < SECONDS:
        work()
        calls += 1
    return calls * images / taken


def main() -> None:
    torch.manual_seed(0)
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    torch.set_num_threads(threads)
    cv2.setNumThreads(0)
    digits = data.load("street_digits", train=BATCH, test=1).train
    batch = digits.inputs()
    planes, arrays = digits.images, digits.images.permute(0, 2, 3, 1).contiguous().numpy()
    layered = batch.to(memory_format=torch.channels_last)  # as training.fit hands them over
    for name, (augment, torchvision, albumentations) in RECIPES.items():
        torchvision, albumentations = v2.Compose(torchvision), A.Compose(albumentations)
        ways = {
            "cnnlab Augment, batches": lambda a=augment: a(layered),
            "torchvision v2, batches (one change for all)": lambda t=torchvision: t(batch),
            "torchvision v2, one by one": lambda t=torchvision: [t(image) for image in planes],
            "albumentations, one by one": lambda p=albumentations: [p(image=image)["image"] for image in arrays],
        }
        rates = {way: [] for way in ways}
        for index in range(ROUNDS + 1):
            for way, work in ways.items():
                value = rate(work, BATCH)
                if index:  # the first round warms up
                    rates[way].append(value)
        print(f"{name}\n{'':46}images/s (range)                Augment is faster by")
        ours, *_ = rates.values()
        for way, values in rates.items():
            processes = threads if "one by one" in way else 1
            ratio = statistics.median(a / (processes * b) for a, b in zip(ours, values, strict=True))
            spread = f"{statistics.median(values):9,.0f} ({min(values):,.0f} to {max(values):,.0f})"
            print(f"  {way:44}{spread:32}{'' if values is ours else f'{ratio:.1f}'}".rstrip())


if __name__ == "__main__":
    main()
