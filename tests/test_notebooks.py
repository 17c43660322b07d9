"""The lessons as they are committed: executed in order, complete, linked, described, and one with the registries."""

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

from cnnlab import course, data, lessons, measure, models, training, view

pytestmark = pytest.mark.slow  # all notebooks

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[dict]:
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


def outputs(path: Path) -> list[dict]:
    return [output for cell in code_cells(path) for output in cell.outputs]


def prose(path: Path) -> str:
    return "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")


def test_there_are_lessons():
    assert [path.stem for path in LESSONS][:2] == ["00-start-here", "01-lenet"]


@each_lesson
def test_every_cell_was_executed_in_one_run_without_errors(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))
    assert not [output for output in outputs(path) if output.output_type == "error"]
    assert all(cell.source.strip() for cell in code_cells(path))
    assert not any("execution" in cell.metadata for cell in code_cells(path))  # times of day, other ones each run


@each_lesson
def test_every_figure_has_alternative_text_and_every_widget_a_static_picture(path):
    figures = [output for output in outputs(path) if "image/png" in output.get("data", {})]
    assert figures
    for output in figures:
        assert len(output.metadata["image/png"]["alt"]) > 20
    for output in outputs(path):
        data = output.get("data", {})
        if "Explorer" in data.get("text/plain", ""):
            assert "application/vnd.jupyter.widget-view+json" in data and "image/png" in data


@each_lesson
def test_the_state_of_every_widget_is_stored(path):
    """Or a reader who only opens the notebook meets "model not found"."""
    stored = nbformat.read(path, as_version=4).metadata.get("widgets", {})
    models = stored.get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    views = [o.data["application/vnd.jupyter.widget-view+json"] for o in outputs(path) if "data" in o
             and "application/vnd.jupyter.widget-view+json" in o.data]  # fmt: skip
    assert views and all(view["model_id"] in models for view in views)
    assert "%|" not in "".join(o.data.get("text/plain", "") for o in outputs(path) if "data" in o)  # bars at 0 %


@each_lesson
def test_the_form_of_a_lesson(path):
    cells = code_cells(path)
    text = prose(path)
    assert "parameters" in cells[0].metadata.get("tags", [])
    assert text.startswith(f"# {path.stem[:2]} · ")
    for part in ("Minutes", "**Remember.**", "**Next:**", "## In the lecture and here", "xercise"):
        assert part in text
    lengths = [len([line for line in c.source.splitlines() if line.strip()]) for c in cells]
    seen = [cell for cell in cells if not cell.metadata.get("jupyter", {}).get("source_hidden")]  # others are folded
    assert max(lengths) <= 30 and len(text.split()) >= 60 * len(seen)


@each_lesson
def test_exercise_cells_are_the_registered_ones_and_can_be_graded(path):
    cells = code_cells(path)
    tasks = course.exercises(path.stem[:2])
    assert 3 <= len(tasks) <= 7
    for task in tasks:
        index, stub = next((i, c) for i, c in enumerate(cells) if c.source == task.stub)
        check = cells[index + 1]
        assert check.source == f'course.check("{task.id}", {task.name})'
        grade_id = task.id.replace(".", "-")
        expected = {"grade": False, "grade_id": grade_id, "locked": False, "solution": True}
        assert expected.items() <= stub.metadata["nbgrader"].items()
        expected = {"grade": True, "grade_id": f"{grade_id}-check", "locked": True, "solution": False}
        assert ({"points": task.points} | expected).items() <= check.metadata["nbgrader"].items()
        assert "Not attempted" in check.outputs[0].data["text/plain"]


@pytest.mark.parametrize("path", [ROOT / "README.md", *LESSONS], ids=lambda path: path.name)
def test_every_local_link_and_image_resolves(path):
    text = prose(path) if path.suffix == ".ipynb" else path.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"""(?:src|href)=["']([^"']+)""", text)
    local = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert local
    for link in local:
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        if anchor:
            heads = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M)
            assert anchor in [re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads], link


@pytest.mark.parametrize("path", [ROOT / "README.md", *LESSONS], ids=lambda path: path.name)
def test_nothing_speaks_of_one_machine(path):
    assert not re.search(r"/(?:home|root|Users|work|tmp)/\w", path.read_text(encoding="utf-8"))


ROOMS = {"course": course, "data": data, "measure": measure, "models": models, "training": training, "view": view}


@each_lesson
def test_what_the_text_names_exists(path):
    """Every `room.name` in a code span: a name that is no more sends a reader into an AttributeError."""
    text = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")
    study = find_spec(f"cnnlab.lessons.{lessons.TOPICS[path.stem[:2]]}.study")
    rooms = ROOMS | ({"study": import_module(study.name)} if study else {})
    spans = re.findall(r"`([^`\n]+)`", text)
    for room, name in (pair for span in spans for pair in re.findall(r"(?<![\w.])(\w+)\.(\w+)", span)):
        assert not re.fullmatch(r"lesson\d\d|instruments", room), f"{room}.{name}"
        assert room not in rooms or hasattr(rooms[room], name), f"{room}.{name}"
