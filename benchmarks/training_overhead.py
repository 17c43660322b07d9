"""What `training.fit` costs beside the best bare loop with the same settings: images/s of both, and their ratio.

    python benchmarks/training_overhead.py

Each round trains the same weights on the same batches by the bare loop and by `fit`, in turn, so that a machine that
gets slower or faster does so for both. The ratio printed last is the median over the rounds; 0.97 is the least that
the project allows itself.
"""

import copy
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import data, models, training
from cnnlab.device import autocast

ROUNDS, CPU = 7, torch.device("cpu")


def bare(
    model: nn.Module,
    dataset: data.Dataset,
    epochs: int,
    batch_size: int,
    device: torch.device = CPU,
    network: nn.Module | None = None,
) -> float:
    """The shortest loop with the settings of `fit`: nothing is recorded, shown or checked. Returns images/s.

    network: what computes in the model's place, as a compiled model, which shares its weights.
    """
    model.to(device, memory_format=torch.channels_last).train()
    network = model if network is None else network
    images = dataset.train.inputs().to(device, memory_format=torch.channels_last)
    labels, total = dataset.train.labels.to(device), epochs * -(-len(dataset.train) // batch_size)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, 0.9, weight_decay=5e-4, nesterov=True, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total + 1, pct_start=0.25)
    torch.manual_seed(0)
    start = time.perf_counter()
    for _ in range(epochs):
        for batch in torch.randperm(len(images), device=device).split(batch_size):
            with autocast(device, "auto"):
                loss = F.cross_entropy(network(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return epochs * len(images) / (time.perf_counter() - start)


def main() -> None:
    torch.manual_seed(0)
    cases = [
        ("lenet5", models.get_model("lenet5", in_channels=3), data.load("street_digits", train=12_800, test=1), 2),
        ("resnet20_tiny", models.get_model("resnet20_tiny"), data.load("street_digits", train=1280, test=1), 2),
        ("resnet20", models.get_model("resnet20"), data.load("street_digits", train=1280, test=1), 2),
    ]
    print("network          bare images/s   fit images/s   ratio (median of the rounds; least, most)")
    for name, model, dataset, epochs in cases:
        pairs = []
        for index in range(ROUNDS + 1):
            rate = bare(copy.deepcopy(model), dataset, epochs, 128)
            run = training.fit(copy.deepcopy(model), dataset, epochs=epochs, batch_size=128)
            if index:  # the first round warms up
                pairs.append((rate, run.images_per_second))
        ratios = [ours / theirs for theirs, ours in pairs]
        theirs, ours = (statistics.median(values) for values in zip(*pairs, strict=True))
        spread = f"{statistics.median(ratios):.3f} ({min(ratios):.3f}, {max(ratios):.3f})"
        print(f"{name:16} {theirs:14,.0f} {ours:14,.0f}   {spread}")


if __name__ == "__main__":
    main()
