"""The fastest way to a good accuracy on small photographs: Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU",
2024 (arXiv 2404.00498).

A small network and a training that wastes nothing, of parts that each save some of the time: a first layer that need
not be learnt, convolutions that start as the identity, batch norms whose shifts move fast, labels that are never quite
certain, images mirrored in every second epoch instead of by chance, and weights that are pulled to their own mean.
"""

import time
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
from cnnlab.models.speednet import SpeedNet, whiten
from cnnlab.training.augment import Augment
from cnnlab.training.loop import evaluate
from cnnlab.training.run import NOT_TESTED, Epoch, Run
from cnnlab.training.views import Averaged

Part = Literal["whitening", "identity", "fast shifts", "smoothing", "turns", "lookahead"]

# The paper's numbers. Rate and decay are those of a batch of 1,024 images, before momentum makes steps longer.
RATE, DECAY, MOMENTUM = 11.5, 0.0153, 0.85
FASTER = 64  # how many times as fast the shifts of the batch norms learn
SMOOTHING = 0.2  # the share of each label that all classes divide among them
START, PEAK, END = 0.2, 0.23, 0.07  # the rate's first and last value, as shares of the highest, and where that lies
BIAS_EPOCHS = 3  # so long the bias of the first layer is trained
EVERY, KEPT = 5, 0.95  # lookahead: each so many steps; what the slow copy keeps of itself in one, at the end


@undisturbed()
def speed_run(
    dataset: Dataset,
    *,
    epochs: int = 10,
    widths: tuple[int, ...] = (64, 256, 256),
    model: nn.Module | None = None,
    batch_size: int = 512,
    flip: bool = True,
    without: Part | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> Run:
    """Train a SpeedNet on photographs of 32x32, and test it once, at the end.

    model: the network, in place of a SpeedNet of these widths; whitening and identity are for a SpeedNet alone.
    flip: mirror images, in training and in the test, which digits do not stand. without: a part to leave out, to see
    what it is worth. The rates are the paper's, per image, for any batch_size. The stop button returns the run so far,
    whose network has then not been tested. Raises ValueError for another part.
    """
    stop_with_the_cell()
    if without not in (None, *get_args(Part)):
        raise ValueError(f"without must be one of {', '.join(get_args(Part))}, not {without!r}.")
    device = find_device(device)
    with reproducible(seed, device):
        model = model or SpeedNet(widths, len(dataset.classes), dataset.train.shape[0])
        ours = isinstance(model, SpeedNet)
        model.to(device, memory_format=torch.channels_last)
        images = dataset.train.inputs().to(device, memory_format=torch.channels_last)
        labels = dataset.train.labels.to(device)
        if without == "identity" and ours:
            for layer in model.stages.modules():
                if isinstance(layer, nn.Conv2d):
                    layer.reset_parameters()
        if without != "whitening" and ours:
            whiten(model, images[:5000].contiguous())
        steps = -(-len(images) // batch_size)
        optimizer, schedule = _optimizer(
            model, batch_size, epochs * steps, faster=1 if without == "fast shifts" else FASTER
        )
        slow = [value.clone() for value in model.state_dict().values()]
        shift = Augment(shift=2)
        first = torch.rand(len(images), device=device) < 0.5  # which images are mirrored in the first epoch
        run = Run(model, images=len(images))
        bar = tqdm(total=epochs * steps, unit="step", disable=not progress)
        try:
            for epoch in range(epochs):
                model.train()
                if ours:
                    model.stem.conv.bias.requires_grad_(epoch < BIAS_EPOCHS)
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
                        logits.float(), labels[batch], label_smoothing=0 if without == "smoothing" else SMOOTHING
                    )
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    schedule.step()
                    done = schedule.last_epoch / (epochs * steps)
                    if without != "lookahead" and (schedule.last_epoch % EVERY == 0 or done == 1):
                        _pull(model, slow, done)
                    loss_sum += loss.detach() * len(batch)
                    correct += (logits.argmax(1) == labels[batch]).sum()
                    bar.update()
                    stop_if_asked()
                seconds = time.perf_counter() - start
                means = (loss_sum / len(images)).item(), (correct / len(images)).item()
                tested = Averaged(model) if flip else model
                test = evaluate(tested, dataset.test) if epoch == epochs - 1 else NOT_TESTED
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
    model: nn.Module, batch_size: int, steps: int, faster: float
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """SGD whose rate rises for a quarter of the steps and falls for the rest; the shifts of batch norms move faster."""
    share = batch_size / 1024 / (1 + 1 / (1 - MOMENTUM))  # what the paper takes for the length that momentum adds
    rate, decay = RATE * share, DECAY * share
    shifts = [layer.bias for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    others = [p for p in model.parameters() if p.requires_grad and not any(p is shift for shift in shifts)]
    groups = [
        {"params": others, "lr": rate, "weight_decay": decay / rate},
        {"params": shifts, "lr": faster * rate, "weight_decay": decay / (faster * rate)},
    ]
    optimizer = torch.optim.SGD(groups, momentum=MOMENTUM, nesterov=True)

    def triangle(step: int) -> float:
        peak = PEAK * steps
        if step < peak:
            return START + (1 - START) * step / peak
        return END + (1 - END) * (steps - step) / (steps - peak)

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, triangle)


@torch.no_grad()
def _pull(model: nn.Module, slow: list[Tensor], progress: float) -> None:
    """Lookahead: move a slow copy towards the weights, and the weights onto it; the copy gets slower to the end."""
    keep = KEPT**EVERY * progress**3 if progress < 1 else 1.0
    for behind, value in zip(slow, model.state_dict().values(), strict=True):
        if value.is_floating_point():
            behind.lerp_(value, 1 - keep)
            value.copy_(behind)
