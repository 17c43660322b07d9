"""What holds for every name: options, errors, export, bf16, channels_last."""

import importlib
import inspect
from collections.abc import Mapping
from typing import get_origin

import pytest
import torch
from equivalence import SIBLINGS, macs, siblings_slow

from cnnlab import models

NAMES = models.list_models()
TINY = [name for name in NAMES if name.endswith("_tiny") and name != "convnext_tiny"]


def images(name: str) -> torch.Tensor:
    channels = 1 if name.startswith("lenet5") else 3
    size = {"lenet5": 32, "lenet5_1998": 32, "alexnet_2012": 227, "vit_b_16": 224, "speednet": 32}.get(name, 64)
    return torch.randn(2, channels, *[32 if name in TINY else size] * 2)


@pytest.mark.parametrize("name", siblings_slow(name for name in NAMES if name != "lenet5_1998"))
def test_classes_and_channels(name: str) -> None:
    with torch.device("meta"):
        model = models.get_model(name, num_classes=7, in_channels=2).eval()
        assert model(images(name)[:, :1].expand(-1, 2, -1, -1)).shape == (2, 7)


@pytest.mark.parametrize("name", siblings_slow(TINY))
def test_is_the_class_of_its_large_twin(name: str) -> None:
    with torch.device("meta"):
        twin = models.get_model(name.removesuffix("_tiny"))
        assert type(models.get_model(name)) is type(twin)


@pytest.mark.parametrize("name", siblings_slow(TINY))
def test_is_small_enough_to_train_in_class(name: str) -> None:
    with torch.device("meta"):
        model = models.get_model(name)
    assert macs(model, size=32) < 64_000_000  # of a ResNet of 110 layers; the others have half as many


@pytest.mark.slow  # a second for each network
@pytest.mark.parametrize(
    "name", [*(name for name in TINY if not SIBLINGS.search(name)), "lenet5_1998", "lenet5", "alexnet_2012"]
)
def test_exports_and_runs_in_bf16_and_channels_last(name: str) -> None:
    torch.manual_seed(0)
    model, x = models.get_model(name).eval(), images(name)
    with torch.no_grad():
        expected = model(x)
        torch.testing.assert_close(torch.export.export(model, (x,)).module()(x), expected, rtol=1e-4, atol=1e-4)
        last = model.to(memory_format=torch.channels_last)(x.contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(last, expected, rtol=1e-3, atol=1e-4 * (1 + float(expected.abs().max())))
        with torch.autocast("cpu", torch.bfloat16):
            half = model(x)
    assert (half.float() - expected).norm() <= 0.1 * expected.norm() + 1e-2
    model.train()
    with torch.autocast("cpu", torch.bfloat16):
        model(x).float().square().mean().backward()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in trained)


@pytest.mark.parametrize("name", ["preact_resnet50", "wrn_16_8", "resnext29_8x64d", "mobilenet_v1", "nasnet_a_mobile"])
def test_convolutions_start_with_the_deviation_of_he_2015(name: str) -> None:
    torch.manual_seed(0)
    for layer, module in models.get_model(name).named_modules():
        if isinstance(module, torch.nn.Conv2d):
            expected = (2 / (module.out_channels * module.kernel_size[0] * module.kernel_size[1])) ** 0.5
            assert abs(module.weight.std() / expected - 1) < 5 / module.weight.numel() ** 0.5, layer


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("resnet21", "resnet20"), ("ResNet50", "resnet50"), ("vgg_16", "vgg16"), ("zzz", "list_models")],
)
def test_an_unknown_name(name: str, nearest: str) -> None:
    with pytest.raises(ValueError, match=f"no model named '{name}'.*{nearest}"):
        models.get_model(name)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"colour": 3}, "resnet20 has no option colour. Its options: .*depths.*shortcut"),
        ({"num_classes": 0}, "resnet20: num_classes must be a whole number of at least 1, not 0"),
        ({"num_classes": 2.5}, "not 2.5"),
        ({"in_channels": True}, "not True"),
        ({"width": -1}, "width must be a whole number of at least 1, not -1"),
        ({"stem_width": 0}, "stem_width must be a whole number of at least 1, not 0"),
        ({"depths": (3, 0)}, r"depths must be whole numbers of at least 1, as in .*, not \(3, 0\)"),
        ({"depths": 3}, "not 3"),
        ({"depths": ()}, r"not \(\)"),
        ({"shortcut": "C"}, r"shortcut must be one of \('A', 'A-both', 'B', 'none'\), not 'C'"),
        ({"small_images": 1}, "small_images must be True or False, not 1"),
        ({"block": "Bottleneck"}, "block must be a class or a function that makes a layer, not 'Bottleneck'"),
    ],
)
def test_impossible_options(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        models.get_model("resnet20", **options)


@pytest.mark.parametrize("dropout", [-0.1, 1.5, "much"])
def test_impossible_dropout(dropout: object) -> None:
    with pytest.raises(ValueError, match="dropout"):
        models.get_model("alexnet_tiny", dropout=dropout)


def test_options_of_the_paper_can_be_changed() -> None:
    model = models.get_model("resnet20", depths=[1, 1, 1], shortcut="B", width=4)
    assert [len(stage) for stage in model.stages] == [1, 1, 1]
    assert model.stages[2][0].shortcut.conv.weight.shape == (16, 8, 1, 1)


# One name for one idea: every option of every network. Whoever adds one finds here whether the idea has a name already.
OPTIONS = {
    "num_classes": "outputs of the head",
    "in_channels": "channels of the images",
    "small_images": "whether the stem is made for 32 x 32 pixels",
    "image_size": "pixels a side, where a network takes only one size",
    "patch_size": "pixels a side of a token's patch",
    "width": "channels of the first stage",
    "widths": "channels of each stage",
    "width_mult": "multiplier of all channels",
    "stem_width": "channels of the stem",
    "mlp_width": "units inside a transformer's block",
    "hidden": "units of a fully-connected layer before the last",
    "depth": "equal blocks in a row, where all stages have as many",
    "depths": "blocks of each stage",
    "depth_mult": "multiplier of all depths",
    "stages": "the stages as a table of numbers",
    "steps": "changes made to a network, one after the other",
    "block": "what a stage is made of",
    "activation": "what makes the layer after a convolution",
    "squeeze_excitation": "whether a block weighs its channels by the whole image",
    "norm": "what makes the norm after a convolution",
    "norm_eps": "what a batch norm adds to the variance",
    "norm_momentum": "share of a new batch in a batch norm's statistics",
    "batch_norm": "whether there is batch norm at all",
    "pool": "what makes the pooling",
    "kernel_size": "side of the large kernel",
    "groups": "groups of a convolution",
    "shortcut": "what stands on the shortcut where the shape changes",
    "bottleneck": "whether a 1x1 convolution comes first",
    "compression": "share of the channels that a transition keeps",
    "growth_rate": "channels that a dense layer adds",
    "memory_efficient": "whether what is cheap is computed twice and not kept",
    "shallow": "whether the equal blocks are left out",
    "layer_scale": "first factor of a residual",
    "dropout": "share of what the head drops",
    "aux_dropout": "share of what an auxiliary head drops",
    "drop_path": "stochastic depth of the last block",
    "heads": "heads of attention",
    "aux_heads": "whether there are auxiliary heads",
    "original": "the paper's network instead of the usual one",
    "transform_input": "whether images come in torchvision's scale",
    "normal": "a normal cell",
    "reduction": "a reduction cell",
    "stem_cells": "reduction cells in the stem",
    "keep_p": "which map a cell after a reduction gets",
}
SIGNATURES = {name: inspect.signature(build).parameters for name, build in models._CONFIGS.items()}


def test_one_idea_has_one_name() -> None:
    used = {option for options in SIGNATURES.values() for option in options}
    assert used == set(OPTIONS)
    assert len(set(OPTIONS.values())) == len(OPTIONS)


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_takes_the_same_in_every_network(option: str) -> None:
    kinds = {options[option].annotation for options in SIGNATURES.values() if option in options}
    kinds = {int if kind == int | None else get_origin(kind) or kind for kind in kinds}
    assert len(kinds) == 1, kinds


def test_every_family_for_images_of_any_size_has_small_images() -> None:
    without = {name for name, options in SIGNATURES.items() if "small_images" not in options}
    assert without == {
        *("lenet5_1998", "lenet5", "alexnet_2012", "vit_b_16", "vit_b_16_tiny", "speednet", "speednet_tiny")
    }


def parts() -> list[tuple[str, Mapping[str, inspect.Parameter]]]:
    """The classes and functions of all papers, with what they take."""
    found = []
    for paper in models._PAPERS:
        module = importlib.import_module(f"cnnlab.models.{paper}")
        for name, part in vars(module).items():
            if callable(part) and getattr(part, "__module__", "") == module.__name__:
                found.append((f"{paper}.{name}", inspect.signature(part).parameters))
    return found


@pytest.mark.parametrize(("part", "options"), parts(), ids=[name for name, _ in parts()])
def test_blocks_have_the_names_of_torch(part: str, options: Mapping[str, inspect.Parameter]) -> None:
    """in_channels with out_channels, kernel_size, num_classes; `channels` where as many go out as come in."""
    assert not {"kernel", "size", "classes", "filters", "planes", "out"} & set(options)
    assert not ("in_channels" in options and "channels" in options)


@pytest.mark.parametrize("name", TINY)
def test_layers_have_names(name: str) -> None:
    """A number is the place of a stage, or of one of several equal parts; what a block is made of has names."""
    with torch.device("meta"):
        model = models.get_model(name)
    for layer, module in model.named_modules():
        if not any(module.children()) and layer.rpartition(".")[2].isdigit():
            parent = model.get_submodule(layer.rpartition(".")[0])
            assert isinstance(parent, torch.nn.ModuleList), layer
