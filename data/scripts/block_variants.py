"""Block variants at one budget of mult-adds, on street digits, three seeds each: the record of lesson 09.

python data/block_variants.py
"""

import time

import torch

from cnnlab import course, data, training
from cnnlab.lessons.legacy.study import TWINS

SEEDS = (0, 1, 2)
RECIPE = {"epochs": 8, "lr": 0.1, "batch_size": 64}
ABOUT = (
    "Twins of 7.7 to 8.2 million mult-adds an image on 4,000 street digits: 8 epochs of batches of 64, SGD with lr 0.1 "
    "for all. `test` is on 3,000 other digits after the training, `train` the running accuracy of each epoch."
)


def main() -> None:
    start = time.perf_counter()
    dataset = data.load("street_digits", train=4000, test=200)
    others = data.load("street_digits", train=4000, test=3000).test
    results = {name: [] for name in TWINS}
    for seed in SEEDS:
        for name, make in TWINS.items():
            torch.manual_seed(seed)
            run = training.fit(make(), dataset, seed=seed, progress=False, **RECIPE)
            test = training.evaluate(run.model, others).accuracy
            results[name].append({"test": test, "train": [epoch.train_accuracy for epoch in run.history]})
            print(f"{name}, seed {seed}: {results[name][-1]}", flush=True)
        seconds = time.perf_counter() - start
        course.save_record("block_variants", ABOUT, "python data/block_variants.py", seconds, results)


if __name__ == "__main__":
    main()
