"""What all networks here share: layers that have names, and one sentence about images that are too small."""

from collections import OrderedDict

from torch import Tensor, nn


def named(**layers: nn.Module | None) -> nn.Sequential:
    """Layers one after the other, each by its name; a layer that is None is left out.

    >>> named(conv=nn.Conv2d(3, 8, 1), norm=None, relu=nn.ReLU())
    Sequential(
      (conv): Conv2d(3, 8, kernel_size=(1, 1), stride=(1, 1))
      (relu): ReLU()
    )
    """
    return nn.Sequential(OrderedDict((name, layer) for name, layer in layers.items() if layer is not None))


def check_size(model: nn.Module, images: Tensor) -> None:
    """Raise ValueError where images (N, C, H, W) have fewer than `model.min_size` pixels a side."""
    height, width = images.shape[-2:]
    if min(height, width) < model.min_size:
        least = f"{model.min_size} x {model.min_size} pixels"
        raise ValueError(
            f"This {type(model).__name__} takes images of at least {least}, not {height} x {width}. Enlarge them."
        )
