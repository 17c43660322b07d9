"""The exercise engine, on toy exercises: what it accepts, what it finds, what it says."""

import functools
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import course
from cnnlab.lessons import exercise as engine
from cnnlab.lessons.compare import difference, kind, relation
from cnnlab.lessons.exercise import Wrong, behaviour, edit, source, when

scale = torch.ones(2)  # of the learner's other cells


@pytest.fixture
def declare():
    """Declares an exercise of this test alone, and gives its check: declare(solution, ...)(answer) -> the feedback."""

    def declared(solution: str, *, stub: str = "def f(x): ...", wrong=(), **options: object):
        options = {"points": 1, "stub": stub, "hints": ["a", "b"], "wrong": wrong} | options
        engine.exercise("99.toy", solution=solution, **options)
        return functools.partial(engine.check, "99.toy")

    yield declared
    engine._EXERCISES.pop("99.toy", None)


def means() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    return [(torch.tensor([[1.0, 2.0], [4.0, 9.0]]),)] + [
        (torch.randn(shape, generator=generator),) for shape in ((3, 3), (4, 5))
    ]


ROWS = {"solution": "def f(x):\n    return x.mean(dim=1)", "cases": means}
HALF = {"solution": "def f(x, n=2):\n    return x // n + 1", "stub": "def f(x, n=2): ...", "cases": [(5,), (9, 4)]}
VALUE = {"solution": "value = 2.5", "stub": "value = ..."}


# What a right answer may look like


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: x.mean(1),
        lambda x: x.double().mean(1),
        lambda x: x.numpy().mean(axis=1),
        lambda x: torch.stack([row.sum() / len(row) for row in x]),
        functools.partial(torch.mean, dim=1),
        lambda x: x.clone().requires_grad_().mean(1),
        nn.Sequential(nn.Unflatten(0, (1, -1)), nn.Flatten(0, 1), nn.AdaptiveAvgPool1d(1), nn.Flatten(0)),
    ],
)
def test_a_right_tensor_passes_whatever_its_type(declare, answer):
    assert declare(**ROWS)(answer).status == "passed"


@pytest.mark.parametrize("made", [int, float, np.int64, np.float32, torch.tensor, Fraction, Decimal, np.array])
def test_a_right_number_passes_whatever_its_type(declare, made):
    assert declare(**HALF)(lambda x, n=2: made(x // n + 1)).status == "passed"


def test_a_number_with_a_fraction_is_no_whole_number(declare):
    message = declare(**HALF)(lambda x, n=2: x / n + 1).message
    assert "f(5) should be 3; yours is 3.5" in message


def test_exact_arithmetic_passes(declare):
    check = declare(solution="def f(x):\n    return x / 3", cases=[(1,), (5,)])
    assert check(lambda x: Fraction(x, 3)).status == "passed"


def test_lists_and_tuples_stand_for_each_other(declare):
    check = declare("def f(x):\n    return [x, 2 * x]", cases=[(1,), (5,)])
    for answer in (lambda x: (x, 2 * x), lambda x: torch.tensor([x, 2 * x]), lambda x: np.array([x, 2 * x])):
        assert check(answer).status == "passed"


def test_an_error_that_is_asked_for_is_right(declare):
    check = declare("def f(x):\n    if x < 0:\n        raise ValueError\n    return x", cases=[(1,), (-1,)])

    def stern(x):
        if x < 0:
            raise ValueError("below zero")
        return x

    assert check(stern).status == "passed"
    assert "f(-1) should be an error, ValueError; yours is the number -1" in check(lambda x: x).message


# Kind, length and shape come before values


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: x.mean(1, keepdim=True), "should be a tensor of shape (2,); yours is a tensor of shape (2, 1)"),
        (lambda x: [row.mean() for row in x], "should be a tensor of shape (2,); yours is a list of 2 tensors"),
        (lambda x: x.mean().item(), "should be a tensor of shape (2,); yours is the number 4"),
        (lambda x: "means", "yours is the text 'means'"),
        (lambda x: nn.Linear(1, 1), "yours is a network (Linear)"),
    ],
)
def test_the_kind_is_said_in_words(declare, answer, said):
    message = declare(**ROWS)(answer).message
    assert said in message and "check" not in message


def test_a_shape_that_would_broadcast_is_another_shape(declare):
    check = declare("def f(x):\n    return x + 1", cases=means)
    assert "yours is a tensor of shape (1, 2, 2)" in check(lambda x: (x + 1)[None]).message


def test_the_place_in_a_list_or_dictionary_is_named(declare):
    check = declare('def f(x):\n    return {"a": [x, x], "b": x}', cases=[(1,)])
    assert "f(1)['a'][1] should be 1; yours is 2" in check(lambda x: {"a": [x, 2 * x], "b": x}).message
    assert "a dictionary with the entry 'b'" in check(lambda x: {"a": [x, x]}).message
    assert "a dictionary without the entry 'c'" in check(lambda x: {"a": [x, x], "b": x, "c": x}).message


def test_what_is_missing_from_a_set_is_named(declare):
    check = declare("def f(x):\n    return {x, 2 * x}", cases=[(1,), (3,)])
    assert check(lambda x: [2 * x, x]).status == "passed"
    assert "Missing: 2; too much: 7" in check(lambda x: {x, 7}).message


def test_two_numbers_that_differ_are_never_shown_alike():
    found = difference(7.8901, 7.89019, tolerance=1e-6)
    assert found.expected != found.got
    assert difference(46, 46.0000001).got != "46"


# Known wrong answers


def test_a_cause_is_named_only_where_it_fits_all_cases(declare):
    wrong = [edit("dim=1", "dim=0", "These are the columns."), edit("mean", "sum", "No sum.")]
    check = declare(**ROWS, wrong=wrong)
    assert check(lambda x: x.mean(0)).message.startswith("These are the columns.")
    assert check(lambda x: x.sum(1)).message.startswith("No sum.")
    assert "columns" not in check(lambda x: x.mean(0) if len(x) == 2 else x.sum(1) - 1).message


def test_a_wrong_answer_that_fails_where_the_learners_fails_is_the_same(declare):
    wrong = [edit("[:, None]", "", "Along the width.")]
    check = declare("def f(x):\n    return x + torch.arange(len(x))[:, None]", cases=means, wrong=wrong)
    assert check(lambda x: torch.arange(len(x)) + x).message.startswith("Along the width.")  # fails for (4, 5)


def test_a_wrong_answer_that_is_right_on_all_cases_is_never_named(declare):
    wrong = [source("def f(x):\n    return x.sum(1) / x.shape[1]", "Never said.")]
    check = declare(**ROWS, wrong=wrong)
    assert check(lambda x: x.sum(1) / x.shape[1]).status == "passed"
    assert "Never said" not in check(lambda x: x.amax(1)).message


def test_a_diagnosis_may_show_the_case(declare):
    wrong = [edit("//", "/", "{call} gives {got:.2f}, not {expected}: x is {x}.")]
    assert declare(**HALF, wrong=wrong)(lambda x, n=2: x / n + 1).message.startswith("f(5) gives 3.50, not 3: x is 5.")


def test_a_predicate_finds_what_outputs_do_not_show(declare):
    wrong = [when(lambda results: results[0] == results[1], "def f(x, n=2):\n    return 1", "Always the same.")]
    assert declare(**HALF, wrong=wrong)(lambda x, n=2: 17).message.startswith("Always the same.")


def test_an_edit_must_fit_its_solution(declare):
    with pytest.raises(ValueError, match="stands 0 times"):
        declare(**HALF, wrong=[edit("///", "/", "")])


# Answers that nothing matches


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: -x.mean(1), "the other sign"),
        (lambda x: 100 * x.mean(1), "100 times the right result"),
        (lambda x: x.mean(1) / 3, "1 / 3 of the right result"),
        (lambda x: x.mean(1) + 0.5, "0.5 more than the right result"),
        (lambda x: 1 / x.mean(1), "upside down"),
        (lambda x: x.mean(1).flip(0), "in reverse order"),
        (lambda x: x.sum(1), "x.shape[1] times the right result"),
        (lambda x: torch.cat([x.mean(1), x[0, :1]]), "with 1 more at the end of axis 0"),
        (lambda x: x.mean(1)[1:], "without the beginning of axis 0"),
    ],
)
def test_how_it_comes_from_the_right_result_is_said(declare, answer, said):
    assert said in declare(**ROWS)(answer).message


def test_axes_in_another_order_are_found():
    cases = [torch.randn(2, 3, 4), torch.randn(3, 3, 5)]
    assert ".permute(2, 0, 1)" in relation([(x, x.permute(1, 2, 0)) for x in cases])
    assert "transposed" in relation([(x[0], x[0].T) for x in cases])
    assert relation([(cases[0], cases[0].permute(1, 2, 0)), (cases[1], -cases[1])]) == ""


def test_a_relation_holds_in_the_small_cases_too():
    assert relation([(256, 20_736), (1e9, 2.4e9), (5e33, 1.2e37)]) == ""
    assert "2 times" in relation([(256, 512), (1e9, 2e9), (5e33, 1e34)])


def test_one_number_has_no_relation():
    assert relation([(3.0, 6.0)]) == ""


def test_the_first_place_that_differs_is_shown(declare):
    check = declare("def f(x):\n    return 2 * x", cases=means)
    message = check(lambda x: torch.where(x > 8, 0, 2 * x)).message
    assert "should be [[2, 4], [8, 18]]; yours is [[2, 4], [8, 0]]. They differ first at [1, 1]." in message
    large = declare("def f(x):\n    return x.expand(5, 5)", cases=[(torch.ones(1),), (torch.arange(5.0),)])
    message = large(lambda x: torch.ones(5, 5)).message
    assert "f(x)[0, 0] should be 0; yours is 1. 20 of the 25" in message.replace("([0, 1, 2, 3, 4])", "(x)")
    assert "1 of 2 cases" in message


@pytest.mark.parametrize(("value", "said"), [("nan", "nan is not a number"), ("inf", "inf is larger")])
def test_nan_and_inf_are_named(declare, value, said):
    assert said in declare(**ROWS)(lambda x: x.mean(1) * float(value)).message


def test_a_random_answer_is_called_one(declare):
    message = declare(**ROWS)(lambda x: x.mean(1) + torch.rand(1)).message
    assert "gave two different results" in message


def test_random_numbers_are_the_same_in_every_check_and_the_learners_are_left_alone(declare):
    torch.manual_seed(1)
    first = torch.rand(1)
    torch.manual_seed(1)
    check = declare("def f(x):\n    return torch.rand_like(x)", cases=means)
    assert check(lambda x: torch.rand(x.shape)).status == "passed"
    assert torch.equal(torch.rand(1), first)


# Inputs, errors, nothing


def test_a_change_of_the_input_is_called_one(declare):
    def in_place(x):
        x *= 2
        return x.mean(1) / 2

    check = declare(**ROWS)
    assert "f changes x, which it was given" in check(in_place).message
    assert check(lambda x: in_place(x.clone())).status == "passed"

    def collects(x):
        (x.requires_grad_() ** 2).sum().backward()
        return x.mean(1)

    assert "f changes x, which it was given" in check(collects).message  # a second call would add to x.grad
    lists = declare("def f(x):\n    return sum(x)", cases=[([1],), ([2, 3],)])
    assert "copy.deepcopy(x)" in lists(lambda x: sum(x.pop() for _ in list(x))).message


def test_hooks_and_statistics_are_changes_of_a_network(declare):
    cases = [(nn.BatchNorm1d(2).train(), torch.randn(4, 2))]
    check = declare("def f(net, x):\n    return x.mean()", stub="def f(net, x): ...", cases=cases)

    def uses(net, x):
        net(x)
        return x.mean()

    def hooks(net, x):
        net.register_forward_hook(print)
        return x.mean()

    assert "f changes net" in check(uses).message and "f changes net" in check(hooks).message
    assert check(lambda net, x: (net.eval()(x), x.mean())[1]).status == "passed"


def test_where_the_solution_changes_its_input_the_answer_may(declare):
    def doubled(x):
        x.mul_(2)

    options = {"cases": means, "look": lambda result, x: x}
    check = declare("def f(x):\n    x *= 2", **options)
    assert check(doubled).status == "passed"
    assert check(lambda x: 2 * x).status == "wrong"


def test_an_error_is_shown_with_its_line(declare):
    def f(x):
        steps = x / 0
        return steps

    message = declare("def f(x):\n    return x", cases=[(3,)])(f).message
    assert "steps = x / 0" in message and "ZeroDivisionError" in message and "The call was f(3)" in message


def test_exits_endless_recursion_and_other_signatures_are_said(declare):
    check = declare("def f(x):\n    return x", cases=[(3,)])

    def leave(x):
        raise SystemExit(3)

    def again(x):
        return again(x)

    assert "SystemExit" in check(leave).message
    assert "RecursionError" in check(again).message
    assert "f(3) fails" in check(lambda: 3).message and "takes 0 positional arguments" in check(lambda: 3).message


def test_nothing_and_iterators_are_named(declare):
    check = declare(**ROWS)
    assert "returned nothing: end it with return" in check(lambda x: None).message
    assert "is an iterator (generator)" in check(lambda x: (row.mean() for row in x)).message


def test_a_value_where_a_function_is_asked_for_and_the_other_way_round(declare):
    assert "f should be a function; yours is the number 7" in declare(**ROWS)(7).message
    check = declare(**VALUE)
    assert "value should be a number; yours is a function" in check(lambda: 2.5).message


def test_a_plain_value_is_never_given_away(declare):
    assert declare(**VALUE)(np.float32(2.5)).status == "passed"
    message = declare(**VALUE)(2.6).message
    assert "value is 2.6: that is not right." in message and "2.5" not in message
    assert declare(**VALUE, otherwise="{got:g} is no half.")(2.6).message.startswith("2.6 is no half.")
    listed = declare("value = [1, 4, 8]", stub="value = ...")
    assert "value[1] is 5" in listed((1, 5, 8)).message and "4" not in listed((1, 5, 8)).message
    assert "should be a list of 3 numbers; yours is a list of 2 numbers" in listed([1, 4]).message


# What the text forbids


def _helper(x):
    return F.avg_pool1d(x[None], x.shape[1])[0]


mean_of = F.avg_pool1d


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: F.avg_pool1d(x[None], x.shape[1])[0, :, 0],
        lambda x: nn.AvgPool1d(x.shape[1])(x[None])[0, :, 0],
        lambda x: getattr(F, "avg" + "_pool1d")(x[None], x.shape[1])[0, :, 0],
        lambda x: mean_of(x[None], x.shape[1])[0, :, 0],
        lambda x: _helper(x)[:, 0],
        lambda x: F.avg_pool1d(x[None], x.shape[1]) if len(x) > 100 else x.mean(1),
        lambda x: mean_of(x[None], x.shape[1]) if len(x) > 100 else x.mean(1),
        lambda x: _helper(x) if len(x) > 100 else x.mean(1),
    ],
)
def test_what_is_forbidden_is_found(declare, answer):
    check = declare(**ROWS, forbid={"avg_pool1d avg_pool2d": "No pooling, please."})
    assert check(answer).message.startswith("No pooling, please.")


def test_a_variable_may_have_a_forbidden_name(declare):
    def f(x):
        grad = x.mean(1)
        return grad

    check = declare(**ROWS, forbid={"grad backward": "No autograd, please."})
    assert check(f).status == "passed"


def test_what_else_stands_in_the_line_of_a_lambda_is_not_it(declare):
    both = (lambda x: x.mean(1), lambda x: F.avg_pool1d(x[None], x.shape[1])[0, :, 0])
    check = declare(**ROWS, forbid={"avg_pool1d": "No pooling, please."})
    assert [check(answer).status for answer in both] == ["passed", "wrong"]


def test_autograd_is_found(declare):
    def by_grad(x):
        x = x.requires_grad_()
        return torch.autograd.grad((x**2).sum(), x)[0]

    def by_backward(x):
        x = x.requires_grad_()
        torch.autograd.backward((x**2).sum())
        return x.grad

    check = declare("def f(x):\n    return 2 * x", cases=means, forbid={"grad backward": "No autograd, please."})
    assert check(lambda x: x + x).status == "passed"
    for answer in (by_grad, by_backward):
        assert check(answer).message.startswith("No autograd, please.")


# Networks, several right answers, checkers


def two_layers(a: int, b: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.ReLU())


BUILD = {
    "solution": "def build(a, b):\n    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.ReLU())",
    "stub": "def build(a, b): ...",
    "cases": [(1, 2), (3, 5)],
    "look": lambda network, a, b: behaviour(network, torch.randn(2, a, 6, 7)),
    "wrong": [edit(", padding=1", "", "Padding is missing."), edit("ReLU", "Tanh", "That is a tanh.")],
}


@pytest.mark.parametrize(
    "answer",
    [
        two_layers,
        lambda a, b: nn.Sequential(nn.Conv2d(a, b, 3, padding="same"), nn.ReLU(inplace=True)),
        lambda a, b: nn.Sequential(nn.LazyConv2d(b, 3, padding=1), nn.ReLU()),
        lambda a, b: nn.Sequential(nn.Sequential(nn.Conv2d(a, b, 3, padding=1)), nn.Dropout(0.5), nn.ReLU()).double(),
    ],
)
def test_networks_are_compared_by_what_they_do(declare, answer):
    feedback = declare(**BUILD)(answer)
    assert feedback.status == "passed", feedback


def test_wrong_networks_are_told_apart(declare):
    check = declare(**BUILD)
    assert check(lambda a, b: nn.Sequential(nn.Conv2d(a, b, 3), nn.ReLU())).message.startswith("Padding is missing.")
    assert check(lambda a, b: nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.Tanh())).message.startswith("That is a")
    message = check(lambda a, b: nn.Sequential(nn.Conv2d(a, b, 3, padding=1, bias=False), nn.ReLU())).message
    assert "build(1, 2): the shapes of the weights should be a list of 2 texts; yours is a list of 1 text" in message
    assert "should be a network (Sequential); yours is the number 3" in check(lambda a, b: 3).message


def test_what_look_refuses_is_said_as_it_says_it(declare):
    def look(value: object) -> object:
        if isinstance(value, str):
            raise Wrong("A number is asked for.")
        return value

    assert declare(**VALUE, look=look)("two").message.startswith("A number is asked for. Stuck?")


def test_several_right_answers_are_seen_through_look(declare):
    check = declare("def f(x):\n    return x.sign()", cases=means, look=lambda result, x: result * x)
    assert check(lambda x: x / x.abs()).status == "passed"
    assert check(lambda x: -x.sign()).status == "wrong"


def test_a_checker_decides_alone_or_after_the_cases(declare):
    def check_f(f):
        if f(torch.ones(1, 1)) is not None and f.__name__ == "<lambda>":
            raise Wrong("No lambda, please.")

    both = declare(**ROWS, check=check_f)
    assert both(lambda x: x.mean(1)).message.startswith("No lambda") and "No lambda" not in both(lambda x: x).message
    alone = declare("value = 1", stub="value = ...", check=torch.as_tensor)
    assert alone(3).status == "passed" and "value, the text 'a', cannot be used here" in alone("a").message


def test_a_lesson_goes_on_with_the_answer_that_passes_and_else_with_the_solution(declare, capsys):
    declare("def f(x):\n    return x + 1", cases=[(1,), (5,)])
    mine = eval("lambda x: 1 + x")
    assert engine.answer("99.toy", mine) is mine
    assert engine.answer("99.toy", None)(3) == 4 and capsys.readouterr().out == ""
    assert engine.answer("99.toy", lambda x: x)(3) == 4
    assert "does not pass its check yet" in capsys.readouterr().out


YES = type("Yes", (), {"__eq__": lambda self, other: True})
NONSENSE = [
    7, "text", object(), {}, [], set(), range(3), float("nan"), int, print, nn.Linear(1, 1), YES(),
    torch.zeros(0), torch.zeros(0, device="meta"),
    lambda *a: 1 / 0, lambda *a: float("inf"), lambda *a: "x", lambda *a: [a] * 3, lambda *a: a, lambda *a: YES(),
]  # fmt: skip


@pytest.mark.parametrize("declaration", [ROWS, HALF, VALUE, BUILD], ids=["tensor", "number", "value", "network"])
def test_nonsense_is_wrong_and_never_raises(declare, declaration):
    check = declare(**declaration)
    for answer in NONSENSE:
        assert check(answer).status == "wrong"
    endless: list = []
    endless.append(endless)
    assert check(endless).status == "wrong" and check(lambda *a: endless).status == "wrong"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ((1, 2), "a tuple of 2 numbers"),
        ([torch.ones(1), torch.ones(2)], "a list of 2 tensors"),
        (["a", 1], "a list of 2 things"),
        ({"a": 1}, "a dictionary of 1 entry"),
        (np.zeros((2, 3)), "a NumPy array of shape (2, 3)"),
        (None, "nothing (None)"),
        (np.float64(2.5), "the number 2.5"),
        (nn.Linear, "a class (Linear)"),
        ([], "an empty list"),
    ],
)
def test_kinds_have_words(value, words):
    assert kind(value) == words


def test_the_readme_shows_what_a_check_says():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    block = readme.partition("```python\ndef output_size")[2].partition("```")[0]
    said = []
    shown = SimpleNamespace(check=lambda *given: said.append(repr(course.check(*given))))
    exec(f"def output_size{block}", {"course": shown})
    promised = re.findall(r"^# (.*?)(?: \[\.\.\.\])?$", block, re.M)
    assert len(promised) == len(said) == 2
    assert all(told.startswith(line) for told, line in zip(said, promised, strict=True))
