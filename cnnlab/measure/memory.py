"""The memory that training takes: what autograd keeps between the way forward and the way back."""

import torch
from torch import Tensor, nn


def kept_bytes(model: nn.Module, images: Tensor) -> int:
    """Bytes that autograd keeps for the backward pass of `model(images)`, apart from the model's own tensors.

    Tensors that share their memory count once. Works on the meta device too, where nothing is computed.
    """
    own = {tensor.untyped_storage()._cdata for tensor in [*model.parameters(), *model.buffers()]}
    storages = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            storages[storage._cdata] = storage  # held, so that its address is not given to another
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(images)
    return sum(storage.nbytes() for storage in storages.values())
