"""The speed run: its first layer whitens, its other layers begin as the identity, and it is fast because it learns."""

from typing import get_args

import pytest
import torch
from torch import nn

from cnnlab import data, models, training
from cnnlab.models.speednet import SpeedNet, whiten
from cnnlab.training.speedrun import Part

pytestmark = pytest.mark.slow  # it trains


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("street_digits", train=2000, test=500)


def test_only_what_should_be_trained_is(digits):
    run = training.speed_run(digits, epochs=1, widths=(16, 16, 16), flip=False, progress=False)
    norms = [layer for layer in run.model.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert len(norms) == 6 and all(torch.equal(layer.weight, torch.ones(16)) for layer in norms)
    fresh = SpeedNet((16, 16, 16))
    whiten(fresh, digits.train.inputs()[:5000].contiguous())
    assert torch.allclose(run.model.stem.conv.weight, fresh.stem.conv.weight, atol=1e-4)


def test_it_learns_within_seconds_and_the_same_again_from_the_same_seed(digits):
    runs = [training.speed_run(digits, epochs=6, widths=(32, 48, 48), batch_size=128, flip=False, progress=False)
            for _ in range(2)]  # fmt: skip
    assert runs[0].history[-1].test_accuracy > 0.6
    for one, other in zip(runs[0].model.parameters(), runs[1].model.parameters(), strict=True):
        assert torch.equal(one, other)
    assert all(torch.isnan(torch.tensor(epoch.test_accuracy)) for epoch in runs[0].history[:-1])


@pytest.mark.parametrize("part", get_args(Part))
def test_every_part_can_be_left_out_and_matters(digits, part):
    quick = {"epochs": 2, "widths": (24, 24, 24), "batch_size": 256, "flip": part == "turns", "progress": False}
    whole, lacking = (training.speed_run(digits, without=without, **quick) for without in (None, part))
    assert whole.history != lacking.history
    weights = whole.model.head.fc.weight, lacking.model.head.fc.weight
    assert not torch.equal(*weights) and weights[1].isfinite().all()


def test_a_part_that_there_is_not_is_refused(digits):
    with pytest.raises(ValueError, match="whitening, identity"):
        training.speed_run(digits, without="magic")


def test_another_network_is_trained_the_same_way(digits):
    torch.manual_seed(0)
    net = models.get_model("resnet20_tiny", width=4)
    run = training.speed_run(digits, model=net, epochs=1, batch_size=256, flip=False, progress=False)
    assert run.model is net and not net.training and run.history[-1].train_loss < 2.4
    assert net.stem.conv.weight.requires_grad


def test_photographs_are_tested_with_their_mirror_images(digits):
    quick = {"epochs": 1, "widths": (8, 8, 8), "batch_size": 256, "progress": False}
    both = training.speed_run(digits, **quick)
    averaged = training.evaluate(training.Averaged(both.model), digits.test)
    assert both.history[-1].test_loss == pytest.approx(averaged.loss, abs=1e-3)
    assert averaged.loss != pytest.approx(training.evaluate(both.model, digits.test).loss, abs=1e-6)


def test_fit_trains_it_too_and_its_norms_count_though_their_scales_are_fixed(digits):
    net = models.get_model("speednet_tiny", widths=(8, 8, 8))
    training.fit(net, digits.without_test(), epochs=1, batch_size=256, progress=False)
    assert not torch.equal(net.stages[0].norm1.running_mean, torch.zeros(8))


def test_a_speednet_that_is_given_is_whitened_like_ones_own(digits):
    torch.manual_seed(0)
    given = training.speed_run(digits, epochs=1, batch_size=500, model=SpeedNet(widths=(8, 8, 8)), progress=False)
    kernels = given.model.stem.conv.weight
    assert not kernels.requires_grad and torch.equal(kernels[:12], -kernels[12:])
