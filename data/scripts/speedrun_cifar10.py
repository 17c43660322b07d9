"""The speed run on CIFAR-10, three seeds: seconds and accuracy on 5,000 held-out images. The record of lesson 17.

    python data/speedrun_cifar10.py

The test images are never looked at. `--data` and `--root` say where the images are. Interrupted, the same command goes
on with the seed that was not finished.
"""

import argparse

from cnnlab import course, data, training

NAME, SEEDS = "speedrun_cifar10", (0, 1, 2)
ABOUT = (
    "The speed run on CIFAR-10's training images: 45,000 to learn from, 5,000 held out. By seed: seconds of training, "
    "accuracy on the held-out images, which were looked at once, and that in training, by epoch."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="cifar10", help="a name of data.names(), or an image folder")
    parser.add_argument("--root", default=None, help="where data sets lie (default: datasets)")
    parser.add_argument("--epochs", type=int, default=10)
    given = parser.parse_args()
    dataset = data.load(given.data, test=0, root=given.root).hold_out(5000)
    command = f"python data/speedrun_cifar10.py --epochs {given.epochs}"
    before, seconds = course.record_so_far(NAME)
    runs = before.get("runs", [])
    for seed in SEEDS[len(runs) :]:
        run = training.speed_run(dataset, epochs=given.epochs, seed=seed)
        if run.interrupted:
            break
        seconds += run.seconds
        last = run.history[-1]
        print(f"seed {seed}: {last.test_accuracy:.2%} of the held-out images after {run.seconds:,.0f} s", flush=True)
        train = [round(epoch.train_accuracy, 4) for epoch in run.history]
        runs.append({"seconds": round(run.seconds, 1), "held_out": last.test_accuracy, "train": train})
        course.save_record(NAME, ABOUT, command, seconds, {"runs": runs})


if __name__ == "__main__":
    main()
