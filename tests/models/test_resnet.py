"""ResNet, Wide ResNet and ResNeXt against torchvision's; what their blocks do, step by step."""

import pytest
import torch
import torchvision
from equivalence import assert_equivalent, assert_same_initialisation, first_quick
from torch import nn
from torch.nn import functional as F

from cnnlab.models import get_model
from cnnlab.models.resnet import BasicBlock, Bottleneck, PadShortcut


@pytest.mark.parametrize(
    "name",
    [
        *first_quick(("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")),
        *first_quick(("resnext50_32x4d", "resnext101_32x8d", "wide_resnet50_2", "wide_resnet101_2")),
    ],
)
def test_is_torchvisions(name: str) -> None:
    assert_equivalent(getattr(torchvision.models, name), lambda: get_model(name))


@pytest.mark.slow  # large networks
@pytest.mark.parametrize("name", ["resnet18", "resnet50", "wide_resnet50_2", "resnext50_32x4d"])
def test_begins_as_torchvisions(name: str) -> None:
    assert_same_initialisation(getattr(torchvision.models, name)(), get_model(name))


def test_cifar_networks_begin_with_variance_2_by_fan_out() -> None:
    model = get_model("resnet56")
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d) and layer.out_channels == 64:
            assert abs(layer.weight.std() - (2 / (9 * 64)) ** 0.5) < 2e-3


def test_pad_shortcut_is_option_a() -> None:
    x = torch.randn(2, 3, 7, 7)
    y = PadShortcut(extra=2, stride=2)(x)
    assert y.shape == (2, 5, 4, 4)
    assert (y[:, 3:] == 0).all()
    assert (y[1, 2, 3, 1] == x[1, 2, 6, 2]).all()


@pytest.mark.parametrize("shortcut", ["A", "B", "none"])
def test_a_block_adds_its_shortcut_before_the_relu(shortcut: str) -> None:
    block = BasicBlock(4, 8, stride=2, shortcut=shortcut)
    x = torch.randn(2, 4, 8, 8)
    added = {"A": lambda: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 4)), "B": lambda: block.shortcut(x), "none": float}
    expected = (block.residual(x) + added[shortcut]()).clamp(min=0)
    torch.testing.assert_close(block(x), expected)


def test_an_identity_block_passes_what_is_positive() -> None:
    """The initialisation of section 3.1's argument: with F = 0 a block is the identity."""
    block = Bottleneck(16, 16)
    nn.init.zeros_(block.residual.norm3.weight)
    x = torch.rand(2, 16, 4, 4)
    assert torch.equal(block(x), x)


def test_a_plain_network_is_the_residual_one_without_its_sums() -> None:
    plain, residual = get_model("plain20"), get_model("resnet20")
    residual.load_state_dict(plain.state_dict())
    for block in residual.modules():
        if isinstance(block, BasicBlock):
            block.shortcut = None
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(plain.eval()(x), residual.eval()(x))


def test_normalisation_can_be_left_out() -> None:
    model = get_model("resnet20", norm=nn.Identity)
    assert all(parameter.ndim == 4 for parameter in model.stages.parameters())
    assert model(torch.randn(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize("name", ["resnet18", "resnet20", "plain20", "preact_resnet50", "preact_resnet110"])
@pytest.mark.parametrize("size", [(1, 1), (3, 8), (33, 50)])
def test_takes_images_of_any_size(name: str, size: tuple[int, int]) -> None:
    with torch.device("meta"):
        assert get_model(name, num_classes=7).eval()(torch.zeros(1, 3, *size, device="meta")).shape == (1, 7)
