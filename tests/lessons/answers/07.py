"""Answers of learners to the exercises of lesson 07, in many styles, written without looking at the checks.

Names of the lesson that are used: `BasicBlock`, `network`. Its own `F` is a residual branch, not torch.nn.functional.
"""

from answers import Right, Wrong

ANSWERS = [
    Right(
        "07.chain",
        "a loop",
        """
def gradient_through(slopes, shortcut):
    gradient = 1.0
    for slope in slopes:
        gradient *= slope + 1 if shortcut else slope
    return gradient
""",
    ),
    Right(
        "07.chain",
        "math.prod",
        """
import math

def gradient_through(slopes, shortcut):
    return math.prod(s + int(shortcut) for s in slopes)
""",
    ),
    Right(
        "07.chain",
        "a tensor",
        """
def gradient_through(slopes, shortcut):
    return (torch.tensor(slopes, dtype=torch.float64) + (1 if shortcut else 0)).prod()
""",
    ),
    Right(
        "07.chain",
        "NumPy",
        """
import numpy as np

def gradient_through(slopes, shortcut):
    return np.prod(np.array(slopes) + bool(shortcut))
""",
    ),
    Right(
        "07.chain",
        "builds the chain and asks autograd",
        """
def gradient_through(slopes, shortcut):
    x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    y = x
    for slope in slopes:
        y = slope * y + y if shortcut else slope * y
    y.backward()
    return x.grad.item()
""",
    ),
    Right(
        "07.chain",
        "backwards, by recursion",
        """
def gradient_through(slopes, shortcut):
    if len(slopes) == 0:
        return 1
    through = slopes[-1] + 1 if shortcut else slopes[-1]
    return through * gradient_through(slopes[:-1], shortcut)
""",
    ),
    Wrong(
        "07.chain",
        "one shortcut around all",
        """
import math

def gradient_through(slopes, shortcut):
    return math.prod(slopes) + (1 if shortcut else 0)
""",
        mistake="adds one to the product: a single shortcut around the whole chain, where every block has its own",
    ),
    Wrong(
        "07.chain",
        "a sum",
        """
def gradient_through(slopes, shortcut):
    return sum(s + 1 if shortcut else s for s in slopes)
""",
        mistake="adds the blocks' factors, where the chain rule multiplies them",
    ),
    Wrong(
        "07.chain",
        "one plus the sum",
        """
import math

def gradient_through(slopes, shortcut):
    return 1 + sum(slopes) if shortcut else math.prod(slopes)
""",
        mistake="keeps the paths through one block at most and drops the products of the others",
    ),
    Wrong(
        "07.chain",
        "shortcuts always",
        """
def gradient_through(slopes, shortcut=True):
    gradient = 1.0
    for slope in slopes:
        gradient *= slope + 1
    return gradient
""",
        mistake="ignores shortcut and always adds one",
    ),
    Wrong(
        "07.chain",
        "without the last block",
        """
def gradient_through(slopes, shortcut):
    gradient = 1.0
    for i in range(len(slopes) - 1):
        gradient *= slopes[i] + 1 if shortcut else slopes[i]
    return gradient
""",
        mistake="leaves the last block out",
    ),
    Wrong(
        "07.chain",
        "sizes",
        """
def gradient_through(slopes, shortcut):
    gradient = 1.0
    for slope in slopes:
        gradient *= abs(slope + 1 if shortcut else slope)
    return gradient
""",
        mistake="takes absolute values, and loses the gradient's sign",
    ),
    Wrong(
        "07.chain",
        "the largest of both",
        """
def gradient_through(slopes, shortcut):
    gradient = 1.0
    for slope in slopes:
        gradient *= max(slope, 1) if shortcut else slope
    return gradient
""",
        mistake="lets the gradient take the better of the two ways, where both are added",
    ),
    Wrong(
        "07.chain",
        "the average slope",
        """
def gradient_through(slopes, shortcut):
    mean = sum(slopes) / len(slopes)
    return (mean + (1 if shortcut else 0)) ** len(slopes)
""",
        mistake="raises the mean slope to the number of blocks, which is right for equal slopes only",
    ),
    Wrong(
        "07.chain",
        "a return too soon",
        """
def gradient_through(slopes, shortcut):
    gradient = 1.0
    for slope in slopes:
        gradient *= slope + 1 if shortcut else slope
        return gradient
""",
        mistake="returns inside the loop, after the first block",
    ),
    Wrong(
        "07.chain",
        "Horner's scheme",
        """
def gradient_through(slopes, shortcut):
    gradient = 1.0
    for slope in slopes:
        gradient *= slope
        if shortcut:
            gradient += 1
    return gradient
""",
        mistake="adds 1 to the product after each block instead of to the block's slope",
    ),
    Right("07.level", "as the hint says", 'level = {"kind": "plain", "depth": 56, "norm": False, "gain": 1.0}'),
    Right("07.level", "made by dict, the gain left as it is", "level = dict(kind='plain', depth=56, norm=False)"),
    Right(
        "07.level",
        "a smaller gain",
        "level = {'kind': 'plain', 'depth': 56, 'gain': 0.9, 'norm': 0}",
    ),
    Right(
        "07.level",
        "numbers of NumPy and of torch",
        "level = {'kind': 'plain', 'depth': np.int64(56), 'norm': np.bool_(False), 'gain': torch.tensor(1.0)}",
    ),
    Wrong(
        "07.level",
        "the norm by a name",
        "level = {'kind': 'plain', 'depth': 56, 'norm': 'none', 'gain': 1.0}",
        mistake="gives a word for norm, which is True or False",
    ),
    Wrong(
        "07.level",
        "too deep for three seeds",
        "level = {'kind': 'plain', 'depth': 80, 'norm': False, 'gain': 1}",
        mistake="takes so many layers that with one of the seeds the line is no longer level",
    ),
    Wrong(
        "07.level",
        "a level line and a healthy gradient",
        "level = {'kind': 'residual', 'depth': 20, 'norm': True, 'gain': 1.0}",
        mistake="takes a network whose line is level, and whose gradient is true further on as well",
    ),
    Wrong(
        "07.level",
        "shattered, and not level",
        "level = {'kind': 'plain', 'depth': 110, 'norm': True, 'gain': 1.0}",
        mistake="takes a network whose gradient is shattered and explodes too, which refutes nothing",
    ),
    Wrong(
        "07.level",
        "pre-activation",
        "level = {'kind': 'pre-activation', 'depth': 110, 'norm': True, 'gain': 1.0}",
        mistake="takes for level what grows a hundred times",
    ),
    Right(
        "07.hooks",
        "full backward hooks",
        """
def gradient_norms(model, layers, images, labels):
    norms = [None] * len(layers)
    handles = []
    for index, layer in enumerate(layers):
        def note(module, grad_input, grad_output, index=index):
            norms[index] = grad_output[0].norm().item()
        handles.append(layer.register_full_backward_hook(note))
    torch.nn.functional.cross_entropy(model(images), labels).backward()
    for handle in handles:
        handle.remove()
    return norms
""",
    ),
    Right(
        "07.hooks",
        "forward hooks that keep the outputs, then autograd.grad",
        """
def gradient_norms(model, layers, images, labels):
    outputs = {}
    hooks = [
        layer.register_forward_hook(lambda module, inputs, output: outputs.update({id(module): output}))
        for layer in layers
    ]
    try:
        loss = nn.functional.cross_entropy(model(images), labels)
    finally:
        for hook in hooks:
            hook.remove()
    gradients = torch.autograd.grad(loss, [outputs[id(layer)] for layer in layers])
    return [float(torch.linalg.vector_norm(g)) for g in gradients]
""",
    ),
    Right(
        "07.hooks",
        "forward hooks, retain_grad",
        """
def gradient_norms(model, layers, images, labels):
    kept = {}

    def keep(module, inputs, output):
        output.retain_grad()
        kept[module] = output

    handles = [layer.register_forward_hook(keep) for layer in layers]
    loss = nn.CrossEntropyLoss()(model(images), labels)
    for handle in handles:
        handle.remove()
    loss.backward()
    return torch.stack([kept[layer].grad.norm() for layer in layers])
""",
    ),
    Right(
        "07.hooks",
        "hooks on the tensors, in a with block, the root of a sum of squares",
        """
from contextlib import ExitStack

def gradient_norms(model, layers, images, labels):
    found = {}

    def watch(place):
        def forward_hook(module, inputs, output):
            output.register_hook(lambda gradient: found.update({place: gradient.square().sum().sqrt().item()}))
        return forward_hook

    with ExitStack() as stack:
        for place, layer in enumerate(layers):
            handle = layer.register_forward_hook(watch(place))
            stack.callback(handle.remove)
        nn.functional.cross_entropy(model(images), labels).backward()
    return [found[place] for place in range(len(layers))]
""",
    ),
    Right(
        "07.hooks",
        "a small class, NumPy's norm",
        """
import numpy as np

class Probe:
    def __init__(self, layer):
        self.handle = layer.register_full_backward_hook(self.see)

    def see(self, layer, into, out_of):
        self.norm = np.linalg.norm(out_of[0].numpy().ravel())

def gradient_norms(model, layers, images, labels):
    probes = [Probe(layer) for layer in layers]
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    for probe in probes:
        probe.handle.remove()
    return [probe.norm for probe in probes]
""",
    ),
    Wrong(
        "07.hooks",
        "in the order in which they come",
        """
def gradient_norms(model, layers, images, labels):
    norms = []
    hooks = [layer.register_full_backward_hook(lambda m, i, o: norms.append(o[0].norm().item())) for layer in layers]
    nn.functional.cross_entropy(model(images), labels).backward()
    for hook in hooks:
        hook.remove()
    return norms
""",
        mistake="appends the norms as the hooks are called, which is from the loss to the image",
    ),
    Wrong(
        "07.hooks",
        "turned round",
        """
def gradient_norms(model, layers, images, labels):
    norms = []
    hooks = [layer.register_full_backward_hook(lambda m, i, o: norms.append(o[0].norm().item())) for layer in layers]
    nn.functional.cross_entropy(model(images), labels).backward()
    for hook in hooks:
        hook.remove()
    return norms[::-1]
""",
        mistake="returns the norms in the order of the network, not in that of the layers that it was given",
    ),
    Wrong(
        "07.hooks",
        "the gradients of the weights",
        """
def gradient_norms(model, layers, images, labels):
    model.zero_grad()
    nn.functional.cross_entropy(model(images), labels).backward()
    return [layer.weight.grad.norm().item() for layer in layers]
""",
        mistake="measures the gradients of the weights, not those of the outputs",
    ),
    Wrong(
        "07.hooks",
        "hooks left behind",
        """
def gradient_norms(model, layers, images, labels):
    norms = {}
    for layer in layers:
        layer.register_full_backward_hook(lambda m, i, o: norms.update({m: o[0].norm().item()}))
    nn.functional.cross_entropy(model(images), labels).backward()
    return [norms[layer] for layer in layers]
""",
        mistake="leaves its hooks in the model, where they go on measuring in every later training",
    ),
    Wrong(
        "07.hooks",
        "the inputs' gradients",
        """
def gradient_norms(model, layers, images, labels):
    norms = {}
    images = images.clone().requires_grad_()
    hooks = [
        layer.register_full_backward_hook(lambda m, i, o: norms.update({m: i[0].norm().item()})) for layer in layers
    ]
    nn.functional.cross_entropy(model(images), labels).backward()
    for hook in hooks:
        hook.remove()
    return [norms[layer] for layer in layers]
""",
        mistake="takes grad_input, the gradient at a layer's input, where that at its output is asked for",
    ),
    Wrong(
        "07.hooks",
        "the outputs",
        """
def gradient_norms(model, layers, images, labels):
    norms = {}
    hooks = [layer.register_forward_hook(lambda m, i, o: norms.update({m: o.norm().item()})) for layer in layers]
    nn.functional.cross_entropy(model(images), labels).backward()
    for hook in hooks:
        hook.remove()
    return [norms[layer] for layer in layers]
""",
        mistake="measures the outputs themselves, not their gradients",
    ),
    Wrong(
        "07.hooks",
        "the sum of the losses",
        """
def gradient_norms(model, layers, images, labels):
    norms = {}
    hooks = [
        layer.register_full_backward_hook(lambda m, i, o: norms.update({m: o[0].norm().item()})) for layer in layers
    ]
    nn.functional.cross_entropy(model(images), labels, reduction="sum").backward()
    for hook in hooks:
        hook.remove()
    return [norms[layer] for layer in layers]
""",
        mistake="adds up the losses of the images, where cross_entropy takes their mean",
    ),
    Wrong(
        "07.hooks",
        "the mean size",
        """
def gradient_norms(model, layers, images, labels):
    norms = {}
    hooks = [
        layer.register_full_backward_hook(lambda m, i, o: norms.update({m: o[0].abs().mean().item()}))
        for layer in layers
    ]
    nn.functional.cross_entropy(model(images), labels).backward()
    for hook in hooks:
        hook.remove()
    return [norms[layer] for layer in layers]
""",
        mistake="averages absolute values, which is no norm: it does not grow with the number of values",
    ),
    Wrong(
        "07.hooks",
        "the last layer for all",
        """
def gradient_norms(model, layers, images, labels):
    norms, hooks = [0.0] * len(layers), []
    for index, layer in enumerate(layers):
        def note(module, grad_input, grad_output):
            norms[index] = grad_output[0].norm().item()
        hooks.append(layer.register_full_backward_hook(note))
    nn.functional.cross_entropy(model(images), labels).backward()
    for hook in hooks:
        hook.remove()
    return norms
""",
        mistake="uses the loop's variable inside the hook, which is that of the last layer by the time of the call",
    ),
    Wrong(
        "07.hooks",
        "no backward pass",
        """
def gradient_norms(model, layers, images, labels):
    norms = {}
    hooks = [
        layer.register_full_backward_hook(lambda m, i, o: norms.update({m: o[0].norm().item()})) for layer in layers
    ]
    loss = nn.functional.cross_entropy(model(images), labels)
    for hook in hooks:
        hook.remove()
    return [norms.get(layer, 0.0) for layer in layers]
""",
        mistake="never calls backward, so that no hook is called",
    ),
    Wrong(
        "07.hooks",
        "squares",
        """
def gradient_norms(model, layers, images, labels):
    norms = {}
    hooks = [
        layer.register_full_backward_hook(lambda m, i, o: norms.update({m: o[0].square().sum().item()}))
        for layer in layers
    ]
    nn.functional.cross_entropy(model(images), labels).backward()
    for hook in hooks:
        hook.remove()
    return [norms[layer] for layer in layers]
""",
        mistake="forgets the root: returns the squares of the norms",
    ),
    Right(
        "07.diagnosis",
        "a dictionary",
        """
diagnosis = {"A": "gain below 1", "B": "plain, batch norm", "C": "residual, batch norm", "D": "gain 1"}
""",
    ),
    Right(
        "07.diagnosis",
        "keywords, in another order",
        """
diagnosis = dict(D="gain 1", C="residual, batch norm", B="plain, batch norm", A="gain below 1")
""",
    ),
    Right(
        "07.diagnosis",
        "zipped",
        """
findings = ["gain below 1", "plain, batch norm", "residual, batch norm", "gain 1"]
diagnosis = dict(zip("ABCD", findings))
""",
    ),
    Right(
        "07.diagnosis",
        "filled in one after the other",
        """
diagnosis = {}
diagnosis["B"] = "plain, batch norm"  # grows towards the image
diagnosis["A"] = "gain below 1"  # starved in all layers
for name, kind in (("C", "residual, batch norm"), ("D", "gain 1")):
    diagnosis[name] = kind
""",
    ),
    Wrong(
        "07.diagnosis",
        "the two with batch norm exchanged",
        """
diagnosis = {"A": "gain below 1", "B": "residual, batch norm", "C": "plain, batch norm", "D": "gain 1"}
""",
        mistake="expects the gradient to grow with shortcuts: it is the plain network whose gradient explodes",
    ),
    Wrong(
        "07.diagnosis",
        "the two without batch norm exchanged",
        """
diagnosis = {"A": "gain 1", "B": "plain, batch norm", "C": "residual, batch norm", "D": "gain below 1"}
""",
        mistake="exchanges the gains: one below 1 starves all layers",
    ),
    Wrong(
        "07.diagnosis",
        "the healthy ones exchanged",
        """
diagnosis = {"A": "gain below 1", "B": "plain, batch norm", "C": "gain 1", "D": "residual, batch norm"}
""",
        mistake="exchanges the two healthy ones: without norms, at a gain of 1, the line is level in every layer",
    ),
    Wrong(
        "07.diagnosis",
        "the popular story",
        """
diagnosis = {"A": "plain, batch norm", "B": "gain 1", "C": "residual, batch norm", "D": "gain below 1"}
""",
        mistake="takes the starved network for the plain one with batch norm, whose gradient does not vanish",
    ),
    Wrong(
        "07.diagnosis",
        "the other way round",
        """
diagnosis = {"gain below 1": "A", "plain, batch norm": "B", "residual, batch norm": "C", "gain 1": "D"}
""",
        mistake="has the findings for keys and the letters for values",
    ),
    Wrong(
        "07.diagnosis",
        "one missing",
        """
diagnosis = {"A": "gain below 1", "B": "plain, batch norm", "C": "residual, batch norm"}
""",
        mistake="leaves out network D",
    ),
    Right(
        "07.tame",
        "both convolutions of a block smaller with the depth",
        """
def tame(model):
    blocks = [m for m in model.modules() if isinstance(m, BasicBlock)]
    with torch.no_grad():
        for block in blocks:
            for layer in block.residual:
                if isinstance(layer, nn.Conv2d):
                    layer.weight /= len(blocks) ** 0.25
""",
    ),
    Right(
        "07.tame",
        "every weight halved",
        """
@torch.no_grad()
def tame(model):
    for parameter in model.parameters():
        parameter *= 0.5
""",
    ),
    Right(
        "07.tame",
        "orthogonal kernels, drawn small",
        """
def tame(model):
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.orthogonal_(layer.weight, gain=0.3)
    return model
""",
    ),
    Right(
        "07.tame",
        "by the names of the weights",
        """
def tame(model):
    for name, weight in model.named_parameters():
        if name.startswith("stages") and weight.ndim == 4:
            weight.data = weight.data * 54 ** -0.5
""",
    ),
    Wrong(
        "07.tame",
        "nothing",
        """
def tame(model):
    return model
""",
        mistake="changes nothing: the loss stays in the millions",
    ),
    Wrong(
        "07.tame",
        "zero at the end of each branch",
        """
def tame(model):
    for block in model.modules():
        if isinstance(block, BasicBlock):
            nn.init.zeros_(block.residual[3].weight)
""",
        mistake="sets the second convolution of each block to zero, so that the first one gets no gradient at all",
    ),
    Wrong(
        "07.tame",
        "not small enough",
        """
@torch.no_grad()
def tame(model):
    for block in model.modules():
        if isinstance(block, BasicBlock):
            block.residual[3].weight *= 0.4
""",
        mistake="makes the branches a little smaller, but 54 of them still add up",
    ),
    Wrong(
        "07.tame",
        "too small",
        """
@torch.no_grad()
def tame(model):
    for block in model.modules():
        if isinstance(block, BasicBlock):
            block.residual[3].weight *= 0.001
""",
        mistake="makes the second convolutions so small that the first ones hardly get a gradient",
    ),
    Wrong(
        "07.tame",
        "a quiet stem",
        """
@torch.no_grad()
def tame(model):
    model.stem[0].weight *= 1e-8
""",
        mistake="makes the signal small at the image: the loss is that of a guess, and the stem's gradient is enormous",
    ),
    Wrong(
        "07.tame",
        "batch norms",
        """
def tame(model):
    for block in model.modules():
        if isinstance(block, BasicBlock):
            block.residual[1] = nn.BatchNorm2d(block.residual[0].out_channels)
            block.residual[4] = nn.BatchNorm2d(block.residual[3].out_channels)
""",
        mistake="puts batch norms in, where nothing but the weights is to be changed",
    ),
    Wrong(
        "07.tame",
        "another model",
        """
def tame(model):
    model = models.get_model("resnet110_tiny")
    return model
""",
        mistake="returns a new network and leaves the one that it was given as it was",
    ),
    Wrong(
        "07.tame",
        "the last layer only",
        """
@torch.no_grad()
def tame(model):
    model.head[-1].weight *= 0.01
""",
        mistake="divides the logits by a hundred, where they have grown by millions from block to block",
    ),
]
