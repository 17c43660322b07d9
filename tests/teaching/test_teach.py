"""The teaching edition: what students get, what their submissions get, and what grading them cannot do to the teacher.

The first part needs no nbgrader. The second runs the commands with an interpreter that has it: .venv-teaching, which
`make teach` makes, or the one that the environment variable CNNLAB_TEACHING_PYTHON names.
"""

import copy
import csv
import os
import re
import shutil
import signal
import subprocess
import sys
from html import escape
from importlib.util import find_spec
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from cnnlab import course
from cnnlab.teaching import teach

pytestmark = pytest.mark.slow  # notebooks and kernels

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TASKS = {task.id: task for task in course.exercises()}
QUICK = [task for task in course.exercises("01") if "training.fit" not in task.solution]
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
needs_limits = pytest.mark.skipif(not find_spec("resource"), reason="this system has no resource limits")


def small() -> NotebookNode:
    """A release with the quick exercises of lesson 01 and nothing else but its imports."""
    lesson = nbformat.read(LESSONS[1], as_version=4)
    ids = {task.id for task in QUICK}
    return new_notebook(cells=[c for c in lesson.cells if c.source.startswith("import torch")
                               or (teach._task(c) and teach._task(c).id in ids)])  # fmt: skip


def answered(release: NotebookNode, **answers: str) -> NotebookNode:
    """A submission: answers by the name of the exercise's variable; the solution where none is given."""
    submission = copy.deepcopy(release)
    for cell in submission.cells:
        if (task := teach._task(cell)) and not teach._is_check(cell):
            cell.source = answers.get(task.name, task.solution)
    return submission


def points(submission: NotebookNode, release: NotebookNode, **limits: float) -> tuple[dict[str, int], NotebookNode]:
    """What each exercise gets (None: an error, which nbgrader counts as 0), and the graded notebook."""
    notebook, _ = teach.Graded(**limits).preprocess(teach.restored(submission, release), {})
    checks = [cell for cell in notebook.cells if teach._is_check(cell)]
    texts = {teach._task(cell).name: cell.outputs[0].get("data", {}).get("text/plain") for cell in checks}
    return {name: text and int(text) for name, text in texts.items()}, notebook


FULL = {task.name: task.points for task in QUICK}


# What students hand in


@needs_limits
@each_lesson
def test_the_solutions_of_a_lesson_get_full_marks_without_its_trainings(path):
    """An open exercise's own training is left out here; that its solution passes, test_exercises.py shows."""
    release = nbformat.read(path, as_version=4)
    tasks = course.exercises(path.stem[:2])
    at_once = re.compile(r"^(?:\w+ = )?training\.(?:fit|speed_run)(?=\()", re.M)
    trains = {task.name for task in tasks if at_once.search(task.solution)}
    cut = {task.name: re.sub(r"training\.(?:fit|speed_run)(?=\()", "(lambda *_, **__: None)", task.solution)
           for task in tasks if task.name in trains}  # fmt: skip
    submission = answered(release, **cut)
    cells = teach.restored(submission, release).cells
    parts = zip(cells, teach.needed(cells), strict=True)
    lesson_runs = [source for cell, source in parts if not cell.metadata.get("cnnlab", {}).get("own")]
    assert "fit(" not in "".join(lesson_runs)
    got, notebook = points(submission, release)
    assert not notebook.metadata.cnnlab
    own = [cell for cell in notebook.cells if teach._task(cell) and not teach._is_check(cell)]
    errors = [output for cell in own for output in cell.outputs if output.output_type == "error"]
    assert not [error for error in errors if error.ename in ("NameError", "ImportError")], errors
    assert {task.name: task.points for task in tasks if task.name not in trains} == {
        name: value for name, value in got.items() if name not in trains
    }


@needs_limits
@pytest.mark.parametrize("place", range(max(len(task.wrong) for task in QUICK)))
def test_a_wrong_answer_loses_its_exercise_and_is_told_why(place):
    wrong = {task.name: task.wrong[place] for task in QUICK if place < len(task.wrong)}
    answers = {name: f"import math\n{mistake.source}" for name, mistake in wrong.items()}
    got, notebook = points(answered(small(), **answers), small())
    assert got == {name: 0 if name in wrong else FULL[name] for name in FULL}
    for cell in notebook.cells:
        if teach._is_check(cell) and teach._task(cell).name in wrong:
            said = cell.outputs[0].data["text/html"]
            fixed = re.split(r"{.*?}", wrong[teach._task(cell).name].diagnosis)  # between what the case fills in
            assert all(escape(part) in said for part in fixed)


@needs_limits
def test_an_untouched_submission_gets_nothing_and_help_from_another_cell_counts():
    release = small()
    got, _ = points(release, release)
    assert set(got.values()) == {0}
    submission = answered(release, output_size="output_size = helper")
    submission.cells.insert(1, new_code_cell("helper = " + "lambda n, k, s=1, p=0: (n + 2 * p - k) // s + 1"))
    assert points(submission, release)[0]["output_size"] == FULL["output_size"]


CHEATS = """
from dataclasses import replace
from cnnlab.lessons import compare, diagnose, exercise
from cnnlab.teaching import teach
import torch
full = exercise.Feedback("01.pooling", "passed", "Well done.", 2, 2)
course.check = exercise.check = exercise.find = lambda *_: full
exercise.Feedback = lambda *_: full
exercise.Feedback.points = property(lambda self: 99)
course.Feedback.__init__.__defaults__ = None
course.Feedback._repr_html_ = lambda self: "Passed"
for id, task in list(exercise._EXERCISES.items()):
    object.__setattr__(task, "checker", lambda answer: None)
    exercise._EXERCISES[id] = replace(task, checker=lambda answer: None)
exercise.Wrong = type("Wrong", (Exception,), {})
exercise.judged = diagnose.judged = diagnose._compared = lambda *_: ""
exercise.difference = compare.difference = lambda *_: None
exercise.Exercise.cases = exercise.Exercise.arguments = lambda *_: []
teach.referee = teach._keep = lambda *_: None
torch.equal = torch.allclose = torch.isclose = lambda *_, **__: True
"""


@needs_limits
def test_what_a_submission_puts_in_the_place_of_the_checks_does_not_count():
    wrong = {task.name: task.wrong[0].source for task in QUICK}
    submission = answered(small(), **wrong)
    submission.cells.insert(1, new_code_cell(CHEATS))
    fake = 'get_ipython().display_pub.publish({"text/html": "", "text/plain": "9"}, metadata={"seal": "", "points": 9})'
    submission.cells.insert(2, new_code_cell(fake))
    got, notebook = points(submission, small())
    assert set(got.values()) == {0} and not notebook.metadata.cnnlab
    assert not [o for cell in notebook.cells[1:3] for o in cell.outputs if o.output_type == "error"]  # all was tried


def shapes(release: NotebookNode) -> dict[str, NotebookNode]:
    """Submissions whose checks were deleted, edited, doubled, moved or given other metadata."""

    def change(edit) -> NotebookNode:
        submission = answered(release)
        edit(submission.cells)
        return submission

    def each(edit):
        return change(lambda cells: [edit(cell) for cell in cells if teach._is_check(cell)])

    def doubled(cells):
        cells += [
            NotebookNode(copy.deepcopy(cell), id=f"again{i}") for i, cell in enumerate(cells) if teach._task(cell)
        ]

    def swapped(cells):
        ids = [cell.metadata.nbgrader["grade_id"] for cell in cells if teach._is_check(cell)]
        for cell, id in zip([cell for cell in cells if teach._is_check(cell)], reversed(ids), strict=True):
            cell.metadata.nbgrader["grade_id"] = id

    return {
        "deleted": change(lambda cells: cells.__setitem__(slice(None), [c for c in cells if not teach._is_check(c)])),
        "edited": each(lambda cell: cell.update(source="2")),
        "doubled": change(doubled),
        "reversed": change(lambda cells: cells.reverse()),
        "more points": each(lambda cell: cell.metadata.nbgrader.update(points=99)),
        "not locked": each(lambda cell: cell.metadata.nbgrader.update(locked=False, solution=True)),
        "swapped": change(swapped),
        "no metadata": change(lambda cells: [cell.metadata.clear() for cell in cells]),
        "nonsense": change(lambda cells: [cell.metadata.update(nbgrader=7, tags=[]) for cell in cells]),
        "other type": each(lambda cell: cell.update(cell_type="raw")),
    }


@pytest.mark.parametrize("shape", shapes(small()))
def test_the_checks_are_put_back_as_they_were_released(shape):
    release = small()
    notebook = teach.restored(shapes(release)[shape], release)
    nbformat.validate(notebook)
    expected = {
        teach._grade_id(cell): (cell.source, cell.metadata.nbgrader) for cell in release.cells if teach._task(cell)
    }
    checks = [cell for cell in notebook.cells if teach._is_check(cell)]
    assert len(checks) == len(QUICK)
    for cell in checks:
        assert (cell.source, cell.metadata.nbgrader) == expected[teach._grade_id(cell)]
    answers = [cell for cell in notebook.cells if "solution" in str(cell.metadata) and not teach._is_check(cell)]
    for cell in answers:
        assert cell.metadata.nbgrader == expected[teach._grade_id(cell)][1]
        assert teach._is_check(notebook.cells[notebook.cells.index(cell) + 1])
    assert len(answers) == (0 if shape in ("no metadata", "nonsense") else len(QUICK))


@needs_limits
def test_answers_without_any_metadata_count():
    release = small()
    assert points(shapes(release)["no metadata"], release)[0] == FULL


def test_of_a_lesson_only_what_the_answers_use_is_run():
    def cell(source: str, own: bool = False) -> NotebookNode:
        return new_code_cell(source, metadata={"cnnlab": {"own": own}})

    cells = [
        cell("import torch\nimport math"),
        cell("SIZE = 3\nOTHER = 4"),
        cell("table = {}\ntable['a'] = SIZE\nprint(table)"),
        cell("run = train(table)"),
        cell("rows = []\nfor i in range(2):\n    rows.append(torch.ones(i))\nrun = None"),
        cell("def answer(run):\n    return table, rows, undefined(run)", own=True),
        cell("own = run_it(\n", own=True),
        cell("for row in rows:\n    row['mean'] = 1\nfor one in rows:\n    print(one)"),
    ]
    assert [source.split("\n") for source in teach.needed(cells)[:5]] == [
        ["import torch", ""], ["SIZE = 3", ""], ["table = {}", "table['a'] = SIZE", ""], [""],
        ["rows = []", "for i in range(2):", "    rows.append(torch.ones(i))", ""],
    ]  # fmt: skip
    assert teach.needed(cells)[5:7] == [cells[5].source, cells[6].source]
    assert teach.needed(cells)[7] == "for row in rows:\n    row['mean'] = 1\n"  # it changes what is in rows


# What submissions must not do


@needs_limits
@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("image", "while True:\n    try:\n        pass\n    except BaseException:\n        pass"),
        ("output_size", "def output_size(*_):\n    while True:\n        pass"),
        ("image", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"),
    ],
    ids=["a loop that catches all", "a loop in the answer", "an end"],
)
def test_what_does_not_end_or_ends_the_process_costs_only_its_own_exercise(name, source):
    got, notebook = points(answered(small(), **{name: source}), small(), cell_seconds=12, seconds=900)
    assert {task: value or 0 for task, value in got.items()} == FULL | {name: 0}
    (note,) = notebook.metadata.cnnlab
    assert next(task.id for task in QUICK if task.name == name) in note


@needs_limits
def test_a_submission_as_a_whole_has_a_limit():
    submission = answered(small())
    submission.cells.insert(0, new_code_cell("while True:\n    pass"))
    got, notebook = points(submission, small(), seconds=3)
    assert set(got.values()) == {None} and "more than 3 seconds" in notebook.metadata.cnnlab[-1]
    assert teach._called(submission.cells[0]) == "the cell 'while True:'"  # and not by a number that nobody sees


GREEDY = """
import os, pathlib, subprocess, sys, tempfile
pathlib.Path("left.txt").write_text("here", encoding="utf-8")
pathlib.Path("~/left.txt").expanduser().write_text("here", encoding="utf-8")
print("folder", os.getcwd(), tempfile.gettempdir(), "token" in str(os.environ).lower())
code = "import time; time.sleep(3000)"
print("child", subprocess.Popen([sys.executable, "-c", code], start_new_session=True).pid)
"""
HUNGRY = "held = torch.ones(int(6e9), dtype=torch.uint8)"
LOUD = 'for _ in range(300):\n    print("loud " * 20_000)'


@needs_limits
def test_a_submission_cannot_take_all_memory_stay_behind_fill_the_page_or_see_keys(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_TOKEN", "token")
    monkeypatch.chdir(tmp_path)
    submission = answered(small())
    submission.cells[1:1] = [new_code_cell(source) for source in (GREEDY, HUNGRY, LOUD)]
    got, notebook = points(submission, small(), memory=4)
    assert got == FULL
    said = notebook.cells[1].outputs[0].text
    scratch, temporary, token = re.search(r"folder (\S+) (\S+) (\w+)", said).groups()
    assert scratch == temporary and not Path(scratch).exists() and token == "False"
    assert not list(tmp_path.iterdir())
    assert not psutil.pid_exists(pid := int(re.search(r"child (\d+)", said)[1])) or (
        psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    )
    assert "allocate" in notebook.cells[2].outputs[0].evalue
    assert sum(len(output.text) for output in notebook.cells[3].outputs) <= teach.MOST_OUTPUT


# The commands, with nbgrader

NAMED = os.environ.get("CNNLAB_TEACHING_PYTHON", ROOT / ".venv-teaching/bin/python")
TEACHER = str(NAMED) if Path(NAMED).exists() else sys.executable
needs_nbgrader = pytest.mark.usefixtures("nbgrader")


@pytest.fixture(scope="session")
def nbgrader() -> None:
    if subprocess.run([TEACHER, "-c", "import nbgrader, cnnlab"], capture_output=True).returncode:
        pytest.skip("nbgrader is not installed: make teach")


def command(*words: str | Path) -> list[str]:
    return [TEACHER, "-m", "cnnlab.teaching.teach", *map(str, words)]


def teacher(*words: str | Path) -> str:
    done = subprocess.run(command(*words), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def table(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "grades.csv").open(newline="", encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course with lesson 01, and the folder of submissions that was graded, in two goes."""
    folder, handed_in = tmp_path_factory.mktemp("course"), tmp_path_factory.mktemp("submissions")
    teacher("build", folder, "01")
    release = nbformat.read(folder / "release/01-lenet/01-lenet.ipynb", as_version=4)
    wrong = {"image": TASKS["01.pooling"].wrong[0].source, "my_run": "my_run = ..."}
    submissions = {"ann": release, "Zoë O'Neil": answered(release), "wrong": answered(release, **wrong)}
    submissions["no checks"] = new_notebook(
        cells=[c for c in release.cells if not teach._is_check(c)] + [new_code_cell("course.check = lambda *_: 99")]
    )
    for student, notebook in submissions.items():
        (handed_in / student).mkdir()
        nbformat.write(notebook, handed_in / student / "01-lenet.ipynb")
    for student in ("another", "cut", "empty", "misnamed"):
        (handed_in / student).mkdir()
    (handed_in / "another/01-lenet.ipynb").write_bytes(LESSONS[2].read_bytes())
    (handed_in / "cut/01-lenet.ipynb").write_text('{"cells": [', encoding="utf-8")
    (handed_in / "misnamed/lenet.ipynb").write_text("{}", encoding="utf-8")
    with subprocess.Popen(command("grade", folder, handed_in), stdout=subprocess.PIPE, text=True) as first:
        for line in first.stdout:
            if line.startswith("ann"):
                first.send_signal(signal.SIGINT)
                break
        first.stdout.read()
    interrupted = table(folder)
    written = (folder / "autograded/ann/01-lenet/01-lenet.ipynb").stat().st_mtime_ns
    teacher("grade", folder, handed_in)
    return folder, interrupted, written


@needs_nbgrader
def test_students_get_the_lesson_as_it_is_and_the_teacher_the_solutions(graded):
    lesson, release, source = (
        nbformat.read(path, as_version=4).cells
        for path in (LESSONS[1], *(graded[0] / step / "01-lenet/01-lenet.ipynb" for step in ("release", "source")))
    )
    assert [cell.source for cell in release] == [cell.source for cell in lesson]
    assert [cell.get("outputs") for cell in release] == [cell.get("outputs") for cell in lesson]
    solutions = {task.solution for task in course.exercises("01")}
    assert solutions <= {cell.source for cell in source}


def test_what_a_teacher_played_is_not_what_the_class_gets(tmp_path, capsys):
    """In a repository the committed lesson is taken; without one, an answered exercise comes without its outputs."""
    path = tmp_path / "01-lenet.ipynb"
    shutil.copy(LESSONS[1], path)
    lesson = nbformat.read(path, as_version=4)
    played = answered(lesson)
    for cell in played.cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("stream", text="Passed")]
    nbformat.write(played, path)
    alone = teach.released(path)
    assert not capsys.readouterr().out
    for cell in alone.cells:
        if cell.cell_type == "code":
            assert cell.outputs == ([] if teach._task(cell) else [new_output("stream", text="Passed")])
    nbformat.write(lesson, path)
    me = ("-c", "user.name=a", "-c", "user.email=a@b")
    for words in (("init",), ("add", "."), (*me, "commit", "-m", "lesson")):
        subprocess.run(["git", "-C", tmp_path, *words], check=True, capture_output=True)
    assert teach.released(path) == lesson and not capsys.readouterr().out
    nbformat.write(played, path)
    assert teach.released(path) == lesson
    assert "01-lenet.ipynb was changed and not committed" in capsys.readouterr().out


@needs_nbgrader
def test_the_table_of_grades(graded):
    rows = table(graded[0])
    got = {student: (row["points"], row["of"]) for student, row in rows.items()}
    assert got == {
        "ann": ("0", "12"), "Zoë O'Neil": ("12", "12"), "wrong": ("7", "12"), "no checks": ("0", "12"),
        "another": ("0", "12"), "cut": ("0", "12"), "empty": ("0", "12"), "misnamed": ("0", "0"),
    }  # fmt: skip
    notes = {student: row["note"] for student, row in rows.items()}
    assert "none of this lesson's exercises" in notes["another"] and "damaged" in notes["cut"]
    assert "did you mean 01-lenet?" in notes["misnamed"]
    assert notes["empty"] == "nothing was handed in" and not notes["Zoë O'Neil"]
    assert "01.pooling 0/2" in rows["wrong"]["exercises"] and "01.output-size 2/2" in rows["wrong"]["exercises"]


@needs_nbgrader
def test_the_feedback_page_shows_the_diagnosis(graded):
    page = (graded[0] / "feedback/wrong/01-lenet.html").read_text(encoding="utf-8")
    assert TASKS["01.pooling"].wrong[0].diagnosis in page and "Passed" in page
    assert "Passed" not in (graded[0] / "feedback/ann/01-lenet.html").read_text(encoding="utf-8")
    assert "Test cell" not in page and "Grade cell" not in page and "Student's answer" not in page
    for task in course.exercises("01"):
        assert f">{task.id}</a> (Score" in page and f"Answer to {task.id}<" in page and f"Check of {task.id}<" in page
    assert not (graded[0] / "feedback/cut").exists()


@needs_nbgrader
def test_an_interrupted_grading_keeps_what_was_done_and_goes_on(graded):
    folder, interrupted, written = graded
    assert "ann" in interrupted and len(interrupted) < 8
    assert (folder / "autograded/ann/01-lenet/01-lenet.ipynb").stat().st_mtime_ns == written
    assert not list(folder.glob("*.unfinished"))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("build", "{}", "77"), "There is no lesson '77'"),
        (("grade", "{}", "{}"), "is no course: make it with"),
        (("slides", "77", "{}/out.html"), "There is no lesson '77'"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(words, line, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["teach", *(word.format(tmp_path) for word in words)])
    with pytest.raises(SystemExit) as left:
        teach.main()
    said = left.value.code  # a text: Python prints it and ends with 1
    assert isinstance(said, str) and line in said and len(said.splitlines()) == 1


@pytest.mark.parametrize(("missing", "line"), [("resource", "need Linux or macOS"), ("nbgrader", "not installed")])
def test_what_the_system_lacks_is_named(missing, line, monkeypatch):
    monkeypatch.setattr(teach, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(SystemExit, match=line):
        teach._nbgrader(Path())


# Slides, and the teacher's page


def test_slides_show_the_figures_and_keep_the_solutions_for_the_speaker(tmp_path):
    before = LESSONS[1].read_bytes()
    teach.slides(LESSONS[1], tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    lesson = nbformat.read(LESSONS[1], as_version=4)
    texts = [c for c in lesson.cells if c.cell_type == "markdown"]
    figures = [o for c in lesson.cells for o in c.get("outputs", []) if "image/png" in o.get("data", {})]
    assert page.count("<section>") > len(texts) and page.count('<div class="step">') > page.count("<section>")
    assert page.count("<img") == len(figures) > 5
    assert not re.findall("""src=["'](?!data:)""", page)
    assert "<link" not in page and "<script src" not in page and "import(" not in page  # nothing comes from elsewhere
    shown = re.sub(r'<aside class="notes">.*?</aside>', "", page, flags=re.DOTALL)
    assert "(size + 2 * padding - kernel) // stride + 1" not in re.sub(r"<[^>]+>", "", shown)
    assert page.count('<aside class="notes">') == len(course.exercises("01"))
    assert LESSONS[1].read_bytes() == before


def test_a_teacher_can_print_what_the_exercises_of_a_lesson_find(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["teach", "misconceptions", "06"])
    teach.main()
    first, _, *rows = capsys.readouterr().out.strip().splitlines()
    assert first == "| exercise | points | it finds |"
    assert [row.split(" | ")[0].lstrip("| ") for row in rows] == [task.id for task in course.exercises("06")]
    monkeypatch.setattr(sys, "argv", ["teach", "misconceptions"])
    teach.main()
    said = capsys.readouterr().out
    assert all(f"| {id} |" in said for id in TASKS)


@each_lesson
def test_the_page_has_each_lessons_minutes(path):
    card = nbformat.read(path, as_version=4).cells[0].source
    minutes = re.search(r"\*\*Minutes\*\* \| (\d+)", card)[1]
    tasks = course.exercises(path.stem[:2])
    row = f"| {path.stem[:2]} | {minutes} | {len(tasks)} | {sum(task.points for task in tasks)} |"
    assert row in PAGE, f"TEACHING.md, Minutes: {row}"


def test_the_page_names_only_what_there_is():
    for name in re.findall(r"python -m cnnlab\.course\.teach (\w+)", PAGE):
        assert name in ("build", "grade", "slides", "misconceptions")
    for name in re.findall(r"`c\.Graded\.(\w+)`", PAGE):
        assert hasattr(teach.Graded, name)
    for link in re.findall(r"\]\(([\w./-]+)\)", PAGE):
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_submission_is_read_whatever_an_editor_made_of_it(encoding, tmp_path):
    """Editors on Windows put a mark before UTF-8, and PowerShell writes UTF-16."""
    (tmp_path / "release/01-lenet").mkdir(parents=True)
    nbformat.write(new_notebook(), tmp_path / "release/01-lenet/01-lenet.ipynb")
    submitted = tmp_path / "01-lenet.ipynb"
    submitted.write_text(nbformat.writes(new_notebook(cells=[new_code_cell("'ä'")])), encoding=encoding)
    row = teach._grade_one(None, tmp_path, "ann", "01-lenet", submitted, None)
    assert row["note"] == "another notebook: it has none of this lesson's exercises"  # and not a damaged one


def test_a_table_that_a_spreadsheet_saved_is_read_or_named(tmp_path):
    table, row = tmp_path / "grades.csv", dict.fromkeys(teach.COLUMNS, "ä")
    teach._write(table, [row])
    text = table.read_text(encoding="utf-8")
    table.write_text(text, encoding="utf-8-sig")
    assert teach._read(table) == [row]
    for wrong in (text.replace(",", ";").encode("utf-8"), text.encode("cp1252")):
        table.write_bytes(wrong)
        with pytest.raises(SystemExit, match=r"grades\.csv is not as `grade` wrote it .*: save it as CSV UTF-8"):
            teach._read(table)
