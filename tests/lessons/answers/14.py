"""Answers of learners to the exercises of lesson 14, in many styles, written without looking at the checks."""

from answers import Right, Wrong

ANSWERS = [
    # 14.patches
    Right(
        "14.patches",
        "reshape and permute",
        """
def embed(images, weight, bias):
    n, c, h, w = images.shape
    d, _, p, _ = weight.shape
    cut = images.reshape(n, c, h // p, p, w // p, p).permute(0, 2, 4, 1, 3, 5)
    return cut.reshape(n, (h // p) * (w // p), c * p * p) @ weight.reshape(d, -1).T + bias
""",
    ),
    Right(
        "14.patches",
        "F.unfold and a linear layer",
        """
def embed(images, weight, bias):
    p = weight.shape[-1]
    patches = F.unfold(images, kernel_size=p, stride=p).transpose(1, 2)
    return F.linear(patches, weight.flatten(1), bias)
""",
    ),
    Right(
        "14.patches",
        "a loop over the places",
        """
def embed(images, weight, bias):
    P = weight.shape[2]
    tokens = []
    for top in range(0, images.shape[2], P):
        for left in range(0, images.shape[3], P):
            patch = images[:, :, top : top + P, left : left + P]
            tokens.append((patch.unsqueeze(1) * weight).sum(dim=(2, 3, 4)) + bias)
    return torch.stack(tokens, dim=1)
""",
    ),
    Right(
        "14.patches",
        "two unfolds and einsum",
        """
def embed(images, weight, bias):
    p = weight.size(-1)
    windows = images.unfold(2, p, p).unfold(3, p, p)
    out = torch.einsum("ncijab,dcab->nijd", windows, weight)
    return out.flatten(1, 2) + bias
""",
    ),
    Right(
        "14.patches",
        "tensordot over channels and pixels",
        """
def embed(images, weight, bias):
    n, c, h, w = images.size()
    p = weight.size(2)
    pieces = images.view(n, c, h // p, p, w // p, p)
    out = torch.tensordot(pieces, weight, dims=([1, 3, 5], [1, 2, 3]))
    return out.reshape(n, -1, weight.size(0)) + bias
""",
    ),
    Wrong(
        "14.patches",
        "a convolution",
        """
def embed(images, weight, bias):
    return F.conv2d(images, weight, bias, stride=weight.shape[-1]).flatten(2).transpose(1, 2)
""",
        mistake="uses the convolution that was to be written by hand",
    ),
    Wrong(
        "14.patches",
        "a convolution layer with these weights",
        """
def embed(images, weight, bias):
    d, c, p, _ = weight.shape
    layer = nn.Conv2d(c, d, p, stride=p)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
        return layer(images).flatten(2).transpose(1, 2)
""",
        mistake="hides the convolution in a layer",
    ),
    Wrong(
        "14.patches",
        "reshape without permute",
        """
def embed(images, weight, bias):
    n, c, h, w = images.shape
    d, _, p, _ = weight.shape
    return images.reshape(n, (h // p) * (w // p), c * p * p) @ weight.reshape(d, -1).T + bias
""",
        mistake="cuts the numbers in the order of memory, which are rows of one channel, not patches",
    ),
    Wrong(
        "14.patches",
        "channels last",
        """
def embed(images, weight, bias):
    n, c, h, w = images.shape
    d, _, p, _ = weight.shape
    cut = images.reshape(n, c, h // p, p, w // p, p).permute(0, 2, 4, 3, 5, 1)
    return cut.reshape(n, -1, c * p * p) @ weight.reshape(d, -1).T + bias
""",
        mistake="lays a patch out with its channels last, but the weight has them first",
    ),
    Wrong(
        "14.patches",
        "column by column",
        """
def embed(images, weight, bias):
    p = weight.shape[-1]
    tokens = []
    for left in range(0, images.shape[3], p):
        for top in range(0, images.shape[2], p):
            patch = images[:, :, top : top + p, left : left + p].flatten(1)
            tokens.append(patch @ weight.flatten(1).T + bias)
    return torch.stack(tokens, 1)
""",
        mistake="goes through the patches column by column",
    ),
    Wrong(
        "14.patches",
        "square images",
        """
def embed(images, weight, bias):
    n, c, h, _ = images.shape
    d, _, p, _ = weight.shape
    k = h // p
    cut = torch.stack([images[:, :, i * p : i * p + p, j * p : j * p + p] for i in range(k) for j in range(k)], 1)
    return cut.flatten(2) @ weight.flatten(1).T + bias
""",
        mistake="takes the height for the width; right for square images only",
    ),
    Wrong(
        "14.patches",
        "no bias",
        """
def embed(images, weight, bias):
    p = weight.shape[-1]
    return F.unfold(images, p, stride=p).transpose(1, 2) @ weight.flatten(1).T
""",
        mistake="forgets the bias",
    ),
    Wrong(
        "14.patches",
        "overlapping windows",
        """
def embed(images, weight, bias):
    p = weight.shape[-1]
    return F.unfold(images, p).transpose(1, 2) @ weight.flatten(1).T + bias
""",
        mistake="forgets the stride, so that the patches overlap",
    ),
    Wrong(
        "14.patches",
        "a map",
        """
def embed(images, weight, bias):
    p = weight.shape[-1]
    return weight.flatten(1) @ F.unfold(images, p, stride=p) + bias[:, None]
""",
        mistake="returns (N, D, tokens): the last two dimensions are swapped",
    ),
    # 14.attend
    Right(
        "14.attend",
        "the formula",
        """
def attend(queries, keys, values):
    scores = queries @ keys.T / math.sqrt(queries.shape[-1])
    return torch.softmax(scores, dim=-1) @ values
""",
    ),
    Right(
        "14.attend",
        "query by query",
        """
def attend(queries, keys, values):
    out = torch.zeros_like(values)
    for i, q in enumerate(queries):
        products = torch.stack([(q * k).sum() for k in keys]) / len(q) ** 0.5
        shares = products.softmax(0)
        for share, v in zip(shares, values):
            out[i] += share * v
    return out
""",
    ),
    Right(
        "14.attend",
        "einsum, softmax written out",
        """
def attend(queries, keys, values):
    s = torch.einsum("qd,kd->qk", queries, keys) * queries.size(1) ** -0.5
    e = torch.exp(s - s.max(dim=1, keepdim=True).values)
    return torch.einsum("qk,kd->qd", e / e.sum(1, keepdim=True), values)
""",
    ),
    Right(
        "14.attend",
        "keys scaled first, a lambda",
        """
attend = lambda q, k, v: F.softmax(q.matmul((k / k.shape[1] ** 0.5).t()), dim=1).matmul(v)
""",
    ),
    Right(
        "14.attend",
        "NumPy inside",
        """
def attend(queries, keys, values):
    q, k, v = (t.detach().double().numpy() for t in (queries, keys, values))
    s = q @ k.T / np.sqrt(q.shape[1])
    w = np.exp(s - s.max(1, keepdims=True))
    w /= w.sum(1, keepdims=True)
    return torch.from_numpy(w @ v).to(values.dtype)
""",
    ),
    Right(
        "14.attend",
        "from the transposed table, with the softmax along its other side",
        """
def attend(queries, keys, values):
    table = keys @ queries.T / queries.shape[1] ** 0.5
    shares = table.log_softmax(0).exp()
    return shares.T @ values
""",
    ),
    Wrong(
        "14.attend",
        "PyTorch's own",
        """
def attend(queries, keys, values):
    return F.scaled_dot_product_attention(queries[None], keys[None], values[None])[0]
""",
        mistake="calls the function that the text forbids",
    ),
    Wrong(
        "14.attend",
        "no scale",
        """
def attend(queries, keys, values):
    return torch.softmax(queries @ keys.T, dim=-1) @ values
""",
        mistake="forgets the square root of d",
    ),
    Wrong(
        "14.attend",
        "over d",
        """
def attend(queries, keys, values):
    return torch.softmax(queries @ keys.T / queries.shape[-1], dim=-1) @ values
""",
        mistake="divides by d, not by its square root",
    ),
    Wrong(
        "14.attend",
        "over the tokens",
        """
def attend(queries, keys, values):
    return torch.softmax(queries @ keys.T / len(queries) ** 0.5, dim=-1) @ values
""",
        mistake="takes the number of tokens for d; as many tokens as numbers hide it",
    ),
    Wrong(
        "14.attend",
        "softmax along the queries",
        """
def attend(queries, keys, values):
    return torch.softmax(queries @ keys.T / queries.shape[-1] ** 0.5, dim=0) @ values
""",
        mistake="lets the queries compete for each key: the shares of one query do not add up to 1",
    ),
    Wrong(
        "14.attend",
        "keys ask",
        """
def attend(queries, keys, values):
    return torch.softmax(keys @ queries.T / queries.shape[-1] ** 0.5, dim=-1) @ values
""",
        mistake="swaps queries and keys",
    ),
    Wrong(
        "14.attend",
        "the channels are mixed",
        """
def attend(queries, keys, values):
    return values @ torch.softmax(queries.T @ keys / queries.shape[-1] ** 0.5, dim=-1)
""",
        mistake="compares channels with channels instead of tokens with tokens",
    ),
    Wrong(
        "14.attend",
        "no exponential",
        """
def attend(queries, keys, values):
    s = (queries @ keys.T / queries.shape[-1] ** 0.5).clamp(min=0)
    return s / (s.sum(1, keepdim=True) + 1e-9) @ values
""",
        mistake="divides the products by their sum, which is no softmax",
    ),
    Wrong(
        "14.attend",
        "the scale behind the softmax",
        """
def attend(queries, keys, values):
    return torch.softmax(queries @ keys.T, dim=-1) / queries.shape[-1] ** 0.5 @ values
""",
        mistake="divides the shares, not the products, by the square root of d",
    ),
    # 14.attention-cost
    Right(
        "14.attention-cost",
        "tokens squared, twice",
        """
def attention_macs(size, patch, width):
    tokens = (size // patch) ** 2 + 1
    return 2 * tokens * tokens * width
""",
    ),
    Right(
        "14.attention-cost",
        "head by head",
        """
def attention_macs(size, patch, width):
    heads, t = 1, 1 + (size // patch) * (size // patch)
    d = width // heads
    total = 0
    for _ in range(heads):
        total += t * d * t  # q with k
        total += t * t * d  # weights with v
    return total
""",
    ),
    Right(
        "14.attention-cost",
        "counts the floating-point operations of two products",
        """
from torch.utils.flop_counter import FlopCounterMode


def attention_macs(size, patch, width):
    n = (size // patch) ** 2 + 1
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        q, k, v = torch.empty(3, n, width)
        (q @ k.T) @ v
    return counter.get_total_flops() // 2
""",
    ),
    Right(
        "14.attention-cost",
        "a float without a fraction",
        """
attention_macs = lambda size, patch, width: 2 * width * ((size / patch) ** 2 + 1) ** 2
""",
    ),
    Right(
        "14.attention-cost",
        "NumPy number",
        """
def attention_macs(size, patch, width):
    n = np.square(np.int64(size // patch)) + 1
    return 2 * n**2 * width
""",
    ),
    Wrong(
        "14.attention-cost",
        "no class token",
        """
def attention_macs(size, patch, width):
    tokens = (size // patch) ** 2
    return 2 * tokens**2 * width
""",
        mistake="forgets the class token",
    ),
    Wrong(
        "14.attention-cost",
        "one product",
        """
def attention_macs(size, patch, width):
    tokens = (size // patch) ** 2 + 1
    return tokens**2 * width
""",
        mistake="counts one of the two products",
    ),
    Wrong(
        "14.attention-cost",
        "a row of patches",
        """
def attention_macs(size, patch, width):
    tokens = size // patch + 1
    return 2 * tokens**2 * width
""",
        mistake="takes the patches of one row for all patches",
    ),
    Wrong(
        "14.attention-cost",
        "with the linear layers",
        """
def attention_macs(size, patch, width):
    tokens = (size // patch) ** 2 + 1
    return 2 * tokens**2 * width + 4 * tokens * width**2
""",
        mistake="adds the four linear layers, which are not the two products",
    ),
    Wrong(
        "14.attention-cost",
        "width squared",
        """
def attention_macs(size, patch, width):
    tokens = (size // patch) ** 2 + 1
    return 2 * tokens * width**2
""",
        mistake="squares the width, as in a linear layer, where the tokens are squared",
    ),
    Wrong(
        "14.attention-cost",
        "operations",
        """
def attention_macs(size, patch, width):
    tokens = (size // patch) ** 2 + 1
    return 4 * tokens**2 * width
""",
        mistake="counts multiplications and additions apart: twice the mult-adds",
    ),
    Wrong(
        "14.attention-cost",
        "tokens not squared",
        """
def attention_macs(size, patch, width):
    tokens = (size // patch) ** 2 + 1
    return 2 * tokens * width
""",
        mistake="forgets that every token meets every token",
    ),
    Wrong(
        "14.attention-cost",
        "pixels of a patch",
        """
def attention_macs(size, patch, width):
    tokens = size**2 // patch + 1
    return 2 * tokens**2 * width
""",
        mistake="divides the pixels by the side of a patch, not by its pixels",
    ),
    # 14.shift
    Right("14.shift", "the four numbers", "smallest_shifts = (1, 4, 8, 32)"),
    Right("14.shift", "a list", "smallest_shifts = [1, 4, 8, 32]"),
    Right("14.shift", "products of the strides", "smallest_shifts = (1 * 1 * 1, 2 * 2 * 1, 8, 32)"),
    Right("14.shift", "powers of two", "smallest_shifts = tuple(2**k for k in (0, 2, 3, 5))"),
    Right("14.shift", "NumPy numbers in a tuple", "smallest_shifts = tuple(np.array([1, 4, 8, 32]))"),
    Right(
        "14.shift",
        "tries each shift on one random picture and random weights",
        """
torch.manual_seed(0)


def circular(*strides):
    convs = [nn.Conv2d(c, 6, 3, s, padding=1, padding_mode="circular") for c, s in zip((3, 6, 6), strides)]
    layers = [layer for conv in convs for layer in (conv, nn.ReLU())]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10)).double()


def transformer(positions):
    net = models.get_model("vit_b_16_tiny", depth=2, mlp_width=128).eval().double()
    nn.init.normal_(net.head[-1].weight)
    (nn.init.normal_ if positions else nn.init.zeros_)(net.stem.positions.pos_embedding)
    return net


def smallest(net, x=torch.rand(1, 3, 32, 32, dtype=torch.float64)):
    with torch.no_grad():
        want = net(x)
        return next(s for s in range(1, 33) if torch.allclose(net(x.roll((s, s), (2, 3))), want, atol=1e-9))


nets = circular(1, 1, 1), circular(1, 2, 2), transformer(False), transformer(True)
smallest_shifts = tuple(smallest(net) for net in nets)
""",
    ),
    Wrong(
        "14.shift",
        "strides added",
        "smallest_shifts = (1, 3, 8, 32)",
        mistake="adds up the strides; they multiply",
    ),
    Wrong(
        "14.shift",
        "one stride",
        "smallest_shifts = (1, 2, 8, 32)",
        mistake="thinks of one stride of 2, but the second one needs twice as much",
    ),
    Wrong(
        "14.shift",
        "positions forgotten",
        "smallest_shifts = (1, 4, 8, 8)",
        mistake="a shift by a whole patch puts the patches in other places, and positions notice it",
    ),
    Wrong(
        "14.shift",
        "a ViT sees everything",
        "smallest_shifts = (1, 4, 1, 32)",
        mistake="without positions the order of the patches does not matter, but what is in them does",
    ),
    Wrong(
        "14.shift",
        "never",
        "smallest_shifts = (1, 4, 8, None)",
        mistake="after 32 pixels the picture is back where it was",
    ),
    Wrong(
        "14.shift",
        "every convolution moves",
        "smallest_shifts = (32, 32, 8, 32)",
        mistake="a convolution's maps move with the picture, but the mean over all places does not",
    ),
    Wrong(
        "14.shift",
        "strides ignored",
        "smallest_shifts = (1, 1, 8, 32)",
        mistake="takes a network with strides for one that no shift disturbs",
    ),
    Wrong(
        "14.shift",
        "another order",
        "smallest_shifts = (32, 8, 4, 1)",
        mistake="gives the networks in the opposite order",
    ),
    # 14.looked-there
    Right(
        "14.looked-there",
        "two that cancel, as lists",
        """
def refute():
    query = torch.tensor([8.0])
    keys = torch.tensor([[1.0], [0.0], [0.0]])
    values = torch.tensor([[0.0], [5.0], [-5.0]])
    return query, keys, values
""",
    ),
    Right(
        "14.looked-there",
        "the value of the one looked at is the mean of the others, in float64 and NumPy",
        """
def refute():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5, 3))
    values[2] = values[[0, 1, 3, 4]].mean(0)
    keys = np.zeros((5, 4))
    keys[2, 0] = 10
    return np.array([2.0, 0, 0, 0]), keys, values
""",
    ),
    Right(
        "14.looked-there",
        "solves for the value, with scores chosen by their logarithms",
        """
def refute():
    shares = torch.tensor([0.01, 0.92, 0.03, 0.04])
    query, keys = torch.tensor([1.0]), shares.log()[:, None]
    values = torch.tensor([[3.0, 1.0], [0.0, 0.0], [-1.0, 2.0], [0.0, -7.0]])
    others = shares * torch.tensor([1.0, 0.0, 1.0, 1.0])
    values[1] = others @ values / others.sum()
    return [query, keys, values]
""",
    ),
    Right(
        "14.looked-there",
        "a query of one number, lists of lists",
        """
def refute():
    return [4.0], [[3.0], [0.0], [0.0]], [[0.0], [5.0], [-5.0]]
""",
    ),
    Wrong(
        "14.looked-there",
        "the value is zero and no more",
        """
def refute():
    query = torch.tensor([8.0])
    keys = torch.tensor([[1.0], [0.0], [0.0]])
    values = torch.tensor([[0.0], [5.0], [3.0]])
    return query, keys, values
""",
        mistake="forgets that the others share out what the token had, so that the result changes much",
    ),
    Wrong(
        "14.looked-there",
        "all values alike",
        """
def refute():
    keys = torch.zeros(4, 2)
    keys[0] = 5
    return torch.ones(2), keys, torch.ones(4, 2)
""",
        mistake="whichever token is left out, the result stays the same: none matters more than another",
    ),
    Wrong(
        "14.looked-there",
        "half of the shares",
        """
def refute():
    query = torch.tensor([1.0])
    keys = torch.tensor([[1.0], [0.0], [0.0]])
    return query, keys, torch.tensor([[0.0], [5.0], [-5.0]])
""",
        mistake="has no token with 90 % of the shares",
    ),
    Wrong(
        "14.looked-there",
        "two tokens",
        """
def refute():
    query = torch.tensor([5.0])
    return query, torch.tensor([[1.0], [0.0]]), torch.tensor([[0.0], [100.0]])
""",
        mistake="has two tokens, for which the sentence is right",
    ),
    # 14.help-it
    Right(
        "14.help-it",
        "three convolutions in front of two layers of attention",
        """
class Attend(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)

    def forward(self, x):
        y = self.norm(x)
        return x + self.attention(y, y, y, need_weights=False)[0]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [3, 16, 32, 64]
        self.stem = nn.Sequential()
        for old, new in zip(widths, widths[1:]):
            self.stem.extend([nn.Conv2d(old, new, 3, 2, 1, bias=False), nn.BatchNorm2d(new), nn.ReLU()])
        self.blocks = nn.Sequential(Attend(64), Attend(64))
        self.head = nn.Linear(1024, 10)

    def forward(self, x):
        tokens = self.stem(x).flatten(2).transpose(1, 2)
        return self.head(self.blocks(tokens).flatten(1))


torch.manual_seed(0)
street = data.load("street_digits", train=8000)
recipe = {"epochs": 8, "lr": 0.003, "optimizer": "adamw", "weight_decay": 0.05, "batch_size": 32}
my_run = training.fit(Net(), street, **recipe, progress=False)
""",
    ),
    Wrong(
        "14.help-it",
        "a fresh network",
        """
my_run = models.get_model("vit_b_16_tiny", depth=2, mlp_width=128)
""",
        mistake="hands in a network that was never trained, not a run",
    ),
    Wrong(
        "14.help-it",
        "a glance at the images",
        """
torch.manual_seed(0)
few = data.load("street_digits", train=128, test=10)
net = models.get_model("vit_b_16_tiny", depth=2, mlp_width=128)
my_run = training.fit(net, few, epochs=1, lr=0.002, optimizer="adamw", progress=False)
""",
        mistake="one pass over 128 images: the network reads hardly more than by chance",
    ),
    Wrong(
        "14.help-it",
        "one layer of attention",
        """
torch.manual_seed(0)
few = data.load("street_digits", train=128, test=10)
net = models.get_model("vit_b_16_tiny", depth=1, mlp_width=128)
my_run = training.fit(net, few, epochs=1, lr=0.002, optimizer="adamw", progress=False)
""",
        mistake="has one layer of attention; two are asked for (and it was hardly trained)",
    ),
    Wrong(
        "14.help-it",
        "no attention at all",
        """
torch.manual_seed(0)
few = data.load("street_digits", train=128, test=10)
my_run = training.fit(models.get_model("resnet20_tiny"), few, epochs=1, lr=0.1, progress=False)
""",
        mistake="a ResNet has no attention",
    ),
    Wrong(
        "14.help-it",
        "many blocks",
        """
torch.manual_seed(0)
few = data.load("street_digits", train=64, test=10)
net = models.get_model("vit_b_16_tiny", depth=8, mlp_width=512)
my_run = training.fit(net, few, epochs=1, lr=0.002, optimizer="adamw", progress=False)
""",
        mistake="has far more than 200,000 parameters",
    ),
]
