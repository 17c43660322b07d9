"""What lesson 11 weighs networks with: work by kind of layer, time on one core, batch norms folded away."""

import pytest
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from cnnlab import course, measure, models
from cnnlab.lessons.mobilenet.study import (
    bottlenecks,
    folded,
    in_turn,
    kind,
    memory_kept,
    page_faults,
    seconds_by_kind,
    spirals,
    step,
    work,
)
from cnnlab.models.mobilenet import DepthwiseSeparable

TASKS = {task.id: task for task in course.exercises("11")}


def tiny() -> nn.Module:
    torch.manual_seed(0)
    return models.get_model("mobilenet_v1_tiny", width_mult=0.125)


def test_work_counts_mult_adds_weights_and_bytes():
    net = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, groups=3), nn.BatchNorm2d(6), nn.Conv2d(6, 4, 1, bias=False))
    parts = work(net, 10)
    assert set(parts) == {"depthwise 3 × 3", "batch norm", "1 × 1"}
    depthwise, norm, pointwise = parts["depthwise 3 × 3"], parts["batch norm"], parts["1 × 1"]
    assert (depthwise.macs, depthwise.weights, depthwise.bytes) == (5400, 54, 4 * (300 + 600 + 54 + 6))
    assert (norm.macs, norm.weights, norm.bytes) == (0, 0, 4 * (600 + 600 + 12))
    assert (pointwise.macs, pointwise.weights, pointwise.bytes) == (2400, 24, 4 * (600 + 400 + 24))


def test_work_leaves_the_model_alone_and_adds_up():
    net = tiny()
    assert sum(part.macs for part in work(net, 32).values()) == measure.cost(net, 32).macs
    assert not any(layer._forward_hooks for layer in net.modules())
    assert next(net.parameters()).device.type == "cpu"


def test_a_full_convolution_is_no_depthwise_one():
    assert kind(nn.Conv2d(4, 4, 3)) == "3 × 3" and kind(nn.Conv2d(4, 4, 3, groups=4)) == "depthwise 3 × 3"


def test_folding_keeps_the_function_and_drops_the_batch_norms():
    net = tiny().train()
    for _ in range(3):
        net(torch.randn(8, 3, 32, 32) * 2 + 1)  # so that the running statistics are not 0 and 1
    fused, images = folded(net, fuse_conv_bn_eval), torch.randn(4, 3, 32, 32)
    assert net.training and any(isinstance(layer, nn.BatchNorm2d) for layer in net.modules())
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in fused.modules())
    with torch.no_grad():
        assert torch.allclose(fused(images), net.eval()(images), atol=1e-4)
    assert "batch norm" not in work(fused, 32)
    assert sum(part.macs for part in work(fused, 32).values()) == measure.cost(net, 32).macs


def test_a_step_of_training_goes_back_and_one_of_use_does_not():
    net, images, ran = tiny(), torch.randn(2, 3, 32, 32), []
    net.stem.conv.weight.register_hook(lambda gradient: ran.append(gradient.abs().sum() > 0))
    step(net, images, training=False, precision="fp32")()
    assert not ran and not net.training
    step(net, images, training=True, precision="fp32")()
    assert len(ran) == 1 and net.training and all(p.grad is None for p in net.parameters())


def test_the_time_of_the_kinds_is_about_that_of_the_network():
    net, images = tiny(), torch.randn(16, 3, 32, 32)
    parts = seconds_by_kind(net, images)
    assert {"1 × 1", "depthwise 3 × 3", "3 × 3", "batch norm", "ReLU", "fully connected"} <= set(parts)
    whole = measure.core_seconds(step(net, images, training=False, precision="fp32"))
    assert 0.3 < sum(parts.values()) / whole < 3
    assert not any(layer._forward_hooks for layer in net.modules())


def test_the_fresh_pages_of_a_large_output_are_counted_and_kept():
    large = torch.ones(1 << 24)
    many, few = lambda: large + 1, lambda: torch.ones(8)
    assert page_faults(few) < 100
    fresh = page_faults(many)  # none, where something has kept memory before
    with memory_kept():
        assert page_faults(many) <= fresh


def test_a_point_is_lost_where_fewer_than_two_channels_are_on():
    curve, back = torch.rand(10, 2), torch.rand(10, 2)
    back[:3] = torch.nan
    assert "2 channels 30%, 15 channels 0%" in spirals(curve, {2: back, 15: curve}, "with").alt


def test_the_end_of_a_bottleneck_is_all_that_differs():
    torch.manual_seed(0)
    linear = bottlenecks(8, relu=False)
    torch.manual_seed(0)
    bent = bottlenecks(8, relu=True)
    pairs = zip(linear.state_dict().values(), bent.state_dict().values(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)
    assert (
        sum(isinstance(m, nn.ReLU6) for m in bent.modules())
        == sum(isinstance(m, nn.ReLU6) for m in linear.modules()) + 5
    )


def test_times_are_taken_in_turn():
    order = []
    found = in_turn({name: lambda name=name: order.append(name) or sum(range(20_000)) for name in "ab"}, rounds=2)
    assert set(found) == {"a", "b"} and 0 < found["a"] < 1
    assert "".join(dict.fromkeys("".join(order).replace("aa", "a"))) == "ab" and order[-1] == "b" and order[0] == "a"


def solved(id: str):
    return TASKS[id].made(TASKS[id].solution)


@pytest.mark.parametrize(("m", "n", "kernel", "size"), TASKS["11.ratio"].arguments())
def test_the_ratio_is_that_of_the_counts(m, n, kernel, size):
    full = nn.Conv2d(m, n, kernel, padding=kernel // 2)
    parts = nn.Sequential(nn.Conv2d(m, m, kernel, padding=kernel // 2, groups=m), nn.Conv2d(m, n, 1))
    true = measure.cost(full, (m, size, size)).macs / measure.cost(parts, (m, size, size)).macs
    assert solved("11.ratio")(m, n, kernel, size) == pytest.approx(true)


@pytest.mark.parametrize("case", TASKS["11.multipliers"].arguments())
def test_thinner_is_the_package_s_block_made_thinner(case):
    m, n, size = (round(factor * whole) for factor, whole in zip((case[3], case[3], case[4]), case[:3], strict=True))
    convolutions = [layer for layer in DepthwiseSeparable(m, n).modules() if isinstance(layer, nn.Conv2d)]
    cost = measure.cost(nn.Sequential(*convolutions), (m, size, size))
    assert solved("11.multipliers")(*case) == (cost.params, cost.macs)


@pytest.mark.parametrize(("m", "n", "kernel", "size", "groups"), TASKS["11.bytes"].arguments())
def test_mult_adds_for_each_byte_are_those_of_a_layer(m, n, kernel, size, groups):
    layer, image = (
        nn.Conv2d(m, n, kernel, padding=kernel // 2, groups=groups, bias=False),
        torch.zeros(1, m, size, size),
    )
    numbers = sum(tensor.numel() for tensor in (image, layer.weight, layer(image)))
    macs = measure.cost(layer, (m, size, size)).macs
    assert solved("11.bytes")(m, n, kernel, size, groups) == pytest.approx(macs / (4 * numbers))
