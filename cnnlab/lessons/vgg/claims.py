"""Lesson 04, VGG: what is stated about it, beside what was computed or measured."""

import torch
from torch import nn

from cnnlab import measure, models
from cnnlab.lessons.claims import Claim, register
from cnnlab.models.vgg import DEPTHS


def _cost(name: str) -> measure.Cost:
    with torch.device("meta"):
        return measure.cost(models.get_model(name), 224)


def _layers(name: str, kind: type[nn.Module] = nn.Module) -> list[nn.Module]:
    with torch.device("meta"):
        return [
            m for m in models.get_model(name).modules() if isinstance(m, (nn.Conv2d, nn.Linear)) and isinstance(m, kind)
        ]


def _field(*kernels: int) -> int:
    return measure.cost(nn.Sequential(*(nn.Conv2d(1, 1, kernel) for kernel in kernels)), 32).receptive_field


def _balance() -> str:
    """Most against fewest mult-adds, of the stages and of the single convolutions, VGG-19 beside AlexNet of 2012."""
    with torch.device("meta"):
        costs = [measure.cost(models.get_model("vgg19"), 224), measure.cost(models.get_model("alexnet_2012"), 227)]
    texts = []
    for what, groups in (("stage", [c.stages for c in costs]), ("layer", [c.layers for c in costs])):
        ratios = []
        for rows in groups:
            macs = [row.macs for row in rows if row.macs and not row.name.startswith("head")]
            ratios.append(max(macs) / min(macs))
        texts.append(f"by {what} {ratios[0]:.1f} against {ratios[1]:.1f}")
    return ", ".join(texts)


_PAPER = "Simonyan, Zisserman 2014"


register(
    Claim(
        lesson="04",
        id="params",
        statement="Parameters of the configurations A, B, D, E, in millions",
        stated="133, 133, 138, 144",
        source=f"{_PAPER}, Table 2",
        status="exact",
        compute=lambda: ", ".join(f"{_cost(f'vgg{n}').params / 1e6:.0f}" for n in DEPTHS),
    ),
    Claim(
        lesson="04",
        id="params_vgg19",
        statement="Parameters of VGG-19",
        stated="143.7M",
        source="lecture",
        status="exact",
        compute=lambda: f"{_cost('vgg19').params / 1e6:.1f}M",
    ),
    Claim(
        lesson="04",
        id="layers",
        statement="Deeper: layers with weights of the two submitted networks",
        stated="16, 19",
        source="lecture",
        status="exact",
        compute=lambda: ", ".join(str(len(_layers(name))) for name in ("vgg16", "vgg19")),
    ),
    Claim(
        lesson="04",
        id="kernels",
        statement="Kernel sizes of all convolutions",
        stated="only 3x3",
        source="lecture",
        status="exact",
        compute=lambda: (
            "only " + ", ".join(sorted({"x".join(map(str, c.kernel_size)) for c in _layers("vgg19", nn.Conv2d)}))
        ),
    ),
    Claim(
        lesson="04",
        id="fields",
        statement="Receptive fields of two and three convolutions of 3x3",
        stated="5x5, 7x7",
        source=f"{_PAPER}, section 2.3",
        status="exact",
        compute=lambda: "{0}x{0}, {1}x{1}".format(_field(3, 3), _field(3, 3, 3)),
    ),
    Claim(
        lesson="04",
        id="weights",
        statement="How many more weights one 7x7 has than three 3x3, of as many channels",
        stated="81 %",
        source=f"{_PAPER}, section 2.3",
        status="exact",
        compute=lambda: f"{49 / 27 - 1:.0%}".replace("%", " %"),
    ),
    Claim(
        lesson="04",
        id="balance",
        statement="More balanced computation than AlexNet's: most mult-adds against fewest",
        stated="yes",
        source="lecture",
        status="variant",
        compute=_balance,
        why="the ratios are not smaller; but by a rule: 8 of the 16 convolutions cost exactly the same",
    ),
    Claim(
        lesson="04",
        id="end_to_end",
        statement="The 19 layers do not train end to end (twin, std 0.05, accuracy after 14 epochs, 3 seeds)",
        stated="does not train",
        source="lecture",
        status="measured",
    ),
    Claim(
        lesson="04",
        id="in_stages",
        statement="They train in stages: 11 layers first (twin, std 0.05, 10 and 4 epochs, 3 seeds)",
        stated="trains",
        source=f"lecture; {_PAPER}, section 3.1",
        status="measured",
    ),
    Claim(
        lesson="04",
        id="glorot",
        statement="Glorot's initialisation makes the stages unnecessary (twin, pixels not divided, 3 seeds)",
        stated="trains",
        source=f"{_PAPER}, section 3.1",
        status="measured",
    ),
    Claim(
        lesson="04",
        id="glorot_normalised",
        statement="The same with normalised pixels, as everywhere else in this course",
        stated="not stated",
        source="this lesson",
        status="measured",
    ),
    Claim(
        lesson="04",
        id="variance",
        statement="Random weights are drawn with a variance of 0.01",
        stated="0.01",
        source=f"{_PAPER}, section 3.1",
        status="reported only",
        why="most likely a standard deviation of 0.01 is meant, as in AlexNet: the lesson shows what either would do",
    ),
    Claim(
        lesson="04",
        id="weeks",
        statement="Training one network on ImageNet: 74 epochs of 1.28 million images",
        stated="2-3 weeks on 4 Titan Black",
        source=f"lecture; {_PAPER}, section 3.3",
        status="measured",
    ),
    Claim(
        lesson="04",
        id="accuracy",
        statement="VGG-19 on ImageNet, top-1 and top-5 accuracy of one centre crop",
        stated="72.4/90.9 %",
        source="lecture; torchvision's weights, 72.376/90.876",
        status="reported only",
        why="ImageNet is not at hand; models.get_model('vgg19', weights='imagenet') loads these weights with a network",
    ),
    Claim(
        lesson="04",
        id="ilsvrc",
        statement="Top-5 error of the submission to ILSVRC 2014, second in classification",
        stated="7.3 %",
        source=f"{_PAPER}, section 4.5",
        status="reported only",
        why="an ensemble of seven networks, on the challenge's own test images",
    ),
)
