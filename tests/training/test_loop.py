"""What users rely on in training.fit and training.evaluate."""

import _thread
import copy
import signal
import threading
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import data, models, training
from cnnlab.data import Dataset, Split
from cnnlab.device import has_bf16


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return data.load("handwritten", train=200, test=100)


def small(**options) -> nn.Module:
    torch.manual_seed(0)
    return models.get_model("lenet5", **options)


def weights(model: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach()


def test_it_learns_and_keeps_a_record(digits):
    run = training.fit(small(), digits, epochs=8, lr=0.1, batch_size=16, progress=False)
    assert [epoch.epoch for epoch in run.history] == list(range(1, 9))
    assert run.history[-1].test_accuracy > 0.8 > run.history[0].test_accuracy
    assert run.history[-1].train_loss < run.history[0].train_loss
    assert run.images_per_second == pytest.approx(8 * 200 / run.seconds)
    assert not run.interrupted and not run.model.training
    assert "test accuracy" in repr(run) and "<table>" in run._repr_html_()


def test_the_same_seed_gives_the_same_weights_to_the_last_bit(digits):
    def trained(seed: int) -> torch.Tensor:
        torch.manual_seed(0)
        model = nn.Sequential(
            models.get_model("resnet20_tiny", in_channels=1, num_classes=16), nn.Dropout(), nn.Linear(16, 10)
        )
        return weights(training.fit(model, digits, epochs=1, seed=seed, progress=False).model)

    first = trained(0)
    torch.rand(7)  # another random state outside
    assert torch.equal(first, trained(0))
    assert not torch.equal(first, trained(1))


def test_the_random_state_outside_is_kept(digits):
    model = small()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    training.fit(model, digits, epochs=1, progress=False)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("name", "lr", "build"),
    [
        ("sgd", 0.05, lambda p: torch.optim.SGD(p, 0.05, 0.9, weight_decay=5e-4, nesterov=True)),
        ("adamw", 0.001, lambda p: torch.optim.AdamW(p, 0.001, weight_decay=5e-4)),
    ],
)
def test_it_takes_the_steps_of_its_optimizer_with_one_cycle(digits, name, lr, build):
    """Against a loop written out here, in fp32, image order from the same seed."""
    model = small()
    expected = copy.deepcopy(model)
    arguments = {"epochs": 2, "batch_size": 64, "seed": 3, "precision": "fp32", "progress": False}
    training.fit(model, digits, lr=lr, optimizer=name, **arguments)

    torch.manual_seed(3)
    steps = 2 * 4
    optimizer = build(expected.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, steps + 1, pct_start=0.25)
    for _ in range(2):
        for batch in torch.randperm(200).split(64):
            loss = F.cross_entropy(expected(digits.train.inputs(batch)), digits.train.labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    assert torch.allclose(weights(model), weights(expected), atol=1e-4)


def test_evaluate_agrees_with_a_plain_computation(digits):
    model = small().eval()
    metrics = training.evaluate(model, digits.test, batch_size=7, precision="fp32")
    with torch.no_grad():
        logits = model(digits.test.inputs())
    assert metrics.loss == pytest.approx(F.cross_entropy(logits, digits.test.labels).item(), rel=1e-4)
    assert metrics.accuracy == pytest.approx((logits.argmax(1) == digits.test.labels).float().mean().item())
    top5 = (logits.topk(5).indices == digits.test.labels[:, None]).any(1).float().mean().item()
    assert metrics.top5 == pytest.approx(top5)


def test_evaluate_leaves_the_mode_as_it_was(digits):
    model = small().train()
    training.evaluate(model, digits.test)
    assert model.training


def test_interrupting_returns_the_run_so_far(digits):
    def interrupt(run: training.Run) -> None:
        if len(run.history) == 2:
            raise KeyboardInterrupt

    run = training.fit(small(), digits, epochs=50, on_epoch=interrupt, progress=False)
    assert run.interrupted and len(run.history) == 2 and "interrupted" in repr(run)


@pytest.mark.slow  # trains
def test_an_interrupt_from_outside_is_caught_in_the_middle_of_an_epoch(digits):
    done = threading.Event()

    def press() -> None:  # again where a destructor swallowed it, as a person would
        while not done.wait(3.0):
            _thread.interrupt_main()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    threading.Thread(target=press, daemon=True).start()
    try:
        run = training.fit(small(), digits, epochs=100_000, batch_size=8, progress=False)
    finally:
        done.set()
        signal.signal(signal.SIGINT, before)
    assert run.interrupted and run.history and not run.model.training


def test_a_loss_that_is_no_number_stops_with_advice(digits):
    with pytest.raises(training.DivergedError, match=r"epoch \d+, step \d+.*smaller lr") as caught:
        training.fit(small(activation=nn.ReLU), digits, epochs=3, lr=1e6, precision="fp32", progress=False)
    assert isinstance(caught.value.run, training.Run)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs must be"),
        ({"batch_size": 2.5}, "batch_size must be"),
        ({"lr": -1}, "lr must be above 0"),
        ({"precision": "fp8"}, "precision must be"),
        ({"optimizer": "lion"}, "optimizer must be 'sgd' or 'adamw', not 'lion'"),
        ({"device": "xla"}, "There is no xla here"),
    ],
)
def test_impossible_arguments_are_refused(digits, arguments, message):
    with pytest.raises(ValueError, match=message):
        training.fit(small(), digits, progress=False, **arguments)


def test_model_and_data_that_do_not_fit_are_refused(digits):
    with pytest.raises(ValueError, match="does not take handwritten, images of 1 x 32 x 32"):
        training.fit(models.get_model("lenet5", in_channels=3), digits, progress=False)
    with pytest.raises(ValueError, match="Build it with num_classes=10"):
        training.fit(models.get_model("lenet5", num_classes=3), digits, progress=False)


def test_an_empty_split_cannot_be_evaluated(digits):
    empty = Split(digits.test.images[:0], digits.test.labels[:0], digits.mean, digits.std)
    with pytest.raises(ValueError, match="no images"):
        training.evaluate(small(), empty)


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="only Linux lists the processor's abilities there")
def test_the_precision_follows_the_hardware():
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    assert has_bf16(torch.device("cpu")) == ("avx512_bf16" in flags or "amx_bf16" in flags)
