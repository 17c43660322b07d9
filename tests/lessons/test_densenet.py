"""What lesson 10 measures with: twins at one price, the reuse map, and a map of what is missed."""

import inspect

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torchvision.models import DenseNet

from cnnlab import course, measure, models
from cnnlab.lessons import rates
from cnnlab.lessons.densenet.record import TWINS
from cnnlab.lessons.densenet.study import (
    CIFAR_ERRORS,
    TOP1,
    AddingBlock,
    AddingNet,
    concatenating,
    connected_pairs,
    connections,
    inside,
    missed,
    missed_most,
    rank_correlation,
    readers,
    relative,
    reuse,
)
from cnnlab.models.densenet import DenseBlock

TASKS = {task.id: task for task in course.exercises("10")}


def small() -> nn.Module:
    torch.manual_seed(0)
    return models.get_model("densenet_40_12_tiny", depths=(2, 3), growth_rate=4, stem_width=6)


def test_the_twins_have_about_equal_weights_in_each_block():
    dense, adding = (measure.cost(model, (3, 32, 32)) for model in (concatenating(), AddingNet()))
    assert abs(adding.params / dense.params - 1) < 0.01
    for one, other in zip(dense.stages[1:4], adding.stages[1:4], strict=True):
        assert one.name == other.name and abs(other.params / one.params - 1) < 0.04


def test_recorded_twins_have_about_equal_weights():
    sizes = [sum(p.numel() for p in make().parameters()) for make in TWINS.values()]
    assert max(sizes) / min(sizes) < 1.02


def test_the_chosen_rates_are_inside_their_grids():
    flat = course.record("twins_until_flat").results
    assert all(rates.inside(of["chosen"], map(float, of["tried"])) for of in flat.values())
    assert all(min(run["train"][-2:]) > 0.98 for of in flat.values() for run in of["seeds"])


def test_an_adding_block_adds():
    block, x = AddingBlock(3, 2).eval(), torch.randn(1, 3, 4, 4)
    first = x + block[0](x)
    torch.testing.assert_close(block(x), first + block[1](first))


def test_reuse_is_the_mean_weight_of_each_source():
    model = small()
    first, second = reuse(model)
    assert first.shape == (3, 3) and second.shape == (4, 4)
    weight = model.stages[0].block[1].conv2.weight.detach()  # the second layer's convolution reads 6 maps and 4 maps
    torch.testing.assert_close(first[:2, 1], torch.stack([weight[:, :6].abs().mean(), weight[:, 6:].abs().mean()]))
    assert first[2, 1].isnan() and not first[2, 2].isnan()
    transition, head = model.stages[1].transition.conv.weight.detach(), model.head.fc.weight.detach()
    torch.testing.assert_close(first[1, 2], transition[:, 6:10].abs().mean())
    torch.testing.assert_close(second[3, 3], head[:, -4:].abs().mean())


def test_readers_see_all_maps_before_them():
    block = readers(small())[1]
    assert [reader.name for reader in block] == ["layer 1", "layer 2", "layer 3", "head"]
    assert [sum(reader.sizes) for reader in block] == [reader.norm.num_features for reader in block] == [14, 18, 22, 26]
    assert connected_pairs(small()) == (1 + 3, 10)


def test_missed_is_zero_where_the_weights_are():
    model, images, labels = small().eval(), torch.randn(8, 3, 16, 16), torch.arange(8)
    with torch.no_grad():
        model.stages[0].block[1].conv2.weight[:, 6:] = 0
        model.head.fc.weight[:, :14] *= 10
    first, second = missed(model, images, labels)
    assert abs(first[1, 1]) < 1e-6 < abs(first[0, 1])
    assert abs(second[0, 3]) == second[:, 3].abs().max()


def test_where_few_maps_are_taken_away_small_sources_are_missed_as_a_whole():
    model, images, labels = small().eval(), torch.randn(8, 3, 16, 16), torch.arange(8)
    whole, four = missed(model, images, labels), missed(model, images, labels, most=4)
    for all_maps, some in zip(whole, four, strict=True):
        torch.testing.assert_close(all_maps[1:], some[1:], equal_nan=True)  # layers make four maps
        assert (all_maps[0] != some[0]).any()


def test_the_figures_say_what_they_show():
    picture = connections(3)
    assert "6 arcs" in picture.alt and "6 connections" in picture.figure.get_suptitle()
    runs = course.record("densenet_and_resnet").results
    assert "the block's input" in missed_most(inside(runs, "missed")).alt
    assert relative([torch.tensor([[1.0, 2.0], [torch.nan, 4.0]])])[0][:, 1].tolist() == pytest.approx([2 / 3, 4 / 3])
    assert rank_correlation(
        [torch.tensor([1.0, 2.0, torch.nan])], [torch.tensor([3.0, 5.0, torch.nan])]
    ) == pytest.approx(1)


def test_torchvision_has_the_switch_that_the_lesson_names():
    assert "memory_efficient" in inspect.signature(DenseNet).parameters


@pytest.mark.parametrize("name", TOP1)
def test_accuracies_are_those_of_torchvisions_weights(name):
    weights = torchvision.models.get_model_weights(name).IMAGENET1K_V1
    assert weights.meta["_metrics"]["ImageNet-1K"]["acc@1"] == TOP1[name]


# Millions of parameters by Table 2 of the DenseNet paper (1608.06993).
PRINTED = {
    "pre-activation ResNet-1001": 10.2,
    "DenseNet-40, k 12": 1.0,
    "DenseNet-100, k 12": 7.0,
    "DenseNet-100, k 24": 27.2,
    "DenseNet-BC-100, k 12": 0.8,
    "DenseNet-BC-250, k 24": 15.3,
    "DenseNet-BC-190, k 40": 25.6,
    "ResNet-110": 1.7,
}


@pytest.mark.slow  # large networks
@pytest.mark.parametrize("name", CIFAR_ERRORS)
def test_the_networks_for_cifar_have_the_papers_parameters(name):
    network, options, error = CIFAR_ERRORS[name]
    with torch.device("meta"):
        parameters = sum(p.numel() for p in models.get_model(network, **options).parameters()) / 1e6
    assert 3 < error < 9
    assert parameters == pytest.approx(PRINTED.get(name, parameters), abs=0.06, rel=0.015)


def solved(id: str):
    return TASKS[id].made(TASKS[id].solution)


@pytest.mark.parametrize("case", TASKS["10.channels"].arguments())
def test_channels_are_those_of_the_network(case):
    options = dict(zip(("stem_width", "depths", "growth_rate", "compression"), case, strict=True))
    with torch.device("meta"):
        model = models.get_model("densenet_40_12", **options).eval()
        x, leaving = model.stem(torch.zeros(1, 3, 32, 32)), []
        for stage in model.stages:
            x = stage(x)
            leaving.append(x.shape[1])
    assert solved("10.channels")(*case) == leaving


def test_a_dense_block_is_the_package_s():
    block, x = DenseBlock(5, depth=4, growth_rate=3).eval(), torch.randn(2, 5, 6, 6)
    with torch.no_grad():
        torch.testing.assert_close(solved("10.dense-block")(x, list(block)), block(x))


def test_a_transition_may_pool_first():
    for x, weight in TASKS["10.transition"].arguments():
        true = F.avg_pool2d(F.conv2d(x, weight[:, :, None, None]), 2)
        torch.testing.assert_close(solved("10.transition")(x, weight), true)


def test_a_transition_that_pools_last_is_too_expensive():
    feedback = course.check("10.transition", lambda x, w: F.avg_pool2d(F.conv2d(x, w[:, :, None, None]), 2))
    assert feedback.status == "wrong" and "2,304 mult-adds, and may take 576" in feedback.message


@pytest.mark.parametrize(("channels", "depth", "growth_rate", "pixels"), TASKS["10.kept"].arguments())
def test_a_block_keeps_so_many_numbers(channels, depth, growth_rate, pixels):
    side, block = round(pixels**0.5), DenseBlock(channels, depth, growth_rate, bottleneck=False).train()
    kept = measure.kept_bytes(block, torch.zeros(1, channels, side, side, requires_grad=True)) // 4
    statistics = 2 * sum(norm.num_features for norm in block.modules() if isinstance(norm, nn.BatchNorm2d))
    assert solved("10.kept")(channels, depth, growth_rate, pixels) == kept - statistics
