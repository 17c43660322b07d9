"""The instruments of lesson 15: the paper's table, blocks in words, kernels on small maps, twins of equal cost."""

import pytest
import torch
import torchvision
from torch.nn import functional as F

from cnnlab import course
from cnnlab.lessons import facts, rates
from cnnlab.lessons.convnext import study
from cnnlab.models.convnext import Block
from cnnlab.models.convnext_roadmap import STEPS

TASKS = {task.id: task for task in course.exercises("15")}


@pytest.mark.slow  # large networks
def test_the_papers_table_names_every_step_once():
    reached = {steps for _, steps, *_ in study.TABLE_10}
    assert reached == set(range(len(STEPS) + 1)) and len(study.TABLE_10) == 17
    assert study.cost(7, 5).macs < study.cost(7).macs < study.cost(7, 11).macs


def test_a_block_in_words_names_its_layers_and_channels():
    first, last = (study.describe(study.block_of(steps)) for steps in (0, 12))
    assert [text for text, _ in first][::3] == ["1 × 1, 512 → 128", "3 × 3, 128 → 128", "1 × 1, 128 → 512", "ReLU"]
    assert [text for text, _ in last][:3] == ["7 × 7 depthwise, 192", "LayerNorm", "1 × 1, 192 → 768"]
    assert last[-2:] == [("layer scale", 192), ("+ input", 192)] and last[2][1] == 768


@pytest.mark.parametrize(("kernel", "size"), [(7, 7), (7, 2), (3, 1), (11, 7), (5, 16)])
def test_the_share_of_a_kernel_on_the_map_is_what_a_convolution_counts(kernel, size):
    hits = F.conv2d(torch.ones(1, 1, size, size), torch.ones(1, 1, kernel, kernel), padding=kernel // 2)
    assert study.inside(kernel, size) == pytest.approx(hits.mean().item() / kernel**2)


@pytest.mark.slow  # large networks
def test_the_twins_cost_the_same_within_eight_percent_and_run():
    for case in study.TWINS:
        assert study.macs(case) == pytest.approx(study.MACS, rel=0.08)
        with torch.device("meta"):
            assert study.twin(case)(torch.empty(2, 3, 32, 32)).shape == (2, 10)


def test_initial_weights_by_width_fit_any_width():
    for width in (12, 48):
        torch.manual_seed(0)
        model = study.build(12, width)
        assert model.stages[0][0].residual.fc1.weight.std().item() == pytest.approx(0.02, rel=0.2)
        assert study.weights_by_width(model) is model
        assert model.stages[0][0].residual.fc1.weight.std().item() == pytest.approx((3 * width) ** -0.5, rel=0.15)


def test_the_rate_that_is_chosen_reads_most_and_is_the_lowest_of_equal_ones():
    runs = [{"case": "a", "seed": 0, "lr": lr, "validation": read} for lr, read in ((0.1, 0.5), (0.3, 0.9), (1.0, 0.9))]
    runs += [
        {"case": "a", "seed": 1, "lr": 9.0, "validation": 1.0},
        {"case": "b", "seed": 0, "lr": 2.0, "validation": 1},
    ]
    assert study.chosen(runs, "a") == 0.3


def test_no_recorded_rate_is_best_at_the_edge_of_its_grid():
    runs = course.record("convnext_road").results["runs"]
    for case in study.TWINS:
        tried = {run["lr"] for run in runs if run["case"] == case and run["seed"] == 0}
        assert rates.inside(study.chosen(runs, case), tried), case


def test_the_family_is_the_registrys():
    assert study.released("convnext_base").params == 88_591_464


def test_one_network_has_the_accuracies_of_torchvisions_two_recipes():
    weights = torchvision.models.ResNet50_Weights
    documented = [
        each.meta["_metrics"]["ImageNet-1K"]["acc@1"] for each in (weights.IMAGENET1K_V1, weights.IMAGENET1K_V2)
    ]
    reported = [top1 for _, top1 in facts.RESNET50_BY_RECIPE.values()]
    assert [reported[0], reported[-1]] == documented
    assert reported[1] == study.TABLE_10[1][3]


def test_a_step_is_noise_by_the_papers_spreads():
    picture = study.gains({"large": (0.5, 0.1), "small": (-0.1, 0.06)})
    assert "1 of the paper's 2 steps" in picture.alt and "small -0.10 ± 0.12" in picture.alt


@torch.no_grad()
def test_two_patchings_are_one():
    task = TASKS["15.patchify"]
    for first, second in task.arguments():
        side = first.shape[-1] * second.shape[-1]
        x = torch.randn(2, first.shape[1], 2 * side, 3 * side)
        twice = F.conv2d(F.conv2d(x, first, stride=first.shape[-1]), second, stride=second.shape[-1])
        once = F.conv2d(x, task.made(task.solution)(first, second), stride=side)
        torch.testing.assert_close(once, twice, atol=1e-3, rtol=1e-4)


def test_the_layer_norm_is_pytorchs():
    task = TASKS["15.layer-norm"]
    for x, weight, bias, *eps in task.arguments():
        normed = F.layer_norm(x.permute(0, 2, 3, 1), weight.shape, weight, bias, *(eps or [1e-6])).permute(0, 3, 1, 2)
        torch.testing.assert_close(task.made(task.solution)(x, weight, bias, *eps), normed, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_the_block_is_the_networks():
    task = TASKS["15.block"]
    for x, *layers, layer_scale in task.arguments():
        block = Block(x.shape[1], layer_scale=1.0).eval()
        residual = block.residual
        for theirs, ours in zip((residual.depthwise, residual.norm, residual.fc1, residual.fc2), layers, strict=True):
            theirs.load_state_dict(ours.state_dict())
        block.layer_scale.copy_(layer_scale.view_as(block.layer_scale))
        torch.testing.assert_close(task.made(task.solution)(x, *layers, layer_scale), block(x))


def test_the_share_inside_is_counted_weight_by_weight():
    task = TASKS["15.inside"]
    for kernel, size in task.arguments():
        reach = range(-(kernel // 2), kernel // 2 + 1)
        hits = sum(0 <= i + step < size for i in range(size) for step in reach)  # on one axis; the other is alike
        assert task.made(task.solution)(kernel, size) == pytest.approx((hits / (kernel * size)) ** 2)
