"""Points of a loss surface a second: ours, the method's reference protocol, and a bare forward pass.

    python benchmarks/loss_surface.py [IMAGES]

ResNet-56 (option B) on images of 32 x 32 pixels. The reference protocol is that of Li et al.'s published code, written
out here: for each point the weights are set, then the network as it is, batch norms and all, runs in float32 through a
DataLoader with batches of 128 and two workers. The bare forward pass runs the network with its batch norms folded, in
channels_last, in the same precision and batches as ours, on the same images. The three take turns; the ratios are the
medians of the rounds. The project asks itself for 5 times the reference and 0.85 of the bare forward pass.
"""

import copy
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from cnnlab import measure, models
from cnnlab.data import Split
from cnnlab.device import find_device
from cnnlab.measure.landscape import Prober

ROUNDS = 5
POINTS = 6  # of ours, in each round; the reference does one


def reference(model: nn.Module, split: Split, plane: measure.Plane, place: tuple[float, float]) -> float:
    """The loss at one point by the protocol of the published code."""
    loader = DataLoader(TensorDataset(split.inputs(), split.labels), batch_size=128, shuffle=False, num_workers=2)
    state = dict(plane.origin)
    for name, change in plane.first.items():
        state[name] = state[name] + place[0] * change + place[1] * plane.second[name]
    model.load_state_dict(state)
    model.eval()
    total = 0.0
    with torch.no_grad():
        for images, labels in loader:
            total += F.cross_entropy(model(images), labels).item() * len(labels)
    return total / len(split)


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
    plain, bare = copy.deepcopy(model), probe.model
    places = [(0.1 * i, -0.1 * i) for i in range(POINTS)]

    def forward() -> None:
        with torch.inference_mode():
            for batch, _ in probe.batches:
                bare(batch)

    rows = []
    for index in range(ROUNDS + 1):
        times = []
        for run in (
            lambda: [probe(torch.tensor([place])) for place in places],
            lambda: [forward() for _ in places],
            lambda: reference(plain, split, plane, places[1]),
        ):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        if index:
            rows.append((times[0] / POINTS, times[1] / POINTS, times[2]))
    ours, bare_time, theirs = (statistics.median(row[i] for row in rows) for i in range(3))
    loss, expected = probe(torch.tensor([places[1]]))[0].item(), reference(plain, split, plane, places[1])
    print(f"ResNet-56, {images} images, {torch.get_num_threads()} threads, {probe.precision}")
    print(f"loss at one point: {loss:.4f}, by the reference protocol {expected:.4f}")
    print(f"reference protocol {1 / theirs:7.3f} points/s   {images / theirs:7.0f} images/s")
    print(f"measure.loss_surface {1 / ours:5.3f} points/s   {images / ours:7.0f} images/s")
    print(f"bare forward       {1 / bare_time:7.3f} points/s   {images / bare_time:7.0f} images/s")
    print(f"ours / reference {statistics.median(r[2] / r[0] for r in rows):.2f} (at least 5)")
    print(f"ours / bare forward {statistics.median(r[1] / r[0] for r in rows):.3f} (at least 0.85)")


if __name__ == "__main__":
    main()
