"""The instruments of lesson 15: the paper's table, blocks in words, kernels on small maps, twins of equal cost."""

import pytest
import torch
import torchvision
from torch.nn import functional as F

from cnnlab import models
from cnnlab.lessons.convnext import study
from cnnlab.models.convnext_roadmap import STEPS


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


def test_the_twins_cost_the_same_within_five_percent_and_run():
    for case in study.TWINS:
        assert study.macs(case) == pytest.approx(study.MACS, rel=0.05)
        with torch.device("meta"):
            assert study.twin(case)(torch.empty(2, 3, 32, 32)).shape == (2, 10)


def test_first_weights_by_width_fit_any_width():
    for width in (12, 48):
        torch.manual_seed(0)
        model = study.build(12, width)
        assert model.stages[0][0].residual.fc1.weight.std().item() == pytest.approx(0.02, rel=0.2)
        assert study.weights_by_width(model) is model
        assert model.stages[0][0].residual.fc1.weight.std().item() == pytest.approx((3 * width) ** -0.5, rel=0.15)


def test_the_family_is_the_registrys():
    assert set(study.FAMILY) <= set(models.list_models())
    assert study.released("convnext_base").params == 88_591_464


@pytest.mark.parametrize("name", study.FAMILY)
def test_the_familys_figures_are_those_of_torchvisions_weights(name):
    meta = torchvision.models.get_model_weights(name).IMAGENET1K_V1.meta
    accuracies = meta["_metrics"]["ImageNet-1K"]
    assert study.FAMILY[name] == (accuracies["acc@1"], accuracies["acc@5"], meta["_ops"])
