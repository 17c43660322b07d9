"""The cells of the highest reward, in deeper networks and on more data, beside NASNet-A's and a ResNet: lesson 12.

    python data/cell_transfer.py

All at nearly the same mult-adds for an image of 32x32; 4,000 street digits, 6 epochs, three seeds. Some forty minutes
on one core. Interrupted, the same command goes on.
"""

import time

import torch

from cnnlab import course, data, measure, models, training
from cnnlab.lessons.nasnet.study import CELLS, transferred
from cnnlab.models.nasnet import NORMAL_A, REDUCTION_A

NAME, SEEDS, MACS = "cell_transfer", (0, 1, 2), 12.8e6
ABOUT = "Test and training accuracy of networks of some 12.5 million mult-adds: 6 epochs, 4,000 street digits, by seed."


def networks() -> dict:
    table = torch.tensor(course.record("cell_search").results["tables"][0])
    order = table.flatten().argsort(descending=True)
    best, median = (divmod(order[place].item(), len(CELLS)) for place in (0, len(order) // 2))
    return {
        "found cells": lambda: transferred(CELLS[best[0]], CELLS[best[1]], MACS),
        "median cells": lambda: transferred(CELLS[median[0]], CELLS[median[1]], MACS),
        "NASNet-A's cells": lambda: transferred(NORMAL_A, REDUCTION_A, MACS),
        "ResNet": lambda: models.get_model("resnet20_tiny", width=9, depths=(3, 3, 3)),
    }


def main() -> None:
    results, seconds = course.record_so_far(NAME)
    dataset = data.load("street_digits", train=4000, test=2000)
    for seed in SEEDS:
        for name, make in networks().items():
            entry = results.setdefault(name, {"macs": 0, "params": 0, "runs": []})
            if len(entry["runs"]) > seed:
                continue
            torch.manual_seed(seed)
            model = make()
            cost = measure.cost(model, 32)
            start = time.perf_counter()
            run = training.fit(
                model, dataset, epochs=6, lr=0.2, batch_size=64, seed=seed, precision="fp32", progress=False
            )
            seconds += time.perf_counter() - start
            entry |= {"macs": cost.macs, "params": cost.params}
            entry["runs"].append({"test": run.history[-1].test_accuracy, "train": run.history[-1].train_accuracy})
            print(name, f"{cost.macs:,}", seed, entry["runs"][-1], flush=True)
            course.save_record(NAME, ABOUT, "python data/cell_transfer.py", seconds, results)


if __name__ == "__main__":
    main()
