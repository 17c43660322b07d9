"""Lesson 11, MobileNet: what is stated about it, beside what was computed or measured."""

from cnnlab import measure, models
from cnnlab.lessons.claims import NOT_SHOWN, REPORTED, SHOWN, VARIANT, Claim, compared, register
from cnnlab.lessons.facts import NETWORKS
from cnnlab.lessons.mobilenet.study import work


def _cost(name: str, **options) -> measure.Cost:
    return measure.cost(models.get_model(name, **options), 224)


def _millions(name: str) -> str:
    cost = _cost(name)
    return f"{cost.macs / 1e6:.0f}M, {cost.params / 1e6:.1f}M"


def _share_of_pointwise(what: str) -> str:
    parts = work(models.get_model("mobilenet_v1"), 224)
    whole = sum(getattr(part, what) for part in parts.values())
    return f"{100 * getattr(parts['1 × 1'], what) / whole:.2f} %"


def _share_of_first() -> str:
    parts = work(models.get_model("mobilenet_v1"), 224)
    return f"{100 * parts['3 × 3'].macs / sum(part.macs for part in parts.values()):.2f} %"


def _times_smaller_than_vgg() -> str:
    vgg, ours = (next(n for n in NETWORKS if n.name == name) for name in ("vgg16", "mobilenet_v1"))
    return f"{vgg.params / ours.params:.1f} and {vgg.macs / ours.macs:.1f}"


def _range_of_ratios() -> str:
    ratios = [1 / (1 / channels + 1 / 9) for channels in (64, 1024)]  # the narrowest block of the network, the widest
    return f"{ratios[0]:.1f} to {ratios[1]:.1f}"


_PAPER = "Howard et al. 2017, arXiv 1704.04861"
_PAPER_2 = "Sandler et al. 2018, arXiv 1801.04381"


register(
    Claim(
        lesson="11",
        id="params",
        statement="Parameters of MobileNet",
        stated="4.2M",
        source=f"lecture; {_PAPER}, Table 4",
        verdict=SHOWN,
        compute=lambda: f"{_cost('mobilenet_v1').params / 1e6:.1f}M",
    ),
    Claim(
        lesson="11",
        id="mobilenet",
        statement="Mult-adds and parameters of MobileNet",
        stated="569M, 4.2M",
        source=f"{_PAPER}, Table 4",
        verdict=SHOWN,
        compute=lambda: _millions("mobilenet_v1"),
    ),
    Claim(
        lesson="11",
        id="conv_mobilenet",
        statement="The same with full convolutions",
        stated="4866M, 29.3M",
        source=f"{_PAPER}, Table 4",
        verdict=VARIANT,
        compute=lambda: _millions("conv_mobilenet_v1"),
        why="the paper's 4866 leaves out the fully-connected layer, which its 569 includes",
    ),
    Claim(
        lesson="11",
        id="ratio",
        statement="Times fewer mult-adds in a 3 x 3 depthwise separable convolution",
        stated="8 to 9",
        source=f"{_PAPER}, section 3.1; 1/N + 1/D^2 in the lecture",
        verdict=VARIANT,
        compute=_range_of_ratios,
        why="below 8 in the first block, which makes only 64 maps",
    ),
    Claim(
        lesson="11",
        id="share_macs",
        statement="Share of the 1 x 1 convolutions in the mult-adds",
        stated="94.86 %",
        source=f"{_PAPER}, Table 2",
        verdict=SHOWN,
        compute=lambda: _share_of_pointwise("macs"),
    ),
    Claim(
        lesson="11",
        id="share_params",
        statement="Share of the 1 x 1 convolutions in the parameters",
        stated="74.59 %",
        source=f"{_PAPER}, Table 2",
        verdict=SHOWN,
        compute=lambda: _share_of_pointwise("weights"),
    ),
    Claim(
        lesson="11",
        id="share_first",
        statement="Share of the first 3 x 3 convolution in the mult-adds",
        stated="1.19 %",
        source=f"{_PAPER}, Table 2",
        verdict=VARIANT,
        compute=_share_of_first,
        why="two digits changed places: as printed, the column adds up to 99.29 %",
    ),
    Claim(
        lesson="11",
        id="vgg",
        statement="Times smaller than VGG-16, and times fewer mult-adds",
        stated="32 and 27",
        source=f"{_PAPER}, section 4.2",
        verdict=VARIANT,
        compute=_times_smaller_than_vgg,
        why="exact up to rounding: 138.4M by 4.23M is nearer to 33",
    ),
    Claim(
        lesson="11",
        id="v2",
        statement="Parameters of MobileNetV2",
        stated=3_504_872,
        source="torchvision; 3.4M in Sandler et al. 2018, Table 4",
        verdict=SHOWN,
        compute=lambda: _cost("mobilenet_v2").params,
    ),
    Claim(
        lesson="11",
        id="time",
        statement="MobileNet spends 95 % of its computation time in 1 x 1 convolutions",
        stated="95 %",
        source=f"{_PAPER}, section 3.2",
        verdict=VARIANT,
        judge=lambda share, folded: SHOWN if share >= 94 else VARIANT,
        why="95 % is their share of the mult-adds; depthwise layers and batch norms have a larger share of the time",
        timed=True,
    ),
    Claim(
        lesson="11",
        id="speed",
        statement="How many times faster by fewer mult-adds: 8.6 times fewer at full size, 7.8 in the twin",
        stated="faster",
        source="lecture",
        verdict=SHOWN,
        judge=lambda full_size, twin: compared(min(full_size, twin) - 1, least=0.1),
        why="but not by as much as there are fewer mult-adds",
        timed=True,
    ),
    Claim(
        lesson="11",
        id="twin_accuracy",
        statement="What depthwise separable convolutions cost in accuracy, with as many channels",
        stated="1.1 points",
        source=f"{_PAPER}, Table 4",
        verdict=SHOWN,
        judge=lambda ours, full: SHOWN if abs(full - ours - 1.1) <= 1 else NOT_SHOWN,
        why="on street digits: means of three seeds, which overlap; each network at its own learning rate, until flat",
    ),
    Claim(
        lesson="11",
        id="width",
        statement="Accuracy drops off smoothly with the width",
        stated="70.6, 68.4, 63.7, 50.6 %",
        source=f"{_PAPER}, Table 6",
        verdict=NOT_SHOWN,
        judge=lambda *figures: compared(figures[0] - figures[3], least=9),
        why="three seeds of one width lie up to nine points apart after eight epochs; it takes more seeds, or images"
        " that the widest cannot learn by heart",
    ),
    Claim(
        lesson="11",
        id="lost",
        statement="A ReLU in few channels destroys information, in many it does not",
        stated="n = 2 and 3 against n = 15 and 30",
        source=f"{_PAPER_2}, Figure 1",
        verdict=SHOWN,
        judge=lambda few, many: SHOWN if few > 40 and many < 2 else NOT_SHOWN,
        figure="{:.0f} % of the points lost in 3 random channels, {:.1f} % in 12",
    ),
    Claim(
        lesson="11",
        id="linear_end",
        statement="A ReLU6 at the narrow end of the blocks hurts",
        stated="by several percent",
        source=f"{_PAPER_2}, sections 3.2 and 6",
        verdict=SHOWN,
        judge=lambda linear, relu, wide_linear, wide_relu: compared(linear - relu, least=2),
        figure="{:.1f} % of the test images without it, {:.1f} % with it, in blocks of 8 channels;"
        " {:.1f} % and {:.1f} % in 24",
        why="that it hurts because the ends are narrow is not shown: three times as wide, it costs about as much (three"
        " seeds, 0.2 to 7.6 points)",
    ),
    Claim(
        lesson="11",
        id="v2_time",
        statement="MobileNetV2 and its predecessor on a phone",
        stated="75 ms, 113 ms",
        source=f"{_PAPER_2}, Table 4",
        verdict=REPORTED,
        why="it takes the phone and its program; here both are timed on one core",
    ),
    Claim(
        lesson="11",
        id="accuracy",
        statement="Top-1 and top-5 accuracy on ImageNet",
        stated="70.9 / 89.9 %",
        source="lecture; the authors' checkpoint (the paper: 70.6 %)",
        verdict=REPORTED,
        why="the weights are a download, and ImageNet has to be asked for",
    ),
)
