"""The learning rates of `fit`, step by step, against PyTorch's own schedules and the papers' rules."""

import pytest
import torch
from torch import nn

from cnnlab import data, models, training
from cnnlab.training.optimizer import make_optimizer, make_schedule


def rates(
    schedule: str, steps: int, lr: float = 0.1, momentum: float = 0.9, optimizer: str = "sgd"
) -> list[tuple[float, float]]:
    """The rate and the momentum of each step."""
    optimizer = make_optimizer(nn.Linear(2, 2), optimizer, lr, None, 0.0, momentum, nesterov=True)
    schedule = make_schedule(optimizer, schedule, steps)
    seen = []
    for _ in range(steps):
        group = optimizer.param_groups[0]
        seen.append((group["lr"], group["betas"][0] if "betas" in group else group["momentum"]))
        optimizer.step()
        schedule.step()
    return seen


@pytest.mark.parametrize("steps", range(1, 11))
def test_every_small_number_of_steps_can_be_trained(steps):
    digits = data.load("handwritten", train=steps, test=10)
    run = training.fit(models.get_model("lenet5"), digits, epochs=1, batch_size=1, lr=0.01, progress=False)
    assert run.history[0].train_loss > 0
    seen = [rate for rate, _ in rates("one-cycle", steps)]
    assert len(seen) == steps and max(seen) <= 0.1 and min(seen) > 0
    peak = seen.index(max(seen))
    assert seen[: peak + 1] == sorted(seen[: peak + 1]) and seen[peak:] == sorted(seen[peak:], reverse=True)


@pytest.mark.parametrize("steps", [1, 2, 4, 5, 6, 7, 8, 9, 10, 100])
def test_one_cycle_is_that_of_pytorch_to_the_last_bit(steps):
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], 0.1, 0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, steps + 1, pct_start=0.25)
    expected = []
    for _ in range(steps):
        expected.append((optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]))
        optimizer.step()
        schedule.step()
    assert rates("one-cycle", steps) == expected


def test_three_steps_of_one_cycle_are_between_two_and_four():
    """PyTorch cannot do three: they begin at the peak, as two do, and fall like the others."""
    two, three, four = ([rate for rate, _ in rates("one-cycle", steps)] for steps in (2, 3, 4))
    assert three[0] == 0.1 and two[1] < three[1] < four[1]


@pytest.mark.parametrize("momentum", [0.0, 0.02, 0.5, 0.9, 0.99])
def test_the_momentum_swings_around_its_value_and_stays_possible(momentum):
    seen = [value for _, value in rates("one-cycle", 40, momentum=momentum)]
    assert all(0 <= value < 1 for value in seen)
    assert (min(seen) + max(seen)) / 2 == pytest.approx(momentum, abs=1e-3)
    assert (min(seen) < max(seen)) == (momentum > 0)


def test_a_constant_rate_is_constant():
    assert rates("constant", 7, lr=0.03) == [(0.03, 0.9)] * 7


def test_steps_divide_the_rate_by_ten_three_times():
    seen = [rate for rate, _ in rates("steps", 300, lr=0.1)]  # one step an epoch, as many epochs as in the paper
    for epochs, rate in (
        (slice(0, 150), 0.1),
        (slice(150, 225), 0.01),
        (slice(225, 275), 1e-3),
        (slice(275, 300), 1e-4),
    ):
        assert seen[epochs] == pytest.approx([rate] * len(seen[epochs]))


def test_adamw_keeps_its_betas_around_nine_tenths():
    assert next(beta for _, beta in rates("one-cycle", 20, optimizer="adamw")) == pytest.approx(0.95)
    assert [beta for _, beta in rates("constant", 3, optimizer="adamw")] == [0.9] * 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"schedule": "cosine"}, "schedule must be 'one-cycle', 'constant' or 'steps', not 'cosine'"),
        ({"momentum": 1.0}, "momentum must be at least 0 and below 1, not 1.0"),
        ({"momentum": -0.1}, "momentum must be at least 0"),
    ],
)
def test_impossible_ones_are_refused(arguments, message):
    digits = data.load("handwritten", train=20, test=10)
    with pytest.raises(ValueError, match=message):
        training.fit(models.get_model("lenet5"), digits, progress=False, **arguments)
