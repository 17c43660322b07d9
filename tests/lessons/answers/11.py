"""Answers of learners to the exercises of lesson 11, in many styles, written without looking at the checks."""

from answers import Right, Wrong

ANSWERS = [
    # 11.separable
    Right(
        "11.separable",
        "two layers",
        """
def separable(in_channels, out_channels, stride=1):
    return nn.Sequential(
        nn.Conv2d(in_channels, in_channels, 3, stride, padding=1, groups=in_channels, bias=False),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
    )
""",
    ),
    Right(
        "11.separable",
        "padding same where there is no stride",
        """
def separable(in_channels, out_channels, stride=1):
    padding = "same" if stride == 1 else 1
    depthwise = nn.Conv2d(
        in_channels, in_channels, (3, 3), stride=stride, padding=padding, groups=in_channels, bias=False
    )
    pointwise = nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False)
    return nn.Sequential(depthwise, pointwise)
""",
    ),
    Right(
        "11.separable",
        "named steps",
        """
from collections import OrderedDict


def separable(in_channels, out_channels, stride=1):
    steps = OrderedDict()
    steps["look"] = nn.Conv2d(
        in_channels, in_channels, kernel_size=3, stride=(stride, stride), padding=(1, 1),
        groups=in_channels, bias=False,
    )
    steps["mix"] = nn.Conv2d(in_channels, out_channels, kernel_size=(1, 1), bias=None)
    return nn.Sequential(steps)
""",
    ),
    Right(
        "11.separable",
        "a class derived from nn.Sequential",
        """
class Separable(nn.Sequential):
    def __init__(self, m, n, stride):
        super().__init__()
        self.append(nn.Conv2d(m, m, 3, stride=stride, padding=3 // 2, groups=m, bias=False))
        self.append(nn.Conv2d(m, n, 1, bias=False))


def separable(in_channels, out_channels, stride=1):
    return Separable(in_channels, out_channels, stride)
""",
    ),
    Right(
        "11.separable",
        "takes the biases away afterwards",
        """
def separable(in_channels, out_channels, stride=1):
    net = nn.Sequential(
        nn.Conv2d(in_channels, in_channels, 3, padding=1, stride=stride, groups=in_channels),
        nn.Conv2d(in_channels, out_channels, 1),
    )
    for layer in net:
        layer.bias = None
    return net
""",
    ),
    Right(
        "11.separable",
        "lazy layers, added one by one",
        """
def separable(in_channels, out_channels, stride=1):
    net = nn.Sequential()
    net.add_module("filter", nn.LazyConv2d(in_channels, 3, stride, 1, groups=in_channels, bias=False))
    net.add_module("combine", nn.LazyConv2d(out_channels, 1, bias=False))
    return net
""",
    ),
    Wrong(
        "11.separable",
        "no groups",
        """
def separable(in_channels, out_channels, stride=1):
    return nn.Sequential(
        nn.Conv2d(in_channels, in_channels, 3, stride, padding=1, bias=False),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
    )
""",
        mistake="forgets groups, so the first convolution is a full one",
    ),
    Wrong(
        "11.separable",
        "with biases",
        """
def separable(in_channels, out_channels, stride=1):
    return nn.Sequential(
        nn.Conv2d(in_channels, in_channels, 3, stride, 1, groups=in_channels),
        nn.Conv2d(in_channels, out_channels, 1),
    )
""",
        mistake="leaves the biases in",
    ),
    Wrong(
        "11.separable",
        "the stride at the wrong step",
        """
def separable(in_channels, out_channels, stride=1):
    return nn.Sequential(
        nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False),
        nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False),
    )
""",
        mistake="gives the stride to the pointwise step: the same shapes, but the depthwise one filters every pixel",
    ),
    Wrong(
        "11.separable",
        "no padding",
        """
def separable(in_channels, out_channels, stride=1):
    return nn.Sequential(
        nn.Conv2d(in_channels, in_channels, 3, stride, groups=in_channels, bias=False),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
    )
""",
        mistake="forgets the padding, so the map loses two pixels a side",
    ),
    Wrong(
        "11.separable",
        "mixes first",
        """
def separable(in_channels, out_channels, stride=1):
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
        nn.Conv2d(out_channels, out_channels, 3, stride, padding=1, groups=out_channels, bias=False),
    )
""",
        mistake="mixes before it looks: pointwise first, depthwise after",
    ),
    Wrong(
        "11.separable",
        "the network's block",
        """
def separable(in_channels, out_channels, stride=1):
    return DepthwiseSeparable(in_channels, out_channels, stride)
""",
        mistake="takes MobileNet's block, which has batch norms and ReLUs between and behind the two convolutions",
    ),
    Wrong(
        "11.separable",
        "stride ignored",
        """
def separable(in_channels, out_channels, stride=1):
    return nn.Sequential(
        nn.Conv2d(in_channels, in_channels, 3, padding="same", groups=in_channels, bias=False),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
    )
""",
        mistake="never uses the stride",
    ),
    Wrong(
        "11.separable",
        "padding same with a stride",
        """
def separable(in_channels, out_channels, stride=1):
    return nn.Sequential(
        nn.Conv2d(in_channels, in_channels, 3, stride, padding="same", groups=in_channels, bias=False),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
    )
""",
        mistake="padding='same' does not go with a stride: PyTorch refuses the layer at stride 2",
    ),
    Wrong(
        "11.separable",
        "widens with the depthwise step",
        """
def separable(in_channels, out_channels, stride=1):
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, groups=in_channels, bias=False),
        nn.Conv2d(out_channels, out_channels, 1, bias=False),
    )
""",
        mistake="changes the channels in the depthwise step, which has one kernel a map and makes as many as it reads",
    ),
    Wrong(
        "11.separable",
        "a list",
        """
def separable(in_channels, out_channels, stride=1):
    depthwise = nn.Conv2d(in_channels, in_channels, 3, stride, padding=1, groups=in_channels, bias=False)
    pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
    return [depthwise, pointwise]
""",
        mistake="returns a list, which cannot be called, in place of an nn.Sequential",
    ),
    # 11.ratio
    Right(
        "11.ratio",
        "the law of the text",
        """
def times_fewer(in_channels, out_channels, kernel, size):
    return 1 / (1 / out_channels + 1 / kernel**2)
""",
    ),
    Right(
        "11.ratio",
        "counts both and divides",
        """
def times_fewer(in_channels, out_channels, kernel, size):
    pixels = size * size
    full = pixels * in_channels * out_channels * kernel * kernel
    depthwise = pixels * in_channels * kernel * kernel
    pointwise = pixels * in_channels * out_channels
    return full / (depthwise + pointwise)
""",
    ),
    Right(
        "11.ratio",
        "an exact fraction",
        """
from fractions import Fraction


def times_fewer(in_channels, out_channels, kernel, size):
    return float(Fraction(out_channels * kernel**2, out_channels + kernel**2))
""",
    ),
    Right(
        "11.ratio",
        "asks the course's measure",
        """
def times_fewer(in_channels, out_channels, kernel, size):
    with torch.device("meta"):
        full = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2)
        split = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, kernel, padding=kernel // 2, groups=in_channels),
            nn.Conv2d(in_channels, out_channels, 1),
        )
    a, b = (measure.cost(net, (in_channels, size, size)).macs for net in (full, split))
    return a / b
""",
    ),
    Right(
        "11.ratio",
        "NumPy in float64",
        """
def times_fewer(in_channels, out_channels, kernel, size):
    costs = np.array([in_channels * out_channels * kernel**2, in_channels * kernel**2, in_channels * out_channels])
    full, depthwise, pointwise = costs.astype(np.float64) * size**2
    return full / (depthwise + pointwise)
""",
    ),
    Right(
        "11.ratio",
        "torch, a tensor without dimensions",
        """
def times_fewer(in_channels, out_channels, kernel, size):
    return 1 / torch.tensor([1 / out_channels, 1 / kernel**2], dtype=torch.float64).sum()
""",
    ),
    Wrong(
        "11.ratio",
        "the share",
        """
def times_fewer(in_channels, out_channels, kernel, size):
    return 1 / out_channels + 1 / kernel**2
""",
        mistake="returns the share that is left, not how many times fewer",
    ),
    Wrong(
        "11.ratio",
        "the kernel's side",
        """
def times_fewer(in_channels, out_channels, kernel, size):
    return 1 / (1 / out_channels + 1 / kernel)
""",
        mistake="forgets that a kernel has kernel squared weights",
    ),
    Wrong(
        "11.ratio",
        "the maps that come in",
        """
def times_fewer(in_channels, out_channels, kernel, size):
    return 1 / (1 / in_channels + 1 / kernel**2)
""",
        mistake="takes the input maps where the output maps count; as many in as out hides it",
    ),
    Wrong(
        "11.ratio",
        "whole times",
        """
def times_fewer(in_channels, out_channels, kernel, size):
    full = in_channels * out_channels * kernel**2
    return full // (in_channels * kernel**2 + in_channels * out_channels)
""",
        mistake="divides with // and loses the fraction",
    ),
    Wrong(
        "11.ratio",
        "the depthwise step alone",
        """
def times_fewer(in_channels, out_channels, kernel, size):
    return in_channels * out_channels * kernel**2 / (in_channels * kernel**2)
""",
        mistake="forgets the pointwise step, which is most of the cost",
    ),
    Wrong(
        "11.ratio",
        "pixels in one place only",
        """
def times_fewer(in_channels, out_channels, kernel, size):
    full = size**2 * in_channels * out_channels * kernel**2
    split = size**2 * in_channels * kernel**2 + in_channels * out_channels
    return full / split
""",
        mistake="counts the pointwise step for one pixel only",
    ),
    Wrong(
        "11.ratio",
        "ten percent less",
        """
def times_fewer(in_channels, out_channels, kernel, size):
    full = in_channels * out_channels * kernel**2
    split = in_channels * (kernel**2 + out_channels)
    return (full - split) / full
""",
        mistake="returns the share that is saved",
    ),
    Wrong(
        "11.ratio",
        "always 3 x 3",
        """
def times_fewer(in_channels, out_channels, kernel, size):
    return 1 / (1 / out_channels + 1 / 9)
""",
        mistake="has the 3 x 3 kernel of the text built in",
    ),
    Wrong(
        "11.ratio",
        "rounded",
        """
def times_fewer(in_channels, out_channels, kernel, size):
    return round(1 / (1 / out_channels + 1 / kernel**2))
""",
        mistake="rounds to a whole number, which nobody asked for",
    ),
    # 11.multipliers
    Right(
        "11.multipliers",
        "round, then count",
        """
def thinner(in_channels, out_channels, size, alpha, rho):
    m, n, s = round(alpha * in_channels), round(alpha * out_channels), round(rho * size)
    weights = 9 * m + m * n
    return weights, weights * s * s
""",
    ),
    Right(
        "11.multipliers",
        "builds the two layers",
        """
def thinner(in_channels, out_channels, size, alpha, rho):
    a, b = (round(c * alpha) for c in (in_channels, out_channels))
    net = nn.Sequential(nn.Conv2d(a, a, 3, padding=1, groups=a, bias=False), nn.Conv2d(a, b, 1, bias=False))
    cost = measure.cost(net, (a, round(size * rho), round(size * rho)))
    return cost.params, cost.macs
""",
    ),
    Right(
        "11.multipliers",
        "a helper, rounding by a half",
        """
def whole(x):
    return int(x + 0.5)


def thinner(in_channels, out_channels, size, alpha, rho):
    m = whole(alpha * in_channels)
    n = whole(alpha * out_channels)
    pixels = whole(rho * size) ** 2
    depthwise, pointwise = 3 * 3 * m, m * n
    return (depthwise + pointwise, depthwise * pixels + pointwise * pixels)
""",
    ),
    Right(
        "11.multipliers",
        "a named tuple",
        """
from collections import namedtuple

Price = namedtuple("Price", ["weights", "macs"])


def thinner(in_channels, out_channels, size, alpha, rho):
    channels = [round(alpha * c) for c in (in_channels, out_channels)]
    weights = channels[0] * (9 + channels[1])
    return Price(weights=weights, macs=weights * round(rho * size) ** 2)
""",
    ),
    Right(
        "11.multipliers",
        "NumPy numbers",
        """
def thinner(in_channels, out_channels, size, alpha, rho):
    m, n, s = np.rint([in_channels * alpha, out_channels * alpha, size * rho]).astype(np.int64)
    return 9 * m + m * n, (9 * m + m * n) * s**2
""",
    ),
    Wrong(
        "11.multipliers",
        "cuts off",
        """
def thinner(in_channels, out_channels, size, alpha, rho):
    m, n, s = int(alpha * in_channels), int(alpha * out_channels), int(rho * size)
    weights = 9 * m + m * n
    return weights, weights * s * s
""",
        mistake="cuts off with int() instead of rounding",
    ),
    Wrong(
        "11.multipliers",
        "rounds at the end",
        """
def thinner(in_channels, out_channels, size, alpha, rho):
    m, n, s = alpha * in_channels, alpha * out_channels, rho * size
    weights = 9 * m + m * n
    return round(weights), round(weights * s * s)
""",
        mistake="rounds the results; no layer has a fraction of a channel",
    ),
    Wrong(
        "11.multipliers",
        "alpha squared on everything",
        """
def thinner(in_channels, out_channels, size, alpha, rho):
    weights = 9 * in_channels + in_channels * out_channels
    macs = weights * size * size
    return round(alpha**2 * weights), round(alpha**2 * rho**2 * macs)
""",
        mistake="scales the depthwise part by alpha squared too, though it goes with alpha only",
    ),
    Wrong(
        "11.multipliers",
        "the resolution once",
        """
def thinner(in_channels, out_channels, size, alpha, rho):
    m, n = round(alpha * in_channels), round(alpha * out_channels)
    weights = 9 * m + m * n
    return weights, weights * size * round(rho * size)
""",
        mistake="makes only one side of the map smaller",
    ),
    Wrong(
        "11.multipliers",
        "one end thinner",
        """
def thinner(in_channels, out_channels, size, alpha, rho):
    m, n, s = in_channels, round(alpha * out_channels), round(rho * size)
    weights = 9 * m + m * n
    return weights, weights * s * s
""",
        mistake="makes the output thinner and leaves the input as it was",
    ),
    Wrong(
        "11.multipliers",
        "the other way round",
        """
def thinner(in_channels, out_channels, size, alpha, rho):
    m, n, s = round(alpha * in_channels), round(alpha * out_channels), round(rho * size)
    weights = 9 * m + m * n
    return weights * s * s, weights
""",
        mistake="returns mult-adds first and weights second",
    ),
    Wrong(
        "11.multipliers",
        "the weights shrink with the image",
        """
def thinner(in_channels, out_channels, size, alpha, rho):
    m, n, s = round(alpha * in_channels), round(alpha * out_channels), round(rho * size)
    weights = round(rho**2 * (9 * m + m * n))
    return weights, (9 * m + m * n) * s * s
""",
        mistake="lets the resolution change the weights, which it leaves alone",
    ),
    Wrong(
        "11.multipliers",
        "with biases",
        """
def thinner(in_channels, out_channels, size, alpha, rho):
    a, b, s = round(alpha * in_channels), round(alpha * out_channels), round(rho * size)
    net = nn.Sequential(nn.Conv2d(a, a, 3, padding=1, groups=a), nn.Conv2d(a, b, 1))
    return sum(p.numel() for p in net.parameters()), (9 * a + a * b) * s * s
""",
        mistake="counts biases, which these convolutions do not have",
    ),
    Wrong(
        "11.multipliers",
        "the pointwise step alone",
        """
def thinner(in_channels, out_channels, size, alpha, rho):
    m, n, s = round(alpha * in_channels), round(alpha * out_channels), round(rho * size)
    return m * n, m * n * s * s
""",
        mistake="drops the depthwise step as too cheap to count",
    ),
    # 11.bytes
    Right(
        "11.bytes",
        "counts both",
        """
def macs_per_byte(in_channels, out_channels, kernel, size, groups):
    weights = out_channels * (in_channels // groups) * kernel**2
    macs = weights * size**2
    numbers = in_channels * size**2 + weights + out_channels * size**2
    return macs / (4 * numbers)
""",
    ),
    Right(
        "11.bytes",
        "builds the layer and lets it run",
        """
def macs_per_byte(in_channels, out_channels, kernel, size, groups):
    layer = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, groups=groups, bias=False)
    x = torch.zeros(1, in_channels, size, size)
    with torch.no_grad():
        y = layer(x)
    moved = sum(t.numel() * t.element_size() for t in (x, layer.weight, y))
    return y.numel() * layer.weight[0].numel() / moved
""",
    ),
    Right(
        "11.bytes",
        "the course's measure for the mult-adds",
        """
def macs_per_byte(in_channels, out_channels, kernel, size, groups):
    with torch.device("meta"):
        conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, groups=groups, bias=False)
    cost = measure.cost(conv, (in_channels, size, size))
    return cost.macs / 4 / (cost.params + (in_channels + out_channels) * size * size)
""",
    ),
    Right(
        "11.bytes",
        "NumPy, everything divided by the pixels",
        """
def macs_per_byte(m, n, d, f, g):
    kernel_numbers = np.float64(n * m * d * d) / g
    return kernel_numbers / (m + n + kernel_numbers / f**2) / 4
""",
    ),
    Wrong(
        "11.bytes",
        "no weights",
        """
def macs_per_byte(in_channels, out_channels, kernel, size, groups):
    macs = out_channels * in_channels // groups * kernel**2 * size**2
    return macs / (4 * (in_channels + out_channels) * size**2)
""",
        mistake="forgets that the weights are read too; small maps show it",
    ),
    Wrong(
        "11.bytes",
        "numbers for bytes",
        """
def macs_per_byte(in_channels, out_channels, kernel, size, groups):
    weights = out_channels * in_channels // groups * kernel**2
    return weights * size**2 / (weights + (in_channels + out_channels) * size**2)
""",
        mistake="divides by numbers; each has four bytes",
    ),
    Wrong(
        "11.bytes",
        "without the groups",
        """
def macs_per_byte(in_channels, out_channels, kernel, size, groups):
    weights = out_channels * in_channels * kernel**2
    return weights * size**2 / (4 * (weights + (in_channels + out_channels) * size**2))
""",
        mistake="never uses the groups, so a depthwise convolution counts as a full one",
    ),
    Wrong(
        "11.bytes",
        "groups in the mult-adds only",
        """
def macs_per_byte(in_channels, out_channels, kernel, size, groups):
    macs = out_channels * in_channels / groups * kernel**2 * size**2
    moved = out_channels * in_channels * kernel**2 + (in_channels + out_channels) * size**2
    return macs / (4 * moved)
""",
        mistake="divides the mult-adds by the groups, but not the weights",
    ),
    Wrong(
        "11.bytes",
        "every use is a read",
        """
def macs_per_byte(in_channels, out_channels, kernel, size, groups):
    weights = out_channels * in_channels // groups * kernel**2
    macs = weights * size**2
    reads = macs + weights + out_channels * size**2
    return macs / (4 * reads)
""",
        mistake="counts the input once for every kernel that looks at it, where the text says once",
    ),
    Wrong(
        "11.bytes",
        "writes only",
        """
def macs_per_byte(in_channels, out_channels, kernel, size, groups):
    weights = out_channels * in_channels // groups * kernel**2
    return weights * size**2 / (4 * (weights + out_channels * size**2))
""",
        mistake="forgets that the input has to be read",
    ),
    Wrong(
        "11.bytes",
        "a whole number",
        """
def macs_per_byte(in_channels, out_channels, kernel, size, groups):
    weights = out_channels * in_channels // groups * kernel**2
    return weights * size**2 // (4 * (weights + (in_channels + out_channels) * size**2))
""",
        mistake="divides with //, and 9 / 8 becomes 1",
    ),
    Wrong(
        "11.bytes",
        "upside down",
        """
def macs_per_byte(in_channels, out_channels, kernel, size, groups):
    weights = out_channels * in_channels // groups * kernel**2
    return 4 * (weights + (in_channels + out_channels) * size**2) / (weights * size**2)
""",
        mistake="returns bytes for each mult-add",
    ),
    # 11.lossless
    Right(
        "11.lossless",
        "north, south, east and west",
        """
my_directions = [[0, 1], [0, -1], [1, 0], [-1, 0]]
""",
    ),
    Right(
        "11.lossless",
        "a cross that is turned",
        """
angles = torch.arange(4) * math.pi / 2 + 0.3
my_directions = torch.stack([angles.cos(), angles.sin()], dim=1)
""",
    ),
    Right(
        "11.lossless",
        "a matrix and its negative, in NumPy",
        """
half = np.array([[2.0, 1.0], [-1.0, 3.0]])
my_directions = np.concatenate([half, -half])
""",
    ),
    Right(
        "11.lossless",
        "the weight of a layer",
        """
layer = nn.Linear(2, 4, bias=False)
with torch.no_grad():
    layer.weight[:2] = torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    layer.weight[2:] = -layer.weight[:2]
my_directions = layer.weight
""",
    ),
    Wrong(
        "11.lossless",
        "all to one side",
        """
my_directions = [[1, 0], [1, 1], [1, -1], [2, 1]]
""",
        mistake="sees only points on the right",
    ),
    Wrong(
        "11.lossless",
        "three at equal angles, and one twice",
        """
angles = torch.tensor([0, 1, 2, 2]) * 2 * math.pi / 3
my_directions = torch.stack([angles.cos(), angles.sin()], dim=1)
""",
        mistake="has three different directions; between two of them only one is on",
    ),
    Wrong(
        "11.lossless",
        "columns for rows",
        """
my_directions = torch.tensor([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]])
""",
        mistake="has two rows of four numbers",
    ),
    Wrong(
        "11.lossless",
        "random ones",
        """
torch.manual_seed(0)
my_directions = torch.randn(4, 2)
""",
        mistake="draws four directions at random, which lose almost a third of the points",
    ),
    Wrong(
        "11.lossless",
        "the points, not the directions",
        """
my_directions = (1, 0)
""",
        mistake="gives one direction",
    ),
    # 11.budget
    Right(
        "11.budget",
        "a small network of its own",
        """
def step(old, new, stride=2):
    return nn.Sequential(nn.Conv2d(old, new, 3, stride, 1, bias=False), nn.BatchNorm2d(new), nn.ReLU())


torch.manual_seed(0)
net = nn.Sequential(step(3, 24), step(24, 48), step(48, 96), nn.Flatten(), nn.Linear(1536, 10))
many = data.load("street_digits", train=6000, test=1000)
recipe = {"optimizer": "adamw", "lr": 0.003, "weight_decay": 0.05, "batch_size": 32}
my_run = training.fit(net, many, epochs=5, **recipe, progress=False)
""",
    ),
    Wrong(
        "11.budget",
        "a fresh network",
        """
my_run = models.get_model("mobilenet_v1_tiny", width_mult=0.25)
""",
        mistake="hands in a network that was never trained, not a run",
    ),
    Wrong(
        "11.budget",
        "the twin as it is",
        """
torch.manual_seed(0)
few = data.load("street_digits", train=64, test=10)
my_run = training.fit(models.get_model("mobilenet_v1_tiny"), few, epochs=1, batch_size=64, progress=False)
""",
        mistake="takes the twin, which costs more than three times the budget",
    ),
    Wrong(
        "11.budget",
        "a glance at the images",
        """
torch.manual_seed(0)
few = data.load("street_digits", train=128, test=10)
net = models.get_model("mobilenet_v1_tiny", width_mult=0.25)
my_run = training.fit(net, few, epochs=1, lr=0.1, batch_size=64, progress=False)
""",
        mistake="one pass over 128 images: the network reads hardly more than by chance",
    ),
    Wrong(
        "11.budget",
        "few weights, many mult-adds",
        """
torch.manual_seed(0)
few = data.load("street_digits", train=64, test=10)
net = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
                    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
my_run = training.fit(net, few, epochs=1, lr=0.05, batch_size=64, progress=False)
""",
        mistake="saves parameters in place of mult-adds: 3,000 weights that run on all 1,024 pixels",
    ),
    Wrong(
        "11.budget",
        "the answer by heart",
        """
torch.manual_seed(0)
seen = data.load("street_digits", train=60, test=10)
net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 32), nn.ReLU(), nn.Linear(32, 10))
my_run = training.fit(net, seen, epochs=40, lr=0.02, batch_size=20, progress=False)
""",
        mistake="learns sixty images by heart and cannot read a new one",
    ),
]
