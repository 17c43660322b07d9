"""What makes the records: every file is of a command that exists, and a stopped measurement goes on as if it were one.

The records themselves take hours. Here their functions run on what is whole, where they must train nothing, and on a
few images, where they are stopped in the middle.
"""

import inspect
import json
import os
import re
import signal
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from cnnlab import data, files, lessons, measure, models, training
from cnnlab.__main__ import main
from cnnlab.lessons import records
from cnnlab.lessons.records import Draft

RECIPES = {(topic, name): make for topic in lessons.TOPICS.values() for name, make in lessons.recipes(topic).items()}
COMMANDS = {f"python -m cnnlab record {topic} {name}": name for topic, name in RECIPES}
# What no processor trains in a night: made by a benchmark, on a GPU.
ON_A_GPU = {
    f"python benchmarks/gpu.py pair --epochs {length} --arms {name}": f"{name}-{length}-epochs"
    for name, length in (("plain56", 132), ("resnet56", 132), ("plain56", 300))
}
# Recipes whose hours have not been spent yet: no lesson reads them.
LATER: set[str] = set()
MADE = [(topic, name) for topic, name in RECIPES if name not in LATER]
SURFACES = sorted((files.DATA / "surfaces").iterdir())


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Records are written into an empty folder."""
    for room in ("RECORDS", "SURFACES", "WEIGHTS"):
        monkeypatch.setattr(records, room, tmp_path / room.lower())
    return tmp_path


@pytest.fixture
def no_training(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a whole record was measured again")

    for module in (training, data, measure):
        for name in ("fit", "speed_run", "load", "loss_surface", "transfer_study"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, refuse)


def test_every_record_and_surface_names_the_command_that_makes_it():
    written = [
        json.loads(path.read_text(encoding="utf-8"))["command"] for path in sorted(records.RECORDS.glob("*.json"))
    ]
    written += [measure.LossSurface.load(path).provenance["command"] for path in SURFACES]
    assert sorted(written) == sorted([*ON_A_GPU, *(command for command, name in COMMANDS.items() if name not in LATER)])
    assert all(records.record(name).command == command for command, name in ON_A_GPU.items())
    for _, name in MADE:
        assert records.file_of(name).exists(), name
    for name in LATER:
        assert not records.file_of(name).exists(), f"{name} has been made: take it out of LATER"


def test_no_lesson_reads_what_has_not_been_measured():
    for lesson in files.NOTEBOOKS.glob("*.ipynb"):
        assert not LATER & set(re.findall(r"[\w-]+", lesson.read_text(encoding="utf-8"))), lesson.name


@pytest.mark.parametrize(("topic", "name"), MADE, ids=[name for _, name in MADE])
def test_of_a_whole_record_nothing_is_measured_again(topic, name, no_training, monkeypatch):
    before = records.file_of(name).read_bytes()
    monkeypatch.setattr(records, "save_record", lambda *_: pytest.fail("it was written again"))
    assert records.make(topic, name) == records.file_of(name)
    assert records.file_of(name).read_bytes() == before


def smaller(monkeypatch, module, **constants):
    for name, value in constants.items():
        monkeypatch.setattr(module, name, value)
    for cached in (value for value in vars(module).values() if hasattr(value, "cache_clear")):
        if inspect.unwrap(cached).__module__ == module.__name__:
            cached.cache_clear()
    return module


def small_degradation(monkeypatch):
    module = lessons.import_module("cnnlab.lessons.resnet.record")
    return smaller(monkeypatch, module, SEEDS=(0, 1), DEPTHS=(20,), IMAGES=64, TEST=20, EPOCHS=1).degradation


def small_vgg(monkeypatch):
    module = lessons.import_module("cnnlab.lessons.vgg.record")
    fit = training.fit
    monkeypatch.setattr(training, "fit", lambda *a, epochs, **k: fit(*a, epochs=1, **k))
    return smaller(monkeypatch, module, SEEDS=(0,), IMAGES=32, TEST=20).vgg_depth


def small_search(monkeypatch):
    module = lessons.import_module("cnnlab.lessons.nasnet.record")
    settings = {"SEEDS": (0,), "TRIALS": 8, "TRAININGS": (0,), "proxy_data": lambda: None}

    def train_proxy(normal, reduction, dataset, seed):
        return training.fit(module.number(normal), module.number(reduction))

    monkeypatch.setattr(training, "fit", lambda row, column: (37 * row + 11 * column) % 100 / 100)
    return smaller(monkeypatch, module, train_proxy=train_proxy, **settings).cell_search


def small_two_block_search(monkeypatch):
    module = lessons.import_module("cnnlab.lessons.nasnet.record")
    settings = {"SEARCHES": (0, 1), "TRIALS": 10, "CHECKED": 1, "one_block": lambda: ["01010211"]}

    def trained(name, seed):
        return training.fit(name, seed), 1.0

    monkeypatch.setattr(training, "fit", lambda name, seed: (int(name, 3) + 7 * seed) % 100 / 100)
    monkeypatch.setattr(measure, "cost", lambda *_: SimpleNamespace(macs=1))
    return smaller(monkeypatch, module, rewarded=trained, tested=trained, **settings).two_block_search


def small_twins(monkeypatch):
    module = lessons.import_module("cnnlab.lessons.loss_surfaces.record")
    digits, at = data.load("street_digits", train=20, test=10), torch.linspace(-1, 1, 3)
    monkeypatch.setattr(data, "load", lambda *_, **__: digits)
    flat = measure.LossSurface(at, at, torch.ones(3, 3), torch.ones(3, 3))
    monkeypatch.setattr(measure, "loss_surface", lambda *_, **__: flat)
    cases = [(name, 0.1, decay) for name in ("plain20_tiny", "resnet20_tiny") for decay in (5e-4, 2e-3)]
    return smaller(monkeypatch, module, SMALL=cases, SMALL_FIT=module.SMALL_FIT | {"epochs": 1}).small_pair


def small_leaderboard(monkeypatch):
    module = lessons.import_module("cnnlab.lessons.capstone.record")
    monkeypatch.setattr(module, "speed", lambda name, few: 64.0)
    monkeypatch.setattr(module, "costs", lambda name: {"params": 1})
    recipes = {"lenet5": {"lr": 0.05}, "vit_b_16_tiny": module.RECIPES["vit_b_16_tiny"]}
    return smaller(monkeypatch, module, SEEDS=(0,), IMAGES=64, TEST=20, BUDGET=1, RECIPES=recipes).leaderboard


def small_solar(monkeypatch):
    module = lessons.import_module("cnnlab.lessons.transfer.record")
    keys = ("method", "labels", "seed", "lr")
    monkeypatch.setattr(training, "fit", lambda *case: dict(zip(keys, case, strict=True)) | {"validation": -case[3]})
    monkeypatch.setattr(module.solar, "trained", lambda *case: training.fit(*case))

    def probe(labels, seed, strength):
        return {"labels": labels, "seed": seed, "strength": strength, "validation": strength if strength < 1 else 0.0}

    monkeypatch.setattr(module.solar, "probes", lambda _: probe)
    monkeypatch.setattr(module.solar, "depth_probes", lambda _: [probe, probe])
    return module.solar_cells


SMALL = {
    "degradation": (small_degradation, 3),
    "vgg_depth": (small_vgg, 5),
    "cell_search": (small_search, 10),
    "two_block_search": (small_two_block_search, 25),
    "small_pair": (small_twins, 2),
    "leaderboard": (small_leaderboard, 2),
    "solar_cells": (small_solar, 40),
}


def without_times(value):
    """Results but for their seconds, which no two runs share."""
    if isinstance(value, dict):
        return {key: without_times(part) for key, part in value.items() if key != "seconds"}
    return [without_times(part) for part in value] if isinstance(value, list) else value


class CountTrainings:
    """Counts the trainings, and breaks one of them off."""

    def __init__(self, monkeypatch, until=None):
        self.count, self.until, self.fit = 0, until, training.fit
        monkeypatch.setattr(training, "fit", self)

    def __call__(self, *arguments, **settings):
        self.count += 1
        return 1 / 0 if self.count == self.until else self.fit(*arguments, **settings)


@pytest.mark.slow  # trains
@pytest.mark.parametrize("name", SMALL)
def test_a_record_that_was_stopped_ends_as_if_it_had_not_been(name, elsewhere, monkeypatch):
    prepare, until = SMALL[name]
    measured = prepare(monkeypatch)
    whole = Draft(name, "command")
    measured(whole)
    records.file_of(name).unlink()
    whole_trainings = CountTrainings(monkeypatch)
    stopped_trainings = CountTrainings(monkeypatch, until)
    with pytest.raises(ZeroDivisionError):
        measured(Draft(name, "command"))
    monkeypatch.setattr(training, "fit", whole_trainings.fit)
    again = Draft(name, "command")
    assert 0 < len(json.dumps(again.results)) < len(json.dumps(whole.results))
    measured(again)
    assert without_times(again.results) == without_times(whole.results)
    assert json.loads(records.file_of(name).read_text(encoding="utf-8"))["results"] == again.results
    assert stopped_trainings.count == until


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """A folder of ten classes, of whose images ten are held out."""
    monkeypatch.setattr(records, "HELD_OUT", 10)
    for name in range(10):
        (tmp_path / "photographs/train" / f"class{name}").mkdir(parents=True)
        for image in range(4):
            colour = (25 * name, 60 * image, 100)
            Image.new("RGB", (32, 32), colour).save(tmp_path / f"photographs/train/class{name}/{image}.png")
    return str(tmp_path / "photographs")


def test_a_network_and_its_surface_are_made_by_the_command(elsewhere, photographs, monkeypatch, capsys):
    """Ctrl-C in the first epoch: nothing is recorded, a checkpoint is kept, and the same command goes on from it."""
    module = lessons.import_module("cnnlab.lessons.loss_surfaces.record")
    monkeypatch.setattr(module, "WEIGHTS", records.WEIGHTS)
    monkeypatch.setitem(module.RECORDS, "resnet20-cifar10", partial(module.network, model="resnet20", epochs=2))
    monkeypatch.setitem(module.RECORDS, "surface-resnet20-cifar10", partial(module.surface, model="resnet20", points=3))
    words = ["record", "loss-surfaces", "resnet20-cifar10", "--data", photographs]
    fit = training.fit

    def stopped(*arguments, **settings):
        settings["on_epoch"] = lambda run: os.kill(os.getpid(), signal.SIGINT)
        return fit(*arguments, **settings)

    monkeypatch.setattr(training, "fit", stopped)
    assert main(words) == 130 and "Stopped" in capsys.readouterr().out
    assert [file.name for file in records.RECORDS.rglob("*") if file.is_file()] == ["training.checkpoint"]
    assert not records.WEIGHTS.exists()
    monkeypatch.setattr(training, "fit", fit)
    assert main(words) == 0
    said = records.record("resnet20-cifar10")
    assert said.command == "python -m cnnlab record loss_surfaces resnet20-cifar10"
    assert len(said.results["history"]) == 2
    assert [file.name for file in records.RECORDS.iterdir()] == ["resnet20-cifar10.json"]
    about, _ = models.weight_file(records.WEIGHTS / "resnet20-cifar10.safetensors")
    assert about["command"] == said.command
    words[2] = "surface-resnet20-cifar10"
    assert main(words) == 0
    surface = measure.LossSurface.load(records.SURFACES / "resnet20-cifar10.safetensors")
    assert surface.complete and surface.provenance["command"].endswith(words[2])


@pytest.mark.slow  # a compiler
def test_a_network_is_looked_at_while_it_is_trained(elsewhere, photographs, monkeypatch, capsys):
    """Stopped between two of its maps the command goes on with the next, and trains nothing again."""
    module = lessons.import_module("cnnlab.lessons.loss_surfaces.record")
    monkeypatch.setattr(module, "WEIGHTS", records.WEIGHTS)
    monkeypatch.setattr(torch.nn.Module, "compile", lambda *_, **__: None)  # takes a minute
    name, measured = "resnet20-60-epochs", measure.loss_surface
    small = partial(module.by_the_papers_recipe, model="resnet20", epochs=2, kept=(1,), points=3)
    monkeypatch.setitem(module.RECORDS, name, small)
    words = ["record", "loss_surfaces", name, "--data", photographs]
    maps = []

    def stopped(*arguments, **settings):
        maps.append(settings["file"].name)
        if len(maps) == 3:
            raise KeyboardInterrupt
        return measured(*arguments, **settings)

    monkeypatch.setattr(measure, "loss_surface", stopped)
    assert main(words) == 130 and capsys.readouterr().out.count("%") == 4  # two epochs
    assert not records.file_of(name).exists()
    assert main(words) == 0 and "%" not in capsys.readouterr().out
    looked_at = ("001-plane0", "001-plane0-rounded", "002-plane0", "002-plane1", "002-plane2")
    assert {*maps} == {f"{it}.safetensors" for it in looked_at}
    said = records.record(name).results
    assert [epoch["epoch"] for epoch in said["history"]] == [1, 2]
    assert {epoch: len(then["losses"]) for epoch, then in said["on_the_way"].items()} == {"1": 1, "2": 3}
    first, last = (said["on_the_way"][epoch] for epoch in ("1", "2"))
    rounded, whole = (torch.tensor(each["losses"]) for each in (first["rounded"], first))
    assert torch.allclose(rounded, whole, rtol=0.1)  # no variance of this one is infinite in half precision
    assert first["cosines"][1] > last["cosines"][1] > 0.5  # it leaves its initial weights, and has hardly begun
    net = models.get_model("resnet20", weights=records.WEIGHTS / f"{name}.safetensors")
    split = module.photographs(Draft(name, "command", photographs))
    middle = training.evaluate(net, split, precision="fp32").loss
    assert last["losses"][0][1][1] == pytest.approx(middle, rel=0.05)
    assert [file.name for file in records.RECORDS.iterdir()] == [f"{name}.json"]


def test_the_command_lists_all_records_and_says_what_is_wrong(capsys):
    assert main(["record"]) == 0
    listed = capsys.readouterr().out
    assert listed.count("not yet") == len(LATER) and all(name in listed for _, name in RECIPES)
    assert all(name in listed for name in ON_A_GPU.values())
    for words, said in {
        ("record", "densnet"): "did you mean densenet?",
        ("record", "10", "dropout"): "The records of densenet are: densenet_and_resnet, twins_until_flat.",
        ("record", "lenet", "x"): "The records of lenet are: none.",
    }.items():
        assert main(list(words)) == 2 and said in capsys.readouterr().err


def test_a_lesson_of_a_record_is_found_by_number_and_name(no_training, capsys):
    for lesson in ("08", "8", "loss-surfaces", "loss_surfaces"):
        assert main(["record", lesson, "plain56-cifar10"]) == 0
        assert "plain56-cifar10.json is whole" in capsys.readouterr().out
