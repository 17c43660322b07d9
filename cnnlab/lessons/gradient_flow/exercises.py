"""Lesson 07, gradient flow: its exercises."""

import math

import torch
from torch import nn

from cnnlab import measure, models
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.models.resnet import ResNet


@exercise(
    "07.chain",
    points=2,
    stub='''
        def gradient_through(slopes, shortcut):
            """slopes: dF/dx of each block of a chain, numbers. Returns dl/dx at its start, where dl/dy = 1 at its end.
            shortcut: whether each block is y = F(x) + x, or only y = F(x)."""
            ...
    ''',
    solution="""
        def gradient_through(slopes, shortcut):
            gradient = 1.0
            for slope in slopes:
                gradient *= slope + (1 if shortcut else 0)
            return gradient
    """,
    hints=[
        "The chain rule: one factor for each block, all of them multiplied.",
        "Without the shortcut the factor is the slope. What is the derivative of F(x) + x?",
    ],
    wrong={
        "shortcut is not used": """
            def gradient_through(slopes, shortcut):
                product = 1.0
                for slope in slopes:
                    product *= slope
                return product
        """,
        "once": """
            def gradient_through(slopes, shortcut):
                return math.prod(slopes) + (1 if shortcut else 0)
        """,
        "multiplied, not added": """
            def gradient_through(slopes, shortcut):
                return 1 + sum(slopes) if shortcut else sum(slopes)
        """,
        "the other way": """
            def gradient_through(slopes, shortcut):
                return math.prod(s + 1 for s in slopes) if not shortcut else math.prod(slopes)
        """,
        "always has": """
            def gradient_through(slopes, shortcut):
                return math.prod(s + 1 for s in slopes)
        """,
    },
)
def check_chain(gradient_through) -> None:
    cases = [([0.5, 0.25, 2.0], False), ([0.5, 0.25, 2.0], True), ([-0.5] * 4, True), ([0.1] * 3, False), ([], True)]
    got = [gradient_through(list(slopes), shortcut) for slopes, shortcut in cases]
    diagnoses = [
        (lambda s, k: math.prod(s), "The shortcut is not used: with it, every factor is one larger."),
        (lambda s, k: math.prod(s) + k, "You added 1 once, at the end; every block has a shortcut of its own."),
        (lambda s, k: k + sum(s), "Along a chain the factors are multiplied, not added."),
        (lambda s, k: math.prod(v + (not k) for v in s), "It is the other way around: the 1 belongs to the shortcut."),
        (lambda s, k: math.prod(v + 1 for v in s), "Your chain always has shortcuts: without them the factor is F's."),
    ]
    if all(_close(v, math.prod(x + k for x in s)) for v, (s, k) in zip(got, cases, strict=True)):
        return
    for formula, diagnosis in diagnoses:
        if all(_close(v, formula(s, k)) for v, (s, k) in zip(got, cases, strict=True)):
            raise Wrong(diagnosis)
    slopes = cases[1][0]
    raise Wrong(f"For slopes {slopes} with shortcuts the gradient is {1.5 * 1.25 * 3}, yours {got[1]}.")


def _close(value: object, expected: float) -> bool:
    return math.isclose(float(value), expected, rel_tol=1e-6, abs_tol=1e-9)


@exercise(
    "07.hooks",
    points=3,
    stub='''
        def gradient_norms(model, layers, images, labels):
            """layers: modules of the model. Returns, in their order, the norm of the gradient at each one's output.
            The loss is torch.nn.functional.cross_entropy. No hook is left behind."""
            ...
    ''',
    solution="""
        def gradient_norms(model, layers, images, labels):
            outputs = {}
            hooks = [layer.register_forward_hook(lambda m, i, o: outputs.update({m: o})) for layer in layers]
            loss = torch.nn.functional.cross_entropy(model(images), labels)
            for hook in hooks:
                hook.remove()
            gradients = torch.autograd.grad(loss, [outputs[layer] for layer in layers])
            return [gradient.norm().item() for gradient in gradients]
    """,
    hints=[
        "layer.register_forward_hook(f) calls f(module, inputs, output) in the forward pass. Keep the output.",
        "With the outputs in a list, torch.autograd.grad(loss, outputs) gives their gradients. Then hook.remove().",
    ],
    wrong={
        "of the weights": """
            def gradient_norms(model, layers, images, labels):
                torch.nn.functional.cross_entropy(model(images), labels).backward()
                return [layer.weight.grad.norm().item() for layer in layers]
        """,
        "hooks behind": """
            def gradient_norms(model, layers, images, labels):
                outputs = {}
                for layer in layers:
                    layer.register_forward_hook(lambda m, i, o: outputs.update({m: o}))
                loss = torch.nn.functional.cross_entropy(model(images), labels)
                gradients = torch.autograd.grad(loss, [outputs[layer] for layer in layers])
                return [gradient.norm().item() for gradient in gradients]
        """,
        "output itself": """
            def gradient_norms(model, layers, images, labels):
                norms = {}
                hooks = [l.register_forward_hook(lambda m, i, o: norms.update({m: o.norm().item()})) for l in layers]
                model(images)
                for hook in hooks:
                    hook.remove()
                return [norms[layer] for layer in layers]
        """,
        "order": """
            def gradient_norms(model, layers, images, labels):
                norms = []
                note = lambda m, i, o: norms.append(o[0].norm().item())
                hooks = [layer.register_full_backward_hook(note) for layer in layers]
                torch.nn.functional.cross_entropy(model(images), labels).backward()
                for hook in hooks:
                    hook.remove()
                return norms
        """,
        "sum": """
            def gradient_norms(model, layers, images, labels):
                outputs = {}
                hooks = [layer.register_forward_hook(lambda m, i, o: outputs.update({m: o})) for layer in layers]
                loss = model(images).sum()
                for hook in hooks:
                    hook.remove()
                return [g.norm().item() for g in torch.autograd.grad(loss, [outputs[layer] for layer in layers])]
        """,
    },
)
def check_hooks(gradient_norms) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(4 * 16, 5)
    )
    layers, images, labels = [model[0], model[2], model[5]], torch.randn(4, 3, 8, 8), torch.tensor([0, 1, 2, 3])
    parts = [model[0](images)]
    parts.append(model[2](torch.tanh(parts[0])))
    parts.append(model[5](torch.tanh(parts[1]).flatten(1)))
    loss = nn.functional.cross_entropy(parts[2], labels)
    true = [g.norm().item() for g in torch.autograd.grad(loss, parts, retain_graph=True)]
    summed = [g.norm().item() for g in torch.autograd.grad(parts[2].sum(), parts, retain_graph=True)]
    weights = [g.norm().item() for g in torch.autograd.grad(loss, [layer.weight for layer in layers])]
    got = gradient_norms(model, layers, images, labels)
    got = [float(value) for value in got]
    if any(module._forward_hooks or module._backward_hooks for module in model.modules()):
        raise Wrong("You left hooks behind: they would go on measuring. Call remove() on each.")
    diagnoses = {
        "These are gradients of the weights; asked for are those of the layers' outputs.": weights,
        "These are norms of the output itself, not of the gradient at it.": [part.norm().item() for part in parts],
        "The order is turned around: the backward pass comes to the last layer first.": true[::-1],
        "The loss is the cross-entropy with the labels, not the sum of the logits.": summed,
    }
    if _same(got, true):
        return
    for diagnosis, values in diagnoses.items():
        if _same(got, values):
            raise Wrong(diagnosis)
    raise Wrong(f"The norms should be {[round(v, 4) for v in true]}, yours are {[round(v, 4) for v in got]}.")


def _same(values: list[float], expected: list[float]) -> bool:
    return len(values) == len(expected) and all(
        math.isclose(v, e, rel_tol=1e-3, abs_tol=1e-7) for v, e in zip(values, expected, strict=True)
    )


_PATIENTS = {
    "A": "gain below 1",
    "B": "plain, batch norm",
    "C": "residual, batch norm",
    "D": "gain 1",
}


@exercise(
    "07.diagnosis",
    points=2,
    stub="""
        # A dictionary {"A": "...", "B": "...", "C": "...", "D": "..."} of "gain below 1" and "gain 1" (plain, no batch
        # norm), "plain, batch norm" and "residual, batch norm".
        diagnosis = ...
    """,
    solution="""
        diagnosis = {"A": "gain below 1", "B": "plain, batch norm", "C": "residual, batch norm", "D": "gain 1"}
    """,
    hints=[
        "Without batch norm all layers suffer alike: the line is level, high or low.",
        "With batch norm a plain network's gradient grows exponentially towards the image: here, a straight line.",
    ],
    wrong={
        "A is": """
            diagnosis = {"A": "gain 1", "B": "plain, batch norm",
                "C": "residual, batch norm", "D": "gain below 1"}
        """,
        "B grows": """
            diagnosis = {"A": "gain below 1", "B": "residual, batch norm",
                "C": "plain, batch norm", "D": "gain 1"}
        """,
        "each once": 'diagnosis = {"A": "gain 1", "B": "gain 1", "C": "gain 1", "D": "gain 1"}',
        "C has": """
            diagnosis = {"A": "gain below 1", "B": "plain, batch norm",
                "C": "gain 1", "D": "residual, batch norm"}
        """,
    },
)
def check_diagnosis(diagnosis) -> None:
    if not isinstance(diagnosis, dict) or set(diagnosis) != set(_PATIENTS):
        raise Wrong('diagnosis is a dictionary with the keys "A", "B", "C" and "D".')
    if sorted(map(str, diagnosis.values())) != sorted(_PATIENTS.values()):
        raise Wrong(f"Use each once, spelt as here: {', '.join(_PATIENTS.values())}.")
    if diagnosis["A"] != _PATIENTS["A"]:
        raise Wrong("A is the lowest by far, in all layers alike. What starves all layers?")
    if diagnosis["B"] != _PATIENTS["B"]:
        raise Wrong("B grows steadily from the loss towards the image. Which network did that with 56 layers?")
    if diagnosis["C"] != _PATIENTS["C"]:
        raise Wrong(
            "C has little steps where a block ends and another begins. What do blocks have that layers have not?"
        )


@exercise(
    "07.tame",
    points=3,
    stub='''
        def tame(model):
            """Change the weights of a residual network without batch norm in place."""
            ...
    ''',
    solution="""
        def tame(model):
            blocks = [block for stage in model.stages for block in stage]
            for block in blocks:
                with torch.no_grad():
                    block.residual.conv2.weight *= len(blocks) ** -0.5
    """,
    hints=[
        "Each block adds a branch as large as its input. How large may the branch of one of 54 blocks be?",
        "Make the last convolution of every branch smaller, by the square root of the number of blocks.",
    ],
    wrong={
        "Nothing has changed": """
            def tame(model):
                pass
        """,
        "loss still starts": """
            def tame(model):
                with torch.no_grad():
                    model.head[-1].weight *= 0.5
        """,
        "no gradient": """
            def tame(model):
                for block in [block for stage in model.stages for block in stage]:
                    torch.nn.init.zeros_(block.residual.conv2.weight)
                    torch.nn.init.zeros_(block.residual.conv1.weight)
        """,
        "a residual network": """
            def tame(model):
                for stage in model.stages:
                    for block in stage:
                        block.shortcut = None
        """,
    },
)
def check_tame(tame) -> None:
    torch.manual_seed(1)
    model = models.get_model("resnet110_tiny", norm=nn.Identity)
    before = [parameter.clone() for parameter in model.parameters()]
    shortcuts = [type(block.shortcut) for stage in model.stages for block in stage]
    tame(model)
    if not isinstance(model, ResNet) or [type(b.shortcut) for s in model.stages for b in s] != shortcuts:
        raise Wrong("It must stay a residual network: change the weights only, not the shortcuts.")
    if any(isinstance(module, nn.BatchNorm2d) for module in model.modules()):
        raise Wrong("You put batch norms in. That works, of course; this exercise is about doing without.")
    if all(torch.equal(p, q) for p, q in zip(before, model.parameters(), strict=True)):
        raise Wrong("Nothing has changed in the model you were given: change its weights in place.")
    images, labels = torch.randn(16, 3, 32, 32), torch.arange(16) % 10
    flow = measure.gradient_flow(model, images, labels)
    if not flow.loss < 3:
        raise Wrong(f"The loss still starts at {flow.loss:,.0f}; a guess among ten would be at 2.3.")
    norms = [norm for name, norm in flow.layers.items() if not name.startswith("head")]
    if min(norms) == 0:
        dead = sum(norm == 0 for norm in norms)
        others = [norm for norm in norms if norm]
        if dead > len(norms) // 2 + 1 or not others:
            raise Wrong(f"{dead} of {len(norms)} layers get no gradient at all: they can never start to learn.")
        norms = others
    if max(norms) > 300 * min(norms):
        raise Wrong(f"One layer's gradient is {max(norms) / min(norms):,.0f} times another's; 300 times is allowed.")
