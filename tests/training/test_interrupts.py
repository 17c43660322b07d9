"""Whenever the stop button is pressed, nothing that `fit` and `evaluate` switch stays switched."""

import _thread
import contextlib
import random
import signal
import threading
import time

import pytest
import torch
from torch import nn

from cnnlab import data, device, models, training


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("handwritten", train=64, test=64)


@pytest.fixture(autouse=True)
def python_handles_the_signal():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    yield
    signal.signal(signal.SIGINT, before)


def switches() -> list[object]:
    depth = torch.autocast_increment_nesting()
    torch.autocast_decrement_nesting()
    return [
        depth,
        torch.is_autocast_enabled("cpu"),
        torch.get_autocast_dtype("cpu"),
        torch.is_autocast_cache_enabled(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
        torch.get_rng_state().tolist(),
        signal.getsignal(signal.SIGINT),
    ]


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 5, 4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(196, 10))


def press_after(seconds: float) -> threading.Timer:
    """A press of the button so long after its start."""
    return threading.Timer(seconds, _thread.interrupt_main)


def test_presses_at_random_moments_leave_no_switch_turned(digits):
    model, chance, interrupted = network(), random.Random(0), 0
    before = switches()
    for _ in range(40):
        timer = press_after(chance.uniform(0.0, 0.06))
        with contextlib.suppress(KeyboardInterrupt):  # before `fit` begins or after it ends
            timer.start()
            run = training.fit(model, digits, epochs=100_000, batch_size=4, precision="bf16", progress=False)
            interrupted += run.interrupted
            assert not any(module.training for module in run.model.modules())
        timer.join()
        assert switches() == before
    assert interrupted > 20


def test_evaluate_gives_each_module_its_mode_back_whenever_it_is_interrupted(digits):
    model = network().train()
    model[1].eval()  # frozen
    modes, before, chance = [module.training for module in model.modules()], switches(), random.Random(1)
    for _ in range(20):
        timer = press_after(chance.uniform(0.0, 0.02))
        with contextlib.suppress(KeyboardInterrupt):
            timer.start()
            while True:
                training.evaluate(model, digits.test, batch_size=2, precision="bf16")
        timer.join()
        assert [module.training for module in model.modules()] == modes and switches() == before


def test_an_interrupt_in_the_end_of_autocast_does_not_leave_it_on(digits, monkeypatch):
    """Even one that is no press of the button, or the second press."""
    model, leave, calls = network(), torch.autocast.__exit__, []
    before = switches()

    def interrupted(self, *error):
        calls.append(None)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return leave(self, *error)

    monkeypatch.setattr(torch.autocast, "__exit__", interrupted)
    run = training.fit(model, digits, epochs=2, batch_size=4, precision="bf16", progress=False)
    assert run.interrupted and switches() == before
    calls.clear()
    with pytest.raises(KeyboardInterrupt):
        training.evaluate(model, digits.test, batch_size=4, precision="bf16")
    assert switches() == before


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"lr": 1e12, "precision": "fp32"}, training.DivergedError), ({"precision": "fp8"}, ValueError)],
)
def test_errors_leave_no_switch_turned_either(digits, arguments, error):
    model = models.get_model("lenet5", activation=nn.ReLU)
    before = switches()
    with pytest.raises(error):
        training.fit(model, digits, progress=False, **arguments)
    assert switches() == before and not any(module.training for module in model.modules())


def test_refused_arguments_leave_the_modes_alone(digits):
    model = network().train()
    model[1].eval()
    with pytest.raises(ValueError, match="epochs"):
        training.fit(model, digits, epochs=0)
    with pytest.raises(ValueError, match="does not take"):
        training.fit(model, data.load("handwritten", train=20, test=10).in_rgb())
    assert model.training and not model[1].training


def test_the_button_waits_for_a_good_moment_and_pressed_twice_it_does_not():
    reached = []
    with pytest.raises(KeyboardInterrupt), device.undisturbed():
        signal.raise_signal(signal.SIGINT)
        reached.append("after one press")
        device.stop_if_asked()
        reached.append("after a good moment")
    with pytest.raises(KeyboardInterrupt), device.undisturbed():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        reached.append("after two presses")
    with device.undisturbed():
        device.stop_if_asked()  # the second press has been answered
    assert reached == ["after one press"]


def test_a_press_that_found_no_good_moment_is_not_lost():
    with pytest.raises(KeyboardInterrupt), device.undisturbed():
        signal.raise_signal(signal.SIGINT)


def test_in_another_thread_it_changes_nothing(digits):
    results = []

    def work():
        results.append(training.fit(network(), digits, epochs=1, progress=False))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert len(results[0].history) == 1


def test_it_stops_at_once(digits):
    timer = press_after(0.3)
    timer.start()
    start = time.perf_counter()
    run = training.fit(network(), digits, epochs=1_000_000, progress=False)
    assert run.interrupted and time.perf_counter() - start < 20
    timer.join()
