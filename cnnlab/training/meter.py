"""What is measured and shown while a network trains: losses, hits, seconds, a bar, and whether a loss is a number."""

import time
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from cnnlab.device import Precision, stop_if_asked
from cnnlab.training.run import DivergedError, Epoch, Metrics, Run
from cnnlab.training.team import Team

EVERY = 16  # steps between two looks at the losses: looking at each would stall a GPU


class Meter:
    """Follows a training step by step; a context, so that the bar is closed after any end.

    steps: of one epoch. lr, precision: for advice where the loss is no longer a number.
    """

    def __init__(
        self, run: Run, team: Team, epochs: int, steps: int, lr: float, precision: Precision, progress: bool
    ) -> None:
        self.run, self.team, self.epochs, self.steps = run, team, epochs, steps
        self.lr, self.precision = lr, precision
        done = len(run.history) * steps
        self.bar = tqdm(total=epochs * steps, initial=done, unit="step", disable=not progress or not team.first)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.bar.close()

    def start(self, epoch: int) -> None:
        """Begin an epoch."""
        self.epoch, self.step = epoch, 0
        self.losses = torch.zeros(self.steps, device=self.team.device)
        self.correct = torch.zeros((), device=self.team.device)
        self.bar.set_description(f"epoch {epoch}/{self.epochs}")
        self.began = time.perf_counter()

    def count(self, loss: Tensor, logits: Tensor, target: Tensor, weight: float = 1.0) -> None:
        """One step: its mean loss over the images of this process, its logits, and the weight of this share.

        Raises KeyboardInterrupt where the stop button was pressed, DivergedError where a loss is no longer a number.
        """
        self.losses[self.step] = loss.detach() * weight
        if weight:
            self.correct += (logits.argmax(1) == target).sum()
        self.step += 1
        if self.step % EVERY == 0 or self.step == self.steps:
            seen = (self.step - 1) % EVERY + 1
            self.team.average(self.losses[self.step - seen : self.step])  # so that all see the same, and stop together
            self._check()
            self.bar.update(seen)
        stop_if_asked()

    def stop(self) -> None:
        """End an epoch: what comes now takes none of its seconds."""
        self.team.add_up(self.correct)
        self.accuracy = self.correct.item() / self.run.images
        self.seconds = time.perf_counter() - self.began

    def record(self, test: Metrics, lr: float) -> Epoch:
        """What the epoch was, tested after it."""
        loss = self.losses.mean().item()
        return Epoch(self.epoch, loss, self.accuracy, test.loss, test.accuracy, lr, self.seconds)

    def check_weights(self, model: nn.Module) -> None:
        """DivergedError where a step of this epoch left weights that are no numbers, which no loss has seen yet."""
        if broken := not_finite(model):
            raise self._diverged(f"{broken} is no number any more after epoch {self.epoch}")

    def _check(self) -> None:
        finite = self.losses[: self.step].isfinite()
        if not finite.all():
            step = finite.tolist().index(False) + 1
            raise self._diverged(f"The loss became {self.losses[step - 1].item()} in epoch {self.epoch}, step {step}")

    def _diverged(self, what: str) -> DivergedError:
        advice = ", or precision='fp32'." if self.precision != "fp32" else "."
        return DivergedError(
            f"{what}: the weights grew without bound. Try a smaller lr (here {self.lr:g}; {self.lr / 5:.2g} for "
            f"example), a normalisation layer or another initialisation{advice}",
            self.run,
        )


def not_finite(model: nn.Module) -> str | None:
    """The name of the first parameter or buffer that is infinite or NaN somewhere."""
    named = [*model.named_parameters(), *model.named_buffers()]
    return next((name for name, value in named if value.is_floating_point() and not value.isfinite().all()), None)
