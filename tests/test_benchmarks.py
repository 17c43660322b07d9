"""The benchmarks page: each part as its script prints it, kept or dropped as the page promises."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from cnnlab import data


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "benchmarks" / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # a dataclass looks for its module there
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script beside two benchmarks of a line each."""
    module = load("run_all")
    monkeypatch.setattr(module, "HERE", tmp_path)
    monkeypatch.setattr(module, "PAGE", tmp_path / "RESULTS.md")
    (tmp_path / "speed.py").write_text('"""How fast it is.\n\nMore.\n"""\nprint("ratio 1.00")\n', encoding="utf-8")
    (tmp_path / "memory.py").write_text('"""How much it takes."""\nprint("half of it")\n', encoding="utf-8")
    return module


def run(module: ModuleType, monkeypatch: pytest.MonkeyPatch, *names: str) -> tuple[str, int | str]:
    """The page after a call with these names, and what the call ended with: 0, or what it complains of."""
    monkeypatch.setattr(sys, "argv", ["run_all.py", *names])
    with pytest.raises(SystemExit) as end:
        module.main()
    return module.PAGE.read_text(encoding="utf-8") if module.PAGE.exists() else "", end.value.code


def test_one_command_runs_all(run_all: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    page, ended = run(run_all, monkeypatch)
    assert ended == 0
    assert page.startswith("# Benchmarks\n\n") and run_all.machine() in page
    memory = "## memory\n\nHow much it takes.\n"
    speed = "## speed\n\nHow fast it is.\n\nMore.\n\n```text\nratio 1.00\n```"
    assert page.index(memory) < page.index(speed)


def test_what_needs_more_than_the_course_is_run_by_its_name_only(
    run_all: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run_all.HERE / "gpu.py").write_text("1 / 0\n", encoding="utf-8")
    (run_all.HERE / "peers.py").write_text('"""Beside others."""\nprint("ratio 3.00")\n', encoding="utf-8")
    page, ended = run(run_all, monkeypatch)
    assert ended == 0 and "ratio 3.00" not in page
    page, ended = run(run_all, monkeypatch, "peers")
    assert ended == 0 and "ratio 3.00" in page and "ratio 1.00" in page
    assert "'gpu'" in run(run_all, monkeypatch, "gpu")[1]


def test_one_part_anew_keeps_the_others(run_all: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    run(run_all, monkeypatch)
    (run_all.HERE / "speed.py").write_text('"""How fast it is."""\nprint("ratio 2.00")\n', encoding="utf-8")
    page, _ = run(run_all, monkeypatch, "speed")
    assert "ratio 2.00" in page and "ratio 1.00" not in page
    assert "half of it" in page


def test_each_part_names_the_machine_that_it_was_measured_on(
    run_all: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_all, "processor", lambda: "the first one")
    run(run_all, monkeypatch)
    monkeypatch.setattr(run_all, "processor", lambda: "another one")
    page, _ = run(run_all, monkeypatch, "speed")
    memory, speed = page.split("## speed")
    assert "the first one" in memory and "another one" not in memory
    assert "another one" in speed and "the first one" not in speed


def test_a_failure_is_said_and_stops_nothing(run_all: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    (run_all.HERE / "memory.py").write_text(
        '"""How much it takes."""\nprint("begun", flush=True)\n1 / 0\n', encoding="utf-8"
    )
    page, ended = run(run_all, monkeypatch)
    assert "memory" in ended
    assert "begun" in page and "s; failed" in page and "ratio 1.00" in page


def test_an_unknown_name(run_all: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    page, ended = run(run_all, monkeypatch, "sped")
    assert page == "" and "'sped'" in ended and "speed" in ended


@pytest.mark.slow  # trains
def test_a_pair_that_was_stopped_ends_as_if_it_had_not_been(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = load("gpu")
    arms = {"shallow": gpu.Arm("plain20_tiny"), "published": gpu.Arm("plain20_tiny", seed=1, published=True)}
    for name, value in {"ARMS": arms, "POINTS": 3, "LOOKED_AT": 50, "BATCH": 32, "KEPT": (1, 300)}.items():
        monkeypatch.setattr(gpu, name, value)
    digits = data.load("street_digits", train=100, test=50)

    def pair(folder: str, seconds: float) -> None:
        gpu.pair(digits, torch.device("cpu"), 3, tmp_path / folder, [*arms], seconds)

    pair("at once", 1e9)
    for _ in range(2):
        pair("in parts", 0)
        assert not list((tmp_path / "in parts").glob("*.json"))
    pair("in parts", 1e9)
    for name in arms:
        whole, parts = (
            json.loads((tmp_path / f / f"{name}-3-epochs.json").read_text(encoding="utf-8"))
            for f in ("at once", "in parts")
        )
        assert whole["results"]["on_the_way"] == parts["results"]["on_the_way"]
        assert list(whole["results"]["on_the_way"]) == ["1", "3"]
        assert len(whole["results"]["history"]) == 3
