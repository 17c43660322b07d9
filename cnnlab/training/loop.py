"""The training loop: plain PyTorch, in memory, the same for every network and data set of the course."""

import math
import os
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from tqdm.auto import tqdm

from cnnlab.data import Dataset, Split, Stream
from cnnlab.device import (
    Precision,
    autocast,
    find_device,
    processes,
    random_state,
    reproducible,
    set_random_state,
)
from cnnlab.table import Table
from cnnlab.training import checkpoint as checkpoints


@dataclass(frozen=True)
class Metrics:
    """Mean cross-entropy in nats, and the shares of images whose label is the first guess and among the first five."""

    loss: float
    accuracy: float
    top5: float


NOT_TESTED = Metrics(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Epoch:
    """One pass over the training images: what was measured on the way and on the test images after it (nan: none)."""

    epoch: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    lr: float
    seconds: float


@dataclass
class Run:
    """A training and its result: the trained model, one `Epoch` a pass over its `images`, and how fast it went."""

    model: nn.Module
    history: list[Epoch] = field(default_factory=list)
    images: int = 0
    interrupted: bool = False

    @property
    def seconds(self) -> float:
        """Seconds of training, evaluation not counted."""
        return sum(epoch.seconds for epoch in self.history)

    @property
    def images_per_second(self) -> float:
        return len(self.history) * self.images / self.seconds if self.history else 0.0

    def table(self) -> Table:
        formats = {"epoch": "d", "lr": ".2g", "seconds": ".1f", "train_accuracy": ".1%", "test_accuracy": ".1%"}
        rows = [[f"{v:{formats.get(k, '.3f')}}" for k, v in asdict(epoch).items()] for epoch in self.history]
        header = ["epoch", "train loss", "train accuracy", "test loss", "test accuracy", "learning rate", "seconds"]
        state = ", interrupted" if self.interrupted else ""
        return Table(header, rows, f"{type(self.model).__name__}, {self.images_per_second:,.0f} images/s{state}")

    def __repr__(self) -> str:
        return repr(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


class DivergedError(ArithmeticError):
    """The loss is no longer a number. `run` holds the epochs before it."""

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run


def fit(
    model: nn.Module,
    dataset: Dataset,
    *,
    epochs: int = 5,
    lr: float = 0.1,
    batch_size: int = 128,
    weight_decay: float = 5e-4,
    optimizer: Literal["sgd", "adamw"] = "sgd",
    rates: Mapping[str, float] | None = None,
    augment: Callable[[Tensor], Tensor] | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
    precision: Precision = "auto",
    checkpoint: str | Path | None = None,
    on_epoch: Callable[[Run], None] | None = None,
    progress: bool = True,
) -> Run:
    """Train a model with a one-cycle learning rate, by SGD with Nesterov momentum 0.9 or by AdamW.

    model: (N, C, H, W) float images -> (N, classes) logits. It is trained in place and left in eval mode. A model with
        auxiliary heads returns their logits too while it trains; their losses count `model.aux_weight` times.
    lr: the peak of the cycle, reached after a quarter of the steps. SGD wants about 0.1, AdamW about 0.002.
    rates: the learning rates of parts of the network as shares of lr, by the beginning of their parameters' names, for
        example {"stem": 0.1, "stages": 0.1}. What does not require gradients is not trained, and a batch norm among it
        keeps its statistics.
    augment: changes each batch of normalised training images, for example `training.Augment(flip=True, shift=4)`.
    seed: of the order of images, augmentation and dropout; the weights come from the model. The caller's random state
        is kept, and the same model, seed and machine give the same weights to the last bit.
    device: "cuda", "mps" or "cpu"; the best there is where None.
    precision: "fp32", "bf16" (autocast), or "auto": bf16 where the hardware multiplies it natively.
    checkpoint: a file that is replaced after each epoch. Where it is there already, training goes on from it, and ends
        with the same weights, to the last bit, as if it had never stopped.
    on_epoch: called with the run so far after each epoch, for example `view.live_curves()`.

    Under `torchrun` the processes train one model together: each takes its share of every batch, gradients are averaged
    over the batch, and only the first writes and shows anything. The result is that of one process, up to rounding,
    but for what sees only its own share: batch norms in training, and the draws of augmentation and dropout.

    Interrupting (the stop button of a notebook) returns the run so far. Raises DivergedError where the loss becomes
    infinite or NaN, ValueError where model, data and arguments do not fit together, CheckpointError where the
    checkpoint is damaged, belongs to another training or cannot be written.
    """
    device = find_device(device)
    model.to(device, memory_format=torch.channels_last)
    _check_arguments(model, dataset, epochs, lr, batch_size)
    if optimizer not in ("sgd", "adamw"):
        raise ValueError(f"optimizer must be 'sgd' or 'adamw', not {optimizer!r}.")
    images = len(dataset.train)
    batches_of = _streamed if isinstance(dataset.train, Stream) else _in_memory
    read = batches_of(dataset.train, device)
    asked = {"epochs": epochs, "lr": lr, "batch_size": batch_size, "weight_decay": weight_decay, "seed": seed}
    asked |= {"optimizer": optimizer, "augment": getattr(augment, "__qualname__", repr(augment))}
    asked |= {"model": _signature(model), "data": _fingerprint(dataset)}
    if rates:
        asked["rates"] = dict(rates)
    groups, peaks = _groups(model, lr, rates or {})
    if optimizer == "sgd":
        options = {"momentum": 0.9, "nesterov": True, "weight_decay": weight_decay, "fused": True}
        optimizer = torch.optim.SGD(groups, lr, **options)
    else:
        optimizer = torch.optim.AdamW(groups, lr, weight_decay=weight_decay, fused=True)
    steps = -(-images // batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peaks, total_steps=epochs * steps + 1, pct_start=0.25)
    run = Run(model, images=images)
    stateful = {"model": model, "optimizer": optimizer, "schedule": schedule}
    if (together := int(os.environ.get("WORLD_SIZE", 1))) > 1:
        asked["processes"] = together
    path = checkpoint and Path(checkpoint)
    state = checkpoints.load(path, asked) if path else None
    if state:
        for name, part in stateful.items():
            part.load_state_dict(state[name])
        run.history = [Epoch(**epoch) for epoch in state["history"]]
    rank, world = processes(device)
    with reproducible(seed + rank, device):
        network = DistributedDataParallel(model) if world > 1 else model
        if state:
            set_random_state(state["random"][rank] if world > 1 else state["random"], device)
        total, done = epochs * steps, len(run.history) * steps
        bar = tqdm(total=total, initial=done, unit="step", disable=not progress or rank > 0)
        try:
            for epoch in range(len(run.history) + 1, epochs + 1):
                _train_mode(model)
                losses, correct = torch.zeros(steps, device=device), torch.zeros((), device=device)
                bar.set_description(f"epoch {epoch}/{epochs}")
                start = time.perf_counter()
                order = torch.randperm(images, device=device)
                if world > 1:
                    dist.broadcast(order, 0)
                batches = order.split(batch_size)
                mine = [batch[rank::world] if len(batch) > rank else batch[:1] for batch in batches]
                for step, (inputs, target) in enumerate(read(mine)):
                    share = world * len(batches[step][rank::world]) / len(batches[step])
                    if augment:
                        inputs = augment(inputs)
                    with autocast(device, precision):
                        logits, loss = _logits_and_loss(network, inputs, target, getattr(model, "aux_weight", 0.0))
                    optimizer.zero_grad()
                    (loss * share).backward()
                    optimizer.step()
                    schedule.step()
                    losses[step] = loss.detach() * share
                    correct += (logits.argmax(1) == target).sum() * (share > 0)
                    if step % 16 == 15 or step == steps - 1:  # not at each step: reading the loss stalls a GPU
                        if world > 1:  # so that all see the same, and stop together
                            _average(losses[step - step % 16 : step + 1])
                        _check_losses(losses[: step + 1], epoch, lr, precision, run)
                        bar.update(step % 16 + 1)
                if world > 1:
                    dist.all_reduce(correct)
                seconds = time.perf_counter() - start
                test = NOT_TESTED
                if len(dataset.test):
                    test = evaluate(model, dataset.test, precision=precision)
                accuracy = correct.item() / images
                last_lr = optimizer.param_groups[0]["lr"]
                run.history.append(
                    Epoch(epoch, losses.mean().item(), accuracy, test.loss, test.accuracy, last_lr, seconds)
                )
                if path:
                    state = {name: part.state_dict() for name, part in stateful.items()}
                    state |= {"history": [asdict(epoch) for epoch in run.history], "random": random_state(device)}
                    if world > 1:
                        states = [None] * world
                        dist.all_gather_object(states, state["random"])
                        state["random"] = states
                    if rank == 0:
                        checkpoints.save(path, asked, state)
                if on_epoch and rank == 0:
                    on_epoch(run)
        except KeyboardInterrupt:
            run.interrupted = True
        finally:
            bar.close()
    model.eval().to(memory_format=torch.contiguous_format)  # so that .view of a weight works again
    return run


@torch.inference_mode()
def evaluate(model: nn.Module, split: Split, *, batch_size: int = 100, precision: Precision = "auto") -> Metrics:
    """Loss and accuracies of a model on all images of a split, in eval mode, on the device that the model is on.

    Raises ValueError for an empty split.
    """
    if len(split) == 0:
        raise ValueError("There are no images to evaluate on: load the data set with a test split (test=...).")
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    loss = top1 = top5 = 0.0
    parts = torch.arange(len(split)).split(batch_size)
    for inputs, labels in (_streamed if isinstance(split, Stream) else _part_by_part)(split, device)(parts):
        with autocast(device, precision):
            logits = model(inputs).float()
        hits = logits.topk(min(5, logits.shape[1])).indices == labels[:, None]
        loss += F.cross_entropy(logits, labels, reduction="sum").item()
        top1 += hits[:, 0].sum().item()
        top5 += hits.sum().item()
    model.train(training)
    return Metrics(loss / len(split), top1 / len(split), top5 / len(split))


Batches = Callable[[Sequence[Tensor]], Iterable[tuple[Tensor, Tensor]]]  # of indices -> of inputs and labels


def _in_memory(split: Split, device: torch.device) -> Batches:
    """Normalised once and for all, on the device."""
    images = split.inputs().to(device, memory_format=torch.channels_last)
    labels = split.labels.to(device)
    return lambda indices: ((images[i], labels[i]) for i in indices)


def _part_by_part(split: Split, device: torch.device) -> Batches:
    """Normalised when they are needed, so that a large split takes the memory of one batch."""
    to = {"device": device, "memory_format": torch.channels_last}
    return lambda indices: ((split.inputs(i).to(**to), split.labels[i].to(device)) for i in indices)


def _streamed(split: Stream, device: torch.device) -> Batches:
    def read(indices: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        for images, labels in split.batches(indices):
            images = images.to(device, memory_format=torch.channels_last, non_blocking=True)
            yield images, labels.to(device, non_blocking=True)

    return read


def _logits_and_loss(model: nn.Module, inputs: Tensor, target: Tensor, aux_weight: float) -> tuple[Tensor, Tensor]:
    outputs = model(inputs)
    if isinstance(outputs, Tensor):
        return outputs, F.cross_entropy(outputs, target)
    logits, *auxiliary = outputs
    return logits, F.cross_entropy(logits, target) + aux_weight * sum(
        F.cross_entropy(logits, target) for logits in auxiliary
    )


def _groups(model: nn.Module, lr: float, rates: Mapping[str, float]) -> tuple[list[dict[str, object]], list[float]]:
    """The parameters to train in groups of one rate, and these rates; first those at the full rate."""
    parts: dict[str, list[nn.Parameter]] = {"": []} | {start: [] for start in rates}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parts[next((start for start in rates if name.startswith(start)), "")].append(parameter)
    for start, share in rates.items():
        if share < 0 or not any(name.startswith(start) for name, _ in model.named_parameters()):
            first = ", ".join(name for name, _ in model.named_children())
            raise ValueError(f"rates: no share {share!r} for {start!r} is possible: the parts are {first}.")
    kept = {start: group for start, group in parts.items() if group}
    if not kept:
        raise ValueError("Nothing is left to train: all parameters are frozen.")
    return [{"params": group} for group in kept.values()], [lr * rates.get(start, 1) for start in kept]


def _train_mode(model: nn.Module) -> None:
    """Training mode, but for batch norms that are frozen: their statistics are those of what they were trained on."""
    model.train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.affine and not module.weight.requires_grad:
            module.eval()


def _average(values: Tensor) -> None:
    """The mean over all processes, in place."""
    dist.all_reduce(values)
    values /= dist.get_world_size()


def _signature(model: nn.Module) -> str:
    """What a checkpoint must fit: the model's name, size, and a checksum of its parameters' names and shapes."""
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    count = sum(parameter.numel() for parameter in model.parameters())
    return f"{type(model).__name__} of {count:,} parameters ({zlib.crc32(repr(shapes).encode()):08x})"


def _fingerprint(dataset: Dataset) -> str:
    return f"{dataset!r} ({zlib.crc32(dataset.train.labels.numpy(force=True)):08x})"


def _check_arguments(model: nn.Module, dataset: Dataset, epochs: int, lr: float, batch_size: int) -> None:
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}.")
    if not lr > 0:
        raise ValueError(f"lr must be above 0, not {lr!r}.")
    image = dataset.train.inputs(slice(0, 1)).to(next(model.parameters()).device)
    what = f"{type(model).__name__} does not take {dataset.name}"
    try:
        with torch.no_grad():
            outputs = model.eval()(image).shape[1]
    except (RuntimeError, ValueError) as error:
        shape = " x ".join(map(str, image.shape[1:]))
        raise ValueError(f"{what}, images of {shape}: {error}") from error
    if outputs < len(dataset.classes):
        raise ValueError(
            f"{what}: {len(dataset.classes)} classes, but {outputs} outputs. "
            f"Build it with num_classes={len(dataset.classes)}."
        )


def _check_losses(losses: Tensor, epoch: int, lr: float, precision: Precision, run: Run) -> None:
    finite = losses.isfinite()
    if not finite.all():
        step = finite.tolist().index(False) + 1
        raise DivergedError(
            f"The loss became {losses[step - 1].item()} in epoch {epoch}, step {step}: the weights grew without bound. "
            f"Try a smaller lr (here {lr:g}; {lr / 5:.2g} for example), a normalisation layer or another initialisation"
            + (", or precision='fp32'." if precision != "fp32" else "."),
            run,
        )
