"""A network for inference on a processor whose convolutions add and rectify on the way: fewer passes over memory.

In PyTorch a convolution, a sum and a ReLU are three operations, and each reads and writes all maps. oneDNN, which
computes PyTorch's convolutions on processors, does all three in one. torch.compile uses that for weights that never
change; here they may: call `repack` after they have.
"""

import operator

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

_SUMS = (operator.add, operator.iadd, torch.add)
_RELUS = (F.relu, torch.relu)


class FusedConv(nn.Module):
    """A convolution, then a sum with other maps where there are any, then a ReLU where `relu` says so."""

    def __init__(self, conv: nn.Conv2d, relu: bool) -> None:
        super().__init__()
        self.conv, self.relu, self.packed = conv, "relu" if relu else None, None

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        conv, run = self.conv, torch.ops.mkldnn._convolution_pointwise
        shape = conv.padding, conv.stride, conv.dilation, conv.groups
        if self.packed is None:
            pack = torch.ops.mkldnn._reorder_convolution_weight
            self.packed = pack(conv.weight.detach(), *shape, list(x.shape))
        if other is None:
            return run(x, self.packed, conv.bias, *shape, self.relu or "none", [], "")
        return run.binary(x, other, self.packed, conv.bias, *shape, "add", 1.0, self.relu, [], None)


def fused(model: nn.Module, images: Tensor) -> nn.Module | None:
    """The same network with fused convolutions, sharing its weights; None where that is not possible.

    model: in eval mode, without batch norms after its convolutions. images: some that it takes; on them the two are
        compared, since what a network does may hide from the tracing.
    """
    if images.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return None
    try:
        traced = fx.symbolic_trace(model)
        _fuse(traced)
        with torch.inference_mode():
            expected, given = model(images).float(), traced(images).float()
    except Exception:  # tracing fails in as many ways as there are networks with branches and loops
        return None
    apart = (given - expected).norm() / expected.norm().clamp(min=1e-12)
    return traced if apart < (0.05 if images.dtype == torch.bfloat16 else 1e-3) else None


def repack(model: nn.Module) -> None:
    """The weights have changed: let the next images meet the new ones."""
    for module in model.modules():
        if isinstance(module, FusedConv):
            module.packed = None


def _fuse(traced: fx.GraphModule) -> None:
    graph, modules = traced.graph, dict(traced.named_modules())
    for node in list(graph.nodes):
        if node.op == "call_module" and type(modules[node.target]) is nn.Identity:
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
    place = {node: index for index, node in enumerate(graph.nodes)}
    for node in list(graph.nodes):
        conv = modules.get(node.target) if node.op == "call_module" else None
        if type(conv) is not nn.Conv2d or conv.padding_mode != "zeros" or isinstance(conv.padding, str):
            continue
        chain, other = [node], None
        user = _only_user(node)
        if user is not None and user.op == "call_function" and user.target in _SUMS and not user.kwargs:
            terms = [term for term in user.args if term is not node]
            if len(terms) == 1 and isinstance(terms[0], fx.Node) and place[terms[0]] < place[node]:
                chain, other = [node, user], terms[0]
        user = _only_user(chain[-1])
        relu = user is not None and _is_relu(user, modules)
        chain += [user] if relu else []
        name = f"fused_{place[node]}"
        traced.add_submodule(name, FusedConv(conv, relu))
        with graph.inserting_before(node):
            new = graph.call_module(name, (node.args[0],) if other is None else (node.args[0], other))
        place[new] = place[node]
        chain[-1].replace_all_uses_with(new)
        for old in reversed(chain):
            graph.erase_node(old)
    traced.recompile()


def _only_user(node: fx.Node) -> fx.Node | None:
    return next(iter(node.users)) if len(node.users) == 1 else None


def _is_relu(node: fx.Node, modules: dict[str, nn.Module]) -> bool:
    if node.op == "call_module":
        return type(modules[node.target]) is nn.ReLU
    return node.op == "call_function" and node.target in _RELUS
