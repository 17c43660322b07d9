"""The networks beside torchvision's of the same architecture: images/s and peak memory, as ratios.

    python benchmarks/model_speed.py [NAME ...]

A batch of 8 images of 224 x 224 pixels, float32, the same parameters in both. In each round ours and torchvision's
take turns, so that a machine that gets slower does so for both, and the ratio is the median of the rounds' ratios:
above 1, ours is faster. Peak memory is what the process needs beyond its start for one step of training, in a process
of its own for each network; below 1, ours needs less. The project allows itself 0.97 and 1.03.
"""

import ctypes
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from cnnlab import models

NAMES = (
    *("alexnet", "vgg16", "googlenet", "resnet18", "resnet50", "wide_resnet50_2", "resnext50_32x4d"),
    *("densenet121", "mobilenet_v2", "efficientnet_b0", "vit_b_16", "convnext_tiny"),
)
SIDES = ("ours", "theirs")
ROUNDS = 6
SECONDS = 0.5  # at least, in each turn


def build(side: str, name: str) -> nn.Module:
    torch.manual_seed(0)
    if side == "ours":
        return models.get_model(name)
    more = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    return torchvision.models.get_model(name, **more)


def forward(model: nn.Module, images: torch.Tensor) -> None:
    with torch.no_grad():
        model(images)


def train(model: nn.Module, images: torch.Tensor) -> None:
    model.zero_grad()
    F.cross_entropy(model(images), torch.arange(len(images))).backward()


def seconds(
    step: Callable[[nn.Module, torch.Tensor], None], model: nn.Module, images: torch.Tensor, times: int
) -> float:
    start = time.perf_counter()
    for _ in range(times):
        step(model, images)
    return (time.perf_counter() - start) / times


def compare(name: str, step: Callable[[nn.Module, torch.Tensor], None]) -> tuple[float, float]:
    """Images/s of ours, and the median ratio of ours to torchvision's."""
    images = torch.randn(8, 3, 224, 224)
    taken, times = [], 0
    for index in range(ROUNDS):
        if index % 2 == 0:  # new ones: where in memory the parameters happen to lie makes some percent
            pair = {side: build(side, name).train(step is train) for side in (SIDES, SIDES[::-1])[index // 2 % 2]}
            models.load_torchvision(pair["ours"], pair["theirs"].state_dict())
            for model in pair.values():
                step(model, images)
            times = times or max(1, round(SECONDS / seconds(step, pair["ours"], images, 1)))
        order = SIDES if index % 2 else SIDES[::-1]
        turn = {side: seconds(step, pair[side], images, times) for side in order}
        taken.append((turn["ours"], turn["theirs"]))
    return 8 / statistics.median(own for own, _ in taken), statistics.median(theirs / own for own, theirs in taken)


def peak(side: str, name: str) -> int:
    """Bytes that this process needs for two steps of training, beyond what it has now."""
    model, images = build(side, name).train(), torch.randn(8, 3, 224, 224)
    ctypes.CDLL(None).malloc_trim(0)  # what building has left behind would count as the network's, or not, by chance
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the high-water mark starts again from here
    before = status("VmHWM")
    train(model, images)
    train(model, images)
    return status("VmHWM") - before


def status(key: str) -> int:
    line = next(
        line for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines() if line.startswith(key)
    )
    return int(line.split()[1]) * 1024


def main() -> None:
    if sys.argv[1:2] == ["--peak"]:
        print(peak(*sys.argv[2:4]))
        return
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, {torch.get_num_threads()} threads")
    print("network           forward img/s  ratio   training img/s  ratio   peak memory  ratio")
    for name in sys.argv[1:] or NAMES:
        figures = [figure for step in (forward, train) for figure in compare(name, step)]
        peaks = []
        for side in SIDES:
            runs = [subprocess.check_output([sys.executable, __file__, "--peak", side, name]) for _ in range(3)]
            peaks.append(statistics.median(map(int, runs)))
        row = f"{name:17} {figures[0]:13.1f}  {figures[1]:.3f}   {figures[2]:14.1f}  {figures[3]:.3f}"
        print(f"{row}   {peaks[0] / 2**20:7.0f} MiB  {peaks[0] / peaks[1]:.3f}", flush=True)


if __name__ == "__main__":
    main()
