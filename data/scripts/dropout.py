"""Dropout on few images, on street digits, five seeds: a record of lesson 02.

python data/dropout.py
"""

import time
from dataclasses import asdict

import torch

from cnnlab import course, data, models, training
from cnnlab.lessons.alexnet.study import initialized


def main() -> None:
    start = time.perf_counter()
    results = {}
    for seed in range(5):  # other images, other weights
        dataset = data.load("street_digits", train=500, test=1000, seed=seed)
        for rate in (0.0, 0.5):
            torch.manual_seed(seed)
            model = initialized(models.get_model("alexnet_tiny", width=8, hidden=512, dropout=rate))
            run = training.fit(model, dataset, epochs=80, lr=0.01, batch_size=32, seed=seed, progress=False)
            known, new = training.evaluate(model, dataset.train), training.evaluate(model, dataset.test)
            print(f"dropout {rate:g}, seed {seed}: {known.accuracy:.1%} and {new.accuracy:.1%}", flush=True)
            entry = {"seed": seed, "train": asdict(known), "test": asdict(new)}
            entry["history"] = [asdict(epoch) for epoch in run.history[::5]]
            results.setdefault(f"dropout {rate:g}", []).append(entry)
    about = (
        "AlexNet's twin with narrow convolutions and a wide head (width 8, hidden 512), initialised, on 500 street "
        "digits: 80 epochs of batches of 32, lr 0.01. `train` and `test` are measured after the training."
    )
    course.save_record("dropout", about, "python data/dropout.py", time.perf_counter() - start, results)


if __name__ == "__main__":
    main()
