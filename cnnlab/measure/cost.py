"""What a network costs: parameters, mult-adds, activations and receptive field, from one run without any numbers.

The run is on PyTorch's meta device, whose tensors have shapes but no contents. It needs neither memory nor weights, and
it is a copy of the model that runs: the one that was given is not touched.
"""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf, isinf, prod
from operator import index
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.weak import WeakTensorKeyDictionary

from cnnlab.table import Table

Pixels = int | tuple[int, int] | None  # (height, width) where these differ


@dataclass(frozen=True)
class LayerCost:
    """What one layer costs for one image, or the layers of a stage together.

    `params` count where the run first reads them: a tied weight once, a class token for the module that appends it.
    `receptive_field` is in pixels of the image, None for all of it; `stride` is how far apart in the image neighbouring
    units lie, None once the positions are merged. A layer that did not run has no output shape.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...] | None
    params: int
    macs: int
    activations: int
    receptive_field: Pixels
    stride: Pixels


@dataclass(frozen=True, repr=False)
class Cost:
    """The cost of one image: shown as a table of the layers, or of the stages where there are over 25 layers.

    `activations` are the elements in the outputs of all leaf layers, as if none worked in place. `receptive_field` is
    that of the last feature map before its positions are merged (None: the whole image). `layers` and `stages` are in
    the order of their first call, and each adds up to the totals.
    """

    model: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    params: int
    macs: int
    activations: int
    receptive_field: Pixels
    layers: tuple[LayerCost, ...]
    stages: tuple[LayerCost, ...]

    @property
    def activation_bytes(self) -> int:
        """Memory of the activations in float32."""
        return 4 * self.activations

    def table(self, by: str = "layer") -> Table:
        """One row per "layer" or per "stage", then the total. Another `by` raises ValueError."""
        if by not in ("layer", "stage"):
            raise ValueError(f'by must be "layer" or "stage", got {by!r}')
        sums = (self.params, self.macs, self.activations)
        total = LayerCost("total", "", self.output_shape, *sums, self.receptive_field, None)
        rows = []
        for row in [*(self.layers if by == "layer" else self.stages), total]:
            field = _text(row.receptive_field or "all") if row.output_shape else ""
            shape, stride = _text(row.output_shape), _text(row.stride)
            rows.append([row.name, row.kind, shape, row.params, row.macs, row.activations, field, stride])
        header = [by, "kind", "output", "params", "mult-adds", "activations", "field", "stride"]
        return Table(header, rows, caption=f"{self.model}, input {_text(self.input_shape)}")

    def __repr__(self) -> str:
        return repr(self._shown())

    def _repr_html_(self) -> str:
        return self._shown()._repr_html_()

    def _shown(self) -> Table:
        return self.table("layer" if len(self.layers) <= 25 else "stage")


def cost(model: nn.Module, input_size: int | Sequence[int]) -> Cost:
    """Count what `model` costs for one image of `input_size`, (channels, height, width), in evaluation mode.

    (height, width), or one number for a square, take the channels from the model's first convolution (or 3). Mult-adds
    are the FLOPs of `torch.utils.flop_counter` / 2: convolutions, linear layers and attention. The receptive field is
    the theoretical one, not clipped to the image (Araujo et al. 2019, "Computing Receptive Fields of Convolutional
    Neural Networks"), for networks that do not upsample; the statistics of normalisation layers do not widen it.

    >>> measure.cost(nn.Sequential(nn.Conv2d(1, 6, 5), nn.MaxPool2d(2)), 32)
    Sequential, input 1×32×32
    layer  kind       output   params  mult-adds  activations  field  stride
    0      Conv2d     6×28×28     156    117,600        4,704      5       1
    1      MaxPool2d  6×14×14       0          0        1,176      6       2
    total             6×14×14     156    117,600        5,880      6

    Raises:
        ValueError: `input_size` has another form, or the model does not run on it.
    """
    shape = _image_shape(model, input_size)
    if isinstance(model, torch.jit.ScriptModule):
        raise ValueError("Of a TorchScript program no layers can be watched: count the module that it was made of.")
    # Deepcopy takes what is in its memo instead of copying: here a meta tensor for each tensor of the model.
    constants = [value for module in model.modules() for value in vars(module).values() if isinstance(value, Tensor)]
    memo: dict[int, Any] = {id(tensor): tensor.detach().to("meta") for tensor in [*model.buffers(), *constants]}
    memo |= {id(p): nn.Parameter(p.detach().to("meta"), p.requires_grad) for p in model.parameters()}
    twin = copy.deepcopy(model, memo).eval()
    dtype = next((p.dtype for p in model.parameters()), torch.float32)
    image = torch.empty(1, *shape, dtype=dtype, device="meta")
    run = _Run(twin, image)
    try:
        with torch.no_grad(), torch.device("meta"), run.flops, run:
            output = twin(image)
    except Exception as error:
        where = next(name for name, tally in run.tallies.items() if tally is run.working[-1]) or "its forward"
        message = f"{type(model).__name__} does not run on an input of {_text(shape)}: in {where}, {error}"
        raise ValueError(message) from error

    layers, stages = run.rows(twin)
    return Cost(
        model=type(model).__name__,
        input_shape=shape,
        output_shape=tuple(_tensors(output)[0].shape[1:]),
        params=sum(p.numel() for p in model.parameters()),
        macs=run.flops.get_total_flops() // 2,
        activations=sum(layer.activations for layer in layers),
        receptive_field=_receptive_field(run.deepest),
        layers=layers,
        stages=stages,
    )


def _image_shape(model: nn.Module, input_size: int | Sequence[int]) -> tuple[int, ...]:
    try:
        sizes = tuple(map(index, _pair(input_size)))
    except TypeError:
        sizes = ()
    if len(sizes) == 2:
        sizes = (next((m.in_channels for m in model.modules() if isinstance(m, nn.Conv2d)), 3), *sizes)
    if len(sizes) != 3 or min(sizes) < 1:
        raise ValueError(f"input_size must be (channels, height, width), (height, width) or a size, got {input_size!r}")
    return sizes


def _text(value: object) -> str:
    return "×".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)


def _pair(value: Any) -> Any:
    """One number, or a sequence of one, stands for both axes."""
    sequence = value if isinstance(value, Sequence) else (value,)
    return (*sequence, *sequence) if len(sequence) == 1 else sequence


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


class _Axis(NamedTuple):
    """One axis of a feature map: its unit i sees the image's pixels from first + i * jump to last + i * jump."""

    first: float
    last: float
    jump: int
    size: int

    def through(self, kernel: int, stride: int, padding: int, dilation: int, size: int) -> "_Axis":
        """The axis that a sliding window leaves, `size` units long."""
        first = self.first - padding * self.jump
        last = self.last + ((kernel - 1) * dilation - padding) * self.jump
        return _Axis(first, last, self.jump * stride, size)

    def merged(self) -> "_Axis":
        """The axis where each unit depends on all units of this one."""
        return self if self.size == 1 else self._replace(first=-inf, last=inf)


_Field = tuple[_Axis, _Axis]


def _pixels(height: float, width: float) -> Pixels:
    return None if isinf(height + width) else height if height == width else (height, width)


def _receptive_field(field: _Field) -> Pixels:
    return _pixels(*(axis.last - axis.first + 1 for axis in field))


def _is_map(tensor: Tensor) -> bool:
    return sum(size > 1 for size in tensor.shape[1:]) > 1


@dataclass
class _Tally:
    """What one module did in the run, without what its children did."""

    is_leaf: bool = True
    output: Tensor | None = None
    field: _Field | None = None
    params: int = 0
    macs: int = 0
    activations: int = 0

    def cost(self, name: str, module: nn.Module) -> LayerCost:
        shape = None if self.output is None else tuple(self.output.shape[1:])
        seen = self.field and _receptive_field(self.field)
        stride = _pixels(*(axis.jump for axis in self.field)) if self.field and (seen or _is_map(self.output)) else None
        return LayerCost(name, type(module).__name__, shape, self.params, self.macs, self.activations, seen, stride)


class _Run(TorchDispatchMode):
    """Watches each operation of a run: which module calls it, which parameters it reads, how far its output sees."""

    def __init__(self, model: nn.Module, image: Tensor) -> None:
        super().__init__()
        self.flops = FlopCounterMode(display=False)
        self.fields = WeakTensorKeyDictionary()
        self.fields[image] = self.deepest = tuple(_Axis(0, 0, 1, size) for size in image.shape[2:])
        self.tallies: dict[str, _Tally] = {}
        self.working: list[_Tally] = []  # the modules whose forward has begun and not ended, the innermost last
        self.known: set[int] = set()
        for name, module in model.named_modules():
            # The copy brought the caller's hooks along, which would act on things of the caller's.
            module._forward_pre_hooks.clear()
            module._forward_hooks.clear()
            module.register_forward_pre_hook(partial(self._enter, name))
            module.register_forward_hook(self._leave)

    def _enter(self, name: str, module: nn.Module, args: Any) -> None:
        if self.working:
            self.working[-1].is_leaf = False
        self.working.append(self.tallies.setdefault(name, _Tally()))

    def _leave(self, module: nn.Module, args: Any, output: Any) -> None:
        tally = self.working.pop()
        # Of several outputs, a layer's first counts (attention, its weights), but a cell's last (its input, its map).
        tally.output = _tensors(output)[0 if tally.is_leaf else -1]
        tally.field = self.fields.get(tally.output)
        tally.activations += tally.output.numel() if tally.is_leaf else 0

    def _read(self, tensors: Iterable[Tensor], tally: _Tally) -> None:
        """Count for `tally` the parameters among `tensors` that nobody has read before."""
        new = {id(t): t.numel() for t in tensors if isinstance(t, nn.Parameter) and id(t) not in self.known}
        tally.params += sum(new.values())
        self.known.update(new)

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = self.flops.get_total_flops()
        output = op(*args, **(kwargs or {}))
        self.working[-1].macs += (self.flops.get_total_flops() - before) // 2
        tensors = _tensors((args, kwargs))
        self._read(tensors, self.working[-1])
        if sources := [tensor for tensor in tensors if tensor in self.fields]:
            results = _tensors(output)
            field = _field_after(op.overloadpacket.__name__, args, sources, results[0], self.fields)
            for result in results:
                self.fields[result] = field
            if _receptive_field(field) or _is_map(results[0]):
                self.deepest = field
        return output

    def rows(self, model: nn.Module) -> tuple[tuple[LayerCost, ...], tuple[LayerCost, ...]]:
        """The layers, and the stages that they belong to, in the order of their first call."""
        modules = dict(model.named_modules())
        for name, module in modules.items():  # what the run did not need (auxiliary heads) counts where it is held
            self._read(module.parameters(recurse=False), self.tallies.setdefault(name, _Tally(is_leaf=False)))
        every = [(tally, tally.cost(name or "(model)", modules[name])) for name, tally in self.tallies.items()]
        layers = [row for tally, row in every if tally.is_leaf or row.params or row.macs]
        by_name = {row.name: row for _, row in every}
        groups: dict[str, list[LayerCost]] = {}
        for row in layers:
            parts = row.name.split(".")
            groups.setdefault(".".join(parts[: 2 if parts[0] == "stages" else 1]), []).append(row)
        stages = []
        for name, group in groups.items():
            # A stage ends where its module does (after an addition, say); a mere list of layers, with the last of them.
            called = by_name[name].output_shape
            stage = by_name[name] if called else replace(group[-1], name=name, kind=by_name[name].kind)
            sums = {count: sum(getattr(row, count) for row in group) for count in ("params", "macs", "activations")}
            stages.append(replace(stage, **sums))
        return tuple(layers), tuple(stages)


def _field_after(op: str, args: Any, sources: Sequence[Tensor], output: Tensor, fields: Any) -> _Field:
    """The field of the `output` of one operation on `sources`: what these see together, unless `op` is known here."""
    ranges = [zip(*axes, strict=True) for axes in zip(*(fields[source] for source in sources), strict=True)]
    field = tuple(_Axis(min(first), max(last), max(jump), max(size)) for first, last, jump, size in ranges)
    merged = tuple(axis.merged() for axis in field)
    source, given = sources[0], [*args, None, None, None]  # an operation may omit its last arguments

    def slide(kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> _Field:
        windows = zip(*map(_pair, (kernel, stride, padding, dilation)), output.shape[-2:], strict=True)
        return tuple(axis.through(*window) for axis, window in zip(field, windows, strict=True))

    match op:
        case "convolution" if output.ndim == 4:
            return slide(args[1].shape[2:], *args[3:6])
        case "max_pool2d_with_indices":
            return slide(args[1], given[2] or args[1], given[3] or 0, given[4] or 1)
        case "avg_pool2d":
            return slide(args[1], given[2] or args[1], given[3] or 0)
        case "_adaptive_avg_pool2d" | "adaptive_max_pool2d" if output.shape[-2:].numel() > 1:
            # Where the sizes do not divide, the windows have several lengths: all count as long as the last.
            sizes = [(n, kept, max(1, n // kept)) for n, kept in zip(source.shape[-2:], output.shape[-2:], strict=True)]
            return slide([n - (kept - 1) * stride for n, kept, stride in sizes], [stride for _, _, stride in sizes], 0)
        case "constant_pad_nd" if source.ndim == 4:
            left, _, top, *_ = [*args[1], 0, 0]
            return slide(1, 1, (top, left))
        case "slice" if source.ndim == 4 and args[1] % 4 > 1:
            kept = [range(n) for n in source.shape[-2:]]
            kept[args[1] % 4 - 2] = kept[args[1] % 4 - 2][slice(*given[2:5])]
            return slide(1, [k.step for k in kept], [-k.start for k in kept])
        case "mean" | "sum" | "amax":
            last = max(dim % source.ndim for dim in given[1] or [-1])
            return field if source.ndim >= 4 and last < source.ndim - 2 else merged
        case "mm" | "addmm" | "bmm" | "baddbmm":
            # A linear layer with a row for each position (tokens: and one for the class token) is a 1x1 convolution;
            # with fewer, its input is a flattened map. A product of two activations is attention.
            rows, features, positions = source.shape[:-1].numel(), source.shape[-1], prod(axis.size for axis in field)
            pointwise = rows == positions or (rows > positions and features != positions)
            return field if pointwise and len(sources) == 1 else merged
    return merged if "attention" in op or "adaptive" in op else field
