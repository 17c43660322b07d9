"""`python -m cnnlab`: what it writes, that it goes on where it was stopped, and one line where something is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from cnnlab import models
from cnnlab.__main__ import main
from cnnlab.measure import LossSurface

DIGITS = ["--data", "street_digits", "--train", "64", "--test", "32"]
TRAIN = f"train resnet20_tiny --option depths=1,1,1 --epochs 2 --batch-size 16 {' '.join(DIGITS)}".split()


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("out") / "mine.safetensors"
    assert main([*TRAIN, "--flip", "--shift", "2", "--out", str(out)]) == 0
    return out


def test_train_writes_weights_that_know_where_they_come_from(trained):
    about, weights = models.weight_file(trained)
    assert about["model"] == "resnet20_tiny" and about["options"]["num_classes"] == 10
    assert about["command"].startswith("python -m cnnlab train resnet20_tiny --option depths=1,1,1")
    assert len(about["history"]) == 2
    model = models.get_model("resnet20_tiny", weights=trained)
    assert all(torch.equal(value, weights[key]) for key, value in model.state_dict().items())
    assert not trained.with_suffix(".checkpoint").exists()


def test_evaluate_measures_them_again(trained, capsys):
    assert main(["evaluate", str(trained), *DIGITS]) == 0
    accuracy = models.weight_file(trained)[0]["history"][-1]["test_accuracy"]
    assert f"{accuracy:.2%}" in capsys.readouterr().out


def test_nothing_is_overwritten(trained, capsys):
    before = trained.read_bytes()
    assert main([*TRAIN, "--out", str(trained)]) == 2
    assert "is there already" in capsys.readouterr().err and trained.read_bytes() == before


def test_a_stopped_training_goes_on(tmp_path, monkeypatch, capsys):
    out = tmp_path / "mine.safetensors"
    whole = tmp_path / "whole.safetensors"
    assert main([*TRAIN, "--out", str(whole)]) == 0
    monkeypatch.setattr("cnnlab.__main__._epoch_line", lambda run: (_ for _ in ()).throw(KeyboardInterrupt))
    assert main([*TRAIN, "--out", str(out)]) == 0
    assert "Stopped after 1 of 2 epochs" in capsys.readouterr().out and not out.exists()
    monkeypatch.undo()
    assert main([*TRAIN, "--out", str(out)]) == 0
    ours, theirs = (models.weight_file(path)[1] for path in (out, whole))
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())


def test_surface_measures_goes_on_and_draws(trained, tmp_path, capsys):
    out, picture = tmp_path / "surface.safetensors", tmp_path / "surface.png"
    words = ["surface", str(trained), *DIGITS, "--points", "3", "--images", "20", "--out", str(out)]
    assert main([*words, "--picture", str(picture)]) == 0
    assert LossSurface.load(out).complete and Image.open(picture).width > 300
    assert main([*words, "--seed", "1"]) == 2
    assert "error: " in capsys.readouterr().err


def test_models_lists_by_a_part_of_the_name(capsys):
    assert main(["models", "lenet5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [["lenet5_1998", "60,000"], ["lenet5", "61,706"]]


def test_an_image_folder_is_streamed(tmp_path):
    for part in ("train", "val"):
        for name, colour in (("blue", (0, 0, 200)), ("red", (200, 0, 0))):
            (tmp_path / part / name).mkdir(parents=True)
            for i in range(6):
                Image.new("RGB", (40 + i, 50 - i), colour).save(tmp_path / part / name / f"{i}.png")
    out = tmp_path / "w.safetensors"
    words = ["train", "resnet20_tiny", "--data", str(tmp_path), "--size", "24", "--epochs", "8", "--workers", "1"]
    assert main([*words, "--batch-size", "4", "--lr", "0.02", "--out", str(out)]) == 0
    assert models.weight_file(out)[0]["history"][-1]["test_accuracy"] == 1
    assert models.get_model("resnet20_tiny", weights=out).head[-1].out_features == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "resnet21", *DIGITS, "--out", "{}/a.safetensors"], "no model named 'resnet21'"),
        (["train", "resnet20_tiny", *DIGITS, "--out", "{}/a.pt"], "must end in .safetensors"),
        (["train", "resnet20_tiny", "--option", "widht=3", *DIGITS, "--out", "{}/a.safetensors"], "no option widht"),
        (["train", "resnet20_tiny", "--data", "streets", "--out", "{}/a.safetensors"], "no data set is called"),
        (["train", "resnet20_tiny", *DIGITS, "--lr", "1e9", "--out", "{}/a.safetensors"], "The loss became"),
        (["train", "resnet20_tiny", *DIGITS, "--size", "24", "--out", "{}/a.safetensors"], "streams a whole folder"),
        (["evaluate", "{}/none.safetensors", *DIGITS], "There is no file"),
        (["surface", "{}/none.safetensors", *DIGITS, "--out", "{}/s.safetensors"], "There is no file"),
        (["models", "zzz"], "No network has 'zzz' in its name"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(words, said, tmp_path, capsys):
    assert main([word.format(tmp_path) for word in words]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and said in lines[0]
    assert not [file for file in tmp_path.iterdir() if file.suffix in (".pt", ".safetensors")]


@pytest.mark.slow  # two processes
def test_it_runs_as_a_module_and_under_torchrun(tmp_path):
    """Two processes write one file, of which each printed line appears once."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    out = tmp_path / "w.safetensors"
    done = subprocess.run([*torchrun, "-m", "cnnlab", *TRAIN, "--out", str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch 1, ") == 1 and done.stdout.count("test accuracy") >= 1
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]
    done = subprocess.run([sys.executable, "-m", "cnnlab", "models", "resnet20"], capture_output=True, text=True)
    assert done.returncode == 0 and "resnet20_tiny" in done.stdout


def test_a_folder_of_ones_own_from_trained_weights(trained, tmp_path, capsys):
    """New classes, the first stages as they were; and the file goes on being usable."""
    folder, out = tmp_path / "mine", tmp_path / "tuned.safetensors"
    for part in ("train", "val"):
        for shade, name in ((40, "dark"), (220, "light")):
            (folder / part / name).mkdir(parents=True)
            for index in range(4):
                Image.new("RGB", (32, 32), (shade + index, shade, shade)).save(folder / part / name / f"{index}.png")
    command = ["train", "resnet20_tiny", "--weights", str(trained), "--data", str(folder), "--freeze", "1"]
    assert main([*command, "--backbone", "0.1", "--epochs", "2", "--batch-size", "4", "--out", str(out)]) == 0
    about, weights = models.weight_file(out)
    assert about["classes"] == ["dark", "light"] and about["options"]["depths"] == [1, 1, 1]
    before = models.weight_file(trained)[1]
    kept = [key for key in weights if key.startswith(("stem", "stages.0"))]
    assert kept and all(torch.equal(weights[key], before[key]) for key in kept)
    assert not torch.equal(weights["stages.2.0.residual.conv1.weight"], before["stages.2.0.residual.conv1.weight"])
    assert main(["evaluate", str(out), "--data", str(folder)]) == 0
    assert "top-5" in capsys.readouterr().out


def test_weights_of_imagenet_bring_their_normalisation(tmp_path, capsys):
    out = tmp_path / "faces.safetensors"
    command = "train efficientnet_lite0 --weights imagenet --data faces --train 8 --test 8 --freeze all --epochs 1"
    assert main([*command.split(), "--batch-size", "4", "--out", str(out)]) == 0
    about, weights = models.weight_file(out)
    assert about["input"] == {"size": 32, "mean": [0.5] * 3, "std": [0.5] * 3} and about["classes"] == [
        "no face",
        "face",
    ]
    theirs = models.get_model("efficientnet_lite0", weights="imagenet")
    assert torch.equal(weights["stages.6.0.residual.project.norm.running_mean"],
                       theirs.stages[6][0].residual.project.norm.running_mean)  # fmt: skip
    assert main(["evaluate", str(out), "--data", "faces", "--train", "8", "--test", "8"]) == 0
    measured = about["history"][-1]["test_accuracy"]
    assert f"{measured:.2%}" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [("--freeze 2", "say with --weights"), ("--backbone 0.1", "say with --weights"), ("--weights digits", "ends in")],
)
def test_what_spares_weights_needs_some(words, said, tmp_path, capsys):
    assert main([*TRAIN, *words.split(), "--out", str(tmp_path / "x.safetensors")]) == 2
    assert said in capsys.readouterr().err


def test_a_streamed_image_is_normalised_as_the_weights_want_it():
    from cnnlab.training import pipelines

    image = (torch.rand(40, 50, 3, generator=torch.Generator().manual_seed(0)) * 255).to(torch.uint8).numpy()
    plain = pipelines.torchvision_test(24, 28)
    changed = pipelines.Renormalised(plain, (0.5,) * 3, (0.5,) * 3)
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (pipelines.MEAN, pipelines.STD))
    torch.testing.assert_close(changed(image), (plain(image) * std + mean - 0.5) / 0.5)
