"""`fit` with everything off that it adds is the loop that a learner writes, to the last bit."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import data, models, training

PLAIN = {"weight_decay": 0, "momentum": 0, "nesterov": False, "schedule": "constant", "precision": "fp32"}


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("street_digits", train=150, test=10)


def build(name: str) -> nn.Module:
    torch.manual_seed(0)
    options = {"in_channels": 3} if name == "lenet5" else {"depths": (1, 1, 1)}
    return models.get_model(name, **options)


def learners_loop(model: nn.Module, dataset: data.Dataset, epochs: int, lr: float, batch_size: int) -> None:
    images, labels = dataset.train.inputs(), dataset.train.labels
    optimizer = torch.optim.SGD(model.parameters(), lr)
    model.train()
    for _ in range(epochs):
        order = torch.randperm(len(images))
        for batch in order.split(batch_size):
            logits = model(images[batch])
            loss = F.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def both(name: str, dataset: data.Dataset, layout: torch.memory_format, **off) -> tuple[nn.Module, nn.Module]:
    ours = build(name)
    theirs = copy.deepcopy(ours).to(memory_format=layout)
    run = training.fit(
        ours, dataset, epochs=2, lr=0.05, batch_size=32, seed=7, device="cpu", progress=False, **PLAIN | off
    )
    torch.manual_seed(7)
    learners_loop(theirs, dataset, 2, 0.05, 32)
    return run.model, theirs


@pytest.mark.parametrize("name", ["lenet5", "resnet20_tiny"])
def test_fit_without_its_additions_gives_the_learners_weights(digits, name):
    """`fit` keeps the channels of a pixel side by side in memory, so the learner's network has to, too."""
    ours, theirs = both(name, digits, torch.channels_last)
    for key, value in ours.state_dict().items():
        assert torch.equal(value, theirs.state_dict()[key]), key


def test_with_the_other_order_in_memory_the_sums_are_rounded_otherwise_and_no_more(digits):
    ours, theirs = both("lenet5", digits, torch.contiguous_format)
    for key, value in ours.state_dict().items():
        torch.testing.assert_close(value, theirs.state_dict()[key], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "on", [{"momentum": 0.9}, {"weight_decay": 5e-4}, {"schedule": "one-cycle"}, {"schedule": "steps"}], ids=str
)
def test_each_addition_changes_the_weights(digits, on):
    ours, theirs = both("lenet5", digits, torch.channels_last, **on)
    moved = [(a - b).abs().max().item() for a, b in zip(ours.parameters(), theirs.parameters(), strict=True)]
    assert max(moved) > 1e-5


def test_nesterov_looks_ahead(digits):
    plain, ahead = (both("lenet5", digits, torch.channels_last, momentum=0.9, nesterov=on)[0] for on in (False, True))
    assert not torch.equal(next(plain.parameters()), next(ahead.parameters()))
