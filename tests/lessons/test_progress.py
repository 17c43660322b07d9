"""Progress: an exercise once passed stays passed, and nothing about the file stops a lesson."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from cnnlab import course
from cnnlab.lessons import progress
from cnnlab.teaching import teach

NAME = ".cnnlab-progress.json"
PASS = "import math; from cnnlab import course; course.check('00.chance', math.log(10))"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress, "FILE", Path(NAME))
    monkeypatch.setattr(progress, "_noted", {})
    return tmp_path


def first_and_last() -> tuple[list, list]:
    rows = course.progress().rows
    return rows[0], rows[-1]


def test_nothing_is_written_unless_something_passes(folder):
    course.check("00.chance", ...)
    course.check("00.chance", 10)
    course.progress()
    assert list(folder.iterdir()) == []


def test_what_was_passed_is_counted_and_stays_passed(folder):
    tasks, all_tasks = course.exercises("00"), course.exercises()
    assert course.check("00.chance", math.log(10)).status == "passed"
    course.check("00.chance", 10)  # and once more, wrong
    chance = next(task for task in tasks if task.id == "00.chance")
    of, points = len(tasks), sum(task.points for task in tasks)
    first, last = first_and_last()
    assert first == ["00 start", f"1 of {of}", f"{chance.points} of {points}"]
    assert last == ["all", f"1 of {len(all_tasks)}", f"{chance.points} of {sum(t.points for t in all_tasks)}"]
    assert [file.name for file in folder.iterdir()] == [NAME]
    assert "no part of grading" in repr(course.progress())


def test_a_notebook_shows_a_column_for_each_lesson_filled_as_far_as_it_is_passed(folder):
    course.check("00.chance", math.log(10))
    drawn = course.progress()._repr_html_()
    first, others = len(course.exercises("00")), len(course.exercises())
    assert f'aria-label="1 of {others} exercises passed; lesson 00 1 of {first}"' in drawn
    heights = [float(height) for height in re.findall(r'height="([\d.]+)" fill="#0072B2"', drawn)]
    assert heights == pytest.approx([40 / first] + 17 * [0], abs=0.01)


def test_it_is_there_in_the_next_kernel_and_keeps_its_day(folder):
    (folder / NAME).write_text('{"00.chance": "2020-02-02", "99.of-another-year": "2020-02-02"}', encoding="utf-8")
    course.check("00.chance", math.log(10))
    assert first_and_last()[0][1].startswith("1 of")
    assert json.loads((folder / NAME).read_text(encoding="utf-8")) == {
        "00.chance": "2020-02-02",
        "99.of-another-year": "2020-02-02",
    }


def test_two_kernels_do_not_lose_each_others_passes(folder):
    course.check("00.chance", math.log(10))
    (folder / NAME).write_text(
        '{"01.weights": "2020-02-02"}', encoding="utf-8"
    )  # another kernel, that had read before we wrote
    assert set(progress._read()) == {"00.chance", "01.weights"}
    progress.note("01.other")
    assert set(json.loads((folder / NAME).read_text(encoding="utf-8"))) == {"00.chance", "01.weights", "01.other"}


@pytest.mark.slow  # a kernel
def test_the_hook_is_the_doors_check_in_a_kernel_of_its_own(folder):
    subprocess.run([sys.executable, "-c", PASS], check=True, cwd=folder)
    assert list(json.loads((folder / NAME).read_text(encoding="utf-8"))) == ["00.chance"]


@pytest.mark.parametrize("damaged", ["{", "[1]", '{"00.chance": 1}', "\x00\xff", "[" * 100_000])
def test_a_damaged_file_is_put_aside_with_a_word(folder, capsys, damaged):
    (folder / NAME).write_text(damaged, encoding="latin-1")
    course.progress()
    assert capsys.readouterr().out.count("\n") == 1
    aside = folder / ".cnnlab-progress-damaged.json"
    assert aside.read_text(encoding="latin-1") == damaged and not (folder / NAME).exists()
    course.check("00.chance", math.log(10))
    assert first_and_last()[0][1].startswith("1 of") and capsys.readouterr().out == ""


def test_where_nothing_can_be_written_a_line_says_so(folder, capsys, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)  # root may write into any folder
    assert course.check("00.chance", math.log(10)).status == "passed"
    said = capsys.readouterr().out
    assert said == f"Your progress could not be kept in {NAME} (Permission denied).\n"
    assert first_and_last()[0][1].startswith("1 of")  # this kernel knows it
    (folder / NAME).write_text("{", encoding="utf-8")
    course.progress()
    assert "could not be put aside" in capsys.readouterr().out


def test_a_folder_of_that_name_stops_nothing(folder, capsys):
    (folder / NAME).mkdir()
    assert course.check("00.chance", math.log(10)).status == "passed"
    course.progress()
    assert "could not be read" in capsys.readouterr().out


def test_grading_never_notes_anything(folder, monkeypatch):
    (task,) = (task for task in course.exercises("00") if task.id == "00.chance")
    shown = []
    pub = SimpleNamespace(publish=lambda data, metadata: shown.append(metadata["points"]))
    shell = SimpleNamespace(display_pub=pub, user_ns={task.name: math.log(10)})
    monkeypatch.setattr(teach, "get_ipython", lambda: shell)
    teach.referee("seal")(task.id)
    assert shown == [task.points]
    assert list(folder.iterdir()) == []
