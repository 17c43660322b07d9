"""The speed run on street digits: whole, without each of its parts, and how long; three seeds. For lesson 17.

    python data/speedrun_parts.py

4,000 digits and a narrow network; digits are not mirrored, so that the turns have no part in it. The parts are left out
of trainings of six epochs. Trainings of 1 to 16 epochs, each with its own whole cycle, stand beside ResNet-20's. Some
twenty minutes of one core. Interrupted, the same command goes on.
"""

from typing import get_args

import torch

from cnnlab import course, data, models, training
from cnnlab.training.speedrun import Part

NAME, SEEDS, WIDTHS, LENGTHS = "speedrun_parts", (0, 1, 2), (32, 64, 64), (1, 2, 4, 8, 16)
ABOUT = (
    "Accuracy on 2,000 street digits after training on 4,000 others, one value a seed. `parts`: six epochs of the "
    "speed run in batches of 128, widths (32, 64, 64), by what was left out (`none`: nothing). `lengths`: by network "
    "and epochs; resnet20_tiny with SGD, rate 0.1, batches of 64."
)


def main() -> None:
    torch.set_num_threads(1)
    dataset = data.load("street_digits", train=4000, test=2000)
    results, seconds = course.record_so_far(NAME)

    def speed_run(epochs: int, seed: int, without: Part | None = None) -> training.Run:
        options = {"batch_size": 128, "widths": WIDTHS, "flip": False, "progress": False}
        return training.speed_run(dataset, epochs=epochs, seed=seed, without=without, **options)

    def resnet20(epochs: int, seed: int) -> training.Run:
        torch.manual_seed(seed)
        model = models.get_model("resnet20_tiny")
        return training.fit(model, dataset, epochs=epochs, lr=0.1, batch_size=64, seed=seed, progress=False)

    def keep(values: list[float], run: training.Run) -> None:
        nonlocal seconds
        values.append(run.history[-1].test_accuracy)
        seconds += run.seconds
        course.save_record(NAME, ABOUT, "python data/speedrun_parts.py", seconds, results)

    for seed in SEEDS:
        for part in (None, *(part for part in get_args(Part) if part != "turns")):
            values = results.setdefault("parts", {}).setdefault(part or "none", [])
            if len(values) <= seed:
                keep(values, speed_run(6, seed, part))
                print(f"without {part}, seed {seed}: {values[-1]:.1%}", flush=True)
        for name, train in {"speed run": speed_run, "resnet20_tiny": resnet20}.items():
            for epochs in LENGTHS:
                values = results.setdefault("lengths", {}).setdefault(name, {}).setdefault(str(epochs), [])
                if len(values) <= seed:
                    keep(values, train(epochs, seed))
                    print(f"{name}, {epochs} epochs, seed {seed}: {values[-1]:.1%}", flush=True)


if __name__ == "__main__":
    main()
