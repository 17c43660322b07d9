"""The training loop: plain PyTorch, in memory, the same for every network and data set of the course."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from cnnlab.data.dataset import Dataset, Split
from cnnlab.device import Precision, autocast, find_device, reproducible
from cnnlab.table import Table


@dataclass(frozen=True)
class Metrics:
    """Mean cross-entropy in nats, and the shares of images whose label is the first guess and among the first five."""

    loss: float
    accuracy: float
    top5: float


@dataclass(frozen=True)
class Epoch:
    """One pass over the training images: what was measured on the way and on the test images after it."""

    epoch: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    lr: float
    seconds: float


@dataclass
class Run:
    """A training and its result: the trained model, one `Epoch` a pass, and how fast it went."""

    model: nn.Module
    history: list[Epoch] = field(default_factory=list)
    images_per_second: float = 0.0
    interrupted: bool = False

    @property
    def seconds(self) -> float:
        """Seconds of training, evaluation not counted."""
        return sum(epoch.seconds for epoch in self.history)

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
    seed: int = 0,
    device: str | torch.device | None = None,
    precision: Precision = "auto",
    on_epoch: Callable[[Run], None] | None = None,
    progress: bool = True,
) -> Run:
    """Train a model by SGD with Nesterov momentum 0.9 and a one-cycle learning rate.

    model: (N, C, H, W) float images -> (N, classes) logits. It is trained in place and left in eval mode.
    lr: the peak of the cycle, reached after a quarter of the steps.
    seed: of the order of images and of dropout; the weights come from the model. The caller's random state is kept,
        and the same model, seed and machine give the same weights to the last bit.
    device: "cuda", "mps" or "cpu"; the best there is where None.
    precision: "fp32", "bf16" (autocast), or "auto": bf16 where the hardware multiplies it natively.
    on_epoch: called with the run so far after each epoch, for example `view.live_curves()`.

    Interrupting (the stop button of a notebook) returns the run so far. Raises DivergedError where the loss becomes
    infinite or NaN, ValueError where model, data and arguments do not fit together.
    """
    device = find_device(device)
    model.to(device, memory_format=torch.channels_last)
    _check_arguments(model, dataset, epochs, lr, batch_size)
    images = dataset.train.inputs().to(device, memory_format=torch.channels_last)
    labels = dataset.train.labels.to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr, 0.9, weight_decay=weight_decay, nesterov=True, fused=True)
    steps = -(-len(images) // batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=epochs * steps + 1, pct_start=0.25)
    run = Run(model)
    bar = tqdm(total=epochs * steps, unit="step", disable=not progress)

    with reproducible(seed, device), bar:
        try:
            for epoch in range(1, epochs + 1):
                model.train()
                losses, correct = torch.zeros(steps, device=device), torch.zeros((), device=device)
                bar.set_description(f"epoch {epoch}/{epochs}")
                start = time.perf_counter()
                for step, batch in enumerate(torch.randperm(len(images), device=device).split(batch_size)):
                    target = labels[batch]
                    with autocast(device, precision):
                        logits = model(images[batch])
                        loss = F.cross_entropy(logits, target)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    schedule.step()
                    losses[step] = loss.detach()
                    correct += (logits.argmax(1) == target).sum()
                    if step % 16 == 15 or step == steps - 1:  # not at each step: reading the loss stalls a GPU
                        _check_losses(losses[: step + 1], epoch, lr, precision, run)
                        bar.update(step % 16 + 1)
                seconds = time.perf_counter() - start
                test = evaluate(model, dataset.test, precision=precision)
                accuracy = correct.item() / len(images)
                last_lr = optimizer.param_groups[0]["lr"]
                run.history.append(
                    Epoch(epoch, losses.mean().item(), accuracy, test.loss, test.accuracy, last_lr, seconds)
                )
                run.images_per_second = epoch * len(images) / run.seconds
                if on_epoch:
                    on_epoch(run)
        except KeyboardInterrupt:
            run.interrupted = True
    model.eval().to(memory_format=torch.contiguous_format)  # so that .view of a weight works again
    return run


@torch.inference_mode()
def evaluate(model: nn.Module, split: Split, *, batch_size: int = 500, precision: Precision = "auto") -> Metrics:
    """Loss and accuracies of a model on all images of a split, in eval mode, on the device that the model is on.

    Raises ValueError for an empty split.
    """
    if len(split) == 0:
        raise ValueError("There are no images to evaluate on: load the data set with a test split (test=...).")
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    loss = top1 = top5 = 0.0
    for start in range(0, len(split), batch_size):
        part = slice(start, start + batch_size)
        labels = split.labels[part].to(device)
        with autocast(device, precision):
            logits = model(split.inputs(part).to(device, memory_format=torch.channels_last)).float()
        hits = logits.topk(min(5, logits.shape[1])).indices == labels[:, None]
        loss += F.cross_entropy(logits, labels, reduction="sum").item()
        top1 += hits[:, 0].sum().item()
        top5 += hits.sum().item()
    model.train(training)
    return Metrics(loss / len(split), top1 / len(split), top5 / len(split))


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
