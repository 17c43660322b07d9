"""DenseNet against torchvision's; the layouts of its paper for CIFAR."""

import pytest
import torch
import torchvision
from equivalence import assert_equivalent, assert_same_initialisation, first_quick
from torch import nn

from cnnlab import measure
from cnnlab.models import get_model
from cnnlab.models.densenet import DenseBlock


@pytest.mark.parametrize("name", first_quick(["densenet121", "densenet169", "densenet201"]))
def test_is_torchvisions(name: str) -> None:
    assert_equivalent(getattr(torchvision.models, name), lambda: get_model(name))


def test_begins_as_torchvisions() -> None:
    assert_same_initialisation(torchvision.models.densenet121(), get_model("densenet121"))


def test_every_layer_reads_all_maps_before_it() -> None:
    block = DenseBlock(4, depth=3, growth_rate=2).eval()
    x = torch.randn(2, 4, 5, 5)
    y = block(x)
    assert torch.equal(y[:, :4], x)
    for index, layer in enumerate(block):
        before = 4 + 2 * index
        torch.testing.assert_close(layer(y[:, :before]), y[:, before : before + 2])


@pytest.mark.parametrize(("name", "layers"), [("densenet_40_12", 40), ("densenet_bc_100_12", 100)])
def test_has_as_many_layers_as_its_name_says(name: str, layers: int) -> None:
    with torch.device("meta"):
        model = get_model(name)
    assert sum(isinstance(layer, (nn.Conv2d, nn.Linear)) for layer in model.modules()) == layers


@pytest.mark.parametrize(("name", "size"), [("densenet121", 29), ("densenet_40_12", 4), ("densenet_bc_100_12_tiny", 4)])
def test_smallest_images(name: str, size: int) -> None:
    with torch.device("meta"):
        model = get_model(name, num_classes=7).eval()
    assert model(torch.zeros(1, 3, size, size + 9, device="meta")).shape == (1, 7)
    with pytest.raises(ValueError, match=f"{size} pixels"):
        model(torch.zeros(1, 3, size, size - 1, device="meta"))
    model.min_size = 0  # the limit is not stricter than the architecture's
    with pytest.raises(RuntimeError):
        model(torch.zeros(1, 3, size - 1, size - 1, device="meta"))


@pytest.mark.parametrize("compression", [0, 1.5])
def test_impossible_compression(compression: float) -> None:
    with pytest.raises(ValueError, match="share of channels"):
        get_model("densenet121", compression=compression)


def test_dropout_follows_each_layer() -> None:
    model = get_model("densenet_40_12", dropout=0.2)
    assert sum(isinstance(layer, nn.Dropout) for layer in model.modules()) == 36


def twins(**options: float) -> list[nn.Module]:
    """The same network twice, the second one memory-efficient."""
    both = []
    for memory_efficient in (False, True):
        torch.manual_seed(0)
        small = {"depths": (2, 3), "growth_rate": 4, "stem_width": 6}
        both.append(get_model("densenet_40_12_tiny", **small, memory_efficient=memory_efficient, **options).train())
    return both


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("bottleneck", [False, True])
def test_the_memory_efficient_twin_keeps_less_and_has_the_same_gradients(dropout: float, bottleneck: bool) -> None:
    images = torch.randn(2, 3, 16, 16)
    plain, efficient = twins(dropout=dropout, bottleneck=bottleneck)
    assert measure.kept_bytes(efficient, images) < 0.7 * measure.kept_bytes(plain, images)
    plain, efficient = twins(dropout=dropout, bottleneck=bottleneck)
    for model in (plain, efficient):
        torch.manual_seed(1)  # the same units dropped
        model(images).square().sum().backward()
    for one, other in zip(plain.parameters(), efficient.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    with torch.no_grad():
        efficient.load_state_dict(plain.state_dict())  # its batch norms have seen the batch twice
        assert torch.equal(plain.eval()(images), efficient.eval()(images))


def test_the_memory_efficient_twin_learns_above_a_frozen_stem() -> None:
    plain, efficient = twins()
    for model in (plain, efficient):
        model.stem.requires_grad_(False)
        model(torch.ones(2, 3, 16, 16)).square().sum().backward()
    for one, other in zip(plain.stages.parameters(), efficient.stages.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
