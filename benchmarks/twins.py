"""Every tiny twin trained on 4,000 street digits: seconds on this machine, accuracy on them and on 1,000 others.

    python benchmarks/twins.py [NAME ...]

The project allows a twin 60 seconds on two quiet cores. The recipes differ in epochs, rate and optimizer, chosen by a
few trials each: this is a list of what learns in a minute, not a contest.
"""

import statistics
import sys

import torch

from cnnlab import data, measure, models, training

ADAMW = {"optimizer": "adamw", "lr": 0.003, "weight_decay": 0.05}
SLOW = {"optimizer": "adamw", "lr": 0.001, "weight_decay": 0.05, "batch_size": 32}  # for what SGD hardly starts
RECIPES = {  # epochs, and what differs from SGD with lr 0.1 and batches of 64
    "lenet5": (15, {"lr": 0.05}),
    "alexnet_tiny": (12, SLOW),
    "vgg11_tiny": (12, {"lr": 0.02}),
    "vgg16_bn_tiny": (6, {}),
    "googlenet_tiny": (8, {}),
    "googlenet_2014_tiny": (8, SLOW),
    "resnet18_tiny": (6, {}),
    "resnet20_tiny": (6, {}),
    "resnet56_tiny": (4, {}),
    "resnet50_tiny": (9, {"lr": 0.05, "batch_size": 32}),
    "preact_resnet110_tiny": (4, {}),
    "preact_resnet50_tiny": (6, {}),
    "wrn_16_8_tiny": (6, {}),
    "resnext29_8x64d_tiny": (6, {}),
    "densenet_40_12_tiny": (6, {}),
    "densenet_bc_100_12_tiny": (6, {}),
    "mobilenet_v1_tiny": (12, {}),
    "conv_mobilenet_v1_tiny": (3, {}),
    "mobilenet_v2_tiny": (8, {}),
    "nasnet_a_mobile_tiny": (7, {}),
    "efficientnet_b0_tiny": (8, {}),
    "vit_b_16_tiny": (16, SLOW),
    "convnext_tiny_tiny": (20, ADAMW),
    "convnext_roadmap_tiny": (15, ADAMW),
}


def main() -> None:
    dataset = data.load("street_digits", train=4000, test=1000)
    print("network                    parameters   mult-adds   epochs   seconds   images/s   train   test")
    for name in sys.argv[1:] or RECIPES:
        epochs, options = RECIPES[name]
        torch.manual_seed(0)
        model = models.get_model(name, in_channels=3, num_classes=10)
        cost = measure.cost(model, (3, 32, 32))
        run = training.fit(model, dataset, **{"lr": 0.1, "batch_size": 64, **options}, epochs=epochs, progress=False)
        rate = 4000 / statistics.median(epoch.seconds for epoch in run.history)
        row = f"{name:25} {cost.params:11,} {cost.macs:11,} {epochs:8} {run.seconds:9.1f} {rate:10,.0f}"
        print(f"{row} {run.history[-1].train_accuracy:7.1%} {run.history[-1].test_accuracy:6.1%}", flush=True)


if __name__ == "__main__":
    main()
