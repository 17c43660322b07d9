"""Answers of learners to the exercises of lesson 09, in many styles, written without looking at the checks."""

from answers import Right, Wrong

ANSWERS = [
    # 09.grouped-parameters
    Right(
        "09.grouped-parameters",
        "one formula",
        """
def bottleneck_parameters(channels, cardinality, path_width):
    inner = cardinality * path_width
    return 2 * channels * inner + 9 * inner * path_width + 2 * (2 * inner + channels)
""",
    ),
    Right(
        "09.grouped-parameters",
        "builds the layers and asks them",
        """
def bottleneck_parameters(channels, cardinality, path_width):
    mid = cardinality * path_width
    net = nn.Sequential(
        nn.Conv2d(channels, mid, 1, bias=False), nn.BatchNorm2d(mid),
        nn.Conv2d(mid, mid, 3, padding=1, groups=cardinality, bias=False), nn.BatchNorm2d(mid),
        nn.Conv2d(mid, channels, 1, bias=False), nn.BatchNorm2d(channels),
    )
    return sum(p.numel() for p in net.parameters())
""",
    ),
    Right(
        "09.grouped-parameters",
        "path by path, as the paper draws it",
        """
def bottleneck_parameters(channels, cardinality, path_width):
    total = 0
    for path in range(cardinality):
        total += channels * path_width        # 1x1, in
        total += path_width * path_width * 9  # 3x3
        total += path_width * channels        # 1x1, out
        total += 2 * path_width + 2 * path_width
    return total + 2 * channels
""",
    ),
    Right(
        "09.grouped-parameters",
        "the course's own block, on the meta device",
        """
def bottleneck_parameters(channels, cardinality, path_width):
    with torch.device("meta"):
        b = Bottleneck(channels, channels, ratio=cardinality * path_width / channels, groups=cardinality)
    return measure.cost(b, (channels, 8, 8)).params
""",
    ),
    Right(
        "09.grouped-parameters",
        "NumPy, the shapes of the weights as rows",
        """
def bottleneck_parameters(channels, cardinality, path_width):
    d = cardinality * path_width
    shapes = np.array([[d, channels, 1], [d, path_width, 9], [channels, d, 1], [2, d, 1], [2, d, 1], [2, channels, 1]])
    return shapes.prod(axis=1).sum()
""",
    ),
    Right(
        "09.grouped-parameters",
        "divides by the cardinality: a float without a fraction",
        """
bottleneck_parameters = lambda c, g, w: 2 * c * (g * w) + 9 * (g * w) ** 2 / g + 4 * g * w + 2 * c
""",
    ),
    Wrong(
        "09.grouped-parameters",
        "one formula",
        """
def bottleneck_parameters(channels, cardinality, path_width):
    inner = cardinality * path_width
    return 2 * channels * inner + 9 * inner * inner + 2 * (2 * inner + channels)
""",
        mistake="forgets the groups: in the 3x3 convolution every channel sees all others",
    ),
    Wrong(
        "09.grouped-parameters",
        "the weights of the text's formula",
        """
def bottleneck_parameters(channels, cardinality, path_width):
    return cardinality * path_width * (2 * channels + 9 * path_width)
""",
        mistake="forgets the batch norms",
    ),
    Wrong(
        "09.grouped-parameters",
        "builds the layers",
        """
def bottleneck_parameters(channels, cardinality, path_width):
    mid = cardinality * path_width
    net = nn.Sequential(
        nn.Conv2d(channels, mid, 1), nn.BatchNorm2d(mid),
        nn.Conv2d(mid, mid, 3, padding=1, groups=cardinality), nn.BatchNorm2d(mid),
        nn.Conv2d(mid, channels, 1), nn.BatchNorm2d(channels),
    )
    return sum(p.numel() for p in net.parameters())
""",
        mistake="gives the convolutions biases, which they do not have in front of a batch norm",
    ),
    Wrong(
        "09.grouped-parameters",
        "builds the layers and counts the state",
        """
def bottleneck_parameters(channels, cardinality, path_width):
    mid = cardinality * path_width
    net = nn.Sequential(
        nn.Conv2d(channels, mid, 1, bias=False), nn.BatchNorm2d(mid),
        nn.Conv2d(mid, mid, 3, padding=1, groups=cardinality, bias=False), nn.BatchNorm2d(mid),
        nn.Conv2d(mid, channels, 1, bias=False), nn.BatchNorm2d(channels),
    )
    return sum(t.numel() for t in net.state_dict().values())
""",
        mistake="counts running means, variances and counters, which are no parameters",
    ),
    Wrong(
        "09.grouped-parameters",
        "one path",
        """
def bottleneck_parameters(channels, cardinality, path_width):
    return 2 * channels * path_width + 9 * path_width ** 2 + 4 * path_width + 2 * channels
""",
        mistake="counts a single path; right for cardinality 1 only",
    ),
    Wrong(
        "09.grouped-parameters",
        "batch norms of the inner width only",
        """
def bottleneck_parameters(channels, cardinality, path_width):
    d = cardinality * path_width
    return 2 * channels * d + 9 * d * path_width + 3 * 2 * d
""",
        mistake="takes the last batch norm for as wide as the others, but it has as many channels as the output",
    ),
    Wrong(
        "09.grouped-parameters",
        "divides by the groups twice",
        """
def bottleneck_parameters(channels, cardinality, path_width):
    d = cardinality * path_width
    return 2 * channels * d + 9 * path_width * path_width + 4 * d + 2 * channels
""",
        mistake="counts the 3x3 convolution of one path instead of all",
    ),
    # 09.equal-cost
    Right(
        "09.equal-cost",
        "tries every width",
        """
def equal_cost_width(channels, cardinality):
    def cost(paths, d):
        return paths * d * (2 * channels + 9 * d)
    goal = cost(1, channels // 4)
    return min(range(1, channels + 1), key=lambda d: abs(cost(cardinality, d) - goal))
""",
    ),
    Right(
        "09.equal-cost",
        "the quadratic, then its two neighbours compared",
        """
def equal_cost_width(channels, cardinality):
    w = channels // 4
    goal = w * (2 * channels + 9 * w) / cardinality
    root = (-2 * channels + math.sqrt(4 * channels ** 2 + 36 * goal)) / 18
    low = max(1, math.floor(root))
    f = lambda d: 9 * d * d + 2 * channels * d
    return low if goal - f(low) <= f(low + 1) - goal else low + 1
""",
    ),
    Right(
        "09.equal-cost",
        "a while loop that stops when it gets worse",
        """
def equal_cost_width(channels, cardinality):
    single = channels // 4
    wanted = 2 * channels * single + 9 * single * single
    d = 1
    while True:
        now = abs(cardinality * (2 * channels * d + 9 * d * d) - wanted)
        then = abs(cardinality * (2 * channels * (d + 1) + 9 * (d + 1) ** 2) - wanted)
        if then >= now:
            return d
        d = d + 1
""",
    ),
    Right(
        "09.equal-cost",
        "NumPy's argmin over all widths",
        """
def equal_cost_width(channels, cardinality):
    w = channels // 4
    d = np.arange(1, w + 1)
    weights = cardinality * (channels * d + 9 * d**2 + d * channels)
    return d[np.argmin(np.abs(weights - w * (2 * channels + 9 * w)))]
""",
    ),
    Right(
        "09.equal-cost",
        "torch, the answer as a 0-d tensor's item",
        """
def equal_cost_width(channels, cardinality):
    d = torch.arange(1, channels + 1)
    table = cardinality * d * (2 * channels + 9 * d)
    goal = channels // 4 * (2 * channels + 9 * (channels // 4))
    return (table - goal).abs().argmin().item() + 1
""",
    ),
    Wrong(
        "09.equal-cost",
        "equal channels",
        """
def equal_cost_width(channels, cardinality):
    return max(1, channels // 4 // cardinality)
""",
        mistake="shares out the channels among the paths; that gives equal channels, not equal weights",
    ),
    Wrong(
        "09.equal-cost",
        "the 3x3 convolution alone",
        """
def equal_cost_width(channels, cardinality):
    goal = 9 * (channels // 4) ** 2
    return min(range(1, channels), key=lambda d: abs(9 * cardinality * d * d - goal))
""",
        mistake="forgets the two 1x1 convolutions",
    ),
    Wrong(
        "09.equal-cost",
        "the quadratic, rounded down",
        """
def equal_cost_width(channels, cardinality):
    w = channels // 4
    goal = w * (2 * channels + 9 * w) / cardinality
    return max(1, int((-2 * channels + math.sqrt(4 * channels**2 + 36 * goal)) / 18))
""",
        mistake="cuts the solution off instead of taking the nearest",
    ),
    Wrong(
        "09.equal-cost",
        "range one too short",
        """
def equal_cost_width(channels, cardinality):
    w = channels // 4
    goal = w * (2 * channels + 9 * w)
    return min(range(1, w), key=lambda d: abs(cardinality * d * (2 * channels + 9 * d) - goal))
""",
        mistake="stops one before channels // 4, so a single path does not get its own width back",
    ),
    Wrong(
        "09.equal-cost",
        "hands back the total width",
        """
def equal_cost_width(channels, cardinality):
    w = channels // 4
    goal = w * (2 * channels + 9 * w)
    d = min(range(1, channels), key=lambda d: abs(cardinality * d * (2 * channels + 9 * d) - goal))
    return cardinality * d
""",
        mistake="returns the channels of all paths together, where d is the width of one",
    ),
    Wrong(
        "09.equal-cost",
        "groups forgotten in the 3x3",
        """
def equal_cost_width(channels, cardinality):
    w = channels // 4
    goal = w * (2 * channels + 9 * w)
    def cost(d):
        inner = cardinality * d
        return inner * (2 * channels + 9 * inner)
    return min(range(1, w + 1), key=lambda d: abs(cost(d) - goal))
""",
        mistake="lets each path's 3x3 convolution see the channels of all paths",
    ),
    Wrong(
        "09.equal-cost",
        "batch norms included",
        """
def equal_cost_width(channels, cardinality):
    def weights(paths, d):
        inner = paths * d
        return 2 * channels * inner + 9 * inner * d + 2 * (2 * inner + channels)

    target = weights(1, channels // 4)
    return min(range(1, channels), key=lambda d: abs(weights(cardinality, d) - target))
""",
        mistake="counts the batch norms, where the convolutions only are asked for",
    ),
    Wrong(
        "09.equal-cost",
        "the first that is dear enough",
        """
def equal_cost_width(channels, cardinality):
    w = channels // 4
    d = 1
    while cardinality * d * (2 * channels + 9 * d) < w * (2 * channels + 9 * w):
        d += 1
    return d
""",
        mistake="takes the first width that costs at least as much, not the one that comes nearest",
    ),
    # 09.widening
    Right(
        "09.widening",
        "round and max",
        """
def layers_left(depth, k):
    n = (depth - 4) / 6
    return 6 * max(1, round(n / k**2)) + 4
""",
    ),
    Right(
        "09.widening",
        "tries every n",
        """
def layers_left(depth, k):
    n = (depth - 4) // 6
    best = 1
    for candidate in range(1, n + 1):
        if abs(candidate * k * k - n) < abs(best * k * k - n):
            best = candidate
    return 4 + 6 * best
""",
    ),
    Right(
        "09.widening",
        "rounds by adding a half",
        """
def layers_left(depth, k):
    blocks = (depth - 4) // 6 / (k * k)
    blocks = int(blocks + 0.5)
    if blocks < 1:
        blocks = 1
    return blocks * 6 + 4
""",
    ),
    Right(
        "09.widening",
        "NumPy",
        """
def layers_left(depth, k):
    n = np.rint((depth - 4) / 6 / np.square(k))
    return int(np.clip(n, 1, None)) * 6 + 4
""",
    ),
    Right(
        "09.widening",
        "torch, one lambda",
        """
layers_left = lambda depth, k: int((torch.tensor((depth - 4) / 6) / k**2).round().clamp(min=1)) * 6 + 4
""",
    ),
    Wrong(
        "09.widening",
        "k for k squared",
        """
def layers_left(depth, k):
    n = (depth - 4) // 6
    return 6 * max(1, round(n / k)) + 4
""",
        mistake="divides by k, but a convolution of k times the width costs k squared times as much",
    ),
    Wrong(
        "09.widening",
        "divides the layers",
        """
def layers_left(depth, k):
    return max(1, round(depth / k**2))
""",
        mistake="divides the depth itself; the blocks are what is divided, and depth must be 6n + 4 again",
    ),
    Wrong(
        "09.widening",
        "rounds down",
        """
def layers_left(depth, k):
    n = (depth - 4) // 6
    return 6 * max(1, n // k**2) + 4
""",
        mistake="rounds down where the text asks for the nearest",
    ),
    Wrong(
        "09.widening",
        "no minimum",
        """
def layers_left(depth, k):
    return 6 * round((depth - 4) / 6 / k**2) + 4
""",
        mistake="forgets that n is at least 1, and leaves a network of four layers",
    ),
    Wrong(
        "09.widening",
        "ResNet's count",
        """
def layers_left(depth, k):
    n = (depth - 2) / 6
    return 6 * max(1, round(n / k**2)) + 2
""",
        mistake="takes the 6n + 2 layers of a ResNet for the 6n + 4 of a wide one",
    ),
    Wrong(
        "09.widening",
        "returns n",
        """
def layers_left(depth, k):
    return max(1, round((depth - 4) / 6 / k**2))
""",
        mistake="returns the blocks of a stage, not the layers",
    ),
    Wrong(
        "09.widening",
        "always up",
        """
def layers_left(depth, k):
    return 6 * math.ceil((depth - 4) / 6 / k**2) + 4
""",
        mistake="rounds up, which also hides the minimum of 1",
    ),
    # 09.pre-activation
    Right(
        "09.pre-activation",
        "one line",
        """
def pre_activation(x, norm1, conv1, norm2, conv2):
    return x + conv2(F.relu(norm2(conv1(F.relu(norm1(x))))))
""",
    ),
    Right(
        "09.pre-activation",
        "nn.Sequential on the residual",
        """
def pre_activation(x, norm1, conv1, norm2, conv2):
    residual = nn.Sequential(norm1, nn.ReLU(inplace=True), conv1, norm2, nn.ReLU(inplace=True), conv2)
    return residual(x) + x
""",
    ),
    Right(
        "09.pre-activation",
        "a loop over the pairs, ReLU by clamp",
        """
def pre_activation(x, norm1, conv1, norm2, conv2):
    y = x
    for norm, conv in ((norm1, conv1), (norm2, conv2)):
        y = conv(norm(y).clamp(min=0))
    return torch.add(y, x)
""",
    ),
    Right(
        "09.pre-activation",
        "a module of its own",
        """
class Block(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.norm1, self.conv1, self.norm2, self.conv2 = layers

    def forward(self, x):
        out = self.conv1(torch.relu(self.norm1(x)))
        out = self.conv2(torch.relu(self.norm2(out)))
        out += x
        return out


def pre_activation(x, norm1, conv1, norm2, conv2):
    return Block(norm1, conv1, norm2, conv2)(x)
""",
    ),
    Right(
        "09.pre-activation",
        "step by step, other names",
        """
def pre_activation(image, bn_a, conv_a, bn_b, conv_b):
    shortcut = image.clone()
    z = bn_a(image)
    z = torch.where(z > 0, z, torch.zeros_like(z))
    z = conv_a(z)
    z = bn_b(z)
    z = torch.where(z > 0, z, torch.zeros_like(z))
    z = conv_b(z)
    return shortcut + z
""",
    ),
    Wrong(
        "09.pre-activation",
        "the original order",
        """
def pre_activation(x, norm1, conv1, norm2, conv2):
    y = F.relu(norm1(conv1(x)))
    return F.relu(norm2(conv2(y)) + x)
""",
        mistake="the order of 2015: norm and ReLU behind the convolutions, and a ReLU behind the sum",
    ),
    Wrong(
        "09.pre-activation",
        "the activated shortcut",
        """
def pre_activation(x, norm1, conv1, norm2, conv2):
    x = F.relu(norm1(x))
    y = conv1(x)
    return conv2(F.relu(norm2(y))) + x
""",
        mistake="overwrites x, so that the shortcut passes the first norm and ReLU too and is no longer free",
    ),
    Wrong(
        "09.pre-activation",
        "no shortcut",
        """
def pre_activation(x, norm1, conv1, norm2, conv2):
    return conv2(F.relu(norm2(conv1(F.relu(norm1(x))))))
""",
        mistake="forgets the sum",
    ),
    Wrong(
        "09.pre-activation",
        "ReLU behind the sum",
        """
def pre_activation(x, norm1, conv1, norm2, conv2):
    return F.relu(x + conv2(F.relu(norm2(conv1(F.relu(norm1(x)))))))
""",
        mistake="keeps a ReLU behind the sum, which bends the shortcut at every block",
    ),
    Wrong(
        "09.pre-activation",
        "ReLU, then norm",
        """
def pre_activation(x, norm1, conv1, norm2, conv2):
    y = conv1(norm1(F.relu(x)))
    y = conv2(norm2(F.relu(y)))
    return x + y
""",
        mistake="swaps norm and ReLU",
    ),
    Wrong(
        "09.pre-activation",
        "one ReLU",
        """
def pre_activation(x, norm1, conv1, norm2, conv2):
    return x + conv2(F.relu(norm2(conv1(norm1(x)))))
""",
        mistake="forgets the first ReLU",
    ),
    Wrong(
        "09.pre-activation",
        "adds into x",
        """
def pre_activation(x, norm1, conv1, norm2, conv2):
    x += conv2(F.relu(norm2(conv1(F.relu(norm1(x))))))
    return x
""",
        mistake="changes the caller's x in place",
    ),
    Wrong(
        "09.pre-activation",
        "the same layers twice",
        """
def pre_activation(x, norm1, conv1, norm2, conv2):
    f = nn.Sequential(norm1, nn.ReLU(), conv1)
    return x + f(f(x))
""",
        mistake="runs the first norm and convolution twice and never the second",
    ),
    # 09.same-work
    Right("09.same-work", "the blocks in front, or behind", "my_depths = (5, 1, 1), (1, 1, 5)"),
    Right("09.same-work", "lists", "my_depths = [[1, 2, 10], [10, 2, 1]]"),
    Right(
        "09.same-work",
        "found by trying all of ten blocks",
        """
pairs = [(n, 12 - n - m, m) for n in range(1, 11) for m in range(1, 12 - n)]


def count(depths):
    return sum(p.numel() for p in models.get_model("preact_resnet110_tiny", depths=depths).parameters())


my_depths = min(pairs, key=count), max(pairs, key=count)
""",
    ),
    Right("09.same-work", "a set of two", "my_depths = {(9, 1, 1), (1, 1, 9)}"),
    Right("09.same-work", "NumPy's integers", "my_depths = np.array([[12, 1, 1], [1, 1, 12]])"),
    Wrong(
        "09.same-work",
        "the widths, not the blocks",
        "my_depths = (8, 16, 32), (32, 16, 8)",
        mistake="takes the numbers for channels; as blocks they make 2.6 times the parameters",
    ),
    Wrong(
        "09.same-work",
        "more blocks",
        "my_depths = (3, 3, 3), (9, 9, 9)",
        mistake="makes the whole network larger, which also makes three times the mult-adds",
    ),
    Wrong(
        "09.same-work",
        "layers",
        "my_depths = 20, 56",
        mistake="gives the layers of two networks instead of the blocks of their stages",
    ),
    Wrong(
        "09.same-work",
        "two networks",
        """
my_depths = [models.get_model("preact_resnet110_tiny", depths=d) for d in ((9, 1, 1), (1, 1, 9))]
""",
        mistake="hands over the networks, where the numbers are asked for",
    ),
    Wrong(
        "09.same-work",
        "the middle stage",
        "my_depths = (1, 9, 1), (9, 1, 1)",
        mistake="moves the blocks by one stage only, which makes too little difference",
    ),
    # 09.your-block
    Right(
        "09.your-block",
        "eight wide layers, twice the images",
        """
torch.manual_seed(0)
many = data.load("street_digits", train=8000)
my_run = training.fit(study.stacked(study.PreActivation, 1, 26), many, epochs=6, lr=0.1, batch_size=64, progress=False)
""",
        slow=True,
    ),
    Right(
        "09.your-block",
        "a short network of its own with one sum",
        """
class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)

    def forward(self, x):
        return x + self.norm(self.conv(x)).relu()


def halve(old, new):
    return nn.Sequential(nn.Conv2d(old, new, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(new), nn.ReLU())


torch.manual_seed(0)
net = nn.Sequential(
    halve(3, 32), Residual(32), halve(32, 64), halve(64, 96), nn.Flatten(), nn.Linear(1536, 10)
)
recipe = {"optimizer": "adamw", "lr": 0.003, "weight_decay": 0.05, "batch_size": 32}
my_run = training.fit(net, data.load("street_digits", train=12000), epochs=4, **recipe, progress=False)
""",
        slow=True,
    ),
    Wrong(
        "09.your-block",
        "a fresh network",
        """
my_run = study.stacked(study.PreActivation, 1, 26)
""",
        mistake="hands in a network that was never trained, not a run",
    ),
    Wrong(
        "09.your-block",
        "a glance at the images",
        """
torch.manual_seed(0)
few = data.load("street_digits", train=128, test=100)
my_run = training.fit(study.stacked(study.PreActivation, 1, 26), few, epochs=1, lr=0.1, batch_size=64, progress=False)
""",
        mistake="one pass over 128 images: the network reads hardly more than by chance",
    ),
    Wrong(
        "09.your-block",
        "a wide network",
        """
torch.manual_seed(0)
few = data.load("street_digits", train=64, test=10)
net = models.get_model("resnet20_tiny", width=32)
my_run = training.fit(net, few, epochs=1, lr=0.1, batch_size=64, progress=False)
""",
        mistake="costs far more than 8.4 million mult-adds (and was hardly trained)",
    ),
    Wrong(
        "09.your-block",
        "a plain network",
        """
torch.manual_seed(0)
few = data.load("street_digits", train=64, test=10)
my_run = training.fit(models.get_model("plain20_tiny", width=4), few, epochs=1, lr=0.1, batch_size=64, progress=False)
""",
        mistake="has no sum in it (and was hardly trained)",
    ),
    Wrong(
        "09.your-block",
        "other digits",
        """
torch.manual_seed(0)
written = data.load("handwritten", train=500, test=100)
net = models.get_model("resnet20_tiny", width=4, in_channels=written.train.images.shape[1])
my_run = training.fit(net, written, epochs=1, lr=0.1, batch_size=64, progress=False)
""",
        mistake="is trained on handwritten digits, where street digits are asked for",
    ),
    Wrong(
        "09.your-block",
        "the accuracy alone",
        """
my_run = 0.93
""",
        mistake="hands in a figure instead of the run: nobody can see what reached it",
    ),
]
