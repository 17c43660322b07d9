"""The teaching edition: the same lessons as an nbgrader course, graded from a folder of submissions; slides.

    python -m cnnlab.teaching.teach build COURSE [LESSON ...]
    python -m cnnlab.teaching.teach grade COURSE SUBMISSIONS
    python -m cnnlab.teaching.teach slides LESSON OUT.html
    python -m cnnlab.teaching.teach misconceptions 06

TEACHING.md shows them at work. Only the first two need nbgrader (requirements-teaching.txt).
"""

import argparse
import ast
import csv
import hashlib
import json
import logging
import os
import re
import secrets
import shutil
import signal
import subprocess
import symtable
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from importlib.util import find_spec
from inspect import isclass
from pathlib import Path

import nbformat
import psutil
from IPython import get_ipython
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output
from traitlets import Float, Unicode
from traitlets.config import Config, PyFileConfigLoader

from cnnlab import files
from cnnlab.lessons import exercise

LESSONS = sorted(files.NOTEBOOKS.glob("*.ipynb"))
COLUMNS = ("student", "lesson", "points", "of", "exercises", "note", "graded")
MOST_OUTPUT = 2**21  # bytes that a cell may print or draw; a figure has about 2**17
MOST_SUBMITTED = 2**26
CONFIG = '''"""nbgrader's settings for this course. Written once: what you change here stays."""

from pathlib import Path

from cnnlab.teaching import teach

c = get_config()
teach.configure(c, Path(__file__).parent)

# What a submission may use: seconds for a cell, seconds for all of it, GiB of memory.
c.Graded.cell_seconds = 180
c.Graded.seconds = 900
c.Graded.memory = 4
'''


class Stubs(Preprocessor):
    """In a released notebook every solution is its exercise's stub (nbgrader's own stub is the same for all)."""

    enabled = True

    def preprocess_cell(self, cell: NotebookNode, resources: dict, index: int) -> tuple[NotebookNode, dict]:
        if (task := _tasks().get(_grade_id(cell))) is not None:
            cell.source = task.stub
        return cell, resources


class Restored(Preprocessor):
    """A submission with the checks and the metadata of the released notebook, whatever the student did to them."""

    enabled = True
    release = Unicode(help="the folder of the released lessons").tag(config=True)

    def preprocess(self, notebook: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        about = resources["nbgrader"]
        release = Path(self.release) / about["assignment"] / f"{about['notebook']}.ipynb"
        return restored(notebook, nbformat.read(release, as_version=4)), resources


class Graded(Preprocessor):
    """Runs what the answers need, each submission in a process group and a folder of its own, and puts points in."""

    enabled = True
    cell_seconds = Float(180, help="how long a cell may take").tag(config=True)
    seconds = Float(900, help="how long a submission may take").tag(config=True)
    memory = Float(4, help="GiB that a submission may allocate").tag(config=True)

    def preprocess(self, notebook: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Gives the notebook with outputs and, in the output of each check, its points as nbgrader reads them."""
        sources = needed(notebook.cells)
        deadline = time.monotonic() + self.seconds
        notes = notebook.metadata["cnnlab"] = []
        stopped: set[int] = set()
        while (culprit := self._attempt(notebook, sources, deadline)) is not None:
            index, why = culprit
            notes.append(why)
            if time.monotonic() >= deadline:
                notes.append(f"the submission took more than {self.seconds:g} seconds")
                break
            sources[index] = ""  # and once more without it: the other answers count
            stopped.add(index)
        for index in stopped:
            notebook.cells[index].outputs = [_error("This cell was stopped at grading.")]
        return notebook, resources

    def _attempt(self, notebook: NotebookNode, sources: Sequence[str], deadline: float) -> tuple[int, str] | None:
        """One run in a fresh kernel: where it had to be stopped, and why; None where all cells came to their end."""
        for cell in notebook.cells:
            if _is_check(cell):
                cell.outputs = [_error("This check was not reached: see the cells above.")]
        seal, name = secrets.token_hex(16), f"_{secrets.token_hex(16)}"
        start = f"from cnnlab.teaching.teach import referee as {name}\n{name} = {name}({seal!r})"
        steps = [new_code_cell(start)]
        for cell, source in zip(notebook.cells, sources, strict=True):
            steps.append(new_code_cell(f"{name}({_task(cell).id!r})" if _is_check(cell) and source else source))
        with tempfile.TemporaryDirectory(prefix="cnnlab-", ignore_cleanup_errors=True) as scratch:
            client = _Client(new_notebook(cells=steps), resources={"metadata": {"path": scratch}})
            client.timeout_func = lambda _: max(0.01, min(self.cell_seconds, deadline - time.monotonic()))
            limits = partial(_limit, int(self.memory * 2**30), int(self.seconds))
            try:
                with client.setup_kernel(
                    env=_environment(scratch), preexec_fn=limits, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                ):
                    for index, step in enumerate(steps, -1):
                        client.kept = 0
                        try:
                            client.execute_cell(step, index + 1, store_history=name not in step.source)
                        except CellTimeoutError:
                            return index, f"{_called(notebook.cells[index])} took too long"
                        except DeadKernelError:
                            if index < 0:
                                raise RuntimeError("the kernel ended before the first cell") from None
                            return index, f"{_called(notebook.cells[index])} ended the process"
                        if index >= 0 and sources[index]:
                            _keep(notebook.cells[index], step, seal)
            finally:
                _kill(scratch)
        return None


class _Client(NotebookClient):
    """Executes cells, with errors as outputs, and drops what a cell prints beyond a limit."""

    kept = 0

    def __init__(self, notebook: NotebookNode, **options: object) -> None:
        super().__init__(
            notebook,
            kernel_name="python3",
            allow_errors=True,
            shutdown_kernel="immediate",
            record_timing=False,
            **options,
        )

    def process_message(self, msg: dict, cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        if msg["msg_type"] != "status":
            self.kept += len(str(msg["content"]))
            if self.kept > MOST_OUTPUT:
                return None
        return super().process_message(msg, cell, cell_index)


def referee(seal: str) -> Callable[[str], None]:
    """Made in the kernel before any of a student's code runs: checks the variable of an exercise and shows the result.

    Before each check the package's modules and classes are put back as they were at the start, so that a check that
    was replaced, or a Feedback, does not count. seal: says in the output's metadata that it came from here.
    """
    shell = get_ipython()
    publish, names = shell.display_pub.publish, shell.user_ns
    ours = [module for name, module in sys.modules.items() if name.partition(".")[0] == "cnnlab"]
    others = [
        sys.modules[name] for name in ("builtins", "math", "inspect", "ast", "copy", "torch", "torch.nn.functional")
    ]
    spaces = [(vars(module), dict(vars(module))) for module in ours + others]
    classes = {kind for module in ours for kind in vars(module).values() if isclass(kind)}
    classes = {kind for kind in classes if kind.__module__.startswith("cnnlab")}
    parts = [(kind, name, value) for kind in classes for name, value in vars(kind).items()]
    tasks = {task.id: replace(task) for task in exercise.exercises()}

    def check(id: str) -> None:
        for space, before in spaces:
            space.update(before)
        for kind, name, value in parts:
            if vars(kind).get(name) is not value:
                setattr(kind, name, value)
        exercise._EXERCISES.update({id: replace(task) for id, task in tasks.items()})
        result = exercise.check(id, names.get(tasks[id].name))
        shown = {"text/plain": repr(result), "text/html": result._repr_html_()}
        publish(shown, metadata={"seal": seal, "points": result.points})

    return check


def restored(submitted: NotebookNode, release: NotebookNode) -> NotebookNode:
    """The submission's cells with the checks of the release, each after the last copy of its exercise, or at the end.

    Of a cell's metadata only stays whether the student wrote it ("own"); a lesson's live cell is never the student's.
    """
    known = {cell.source.strip() for cell in release.cells if _task(cell) is None}
    asked = {_grade_id(cell): cell for cell in release.cells if _task(cell) is not None}
    checks = {
        id: NotebookNode(cell, id=new_code_cell().id)  # the student may have an ordinary cell of the same id
        for id, cell in asked.items()
        if _is_check(cell)
    }
    cells = [cell for cell in submitted.cells if cell.cell_type != "raw" and _grade_id(cell) not in checks]
    last = {_grade_id(cell): index for index, cell in enumerate(cells) if cell.cell_type == "code"}
    result = []
    for index, cell in enumerate(cells):
        id = _grade_id(cell)
        live = "nbval-ignore-output" in cell.metadata.get("tags", [])
        mine = id in asked or not (live or cell.source.strip() in known)
        cell = NotebookNode(cell, metadata=NotebookNode(cnnlab={"own": mine and cell.cell_type == "code"}))
        result.append(cell)
        if id in asked and last.get(id) == index:
            cell.metadata["nbgrader"] = asked[id].metadata["nbgrader"]
            result.append(checks.pop(f"{id}-check"))
    kept = {name: release.metadata[name] for name in ("kernelspec", "language_info") if name in release.metadata}
    return new_notebook(cells=[*result, *checks.values()], metadata=kept)


def needed(cells: Sequence[NotebookNode]) -> list[str]:
    """What has to run of each cell: all that the student wrote, all checks, and of the lesson only what these use.

    A statement of the lesson is used where it assigns or changes a name that a student's cell, or another statement
    that is used, reads. So a data set is loaded, and the training in the next line is not run.
    """
    imported: set[str] = set()
    wanted: set[str] = set()
    statements: list[tuple[int, str, set[str], set[str]]] = []  # of the lesson: cell, source, reads, changes
    sources = []
    for index, cell in enumerate(cells):
        own = cell.metadata.get("cnnlab", {}).get("own", False)
        sources.append(cell.source if cell.cell_type == "code" and (own or _is_check(cell)) else "")
        if cell.cell_type != "code" or _is_check(cell):
            continue
        defined: set[str] = set()
        try:
            plain = TransformerManager().transform_cell(cell.source)
            if own and "get_ipython()" in plain:
                raise ValueError("a magic command")
            for statement in ast.parse(plain).body:
                used, changed = _names(statement, imported)
                if not own:
                    statements.append((index, ast.unparse(statement) + "\n", used, changed))
                    continue
                wanted |= used - defined
                if isinstance(statement, (ast.Assign, ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)):
                    defined |= changed
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # any word of it may be a name
            wanted |= set(re.findall(r"[^\W\d]\w*", cell.source)) if own else set()
    chosen: set[int] = set()
    while more := {i for i, (*_, changed) in enumerate(statements) if i not in chosen and changed & wanted}:
        chosen |= more
        wanted |= {name for i in more for name in statements[i][2]}
    for index, source, *_ in (statements[i] for i in sorted(chosen)):
        sources[index] += source
    return sources


def _names(statement: ast.stmt, imported: set[str]) -> tuple[set[str], set[str]]:
    """The names that a statement reads from outside, and those that it assigns or changes. Adds what it imports."""
    table = symtable.symtable(ast.unparse(statement), "<cell>", "exec")
    used = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    changed = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        imported |= changed
    inner = table.get_children()
    while inner:
        scope = inner.pop()
        used |= {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global()}
        inner += scope.get_children()
    changed |= _stored(statement)
    for node in ast.walk(statement):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            changed |= _root(node.value.func) - imported  # x.append(1), and not view.show(x)
        elif isinstance(node, ast.For) and _stored(node) & {n.id for n in ast.walk(node.target) if hasattr(n, "id")}:
            changed |= {n.id for n in ast.walk(node.iter) if hasattr(n, "id")} - imported  # for x in y: x[0] = 1
    return used, changed


def _stored(statement: ast.stmt) -> set[str]:
    """The names of what a statement changes in place: x[0] = 1, x.a = 1, x |= {}."""
    changed: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            changed |= _root(node)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            changed.add(node.target.id)
    return changed


def _root(node: ast.expr) -> set[str]:
    steps = 0
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node, steps = node.value, steps + 1
    return {node.id} if isinstance(node, ast.Name) and steps else set()


def _keep(cell: NotebookNode, ran: NotebookNode, seal: str) -> None:
    """Take over a cell's outputs. A check's are the sealed one, with its points as the text that nbgrader reads."""
    if not _is_check(cell):
        cell.outputs = ran.outputs
        return
    sealed = [output for output in ran.outputs if output.get("metadata", {}).get("seal") == seal]
    failed = [output for output in ran.outputs if output.output_type == "error"]
    if sealed:
        html, points = sealed[-1].data["text/html"], sealed[-1].metadata["points"]
        cell.outputs = [new_output("execute_result", {"text/plain": str(points), "text/html": html}, execution_count=1)]
    else:
        cell.outputs = failed[:1] or [_error("The check gave no result.")]


def _error(message: str) -> NotebookNode:
    return new_output("error", ename="NotGraded", evalue=message, traceback=[message])


def _tasks() -> dict[str, exercise.Exercise]:
    return {task.id.replace(".", "-"): task for task in exercise.exercises()}


def _grade_id(cell: NotebookNode) -> str:
    claimed = cell.metadata.get("nbgrader")
    return str(claimed.get("grade_id", "")) if isinstance(claimed, dict) else ""


def _is_check(cell: NotebookNode) -> bool:
    return _grade_id(cell).endswith("-check")


def _task(cell: NotebookNode) -> exercise.Exercise | None:
    return _tasks().get(_grade_id(cell).removesuffix("-check"))


def _called(cell: NotebookNode) -> str:
    """What a student knows a cell by: its exercise, else its first line."""
    if (task := _task(cell)) is not None:
        return f"the {'check of' if _is_check(cell) else 'answer to'} {task.id}"
    return f"the cell {cell.source.strip().partition(chr(10))[0][:60]!r}"


def named(page: str) -> str:
    """nbgrader's page of feedback with the exercises' names, where it says "Test cell" and "Student's answer"."""
    for grade_id, task in _tasks().items():
        page = page.replace(f'<a href="#{grade_id}-check">Test cell</a>', f'<a href="#{grade_id}-check">{task.id}</a>')
        page = page.replace(f"Grade cell: <code>{grade_id}-check</code>", f"Check of {task.id}")
        page = page.replace(
            f'<a name="comment-{grade_id}"></a><div class="panel-heading">'
            '<span class="nbgrader-label">Student\'s answer</span>',
            f'<a name="comment-{grade_id}"></a><div class="panel-heading">'
            f'<span class="nbgrader-label">Answer to {task.id}</span>',
        )
    return page


def _environment(scratch: str) -> dict[str, str]:
    """What a submission sees: no home, no temporary folder and no keys of the teacher's, and no GPU."""
    kept = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "OMP_NUM_THREADS")
    own = {"HOME": scratch, "TMPDIR": scratch, "CUDA_VISIBLE_DEVICES": "", "NO_ALBUMENTATIONS_UPDATE": "1"}
    return {name: os.environ[name] for name in kept if name in os.environ} | own


def _limit(memory: int, seconds: int) -> None:
    """Called in the kernel's process before it starts; what it starts itself inherits the limits."""
    import resource

    limits = {
        resource.RLIMIT_DATA: memory,
        resource.RLIMIT_CPU: seconds * (os.cpu_count() or 1),
        resource.RLIMIT_FSIZE: 2**30,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _kill(scratch: str) -> None:
    """End what a submission started and left running, also in a process group of its own."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get("TMPDIR") == scratch:
                process.send_signal(signal.SIGKILL)


def configure(c: Config, course: Path) -> None:
    """Set nbgrader up for the lessons; a course's nbgrader_config.py calls it with its own folder."""
    from nbgrader import preprocessors as theirs

    c.CourseDirectory.root, c.CourseDirectory.course_id = str(course.resolve()), "cnnlab"
    c.Restored.release = str(course.resolve() / "release")
    c.GenerateAssignment.preprocessors = [
        theirs.LockCells, Stubs, theirs.CheckCellMetadata, theirs.ComputeChecksums, theirs.SaveCells,
    ]  # fmt: skip
    c.Autograde.sanitize_preprocessors = [
        theirs.ClearOutput, Restored, theirs.OverwriteKernelspec, theirs.OverwriteCells, theirs.CheckCellMetadata,
    ]  # fmt: skip
    c.Autograde.autograde_preprocessors = [
        Graded, theirs.LimitOutput, theirs.SaveAutoGrades, theirs.AssignLatePenalties, theirs.CheckCellMetadata,
    ]  # fmt: skip


def build(course: Path, lessons: Sequence[Path]) -> None:
    """Make or renew an nbgrader course: the lessons with solutions in source/, as students get them in release/.

    What was played in a lesson stays the teacher's: of one whose file differs from the committed one, that is taken,
    with a word; an answer and its check come without outputs wherever the answer in the file is not the stub.
    """
    course.mkdir(parents=True, exist_ok=True)
    if not (course / "nbgrader_config.py").exists():
        (course / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    api = _nbgrader(course)
    for path in lessons:
        notebook = released(path)
        for cell in notebook.cells:
            if (task := _tasks().get(_grade_id(cell))) is not None:
                cell.source = task.solution
        source = course / "source" / path.stem / path.name
        source.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, source)
        _done(api.generate_assignment(path.stem))
        print(f"{path.stem}: {sum(map(_is_check, notebook.cells))} exercises", flush=True)


def released(path: Path) -> NotebookNode:
    """A lesson as a class gets it, whatever was played in its file: as it is committed, without answers of others."""
    played = nbformat.read(path, as_version=4)
    notebook = _committed(path) or played
    if _shown(notebook) != _shown(played):
        print(
            f"{path.stem}: {path.name} was changed and not committed; the class gets the committed lesson", flush=True
        )
    answered = {
        task.id
        for cell in notebook.cells
        if (task := _task(cell)) is not None and not _is_check(cell) and cell.source.strip() != task.stub.strip()
    }
    for cell in notebook.cells:
        if cell.cell_type == "code" and (task := _task(cell)) is not None and task.id in answered:
            cell.outputs, cell.execution_count = [], None
    return notebook


def _shown(notebook: NotebookNode) -> list[tuple[str, object]]:
    return [(cell.source, cell.get("outputs")) for cell in notebook.cells]


def _committed(path: Path) -> NotebookNode | None:
    """The lesson of the last commit; None where there is no git, no repository, or no such file in it."""
    command = ["git", "-C", str(path.parent), "show", f"HEAD:./{path.name}"]
    with suppress(OSError, nbformat.reader.NotJSONError):
        done = subprocess.run(command, capture_output=True, encoding="utf-8")
        if done.returncode == 0:
            return nbformat.reads(done.stdout, as_version=4)
    return None


def grade(course: Path, submissions: Path, stopped: Callable[[], bool] = lambda: False) -> list[dict[str, str]]:
    """Grade SUBMISSIONS/<student>/<lesson>.ipynb into COURSE/grades.csv and COURSE/feedback/; gives the table's rows.

    stopped: asked after each submission, since nbgrader keeps an interruption for itself now and then.

    What was graded before, and did not change since, is not graded again. A submission that cannot be graded gets 0
    points and a note, and the others go on. Raises SystemExit, with one line, where nothing can be graded at all.
    """
    built = sorted(path.name for path in (course / "release").glob("*") if path.is_dir())
    if not built:
        raise SystemExit(f"{course} is no course: make it with python -m cnnlab.teaching.teach build {course}")
    if not submissions.is_dir():
        raise SystemExit(f"There is no folder {submissions}. It holds a folder per student, with <lesson>.ipynb in it.")
    students = sorted(path for path in submissions.iterdir() if path.is_dir() and not path.name.startswith("."))
    handed_in = {(path.parent.name, path.stem): path for student in students for path in student.glob("*.ipynb")}
    expected = {lesson for _, lesson in handed_in} & set(built) or set(built)
    rows = {(row["student"], row["lesson"]): row for row in _read(course / "grades.csv")}
    api = _nbgrader(course)
    for student in students:
        for lesson in sorted(expected | {name for owner, name in handed_in if owner == student.name}):
            path = handed_in.get((student.name, lesson))
            row = _grade_one(api, course, student.name, lesson, path, rows.get((student.name, lesson)))
            if stopped():
                raise KeyboardInterrupt
            rows[student.name, lesson] = row
            _write(course / "grades.csv", [rows[key] for key in sorted(rows)])
            print(f"{row['student']}, {lesson}: {row['points']} of {row['of']} {row['note']}".strip(), flush=True)
    return list(rows.values())


def _grade_one(
    api: object, course: Path, student: str, lesson: str, path: Path | None, before: dict[str, str] | None
) -> dict[str, str]:
    released = course / "release" / lesson / f"{lesson}.ipynb"
    row = dict.fromkeys(COLUMNS, "") | {"student": student, "lesson": lesson, "points": "0", "of": "0"}
    if not released.exists():
        near = get_close_matches(lesson, [folder.name for folder in (course / "release").iterdir()], n=1, cutoff=0.3)
        hint = f"; did you mean {near[0]}?" if near else ""
        return row | {"note": f"this course has no lesson {lesson!r}{hint}"}
    release = nbformat.read(released, as_version=4)
    row["of"] = str(sum(cell.metadata.nbgrader.points for cell in release.cells if _is_check(cell)))
    submitted = path.read_bytes() if path and path.is_file() and path.stat().st_size < MOST_SUBMITTED else b""
    row["graded"] = hashlib.sha256(submitted + released.read_bytes()).hexdigest()[:12]
    if before and before["graded"] == row["graded"]:
        return before
    feedback = course / "feedback" / student / f"{lesson}.html"
    feedback.unlink(missing_ok=True)
    if path is None:
        return row | {"note": "nothing was handed in"}
    try:
        notebook = nbformat.v4.upgrade(nbformat.reads(submitted.decode(json.detect_encoding(submitted)), as_version=4))
        _, notebook = nbformat.validator.normalize(notebook)  # cells that were copied share their id
        nbformat.validate(notebook)
    except Exception as error:  # what a damaged file makes of a parser is not to be foreseen
        return row | {"note": f"not a notebook, or a damaged one ({type(error).__name__})"}
    if not {_grade_id(cell) for cell in notebook.cells} & {_grade_id(cell) for cell in release.cells if _task(cell)}:
        return row | {"note": "another notebook: it has none of this lesson's exercises"}
    try:
        copy = course / "submitted" / student / lesson / f"{lesson}.ipynb"
        copy.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, copy)
        _done(api.autograde(lesson, student))
        _done(api.generate_feedback(lesson, student))
        page = feedback.parent / lesson / feedback.name
        feedback.write_text(named(page.read_text(encoding="utf-8")), encoding="utf-8")
        shutil.rmtree(feedback.parent / lesson)
        with api.gradebook as book:
            entry = book.find_submission(lesson, student)
            row["points"] = f"{entry.score:g}"
            row["exercises"] = "; ".join(
                f"{_task_of(grade.name)} {grade.score:g}/{grade.max_score:g}" for grade in entry.notebooks[0].grades
            )
        graded = nbformat.read(course / "autograded" / student / lesson / f"{lesson}.ipynb", as_version=4)
        return row | {"note": "; ".join(graded.metadata.get("cnnlab", []))}
    except Exception as error:
        return row | {"note": f"could not be graded: {str(error).strip().splitlines()[-1]}", "graded": ""}


def _task_of(grade_id: str) -> str:
    return _tasks()[grade_id.removesuffix("-check")].id


def _read(table: Path) -> list[dict[str, str]]:
    if not table.exists():
        return []
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:  # a spreadsheet may have put its mark before it
            rows = csv.DictReader(file)
            if rows.fieldnames != list(COLUMNS):
                raise ValueError(f"its columns are {rows.fieldnames}")
            return list(rows)
    except ValueError as error:  # another encoding is one, too
        raise SystemExit(
            f"{table} is not as `grade` wrote it ({error}): save it as CSV UTF-8, or move it away."
        ) from None


def _write(table: Path, rows: Sequence[dict[str, str]]) -> None:
    """Replace the table at once, so that an interruption leaves the old one or the new one."""
    unfinished = table.with_suffix(".unfinished")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    unfinished.replace(table)


def _nbgrader(course: Path) -> object:
    """nbgrader's programming interface, with the course's settings. Raises SystemExit where it cannot work."""
    if not find_spec("resource"):
        raise SystemExit(
            "nbgrader and the limits on submissions need Linux or macOS: on Windows use WSL or a container."
        )
    if not find_spec("nbgrader"):
        raise SystemExit("nbgrader is not installed here: make teach, or pip install -r requirements-teaching.txt")
    from nbgrader.apps import NbGraderAPI

    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])  # for alembic
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    api = NbGraderAPI(config=config)
    warnings.filterwarnings("ignore", module=r"nbgrader\.")  # SQLAlchemy's, about nbgrader's own code
    api.log_level = logging.WARNING  # nbgrader puts it into its results
    return api


def _done(result: dict) -> None:
    if not result["success"]:
        lines = (result.get("error") or "").strip().splitlines()
        if lines and lines[-1].startswith("KeyboardInterrupt"):  # nbgrader catches it
            raise KeyboardInterrupt
        said = [line.strip() for line in result.get("log", "").splitlines() if line.strip() and line[0] != "["]
        named = [line for line in said if re.match(r"[\w.]+: ", line)]
        raise RuntimeError((named or said or lines or ["nbgrader failed"])[-1])


def slides(lesson: Path, out: Path) -> None:
    """Write a lesson's slides, a page that needs no network; solutions are in the speaker's notes."""
    from cnnlab.teaching import slides as page

    def solution(cell: NotebookNode) -> str | None:
        task = _tasks().get(_grade_id(cell))
        return task.solution if task is not None else None

    page.write(lesson, out, solution, lambda cell: _task(cell) is not None and _is_check(cell))


def misconceptions(lesson: str = "") -> str:
    """What the exercises of a lesson (or of all) find in wrong answers, as a Markdown table: words of the diagnoses."""
    rows = ["| exercise | points | it finds |", "|---|---|---|"]
    for task in exercise.exercises(lesson):
        found = "; ".join(mistake.diagnosis.replace("|", "\\|").strip(" .:,") for mistake in task.wrong)
        rows.append(f"| {task.id} | {task.points} | {found} |")
    return "\n".join(rows)


def _lesson(name: str) -> Path:
    found = [path for path in LESSONS if path.stem == name or path.stem.startswith(f"{name}-")]
    if not found:
        raise SystemExit(f"There is no lesson {name!r}: the lessons are {', '.join(path.stem for path in LESSONS)}.")
    return found[0]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cnnlab.teaching.teach", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("build", help="an nbgrader course from the lessons")
    command.add_argument("course", type=Path)
    command.add_argument("lessons", nargs="*", metavar="lesson", help="01, or 01-lenet; all where none is named")
    command = commands.add_parser("grade", help="grade SUBMISSIONS/<student>/<lesson>.ipynb")
    command.add_argument("course", type=Path)
    command.add_argument("submissions", type=Path)
    command = commands.add_parser("slides", help="a lesson's slides as one page")
    command.add_argument("lesson")
    command.add_argument("out", type=Path)
    command = commands.add_parser("misconceptions", help="what the exercises find, as a table")
    command.add_argument("lesson", nargs="?", help="01, or 01-lenet; all where none is named")
    asked = parser.parse_args()
    if asked.command == "build":
        build(asked.course, [_lesson(name) for name in asked.lessons] or LESSONS)
    elif asked.command == "grade":
        interrupts: list[int] = []

        def interrupt(number: int, frame: object) -> None:
            interrupts.append(number)
            raise KeyboardInterrupt

        signal.signal(signal.SIGINT, interrupt)
        try:
            grade(asked.course, asked.submissions, stopped=lambda: bool(interrupts))
        except KeyboardInterrupt:
            raise SystemExit("Interrupted. What was graded is kept: the same command goes on.") from None
    elif asked.command == "slides":
        slides(_lesson(asked.lesson), asked.out)
    else:
        print(misconceptions(_lesson(asked.lesson).stem[:2] if asked.lesson else ""))


if __name__ == "__main__":
    main()
