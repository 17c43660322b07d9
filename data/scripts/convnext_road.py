"""The road from ResNet to ConvNeXt with narrow twins of equal mult-adds: the record of lesson 15.

    python data/convnext_road.py

A seed is that of the images, the weights and the order. Some ten minutes on one quiet core. What is in the record
already is not trained again, so an interrupted run goes on where it was.
"""

import time
from dataclasses import replace

import torch

from cnnlab import course, data, training
from cnnlab.lessons.convnext import study

NAME = "convnext_road"
SEEDS = (0, 1, 2)
# Trained first with all seeds: what the lesson needs most if the run is cut short.
FIRST = ("ResNet", "depthwise, wider", "large kernel", "fewer activations", "layer norm", "separate downsampling")
FIRST += ("first weights by width",)
DATASETS = {}


def main() -> None:
    try:
        before = course.record(NAME)
        runs, seconds = before.results["runs"], before.seconds
    except ValueError:
        runs, seconds = [], 0
    start = time.perf_counter()
    about = f"Twins of about {study.MACS / 1e6:.2f} million mult-adds, {study.EPOCHS} epochs of {study.IMAGES}"
    about += " street digits, accuracy on 1,000 others, by seed"
    for cases in (FIRST, [case for case in study.TWINS if case not in FIRST]):
        for seed in SEEDS:
            for case in cases:
                if not any(run["case"] == case and run["seed"] == seed for run in runs):
                    runs.append({"case": case, "seed": seed} | train(case, seed))
                    print(runs[-1], flush=True)
                    spent = seconds + time.perf_counter() - start
                    course.save_record(NAME, about, f"python data/{NAME}.py", spent, {"runs": runs})


def train(case: str, seed: int) -> dict:
    if seed not in DATASETS:
        DATASETS[seed] = data.load("street_digits", train=study.IMAGES, test=1000, seed=seed)
    torch.manual_seed(seed)
    model = study.twin(case)
    few = replace(DATASETS[seed].test, images=DATASETS[seed].test.images[:100], labels=DATASETS[seed].test.labels[:100])
    run = training.fit(model, replace(DATASETS[seed], test=few), seed=seed, progress=False, **study.RECIPE)
    return {
        "macs": study.macs(case),
        "params": sum(p.numel() for p in model.parameters()),
        "accuracy": training.evaluate(model, DATASETS[seed].test, precision="fp32").accuracy,
        "train_accuracy": [round(epoch.train_accuracy, 4) for epoch in run.history],
    }


if __name__ == "__main__":
    main()
