"""Test-time averaging: the mean of the logits for several views of an image."""

import doctest

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab.training import Averaged, views


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.GELU(), nn.Flatten(), nn.LazyLinear(5))


def test_the_docstring_shows_what_happens() -> None:
    known = {"torch": torch, "nn": nn}
    assert doctest.testmod(views, extraglobs=known).failed == 0


def test_an_image_and_its_mirror_image_get_the_same_answer() -> None:
    net, x = network(), torch.randn(2, 3, 8, 8)
    both = Averaged(net)
    torch.testing.assert_close(both(x), (net(x) + net(x.flip(3))) / 2)
    torch.testing.assert_close(both(x), both(x.flip(3)))


def test_six_views_are_those_of_the_paper() -> None:
    """Jordan 2024: half of the answer for the image where it is, half for two places; each as it is and mirrored."""
    net, x = network(), torch.randn(2, 3, 8, 8)
    framed = F.pad(x, (1, 1, 1, 1), mode="reflect")
    moved = [framed[:, :, :8, :8], framed[:, :, 2:, 2:]]
    still, others = (torch.stack([(net(v) + net(v.flip(3))) / 2 for v in some]).mean(0) for some in ([x], moved))
    torch.testing.assert_close(Averaged(net, shift=1)(x), (still + others) / 2)


def test_views_can_go_without_mirror_images() -> None:
    net, x = network(), torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(Averaged(net, mirror=False)(x), net(x))
