"""What the package makes of a GPU, in one run and in turns; and the pair of networks for which a processor takes days.

    python benchmarks/gpu.py speed                                  # the loop, the networks, surfaces
    python benchmarks/gpu.py speedrun --photographs cifar10.npz     # the seconds to a given accuracy
    python benchmarks/gpu.py pair --photographs cifar10.npz --epochs 300 --out nets

It needs torch, torchvision, numpy, safetensors, tqdm, pillow and scikit-learn, and runs, slowly, without a GPU too.
`--photographs` is a file of 32x32 photographs: `images` (N, 32, 32, 3) in uint8, or `jpeg` and `offsets`, and `labels`;
without it CIFAR-10 is read, or downloaded, as `data.load` does. 5,000 images are held out.

`pair` trains ResNet-56 and the same network without shortcuts by the recipe of Li et al. 2018, section 4: batches of
128, Nesterov momentum 0.9, weight decay 5e-4, and a rate of 0.1 that is divided by 10 after a half, three quarters and
eleven twelfths of the steps. On a GPU a step is captured once for each rate and replayed: on an H200 it takes 4 ms, and
300 epochs of one network some seven minutes. Several, on streams of their own, take as long as one after the other.
`--arms` chooses networks, `--seconds` stops the training, and the same command goes on with what is in `--out`. At the
end each network is looked at as it was after some epochs, and written as a record.
"""

import argparse
import copy
import io
import json
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import data, files, measure, models, training
from cnnlab.data.dataset import assemble
from cnnlab.device import autocast, find_device, machine_class

KEPT = (1, 3, 10, 30, 60, 100, 150, 225, 275, 300)  # epochs, of 300; of fewer, those at the same share


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
    ours = surface.loss.numel() / (time.perf_counter() - start)
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


@dataclass(frozen=True)
class Arm:
    """A network of the pair and how it is trained. black: what a shift lets in is the mean colour, as in the published
    code, and not the image's mirror image; the head starts as there, and numbers are rounded to 10 bits, not to 7."""

    model: str
    options: dict[str, str] = field(default_factory=dict)
    rate: float = 0.1
    seed: int = 0
    published: bool = False


ARMS = {
    "plain56": Arm("plain56"),
    "resnet56": Arm("resnet56", {"shortcut": "B"}),
    "plain56-rate-0.01": Arm("plain56", rate=0.01),
    "plain56-published": Arm("plain56", seed=1, published=True),
}
PLANES = (0, 1, 2)  # the seeds of the directions, at the end; on the way the first
POINTS, LOOKED_AT = 25, 500  # points a side, and images, of a surface


def pair(dataset: data.Dataset, device: torch.device, epochs: int, out: Path, arms: list[str], seconds: float) -> None:
    """All arms at once, each on a stream of its own; after so many seconds they stop, and the same call goes on."""
    torch.backends.cudnn.benchmark = True
    out.mkdir(parents=True, exist_ok=True)
    images, labels = dataset.train.inputs().to(device), dataset.train.labels.to(device)
    tested = dataset.test.inputs().to(device), dataset.test.labels.to(device)
    trainings = [Training(name, images, labels, tested, epochs, out) for name in arms]
    wait(device)
    start = time.perf_counter()
    while unfinished := [each for each in trainings if each.epoch < epochs]:
        for each in unfinished:
            each.begin()
        for step in range(len(images) // BATCH):  # the last, smaller batch is left out
            for each in unfinished:
                each.step(step)
        for each in unfinished:
            each.end()
        wait(device)
        now = time.perf_counter() - start
        if any(each.epoch in each.kept for each in unfinished):
            print(f"{now:.0f} s: " + ", ".join(each.said() for each in unfinished), flush=True)
        if now > seconds:
            break
    for each in trainings:
        each.save()
    if unfinished:
        print("Stopped; the same command goes on.")
        return
    some = torch.randperm(len(dataset.train), generator=torch.Generator().manual_seed(0))[:LOOKED_AT]
    for each in trainings:
        each.look(dataset, dataset.train.take(some))


def kept_epochs(epochs: int) -> set[int]:
    return {min(epochs, round(epoch * epochs / 300) if epoch > 30 else epoch) for epoch in KEPT}


BATCH = 128


class Training:
    """One network in training: a step is captured once for each learning rate, and replayed."""

    def __init__(
        self, name: str, images: Tensor, labels: Tensor, tested: tuple[Tensor, Tensor], epochs: int, out: Path
    ) -> None:
        self.name, self.arm, self.epochs, self.out = name, (arm := ARMS[name]), epochs, out
        self.images, self.labels, self.tested, self.device = images, labels, tested, images.device
        self.stream = torch.cuda.Stream() if self.device.type == "cuda" else None
        torch.manual_seed(arm.seed)
        self.model = models.get_model(arm.model, num_classes=int(labels.max()) + 1, **arm.options)
        if arm.published:
            nn.init.normal_(training.last_layer(self.model).weight, std=1e-3)
            nn.init.zeros_(training.last_layer(self.model).bias)
        self.initial = filters(self.model)
        self.model.to(self.device, memory_format=torch.channels_last)
        fused = {"fused": True} if self.stream else {"foreach": True}
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), arm.rate, 0.9, weight_decay=5e-4, nesterov=True, **fused
        )
        self.counts = torch.zeros(2, device=self.device)  # loss and right answers of this epoch
        self.graph, self.rate, self.epoch, self.history, self.kept = None, None, 0, [], {}
        self.x = torch.zeros(BATCH, *images.shape[1:], device=self.device).to(memory_format=torch.channels_last)
        self.y = torch.zeros(BATCH, dtype=torch.long, device=self.device)
        if (file := self.file()).exists():
            so_far = torch.load(file, weights_only=True)
            self.model.load_state_dict(so_far["model"])
            self.optimizer.load_state_dict(so_far["optimizer"])
            self.epoch, self.history, self.kept = (so_far[part] for part in ("epoch", "history", "kept"))

    def file(self) -> Path:
        """Where a training that was stopped goes on."""
        return self.out / f"{self.name}-{self.epochs}-epochs.pt"

    def here(self) -> AbstractContextManager:
        return torch.cuda.stream(self.stream) if self.stream else nullcontext()

    def begin(self) -> None:
        """Draw the next epoch's images: the same for all arms of a seed."""
        rate = self.arm.rate / 10 ** sum(12 * self.epoch >= part * self.epochs for part in (6, 9, 11))
        self.epoch, self.began = self.epoch + 1, time.perf_counter()
        with self.here():
            torch.manual_seed(1000 * self.arm.seed + self.epoch)
            order = torch.randperm(len(self.images), device=self.device)[: len(self.images) // BATCH * BATCH]
            shift = black if self.arm.published else training.Augment(flip=True, shift=4)
            shifted = torch.cat([shift(self.images[part]) for part in order.split(5000)])
            self.inputs = shifted.contiguous(memory_format=torch.channels_last)
            self.targets = self.labels[order]
            self.counts.zero_()
            self.model.train()
            if rate != self.rate:
                self.rate, self.graph, self.eager_steps = rate, None, 0
                for group in self.optimizer.param_groups:
                    group["lr"] = rate

    def eager(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=not self.arm.published, cache_enabled=False):
            logits = self.model(self.x)
        loss = F.cross_entropy(logits.float(), self.y)
        loss.backward()
        self.optimizer.step()
        self.counts += torch.stack([loss.detach() * BATCH, (logits.argmax(1) == self.y).sum()])

    def step(self, step: int) -> None:
        with self.here():
            part = slice(step * BATCH, (step + 1) * BATCH)
            self.x.copy_(self.inputs[part])
            self.y.copy_(self.targets[part])
            if self.graph:
                self.graph.replay()
            elif not self.stream or self.eager_steps < 3:
                self.eager_steps += 1
                self.eager()
            else:
                self.graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(self.graph, stream=self.stream):
                    self.eager()
                self.graph.replay()  # capturing does not compute

    def end(self) -> None:
        """Test, and put the network aside; nothing waits for the device."""
        with self.here(), torch.no_grad():
            self.model.eval()
            scores = torch.zeros(2, device=self.device)
            for x, y in zip(*(part.split(1000) for part in self.tested), strict=True):
                with torch.autocast(self.device.type, torch.bfloat16, enabled=not self.arm.published):
                    logits = self.model(x.contiguous(memory_format=torch.channels_last)).float()
                scores += torch.stack([F.cross_entropy(logits, y, reduction="sum"), (logits.argmax(1) == y).sum()])
            shares = torch.cat([self.counts / len(self.inputs), scores / len(self.tested[1])])
            self.history.append((self.epoch, shares, self.rate, time.perf_counter() - self.began))
            if self.epoch in kept_epochs(self.epochs):
                self.kept[self.epoch] = {key: value.clone() for key, value in self.model.state_dict().items()}

    def said(self) -> str:
        loss, learnt, _, held_out = self.history[-1][1].tolist()
        return f"{self.name} {learnt:.1%} / {held_out:.1%} ({loss:.2f})"

    def save(self) -> None:
        self.kept = {epoch: {name: value.cpu() for name, value in net.items()} for epoch, net in self.kept.items()}
        self.history = [(epoch, shares.cpu(), rate, spent) for epoch, shares, rate, spent in self.history]
        so_far = {"epoch": self.epoch, "history": self.history, "kept": self.kept}
        so_far |= {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        with files.written_whole(self.file()) as beside, beside.open("wb") as file:
            torch.save(so_far, file)
        history = [asdict(training.Epoch(n, *shares.tolist(), rate, spent)) for n, shares, rate, spent in self.history]
        self.results = {"options": self.arm.options | {"num_classes": int(self.labels.max()) + 1}}
        self.results |= {"seed": self.arm.seed, "history": history, "on_the_way": {}}

    def write(self) -> None:
        """The record, as data/records holds it."""
        about = (
            f"{self.name} by the recipe of Li et al. 2018 in {self.epochs} epochs, on 45,000 of CIFAR-10's training "
            "images, and what it was after some of them: accuracies (of 5,000 held out, of 5,000 learnt), cosines of "
            "its 3x3 filters with the initial ones (10th, 50th, 90th percentile), and the loss around it on "
            f"{POINTS} x {POINTS} points from -1 to 1, from the unrounded networks."
        )
        record = {
            "about": about,
            "command": f"python benchmarks/gpu.py pair --epochs {self.epochs} --arms {self.name}",
            "date": date.today().isoformat(),
            "machine": machine_class(self.device),
            "seconds": round(sum(epoch["seconds"] for epoch in self.results["history"])),
            "results": self.results,
        }
        self.file().with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")

    def look(self, dataset: data.Dataset, drawn_on: data.Split) -> None:
        """Of each network put aside: its accuracies, its filters beside the initial ones, and the surface around it."""
        for epoch, net in self.kept.items():
            self.model.load_state_dict(net)
            cosines = F.cosine_similarity(filters(self.model), self.initial, 1)
            parts = {"held_out": dataset.test, "learnt": dataset.train.take(slice(5000))}
            then = {name: asdict(training.evaluate(self.model, part, precision="fp32")) for name, part in parts.items()}
            then["losses"], start = [], time.perf_counter()
            for seed in PLANES if epoch == self.epochs else PLANES[:1]:
                options = {"points": POINTS, "seed": seed, "batch_size": 500, "device": self.device, "progress": False}
                surface = measure.loss_surface(self.model, drawn_on, **options)
                then["losses"].append([[float(f"{loss:.5g}") for loss in row] for row in surface.loss.tolist()])
                print(f"{self.name}, epoch {epoch}: {surface.minima} minima, descent {surface.descent():.2f}", end=", ")
                print(f"roughness {surface.laplacian:.2f}, {time.perf_counter() - start:.0f} s", flush=True)
            then["cosines"] = cosines.quantile(torch.tensor([0.1, 0.5, 0.9])).tolist()
            self.results["on_the_way"][str(epoch)] = then
            self.write()


def black(images: Tensor) -> Tensor:
    """Shifted by up to 4 pixels and mirrored by chance; what a shift lets in is 0, the mean colour."""
    padded = F.pad(images, (4, 4, 4, 4))
    inner = padded.unfold(2, images.shape[2], 1).unfold(3, images.shape[3], 1)  # (N, C, 9, 9, H, W), without a copy
    n = torch.arange(len(images), device=images.device)
    down, right = torch.randint(0, 9, (2, len(images)), device=images.device)
    shifted = inner[n, :, down, right]
    mirrored = torch.rand(len(images), device=images.device) < 0.5
    return torch.where(mirrored[:, None, None, None], shifted.flip(3), shifted)


def filters(model: nn.Module) -> Tensor:
    """All 3x3 filters but the first layer's, one a row, filled up with zeros to one length."""
    rows = [p.detach().cpu().flatten(1) for p in model.parameters() if p.dim() == 4 and p.shape[-1] == 3][1:]
    most = max(row.shape[1] for row in rows)
    return torch.cat([F.pad(row, (0, most - row.shape[1])) for row in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=("speed", "speedrun", "pair"))
    parser.add_argument("--photographs", type=Path, help="a file .npz; else cifar10")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--arms", nargs="+", default=[*ARMS], choices=ARMS)
    parser.add_argument("--seconds", type=float, default=1e9, help="after which a training is stopped, to go on later")
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
    dataset = data.load("street_digits", train=600, test=100) if asked.small else photographs(asked.photographs)
    if asked.part == "speedrun":
        speedrun(dataset, device)
    else:
        pair(dataset, device, asked.epochs, asked.out, asked.arms, asked.seconds)


if __name__ == "__main__":
    main()
