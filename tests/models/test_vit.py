"""Vision Transformer against torchvision's. Counts are in test_exact.py."""

import pytest
import torch
from equivalence import assert_equivalent, assert_same_initialisation
from torchvision.models import VisionTransformer, vit_b_16

from cnnlab.models import get_model
from cnnlab.models.vit import ViT


@pytest.mark.slow  # a large network
def test_is_torchvisions() -> None:
    assert_equivalent(lambda: vit_b_16(image_size=64), lambda: get_model("vit_b_16", image_size=64))


def test_tiny_is_torchvisions_with_the_same_numbers() -> None:
    assert_equivalent(
        lambda: VisionTransformer(32, 8, 4, 4, 64, 256, num_classes=10), lambda: get_model("vit_b_16_tiny"), size=32
    )


def test_starts_like_torchvisions() -> None:
    reference = VisionTransformer(32, 8, num_layers=2, num_heads=4, hidden_dim=64, mlp_dim=128)
    assert_same_initialisation(reference, ViT(32, 8, depth=2, heads=4, width=64, mlp_width=128))


def test_impossible_values() -> None:
    with pytest.raises(ValueError, match="32 x 32 pixels only, not 32 x 64"):
        get_model("vit_b_16_tiny")(torch.zeros(1, 3, 32, 64))
    with pytest.raises(ValueError, match="cannot be cut into patches of 5"):
        get_model("vit_b_16_tiny", patch_size=5)
    with pytest.raises(ValueError, match="must be a multiple of heads"):
        get_model("vit_b_16_tiny", heads=5)
