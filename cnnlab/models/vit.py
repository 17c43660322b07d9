"""Vision Transformer: Dosovitskiy et al., "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale",
2020 (arXiv 2010.11929).

No convolution but the first: the image is cut into patches, each patch becomes a vector, a token, and every token looks
at every other one in each block. What a convolution has built in, that neighbours matter most, it has to learn.
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import named


class Patches(nn.Module):
    """One token for each patch, after the class token (eq. 1): (N, C, H, W) -> (N, 1 + H/patch * W/patch, width)."""

    def __init__(self, in_channels: int, width: int, patch_size: int) -> None:
        super().__init__()
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.project = nn.Conv2d(in_channels, width, patch_size, stride=patch_size)
        nn.init.trunc_normal_(self.project.weight, std=(in_channels * patch_size**2) ** -0.5)
        nn.init.zeros_(self.project.bias)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.project(x).flatten(2).transpose(1, 2)
        return torch.cat([self.class_token.expand(x.shape[0], -1, -1), patches], 1)


class Positions(nn.Module):
    """Tell each token where it is, by adding a learned vector: (N, tokens, width) -> (N, tokens, width)."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, tokens, width).normal_(std=0.02))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.pos_embedding


class SelfAttention(nn.Module):
    """Every token gathers what it needs from all (appendix A): (N, tokens, width) -> (N, tokens, width)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        # One matrix for queries, keys and values, with the names that torch.nn.MultiheadAttention gives them.
        self.in_proj_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(3 * width, width)))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, x: Tensor) -> Tensor:
        projected = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        queries, keys, values = projected.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        gathered = F.scaled_dot_product_attention(queries, keys, values)  # softmax(q k^T / sqrt(d)) v
        return self.out_proj(gathered.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention among the tokens, then two layers on each of them (Fig. 1): (N, tokens, width) -> the same shape."""

    def __init__(self, width: int, heads: int, mlp_width: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attention = SelfAttention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = named(fc1=nn.Linear(width, mlp_width), act=nn.GELU(), fc2=nn.Linear(mlp_width, width))
        for layer in (self.mlp.fc1, self.mlp.fc2):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.normal_(layer.bias, std=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class TakeClassToken(nn.Module):
    """The first token, which stands for the whole image: (N, tokens, width) -> (N, width)."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0]


class ViT(nn.Module):
    """A Vision Transformer, for images of one size only: (N, in_channels, H, W) -> (N, num_classes) logits.

    image_size, patch_size: sides in pixels; the first is a multiple of the second.
    width: numbers in a token; heads: a divisor of it; mlp_width: of the layer inside a block; depth: blocks (Table 1).

    >>> ViT(num_classes=10)(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 10])
    """

    def __init__(
        self,
        image_size: int = 224,
        patch_size: int = 16,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        mlp_width: int = 3072,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if image_size % patch_size:
            raise ValueError(f"An image of {image_size} pixels cannot be cut into patches of {patch_size}.")
        if width % heads:
            raise ValueError(f"width {width} cannot be shared by {heads} heads: it must be a multiple of heads.")
        self.image_size = image_size
        tokens = 1 + (image_size // patch_size) ** 2
        self.stem = named(patches=Patches(in_channels, width, patch_size), positions=Positions(tokens, width))
        # Token number and width never change, so there is a single stage.
        self.stages = nn.Sequential(nn.Sequential(*(Block(width, heads, mlp_width) for _ in range(depth))))
        fc = nn.Linear(width, num_classes)
        self.head = named(class_token=TakeClassToken(), norm=nn.LayerNorm(width, eps=1e-6), fc=fc)
        for parameter in fc.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-2:] != (self.image_size, self.image_size):
            height, width = x.shape[-2:]
            raise ValueError(
                f"This ViT has positions for images of {self.image_size} x {self.image_size} pixels only, not "
                f"{height} x {width}. Resize the images, or build it with another image_size."
            )
        return self.head(self.stages(self.stem(x)))


CONFIGS = {
    "vit_b_16": ViT,
    "vit_b_16_tiny": partial(
        ViT, image_size=32, patch_size=8, width=64, depth=4, heads=4, mlp_width=256, num_classes=10
    ),
}
