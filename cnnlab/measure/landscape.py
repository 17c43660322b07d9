"""Loss surfaces: the loss of a network over a plane through its parameters (Li et al. 2018, arXiv 1712.09913)."""

import copy
import itertools
import json
import math
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_weights
from tqdm.auto import tqdm

from cnnlab import files
from cnnlab.data.dataset import Split
from cnnlab.device import Precision, autocast, find_device, has_bf16, processes
from cnnlab.measure.fused import fused, repack
from cnnlab.measure.planes import Plane, State, random_plane, whole_state


@dataclass
class LossSurface:
    """Loss and accuracy over a grid of points of a plane. What was not measured yet is NaN.

    x, y: the coordinates, (columns,) and (rows,); loss, accuracy: (rows, columns).
    provenance: what it was measured on and how, as plain values.
    """

    x: Tensor
    y: Tensor
    loss: Tensor
    accuracy: Tensor
    provenance: dict[str, object] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return not self.loss.isnan().any().item()

    @property
    def points_per_second(self) -> float:
        return self.provenance.get("measured", 0) / max(self.provenance.get("seconds", 0.0), 1e-9)

    def curvatures(self) -> Tensor:
        """How the surface bends at each inner point: (rows - 2, columns - 2, 2), the smaller curvature first.

        They are the eigenvalues of the Hessian in the plane, by central differences, in nats per unit of x and y
        squared. Where the smaller one is negative, the surface bends down in some direction: it is not convex there.
        """
        z, x, y = self.loss.double(), (self.x[1] - self.x[0]).item(), (self.y[1] - self.y[0]).item()
        middle = z[1:-1, 1:-1]
        along_x = (z[1:-1, 2:] - 2 * middle + z[1:-1, :-2]) / x**2
        along_y = (z[2:, 1:-1] - 2 * middle + z[:-2, 1:-1]) / y**2
        mixed = (z[2:, 2:] - z[2:, :-2] - z[:-2, 2:] + z[:-2, :-2]) / (4 * x * y)
        mean, spread = (along_x + along_y) / 2, (((along_x - along_y) / 2) ** 2 + mixed**2).sqrt()
        return torch.stack([mean - spread, mean + spread], dim=2).float()

    def every(self, step: int) -> "LossSurface":
        """The surface at every step-th point: `laplacian` and `minima` are compared on grids of the same spacing.

        >>> LossSurface(torch.arange(51.0), torch.arange(51.0), *torch.ones(2, 51, 51)).every(2)
        LossSurface of 26 x 26 points, loss 1 to 1
        """
        grids = (grid[::step, ::step] for grid in (self.loss, self.accuracy))
        return LossSurface(self.x[::step], self.y[::step], *grids, self.provenance)

    @property
    def laplacian(self) -> float:
        """How rough the surface is from point to point: the mean size of the discrete Laplacian of the log loss.

        At each inner point: the log loss of its four neighbours, minus four times its own. A plane has 0. So does a
        saddle, and a smooth surface has four times as much where the points are twice as far apart: compare surfaces
        on grids of the same spacing, and do not take a deep bowl for a rough one. On 13 x 13 points from -1 to 1 the
        paper's ResNet-56 has 0.31, and the same network without shortcuts 0.96.
        """
        log = self._log()
        around = log[1:-1, 2:] + log[1:-1, :-2] + log[2:, 1:-1] + log[:-2, 1:-1]
        return (around - 4 * log[1:-1, 1:-1]).abs().mean().item()

    @property
    def minima(self) -> int:
        """How many local minima it has: inner points whose loss is below that of all eight points around.

        A bowl has 1. Valleys that are narrower than the spacing of the grid are not seen, so that a finer grid may have
        more; a point on the edge of the grid is none, since the surface may go down outside.
        """
        log = self._log()
        rows, columns = log.shape
        shifts = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
        around = torch.stack([log[i : i + rows - 2, j : j + columns - 2] for i, j in shifts])
        return (log[1:-1, 1:-1] < around.amin(0)).sum().item()

    def descent(self, rays: int = 72) -> float:
        """How much of the way outwards goes downhill: the log loss that is lost on a ray from the centre, in the mean.

        Each ray goes from the middle of the grid to the largest circle in it, in steps as long as the grid's, the log
        loss between the points being interpolated linearly; the steps that lead down are added up. A bowl around the
        middle has 0, however steep it is; 1 says that on its way out a ray loses, in all, a factor e of its loss.
        """
        log = self._log()
        steps = max(log.shape) // 2
        angle = torch.arange(rays, dtype=log.dtype) * (2 * math.pi / rays)
        radius = torch.linspace(0, 1, steps + 1, dtype=log.dtype)
        places = radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)[:, None]
        along = F.grid_sample(log[None, None], places[None], align_corners=True)[0, 0]  # (rays, steps + 1)
        return along.diff(dim=1).clamp(max=0).abs().sum(1).mean().item()

    def _log(self) -> Tensor:
        if not self.complete or min(self.loss.shape) < 3:
            raise ValueError(f"This takes a whole surface of at least 3 x 3 points; here is a {self!r}.")
        return self.loss.double().clamp(min=1e-12).log()

    def save(self, path: str | Path) -> None:
        """Write everything to one safetensors file, whole or not at all."""
        tensors = {name: getattr(self, name).contiguous() for name in ("x", "y", "loss", "accuracy")}
        with files.written_whole(path) as beside:
            save_file(tensors, beside, metadata={"cnnlab": "loss surface", "provenance": json.dumps(self.provenance)})

    @staticmethod
    def load(path: str | Path) -> "LossSurface":
        """Read what `save` wrote. Raises ValueError for a damaged or foreign file, FileNotFoundError for none."""
        path = files.place(path)
        if not path.exists():
            raise FileNotFoundError(f"There is no loss surface at {path}.")
        try:
            with safe_open(path, "pt") as file:
                metadata = file.metadata() or {}
                if metadata.get("cnnlab") != "loss surface":
                    raise ValueError("it is another kind of file")
                tensors = {name: file.get_tensor(name) for name in ("x", "y", "loss", "accuracy")}
                surface = LossSurface(**tensors, provenance=json.loads(metadata["provenance"]))
            shape = (len(surface.y), len(surface.x))
            if surface.loss.shape != shape or surface.accuracy.shape != shape:
                raise ValueError("its grids do not fit together")
            if not isinstance(surface.provenance, dict):
                raise ValueError("its provenance is no dictionary")
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            raise ValueError(f"{path} is damaged or no loss surface ({error}). Delete it and measure again.") from error
        return surface

    def __repr__(self) -> str:
        rows, columns = self.loss.shape
        known = self.loss[~self.loss.isnan()]
        measured = f", loss {known.min():.3g} to {known.max():.3g}" if len(known) else ""
        missing = "" if self.complete else f", {self.loss.isnan().sum()} points missing"
        return f"LossSurface of {rows} x {columns} points{measured}{missing}"


def loss_surface(
    model: nn.Module,
    split: Split,
    *,
    plane: Plane | None = None,
    points: int | tuple[int, int] = 21,
    span: float | tuple[float, float, float, float] = 1.0,
    seed: int = 0,
    precision: Precision = "auto",
    device: str | torch.device | None = None,
    batch_size: int = 250,
    file: str | Path | None = None,
    progress: bool = True,
) -> LossSurface:
    """The loss of a network on the images of a split, at points x points places of a plane through its parameters.

    plane: random and filter-normalised by `seed` where None; see random_plane, plane_through, principal_plane.
    points: of each axis, or (columns, rows). span: x and y go from -span to span, or (left, right, bottom, top).
    precision: as in `training.fit`. At the grid's corners and centre both precisions are compared; the largest
        difference in loss, relative to 1 + loss, stands in the provenance as "bf16_error".
    file: where the surface is kept while it is measured. If it is there already, with the same settings, measuring goes
        on from it. The stop button returns what was measured so far.

    Batch norms use their running statistics and are folded into the convolutions before them; on a processor these add
    and rectify, too (see `fused`). Under `torchrun` the
    processes share the points, and each returns the whole surface.

    Raises ValueError for an impossible grid, an empty split, or a file that holds another surface.
    """
    columns, rows = (points, points) if isinstance(points, int) else points
    if min(columns, rows) < 1 or len(split) == 0:
        raise ValueError(f"A surface needs at least 1 x 1 points and one image, not {columns} x {rows}, {len(split)}.")
    left, right, bottom, top = (-span, span, -span, span) if isinstance(span, (int, float)) else span
    device = find_device(device)
    plane = plane or random_plane(model, seed)
    x, y = torch.linspace(left, right, columns), torch.linspace(bottom, top, rows)
    surface = LossSurface(x, y, torch.full((rows, columns), math.nan), torch.full((rows, columns), math.nan))
    settings = {
        "model": type(model).__name__,
        "plane": plane.about,
        "images": len(split),
        "span": [left, right, bottom, top],
    }
    settings["start"] = _checksum(plane, split)
    file = file and files.place(file)
    if file and file.exists():
        surface = LossSurface.load(file)
        known = {key: surface.provenance.get(key) for key in settings}
        if known != settings or surface.loss.shape != (rows, columns):
            raise ValueError(f"{file} holds another surface ({known}). Name another file, or delete that one.")
    probe = Prober(model, plane, split, device, precision, batch_size)
    surface.provenance |= settings | {"precision": probe.precision, "device": device.type}
    if probe.precision == "bf16":
        surface.provenance["bf16_error"] = _rounding(model, plane, split, device, x, y)

    before = surface.provenance.get("seconds", 0.0), surface.provenance.get("measured", 0)  # of a run that was stopped
    rank, world = processes(device)
    todo = surface.loss.flatten().isnan().nonzero().flatten().tolist()[rank::world]
    start, measured, saved = time.perf_counter(), 0, time.perf_counter()
    try:
        for i in tqdm(todo, unit="points", disable=not progress or rank > 0):
            surface.loss.view(-1)[i], surface.accuracy.view(-1)[i] = probe(x[i % columns], y[i // columns])
            measured += 1
            if file and world == 1 and time.perf_counter() - saved > 5:
                _note(surface, start, measured, before).save(file)
                saved = time.perf_counter()
    except KeyboardInterrupt:
        pass
    _note(surface, start, measured, before)
    if world > 1:
        _gather(surface)
    if file and rank == 0:
        surface.save(file)
    return surface


def loss_line(
    model: nn.Module,
    split: Split,
    *,
    to: State | None = None,
    points: int = 41,
    span: tuple[float, float] = (-1.0, 1.0),
    **options,
) -> LossSurface:
    """The loss along a line: through the model in a random direction, or from it (0) to the state `to` (1).

    options: those of `loss_surface`. The result has one row. Beyond the two ends a batch norm's variance can become
        negative, and the loss NaN.
    """
    plane = random_plane(model, options.get("seed", 0))
    if to is not None:
        origin = whole_state(model)
        missing = [name for name in origin if name not in to or to[name].shape != origin[name].shape]
        if missing:
            raise ValueError(
                f"`to` is no state of this {type(model).__name__}: {missing[0]} is missing or differs in shape."
            )
        # Everything moves on the way to another network, batch norms' parameters and statistics as well.
        plane = Plane(
            origin, {k: to[k] - v for k, v in origin.items() if v.is_floating_point()}, {}, "between two states"
        )
    return loss_surface(model, split, plane=plane, points=(points, 1), span=(*span, 0.0, 0.0), **options)


class Prober:
    """Evaluates a network at a place of a plane: x, y -> loss and accuracy."""

    def __init__(
        self,
        model: nn.Module,
        plane: Plane,
        split: Split,
        device: torch.device,
        precision: Precision,
        batch_size: int,
    ) -> None:
        autocast(device, precision)  # refuses an unknown precision
        moving = {**plane.first, **plane.second}
        fixed_norms = not any(name.rpartition(".")[2].startswith("running_") for name in moving)
        wants_bf16 = precision == "bf16" or (precision == "auto" and has_bf16(device))
        self.precision = "bf16" if wants_bf16 and fixed_norms else "fp32"
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float32
        self.batches = [
            (split.inputs(slice(i, i + batch_size)), split.labels[i : i + batch_size])
            for i in range(0, len(split), batch_size)
        ]
        self.batches = [(x.to(device, dtype, memory_format=torch.channels_last), y.to(device)) for x, y in self.batches]
        self.model = copy.deepcopy(model).to(device).eval()
        self.model.load_state_dict(plane.origin)
        origin, *directions = [
            {k: v.to(device) for k, v in part.items()} for part in (plane.origin, plane.first, plane.second)
        ]
        if fixed_norms:  # then folding is linear: fold the origin and the directions, once
            origin, *directions = fold(self.model, origin, directions)
        names = [name for name, value in origin.items() if value.is_floating_point()]
        self.origin = _flat([origin[name] for name in names])
        self.directions = [_flat([d.get(n, torch.zeros_like(origin[n])) for n in names]) for d in directions]
        self.model.to(dtype, memory_format=torch.channels_last)
        state = self.model.state_dict(keep_vars=True)
        self.moved = [state[name].detach() for name in names]
        self.there = torch.zeros_like(self.origin, dtype=dtype)  # the numbers of the network that is evaluated
        self.run = fused(self.model, self.batches[0][0][:2]) or self.model
        self.evaluate = self._evaluate
        if device.type == "cuda":
            self._capture()

    @torch.inference_mode()
    def _capture(self) -> None:
        """Record the hundreds of kernels of an evaluation once, since to launch them takes longer than they run."""
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            self(0.0, 0.0)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            scores = self._evaluate()

        def replayed() -> tuple[Tensor, Tensor]:
            graph.replay()
            return scores

        self.evaluate = replayed

    @torch.inference_mode()
    def __call__(self, x: float | Tensor, y: float | Tensor) -> tuple[float, float]:
        self.there.copy_(self.origin + float(x) * self.directions[0] + float(y) * self.directions[1])
        return tuple(score.item() for score in self.evaluate())

    def _evaluate(self) -> tuple[Tensor, Tensor]:
        parts = self.there.split([tensor.numel() for tensor in self.moved])
        for tensor, part in zip(self.moved, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))
        repack(self.run)
        loss = accuracy = 0.0
        for images, labels in self.batches:
            logits = self.run(images).float()
            loss = loss + F.cross_entropy(logits, labels, reduction="sum")
            accuracy = accuracy + (logits.argmax(1) == labels).sum()
        total = sum(len(labels) for _, labels in self.batches)
        return loss / total, accuracy / total


def fold(model: nn.Module, origin: State, directions: list[State]) -> tuple[dict[str, Tensor], ...]:
    """Fold each batch norm into the convolution before it: in the model, in place, and in states of it.

    With its running statistics a batch norm multiplies each channel and adds to it, so that the convolution can do it.
    Returns the states of the folded model; those of directions, in which no batch norm moves, as well.
    """
    states = [dict(origin), *map(dict, directions)]
    for prefix, parent in list(model.named_modules()):
        if not isinstance(parent, nn.Sequential):
            continue
        for (at, convolution), (after, norm) in itertools.pairwise(list(parent.named_children())):
            if not (isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)):
                continue
            weight, bias, batch_norm = f"{prefix}.{at}.weight", f"{prefix}.{at}.bias", f"{prefix}.{after}."
            statistics = [origin[batch_norm + name] for name in ("running_mean", "running_var")]
            learned = [origin[batch_norm + name] for name in ("weight", "bias")]
            for index, state in enumerate(states):
                if index == 0:
                    start = (state[weight], state.get(bias), *statistics, norm.eps, *learned)
                    state[weight], state[bias] = fuse_conv_bn_weights(*start)
                elif weight in state:  # only the weight moves, so that it is scaled and the bias is not
                    zero, one = torch.zeros_like(statistics[0]), statistics[1]
                    state[weight] = fuse_conv_bn_weights(state[weight], None, zero, one, norm.eps, learned[0], zero)[0]
                for name in [name for name in state if name.startswith(batch_norm)]:
                    del state[name]
            convolution.bias = nn.Parameter(torch.zeros_like(states[0][bias]))
            setattr(parent, after, nn.Identity())
    return tuple({name: value.detach() for name, value in state.items()} for state in states)


def _flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten().float() for tensor in tensors])


def _rounding(model: nn.Module, plane: Plane, split: Split, device: torch.device, x: Tensor, y: Tensor) -> float:
    """The largest difference of bf16's loss to fp32's, relative to 1 + loss, at the grid's corners and its centre."""
    ends = [[x[i], y[j]] for i in (0, -1) for j in (0, -1)] + [[x[len(x) // 2], y[len(y) // 2]]]
    part = Split(split.images[:250], split.labels[:250], split.mean, split.std)
    losses = []
    for precision in ("fp32", "bf16"):
        probe = Prober(model, plane, part, device, precision, 250)
        losses.append(torch.tensor([probe(*place)[0] for place in ends]))
    return ((losses[1] - losses[0]).abs() / (1 + losses[0])).max().item()


def _checksum(plane: Plane, split: Split) -> str:
    """What a file must have been measured on, in eight letters."""
    value = zlib.crc32(split.labels.numpy(force=True))
    for part in (plane.origin, plane.first, plane.second):
        for tensor in part.values():
            value = zlib.crc32(tensor.contiguous().numpy(force=True).tobytes(), value)
    return f"{value:08x}"


def _note(surface: LossSurface, start: float, measured: int, before: tuple[float, int]) -> LossSurface:
    seconds = before[0] + time.perf_counter() - start
    surface.provenance |= {"seconds": round(seconds, 3), "measured": before[1] + measured}
    return surface


def _gather(surface: LossSurface) -> None:
    """Each process has measured some points: put them together in all of them."""
    for grid in (surface.loss, surface.accuracy):
        missing = grid.isnan()
        counted = (~missing).float()
        total = grid.nan_to_num(0.0)
        dist.all_reduce(total)
        dist.all_reduce(counted)
        grid.copy_(torch.where(counted > 0, total / counted, math.nan))
