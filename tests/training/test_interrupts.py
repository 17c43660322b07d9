"""Whenever the stop button is pressed, nothing that `fit` and `evaluate` switch stays switched."""

import _thread
import contextlib
import os
import random
import signal
import subprocess
import sys
import threading

import pytest
import torch
from torch import nn

from cnnlab import data, device, models, training

MANY = 1000 if os.environ.get("CNNLAB_SLOW") else 400  # presses at random moments


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


@pytest.mark.parametrize(
    ("rounds", "presses"),
    [
        pytest.param(30, 1, marks=pytest.mark.slow),
        (30, 3),
        pytest.param(MANY, 1, marks=pytest.mark.slow),
        pytest.param(MANY, 3, marks=pytest.mark.slow),
    ],
)
def test_presses_at_random_moments_leave_no_switch_turned(digits, rounds, presses):
    """Three presses, one after another, as of somebody who is impatient: the second one acts wherever it falls."""
    model = network().eval()  # a press may fall before `fit` has begun
    chance, interrupted = random.Random(rounds + presses), 0
    before = switches()
    for _ in range(rounds):
        first = chance.uniform(0.0, 0.06)
        timers = [press_after(first + i * chance.uniform(0.0, 0.004)) for i in range(presses)]
        with contextlib.suppress(KeyboardInterrupt):  # before `fit` begins or after it ends
            for timer in timers:
                timer.start()
            run = training.fit(model, digits, epochs=100_000, batch_size=4, precision="bf16", progress=False)
            interrupted += run.interrupted
        for timer in timers:
            with contextlib.suppress(KeyboardInterrupt):
                while timer.is_alive():
                    timer.join(0.01)
        assert switches() == before
        assert presses > 1 or not any(module.training for module in model.modules())
    assert interrupted > rounds / 3


FIRST = """
import _thread, sys, threading, traceback
presses = [float(moment) for moment in sys.argv[1:]]
import torch
from cnnlab import data, models, training
digits = data.load("handwritten", train=64, test=64)
model = models.get_model("lenet5")
for moment in presses:
    threading.Timer(moment, _thread.interrupt_main).start()
try:
    run = training.fit(model, digits, epochs=100_000, batch_size=4, progress=False)
    print("returned", run.interrupted)
except KeyboardInterrupt:
    print("raised")
while any(isinstance(thread, threading.Timer) for thread in threading.enumerate()):  # the other presses
    try:
        threading.Event().wait(0.01)
    except KeyboardInterrupt:
        pass
run = training.fit(model, digits, epochs=2, progress=False)
print(len(run.history), torch.is_autocast_enabled("cpu"))
"""


@pytest.mark.slow  # a process of its own each
@pytest.mark.parametrize("presses", [(0.05,), (0.3,), (1.0,), (0.2, 0.25), (0.5, 0.52)])
def test_a_press_in_the_very_first_training_leaves_the_next_ones_whole(presses):
    command = [sys.executable, "-c", FIRST, *map(str, presses)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.split("\n")
    assert lines[1] == "2 False" and (len(presses) > 1 or lines[0] == "returned True"), done.stdout


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
    run = training.fit(network(), digits, epochs=1_000_000, progress=False)  # hours
    assert run.interrupted
    timer.join()
