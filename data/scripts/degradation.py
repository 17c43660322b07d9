"""Plain and residual networks of four depths on street digits, three seeds each: the record of lesson 06.

python data/degradation.py
"""

import time
from dataclasses import asdict

import torch

from cnnlab import course, data, models, training

SEEDS = (0, 1, 2)
DEPTHS = (20, 32, 44, 56)


def main() -> None:
    start = time.perf_counter()
    dataset = data.load("street_digits", train=4000, test=1000)
    # The deepest ones also at a fifth of the rate: does a smaller step help the plain network?
    cases = [(kind, depth, 0.1) for depth in DEPTHS for kind in ("plain", "resnet")]
    cases += [(kind, 56, 0.02) for kind in ("plain", "resnet")]
    results = {}
    for kind, depth, lr in cases:
        for seed in SEEDS:
            torch.manual_seed(seed)
            model = models.get_model(f"{kind}{depth}_tiny")
            run = training.fit(model, dataset, epochs=8, lr=lr, batch_size=64, seed=seed, progress=False)
            known = training.evaluate(model, dataset.train)
            entry = {"history": [asdict(epoch) for epoch in run.history], "train": asdict(known)}
            results.setdefault(f"{kind}{depth}, lr {lr:g}", []).append(entry)
            last = run.history[-1].test_accuracy
            print(f"{kind}{depth}, lr {lr:g}, seed {seed}: train {known.accuracy:.1%}, test {last:.1%}", flush=True)
    about = (
        "Twins of width 8 on 4,000 street digits, 8 epochs of batches of 64; `train` is measured after the training."
    )
    course.save_record("degradation", about, "python data/degradation.py", time.perf_counter() - start, results)


if __name__ == "__main__":
    main()
