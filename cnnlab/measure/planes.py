"""Planes through the space of a network's parameters.

Li, Xu, Taylor, Studer, Goldstein, "Visualizing the Loss Landscape of Neural Nets", 2018 (arXiv 1712.09913), section 4:
random directions in which every filter is as long as the network's own filter, biases and batch norms left as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

State = Mapping[str, Tensor]


@dataclass(frozen=True)
class Plane:
    """origin + x * first + y * second: parameters by name; a name that is missing in a direction does not move."""

    origin: dict[str, Tensor]
    first: dict[str, Tensor]
    second: dict[str, Tensor]
    about: str

    def at(self, x: float, y: float = 0.0) -> dict[str, Tensor]:
        """The network's state at a place of the plane, for `load_state_dict`."""
        state = {name: value.clone() for name, value in self.origin.items()}
        for share, direction in ((x, self.first), (y, self.second)):
            for name, change in direction.items():
                state[name] += share * change
        return state


def random_direction(model: nn.Module, seed: int = 0, *, normalize: bool = True) -> dict[str, Tensor]:
    """A random direction in the space of a network's parameters, by the parameters' names.

    Every filter (the weights of one output of a layer) is drawn from a normal distribution and brought to the length of
    the network's own filter; biases and batch norms get none. normalize: False leaves the lengths as drawn, of about
    the square root of the number of weights: what the paper shows to mislead.
    """
    generator = torch.Generator().manual_seed(seed)
    direction = {}
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            drawn = torch.randn(parameter.shape, generator=generator).to(parameter.device)
            if normalize:
                rows, own = drawn.flatten(1), parameter.detach().flatten(1)
                drawn *= (own.norm(dim=1) / (rows.norm(dim=1) + 1e-10)).view(-1, *[1] * (parameter.ndim - 1))
            direction[name] = drawn
    return direction


def random_plane(model: nn.Module, seed: int = 0, *, normalize: bool = True) -> Plane:
    """The plane through a network along two random directions, see `random_direction`."""
    first, second = (random_direction(model, 2 * seed + i, normalize=normalize) for i in (0, 1))
    lengths = "filter-normalised" if normalize else "not normalised"
    return Plane(whole_state(model), first, second, f"random directions, {lengths}, seed {seed}")


def plane_through(origin: State, right: State, up: State) -> Plane:
    """The plane through three checkpoints of one network: they lie at (0, 0), (1, 0) and (0, 1)."""
    first, second = ({k: state[k] - origin[k] for k in origin if _moves(origin[k])} for state in (right, up))
    return Plane({k: v.clone() for k, v in origin.items()}, first, second, "through three checkpoints")


def principal_plane(states: Sequence[State]) -> tuple[Plane, Tensor, Tensor]:
    """The plane in which a training's path is widest (PCA), with the last state as its origin.

    Returns the plane, its directions being unit vectors; the path's coordinates in it, (states, 2); and the share of
    the path's variance that each direction holds, (2,). Raises ValueError for fewer than three states.
    """
    if len(states) < 3:
        raise ValueError(f"A plane needs at least three states of the training, not {len(states)}.")
    names = [name for name, value in states[-1].items() if _moves(value)]
    path = torch.stack([torch.cat([state[name].flatten().float() for name in names]) for state in states])
    path = path - path[-1]
    _, sizes, axes = torch.linalg.svd(path, full_matrices=False)
    shapes = [states[-1][name].shape for name in names]
    directions = [
        dict(
            zip(
                names,
                (v.view(s) for v, s in zip(a.split([s.numel() for s in shapes]), shapes, strict=True)),
                strict=True,
            )
        )
        for a in axes[:2]
    ]
    shares = sizes[:2] ** 2 / (sizes**2).sum()
    return Plane(dict(states[-1]), *directions, "principal plane of a training's path"), path @ axes[:2].T, shares


def _moves(value: Tensor) -> bool:
    """Weights of convolutions and linear layers move; biases, batch norms and counters stay."""
    return value.is_floating_point() and value.ndim > 1


def whole_state(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the network's state. Raises ValueError where a number in it is infinite or none."""
    state = {name: value.detach().clone() for name, value in model.state_dict().items()}
    for name, value in state.items():
        if not value.isfinite().all():
            raise ValueError(f"{name} has values that are infinite or no numbers: there is no loss around it.")
    return state
