"""Small networks that more than one lesson trains, with the settings that suit them."""

from collections.abc import Mapping

import torch
from torch import nn

from cnnlab import models
from cnnlab.models.vit import ViT


def small_vit(seed: int = 0) -> ViT:
    """The twin of ViT-B/16 with 2 blocks instead of 4 and a narrower MLP: it learns sooner, where images are few.

    Its positions begin as large as what they are added to, where torchvision's begin at 0.02.
    """
    torch.manual_seed(seed)
    model = models.get_model("vit_b_16_tiny", depth=2, mlp_width=128)
    nn.init.normal_(model.stem.positions.pos_embedding)
    return model


# In fp32: products as small as these are slower in bf16 on a processor.
VIT_FIT: Mapping[str, object] = {
    "optimizer": "adamw",
    "lr": 2e-3,
    "weight_decay": 0.05,
    "batch_size": 32,
    "precision": "fp32",
}
