"""EfficientNet's grid search and its comparison of scalings, with a narrow twin: the record of lesson 13.

    python data/compound_scaling.py

A seed is that of the images, the weights and the order. Some ten minutes on one quiet core. Each run of the record
says what was trained (width, blocks, pixels), what it costs, and its accuracy on the test images. What is in the record
already is not run again.
"""

import time
from dataclasses import replace

import torch

from cnnlab import course, data, training
from cnnlab.lessons.efficientnet import study
from cnnlab.lessons.efficientnet.study import BLOCKS, SIZE

NAME = "compound_scaling"
SEEDS = (0, 1, 2)
SETTINGS = {"epochs": 5, "lr": 0.1, "batch_size": 64, "precision": "fp32", "progress": False}
# Blocks and pixels of the grid; the width takes what they leave of the budget, twice the mult-adds of the base.
GRID = ((6, 16), (6, 20), (6, 22), (7, 18), (8, 18), (8, 20), (9, 16), (12, 16))
PAPER = (1.2, 1.15)  # alpha and gamma
DATASETS = {}


def main() -> None:
    grid = {f"grid {blocks} {size}": study.widened(blocks, size, 2 * study.macs()) for blocks, size in GRID}
    record({"base": {}} | grid)
    # phi = 2 of the paper's coefficients: its blocks and pixels, and the width that makes the cost four times.
    blocks, size = round(BLOCKS * PAPER[0] ** 2), round(SIZE * PAPER[1] ** 2)
    compound = study.widened(blocks, size, 4 * study.macs())
    record({f"4x {axis}": chosen for axis, chosen in study.single_axis(4).items()} | {"4x compound": compound})


def record(cases: dict[str, dict]) -> None:
    try:
        before = course.record(NAME)
        runs, seconds = before.results["runs"], before.seconds
    except ValueError:
        runs, seconds = [], 0
    start = time.perf_counter()
    for seed in SEEDS:
        for case, chosen in cases.items():
            if not any(run["case"] == case and run["seed"] == seed for run in runs):
                runs.append({"case": case, "seed": seed} | train(seed, **chosen))
                print(runs[-1], flush=True)
                about = "Narrow EfficientNets, 5 epochs of 3,000 street digits, accuracy on 2,000 others, by seed"
                spent = seconds + time.perf_counter() - start
                course.save_record(NAME, about, f"python data/{NAME}.py", spent, {"runs": runs})


def train(seed: int, width: float = 1.0, blocks: int = BLOCKS, size: int = SIZE) -> dict:
    if seed not in DATASETS:
        DATASETS[seed] = data.load("street_digits", train=3000, test=2000, seed=seed)
    dataset = DATASETS[seed].resized(size)
    few = replace(dataset.test, images=dataset.test.images[:100], labels=dataset.test.labels[:100])
    torch.manual_seed(seed)
    model = study.twin(width, blocks)
    run = training.fit(model, replace(dataset, test=few), seed=seed, **SETTINGS)
    return {
        "width": width,
        "blocks": blocks,
        "size": size,
        "macs": study.macs(width, blocks, size),
        "params": sum(p.numel() for p in model.parameters()),
        "accuracy": training.evaluate(model, dataset.test, precision="fp32").accuracy,
        "train_loss": run.history[-1].train_loss,
    }


if __name__ == "__main__":
    main()
