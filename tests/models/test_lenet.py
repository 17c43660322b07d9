"""LeNet-5 against the figures of its paper (LeCun et al. 1998, section II.B)."""

import math

import pytest
import torch
from torch.nn import functional as F

from cnnlab import models
from cnnlab.models.lenet import C3_INPUTS, RBF, LeNet5_1998, PartialConv2d, ScaledTanh, Subsampling

LAYERS = {  # the paper's parameters and connections of each layer
    "C1": (156, 122_304),
    "S2": (12, 5_880),
    "C3": (1_516, 151_600),
    "S4": (32, 2_000),
    "C5": (48_120, 48_120),
    "F6": (10_164, 10_164),
    "output": (0, 840),
}


@pytest.fixture
def original() -> LeNet5_1998:
    torch.manual_seed(0)
    return models.get_model("lenet5_1998")


def test_every_layer_has_the_papers_parameters_and_connections(original):
    by_name = {name.split(".")[-1]: module for name, module in original.named_modules()}
    connections = LeNet5_1998.connections()
    for name, figures in LAYERS.items():
        assert (sum(p.numel() for p in by_name[name].parameters()), connections[name]) == figures
    assert sum(p.numel() for p in original.parameters() if p.requires_grad) == 60_000
    assert sum(connections.values()) == 340_908


def test_the_modern_one_has_61706():
    assert sum(p.numel() for p in models.get_model("lenet5").parameters()) == 61_706


def test_c3_is_connected_as_table_i_says(original):
    assert [len(seen) for seen in C3_INPUTS] == [3] * 6 + [4] * 9 + [6]
    layer = original.stages[0].C3
    x = torch.randn(1, 6, 14, 14)
    before = layer(x)
    for source in range(6):
        changed = x.clone()
        changed[:, source] += torch.randn(14, 14)
        moved = (layer(changed) - before).abs().amax((0, 2, 3)) > 1e-6
        assert moved.nonzero().flatten().tolist() == [out for out, seen in enumerate(C3_INPUTS) if source in seen]


def test_partial_convolution_agrees_with_a_sum_of_single_ones():
    layer = PartialConv2d(3, ((0, 2), (1,)))
    x = torch.randn(2, 3, 9, 9)
    one = F.conv2d(x[:, [0]], layer.kernels[[0]][:, None]) + F.conv2d(x[:, [2]], layer.kernels[[1]][:, None])
    two = F.conv2d(x[:, [1]], layer.kernels[[2]][:, None])
    layer.bias.data = torch.tensor([0.5, -0.5])
    assert torch.allclose(layer(x), torch.cat([one + 0.5, two - 0.5], 1), atol=1e-5)


def test_subsampling_adds_four_pixels():
    layer = Subsampling(1)
    layer.coefficient.data.fill_(0.5)
    layer.bias.data.fill_(1.0)
    assert layer(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])).item() == pytest.approx(0.5 * 10 + 1)


def test_the_squashing_is_one_at_one():
    squash = ScaledTanh()
    assert squash(torch.tensor([1.0, -1.0, 0.0])).tolist() == pytest.approx([1, -1, 0], abs=1e-4)
    assert squash(torch.tensor(100.0)).item() == pytest.approx(1.7159)


def test_the_output_is_minus_the_squared_distance_from_each_bitmap():
    output = RBF().eval()
    assert output.bitmaps.shape == (10, 84) and set(output.bitmaps.flatten().tolist()) == {-1.0, 1.0}
    assert len({tuple(bitmap) for bitmap in output.bitmaps.tolist()}) == 10
    assert output(output.bitmaps).argmax(1).tolist() == list(range(10))
    x = torch.randn(1, 84)
    assert output(x)[0, 3].item() == pytest.approx(-((x[0] - output.bitmaps[3]) ** 2).sum().item(), rel=1e-5)
    assert list(output.parameters()) == []


def test_training_minimises_equation_9():
    """y + log(exp(-j) + sum over the classes of exp(-y_i))."""
    output = RBF(j=5.0).train()
    x = torch.randn(1, 84)
    distances = (x - output.bitmaps).square().sum(1).double()
    expected = distances[7] + torch.logsumexp(torch.cat([-distances, torch.tensor([-5.0])]), 0)
    assert F.cross_entropy(output(x).double(), torch.tensor([7])).item() == pytest.approx(expected.item(), rel=1e-5)
    assert output.eval()(x).shape == (1, 10)


def test_weights_start_uniform_within_2_4_over_the_fan_in(original):
    fans = {"C1": 25, "C5": 400, "F6": 120}
    for name, module in original.named_modules():
        if (short := name.split(".")[-1]) in fans:
            bound = 2.4 / fans[short]
            assert module.weight.abs().max() <= bound
            assert module.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.2)


@pytest.mark.parametrize("name", ["lenet5", "lenet5_1998"])
@pytest.mark.parametrize("size", [(40, 40), (28, 28), (32, 33), (2, 2)])
def test_other_sizes_are_refused_with_the_reason(name, size):
    with pytest.raises(ValueError, match=rf"32 x 32 pixels, not {size[0]} x {size[1]}.*16 x 5 x 5"):
        models.get_model(name)(torch.zeros(1, 1, *size))


def test_the_size_in_the_message_is_what_the_layers_give():
    features = torch.nn.Sequential(*(m for m in models.get_model("lenet5").stem), *models.get_model("lenet5").stages)
    for side in (40, 28, 36):
        real = features(torch.zeros(1, 1, side, side)).shape[-1]
        with pytest.raises(ValueError, match=f"16 x {real} x {real}"):
            models.get_model("lenet5")(torch.zeros(1, 1, side, side))


def test_options_replace_activation_and_pooling():
    model = models.get_model("lenet5", activation=torch.nn.ReLU, pool=torch.nn.MaxPool2d, num_classes=3, in_channels=2)
    kinds = {type(module) for module in model.modules()}
    assert {torch.nn.ReLU, torch.nn.MaxPool2d} <= kinds and torch.nn.Tanh not in kinds
    assert model(torch.zeros(5, 2, 32, 32)).shape == (5, 3)
