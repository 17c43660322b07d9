"""Lesson 07, gradient flow: its exercises."""

from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import data, measure, models
from cnnlab.lessons.compare import kind
from cnnlab.lessons.exercise import Wrong, edit, exercise, source, when
from cnnlab.lessons.gradient_flow import study
from cnnlab.models.resnet import ResNet

exercise(
    "07.chain",
    points=2,
    stub='''
        def gradient_through(slopes, shortcut):
            """slopes: dF/dx of each block of a chain, numbers.
            shortcut: whether each block is y = F(x) + x, or only y = F(x).
            Returns dl/dx at its start, where dl/dy = 1 at its end."""
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
    cases=[
        ([0.25, 2.0], True),
        ([0.25, 2.0], False),
        ([0.5, 0.25, 3.0], True),
        ([0.1] * 3, False),
        ([-0.5] * 4, True),
        ([0.4, -1.5, 0.3, 0.2, 1.2], True),
    ],
    wrong=[
        edit(" + (1 if shortcut else 0)", "", "The shortcut is not used: with it, every factor is one larger."),
        edit(
            " + (1 if shortcut else 0)",
            "",
            "return gradient",
            "return gradient + (1 if shortcut else 0)",
            "You added 1 once, at the end; every block has a shortcut of its own.",
        ),
        source(
            """
            def gradient_through(slopes, shortcut):
                return 1 + sum(slopes) if shortcut else sum(slopes)
            """,
            "Along a chain the factors are multiplied, not added.",
        ),
        source(
            """
            def gradient_through(slopes, shortcut):
                return sum(slope + (1 if shortcut else 0) for slope in slopes)
            """,
            "Along a chain the factors are multiplied, not added together.",
        ),
        edit(
            "1 if shortcut else 0", "0 if shortcut else 1", "It is the other way around: the 1 belongs to the shortcut."
        ),
        edit(
            "(1 if shortcut else 0)",
            "1",
            "Your chain always has shortcuts: without them the factor is F's.",
        ),
        edit(
            "slope + (1 if shortcut else 0)",
            "(1 if shortcut else slope)",
            "With a shortcut your factor is 1 alone: the block still adds F(x), whose slope counts too.",
        ),
        edit(
            "slope + (1 if shortcut else 0)",
            "max(slope, 1 if shortcut else slope)",
            "The two ways through a block are added, slope + 1; yours takes the larger one.",
        ),
        edit("gradient *=", "gradient =", "This is the factor of the last block alone: multiply all of them."),
        edit("gradient = 1.0", "gradient = 0.0", "Your product starts at 0, and stays there: start at 1."),
        edit("slope + (1 if", "slope - (1 if", "The derivative of F(x) + x is the slope plus 1, not minus 1."),
        edit(
            "slope + (1 if shortcut else 0)",
            "slope * (2 if shortcut else 1)",
            "The derivative of F(x) + x is the slope plus 1, not two times the slope.",
        ),
        edit(
            "slope + (1 if shortcut else 0)",
            "abs(slope + (1 if shortcut else 0))",
            "Slopes may be negative: the sign belongs to the gradient.",
        ),
    ],
)


def networks() -> list[tuple]:
    """Models, some of their layers, images and labels; the second list of layers is not in the model's order."""
    torch.manual_seed(0)
    small = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    deep = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(4 * 16, 5)
    )
    images, labels = torch.randn(4, 3, 8, 8), torch.tensor([0, 1, 2, 3])
    return [
        (small, [small[1], small[3]], torch.randn(2, 1, 2, 2), torch.tensor([0, 1])),
        (deep, [deep[0], deep[2], deep[5]], images, labels),
        (deep, [deep[2], deep[5], deep[0]], images, labels),
    ]


def norms_and_hooks(norms: object, model: nn.Module, layers: list, images: torch.Tensor, labels: torch.Tensor) -> dict:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    left = sum(len(getattr(module, hooks)) for module in model.modules() for hooks in kinds)
    for module in model.modules():
        for hooks in kinds:
            getattr(module, hooks).clear()  # looked at; the model counts as unchanged
    return {"hooks left behind": left, "norms": norms}


exercise(
    "07.hooks",
    points=3,
    stub='''
        def gradient_norms(model, layers, images, labels):
            """layers: modules of the model. The loss is torch.nn.functional.cross_entropy.
            Returns, in their order, the norm of the gradient at each one's output.
            No hook is left behind."""
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
    cases=networks,
    look=norms_and_hooks,
    tolerance=1e-3,
    wrong=[
        source(
            """
            def gradient_norms(model, layers, images, labels):
                torch.nn.functional.cross_entropy(model(images), labels).backward()
                return [layer.weight.grad.norm().item() for layer in layers]
            """,
            "These are gradients of the weights; asked for are those of the layers' outputs.",
        ),
        source(
            """
            def gradient_norms(model, layers, images, labels):
                norms = {}
                hooks = [l.register_forward_hook(lambda m, i, o: norms.update({m: o.norm().item()})) for l in layers]
                model(images)
                for hook in hooks:
                    hook.remove()
                return [norms[layer] for layer in layers]
            """,
            "These are norms of the output itself, not of the gradient at it.",
        ),
        source(
            """
            def gradient_norms(model, layers, images, labels):
                norms = []
                note = lambda m, i, o: norms.append(o[0].norm().item())
                hooks = [layer.register_full_backward_hook(note) for layer in layers]
                torch.nn.functional.cross_entropy(model(images), labels).backward()
                for hook in hooks:
                    hook.remove()
                return norms
            """,
            "The order is that of the backward pass, which comes to the last layer first; asked for is that of layers.",
        ),
        source(
            """
            def gradient_norms(model, layers, images, labels):
                norms = []
                note = lambda m, i, o: norms.append(o[0].norm().item())
                hooks = [layer.register_full_backward_hook(note) for layer in layers]
                torch.nn.functional.cross_entropy(model(images), labels).backward()
                for hook in hooks:
                    hook.remove()
                return norms[::-1]
            """,
            "The order is that of the forward pass; asked for is that of layers, which may be another one.",
        ),
        source(
            """
            def gradient_norms(model, layers, images, labels):
                norms = {}
                note = lambda m, i, o: norms.update({m: i[0].norm().item()})
                hooks = [layer.register_full_backward_hook(note) for layer in layers]
                torch.nn.functional.cross_entropy(model(images.clone().requires_grad_()), labels).backward()
                for hook in hooks:
                    hook.remove()
                return [norms[layer] for layer in layers]
            """,
            "These are the gradients at the layers' inputs; asked for are those at their outputs.",
        ),
        edit(
            "torch.nn.functional.cross_entropy(model(images), labels)",
            "model(images).sum()",
            "The loss is the cross-entropy with the labels, not the sum of the logits.",
        ),
        edit(
            "torch.nn.functional.cross_entropy(model(images), labels)",
            "torch.nn.functional.cross_entropy(model(images), labels, reduction='sum')",
            "The loss is the mean over the images, as cross_entropy gives it, not their sum.",
        ),
        edit(
            "gradient.norm().item()",
            "gradient.norm().item() ** 2",
            "These are the norms squared.",
        ),
        edit(
            "gradient.norm()",
            "gradient.abs().mean()",
            "These are mean sizes; the norm is the root of the sum of squares.",
        ),
        edit(
            "gradient.norm()",
            "gradient.abs().sum()",
            "These are sums of sizes; the norm is the root of the sum of squares.",
        ),
        edit(
            "gradient.norm()",
            "gradient.abs().max()",
            "These are the largest sizes; the norm is the root of the sum of squares.",
        ),
        edit(
            "gradient.norm()",
            "gradient[0].norm()",
            "This is the gradient of the first image alone; the norm runs over all of them.",
        ),
        edit(
            "gradient.norm()",
            "gradient.flatten(1).norm(dim=1).mean()",
            "This is the mean of the images' norms; asked for is the norm of the whole gradient.",
        ),
        when(
            lambda results: any(one["hooks left behind"] for one in results),
            """
            def gradient_norms(model, layers, images, labels):
                outputs = {}
                for layer in layers:
                    layer.register_forward_hook(lambda m, i, o: outputs.update({m: o}))
                loss = torch.nn.functional.cross_entropy(model(images), labels)
                gradients = torch.autograd.grad(loss, [outputs[layer] for layer in layers])
                return [gradient.norm().item() for gradient in gradients]
            """,
            "You left hooks behind: they would go on measuring. Call remove() on each.",
        ),
    ],
)

PATIENTS = {"A": "gain below 1", "B": "plain, batch norm", "C": "residual, batch norm", "D": "gain 1"}


def diagnosed(diagnosis: object) -> dict[str, str]:
    """The four networks by their letters, in one spelling."""
    if not isinstance(diagnosis, Mapping):
        raise Wrong(f'diagnosis is a dictionary with the keys "A", "B", "C" and "D"; yours is {kind(diagnosis)}.')
    found = {str(key).strip().upper(): " ".join(str(v).lower().split()) for key, v in diagnosis.items()}
    if set(found) != set(PATIENTS):
        raise Wrong(f'The keys are "A", "B", "C" and "D"; yours are: {" ".join(map(repr, diagnosis)) or "none"}.')
    if odd := [key for key, value in found.items() if value not in PATIENTS.values()]:
        names = "; ".join(f'"{name}"' for name in sorted(PATIENTS.values()))
        raise Wrong(f'{odd[0]} is "{found[odd[0]]}", which is none of the four, spelt as here: {names}.')
    return found


exercise(
    "07.diagnosis",
    points=2,
    stub="""
        # A dictionary {"A": "...", "B": "...", "C": "...", "D": "..."} of "gain below 1" and
        # "gain 1" (plain, no batch norm), "plain, batch norm" and "residual, batch norm".
        diagnosis = ...
    """,
    solution="""
        diagnosis = {"A": "gain below 1", "B": "plain, batch norm", "C": "residual, batch norm", "D": "gain 1"}
    """,
    hints=[
        "Without batch norm all layers suffer alike: the line is level, high or low.",
        "With batch norm a plain network's gradient grows exponentially towards the image: here, a straight line.",
    ],
    look=diagnosed,
    wrong=[
        when(
            lambda found: len(set(found.values())) < 4,
            'diagnosis = {"A": "gain 1", "B": "gain 1", "C": "gain 1", "D": "gain 1"}',
            "Each of the four networks is drawn once; you have one of them twice.",
        ),
        when(
            lambda found: found["A"] != PATIENTS["A"],
            """
            diagnosis = {"A": "gain 1", "B": "plain, batch norm",
                "C": "residual, batch norm", "D": "gain below 1"}
            """,
            "A is the lowest by far, in all layers alike. What starves all layers?",
        ),
        when(
            lambda found: found["B"] != PATIENTS["B"],
            """
            diagnosis = {"A": "gain below 1", "B": "residual, batch norm",
                "C": "plain, batch norm", "D": "gain 1"}
            """,
            "B grows steadily from the loss towards the image. Which network did that with 56 layers?",
        ),
        when(
            lambda found: found["C"] != PATIENTS["C"],
            """
            diagnosis = {"A": "gain below 1", "B": "plain, batch norm",
                "C": "gain 1", "D": "residual, batch norm"}
            """,
            "C has little steps where a block ends and another begins. What do blocks have that layers have not?",
        ),
    ],
)

LEVEL, SHATTERED = 10, 0.2  # at most so many times as large in one layer as in another; at most this cosine


def check_level(level: object) -> None:
    """Measures both: how level the line of such a network is, and whether its gradient is true a little further."""
    if not isinstance(level, Mapping):
        raise Wrong(f'level is {kind(level)}; a dictionary with "kind", "depth", "norm" and "gain" is asked for.')
    settings = {"norm": True, "gain": 1.0} | dict(level)
    if odd := set(settings) ^ {"kind", "depth", "norm", "gain"}:
        raise Wrong(f'The settings are "kind", "depth", "norm" and "gain"; look again at {" ".join(sorted(odd))}.')
    if settings["kind"] not in study.TWINS:
        raise Wrong(f'kind is "{settings["kind"]}", which is none of {", ".join(study.TWINS)}.')
    try:
        whole, settings["gain"] = float(settings["depth"]), float(settings["gain"])
    except (TypeError, ValueError):
        raise Wrong("depth is a whole number of layers, and gain a number.") from None
    if settings["norm"] not in (True, False):
        raise Wrong(f"norm is True (batch norms) or False (none), and yours is {settings['norm']!r}.")
    if not 8 <= whole <= 110 or not settings["gain"] > 0:
        raise Wrong("Take between 8 and 110 layers, and a gain above 0.")
    settings["depth"], settings["norm"] = int(whole), bool(settings["norm"])
    images = data.load("street_digits", train=32, test=1).train
    x, labels = images.inputs(), images.labels
    path = torch.lerp(x[:1], x[1:2], torch.linspace(0, 0.15, 16).view(-1, 1, 1, 1))
    uneven, cosines = [], []
    for seed in range(3):
        net = study.network(**settings, seed=seed)
        norms = list(measure.gradient_flow(net, x, labels).layers.values())[:-1]
        uneven.append(max(norms) / max(min(norms), 1e-30))
        net = study.with_statistics_of(net, x)
        cosines.append(measure.gradient_correlation(net, path)[5].item())
    if not max(uneven) <= LEVEL:
        raise Wrong(
            f"Its line is not level: one layer's gradient is {max(uneven):,.0f} times another's, with one of three"
            f" seeds. {LEVEL} times is allowed."
        )
    if not sum(cosines) / 3 <= SHATTERED:
        raise Wrong(
            f"Its line is level, and this gradient is in order: 5 % further, its cosine is still {sum(cosines) / 3:.2f}"
            f" in the mean of three seeds. At most {SHATTERED} is asked for."
        )


exercise(
    "07.level",
    points=2,
    stub="""
        # The settings of a network, as {"kind": "...", "depth": ..., "norm": ..., "gain": ...}.
        level = ...
    """,
    solution="""
        level = {"kind": "plain", "depth": 56, "norm": False, "gain": 1.0}
    """,
    hints=[
        "Which networks have level lines whatever their depth? And what does depth do to the cosine?",
        "Without batch norm all layers suffer alike. Take a gain of 1, and as many layers as the line can stand.",
    ],
    check=check_level,
    wrong=[
        source('level = {"kind": "plain", "depth": 56, "norm": True, "gain": 1.0}', "not level"),
        source('level = {"kind": "residual", "depth": 20, "norm": True, "gain": 1.0}', "in order"),
        source('level = {"kind": "plain", "depth": 20, "norm": False, "gain": 1.0}', "in order"),
        source('level = {"kind": "dense", "depth": 20}', "none of"),
        source('level = {"kind": "plain", "layers": 20}', "look again at depth layers"),
        source('level = {"kind": "plain", "depth": 200, "norm": False}', "between 8 and 110"),
        source('level = {"kind": "plain", "depth": "fifty"}', "whole number of layers"),
        source('level = {"kind": "plain", "depth": 56, "norm": "none"}', "norm is True"),
        source("level = ('plain', 56)", "dictionary"),
    ],
)


STEPS = 5  # of training, in which every layer must have had a gradient


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
    _check_flow(deepcopy(model), images, labels)


def _check_flow(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> None:
    """A head that starts at zero, as Fixup's does, gives no layer a gradient until it has moved: some steps tell."""
    optimizer, dead, alike = torch.optim.SGD(model.parameters(), lr=0.01), None, False
    for _ in range(STEPS):
        flow = measure.gradient_flow(model, images, labels).layers
        norms = {name: norm for name, norm in flow.items() if not name.startswith("head")}
        alive = [norm for norm in norms.values() if norm]
        if dead is None and 0 < len(alive) < len(norms):
            raise Wrong(
                f"{len(norms) - len(alive)} of {len(norms)} layers get no gradient at the start, and the others do:"
                " that is more than 300 times as much."
            )
        if alive and not alike and max(alive) > 300 * min(alive):
            raise Wrong(
                f"One layer's gradient is {max(alive) / min(alive):,.0f} times another's; 300 times is allowed."
            )
        alike = alike or bool(alive)
        dead = {name for name, norm in norms.items() if not norm} & (norms.keys() if dead is None else dead)
        if not dead:
            return
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    raise Wrong(f"{len(dead)} of {len(norms)} layers get no gradient, not even after {STEPS} steps: they never learn.")


exercise(
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
    check=check_tame,
    wrong=[
        source(
            """
            def tame(model):
                pass
            """,
            "Nothing has changed",
        ),
        source(
            """
            def tame(model):
                with torch.no_grad():
                    model.head[-1].weight *= 0.5
            """,
            "loss still starts",
        ),
        source(
            """
            def tame(model):
                for block in [block for stage in model.stages for block in stage]:
                    torch.nn.init.zeros_(block.residual.conv2.weight)
                    torch.nn.init.zeros_(block.residual.conv1.weight)
            """,
            "no gradient",
        ),
        source(
            """
            def tame(model):
                for stage in model.stages:
                    for block in stage:
                        block.shortcut = None
            """,
            "a residual network",
        ),
    ],
)
