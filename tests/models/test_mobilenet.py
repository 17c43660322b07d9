"""MobileNet-v1 against timm's, MobileNet-v2 against torchvision's. Counts are in test_exact.py."""

import pytest
import timm
import torch
import torchvision
from equivalence import assert_equivalent, assert_same_initialisation, macs
from torchvision.models._utils import _make_divisible

from cnnlab.models import get_model
from cnnlab.models.mobilenet import DepthwiseSeparable, FullConvolution
from cnnlab.models.mobilenet_v2 import round_channels


def test_v1_is_timms() -> None:
    assert_equivalent(lambda: timm.create_model("mobilenetv1_100"), lambda: get_model("mobilenet_v1"))


@pytest.mark.parametrize("width", [1.0, 0.5])
def test_v2_is_torchvisions(width: float) -> None:
    assert_equivalent(
        lambda: torchvision.models.mobilenet_v2(width_mult=width), lambda: get_model("mobilenet_v2", width_mult=width)
    )


def test_v2_starts_like_torchvisions() -> None:
    assert_same_initialisation(torchvision.models.mobilenet_v2(), get_model("mobilenet_v2"))


@pytest.mark.parametrize("channels", [64, 512])
def test_a_separable_block_costs_what_equation_5_says(channels: int) -> None:
    with torch.device("meta"):
        separable, full = DepthwiseSeparable(32, channels), FullConvolution(32, channels)
        image = torch.zeros(1, 32, 14, 14)
        assert separable(image).shape == full(image).shape
    # The first parameter of a depthwise convolution has one input channel: count with 32 by hand.
    depthwise, pointwise = 32 * 9 * 14 * 14, 32 * channels * 14 * 14
    assert (depthwise + pointwise) / (32 * channels * 9 * 14 * 14) == pytest.approx(1 / channels + 1 / 9)
    assert sum(p.numel() for p in separable.parameters() if p.ndim == 4) * 14 * 14 == depthwise + pointwise


@pytest.mark.parametrize(("size", "millions"), [(192, 418.1), (160, 290.7), (128, 186.4)])
def test_v1_at_the_resolutions_of_table_7(size: int, millions: float) -> None:
    with torch.device("meta"):
        model = get_model("mobilenet_v1")
    assert round(macs(model, size) / 1e6, 1) == millions


def test_round_channels() -> None:
    for channels in (1, 7.9, 11, 12, 33.6, 34.9, 100, 1280 * 1.4):
        assert round_channels(channels) == _make_divisible(channels, 8)


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2"])
def test_impossible_width(name: str) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        get_model(name, width_mult=0)
