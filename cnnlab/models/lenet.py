"""LeNet-5: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998.

`LeNet5_1998` is the network of the paper, unit by unit: 60,000 trainable parameters, 340,908 connections.
`LeNet5` is what is called LeNet-5 today: every map of C3 sees every map of S2, pooling has no parameters, the output
is a linear layer. It has 61,706 parameters.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import named

# Table I: the maps of S2 that each of the 16 maps of C3 sees. 60 pairs, so 60 kernels of 5x5.
C3_INPUTS = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)

# The targets of the output: each digit as a 7x12 bitmap, drawn anew in the manner of the paper's Fig. 3.
BITMAPS = """
..###.. ...#... ..###.. .#####. .....#. ####### ..####. ####### .#####. .#####.
.#...#. ..##... .#...#. #.....# ....##. #...... .#..... ......# #.....# #.....#
#.....# .#.#... #.....# ......# ...#.#. #...... #...... ......# #.....# #.....#
#.....# ...#... ......# ......# ..#..#. #...... #...... .....#. #.....# #.....#
#.....# ...#... ......# .....#. .#...#. ######. #.####. .....#. .#...#. #.....#
#.....# ...#... .....#. ..###.. #....#. ......# ##....# ....#.. ..###.. .######
#.....# ...#... ....#.. .....#. #....#. ......# #.....# ....#.. .#...#. ......#
#.....# ...#... ...#... ......# ####### ......# #.....# ...#... #.....# ......#
#.....# ...#... ..#.... ......# .....#. ......# #.....# ...#... #.....# ......#
#.....# ...#... .#..... ......# .....#. ......# #.....# ..#.... #.....# ......#
.#...#. ...#... #...... #.....# .....#. #.....# .#...#. ..#.... #.....# .....#.
..###.. .#####. ####### .#####. .....#. .#####. ..###.. ..#.... .#####. .####..
"""


class ScaledTanh(nn.Module):
    """The squashing function f(a) = 1.7159 tanh(2a/3), for which f(1) = 1 and f(-1) = -1 (appendix A)."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsampling(nn.Module):
    """Sum each 2x2 square, times one coefficient a map, plus one bias a map: (N, C, H, W) -> (N, C, H/2, W/2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.empty(channels, 1, 1).uniform_(-2.4 / 4, 2.4 / 4))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return 4 * F.avg_pool2d(x, 2) * self.coefficient + self.bias


class PartialConv2d(nn.Module):
    """A 5x5 convolution whose output map i sees only the input maps `inputs[i]`: one kernel for each pair (Table I)."""

    def __init__(self, in_channels: int, inputs: tuple[tuple[int, ...], ...]) -> None:
        super().__init__()
        self.shape = (len(inputs), in_channels, 5, 5)
        pairs = torch.tensor([(out, into) for out, seen in enumerate(inputs) for into in seen])
        self.register_buffer("pairs", pairs, persistent=False)
        fan_in = torch.tensor([25 * len(seen) for seen in inputs for _ in seen])
        self.kernels = nn.Parameter(torch.empty(len(pairs), 5, 5).uniform_(-2.4, 2.4) / fan_in[:, None, None])
        self.bias = nn.Parameter(torch.zeros(len(inputs)))

    def forward(self, x: Tensor) -> Tensor:
        dense = self.kernels.new_zeros(self.shape)  # what no kernel fills stays zero: such a pair is not connected
        return F.conv2d(x, dense.index_put((self.pairs[:, 0], self.pairs[:, 1]), self.kernels), self.bias)


class RBF(nn.Module):
    """Minus the squared distance of F6 from each digit's bitmap of +1 and -1: (N, 84) -> (N, 10). Nothing is trained.

    The paper's output is the distance itself, where small is good; the sign makes it a logit, where large is good.
    In training there is an eleventh logit, minus the constant j of the paper's loss, equation 9, which thereby is the
    cross-entropy. It stands for "no digit at all", and F6 must come nearer than j to the digit's bitmap to beat it.
    The paper does not say how large j is.
    """

    def __init__(self, j: float = 5.0) -> None:
        super().__init__()
        self.j = j
        rows = [line.split() for line in BITMAPS.split("\n") if line]
        digits = ["".join(row[digit] for row in rows) for digit in range(10)]
        self.register_buffer("bitmaps", torch.tensor([[1.0 if dot == "#" else -1.0 for dot in d] for d in digits]))

    def forward(self, x: Tensor) -> Tensor:
        distances = (x.float()[:, None] - self.bitmaps).square().sum(2)  # near 84: too coarse in bfloat16
        return -F.pad(distances, (0, 1), value=self.j) if self.training else -distances


class LeNet5_1998(nn.Module):
    """LeNet-5 as published: (N, 1, 32, 32) -> (N, 10) logits, and in training an eleventh, see `RBF`.

    >>> LeNet5_1998().eval()(torch.zeros(1, 1, 32, 32)).shape
    torch.Size([1, 10])
    """

    def __init__(self) -> None:
        super().__init__()
        C1, C5, F6 = nn.Conv2d(1, 6, 5), nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        for layer in (C1, C5, F6):  # "uniformly distributed between -2.4/F and 2.4/F", F the fan-in (appendix A)
            nn.init.uniform_(layer.weight, -2.4 / layer.weight[0].numel(), 2.4 / layer.weight[0].numel())
            nn.init.zeros_(layer.bias)
        self.stem = named(C1=C1, f1=ScaledTanh(), S2=Subsampling(6), f2=ScaledTanh())
        self.stages = nn.Sequential(
            named(C3=PartialConv2d(6, C3_INPUTS), f3=ScaledTanh(), S4=Subsampling(16), f4=ScaledTanh()),
            named(C5=C5, f5=ScaledTanh()),
        )
        self.head = named(flatten=nn.Flatten(), F6=F6, f6=ScaledTanh(), output=RBF())

    def forward(self, x: Tensor) -> Tensor:
        _check_size(self, x)
        return self.head(self.stages(self.stem(x)))

    @staticmethod
    def connections() -> dict[str, int]:
        """Connections of each layer: its units times the inputs of a unit, the bias being one (section II.B)."""
        return {
            "C1": 6 * 28 * 28 * (25 + 1),
            "S2": 6 * 14 * 14 * (4 + 1),
            "C3": sum(10 * 10 * (25 * len(seen) + 1) for seen in C3_INPUTS),
            "S4": 16 * 5 * 5 * (4 + 1),
            "C5": 120 * (16 * 25 + 1),
            "F6": 84 * (120 + 1),
            "output": 10 * 84,
        }


class LeNet5(nn.Module):
    """LeNet-5 as it is built today: (N, in_channels, 32, 32) -> (N, num_classes) logits.

    activation: what follows each layer; pool: what stands between the stages, given the side of its window.

    >>> LeNet5(num_classes=10)(torch.zeros(1, 1, 32, 32)).shape
    torch.Size([1, 10])
    """

    def __init__(
        self,
        num_classes: int = 10,
        in_channels: int = 1,
        activation: Callable[[], nn.Module] = nn.Tanh,
        pool: Callable[[int], nn.Module] = nn.AvgPool2d,
    ) -> None:
        super().__init__()
        self.stem = named(C1=nn.Conv2d(in_channels, 6, 5), f1=activation(), S2=pool(2))
        self.stages = nn.Sequential(named(C3=nn.Conv2d(6, 16, 5), f3=activation(), S4=pool(2)))
        C5, F6, output = nn.Linear(16 * 5 * 5, 120), nn.Linear(120, 84), nn.Linear(84, num_classes)
        self.head = named(flatten=nn.Flatten(), C5=C5, f5=activation(), F6=F6, f6=activation(), output=output)
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        _check_size(self, x)
        return self.head(self.stages(self.stem(x)))


CONFIGS = {"lenet5_1998": LeNet5_1998, "lenet5": LeNet5}


def _check_size(model: nn.Module, x: Tensor) -> None:
    height, width = x.shape[-2:]
    if (height, width) != (32, 32):
        maps = " x ".join(str(max(0, ((side - 4) // 2 - 4) // 2)) for side in (height, width))
        raise ValueError(
            f"{type(model).__name__} takes images of 32 x 32 pixels, not {height} x {width}: its fully-connected "
            f"layers have a weight for each of 16 x 5 x 5 numbers, and this image gives 16 x {maps}. Resize or crop it."
        )
