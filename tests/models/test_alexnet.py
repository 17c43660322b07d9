"""AlexNet against torchvision's, and the network of 2012 against its paper."""

import pytest
import torch
import torchvision
from equivalence import assert_equivalent, assert_same_initialisation
from torch import nn

from cnnlab.models import get_model


def test_is_torchvisions() -> None:
    assert_equivalent(with_smaller_classifier, lambda: get_model("alexnet", hidden=64))


def with_smaller_classifier() -> nn.Module:
    """torchvision's network, 50 million parameters less to compare."""
    model = torchvision.models.alexnet()
    model.classifier[1] = nn.Linear(256 * 6 * 6, 64)
    model.classifier[4] = nn.Linear(64, 64)
    model.classifier[6] = nn.Linear(64, 1000)
    return model


@pytest.mark.slow  # large networks
def test_begins_as_torchvisions() -> None:
    assert_same_initialisation(torchvision.models.alexnet(num_classes=10), get_model("alexnet", num_classes=10))


def test_2012_has_the_units_and_kernels_of_section_3() -> None:
    """Numbers of section 3.5: kernels, and neurons of each layer (of the first, 290,400)."""
    with torch.device("meta"):
        model = get_model("alexnet_2012")
    convolutions = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    neurons = []
    for layer in convolutions:
        layer.register_forward_hook(lambda _, __, output: neurons.append(output.numel()))
    model(torch.zeros(1, 3, 227, 227, device="meta"))
    kernels = [(96, 3, 11, 11), (256, 48, 5, 5), (384, 256, 3, 3), (384, 192, 3, 3), (256, 192, 3, 3)]
    assert [tuple(layer.weight.shape) for layer in convolutions] == kernels
    assert neurons == [290_400, 186_624, 64_896, 64_896, 43_264]  # 55*55*96, 27*27*256, 13*13*384, ...


def test_2012_normalises_as_in_section_3_3() -> None:
    norm = next(layer for layer in get_model("alexnet_2012").modules() if isinstance(layer, nn.LocalResponseNorm))
    a = torch.randn(2, 8, 3, 3) * 50
    expected = torch.empty_like(a)
    for i in range(8):
        window = a[:, max(0, i - 2) : min(7, i + 2) + 1]
        expected[:, i] = a[:, i] / (2 + 1e-4 * window.square().sum(1)) ** 0.75
    torch.testing.assert_close(norm(a), expected)


def test_2012_begins_as_in_section_5() -> None:
    layers = [layer for layer in get_model("alexnet_2012").modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    assert all(abs(layer.weight.std() - 0.01) < 5e-4 for layer in layers)
    assert [set(layer.bias.tolist()) for layer in layers] == [{0}, {1}, {0}, {1}, {1}, {1}, {1}, {0}]


@pytest.mark.parametrize(("name", "size"), [("alexnet", 63), ("alexnet_tiny", 15), ("alexnet_2012", 227)])
def test_smallest_images(name: str, size: int) -> None:
    with torch.device("meta"):
        model = get_model(name, num_classes=7).eval()
    assert model(torch.zeros(1, 3, size, size + 9, device="meta")).shape == (1, 7)
    with pytest.raises(ValueError, match="AlexNet"):
        model(torch.zeros(1, 3, size, size - 1, device="meta"))


def test_2012_largest_images() -> None:
    with torch.device("meta"):
        model = get_model("alexnet_2012")
    assert model(torch.zeros(1, 3, 242, 242, device="meta")).shape == (1, 1000)
    with pytest.raises(ValueError, match="227 x 227"):
        model(torch.zeros(1, 3, 243, 227, device="meta"))


def test_groups_are_those_of_2012_in_every_version() -> None:
    """Convolutions 2, 4 and 5; without them, the network of 2012 has the 62.4 million that are often quoted."""
    with torch.device("meta"):
        both = [get_model("alexnet_2012"), get_model("alexnet", groups=2)]
        alone = get_model("alexnet_2012", groups=1)
    for model in both:
        assert [layer.groups for layer in model.modules() if isinstance(layer, nn.Conv2d)] == [1, 2, 1, 2, 2]
    assert sum(p.numel() for p in alone.parameters()) == 62_378_344
