"""Answers of learners to the exercises of lesson 01, in many styles, written without looking at the checks.

Names of the lesson that are used: `lenet`, `street`.
"""

from answers import Right, Wrong

ANSWERS = [
    Right(
        "01.output-size",
        "the formula",
        """
def output_size(size, kernel, stride=1, padding=0):
    return (size + 2 * padding - kernel) // stride + 1
""",
    ),
    Right(
        "01.output-size",
        "counts the places of the kernel in a loop",
        """
def output_size(size, kernel, stride=1, padding=0):
    left, places = -padding, 0
    while left + kernel <= size + padding:
        places += 1
        left += stride
    return places
""",
    ),
    Right(
        "01.output-size",
        "the length of a range",
        """
def output_size(n, k, stride=1, padding=0):
    return len(range(0, n + 2 * padding - k + 1, stride))
""",
    ),
    Right(
        "01.output-size",
        "runs a convolution and looks",
        """
def output_size(size, kernel, stride=1, padding=0):
    x = torch.zeros(1, 1, size, size)
    return F.conv2d(x, torch.zeros(1, 1, kernel, kernel), stride=stride, padding=padding).shape[-1]
""",
    ),
    Right(
        "01.output-size",
        "a layer without contents",
        """
def output_size(size, kernel, stride=1, padding=0):
    with torch.device("meta"):
        layer = torch.nn.Conv1d(1, 1, kernel, stride=stride, padding=padding)
        return layer(torch.empty(1, 1, size)).shape[2]
""",
    ),
    Right(
        "01.output-size",
        "math.floor around all of it",
        """
import math

output_size = lambda size, kernel, stride=1, padding=0: math.floor((size - kernel + 2 * padding) / stride + 1)
""",
    ),
    Right(
        "01.output-size",
        "a NumPy integer",
        """
import numpy as np

def output_size(size, kernel, stride=1, padding=0):
    starts = np.arange(-padding, size + padding, stride)
    return np.count_nonzero(starts + kernel <= size + padding)
""",
    ),
    Wrong(
        "01.output-size",
        "forgets the one",
        """
def output_size(size, kernel, stride=1, padding=0):
    return (size + 2 * padding - kernel) // stride
""",
        mistake="counts the steps between the places, one fewer than the places",
    ),
    Wrong(
        "01.output-size",
        "padding at one side",
        """
def output_size(size, kernel, stride=1, padding=0):
    return (size + padding - kernel) // stride + 1
""",
        mistake="adds the padding at one side only",
    ),
    Wrong(
        "01.output-size",
        "forgets the stride",
        """
def output_size(size, kernel, stride=1, padding=0):
    return size + 2 * padding - kernel + 1
""",
        mistake="ignores the stride",
    ),
    Wrong(
        "01.output-size",
        "rounds up",
        """
import math

def output_size(size, kernel, stride=1, padding=0):
    return math.ceil((size + 2 * padding - kernel) / stride) + 1
""",
        mistake="counts a place at which the kernel hangs over the edge",
    ),
    Wrong(
        "01.output-size",
        "true division",
        """
def output_size(size, kernel, stride=1, padding=0):
    return (size + 2 * padding - kernel) / stride + 1
""",
        mistake="does not round down where the stride does not divide: a map has no half pixels",
    ),
    Wrong(
        "01.output-size",
        "the one under the fraction",
        """
def output_size(size, kernel, stride=1, padding=0):
    return (size + 2 * padding - kernel + 1) // stride
""",
        mistake="adds the one before it divides by the stride",
    ),
    Wrong(
        "01.output-size",
        "the padding after the stride",
        """
def output_size(size, kernel, stride=1, padding=0):
    return (size - kernel) // stride + 1 + 2 * padding
""",
        mistake="adds the padding to the output, as if the kernel went over it in steps of one",
    ),
    Wrong(
        "01.output-size",
        "the rule of 'same' padding",
        """
def output_size(size, kernel, stride=1, padding=0):
    return -(-size // stride)
""",
        mistake="takes every convolution for one that keeps the size",
    ),
    Wrong(
        "01.output-size",
        "no defaults",
        """
def output_size(size, kernel, stride, padding):
    return (size + 2 * padding - kernel) // stride + 1
""",
        mistake="drops the defaults of stride and padding, so that output_size(32, 5) is an error",
    ),
    Wrong(
        "01.output-size",
        "round",
        """
def output_size(size, kernel, stride=1, padding=0):
    return round((size + 2 * padding - kernel) / stride) + 1
""",
        mistake="rounds to the nearest, which is up as often as down",
    ),
    Right(
        "01.c3-parameters",
        "a sum",
        """
def c3_parameters(inputs):
    return sum(25 * len(seen) + 1 for seen in inputs)
""",
    ),
    Right(
        "01.c3-parameters",
        "a loop, kernels and biases apart",
        """
def c3_parameters(inputs):
    kernels = 0
    for maps in inputs:
        for m in maps:
            kernels += 1
    biases = len(inputs)
    return kernels * 5 * 5 + biases
""",
    ),
    Right(
        "01.c3-parameters",
        "builds sixteen convolutions and counts",
        """
def c3_parameters(inputs):
    layers = [torch.nn.Conv2d(len(seen), 1, kernel_size=5) for seen in inputs]
    return sum(p.numel() for layer in layers for p in layer.parameters())
""",
    ),
    Right(
        "01.c3-parameters",
        "the package's layer",
        """
def c3_parameters(inputs):
    layer = lenet.PartialConv2d(1 + max(max(seen) for seen in inputs), inputs)
    return sum(p.numel() for p in layer.parameters())
""",
    ),
    Right(
        "01.c3-parameters",
        "a table of NumPy",
        """
import numpy as np

def c3_parameters(inputs):
    table = np.zeros((100, len(inputs)), dtype=int)
    for column, rows in enumerate(inputs):
        table[list(rows), column] = 1
    return (table.sum(axis=0) * 25 + 1).sum()
""",
    ),
    Right(
        "01.c3-parameters",
        "a tensor of lengths, a lambda",
        "c3_parameters = lambda inputs: (torch.tensor([len(i) for i in inputs]) * 25 + 1).sum()",
    ),
    Wrong(
        "01.c3-parameters",
        "all to all",
        """
def c3_parameters(inputs):
    return len(inputs) * (6 * 25 + 1)
""",
        mistake="gives every map a kernel for all six maps of S2, and does not look at the table",
    ),
    Wrong(
        "01.c3-parameters",
        "no biases",
        """
def c3_parameters(inputs):
    return sum(25 * len(seen) for seen in inputs)
""",
        mistake="forgets the bias of each map",
    ),
    Wrong(
        "01.c3-parameters",
        "a bias a kernel",
        """
def c3_parameters(inputs):
    return sum(26 * len(seen) for seen in inputs)
""",
        mistake="gives every kernel a bias, where every map has one",
    ),
    Wrong(
        "01.c3-parameters",
        "one bias",
        """
def c3_parameters(inputs):
    return 25 * sum(map(len, inputs)) + 1
""",
        mistake="gives the whole layer one bias, where every map has one",
    ),
    Wrong(
        "01.c3-parameters",
        "one kernel a map",
        """
def c3_parameters(inputs):
    return len(inputs) * (5 * 5 + 1)
""",
        mistake="gives a map one kernel for all the maps that it sees",
    ),
    Wrong(
        "01.c3-parameters",
        "LeNet's own number",
        """
def c3_parameters(inputs):
    return 1516
""",
        mistake="returns the figure of the paper's table, whatever table is given",
    ),
    Wrong(
        "01.c3-parameters",
        "a bias for each input",
        """
def c3_parameters(inputs):
    kernels = sum(len(seen) for seen in inputs)
    sources = len(set(m for seen in inputs for m in seen))
    return 25 * kernels + sources
""",
        mistake="counts a bias for each map of S2, where each map of C3 has one",
    ),
    Wrong(
        "01.c3-parameters",
        "connections",
        """
def c3_parameters(inputs):
    return sum(10 * 10 * (25 * len(seen) + 1) for seen in inputs)
""",
        mistake="counts connections: a weight that is shared by 100 places is one parameter",
    ),
    Right(
        "01.subsampling",
        "four slices",
        """
def subsample(x, coefficient, bias):
    squares = x[:, 0::2, 0::2] + x[:, 0::2, 1::2] + x[:, 1::2, 0::2] + x[:, 1::2, 1::2]
    return squares * coefficient[:, None, None] + bias[:, None, None]
""",
    ),
    Right(
        "01.subsampling",
        "rows first, then columns",
        """
def subsample(x, coefficient, bias):
    rows = x[:, ::2] + x[:, 1::2]
    both = rows[..., ::2] + rows[..., 1::2]
    return coefficient.view(-1, 1, 1) * both + bias.view(-1, 1, 1)
""",
    ),
    Right(
        "01.subsampling",
        "reshape and sum",
        """
def subsample(x, coefficient, bias):
    c, h, w = x.shape
    sums = x.reshape(c, h // 2, 2, w // 2, 2).sum((2, 4))
    return torch.einsum("chw,c->chw", sums, coefficient) + bias.reshape(c, 1, 1)
""",
    ),
    Right(
        "01.subsampling",
        "loops over maps and places",
        """
def subsample(x, coefficient, bias):
    channels, height, width = x.shape
    out = torch.zeros(channels, height // 2, width // 2, dtype=x.dtype)
    for c in range(channels):
        for i in range(height // 2):
            for j in range(width // 2):
                out[c, i, j] = x[c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].sum() * coefficient[c] + bias[c]
    return out
""",
    ),
    Right(
        "01.subsampling",
        "unfold",
        """
def subsample(maps, a, b):
    windows = maps.unfold(1, 2, 2).unfold(2, 2, 2)
    return windows.sum(dim=(-2, -1)) * a[:, None, None] + b[:, None, None]
""",
    ),
    Right(
        "01.subsampling",
        "NumPy inside",
        """
import numpy as np

def subsample(x, coefficient, bias):
    a = x.numpy()
    total = sum(a[:, i::2, j::2] for i in (0, 1) for j in (0, 1))
    return torch.from_numpy(total * coefficient.numpy()[:, None, None] + bias.numpy()[:, None, None])
""",
    ),
    Right(
        "01.subsampling",
        "one map after the other, stacked, in double precision",
        """
def subsample(x, coefficient, bias):
    x = x.double()
    maps = []
    for plane, c, b in zip(x, coefficient, bias):
        maps.append((plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) * c + b)
    return torch.stack(maps)
""",
    ),
    Wrong(
        "01.subsampling",
        "the mean",
        """
def subsample(x, coefficient, bias):
    c, h, w = x.shape
    means = x.reshape(c, h // 2, 2, w // 2, 2).mean((2, 4))
    return means * coefficient[:, None, None] + bias[:, None, None]
""",
        mistake="averages the square, where the four pixels are added: a quarter of what is wanted",
    ),
    Wrong(
        "01.subsampling",
        "the forbidden function",
        """
def subsample(x, coefficient, bias):
    return 4 * F.avg_pool2d(x[None], 2)[0] * coefficient[:, None, None] + bias[:, None, None]
""",
        mistake="calls avg_pool2d, which the exercise excludes",
    ),
    Wrong(
        "01.subsampling",
        "the forbidden function as a layer",
        """
def subsample(x, coefficient, bias):
    pool = torch.nn.AvgPool2d(kernel_size=2)
    return 4 * pool(x.unsqueeze(0)).squeeze(0) * coefficient[:, None, None] + bias[:, None, None]
""",
        mistake="lets nn.AvgPool2d call avg_pool2d, which the exercise excludes",
    ),
    Wrong(
        "01.subsampling",
        "no bias",
        """
def subsample(x, coefficient, bias):
    s = x[:, 0::2, 0::2] + x[:, 0::2, 1::2] + x[:, 1::2, 0::2] + x[:, 1::2, 1::2]
    return s * coefficient[:, None, None]
""",
        mistake="forgets the bias",
    ),
    Wrong(
        "01.subsampling",
        "the bias inside",
        """
def subsample(x, coefficient, bias):
    s = x[:, 0::2, 0::2] + x[:, 0::2, 1::2] + x[:, 1::2, 0::2] + x[:, 1::2, 1::2]
    return (s + bias[:, None, None]) * coefficient[:, None, None]
""",
        mistake="adds the bias before it multiplies by the coefficient",
    ),
    Wrong(
        "01.subsampling",
        "the largest",
        """
def subsample(x, coefficient, bias):
    c, h, w = x.shape
    largest = x.reshape(c, h // 2, 2, w // 2, 2).amax((2, 4))
    return largest * coefficient[:, None, None] + bias[:, None, None]
""",
        mistake="keeps the largest of the four, which is what later networks do",
    ),
    Wrong(
        "01.subsampling",
        "only the diagonal",
        """
def subsample(x, coefficient, bias):
    s = x[:, ::2, ::2] + x[:, 1::2, 1::2]
    return s * coefficient[:, None, None] + bias[:, None, None]
""",
        mistake="adds two of the four pixels of a square, those on its diagonal",
    ),
    Wrong(
        "01.subsampling",
        "coefficients along the width",
        """
def subsample(x, coefficient, bias):
    s = x[:, 0::2, 0::2] + x[:, 0::2, 1::2] + x[:, 1::2, 0::2] + x[:, 1::2, 1::2]
    return s * coefficient + bias
""",
        mistake="lets the coefficients broadcast along the width: an error, or wrong where the sizes happen to fit",
    ),
    Wrong(
        "01.subsampling",
        "only for square maps",
        """
def subsample(x, coefficient, bias):
    c, n, _ = x.shape
    s = x.reshape(c, n // 2, 2, n // 2, 2).sum((2, 4))
    return s * coefficient[:, None, None] + bias[:, None, None]
""",
        mistake="takes the height for the width too",
    ),
    Wrong(
        "01.subsampling",
        "squares that overlap",
        """
def subsample(x, coefficient, bias):
    s = x[:, :-1, :-1] + x[:, :-1, 1:] + x[:, 1:, :-1] + x[:, 1:, 1:]
    return s * coefficient[:, None, None] + bias[:, None, None]
""",
        mistake="moves the square by one pixel, so that the map is hardly smaller than before",
    ),
    Wrong(
        "01.subsampling",
        "the first map's coefficient",
        """
def subsample(x, coefficient, bias):
    s = x[:, 0::2, 0::2] + x[:, 0::2, 1::2] + x[:, 1::2, 0::2] + x[:, 1::2, 1::2]
    return s * coefficient[0] + bias[0]
""",
        mistake="uses the coefficient and the bias of the first map for all",
    ),
    Wrong(
        "01.subsampling",
        "works in the caller's tensor",
        """
def subsample(x, coefficient, bias):
    x *= coefficient[:, None, None]
    s = x[:, 0::2, 0::2] + x[:, 0::2, 1::2] + x[:, 1::2, 0::2] + x[:, 1::2, 1::2]
    s += bias[:, None, None]
    return s
""",
        mistake="multiplies the maps that it was given in place, so that they are others afterwards",
    ),
    Right(
        "01.pooling",
        "a chequerboard",
        """
image = torch.tensor([[1., -1., 1., -1.], [-1., 1., -1., 1.], [1., -1., 1., -1.], [-1., 1., -1., 1.]])
""",
    ),
    Right(
        "01.pooling",
        "stripes",
        "image = torch.tensor([1.0, -1.0, 1.0, -1.0]).repeat(4, 1)",
    ),
    Right(
        "01.pooling",
        "one large pixel and three small ones",
        """
square = torch.full((2, 2), -1 / 3)
square[0, 0] = 1
image = square.repeat(2, 2)
""",
    ),
    Right(
        "01.pooling",
        "one very dark pixel in each square",
        "image = torch.tensor([[1, 1, -3, 1], [1, -3, 1, 1], [-3, 1, 1, -3], [1, 1, 1, 1]])",
    ),
    Right(
        "01.pooling",
        "another pattern in each square, in double precision",
        """
image = torch.tensor(
    [[1, 0, 1, -0.5], [0, -1, 0.25, -0.75], [-1, 1, 1, 1], [-1, 1, -1, -1]], dtype=torch.float64
)
""",
    ),
    Right(
        "01.pooling",
        "by way of NumPy",
        """
import numpy as np

image = torch.tensor(np.kron(np.ones((2, 2)), [[1.0, -1.0], [0.5, -0.5]]))
""",
    ),
    Wrong(
        "01.pooling",
        "ones and zeros",
        "image = torch.tensor([[1., 0., 1., 0.], [0., 0., 0., 0.], [1., 0., 1., 0.], [0., 0., 0., 0.]])",
        mistake="has no negative numbers, so that the mean of a square is a quarter and not zero",
    ),
    Wrong(
        "01.pooling",
        "zero on average over the image",
        "image = torch.tensor([[1., 1., -1., -1.], [1., 1., -1., -1.], [-1., -1., 1., 1.], [-1., -1., 1., 1.]])",
        mistake="has a mean of zero over the whole image and not over each square",
    ),
    Wrong(
        "01.pooling",
        "twos",
        "image = torch.tensor([[2., -2.], [-2., 2.]]).repeat(2, 2)",
        mistake="has the right means, but the largest number of each square is 2",
    ),
    Wrong(
        "01.pooling",
        "one square only",
        """
image = torch.zeros(4, 4)
image[0, 0] = 1
image[1, 1] = -1
""",
        mistake="fills one of the four squares and leaves the others at zero",
    ),
    Wrong(
        "01.pooling",
        "the result in place of the image",
        "image = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])",
        mistake="has 2 × 2 pixels, one square, where 4 × 4 are asked for",
    ),
    Wrong(
        "01.pooling",
        "a list",
        "image = [[1, -1, 1, -1], [-1, 1, -1, 1], [1, -1, 1, -1], [-1, 1, -1, 1]]",
        mistake="is a list of lists and not a tensor",
    ),
    Wrong(
        "01.pooling",
        "the same thing with the signs changed",
        "image = -torch.tensor([[1, -1 / 3], [-1 / 3, -1 / 3]]).repeat(2, 2)",
        mistake="has -1 for the smallest of each square; the largest is a third",
    ),
    Right(
        "01.better-lenet",
        "ReLU, max pooling, augmentation",
        """
torch.manual_seed(0)
net = models.get_model("lenet5", in_channels=3, activation=torch.nn.ReLU, pool=torch.nn.MaxPool2d)
my_run = training.fit(
    net,
    street,
    epochs=12,
    lr=0.05,
    batch_size=64,
    augment=training.Augment(shift=2, rotate=8, zoom=0.1),
    progress=False,
)
""",
    ),
    Wrong(
        "01.better-lenet",
        "a ResNet",
        """
torch.manual_seed(0)
some = data.load("street_digits", train=256, test=100)
my_run = training.fit(models.get_model("resnet20_tiny"), some, epochs=1, lr=0.2, batch_size=64, progress=False)
""",
        mistake="takes a network of 68,050 parameters, more than the 65,000 that are allowed",
    ),
    Wrong(
        "01.better-lenet",
        "the network and not the run, never trained",
        """
torch.manual_seed(0)
my_run = models.get_model("lenet5", in_channels=3, activation=torch.nn.ReLU, pool=torch.nn.MaxPool2d)
""",
        mistake="has built a network and not trained it",
    ),
    Wrong(
        "01.better-lenet",
        "one epoch",
        """
torch.manual_seed(0)
net = models.get_model("lenet5", in_channels=3, activation=torch.nn.ReLU, pool=torch.nn.MaxPool2d)
my_run = training.fit(net, street, epochs=1, lr=0.01, batch_size=64, progress=False)
""",
        mistake="stops after one epoch, when the network has hardly begun to learn",
    ),
    Wrong(
        "01.better-lenet",
        "on the digits of the lesson's first half",
        """
torch.manual_seed(0)
digits = data.load("handwritten").in_rgb()
my_run = training.fit(
    models.get_model("lenet5", in_channels=3), digits, epochs=3, lr=0.05, batch_size=16, progress=False
)
""",
        mistake="is trained on handwritten digits, of which it reads nearly all, and not on street digits",
    ),
    Wrong(
        "01.better-lenet",
        "grey images",
        """
torch.manual_seed(0)
my_run = training.fit(models.get_model("lenet5"), data.load("handwritten"), epochs=1, lr=0.05, progress=False)
""",
        mistake="takes images of one channel, so that it cannot read street digits in colour at all",
    ),
    Right(
        "01.output-size",
        "divmod",
        """
def output_size(size, kernel, stride=1, padding=0):
    steps, left_over = divmod(size - kernel + padding + padding, stride)
    return steps + 1
""",
    ),
    Right(
        "01.output-size",
        "NumPy's floor, which is a float",
        """
import numpy as np

def output_size(size, kernel, stride=1, padding=0):
    return np.floor((size + 2 * padding - kernel) / stride) + 1
""",
    ),
    Wrong(
        "01.output-size",
        "half a kernel at each side",
        """
def output_size(size, kernel, stride=1, padding=0):
    return (size + 2 * padding - 2 * (kernel // 2) - 1) // stride + 1
""",
        mistake="is right for odd kernels only",
    ),
    Wrong(
        "01.output-size",
        "the stride first",
        """
def output_size(size, kernel, stride=1, padding=0):
    return (size + 2 * padding) // stride - kernel + 1
""",
        mistake="divides the image by the stride before the kernel is taken off",
    ),
    Wrong(
        "01.output-size",
        "the kernel takes off its whole width",
        """
def output_size(size, kernel, stride=1, padding=0):
    return (size - kernel + 2 * padding) // stride
""",
        mistake="forgets the first place",
    ),
    Right(
        "01.c3-parameters",
        "a flat list, and a float",
        """
from itertools import chain

def c3_parameters(inputs):
    return 25.0 * len(list(chain.from_iterable(inputs))) + len(inputs)
""",
    ),
    Wrong(
        "01.c3-parameters",
        "each map of S2 once",
        """
def c3_parameters(inputs):
    return sum(25 * len(set(sum(map(tuple, inputs), ()))) + 1 for _ in range(1))
""",
        mistake="gives each map of S2 one kernel, shared by all maps of C3",
    ),
    Wrong(
        "01.c3-parameters",
        "a kernel of 3 x 3",
        """
def c3_parameters(inputs):
    return sum(9 * len(seen) + 1 for seen in inputs)
""",
        mistake="takes kernels of 3 x 3",
    ),
    Right(
        "01.subsampling",
        "a grouped convolution with the coefficients as its weights",
        """
def subsample(x, coefficient, bias):
    weight = coefficient.view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
    return F.conv2d(x[None], weight, bias, stride=2, groups=len(x))[0]
""",
    ),
    Right(
        "01.subsampling",
        "two matrices that add neighbours, an array returned",
        """
import numpy as np

def subsample(x, coefficient, bias):
    c, h, w = x.shape
    rows = np.kron(np.eye(h // 2), np.ones((1, 2)))
    columns = np.kron(np.eye(w // 2), np.ones((2, 1)))
    sums = rows @ np.asarray(x) @ columns
    return np.einsum("chw,c->chw", sums, np.asarray(coefficient)) + np.asarray(bias).reshape(-1, 1, 1)
""",
    ),
    Wrong(
        "01.subsampling",
        "the quarters of the map",
        """
def subsample(x, coefficient, bias):
    h, w = x.shape[1] // 2, x.shape[2] // 2
    s = x[:, :h, :w] + x[:, h:, :w] + x[:, :h, w:] + x[:, h:, w:]
    return s * coefficient[:, None, None] + bias[:, None, None]
""",
        mistake="adds the four quarters of the map, not the four pixels of a square",
    ),
    Wrong(
        "01.subsampling",
        "coefficient and bias the other way round",
        """
def subsample(x, coefficient, bias):
    s = x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]
    return s * bias[:, None, None] + coefficient[:, None, None]
""",
        mistake="multiplies by the bias and adds the coefficient",
    ),
    Wrong(
        "01.subsampling",
        "one pixel of the square twice",
        """
def subsample(x, coefficient, bias):
    s = x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, ::2, 1::2]
    return s * coefficient[:, None, None] + bias[:, None, None]
""",
        mistake="takes the upper right pixel twice and the lower right one never",
    ),
    Right(
        "01.pooling",
        "an array of integers, built by a product",
        """
import numpy as np

image = np.outer([1, -1, 1, -1], [1, 1, 1, 1])
""",
    ),
    Wrong(
        "01.pooling",
        "with the axes that max_pool2d wants",
        "image = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(2, 2)[None, None]",
        mistake="has four axes where a 4 x 4 image is asked for",
    ),
    Wrong(
        "01.pooling",
        "almost one in one square, three in another",
        """
image = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(2, 2)
image[0, 0] = image[1, 1] = 1 - 1e-7
image[2, 2], image[3, 3] = 3, -1
""",
        mistake="has a three in its third square",
    ),
    Wrong(
        "01.pooling",
        "not a number",
        "image = torch.full((4, 4), float('nan'))",
        mistake="has no numbers in it",
    ),
]
