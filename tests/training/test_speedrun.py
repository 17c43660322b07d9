"""The speed run: its first layer whitens, its other layers begin as the identity, and it is fast because it learns."""

from typing import get_args

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import data, training
from cnnlab.training.speedrun import Part, SpeedNet, whiten

pytestmark = pytest.mark.slow  # it trains


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("street_digits", train=2000, test=500)


def test_the_first_layer_gives_uncorrelated_outputs_of_variance_one(digits):
    model = SpeedNet()
    images = digits.train.inputs(slice(0, 500))
    whiten(model, images)
    with torch.no_grad():
        outputs = model.stem[0](images).transpose(0, 1).flatten(1)
    second = (outputs @ outputs.T / outputs.shape[1])[:12, :12]
    values = torch.linalg.eigvalsh(F.unfold(images, 2).transpose(1, 2).flatten(0, 1).T.cov(correction=0))
    assert torch.allclose(second - second.diag().diag(), torch.zeros(12, 12), atol=1e-3)
    assert second.diag()[-6:] == pytest.approx(torch.ones(6), abs=0.02) and values[-6] > 5e-3  # but for what is noise
    assert torch.allclose(outputs[12:], -outputs[:12], atol=1e-5)


def test_a_convolution_begins_by_passing_on_what_it_gets():
    convolution = SpeedNet((32, 48, 48)).stages[0][0]
    x = torch.randn(2, 24, 8, 8)
    assert torch.equal(convolution(x)[:, :24], x)


def test_in_use_it_looks_at_the_mirror_image_too():
    torch.manual_seed(0)
    model, x = SpeedNet((16, 16, 16), mirror=True), torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert not torch.allclose(model(x), model(x.flip(3)), atol=1e-4)
        model.eval()
        assert torch.allclose(model(x), model(x.flip(3)), atol=1e-5)
        once = SpeedNet((16, 16, 16)).eval()
        once.load_state_dict(model.state_dict())
        assert torch.allclose(model(x), (once(x) + once(x.flip(3))) / 2, atol=1e-6)


def test_only_what_should_be_trained_is(digits):
    run = training.speed_run(digits, epochs=1, widths=(16, 16, 16), flip=False, progress=False)
    norms = [layer for layer in run.model.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert len(norms) == 6 and all(torch.equal(layer.weight, torch.ones(16)) for layer in norms)
    fresh = SpeedNet((16, 16, 16))
    whiten(fresh, digits.train.inputs()[:5000].contiguous())
    assert torch.allclose(run.model.stem[0].weight, fresh.stem[0].weight, atol=1e-4)


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
    weights = whole.model.head[-1].weight, lacking.model.head[-1].weight
    assert not torch.equal(*weights) and weights[1].isfinite().all()


def test_a_part_that_there_is_not_is_refused(digits):
    with pytest.raises(ValueError, match="whitening, identity"):
        training.speed_run(digits, without="magic")
