"""A search spends its trials as it says, follows its seed, and beats chance where there is something to learn."""

import statistics

import pytest
import torch

from cnnlab import models, training
from cnnlab.training import CellSpace, Controller, evolve, policy_loss, random_search, reinforce

METHODS = [random_search, evolve, reinforce]
SPACE = CellSpace(blocks=2, operations=("identity", "sep3", "avg3", "max3"))


def known(decisions):
    """A reward that can be learnt: the share of decisions that are the last choice they have."""
    return sum(d == n - 1 for d, n in zip(decisions, SPACE.choices, strict=True)) / len(decisions)


def reward(normal, reduction):
    """The same reward from the cells: what a search sees."""
    maps = ["h", "p", "b1", "b2"]
    right = 0
    for cell in (normal, reduction):
        for block, (left, left_input, right_one, right_input) in enumerate(cell.pairs):
            right += (left == "max3") + (right_one == "max3")
            right += (left_input == maps[block + 1]) + (right_input == maps[block + 1])
    return right / 16


def test_a_sequence_is_two_cells():
    assert SPACE.choices == (2, 4, 2, 4, 3, 4, 3, 4) * 2
    assert SPACE.size == (2 * 4 * 2 * 4 * 3 * 4 * 3 * 4) ** 2
    normal, reduction = SPACE.cells((0, 1, 1, 0, 2, 3, 0, 2) + (1,) * 8)
    assert normal.pairs == (("sep3", "h", "identity", "p"), ("max3", "b1", "avg3", "h"))
    assert reduction.pairs == (("sep3", "p", "sep3", "p"),) * 2
    assert reward(normal, reduction) == pytest.approx(known((0, 1, 1, 0, 2, 3, 0, 2) + (1,) * 8))


def test_every_sequence_is_a_network_that_runs():
    generator = torch.Generator().manual_seed(0)
    for _ in range(8):
        normal, reduction = SPACE.cells(SPACE.sample(generator))
        options = {"width": 4, "depth": 1, "stem_width": 4, "small_images": True, "num_classes": 10}
        net = models.get_model("nasnet_a_mobile", normal=normal, reduction=reduction, **options)
        assert net(torch.zeros(2, 3, 16, 16)).shape == (2, 10)


def test_a_mutation_changes_one_decision():
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        start = SPACE.sample(generator)
        child = SPACE.mutate(start, generator)
        assert sum(a != b for a, b in zip(start, child, strict=True)) == 1
        assert all(0 <= d < n for d, n in zip(child, SPACE.choices, strict=True))


@pytest.mark.parametrize("space", [{"blocks": 0}, {"operations": ()}, {"operations": ("sep9",)}])
def test_an_impossible_space_is_refused(space):
    with pytest.raises(ValueError, match="at least one block and operations of identity"):
        CellSpace(**space)


@pytest.mark.parametrize("method", METHODS)
def test_a_search_follows_its_seed_and_leaves_the_callers_random_numbers_alone(method):
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    first = method(SPACE, reward, 25, seed=1)
    assert torch.equal(torch.rand(1), expected)
    assert first == method(SPACE, reward, 25, seed=1)
    assert first.tried != method(SPACE, reward, 25, seed=2).tried
    assert first.best_so_far[-1] == max(first.rewards) == reward(*first.best)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_cells_are_trained_once(method):
    small = CellSpace(blocks=1, operations=("sep3", "max3"))
    asked = []
    search = method(small, lambda *cells: asked.append(cells) or 0.5, 40, seed=0)
    assert len(search.tried) == 40 and len(asked) == len(set(asked)) == len(set(search.tried))


def test_the_stop_button_keeps_what_was_tried():
    def tired(search):
        if len(search.tried) == 5:
            raise KeyboardInterrupt

    assert len(random_search(SPACE, reward, 100, on_trial=tired).rewards) == 5


@pytest.mark.parametrize("method", [evolve, pytest.param(reinforce, marks=pytest.mark.slow)])
def test_learning_beats_chance_where_there_is_something_to_learn(method):
    late = {
        m: statistics.mean(statistics.mean(m(SPACE, reward, 150, seed=s).rewards[-50:]) for s in range(2))
        for m in (random_search, method)
    }
    assert late[method] > late[random_search] + 0.1


def test_a_controller_starts_as_random_search():
    torch.manual_seed(0)
    _, log_probability, entropy = Controller(SPACE)(generator=torch.Generator().manual_seed(0))
    assert (
        -log_probability.item() == pytest.approx(entropy.item()) == pytest.approx(torch.tensor(SPACE.size).log().item())
    )


def test_the_policy_gradient_makes_a_good_decision_likelier():
    torch.manual_seed(0)
    controller = Controller(SPACE)
    decisions = SPACE.sample(torch.Generator().manual_seed(1))
    for value, sign in ((1.0, 1), (0.0, -1)):
        _, before, entropy = controller(decisions)
        policy_loss(before, value, 0.5, entropy, 0.0).backward()
        with torch.no_grad():
            for parameter in controller.parameters():
                if parameter.grad is not None:
                    parameter -= 0.01 * parameter.grad
        controller.zero_grad()
        assert sign * (controller(decisions)[1] - before) > 0


def test_searches_are_exported():
    assert training.Search(method="none", space=SPACE).__repr__() == "Search by none: 0 trials"
