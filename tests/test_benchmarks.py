"""The benchmarks page: each part as its script prints it, kept or dropped as the page promises."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "run_all.py"


@pytest.fixture
def run_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script beside two benchmarks of a line each."""
    spec = importlib.util.spec_from_file_location("run_all", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
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
    assert page.startswith(run_all.header())
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


def test_parts_of_another_machine_are_dropped(run_all: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    run(run_all, monkeypatch)
    monkeypatch.setattr(run_all, "processor", lambda: "another one")
    page, _ = run(run_all, monkeypatch, "speed")
    assert "another one" in page and "ratio 1.00" in page
    assert "half of it" not in page


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
