"""Answers of learners to the exercises of lesson 08, in many styles, written without looking at the checks.

Names of the lesson that are used: none but its imports.
"""

from answers import Right, Wrong

ANSWERS = [
    Right(
        "08.normalise",
        "norms of flattened filters",
        """
def filter_normalise(direction, weight):
    lengths = weight.flatten(1).norm(dim=1)
    own = direction.flatten(1).norm(dim=1)
    return direction * (lengths / own)[:, None, None, None]
""",
    ),
    Right(
        "08.normalise",
        "vector_norm over three axes",
        """
def filter_normalise(direction, weight):
    axes = {"dim": (1, 2, 3), "keepdim": True}
    return direction / torch.linalg.vector_norm(direction, **axes) * torch.linalg.vector_norm(weight, **axes)
""",
    ),
    Right(
        "08.normalise",
        "a loop over the filters",
        """
def filter_normalise(direction, weight):
    filters = []
    for d, w in zip(direction, weight):
        filters.append(d * (w.norm() / d.norm()))
    return torch.stack(filters)
""",
    ),
    Right(
        "08.normalise",
        "F.normalize, a lambda",
        """
import torch.nn.functional as F

filter_normalise = lambda d, w: (
    F.normalize(d.flatten(1), dim=1) * w.flatten(1).norm(dim=1, keepdim=True)
).view_as(d)
""",
    ),
    Right(
        "08.normalise",
        "einsum, double precision, a little added against division by zero",
        """
def filter_normalise(direction, weight):
    d, w = direction.double(), weight.double()
    dd = torch.einsum("oikl,oikl->o", d, d)
    ww = torch.einsum("oikl,oikl->o", w, w)
    return d * (ww / (dd + 1e-20)).sqrt().reshape(-1, 1, 1, 1)
""",
    ),
    Right(
        "08.normalise",
        "in place on a copy, NumPy's norms",
        """
import numpy as np

def filter_normalise(direction, weight):
    result = direction.clone()
    for i in range(len(result)):
        result[i] *= float(np.linalg.norm(weight[i].numpy()) / np.linalg.norm(direction[i].numpy()))
    return result
""",
    ),
    Wrong(
        "08.normalise",
        "the whole layer",
        """
def filter_normalise(direction, weight):
    return direction * weight.norm() / direction.norm()
""",
        mistake="brings the layer as a whole to its length, not each filter",
    ),
    Wrong(
        "08.normalise",
        "each kernel",
        """
def filter_normalise(direction, weight):
    axes = {"dim": (2, 3), "keepdim": True}
    return direction * weight.norm(**axes) / direction.norm(**axes)
""",
        mistake="normalises every kernel of every input map: a filter is all the weights of one output",
    ),
    Wrong(
        "08.normalise",
        "by inputs",
        """
def filter_normalise(direction, weight):
    axes = {"dim": (0, 2, 3), "keepdim": True}
    return direction * torch.linalg.vector_norm(weight, **axes) / torch.linalg.vector_norm(direction, **axes)
""",
        mistake="takes the weights of one input for a filter, where the first axis counts the outputs",
    ),
    Wrong(
        "08.normalise",
        "upside down",
        """
def filter_normalise(direction, weight):
    ratio = direction.flatten(1).norm(dim=1) / weight.flatten(1).norm(dim=1)
    return direction * ratio[:, None, None, None]
""",
        mistake="has the ratio of the lengths upside down",
    ),
    Wrong(
        "08.normalise",
        "length one",
        """
def filter_normalise(direction, weight):
    return direction / direction.flatten(1).norm(dim=1)[:, None, None, None]
""",
        mistake="brings each filter to length one and forgets the weight's own length",
    ),
    Wrong(
        "08.normalise",
        "not divided",
        """
def filter_normalise(direction, weight):
    return direction * weight.flatten(1).norm(dim=1)[:, None, None, None]
""",
        mistake="multiplies by the weight's length and does not divide by the direction's",
    ),
    Wrong(
        "08.normalise",
        "squares",
        """
def filter_normalise(direction, weight):
    ratio = weight.square().sum((1, 2, 3)) / direction.square().sum((1, 2, 3))
    return direction * ratio[:, None, None, None]
""",
        mistake="forgets the root: takes the ratio of the squared lengths",
    ),
    Wrong(
        "08.normalise",
        "sums of absolute values",
        """
def filter_normalise(direction, weight):
    ratio = weight.abs().sum((1, 2, 3)) / direction.abs().sum((1, 2, 3))
    return direction * ratio[:, None, None, None]
""",
        mistake="measures length by the sum of absolute values, where the Euclidean length is meant",
    ),
    Wrong(
        "08.normalise",
        "standard deviations",
        """
def filter_normalise(direction, weight):
    ratio = weight.std((1, 2, 3)) / direction.std((1, 2, 3))
    return direction * ratio[:, None, None, None]
""",
        mistake="compares standard deviations, which leave a filter's mean out of its length",
    ),
    Wrong(
        "08.normalise",
        "in the caller's direction",
        """
def filter_normalise(direction, weight):
    direction *= (weight.flatten(1).norm(dim=1) / direction.flatten(1).norm(dim=1))[:, None, None, None]
    return direction
""",
        mistake="changes the direction that it was given",
    ),
    Wrong(
        "08.normalise",
        "the weight in place of the direction",
        """
def filter_normalise(direction, weight):
    ratio = direction.flatten(1).norm(dim=1) / weight.flatten(1).norm(dim=1)
    return weight * ratio[:, None, None, None]
""",
        mistake="brings the weight to the direction's length, and returns a multiple of the weight",
    ),
    Right(
        "08.interpolate",
        "a comprehension",
        """
def interpolate(a, b, t):
    return {name: (1 - t) * a[name] + t * b[name] for name in a}
""",
    ),
    Right(
        "08.interpolate",
        "each value in its own type",
        """
def interpolate(a, b, t):
    state = {}
    for name, value in a.items():
        mixed = (1 - t) * value.double() + t * b[name].double()
        state[name] = mixed.to(value.dtype)
    return state
""",
    ),
    Right(
        "08.interpolate",
        "lerp for floats, a rounded count for whole numbers",
        """
def interpolate(a, b, t):
    def between(x, y):
        if x.is_floating_point():
            return torch.lerp(x, y, t)
        return torch.round(x + t * (y - x).double()).to(x.dtype)

    return {name: between(a[name], b[name]) for name in a}
""",
    ),
    Right(
        "08.interpolate",
        "an OrderedDict, the way from a",
        """
from collections import OrderedDict

def interpolate(first, second, share):
    result = OrderedDict()
    for (name, x), (_, y) in zip(first.items(), second.items()):
        result[name] = x + share * (y - x)
    return result
""",
    ),
    Right(
        "08.interpolate",
        "in place on deep copies",
        """
import copy

def interpolate(a, b, t):
    state = copy.deepcopy(dict(a))
    for name in state:
        if state[name].is_floating_point():
            state[name].mul_(1 - t).add_(b[name], alpha=t)
        else:
            state[name] = torch.round((1 - t) * state[name] + t * b[name]).long()
    return state
""",
    ),
    Wrong(
        "08.interpolate",
        "the other way round",
        """
def interpolate(a, b, t):
    return {name: t * a[name] + (1 - t) * b[name] for name in a}
""",
        mistake="begins at b and ends at a",
    ),
    Wrong(
        "08.interpolate",
        "in the caller's state",
        """
def interpolate(a, b, t):
    state = dict(a)
    for name in state:
        if state[name].is_floating_point():
            state[name] += t * (b[name] - state[name])
    return state
""",
        mistake="copies the dictionary and not its tensors, so that network a itself moves",
    ),
    Wrong(
        "08.interpolate",
        "weights only",
        """
def interpolate(a, b, t):
    state = {name: value.clone() for name, value in a.items()}
    for name in state:
        if state[name].ndim > 1:
            state[name] = (1 - t) * a[name] + t * b[name]
    return state
""",
        mistake="mixes the weights alone: biases, batch norms and their statistics stay those of a",
    ),
    Wrong(
        "08.interpolate",
        "parameters only",
        """
def interpolate(a, b, t):
    state = {name: value.clone() for name, value in a.items()}
    for name in state:
        if "running" not in name and "num_batches" not in name:
            state[name] = torch.lerp(a[name], b[name], t)
    return state
""",
        mistake="leaves the batch norms' running statistics at a",
    ),
    Wrong(
        "08.interpolate",
        "the middle",
        """
def interpolate(a, b, t):
    return {name: (a[name] + b[name]) / 2 for name in a}
""",
        mistake="ignores t and returns the middle",
    ),
    Wrong(
        "08.interpolate",
        "the step added to a",
        """
def interpolate(a, b, t):
    return {name: a[name] + t * b[name] for name in a}
""",
        mistake="adds a share of b to all of a, where the share of a has to become smaller",
    ),
    Wrong(
        "08.interpolate",
        "a list",
        """
def interpolate(a, b, t):
    return [(1 - t) * x + t * y for x, y in zip(a.values(), b.values())]
""",
        mistake="returns a list and loses the names, without which no network loads it",
    ),
    Wrong(
        "08.interpolate",
        "lerp for all",
        """
def interpolate(a, b, t):
    return {name: torch.lerp(a[name], b[name], t) for name in a}
""",
        mistake="calls lerp on the batch norms' counters too, which are whole numbers: an error",
    ),
    Wrong(
        "08.interpolate",
        "one or the other",
        """
def interpolate(a, b, t):
    return {name: b[name].clone() if t > 0.5 else a[name].clone() for name in a}
""",
        mistake="jumps from a to b at one half",
    ),
    Wrong(
        "08.interpolate",
        "some names are missing",
        """
def interpolate(a, b, t):
    return {name: (1 - t) * a[name] + t * b[name] for name in a if name.endswith("weight")}
""",
        mistake="returns the weights without the biases and buffers, so that the state cannot be loaded",
    ),
    Right(
        "08.sharpness",
        "the whole Hessian",
        """
def sharpness(loss, w):
    hessian = torch.autograd.functional.hessian(loss, w)
    eigenvalues = torch.linalg.eigvalsh(hessian)
    return eigenvalues[eigenvalues.abs().argmax()]
""",
    ),
    Right(
        "08.sharpness",
        "power iteration with two gradients a step",
        """
def sharpness(loss, w):
    w = w.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(w), w, create_graph=True)

    def product(v):
        return torch.autograd.grad(gradient @ v, w, retain_graph=True)[0]

    generator = torch.Generator().manual_seed(0)
    v = torch.randn(w.shape, generator=generator, dtype=w.dtype)
    for _ in range(2000):
        v = v / v.norm()
        v = product(v)
    v = v / v.norm()
    return (v @ product(v)).item()
""",
    ),
    Right(
        "08.sharpness",
        "the Hessian column by column, NumPy's eigenvalues",
        """
import numpy as np

def sharpness(loss, w):
    point = w.detach().clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(loss(point), point, create_graph=True)
    rows = [torch.autograd.grad(g, point, retain_graph=True)[0] for g in gradient]
    values = np.linalg.eigvalsh(torch.stack(rows).numpy().astype(np.float64))
    return max(values, key=abs)
""",
    ),
    Right(
        "08.sharpness",
        "torch.func, the ends of the spectrum",
        """
def sharpness(loss, w):
    values = torch.linalg.eigvalsh(torch.func.hessian(loss)(w))
    low, high = values[0].item(), values[-1].item()
    return low if -low > high else high
""",
    ),
    Right(
        "08.sharpness",
        "power iteration on the square of the Hessian's product, stops when nothing changes",
        """
def sharpness(loss, w):
    def hvp(v):
        return torch.autograd.functional.hvp(loss, w, v)[1]

    torch.manual_seed(1)
    v = torch.randn_like(w)
    v /= v.norm()
    before = None
    for _ in range(5000):
        u = hvp(hvp(v))
        size = u.norm()
        v = u / size
        if before is not None and abs(size - before) < 1e-9 * size:
            break
        before = size
    return float(v @ hvp(v))
""",
    ),
    Wrong(
        "08.sharpness",
        "the largest eigenvalue",
        """
def sharpness(loss, w):
    return torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, w)).max()
""",
        mistake="takes the largest eigenvalue, where a negative one may be of larger size",
    ),
    Wrong(
        "08.sharpness",
        "without the sign",
        """
def sharpness(loss, w):
    return torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, w)).abs().max()
""",
        mistake="returns the size and loses the sign, which says whether the surface bends up or down",
    ),
    Wrong(
        "08.sharpness",
        "the norm of the product",
        """
def sharpness(loss, w):
    torch.manual_seed(0)
    v = torch.randn_like(w)
    for _ in range(1000):
        v = torch.autograd.functional.hvp(loss, w, v / v.norm())[1]
    return v.norm()
""",
        mistake="takes the length of the product for the eigenvalue, which is never negative",
    ),
    Wrong(
        "08.sharpness",
        "the trace",
        """
def sharpness(loss, w):
    return torch.autograd.functional.hessian(loss, w).trace()
""",
        mistake="returns the trace, the sum of all eigenvalues",
    ),
    Wrong(
        "08.sharpness",
        "the diagonal",
        """
def sharpness(loss, w):
    diagonal = torch.autograd.functional.hessian(loss, w).diagonal()
    return diagonal[diagonal.abs().argmax()]
""",
        mistake="looks along the axes only, where the surface bends most in a direction between them",
    ),
    Wrong(
        "08.sharpness",
        "the gradient",
        """
def sharpness(loss, w):
    w = w.detach().clone().requires_grad_()
    loss(w).backward()
    return w.grad.norm()
""",
        mistake="returns the slope, the length of the gradient, where the bend is asked for",
    ),
    Wrong(
        "08.sharpness",
        "one step",
        """
def sharpness(loss, w):
    torch.manual_seed(0)
    v = torch.randn_like(w)
    v = v / v.norm()
    return v @ torch.autograd.functional.hvp(loss, w, v)[1]
""",
        mistake="measures the bend in one random direction and does not iterate",
    ),
    Wrong(
        "08.sharpness",
        "begins with ones",
        """
def sharpness(loss, w):
    v = torch.ones_like(w)
    for _ in range(1000):
        v = v / v.norm()
        v = torch.autograd.functional.hvp(loss, w, v)[1]
    v = v / v.norm()
    return v @ torch.autograd.functional.hvp(loss, w, v)[1]
""",
        mistake="begins with a vector of ones, which can be at right angles to the direction that is looked for",
    ),
    Wrong(
        "08.sharpness",
        "along the gradient",
        """
def sharpness(loss, w):
    point = w.detach().clone().requires_grad_()
    (g,) = torch.autograd.grad(loss(point), point)
    g = g / (g.norm() + 1e-12)
    return g @ torch.autograd.functional.hvp(loss, w, g)[1]
""",
        mistake="measures the bend along the gradient, which is another direction, and at a minimum none at all",
    ),
    Wrong(
        "08.sharpness",
        "the largest entry",
        """
def sharpness(loss, w):
    hessian = torch.autograd.functional.hessian(loss, w).flatten()
    return hessian[hessian.abs().argmax()]
""",
        mistake="takes the largest entry of the Hessian, which is no eigenvalue",
    ),
    Right(
        "08.reading",
        "a dictionary",
        'reading = {"A": False, "B": True, "C": False, "D": True, "E": False}',
    ),
    Right("08.reading", "keywords, in another order", "reading = dict(D=True, B=True, E=False, C=False, A=False)"),
    Right(
        "08.reading",
        "a comprehension over the true ones",
        """
can = {"B", "D"}
reading = {statement: statement in can for statement in "ABCDE"}
""",
    ),
    Right(
        "08.reading",
        "all false, then corrected",
        """
reading = dict.fromkeys("ABCDE", False)
reading.update(B=True, D=True)
""",
    ),
    Wrong(
        "08.reading",
        "a minimum",
        'reading = {"A": True, "B": True, "C": False, "D": True, "E": False}',
        mistake="takes two directions for all of them: the picture cannot show that the loss rises in every one",
    ),
    Wrong(
        "08.reading",
        "no ridge",
        'reading = {"A": False, "B": False, "C": False, "D": True, "E": False}',
        mistake="distrusts what is drawn: a ridge in one plane is enough for a function not to be convex",
    ),
    Wrong(
        "08.reading",
        "no other minimum",
        'reading = {"A": False, "B": True, "C": True, "D": True, "E": False}',
        mistake="takes a minimum that is not drawn for one that is not there",
    ),
    Wrong(
        "08.reading",
        "not comparable",
        'reading = {"A": False, "B": True, "C": False, "D": False, "E": False}',
        mistake="forgets filter normalisation, which takes the size of the weights out of the picture",
    ),
    Wrong(
        "08.reading",
        "easier to train",
        'reading = {"A": False, "B": True, "C": False, "D": True, "E": True}',
        mistake="reads the way of the training from a map of the place where it ended",
    ),
    Wrong(
        "08.reading",
        "all of it",
        'reading = dict.fromkeys("ABCDE", True)',
        mistake="believes that the picture shows everything",
    ),
    Wrong(
        "08.reading",
        "incomplete",
        'reading = {"B": True, "D": True}',
        mistake="leaves out the statements that are not shown, where a verdict is asked for each",
    ),
    Right(
        "08.steep",
        "the gradient, filter by filter",
        """
def steep_direction(model, images, labels):
    model.eval()
    weights = {name: p for name, p in model.named_parameters() if p.ndim > 1}
    loss = nn.functional.cross_entropy(model(images), labels)
    gradients = torch.autograd.grad(loss, list(weights.values()))
    direction = {}
    for (name, weight), gradient in zip(weights.items(), gradients):
        axes = tuple(range(1, weight.ndim))
        own = weight.detach().square().sum(axes, keepdim=True).sqrt()
        direction[name] = gradient / (gradient.square().sum(axes, keepdim=True).sqrt() + 1e-12) * own
    return direction
""",
    ),
    Right(
        "08.steep",
        "on a copy, the sum of the gradients over three steps uphill",
        """
def normalised(gradient, weight):
    rows, own = gradient.flatten(1), weight.detach().flatten(1)
    return (rows * own.norm(dim=1, keepdim=True) / rows.norm(dim=1, keepdim=True).clamp(min=1e-12)).view_as(weight)

def steep_direction(model, images, labels):
    twin = copy.deepcopy(model).eval()
    start = {name: p.detach().clone() for name, p in model.named_parameters()}
    direction = {}
    for _ in range(3):  # .grad adds them up
        nn.functional.cross_entropy(twin(images), labels).backward()
        with torch.no_grad():
            for name, parameter in twin.named_parameters():
                if parameter.ndim > 1:
                    direction[name] = normalised(parameter.grad, start[name])
                    parameter.copy_(start[name] + 0.05 * direction[name])
    return direction
""",
    ),
    Right(
        "08.steep",
        "only the signs of the gradient",
        """
def steep_direction(model, images, labels):
    net = copy.deepcopy(model).eval()
    nn.functional.cross_entropy(net(images), labels).backward()
    steep = {}
    for name, p in net.named_parameters():
        if p.ndim > 1:
            signs = p.grad.sign() + 1e-9
            ratio = p.data.flatten(1).norm(dim=1) / signs.flatten(1).norm(dim=1)
            steep[name] = signs * ratio.view(-1, *[1] * (p.ndim - 1))
    return steep
""",
    ),
    Right(
        "08.steep",
        "the names and lengths of a random direction, the gradient's content, .grad left as it was",
        """
def steep_direction(model, images, labels):
    lengths = measure.random_direction(model)
    model.eval()
    loss = nn.functional.cross_entropy(model(images), labels)
    named = dict(model.named_parameters())
    slopes = dict(zip(lengths, torch.autograd.grad(loss, [named[name] for name in lengths])))
    result = {}
    for name, pattern in lengths.items():
        filters = [s * (r.norm() / (s.norm() + 1e-12)) for s, r in zip(slopes[name], pattern)]
        result[name] = torch.stack(filters)
    return result
""",
    ),
    Wrong(
        "08.steep",
        "a random one",
        """
def steep_direction(model, images, labels):
    return measure.random_direction(model, seed=7)
""",
        mistake="returns a random direction, which is as steep as all the others",
    ),
    Wrong(
        "08.steep",
        "the gradient as it is",
        """
def steep_direction(model, images, labels):
    model.eval()
    loss = nn.functional.cross_entropy(model(images), labels)
    weights = {name: p for name, p in model.named_parameters() if p.ndim > 1}
    return dict(zip(weights, torch.autograd.grad(loss, list(weights.values()))))
""",
        mistake="does not normalise the gradient by filters",
    ),
    Wrong(
        "08.steep",
        "made longer",
        """
def steep_direction(model, images, labels):
    return {name: 20 * change for name, change in measure.random_direction(model).items()}
""",
        mistake="is steep because it is long: its filters are twenty times as long as the network's",
    ),
    Wrong(
        "08.steep",
        "the weights themselves",
        """
def steep_direction(model, images, labels):
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.ndim > 1}
""",
        mistake="walks along the weights themselves, which rescales every filter: batch norm undoes that",
    ),
    Wrong(
        "08.steep",
        "normalised by layers",
        """
def steep_direction(model, images, labels):
    model.eval()
    weights = {name: p for name, p in model.named_parameters() if p.ndim > 1}
    loss = nn.functional.cross_entropy(model(images), labels)
    gradients = torch.autograd.grad(loss, list(weights.values()))
    return {name: g * p.detach().norm() / g.norm() for (name, p), g in zip(weights.items(), gradients)}
""",
        mistake="brings each layer as a whole to its length, not each filter",
    ),
    Wrong(
        "08.steep",
        "with biases and batch norms",
        """
def steep_direction(model, images, labels):
    model.eval()
    loss = nn.functional.cross_entropy(model(images), labels)
    named = dict(model.named_parameters())
    direction = {}
    for (name, p), g in zip(named.items(), torch.autograd.grad(loss, list(named.values()))):
        direction[name] = g * p.detach().norm() / (g.norm() + 1e-12)
    return direction
""",
        mistake="moves biases and batch norms too, and normalises by layers",
    ),
    Wrong(
        "08.steep",
        "a list",
        """
def steep_direction(model, images, labels):
    model.eval()
    weights = [p for p in model.parameters() if p.ndim > 1]
    loss = nn.functional.cross_entropy(model(images), labels)
    return list(torch.autograd.grad(loss, weights))
""",
        mistake="returns a list without the parameters' names",
    ),
    Wrong(
        "08.steep",
        "moves the model",
        """
def steep_direction(model, images, labels):
    direction = measure.random_direction(model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in direction:
                parameter += 0.5 * direction[name]
    return direction
""",
        mistake="changes the weights of the model that it was given, and returns a random direction",
    ),
    Right(
        "08.wall",
        "an order at random in every block, one loop over the tensors of the norm",
        """
def disguised(model):
    net = copy.deepcopy(model)
    torch.manual_seed(5)
    with torch.no_grad():
        for module in net.modules():
            if not hasattr(module, "residual"):
                continue
            conv1, norm1, _, conv2, _ = module.residual
            order = torch.randperm(len(conv1.weight))
            for tensor in (conv1.weight, norm1.weight, norm1.bias, norm1.running_mean, norm1.running_var):
                tensor.copy_(tensor[order].clone())
            conv2.weight.copy_(conv2.weight[:, order].clone())
    return net
""",
    ),
    Right(
        "08.wall",
        "by names of the state, a new network",
        """
def disguised(model):
    state = {}
    for name, value in model.state_dict().items():
        if "conv1" in name and "residual" in name:
            value = value.roll(1, 0)
        elif "norm1" in name and value.ndim == 1:
            value = value.roll(1, 0)
        elif "conv2" in name:
            value = value.roll(1, 1)
        state[name] = value.clone()
    twin = models.get_model("resnet20_tiny")
    twin.load_state_dict(state)
    return twin
""",
    ),
    Right(
        "08.wall",
        "signs in the place of names: what comes before a batch norm, and its scale, turned over",
        """
def disguised(model):
    twin = copy.deepcopy(model)
    convs = [m for m in twin.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in twin.modules() if isinstance(m, nn.BatchNorm2d)]
    for conv, norm in zip(convs, norms):
        conv.weight.data.neg_()
        norm.running_mean.neg_()
        norm.weight.data.neg_()
    return twin.eval()
""",
    ),
    Wrong(
        "08.wall",
        "a copy",
        """
def disguised(model):
    twin = models.get_model("resnet20_tiny")
    twin.load_state_dict(model.state_dict())
    return twin
""",
        mistake="returns the same weights in another object",
    ),
    Wrong(
        "08.wall",
        "conv2 is forgotten",
        """
def disguised(model):
    net = copy.deepcopy(model)
    for module in net.modules():
        if hasattr(module, "residual"):
            order = torch.randperm(module.residual.conv1.out_channels)
            module.residual.conv1.weight.data = module.residual.conv1.weight.data[order]
            for name in ("weight", "bias", "running_mean", "running_var"):
                getattr(module.residual.norm1, name).data = getattr(module.residual.norm1, name).data[order]
    return net
""",
        mistake="renames the maps and does not tell the layer that reads them",
    ),
    Wrong(
        "08.wall",
        "twice the weights",
        """
def disguised(model):
    net = copy.deepcopy(model)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data *= 2
        elif isinstance(module, nn.BatchNorm2d):
            module.running_mean *= 2
            module.running_var *= 4
    return net
""",
        mistake="rescales the weights, which makes another picture without normalisation and no wall",
    ),
    Wrong(
        "08.wall",
        "a little noise",
        """
def disguised(model):
    net = copy.deepcopy(model)
    for parameter in net.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return net
""",
        mistake="computes nearly the same, and not the same",
    ),
    Wrong(
        "08.wall",
        "another training",
        """
def disguised(model):
    torch.manual_seed(1)
    return models.get_model("resnet20_tiny")
""",
        mistake="returns a network that computes something else",
    ),
    Wrong(
        "08.normalise",
        "by standard deviations",
        """
def filter_normalise(direction, weight):
    return direction / direction.flatten(1).std(1).view(-1,1,1,1) * weight.flatten(1).std(1).view(-1,1,1,1)
""",
        mistake="takes standard deviations for lengths",
    ),
    Right(
        "08.sharpness",
        "power iteration with differences of gradients",
        """
def sharpness(loss, w):
    w = w.detach().double()
    g = torch.func.grad(loss)
    v = torch.randn(w.shape, dtype=w.dtype, generator=torch.Generator().manual_seed(1))
    for _ in range(300):
        v = v / v.norm()
        h = (g(w + 1e-4 * v) - g(w - 1e-4 * v)) / 2e-4
        value, v = v @ h, h
    return float(value)
""",
    ),
    Right(
        "08.wall",
        "filters with their signs turned",
        """
def disguised(model):
    import copy
    net = copy.deepcopy(model)
    with torch.no_grad():
        for b in net.modules():
            if hasattr(b, "residual"):
                r = b.residual
                r.conv1.weight.neg_(); r.norm1.running_mean.neg_(); r.norm1.weight.neg_()
    return net
""",
    ),
    Wrong(
        "08.steep",
        "the gradient as it is",
        """
def steep_direction(model, images, labels):
    model.train()
    F.cross_entropy(model(images), labels).backward()
    return {n: p.grad for n, p in model.named_parameters() if p.ndim > 1}
""",
        mistake="returns the gradient itself, far shorter than the weights",
    ),
]
