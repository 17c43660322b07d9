"""ConvNeXt against torchvision's, and each step of its roadmap against Table 10."""

import pytest
import torch
import torchvision
from equivalence import assert_equivalent, assert_same_initialisation, first_quick, macs
from torch import nn
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.convnext import ConvNeXt as TorchvisionConvNeXt

from cnnlab.models import get_model, load_torchvision
from cnnlab.models.convnext import ConvNeXt
from cnnlab.models.convnext_roadmap import STEPS, convnext_roadmap


@pytest.mark.parametrize("name", first_quick(["convnext_tiny", "convnext_small"]))
def test_is_torchvisions(name: str) -> None:
    assert_equivalent(lambda: getattr(torchvision.models, name)(), lambda: get_model(name), size=64)


@pytest.mark.slow  # a second each
@pytest.mark.parametrize(
    ("name", "widths"), [("convnext_base", (128, 256, 512, 1024)), ("convnext_large", (192, 384, 768, 1536))]
)
def test_wide_ones_are_torchvisions(name: str, widths: tuple[int, ...]) -> None:
    with torch.device("meta"):  # all shapes of the whole network, without its 0.8 GB
        load_torchvision(get_model(name), getattr(torchvision.models, name)().state_dict())
    outs = (*widths[1:], None)
    settings = [CNBlockConfig(width, out, 1) for width, out in zip(widths, outs, strict=True)]
    assert_equivalent(lambda: TorchvisionConvNeXt(settings), lambda: get_model(name, depths=(1, 1, 1, 1)), size=32)


@pytest.mark.parametrize("name", ["convnext_tiny", "convnext_base"])
def test_has_torchvisions_stochastic_depth(name: str) -> None:
    with torch.device("meta"):
        reference, ours = getattr(torchvision.models, name)(), get_model(name)
    theirs, own = (
        [module.p for module in model.modules() if type(module).__name__ == "StochasticDepth"]
        for model in (reference, ours)
    )
    assert own == pytest.approx(theirs)


def test_starts_like_torchvisions() -> None:
    assert_same_initialisation(torchvision.models.convnext_tiny(), get_model("convnext_tiny"))


# Table 10: steps taken, size of the large kernel, GFLOPs in the paper, and as measured with an independent build.
# The paper's figures for the last two, 4.46 and 4.49, contradict its own Fig. 2.
TABLE_10 = (
    *((0, 7, 4.09, 4.089), (1, 7, 4.53, 4.526), (2, 7, 4.42, 4.418), (3, 7, 2.35, 2.350), (4, 7, 5.27, 5.268)),
    *((5, 7, 4.64, 4.644), (6, 7, 4.07, 4.065), (7, 5, 4.10, 4.097), (7, 7, 4.15, 4.146), (7, 9, 4.21, 4.210)),
    *((7, 11, 4.29, 4.291), (8, 7, 4.15, 4.146), (9, 7, 4.15, 4.146), (10, 7, 4.15, 4.146)),
    *((11, 7, None, 4.146), (12, 7, None, 4.456)),
)


@pytest.mark.parametrize(("steps", "kernel_size", "paper", "measured"), TABLE_10)
def test_a_step_costs_what_table_10_says(steps: int, kernel_size: int, paper: float | None, measured: float) -> None:
    with torch.device("meta"):
        giga = macs(get_model("convnext_roadmap", steps=steps, kernel_size=kernel_size), 224) / 1e9
    assert round(giga, 3) == measured
    if paper:
        assert giga == pytest.approx(paper, abs=0.006)


@pytest.mark.slow  # a large network
def test_the_road_starts_at_resnet50() -> None:
    assert_equivalent(torchvision.models.resnet50, lambda: get_model("convnext_roadmap", steps=0))


def test_the_road_ends_at_convnext_tiny() -> None:
    with torch.device("meta"):
        model, goal = convnext_roadmap(steps=len(STEPS)), get_model("convnext_tiny")
    assert isinstance(model, ConvNeXt)
    own, theirs = model.state_dict(), goal.state_dict()
    assert {name: value.shape for name, value in own.items()} == {name: value.shape for name, value in theirs.items()}


def test_what_is_left_in_a_block() -> None:
    def layers(steps: int, *kinds: type[nn.Module]) -> int:
        with torch.device("meta"):
            block = convnext_roadmap(steps=steps).stages[1][-1]
        return sum(isinstance(layer, kinds) for layer in block.modules())

    assert [layers(steps, nn.ReLU) for steps in range(7, 11)] == [3, 0, 0, 0]
    assert [layers(steps, nn.GELU) for steps in range(7, 13)] == [0, 3, 1, 1, 1, 1]
    assert [layers(steps, nn.BatchNorm2d) for steps in range(8, 13)] == [3, 3, 1, 0, 0]
    assert [layers(steps, nn.LayerNorm) for steps in range(9, 13)] == [0, 0, 1, 1]


@pytest.mark.slow  # large networks
def test_every_step_trains() -> None:
    for steps in range(len(STEPS) + 1):
        model = get_model("convnext_roadmap_tiny", steps=steps)
        model(torch.randn(2, 3, 32, 32)).sum().backward()
        missing = [name for name, parameter in model.named_parameters() if parameter.grad is None]
        assert not missing, f"{steps} steps: {missing}"


def test_impossible_values() -> None:
    with pytest.raises(ValueError, match="at least 32 x 32 pixels, not 16 x 32"):
        get_model("convnext_tiny")(torch.zeros(1, 3, 16, 32))
    with pytest.raises(ValueError, match=r"steps must be one of \(0, 1, 2, .* 12\), not 13"):
        get_model("convnext_roadmap", steps=13)
    with pytest.raises(ValueError, match=r"kernel_size must be one of \(5, 7, 9, 11\), not 6"):
        get_model("convnext_roadmap", steps=7, kernel_size=6)
    with pytest.raises(ValueError, match="ConvNeXt-T has kernel_size 7, not 9"):
        get_model("convnext_roadmap", kernel_size=9)
