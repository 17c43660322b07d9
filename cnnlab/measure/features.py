"""What a network computes on the way: the output of each layer for one image."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from cnnlab.device import eval_mode


@torch.no_grad()
def feature_maps(model: nn.Module, image: Tensor, layers: Mapping[str, str] | None = None) -> dict[str, Tensor]:
    """The outputs of chosen layers in one forward pass in eval mode, the image first, under the name "input".

    image: (C, H, W) floats, normalised as in training.
    layers: the label of each result and the qualified name of its layer, such as {"C1": "stem.C1"}; all layers without
        sublayers where None.

    Returns maps (channels, height, width), or vectors (features,), in the order in which they were computed.
    Raises ValueError for a layer that the model does not have.
    """
    modules = dict(model.named_modules())
    if layers is None:
        layers = {name: name for name, module in modules.items() if not any(module.children())}
    if unknown := [name for name in layers.values() if name not in modules]:
        raise ValueError(
            f"{type(model).__name__} has no layer {unknown[0]!r}. It has: {', '.join(filter(None, modules))}."
        )
    found: dict[str, Tensor] = {"input": image.detach().clone()}
    hooks = []
    for label, name in layers.items():

        def keep(_module: nn.Module, _inputs: tuple, output: Tensor | tuple, label: str = label) -> None:
            output = output if isinstance(output, Tensor) else output[0]  # attention gives its weights, too
            found[label] = output[0].detach().clone()  # a copy: the next layer may write into it

        hooks.append(modules[name].register_forward_hook(keep))
    try:
        with eval_mode(model):
            model(image[None].to(next(model.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    return {
        label: output.squeeze() if output.ndim == 3 and output.shape[1:] == (1, 1) else output
        for label, output in found.items()
    }
