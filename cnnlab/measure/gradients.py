"""How gradients travel through a network: their size at every layer and block, and how alike neighbours' are."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab.table import Table


@dataclass(frozen=True)
class GradientFlow:
    """Euclidean norms of the gradients of one batch's mean loss, from the input's side to the loss's.

    layers: of each convolution's and linear layer's weight, by its name in the network, in the order of their use.
    blocks: of each block's output, averaged over the images, by the block's name: what reaches the blocks below it.
    """

    loss: float
    layers: dict[str, float]
    blocks: dict[str, float]

    def table(self) -> Table:
        rows = [[name, f"{norm:.3g}"] for name, norm in self.layers.items()]
        return Table(["layer", "gradient norm"], rows, f"loss {self.loss:.3f}")

    def __repr__(self) -> str:
        return repr(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


@torch.enable_grad()
def gradient_flow(model: nn.Module, images: Tensor, labels: Tensor) -> GradientFlow:
    """One forward and one backward pass, and the size of the gradient everywhere.

    model: (N, C, H, W) -> (N, classes), in the mode in which it is to be measured (batch norm: train for batch
        statistics, whose running averages are left as they were). A block is a child of one of `model.stages`.
    images, labels: one batch, on the model's device.

    Raises ValueError where the model has no stages.

    >>> flow = gradient_flow(models.get_model("resnet20_tiny"), torch.randn(8, 3, 32, 32), torch.arange(8))
    >>> len(flow.layers), len(flow.blocks)
    (20, 9)
    """
    if not isinstance(getattr(model, "stages", None), nn.Sequential):
        raise ValueError(f"{type(model).__name__} has no stages: gradient_flow knows the networks of cnnlab.models.")
    used: dict[str, nn.Module] = {}
    outputs: dict[str, Tensor] = {}
    hooks = []
    stages = enumerate(model.stages)
    blocks = {f"stages.{i}.{name}": block for i, stage in stages for name, block in stage.named_children()}
    for name, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            hooks.append(module.register_forward_hook(partial(_note, used, name, module)))
    for name, block in blocks.items():
        hooks.append(block.register_forward_hook(partial(_note_output, outputs, name)))
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    try:
        logits = model(images)
        loss = F.cross_entropy(logits if isinstance(logits, Tensor) else logits[0], labels)
        weights = {name: module.weight for name, module in used.items() if module.weight.requires_grad}
        wanted = [*weights.values(), *outputs.values()]
        gradients = torch.autograd.grad(loss, wanted, allow_unused=True)
    finally:
        for hook in hooks:
            hook.remove()
        for name, buffer in model.named_buffers():
            buffer.copy_(buffers[name])
    norms = [0.0 if g is None else g.float().norm().item() for g in gradients[: len(weights)]]
    per_image = [
        0.0 if g is None else (g.float().flatten(1).norm(dim=1).mean() * len(g)).item()
        for g in gradients[len(weights) :]
    ]  # times N, because the mean loss gives each image only 1/N of its own gradient
    return GradientFlow(loss.item(), dict(zip(weights, norms, strict=True)), dict(zip(outputs, per_image, strict=True)))


def _note(used: dict[str, nn.Module], name: str, module: nn.Module, *_: object) -> None:
    used.setdefault(name, module)


def _note_output(outputs: dict[str, Tensor], name: str, _module: nn.Module, _inputs: object, output: Tensor) -> None:
    outputs[name] = output


def jacobian_singular_values(block: nn.Module, x: Tensor) -> Tensor:
    """Singular values of a block's Jacobian at one input, largest first: by what it stretches or shrinks a change.

    block: in eval mode, (1, C, H, W) -> (1, C', H', W'); x: (C, H, W). The Jacobian has C'H'W' x CHW entries, so keep
    C·H·W below about 2,000.

    >>> jacobian_singular_values(nn.Identity().eval(), torch.randn(2, 3, 3)).unique()
    tensor([1.])
    """
    if block.training:
        raise ValueError("In train mode a batch norm makes every output depend on the whole batch: block.eval() first.")
    if x.ndim != 3 or x.numel() > 4096:
        raise ValueError(f"x must be one small map (C, H, W) of at most 4,096 numbers, not {tuple(x.shape)}.")
    jacobian = torch.func.jacrev(lambda x: block(x[None])[0].flatten())(x).flatten(1)
    return torch.linalg.svdvals(jacobian.detach().float())


@torch.enable_grad()
def gradient_correlation(model: nn.Module, path: Tensor, seed: int = 0) -> Tensor:
    """How alike the input gradients along a path are: (N,) mean cosine of gradients k steps apart, k from 0 to N - 1.

    path: (N, C, H, W) images that change little from one to the next. The gradient is that of one random mixture of
    the logits. 1 everywhere is a linear network; a fall to 0 at once a "shattered" gradient (Balduzzi et al. 2017).
    """
    x = path.clone().requires_grad_()
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    logits = model(x)
    mixture = torch.randn(logits.shape[1], generator=torch.Generator().manual_seed(seed)).to(logits)
    (gradient,) = torch.autograd.grad((logits @ mixture).sum(), x)
    for name, buffer in model.named_buffers():
        buffer.copy_(buffers[name])
    cosines = F.normalize(gradient.flatten(1), dim=1)
    cosines = cosines @ cosines.T
    return torch.stack([cosines.diagonal(k).mean() for k in range(len(path))])
