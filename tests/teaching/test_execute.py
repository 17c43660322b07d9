"""`make notebooks`: outputs are renewed, a progress bar does not stay, and a lesson that fails is left as it was.

And the promise of each first cell: a lesson runs with other images and other numbers.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import torch
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from cnnlab.teaching.execute import execute, main, set_to, setting

pytestmark = pytest.mark.slow  # kernels


def test_a_lesson_is_executed_where_it_lies(tmp_path):
    path = tmp_path / "lesson.ipynb"
    bar = "from tqdm.auto import tqdm\nfor _ in tqdm(range(3)): pass\n'done'"
    nbformat.write(new_notebook(cells=[new_code_cell("import os; print(os.getcwd())"), new_code_cell(bar)]), path)
    execute(path)
    first, second = nbformat.read(path, as_version=4).cells
    assert first.outputs[0].text.strip() == str(tmp_path.resolve()) and not first.metadata
    assert [output.data["text/plain"] for output in second.outputs] == ["'done'"]

    broken = nbformat.read(path, as_version=4)
    broken.cells.append(new_code_cell("1 / 0"))
    nbformat.write(broken, path)
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute(path)
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == ["lesson.ipynb"]


NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="module")
def photographs(tmp_path_factory) -> Path:
    """A learner's own pictures in ten folders: noise in a colour of each class, as large as the lessons ask for."""
    folder, generator = tmp_path_factory.mktemp("photographs"), torch.Generator().manual_seed(0)
    for part, images in (("train", 130), ("val", 100)):
        for label in range(10):
            place = folder / part / f"kind {label}"
            place.mkdir(parents=True)
            colour = torch.tensor([25 * label, 255 - 25 * label, 128])[:, None, None]
            for number in range(images):
                noise = torch.randint(0, 96, (3, 32, 32), generator=generator)
                pixels = (colour * 0.6 + noise).to(torch.uint8).permute(1, 2, 0).numpy()
                Image.fromarray(pixels).save(place / f"{number}.png")
    return folder


@pytest.mark.parametrize("lesson", ["00-start-here", "06-resnet"])
def test_a_lesson_runs_with_photographs_of_ones_own(lesson, photographs):
    """All lessons: python -m cnnlab.teaching.execute --with DATASET=... --with EPOCHS=1 notebooks/*.ipynb"""
    path = NOTEBOOKS / f"{lesson}.ipynb"
    before = path.read_bytes()
    ran = execute(path, {"DATASET": str(photographs), "EPOCHS": 1, "IMAGES": 200})
    assert path.read_bytes() == before
    shown = "".join(str(output) for cell in ran.cells for output in cell.get("outputs", []))
    assert "Changed: DATASET = " in shown and str(photographs) in shown


def test_the_command_tries_other_settings_and_writes_nothing(tmp_path):
    cell = new_code_cell("EPOCHS = 4", metadata={"tags": ["parameters"]})
    good, bad = tmp_path / "good.ipynb", tmp_path / "bad.ipynb"
    nbformat.write(new_notebook(cells=[cell, new_code_cell("assert EPOCHS == 1")]), good)
    other = new_code_cell("EPOCHS = 4\nDATASET = 'a'", metadata={"tags": ["parameters"]})  # a setting of its own
    nbformat.write(new_notebook(cells=[other, new_code_cell("raise KeyError(EPOCHS)")]), bad)
    before = good.read_bytes(), bad.read_bytes()
    command = [sys.executable, "-m", "cnnlab.teaching.execute", "--with", "EPOCHS=1", "--with", "DATASET=cifar10"]
    done = subprocess.run([*command, bad, good], capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == "good.ipynb: every cell ran\n"
    assert "bad.ipynb: a cell failed" in done.stderr and done.stderr.endswith("1 of 2 lessons failed\n")
    assert "KeyError" in done.stderr and (good.read_bytes(), bad.read_bytes()) == before


def test_a_setting_that_no_lesson_has_is_refused(tmp_path, monkeypatch, capsys):
    cell = new_code_cell("EPOCHS = 4\nSEED = 0", metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "a.ipynb")
    monkeypatch.setattr(sys, "argv", ["execute", "--with", "EPOCH=1", str(tmp_path / "a.ipynb")])
    with pytest.raises(SystemExit):
        main()
    assert "no setting EPOCH in these lessons: there are EPOCHS, SEED" in capsys.readouterr().err


def test_settings_are_numbers_or_texts():
    assert setting("EPOCHS=1") == ("EPOCHS", 1) and setting("DATASET=my=folder") == ("DATASET", "my=folder")
    for words in ("EPOCHS", "=1", "MY EPOCHS=1"):
        with pytest.raises(argparse.ArgumentTypeError, match="NAME=VALUE"):
            setting(words)
    cell = new_code_cell("DATASET = 'a'\nEPOCHS = 4", metadata={"tags": ["parameters"]})
    lesson = set_to(new_notebook(cells=[cell]), {"DATASET": "b", "STEPS": 3})
    assert lesson.cells[0].source == "DATASET = 'a'\nEPOCHS = 4\nDATASET = 'b'"
