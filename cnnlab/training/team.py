"""The processes that train one model together under `torchrun`; a training without it is a team of one."""

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from cnnlab.device import processes


class Team:
    """Which process of how many this is, and what they do together.

    Each takes its share of every batch, and gradients are averaged over the processes. Where a batch cannot be shared
    equally, the mean over processes is not the mean over images: a weight for each share makes it so.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.rank, self.size = processes(device)

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and shows."""
        return self.rank == 0

    def network(self, model: nn.Module) -> nn.Module:
        """The model, its weights those of the first process, and its gradients averaged after each backward pass."""
        return DistributedDataParallel(model) if self.size > 1 else model

    def agree(self, order: Tensor) -> Tensor:
        """The first process's order of images, for all."""
        if self.size > 1:
            dist.broadcast(order, 0)
        return order

    def share(self, batches: tuple[Tensor, ...]) -> tuple[list[Tensor], list[float]]:
        """Of each batch the images for this process, and the weight of their mean loss; alone: all, and 1.

        A process that is left without an image gets the first one, with a weight of 0, so that it can take part.
        """
        shares = [batch[self.rank :: self.size] for batch in batches]
        weights = [self.size * len(share) / len(batch) for share, batch in zip(shares, batches, strict=True)]
        return [share if len(share) else batch[:1] for share, batch in zip(shares, batches, strict=True)], weights

    def average(self, values: Tensor) -> None:
        """The mean over all processes, in place."""
        if self.size > 1:
            dist.all_reduce(values)
            values /= self.size

    def add_up(self, value: Tensor) -> None:
        """The sum over all processes, in place."""
        if self.size > 1:
            dist.all_reduce(value)

    def gather(self, value: object) -> list[object]:
        """Everyone's value, in the order of their ranks."""
        if self.size == 1:
            return [value]
        values = [None] * self.size
        dist.all_gather_object(values, value)
        return values
