"""Lesson 12's small space and its records, which the text speaks about."""

import math
from itertools import product

import pytest
import torch

from cnnlab import course, measure, training
from cnnlab.lessons.nasnet.study import CELLS, SPACE, TERMS, number, proxy, transferred
from cnnlab.models.nasnet import NORMAL_A, REDUCTION_A, Cell, CellSpec

TASKS = {task.id: task for task in course.exercises("12")}


def test_the_order_of_a_sum_does_not_change_the_number_of_a_cell():
    for left, right in product(TERMS, TERMS):
        assert number(CellSpec(((*left, *right),))) == number(CellSpec(((*right, *left),)))
    assert [number(cell) for cell in CELLS] == list(range(21))


def test_every_decision_leads_to_a_network_of_the_table():
    cells = {tuple(map(number, SPACE.cells(decisions))) for decisions in product(*map(range, SPACE.choices))}
    assert len(cells) == len(CELLS) ** 2 == 441


def test_a_candidate_is_three_normal_and_two_reduction_cells():
    specs = [module.spec for module in proxy(NORMAL_A, REDUCTION_A).modules() if isinstance(module, Cell)]
    assert [spec == REDUCTION_A for spec in specs] == [False, True, False, True, False]


@pytest.mark.slow  # it counts networks until one fits
@pytest.mark.parametrize("cells", [(NORMAL_A, REDUCTION_A), (CELLS[9], CELLS[9]), (CELLS[0], CELLS[20])])
def test_transferred_networks_have_eight_cells_and_spend_their_budget(cells):
    model = transferred(*cells, macs=12.8e6)
    assert sum(isinstance(module, Cell) for module in model.modules()) == 8
    assert 0.85 * 12.8e6 < measure.cost(model, 32).macs <= 12.8e6


def test_the_searches_and_replays_of_the_record_say_what_its_table_says():
    results = course.record("cell_search").results
    table = torch.tensor(results["tables"][0], dtype=torch.float64)

    def look_up(normal, reduction):
        return table[number(normal), number(reduction)].item()

    for search in results["searches"].values():
        tried = [SPACE.cells(tuple(map(int, decisions))) for decisions in search["tried"]]
        assert search["rewards"] == pytest.approx([look_up(*cells) for cells in tried])
    for method, name in ((training.random_search, "random search"), (training.evolve, "evolution")):
        for seed in (0, 50, 99):
            search = method(SPACE, look_up, 100, seed=seed)
            assert [number(cell) for cell in search.best] == results["replays"][name]["found"][seed]


def test_sequences_are_as_many_as_the_controller_can_draw():
    task = TASKS["12.count"]
    for blocks, operations in task.arguments():
        space = math.prod(training.CellSpace(blocks, ("identity",)).choices) * operations ** (4 * blocks)
        assert task.made(task.solution)(blocks, operations) == space


def test_the_push_is_the_gradient_of_the_log_probability():
    task = TASKS["12.reinforce"]
    for logits, choice, reward, baseline in task.arguments():
        given = logits.clone().requires_grad_()
        (gradient,) = torch.autograd.grad((reward - baseline) * given.log_softmax(0)[choice], given)
        torch.testing.assert_close(task.made(task.solution)(logits, choice, reward, baseline), gradient)


def test_a_cell_gives_out_what_its_network_does():
    task = TASKS["12.channels"]
    for inputs, width in task.arguments():
        spec = CellSpec(tuple(("identity", left, "identity", right) for left, right in inputs))
        assert task.made(task.solution)(inputs, width) == width * len(spec.output)
