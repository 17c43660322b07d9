"""Answers of learners to the exercises of lesson 06, in many styles, written without looking at the checks.

Names of the lesson that are used: `BasicBlock`, `street`.
"""

from answers import Right, Wrong

ANSWERS = [
    Right(
        "06.block-parameters",
        "the formula",
        """
def block_parameters(in_channels, channels, shortcut):
    count = 9 * in_channels * channels + 2 * channels + 9 * channels * channels + 2 * channels
    if shortcut == "B" and in_channels != channels:
        count += in_channels * channels + 2 * channels
    return count
""",
    ),
    Right(
        "06.block-parameters",
        "asks the package's block",
        """
def block_parameters(in_channels, channels, shortcut):
    return sum(p.numel() for p in BasicBlock(in_channels, channels, shortcut=shortcut).parameters())
""",
    ),
    Right(
        "06.block-parameters",
        "builds the layers and counts them",
        """
def block_parameters(in_channels, channels, shortcut):
    layers = [
        nn.Conv2d(in_channels, channels, 3, bias=False), nn.BatchNorm2d(channels),
        nn.Conv2d(channels, channels, 3, bias=False), nn.BatchNorm2d(channels),
    ]
    if shortcut == "B" and in_channels != channels:
        layers += [nn.Conv2d(in_channels, channels, 1, bias=False), nn.BatchNorm2d(channels)]
    return sum(p.numel() for p in nn.ModuleList(layers).parameters())
""",
    ),
    Right(
        "06.block-parameters",
        "helpers and a dictionary of shortcuts",
        """
def conv(i, o, k):
    return i * o * k**2

def norm(c):
    return 2 * c

def block_parameters(i, c, shortcut):
    ways = {"A": 0, "B": 0 if i == c else conv(i, c, 1) + norm(c)}
    return conv(i, c, 3) + norm(c) + conv(c, c, 3) + norm(c) + ways[shortcut]
""",
    ),
    Right(
        "06.block-parameters",
        "NumPy, a lambda",
        """
import numpy as np

block_parameters = lambda i, c, shortcut: np.array(
    [9 * i * c, 9 * c**2, 4 * c, (i + 2) * c * (shortcut == "B") * (i != c)]
).sum()
""",
    ),
    Wrong(
        "06.block-parameters",
        "biases",
        """
def block_parameters(in_channels, channels, shortcut):
    count = channels * (9 * in_channels + 1) + channels * (9 * channels + 1) + 4 * channels
    if shortcut == "B" and in_channels != channels:
        count += channels * (in_channels + 1) + 2 * channels
    return count
""",
        mistake="gives the convolutions biases, which the batch norm behind each makes useless",
    ),
    Wrong(
        "06.block-parameters",
        "the statistics",
        """
def block_parameters(in_channels, channels, shortcut):
    count = 9 * in_channels * channels + 9 * channels**2 + 8 * channels
    if shortcut == "B" and in_channels != channels:
        count += in_channels * channels + 4 * channels
    return count
""",
        mistake="counts the running means and variances of the batch norms, which no training adjusts",
    ),
    Wrong(
        "06.block-parameters",
        "no batch norm",
        """
def block_parameters(in_channels, channels, shortcut):
    count = 9 * in_channels * channels + 9 * channels**2
    if shortcut == "B" and in_channels != channels:
        count += in_channels * channels
    return count
""",
        mistake="forgets the two parameters a channel of each batch norm",
    ),
    Wrong(
        "06.block-parameters",
        "one parameter a norm",
        """
def block_parameters(in_channels, channels, shortcut):
    count = 9 * in_channels * channels + 9 * channels**2 + 2 * channels
    if shortcut == "B" and in_channels != channels:
        count += in_channels * channels + channels
    return count
""",
        mistake="gives a batch norm one parameter a channel, where it has a weight and a bias",
    ),
    Wrong(
        "06.block-parameters",
        "twice the first convolution",
        """
def block_parameters(in_channels, channels, shortcut):
    count = 2 * (9 * in_channels * channels + 2 * channels)
    if shortcut == "B" and in_channels != channels:
        count += in_channels * channels + 2 * channels
    return count
""",
        mistake="lets the second convolution read in_channels too; with equal channels nobody notices",
    ),
    Wrong(
        "06.block-parameters",
        "no norm on the shortcut",
        """
def block_parameters(in_channels, channels, shortcut):
    count = 9 * in_channels * channels + 9 * channels**2 + 4 * channels
    if shortcut == "B" and in_channels != channels:
        count += in_channels * channels
    return count
""",
        mistake="forgets the batch norm of the projection",
    ),
    Wrong(
        "06.block-parameters",
        "a shortcut of 3 × 3",
        """
def block_parameters(in_channels, channels, shortcut):
    count = 9 * in_channels * channels + 9 * channels**2 + 4 * channels
    if shortcut == "B" and in_channels != channels:
        count += 9 * in_channels * channels + 2 * channels
    return count
""",
        mistake="projects by 3 × 3, where option B is a 1 × 1 convolution",
    ),
    Wrong(
        "06.block-parameters",
        "A and B exchanged",
        """
def block_parameters(in_channels, channels, shortcut):
    count = 9 * in_channels * channels + 9 * channels**2 + 4 * channels
    if shortcut == "A" and in_channels != channels:
        count += in_channels * channels + 2 * channels
    return count
""",
        mistake="exchanges the options: A fills up with zeros, B projects",
    ),
    Wrong(
        "06.block-parameters",
        "no shortcut",
        """
def block_parameters(in_channels, channels, shortcut):
    return 9 * in_channels * channels + 9 * channels**2 + 4 * channels
""",
        mistake="ignores the shortcut",
    ),
    Right(
        "06.block",
        "in one line",
        """
def block(x, f):
    return F.relu(f(x) + x)
""",
    ),
    Right(
        "06.block",
        "step by step",
        """
def block(x, f):
    identity = x
    out = f(x)
    out = out + identity
    out = nn.ReLU()(out)
    return out
""",
    ),
    Right(
        "06.block",
        "in place on the branch",
        """
def block(x, f):
    y = f(x)
    y += x
    return y.clamp_(min=0)
""",
    ),
    Right("06.block", "a lambda", "block = lambda x, f: torch.relu(torch.add(x, f(x)))"),
    Right(
        "06.block",
        "a ReLU by hand",
        """
def block(inputs, branch):
    total = inputs + branch(inputs)
    return torch.where(total > 0, total, torch.zeros_like(total))
""",
    ),
    Right(
        "06.block",
        "a module",
        """
class Residual(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, x):
        return torch.maximum(self.f(x) + x, torch.tensor(0.0, dtype=x.dtype))

def block(x, f):
    return Residual(f)(x)
""",
    ),
    Wrong(
        "06.block",
        "no ReLU",
        """
def block(x, f):
    return f(x) + x
""",
        mistake="forgets the ReLU after the sum",
    ),
    Wrong(
        "06.block",
        "the ReLU before the sum",
        """
def block(x, f):
    return F.relu(f(x)) + x
""",
        mistake="puts the ReLU on the branch, so that a block can only add",
    ),
    Wrong(
        "06.block",
        "plain",
        """
def block(x, f):
    return F.relu(f(x))
""",
        mistake="forgets the shortcut: this is a plain block",
    ),
    Wrong(
        "06.block",
        "both rectified",
        """
def block(x, f):
    return F.relu(f(x)) + F.relu(x)
""",
        mistake="rectifies both terms before the sum",
    ),
    Wrong(
        "06.block",
        "pre-activation",
        """
def block(x, f):
    return f(F.relu(x)) + x
""",
        mistake="puts the ReLU before the branch, as the next paper did and this one does not",
    ),
    Wrong(
        "06.block",
        "in the input",
        """
def block(x, f):
    x += f(x)
    return F.relu(x)
""",
        mistake="adds in place to the input that it was given",
    ),
    Wrong(
        "06.block",
        "concatenates",
        """
def block(x, f):
    return F.relu(torch.cat([f(x), x], dim=1))
""",
        mistake="concatenates, as DenseNet does, where a residual block adds",
    ),
    Wrong(
        "06.block",
        "subtracts",
        """
def block(x, f):
    return F.relu(f(x) - x)
""",
        mistake="subtracts the input: the residual is what is added to it",
    ),
    Wrong(
        "06.block",
        "twice",
        """
def block(x, f):
    return F.relu(f(f(x)) + x)
""",
        mistake="calls f twice, as if it were one of the two convolutions",
    ),
    Wrong(
        "06.block",
        "no return",
        """
def block(x, f):
    y = F.relu(f(x) + x)
""",
        mistake="returns nothing",
    ),
    Wrong(
        "06.block",
        "the gradient stopped",
        """
def block(x, f):
    return F.relu(f(x) + x.detach())
""",
        mistake="detaches the shortcut, so that no gradient takes it, which is what it is for",
    ),
    Wrong(
        "06.block",
        "in NumPy",
        """
import numpy as np

def block(x, f):
    return np.maximum((f(x) + x).detach().numpy(), 0)
""",
        mistake="leaves PyTorch, so that no gradient comes back and the next layer gets no tensor",
    ),
    Right(
        "06.block",
        "torch.where, a lambda",
        """
block = lambda x, f: torch.where(f(x) + x > 0, f(x) + x, 0 * x)
""",
    ),
    Right("06.one-plus", "a list", "my_slopes = [-1] * 30"),
    Right("06.one-plus", "a tensor that needs gradients", "my_slopes = torch.full((30,), -0.9, requires_grad=True)"),
    Right(
        "06.one-plus",
        "NumPy, each a little different",
        """
import numpy as np

my_slopes = -np.linspace(0.7, 1.0, 30)
""",
    ),
    Right("06.one-plus", "a column", "my_slopes = -torch.ones(30, 1)"),
    Wrong(
        "06.one-plus",
        "slopes of zero",
        "my_slopes = torch.zeros(30)",
        mistake="makes every block hand on its input, and with it the whole gradient",
    ),
    Wrong(
        "06.one-plus",
        "slopes of one half",
        "my_slopes = [0.5] * 30",
        mistake="takes small slopes for small factors: 1 + F' is then larger than 1",
    ),
    Wrong(
        "06.one-plus",
        "at random",
        """
torch.manual_seed(0)
my_slopes = torch.empty(30).uniform_(-1, 1)
""",
        mistake="takes random slopes, with which the gradient survives",
    ),
    Wrong(
        "06.one-plus",
        "too few",
        "my_slopes = [-1.0] * 10",
        mistake="gives slopes for ten blocks of thirty",
    ),
    Right(
        "06.identity",
        "zeros in the last batch norm",
        """
def make_identity(block):
    nn.init.zeros_(block.residual[4].weight)
    nn.init.zeros_(block.residual[4].bias)
""",
    ),
    Right(
        "06.identity",
        "the last layer, without gradients",
        """
def make_identity(block):
    last = block.residual[-1]
    with torch.no_grad():
        for parameter in last.parameters():
            parameter.fill_(0)
    return block
""",
    ),
    Right(
        "06.identity",
        "searches for the last batch norm",
        """
@torch.no_grad()
def make_identity(b):
    norms = [m for m in b.residual.modules() if isinstance(m, nn.BatchNorm2d)]
    norms[-1].weight.mul_(0)
    norms[-1].bias.mul_(0)
""",
    ),
    Right(
        "06.identity",
        "by way of the state",
        """
def make_identity(block):
    state = block.state_dict()
    for name in ("residual.norm2.weight", "residual.norm2.bias"):
        state[name] = torch.zeros_like(state[name])
    block.load_state_dict(state)
""",
    ),
    Right(
        "06.identity",
        "new numbers through .data",
        """
def make_identity(block):
    norm = block.residual[4]
    norm.weight.data = torch.zeros(len(norm.weight))
    norm.bias.data = torch.zeros(len(norm.bias))
""",
    ),
    Wrong(
        "06.identity",
        "all to zero",
        """
def make_identity(block):
    with torch.no_grad():
        for parameter in block.residual.parameters():
            parameter.zero_()
""",
        mistake="sets all parameters to zero: no weight of the block ever gets a gradient again, only its last bias",
    ),
    Wrong(
        "06.identity",
        "the first batch norm",
        """
def make_identity(block):
    nn.init.zeros_(block.residual[1].weight)
    nn.init.zeros_(block.residual[1].bias)
""",
        mistake="silences the first batch norm: what stands behind a ReLU at zero gets no gradient",
    ),
    Wrong(
        "06.identity",
        "kernels that copy",
        """
def make_identity(block):
    nn.init.dirac_(block.residual[0].weight)
    nn.init.dirac_(block.residual[3].weight)
""",
        mistake="makes the branch the identity, as in a plain block; with the shortcut it adds the input once more",
    ),
    Wrong(
        "06.identity",
        "frozen",
        """
def make_identity(block):
    nn.init.zeros_(block.residual[4].weight)
    nn.init.zeros_(block.residual[4].bias)
    for parameter in block.parameters():
        parameter.requires_grad_(False)
""",
        mistake="freezes the block, which then cannot learn",
    ),
    Wrong(
        "06.identity",
        "another module",
        """
class Nothing(nn.Module):
    def forward(self, x):
        return torch.zeros_like(x)

def make_identity(block):
    block.residual = Nothing()
""",
        mistake="replaces the branch by one without parameters, where its parameters are to be changed",
    ),
    Wrong(
        "06.identity",
        "a copy",
        """
import copy

def make_identity(block):
    block = copy.deepcopy(block)
    nn.init.zeros_(block.residual[4].weight)
    nn.init.zeros_(block.residual[4].bias)
    return block
""",
        mistake="changes a copy and leaves the block that it was given as it was",
    ),
    Wrong(
        "06.identity",
        "only the bias",
        """
def make_identity(block):
    nn.init.zeros_(block.residual[4].bias)
""",
        mistake="sets the bias of the last batch norm to zero, and leaves the weight, which does the scaling",
    ),
    Wrong(
        "06.identity",
        "the first convolution",
        """
def make_identity(block):
    nn.init.zeros_(block.residual[0].weight)
""",
        mistake="silences the first convolution: behind a ReLU at zero nothing gets a gradient",
    ),
    Wrong(
        "06.identity",
        "ones",
        """
def make_identity(block):
    for layer in (block.residual[1], block.residual[4]):
        nn.init.ones_(layer.weight)
        nn.init.zeros_(layer.bias)
""",
        mistake="makes the batch norms neutral, so that the branch adds whatever its convolutions compute",
    ),
    Right(
        "06.pooling-head",
        "mean, then a linear layer",
        """
def pooling_head(maps, weight, bias):
    return F.linear(maps.mean(dim=(2, 3)), weight, bias)
""",
    ),
    Right(
        "06.pooling-head",
        "einsum",
        """
def pooling_head(maps, weight, bias):
    places = maps.shape[2] * maps.shape[3]
    return torch.einsum("nchw,kc->nk", maps, weight) / places + bias
""",
    ),
    Right(
        "06.pooling-head",
        "the layers of PyTorch",
        """
def pooling_head(maps, weight, bias):
    pooled = nn.Flatten()(nn.AdaptiveAvgPool2d(1)(maps))
    return pooled @ weight.T + bias
""",
    ),
    Right(
        "06.pooling-head",
        "logits at every place first, then their mean",
        """
def pooling_head(maps, weight, bias):
    everywhere = F.conv2d(maps, weight[:, :, None, None], bias)
    return everywhere.flatten(2).mean(2)
""",
    ),
    Right(
        "06.pooling-head",
        "loops",
        """
def pooling_head(maps, weight, bias):
    rows = []
    for image in maps:
        features = torch.stack([plane.sum() / plane.numel() for plane in image])
        rows.append(torch.stack([(w * features).sum() + b for w, b in zip(weight, bias)]))
    return torch.stack(rows)
""",
    ),
    Right(
        "06.pooling-head",
        "NumPy inside",
        """
import numpy as np

def pooling_head(maps, weight, bias):
    features = np.asarray(maps).mean(axis=(-2, -1))
    return torch.from_numpy(features @ np.asarray(weight).T + np.asarray(bias))
""",
    ),
    Wrong(
        "06.pooling-head",
        "the sum",
        """
def pooling_head(maps, weight, bias):
    return F.linear(maps.sum(dim=(2, 3)), weight, bias)
""",
        mistake="adds up the places, so that the logits grow with the size of the image",
    ),
    Wrong(
        "06.pooling-head",
        "the largest",
        """
def pooling_head(maps, weight, bias):
    return F.linear(maps.amax(dim=(2, 3)), weight, bias)
""",
        mistake="takes the largest of each map, where ResNet takes the mean",
    ),
    Wrong(
        "06.pooling-head",
        "eight by eight",
        """
def pooling_head(maps, weight, bias):
    return F.linear(F.avg_pool2d(maps, 8).flatten(1), weight, bias)
""",
        mistake="averages windows of 8 × 8, which fits maps of one size only",
    ),
    Wrong(
        "06.pooling-head",
        "the wrong axes",
        """
def pooling_head(maps, weight, bias):
    return F.linear(maps.mean(dim=(1, 2)), weight, bias)
""",
        mistake="averages over channels and rows, and keeps the columns",
    ),
    Wrong(
        "06.pooling-head",
        "no bias",
        """
def pooling_head(maps, weight, bias):
    return maps.mean((2, 3)) @ weight.T
""",
        mistake="forgets the bias",
    ),
    Wrong(
        "06.pooling-head",
        "not transposed",
        """
def pooling_head(maps, weight, bias):
    return maps.mean((2, 3)) @ weight + bias
""",
        mistake="multiplies by the weights as they are, (classes, C), which runs only with as many classes as channels",
    ),
    Wrong(
        "06.pooling-head",
        "probabilities",
        """
def pooling_head(maps, weight, bias):
    return F.linear(maps.mean((2, 3)), weight, bias).softmax(1)
""",
        mistake="returns probabilities, where logits are asked for",
    ),
    Wrong(
        "06.pooling-head",
        "square maps",
        """
def pooling_head(maps, weight, bias):
    side = maps.shape[2]
    return F.linear(maps.sum((2, 3)) / side**2, weight, bias)
""",
        mistake="divides by the square of the height, which is right for square maps only",
    ),
    Wrong(
        "06.pooling-head",
        "dimensions left over",
        """
def pooling_head(maps, weight, bias):
    pooled = F.adaptive_avg_pool2d(maps, 1)
    return F.conv2d(pooled, weight[:, :, None, None], bias)
""",
        mistake="returns (N, classes, 1, 1) and forgets to take the two last axes away",
    ),
    Wrong(
        "06.pooling-head",
        "the middle",
        """
def pooling_head(maps, weight, bias):
    middle = maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2]
    return F.linear(middle, weight, bias)
""",
        mistake="looks at the middle place only and not at the mean of all",
    ),
    Wrong(
        "06.pooling-head",
        "the mean of all images",
        """
def pooling_head(maps, weight, bias):
    return F.linear(maps.mean((0, 2, 3)), weight, bias).expand(len(maps), -1)
""",
        mistake="averages over the images too, and gives all the same answer",
    ),
    Right(
        "06.deep-and-plain",
        "twenty layers, ten epochs",
        """
torch.manual_seed(0)
my_run = training.fit(models.get_model("plain20_tiny"), street, epochs=10, lr=0.1, batch_size=64, progress=False)
""",
        slow=True,
    ),
    Wrong(
        "06.deep-and-plain",
        "with shortcuts",
        """
torch.manual_seed(0)
some = data.load("street_digits", train=256, test=100)
my_run = training.fit(models.get_model("resnet20_tiny"), some, epochs=1, lr=0.1, batch_size=64, progress=False)
""",
        mistake="trains a ResNet, which has shortcuts",
    ),
    Wrong(
        "06.deep-and-plain",
        "eight layers",
        """
torch.manual_seed(0)
some = data.load("street_digits", train=256, test=100)
shallow = models.get_model("plain20_tiny", depths=(1, 1, 1))
my_run = training.fit(shallow, some, epochs=1, lr=0.1, batch_size=64, progress=False)
""",
        mistake="has eight layers, where at least twenty are asked for",
    ),
    Wrong(
        "06.deep-and-plain",
        "56 layers, one epoch",
        """
torch.manual_seed(0)
some = data.load("street_digits", train=256, test=100)
my_run = training.fit(models.get_model("plain56_tiny"), some, epochs=1, lr=0.1, batch_size=64, progress=False)
""",
        mistake="trains 56 plain layers hardly at all: they guess",
    ),
    Wrong(
        "06.deep-and-plain",
        "not trained",
        """
torch.manual_seed(0)
my_run = models.get_model("plain20_tiny")
""",
        mistake="has built a network and not trained it",
    ),
    Wrong(
        "06.deep-and-plain",
        "VGG with batch norm",
        """
torch.manual_seed(0)
some = data.load("street_digits", train=256, test=100)
my_run = training.fit(models.get_model("vgg16_bn_tiny"), some, epochs=1, lr=0.02, batch_size=64, progress=False)
""",
        mistake="has sixteen layers, where at least twenty are asked for",
    ),
]
