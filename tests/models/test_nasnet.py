"""NASNet-A against timm's, and cells built from other specifications."""

from collections.abc import Mapping

import pytest
import timm
import torch
from equivalence import assert_equivalent
from timm.layers.pool2d_same import AvgPool2dSame
from torch import Tensor
from torch.nn import functional as F

from cnnlab.models import get_model
from cnnlab.models.nasnet import NORMAL_A, OPERATIONS, REDUCTION_A, Cell, CellSpec, NASNet


def average_of_pixels(pool: AvgPool2dSame, x: Tensor) -> Tensor:
    """TensorFlow's average pooling with stride 2. timm's divides by 9 at the border too, where fewer pixels are."""
    pads = [side for n in (x.shape[3], x.shape[2]) for side in ((1, 1) if n % 2 else (0, 1))]
    return F.avg_pool2d(F.pad(x, pads), 3, 2) / F.avg_pool2d(F.pad(torch.ones_like(x), pads), 3, 2)


def previous_map_first(by_name: Mapping) -> dict:
    """timm's cells prepare p before h, as ours do, unless they have to halve it."""
    ordered, waiting = {}, {}
    for name, value in by_name.items():
        cell = name.partition(".")[0]
        if ".conv_1x1." in name and any(other.startswith(f"{cell}.final_path_bn.") for other in by_name):
            waiting[name] = value
        else:
            if ".comb_iter_0_left." in name:
                ordered, waiting = ordered | waiting, {}
            ordered[name] = value
    return ordered


@pytest.mark.slow  # two seconds each
@pytest.mark.parametrize("size", [64, 75])  # maps of 31, 16, 8, 4, 2 and of 37, 19, 10, 5, 3 pixels
def test_large_is_timms(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(AvgPool2dSame, "forward", average_of_pixels)
    assert_equivalent(
        lambda: timm.create_model("nasnetalarge", num_features=384, stem_size=12),
        lambda: get_model("nasnet_a_large", width=16, stem_width=12),
        size,
        previous_map_first,
        dtype=torch.float64,
    )


@pytest.mark.slow  # a large network
def test_large_has_the_shapes_of_timms() -> None:
    with torch.device("meta"):
        theirs = previous_map_first(timm.create_model("nasnetalarge").state_dict())
        own = get_model("nasnet_a_large").state_dict()
    assert [value.shape for value in own.values()] == [value.shape for value in theirs.values()]


@pytest.mark.slow  # a large network
def test_mobile_has_the_maps_of_the_paper() -> None:
    with torch.device("meta"):
        model = get_model("nasnet_a_mobile")
        maps = [model.stem(torch.zeros(1, 3, 224, 224))] * 2
        shapes = [tuple(maps[1].shape[1:])]
        for stage in model.stages:
            maps = stage(maps)
            shapes.append(tuple(maps[1].shape[1:]))
    assert shapes == [(32, 111, 111), (88, 28, 28), (264, 28, 28), (528, 14, 14), (1056, 7, 7)]


def test_after_a_reduction_p_is_its_input_in_mobile_and_older_in_large() -> None:
    for keep_p in (False, True):
        cell = Cell(REDUCTION_A, 8, 8, 8, stride=2, keep_p=keep_p).eval()
        p, h = torch.zeros(1, 8, 8, 8), torch.ones(1, 8, 8, 8)
        assert cell((p, h))[0] is (p if keep_p else h)


def test_output_of_a_cell_is_by_default_what_no_block_uses() -> None:
    spec = CellSpec((("sep3", "h", "max3", "p"), ("identity", "b1", "avg3", "h"), ("sep5", "h", "sep7", "h")))
    assert spec.output == ("b2", "b3")


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_any_operation_builds_a_cell(operation: str, stride: int) -> None:
    spec = CellSpec(((operation, "h", operation, "p"), (operation, "b1", operation, "h")))
    for p_channels, p_size in ((8, 7), (6, 7), (6, 14)):
        cell = Cell(spec, p_channels, 8, 8, stride, p_larger=p_size > 7)
        _, out = cell((torch.randn(2, p_channels, p_size, p_size), torch.randn(2, 8, 7, 7)))
        assert out.shape == (2, cell.out_channels, 7 // stride + stride - 1, 7 // stride + stride - 1)
    first = Cell(spec, None, 6, 8, stride)  # p is the only map, of 6 channels
    x = torch.randn(2, 6, 7, 7)
    assert first((x, x))[1].shape == out.shape


@pytest.mark.parametrize("keep_p", [False, True])
def test_a_network_of_few_cells(keep_p: bool) -> None:
    model = NASNet(width=8, depth=1, keep_p=keep_p)
    assert model(torch.randn(2, 3, 64, 64)).shape == (2, 1000)


def test_a_network_of_other_cells() -> None:
    spec = CellSpec((("avg3", "h", "max3", "p"),))
    model = NASNet(normal=spec, reduction=spec, width=8, depth=2, stem_width=8, small_images=True, num_classes=10)
    assert model(torch.randn(2, 3, 32, 32)).shape == (2, 10)


def test_wrong_specifications() -> None:
    with pytest.raises(ValueError, match=r"no operation 'conv9'\. The operations: identity, sep3"):
        CellSpec((("conv9", "h", "sep3", "p"),))
    with pytest.raises(ValueError, match="b1 cannot read 'b1', only h, p"):
        CellSpec((("sep3", "h", "sep3", "b1"),))
    with pytest.raises(ValueError, match=r"output of a cell is made of h, p, b1, not of b1, b2"):
        CellSpec((("sep3", "h", "sep3", "p"),), output=("b1", "b2"))
    with pytest.raises(ValueError, match="width must be a multiple of 4"):
        get_model("nasnet_a_mobile", width=10)
    with pytest.raises(ValueError, match="reduction cell cannot give p or h"):
        Cell(NORMAL_A, 8, 8, 8, stride=2)
