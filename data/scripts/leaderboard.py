"""Every small network of the course under one budget: 60 seconds of training on one core. The record of lesson 17.

    python data/leaderboard.py

4,000 street digits, as many whole epochs as fit into the time, three seeds, accuracy on 2,000 others. The speed of all
trainings is measured first, in turn, while the machine should do nothing else; the epochs follow from it, and what else
the machine does later changes nothing. Rate, optimizer and batches are those that a few trials per family found. It
takes an hour and a half of one core; interrupted, the same command goes on.
"""

import statistics
import time

import torch

from cnnlab import course, data, measure, models, training
from cnnlab.lessons.transformers import study

NAME, BUDGET, IMAGES, SEEDS = "leaderboard", 60, 4000, (0, 1, 2)
COMMAND = "python data/leaderboard.py"
ABOUT = (
    "Small networks after 60 s of training on one core, on 4,000 street digits: by network its parameters, mult-adds "
    "for an image of 32x32, milliseconds for one image (the median of 30, one thread), bytes that training keeps for "
    "an image, images a second in training, and by seed the epochs that fit and the accuracy on 2,000 other images."
)

ADAMW = {"optimizer": "adamw", "lr": 0.003, "weight_decay": 0.05}
SLOW = {"optimizer": "adamw", "lr": 0.001, "weight_decay": 0.05, "batch_size": 32}  # for what SGD hardly starts
RECIPES = {  # what differs from SGD with lr 0.1 and batches of 64
    "lenet5": {"lr": 0.05},
    "alexnet_tiny": SLOW,
    "vgg11_tiny": {"lr": 0.02},
    "vgg16_bn_tiny": {},
    "googlenet_tiny": {},
    "googlenet_2014_tiny": SLOW,
    "resnet18_tiny": {},
    "resnet20_tiny": {},
    "resnet56_tiny": {},
    "resnet50_tiny": {"lr": 0.05, "batch_size": 32},
    "preact_resnet110_tiny": {},
    "preact_resnet50_tiny": {},
    "wrn_16_8_tiny": {},
    "resnext29_8x64d_tiny": {},
    "densenet_40_12_tiny": {},
    "densenet_bc_100_12_tiny": {},
    "mobilenet_v1_tiny": {},
    "conv_mobilenet_v1_tiny": {},
    "mobilenet_v2_tiny": {},
    "nasnet_a_mobile_tiny": {},
    "efficientnet_b0_tiny": {},
    "vit_b_16_tiny": dict(study.VIT_FIT),  # the smaller one of lesson 14
    "convnext_tiny_tiny": ADAMW,
    "convnext_roadmap_tiny": ADAMW,
}
SPEED_RUN, SMALL = "speed run", (32, 64, 64)  # the capstone's network, narrow, with its own training


def build(name: str) -> torch.nn.Module:
    if name == SPEED_RUN:
        return training.SpeedNet(SMALL)
    if name == "vit_b_16_tiny":
        return study.small_vit(torch.initial_seed())
    return models.get_model(name, in_channels=3, num_classes=10)


def train(name: str, dataset: data.Dataset, epochs: int, seed: int) -> training.Run:
    torch.manual_seed(seed)
    options = {"epochs": epochs, "seed": seed, "progress": False}
    if name == SPEED_RUN:
        return training.speed_run(dataset, widths=SMALL, batch_size=128, flip=False, **options)
    return training.fit(build(name), dataset, **({"lr": 0.1, "batch_size": 64} | RECIPES[name] | options))


def speed(name: str, few: data.Dataset) -> float:
    """Images a second in training, after an epoch to warm up."""
    run = train(name, few, epochs=2, seed=0)
    return len(few.train) / run.history[-1].seconds


def costs(name: str) -> dict[str, float]:
    """What the network costs where it is used, and in memory where it is trained."""
    model = build(name).eval()
    cost, image, taken = measure.cost(model, 32), torch.zeros(1, 3, 32, 32), []
    with torch.inference_mode():
        for _ in range(33):
            start = time.perf_counter()
            model(image)
            taken.append(time.perf_counter() - start)
    kept = measure.kept_bytes(model.train(), torch.randn(8, 3, 32, 32)) // 8
    return {"params": cost.params, "macs": cost.macs, "ms": 1000 * statistics.median(taken[3:]), "kept": kept}


def main() -> None:
    torch.set_num_threads(1)
    dataset = data.load("street_digits", train=IMAGES, test=2000)
    results, seconds = course.record_so_far(NAME)
    names = [*RECIPES, SPEED_RUN]
    new = [name for name in names if name not in results]
    if new:
        few = data.load("street_digits", train=512, test=10)
        rounds = [{name: speed(name, few) for name in new} for _ in range(3)]  # in turn, as machines have moods
        results |= {name: costs(name) | {"speed": statistics.median(r[name] for r in rounds)} for name in new}
        course.save_record(NAME, ABOUT, COMMAND, seconds, results)
    for seed in SEEDS:
        for name in names:
            entry = results[name]
            runs = entry.setdefault("runs", [])
            if len(runs) > seed:
                continue
            epochs = max(1, round(BUDGET * entry["speed"] / IMAGES))
            run = train(name, dataset, epochs, seed)
            runs.append({"epochs": epochs, "test": run.history[-1].test_accuracy})
            seconds += run.seconds
            print(seed, name, runs[-1], f"{run.seconds:.0f} s", flush=True)
            course.save_record(NAME, ABOUT, COMMAND, seconds, results)


if __name__ == "__main__":
    main()
