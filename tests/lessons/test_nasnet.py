"""Lesson 12's small space and its records, which the text speaks about."""

import math
from itertools import product

import pytest
import torch

from cnnlab import course, measure, training
from cnnlab.lessons.nasnet import study
from cnnlab.lessons.nasnet.record import SEARCHERS
from cnnlab.lessons.nasnet.study import (
    CELLS,
    SPACE,
    TERMS,
    TWO_BLOCKS,
    cells_named,
    name_of,
    number,
    proxy,
    transferred,
)
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


def test_cells_of_two_blocks_have_one_name_however_they_are_written():
    cells = {}
    for decisions in product(*map(range, TWO_BLOCKS.choices[:8])):
        normal, reduction = TWO_BLOCKS.cells(decisions + decisions)
        cells.setdefault(name_of(normal, reduction), normal)
        assert name_of(*cells_named(name_of(normal, reduction))) == name_of(normal, reduction)
    assert len(cells) == 735 and len(cells) ** 2 == 540_225
    assert all(name[:8] == name[8:] for name in cells)


def test_cells_of_one_name_are_one_network():
    """The weights of one, put where the other has them, give the same outputs."""
    pairs = ("sep3", "h", "max3", "p"), ("identity", "h", "sep3", "h")
    other = ("sep3", "h", "identity", "h"), ("max3", "p", "sep3", "h")
    first, second = (Cell(CellSpec(each), 4, 4, channels=4).eval() for each in (pairs, other))
    assert name_of(first.spec, first.spec) == name_of(second.spec, second.spec)
    second.p.load_state_dict(first.p.state_dict())
    second.h.load_state_dict(first.h.state_dict())
    second.pairs[0][0].load_state_dict(first.pairs[1][1].state_dict())
    second.pairs[1][1].load_state_dict(first.pairs[0][0].state_dict())
    maps = torch.randn(2, 2, 4, 6, 6).unbind()
    with torch.no_grad():
        outputs = first(maps)[1], second(maps)[1]
    torch.testing.assert_close(outputs[0], outputs[1].roll(4, 1))
    reads = CellSpec((pairs[0], ("identity", "b1", "sep3", "h")))
    assert name_of(reads, reads) != name_of(first.spec, first.spec)


def test_ranks_that_are_alike_are_shared():
    assert study.rank_correlation([3, 1, 2], [30, 10, 20]) == pytest.approx(1)
    assert study.rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert study.rank_correlation([1, 1, 2], [1, 2, 3]) == pytest.approx(0.75**0.5)


def test_the_record_answers_a_search_and_what_it_lacks_is_trained(monkeypatch):
    monkeypatch.setattr(study, "short_data", lambda: None)
    monkeypatch.setattr(study, "train_short", lambda *_: 0.5)
    name = study.two_block_results()["tried"]["PPO, seed 1"][0]
    decisions = tuple(map(int, name))
    monkeypatch.setattr(study, "two_block_results", lambda: {"rewards": {f"{name}, seed 1": 0.25}})
    assert study.recorded_reward(1)(decisions) == 0.25
    assert study.recorded_reward(2)(decisions) == 0.5


@pytest.mark.parametrize("method", ["random search", "evolution", "REINFORCE", "PPO"])
def test_what_learns_proposes_better_cells_of_two_blocks_than_chance_does(method):
    """In each of four searches, and beside networks as wide too. Random search's last are no better than its others."""
    every, as_wide = study.ahead_of_drawn(method), study.ahead_of_drawn(method, of_its_width=True)
    if method == "random search":
        assert every.abs().max() < 3 and as_wide.abs().max() < 3
    else:
        assert every.min() > 4 and as_wide.min() > 3


@pytest.mark.parametrize("method", ["random search", "evolution", "REINFORCE", "PPO"])
def test_the_best_of_a_search_are_better_than_networks_drawn_when_trained_again(method):
    worth = {group: study.of_searches(values) for group, values in study.trained_again().items()}
    for control in ("drawn", "drawn wide"):
        lead, error = study.difference(worth[method], worth[control])
        assert lead > 10 and lead > 2 * error


def test_four_searches_do_not_tell_a_learner_from_chance():
    worth = {group: study.of_searches(values) for group, values in study.trained_again().items()}
    for method in ("evolution", "REINFORCE", "PPO"):
        lead, error = study.difference(worth[method], worth["random search"])
        assert 0 < lead < 2.5 * error


def test_what_was_trained_again_is_what_the_text_says():
    groups, rewards = study.five_of_each(), study.two_block_results()["rewards"]
    for seed, names in enumerate(groups["drawn wide"]):
        assert all(map(study.wide, names))
        assert groups["drawn"][seed] == study.two_block_results()["tried"][f"random search, seed {seed}"][:5]
    for method in ("random search", "evolution", "REINFORCE", "PPO"):
        for seed, names in enumerate(groups[method]):
            tried = set(study.two_block_results()["tried"][f"{method}, seed {seed}"]) - set(names)
            least = min(rewards[f"{name}, seed {seed}"] for name in names)
            assert least >= max(rewards[f"{name}, seed {seed}"] for name in tried)
    assert all(len(names) == 5 for searches in groups.values() for names in searches)


@pytest.mark.parametrize("method", ["REINFORCE", "PPO"])
def test_a_policy_is_pushed_to_what_is_rewarded(method):
    def convolves(normal, _):
        return float(normal.pairs[0][0] == "sep3")

    found, unmoved = (SEARCHERS[method](SPACE, convolves, 100, seed=0, **lr) for lr in ({}, {"lr": 0.0}))
    assert sum(found.rewards[-20:]) > 17 > 13 > sum(unmoved.rewards[-20:])


@pytest.mark.slow  # it counts networks until one fits
@pytest.mark.parametrize("cells", [(NORMAL_A, REDUCTION_A), (CELLS[9], CELLS[9]), (CELLS[0], CELLS[20])])
def test_transferred_networks_have_eight_cells_and_spend_their_budget(cells):
    model = transferred(*cells, macs=12.8e6)
    assert sum(isinstance(module, Cell) for module in model.modules()) == 8
    assert 0.85 * 12.8e6 < measure.cost(model, 32).macs <= 12.8e6


def test_the_searches_of_the_record_say_what_its_table_says():
    results = course.record("cell_search").results
    table = torch.tensor(results["tables"][0], dtype=torch.float64)
    for search in results["searches"].values():
        tried = [SPACE.cells(tuple(map(int, decisions))) for decisions in search["tried"]]
        assert search["rewards"] == pytest.approx([table[number(a), number(b)].item() for a, b in tried])


def test_looking_up_is_what_the_packages_searches_see():
    rewards, again = study.resampled(3)
    for row, reward in enumerate(rewards):
        found = training.random_search(SPACE, study.of_cells(reward), 20, seed=row)
        looked_up = study.look_up(rewards[row : row + 1].expand(20, -1))(torch.tensor(found.tried))
        assert looked_up.tolist() == pytest.approx(found.rewards)
    both = study.table().flatten(1)
    assert torch.equal(rewards + again, (both[0] + both[1]).expand(3, -1))
    assert 150 < (rewards[0] == both[0]).sum() < 300


def test_a_candidate_of_two_pairs_is_worth_their_mean():
    rewards, _ = study.resampled(4)
    one, other = torch.randint(2, (2, 4, 8))
    of = study.look_up(rewards)
    torch.testing.assert_close(of(torch.cat([one, other], 1)), (of(one) + of(other)) / 2)
    assert study.networks_of(torch.cat([one, other], 1)).shape == (4, 2)


@pytest.mark.slow  # seconds
def test_a_pair_costs_what_its_cells_cost():
    macs = study.table_macs().view(len(CELLS), len(CELLS))
    for row, column in ((0, 0), (9, 9), (20, 3), (7, 16)):
        assert macs[row, column] == measure.cost(proxy(CELLS[row], CELLS[column]), 16).macs


def test_the_best_and_what_they_try_are_read_off_the_searches():
    rewards, again = study.resampled(2)
    tried = torch.tensor([[[0] * 8, [1] * 8, [0] * 8], [[1] * 8, [1] * 8, [1] * 8]])
    values = torch.stack([study.look_up(rewards)(tried[:, trial]) for trial in range(3)], 1)
    searches = study.Searches(tried, values)
    assert study.different(searches) == 1.5
    torch.testing.assert_close(study.best(searches, rewards), 100 * values.max(1).values)
    assert study.best(searches, again)[1] == 100 * study.look_up(again)(tried[:, 0])[1]


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


def test_the_clipped_objective_is_flat_where_the_policy_has_gone_far_enough():
    clipped = TASKS["12.clip"].made(TASKS["12.clip"].solution)
    ratio = torch.tensor([0.5, 0.9, 1.1, 1.5], requires_grad=True)
    for advantage, slopes in ((1.0, [1, 1, 1, 0]), (-1.0, [0, -1, -1, -1])):
        (gradient,) = torch.autograd.grad(clipped(ratio, torch.tensor(advantage), 0.2).sum(), ratio)
        assert gradient.tolist() == slopes


def test_a_pair_of_the_table_earns_nothing():
    feedback = course.check("12.your-cells", (CELLS[9], CELLS[9]))
    assert feedback.status == "wrong" and "one of the 441" in feedback.message
