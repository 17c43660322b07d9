"""Lesson 06, ResNet: what is stated about it, beside what was computed or measured."""

import torch

from cnnlab import measure, models
from cnnlab.lessons.claims import NOT_SHOWN, REPORTED, SHOWN, VARIANT, Claim, compared, register
from cnnlab.models.resnet import Bottleneck


def _params(name: str, **options: object) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in models.get_model(name, **options).parameters())


def _gmacs(name: str) -> str:
    with torch.device("meta"):
        return f"{measure.cost(models.get_model(name), (3, 224, 224)).macs / 1e9:.2f}"


def _swapped_gmacs(depth: int) -> str:
    """With the stride in the first 1x1 convolution of a bottleneck, as in the paper."""
    with torch.device("meta"):
        model = models.get_model(f"resnet{depth}")
        for block in model.modules():
            if isinstance(block, Bottleneck):
                first, middle = block.residual.conv1, block.residual.conv2
                first.stride, middle.stride = middle.stride, (1, 1)
        return f"{measure.cost(model, (3, 224, 224)).macs / 1e9:.2f}"


def _takes_any_size() -> str:
    model = models.get_model("resnet20").eval()
    with torch.no_grad():
        shapes = {tuple(model(torch.zeros(1, 3, *size)).shape) for size in ((32, 32), (48, 48), (64, 64), (40, 56))}
    return "yes" if shapes == {(1, 10)} else "no"


_PAPER = "He et al. 2015"


_STRIDE = "here the 3x3 convolution of a bottleneck has the stride, in the paper the first 1x1"


register(
    Claim(
        lesson="06",
        id="params152",
        statement="Parameters of ResNet-152",
        stated="60.2M",
        source="lecture",
        verdict=SHOWN,
        compute=lambda: f"{_params('resnet152') / 1e6:.1f}M",
    ),
    Claim(
        lesson="06",
        id="accuracy152",
        statement="ResNet-152 on ImageNet, top-1 and top-5 (%)",
        stated="78.3 / 94.0",
        source="lecture; torchvision documents 78.312 / 94.046",
        verdict=REPORTED,
        why="ImageNet is 150 GB",
    ),
    *(
        Claim(
            lesson="06",
            id=f"macs{depth}",
            statement=f"Mult-adds of ResNet-{depth} (billions)",
            stated=stated,
            source=f"{_PAPER}, Table 1",
            verdict=VARIANT,
            compute=lambda depth=depth: _gmacs(f"resnet{depth}"),
            why=why,
        )
        for depth, stated, why in (
            (34, "3.6", "the same network; the paper cut the digit off"),
            (50, "3.8", lambda: f"{_STRIDE}: with that {_swapped_gmacs(50)}"),
            (101, "7.6", lambda: f"{_STRIDE}: with that {_swapped_gmacs(101)}"),
            (152, "11.3", lambda: f"{_STRIDE}: with that {_swapped_gmacs(152)}"),
        )
    ),
    Claim(
        lesson="06",
        id="params56",
        statement="Parameters of CIFAR's ResNet-56 (option A)",
        stated="0.85M",
        source=f"{_PAPER}, Table 6",
        verdict=SHOWN,
        compute=lambda: f"{_params('resnet56') / 1e6:.2f}M",
    ),
    Claim(
        lesson="06",
        id="error56",
        statement="Errors of ResNet-56 on CIFAR-10",
        stated="6.97 %",
        source=f"{_PAPER}, Table 6",
        verdict=REPORTED,
        why="CIFAR-10 is a download; a ResNet-56 trained on it is lesson 08's",
    ),
    Claim(
        lesson="06",
        id="imagenet",
        statement="Top-5 error of an ensemble of ResNets, the winner of ILSVRC 2015",
        stated="3.57 %",
        source=f"{_PAPER}, Table 5",
        verdict=REPORTED,
        why="ImageNet is 150 GB, and the ensemble was never released",
    ),
    Claim(
        lesson="06",
        id="any_size",
        statement="Global average pooling: images of any size",
        stated="yes",
        source="lecture",
        verdict=SHOWN,
        compute=_takes_any_size,
    ),
    Claim(
        lesson="06",
        id="plain",
        statement="Deeper plain networks are worse on their own training images",
        stated="56 layers worse than 20",
        source=f"lecture; {_PAPER}, Fig. 1",
        verdict=SHOWN,
        judge=lambda shallow, _, deep, __: compared(shallow - deep, least=3),
    ),
    Claim(
        lesson="06",
        id="residual",
        statement="Deeper residual networks are better on them",
        stated="56 layers better than 20",
        source=f"lecture; {_PAPER}, Fig. 6",
        verdict=NOT_SHOWN,
        judge=lambda shallow, _, deep, __: compared(deep - shallow, least=1),
        why="not worse, but no better either: both know their training images; it takes a task that 20 layers"
        " cannot finish",
    ),
)
