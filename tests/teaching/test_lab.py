"""`python -m cnnlab lab`: the lessons are copied, never over a learner's work, and JupyterLab gets what it is told."""

import os
import subprocess
import sys

import pytest
from jupyterlab_server.settings_utils import _get_overrides

from cnnlab import files
from cnnlab.__main__ import main
from cnnlab.teaching import lab
from cnnlab.teaching.lab import COPIED, FIRST, copy_lessons

NAMES = sorted(path.name for path in files.NOTEBOOKS.glob("*.ipynb"))


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of two lessons, which may become newer."""
    monkeypatch.setattr(files, "NOTEBOOKS", tmp_path / "course")
    files.NOTEBOOKS.mkdir()
    for name in ("00-start-here.ipynb", "01-lenet.ipynb"):
        (files.NOTEBOOKS / name).write_text(f"the first {name}", encoding="utf-8")
    return files.NOTEBOOKS


def contents(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.name != COPIED}


def test_lessons_are_copied_once(course, tmp_path):
    mine = tmp_path / "new" / "mine"
    assert copy_lessons(mine) == [f"2 lessons copied to {mine}."]
    assert contents(mine) == contents(course)
    assert copy_lessons(mine) == [] and contents(mine) == contents(course)


def test_a_learners_work_is_kept_without_a_word(course, tmp_path):
    copy_lessons(tmp_path / "mine")
    (tmp_path / "mine/01-lenet.ipynb").write_text("my answers", encoding="utf-8")
    assert copy_lessons(tmp_path / "mine") == []
    assert contents(tmp_path / "mine") == contents(course) | {"01-lenet.ipynb": "my answers"}


def test_a_newer_lesson_is_offered_once_beside_the_old_copy(course, tmp_path):
    mine = tmp_path / "mine"
    copy_lessons(mine)
    (mine / "01-lenet.ipynb").write_text("my answers", encoding="utf-8")
    for number, name in ((2, "01-lenet-newer.ipynb"), (3, "01-lenet-newer-2.ipynb")):
        (course / "01-lenet.ipynb").write_text(f"lesson {number}", encoding="utf-8")
        assert copy_lessons(mine) == [
            f"01-lenet.ipynb is kept as it is; the course's newer lesson lies beside it: {name}."
        ]
        assert copy_lessons(mine) == []
        assert (mine / name).read_text(encoding="utf-8") == f"lesson {number}"
    assert (mine / "01-lenet.ipynb").read_text(encoding="utf-8") == "my answers"
    assert (mine / "01-lenet-newer.ipynb").read_text(encoding="utf-8") == "lesson 2"


@pytest.mark.parametrize("damage", ["", "[]", "{"])
def test_a_file_of_unknown_origin_is_kept_too(course, tmp_path, damage):
    copy_lessons(tmp_path / "mine")
    (tmp_path / "mine" / COPIED).write_text(damage, encoding="utf-8")
    (tmp_path / "mine/01-lenet.ipynb").write_text("whose?", encoding="utf-8")
    assert len(copy_lessons(tmp_path / "mine")) == 1
    assert (tmp_path / "mine/01-lenet.ipynb").read_text(encoding="utf-8") == "whose?"
    assert (tmp_path / "mine/01-lenet-newer.ipynb").read_text(encoding="utf-8") == "the first 01-lenet.ipynb"


def test_the_first_lesson_is_opened_with_the_options(tmp_path, monkeypatch, capsys):
    opened = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_ALBUMENTATIONS_UPDATE", raising=False)
    monkeypatch.setattr("jupyterlab.labapp.LabApp.launch_instance", lambda words: opened.append((os.getcwd(), words)))
    assert main(["lab", "mine", "--no-browser", "--port=9000"]) == 0
    address = f"--LabApp.default_url=/lab/tree/{FIRST}"
    ((folder, words),) = opened
    assert folder == str(tmp_path / "mine") and [words[0], *words[2:]] == [address, "--no-browser", "--port=9000"]
    assert words[1].startswith("--LabApp.app_settings_dir=")
    assert os.environ["NO_ALBUMENTATIONS_UPDATE"] == "1" and FIRST in NAMES
    assert "18 lessons copied to mine." in capsys.readouterr().out
    assert sorted(contents(tmp_path / "mine")) == NAMES


def test_the_settings_of_a_machine_are_kept_beside_the_lessons(tmp_path, monkeypatch):
    (tmp_path / "usual/settings/overrides.d").mkdir(parents=True)
    (tmp_path / "usual/settings/overrides.json").write_text('{"theirs": {}}', encoding="utf-8")
    monkeypatch.setenv("JUPYTERLAB_DIR", str(tmp_path / "usual"))
    (tmp_path / "here").mkdir()
    lab.write_settings(tmp_path / "here")
    overrides, error = _get_overrides(str(tmp_path / "here"))
    assert not error and overrides == {"theirs": {}} | lab.SETTINGS
    assert not list((tmp_path / "usual/settings/overrides.d").iterdir())


def test_other_commands_take_no_further_options(capsys):
    with pytest.raises(SystemExit):
        main(["models", "--port=9000"])
    assert "unrecognized arguments: --port=9000" in capsys.readouterr().err


def test_a_folder_that_cannot_be_is_said_in_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["lab", str(tmp_path / "file" / "mine")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.slow  # a process
def test_it_runs_without_pytorch(tmp_path):
    """Which takes seconds to import. JupyterLab's own --version ends it before it serves anything."""
    code = "import sys; from cnnlab.__main__ import main\ntry: main(['lab', 'mine', '--version'])\n"
    code += "finally: assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine" / FIRST).exists() and done.stdout.splitlines()[-1][0].isdigit()
