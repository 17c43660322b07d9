"""Trained weights, the course's own and yours: whole or not at all, with the options they were trained with."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel

from cnnlab import course
from cnnlab.models import get_model, pretrained, save_weights, weight_file

RESNET = {"shortcut": "A", "num_classes": 10}


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path)
    weights = {key: value.half() for key, value in get_model("resnet20_tiny", **RESNET).state_dict().items()}
    save_file(weights, tmp_path / "resnet20_tiny-cifar10.safetensors", metadata={"options": json.dumps(RESNET)})
    return tmp_path / "resnet20_tiny-cifar10.safetensors"


def test_comes_with_the_options_it_was_trained_with(shipped: Path) -> None:
    first, second = (get_model("resnet20_tiny", weights="cifar10") for _ in range(2))
    assert not any("shortcut" in name for name, _ in first.named_parameters())
    assert all(torch.equal(p, q) for p, q in zip(first.parameters(), second.parameters(), strict=True))
    assert {value.dtype for value in first.parameters()} == {torch.float32}
    assert not torch.equal(first.stem.conv.weight, get_model("resnet20_tiny", **RESNET).stem.conv.weight)


def test_other_options_are_refused(shipped: Path) -> None:
    with pytest.raises(ValueError, match=r"is of a resnet20_tiny with .*'shortcut': 'A'"):
        get_model("resnet20_tiny", weights="cifar10", shortcut="B")


def test_what_is_not_there_says_what_is(shipped: Path) -> None:
    with pytest.raises(ValueError, match=r"no weights 'svhn' of resnet20_tiny: .*\(resnet20_tiny-cifar10\)"):
        get_model("resnet20_tiny", weights="svhn")


@pytest.mark.parametrize("kept", [0, 5, 500, 100_000])
def test_a_damaged_file_is_refused(shipped: Path, kept: int) -> None:
    shipped.write_bytes(shipped.read_bytes()[:kept])
    with pytest.raises(ValueError, match="is damaged"):
        get_model("resnet20_tiny", weights="cifar10")


def test_a_file_without_options_is_refused(shipped: Path) -> None:
    save_file({"a": torch.zeros(1)}, shipped)
    with pytest.raises(ValueError, match=r"missing: stem\.conv\.weight"):
        get_model("resnet20_tiny", weights="cifar10")
    with pytest.raises(ValueError, match="has no cnnlab metadata, so it does not say which network"):
        weight_file(shipped)


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"num_classes": 3}, "training.replace_head(model, 3)"), ({"in_channels": 1}, "dataset.in_rgb()")],
)
def test_another_task_says_the_way(asked: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=r"Load them without") as error:
        get_model("resnet20", weights="cifar10", **asked)
    assert said in str(error.value)


def test_your_own_weights_by_their_path(tmp_path: Path) -> None:
    model = get_model("resnet20_tiny", depths=(1, 1, 1), num_classes=3)
    path = tmp_path / "new folder" / "mine.safetensors"
    save_weights(model, path, name="resnet20_tiny", options={"depths": (1, 1, 1), "num_classes": 3}, accuracy=0.5)
    again = get_model("resnet20_tiny", weights=path)
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in model.state_dict().items())
    assert weight_file(path)[0]["accuracy"] == 0.5
    with pytest.raises(ValueError, match="holds the weights of resnet20_tiny, not of resnet20"):
        get_model("resnet20", weights=path)
    with pytest.raises(ValueError, match="There is no file"):
        get_model("resnet20_tiny", weights=tmp_path / "another.safetensors")


@pytest.mark.parametrize("options", [{"depths": "no"}, {"unknown": 1}, {"width": -1}, [1]])
def test_options_out_of_a_file_are_checked_like_any(tmp_path: Path, options: object) -> None:
    path = tmp_path / "odd.safetensors"
    metadata = {"model": '"resnet20_tiny"', "options": json.dumps(options)}
    save_file({"a": torch.zeros(1)}, path, metadata=metadata)
    with pytest.raises(ValueError, match=r"must be|has no option|is damaged"):
        get_model("resnet20_tiny", weights=path)


def test_weights_that_cannot_be_written_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OSError, match="could not be written"):
        save_weights(get_model("lenet5"), tmp_path / "file" / "w.safetensors", name="lenet5", options={})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("path", sorted(pretrained.FOLDER.glob("*-cifar10.safetensors")), ids=lambda path: path.stem)
def test_networks_from_photographs_load_by_name_and_have_a_record(path):
    """Their accuracy takes CIFAR-10 to measure: `python -m cnnlab evaluate`, with `--hold-out 5000`."""
    name = path.stem.removesuffix("-cifar10")
    model = get_model(name, weights="cifar10")
    said = course.record(path.stem)
    assert sum(p.numel() for p in model.parameters()) == said.results["parameters"]
    assert said.command == f"python -m cnnlab record loss_surfaces {path.stem}" and said.results["seed"] == 0
    about, _ = weight_file(path)
    assert (about["model"], about["command"], about["seed"]) == (name, said.command, 0)
    assert said.results["held_out"]["accuracy"] == pytest.approx(said.results["history"][-1]["test_accuracy"], abs=5e-3)
    assert path.stat().st_size < 4 * 2**20
    with torch.inference_mode():
        answers = model(torch.randn(64, 3, 32, 32)).softmax(1)
    assert answers.isfinite().all() and answers.std(0).min() > 1e-3  # it does not answer the same to everything


@pytest.mark.parametrize("path", sorted(pretrained.FOLDER.glob("*.safetensors")), ids=lambda path: path.stem)
def test_shipped_weights_say_how_their_images_were_prepared(path):
    about, _ = weight_file(path)
    assert len(about["classes"]) == about["options"]["num_classes"]
    assert about["input"] == [3, 32, 32] and len(about["mean"]) == len(about["std"]) == 3


@pytest.mark.parametrize(("dtype", "said"), [(torch.float16, "half precision ends at 65,504"), (torch.float32, "")])
def test_infinite_numbers_are_not_written(tmp_path: Path, dtype: torch.dtype, said: str) -> None:
    """A variance of 100,000 is a number in single precision and infinite in half: it would be another network."""
    model = get_model("resnet20_tiny")
    model.stem.norm.running_var.fill_(1e5 if dtype == torch.float16 else float("inf"))
    with pytest.raises(ValueError, match=rf"stem.norm.running_var has values that are infinite.*{said}.*not written"):
        save_weights(model.to(dtype), tmp_path / "file.safetensors", name="resnet20_tiny", options={})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrap", [pytest.param(torch.compile, marks=pytest.mark.slow), nn.DataParallel, AveragedModel])
def test_what_is_wrapped_around_a_network_is_not_written(
    tmp_path: Path, wrap: Callable[[nn.Module], nn.Module]
) -> None:
    model = get_model("lenet5")
    save_weights(wrap(model), tmp_path / "w.safetensors", name="lenet5", options={})
    again = get_model("lenet5", weights=tmp_path / "w.safetensors")
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in model.state_dict().items())


def test_tied_weights_and_numbers_of_numpy_can_be_written(tmp_path: Path) -> None:
    tied = nn.Sequential(*[nn.Linear(3, 3, bias=False)] * 2)
    about = {"accuracy": torch.tensor(0.5), "classes": np.arange(2), "best": np.int64(7)}
    save_weights(tied, tmp_path / "w.safetensors", name="mine", options={"num_classes": np.int64(3)}, **about)
    said, weights = weight_file(tmp_path / "w.safetensors")
    assert torch.equal(weights["0.weight"], tied[1].weight) and torch.equal(weights["1.weight"], tied[1].weight)
    assert said["options"] == {"num_classes": 3} and (said["accuracy"], said["classes"]) == (0.5, [0, 1])
    with pytest.raises(TypeError, match="numbers, texts, lists and dictionaries of itself, not Linear"):
        save_weights(tied, tmp_path / "w.safetensors", name="mine", options={}, layer=tied[0])


def test_a_path_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    save_weights(get_model("lenet5"), "~/w.safetensors", name="lenet5", options={})
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]
    assert weight_file("~/w.safetensors")[0]["model"] == "lenet5"
    get_model("lenet5", weights="~/w.safetensors")
