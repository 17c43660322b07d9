"""What users rely on in the measurements of gradients."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import measure, models


def net(**options) -> nn.Module:
    torch.manual_seed(0)
    return models.get_model("resnet20_tiny", depths=(1, 1, 1), **options)


def test_the_norms_are_those_of_a_plain_backward():
    model, images, labels = net(), torch.randn(6, 3, 32, 32), torch.arange(6)
    flow = measure.gradient_flow(model, images, labels)
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    assert flow.loss == pytest.approx(loss.item(), rel=1e-5)
    weights = {n: m.weight for n, m in model.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear))}
    assert list(flow.layers) == list(weights)
    for name, weight in weights.items():
        assert flow.layers[name] == pytest.approx(weight.grad.norm().item(), rel=1e-4)


def test_a_blocks_norm_is_that_of_one_images_own_loss():
    model, images, labels = net().eval(), torch.randn(3, 3, 32, 32), torch.tensor([1, 2, 3])
    flow = measure.gradient_flow(model, images, labels)
    norms = []
    for image, label in zip(images, labels, strict=True):
        out = model.stages[1](model.stages[0](model.stem(image[None]))).detach().requires_grad_()
        F.cross_entropy(model.head(model.stages[2](out)), label[None]).backward()
        norms.append(out.grad.norm().item())
    assert flow.blocks["stages.1.0"] == pytest.approx(sum(norms) / 3, rel=1e-4)


def test_it_leaves_no_trace():
    model = net()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    measure.gradient_flow(model, torch.randn(4, 3, 32, 32), torch.arange(4))
    measure.gradient_correlation(model, torch.randn(4, 3, 32, 32))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_a_network_without_stages_is_refused():
    with pytest.raises(ValueError, match="Linear has no stages"):
        measure.gradient_flow(nn.Linear(3, 2), torch.zeros(1, 3), torch.zeros(1).long())


def test_singular_values_of_known_blocks():
    matrix = torch.randn(5, 5, dtype=torch.float64)
    block = nn.Sequential(nn.Flatten(), nn.Linear(5, 5, dtype=torch.float64)).eval()
    block[1].weight.data = matrix
    values = measure.jacobian_singular_values(block, torch.zeros(5, 1, 1, dtype=torch.float64))
    torch.testing.assert_close(values, torch.linalg.svdvals(matrix).float())
    with pytest.raises(ValueError, match=r"block\.eval\(\) first"):
        measure.jacobian_singular_values(net().stages[0][0], torch.zeros(8, 2, 2))
    with pytest.raises(ValueError, match="one small map"):
        measure.jacobian_singular_values(nn.Identity().eval(), torch.zeros(64, 32, 32))


def test_a_residual_blocks_jacobian_is_the_plain_ones_plus_the_identity():
    """The lecture's two formulas, dy/dx = dF/dx and dF/dx + 1, to 1e-5 (where the last ReLU is open)."""
    torch.manual_seed(0)
    residual = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.Tanh(), nn.Conv2d(3, 3, 3, padding=1)).double()
    x = torch.randn(1, 3, 4, 4, dtype=torch.float64)
    plain = torch.func.jacrev(lambda x: residual(x).flatten())(x).flatten(1)
    skip = torch.func.jacrev(lambda x: (residual(x) + x).flatten())(x).flatten(1)
    torch.testing.assert_close(skip, plain + torch.eye(48, dtype=torch.float64), rtol=0, atol=1e-5)
    upstream = torch.randn(48, dtype=torch.float64)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad((residual(x) + x).flatten() @ upstream, x)
    torch.testing.assert_close(gradient.flatten(), upstream @ plain + upstream, rtol=0, atol=1e-5)


def test_gradients_of_a_linear_network_are_all_alike():
    linear = nn.Sequential(nn.Flatten(), nn.Linear(12, 4))
    torch.testing.assert_close(measure.gradient_correlation(linear, torch.randn(5, 3, 2, 2)), torch.ones(5))
    torch.manual_seed(0)
    deep = models.get_model("plain20_tiny")
    path = torch.randn(1, 3, 32, 32) + torch.linspace(0, 3, 8).view(8, 1, 1, 1) * torch.randn(1, 3, 32, 32)
    correlation = measure.gradient_correlation(deep, path)
    assert correlation[0] == pytest.approx(1, abs=1e-5) and correlation[-1] < 0.5


@pytest.mark.parametrize("name", ["vgg11_tiny", "googlenet_tiny", "densenet_40_12_tiny", "convnext_tiny_tiny"])
def test_blocks_have_the_names_that_the_network_gives_them(name):
    model = models.get_model(name)
    flow = measure.gradient_flow(model, torch.randn(2, 3, 32, 32), torch.arange(2))
    assert len(flow.blocks) == sum(len(stage) for stage in model.stages)
    for block in flow.blocks:
        model.get_submodule(block)


def test_gradients_are_measured_where_they_were_switched_off():
    model, images, labels = net().eval(), torch.randn(3, 3, 32, 32), torch.arange(3)
    with torch.no_grad():
        flow, alike = measure.gradient_flow(model, images, labels), measure.gradient_correlation(model, images)
        assert not torch.is_grad_enabled()
    assert flow == measure.gradient_flow(model, images, labels)
    assert torch.equal(alike, measure.gradient_correlation(model, images))
