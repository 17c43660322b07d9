"""Starting points: weights drawn by a rule, and a deep network that begins with the layers of a trained shallow one."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnlab.table import Table


@dataclass(frozen=True, repr=False)
class Growth:
    """Which layers of a deep network `grow` copied from a shallow one, and which it left as they were, by name."""

    copied: tuple[str, ...]
    kept: tuple[str, ...]

    def table(self) -> Table:
        rows = [[name, "the shallow network"] for name in self.copied] + [[name, "its own start"] for name in self.kept]
        return Table(["layer", "weights from"], rows)

    def __repr__(self) -> str:
        return f"{len(self.copied)} layers copied: {', '.join(self.copied)}; {len(self.kept)} left as they were"

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def initialize(model: nn.Module, rule: Callable[[Tensor], object]) -> nn.Module:
    """Draw the weights of all convolutions and linear layers anew by a rule of `nn.init`, in place; biases become 0.

    >>> initialize(models.get_model("vgg19_tiny"), nn.init.xavier_uniform_)  # doctest: +SKIP
    """
    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            rule(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return model


@torch.no_grad()
def grow(deep: nn.Module, shallow: nn.Module, *, convolutions: int | None = None) -> Growth:
    """Copy layers of a trained network into a deeper one of the same family, in place, and say which.

    The n-th convolution of a stage goes to the n-th of the same stage, with the batch norm behind it, and linear layers
    go to linear layers. What only `deep` has stays as it was. This is how VGG was trained (Simonyan, Zisserman 2014,
    section 3.1), with the first four convolutions and the three fully-connected layers of its net A.

    convolutions: copy only so many of the first convolutions, all where None; linear layers are always copied.

    Raises ValueError where a layer to be copied has no counterpart of its shape; `deep` is then untouched.

    >>> grow(models.get_model("vgg13_tiny"), models.get_model("vgg11_tiny"), convolutions=1)  # doctest: +SKIP
    4 layers copied: stages.0.conv1, head.fc1, head.fc2, head.fc3; 9 left as they were
    """
    theirs, ours = _layers(shallow), _layers(deep)
    seen, wanted = 0, []
    for name, layer in theirs.items():
        seen += isinstance(layer, nn.Conv2d)
        if isinstance(layer, nn.Linear) or convolutions is None or seen <= convolutions:
            wanted.append(name)
    for name in wanted:
        if name not in ours:
            raise ValueError(
                f"The shallow network has a layer {name} and the deep one has not: each stage of the deep network must "
                "have at least as many layers."
            )
        shapes = [[tuple(value.shape) for value in layers[name].state_dict().values()] for layers in (theirs, ours)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"Layer {name} has weights of {shapes[0][0]} in the shallow network and of {shapes[1][0]} in the deep "
                "one: give both the same width, head and classes."
            )
    for name in wanted:
        ours[name].load_state_dict(theirs[name].state_dict())
    return Growth(tuple(wanted), tuple(name for name in ours if name not in wanted))


def _layers(model: nn.Module) -> dict[str, nn.Module]:
    return {name: m for name, m in model.named_modules() if any(True for _ in m.parameters(recurse=False))}
