"""Every lesson in JupyterLab in a real browser, without a network: its widgets move, its exercises answer.

nbval runs every cell of every lesson; here run those that a browser adds something to, and what they use, with the
shortest of trainings.

Here is every other lesson, and the rest in test_lab_second_half.py, so that two workers can share them.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from driver import CUT_OFF, LESSONS, WAIT, Lab, Notebook, can_be_cut_off, chromium
from playwright.sync_api import Locator, Playwright, expect

from cnnlab import course
from cnnlab.teaching import execute, teach

pytestmark = pytest.mark.slow  # a browser

HERE = LESSONS[::2]
SHORT = {"EPOCHS": 1, "IMAGES": 200}

# The last cell of each lesson, here: it moves every widget to its ends, and has what the tests ask the kernel for.
TRY_ALL = """
import gc
from cnnlab.view import Explorer
explorers = {e.model_id: e for e in gc.get_objects() if type(e) is Explorer}
tried = 0
for explorer in explorers.values():
    for name, control in explorer.controls.items():
        first = control.value
        ends = [control.min, control.max] if hasattr(control, "min") else getattr(control, "options", [True, False])
        for value in ends:
            assert explorer.set(**{name: value}).alt
            tried += 1
        explorer.set(**{name: first})

def values(id):
    return {name: control.value for name, control in explorers[id].controls.items()}

def expected(id):
    try:
        return explorers[id].drawn(**values(id)).alt
    except ValueError as error:
        return f"⚠ {error}"

print("tried", tried)
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "lesson" in metafunc.fixturenames:
        metafunc.parametrize("lesson", metafunc.module.HERE, ids=lambda path: path.stem, scope="module")


def copy(lesson: Path, folder: Path) -> str:
    """The lesson with what a browser adds to nbval's run, which runs every cell: see `shortened`."""
    notebook = nbformat.read(lesson, as_version=4)
    if SHORT.keys() <= set(execute.parameters(notebook)):
        notebook = execute.set_to(notebook, SHORT)
    notebook = shortened(notebook, first_task(lesson))
    notebook.cells.append(nbformat.v4.new_code_cell(TRY_ALL))
    nbformat.write(notebook, folder / lesson.name)
    return lesson.name


def first_task(lesson: Path) -> course.Exercise:
    return course.exercises(lesson.stem[:2])[0]


def shortened(notebook: nbformat.NotebookNode, task: course.Exercise) -> nbformat.NotebookNode:
    """The lesson's widgets, predictions, this exercise and the first live curves, and of other cells what these use."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    first = next((cell for cell in code if "live_curves" in cell.source), None)  # the trainings that draw as they run
    for cell in code:
        imports = cell.source.startswith(("import ", "from "))  # an answer may use what no other cell here does
        moves = any(str(output.get("data", {}).get("text/plain")).startswith("Explorer of") for output in cell.outputs)
        asks = re.search(rf'course\.(?:predict|begin|(?:check|answer)\("{re.escape(task.id)}")', cell.source)
        shows = imports or moves or asks or cell.source == task.stub
        cell.metadata["cnnlab"] = {"own": bool(shows or cell is first)}
        if not shows:
            cell.metadata.pop("nbgrader", None)  # checks run anyway: not those of the other exercises
    for cell, source in zip(notebook.cells, teach.needed(notebook.cells), strict=True):
        if cell.cell_type == "code":
            cell.source = source or "pass"
    return notebook


@pytest.fixture(scope="module")
def opened(lab: Lab, lesson: Path) -> Iterator[Notebook]:
    """The lesson after "Run all cells"."""
    notebook = lab.open(copy(lesson, lab.folder))
    notebook.run_all()
    yield notebook
    lab.close(notebook)


def test_its_cells_run_without_an_error_and_without_a_network(opened, lab):
    assert opened.errors() == []
    counts = opened.js("return cells.filter(c => c.model.type == 'code').map(c => c.model.executionCount)")
    assert counts == list(range(1, len(counts) + 1))
    said = opened.outputs(opened.cells_with(TRY_ALL)[0])[0]["text"]
    assert int(re.fullmatch(r"tried (\d+)\s*", "".join(said)).group(1)) >= 2
    assert [url for url in opened.requests if not url.startswith((lab.address, "data:", "blob:"))] == []


def test_the_widgets_follow_the_keyboard_and_show_what_python_computes(opened):
    explorers = opened.explorers()
    assert explorers
    for cell, id in explorers:
        explorer = opened.show(cell).locator(".widget-interact")
        picture = explorer.locator("img")
        names = eval(opened.ask(f"list(values({id!r}))"))
        controls = [control(explorer, name.replace("_", " ")) for name in names]
        assert_tab_goes_through(controls)
        seen = {(picture.get_attribute("src"), picture.get_attribute("alt"))}
        for one in controls:
            before = opened.ask(f"values({id!r})")
            move(one)
            assert opened.comes(lambda id=id, before=before: opened.ask(f"values({id!r})") != before)
            alt = eval(opened.ask(f"expected({id!r})"))
            expect(explorer.get_by_role("status")).to_have_text(alt, timeout=WAIT)
            if alt.startswith("⚠"):  # a combination that cannot be: back, for the next control's sake
                opened.ask(f"explorers[{id!r}].set(**{before}).alt")
                continue
            assert picture.get_attribute("alt") == alt
            assert picture.evaluate("async image => { await image.decode(); return image.naturalWidth }") > 100
            seen.add((picture.get_attribute("src"), alt))
        assert len({src for src, _ in seen}) > 1 and len({alt for _, alt in seen}) > 1


def control(explorer: Locator, name: str) -> Locator:
    """What the keyboard moves, by the label that stands before it."""
    labelled = explorer.get_by_label(name, exact=True)
    label = explorer.page.locator(".widget-label", has_text=re.compile(f"^{re.escape(name)}$"))
    slider = explorer.locator(".widget-slider").filter(has=label).get_by_role("slider")
    return labelled.or_(slider)


def assert_tab_goes_through(controls: list[Locator]) -> None:
    """From the first to the last and back, in their order; a slider's number is a stop of its own."""
    page = controls[0].page
    controls[0].focus()
    for key, order in (("Tab", controls[1:]), ("Shift+Tab", controls[-2::-1])):
        for one in order:
            for _ in range(3):
                page.keyboard.press(key)
                if one.evaluate("control => control == document.activeElement"):
                    break
            expect(one).to_be_focused()


def move(one: Locator) -> None:
    """To the next value by keys, or the one before if there is none."""
    one.focus()
    if one.get_attribute("type") == "checkbox":
        one.press("Space")
    elif one.get_attribute("role") == "slider":
        ends = one.get_attribute("aria-valuenow") == one.get_attribute("aria-valuemax")
        one.press("ArrowLeft" if ends else "ArrowRight")
    else:  # a list: closed, its arrow keys would move from cell to cell
        ends = one.evaluate("list => list.selectedIndex == list.options.length - 1")
        for key in ("Space", "ArrowUp" if ends else "ArrowDown", "Enter"):
            one.page.keyboard.press(key)


def test_an_exercise_is_solved_by_typing_and_a_wrong_answer_gets_its_diagnosis(opened, lesson):
    task = first_task(lesson)
    mistake = task.wrong[0]
    (stub,) = opened.cells_with(task.stub)
    feedback = answer(opened, stub, mistake.source)
    expect(feedback).to_contain_text("Not yet")
    assert mistake.diagnosis in feedback.inner_text()
    feedback = answer(opened, stub, task.solution)
    expect(feedback).to_contain_text("Passed")
    expect(feedback.locator("b")).to_have_css("color", "rgb(0, 92, 65)")


def answer(notebook: Notebook, stub: int, source: str) -> Locator:
    """Put an answer in the place of what a cell has, run it and the check below it; the check's feedback."""
    notebook.show(stub).locator(".cm-content").click()
    notebook.page.keyboard.press("ControlOrMeta+a")
    notebook.page.keyboard.insert_text(source)
    assert notebook.cells_with(source) == [stub]
    notebook.run_here(stub)
    notebook.run_here(stub + 1)
    return notebook.show(stub + 1).get_by_role("status")


@pytest.mark.skipif(not can_be_cut_off(), reason="this system cannot cut a process off the network (unshare -rn)")
def test_without_a_browser_a_lesson_runs_with_the_network_cut_off_and_its_widgets_move(
    playwright: Playwright, lesson: Path, tmp_path: Path
):
    if chromium(playwright):
        pytest.skip("the browser ran it")
    name = copy(lesson, tmp_path)
    execute = ["-c", "from nbclient.cli import main; main()", "--inplace", "--timeout=300", name]
    command = ["unshare", "-rn", sys.executable, "-c", CUT_OFF, *execute]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    last = nbformat.read(tmp_path / name, as_version=4).cells[-1]
    assert int("".join(last.outputs[0]["text"]).split()[1]) >= 2
