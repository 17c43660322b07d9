"""Calls a learner's function as an exercise does: on copies, from one random state, watched for what is forbidden."""

import copy
import random
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from types import CellType, CodeType

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True)
class Outcome:
    """What one call gave: a value or an error, and the names of those arguments that it changed.

    raw: what the function itself returned, where something was made of it.
    """

    value: object = None
    error: BaseException | None = None
    changed: tuple[str, ...] = ()
    raw: object = None


def outcome(
    function: Callable,
    case: Sequence[object],
    *,
    names: Sequence[str] = (),
    look: Callable | None = None,
    watch: "Watch | None" = None,
    seed: int = 0,
) -> Outcome:
    """Call a function on copies of a case's arguments. Never raises what it raises, but for KeyboardInterrupt.

    names: of the arguments. look: makes of the result, and of the arguments as they are then, what counts.
    """
    given, value = copy.deepcopy(tuple(case)), None
    try:
        with seeded(seed):
            with torch.enable_grad(), watch or nullcontext():
                value = kept(function(*given))
            labels = [*names, *(f"argument {i + 1}" for i in range(len(names), len(given)))]
            changed = tuple(label for label, a, b in zip(labels, case, given, strict=False) if not unchanged(a, b))
            _seed(seed)
            with torch.enable_grad():
                seen = value if look is None else kept(look(value, *given))
    except (Exception, SystemExit) as error:
        return Outcome(error=error, raw=value)
    return Outcome(seen, changed=changed, raw=value)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers that are the same each time, and not those of the cases; afterwards all is as it was."""
    states = torch.default_generator.get_state(), random.getstate(), np.random.get_state()
    _seed(seed)
    try:
        yield
    finally:
        torch.default_generator.set_state(states[0])
        random.setstate(states[1])
        np.random.set_state(states[2])


def _seed(seed: int) -> None:
    torch.default_generator.manual_seed(7_919 + seed)  # torch.manual_seed seeds every device, and takes milliseconds
    random.seed(7_919 + seed)
    np.random.seed(7_919 + seed)


def kept(value: object) -> object:
    """The value as it is now: what is done later to its tensors, by the next call for one, does not change it."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) in (list, tuple):
        return type(value)(map(kept, value))
    if type(value) is dict:
        return {key: kept(item) for key, item in value.items()}
    return value


def unchanged(before: object, after: object) -> bool:
    """Whether an argument is still what it was: its numbers, the state and the hooks of a network."""
    if isinstance(before, Tensor):
        same = before.shape == after.shape and before.dtype == after.dtype
        if before.is_leaf and after.is_leaf:  # of others torch has no gradient, and warns
            same = same and (before.grad is None) == (after.grad is None)  # a second call would add to it
        return same and bool((before == after).logical_or(before != before).all())
    if isinstance(before, np.ndarray):
        return np.array_equal(before, after)
    if isinstance(before, nn.Module):
        hooks = [[len(m._forward_hooks) + len(m._backward_hooks) for m in n.modules()] for n in (before, after)]
        return hooks[0] == hooks[1] and unchanged(dict(before.state_dict()), dict(after.state_dict()))
    if isinstance(before, Mapping):
        return list(before) == list(after) and all(unchanged(before[key], after[key]) for key in before)
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(unchanged, before, after))
    return before == after if isinstance(before, Set) else True


class Watch(TorchFunctionMode):
    """Notes which of the forbidden functions of PyTorch run. A layer runs a function: nn.Conv2d runs conv2d."""

    def __init__(self, forbidden: Mapping[str, str]) -> None:
        super().__init__()
        self.names = forbidden_names(forbidden)
        self.found = ""

    def __torch_function__(self, func: Callable, types: object, args: Sequence = (), kwargs: Mapping | None = None):
        self.found = self.found or self.names.get(_plain(getattr(func, "__name__", "")), "")
        return func(*args, **(kwargs or {}))


def forbidden_names(forbidden: Mapping[str, str]) -> dict[str, str]:
    """{name: what to say} of {"name another": what to say}."""
    return {_plain(name): said for names, said in forbidden.items() for name in names.split()}


def written(answer: object, forbidden: Mapping[str, str]) -> str:
    """What to say where a function, or one of the learner's own that it calls, names what is forbidden, run or not.

    A variable may have any name: what counts is `F.conv2d`, an import, or a name that stands for such a function.
    """
    names, seen, waiting = forbidden_names(forbidden), set(), [answer]
    while waiting:
        thing = waiting.pop()
        function = getattr(thing, "func", thing)  # of a functools.partial
        code = getattr(function, "__code__", None)
        if id(function) in seen or code is None:
            continue
        seen.add(id(function))
        waiting += [cell.cell_contents for cell in function.__closure__ or () if cell != CellType()]
        for name in _named(code):
            known = function.__globals__.get(name)
            if getattr(known, "__module__", "") == function.__module__:
                waiting.append(known)
            elif known is None or callable(known):
                said = names.get(_plain(name if known is None else getattr(known, "__name__", "")))
                if said:
                    return said
    return ""


def _named(code: CodeType) -> Iterator[str]:
    """The names that a function's code reads from outside, its attributes and imports, without its own variables."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _named(inner)


def _plain(name: str) -> str:
    """AvgPool2d and avg_pool2d are the same."""
    return name.replace("_", "").lower()
