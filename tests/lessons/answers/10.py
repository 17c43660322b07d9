"""Answers of learners to the exercises of lesson 10, in many styles, written without looking at the checks."""

from answers import Right, Wrong

ANSWERS = [
    # 10.channels
    Right(
        "10.channels",
        "a loop with a running total",
        """
def channels(stem_width, depths, growth_rate, compression):
    result = []
    now = stem_width
    for depth in depths:
        now = now + depth * growth_rate
        result.append(now)
        now = int(compression * now)
    return result
""",
    ),
    Right(
        "10.channels",
        "itertools.accumulate",
        """
from itertools import accumulate


def channels(stem_width, depths, growth_rate, compression):
    first, *others = depths
    step = lambda c, depth: int(compression * c) + depth * growth_rate
    return list(accumulate(others, step, initial=stem_width + first * growth_rate))
""",
    ),
    Right(
        "10.channels",
        "recursion over the blocks",
        """
def channels(width, depths, k, theta):
    if not depths:
        return []
    out = width + depths[0] * k
    return [out] + channels(int(theta * out), depths[1:], k, theta)
""",
    ),
    Right(
        "10.channels",
        "layer by layer, with floor",
        """
def channels(stem_width, depths, growth_rate, compression):
    c, leaving = stem_width, []
    for block, layers in enumerate(depths):
        if block > 0:
            c = math.floor(c * compression)
        for _ in range(layers):
            c += growth_rate
        leaving += [c]
    return leaving
""",
    ),
    Right(
        "10.channels",
        "a list of zeros filled by index",
        """
def channels(stem_width, depths, growth_rate, compression):
    out = [0] * len(depths)
    out[0] = stem_width + depths[0] * growth_rate
    for i in range(1, len(depths)):
        out[i] = int(compression * out[i - 1]) + depths[i] * growth_rate
    return out
""",
    ),
    Wrong(
        "10.channels",
        "rounds",
        """
def channels(stem_width, depths, growth_rate, compression):
    result, c = [], stem_width
    for depth in depths:
        c += depth * growth_rate
        result.append(c)
        c = round(compression * c)
    return result
""",
        mistake="rounds the compressed channels where the text says int()",
    ),
    Wrong(
        "10.channels",
        "no rounding",
        """
def channels(stem_width, depths, growth_rate, compression):
    result, c = [], stem_width
    for depth in depths:
        c += depth * growth_rate
        result.append(c)
        c = compression * c
    return result
""",
        mistake="keeps fractions of channels: int() is missing",
    ),
    Wrong(
        "10.channels",
        "always a half",
        """
def channels(stem_width, depths, growth_rate, compression):
    result, c = [], stem_width
    for depth in depths:
        c += depth * growth_rate
        result.append(c)
        c //= 2
    return result
""",
        mistake="halves whatever the compression is",
    ),
    Wrong(
        "10.channels",
        "the share that is thrown away",
        """
def channels(stem_width, depths, growth_rate, compression):
    result, c = [], stem_width
    for depth in depths:
        c += depth * growth_rate
        result.append(c)
        c -= int(compression * c)
    return result
""",
        mistake="takes the compression for the share that goes, which the usual value of a half hides",
    ),
    Wrong(
        "10.channels",
        "one growth a block",
        """
def channels(stem_width, depths, growth_rate, compression):
    result, c = [], stem_width
    for depth in depths:
        c += growth_rate
        result.append(c)
        c = int(compression * c)
    return result
""",
        mistake="lets a block grow by the growth rate once, not once a layer",
    ),
    Wrong(
        "10.channels",
        "behind the transitions",
        """
def channels(stem_width, depths, growth_rate, compression):
    result, c = [], stem_width
    for i, depth in enumerate(depths):
        c += depth * growth_rate
        if i < len(depths) - 1:
            c = int(compression * c)
        result.append(c)
    return result
""",
        mistake="notes what leaves the transitions, not what leaves the blocks",
    ),
    Wrong(
        "10.channels",
        "a transition in front of the first block",
        """
def channels(stem_width, depths, growth_rate, compression):
    result, c = [], stem_width
    for depth in depths:
        c = int(compression * c) + depth * growth_rate
        result.append(c)
    return result
""",
        mistake="compresses the stem's channels too, though no transition stands in front of the first block",
    ),
    Wrong(
        "10.channels",
        "the last one only",
        """
def channels(stem_width, depths, growth_rate, compression):
    c = stem_width
    for depth in depths[:-1]:
        c = int(compression * (c + depth * growth_rate))
    return c + depths[-1] * growth_rate
""",
        mistake="returns what reaches the head, not a list of all blocks",
    ),
    # 10.dense-block
    Right(
        "10.dense-block",
        "a list of maps, as the paper writes it",
        """
def dense_block(x, layers):
    maps = [x]
    for layer in layers:
        maps.append(layer(torch.cat(maps, dim=1)))
    return torch.cat(maps, dim=1)
""",
    ),
    Right(
        "10.dense-block",
        "a running concatenation",
        """
def dense_block(x, layers):
    for h in layers:
        x = torch.cat((x, h(x)), 1)
    return x
""",
    ),
    Right(
        "10.dense-block",
        "functools.reduce and hstack, which joins along dimension 1",
        """
from functools import reduce


def dense_block(x, layers):
    return reduce(lambda maps, layer: torch.hstack([maps, layer(maps)]), layers, x)
""",
    ),
    Right(
        "10.dense-block",
        "recursion",
        """
def dense_block(x, layers):
    if len(layers) == 0:
        return x
    return dense_block(torch.concat([x, layers[0](x)], axis=1), layers[1:])
""",
    ),
    Right(
        "10.dense-block",
        "writes each layer's maps into a larger tensor of its own",
        """
def dense_block(x, layers):
    everything = x
    for i in range(len(layers)):
        new = layers[i](everything)
        old_channels = everything.shape[1]
        larger = x.new_empty(x.shape[0], old_channels + new.shape[1], *x.shape[2:])
        larger[:, :old_channels] = everything
        larger[:, old_channels:] = new
        everything = larger
    return everything
""",
    ),
    Wrong(
        "10.dense-block",
        "a chain",
        """
def dense_block(x, layers):
    maps = [x]
    for layer in layers:
        x = layer(x)
        maps.append(x)
    return torch.cat(maps, dim=1)
""",
        mistake="each layer reads only the one before it",
    ),
    Wrong(
        "10.dense-block",
        "without the input",
        """
def dense_block(x, layers):
    maps = [x]
    for layer in layers:
        maps.append(layer(torch.cat(maps, dim=1)))
    return torch.cat(maps[1:], dim=1)
""",
        mistake="returns the new maps only; the block's input belongs to its output",
    ),
    Wrong(
        "10.dense-block",
        "the new maps in front",
        """
def dense_block(x, layers):
    for layer in layers:
        x = torch.cat([layer(x), x], dim=1)
    return x
""",
        mistake="puts the new maps in front of the old ones, so the next kernel's slices meet other maps",
    ),
    Wrong(
        "10.dense-block",
        "adds",
        """
def dense_block(x, layers):
    for layer in layers:
        x = x + layer(x)
    return x
""",
        mistake="adds as ResNet does, where DenseNet concatenates",
    ),
    Wrong(
        "10.dense-block",
        "along the batch",
        """
def dense_block(x, layers):
    maps = [x]
    for layer in layers:
        maps.append(layer(torch.cat(maps)))
    return torch.cat(maps)
""",
        mistake="concatenates along dimension 0, the images, because torch.cat does so if not told otherwise",
    ),
    Wrong(
        "10.dense-block",
        "the last output",
        """
def dense_block(x, layers):
    maps = [x]
    for layer in layers:
        maps.append(layer(torch.cat(maps, dim=1)))
    return maps[-1]
""",
        mistake="returns what the last layer made, not everything",
    ),
    Wrong(
        "10.dense-block",
        "the last layer forgotten",
        """
def dense_block(x, layers):
    for i in range(len(layers) - 1):
        x = torch.cat([x, layers[i](x)], dim=1)
    return x
""",
        mistake="stops one layer too early",
    ),
    Wrong(
        "10.dense-block",
        "empties the list",
        """
def dense_block(x, layers):
    while layers:
        layer = layers.pop(0)
        x = torch.cat([x, layer(x)], dim=1)
    return x
""",
        mistake="takes the layers out of the caller's list, so that a second image finds none",
    ),
    # 10.relu-first
    Right("10.relu-first", "tuples", "my_pairs = ((1, -0.5), (1, -4))"),
    Right("10.relu-first", "two tensors", "my_pairs = torch.tensor([2.0, -1.0]), torch.tensor([2.0, -3.0])"),
    Right("10.relu-first", "the roles exchanged, lists", "my_pairs = [[-7, 3], [-1, 3]]"),
    Right(
        "10.relu-first",
        "a tensor with gradients",
        """
a = torch.tensor([5.0, 5.0], requires_grad=True)
b = torch.tensor([-1.0, -2.0])
my_pairs = torch.stack([a, b], dim=1)
""",
    ),
    Right(
        "10.relu-first",
        "NumPy, found by trying",
        """
import itertools

import numpy as np

numbers = np.linspace(-3, 3, 7)
relu = lambda x: np.maximum(x, 0)
found = [
    np.array([p, q])
    for p, q in itertools.combinations(itertools.product(numbers, repeat=2), 2)
    if (relu(np.array(p)) == relu(np.array(q))).all() and relu(sum(p)) != relu(sum(q))
]
my_pairs = found[0]
""",
    ),
    Wrong(
        "10.relu-first",
        "both positive",
        "my_pairs = (1, 2), (2, 1)",
        mistake="the concatenation shows the reader which is which, so it knows more than the sum, not less",
    ),
    Wrong(
        "10.relu-first",
        "both negative",
        "my_pairs = [(-1, -1), (-2, -3)]",
        mistake="the ReLU hides both pairs from both readers",
    ),
    Wrong(
        "10.relu-first",
        "the negative one always wins",
        "my_pairs = torch.tensor([[1.0, -2.0], [1.0, -5.0]])",
        mistake="both sums are negative, so the reader of the sum sees zero twice",
    ),
    Wrong(
        "10.relu-first",
        "one number exchanged for another",
        "my_pairs = (2, -1), (3, -1)",
        mistake="a differs and is positive, which the reader of the concatenation sees",
    ),
    Wrong(
        "10.relu-first",
        "one pair",
        "my_pairs = (2, -1)",
        mistake="gives one pair where two are to be compared",
    ),
    # 10.transition
    Right(
        "10.transition",
        "pool first",
        """
def transition(x, weight):
    return F.conv2d(F.avg_pool2d(x, 2), weight[:, :, None, None])
""",
    ),
    Right(
        "10.transition",
        "einsum on the pooled maps",
        """
def transition(x, weight):
    pooled = nn.AvgPool2d(2)(x)
    return torch.einsum("kc,nchw->nkhw", weight, pooled)
""",
    ),
    Right(
        "10.transition",
        "four shifted copies and a linear layer, channels last",
        """
def transition(x, weight):
    h, w = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
    x = x[:, :, :h, :w]
    mean = (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4
    return F.linear(mean.permute(0, 2, 3, 1), weight).permute(0, 3, 1, 2)
""",
    ),
    Right(
        "10.transition",
        "unfold and a matrix product on flat maps",
        """
def transition(x, weight):
    windows = x.unfold(2, 2, 2).unfold(3, 2, 2)
    small = windows.mean(dim=(-1, -2))
    n, c, h, w = small.shape
    return (weight @ small.reshape(n, c, h * w)).reshape(n, -1, h, w)
""",
    ),
    Wrong(
        "10.transition",
        "as the paper does",
        """
def transition(x, weight):
    return F.avg_pool2d(F.conv2d(x, weight[:, :, None, None]), 2)
""",
        mistake="the right numbers at the full price: the convolution still runs on the large maps",
    ),
    Wrong(
        "10.transition",
        "one strided convolution",
        """
def transition(x, weight):
    kernel = weight[:, :, None, None].expand(-1, -1, 2, 2) / 4
    return F.conv2d(x, kernel, stride=2)
""",
        mistake="a 2x2 kernel at a quarter of the places costs as much as a 1x1 kernel at all: nothing is saved",
    ),
    Wrong(
        "10.transition",
        "every second pixel",
        """
def transition(x, weight):
    return F.conv2d(x[:, :, ::2, ::2], weight[:, :, None, None])
""",
        mistake="drops three of four pixels instead of taking their mean",
    ),
    Wrong(
        "10.transition",
        "stride 2",
        """
def transition(x, weight):
    return F.conv2d(x, weight[:, :, None, None], stride=2)
""",
        mistake="a stride looks at one pixel of four; a pool takes the mean of all",
    ),
    Wrong(
        "10.transition",
        "the maximum",
        """
def transition(x, weight):
    return F.conv2d(F.max_pool2d(x, 2), weight[:, :, None, None])
""",
        mistake="pools by maximum, which may not be swapped with a convolution",
    ),
    Wrong(
        "10.transition",
        "sums",
        """
def transition(x, weight):
    x = x[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]
    s = x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]
    return torch.einsum("kc,nchw->nkhw", weight, s)
""",
        mistake="takes the sum of four pixels for their mean",
    ),
    Wrong(
        "10.transition",
        "the weight turned around",
        """
def transition(x, weight):
    pooled = F.avg_pool2d(x, 2)
    return (pooled.permute(0, 2, 3, 1) @ weight).permute(0, 3, 1, 2)
""",
        mistake="multiplies by the weight where its transpose is due; a square weight does not complain",
    ),
    Wrong(
        "10.transition",
        "square maps only",
        """
def transition(x, weight):
    n, c, h, w = x.shape
    pooled = F.adaptive_avg_pool2d(x, h // 2)
    return F.conv2d(pooled, weight[:, :, None, None])
""",
        mistake="makes a square map of any map",
    ),
    # 10.kept
    Right(
        "10.kept",
        "two copies of what each layer reads",
        """
def numbers_kept(in_channels, depth, growth_rate, pixels):
    total = 0
    for layer in range(depth):
        reads = in_channels + layer * growth_rate
        total += 2 * reads * pixels
    return total
""",
    ),
    Right(
        "10.kept",
        "closed form",
        """
def numbers_kept(in_channels, depth, growth_rate, pixels):
    return pixels * depth * (2 * in_channels + (depth - 1) * growth_rate)
""",
    ),
    Right(
        "10.kept",
        "a generator in sum",
        """
def numbers_kept(c0, L, k, pixels):
    return 2 * pixels * sum(c0 + k * l for l in range(L))
""",
    ),
    Right(
        "10.kept",
        "NumPy",
        """
def numbers_kept(in_channels, depth, growth_rate, pixels):
    reads = in_channels + growth_rate * np.arange(depth)
    return np.sum(reads) * 2 * pixels
""",
    ),
    Right(
        "10.kept",
        "asks PyTorch, and takes the batch norms' statistics off",
        """
def numbers_kept(in_channels, depth, growth_rate, pixels):
    with torch.device("meta"):
        block = DenseBlock(in_channels, depth, growth_rate, bottleneck=False).train()
        x = torch.zeros(1, in_channels, 1, pixels, requires_grad=True)
        kept = measure.kept_bytes(block, x) // 4
    statistics = sum(2 * m.num_features for m in block.modules() if isinstance(m, nn.BatchNorm2d))
    return kept - statistics
""",
    ),
    Right(
        "10.kept",
        "torch, a tensor without dimensions",
        """
def numbers_kept(in_channels, depth, growth_rate, pixels):
    layers = torch.arange(depth)
    return (2 * pixels * (in_channels + growth_rate * layers)).sum()
""",
    ),
    Wrong(
        "10.kept",
        "one copy",
        """
def numbers_kept(in_channels, depth, growth_rate, pixels):
    return pixels * sum(in_channels + i * growth_rate for i in range(depth))
""",
        mistake="counts one copy a layer: the batch norm keeps its input, and the convolution needs its own",
    ),
    Wrong(
        "10.kept",
        "three copies",
        """
def numbers_kept(in_channels, depth, growth_rate, pixels):
    return 3 * pixels * sum(in_channels + i * growth_rate for i in range(depth))
""",
        mistake="counts the ReLU's input too, but the ReLU works in place",
    ),
    Wrong(
        "10.kept",
        "counts from one",
        """
def numbers_kept(in_channels, depth, growth_rate, pixels):
    return 2 * pixels * sum(in_channels + i * growth_rate for i in range(1, depth + 1))
""",
        mistake="off by one: the first layer reads the block's input alone",
    ),
    Wrong(
        "10.kept",
        "each map once",
        """
def numbers_kept(in_channels, depth, growth_rate, pixels):
    return 2 * pixels * (in_channels + depth * growth_rate)
""",
        mistake="counts every map once, as a block without copies would keep it",
    ),
    Wrong(
        "10.kept",
        "bytes",
        """
def numbers_kept(in_channels, depth, growth_rate, pixels):
    return 4 * pixels * depth * (2 * in_channels + (depth - 1) * growth_rate)
""",
        mistake="returns bytes where numbers are asked for",
    ),
    Wrong(
        "10.kept",
        "channels alone",
        """
def numbers_kept(in_channels, depth, growth_rate, pixels):
    return depth * (2 * in_channels + (depth - 1) * growth_rate)
""",
        mistake="forgets that every map has many pixels",
    ),
    Wrong(
        "10.kept",
        "pixels for a side",
        """
def numbers_kept(in_channels, depth, growth_rate, pixels):
    return pixels**2 * depth * (2 * in_channels + (depth - 1) * growth_rate)
""",
        mistake="squares the pixels, as if they were the side of the map",
    ),
    Wrong(
        "10.kept",
        "with the block's output",
        """
def numbers_kept(in_channels, depth, growth_rate, pixels):
    return 2 * pixels * sum(in_channels + i * growth_rate for i in range(depth + 1))
""",
        mistake="counts the last concatenation, which no layer of the block reads",
    ),
    # 10.thrifty
    Right(
        "10.thrifty",
        "few layers where the maps are large",
        """
torch.manual_seed(0)
thin = models.get_model("densenet_40_12_tiny", depths=(1, 6, 6), growth_rate=6, stem_width=8)
many = data.load("street_digits", train=8000)
my_run = training.fit(thin, many, epochs=6, lr=0.1, batch_size=64, progress=False)
""",
        slow=True,
    ),
    Wrong(
        "10.thrifty",
        "a fresh network",
        """
my_run = models.get_model("densenet_40_12_tiny", depths=(1, 6, 6), growth_rate=6, stem_width=8)
""",
        mistake="hands in a network that was never trained, not a run",
    ),
    Wrong(
        "10.thrifty",
        "a glance at the images",
        """
torch.manual_seed(0)
thin = models.get_model("densenet_40_12_tiny", depths=(1, 6, 6), growth_rate=6, stem_width=8)
my_run = training.fit(thin, data.load("street_digits", train=128, test=10), epochs=1, lr=0.1, progress=False)
""",
        mistake="one pass over 128 images: the network reads hardly more than by chance",
    ),
    Wrong(
        "10.thrifty",
        "the lesson's twin",
        """
torch.manual_seed(0)
few = data.load("street_digits", train=128, test=10)
my_run = training.fit(study.concatenating(), few, epochs=1, lr=0.1, batch_size=64, progress=False)
""",
        mistake="takes the twin as it is, which keeps about three times the memory that is allowed",
    ),
    Wrong(
        "10.thrifty",
        "a wide one",
        """
torch.manual_seed(0)
few = data.load("street_digits", train=64, test=10)
wide = models.get_model("densenet_40_12_tiny", depths=(1, 4, 10), growth_rate=12, stem_width=8)
my_run = training.fit(wide, few, epochs=1, lr=0.1, batch_size=64, progress=False)
""",
        mistake="saves layers and not weights: far more than 40,000 parameters",
    ),
    Wrong(
        "10.thrifty",
        "the model's cost",
        """
thin = models.get_model("densenet_40_12_tiny", depths=(1, 6, 6), growth_rate=6, stem_width=8)
my_run = measure.cost(thin, 32)
""",
        mistake="hands in the count of a network instead of a training",
    ),
]
