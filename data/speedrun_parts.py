"""The speed run on street digits, whole and with each of its parts left out, three seeds: a record of lesson 17.

    python data/speedrun_parts.py

4,000 digits, six epochs, a narrow network; digits are not mirrored, so that the turns have no part in it. Some eight
minutes of one core. Interrupted, the same command goes on.
"""

from typing import get_args

import torch

from cnnlab import course, data, training
from cnnlab.training.speedrun import Part

NAME, SEEDS, WIDTHS = "speedrun_parts", (0, 1, 2), (32, 64, 64)
ABOUT = (
    "Accuracy on 2,000 street digits after six epochs on 4,000 others in batches of 128, widths (32, 64, 64): by what "
    "was left out, one value a seed. `none`: the whole speed run."
)


def main() -> None:
    torch.set_num_threads(1)
    dataset = data.load("street_digits", train=4000, test=2000)
    try:
        before = course.record(NAME)
        results, seconds = before.results, before.seconds
    except ValueError:
        results, seconds = {}, 0.0
    for seed in SEEDS:
        for part in (None, *(part for part in get_args(Part) if part != "turns")):
            values = results.setdefault(part or "none", [])
            if len(values) > seed:
                continue
            options = {"epochs": 6, "batch_size": 128, "widths": WIDTHS, "flip": False, "progress": False}
            run = training.speed_run(dataset, without=part, seed=seed, **options)
            values.append(run.history[-1].test_accuracy)
            seconds += run.seconds
            print(part, seed, values[-1], flush=True)
            course.save_record(NAME, ABOUT, "python data/speedrun_parts.py", seconds, results)


if __name__ == "__main__":
    main()
