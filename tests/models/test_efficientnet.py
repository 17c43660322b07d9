"""EfficientNet against torchvision's and timm's. Counts are in test_exact.py."""

import pytest
import timm
import torch
import torchvision
from equivalence import assert_equivalent, assert_same_initialisation, first_quick

from cnnlab.models import get_model
from cnnlab.models.efficientnet import ALPHA, BETA, GAMMA, SCALES, StochasticDepth


@pytest.mark.parametrize("name", first_quick([f"efficientnet_b{index}" for index in range(8)]))
def test_is_torchvisions(name: str) -> None:
    assert_equivalent(lambda: getattr(torchvision.models, name)(), lambda: get_model(name))


def test_lite0_is_timms() -> None:
    assert_equivalent(
        lambda: timm.create_model("efficientnet_lite0", bn_eps=1e-3, bn_momentum=0.01),
        lambda: get_model("efficientnet_lite0"),
    )


@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnet_b6"])
def test_has_torchvisions_chance_and_momentum(name: str) -> None:
    with torch.device("meta"):
        reference, ours = getattr(torchvision.models, name)(), get_model(name)
    for kind, attribute in (("StochasticDepth", "p"), ("Dropout", "p"), ("BatchNorm2d", "momentum")):
        theirs, own = (
            [getattr(module, attribute) for module in model.modules() if type(module).__name__ == kind]
            for model in (reference, ours)
        )
        assert own == pytest.approx(theirs), kind


def test_starts_like_torchvisions() -> None:
    assert_same_initialisation(torchvision.models.efficientnet_b0(), get_model("efficientnet_b0"))


def test_compound_scaling_is_roughly_that_of_the_released_networks() -> None:
    assert abs(ALPHA * BETA**2 * GAMMA**2 - 2) < 0.1  # equation 3
    for name, phi in (("b1", 0.5), ("b2", 1), ("b3", 2), ("b4", 3), ("b5", 4), ("b6", 5), ("b7", 6)):
        width, depth, resolution, _ = SCALES[name]
        assert (width, depth) == pytest.approx((BETA**phi, ALPHA**phi), rel=0.15)
        assert resolution == pytest.approx(224 * GAMMA**phi, rel=0.2)


def test_stochastic_depth_drops_whole_branches_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    drop, x = StochasticDepth(0.25), torch.ones(4000, 2, 3, 3)
    y = drop(x)
    assert set(y.flatten(1).std(1).tolist()) == {0.0}, "one image was dropped in part"
    assert (y[:, 0, 0, 0] == 0).float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert y.mean().item() == pytest.approx(1, abs=0.03)
    assert drop.eval()(x) is x


def test_impossible_values() -> None:
    with pytest.raises(ValueError, match=r"width_mult and depth_mult .* above 0"):
        get_model("efficientnet_b0", depth_mult=0)
    with pytest.raises(ValueError, match=r"must be in \[0, 1\)"):
        StochasticDepth(1.0)
