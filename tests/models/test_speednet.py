"""SpeedNet against a plain build from its paper; its first layer whitens, its others begin as the identity."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import data, models
from cnnlab.models.speednet import SpeedNet, whiten


def plain(widths: tuple[int, ...] = (64, 256, 256)) -> nn.Sequential:
    """The network of Jordan 2024, section 3.1 and its listing, layer by layer; logits are divided by 9 afterwards."""
    layers: list[nn.Module] = [nn.Conv2d(3, 24, kernel_size=2), nn.GELU()]
    for before, after in zip((24, *widths), widths, strict=False):
        for first, channels in ((True, before), (False, after)):
            layers.append(nn.Conv2d(channels, after, kernel_size=3, padding="same", bias=False))
            layers += [nn.MaxPool2d(2)] if first else []
            layers += [nn.BatchNorm2d(after, eps=1e-12, momentum=0.4), nn.GELU()]
    return nn.Sequential(*layers, nn.MaxPool2d(3), nn.Flatten(), nn.Linear(widths[-1], 10, bias=False))


@pytest.mark.parametrize("mode", [True, False], ids=["training", "in use"])
def test_computes_what_the_papers_network_does(mode: bool) -> None:
    torch.manual_seed(0)
    reference, ours = plain(), models.get_model("speednet")
    pairs = zip(ours.state_dict(), reference.state_dict().values(), strict=True)
    ours.load_state_dict(dict(pairs))
    x = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(ours.train(mode)(x), reference.train(mode)(x) / 9, rtol=1e-4, atol=1e-5)


def test_the_first_layer_gives_uncorrelated_outputs_of_variance_one() -> None:
    model, images = SpeedNet(), data.load("street_digits", train=500, test=10).train.inputs()
    whiten(model, images)
    with torch.no_grad():
        outputs = model.stem.conv(images).transpose(0, 1).flatten(1)
    second = (outputs @ outputs.T / outputs.shape[1])[:12, :12]
    values = torch.linalg.eigvalsh(F.unfold(images, 2).transpose(1, 2).flatten(0, 1).T.cov(correction=0))
    assert torch.allclose(second - second.diag().diag(), torch.zeros(12, 12), atol=1e-3)
    assert second.diag()[-6:] == pytest.approx(torch.ones(6), abs=0.02) and values[-6] > 5e-3  # but for what is noise
    assert torch.allclose(outputs[12:], -outputs[:12], atol=1e-5)
    assert not model.stem.conv.weight.requires_grad and model.stem.conv.bias.requires_grad


def test_grey_images_are_whitened_too() -> None:
    model = models.get_model("speednet_tiny", in_channels=1)
    whiten(model, torch.randn(50, 1, 32, 32))
    assert model.stem.conv.weight.shape == (8, 1, 2, 2)


def test_a_convolution_begins_by_passing_on_what_it_gets() -> None:
    convolution = SpeedNet((32, 48, 48)).stages[0].conv1
    x = torch.randn(2, 24, 8, 8)
    assert torch.equal(convolution(x)[:, :24], x)


def test_scales_of_batch_norms_stay_one() -> None:
    norms = [layer for layer in SpeedNet().modules() if isinstance(layer, nn.BatchNorm2d)]
    assert len(norms) == 6 and not any(layer.weight.requires_grad for layer in norms)
    assert all(layer.bias.requires_grad for layer in norms)


def test_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 x 32 pixels, not 64 x 64"):
        SpeedNet()(torch.zeros(1, 3, 64, 64))
