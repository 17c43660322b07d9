"""Lesson 09, ResNet's legacy: what is stated about it, beside what was computed or measured."""

import torch

from cnnlab import measure, models
from cnnlab.lessons.claims import NOT_SHOWN, REPORTED, SHOWN, VARIANT, Claim, compared, register
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
        id="preact",
        statement="Pre-activation learns better than the original order: test accuracy, three seeds",
        stated="by 0.2 to 0.5 points at 110 and 164 layers",
        source=f"lecture; {_PRE}",
        verdict=NOT_SHOWN,
        judge=lambda *figures: compared(figures[5] - figures[2], least=2),
        why="ahead in two seeds, behind in one, and one network's seeds lie three points apart; it takes a"
        " hundred layers, or more seeds",
    ),
    Claim(
        lesson="09",
        id="wide",
        statement="Wide and shallow against thin and deep at equal mult-adds: test accuracy, three seeds",
        stated="as accurate, several times faster",
        source=f"lecture; {_WRN}",
        verdict=SHOWN,
        judge=lambda *figures: compared(min(figures[8] - figures[2], figures[9] - 1), least=0.2),
        timed=True,
    ),
    Claim(
        lesson="09",
        id="cardinality",
        statement="More paths at equal mult-adds: test accuracy, three seeds",
        stated="better",
        source=f"lecture; {_NEXT}",
        verdict=SHOWN,
        judge=lambda *figures: compared(figures[8] - figures[2], least=1),
        why="32 paths against one, in every seed; four paths are undecided",
    ),
)
