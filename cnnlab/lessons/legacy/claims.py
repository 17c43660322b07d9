"""Lesson 09, ResNet's legacy: what is stated about it, beside what was computed or measured."""

import torch

from cnnlab import measure, models
from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, REPORTED, SHOWN, VARIANT, Claim, compared, register
from cnnlab.lessons.legacy.study import LATER, path_width, sums


def _params(name: str) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in models.get_model(name).parameters())


def _millions(name: str) -> str:
    return f"{_params(name) / 1e6:.1f}M"


def _gmacs(name: str) -> str:
    with torch.device("meta"):
        return f"{measure.cost(models.get_model(name), (3, 224, 224)).macs / 1e9:.1f}"


def _with_sums() -> str:
    return f"{sum(sums(name) > 0 for name, _ in LATER)} of {len(LATER)} families in this course"


_WRN, _NEXT, _PRE = "Zagoruyko and Komodakis 2016", "Xie et al. 2016", "He et al. 2016"


_IMAGENET, _CIFAR = "ImageNet is 150 GB", "CIFAR-10 is a download, and these networks take days on two cores"


register(
    Claim(
        lesson="09",
        id="all_modern",
        statement="Networks after ResNet that add feature maps, as a residual block does",
        stated="all modern networks",
        source="lecture",
        verdict=VARIANT,
        compute=_with_sums,
        why="DenseNet concatenates where ResNet adds, and the first MobileNet has no shortcut at all",
    ),
    Claim(
        lesson="09",
        id="baselines",
        statement="Parameters of ResNet-18, 34 and 50, the usual baselines",
        stated="11.7M, 21.8M, 25.6M",
        source="lecture (that they are the baselines); torchvision (the figures)",
        verdict=SHOWN,
        compute=lambda: ", ".join(_millions(f"resnet{depth}") for depth in (18, 34, 50)),
    ),
    *(
        Claim(
            lesson="09",
            id=name,
            statement=f"Parameters of {label}",
            stated=stated,
            source=source,
            verdict=SHOWN,
            compute=lambda name=name, stated=stated: _params(name) if isinstance(stated, int) else _millions(name),
        )
        for name, label, stated, source in (
            ("wrn_28_10", "WRN-28-10", "36.5M", f"{_WRN}, Table 5"),
            ("wrn_16_8", "WRN-16-8", "11.0M", f"{_WRN}, Table 5"),
            ("wide_resnet50_2", "Wide ResNet-50-2", "68.9M", f"{_WRN}, Table 8"),
            ("wide_resnet101_2", "Wide ResNet-101-2", 126_886_696, "torchvision; not in the paper"),
            ("resnext50_32x4d", "ResNeXt-50 (32×4d)", "25.0M", f"{_NEXT}, Table 1"),
            ("resnext101_32x8d", "ResNeXt-101 (32×8d)", 88_791_336, "torchvision; not in the paper"),
            ("resnext29_8x64d", "ResNeXt-29 (8×64d)", "34.4M", f"{_NEXT}, Table 7"),
            ("preact_resnet110", "pre-activation ResNet-110", "1.7M", f"{_WRN}, Table 5"),
            ("preact_resnet164", "pre-activation ResNet-164", "1.7M", f"{_WRN}, Table 5"),
        )
    ),
    Claim(
        lesson="09",
        id="macs_resnext",
        statement="Mult-adds of ResNet-50 and ResNeXt-50 (billions)",
        stated="4.1, 4.2",
        source=f"{_NEXT}, Table 1",
        verdict=SHOWN,
        compute=lambda: f"{_gmacs('resnet50')}, {_gmacs('resnext50_32x4d')}",
    ),
    Claim(
        lesson="09",
        id="path_widths",
        statement="Width of a path at equal cost, for 1, 2, 4, 8 and 32 paths",
        stated="64, 40, 24, 14, 4",
        source=f"{_NEXT}, Table 2",
        verdict=SHOWN,
        compute=lambda: ", ".join(str(path_width(256, paths)) for paths in (1, 2, 4, 8, 32)),
    ),
    Claim(
        lesson="09",
        id="wide_error",
        statement="Errors on CIFAR-10: WRN-28-10, and the pre-activation network of 1,001 layers",
        stated="4.00 %, 4.92 %",
        source=f"{_WRN}, Table 5; {_PRE}, Table 4",
        verdict=REPORTED,
        why=_CIFAR,
    ),
    Claim(
        lesson="09",
        id="wide_imagenet",
        statement="Top-1 errors on ImageNet and time a batch of 16: Wide ResNet-50-2 against ResNet-152",
        stated="21.9 against 22.16 %, 93 against 115 ms",
        source=f"{_WRN}, Table 8",
        verdict=REPORTED,
        why=_IMAGENET,
    ),
    Claim(
        lesson="09",
        id="next_imagenet",
        statement="Top-1 errors on ImageNet of 50 layers with 1, 2, 4, 8 and 32 paths at equal cost",
        stated="23.9, 23.0, 22.6, 22.3, 22.2 %",
        source=f"{_NEXT}, Table 3",
        verdict=REPORTED,
        why=_IMAGENET,
    ),
    Claim(
        lesson="09",
        id="preact_error",
        statement="Errors on CIFAR-10, original and pre-activation: 110, 164 and 1,001 layers",
        stated="6.61 to 6.37, 5.93 to 5.46, 7.61 to 4.92 %",
        source=f"{_PRE}, Tables 2 and 3",
        verdict=REPORTED,
        why=_CIFAR,
    ),
    Claim(
        lesson="09",
        id="blocked",
        statement="A half on each shortcut blocks the gradient on the shortcuts (share that comes back past 27 blocks)",
        stated="as the product of the factors: 7e-09",
        source=f"{_PRE}, section 3",
        verdict=SHOWN,
        figure="{:.0e}",
        judge=lambda share: compared(1e-8 - share, least=1e-9),
    ),
    Claim(
        lesson="09",
        id="vanishes",
        statement="So less gradient comes back altogether (past 27 blocks with batch norm, before training)",
        stated="less",
        source="often heard",
        verdict=OPPOSITE,
        figure="{:,.0f} times what entered with a half on each shortcut, {:,.0f} times with nothing on it",
        judge=lambda half, free: compared(1 - half / free, least=0.5),
        why="the blocks hand back more than the shortcuts lose; without batch norm it is as stated",
    ),
    Claim(
        lesson="09",
        id="half",
        statement="With a half on each shortcut a deep network is harder to train (training images known, 56 layers)",
        stated="failed, with more than 20 % errors (110 layers)",
        source=f"{_PRE}, Table 1",
        verdict=SHOWN,
        figure="{:.0f} % with a half, {:.0f} % with nothing on the shortcut, after the same steps",
        judge=lambda half, free: compared(free - half, least=10),
    ),
    Claim(
        lesson="09",
        id="only_adds",
        statement="A ReLU before the sum hurts because a block can then only add (56 layers, training images known)",
        stated="yes",
        source=f"{_PRE}, section 4.1",
        verdict=SHOWN,
        figure="{:.0f} % as it is, {:.0f} % where every second block subtracts",
        judge=lambda adds, subtracts: compared(subtracts - adds, least=10),
    ),
    Claim(
        lesson="09",
        id="preact",
        statement="Pre-activation is better than the original order (26 layers, one seed, its best rate, validation)",
        stated="by 0.2 to 0.5 points at 110 and 164 layers",
        source=f"lecture; {_PRE}, Table 2",
        verdict=NOT_SHOWN,
        figure="{:.1f} % original, {:.1f} % pre-activation",
        judge=lambda original, pre: compared(pre - original, least=1),
        why="at each of the rates they are about equal; it takes a hundred layers, or rates chosen over many seeds",
    ),
    Claim(
        lesson="09",
        id="norm_after",
        statement="A norm after the sum is worse than pre-activation (26 layers, own rates, test, three seeds)",
        stated="8.17 against 6.37 % errors (110 layers)",
        source=f"{_PRE}, Table 2",
        verdict=SHOWN,
        figure="{:.1f} % with the norm after the sum, {:.1f} % with pre-activation",
        judge=lambda after, pre: compared(pre - after, least=2),
    ),
    Claim(
        lesson="09",
        id="easier",
        statement="Pre-activation is easier to train (26 layers, rate 0.8, the lowest of three seeds, test accuracy)",
        stated="yes",
        source=f"{_PRE}, abstract and section 5",
        verdict=SHOWN,
        figure="{:.1f} % original, {:.1f} % pre-activation",
        judge=lambda original, pre: compared(pre - original, least=5),
    ),
    Claim(
        lesson="09",
        id="wide",
        statement="Wide and shallow is as accurate as thin and deep at equal mult-adds (test accuracy, three seeds)",
        stated="as accurate or better",
        source=f"lecture; {_WRN}",
        verdict=SHOWN,
        figure="{:.1f} % with 26 layers of width 6, {:.1f} % with 8 of width 13",
        judge=lambda deep, wide: compared(wide - deep, least=1),
    ),
    Claim(
        lesson="09",
        id="faster",
        statement="Wide and shallow trains faster than thin and deep at equal mult-adds",
        stated="several times",
        source=f"{_WRN}, section 3",
        verdict=SHOWN,
        figure="{:.1f} times",
        judge=lambda times: compared(times - 1, least=0.3),
        timed=True,
    ),
    Claim(
        lesson="09",
        id="cardinality",
        statement="More paths at equal mult-adds are more accurate",
        stated="better",
        source=f"lecture; {_NEXT}",
        verdict=REPORTED,
        why="on our digits networks with 1 and 15 paths were not trained to their end: two networks, three rates and"
        " three seeds would take five minutes",
    ),
)
