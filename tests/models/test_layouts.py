"""Weights that somebody else trained, as they come: other names, another order, a wrapper, another file."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from equivalence import fill
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from cnnlab.models import get_model, load_torchvision


class CifarBlock(nn.Module):
    """A block of the common ResNets for CIFAR-10, written as they are."""

    def __init__(self, channels: int, planes: int, stride: int, option: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.stride, self.padded = stride, planes - channels if option == "A" else 0
        self.shortcut = nn.Sequential()
        if option == "B" and (stride != 1 or channels != planes):
            self.shortcut = nn.Sequential(nn.Conv2d(channels, planes, 1, stride, bias=False), nn.BatchNorm2d(planes))

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.padded:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.padded // 2, self.padded // 2))
        return F.relu(out + self.shortcut(x))


class CifarResNet(nn.Module):
    def __init__(self, option: str) -> None:
        super().__init__()
        self.conv1, self.bn1, channels = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), 16
        for stage, planes in enumerate((16, 32, 64)):
            blocks = []
            for index in range(3):
                blocks.append(CifarBlock(channels, planes, 2 if stage and not index else 1, option))
                channels = planes
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.linear(x.mean((2, 3)))


def filled(model: nn.Module, size: int = 32) -> nn.Module:
    torch.manual_seed(0)
    fill(model, size)
    return model.eval()


@torch.no_grad()
def assert_same(ours: nn.Module, theirs: nn.Module, size: int = 32) -> None:
    images = torch.randn(2, 3, size, size)
    assert (ours.eval()(images) - theirs(images)).abs().max() < 1e-4


@pytest.mark.parametrize("option", ["A-both", "B"])
@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("end", [".th", ".safetensors"])
def test_the_common_resnets_for_cifar(tmp_path: Path, option: str, prefix: str, end: str) -> None:
    theirs = filled(CifarResNet(option[0]))
    named = {f"{prefix}{key}": value for key, value in theirs.state_dict().items()}
    path = tmp_path / f"resnet20-12fca82f{end}"
    save_file(named, path) if end == ".safetensors" else torch.save({"state_dict": named, "best_prec1": 91.7}, path)
    assert_same(get_model("resnet20", shortcut=option, weights=path), theirs)
    assert_same(load_torchvision(get_model("resnet20", shortcut=option), str(path)), theirs)


def test_another_padding_is_refused_and_not_guessed() -> None:
    theirs = CifarResNet("A").state_dict()
    with pytest.raises(ValueError, match="Build it with shortcut='A-both'"):
        load_torchvision(get_model("resnet20"), theirs)


def test_cifars_resnet18_with_projections() -> None:
    ours = get_model("resnet18", small_images=True, num_classes=10)
    theirs = {
        key.replace("downsample", "shortcut").replace("fc.", "linear."): value
        for key, value in timm.create_model("resnet18", num_classes=10).state_dict().items()
    }
    theirs["conv1.weight"] = torch.zeros_like(ours.stem.conv.weight)
    loaded = load_torchvision(ours, theirs)
    assert torch.equal(loaded.stages[3][0].shortcut.conv.weight, theirs["layer4.0.shortcut.0.weight"])


@pytest.mark.slow  # networks of full size, twice
@pytest.mark.parametrize(
    ("name", "timms", "options", "size"),
    [
        ("resnet18", "resnet18", {}, 64),
        ("resnext50_32x4d", "resnext50_32x4d", {}, 64),
        ("densenet121", "densenet121", {}, 64),
        ("vgg11_bn", "vgg11_bn", {"num_classes": 7}, 224),
        ("efficientnet_b0", "efficientnet_b0", {}, 64),
        ("mobilenet_v2", "mobilenetv2_100", {}, 64),
        ("convnext_tiny", "convnext_tiny", {}, 64),
        ("vit_b_16", "vit_base_patch16_224", {}, 224),
    ],
)
def test_timms_files(tmp_path: Path, name: str, timms: str, options: Mapping[str, int], size: int) -> None:
    """Sorted by name, as the hub's safetensors are, and with the metadata that they have."""
    with torch.device("meta"):
        theirs = timm.create_model(timms, **options)
    theirs = filled(theirs, size)
    state = {key: value.contiguous() for key, value in sorted(theirs.state_dict().items())}
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert_same(get_model(name, weights=tmp_path / "model.safetensors", **options), theirs, size)


@pytest.mark.parametrize("key", ["state_dict", "model", "net", "model_state_dict"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "model."])
def test_wrappers_and_prefixes(tmp_path: Path, key: str, prefix: str) -> None:
    source = get_model("resnet20_tiny")
    named = {f"{prefix}{name}": value for name, value in source.state_dict().items()}
    torch.save({"epoch": 3, key: named, "optimizer": {"state": {}}}, tmp_path / "x.pth")
    loaded = get_model("resnet20_tiny", weights=str(tmp_path / "x.pth"))
    assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in source.state_dict().items())


def test_each_kind_of_file_has_its_own_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def said(path: Path | str) -> str:
        with pytest.raises(ValueError) as error:
            get_model("lenet5", weights=path)
        assert "\n" not in str(error.value)
        return str(error.value)

    path = tmp_path / "x.pth"
    assert said(path) == f"There is no file {path}."
    assert said("x.pth") == "There is no file x.pth."
    torch.save(get_model("lenet5"), path)
    assert "holds a whole model or other objects" in said(path) and "model.state_dict()" in said(path)
    path.write_bytes(b"no weights at all")
    assert "is damaged, or no file of weights" in said(path)
    torch.save({"epoch": 3, "nets": {}}, path)
    assert "There are epoch, nets." in said(path) and str(path) in said(path)
    torch.save(get_model("resnet20_tiny").state_dict(), path)
    assert "do not fit LeNet5. missing: " in said(path)
    monkeypatch.chdir(tmp_path)
    torch.save(get_model("lenet5").state_dict(), "without_an_end")
    get_model("lenet5", weights="without_an_end")


def test_numbers_of_numpy_beside_the_weights_and_statistics_of_another_shape(tmp_path: Path) -> None:
    source = get_model("resnet20_tiny")
    named = {key: value[None] if "norm" in key and value.ndim else value for key, value in source.state_dict().items()}
    torch.save({"state_dict": named, "best": np.float64(93.1), "epoch": np.int64(3)}, tmp_path / "x.pth")
    loaded = get_model("resnet20_tiny", weights=tmp_path / "x.pth")
    assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in source.state_dict().items())


@pytest.mark.parametrize("end", ["pth", "safetensors"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n", "only a pointer of Git LFS"),
        (b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "it is a web page"),
    ],
)
def test_what_lies_in_the_place_of_a_file_is_named(tmp_path: Path, end: str, content: bytes, said: str) -> None:
    (tmp_path / f"w.{end}").write_bytes(content)
    with pytest.raises(ValueError, match=rf"w\.{end} is damaged, or no file of weights \(.*{said}"):
        get_model("lenet5", weights=tmp_path / f"w.{end}")


def test_an_average_of_the_weights_comes_before_them(tmp_path: Path) -> None:
    model, average = get_model("lenet5"), AveragedModel(get_model("lenet5"))
    torch.save({"model": model.state_dict(), "model_ema": average.state_dict(), "epoch": 3}, tmp_path / "w.pth")
    loaded = get_model("lenet5", weights=tmp_path / "w.pth")
    assert all(torch.equal(p, q) for p, q in zip(loaded.parameters(), average.parameters(), strict=True))


def test_whole_numbers_are_no_weights() -> None:
    quantised = {name: (100 * value).to(torch.int8) for name, value in get_model("lenet5").state_dict().items()}
    with pytest.raises(ValueError, match=r"is stored as torch\.int8, .*take the file that is not quantised"):
        load_torchvision(get_model("lenet5"), quantised)


def test_a_program_is_named(tmp_path: Path) -> None:
    torch.jit.script(nn.Linear(2, 2)).save(str(tmp_path / "w.pt"))
    with pytest.raises(ValueError, match=r"w\.pt holds a program \(TorchScript\).* save model\.state_dict\(\) instead"):
        get_model("lenet5", weights=tmp_path / "w.pt")
