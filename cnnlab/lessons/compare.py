"""Compares what an answer gave with what it should have given, and says in words where the two differ.

A number is the same number as a Python, NumPy or 0-d torch number, exact or rounded, and a float that is whole counts
as a whole number (3.0 is 3). Tensors may be of any float type, and NumPy's. Lists and tuples stand for each other.
Shapes are compared exactly.
"""

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from numbers import Integral, Number

import numpy as np
import torch
from torch import Tensor, nn

_FEW = 16  # numbers of a tensor, or entries of a list, that are printed one by one
_EXACT = 2**53  # whole numbers up to here are exact as floats


@dataclass(frozen=True)
class Difference:
    """The first place where two values differ.

    place: as one would index it, "" for the value itself; expected, got: what stands there; note: one more sentence.
    """

    place: str
    expected: str
    got: str
    note: str = ""


def kind(value: object) -> str:
    """What a value is, in words.

    >>> kind([torch.zeros(2), torch.zeros(3)]), kind((1, 2)), kind(torch.zeros(2, 3))
    ('a list of 2 tensors', 'a tuple of 2 numbers', 'a tensor of shape (2, 3)')
    """
    if value is None:
        return "nothing (None)"
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if number(value) is not None and not isinstance(value, (Tensor, np.ndarray)):
        return f"the number {shown(value)}"
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, np.ndarray):
        return f"a NumPy array of shape {value.shape}"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, Mapping):
        return f"a dictionary of {_count(len(value), 'entry', 'entries')}"
    if isinstance(value, (list, tuple, Set)):
        name = "set" if isinstance(value, Set) else type(value).__name__
        return f"a {name} of {_count(len(value), *_common(value))}" if len(value) else f"an empty {name}"
    if isinstance(value, nn.Module):
        return f"a network ({type(value).__name__})"
    if isinstance(value, type):
        return f"a class ({value.__name__})"
    if callable(value):
        return "a function"
    return f"{'an' if type(value).__name__[0] in 'aeiouAEIOU' else 'a'} {type(value).__name__}"


def shown(value: object, digits: int = 6, few: int = _FEW) -> str:
    """A value as it is shown to the learner: of more than a few numbers only what they are."""
    if isinstance(value, Tensor):
        if value.numel() > few or value.is_meta:
            return kind(value)
        return shown(value.detach().cpu().tolist(), digits)
    if isinstance(value, (np.ndarray, np.generic)):
        return shown(value.tolist(), digits) if value.size <= few else kind(value)
    if isinstance(value, (bool, str)) or value is None:
        return repr(value)[:200]
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, (float, Fraction, Decimal)):
        return f"{float(value):.{digits}g}"
    if isinstance(value, Mapping) and len(value) <= few:
        return "{" + ", ".join(f"{shown(k)}: {shown(v, digits, few)}" for k, v in value.items()) + "}"
    if isinstance(value, Set) and len(value) <= few:
        return "{" + ", ".join(sorted(shown(v, digits) for v in value)) + "}" if value else "an empty set"
    if isinstance(value, (list, tuple)) and len(value) <= few:
        inner = ", ".join(shown(v, digits, few) for v in value)
        comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{comma})"
    return kind(value)


def number(value: object) -> int | float | Fraction | None:
    """A Python number of any kind of number, 0-d tensors and arrays of one element included; None of all else."""
    if isinstance(value, (Tensor, np.ndarray)):
        one = (value.numel() if isinstance(value, Tensor) else value.size) == 1 and value.ndim <= 1
        return number(value.item()) if one and not (isinstance(value, Tensor) and value.is_meta) else None
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Fraction):
        return value
    if isinstance(value, (Number, np.generic, Decimal)) and not isinstance(value, (complex, np.complexfloating)):
        return float(value)
    return None


def difference(expected: object, got: object, tolerance: float = 1e-4) -> Difference | None:
    """Where `got` is not what was expected: first what kind it is, its length and shape, then its values.

    tolerance: of floats, relative to the expected number, or to a tenth of it to the largest number of its tensor.

    >>> difference(3, np.int64(3)), difference(torch.ones(2), np.ones(2))
    (None, None)
    >>> difference([1, 2, 3], (1, 2))
    Difference(place='', expected='a list of 3 numbers', got='a tuple of 2 numbers', note='')
    """
    if isinstance(expected, (Tensor, np.ndarray)) and expected.ndim:
        return _tensors(torch.as_tensor(expected), got, tolerance)
    if (right := number(expected)) is not None:
        return _numbers(right, got, tolerance, isinstance(expected, (bool, np.bool_)))
    if isinstance(expected, Mapping):
        return _mappings(expected, got, tolerance)
    if isinstance(expected, Set):
        return _sets(expected, got)
    if isinstance(expected, (list, tuple)):
        return _sequences(expected, got, tolerance)
    if isinstance(expected, nn.Module):
        return None if isinstance(got, nn.Module) else Difference("", "a network (nn.Module)", kind(got))
    if isinstance(expected, str):
        same = isinstance(got, str) and str(got) == expected
    else:
        same = got is None if expected is None else type(got) is type(expected) and bool(got == expected)
    return None if same else Difference("", _asked(expected), shown(got) if isinstance(got, str) else kind(got))


def _asked(expected: object) -> str:
    """The kind of what is asked for, without giving it away."""
    if number(expected) is not None:
        return "True or False" if isinstance(expected, (bool, np.bool_)) else "a number"
    return shown(expected) if isinstance(expected, str) else kind(expected)


def _numbers(right: int | float | Fraction, got: object, tolerance: float, truth: bool) -> Difference | None:
    value = number(got)
    if value is None:
        return Difference("", "True or False" if truth else "a number", kind(got))
    if isinstance(right, int):
        rough = isinstance(value, float) and abs(right) > _EXACT
        same = math.isclose(value, right, rel_tol=1e-12) if rough else value == right
    elif math.isnan(right):
        same = math.isnan(value)
    else:
        same = math.isclose(value, right, rel_tol=tolerance, abs_tol=1e-7 if right else 1e-6)
    if same:
        return None
    if truth and value in (0, 1):
        return Difference("", str(bool(right)), str(bool(value)))
    return Difference("", *_pair(right, value), note=_no_number(value))


def _tensors(right: Tensor, got: object, tolerance: float) -> Difference | None:
    value = _tensor(got)
    if value is None or value.shape != right.shape:
        return Difference("", kind(right), kind(got))
    close = _close(right, value, tolerance)
    if close.all():
        return None
    first = tuple((~close).nonzero()[0].tolist())
    note = _no_number(value[first].item())
    if right.numel() <= _FEW:
        places = f"They differ first at {list(first)}. " if right.numel() > 1 else ""
        return Difference("", *_pair(right, value), note=places + note)
    differ = int((~close).sum())
    many = f"{differ:,} of the {right.numel():,} numbers differ. " if differ < right.numel() else ""
    return Difference(str(list(first)), *_pair(right[first].item(), value[first].item()), note=many + note)


def _close(right: Tensor, value: Tensor, tolerance: float) -> Tensor:
    right, value = right.detach().cpu(), value.detach().cpu()
    if not right.is_floating_point():
        return right == value
    right, value = right.double(), value.double()
    size = right[right.isfinite()].abs()
    scale = size.max().item() if size.numel() and size.any() else 0.1
    return torch.isclose(value, right, rtol=tolerance, atol=0.1 * tolerance * scale, equal_nan=True)


def _tensor(value: object) -> Tensor | None:
    """A real tensor on the processor, of a tensor or NumPy array."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        value = torch.as_tensor(value.copy())
    if not isinstance(value, Tensor) or value.is_meta or value.is_complex():
        return None
    value = value.detach().cpu()
    return value.to_dense() if value.layout != torch.strided else value


def _mappings(right: Mapping, got: object, tolerance: float) -> Difference | None:
    if not isinstance(got, Mapping):
        return Difference("", kind(right), kind(got))
    if missing := [key for key in right if key not in got]:
        return Difference("", f"a dictionary with the entry {shown(missing[0])}", f"without it ({kind(got)})")
    if extra := [key for key in got if key not in right]:
        return Difference("", f"a dictionary without the entry {shown(extra[0])}", "with it")
    return _first((f"[{shown(key)}]", difference(right[key], got[key], tolerance)) for key in right)


def _sets(right: Set, got: object) -> Difference | None:
    if not isinstance(got, (Set, list, tuple, Mapping)):
        return Difference("", kind(right), kind(got))
    names = set(got)
    if names == set(right):
        return None
    missing, extra = sorted(map(shown, set(right) - names)), sorted(map(shown, names - set(right)))
    lists = [f"missing: {', '.join(missing)}"] * bool(missing) + [f"too much: {', '.join(extra)}"] * bool(extra)
    return Difference("", shown(right), shown(names), note=f"{'; '.join(lists).capitalize()}. ")


def _sequences(right: Sequence, got: object, tolerance: float) -> Difference | None:
    listed = got
    arrays = isinstance(got, (Tensor, np.ndarray)) and got.ndim
    if arrays or isinstance(got, (range, type({}.keys()), type({}.values()))):
        listed = list(got)
    if not isinstance(listed, (list, tuple)) or len(listed) != len(right):
        return Difference("", kind(right), kind(got))
    return _first(
        (f"[{index}]", difference(a, b, tolerance)) for index, (a, b) in enumerate(zip(right, listed, strict=True))
    )


def _first(parts: Iterable[tuple[str, Difference | None]]) -> Difference | None:
    for place, found in parts:
        if found:
            return Difference(place + found.place, found.expected, found.got, found.note)
    return None


def _pair(right: object, value: object) -> tuple[str, str]:
    """Both as text, with as many digits as it takes to tell them apart."""
    texts = ("", "")
    for digits in (6, 9, 12, 17):
        texts = shown(right, digits), shown(value, digits)
        if texts[0] != texts[1]:
            break
    return texts


def _no_number(value: float) -> str:
    if isinstance(value, Fraction) or math.isfinite(value):
        return ""
    if math.isnan(value):
        return "nan is not a number: 0 / 0 gives it, or the root or the logarithm of a negative number. "
    return "inf is larger than any number: a division by 0 gives it, or the exponential of a large number. "


def _count(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _common(values: Iterable[object]) -> tuple[str, str]:
    """What all of the values are, as singular and plural."""
    words = {
        "tensor" if isinstance(v, Tensor) else "number" if number(v) is not None else
        "text" if isinstance(v, str) else type(v).__name__ for v in values
    }  # fmt: skip
    word = words.pop() if len(words) == 1 else "thing"
    return word, f"{word}s"


def relation(pairs: Sequence[tuple[object, object]], sizes: Sequence[Mapping[str, int]] = (), tolerance=1e-4) -> str:
    """How what was got comes from what was expected in all cases alike, as a sentence; "" where nothing simple does.

    pairs: (expected, got) of each case. sizes: for each case named sizes that may be the factor between the two.
    """
    values = [(_array(expected), _array(got)) for expected, got in pairs]
    if not values or any(a is None or b is None or not a.numel() for a, b in values):
        return ""
    if said := _moved(values, tolerance):
        return said
    if any(a.shape != b.shape for a, b in values):
        return ""
    right, got = (torch.cat([pair[i].flatten() for pair in values]) for i in (0, 1))
    if not got.isfinite().all() or len(right.unique()) < 3:
        return ""

    lengths = [a.numel() for a, _ in values]

    def same(candidate: Tensor) -> bool:  # each case by its own size: beside a huge number any small one would be close
        pairs = zip(candidate.split(lengths), got.split(lengths), strict=True)
        return bool(candidate.isfinite().all()) and all(bool(_close(a, b, tolerance).all()) for a, b in pairs)

    if same(-right):
        return "Yours has the other sign everywhere. "
    if same(1 - right):
        return "Yours is 1 minus the right result everywhere. "
    if same(1 / right):
        return "Yours is 1 divided by the right result everywhere: it is upside down. "
    if same(right * (factor := (right @ got / (right @ right)).item())):
        return f"Yours is {_times(factor)} the right result everywhere. " if factor else ""
    if same(right + (step := (got - right).median().item())):
        return f"Yours is {shown(abs(step), 4)} {'more' if step > 0 else 'less'} than the right result everywhere. "
    if same(right**2):
        return "Yours is the square of the right result everywhere. "
    if (right >= 0).all() and same(right**0.5):
        return "Yours is the square root of the right result everywhere. "
    for name in set.intersection(*(set(size) for size in sizes)) if len(sizes) == len(values) else ():
        for power, words in ((1, f"{name} times the right result"), (-1, f"the right result divided by {name}")):
            if all(size[name] for size in sizes):
                scaled = [a.flatten() * float(size[name]) ** power for (a, _), size in zip(values, sizes, strict=True)]
                if same(torch.cat(scaled)):
                    return f"Yours is {words} everywhere. "
    return ""


def _moved(values: Sequence[tuple[Tensor, Tensor]], tolerance: float) -> str:
    """The right numbers in other places: axes exchanged, mirrored, with rows too many or too few."""

    def all_are(change) -> bool:
        try:
            return all(
                a.shape == (moved := change(b)).shape and bool(_close(a, moved, tolerance).all()) for a, b in values
            )
        except (RuntimeError, IndexError, ValueError):
            return False

    dims = {tensor.ndim for pair in values for tensor in pair}
    if len(dims) != 1 or not (axes := range(min(dims))) or min(max(a.unique().numel() for a, _ in values), 2) < 2:
        return ""
    for order in permutations(axes):
        if list(order) != sorted(order) and all_are(lambda b, order=order: b.permute(order)):
            return (
                "Yours is the right result transposed. "
                if len(axes) == 2
                else f"Yours has the right numbers with the axes in another order: .permute{order} would put it right. "
            )
    for axis in axes:
        if all_are(lambda b, axis=axis: b.flip(axis)):
            where = "in reverse order" if len(axes) == 1 else f"mirrored along axis {axis}"
            return f"Yours is the right result {where}. "
        more = {b.shape[axis] - a.shape[axis] for a, b in values}
        if len(more) != 1 or (count := more.pop()) == 0:
            continue
        for end, start in (("end", 0), ("beginning", abs(count))):
            if count > 0 and all_are(lambda b, axis=axis, s=start: b.narrow(axis, s, b.shape[axis] - count)):
                return f"Yours is the right result with {count} more at the {end} of axis {axis}. "
            swapped = [(b, a) for a, b in values]
            if count < 0 and all(
                b.shape == (kept := a.narrow(axis, start, a.shape[axis] + count)).shape
                and bool(_close(kept, b, tolerance).all())
                for b, a in swapped
            ):
                return f"Yours is the right result without the {end} of axis {axis} ({-count} missing). "
    return ""


def _times(factor: float) -> str:
    for value, words in ((factor, "{} times"), (1 / factor, "1 / {} of")):
        if value > 1.5 and math.isclose(value, round(value), rel_tol=1e-3):
            return words.format(round(value))
    return f"{shown(factor, 4)} times"


def _array(value: object) -> Tensor | None:
    """The value as a float64 tensor: of a tensor, a number or a list of numbers."""
    if (found := _tensor(value)) is not None:
        return found.double()
    if (found := number(value)) is not None:
        return torch.tensor(float(found), dtype=torch.float64)
    if isinstance(value, (list, tuple)) and value and all(number(v) is not None for v in value):
        return torch.tensor([float(number(v)) for v in value], dtype=torch.float64)
    return None
