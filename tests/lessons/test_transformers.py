"""The instruments of lesson 14: what heads look at, a convolution made of attention, the record's budget."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import course, measure, models
from cnnlab.lessons.transformers import study


def test_the_shares_are_those_that_the_layer_uses():
    model = models.get_model("vit_b_16_tiny").eval()
    nn.init.normal_(model.stages[0][1].attention.in_proj_weight)  # far from equal shares
    images = torch.randn(2, 3, 32, 32)
    shares = study.attention(model, images)
    assert len(shares) == 4 and shares[1].shape == (2, 4, 17, 17) and shares[1].max() > 0.5
    norm, layer = model.stages[0][1].norm1, model.stages[0][1].attention
    with torch.no_grad():
        x = norm(model.stages[0][0](model.stem(images)))
        values = F.linear(x, layer.in_proj_weight, layer.in_proj_bias).unflatten(2, (3, 4, 16))[:, :, 2].transpose(1, 2)
        assert torch.allclose(layer.out_proj((shares[1] @ values).transpose(1, 2).flatten(2)), layer(x), atol=1e-4)


@pytest.mark.parametrize(("channels", "out", "height", "width"), [(3, 5, 6, 8), (1, 4, 3, 3)])
def test_attention_does_what_a_convolution_does_and_pads_with_zeros(channels, out, height, width):
    convolution, images = nn.Conv2d(channels, out, 3, padding=1), torch.randn(2, channels, height, width)
    layer = study.convolution_as_attention(convolution, height, width)
    with torch.no_grad():
        tokens = layer(study.as_tokens(images))[:, :-1, :out]
        assert torch.allclose(tokens.transpose(1, 2).unflatten(2, (height, width)), convolution(images), atol=1e-5)


def test_the_best_are_sorted_and_the_transformers_are_known():
    best = study.torchvisions_best(1000)
    assert len(best) == 80 and best == sorted(best, key=lambda network: -network["top1"])
    by_name = {network["name"]: network for network in best}
    assert by_name["vit_b_16"]["top1"] == 85.304 and by_name["vit_b_16"]["elsewhere"]
    assert {by_name[name]["kind"] for name in ("swin_t", "maxvit_t", "vit_h_14")} == {"transformer"}
    assert by_name["convnext_base"] | {"gmacs": 0} == {
        "name": "convnext_base",
        "kind": "convolutions",
        "elsewhere": False,
        "top1": 84.062,
        "gmacs": 0,
    }


def test_the_record_gives_both_the_same_work():
    runs = course.record("cnn_and_vit").results["runs"]
    assert {run["images"] for run in runs} == {500, 2000, 8000, 16000}
    cost = {name: measure.cost(make(), 32).macs for name, make in MAKE.items()}
    for run in runs:
        name = "ResNet" if run["kind"] == "ResNet" else "ViT"
        assert run["macs"] == cost[name]
        assert run["macs"] * run["images"] * run["epochs"] == pytest.approx(16000 * cost["ResNet"], rel=0.06)


MAKE = {"ResNet": study.small_resnet, "ViT": study.small_vit}
