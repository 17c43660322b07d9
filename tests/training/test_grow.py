"""What users rely on in training.grow and training.initialize."""

import copy

import pytest
import torch
from torch import nn

from cnnlab import models, training

FOUR = ["stages.0.conv1", "stages.1.conv1", "stages.2.conv1", "stages.2.conv2"]
HEAD = ["head.fc1", "head.fc2", "head.fc3"]


def tiny(name: str, seed: int = 0, **options) -> nn.Module:
    torch.manual_seed(seed)
    return models.get_model(name, width=4, hidden=8, **options)


def test_it_copies_the_papers_layers_and_no_other():
    deep, shallow = tiny("vgg19_tiny"), tiny("vgg11_tiny", seed=1)
    before = {name: value.clone() for name, value in deep.state_dict().items()}
    growth = training.grow(deep, shallow, convolutions=4)
    assert list(growth.copied) == FOUR + HEAD
    assert len(growth.kept) == 12 and not set(growth.kept) & set(growth.copied)
    for name, value in deep.state_dict().items():
        layer = name.rpartition(".")[0]
        expected = shallow.state_dict()[name] if layer in growth.copied else before[name]
        assert torch.equal(value, expected), name


def test_the_copy_is_a_copy():
    deep, shallow = tiny("vgg13_tiny"), tiny("vgg11_tiny", seed=1)
    training.grow(deep, shallow)
    with torch.no_grad():
        deep.head.fc3.weight.zero_()
    assert shallow.head.fc3.weight.abs().sum() > 0


def test_without_a_number_all_convolutions_are_copied():
    growth = training.grow(tiny("vgg16_tiny"), tiny("vgg13_tiny"))
    assert len(growth.copied) == 13 and growth.kept == ("stages.2.conv3", "stages.3.conv3", "stages.4.conv3")


def test_batch_norms_go_with_their_convolutions():
    deep, shallow = tiny("vgg13_bn_tiny"), tiny("vgg11_bn_tiny", seed=1)
    nn.init.constant_(shallow.stages[0].norm1.running_mean, 7)
    growth = training.grow(deep, shallow, convolutions=1)
    assert list(growth.copied) == ["stages.0.conv1", "stages.0.norm1", *HEAD]
    assert (deep.stages[0].norm1.running_mean == 7).all()


def test_a_network_grown_from_itself_computes_the_same():
    net = tiny("vgg11_tiny", seed=1).eval()
    other = tiny("vgg11_tiny", seed=2).eval()
    images = torch.randn(2, 3, 32, 32)
    assert not torch.allclose(net(images), other(images))
    assert training.grow(other, net).kept == ()
    assert torch.equal(net(images), other(images))


@pytest.mark.parametrize(
    ("deep", "shallow", "message"),
    [
        (tiny("vgg11_tiny"), tiny("vgg13_tiny"), r"stages\.0\.conv2 and the deep one has not"),
        (models.get_model("vgg19_tiny"), tiny("vgg11_tiny"), r"\(4, 3, 3, 3\).*\(16, 3, 3, 3\).*same width"),
        (tiny("vgg19_tiny", num_classes=7), tiny("vgg11_tiny"), r"head\.fc3.*\(10, 8\).*\(7, 8\)"),
    ],
)
def test_networks_that_do_not_fit_are_refused_and_nothing_is_copied(deep, shallow, message):
    before = copy.deepcopy(deep.state_dict())
    with pytest.raises(ValueError, match=message):
        training.grow(deep, shallow)
    assert all(torch.equal(value, before[name]) for name, value in deep.state_dict().items())


def test_growth_shows_what_came_from_where():
    growth = training.grow(tiny("vgg13_tiny"), tiny("vgg11_tiny"), convolutions=1)
    assert repr(growth) == "4 layers copied: stages.0.conv1, head.fc1, head.fc2, head.fc3; 9 left as they were"
    assert growth._repr_html_().count("the shallow network") == 4


def test_initialize_draws_every_weight_by_the_rule_and_clears_the_biases():
    net = models.get_model("vgg11_tiny")
    nn.init.ones_(net.stages[0].conv1.bias)
    torch.manual_seed(0)
    assert training.initialize(net, lambda weight: nn.init.normal_(weight, std=0.01)) is net
    for name, value in net.named_parameters():
        if name.endswith("bias"):
            assert (value == 0).all(), name
        else:
            assert value.std().item() == pytest.approx(0.01, rel=0.2), name


def test_initialize_leaves_normalisation_alone():
    net = training.initialize(models.get_model("vgg11_bn_tiny"), nn.init.zeros_)
    assert (net.stages[0].norm1.weight == 1).all() and (net.stages[0].conv1.weight == 0).all()
