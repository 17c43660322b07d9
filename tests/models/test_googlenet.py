"""GoogLeNet against torchvision's, with and without auxiliary heads, and the network of 2014 against Table 1."""

import pytest
import torch
import torchvision
from equivalence import assert_equivalent, assert_same_initialisation, fill, without_chance
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from cnnlab.models import get_model, load_torchvision


def torchvisions(aux_logits: bool) -> nn.Module:
    return torchvision.models.googlenet(aux_logits=aux_logits, init_weights=False)


def test_is_torchvisions() -> None:
    assert_equivalent(lambda: torchvisions(False), lambda: get_model("googlenet"))


def test_is_torchvisions_with_auxiliary_heads() -> None:
    theirs, ours = torchvisions(True), get_model("googlenet", aux_heads=True)
    theirs.aux_logits = False  # `fill` expects logits, not a tuple
    fill(theirs, 64)
    theirs.aux_logits = True
    load_torchvision(ours, theirs.state_dict())
    images, labels = torch.randn(2, 3, 96, 96), torch.tensor([0, 1])
    expected, outputs = (without_chance(model.train())(images) for model in (theirs, ours))
    assert expected.aux_logits1.std() > 0.01
    for own, reference in ((0, 0), (1, 2), (2, 1)):  # theirs come in another order
        assert (outputs[own] - expected[reference]).abs().max() <= 1e-4
    assert ours.aux_weight == 0.3  # section 5
    for results in (expected, outputs):
        sum(
            weight * F.cross_entropy(logits, labels) for weight, logits in zip((1, 0.3, 0.3), results, strict=True)
        ).backward()
    largest = max(parameter.grad.norm() for parameter in theirs.parameters())
    for (name, theirs_), own in zip(theirs.named_parameters(), ours.parameters(), strict=True):
        assert (theirs_.grad - own.grad).norm() <= 1e-3 * theirs_.grad.norm() + 1e-5 * largest, name
    assert ours.eval()(images).shape == (2, 1000)


def test_transforms_its_input_as_torchvisions() -> None:
    theirs = torchvision.models.googlenet(aux_logits=False, init_weights=False, transform_input=True)
    fill(theirs, 64)
    ours = load_torchvision(get_model("googlenet", transform_input=True), theirs.state_dict())
    images = torch.randn(2, 3, 64, 64)
    expected = theirs.eval()(images)
    assert (ours.eval()(images) - expected).abs().max() <= 1e-4
    theirs.transform_input = False
    assert (theirs(images) - expected).abs().max() > 0.01


def test_begins_as_torchvisions() -> None:
    theirs = torchvision.models.googlenet(init_weights=True)
    assert_same_initialisation(theirs, get_model("googlenet", aux_heads=True))


# Table 1: mult-adds in millions. Two rows cannot be right: the first convolution, 34M, and 5a, 54M.
OPERATIONS = {
    "stem": 360,  # less the first convolution
    **{"stages.0.0": 128, "stages.0.1": 304, "stages.1.0": 73, "stages.1.1": 88, "stages.1.2": 100, "stages.1.3": 119},
    **{"stages.1.4": 170, "stages.2.1": 71, "head": 1},
}
# Parameters in units of 1,024. Of the other rows only the magnitude holds: 2.7K for 9.3K, 364K for 367K, 463K for 498K.
PARAMS = {"stem": 112, "stages.0.0": 159, "stages.0.1": 380, "head": 1000}


def test_2014_has_the_rows_of_table_1() -> None:
    with torch.device("meta"):
        model = get_model("googlenet_2014").eval()
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, 224, 224, device="meta"))
    macs = {name: sum(operations.values()) / 2 for name, operations in counter.get_flop_counts().items()}
    macs["GoogLeNet.stem"] -= 64 * 3 * 7 * 7 * 112 * 112
    for row, millions in OPERATIONS.items():
        assert abs(macs[f"GoogLeNet.{row}"] / 1e6 - millions) < 0.7, row
    for row, thousands in PARAMS.items():
        params = sum(parameter.numel() for parameter in model.get_submodule(row).parameters() if parameter.ndim > 1)
        assert abs((params - (64 * 3 * 7 * 7 if row == "stem" else 0)) / 1024 - thousands) <= 1, row


def test_2014_has_no_batch_norm_and_real_5x5_kernels() -> None:
    with torch.device("meta"):
        model = get_model("googlenet_2014", aux_heads=True)
    kinds = {type(module) for module in model.modules()}
    assert nn.BatchNorm2d not in kinds and nn.LocalResponseNorm in kinds
    for module in ("stages.0.0", "stages.2.1"):
        assert model.get_submodule(module).branch5x5.conv.conv.kernel_size == (5, 5)


def test_2014_begins_with_variance_2_by_fan_in() -> None:
    for layer in get_model("googlenet_2014", aux_heads=True).modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            fan_in = layer.weight[0].numel()
            assert abs(layer.weight.std() / (2 / fan_in) ** 0.5 - 1) < 5 * layer.weight.numel() ** -0.5
            assert (layer.bias == 0).all()


@pytest.mark.parametrize(
    ("name", "size"), [("googlenet", 15), ("googlenet_2014", 31), ("googlenet_tiny", 4), ("googlenet_2014_tiny", 8)]
)
@pytest.mark.parametrize("aux_heads", [False, True])
def test_smallest_images(name: str, size: int, aux_heads: bool) -> None:
    with torch.device("meta"):
        model = get_model(name, num_classes=7, aux_heads=aux_heads)
    outputs = model(torch.zeros(2, 3, size, size + 9, device="meta"))
    assert [logits.shape for logits in (outputs if aux_heads else [outputs])] == [(2, 7)] * (3 if aux_heads else 1)
    with pytest.raises(ValueError, match=f"{size} pixels"):
        model(torch.zeros(2, 3, size, size - 1, device="meta"))
    model.min_size = 0  # the limit is not stricter than the architecture's
    with pytest.raises(RuntimeError):
        model(torch.zeros(2, 3, size - 1, size - 1, device="meta"))
