"""The optimiser, the rates of the parts of a network, and how these change from step to step."""

import math
from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from cnnlab.device import unstoppable

with unstoppable():  # the first optimiser imports this: stopped in the middle, it would be half there for ever
    import torch._dynamo

Name = Literal["sgd", "adamw"]
Schedule = Literal["one-cycle", "constant", "steps"]


def make_optimizer(
    model: nn.Module,
    name: Name,
    lr: float,
    rates: Mapping[str, float] | None,
    weight_decay: float,
    momentum: float,
    nesterov: bool,
) -> torch.optim.Optimizer:
    """Of what requires gradients; each group has its peak rate. Raises ValueError where nothing does."""
    if name not in get_args(Name):
        raise ValueError(f"optimizer must be 'sgd' or 'adamw', not {name!r}.")
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum must be at least 0 and below 1, not {momentum!r}.")
    groups = _groups(model, lr, rates or {})
    if name == "adamw":
        return torch.optim.AdamW(groups, lr, weight_decay=weight_decay, fused=True)
    nesterov = nesterov and momentum > 0  # there is nothing to look ahead with
    return torch.optim.SGD(groups, lr, momentum, weight_decay=weight_decay, nesterov=nesterov, fused=True)


def make_schedule(optimizer: torch.optim.Optimizer, name: Schedule, steps: int) -> LRScheduler:
    """The rates for so many steps, from the peaks that the optimiser has, as `training.fit` describes them."""
    if name not in get_args(Schedule):
        raise ValueError(f"schedule must be 'one-cycle', 'constant' or 'steps', not {name!r}.")
    if name == "constant":
        return LambdaLR(optimizer, lambda done: 1.0)
    if name == "steps":
        return LambdaLR(optimizer, lambda done: 1 / 10 ** sum(12 * done >= part * steps for part in (6, 9, 11)))
    total = steps + 1  # the last rate is that after the last step
    quarter = 0.25 if total != 4 else math.nextafter(0.25, 0)  # PyTorch divides by the steps of a rise of none
    peaks = [group["lr"] for group in optimizer.param_groups]
    momentum = optimizer.defaults.get("momentum", 0.9)  # of AdamW it is the first beta
    swing = round(min(0.05, momentum, (1 - momentum) / 2), 12)
    return OneCycleLR(
        optimizer,
        peaks,
        total,
        pct_start=quarter,
        cycle_momentum=momentum > 0,
        base_momentum=round(momentum - swing, 12),
        max_momentum=round(momentum + swing, 12),
    )


def _groups(model: nn.Module, lr: float, rates: Mapping[str, float]) -> list[dict[str, object]]:
    """The parameters to train in groups of one rate; first those at the full rate."""
    parts: dict[str, list[nn.Parameter]] = {"": []} | {start: [] for start in rates}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parts[next((start for start in rates if name.startswith(start)), "")].append(parameter)
    for start, share in rates.items():
        if share < 0 or not any(name.startswith(start) for name, _ in model.named_parameters()):
            first = ", ".join(name for name, _ in model.named_children())
            raise ValueError(f"rates: no share {share!r} for {start!r} is possible: the parts are {first}.")
    groups = [{"params": group, "lr": lr * rates.get(start, 1)} for start, group in parts.items() if group]
    if not groups:
        raise ValueError("Nothing is left to train: all parameters are frozen.")
    return groups
