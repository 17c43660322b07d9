"""`python -m cnnlab`: what it writes, that it goes on where it was stopped, and one line where something is wrong."""

import io
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from shutil import copyfile

import pytest
import torch
from PIL import Image

from cnnlab import models
from cnnlab.__main__ import _parser, main
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
    monkeypatch.setattr("cnnlab.commands._epoch_line", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert main([*TRAIN, "--out", str(out)]) == 130
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


@pytest.mark.slow  # trains
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
        (
            ["train", "resnet20_tiny", *DIGITS, "--weights", "{}/no.pth", "--out", "{}/a.safetensors"],
            "There is no file",
        ),
        (
            ["train", "resnet20_tiny", "--data", "photos", "--best", "--test", "0", "--out", "{}/a.safetensors"],
            "--best",
        ),
        (["evaluate", "{}", *DIGITS], "There is no file"),
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


@pytest.mark.parametrize(
    "words",
    [
        ["--epochs", "0"],
        ["--batch-size", "-1"],
        ["--lr", "0"],
        ["--lr", "nan"],
        ["--train", "1.5"],
        ["--hold-out", "120%"],
        ["--hold-out", "0%"],
        ["--hold-out", "half"],
        ["--option", "weights=cifar10"],
    ],
)
def test_counts_and_sizes_are_checked_before_anything_is_loaded(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["train", "resnet20_tiny", "--data", "street_digits", "--out", "a.safetensors", *words])
    assert stopped.value.code == 2 and words[1].partition("=")[0] in capsys.readouterr().err


def test_only_a_flag_shows_the_traceback(monkeypatch, capsys):
    monkeypatch.setattr("cnnlab.models.list_models", lambda: 1 / 0)
    assert main(["models"]) == 2
    assert capsys.readouterr().err == "error: ZeroDivisionError: division by zero (--traceback shows where)\n"
    with pytest.raises(ZeroDivisionError):
        main(["--traceback", "models"])
    monkeypatch.setattr("cnnlab.models.list_models", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    assert main(["models"]) == 130


def test_the_console_script_is_this_command():
    import tomllib

    scripts = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "scripts"
    ]
    assert scripts == {"cnnlab": "cnnlab.__main__:main"}


def test_each_command_has_an_example_that_it_takes(capsys):
    import shlex

    from cnnlab.__main__ import _parser

    names = ("models", "train", "evaluate", "predict", "export", "surface", "record", "lab")
    for name in names:
        with pytest.raises(SystemExit):
            main([name, "--help"])
        example = " ".join(capsys.readouterr().out.split()).partition("Example: ")[2].partition(". Further")[0]
        words = shlex.split(example)[shlex.split(example).index(name) :]
        given, further = _parser().parse_known_args(words)
        assert given.run and not [word for word in further if name != "lab"]


def test_the_data_set_stands_first_and_a_folder_of_its_name_is_pointed_out(trained, tmp_path, monkeypatch, capsys):
    (tmp_path / "street_digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", str(trained), *DIGITS]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("street_digits: 64 training and 32 test images, 3x32x32, 10 classes: 0, 1, 2")
    assert "--data ./street_digits" in err


def test_images_are_prepared_as_in_training_without_being_asked(trained, capsys):
    """With other --train the mean and deviation of the images would be others, and so would the result."""
    lines = []
    for train in ("64", "8"):
        assert main(["evaluate", str(trained), "--data", "street_digits", "--train", train, "--test", "32"]) == 0
        lines.append([line.split() for line in capsys.readouterr().out.splitlines() if line.split()[:1] == ["32"]])
    assert lines[0] == lines[1] != []
    about, _ = models.weight_file(trained)
    assert about["classes"] == list("0123456789") and len(about["mean"]) == 3 and about["input"] == [3, 32, 32]


def folder_of(root: Path, *parts: str, names=("blue", "red"), images: int = 6, side: int = 40) -> Path:
    for part in parts:
        for label, name in enumerate(names):
            (root / part / name).mkdir(parents=True)
            for i in range(images):
                colour = (200, 0, i) if label else (0, i, 200)
                Image.new("RGB", (side + i, side), colour).save(root / part / name / f"{i}.png")
    return root


@pytest.fixture(scope="module")
def of_folder(tmp_path_factory) -> tuple[Path, Path]:
    """A folder of classes alone, pictures of several sizes, and what was trained on it, by every option of `train`."""
    place = tmp_path_factory.mktemp("place")
    folder, out = folder_of(place / "flat", ""), place / "w.safetensors"
    words = ["--size", "24", "--hold-out", "25%", "--workers", "0", "--epochs", "8", "--batch-size", "4", "--best"]
    words += ["--lr", "0.02", "--csv", str(place / "w.csv"), "--picture", str(place / "w.png")]
    assert main(["train", "resnet20_tiny", "--data", str(folder), *words, "--out", str(out)]) == 0
    return folder, out


def test_a_flat_folder_holds_out_a_share_and_the_best_epoch_is_kept(of_folder):
    _, out = of_folder
    about, _ = models.weight_file(out)
    assert (
        "9 training and 3 test images" in about["data"] and about["size"] == 24 and about["classes"] == ["blue", "red"]
    )
    accuracies = [epoch["test_accuracy"] for epoch in about["history"]]
    assert accuracies[about["epoch"] - 1] == max(accuracies) == 1
    lines = out.with_suffix(".csv").read_text(encoding="utf-8").splitlines()
    assert (
        len(lines) == 9 and lines[0].startswith("epoch,train_loss") and Image.open(out.with_suffix(".png")).width > 300
    )
    assert sorted(path.name for path in out.parent.iterdir()) == ["flat", "w.csv", "w.png", "w.safetensors"]


def test_predict_says_what_is_on_pictures(of_folder, tmp_path, capsys):
    folder, out = of_folder
    Image.new("RGB", (300, 200), (210, 5, 5)).save(tmp_path / "a.jpg")
    words = ["predict", str(out), str(tmp_path / "a.jpg"), str(folder / "blue"), "--picture", str(tmp_path / "p.png")]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "red " in lines[1].split("a.jpg")[1].split("%")[0] and len(lines) == 8
    assert all("blue " in line.split("%")[0] for line in lines[2:]) and Image.open(tmp_path / "p.png").width > 300
    assert main(["predict", str(out), str(tmp_path / "none.jpg")]) == 2
    assert "none.jpg' cannot be read as an image" in capsys.readouterr().err


def test_evaluate_knows_the_size_draws_and_refuses_other_classes_by_name(of_folder, tmp_path, capsys):
    folder, out = of_folder
    evaluated = ["evaluate", str(out), "--workers", "0", "--picture", str(tmp_path / "c.png")]
    assert main([*evaluated, "--data", str(folder), "--hold-out", "4"]) == 0
    said = capsys.readouterr().out
    assert "3x24x24" in said and "top-5" not in said and "nan" not in said and "100.00%" in said
    assert [line.split()[:3] for line in said.splitlines()[-2:]] == [["blue", "2", "100.0%"], ["red", "2", "100.0%"]]
    assert Image.open(tmp_path / "c.png").width > 200
    others = folder_of(tmp_path / "others", "train", "val", names=("cat", "red"))
    assert main([*evaluated, "--data", str(others)]) == 2
    assert "tells 2 classes apart and others has 2; these differ: blue, cat." in capsys.readouterr().err
    assert main([*evaluated[:2], "--data", "handwritten"]) == 2
    assert "these differ: 0, 1, 2, 3, 4, 5, ..." in capsys.readouterr().err


def test_a_surface_of_a_folder_with_mixed_sizes_and_one_of_another_resolution(of_folder, tmp_path, capsys):
    folder, out = of_folder
    words = ["surface", str(out), "--data", str(folder), "--hold-out", "2", "--workers", "0", "--images", "4"]
    words += ["--out", str(tmp_path / "s.safetensors"), "--points"]
    assert main([*words, "3", "--picture", str(tmp_path / "s.png")]) == 0
    assert main([*words, "5"]) == 2
    assert "with 3 x 3 points and not 5 x 5" in capsys.readouterr().err


def test_training_goes_on_from_weights_with_a_new_last_layer(of_folder, trained, tmp_path, monkeypatch, capsys):
    _, out = of_folder
    again = tmp_path / "again.safetensors"
    words = ["train", "resnet20_tiny", "--data", "street_digits", "--train", "32", "--test", "0", "--epochs", "1"]
    assert main([*words, "--weights", str(trained), "--lr", "0.0001", "--out", str(again)]) == 0
    assert "not tested" in capsys.readouterr().out
    first, second = (models.weight_file(path) for path in (trained, again))
    assert second[0]["options"]["depths"] == [1, 1, 1] and second[0]["mean"] == first[0]["mean"]
    assert (first[1]["head.fc.weight"] - second[1]["head.fc.weight"]).abs().max() < 0.01  # the same ten classes
    assert main([*words, "--weights", str(out), "--overwrite", "--out", str(again)]) == 0
    about, weights = models.weight_file(again)
    assert len(weights["head.fc.weight"]) == 10 and about["mean"] == models.weight_file(out)[0]["mean"]
    models.get_model("resnet20_tiny", weights=again)


def test_stages_are_frozen_and_the_others_are_slower(trained, tmp_path):
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


def test_weights_of_imagenet_bring_their_normalisation(tmp_path, capsys):
    out = tmp_path / "faces.safetensors"
    command = "train efficientnet_lite0 --weights imagenet --data faces --train 8 --test 8 --freeze all --epochs 1"
    assert main([*command.split(), "--batch-size", "4", "--out", str(out)]) == 0
    about, weights = models.weight_file(out)
    assert about["input"] == [3, 32, 32] and about["mean"] == about["std"] == [0.5] * 3
    assert about["classes"] == ["no face", "face"]
    theirs = models.get_model("efficientnet_lite0", weights="imagenet")
    name = "stages.6.0.residual.project.norm.running_mean"
    assert torch.equal(weights[name], theirs.state_dict()[name])
    assert main(["evaluate", str(out), "--data", "faces", "--train", "8", "--test", "8"]) == 0
    assert f"{about['history'][-1]['test_accuracy']:.2%}" in capsys.readouterr().out


@pytest.mark.parametrize("words", ["--freeze 2", "--backbone 0.1", "--freeze all"])
def test_what_spares_weights_needs_some(words, tmp_path, capsys):
    assert main([*TRAIN, *words.split(), "--out", str(tmp_path / "x.safetensors")]) == 2
    assert "say with --weights" in capsys.readouterr().err


def test_a_streamed_image_is_normalised_as_the_weights_want_it():
    from cnnlab.training import pipelines

    image = (torch.rand(40, 50, 3, generator=torch.Generator().manual_seed(0)) * 255).to(torch.uint8).numpy()
    plain = pipelines.torchvision_test(24, 28)
    changed = pipelines.Renormalised(plain, (0.5,) * 3, (0.5,) * 3)
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (pipelines.MEAN, pipelines.STD))
    torch.testing.assert_close(changed(image), (plain(image) * std + mean - 0.5) / 0.5)


def test_onnx_needs_its_packages(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["export", str(trained), str(tmp_path / "a.onnx")]) == 2
    assert "pip install onnx onnxscript" in capsys.readouterr().err


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


README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_readmes_commands_are_words_that_it_takes():
    lines = re.findall(r"^(?:torchrun .* -m |python -m )?cnnlab ([a-z][^#\n]*)", README, re.M)
    assert len(lines) >= 8
    for line in lines:
        given, further = _parser().parse_known_args(shlex.split(line))
        assert given.run and not further, line


@pytest.mark.slow  # it trains a large network
def test_the_readmes_commands_for_ones_own_photographs_run_as_printed_from_an_empty_folder(tmp_path):
    block = README.partition("## Your own photographs")[2].partition("```sh\n")[2].partition("```")[0]
    lines = block.strip().splitlines()
    assert [line.split()[3] for line in lines] == ["train", "evaluate", "predict"]
    generator = torch.Generator().manual_seed(0)
    for kind, colour in (("apples", (200, 30, 30)), ("leaves", (30, 160, 40)), ("sky", (60, 110, 230))):
        (tmp_path / "my-photographs" / kind).mkdir(parents=True)
        for number in range(10):  # of any size
            noise = torch.randint(0, 56, (90 + 7 * number, 120 + 5 * number, 3), generator=generator)
            picture = Image.fromarray((torch.tensor(colour) + noise).clamp(max=255).to(torch.uint8).numpy())
            picture.save(tmp_path / "my-photographs" / kind / f"{number}.jpg")
    picture.save(tmp_path / "new-one.jpg")
    for line in lines:
        words = [sys.executable, *shlex.split(line)[1:]]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert "sky" in done.stdout.partition("%")[0]
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"my-photographs", "new-one.jpg", "mine.safetensors", "mistakes.png"}


STAND_IN = """
import os
import numpy as np
import torchvision.datasets

class CIFAR10:
    '''As many images as the environment says, in the place of a download.'''

    classes = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]

    def __init__(self, root, train=True, download=False, **_):
        count = int(os.environ["IMAGES"]) if train else 40
        self.targets = [i % 10 for i in range(count)]
        self.data = np.random.default_rng(train).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)

torchvision.datasets.CIFAR10 = CIFAR10
"""


@pytest.fixture
def photographs_of_cifar(tmp_path, monkeypatch):
    """For processes: what runs with it finds so many images, and nothing on its paths; an empty folder to start in."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(STAND_IN, encoding="utf-8")
    root = Path(__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), str(root)]))
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "downloads"))

    def images(count: int) -> Path:
        monkeypatch.setenv("IMAGES", str(count))
        (tmp_path / "empty").mkdir()
        return tmp_path / "empty"

    return images


@pytest.mark.slow  # processes
def test_the_readmes_commands_on_cifar10_run_as_printed_from_an_empty_folder(photographs_of_cifar):
    """But that the training is stopped after its first epoch, and weights of the course stand for what it would be."""
    folder = photographs_of_cifar(5_060)
    block = README.partition("What outgrows a notebook")[2].partition("```sh\n")[2].partition("```")[0]
    lines = [line for line in block.strip().splitlines() if line.startswith("cnnlab")]
    assert [line.split()[1] for line in lines] == ["train", "evaluate", "predict"]
    train, *further = [[sys.executable, "-m", *shlex.split(line)] for line in lines]
    with subprocess.Popen(train, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as training:
        said = iter(training.stdout)
        while "epoch 1, " not in next(said):
            pass
        training.send_signal(signal.SIGINT)
        assert "Stopped after" in "".join(said)
    assert training.returncode == 130 and (folder / "resnet20.checkpoint").exists()
    copyfile(Path(__file__).parents[1] / "data/weights/resnet20-cifar10.safetensors", folder / "resnet20.safetensors")
    Image.new("RGB", (64, 48), (90, 120, 150)).save(folder / "cat.jpg")
    for words in further:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert (folder / "confusion.png").exists() and any(name in done.stdout for name in ("airplane", "ship", "cat"))


@pytest.mark.slow  # a process that trains for thirty epochs
def test_the_readmes_training_on_cifar10_runs_as_printed(photographs_of_cifar):
    folder = photographs_of_cifar(100)
    block = README.partition("## On a GPU, on CIFAR-10")[2].partition("```python\n")[2].partition("```")[0]
    done = subprocess.run([sys.executable, "-c", f"{block}\nprint(run)"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^\s*\d+ ", done.stdout, re.M)) == 30


def test_a_console_that_does_not_know_a_sign_shows_another(tmp_path, monkeypatch):
    """On Windows a file that output goes to has the encoding of the country; a class may have any name."""
    for name in ("Käse", "茶"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for number in range(4):
            Image.new("RGB", (32, 32), (60 * number, 0, 0)).save(tmp_path / "mine" / name / f"{number}.png")
    words = ["train", "lenet5", "--data", str(tmp_path / "mine"), "--hold-out", "2", "--size", "32", "--workers", "0"]
    console = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", write_through=True)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", console)
        assert main([*words, "--epochs", "1", "--out", str(tmp_path / "w.safetensors")]) == 0
    assert "Käse, ?" in console.buffer.getvalue().decode("cp1252")
    assert models.weight_file(tmp_path / "w.safetensors")[0]["classes"] == ["Käse", "茶"]


@pytest.mark.slow  # a process
@pytest.mark.skipif(sys.platform == "win32", reason="no pipes of this kind")
def test_what_reads_only_the_first_line_is_no_error():
    """As in `cnnlab models | head -n 1`, once head has gone: here nobody reads from the beginning."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-u", "-m", "cnnlab", "models"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--picture", "{}/c.pdf"], "must end in .png"),
        (["--csv", "{}/file/h.csv"], "file"),
        (["--picture", "{}/locked/c.png"], "Nothing can be written to"),
    ],
)
def test_what_cannot_be_written_is_found_before_the_training(words, said, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "locked").mkdir()
    usual = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: "locked" not in str(path) and usual(path, mode))
    monkeypatch.setattr("cnnlab.training.fit", lambda *_, **__: pytest.fail("it trained"))
    out = ["--out", str(tmp_path / "new folder" / "a.safetensors")]
    assert main([*TRAIN, *out, *(word.format(tmp_path) for word in words)]) == 2
    assert said in capsys.readouterr().err


def test_paths_after_a_sign_may_begin_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("USERPROFILE", "/home/me")
    given = _parser().parse_args(["train", "lenet5", "--data=~/photos", "--out=~/a.safetensors", "--weights=imagenet"])
    assert (given.data, given.out, given.weights) == ("/home/me/photos", "/home/me/a.safetensors", "imagenet")
