"""Answers of learners to the exercises of lesson 02, in many styles, written without looking at the checks.

Names of the lesson that are used: `few`, `street`.
"""

from answers import Right, Wrong

ANSWERS = [
    Right(
        "02.top-k",
        "topk and any",
        """
def top_k_error(logits, labels, k):
    guesses = logits.topk(k, dim=1).indices
    hits = (guesses == labels[:, None]).any(dim=1)
    return 1 - hits.float().mean()
""",
    ),
    Right(
        "02.top-k",
        "counts the classes ahead of the label",
        """
def top_k_error(logits, labels, k):
    own = logits.gather(1, labels.unsqueeze(1))
    ahead = (logits > own).sum(dim=1)
    return (ahead >= k).double().mean().item()
""",
    ),
    Right(
        "02.top-k",
        "a loop in plain Python",
        """
def top_k_error(logits, labels, k):
    errors = 0
    for row, label in zip(logits.tolist(), labels.tolist()):
        ranking = sorted(range(len(row)), key=row.__getitem__, reverse=True)
        if label not in ranking[:k]:
            errors += 1
    return errors / len(labels)
""",
    ),
    Right(
        "02.top-k",
        "NumPy, sorted from the smallest",
        """
import numpy as np

def top_k_error(logits, labels, k):
    last = np.argsort(logits.numpy(), axis=1)[:, -k:]
    return 1 - np.mean([label in row for label, row in zip(labels.numpy(), last)])
""",
    ),
    Right(
        "02.top-k",
        "argsort, and one sum for all hits",
        """
def top_k_error(scores, targets, k):
    order = scores.argsort(dim=1, descending=True)[:, :k]
    n = scores.shape[0]
    return (n - (order == targets.view(n, 1)).sum().item()) / n
""",
    ),
    Right(
        "02.top-k",
        "a lambda without any hit counted",
        """
top_k_error = lambda logits, labels, k: (
    (logits.topk(k).indices != labels.reshape(-1, 1)).all(-1).to(torch.float64).mean()
)
""",
    ),
    Wrong(
        "02.top-k",
        "the accuracy",
        """
def top_k_error(logits, labels, k):
    guesses = logits.topk(k, dim=1).indices
    return (guesses == labels[:, None]).any(dim=1).float().mean()
""",
        mistake="returns the share of hits, not of errors",
    ),
    Wrong(
        "02.top-k",
        "percent",
        """
def top_k_error(logits, labels, k):
    guesses = logits.topk(k, dim=1).indices
    return 100 * (1 - (guesses == labels[:, None]).any(dim=1).float().mean())
""",
        mistake="returns percent, not a share from 0 to 1",
    ),
    Wrong(
        "02.top-k",
        "the mean over all guesses",
        """
def top_k_error(logits, labels, k):
    guesses = logits.topk(k, dim=1).indices
    return 1 - (guesses == labels[:, None]).float().mean()
""",
        mistake="averages over all N × k guesses, where one hit is enough for an image",
    ),
    Wrong(
        "02.top-k",
        "the k-th guess only",
        """
def top_k_error(logits, labels, k):
    guess = logits.topk(k, dim=1).indices[:, k - 1]
    return (guess != labels).float().mean()
""",
        mistake="looks at the k-th guess alone and not at the ones before it",
    ),
    Wrong(
        "02.top-k",
        "the smallest logits",
        """
def top_k_error(logits, labels, k):
    guesses = logits.argsort(dim=1)[:, :k]
    return 1 - (guesses == labels[:, None]).any(1).float().mean()
""",
        mistake="sorts upwards and takes the k classes with the smallest logits",
    ),
    Wrong(
        "02.top-k",
        "over the images",
        """
def top_k_error(logits, labels, k):
    guesses = logits.topk(k, dim=0).indices
    return 1 - (guesses == labels[:, None][:k]).any(0).float().mean()
""",
        mistake="looks for the largest logits over the images (dim 0), not over the classes",
    ),
    Wrong(
        "02.top-k",
        "the first error only",
        """
def top_k_error(logits, labels, k):
    return (logits.argmax(1) != labels).float().mean()
""",
        mistake="ignores k: this is the top-1 error",
    ),
    Wrong(
        "02.top-k",
        "always five",
        """
def top_k_error(logits, labels, k=5):
    guesses = logits.topk(5, dim=1).indices
    return 1 - (guesses == labels[:, None]).any(1).float().mean()
""",
        mistake="takes five guesses whatever k is",
    ),
    Wrong(
        "02.top-k",
        "a rank too many",
        """
def top_k_error(logits, labels, k):
    own = logits[torch.arange(len(labels)), labels][:, None]
    ahead = (logits > own).sum(1)
    return (ahead > k).float().mean()
""",
        mistake="allows k classes ahead of the label, which makes k + 1 guesses",
    ),
    Wrong(
        "02.top-k",
        "values for places",
        """
def top_k_error(logits, labels, k):
    guesses, _ = logits.topk(k, dim=1)
    return 1 - (guesses == labels[:, None]).any(1).float().mean()
""",
        mistake="compares the labels with the values of the logits, not with their places",
    ),
    Wrong(
        "02.top-k",
        "labels along the guesses",
        """
def top_k_error(logits, labels, k):
    guesses = logits.topk(k, dim=1).indices
    return 1 - (guesses.T[:, :, None] == labels).any(0).any(1).float().mean()
""",
        mistake="compares each guess with the labels of all images, so that nearly everything is a hit",
    ),
    Wrong(
        "02.top-k",
        "the number of errors",
        """
def top_k_error(logits, labels, k):
    guesses = logits.topk(k, dim=1).indices
    return (~(guesses == labels[:, None]).any(1)).sum()
""",
        mistake="counts the errors and does not divide by the number of images",
    ),
    Right(
        "02.grouped",
        "the formula",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    weights = outputs * (inputs // groups) * kernel**2
    return weights + outputs, weights * side**2
""",
    ),
    Right(
        "02.grouped",
        "group by group",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    parameters = mult_adds = 0
    for group in range(groups):
        ins, outs = inputs // groups, outputs // groups
        parameters += ins * outs * kernel * kernel + outs
        mult_adds += ins * outs * kernel * kernel * side * side
    return (parameters, mult_adds)
""",
    ),
    Right(
        "02.grouped",
        "asks a layer of PyTorch",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    layer = nn.Conv2d(inputs, outputs, kernel, groups=groups, device="meta")
    return sum(p.numel() for p in layer.parameters()), layer.weight.numel() * side * side
""",
    ),
    Right(
        "02.grouped",
        "lets the package count",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    image = side + kernel - 1
    cost = measure.cost(nn.Conv2d(inputs, outputs, kernel, groups=groups), (inputs, image, image))
    return cost.params, cost.macs
""",
    ),
    Right(
        "02.grouped",
        "unit by unit, a list",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    per_unit = kernel * kernel * inputs // groups
    units = outputs * side * side
    return [outputs * (per_unit + 1), units * per_unit]
""",
    ),
    Right(
        "02.grouped",
        "true division, NumPy",
        """
import numpy as np

def grouped_convolution(inputs, outputs, kernel, groups, side):
    weights = np.prod([inputs / groups, outputs, kernel, kernel])
    return weights + outputs, weights * np.square(side)
""",
    ),
    Wrong(
        "02.grouped",
        "no groups",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    weights = outputs * inputs * kernel**2
    return weights + outputs, weights * side**2
""",
        mistake="ignores the groups: every output sees every input",
    ),
    Wrong(
        "02.grouped",
        "divides twice",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    weights = (outputs // groups) * (inputs // groups) * kernel**2
    return weights + outputs, weights * side**2
""",
        mistake="counts one group and forgets that there are several of them",
    ),
    Wrong(
        "02.grouped",
        "biases in the work",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    parameters = outputs * (inputs // groups * kernel**2 + 1)
    return parameters, parameters * side**2
""",
        mistake="counts the biases as mult-adds",
    ),
    Wrong(
        "02.grouped",
        "no biases",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    weights = outputs * (inputs // groups) * kernel**2
    return weights, weights * side**2
""",
        mistake="forgets the biases among the parameters",
    ),
    Wrong(
        "02.grouped",
        "fewer biases",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    parameters = (outputs * inputs * kernel**2 + outputs) // groups
    return parameters, outputs * inputs * kernel**2 // groups * side**2
""",
        mistake="divides the biases by the groups too, where every output keeps its own",
    ),
    Wrong(
        "02.grouped",
        "the kernel's side",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    weights = outputs * (inputs // groups) * kernel
    return weights + outputs, weights * side**2
""",
        mistake="takes the side of the kernel for its area",
    ),
    Wrong(
        "02.grouped",
        "the map's side",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    weights = outputs * (inputs // groups) * kernel**2
    return weights + outputs, weights * side
""",
        mistake="takes the side of the map for the number of its places",
    ),
    Wrong(
        "02.grouped",
        "the other way round",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    weights = outputs * (inputs // groups) * kernel**2
    return weights * side**2, weights + outputs
""",
        mistake="returns the mult-adds first and the parameters second",
    ),
    Wrong(
        "02.grouped",
        "floating-point operations",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    weights = outputs * (inputs // groups) * kernel**2
    return weights + outputs, 2 * weights * side**2
""",
        mistake="counts a multiplication and an addition as two, where together they are one mult-add",
    ),
    Wrong(
        "02.grouped",
        "places of the kernel inside the output",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    weights = outputs * (inputs // groups) * kernel**2
    return weights + outputs, weights * (side - kernel + 1) ** 2
""",
        mistake="takes side for the input's and shrinks it, where it is already the output's",
    ),
    Right(
        "02.dropout",
        "a mask of random numbers",
        """
def dropout(x, p, training):
    if not training:
        return x
    keep = torch.rand_like(x) >= p
    return x * keep / (1 - p)
""",
    ),
    Right(
        "02.dropout",
        "Bernoulli",
        """
def dropout(x, p, training):
    if training:
        kept = torch.bernoulli(torch.full_like(x, 1 - p))
        return kept * x / (1 - p)
    return x.clone()
""",
    ),
    Right(
        "02.dropout",
        "where, in one expression",
        """
dropout = lambda x, p, training: (
    torch.where(torch.rand(x.shape) < p, torch.zeros_like(x), x / (1 - p)) if training else x
)
""",
    ),
    Right(
        "02.dropout",
        "PyTorch's function",
        """
def dropout(x, p, training):
    return F.dropout(x, p=p, training=training)
""",
    ),
    Right(
        "02.dropout",
        "PyTorch's layer",
        """
def dropout(x, p, training):
    return nn.Dropout(p).train(training)(x)
""",
    ),
    Right(
        "02.dropout",
        "in place on a copy, with NumPy's random numbers",
        """
import numpy as np

def dropout(x, p, training):
    y = x.clone()
    if training:
        gone = torch.from_numpy(np.random.random(tuple(x.shape)) < p)
        y[gone] = 0
        y *= 1 / (1 - p)
    return y
""",
    ),
    Right(
        "02.dropout",
        "number by number",
        """
import random

def dropout(x, p, training):
    if not training:
        return x
    numbers = [0.0 if random.random() < p else v / (1 - p) for v in x.flatten().tolist()]
    return torch.tensor(numbers).reshape(x.shape)
""",
    ),
    Wrong(
        "02.dropout",
        "not scaled",
        """
def dropout(x, p, training):
    if not training:
        return x
    return x * (torch.rand_like(x) >= p)
""",
        mistake="does not scale what is left, so that the mean shrinks to 1 - p of what it was",
    ),
    Wrong(
        "02.dropout",
        "as in 2012",
        """
def dropout(x, p, training):
    if not training:
        return x * (1 - p)
    return x * (torch.rand_like(x) >= p)
""",
        mistake="scales at test time, as AlexNet did, where PyTorch scales while training",
    ),
    Wrong(
        "02.dropout",
        "keeps with probability p",
        """
def dropout(x, p, training):
    if not training:
        return x
    return x * (torch.rand_like(x) < p) / p if p > 0 else x
""",
        mistake="keeps a number with probability p, where p is the probability to lose it; at one half nobody notices",
    ),
    Wrong(
        "02.dropout",
        "divides by p",
        """
def dropout(x, p, training):
    if not training or p == 0:
        return x
    return x * (torch.rand_like(x) >= p) / p
""",
        mistake="divides by the probability to lose a number, not by that to keep it; at one half nobody notices",
    ),
    Wrong(
        "02.dropout",
        "normal random numbers",
        """
def dropout(x, p, training):
    if not training:
        return x
    return x * (torch.randn_like(x) > p) / (1 - p)
""",
        mistake="draws from a normal distribution (randn), which is above p with another probability than 1 - p",
    ),
    Wrong(
        "02.dropout",
        "also at test time",
        """
def dropout(x, p, training=True):
    return x * (torch.rand_like(x) >= p) / (1 - p)
""",
        mistake="ignores training, and sets numbers to zero at test time too",
    ),
    Wrong(
        "02.dropout",
        "the other mode",
        """
def dropout(x, p, training):
    if training:
        return x
    return x * (torch.rand_like(x) >= p) / (1 - p)
""",
        mistake="drops at test time and leaves the training alone",
    ),
    Wrong(
        "02.dropout",
        "whole rows",
        """
def dropout(x, p, training):
    if not training:
        return x
    keep = torch.rand(x.shape[0]) >= p
    return x * keep.view(-1, *[1] * (x.ndim - 1)) / (1 - p)
""",
        mistake="draws one number for a whole row, where each number is dropped on its own",
    ),
    Wrong(
        "02.dropout",
        "always the same mask",
        """
def dropout(x, p, training):
    if not training:
        return x
    generator = torch.Generator().manual_seed(0)
    keep = torch.rand(x.shape, generator=generator) >= p
    return x * keep / (1 - p)
""",
        mistake="seeds its random numbers in every call, so that the same units are missing for every image",
    ),
    Wrong(
        "02.dropout",
        "in the caller's tensor",
        """
def dropout(x, p, training):
    if training:
        x[torch.rand_like(x) < p] = 0
        x /= 1 - p
    return x
""",
        mistake="sets the numbers of the tensor that it was given to zero",
    ),
    Wrong(
        "02.dropout",
        "one coin for all",
        """
import random

def dropout(x, p, training):
    if not training:
        return x
    if random.random() < p:
        return torch.zeros_like(x)
    return x / (1 - p)
""",
        mistake="throws one coin for all numbers together",
    ),
    Wrong(
        "02.dropout",
        "half, whatever p",
        """
def dropout(x, p, training):
    if not training:
        return x
    return 2 * x * torch.randint(0, 2, x.shape)
""",
        mistake="drops half of the numbers whatever p is",
    ),
    Right(
        "02.slope-one",
        "small normal weights, no biases",
        """
def initial_weights(layer):
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)
""",
    ),
    Right(
        "02.slope-one",
        "PyTorch's own, a tenth of them, in place on the data",
        """
def initial_weights(layer):
    for p in layer.parameters():
        p.data *= 0.1
""",
    ),
    Right(
        "02.slope-one",
        "no_grad and uniform_",
        """
@torch.no_grad()
def initial_weights(layer):
    layer.weight.uniform_(-0.02, 0.02)
    layer.bias.fill_(0.1)
""",
    ),
    Right(
        "02.slope-one",
        "weights of zero under a positive bias: alive, and nothing gets through",
        """
initial_weights = lambda layer: (nn.init.zeros_(layer.weight), nn.init.ones_(layer.bias))
""",
    ),
    Right(
        "02.slope-one",
        "numbers of NumPy, in double precision",
        """
import numpy as np

def initial_weights(layer):
    numbers = np.random.default_rng(0).normal(0, 0.02, size=tuple(layer.weight.shape))
    layer.weight = nn.Parameter(torch.from_numpy(numbers))
    layer.bias = nn.Parameter(torch.zeros(len(numbers), dtype=torch.float64))
    return layer
""",
    ),
    Wrong(
        "02.slope-one",
        "He's weights",
        """
def initial_weights(layer):
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
""",
        mistake="draws weights that fit a ReLU, with which the gradient keeps its size",
    ),
    Wrong(
        "02.slope-one",
        "kills the units",
        """
def initial_weights(layer):
    nn.init.zeros_(layer.weight)
    nn.init.constant_(layer.bias, -1)
""",
        mistake="makes all units silent, so that their slope is 0 and not 1",
    ),
    Wrong(
        "02.slope-one",
        "not small enough",
        """
def initial_weights(layer):
    nn.init.normal_(layer.weight, std=0.1)
    nn.init.zeros_(layer.bias)
""",
        mistake="draws weights of a size with which a hundredth or more of the gradient is left",
    ),
    Wrong(
        "02.slope-one",
        "large weights",
        """
def initial_weights(layer):
    layer.weight.data.mul_(10)
""",
        mistake="makes the weights ten times larger, so that the gradient explodes",
    ),
    Wrong(
        "02.slope-one",
        "leaves them as they are",
        """
def initial_weights(layer):
    pass
""",
        mistake="leaves PyTorch's own weights, with which a few ten-thousandths of the gradient are left",
    ),
    Right(
        "02.few-images",
        "the residual twin, augmented, for a long time",
        """
torch.manual_seed(0)
changes = training.Augment(shift=3, rotate=10, zoom=0.15, shear=0.1, contrast=0.4, brightness=0.6)
my_run = training.fit(
    models.get_model("resnet20_tiny"), few, epochs=100, lr=0.1, batch_size=50, augment=changes, progress=False
)
""",
        slow=True,
    ),
    Wrong(
        "02.few-images",
        "more images than allowed",
        """
torch.manual_seed(0)
more = data.load("street_digits", train=600, test=100)
my_run = training.fit(models.get_model("alexnet_tiny"), more, epochs=1, lr=0.01, batch_size=64, progress=False)
""",
        mistake="learns from 600 images, where 500 are allowed",
    ),
    Wrong(
        "02.few-images",
        "a network too large",
        """
torch.manual_seed(0)
my_run = training.fit(
    models.get_model("alexnet_tiny", width=8, hidden=1024), few, epochs=1, lr=0.01, batch_size=64, progress=False
)
""",
        mistake="takes a network of far more than 500,000 parameters",
    ),
    Wrong(
        "02.few-images",
        "without augmentation, a few epochs",
        """
torch.manual_seed(0)
my_run = training.fit(models.get_model("resnet20_tiny"), few, epochs=3, lr=0.1, batch_size=50, progress=False)
""",
        mistake="trains for three epochs without augmentation, and reads few digits that it has not seen",
    ),
    Wrong(
        "02.few-images",
        "the network before training",
        """
torch.manual_seed(0)
my_run = models.get_model("resnet20_tiny")
""",
        mistake="has built a network and not trained it",
    ),
    Wrong(
        "02.few-images",
        "the measured accuracy",
        """
torch.manual_seed(0)
net = models.get_model("resnet20_tiny")
training.fit(net, few, epochs=1, lr=0.1, batch_size=50, progress=False)
my_run = training.evaluate(net, few.train)
""",
        mistake="gives what was measured on the training images, and not the run",
    ),
    Right(
        "02.top-k",
        "the place of the label in the order",
        """
def top_k_error(logits, labels, k):
    order = logits.argsort(1, descending=True)
    place = (order == labels.view(-1, 1)).int().argmax(1)
    return (place >= k).double().mean()
""",
    ),
    Wrong(
        "02.top-k",
        "softmax over the images",
        """
def top_k_error(logits, labels, k):
    guesses = logits.softmax(0).topk(k, dim=1).indices
    return 1 - (guesses == labels[:, None]).any(1).float().mean().item()
""",
        mistake="normalises over the images before it compares the classes, which changes the order within an image",
    ),
    Right(
        "02.grouped",
        "asks a layer on meta",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    with torch.device("meta"):
        layer = nn.Conv2d(inputs, outputs, kernel, groups=groups)
    return sum(p.numel() for p in layer.parameters()), layer.weight.numel() * side * side
""",
    ),
    Wrong(
        "02.grouped",
        "a map that shrinks",
        """
def grouped_convolution(inputs, outputs, kernel, groups, side):
    weights = outputs * inputs * kernel**2 // groups
    return weights + outputs, weights * (side - kernel + 1) ** 2
""",
        mistake="takes side for the input's and makes the output smaller, as without padding",
    ),
    Wrong(
        "02.dropout",
        "divides by what this draw kept",
        """
def dropout(x, p, training):
    if not training:
        return x
    keep = torch.rand_like(x) >= p
    return x * keep / keep.float().mean()
""",
        mistake="scales by the share that happened to be kept, where 1 / (1 - p) is the same in every draw",
    ),
    Wrong(
        "02.dropout",
        "an exact number",
        """
def dropout(x, p, training):
    if not training:
        return x
    keep = torch.ones(x.numel())
    keep[torch.randperm(x.numel())[: int(p * x.numel())]] = 0
    return x * keep.view_as(x) / (1 - p)
""",
        mistake="drops exactly a share p of the numbers, so that they do not fall independently of each other",
    ),
]
