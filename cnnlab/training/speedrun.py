"""The fastest way to a good accuracy on small photographs: Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU",
2024 (arXiv 2404.00498).

A small network and a training that wastes nothing, of parts that each save some of the time: a first layer that need
not be learnt, convolutions that start as the identity, batch norms whose shifts move fast, labels that are never quite
certain, images mirrored in every second epoch instead of by chance, and weights that are pulled to their own mean.
"""

import time
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from cnnlab.data import Dataset
from cnnlab.device import (
    autocast,
    find_device,
    reproducible,
    stop_if_asked,
    stop_with_the_cell,
    training_stopped,
    undisturbed,
)
from cnnlab.training.augment import Augment
from cnnlab.training.loop import evaluate
from cnnlab.training.run import NOT_TESTED, Epoch, Run

Part = Literal["whitening", "identity", "fast shifts", "smoothing", "turns", "lookahead"]
norm = partial(nn.BatchNorm2d, momentum=0.4, eps=1e-12)


class SpeedNet(nn.Module):
    """Seven convolutions for images of 32x32: (N, 3, 32, 32) -> (N, num_classes) logits.

    widths: channels of the three stages; the paper's are (64, 256, 256). mirror: in use, though not in training, the
    answer is the mean of those to the image and to its mirror image.

    >>> SpeedNet()(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self, widths: tuple[int, int, int] = (64, 256, 256), num_classes: int = 10, mirror: bool = False
    ) -> None:
        super().__init__()
        self.mirror = mirror
        self.stem = nn.Sequential(nn.Conv2d(3, 24, 2), nn.GELU())
        channels = (24, *widths)
        self.stages = nn.Sequential(*map(self._stage, channels, widths))
        self.head = nn.Sequential(nn.MaxPool2d(3), nn.Flatten(), nn.Linear(widths[-1], num_classes, bias=False))
        for layer in self.stages.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.dirac_(layer.weight[: layer.in_channels])  # as many outputs as there are inputs pass them on
            elif isinstance(layer, nn.BatchNorm2d):
                layer.weight.requires_grad_(False)  # it stays 1: the next convolution can scale as well

    @staticmethod
    def _stage(in_channels: int, channels: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(in_channels, channels, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            norm(channels),
            nn.GELU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            norm(channels),
            nn.GELU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.mirror and not self.training:
            return (self._logits(x) + self._logits(x.flip(3))) / 2
        return self._logits(x)

    def _logits(self, x: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(x))) / 9


@torch.no_grad()
def whiten(model: SpeedNet, images: Tensor) -> None:
    """Set the first layer so that its outputs are uncorrelated, each with variance 1, and freeze its kernels.

    They are the principal components of all 2x2 patches of normalised images (N, 3, H, W), and these with a minus sign.
    """
    convolution = model.stem[0]
    patches = F.unfold(images, 2).transpose(1, 2).flatten(0, 1)  # every patch a row of 12 numbers
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    components = (vectors / (values + 5e-4).sqrt()).T.reshape(-1, 3, 2, 2)
    convolution.weight.copy_(torch.cat([components, -components]))
    convolution.weight.requires_grad_(False)
    nn.init.zeros_(convolution.bias)


@undisturbed()
def speed_run(
    dataset: Dataset,
    *,
    epochs: int = 10,
    widths: tuple[int, int, int] = (64, 256, 256),
    batch_size: int = 512,
    flip: bool = True,
    without: Part | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> Run:
    """Train a SpeedNet on photographs of 32x32, and test it once, at the end.

    flip: mirror images, in training and in use, which digits do not stand. without: a part to leave out, to see what
    it is worth. The rates are the paper's, per image, for any batch_size. The stop button returns the run so far, whose
    network has then not been tested. Raises ValueError for another part.
    """
    stop_with_the_cell()
    if without not in (None, *get_args(Part)):
        raise ValueError(f"without must be one of {', '.join(get_args(Part))}, not {without!r}.")
    device = find_device(device)
    with reproducible(seed, device):
        model = SpeedNet(widths, len(dataset.classes), mirror=flip).to(device, memory_format=torch.channels_last)
        images = dataset.train.inputs().to(device, memory_format=torch.channels_last)
        labels = dataset.train.labels.to(device)
        if without == "identity":
            for layer in model.stages.modules():
                if isinstance(layer, nn.Conv2d):
                    layer.reset_parameters()
        if without != "whitening":
            whiten(model, images[:5000].contiguous())
        steps = -(-len(images) // batch_size)
        optimizer, schedule = _optimizer(
            model, batch_size, epochs * steps, faster=1 if without == "fast shifts" else 64
        )
        slow = [value.clone() for value in model.state_dict().values()]
        shift = Augment(shift=2)
        first = torch.rand(len(images), device=device) < 0.5  # which images are mirrored in the first epoch
        run = Run(model, images=len(images))
        bar = tqdm(total=epochs * steps, unit="step", disable=not progress)
        try:
            for epoch in range(epochs):
                model.train()
                model.stem[0].bias.requires_grad_(epoch < 3)
                loss_sum, correct = torch.zeros((), device=device), torch.zeros((), device=device)
                start = time.perf_counter()
                for batch in torch.randperm(len(images), device=device).split(batch_size):
                    inputs = shift(images[batch])
                    if flip:
                        mirrored = first[batch] ^ bool(epoch % 2)
                        if without == "turns":
                            mirrored = torch.rand(len(batch), device=device) < 0.5
                        inputs = torch.where(mirrored[:, None, None, None], inputs.flip(3), inputs)
                    with autocast(device, "auto"):
                        logits = model(inputs)
                    loss = F.cross_entropy(
                        logits.float(), labels[batch], label_smoothing=0 if without == "smoothing" else 0.2
                    )
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    schedule.step()
                    done = schedule.last_epoch / (epochs * steps)
                    if without != "lookahead" and (schedule.last_epoch % 5 == 0 or done == 1):
                        _pull(model, slow, done)
                    loss_sum += loss.detach() * len(batch)
                    correct += (logits.argmax(1) == labels[batch]).sum()
                    bar.update()
                    stop_if_asked()
                seconds = time.perf_counter() - start
                means = (loss_sum / len(images)).item(), (correct / len(images)).item()
                test = evaluate(model, dataset.test) if epoch == epochs - 1 else NOT_TESTED
                rate = optimizer.param_groups[0]["lr"]
                run.history.append(Epoch(epoch + 1, *means, test.loss, test.accuracy, rate, seconds))
        except KeyboardInterrupt:
            run.interrupted = True
            training_stopped()
        finally:
            bar.close()
    model.eval().to(memory_format=torch.contiguous_format)
    return run


def _optimizer(
    model: SpeedNet, batch_size: int, steps: int, faster: float
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """SGD whose rate rises for a quarter of the steps and falls for the rest; the shifts of batch norms move faster."""
    momentum = 0.85
    rate = 11.5 * batch_size / 1024 / (1 + 1 / (1 - momentum))
    decay = 0.0153 * batch_size / 1024 / (1 + 1 / (1 - momentum))
    shifts = [layer.bias for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    others = [p for p in model.parameters() if p.requires_grad and not any(p is shift for shift in shifts)]
    groups = [
        {"params": others, "lr": rate, "weight_decay": decay / rate},
        {"params": shifts, "lr": faster * rate, "weight_decay": decay / (faster * rate)},
    ]
    optimizer = torch.optim.SGD(groups, momentum=momentum, nesterov=True)

    def triangle(step: int) -> float:
        peak = 0.23 * steps
        return 0.2 + 0.8 * step / peak if step < peak else 0.07 + 0.93 * (steps - step) / (steps - peak)

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, triangle)


@torch.no_grad()
def _pull(model: SpeedNet, slow: list[Tensor], progress: float) -> None:
    """Lookahead: move a slow copy towards the weights, and the weights onto it; the copy gets slower to the end."""
    keep = 0.95**5 * progress**3 if progress < 1 else 1.0
    for behind, value in zip(slow, model.state_dict().values(), strict=True):
        if value.is_floating_point():
            behind.lerp_(value, 1 - keep)
            value.copy_(behind)
