"""Every small network of the course under one budget: 60 seconds of training on one core. The record of lesson 17.

    python data/leaderboard.py

4,000 street digits, as many whole epochs as fit into the time, three seeds, accuracy on 2,000 others. The time of an
epoch is measured first, so the seconds taken differ a little from the budget. Rate, optimizer and batches are those
that a few trials per family found. It takes two hours of one core; interrupted, the same command goes on.
"""

import statistics
import time

import torch

from cnnlab import course, data, measure, models, training

NAME, BUDGET, IMAGES, SEEDS = "leaderboard", 60, 4000, (0, 1, 2)
ABOUT = (
    "Small networks after some 60 s of training on one core, on 4,000 street digits: by network its parameters, "
    "mult-adds for an image of 32x32, milliseconds for one image (the median of 30, one thread), bytes that training "
    "keeps for an image, and by seed the epochs, seconds and accuracy on 2,000 other images."
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
    "vit_b_16_tiny": SLOW,
    "convnext_tiny_tiny": ADAMW,
    "convnext_roadmap_tiny": ADAMW,
}
SPEED_RUN, SMALL = "speed run", (32, 64, 64)  # the capstone's network, narrow, with its own training


def build(name: str) -> torch.nn.Module:
    if name == SPEED_RUN:
        return training.SpeedNet(SMALL)
    return models.get_model(name, in_channels=3, num_classes=10)


def train(name: str, dataset: data.Dataset, seed: int) -> dict[str, float]:
    """One training that takes about as long as the budget."""
    torch.manual_seed(seed)
    model = build(name)
    recipe = {"batch_size": 128} if name == SPEED_RUN else {"lr": 0.1, "batch_size": 64, **RECIPES[name]}
    rate = measure.throughput(model, (3, 32, 32), batch_size=recipe["batch_size"], steps=7).images_per_second
    recipe |= {"epochs": max(1, round(BUDGET * rate / IMAGES)), "seed": seed, "progress": False}
    if name == SPEED_RUN:
        run = training.speed_run(dataset, widths=SMALL, flip=False, **recipe)
    else:
        torch.manual_seed(seed)
        run = training.fit(build(name), dataset, **recipe)
    return {"epochs": len(run.history), "seconds": round(run.seconds, 1), "test": run.history[-1].test_accuracy}


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
    try:
        before = course.record(NAME)
        results, seconds = before.results, before.seconds
    except ValueError:
        results, seconds = {}, 0.0
    for seed in SEEDS:
        for name in [*RECIPES, SPEED_RUN]:
            entry = results.setdefault(name, {**costs(name), "runs": []})
            if len(entry["runs"]) > seed:
                continue
            entry["runs"].append(train(name, dataset, seed))
            seconds += entry["runs"][-1]["seconds"]
            print(name, entry["runs"][-1], flush=True)
            course.save_record(NAME, ABOUT, "python data/leaderboard.py", seconds, results)


if __name__ == "__main__":
    main()
