"""What the package makes of a GPU, in one run and in turns; and the pair of networks for which a processor takes days.

    python benchmarks/gpu.py speed                                  # the loop, the networks, surfaces
    python benchmarks/gpu.py speedrun --photographs cifar10.npz     # the seconds to a given accuracy
    python benchmarks/gpu.py pair --photographs cifar10.npz --epochs 300 --out nets

It needs torch, torchvision, numpy, safetensors, tqdm, pillow and scikit-learn, and runs, slowly, without a GPU too.
`--photographs` is a file of 32x32 photographs: `images` (N, 32, 32, 3) in uint8, or `jpeg` and `offsets`, and `labels`;
without it CIFAR-10 is read, or downloaded, as `data.load` does. 5,000 images are held out.

`pair` trains ResNet-56 and the same network without shortcuts by the recipe of Li et al. 2018, section 4: batches of
128, Nesterov momentum 0.9, weight decay 5e-4, and a rate of 0.1 that is divided by 10 after a half, three quarters and
eleven twelfths of the steps. On a GPU a step is captured once for each rate and replayed. Networks are kept in half
precision, with the cosine of their filters with the initial ones and both accuracies.
"""

import argparse
import copy
import io
import json
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import data, measure, models, training
from cnnlab.data.dataset import assemble
from cnnlab.device import autocast, find_device

KEPT = (1, 3, 10, 30, 50, 100, 150, 200, 225, 250, 275, 300)  # epochs, of 300; of fewer, those at the same share
PAIR = {"resnet56": {"shortcut": "B"}, "plain56": {}}


def photographs(file: Path | None) -> data.Dataset:
    """45,000 to learn from and 5,000 held out, the same as in the records."""
    if file is None:
        return data.load("cifar10", test=0).hold_out(5000)
    with np.load(file, allow_pickle=True) as held:
        labels = torch.from_numpy(np.asarray(held["labels"]).astype(np.int64))
        if "images" in held:
            images = torch.from_numpy(held["images"]).permute(0, 3, 1, 2).contiguous()
        else:
            jpeg, offsets = held["jpeg"].tobytes(), held["offsets"].tolist()
            pieces = (jpeg[start:end] for start, end in pairwise(offsets))
            arrays = np.stack([np.asarray(Image.open(io.BytesIO(piece))) for piece in pieces])
            images = torch.from_numpy(arrays).permute(0, 3, 1, 2).contiguous()
        classes = [str(name) for name in held["classes"]]
    none = images[:0], labels[:0]
    return assemble("cifar10", (images, labels), none, classes, f"Photographs from {file.name}").hold_out(5000)


# ---- Speed ----


def drawn(images: int, size: int, classes: int = 10) -> data.Dataset:
    """Random pixels: only their number matters."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (images, 3, size, size), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, classes, (images,), generator=generator)
    return assemble("drawn", (pixels, labels), (pixels[:0], labels[:0]), [str(c) for c in range(classes)], "Noise")


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def loops(device: torch.device, small: bool) -> None:
    """`fit` beside the bare loop, and that compiled."""
    import training_overhead  # beside this file

    cases = [("resnet20", 12_800, 32, 128), ("resnet50", 2_560, 224, 256)]
    if small:
        cases = [("resnet20_tiny", 512, 32, 128)]
    for name, images, size, batch in cases:
        dataset = drawn(images, size)
        model = models.get_model(name, num_classes=10)
        rates, bare = [], training_overhead.bare
        for _ in range(4):  # the first warms up
            ours = training.fit(
                copy.deepcopy(model), dataset, epochs=2, batch_size=batch, device=device, progress=False
            )
            rates.append((ours.images_per_second, bare(copy.deepcopy(model), dataset, 2, batch, device)))
        fit, loop = (statistics.median(rate) for rate in zip(*rates[1:], strict=True))
        model.to(device)
        network = torch.compile(model)
        compiled = [bare(model, dataset, 2, batch, device, network) for _ in range(2)][-1]
        print(f"{name} at {size}, batches of {batch}: fit {fit:,.0f} images/s, bare loop {loop:,.0f}, ", end="")
        print(f"compiled {compiled:,.0f}; fit / bare {fit / loop:.3f}", flush=True)


def networks(device: torch.device, small: bool) -> None:
    """One forward and backward pass, ours and torchvision's."""
    from torchvision import models as theirs

    names = ("resnet18",) if small else ("resnet50", "vgg16", "densenet121", "mobilenet_v2", "convnext_tiny")
    batch = 4 if small else 128
    images = torch.randn(batch, 3, 224, 224, device=device).to(memory_format=torch.channels_last)
    for name in names:
        pair = (models.get_model(name), getattr(theirs, name)())
        times: list[list[float]] = [[], []]
        for model in pair:
            model.to(device, memory_format=torch.channels_last).train()
        for _ in range(4):
            for model, spent in zip(pair, times, strict=True):
                wait(device)
                start = time.perf_counter()
                with autocast(device, "auto"):
                    loss = model(images).float().mean()
                loss.backward()
                wait(device)
                spent.append(time.perf_counter() - start)
        ours, other = (batch / statistics.median(spent[1:]) for spent in times)
        print(f"{name}: ours {ours:,.0f} images/s, torchvision's {other:,.0f}; ratio {ours / other:.3f}", flush=True)


def surfaces(device: torch.device, small: bool) -> None:
    """Points of ResNet-56's surface a second, and by the protocol of the published code."""
    import loss_surface  # beside this file

    images = 250 if small else 1000
    dataset = drawn(images, 32)
    model = models.get_model("resnet56", shortcut="B").eval()
    start = time.perf_counter()
    surface = measure.loss_surface(model, dataset.train, points=5 if small else 25, device=device, progress=False)
    ours = surface.loss.size / (time.perf_counter() - start)
    plane, spent = measure.random_plane(model), []
    for place in [(0.1, 0.1), (0.2, -0.1), (-0.3, 0.2)]:
        start = time.perf_counter()
        loss_surface.reference(model, dataset.train, plane, place)
        spent.append(time.perf_counter() - start)
    theirs = 1 / statistics.median(spent)
    print(f"surface of ResNet-56, {images} images: ours {ours:.2f} points/s on {device}; ", end="")
    print(f"the reference protocol {theirs:.3f} on the processor", flush=True)


def speedrun(dataset: data.Dataset, device: torch.device) -> None:
    """The accuracy on held-out photographs and the seconds, twice: the first run warms up."""
    for epochs in (10, 10, 20):
        start = time.perf_counter()
        run = training.speed_run(dataset, epochs=epochs, device=device, progress=False)
        wait(device)
        last = run.history[-1]
        print(f"speed run, {epochs} epochs: {last.test_accuracy:.2%} held out, ", end="")
        print(f"{time.perf_counter() - start:.2f} s", flush=True)


# ---- The pair ----


def pair(dataset: data.Dataset, device: torch.device, epochs: int, out: Path, only: str, seed: int) -> None:
    for name, options in PAIR.items():
        if only in ("", name):
            one_of_the_pair(name, options, dataset, device, epochs, out, seed)


def one_of_the_pair(
    name: str, options: dict, dataset: data.Dataset, device: torch.device, epochs: int, out: Path, seed: int
) -> None:
    torch.manual_seed(seed)
    model = models.get_model(name, num_classes=len(dataset.classes), **options)
    initial = filters(model)
    model.to(device, memory_format=torch.channels_last)
    images, labels = dataset.train.inputs().to(device), dataset.train.labels.to(device)
    augment = training.Augment(flip=True, shift=4)
    steps = len(images) // 128  # of an epoch; the last, smaller batch is left out
    kept = {max(1, round(epoch * epochs / max(KEPT))) for epoch in KEPT if epoch > 30} | {e for e in (1, 3, 10, 30)}
    nets, history, start = {}, [], time.perf_counter()
    step, rate = None, None
    for epoch in range(1, epochs + 1):
        now = 0.1 / 10 ** sum(12 * (epoch - 1) >= part * epochs for part in (6, 9, 11))
        if now != rate:
            rate = now
            step = Step(model, rate, device, step and step.optimizer)
        model.train()
        total = torch.zeros((), device=device)
        for batch in torch.randperm(len(images), device=device)[: steps * 128].split(128):
            total += step(augment(images[batch]).contiguous(memory_format=torch.channels_last), labels[batch])
        if epoch in kept or epoch == epochs:
            known, held = (training.evaluate(model, part) for part in (dataset.train, dataset.test))
            cosine = F.cosine_similarity(filters(model), initial, 1).median().item()
            said = {"epoch": epoch, "loss": total.item() / steps, "train": known.accuracy, "held_out": held.accuracy}
            said |= {"rate": rate, "cosine": cosine, "seconds": time.perf_counter() - start}
            history.append(said)
            print(name, json.dumps(said), flush=True)
            state = {key: value.detach().cpu() for key, value in model.state_dict().items()}
            nets[epoch] = {key: v.half() if v.ndim > 1 else v for key, v in state.items()}  # some variances exceed it
            out.mkdir(parents=True, exist_ok=True)
            for part in (0, 1):  # two files, none too large to carry
                some = {e: net for i, (e, net) in enumerate(nets.items()) if i % 2 == part}
                torch.save({"name": name, "seed": seed, "epochs": epochs, "nets": some}, out / f"{name}-{part}.pt")
            (out / f"{name}.json").write_text(json.dumps(history, indent=1), encoding="utf-8")


def filters(model: nn.Module) -> Tensor:
    """All 3x3 filters but the first layer's, one a row, filled up with zeros to one length."""
    rows = [p.detach().cpu().flatten(1) for p in model.parameters() if p.dim() == 4 and p.shape[-1] == 3][1:]
    most = max(row.shape[1] for row in rows)
    return torch.cat([F.pad(row, (0, most - row.shape[1])) for row in rows])


class Step:
    """One step of training on a batch; on a GPU captured at its first calls, and then replayed. Returns the loss."""

    def __init__(
        self, model: nn.Module, rate: float, device: torch.device, before: torch.optim.Optimizer | None
    ) -> None:
        self.model, self.device = model, device
        self.optimizer = before or torch.optim.SGD(
            model.parameters(), rate, 0.9, weight_decay=5e-4, nesterov=True, foreach=True
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.calls, self.graph = 0, None

    def eager(self, images: Tensor, labels: Tensor) -> Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16):
            loss = F.cross_entropy(self.model(images), labels)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        self.calls += 1
        if self.device.type != "cuda" or self.calls <= 3:
            return self.eager(images, labels)
        if self.graph is None:
            self.images, self.labels = images.clone(), labels.clone()
            torch.cuda.synchronize()
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.loss = self.eager(self.images, self.labels)
        self.images.copy_(images)
        self.labels.copy_(labels)
        self.graph.replay()
        return self.loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=("speed", "speedrun", "pair"))
    parser.add_argument("--photographs", type=Path, help="a file .npz; else cifar10")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--only", default="", choices=("", *PAIR))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("nets"))
    parser.add_argument("--small", action="store_true", help="so little that a processor tries it in a minute")
    asked = parser.parse_args()
    device = find_device()
    print(f"{device}, torch {torch.__version__}", flush=True)
    if asked.part == "speed":
        parts: list[Callable] = [loops, networks, surfaces]
        for part in parts:
            part(device, asked.small)
        return
    dataset = photographs(asked.photographs)
    if asked.small:
        dataset = data.load("street_digits", train=300, test=100)
    if asked.part == "speedrun":
        speedrun(dataset, device)
    else:
        pair(dataset, device, asked.epochs, asked.out, asked.only, asked.seed)


if __name__ == "__main__":
    main()
