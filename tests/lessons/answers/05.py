"""Answers of learners to the exercises of lesson 05, in many styles, written without looking at the checks.

Names of the lesson that are used: `googlenet`.
"""

from answers import Right, Wrong

ANSWERS = [
    Right("05.always-cheaper", "one map at the end", "branch = [64, 32, 1]"),
    Right(
        "05.always-cheaper",
        "searched for, as a tensor",
        """
into = 480
found = [(r, o) for r in range(1, into) for o in range(1, 64) if into * r + 9 * r * o > 9 * into * o]
branch = torch.tensor([into, *found[-1]])
""",
    ),
    Right(
        "05.always-cheaper",
        "NumPy numbers, one map fewer than come in",
        """
import numpy as np

branch = np.array([256, 255, 200])
""",
    ),
    Wrong(
        "05.always-cheaper",
        "module 3a's own",
        "branch = (192, 96, 128)",
        mistake="gives a reduction that saves",
    ),
    Wrong(
        "05.always-cheaper",
        "more maps than come in",
        "branch = (64, 96, 128)",
        mistake="does not reduce at all",
    ),
    Wrong(
        "05.always-cheaper",
        "in another order",
        "branch = (96, 192, 8)",
        mistake="gives the maps of the 1 × 1 first",
    ),
    Right(
        "05.pointwise",
        "einsum",
        """
def pointwise(x, weight, bias):
    return torch.einsum("kc,chw->khw", weight, x) + bias[:, None, None]
""",
    ),
    Right(
        "05.pointwise",
        "a linear layer over the last axis",
        """
def pointwise(x, weight, bias):
    return F.linear(x.permute(1, 2, 0), weight, bias).permute(2, 0, 1)
""",
    ),
    Right(
        "05.pointwise",
        "one product of matrices",
        """
def pointwise(x, weight, bias):
    c, h, w = x.shape
    pixels = x.reshape(c, h * w)
    return (weight @ pixels + bias.unsqueeze(1)).reshape(-1, h, w)
""",
    ),
    Right(
        "05.pointwise",
        "loops over the maps",
        """
def pointwise(x, weight, bias):
    maps = []
    for row, b in zip(weight, bias):
        total = torch.zeros_like(x[0])
        for w, plane in zip(row, x):
            total = total + w * plane
        maps.append(total + b)
    return torch.stack(maps)
""",
    ),
    Right(
        "05.pointwise",
        "NumPy's tensordot",
        """
import numpy as np

def pointwise(x, weight, bias):
    result = np.tensordot(weight.numpy(), x.numpy(), axes=1) + bias.numpy().reshape(-1, 1, 1)
    return torch.from_numpy(result)
""",
    ),
    Right(
        "05.pointwise",
        "an nn.Linear with the weights put into it",
        """
def pointwise(x, weight, bias):
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
        return layer(x.movedim(0, -1)).movedim(-1, 0)
""",
    ),
    Right(
        "05.pointwise",
        "broadcasting and a sum",
        """
pointwise = lambda x, weight, bias: (weight[:, :, None, None] * x[None]).sum(dim=1) + bias.view(-1, 1, 1)
""",
    ),
    Wrong(
        "05.pointwise",
        "a convolution",
        """
def pointwise(x, weight, bias):
    return F.conv2d(x[None], weight[:, :, None, None], bias)[0]
""",
        mistake="calls the convolution that the exercise excludes",
    ),
    Wrong(
        "05.pointwise",
        "a convolution in one dimension",
        """
def pointwise(x, weight, bias):
    c, h, w = x.shape
    return F.conv1d(x.reshape(1, c, h * w), weight[:, :, None], bias).reshape(-1, h, w)
""",
        mistake="calls another convolution, in one dimension: any is excluded",
    ),
    Wrong(
        "05.pointwise",
        "a convolution as a layer",
        """
def pointwise(x, weight, bias):
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], 1)
    layer.weight.data = weight[:, :, None, None]
    layer.bias.data = bias
    return layer(x[None])[0].detach()
""",
        mistake="hides the convolution in a layer",
    ),
    Wrong(
        "05.pointwise",
        "no bias",
        """
def pointwise(x, weight, bias):
    return torch.einsum("kc,chw->khw", weight, x)
""",
        mistake="forgets the bias",
    ),
    Wrong(
        "05.pointwise",
        "the bias along the width",
        """
def pointwise(x, weight, bias):
    return torch.einsum("kc,chw->khw", weight, x) + bias
""",
        mistake="lets the bias broadcast along the width, where it fits only by chance",
    ),
    Wrong(
        "05.pointwise",
        "reshapes where it should permute",
        """
def pointwise(x, weight, bias):
    c, h, w = x.shape
    pixels = x.reshape(h * w, c)
    return F.linear(pixels, weight, bias).reshape(-1, h, w)
""",
        mistake="reshapes (C, H, W) to (H·W, C), which mixes pixels and channels, where it should permute",
    ),
    Wrong(
        "05.pointwise",
        "the transposed weights",
        """
def pointwise(x, weight, bias):
    return torch.einsum("ck,chw->khw", weight, x) + bias[:, None, None]
""",
        mistake="uses the weights transposed, which runs where there are as many maps out as in",
    ),
    Wrong(
        "05.pointwise",
        "channels last",
        """
def pointwise(x, weight, bias):
    return F.linear(x.permute(1, 2, 0), weight, bias)
""",
        mistake="returns (H, W, K) and forgets to bring the channels back to the front",
    ),
    Wrong(
        "05.pointwise",
        "a ReLU too many",
        """
def pointwise(x, weight, bias):
    return (torch.einsum("kc,chw->khw", weight, x) + bias[:, None, None]).relu()
""",
        mistake="adds the ReLU that follows in the network: asked for is the linear layer",
    ),
    Wrong(
        "05.pointwise",
        "height and width exchanged",
        """
def pointwise(x, weight, bias):
    return F.linear(x.T, weight, bias).permute(2, 0, 1)
""",
        mistake="reverses all axes with .T and puts back only the channels, so that the image lies on its side",
    ),
    Right(
        "05.module-cost",
        "the formula, term by term",
        """
def module_cost(in_channels, widths, size):
    one, reduce3, three, reduce5, five, pool = widths
    weights = in_channels * one
    weights += in_channels * reduce3 + 9 * reduce3 * three
    weights += in_channels * reduce5 + 25 * reduce5 * five
    weights += in_channels * pool
    return weights + sum(widths), weights * size * size
""",
    ),
    Right(
        "05.module-cost",
        "a table of convolutions",
        """
def module_cost(in_channels, widths, size):
    a, b, c, d, e, f = widths
    convolutions = [(in_channels, a, 1), (in_channels, b, 1), (b, c, 3), (in_channels, d, 1), (d, e, 5)]
    convolutions.append((in_channels, f, 1))
    params = macs = 0
    for i, o, k in convolutions:
        params += i * o * k * k + o
        macs += i * o * k * k * size**2
    return params, macs
""",
    ),
    Right(
        "05.module-cost",
        "NumPy",
        """
import numpy as np

def module_cost(in_channels, widths, size):
    outs = np.array(widths)
    ins = np.array([in_channels, in_channels, widths[1], in_channels, widths[3], in_channels])
    areas = np.array([1, 1, 3, 1, 5, 1]) ** 2
    weights = (ins * outs * areas).sum()
    return weights + outs.sum(), weights * size**2
""",
    ),
    Right(
        "05.module-cost",
        "a helper and a list as the result",
        """
def conv(ins, outs, k):
    return k**2 * ins * outs

def module_cost(channels, w, size):
    total = conv(channels, w[0] + w[1] + w[3] + w[5], 1) + conv(w[1], w[2], 3) + conv(w[3], w[4], 5)
    return [total + sum(w), size * size * total]
""",
    ),
    Right(
        "05.module-cost",
        "a tensor's product",
        """
def module_cost(in_channels, widths, size):
    ones, r3, threes, r5, fives, proj = widths
    per_map = torch.tensor([in_channels, in_channels, 9 * r3, in_channels, 25 * r5, in_channels])
    weights = int(per_map @ torch.tensor(list(widths)))
    return weights + sum(widths), weights * size**2
""",
    ),
    Wrong(
        "05.module-cost",
        "biases in the work",
        """
def module_cost(in_channels, widths, size):
    a, b, c, d, e, f = widths
    params = in_channels * (a + b + d + f) + 9 * b * c + 25 * d * e + sum(widths)
    return params, params * size**2
""",
        mistake="counts the biases as mult-adds",
    ),
    Wrong(
        "05.module-cost",
        "no biases",
        """
def module_cost(in_channels, widths, size):
    a, b, c, d, e, f = widths
    weights = in_channels * (a + b + d + f) + 9 * b * c + 25 * d * e
    return weights, weights * size**2
""",
        mistake="forgets the biases",
    ),
    Wrong(
        "05.module-cost",
        "biases of what comes out only",
        """
def module_cost(in_channels, widths, size):
    a, b, c, d, e, f = widths
    weights = in_channels * (a + b + d + f) + 9 * b * c + 25 * d * e
    return weights + a + c + e + f, weights * size**2
""",
        mistake="forgets that the reductions have biases too",
    ),
    Wrong(
        "05.module-cost",
        "naive",
        """
def module_cost(in_channels, widths, size):
    a, b, c, d, e, f = widths
    weights = in_channels * (a + 9 * c + 25 * e + f)
    return weights + a + c + e + f, weights * size**2
""",
        mistake="lets the large kernels read the whole input, as if there were no reductions",
    ),
    Wrong(
        "05.module-cost",
        "torchvision's slip",
        """
def module_cost(in_channels, widths, size):
    a, b, c, d, e, f = widths
    weights = in_channels * (a + b + d + f) + 9 * b * c + 9 * d * e
    return weights + sum(widths), weights * size**2
""",
        mistake="counts a kernel of 3 × 3 in the third branch, where the paper has 5 × 5",
    ),
    Wrong(
        "05.module-cost",
        "a convolution in the pool",
        """
def module_cost(in_channels, widths, size):
    a, b, c, d, e, f = widths
    weights = in_channels * (a + b + d + 9 * f) + 9 * b * c + 25 * d * e
    return weights + sum(widths), weights * size**2
""",
        mistake="gives the projection the pool's 3 × 3 pixels: it is a 1 × 1 convolution, and the pool has no weights",
    ),
    Wrong(
        "05.module-cost",
        "no projection",
        """
def module_cost(in_channels, widths, size):
    a, b, c, d, e, f = widths
    weights = in_channels * (a + b + d) + 9 * b * c + 25 * d * e
    return weights + a + b + c + d + e, weights * size**2
""",
        mistake="forgets the projection behind the pool",
    ),
    Wrong(
        "05.module-cost",
        "the side",
        """
def module_cost(in_channels, widths, size):
    a, b, c, d, e, f = widths
    weights = in_channels * (a + b + d + f) + 9 * b * c + 25 * d * e
    return weights + sum(widths), weights * size
""",
        mistake="multiplies by the side of the map, not by its number of places",
    ),
    Wrong(
        "05.module-cost",
        "kernels that are not squared",
        """
def module_cost(in_channels, widths, size):
    a, b, c, d, e, f = widths
    weights = in_channels * (a + b + d + f) + 3 * b * c + 5 * d * e
    return weights + sum(widths), weights * size**2
""",
        mistake="takes the sides of the kernels for their areas",
    ),
    Wrong(
        "05.module-cost",
        "a smaller map",
        """
def module_cost(in_channels, widths, size):
    a, b, c, d, e, f = widths
    ones, threes, fives = in_channels * (a + b + d + f), 9 * b * c, 25 * d * e
    macs = ones * size**2 + threes * (size - 2) ** 2 + fives * (size - 4) ** 2
    return ones + threes + fives + sum(widths), macs
""",
        mistake="lets the large kernels shrink the map, where padding keeps its size",
    ),
    Right(
        "05.concatenation",
        "a loop",
        """
def output_channels(in_channels, modules, naive=False):
    for ones, _, threes, _, fives, projection in modules:
        in_channels = ones + threes + fives + (in_channels if naive else projection)
    return in_channels
""",
    ),
    Right(
        "05.concatenation",
        "two formulas",
        """
def output_channels(in_channels, modules, naive=False):
    if naive:
        return in_channels + sum(m[0] + m[2] + m[4] for m in modules)
    last = modules[-1]
    return last[0] + last[2] + last[4] + last[5]
""",
    ),
    Right(
        "05.concatenation",
        "recursion",
        """
def output_channels(in_channels, modules, naive=False):
    if len(modules) == 0:
        return in_channels
    *before, widths = modules
    passed = output_channels(in_channels, before, naive) if naive else widths[5]
    return sum(widths[:5:2]) + passed
""",
    ),
    Right(
        "05.concatenation",
        "concatenates empty maps and looks",
        """
def output_channels(in_channels, modules, naive=False):
    x = torch.empty(1, in_channels, 1, 1)
    for w in modules:
        pooled = x if naive else torch.empty(1, w[5], 1, 1)
        x = torch.cat([torch.empty(1, w[0], 1, 1), torch.empty(1, w[2], 1, 1), torch.empty(1, w[4], 1, 1), pooled], 1)
    return x.shape[1]
""",
    ),
    Right(
        "05.concatenation",
        "NumPy",
        """
import numpy as np

def output_channels(in_channels, modules, naive=False):
    table = np.array(modules)
    made = table[:, [0, 2, 4]].sum(axis=1)
    return in_channels + made.sum() if naive else made[-1] + table[-1, 5]
""",
    ),
    Wrong(
        "05.concatenation",
        "adds all six",
        """
def output_channels(in_channels, modules, naive=False):
    for widths in modules:
        in_channels = sum(widths) + (in_channels - widths[5] if naive else 0)
    return in_channels
""",
        mistake="adds the reductions too, whose maps stay inside the module",
    ),
    Wrong(
        "05.concatenation",
        "a projection in the naive module",
        """
def output_channels(in_channels, modules, naive=False):
    for a, _, b, _, c, p in modules:
        in_channels = a + b + c + p
    return in_channels
""",
        mistake="ignores naive: such a module passes on all channels of its pool",
    ),
    Wrong(
        "05.concatenation",
        "the first module's input for all",
        """
def output_channels(in_channels, modules, naive=False):
    a, _, b, _, c, p = modules[-1]
    return a + b + c + (in_channels if naive else p)
""",
        mistake="lets the last naive module pool the input of the first one; with one module nobody notices",
    ),
    Wrong(
        "05.concatenation",
        "adds up the reduced ones too",
        """
def output_channels(in_channels, modules, naive=False):
    total = in_channels if naive else 0
    for a, _, b, _, c, p in modules:
        total += a + b + c + (0 if naive else p)
    return total
""",
        mistake="adds up the outputs of all reduced modules, where each replaces what came in",
    ),
    Wrong(
        "05.concatenation",
        "the first module",
        """
def output_channels(in_channels, modules, naive=False):
    a, _, b, _, c, p = modules[0]
    return a + b + c + (in_channels if naive else p)
""",
        mistake="looks at the first module only",
    ),
    Wrong(
        "05.concatenation",
        "no pool in the naive module",
        """
def output_channels(in_channels, modules, naive=False):
    for a, _, b, _, c, p in modules:
        in_channels = a + b + c + (0 if naive else p)
    return in_channels
""",
        mistake="leaves the pooled input of a naive module out of the concatenation",
    ),
    Wrong(
        "05.concatenation",
        "both",
        """
def output_channels(in_channels, modules, naive=False):
    for a, _, b, _, c, p in modules:
        in_channels = a + b + c + p + (in_channels if naive else 0)
    return in_channels
""",
        mistake="gives a naive module the projection as well as the pool's own channels",
    ),
    Right(
        "05.own-module",
        "the package's module with other widths",
        """
my_module = googlenet.Inception(480, (64, 32, 256, 8, 128, 64))
""",
    ),
    Right(
        "05.own-module",
        "two kernels of 3 × 3 in a row",
        """
class Mine(nn.Module):
    def __init__(self):
        super().__init__()
        self.reduce = nn.Sequential(nn.Conv2d(480, 64, 1), nn.ReLU())
        self.three = nn.Sequential(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())
        self.five = nn.Sequential(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())
        self.out1, self.out3, self.out5 = nn.Conv2d(64, 128, 1), nn.Conv2d(64, 192, 1), nn.Conv2d(64, 192, 1)

    def forward(self, x):
        a = self.reduce(x)
        b = self.three(a)
        c = self.five(b)
        return torch.cat([self.out1(a), self.out3(b), self.out5(c)], dim=1).relu()

my_module = Mine()
""",
    ),
    Right(
        "05.own-module",
        "depthwise kernels",
        """
class Branches(nn.Module):
    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)

def depthwise(kernel, maps):
    return nn.Sequential(
        nn.Conv2d(480, 480, kernel, padding="same", groups=480), nn.Conv2d(480, maps, 1), nn.BatchNorm2d(maps)
    )

my_module = Branches(
    depthwise(5, 64), depthwise(3, 192), nn.Sequential(nn.Conv2d(480, 32, 1), nn.Conv2d(32, 256, 1), nn.ReLU())
)
""",
    ),
    Right(
        "05.own-module",
        "kernels cut into rows and columns, layers that find their inputs out",
        """
class Cut(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.LazyConv2d(96, 1)
        self.thin = nn.LazyConv2d(48, 1)
        self.three = nn.Sequential(
            nn.LazyConv2d(48, (1, 3), padding="same"), nn.LazyConv2d(192, (3, 1), padding="same")
        )
        self.five = nn.Sequential(
            nn.LazyConv2d(48, (1, 5), padding="same"), nn.LazyConv2d(160, (5, 1), padding="same")
        )
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.LazyConv2d(16, 1), nn.LazyConv2d(64, 1))

    def forward(self, x):
        thin = F.relu(self.thin(x))
        return F.relu(torch.cat([self.one(x), self.three(thin), self.five(thin), self.pool(x)], dim=-3))

my_module = Cut()
my_module(torch.zeros(1, 480, 14, 14))
""",
    ),
    Right(
        "05.own-module",
        "parameters and functions",
        """
class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.randn(64, 480, 1, 1) * 0.06)
        self.b = nn.Parameter(torch.randn(256, 32, 3, 3) * 0.08)
        self.c = nn.Parameter(torch.randn(256, 16, 5, 5) * 0.07)

    def forward(self, x):
        reduced = F.conv2d(x, self.a).relu()
        return torch.cat(
            [F.conv2d(reduced[:, :32], self.b, padding=1), F.conv2d(reduced[:, 32:48], self.c[:192], padding=2),
             reduced], dim=1,
        ).relu()

my_module = Functional()
""",
    ),
    Wrong(
        "05.own-module",
        "4a itself",
        """
my_module = googlenet.Inception(480, (192, 96, 208, 16, 48, 64))
""",
        mistake="is module 4a unchanged, at twice the budget",
    ),
    Wrong(
        "05.own-module",
        "too few channels",
        """
my_module = googlenet.Inception(480, (64, 32, 192, 8, 96, 64))
""",
        mistake="returns 416 channels, where the next module needs 512",
    ),
    Wrong(
        "05.own-module",
        "torchvision's third branch",
        """
my_module = googlenet.Inception(480, (64, 32, 256, 8, 128, 64), kernel_size=3)
""",
        mistake="has no map that sees 5 × 5 pixels: its third branch has kernels of 3 × 3",
    ),
    Wrong(
        "05.own-module",
        "half of the input",
        """
class Half(nn.Module):
    def __init__(self):
        super().__init__()
        self.inception = googlenet.Inception(240, (96, 40, 256, 12, 96, 64))

    def forward(self, x):
        return self.inception(x[:, :240])

my_module = Half()
""",
        mistake="saves its mult-adds by never reading half of the input channels",
    ),
    Wrong(
        "05.own-module",
        "everything mixed at the end",
        """
class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.inception = googlenet.Inception(480, (32, 16, 64, 8, 48, 32))
        self.mix = nn.Conv2d(176, 512, 1)

    def forward(self, x):
        return self.mix(self.inception(x)).relu()

my_module = Mixed()
""",
        mistake="mixes all branches into every map at the end, so that no map sees 3 × 3 pixels or less",
    ),
    Wrong(
        "05.own-module",
        "one pixel only",
        """
my_module = nn.Sequential(nn.Conv2d(480, 128, 1), nn.ReLU(), nn.Conv2d(128, 512, 1), nn.ReLU())
""",
        mistake="has kernels of one size only, so that no map sees more than a pixel",
    ),
    Wrong(
        "05.own-module",
        "one size of map",
        """
class Fixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.inception = googlenet.Inception(480, (64, 32, 256, 8, 128, 64))

    def forward(self, x):
        return self.inception(x).view(-1, 512, 14, 14)

my_module = Fixed()
""",
        mistake="works on maps of 14 × 14 only",
    ),
    Wrong(
        "05.own-module",
        "the class",
        """
class Mine(googlenet.Inception):
    def __init__(self):
        super().__init__(480, (64, 32, 256, 8, 128, 64))

my_module = Mine
""",
        mistake="gives the class, not an instance of it",
    ),
    Wrong(
        "05.own-module",
        "a stride",
        """
class Strided(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(480, 384, 1, stride=2)
        self.reduce = nn.Conv2d(480, 32, 1)
        self.three = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.five = nn.Conv2d(32, 64, 5, stride=2, padding=2)

    def forward(self, x):
        r = self.reduce(x).relu()
        return torch.cat([self.one(x), self.three(r), self.five(r)], 1).relu()

my_module = Strided()
""",
        mistake="halves the map with a stride, where a module of Inception keeps its size",
    ),
    Wrong(
        "05.own-module",
        "branches of different heights",
        """
class Unpadded(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(480, 128, 1)
        self.reduce = nn.Conv2d(480, 32, 1)
        self.three = nn.Conv2d(32, 256, 3)
        self.five = nn.Conv2d(32, 128, 5)

    def forward(self, x):
        r = self.reduce(x).relu()
        return torch.cat([self.one(x), self.three(r), self.five(r)], 1)

my_module = Unpadded()
""",
        mistake="has no padding, so that its branches have other heights and widths and cannot be concatenated",
    ),
    Wrong(
        "05.own-module",
        "a few large kernels",
        """
my_module = googlenet.Inception(480, (64, 24, 352, 8, 32, 64))
""",
        mistake="has 32 maps that see 5 × 5 pixels, where at least 48 are asked for",
    ),
    Right(
        "05.pointwise",
        "addmm on flattened maps",
        """
def pointwise(x, weight, bias):
    return torch.addmm(bias[:, None], weight, x.flatten(1)).view(-1, *x.shape[1:])
""",
    ),
    Wrong(
        "05.module-cost",
        "no padding",
        """
def module_cost(in_channels, widths, size):
    one, reduce3, three, reduce5, five, pool = widths
    ones = in_channels * (one + reduce3 + reduce5 + pool)
    threes, fives = 9 * reduce3 * three, 25 * reduce5 * five
    macs = ones * size**2 + threes * (size - 2) ** 2 + fives * (size - 4) ** 2
    return ones + threes + fives + sum(widths), macs
""",
        mistake="lets the large kernels lose the edge of the map, where a module keeps its size",
    ),
    Wrong(
        "05.concatenation",
        "everything that comes along",
        """
def output_channels(in_channels, modules, naive=False):
    own = [w[0] + w[2] + w[4] + (0 if naive else w[5]) for w in modules]
    return in_channels + sum(own)
""",
        mistake="adds the input of the row to what all modules make, also where each module replaces its input",
    ),
]
