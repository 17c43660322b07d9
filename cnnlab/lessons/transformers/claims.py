"""Lesson 14, without convolutions: what is stated about it, beside what was computed or measured."""

import torch

from cnnlab import measure, models
from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, REPORTED, SHOWN, Claim, compared, register
from cnnlab.lessons.records import record as record_named
from cnnlab.lessons.transformers.study import GROWING, behind, growing, sizes, torchvisions_best

# The claims


def _without_head() -> str:
    with torch.device("meta"):
        model = models.get_model("vit_b_16")
    head = sum(p.numel() for p in model.head[-1].parameters())
    return f"{round((sum(p.numel() for p in model.parameters()) - head) / 1e6)}M"


def _macs() -> int:
    with torch.device("meta"):
        return measure.cost(models.get_model("vit_b_16"), 224).macs


def _in_torchvision() -> str:
    best = torchvisions_best(10)
    return f"the best is a {best[0]['kind']}; {sum(n['kind'] == 'transformer' for n in best)} of the ten best are"


def _refuses_other_sizes() -> str:
    try:
        models.get_model("vit_b_16_tiny")(torch.zeros(1, 3, 40, 40))
    except ValueError:
        return "one size only"
    return "any size"


def _behind() -> str:
    """By how many points the ViTs are behind the ResNet, with the fewest and with the most images."""
    reached = growing(record_named("growing_together"))
    (first, *_, last), (stem_first, *_, stem_last) = (behind(reached, kind) for kind in GROWING[1:])
    few, *_, many = sizes(reached)
    return (
        f"{first:.1f} points behind with {few} images, {last:.1f} with {many:,}; "
        f"with a convolutional stem {stem_first:.1f} and {stem_last:.1f}"
    )


_PAPER = "Dosovitskiy et al. 2020"


register(
    Claim(
        lesson="14",
        id="best",
        statement="Today's best networks for images are usually transformers",
        stated="usually",
        source="lecture",
        verdict=NOT_SHOWN,
        compute=_in_torchvision,
        judge=lambda of_ten: SHOWN if of_ten > 5 else NOT_SHOWN,
        why="counted over the networks that torchvision documents, by their best weights on ImageNet; most of its"
        " networks are convolutional, and newer ones are not in it",
    ),
    Claim(
        lesson="14",
        id="easier",
        statement="Convolutions are easier to train: test accuracy from as many images, for no more mult-adds",
        stated="easier",
        source="lecture; this lesson's record",
        verdict=SHOWN,
        figure="4,000 images: ResNet {:.1f} %; ViT {:.1f} %, with a convolutional stem {:.1f} %",
        judge=lambda resnet, vit, stem: compared(resnet - max(vit, stem), least=1.5),
        why="small networks on drawn digits, each at its own learning rate, the ViTs after twice the epochs, for five"
        " and two times the ResNet's mult-adds; with the stem and 16,000 images about one point is left",
    ),
    Claim(
        lesson="14",
        id="faster",
        statement="Convolutions are faster: seconds for the same mult-adds of training",
        stated="faster",
        source="lecture; measured in this lesson",
        verdict=SHOWN,
        figure="ResNet {:.0f} s, ViT {:.0f} s",
        judge=lambda resnet, vit: compared(vit / resnet - 1, least=0.1),
        why="small networks on one processor, where the ViT takes seven times as many steps for the same mult-adds",
        timed=True,
    ),
    Claim(
        lesson="14",
        id="params",
        statement="Parameters of ViT-B/16",
        stated="86M",
        source=f"{_PAPER}, Table 1",
        verdict=SHOWN,
        compute=_without_head,
        why="without the classifier of 1000 classes; with it 86,567,656, as torchvision has it",
    ),
    Claim(
        lesson="14",
        id="macs",
        statement="Mult-adds of ViT-B/16 at 224 pixels",
        stated=17_563_828_224,
        source="torchvision documents 17.564 billion",
        verdict=SHOWN,
        compute=_macs,
    ),
    Claim(
        lesson="14",
        id="accuracy",
        statement="ViT-B/16 trained on ImageNet alone, top-1 and top-5 (%)",
        stated="81.072 / 95.318",
        source="torchvision's documentation",
        verdict=REPORTED,
        why="ImageNet is 150 GB",
    ),
    Claim(
        lesson="14",
        id="modest",
        statement="On ImageNet alone, a few points below ResNets of comparable size",
        stated="a few percentage points",
        source=f"{_PAPER}, section 1",
        verdict=REPORTED,
        why="ImageNet is 150 GB; with 16,000 digits the small ViT of this lesson is behind by more",
    ),
    Claim(
        lesson="14",
        id="convolution",
        statement="Enough heads of attention can do what a convolution does",
        stated="any convolution",
        source="Cordonnier, Loukas, Jaggi 2020, Theorem 1",
        verdict=SHOWN,
        figure="3 x 3 with nine heads: the largest difference is {:.0e}",
        judge=lambda difference: SHOWN if difference < 1e-5 else OPPOSITE,
    ),
    Claim(
        lesson="14",
        id="near",
        statement="Closer patches tend to have more similar position embeddings: mean cosine side by side, and of"
        " others",
        stated="in words",
        source=f"{_PAPER}, section 4.5 and Figure 7",
        verdict=NOT_SHOWN,
        figure="{:.2f}, others {:.2f}; of places at the rim {:.2f}, others {:.2f}",
        judge=lambda near, rest, rim_near, rim_rest: compared(rim_near - rim_rest, least=0.15),
        why="what is learnt here is middle and rim; it would take images in which things stand anywhere, and more of"
        " them",
    ),
    Claim(
        lesson="14",
        id="overtakes",
        statement="Large-scale training trumps inductive bias: with many more images ViTs overtake ResNets",
        stated="in words",
        source=f"{_PAPER}, section 1",
        verdict=NOT_SHOWN,
        compute=_behind,
        judge=lambda few, first, last, many, stem_first, stem_last: SHOWN if min(last, stem_last) < 0 else NOT_SHOWN,
        why="in points both gaps shrink with more images; counted in errors, only that of the ViT with the stem does."
        " The paper needed 14 to 300 million images",
    ),
    Claim(
        lesson="14",
        id="size",
        statement="Positions fix the size of the image",
        stated="one size only",
        source="this lesson",
        verdict=SHOWN,
        compute=_refuses_other_sizes,
    ),
)
