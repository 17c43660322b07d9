"""Points of a loss surface a second: ours, the method's reference protocol, and a bare forward pass.

    python benchmarks/loss_surface.py [IMAGES]

ResNet-56 (option B) on images of 32 x 32 pixels. The reference protocol is that of Li et al.'s published code, written
out here: for each point the weights are set, then the network as it is, batch norms and all, runs in float32 through a
DataLoader with batches of 128 and two workers; a second time with the batches already in memory. The bare forward pass
runs the network with its batch norms folded, in channels_last, in the same precision and batches as ours, on the same
images; a second time by torch.compile. All take turns; the ratios are the medians of the rounds. The project asks
itself for 8 times the reference, and for 4 times the reference in memory.

Both are reached where the processor multiplies matrices of bfloat16 (Intel's AMX). Without, on an AMD EPYC, the
same run gave 3.6 and 3.2 times (2026-11-28: 2,533 images/s, the reference 719).
"""

import copy
import statistics
import sys
import time
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from cnnlab import measure, models
from cnnlab.data import Split
from cnnlab.device import find_device
from cnnlab.measure.landscape import Prober

ROUNDS = 5
POINTS = 6  # of ours, in each round; the reference does one


def loader(split: Split) -> DataLoader:
    """The images as the published code reads them."""
    return DataLoader(TensorDataset(split.inputs(), split.labels), batch_size=128, shuffle=False, num_workers=2)


def reference(
    model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], plane: measure.Plane, place: tuple[float, float]
) -> float:
    """The loss at one point by the protocol of the published code."""
    state = dict(plane.origin)
    for name, change in plane.first.items():
        state[name] = state[name] + place[0] * change + place[1] * plane.second[name]
    model.load_state_dict(state)
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for images, labels in batches:
            total += F.cross_entropy(model(images), labels).item() * len(labels)
            count += len(labels)
    return total / count


def main() -> None:
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (images, 3, 32, 32), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (images,), generator=generator)
    split = Split(pixels, labels, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    torch.manual_seed(0)
    model = models.get_model("resnet56", shortcut="B")
    plane = measure.random_plane(model)
    probe = Prober(model, plane, split, find_device("cpu"), "auto", 250)
    plain, bare, held = copy.deepcopy(model), probe.model, list(loader(split))
    places = [(0.1 * i, -0.1 * i) for i in range(POINTS)]

    compiled = torch.compile(bare, dynamic=False)

    def forward(network: Callable[[Tensor], Tensor]) -> None:
        with torch.inference_mode():
            for batch, _ in probe.batches:
                network(batch)

    kinds: dict[str, tuple[Callable[[], object], int]] = {
        "measure.loss_surface": (lambda: [probe(*place) for place in places], POINTS),
        "bare forward": (lambda: [forward(bare) for _ in places], POINTS),
        "bare forward, torch.compile": (lambda: [forward(compiled) for _ in places], POINTS),
        "reference protocol": (lambda: reference(plain, loader(split), plane, places[1]), 1),
        "reference, images in memory": (lambda: reference(plain, held, plane, places[1]), 1),
    }
    rounds: list[dict[str, float]] = []
    for _ in range(ROUNDS + 1):  # the first warms up
        taken = {}
        for name, (run, points) in kinds.items():
            start = time.perf_counter()
            run()
            taken[name] = (time.perf_counter() - start) / points
        rounds.append(taken)

    def ratio(slow: str, fast: str) -> float:
        return statistics.median(taken[slow] / taken[fast] for taken in rounds[1:])

    loss, _ = probe(*places[1])
    expected = reference(plain, held, plane, places[1])
    print(f"ResNet-56, {images} images, {torch.get_num_threads()} threads, {probe.precision}")
    print(f"loss at one point: {loss:.4f}, by the reference protocol {expected:.4f}")
    for name in kinds:
        seconds = statistics.median(taken[name] for taken in rounds[1:])
        print(f"{name:32} {1 / seconds:7.3f} points/s {images / seconds:7.0f} images/s")
    ours = "measure.loss_surface"
    print(f"ours / reference {ratio('reference protocol', ours):.2f} (at least 8)")
    print(f"ours / reference in memory {ratio('reference, images in memory', ours):.2f} (at least 4)")
    print(f"ours / bare forward {ratio('bare forward', ours):.2f}")
    print(f"ours / bare forward by torch.compile {ratio('bare forward, torch.compile', ours):.2f}")


if __name__ == "__main__":
    main()
