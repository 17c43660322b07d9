"""Answers of learners to the exercises of lesson 13, in many styles, written without looking at the checks."""

from answers import Right, Wrong

ANSWERS = [
    # 13.squeeze-excitation
    Right(
        "13.squeeze-excitation",
        "step by step",
        """
def squeeze_excite(x, narrow, widen):
    s = x.mean(dim=(2, 3))
    gate = torch.sigmoid(widen(F.silu(narrow(s))))
    return x * gate[:, :, None, None]
""",
    ),
    Right(
        "13.squeeze-excitation",
        "adaptive pool and nn.Sequential",
        """
def squeeze_excite(x, narrow, widen):
    excite = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), narrow, nn.SiLU(), widen, nn.Sigmoid())
    return excite(x).view(x.size(0), x.size(1), 1, 1) * x
""",
    ),
    Right(
        "13.squeeze-excitation",
        "einsum, SiLU written out",
        """
def squeeze_excite(x, narrow, widen):
    n, c, h, w = x.shape
    y = narrow(torch.einsum("nchw->nc", x) / (h * w))
    y = widen(y * torch.sigmoid(y))
    return torch.einsum("nchw,nc->nchw", x, 1 / (1 + torch.exp(-y)))
""",
    ),
    Right(
        "13.squeeze-excitation",
        "image by image in a comprehension",
        """
def squeeze_excite(x, narrow, widen):
    def one(image):
        gate = widen(F.silu(narrow(image.flatten(1).mean(1)))).sigmoid()
        return torch.stack([g * channel for g, channel in zip(gate, image)])
    return torch.stack([one(image) for image in x])
""",
    ),
    Right(
        "13.squeeze-excitation",
        "gates in place on a clone",
        """
def squeeze_excite(x, narrow, widen):
    gates = x.flatten(2).mean(-1)
    for f in (narrow, F.silu, widen, torch.sigmoid):
        gates = f(gates)
    out = x.clone()
    out *= gates.unsqueeze(-1).unsqueeze(-1)
    return out
""",
    ),
    Wrong(
        "13.squeeze-excitation",
        "ReLU",
        """
def squeeze_excite(x, narrow, widen):
    gate = torch.sigmoid(widen(F.relu(narrow(x.mean((2, 3))))))
    return x * gate[:, :, None, None]
""",
        mistake="takes the original paper's ReLU where EfficientNet has SiLU",
    ),
    Wrong(
        "13.squeeze-excitation",
        "no sigmoid",
        """
def squeeze_excite(x, narrow, widen):
    gate = widen(F.silu(narrow(x.mean((2, 3)))))
    return x * gate[:, :, None, None]
""",
        mistake="forgets the sigmoid, so the gates are not between 0 and 1",
    ),
    Wrong(
        "13.squeeze-excitation",
        "the sum",
        """
def squeeze_excite(x, narrow, widen):
    gate = torch.sigmoid(widen(F.silu(narrow(x.sum((2, 3))))))
    return x * gate[:, :, None, None]
""",
        mistake="squeezes by the sum, which grows with the image; the mean is meant",
    ),
    Wrong(
        "13.squeeze-excitation",
        "the maximum",
        """
def squeeze_excite(x, narrow, widen):
    gate = torch.sigmoid(widen(F.silu(narrow(x.amax((2, 3))))))
    return x * gate[:, :, None, None]
""",
        mistake="squeezes each channel to its largest value, not to its mean",
    ),
    Wrong(
        "13.squeeze-excitation",
        "the gates alone",
        """
def squeeze_excite(x, narrow, widen):
    return torch.sigmoid(widen(F.silu(narrow(x.mean((2, 3))))))
""",
        mistake="returns the gates and never weighs the channels",
    ),
    Wrong(
        "13.squeeze-excitation",
        "adds",
        """
def squeeze_excite(x, narrow, widen):
    gate = torch.sigmoid(widen(F.silu(narrow(x.mean((2, 3))))))
    return x + gate[:, :, None, None]
""",
        mistake="adds the gate to the map; a gate multiplies",
    ),
    Wrong(
        "13.squeeze-excitation",
        "one gate set for the batch",
        """
def squeeze_excite(x, narrow, widen):
    gate = torch.sigmoid(widen(F.silu(narrow(x.mean((0, 2, 3))))))
    return x * gate[:, None, None]
""",
        mistake="takes the mean over the images too, so that all get the same gates",
    ),
    Wrong(
        "13.squeeze-excitation",
        "softmax",
        """
def squeeze_excite(x, narrow, widen):
    gate = torch.softmax(widen(F.silu(narrow(x.mean((2, 3))))), dim=1)
    return x * gate[:, :, None, None]
""",
        mistake="lets the channels compete by a softmax; each gate stands for itself",
    ),
    Wrong(
        "13.squeeze-excitation",
        "in place",
        """
def squeeze_excite(x, narrow, widen):
    gate = torch.sigmoid(widen(F.silu(narrow(x.mean((2, 3))))))
    return x.mul_(gate[:, :, None, None])
""",
        mistake="multiplies the caller's maps in place",
    ),
    # 13.round-channels
    Right(
        "13.round-channels",
        "rounds and mends",
        """
def round_channels(channels):
    result = max(8, round(channels / 8) * 8)
    if result < 0.9 * channels:
        result += 8
    return result
""",
    ),
    Right(
        "13.round-channels",
        "whole division after adding four",
        """
def round_channels(channels):
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest
""",
    ),
    Right(
        "13.round-channels",
        "a search upwards through the multiples",
        """
def round_channels(channels):
    multiples = range(8, int(channels) + 17, 8)
    nearest = min(multiples, key=lambda m: abs(m - channels))
    return min(m for m in multiples if m >= nearest and m >= 0.9 * channels)
""",
    ),
    Right(
        "13.round-channels",
        "no minimum, since the 90 % rule lifts a zero to 8 by itself",
        """
def round_channels(channels):
    eights = math.floor(channels / 8 + 0.5)
    if eights * 8 / channels < 0.9:
        eights += 1
    return 8 * eights
""",
    ),
    Right(
        "13.round-channels",
        "NumPy number",
        """
def round_channels(channels):
    below, above = np.floor(channels / 8) * 8, np.floor(channels / 8) * 8 + 8
    near = below if channels - below < above - channels else above
    near = np.maximum(near, 8)
    return np.int64(near if near >= 0.9 * channels else near + 8)
""",
    ),
    Wrong(
        "13.round-channels",
        "without the 90 %",
        """
def round_channels(channels):
    return max(8, round(channels / 8) * 8)
""",
        mistake="forgets that less than 90 % of the wish is too little",
    ),
    Wrong(
        "13.round-channels",
        "always up",
        """
def round_channels(channels):
    return max(8, math.ceil(channels / 8) * 8)
""",
        mistake="rounds up always",
    ),
    Wrong(
        "13.round-channels",
        "down, and mended",
        """
def round_channels(channels):
    result = max(8, int(channels) // 8 * 8)
    if result < 0.9 * channels:
        result += 8
    return result
""",
        mistake="rounds down first; a little below a multiple of 8 it stays a whole step too low",
    ),
    Wrong(
        "13.round-channels",
        "90 % of the result",
        """
def round_channels(channels):
    result = max(8, int(channels + 4) // 8 * 8)
    if channels < 0.9 * result:
        result += 8
    return result
""",
        mistake="compares the wrong way round: it enlarges what is too large already",
    ),
    Wrong(
        "13.round-channels",
        "one more",
        """
def round_channels(channels):
    result = max(8, int(channels + 4) // 8 * 8)
    if result < 0.9 * channels:
        result += 1
    return result
""",
        mistake="goes on to the next number, not to the next multiple of 8",
    ),
    Wrong(
        "13.round-channels",
        "multiples of four",
        """
def round_channels(channels):
    result = max(8, round(channels / 4) * 4)
    if result < 0.9 * channels:
        result += 4
    return result
""",
        mistake="rounds to multiples of 4",
    ),
    Wrong(
        "13.round-channels",
        "eighty percent",
        """
def round_channels(channels):
    result = max(8, int(channels + 4) // 8 * 8)
    return result if result > 0.8 * channels else result + 8
""",
        mistake="lets a fifth of the wish go, where a tenth is the limit",
    ),
    Wrong(
        "13.round-channels",
        "prints",
        """
def round_channels(channels):
    result = max(8, int(channels + 4) // 8 * 8)
    if result < 0.9 * channels:
        result += 8
    print(result)
""",
        mistake="prints the result and returns None",
    ),
    # 13.constraint
    Right(
        "13.constraint",
        "solve for gamma, then look",
        """
def gamma(alpha, beta, factor=2):
    g = math.sqrt(factor / (alpha * beta**2))
    if g < 1:
        raise ValueError(f"alpha and beta leave nothing of {factor}")
    return g
""",
    ),
    Right(
        "13.constraint",
        "looks first",
        """
def gamma(alpha, beta, factor=2):
    used = alpha * beta * beta
    if used > factor:
        raise ValueError("too deep and too wide")
    return (factor / used) ** 0.5
""",
    ),
    Right(
        "13.constraint",
        "NumPy number",
        """
def gamma(alpha, beta, factor=2):
    squared = factor / alpha / beta**2
    if squared < 1:
        raise ValueError
    return np.sqrt(squared)
""",
    ),
    Right(
        "13.constraint",
        "torch, a tensor without dimensions",
        """
def gamma(alpha, beta, factor=2):
    if factor < alpha * beta**2:
        raise ValueError("gamma would be less than 1")
    return torch.tensor(factor / (alpha * beta**2), dtype=torch.float64).sqrt()
""",
    ),
    Right(
        "13.constraint",
        "logarithms and an error class of its own",
        """
class OverBudget(ValueError):
    pass


def gamma(alpha, beta, factor=2):
    rest = math.log(factor) - math.log(alpha) - 2 * math.log(beta)
    if rest < -1e-12:
        raise OverBudget("alpha * beta**2 is more than factor")
    return math.exp(rest / 2)
""",
    ),
    Wrong(
        "13.constraint",
        "no square root",
        """
def gamma(alpha, beta, factor=2):
    g = factor / (alpha * beta**2)
    if g < 1:
        raise ValueError("too much")
    return g
""",
        mistake="returns gamma squared",
    ),
    Wrong(
        "13.constraint",
        "beta once",
        """
def gamma(alpha, beta, factor=2):
    g = math.sqrt(factor / (alpha * beta))
    if g < 1:
        raise ValueError("too much")
    return g
""",
        mistake="forgets that width counts twice",
    ),
    Wrong(
        "13.constraint",
        "stays at one",
        """
def gamma(alpha, beta, factor=2):
    return max(1.0, math.sqrt(factor / (alpha * beta**2)))
""",
        mistake="returns 1 where the budget is exceeded, in place of the ValueError",
    ),
    Wrong(
        "13.constraint",
        "no error",
        """
def gamma(alpha, beta, factor=2):
    return math.sqrt(factor / (alpha * beta**2))
""",
        mistake="makes the image smaller instead of raising a ValueError",
    ),
    Wrong(
        "13.constraint",
        "always two",
        """
def gamma(alpha, beta, factor=2):
    if alpha * beta**2 > 2:
        raise ValueError("too much")
    return math.sqrt(2 / (alpha * beta**2))
""",
        mistake="never uses factor",
    ),
    Wrong(
        "13.constraint",
        "an assertion",
        """
def gamma(alpha, beta, factor=2):
    g = math.sqrt(factor / (alpha * beta**2))
    assert g >= 1, "too much"
    return g
""",
        mistake="an assert raises an AssertionError, not a ValueError",
    ),
    Wrong(
        "13.constraint",
        "returns the error",
        """
def gamma(alpha, beta, factor=2):
    if alpha * beta**2 > factor:
        return ValueError("too much")
    return math.sqrt(factor / (alpha * beta**2))
""",
        mistake="returns a ValueError instead of raising it",
    ),
    Wrong(
        "13.constraint",
        "strictly more than one",
        """
def gamma(alpha, beta, factor=2):
    g = math.sqrt(factor / (alpha * beta**2))
    if g <= 1:
        raise ValueError("nothing is left for the resolution")
    return g
""",
        mistake="refuses a gamma of exactly 1, which is allowed",
    ),
    Wrong(
        "13.constraint",
        "the difference",
        """
def gamma(alpha, beta, factor=2):
    rest = factor - alpha * beta**2
    if rest < 0:
        raise ValueError("too much")
    return math.sqrt(1 + rest)
""",
        mistake="subtracts what is used; the coefficients multiply",
    ),
    # 13.same-factor
    Right("13.same-factor", "the whole tenth", "my_phis = (0, 0.1)"),
    Right("13.same-factor", "a list, as small a step as can be", "my_phis = [0.0, 1e-6]"),
    Right("13.same-factor", "NumPy", "my_phis = np.array([0, 1 / 16])"),
    Right(
        "13.same-factor",
        "searched",
        """
def cost(phi):
    return study.count(*study.of_phi(phi))[1]


steps = [i / 20 for i in range(140)]
before = max(steps, key=lambda phi: cost(phi + 0.1) / cost(phi))
my_phis = torch.tensor([before, before + 0.1])
""",
    ),
    Wrong(
        "13.same-factor",
        "a whole step",
        "my_phis = (0, 1)",
        mistake="takes a step of 1, where a tenth is allowed",
    ),
    Wrong(
        "13.same-factor",
        "somewhere in the middle",
        "my_phis = (3.45, 3.55)",
        mistake="trusts that rounding strikes anywhere; here the step costs a few percent",
    ),
    Wrong(
        "13.same-factor",
        "just after the jump",
        "my_phis = (0.01, 0.11)",
        mistake="begins after depth has passed 1: the extra blocks are there already",
    ),
    Wrong(
        "13.same-factor",
        "backwards",
        "my_phis = (0.1, 0)",
        mistake="steps down, so that the network becomes cheaper",
    ),
    Wrong(
        "13.same-factor",
        "the factor itself",
        "my_phis = 1.74",
        mistake="gives by how much the cost grows, not where",
    ),
    # 13.own-scaling
    Right(
        "13.own-scaling",
        "wider, twice the images",
        """
torch.manual_seed(0)
plan = study.widened(6, 16, 2 * study.macs())
network = study.twin(plan["width"], plan["blocks"])
digits = data.load("street_digits", train=8000).resized(16)
training.fit(network, digits, epochs=8, lr=0.1, batch_size=64, precision="fp32", progress=False)
my_network = (network, 16)
""",
        slow=True,
    ),
    Wrong(
        "13.own-scaling",
        "a fresh twin",
        """
my_network = (study.twin(), 16)
""",
        mistake="the network was never trained",
    ),
    Wrong(
        "13.own-scaling",
        "larger images for nothing",
        """
torch.manual_seed(0)
network = study.twin()
few = data.load("street_digits", train=64, test=10)
training.fit(network, few, epochs=1, lr=0.1, batch_size=64, precision="fp32", progress=False)
my_network = (network, 32)
""",
        mistake="twice the side is four times the mult-adds, twice as many as allowed",
    ),
    Wrong(
        "13.own-scaling",
        "twice the width",
        """
my_network = (study.twin(width=2), 16)
""",
        mistake="twice the width is nearly four times the mult-adds; and it was never trained",
    ),
    Wrong(
        "13.own-scaling",
        "the network alone",
        """
torch.manual_seed(0)
network = study.twin()
few = data.load("street_digits", train=64, test=10).resized(16)
training.fit(network, few, epochs=1, lr=0.1, batch_size=64, precision="fp32", progress=False)
my_network = network
""",
        mistake="the number of pixels is missing (and one pass over 64 images teaches nothing)",
    ),
    Wrong(
        "13.own-scaling",
        "a glance at the images",
        """
torch.manual_seed(0)
network = study.twin(width=1.4)
few = data.load("street_digits", train=128, test=10).resized(16)
training.fit(network, few, epochs=1, lr=0.1, batch_size=64, precision="fp32", progress=False)
my_network = (network, 16)
""",
        mistake="one pass over 128 images: the network reads hardly more than by chance",
    ),
]
