"""A block drawn from its module: what its `forward` really does, traced, never by hand.

`trace` runs the module on a placeholder that remembers each call (torch.fx) and returns a `Graph`: layers, sums,
products and concatenations. `block` parses that into branches between a split and the place where they meet again, and
draws it from top to bottom.
"""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle, FancyBboxPatch
from matplotlib.textpath import TextPath
from torch import fx, nn

from cnnlab.models.efficientnet import StochasticDepth
from cnnlab.models.resnet import PadShortcut
from cnnlab.view.picture import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, VERMILLION, Picture, blank, figure

# ---- The structure of a block ----


class Node(NamedTuple):
    """One thing in a drawing.

    kind: "in", "out", "conv", "linear", "norm", "act", "pool", "other", or where maps meet "sum", "product", "cat".
    channels: of its output, None where they are not known. inputs: numbers of the nodes that it reads, in order.
    """

    kind: str
    label: str
    channels: int | None
    inputs: tuple[int, ...]


class Graph(NamedTuple):
    """A block as nodes in the order in which they are computed: first "in", last "out"."""

    nodes: tuple[Node, ...]

    @property
    def edges(self) -> list[tuple[str, str]]:
        """From label to label."""
        return [(self.nodes[source].label, node.label) for node in self.nodes for source in node.inputs]


_ACTIVATIONS = {
    **{"relu": "ReLU", "relu6": "ReLU6", "gelu": "GELU", "silu": "SiLU", "sigmoid": "sigmoid", "tanh": "tanh"},
    **{"softmax": "softmax", "hardswish": "hard swish", "leaky_relu": "leaky ReLU"},
}
_MEETINGS = {
    "add": ("sum", "+"),
    "mul": ("product", "×"),
    "cat": ("cat", "concatenate"),
    "concat": ("cat", "concatenate"),
}
_CUTS = {"chunk", "split", "tensor_split", "unbind", "getitem"}  # a layer behind these sees a part of the channels
_PLAIN = {*_ACTIVATIONS, *_MEETINGS, "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "dropout", "pad", "getitem"}


def trace(module: nn.Module, whole: Sequence[type[nn.Module]] = ()) -> Graph:
    """What `forward` does with one map, as a Graph.

    whole: classes that are one box each, whatever is in them. A layer of PyTorch is, too, and so is a module of which
        the drawing would show nothing but the moving of numbers, as self-attention.

    Raises ValueError for a module that asks for the values or the size of its input while it runs, or that has more
    than one input or output.
    """
    name = type(module).__name__
    if _of_pytorch(module):
        module = nn.Sequential(module)
    try:
        graph = _Tracer(tuple(whole)).trace(module)
    except Exception as error:  # whatever a forward of the reader's own may raise on a placeholder
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"{name} cannot be drawn: its forward does not only hand its input through layers ({reason})."
        ) from error
    inputs = [node for node in graph.nodes if node.op == "placeholder" and node.users]
    result = graph.output_node().args[0]
    if len(inputs) != 1 or not isinstance(result, fx.Node):
        raise ValueError(f"{name} cannot be drawn: a block has one input and one output.")
    if any(node.target is getattr for node in graph.nodes):
        raise ValueError(f"{name} cannot be drawn: its forward computes with the size of its input.")
    return _reached(_nodes(module, graph, tuple(whole)))


class _Tracer(fx.Tracer):
    def __init__(self, whole: tuple[type[nn.Module], ...]) -> None:
        super().__init__()
        self.whole = whole

    def is_leaf_module(self, module: nn.Module, _name: str) -> bool:
        if isinstance(module, self.whole) or not any(module.children()):
            return True
        if isinstance(module, nn.Sequential):
            return False
        return _of_pytorch(module) or not self._shows_layers(module)

    def _shows_layers(self, module: nn.Module) -> bool:
        try:
            graph = _Tracer(self.whole).trace(module)
        except Exception:
            return False
        calls = [node for node in graph.nodes if node.op in ("call_function", "call_method")]
        return all(_name(node) in _PLAIN for node in calls)


def _of_pytorch(module: nn.Module) -> bool:
    """Whether it is a layer of PyTorch, which is drawn as it is, and no container."""
    return type(module).__module__.startswith("torch.nn") and not isinstance(module, nn.Sequential)


def _name(node: fx.Node) -> str:
    """Of a function or method, without what marks it as working in place: "add" for +, += and add_."""
    name = node.target if isinstance(node.target, str) else node.target.__name__
    return {"iadd": "add", "imul": "mul"}.get(name, name.strip("_"))


def _in_place(module: nn.Module, node: fx.Node) -> bool:
    if node.op == "call_module":
        return bool(getattr(module.get_submodule(node.target), "inplace", False))
    name = node.target if isinstance(node.target, str) else node.target.__name__
    return name.endswith("_") or node.target in (operator.iadd, operator.imul) or bool(node.kwargs.get("inplace"))


def _nodes(module: nn.Module, graph: fx.Graph, whole: tuple[type[nn.Module], ...]) -> list[Node]:
    """The graph's calls as nodes. What works in place replaces its input for all that read it afterwards."""
    nodes: list[Node] = []
    held: dict[fx.Node, list[int]] = {}  # one list for all names of a map: [its node at the moment]
    for call in graph.nodes:
        if call.op == "get_attr":
            continue
        sources = [held[each] for each in call.all_input_nodes if each in held]
        before = [nodes[each[0]].channels for each in sources]
        if call.op == "placeholder":
            cut = call.users and {_name(user) for user in call.users} <= _CUTS
            node = ("in", "in", None if cut else _entering(module))
        elif call.op == "output":
            node = ("out", "out", before[0])
        elif call.op == "call_module":
            layer = module.get_submodule(call.target)
            if _does_nothing(layer):
                held[call] = sources[0]
                continue
            node = _layer(layer, before[0], whole)
        elif _name(call) in ("cat", "concat") and len(sources) == 1:
            held[call] = sources[0]
            continue
        else:
            node = _operation(call, before)
        nodes.append(Node(*node, tuple(each[0] for each in sources)))
        if call.op not in ("placeholder", "output") and _in_place(module, call):
            sources[0][0] = len(nodes) - 1
            held[call] = sources[0]
        else:
            held[call] = [len(nodes) - 1]
    return nodes


def _reached(nodes: list[Node]) -> Graph:
    """Without what is computed and not used."""
    used = {len(nodes) - 1}
    for number in reversed(range(len(nodes))):
        used |= set(nodes[number].inputs) if number in used else set()
    new = {number: index for index, number in enumerate(sorted(used | {0}))}
    return Graph(tuple(nodes[old]._replace(inputs=tuple(new[each] for each in nodes[old].inputs)) for old in new))


def _entering(module: nn.Module) -> int | None:
    """The channels that the first layer that knows them takes; as the layers stand in the module."""
    for layer in module.modules():
        for option in ("in_channels", "num_features", "in_features"):
            if isinstance(channels := getattr(layer, option, None), int):
                return channels
        if isinstance(layer, nn.LayerNorm):
            return layer.normalized_shape[-1]
    return None


def _does_nothing(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Identity) or (
        isinstance(layer, (nn.Dropout, nn.Dropout2d, StochasticDepth)) and layer.p == 0
    )


def _layer(layer: nn.Module, before: int | None, whole: tuple[type[nn.Module], ...]) -> tuple[str, str, int | None]:
    """Kind, label and channels out of a module, in the field's notation."""
    match layer:
        case nn.Conv2d():
            kind = "depthwise" if 1 < layer.groups == layer.in_channels else "conv"
            groups = f", {layer.groups} groups" if layer.groups > 1 and kind == "conv" else ""
            label = f"{_side(layer.kernel_size)} {kind}, {layer.out_channels}{groups}{_step(layer.stride)}"
            return "conv", label, layer.out_channels
        case nn.Linear():
            return "linear", f"linear, {layer.out_features}", layer.out_features
        case nn.BatchNorm2d() | nn.BatchNorm1d():
            return "norm", "BN", layer.num_features
        case nn.LayerNorm():
            return "norm", "LN", layer.normalized_shape[-1]
        case nn.GroupNorm():
            return "norm", f"GN, {layer.num_groups} groups", layer.num_channels
        case nn.LocalResponseNorm():
            return "norm", "LRN", before
        case nn.MaxPool2d() | nn.AvgPool2d():
            word = "max pool" if isinstance(layer, nn.MaxPool2d) else "avg pool"
            return "pool", f"{_side(layer.kernel_size)} {word}{_step(layer.stride)}", before
        case nn.AdaptiveAvgPool2d():
            word = "global avg pool" if _side(layer.output_size) == "1×1" else f"avg pool to {_side(layer.output_size)}"
            return "pool", word, before
        case nn.Dropout() | nn.Dropout2d():
            return "other", f"dropout, p = {layer.p:g}", before
        case StochasticDepth():
            return "other", f"stochastic depth, p = {layer.p:.2g}", before
        case PadShortcut():
            channels = None if before is None else before + layer.extra
            return "other", f"pad zeros, {channels or f'+{layer.extra}'}{_step(layer.stride)}", channels
    name = type(layer).__name__
    if name.lower() in _ACTIVATIONS:
        return "act", _ACTIVATIONS[name.lower()], before
    if _of_pytorch(layer):
        after = getattr(layer, "out_channels", before)
    else:
        try:
            after = trace(layer, whole).nodes[-1].channels
        except ValueError:
            after = before
    return "other", f"{name}, {after}" if list(layer.parameters()) and after else name, after


def _operation(call: fx.Node, before: list[int | None]) -> tuple[str, str, int | None]:
    """The same of a function or method."""
    name = _name(call)
    if name in _MEETINGS and len(before) > 1:
        kind, label = _MEETINGS[name]
        if kind != "cat":
            return kind, label, max((each for each in before if each is not None), default=None)
        channels = None if None in before else sum(before)
        return kind, f"{label}, {channels}" if channels else label, channels
    if name in ("add", "mul"):
        other = next((each for each in call.args if each not in call.all_input_nodes or each.op == "get_attr"), "")
        other = str(other.target).replace("_", " ") if isinstance(other, fx.Node) else other
        return "other", f"{_MEETINGS[name][1]} {other}".strip(), before[0]
    if name in _ACTIVATIONS:
        return "act", _ACTIVATIONS[name], before[0]
    if name in ("max_pool2d", "avg_pool2d"):
        size = call.args[1] if len(call.args) > 1 else call.kwargs.get("kernel_size", "")
        return "pool", f"{_side(size)} {name[:3]} pool", before[0]
    known = {"adaptive_avg_pool2d": "avg pool", "getitem": "slice"}
    return "other", known.get(name, name.replace("_", " ")), before[0] if before else None


def _side(size: int | Sequence[int]) -> str:
    height, width = (size, size) if isinstance(size, int) else size
    return f"{height}×{width}"


def _step(stride: int | Sequence[int]) -> str:
    step = stride if isinstance(stride, int) else stride[0]
    return f", /{step}" if step > 1 else ""


# ---- Branches ----


@dataclass
class Branches:
    """What lies between a split and `join`, side by side. An empty branch hands its input on, unchanged."""

    join: int
    branches: list[list["int | Branches | Tangle"]]


@dataclass
class Tangle:
    """Nodes between a split and `join` that are no branches: some read what lies in another. One below the other."""

    join: int
    nodes: list[int]


Series = list[int | Branches | Tangle]


def parse(graph: Graph) -> Series:
    """A graph as what stands one below the other, from "in" to "out"."""
    users: dict[int, list[int]] = {number: [] for number in range(len(graph.nodes))}
    for number, node in enumerate(graph.nodes):
        for source in dict.fromkeys(node.inputs):
            users[source].append(number)
    return [0, *_series(graph, users, 0, len(graph.nodes) - 1), len(graph.nodes) - 1]


def _series(graph: Graph, users: Mapping[int, list[int]], start: int, end: int) -> Series:
    """What stands between two nodes where every way from the first leads to the second."""
    items: Series = []
    while start != end:
        if len(users[start]) == 1:
            join = users[start][0]
        else:
            join = _meeting(users, start)
            items.append(_parallel(graph, users, start, join))
        if join != end:
            items.append(join)
        start = join
    return items


def _meeting(users: Mapping[int, list[int]], start: int) -> int:
    """The first node that all ways from `start` lead through."""
    through = {number: {number} for number in users}
    for number in sorted(users, reverse=True):
        if users[number]:
            through[number] |= set.intersection(*(through[each] for each in users[number]))
    return min(through[start] - {start})


def _parallel(graph: Graph, users: Mapping[int, list[int]], start: int, join: int) -> Branches | Tangle:
    inside = _reachable(users, users[start], join)
    branches: list[tuple[int, Series]] = []
    for first in users[start]:
        if first == join:
            branches.append((start, []))
            continue
        members = _reachable(users, [first], join)
        entered = [number for number in members if set(graph.nodes[number].inputs) - members]
        left = [number for number in members if join in users[number]]
        if entered != [first] or len(left) != 1:
            return Tangle(join, sorted(inside))
        branches.append((left[0], [first, *_series(graph, users, first, join)]))
    order = list(graph.nodes[join].inputs)
    return Branches(join, [series for _, series in sorted(branches, key=lambda branch: order.index(branch[0]))])


def _reachable(users: Mapping[int, list[int]], first: Sequence[int], end: int) -> set[int]:
    """The nodes that `first` lead to before `end`, themselves included."""
    found, ahead = set(), [number for number in first if number < end]
    while ahead:
        number = ahead.pop()
        if number not in found:
            found.add(number)
            ahead += [each for each in users[number] if each < end]
    return found


# ---- In words ----


def _said(graph: Graph, series: Series) -> str:
    words = []
    for item in series:
        if isinstance(item, Branches):
            texts = [_said(graph, branch) if branch else "unchanged" for branch in item.branches]
            words.append("split into " + " | ".join(f"[{text}]" for text in texts))
        elif isinstance(item, Tangle):
            words.append("; ".join(_with_inputs(graph, number) for number in item.nodes))
        else:
            words.append(_word(graph.nodes[item]))
    return " → ".join(words)


def _word(node: Node) -> str:
    return node.kind if node.kind in ("sum", "product") else _text(node)


def _text(node: Node) -> str:
    return f"{node.label}, {node.channels}" if node.kind in ("in", "out") and node.channels else node.label


def _with_inputs(graph: Graph, number: int) -> str:
    node = graph.nodes[number]
    return f"({number}) {_word(node)} of " + " and ".join(f"({each})" for each in node.inputs)


# ---- The drawing, in inches ----

_SIZE, _GAP, _LANE, _BETWEEN = 9.0, 0.2, 0.24, 0.3  # points; between boxes, to a line, between branches
_FILL = {"conv": BLUE, "linear": PURPLE, "norm": GREY, "act": ORANGE, "pool": GREEN, "other": GREY, "cat": INK}
_LINES = (INK, VERMILLION, BLUE, GREEN, PURPLE, ORANGE)


def _wide(text: str, size: float = _SIZE, weight: str = "normal") -> float:
    font = FontProperties(family="DejaVu Sans", weight=weight)
    return TextPath((0, 0), text, size=size, prop=font).get_extents().width / 72 if text else 0.0


@dataclass
class _Plan:
    """Where things will stand: how far a piece reaches to the left and right of its axis, and how tall it is."""

    left: float
    right: float
    height: float
    parts: list["_Plan"] = field(default_factory=list)
    offsets: list[float] = field(default_factory=list)  # of the parts' axes, for branches


class _Drawing:
    def __init__(self, axes: Axes, graph: Graph, scale: float) -> None:
        self.axes, self.graph, self.scale = axes, graph, scale
        self.boxes: dict[int, tuple[float, float, float, float]] = {}  # left, right, bottom, top

    def plan_node(self, number: int) -> _Plan:
        node = self.graph.nodes[number]
        if node.kind in ("sum", "product"):
            return _Plan(0.13, 0.13, 0.26)
        taps = len(node.inputs) - 1
        height = {"conv": 0.36, "linear": 0.36, "other": 0.36}.get(node.kind, 0.27)
        side = _wide(_text(self.graph.nodes[number])) / 2 + 0.1
        return _Plan(side, side, max(height, 0.1 + 0.1 * taps if node.kind == "cat" else 0))

    def plan(self, series: Series) -> _Plan:
        parts = [self.plan_item(item) for item in series]
        for item, part, after in zip(series, parts, parts[1:], strict=False):
            if isinstance(item, Branches) and self.side_by_side(item):  # the bar of a concatenation is as wide as they
                after.left = after.right = max(after.left, *map(abs, part.offsets)) + 0.2
        split = [isinstance(item, (Branches, Tangle)) for item in series]
        gaps = [_GAP + (0.14 if split[i] or split[i + 1] else 0) for i in range(len(series) - 1)]
        height = sum(part.height for part in parts) + sum(gaps)
        return _Plan(
            max((part.left for part in parts), default=0), max((part.right for part in parts), default=0), height, parts
        )

    def plan_item(self, item: int | Branches | Tangle) -> _Plan:
        if isinstance(item, int):
            return self.plan_node(item)
        if isinstance(item, Tangle):
            column = self.plan(list(item.nodes))
            lanes = len({source for source, _ in self.jumps(item)})
            return _Plan(column.left, column.right + _LANE * (lanes + 0.5), column.height, column.parts)
        plans = [self.plan(branch) for branch in item.branches]
        full = [index for index, branch in enumerate(item.branches) if branch]
        offsets = [0.0] * len(plans)
        if self.side_by_side(item):
            reach, place = 0.0, []
            for index in full:
                place.append(reach + plans[index].left)
                reach += plans[index].left + plans[index].right + _BETWEEN
            middle = (reach - _BETWEEN) / 2
            for index, x in zip(full, place, strict=True):
                offsets[index] = x - middle
            left = right = middle
        else:
            main = max(full, key=lambda index: (_count(item.branches[index]), -index))
            left, right = plans[main].left, plans[main].right
            for index in full:
                if index != main:
                    offsets[index] = right + _BETWEEN + plans[index].left
                    right = offsets[index] + plans[index].right
        for index, branch in enumerate(item.branches):
            if not branch:
                right += _LANE
                offsets[index] = right
        return _Plan(
            left, right + (0.06 if len(full) < len(plans) else 0), max(p.height for p in plans), plans, offsets
        )

    def side_by_side(self, item: Branches) -> bool:
        """Whether all branches are equal; where maps are added, one is the main one and the others are shortcuts."""
        return self.graph.nodes[item.join].kind == "cat" and sum(map(bool, item.branches)) > 1

    def jumps(self, item: Tangle) -> list[tuple[int, int]]:
        """The edges of a tangle that are not between neighbours of its column."""
        inside = {*item.nodes, item.join}
        above = dict(pairwise([self.graph.nodes[item.nodes[0]].inputs[0], *item.nodes, item.join]))
        return [
            (source, number)
            for number in sorted(inside)
            for source in self.graph.nodes[number].inputs
            if above.get(source) != number
        ]

    def draw(self, series: Series, plan: _Plan, x: float, top: float, source: int | None = None) -> None:
        """Place a series below `top` on the axis x; `source` is the node above it."""
        for index, (item, part) in enumerate(zip(series, plan.parts, strict=True)):
            if isinstance(item, int):
                self.node(item, part, x, top)
                after = series[index - 1] if index else None
                if isinstance(after, (Branches, Tangle)):
                    self.join(after, plan.parts[index - 1], x)
                elif source is not None:
                    self.line([(x, self.boxes[source][2]), (x, self.boxes[item][3])])
                source = item
            elif isinstance(item, Tangle):
                y = top
                for number, each in zip(item.nodes, part.parts, strict=True):
                    self.node(number, each, x, y)
                    y -= each.height + _GAP
            else:
                self.branches(item, part, x, top, source)
            following = series[index + 1] if index + 1 < len(series) else None
            split = isinstance(item, (Branches, Tangle)) or isinstance(following, (Branches, Tangle))
            top -= part.height + _GAP + (0.14 if split else 0)

    def branches(self, item: Branches, plan: _Plan, x: float, top: float, source: int) -> None:
        below = self.boxes[source][2]
        fork = top + 0.2
        for branch, part, offset in zip(item.branches, plan.parts, plan.offsets, strict=True):
            if not branch:
                continue
            start = top - (plan.height - part.height) / 2
            self.draw(branch, part, x + offset, start)
            first = branch[0]
            corner = [(x, below), (x + offset, self.boxes[first][3])]
            if offset:
                corner[1:1] = [(x, fork), (x + offset, fork)]
            self.line(corner)

    def join(self, item: Branches | Tangle, plan: _Plan, x: float) -> None:
        """The lines that end at the node where branches meet."""
        left, right, bottom, top = self.boxes[item.join]
        if isinstance(item, Tangle):
            return self.taps(item, plan, x)
        above = self.graph.nodes[item.join].inputs
        for branch, offset, source in zip(item.branches, plan.offsets, above, strict=False):
            if not branch:
                fork = self.boxes[source][2] - (0.34 - 0.2)
                middle = (bottom + top) / 2
                self.line([(x, fork), (x + offset, fork), (x + offset, middle), (right, middle)])
            elif left <= x + offset <= right:
                self.line([(x + offset, self.boxes[source][2]), (x + offset, top)])
            else:
                middle = (bottom + top) / 2
                side = right if offset > 0 else left
                self.line([(x + offset, self.boxes[source][2]), (x + offset, middle), (side, middle)])

    def taps(self, item: Tangle, plan: _Plan, x: float) -> None:
        column = [self.graph.nodes[item.nodes[0]].inputs[0], *item.nodes, item.join]
        for upper, lower in pairwise(column):
            if upper in self.graph.nodes[lower].inputs:
                self.line([(x, self.boxes[upper][2]), (x, self.boxes[lower][3])])
        jumps = self.jumps(item)
        sources = sorted({source for source, _ in jumps})
        edge = max(self.boxes[number][1] for number in column)
        ends: dict[int, tuple[float, float, str]] = {}  # of each line: its x, its lowest y, its colour
        for number in column:
            coming = sorted((source for source, target in jumps if target == number), reverse=True)
            _, right, bottom, top = self.boxes[number]
            for index, source in enumerate(coming):
                lane = edge + _LANE * (len(sources) - sources.index(source))
                colour = _LINES[sources.index(source) % len(_LINES)]
                y = top - (index + 1) * (top - bottom) / (len(coming) + 1)
                self.line([(lane, y), (right, y)], colour)
                self.axes.plot(lane, y, color=colour, marker="o", ms=2.5 * self.scale, zorder=3)
                ends[source] = (lane, y, colour)
        for source, (lane, y, colour) in ends.items():
            _, right, bottom, top = self.boxes[source]
            leave = (bottom + top) / 2
            self.axes.plot(
                [right, lane, lane], [leave, leave, y], color=colour, lw=1.1 * self.scale, marker="", zorder=2
            )

    def node(self, number: int, plan: _Plan, x: float, top: float) -> None:
        node = self.graph.nodes[number]
        left, right, bottom = x - plan.left, x + plan.right, top - plan.height
        self.boxes[number] = (left, right, bottom, top)
        middle = (top + bottom) / 2
        look = {"ha": "center", "va": "center", "color": INK, "zorder": 5}
        if node.kind in ("sum", "product"):
            self.axes.add_patch(Circle((x, middle), 0.13, fc="white", ec=INK, lw=1.2 * self.scale, zorder=4))
            self.axes.text(x, middle, node.label, size=11 * self.scale, **look)
            return
        if node.kind not in ("in", "out"):
            tint = (_FILL[node.kind], 0.1 if node.kind in ("other", "cat") else 0.22)
            style = "square,pad=0" if node.kind == "cat" else "round,pad=0,rounding_size=0.06"
            for fill, edge, order in (("white", "white", 3), (tint, _FILL[node.kind], 4)):  # no line shows through
                box = FancyBboxPatch((left, bottom), right - left, plan.height, boxstyle=style, fc=fill, ec=edge)
                box.set(linewidth=1.1 * self.scale, zorder=order)
                self.axes.add_patch(box)
        self.axes.text(x, middle, _text(self.graph.nodes[number]), size=_SIZE * self.scale, **look)

    def line(self, points: list[tuple[float, float]], colour: str = INK) -> None:
        xs, ys = zip(*points, strict=True)
        self.axes.plot(xs, ys, color=colour, lw=1.1 * self.scale, marker="", zorder=2, solid_joinstyle="round")
        arrow = {"arrowstyle": "-|>,head_width=0.18,head_length=0.32", "color": colour, "lw": 1.1 * self.scale}
        arrow |= {"shrinkA": 0, "shrinkB": 0, "mutation_scale": 12 * self.scale}
        (x0, y0), (x1, y1) = points[-2:]
        length = max(abs(x1 - x0), abs(y1 - y0)) or 1.0
        start = (x1 - (x1 - x0) * 0.02 / length, y1 - (y1 - y0) * 0.02 / length)
        self.axes.annotate("", points[-1], start, arrowprops=arrow, zorder=3)


def _count(series: Series) -> int:
    """The boxes in a series."""
    count = 0
    for item in series:
        if isinstance(item, Branches):
            count += sum(map(_count, item.branches))
        else:
            count += len(item.nodes) if isinstance(item, Tangle) else 1
    return count


def block(
    modules: nn.Module | Mapping[str, nn.Module],
    *,
    whole: Sequence[type[nn.Module]] = (),
    title: str = "",
    alt: str = "",
) -> Picture:
    """Blocks side by side, each drawn from what its `forward` does, with its parameters.

    A convolution is "kernel, channels out", then groups and "/stride" where they are not 1; a line past some layers is
    a shortcut; ⊕ adds, ⊗ multiplies, a bar concatenates.

    modules: one block, or several by name.
    whole: classes to draw as one box, for example the layers of a dense block.

    Raises ValueError for a module that `trace` cannot follow.

    >>> from cnnlab.models.resnet import BasicBlock
    >>> block({"plain": BasicBlock(16, 16, shortcut="none"), "residual": BasicBlock(16, 16)})
    Picture: plain (4,672 parameters): in, 16 → 3×3 conv, 16 → BN → ReLU ...
    """
    modules = {type(modules).__name__: modules} if isinstance(modules, nn.Module) else modules
    graphs = {name: trace(module, whole) for name, module in modules.items()}
    sizes = {name: f"{sum(p.numel() for p in module.parameters()):,} parameters" for name, module in modules.items()}
    fig, axes = figure(title=title)
    blank(axes)
    drawings = {name: _Drawing(axes, graph, 1.0) for name, graph in graphs.items()}
    plans = {name: drawings[name].plan(parse(graph)) for name, graph in graphs.items()}
    heads = {name: max(_wide(name, 10, "bold"), _wide(sizes[name], 8)) / 2 for name in modules}
    width = sum(max(p.left, heads[n]) + max(p.right, heads[n]) for n, p in plans.items()) + 0.5 * len(plans)
    height = max(plan.height for plan in plans.values()) + 0.75
    scale = min(1.0, 11 / width)
    x = 0.25
    for name, plan in plans.items():
        x += max(plan.left, heads[name])
        drawings[name].scale = scale
        drawings[name].draw(parse(graphs[name]), plan, x, 0.0)
        axes.text(x, 0.42, name, ha="center", size=10 * scale, weight="bold", color=INK)
        axes.text(x, 0.2, sizes[name], ha="center", size=8 * scale, color=GREY)
        x += max(plan.right, heads[name]) + 0.5
    head = 0.4 if title else 0.0
    least = _wide(title, 11, "bold") + 0.3
    wide = max(width * scale, least)
    fig.set_size_inches(wide, height * scale + head)
    fig.set_layout_engine("none")
    axes.set_position(
        [(1 - width * scale / wide) / 2, 0, width * scale / wide, height * scale / (height * scale + head)]
    )
    axes.set(xlim=(0, width), ylim=(0.65 - height, 0.65))
    said = "; ".join(f"{name} ({sizes[name]}): {_said(graph, parse(graph))}" for name, graph in graphs.items())
    return Picture(fig, alt or f"{title + '. ' if title else ''}{said}.")
