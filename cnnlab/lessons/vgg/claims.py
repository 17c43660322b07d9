"""Lesson 04, VGG: what is stated about it, beside what was computed or measured."""

import torch
from torch import nn

from cnnlab import measure, models
from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, REPORTED, SHOWN, VARIANT, Claim, compared, register
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
        verdict=SHOWN,
        compute=lambda: ", ".join(f"{_cost(f'vgg{n}').params / 1e6:.0f}" for n in DEPTHS),
    ),
    Claim(
        lesson="04",
        id="params_vgg19",
        statement="Parameters of VGG-19",
        stated="143.7M",
        source="lecture",
        verdict=SHOWN,
        compute=lambda: f"{_cost('vgg19').params / 1e6:.1f}M",
    ),
    Claim(
        lesson="04",
        id="layers",
        statement="Deeper: layers with weights of the two submitted networks",
        stated="16, 19",
        source="lecture",
        verdict=SHOWN,
        compute=lambda: ", ".join(str(len(_layers(name))) for name in ("vgg16", "vgg19")),
    ),
    Claim(
        lesson="04",
        id="kernels",
        statement="Kernel sizes of all convolutions of the two submitted networks",
        stated="only 3x3",
        source="lecture",
        verdict=SHOWN,
        compute=lambda: (
            "only "
            + ", ".join(
                sorted({"x".join(map(str, c.kernel_size)) for n in ("vgg16", "vgg19") for c in _layers(n, nn.Conv2d)})
            )
        ),
    ),
    Claim(
        lesson="04",
        id="fields",
        statement="Receptive fields of two and three convolutions of 3x3",
        stated="5x5, 7x7",
        source=f"{_PAPER}, section 2.3",
        verdict=SHOWN,
        compute=lambda: "{0}x{0}, {1}x{1}".format(_field(3, 3), _field(3, 3, 3)),
    ),
    Claim(
        lesson="04",
        id="weights",
        statement="How many more weights one 7x7 has than three 3x3, of as many channels",
        stated="81 %",
        source=f"{_PAPER}, section 2.3",
        verdict=SHOWN,
        compute=lambda: f"{49 / 27 - 1:.0%}".replace("%", " %"),
    ),
    Claim(
        lesson="04",
        id="balance",
        statement="More balanced computation than AlexNet's: most mult-adds against fewest",
        stated="yes",
        source="lecture",
        verdict=OPPOSITE,
        compute=_balance,
        judge=lambda stage, alex_stage, layer, alex_layer: compared(
            min(alex_stage / stage, alex_layer / layer) - 1, least=0.05
        ),
        why="the ratios are not smaller, with AlexNet cut into stages where it pools; VGG is balanced by a rule: 8 of"
        " its 16 convolutions cost exactly the same",
    ),
    Claim(
        lesson="04",
        id="config_c",
        statement="Kernels of configuration C, which the paper also tried",
        stated="1x1 in three layers",
        source=f"{_PAPER}, Table 1",
        verdict=REPORTED,
        why="the package has A, B, D and E; so 'only 3x3' is not true of all six configurations",
    ),
    Claim(
        lesson="04",
        id="filters",
        statement="A deep net with small kernels beats a shallower one with large ones: two of 3x3 against one of 5x5",
        stated="7 % more top-1 errors with 5x5",
        source=f"{_PAPER}, section 4.1",
        verdict=REPORTED,
        why="it would take both networks, each with its own learning rate, over seeds, until flat",
    ),
    Claim(
        lesson="04",
        id="relu",
        statement="Several ReLUs in place of one make the decision function more discriminative",
        stated="in words",
        source=f"{_PAPER}, section 2.3",
        verdict=REPORTED,
        why="it would take the same network without the ReLUs between the convolutions of a stage",
    ),
    Claim(
        lesson="04",
        id="depth",
        statement="The error decreases with depth, if nothing else changes: 11, 13, 16, 19 layers, well started, until"
        " flat",
        stated="29.6, 28.7, 27.0, 27.3 % errors",
        source=f"{_PAPER}, Table 3, images of one scale",
        verdict=NOT_SHOWN,
        figure="{:.1f}, {:.1f}, {:.1f}, {:.1f} % right",
        judge=lambda eleven, _, __, nineteen: compared(nineteen - eleven, least=1.5),
        why="13 layers are best, and the seeds of 19 lie further apart than the means; it would take ImageNet",
    ),
    Claim(
        lesson="04",
        id="saturates",
        statement="It saturates: VGG-19 is about as good as VGG-16",
        stated="25.6, 25.5 % errors",
        source=f"{_PAPER}, Table 3, images of several scales",
        verdict=REPORTED,
        why="it would take ImageNet: here nothing is gained beyond 13 layers",
    ),
    Claim(
        lesson="04",
        id="end_to_end",
        statement="The 19 layers do not train end to end (std 0.05, two learning rates, 14 epochs, 3 seeds)",
        stated="does not train",
        source="lecture",
        verdict=SHOWN,
        figure="{:.0f} to {:.0f} %",
        judge=lambda worst, best: compared(40 - best, least=15),
    ),
    Claim(
        lesson="04",
        id="in_stages",
        statement="They train in stages: 11 layers first (std 0.05, 10 and 4 epochs, 3 seeds)",
        stated="trains",
        source=f"lecture; {_PAPER}, section 3.1",
        verdict=SHOWN,
        figure="{:.0f} to {:.0f} %",
        judge=lambda worst, best: compared(worst - 40, least=15),
    ),
    Claim(
        lesson="04",
        id="glorot",
        statement="Glorot's initialisation makes the stages unnecessary (pixels not divided, 3 seeds)",
        stated="trains",
        source=f"{_PAPER}, section 3.1",
        verdict=SHOWN,
        figure="{:.0f} to {:.0f} %",
        judge=lambda worst, best: compared(worst - 40, least=15),
    ),
    Claim(
        lesson="04",
        id="glorot_normalised",
        statement="The same with normalised pixels, as everywhere else in this course",
        stated="trains",
        source="this lesson",
        verdict=OPPOSITE,
        figure="{:.0f} to {:.0f} %",
        judge=lambda worst, best: SHOWN if worst >= 55 else compared(best - 40, least=15),
        why="Glorot's rule loses half of the variance at every ReLU, and pixels of 0 to 255 are loud enough for"
        " that, normalised ones are not; He's rule trains with these too",
    ),
    Claim(
        lesson="04",
        id="variance",
        statement="Random weights are drawn with a variance of 0.01",
        stated="0.01",
        source=f"{_PAPER}, section 3.1",
        verdict=REPORTED,
        why="whether the variance or the standard deviation was 0.01 cannot be seen from the paper: the lesson shows"
        " what either does",
    ),
    Claim(
        lesson="04",
        id="weeks",
        statement="Training one network on ImageNet: 74 epochs of 1.28 million images",
        stated="2-3 weeks on 4 Titan Black",
        source=f"lecture; {_PAPER}, section 3.3",
        verdict=VARIANT,
        judge=lambda days: SHOWN if 14 <= days <= 21 else VARIANT,
        why="another machine, extrapolated from a step at a quarter of the pixels",
        timed=True,
    ),
    Claim(
        lesson="04",
        id="accuracy",
        statement="VGG-19 on ImageNet, top-1 and top-5 accuracy of one centre crop",
        stated="72.4/90.9 %",
        source="lecture; torchvision's weights, 72.376/90.876",
        verdict=REPORTED,
        why="ImageNet is not at hand; models.get_model('vgg19', weights='imagenet') loads these weights with a network",
    ),
    Claim(
        lesson="04",
        id="ilsvrc",
        statement="Top-5 error of the submission to ILSVRC 2014, second in classification",
        stated="7.3 %",
        source=f"{_PAPER}, section 4.5",
        verdict=REPORTED,
        why="an ensemble of seven networks, on the challenge's own test images",
    ),
)
