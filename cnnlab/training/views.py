"""Test-time averaging: a network that answers for several views of an image instead of one."""

from torch import Tensor, nn
from torch.nn import functional as F


class Averaged(nn.Module):
    """A network whose logits are the mean of another's for several views of each image.

    mirror: the image and its mirror image, which digits do not stand. shift: besides, with half of the weight, the
    image moved by so many pixels up and left, and down and right (Jordan 2024); the edge is the image's own reflection.

    >>> Averaged(nn.Flatten())(torch.tensor([[[[1.0, 3.0]]]]))
    tensor([[2., 2.]])
    """

    def __init__(self, network: nn.Module, mirror: bool = True, shift: int = 0) -> None:
        super().__init__()
        self.network, self.mirror, self.shift = network, mirror, shift

    def forward(self, x: Tensor) -> Tensor:
        logits = self._both_ways(x)
        if not self.shift:
            return logits
        height, width = x.shape[2:]
        framed, far = F.pad(x, 4 * (self.shift,), mode="reflect"), 2 * self.shift
        moved = (framed[:, :, :height, :width], framed[:, :, far : far + height, far : far + width])
        return (logits + sum(map(self._both_ways, moved)) / 2) / 2

    def _both_ways(self, x: Tensor) -> Tensor:
        return (self.network(x) + self.network(x.flip(3))) / 2 if self.mirror else self.network(x)
