"""Answers of learners to the exercises of lesson 04, in many styles, written without looking at the checks.

Names of the lesson that are used: `begin`, `street`.
"""

from answers import Right, Wrong

ANSWERS = [
    Right(
        "04.same-pixels",
        "a plus of ones, as a list of rows",
        """
kernel = torch.tensor(
    [[0, 0, 1, 0, 0], [0, 0, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0], [0, 0, 1, 0, 0]]
)
""",
    ),
    Right(
        "04.same-pixels",
        "at random, as a convolution has it, with gradients",
        """
torch.manual_seed(3)
kernel = nn.Parameter(torch.randn(1, 1, 5, 5, dtype=torch.float64))
""",
    ),
    Right(
        "04.same-pixels",
        "a ring in NumPy: the frame without its middle",
        """
import numpy as np

kernel = np.ones((5, 5))
kernel[1:4, 1:4] = 0
""",
    ),
    Wrong(
        "04.same-pixels",
        "a blur",
        """
row = torch.tensor([1.0, 4, 6, 4, 1])
kernel = torch.outer(row, row) / 256
""",
        mistake="is a column times a row, each of which falls apart into two",
    ),
    Wrong(
        "04.same-pixels",
        "two kernels put together",
        """
torch.manual_seed(0)
kernel = F.conv_transpose2d(torch.randn(1, 1, 3, 3), torch.randn(1, 1, 3, 3))[0, 0]
""",
        mistake="was made of two kernels of 3 × 3",
    ),
    Wrong(
        "04.same-pixels",
        "one pixel at a corner",
        """
kernel = torch.zeros(5, 5)
kernel[0, 0] = 1
""",
        mistake="is one dot, which two dots make",
    ),
    Wrong(
        "04.same-pixels",
        "a whole layer",
        """
kernel = nn.Conv2d(1, 1, 5)
""",
        mistake="gives a layer, where its kernel was asked for",
    ),
    Right(
        "04.receptive-field",
        "upwards, with the distance of neighbours",
        """
def receptive_field(layers):
    field, apart = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * apart
        apart *= stride
    return field
""",
    ),
    Right(
        "04.receptive-field",
        "downwards from one unit",
        """
def receptive_field(layers):
    seen = 1
    for kernel, stride in reversed(layers):
        seen = (seen - 1) * stride + kernel
    return seen
""",
    ),
    Right(
        "04.receptive-field",
        "recursion",
        """
def receptive_field(layers):
    if not layers:
        return 1
    (kernel, stride), *rest = layers
    return kernel + stride * (receptive_field(rest) - 1)
""",
    ),
    Right(
        "04.receptive-field",
        "NumPy, products of strides",
        """
import numpy as np

def receptive_field(layers):
    kernels, strides = np.array(layers).T
    jumps = np.concatenate([[1], np.cumprod(strides)[:-1]])
    return 1 + ((kernels - 1) * jumps).sum()
""",
    ),
    Right(
        "04.receptive-field",
        "asks measure.cost",
        """
def receptive_field(layers):
    net = nn.Sequential(*[nn.Conv2d(1, 1, kernel, stride, padding=kernel // 2) for kernel, stride in layers])
    return measure.cost(net, (1, 2**12, 2**12)).layers[-1].receptive_field
""",
    ),
    Right(
        "04.receptive-field",
        "from the first to the last pixel that a unit depends on, by autograd along a line",
        """
def receptive_field(layers):
    need = 1
    for kernel, stride in layers[::-1]:
        need = (need - 1) * stride + kernel
    line = torch.ones(1, 1, 2 * need, requires_grad=True)
    out = line
    for kernel, stride in layers:
        out = F.conv1d(out, torch.ones(1, 1, kernel) / kernel, stride=stride)
    out[0, 0, 0].backward()
    places = line.grad[0, 0].nonzero()
    return int(places.max() - places.min()) + 1
""",
    ),
    Right(
        "04.receptive-field",
        "reduce and a lambda",
        """
from functools import reduce

receptive_field = lambda layers: reduce(lambda r, l: (r[0] + (l[0] - 1) * r[1], r[1] * l[1]), layers, (1, 1))[0]
""",
    ),
    Wrong(
        "04.receptive-field",
        "no strides",
        """
def receptive_field(layers):
    return 1 + sum(kernel - 1 for kernel, stride in layers)
""",
        mistake="ignores the strides",
    ),
    Wrong(
        "04.receptive-field",
        "the stride too soon",
        """
def receptive_field(layers):
    field, apart = 1, 1
    for kernel, stride in layers:
        apart *= stride
        field += (kernel - 1) * apart
    return field
""",
        mistake="lets a layer's stride widen its own kernel, where it moves only the layers above apart",
    ),
    Wrong(
        "04.receptive-field",
        "the sum of the kernels",
        """
def receptive_field(layers):
    field, apart = 0, 1
    for kernel, stride in layers:
        field += kernel * apart
        apart *= stride
    return field
""",
        mistake="adds whole kernels, where a layer adds one unit fewer than its kernel has",
    ),
    Wrong(
        "04.receptive-field",
        "forgets the unit itself",
        """
def receptive_field(layers):
    field, apart = 0, 1
    for kernel, stride in layers:
        field += (kernel - 1) * apart
        apart *= stride
    return field
""",
        mistake="begins with 0, where one pixel sees one pixel",
    ),
    Wrong(
        "04.receptive-field",
        "from the top",
        """
def receptive_field(layers):
    field, apart = 1, 1
    for kernel, stride in reversed(layers):
        field += (kernel - 1) * apart
        apart *= stride
    return field
""",
        mistake="goes through the layers from the last to the first, with the rule for the other direction",
    ),
    Wrong(
        "04.receptive-field",
        "the product of the kernels",
        """
def receptive_field(layers):
    field = 1
    for kernel, stride in layers:
        field *= kernel
    return field
""",
        mistake="multiplies the kernels, as if neighbouring windows did not overlap",
    ),
    Wrong(
        "04.receptive-field",
        "only the stride before",
        """
def receptive_field(layers):
    field, before = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * before
        before = stride
    return field
""",
        mistake="uses the stride of the layer before alone, where all strides below multiply",
    ),
    Wrong(
        "04.receptive-field",
        "the area",
        """
def receptive_field(layers):
    field, apart = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * apart
        apart *= stride
    return field**2
""",
        mistake="returns the area, where the field is a side in pixels",
    ),
    Right(
        "04.builder",
        "a list of layers",
        """
def build(depths, width=64):
    layers, channels = [], 3
    for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, factor * width, 3, padding=1), nn.ReLU()]
            channels = factor * width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)
""",
    ),
    Right(
        "04.builder",
        "stages in a Sequential",
        """
def stage(depth, ins, outs):
    parts = []
    for index in range(depth):
        parts.append(nn.Conv2d(ins if index == 0 else outs, outs, kernel_size=(3, 3), stride=1, padding=(1, 1)))
        parts.append(nn.ReLU(inplace=True))
    return nn.Sequential(*parts, nn.MaxPool2d(kernel_size=2, stride=2))

def build(depths, width=64):
    outs = [width, 2 * width, 4 * width, 8 * width, 8 * width]
    ins = [3] + outs[:-1]
    return nn.Sequential(*(stage(d, i, o) for d, i, o in zip(depths, ins, outs)))
""",
    ),
    Right(
        "04.builder",
        "lazy layers, padding by name",
        """
def build(depths, width=64):
    net = nn.Sequential()
    for i, depth in enumerate(depths):
        for _ in range(depth):
            net.append(nn.LazyConv2d(min(2**i, 8) * width, 3, padding="same"))
            net.append(nn.ReLU())
        net.append(nn.MaxPool2d(2))
    return net
""",
    ),
    Right(
        "04.builder",
        "names for the layers",
        """
from collections import OrderedDict

def build(depths, width=64):
    layers, last = OrderedDict(), 3
    for s, depth in enumerate(depths, start=1):
        channels = width * [1, 2, 4, 8, 8][s - 1]
        for n in range(1, depth + 1):
            layers[f"conv{s}_{n}"] = nn.Conv2d(last, channels, 3, padding="same")
            layers[f"relu{s}_{n}"] = nn.ReLU(True)
            last = channels
        layers[f"pool{s}"] = nn.MaxPool2d(2, 2)
    return nn.Sequential(layers)
""",
    ),
    Right(
        "04.builder",
        "a list of all channels first, one ReLU for all",
        """
def build(depths, width=64):
    relu = nn.ReLU()
    plan = []
    for depth, factor in zip(depths, [1, 2, 4, 8, 8]):
        plan += [width * factor] * depth + ["pool"]
    modules, before = [], 3
    for entry in plan:
        if entry == "pool":
            modules.append(nn.MaxPool2d(2))
        else:
            modules.extend((nn.Conv2d(before, entry, 3, 1, 1), relu))
            before = entry
    return nn.Sequential(*modules)
""",
    ),
    Wrong(
        "04.builder",
        "no padding",
        """
def build(depths, width=64):
    layers, channels = [], 3
    for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, factor * width, 3), nn.ReLU()]
            channels = factor * width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)
""",
        mistake="leaves the padding out, so that each convolution takes two pixels off the map",
    ),
    Wrong(
        "04.builder",
        "the same layer again and again",
        """
def build(depths, width=64):
    layers, channels = [], 3
    for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
        c = factor * width
        layers += [nn.Conv2d(channels, c, 3, padding=1), nn.ReLU()]
        layers += [nn.Conv2d(c, c, 3, padding=1), nn.ReLU()] * (depth - 1)
        layers.append(nn.MaxPool2d(2))
        channels = c
    return nn.Sequential(*layers)
""",
        mistake="repeats one and the same convolution by multiplying a list, so that the layers share their weights",
    ),
    Wrong(
        "04.builder",
        "pools after each convolution",
        """
def build(depths, width=64):
    layers, channels = [], 3
    for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, factor * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            channels = factor * width
    return nn.Sequential(*layers)
""",
        mistake="pools after every convolution, not once at the end of a stage",
    ),
    Wrong(
        "04.builder",
        "one ReLU a stage",
        """
def build(depths, width=64):
    layers, channels = [], 3
    for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
        for _ in range(depth):
            layers.append(nn.Conv2d(channels, factor * width, 3, padding=1))
            channels = factor * width
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers)
""",
        mistake="puts one ReLU at the end of a stage, so that its convolutions together are one",
    ),
    Wrong(
        "04.builder",
        "doubles without end",
        """
def build(depths, width=64):
    layers, channels = [], 3
    for index, depth in enumerate(depths):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, width * 2**index, 3, padding=1), nn.ReLU()]
            channels = width * 2**index
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)
""",
        mistake="doubles the channels in the last stage too, where they stay at eight times the width",
    ),
    Wrong(
        "04.builder",
        "always 64",
        """
def build(depths, width=64):
    layers, channels = [], 3
    for depth, out in zip(depths, (64, 128, 256, 512, 512)):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, out, 3, padding=1), nn.ReLU()]
            channels = out
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)
""",
        mistake="ignores the width and builds with 64 to 512 channels",
    ),
    Wrong(
        "04.builder",
        "a list",
        """
def build(depths, width=64):
    layers, channels = [], 3
    for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, factor * width, 3, padding=1), nn.ReLU()]
            channels = factor * width
        layers.append(nn.MaxPool2d(2))
    return layers
""",
        mistake="returns a list of layers, which is no network",
    ),
    Wrong(
        "04.builder",
        "the channels at the end of the stage",
        """
def build(depths, width=64):
    layers, channels = [], 3
    for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
        for n in range(depth):
            out = factor * width if n == depth - 1 or channels == 3 else channels
            layers += [nn.Conv2d(channels, out, 3, padding=1), nn.ReLU()]
            channels = out
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)
""",
        mistake="widens with the last convolution of a stage, where the first one does it",
    ),
    Wrong(
        "04.builder",
        "no pooling at the end",
        """
def build(depths, width=64):
    layers, channels = [], 3
    for index, (depth, factor) in enumerate(zip(depths, (1, 2, 4, 8, 8))):
        if index > 0:
            layers.append(nn.MaxPool2d(2))
        for _ in range(depth):
            layers += [nn.Conv2d(channels, factor * width, 3, padding=1), nn.ReLU()]
            channels = factor * width
    return nn.Sequential(*layers)
""",
        mistake="pools between the stages only and leaves the last pooling out",
    ),
    Wrong(
        "04.builder",
        "batch norm",
        """
def build(depths, width=64):
    layers, channels = [], 3
    for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
        for _ in range(depth):
            out = factor * width
            layers += [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU()]
            channels = out
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)
""",
        mistake="puts a batch norm behind each convolution, which nobody asked for",
    ),
    Wrong(
        "04.builder",
        "every stage begins from three channels",
        """
def build(depths, width=64):
    layers = []
    for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
        channels = 3
        for _ in range(depth):
            layers += [nn.Conv2d(channels, factor * width, 3, padding=1), nn.ReLU()]
            channels = factor * width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)
""",
        mistake="resets the channels to three in each stage, so that the second stage does not fit to the first",
    ),
    Wrong(
        "04.builder",
        "mean pooling",
        """
def build(depths, width=64):
    layers, channels = [], 3
    for depth, factor in zip(depths, (1, 2, 4, 8, 8)):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, factor * width, 3, padding=1), nn.ReLU()]
            channels = factor * width
        layers.append(nn.AvgPool2d(2))
    return nn.Sequential(*layers)
""",
        mistake="averages, where the exercise asks for nn.MaxPool2d",
    ),
    Right(
        "04.he-std",
        "the formula",
        """
def he_std(weight):
    _, inputs, height, width = weight.shape
    return (2 / (inputs * height * width)) ** 0.5
""",
    ),
    Right(
        "04.he-std",
        "the numbers of one filter, math",
        """
import math

def he_std(weight):
    return math.sqrt(2 / weight[0].numel())
""",
    ),
    Right(
        "04.he-std",
        "a tensor without dimensions",
        """
def he_std(weight):
    fan_in = torch.tensor(weight.shape[1:]).prod()
    return torch.sqrt(2 / fan_in)
""",
    ),
    Right(
        "04.he-std",
        "PyTorch's gain and fan",
        """
def he_std(weight):
    fan_in, _ = nn.init._calculate_fan_in_and_fan_out(weight)
    return nn.init.calculate_gain("relu") / fan_in**0.5
""",
    ),
    Right(
        "04.he-std",
        "NumPy, a lambda",
        """
import numpy as np

he_std = lambda weight: np.sqrt(2.0 / np.prod(weight.shape[1:]))
""",
    ),
    Right(
        "04.he-std",
        "solves the gain of the lesson for one",
        """
def he_std(weight):
    n_in = weight.numel() / weight.size(0)
    gain_of_one = (n_in / 2) ** 0.5
    return 1 / gain_of_one
""",
    ),
    Wrong(
        "04.he-std",
        "the outputs",
        """
def he_std(weight):
    out, _, height, width = weight.shape
    return (2 / (out * height * width)) ** 0.5
""",
        mistake="takes the fan-out, where the sum of a unit runs over its inputs",
    ),
    Wrong(
        "04.he-std",
        "the variance",
        """
def he_std(weight):
    return 2 / weight[0].numel()
""",
        mistake="returns the variance, not the standard deviation",
    ),
    Wrong(
        "04.he-std",
        "without the ReLU",
        """
def he_std(weight):
    return (1 / weight[0].numel()) ** 0.5
""",
        mistake="forgets that the ReLU throws half of the mean square away",
    ),
    Wrong(
        "04.he-std",
        "Glorot's",
        """
def he_std(weight):
    out, inputs, height, width = weight.shape
    return (2 / ((out + inputs) * height * width)) ** 0.5
""",
        mistake="gives Glorot's rule, the mean of fan-in and fan-out, made for units without a ReLU",
    ),
    Wrong(
        "04.he-std",
        "the maps alone",
        """
def he_std(weight):
    return (2 / weight.shape[1]) ** 0.5
""",
        mistake="counts the input maps and forgets the places of the kernel",
    ),
    Wrong(
        "04.he-std",
        "always nine",
        """
def he_std(weight):
    return (2 / (9 * weight.shape[1])) ** 0.5
""",
        mistake="takes every kernel for one of 3 × 3",
    ),
    Wrong(
        "04.he-std",
        "square kernels only",
        """
def he_std(weight):
    return (2 / (weight.shape[1] * weight.shape[2] ** 2)) ** 0.5
""",
        mistake="takes the height of the kernel for its width too",
    ),
    Wrong(
        "04.he-std",
        "the bound of a uniform distribution",
        """
def he_std(weight):
    return (6 / weight[0].numel()) ** 0.5
""",
        mistake="gives the bound of the uniform distribution, which is √3 times its standard deviation",
    ),
    Wrong(
        "04.he-std",
        "all weights",
        """
def he_std(weight):
    return (2 / weight.numel()) ** 0.5
""",
        mistake="divides by the number of all weights, where a unit adds up those of one filter",
    ),
    Wrong(
        "04.he-std",
        "what the weight has",
        """
def he_std(weight):
    return weight.std().item()
""",
        mistake="measures the standard deviation that the weight has, not the one that it should be drawn with",
    ),
    Wrong(
        "04.he-std",
        "draws the weight",
        """
def he_std(weight):
    return nn.init.kaiming_normal_(weight.clone(), nonlinearity="relu")
""",
        mistake="returns weights that are drawn by the rule, not the standard deviation",
    ),
    Right(
        "04.nineteen-layers",
        "He's rule, eight epochs",
        """
torch.manual_seed(0)
net = training.initialize(models.get_model("vgg19_tiny"), lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"))
my_run = training.fit(net, street, epochs=8, lr=0.01, batch_size=32, progress=False)
""",
        slow=True,
    ),
    Wrong(
        "04.nineteen-layers",
        "eleven layers",
        """
torch.manual_seed(0)
some = data.load("street_digits", train=256, test=100)
my_run = training.fit(models.get_model("vgg11_tiny"), some, epochs=1, lr=0.01, batch_size=32, progress=False)
""",
        mistake="trains a network of eleven layers, not of nineteen",
    ),
    Wrong(
        "04.nineteen-layers",
        "with batch norm",
        """
torch.manual_seed(0)
some = data.load("street_digits", train=256, test=100)
my_run = training.fit(models.get_model("vgg19_bn_tiny"), some, epochs=1, lr=0.02, batch_size=32, progress=False)
""",
        mistake="takes the network with batch norm, which the exercise excludes",
    ),
    Wrong(
        "04.nineteen-layers",
        "the silent start",
        """
torch.manual_seed(0)
some = data.load("street_digits", train=512, test=100)
net = training.initialize(models.get_model("vgg19_tiny"), lambda w: nn.init.normal_(w, std=0.01))
my_run = training.fit(net, some, epochs=2, lr=0.02, batch_size=32, progress=False)
""",
        mistake="starts all layers with a standard deviation of 0.01, from which nineteen layers stay silent",
    ),
    Wrong(
        "04.nineteen-layers",
        "well started, never trained",
        """
torch.manual_seed(0)
my_run = training.initialize(models.get_model("vgg19_tiny"), nn.init.kaiming_normal_)
""",
        mistake="has a good start and no training behind it",
    ),
    Wrong(
        "04.nineteen-layers",
        "a residual network",
        """
torch.manual_seed(0)
some = data.load("street_digits", train=256, test=100)
my_run = training.fit(models.get_model("resnet20_tiny"), some, epochs=1, lr=0.1, batch_size=32, progress=False)
""",
        mistake="takes a ResNet, which has shortcuts and batch norm, for a VGG network of nineteen layers",
    ),
    Right(
        "04.receptive-field",
        "an interval, followed down to the image",
        """
def receptive_field(layers):
    low = high = 0
    for kernel, stride in reversed(layers):
        low, high = low * stride, high * stride + kernel - 1
    return high - low + 1
""",
    ),
    Wrong(
        "04.he-std",
        "the two outside the root",
        """
def he_std(weight):
    return 2 / weight[0].numel() ** 0.5
""",
        mistake="takes the root of the fan-in alone, and so is larger by the root of two",
    ),
    Wrong(
        "04.builder",
        "channels that grow by one width a stage",
        """
def build(depths, width=64):
    layers, channels = [], 3
    for stage, depth in enumerate(depths, 1):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, width * stage, 3, padding=1), nn.ReLU()]
            channels = width * stage
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)
""",
        mistake="adds the width once in each stage, where it doubles",
    ),
]
