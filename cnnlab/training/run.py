"""What a training leaves behind: the model, one record an epoch, and the error where it went wrong."""

import math
from dataclasses import InitVar, asdict, dataclass, field

import torch
from torch import Tensor, nn

from cnnlab.table import Table


@dataclass(frozen=True)
class Metrics:
    """Mean cross-entropy in nats, and the shares of images whose label is the first guess and among the first five.

    confusion: how many images of each class (rows) were taken for each class (columns).
    """

    loss: float
    accuracy: float
    top5: float
    confusion: InitVar[Tensor | None] = None  # no field: what is stored, compared and shown are the three numbers

    def __post_init__(self, confusion: Tensor | None) -> None:
        object.__setattr__(self, "confusion", torch.zeros(0, 0) if confusion is None else confusion)

    @property
    def per_class(self) -> list[float]:
        """The accuracy on the images of each class; nan where there is none."""
        return (self.confusion.diagonal() / self.confusion.sum(1)).tolist()


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
        rows = [
            ["not tested" if v != v else f"{v:{formats.get(k, '.3f')}}" for k, v in asdict(epoch).items()]
            for epoch in self.history
        ]
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
