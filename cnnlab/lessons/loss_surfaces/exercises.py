"""Lesson 08, loss surfaces: its exercises."""

from collections.abc import Mapping
from copy import deepcopy
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import measure, models
from cnnlab.lessons.compare import kind, number
from cnnlab.lessons.exercise import Wrong, edit, exercise, source, when


def directions_and_weights() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    one = torch.tensor([[[[3.0, 4.0]]], [[[0.0, -2.0]]]]), torch.tensor([[[[6.0, 8.0]]], [[[0.6, 0.8]]]])
    shapes = ((3, 3, 3, 3), (4, 3, 3, 3), (5, 2, 1, 1), (4, 1, 3, 3))  # in the first other matches of axes fit, too
    return [one] + [
        (
            torch.randn(shape, generator=generator),
            torch.randn(shape, generator=generator) * torch.arange(1, shape[0] + 1).view(-1, 1, 1, 1),
        )
        for shape in shapes
    ]


exercise(
    "08.normalise",
    points=2,
    stub='''
        def filter_normalise(direction, weight):
            """direction, weight: (out, in, k, k).
            Returns the direction, with each filter as long as the weight's."""
            ...
    ''',
    solution="""
        def filter_normalise(direction, weight):
            length = lambda tensor: tensor.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
            return direction * length(weight) / length(direction)
    """,
    hints=[
        "A filter is weight[i], the numbers that make one output map. How long is it?",
        "tensor.flatten(1).norm(dim=1) is one length for each filter; .view(-1, 1, 1, 1) lets it multiply the tensor.",
    ],
    cases=directions_and_weights,
    wrong=[
        source(
            """
            def filter_normalise(direction, weight):
                return direction * weight.norm() / direction.norm()
            """,
            "You have brought the whole layer to the right length, not each filter.",
        ),
        edit(
            "direction * length(weight) / length(direction)",
            "direction / length(direction)",
            "Every filter has length 1. It should have the length of the weight's filter.",
        ),
        edit(
            " / length(direction)",
            "",
            "The lengths are multiplied with the weight's, but not divided by the direction's own first.",
        ),
        edit(
            "tensor.flatten(1).norm(dim=1).view(-1, 1, 1, 1)",
            "tensor.norm(dim=(2, 3), keepdim=True)",
            "The lengths of the filters are right, but every single kernel of a filter was brought to its own length. A"
            " filter is scaled as a whole.",
        ),
        edit(
            "direction * length(weight) / length(direction)",
            "direction * length(direction) / length(weight)",
            "The ratio is upside down: times the weight's length, divided by the direction's own.",
        ),
        edit(
            "direction * length(weight) / length(direction)",
            "weight * length(direction) / length(weight)",
            "The two are exchanged: this is the weight, each filter as long as the direction's.",
        ),
        edit(
            "return direction *",
            "return direction.sign() *",
            "Each filter is to keep its direction: scale it as it is.",
        ),
        edit(
            "tensor.flatten(1).norm(dim=1)",
            "tensor.flatten(1).pow(2).sum(dim=1)",
            "You scaled by squared lengths: a length is the root of the sum of squares.",
        ),
        edit(
            "tensor.flatten(1).norm(dim=1)",
            "tensor.flatten(1).abs().sum(dim=1)",
            "You took the sum of the sizes for the length: it is the root of the sum of squares.",
        ),
        edit(
            "tensor.flatten(1).norm(dim=1)",
            "tensor.flatten(1).std(dim=1)",
            "You scaled by standard deviations, which subtract a mean: a length is the root of the sum of squares.",
        ),
        edit(
            "tensor.flatten(1).norm(dim=1)",
            "tensor.flatten(1).abs().amax(dim=1)",
            "You took the largest number of a filter for its length: it is the root of the sum of squares.",
        ),
        edit(
            "tensor.flatten(1).norm(dim=1).view(-1, 1, 1, 1)",
            "tensor.pow(2).sum(dim=(0, 2, 3), keepdim=True).sqrt()",
            "You scaled by what reads one input map; a filter, weight[i], is what makes one output map.",
        ),
        edit(
            "tensor.flatten(1).norm(dim=1).view(-1, 1, 1, 1)",
            "tensor.norm(dim=0, keepdim=True)",
            "Your lengths run over the filters; each filter, weight[i], has one length, over all of its numbers.",
        ),
        edit(
            "tensor.flatten(1).norm(dim=1).view(-1, 1, 1, 1)",
            "tensor.norm(dim=1, keepdim=True)",
            "Your lengths are those of the vectors along the input maps; a filter, weight[i], has one length, over all"
            " of its numbers.",
        ),
        edit(
            "tensor.flatten(1).norm(dim=1).view(-1, 1, 1, 1)",
            "tensor.abs()",
            "Every single number has the size of the weight's: that is one length for each number. A filter is scaled"
            " as a whole.",
        ),
        edit(
            "direction * length(weight) / length(direction)",
            "weight + direction * length(weight) / length(direction)",
            "The weight is added; asked for is the direction alone.",
        ),
        edit(
            "direction * length(weight) / length(direction)",
            "direction",
            "The direction is as it was: its filters are not brought to the weight's lengths.",
        ),
    ],
)


def states() -> list[tuple]:
    """Two small states, and two of a network with batch norms, whose statistics differ, too."""

    def state(generator: torch.Generator, count: int, size: int = 3) -> dict[str, Tensor]:
        return {
            "conv.weight": torch.randn(2, size, 1, 1, generator=generator),
            "norm.weight": torch.rand(2, generator=generator),
            "norm.running_mean": torch.randn(2, generator=generator),
            "norm.running_var": torch.rand(2, generator=generator),
            "norm.num_batches_tracked": torch.tensor(count),
        }

    generator = torch.Generator().manual_seed(0)
    a, b = state(generator, 3), state(generator, 8)
    one = {"weight": torch.tensor([1.0, 2.0])}, {"weight": torch.tensor([3.0, 8.0])}
    small = {"weight": torch.tensor([1.0, 2.0]), "num_batches_tracked": torch.tensor(3)}
    other = {"weight": torch.tensor([3.0, -2.0]), "num_batches_tracked": torch.tensor(7)}
    return [(*one, 0.25), (small, other, 0.5), (a, b, 0.25), (a, b, 0.0), (a, b, 1.0), (a, b, -0.5), (a, b, 1.5)]


def without_counters(state: object, a: Mapping[str, Tensor], b: Mapping[str, Tensor], t: float) -> object:
    """A state; of whole numbers, which nothing can stand between, only that they are there."""
    if not isinstance(state, Mapping):
        return state
    counters = {name for name, value in a.items() if not value.is_floating_point()}
    return {name: "there" if name in counters else value for name, value in state.items()}


exercise(
    "08.interpolate",
    points=2,
    stub='''
        def interpolate(a, b, t):
            """a, b: state dicts of one network.
            Returns a for t = 0, b for t = 1, and the mixture of the two in between."""
            ...
    ''',
    solution="""
        def interpolate(a, b, t):
            return {name: a[name] + t * (b[name] - a[name]) if a[name].is_floating_point() else a[name] for name in a}
    """,
    hints=[
        "For each name: (1 - t) times the one plus t times the other.",
        "A batch norm's num_batches_tracked is a whole number: take it from a, as it is.",
    ],
    cases=states,
    look=without_counters,
    wrong=[
        edit(
            "a[name] + t * (b[name] - a[name])",
            "b[name] + t * (a[name] - b[name])",
            "Your line starts at b and ends at a.",
        ),
        edit(
            "if a[name].is_floating_point()",
            'if a[name].is_floating_point() and "running" not in name',
            "The running statistics of the batch norms stay where they were: they belong to the state too.",
        ),
        edit(
            "for name in a}",
            "for name in a if a[name].is_floating_point()}",
            "The counters of the batch norms are missing: the state has all entries of a.",
        ),
        edit(
            "for name in a}",
            "for name in a if a[name].ndim > 1}",
            "Entries are missing, those of one dimension and the counters: the state has all entries of a.",
        ),
        edit(
            "for name in a}",
            'for name in a if "running" not in name and "num" not in name}',
            "The statistics of the batch norms are missing: the state has all entries of a.",
        ),
        edit(
            "if a[name].is_floating_point()",
            "if a[name].ndim > 1",
            "Entries of one dimension, the batch norms' and"
            " the biases, stay where they were: all but the counters move.",
        ),
        edit(
            "a[name] + t * (b[name] - a[name])",
            "a[name] + t * b[name]",
            "You go from a in the direction b; from a to b the way is b - a.",
        ),
        edit(
            "a[name] + t * (b[name] - a[name])",
            "t * (b[name] - a[name])",
            "This is the step from a; a itself is missing.",
        ),
        edit(
            "a[name] + t * (b[name] - a[name])",
            "t * a[name] + t * b[name]",
            "The shares of a and of b are 1 - t and t; yours are t and t.",
        ),
        edit("a[name] + t * (b[name] - a[name])", "(a[name] + b[name]) / 2", "This is half of the way, whatever t is."),
        edit(
            "a[name] + t * (b[name] - a[name])",
            "a[name] + min(max(t, 0), 1) * (b[name] - a[name])",
            "Outside of 0 to 1 yours stays at an end: the line goes on.",
        ),
    ],
)


class Bowl:
    """A loss whose Hessian at `lowest` has these eigenvalues, along axes that are no coordinates."""

    def __init__(self, eigenvalues: list[float], lowest: Tensor, axes: Tensor) -> None:
        self.eigenvalues, self.lowest = eigenvalues, lowest
        self.hessian = axes @ torch.diag(torch.tensor(eigenvalues)) @ axes.T

    def __call__(self, w: Tensor) -> Tensor:
        step = w - self.lowest.to(w.dtype)
        return 0.5 * step @ self.hessian.to(w.dtype) @ step + step.sum() + (step**3).sum()

    def __repr__(self) -> str:
        return f"a loss whose Hessian has the eigenvalues {self.eigenvalues}"


def bowls() -> list[tuple]:
    generator = torch.Generator().manual_seed(3)
    cases = []
    for eigenvalues in ([2.0, -7.0], [9.0, 3.0, 1.0, 0.5, 0.0, 0.1], [2.0, -7.0, 1.0, 0.5, 3.0, -0.5]):
        size = len(eigenvalues)
        axes = torch.linalg.qr(torch.randn(size, size, generator=generator))[0]
        w = torch.randn(size, generator=generator)
        cases.append((Bowl(eigenvalues, w, axes), w))
    across = torch.tensor([[1.0, 1.0], [-1.0, 1.0]]) / 2**0.5  # the sharpest direction is at right angles to (1, 1)
    cases.append((Bowl([5.0, 1.0], w[:2], across), w[:2]))
    return cases


exercise(
    "08.sharpness",
    points=3,
    stub='''
        def sharpness(loss, w):
            """loss: a function of a vector; w: a vector.
            Returns the eigenvalue of largest size of the loss's Hessian at w, with its sign."""
            ...
    ''',
    solution="""
        def sharpness(loss, w, steps=200):
            w = w.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(loss(w), w, create_graph=True)
            v = torch.randn(w.shape, generator=torch.Generator().manual_seed(0))
            for _ in range(steps):
                v = v / v.norm()
                (product,) = torch.autograd.grad(gradient @ v, w, retain_graph=True)
                curvature, v = v @ product, product
            return curvature.item()
    """,
    hints=[
        "The Hessian times a vector v is the gradient of (gradient @ v): two calls of torch.autograd.grad, the first "
        "with create_graph=True.",
        "Power iteration: start with a random v of length 1, multiply by the Hessian, bring it to length 1 again, and "
        "so on. In the end v @ (H v) is the eigenvalue, with its sign.",
    ],
    cases=bowls,
    tolerance=0.02,  # how far power iteration is, is left to the learner
    wrong=[
        source(
            """
            def sharpness(loss, w):
                w = w.detach().requires_grad_()
                return torch.autograd.grad(loss(w), w)[0].norm().item()
            """,
            "That is the length of the gradient: a first derivative. Asked for is the second.",
        ),
        source(
            """
            def sharpness(loss, w):
                return torch.autograd.functional.hessian(loss, w).trace().item()
            """,
            "That is the trace, the sum of all eigenvalues.",
        ),
        source(
            """
            def sharpness(loss, w):
                return torch.autograd.functional.hessian(loss, w).diagonal().max().item()
            """,
            "That is the largest curvature along one coordinate; the sharpest direction lies between coordinates.",
        ),
        source(
            """
            def sharpness(loss, w):
                diagonal = torch.autograd.functional.hessian(loss, w).diagonal()
                return diagonal[diagonal.abs().argmax()].item()
            """,
            "That is the curvature of largest size along one coordinate; the sharpest direction lies between"
            " coordinates.",
        ),
        source(
            """
            def sharpness(loss, w):
                return torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, w)).abs().max().item()
            """,
            "That is the size of the right eigenvalue without its sign: here the surface bends down.",
        ),
        source(
            """
            def sharpness(loss, w):
                return torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, w)).max().item()
            """,
            "That is the largest, not that of largest size: here the surface bends down more than up.",
        ),
        source(
            """
            def sharpness(loss, w):
                return torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, w)).min().item()
            """,
            "That is the least eigenvalue; asked for is the one of largest size, whatever its sign.",
        ),
        source(
            """
            def sharpness(loss, w):
                eigenvalues = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, w))
                return eigenvalues[eigenvalues.abs().argmin()].item()
            """,
            "That is the eigenvalue of the smallest size; asked for is that of the largest.",
        ),
        source(
            """
            def sharpness(loss, w):
                return torch.autograd.functional.hessian(loss, w).norm().item()
            """,
            "That is the norm of the Hessian, the root of all eigenvalues squared and added; asked for is one of them.",
        ),
        source(
            """
            def sharpness(loss, w):
                return torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, w)).sum().item() / len(w)
            """,
            "That is the mean of the eigenvalues; asked for is the one of largest size.",
        ),
        source(
            """
            def sharpness(loss, w):
                hessian = torch.autograd.functional.hessian(loss, w)
                gradient = torch.autograd.functional.jacobian(loss, w)
                direction = gradient / gradient.norm()
                return (direction @ hessian @ direction).item()
            """,
            "That is the curvature along the gradient; the sharpest direction is another one.",
        ),
        edit("steps=200", "steps=1", "You stopped after one step. Power iteration needs many."),
        edit("steps=200", "steps=2", "You stopped after two steps. Power iteration needs many."),
    ],
)

READING = {"A": False, "B": True, "C": False, "D": True, "E": False}


def letters(reading: object) -> object:
    """The entries that are true, of a dictionary with all letters; a set or list of letters is taken, too."""
    if isinstance(reading, Mapping):
        given = {str(key).strip().upper(): value for key, value in reading.items()}
        if missing := sorted(READING.keys() - given):
            raise Wrong(f"{missing[0]} is missing: reading is a dictionary with the keys A to E.")
        if extra := sorted(given.keys() - READING):
            raise Wrong(f"There is no statement {extra[0]}: the keys are A to E.")
        if odd := [key for key, value in given.items() if kind(value) not in ("True", "False")]:
            values = {key: number(given[key]) for key in odd}
            if any(value not in (0, 1) for value in values.values()):
                raise Wrong(f"Each value is True or False; that of {odd[0]} is {kind(given[odd[0]])}.")
        return sorted(key for key, value in given.items() if value)
    if isinstance(reading, (set, frozenset, list, tuple)) and all(isinstance(key, str) for key in reading):
        return sorted({key.strip().upper() for key in reading})
    raise Wrong(f"reading is a dictionary with the keys A to E; yours is {kind(reading)}.")


exercise(
    "08.reading",
    points=2,
    stub="""
        # {"A": True, "B": True, ...}: True if the picture of a plane can show the statement
        reading = ...
    """,
    solution="""
        reading = {"A": False, "B": True, "C": False, "D": True, "E": False}
    """,
    hints=[
        "A picture shows two directions out of very many. For each statement: could it be false although "
        "the picture is right?",
        "One counterexample that is drawn refutes 'nowhere'; no picture proves 'everywhere'.",
    ],
    look=letters,
    otherwise="Go through the statements once more: which of them could be false although the picture is right?",
    wrong=[
        when(
            lambda true: "A" in true,
            'reading = {"A": True, "B": True, "C": False, "D": True, "E": False}',
            "A: a bowl in two directions may be a saddle in a third. Of all directions two were looked at.",
        ),
        when(
            lambda true: "B" not in true,
            'reading = {"A": False, "B": False, "C": False, "D": True, "E": False}',
            "B: a ridge that is drawn is there. One plane is enough to refute that a surface is convex.",
        ),
        when(
            lambda true: "C" in true,
            'reading = {"A": False, "B": True, "C": True, "D": True, "E": False}',
            "C: another minimum may lie outside this plane. The line to a second network showed one.",
        ),
        when(
            lambda true: "D" not in true,
            'reading = {"A": False, "B": True, "C": False, "D": False, "E": False}',
            "D: both directions are as long, filter by filter, as the weights: that is what the normalisation is for.",
        ),
        when(
            lambda true: "E" in true,
            'reading = {"A": False, "B": True, "C": False, "D": True, "E": True}',
            "E: a surface that is drawn around the end of a training says nothing about the way that led there.",
        ),
    ],
)


@cache
def trained_on_patterns(steps: int) -> tuple[nn.Module, Tensor, Tensor]:
    """A small ResNet after so many steps on 60 images of ten patterns; it is copied before anybody gets it."""
    torch.manual_seed(0)
    model = models.get_model("resnet20_tiny")
    generator = torch.Generator().manual_seed(0)
    patterns = torch.randn(10, 3, 32, 32, generator=generator)
    labels = torch.arange(60) % 10
    images = patterns[labels] + 0.5 * torch.randn(60, 3, 32, 32, generator=generator)
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    model.train()
    for _ in range(steps):
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval(), images, labels


STEEPER = 100  # times as steep as a random direction; along the weights themselves it is some twenty times


def check_steep(steep_direction) -> None:
    model, images, labels = deepcopy(trained_on_patterns(12))
    start = {name: value.clone() for name, value in model.state_dict().items()}

    def rise(direction: dict[str, Tensor], distance: float = 0.05) -> float:
        moved = {k: v + distance * direction[k] if k in direction else v for k, v in start.items()}
        with torch.no_grad():
            before, after = (
                F.cross_entropy(torch.func.functional_call(model, state, (images,)), labels) for state in (start, moved)
            )
        return (after - before).item()

    direction = steep_direction(model, images, labels)
    if not isinstance(direction, dict) or not all(isinstance(value, Tensor) for value in direction.values()):
        raise Wrong("Return a dictionary: for each parameter's name the tensor to add to it.")
    model.load_state_dict(start)
    named = {name: p.detach() for name, p in model.named_parameters()}
    if strange := [name for name in direction if name not in named or direction[name].shape != named[name].shape]:
        raise Wrong(f"{strange[0]} is no parameter of the model, or has another shape.")
    if still := [name for name in direction if named[name].ndim < 2 and direction[name].any()]:
        raise Wrong(f"Biases and batch norms stay where they are, but your direction moves {still[0]}.")
    direction = {name: value.detach() for name, value in direction.items() if named[name].ndim > 1}
    ratios = []
    for name, value in direction.items():
        ratios.append(value.flatten(1).norm(dim=1) / named[name].flatten(1).norm(dim=1))
        ratio = ratios[-1].max().item()
        if ratio > 1.01:
            raise Wrong(f"A filter of {name} is {ratio:.1f} times longer than the weight's own: normalise it.")
    usual = sum(rise(measure.random_direction(model, seed)) for seed in range(10)) / 10
    yours = rise(direction)
    if rise({name: -value for name, value in direction.items()}) > STEEPER * abs(usual) and rise(direction, 0.001) < 0:
        raise Wrong("Your direction leads downhill with its first step. Turn around.")
    if yours < STEEPER * abs(usual):
        times = f"{yours:.3g}, and by {usual:.3g} at random: {yours / usual:.0f} times as much"
        along = all(torch.allclose(value.abs(), named[name].abs()) for name, value in direction.items())
        own = " Along the weights themselves, every filter only becomes longer." if along else ""
        if ratios and (usually := torch.cat(ratios).median().item()) < 0.99:
            own = f" Its filters are not normalised: in the median {usually:.2g} times as long as the weight's."
        raise Wrong(f"It is not steep enough. The loss rises by {times}.{own}")


exercise(
    "08.steep",
    points=3,
    stub='''
        def steep_direction(model, images, labels):
            """Returns a direction, {parameter's name: tensor}, filter-normalised,
            as measure.random_direction returns it."""
            ...
    ''',
    solution="""
        def steep_direction(model, images, labels):
            loss = torch.nn.functional.cross_entropy(model.eval()(images), labels)
            named = {name: p for name, p in model.named_parameters() if p.ndim > 1}
            gradients = torch.autograd.grad(loss, list(named.values()))
            direction = {}
            for (name, weight), gradient in zip(named.items(), gradients):
                shape = (-1, *[1] * (weight.ndim - 1))
                size = weight.detach().flatten(1).norm(dim=1) / (gradient.flatten(1).norm(dim=1) + 1e-12)
                direction[name] = gradient * size.view(shape)
            return direction
    """,
    hints=[
        "Where does a loss rise fastest? There is a word for that direction, and autograd computes it.",
        "Take the gradient of the loss for every parameter with more than one dimension, then bring each of its "
        "filters to the length of the weight's filter.",
    ],
    check=check_steep,
    wrong=[
        source(
            """
            def steep_direction(model, images, labels):
                from cnnlab import measure
                return measure.random_direction(model, seed=5)
            """,
            "not steep enough",
        ),
        source(
            """
            def steep_direction(model, images, labels):
                loss = torch.nn.functional.cross_entropy(model.eval()(images), labels)
                named = {n: p for n, p in model.named_parameters() if p.ndim > 1}
                found = {}
                for (n, p), g in zip(named.items(), torch.autograd.grad(loss, list(named.values()))):
                    size = p.detach().flatten(1).norm(dim=1) / (g.flatten(1).norm(dim=1) + 1e-12)
                    found[n] = -g * size.view(-1, *[1] * (p.ndim - 1))
                return found
            """,
            "downhill",
        ),
        source(
            """
            def steep_direction(model, images, labels):
                from cnnlab import measure
                return {n: 10 * d for n, d in measure.random_direction(model, seed=5).items()}
            """,
            "longer than",
        ),
        source(
            """
            def steep_direction(model, images, labels):
                return {n: p.detach().clone() for n, p in model.named_parameters() if p.ndim > 1}
            """,
            "Along the weights themselves",
        ),
        source(
            """
            def steep_direction(model, images, labels):
                loss = torch.nn.functional.cross_entropy(model.eval()(images), labels)
                named = dict(model.named_parameters())
                return dict(zip(named, torch.autograd.grad(loss, list(named.values()))))
            """,
            "stay where they are",
        ),
        source(
            """
            def steep_direction(model, images, labels):
                loss = torch.nn.functional.cross_entropy(model.eval()(images), labels)
                named = {n: p for n, p in model.named_parameters() if p.ndim > 1}
                gradients = torch.autograd.grad(loss, list(named.values()))
                return {n: 0.01 * g / g.norm() for n, g in zip(named, gradients)}
            """,
            "not normalised",
        ),
    ],
)


def check_wall(disguised) -> None:
    model, images, labels = deepcopy(trained_on_patterns(30))
    start = {name: value.clone() for name, value in model.state_dict().items()}
    other = disguised(model)
    if not isinstance(other, nn.Module):
        raise Wrong(f"Return a network; yours is {kind(other)}.")
    if any(not torch.equal(value, start[name]) for name, value in model.state_dict().items()):
        raise Wrong("The network that you were given has been changed. Make a copy first: copy.deepcopy(model).")
    state = other.state_dict()
    if {k: v.shape for k, v in state.items()} != {k: v.shape for k, v in start.items()}:
        raise Wrong("A straight line joins only networks of the same layers; yours has others.")

    @torch.no_grad()
    def at(t: float) -> tuple[float, Tensor]:
        mixed = {k: v + t * (state[k] - v) if v.is_floating_point() else v for k, v in start.items()}
        logits = torch.func.functional_call(model.eval(), mixed, (images,))
        return F.cross_entropy(logits, labels).item(), logits

    with torch.no_grad():
        apart = (other.eval()(images) - at(0.0)[1]).abs().max().item()
    if not apart < 0.01 * at(0.0)[1].abs().max().item():
        raise Wrong(f"It computes something else: its logits differ by up to {apart:.2g}.")
    if all(torch.equal(value, start[name]) for name, value in state.items()):
        raise Wrong("It computes the same because it is the same, weight for weight: there is no way between the two.")
    ends, middle = max(at(0.0)[0], at(1.0)[0]), at(0.5)[0]
    if middle < ends + 1:
        raise Wrong(
            f"It computes the same, but there is no wall: the loss is {ends:.2g} at the ends and {middle:.2g} in the"
            " middle. A wall is at least 1 higher."
        )
    if not all(
        torch.allclose(*(each[k].flatten(1).norm(dim=1).sort()[0] for each in (start, state)), rtol=1e-2)
        for k, v in start.items()
        if v.ndim > 1
    ):
        raise Wrong(
            "It computes the same, and there is a wall, but its filters have other lengths. A rescaled network that is"
            " mixed with its original is only rescaled, too: such a wall is one of the batch norms' mixed statistics."
            " Find a disguise that keeps the lengths."
        )


exercise(
    "08.wall",
    points=3,
    stub='''
        def disguised(model):
            """model: a resnet20_tiny. Returns another network that computes the same."""
            ...
    ''',
    solution="""
        import copy

        from cnnlab import models

        def disguised(model):
            other = copy.deepcopy(model)
            for block in other.modules():
                if isinstance(block, models.resnet.BasicBlock):
                    inside = block.residual
                    order = torch.arange(inside.conv1.out_channels).flip(0)
                    inside.conv1.weight.data = inside.conv1.weight.data[order]
                    for value in (inside.norm1.weight, inside.norm1.bias):
                        value.data = value.data[order]
                    for name in ("running_mean", "running_var"):
                        setattr(inside.norm1, name, getattr(inside.norm1, name)[order])
                    inside.conv2.weight.data = inside.conv2.weight.data[:, order]
            return other
    """,
    hints=[
        "Inside a block, conv1 makes some maps, norm1 scales each, and conv2 reads them. Does it matter which of them "
        "is called the first?",
        "For each block of the network: draw an order of conv1's output maps, and bring conv1.weight, all that norm1 "
        "has, and the inputs of conv2, conv2.weight[:, order], into this order.",
    ],
    check=check_wall,
    wrong=[
        source(
            """
            def disguised(model):
                import copy

                return copy.deepcopy(model)
            """,
            "weight for weight",
        ),
        source(
            """
            def disguised(model):
                from cnnlab import models

                for block in model.modules():
                    if isinstance(block, models.resnet.BasicBlock):
                        block.residual.conv1.weight.data = block.residual.conv1.weight.data.flip(0)
                return model
            """,
            "has been changed",
        ),
        source(
            """
            def disguised(model):
                import copy

                from cnnlab import models

                other = copy.deepcopy(model)
                for block in other.modules():
                    if isinstance(block, models.resnet.BasicBlock):
                        block.residual.conv1.weight.data = block.residual.conv1.weight.data.flip(0)
                        block.residual.conv2.weight.data = block.residual.conv2.weight.data.flip(1)
                return other
            """,
            "something else",
        ),
        source(
            """
            def disguised(model):
                import copy

                from cnnlab import models

                other = copy.deepcopy(model)
                for block in other.modules():
                    if isinstance(block, models.resnet.BasicBlock):
                        block.residual.conv1.weight.data *= 1.5
                        block.residual.norm1.running_mean *= 1.5
                        block.residual.norm1.running_var *= 1.5**2
                return other
            """,
            "no wall",
        ),
        source(
            """
            def disguised(model):
                import copy

                other = copy.deepcopy(model)
                for layer in other.modules():
                    if isinstance(layer, torch.nn.Conv2d):
                        layer.weight.data *= 10
                    elif isinstance(layer, torch.nn.BatchNorm2d):
                        layer.running_mean *= 10
                        layer.running_var *= 10**2
                return other
            """,
            "other lengths",
        ),
        source(
            """
            def disguised(model):
                from cnnlab import models

                return models.get_model("resnet20_tiny", shortcut="B")
            """,
            "other",
        ),
        source(
            """
            def disguised(model):
                return model.state_dict()
            """,
            "Return a network",
        ),
    ],
)
