"""VGG against torchvision's."""

import pytest
import torch
import torchvision
from equivalence import assert_equivalent, assert_same_initialisation, first_quick
from torch import nn

from cnnlab.models import get_model


@pytest.mark.parametrize(
    "name", first_quick(["vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"])
)
def test_is_torchvisions(name: str) -> None:
    assert_equivalent(lambda: torchvisions(name, hidden=64), lambda: get_model(name, hidden=64), size=40)


@pytest.mark.slow  # its large linear layers
def test_begins_as_torchvisions() -> None:
    assert_same_initialisation(torchvision.models.vgg11_bn(num_classes=10), get_model("vgg11_bn", num_classes=10))


def torchvisions(name: str, hidden: int) -> nn.Module:
    """torchvision's network with a smaller classifier: 100 million parameters less to compare."""
    model = getattr(torchvision.models, name)()
    model.classifier[0] = nn.Linear(512 * 7 * 7, hidden)
    model.classifier[3] = nn.Linear(hidden, hidden)
    model.classifier[6] = nn.Linear(hidden, 1000)
    return model


@pytest.mark.parametrize("name", ["vgg11", "vgg19_bn_tiny"])
def test_smallest_images(name: str) -> None:
    with torch.device("meta"):
        model = get_model(name, num_classes=7).eval()
    assert model(torch.zeros(1, 3, 32, 45, device="meta")).shape == (1, 7)
    with pytest.raises(ValueError, match="32 pixels"):
        model(torch.zeros(1, 3, 64, 31, device="meta"))


def test_other_depths() -> None:
    with torch.device("meta"):
        assert get_model("vgg11", depths=(1, 1, 1, 1, 1)).stages[4].conv1.weight.shape == (512, 512, 3, 3)
    with pytest.raises(ValueError, match="five numbers"):
        get_model("vgg11", depths=(1, 1, 1, 1))
