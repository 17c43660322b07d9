"""How fast this machine runs or trains a network, and how long a long training would take it."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab.device import Precision, autocast, eval_mode, find_device, one_thread


@dataclass(frozen=True)
class Throughput:
    """Images a second, the median of `steps` steps after one to warm up, on `device`."""

    images_per_second: float
    steps: int
    device: str

    def days(self, images: int, epochs: float) -> float:
        """Days that this speed needs for so many epochs of so many images.

        >>> Throughput(100, 5, "cpu").days(images=1_281_167, epochs=90)
        13.3...
        """
        return images * epochs / self.images_per_second / 86_400


def throughput(
    model: nn.Module,
    input_size: tuple[int, int, int],
    *,
    batch_size: int = 8,
    training: bool = True,
    steps: int = 5,
    device: str | torch.device | None = None,
    precision: Precision = "auto",
) -> Throughput:
    """Time steps of a network on random images of `input_size` (C, H, W): forward, and backward where `training`.

    The model's parameters do not change; its batch norms' statistics do where it trains. Raises ValueError where it
    does not take such images.

    >>> throughput(models.get_model("lenet5"), (1, 32, 32)).days(images=60_000, epochs=20)  # doctest: +SKIP
    0.001
    """
    device = find_device(device)
    model.to(device, memory_format=torch.channels_last)
    images = torch.randn(batch_size, *input_size, device=device).to(memory_format=torch.channels_last)
    labels = torch.zeros(batch_size, dtype=torch.long, device=device)
    taken = []
    try:
        with eval_mode(model):  # afterwards each module is in its own mode again
            model.train(training)
            for _ in range(steps + 1):
                start = time.perf_counter()
                with torch.set_grad_enabled(training), autocast(device, precision):
                    outputs = model(images)
                    loss = F.cross_entropy(outputs if isinstance(outputs, torch.Tensor) else outputs[0], labels)
                if training:
                    loss.backward()
                    model.zero_grad()
                loss.item()  # waits for a GPU
                taken.append(time.perf_counter() - start)
    finally:
        model.to(memory_format=torch.contiguous_format)
    return Throughput(batch_size / statistics.median(taken[1:]), steps, device.type)


@one_thread()
def core_seconds(run: Callable[[], object], at_least: float = 0.03) -> float:
    """Seconds of one processor core that `run` takes: the best of three, each of so many calls as fill `at_least`.

    It is this program's own time on the processor, so that other programs do not disturb it, with one thread.
    """
    run()
    calls, tries = 1, []
    while len(tries) < 3:
        start = time.process_time()
        for _ in range(calls):
            run()
        taken = time.process_time() - start
        if taken < at_least and not tries:
            calls *= 2
        else:
            tries.append(taken / calls)
    return min(tries)
