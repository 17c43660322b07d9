"""The cases of the exercises are sharp: a small change of a solution is noticed, and rounding decides nothing.

Only exercises whose answers are compared take part; none of them trains.
"""

import ast
import copy
import math
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cnnlab import course

COMPARED = [pytest.param(task, id=task.id) for task in course.exercises() if task.compared]

# Changes of which no input shows anything, or none that the exercise speaks of: (exercise, change) and why.
EQUIVALENT: dict[tuple[str, str], str] = {
    ("02.dropout", "line 4: torch.rand_like(x) >= p → torch.rand_like(x) > p in keep = torch.rand_like(x) >= p"): (
        "a random number is never exactly p"
    ),
    ("02.grouped", "line 2: inputs // groups → inputs / groups in outputs * (inputs // groups)"): (
        "groups divide the inputs"
    ),
    ("02.top-k", "line 2: logits.topk(k, dim=1) → logits.topk(k) in logits.topk(k, dim=1).indices"): (
        "the last axis is topk's default"
    ),
    (
        "03.random-resized-crop",
        "line 7: 0 → -1 in F.interpolate(window[None], size=(size, size), mode='bilinear')[0]",
    ): "the batch holds one image",
    ("04.builder", "line 1: 64 → 63 in depths, width=64"): "the stub gives the default, and 64 channels are slow",
    ("04.builder", "line 1: 64 → 65 in depths, width=64"): "the stub gives the default, and 64 channels are slow",
    ("04.he-std", "line 2: 0 → -1 in weight[0].numel"): "every output has as many weights",
    ("04.he-std", "line 2: 0 → 1 in weight[0].numel"): "every output has as many weights",
    ("08.sharpness", "line 1: 200 → 199 in loss, w, steps=200"): "it has settled long before",
    ("08.sharpness", "line 1: 200 → 201 in loss, w, steps=200"): "it has settled long before",
    ("08.sharpness", "line 4: 0 → -1 in torch.Generator().manual_seed(0)"): "any start will do",
    ("08.sharpness", "line 4: 0 → 1 in torch.Generator().manual_seed(0)"): "any start will do",
    (
        "08.sharpness",
        "line 4: torch.randn(w.shape, generator=torch.Generator().manual_seed(0)) → torch.randn(w.shape)"
        " in v = torch.randn(w.shape, generator=torch.Generator().manual_seed(0))",
    ): "any start will do",
    ("09.equal-cost", "line 6: 1 → 0 in range(1, channels)"): "a path of no channels is none",
    (
        "09.equal-cost",
        "line 5: channels // 4 → channels / 4 in weights(1, channels // 4)",
    ): "channels are multiples of 4",
    ("09.widening", "line 2: (depth - 4) // 6 → (depth - 4) / 6 in n = (depth - 4) // 6"): "a depth is 6n + 4",
    ("09.widening", "line 2: 4 → 3 in (depth - 4) // 6"): "a depth is 6n + 4, and // rounds down",
    (
        "11.bytes",
        "line 2: in_channels // groups → in_channels / groups in out_channels * (in_channels // groups)",
    ): "channels come in whole groups",
    ("12.reinforce", "line 4: 0 → -1 in logits.softmax(0)"): "there is one axis",
    (
        "13.round-channels",
        "line 2: int(channels + 4) → channels + 4 in int(channels + 4) // 8",
    ): "// rounds down anyway",
    (
        "13.round-channels",
        "line 3: rounded >= 0.9 * channels → rounded > 0.9 * channels"
        " in rounded if rounded >= 0.9 * channels else rounded + 8",
    ): "no float times 0.9 is exactly its nearest multiple of 8, where that is less",
    ("14.attend", "line 2: -1 → 1 in queries.shape[-1]"): "of two axes the last is the second",
    ("14.attend", "line 3: -1 → 1 in scores.softmax(-1)"): "of two axes the last is the second",
    (
        "14.attention-cost",
        "line 2: size // patch → size / patch in (size // patch) ** 2",
    ): "an image is cut into whole patches",
    ("14.patches", "line 3: 1 → 2 in weight.shape[-1]"): "kernels are square",
    ("15.inside", "line 2: 1 → 2 in torch.ones(1, 1, size, size)"): "the mean of two equal maps",
    ("15.inside", "line 3: 1 → 2 in torch.ones(1, 1, kernel, kernel)"): "the mean of two equal maps",
}

# Exercises in which a number that is rounded, or compared, is exact however it is computed, and why.
EXACT: dict[str, str] = {
    "13.constraint": "2 / (2 * 1) is 1 in every formula, and a gamma of exactly 1 is allowed",
}

OPERATORS = {ast.FloorDiv: ast.Div, ast.Div: ast.FloorDiv, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div}
COMPARISONS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq}
ROUNDING = {"int": "round", "round": "int", "ceil": "floor", "floor": "ceil", "max": "min", "min": "max"}


def called(node: ast.AST) -> str:
    """The last name of what a call calls."""
    function = getattr(node, "func", None)
    return getattr(function, "id", getattr(function, "attr", ""))


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """The node with one thing in it changed, each time another."""
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield ast.Compare(node.left, [COMPARISONS[type(node.ops[0])]()], node.comparators)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield ast.Constant(not node.value)
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            yield ast.Call(node.func, node.args, [k for k in node.keywords if k is not keyword])
        if (name := called(node)) in ROUNDING:
            other = ast.Name(ROUNDING[name], ast.Load())
            function = ast.Attribute(node.func.value, other.id, ast.Load()) if hasattr(node.func, "value") else other
            yield ast.Call(function, node.args, node.keywords)
            if name in ("int", "round", "ceil", "floor"):
                yield node.args[0] if node.args else node.func.value


def mutants(solution: str) -> Iterator[tuple[str, str]]:
    """Every change of one thing in a solution: what it is, and the source with it."""
    tree = ast.parse(solution)
    parents = {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in list(ast.walk(tree)):
        for new in changes(node):
            around, text = parents[id(node)], ast.unparse(node)
            while len(ast.unparse(around)) < 12 and isinstance(parents[id(around)], ast.expr):
                around = parents[id(around)]
            what = f"line {node.lineno}: {text} → {ast.unparse(new)} in {ast.unparse(around).splitlines()[0]}"
            yield what, ast.unparse(ast.fix_missing_locations(copy.deepcopy(tree, {id(node): new})))


def survives(task: course.Exercise, source: str) -> bool:
    """Whether the check takes a source for a right answer."""
    cases = task.arguments()
    right = task.results(task.made(task.solution), cases)
    try:
        got = task.results(task.made(source), cases)
    except Exception:  # of a plain value: the source itself fails
        return False
    return not any(map(task.differs, right, got))


@pytest.mark.slow  # a hundred answers to each exercise
@pytest.mark.parametrize("task", COMPARED)
def test_each_small_change_of_the_solution_is_noticed(task):
    unnoticed = {(task.id, what) for what, source in mutants(task.solution) if survives(task, source)}
    known = {key for key in EQUIVALENT if key[0] == task.id}
    assert unnoticed - known == set(), "add a case that notices it, or list it in EQUIVALENT with the reason"
    assert known - unnoticed == set(), "EQUIVALENT lists what is noticed, or is no change"


class Nudged(ast.NodeTransformer):
    """A solution in which every float that is about to be rounded, or compared, passes through `nudged`."""

    def wrap(self, node: ast.expr) -> ast.expr:
        return ast.Call(ast.Name("nudged", ast.Load()), [node], [])

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if called(node) in ("int", "round", "ceil", "floor", "trunc") and node.args:
            node.args[0] = self.wrap(node.args[0])
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, (ast.FloorDiv, ast.Mod)):
            node.left = self.wrap(node.left)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        computed = (ast.BinOp, ast.Call)
        if isinstance(node.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) and (
            isinstance(node.left, computed) or isinstance(node.comparators[0], computed)
        ):
            node.left = self.wrap(node.left)
        return node


@pytest.mark.parametrize("noise", [1e-9, -1e-9])
@pytest.mark.parametrize("task", COMPARED)
def test_no_case_stands_where_rounding_decides(task, noise):
    """An answer that computes the same in another order has other last digits: it must round to the same."""

    def nudged(value: object) -> object:
        return value + noise * max(1.0, abs(value)) if isinstance(value, float) and math.isfinite(value) else value

    source = ast.unparse(ast.fix_missing_locations(Nudged().visit(ast.parse(task.solution))))
    cases = task.arguments()
    right = task.results(task.made(task.solution), cases)
    nudging = replace(task, names={**task.names, "nudged": nudged})
    got = task.results(nudging.made(source), cases)
    off = [case for case, a, b in zip(cases or [()], right, got, strict=True) if task.differs(a, b)]
    assert not off or task.id in EXACT, f"rounding decides for {off}"


def test_the_changes_are_those_that_are_meant():
    made = dict(mutants("def f(x, n=2):\n    return round(x // n + 1.5, ndigits=0)"))
    texts = {text.splitlines()[-1].strip() for text in made.values()}
    assert {"return round(x / n + 1.5, ndigits=0)", "return int(x // n + 1.5, ndigits=0)"} <= texts
    assert {"return x // n + 1.5", "return round(x // n - 1.5, ndigits=0)", "return round(x // n + 1.5)"} <= texts
    assert any("n=3" in text for text in made.values())
