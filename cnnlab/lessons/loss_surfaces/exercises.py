"""Lesson 08, loss surfaces: its exercises."""

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnlab import measure, models
from cnnlab.lessons.exercise import Wrong, exercise


@exercise(
    "08.normalise",
    points=2,
    stub='''
        def filter_normalise(direction, weight):
            """direction, weight: (out, in, k, k). Returns the direction with each filter as long as the weight's."""
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
    wrong={
        "the whole layer": """
            def filter_normalise(direction, weight):
                return direction * weight.norm() / direction.norm()
        """,
        "Every filter has length 1": """
            def filter_normalise(direction, weight):
                return direction / direction.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        """,
        "not divided by": """
            def filter_normalise(direction, weight):
                return direction * weight.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        """,
        "single kernel": """
            def filter_normalise(direction, weight):
                size = lambda t: t.norm(dim=(2, 3), keepdim=True)
                return direction * size(weight) / size(direction)
        """,
        "changed the direction": """
            def filter_normalise(direction, weight):
                for d, w in zip(direction, weight):
                    d *= w.norm() / d.norm()
                return direction
        """,
    },
)
def check_normalise(filter_normalise) -> None:
    generator = torch.Generator().manual_seed(0)
    for shape in ((4, 3, 3, 3), (5, 2, 1, 1)):
        direction, weight = (torch.randn(shape, generator=generator) for _ in range(2))
        weight = weight * torch.arange(1, shape[0] + 1).view(-1, 1, 1, 1)
        given = direction.clone()
        got = filter_normalise(given, weight.clone())
        if not isinstance(got, Tensor) or got.shape != direction.shape:
            raise Wrong(f"Return a tensor of the direction's shape, {tuple(shape)}.")
        if not torch.equal(given, direction):
            raise Wrong("You changed the direction that you were given. Return a new tensor.")
        own, wanted = got.flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1)
        if torch.allclose(own, wanted, rtol=1e-4):
            if not torch.allclose(got / got.norm(), got.abs() * direction.sign() / got.norm(), atol=1e-5):
                raise Wrong("The lengths are right, but the filters point elsewhere than those of the direction.")
            cosine = F.cosine_similarity(got.flatten(1), direction.flatten(1))
            if shape[2] == 3 and cosine.min() < 0.999:
                raise Wrong(
                    "The lengths of the filters are right, but every single kernel of a filter was brought to its own "
                    "length. A filter is scaled as a whole."
                )
            continue
        if torch.allclose(own, torch.ones_like(own), rtol=1e-4):
            raise Wrong("Every filter has length 1. It should have the length of the weight's filter.")
        if torch.allclose(got.norm(), weight.norm(), rtol=1e-4):
            raise Wrong("You have brought the whole layer to the right length, not each filter.")
        if torch.allclose(own, direction.flatten(1).norm(dim=1) * wanted, rtol=1e-4):
            raise Wrong("The lengths are multiplied with the weight's, but not divided by the direction's own first.")
        raise Wrong(f"The first filter should have length {wanted[0]:.3f}, yours has {own[0]:.3f}.")


@exercise(
    "08.interpolate",
    points=2,
    stub='''
        def interpolate(a, b, t):
            """a, b: state dicts of one network. Returns the state at a for t = 0, at b for t = 1, between them else."""
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
    wrong={
        "starts at b": """
            def interpolate(a, b, t):
                return {k: t * a[k] + (1 - t) * b[k] if a[k].is_floating_point() else a[k] for k in a}
        """,
        "whole numbers": """
            def interpolate(a, b, t):
                return {k: (1 - t) * a[k] + t * b[k] for k in a}
        """,
        "statistics of the batch norms": """
            def interpolate(a, b, t):
                return {k: a[k] if "running" in k or "num" in k else (1 - t) * a[k] + t * b[k] for k in a}
        """,
        "missing": """
            def interpolate(a, b, t):
                return {k: (1 - t) * a[k] + t * b[k] for k in a if a[k].ndim > 1}
        """,
        "changed": """
            def interpolate(a, b, t):
                for k in a:
                    if a[k].is_floating_point():
                        a[k].lerp_(b[k], t)
                return a
        """,
    },
)
def check_interpolate(interpolate) -> None:
    torch.manual_seed(0)
    states = []
    for _ in range(2):
        model = models.get_model("resnet20_tiny")
        model.train()(torch.randn(8, 3, 32, 32))  # so that the statistics differ, too
        states.append({name: value.clone() for name, value in model.state_dict().items()})
    a, b = states
    kept = {name: value.clone() for name, value in a.items()}
    for t in (0.0, 0.25, 1.0):
        got = interpolate(a, b, t)
        if not all(torch.equal(a[name], kept[name]) for name in kept):
            raise Wrong("You have changed a itself: the next point of the line would start elsewhere.")
        if not isinstance(got, dict):
            raise Wrong("Return a state dict: a dictionary of tensors by name.")
        if lost := [name for name in a if name not in got]:
            raise Wrong(f"{len(lost)} entries of the state are missing, {lost[0]} for one.")
        if any(got[name].dtype != a[name].dtype for name in a):
            raise Wrong("The counters of the batch norms are whole numbers and must stay so: take them from a.")
        expected = {n: torch.lerp(a[n], b[n], t) if a[n].is_floating_point() else a[n] for n in a}
        off = [name for name in a if not torch.allclose(got[name], expected[name], atol=1e-5)]
        if not off:
            continue
        if all("running" in name for name in off):
            raise Wrong("The running statistics of the batch norms stay where they were: they belong to the state too.")
        if t in (0.0, 1.0) and all(torch.allclose(got[n], (a if t else b)[n], atol=1e-5) for n in off):
            raise Wrong("Your line starts at b and ends at a.")
        raise Wrong(f"At t = {t:g}, {off[0]} is not at that share of the way from a to b.")


@exercise(
    "08.sharpness",
    points=3,
    stub='''
        def sharpness(loss, w):
            """loss: a function of a vector; w: a vector. Returns the eigenvalue of largest size of the Hessian at w."""
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
    wrong={
        "length of the gradient": """
            def sharpness(loss, w):
                w = w.detach().requires_grad_()
                return torch.autograd.grad(loss(w), w)[0].norm().item()
        """,
        "the sum of all": """
            def sharpness(loss, w):
                return torch.autograd.functional.hessian(loss, w).trace().item()
        """,
        "along one coordinate": """
            def sharpness(loss, w):
                return torch.autograd.functional.hessian(loss, w).diagonal().max().item()
        """,
        "without its sign": """
            def sharpness(loss, w):
                return torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, w)).abs().max().item()
        """,
        "largest, not that of largest size": """
            def sharpness(loss, w):
                return torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, w)).max().item()
        """,
        "one step": """
            def sharpness(loss, w):
                hessian = torch.autograd.functional.hessian(loss, w)
                v = torch.ones(len(w)) / len(w) ** 0.5
                v = hessian @ v / (hessian @ v).norm()
                return (v @ hessian @ v).item()
        """,
    },
)
def check_sharpness(sharpness) -> None:
    generator = torch.Generator().manual_seed(3)
    for eigenvalues in ([9.0, 3.0, 1.0, 0.5, 0.0, 0.1], [2.0, -7.0, 1.0, 0.5, 3.0, -0.5]):
        axes = torch.linalg.qr(torch.randn(6, 6, generator=generator))[0]
        hessian = axes @ torch.diag(torch.tensor(eigenvalues)) @ axes.T
        w = torch.randn(6, generator=generator)

        def loss(v: Tensor, hessian: Tensor = hessian, w: Tensor = w) -> Tensor:
            return 0.5 * (v - w) @ hessian @ (v - w) + (v - w).sum() + ((v - w) ** 3).sum()

        true = max(eigenvalues, key=abs)
        got = sharpness(loss, w.clone())
        got = float(got)
        diagnoses = {
            "That is the length of the gradient: a first derivative. Asked for is the second.": 6**0.5,
            "That is the trace, the sum of all eigenvalues.": sum(eigenvalues),
            "That is the largest curvature along one coordinate; the sharpest direction lies between coordinates.": (
                hessian.diagonal().max().item()
            ),
            "That is the size of the right eigenvalue without its sign: here the surface bends down.": abs(true),
            "That is the largest, not that of largest size: here the surface bends down more than up.": max(
                eigenvalues
            ),
        }
        if abs(got - true) <= 0.02 * abs(true):
            continue
        for diagnosis, value in diagnoses.items():
            if abs(got - value) <= 0.01 * abs(value):
                raise Wrong(diagnosis)
        raise Wrong(
            f"The eigenvalues are {eigenvalues}; asked for is {true:g}, yours is {got:.3g}. Did you stop after one "
            "step? Power iteration needs many."
        )


_STATEMENTS = {"A": False, "B": True, "C": False, "D": True, "E": False}


@exercise(
    "08.reading",
    points=2,
    stub="""
        # {"A": True, "B": True, ...}: for each statement True if the picture of a plane can show it, else False.
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
    wrong={
        "A:": 'reading = {"A": True, "B": True, "C": False, "D": True, "E": False}',
        "B:": 'reading = {"A": False, "B": False, "C": False, "D": True, "E": False}',
        "C:": 'reading = {"A": False, "B": True, "C": True, "D": True, "E": False}',
        "D:": 'reading = {"A": False, "B": True, "C": False, "D": False, "E": False}',
        "E:": 'reading = {"A": False, "B": True, "C": False, "D": True, "E": True}',
    },
)
def check_reading(reading) -> None:
    if not isinstance(reading, dict) or set(reading) != set(_STATEMENTS):
        raise Wrong("reading is a dictionary with the keys A to E.")
    if not all(isinstance(value, bool) for value in reading.values()):
        raise Wrong("Each value is True or False.")
    why = {
        "A": "A: a bowl in two directions may be a saddle in a third. Of all directions two were looked at.",
        "B": "B: a ridge that is drawn is there. One plane is enough to refute that a surface is convex.",
        "C": "C: another minimum may lie outside this plane. The line to a second network showed one.",
        "D": "D: both directions are as long, filter by filter, as the weights: that is what the normalisation is for.",
        "E": "E: a surface that is drawn around the end of a training says nothing about the way that led there.",
    }
    for letter, truth in _STATEMENTS.items():
        if reading[letter] != truth:
            raise Wrong(why[letter])


@exercise(
    "08.steep",
    points=3,
    stub='''
        def steep_direction(model, images, labels):
            """Returns a direction, {parameter's name: tensor}, filter-normalised as measure.random_direction's are."""
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
    wrong={
        "no steeper": """
            def steep_direction(model, images, labels):
                from cnnlab import measure
                return measure.random_direction(model, seed=5)
        """,
        "downhill": """
            def steep_direction(model, images, labels):
                loss = torch.nn.functional.cross_entropy(model.eval()(images), labels)
                named = {n: p for n, p in model.named_parameters() if p.ndim > 1}
                found = {}
                for (n, p), g in zip(named.items(), torch.autograd.grad(loss, list(named.values()))):
                    size = p.detach().flatten(1).norm(dim=1) / (g.flatten(1).norm(dim=1) + 1e-12)
                    found[n] = -g * size.view(-1, *[1] * (p.ndim - 1))
                return found
        """,
        "longer than": """
            def steep_direction(model, images, labels):
                from cnnlab import measure
                return {n: 10 * d for n, d in measure.random_direction(model, seed=5).items()}
        """,
        "stay where they are": """
            def steep_direction(model, images, labels):
                loss = torch.nn.functional.cross_entropy(model.eval()(images), labels)
                named = dict(model.named_parameters())
                return dict(zip(named, torch.autograd.grad(loss, list(named.values()))))
        """,
    },
)
def check_steep(steep_direction) -> None:
    torch.manual_seed(0)
    model = models.get_model("resnet20_tiny")
    generator = torch.Generator().manual_seed(0)
    patterns = torch.randn(10, 3, 32, 32, generator=generator)
    labels = torch.arange(60) % 10
    images = patterns[labels] + 0.5 * torch.randn(60, 3, 32, 32, generator=generator)
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    model.train()
    for _ in range(12):
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
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
    for name, value in direction.items():
        ratio = (value.flatten(1).norm(dim=1) / named[name].flatten(1).norm(dim=1)).max().item()
        if ratio > 1.01:
            raise Wrong(f"A filter of {name} is {ratio:.1f} times longer than the weight's own: normalise it.")
    usual = sum(rise(measure.random_direction(model, seed)) for seed in range(10)) / 10
    yours = rise(direction)
    if yours < 5 * abs(usual):
        raise Wrong(f"It is no steeper than five random ones: the loss rises by {yours:.3g}, by {usual:.3g} at random.")
    if rise(direction, 0.001) < 0:
        raise Wrong("Your direction leads downhill with its first step. Turn around.")
