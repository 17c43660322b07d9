"""A prediction in JupyterLab: seen, made by the keyboard, and marked in the figure after it."""

import nbformat
import pytest
from driver import Lab
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = pytest.mark.slow  # a browser

QUESTION = "Which of the two plain networks has learnt its own training images after four epochs?"
ASK = f"""from cnnlab import course, view
guess = course.predict("06.depth", ["20 layers", "56 layers", "no difference"], {QUESTION!r})
guess"""
MARK = """series = {"20 layers": [10, 60, 90, 99], "56 layers": [10, 10, 11, 12]}
view.predicted(view.lines(series, x="epoch", y="accuracy (%)"), guess.value)"""


@pytest.fixture(scope="module")
def stored(lab: Lab) -> str:
    """A lesson as it is committed: executed once, where nobody chose."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in (ASK, MARK, 'guess.beside("20 layers")')])
    NotebookClient(notebook, timeout=600).execute()
    nbformat.write(notebook, lab.folder / "prediction.ipynb")
    return "prediction.ipynb"


def test_a_prediction_is_made_by_the_keyboard(lab: Lab, stored: str):
    notebook = lab.open(stored)
    before = notebook.show(0)
    before.get_by_text("Nothing is chosen yet.").wait_for()  # a file that is not trusted yet: the question as text
    assert QUESTION in before.inner_text() and "no difference" in before.inner_text()
    notebook.run_all()
    shown = notebook.show(0)
    shown.get_by_role("radio").nth(2).wait_for()
    assert QUESTION in shown.inner_text() and not shown.locator(":checked").count()
    shown.get_by_role("radio", name="20 layers").focus()
    notebook.page.keyboard.press("Tab")
    notebook.page.keyboard.press("Space")
    assert notebook.comes(lambda: notebook.ask("guess.choice") == "'56 layers'")
    notebook.show(0).get_by_text("You predict: 56 layers.").wait_for()
    notebook.run_all()
    assert notebook.errors() == []
    assert notebook.outputs(1)[0]["data"]["text/plain"].endswith("You predicted: 56 layers.")
    said = notebook.outputs(2)[0]["data"]["text/plain"]
    assert said == "You predicted: 56 layers. Measured: 20 layers."
    assert notebook.show(0).get_by_role("radio", name="56 layers").is_checked()  # and it is kept
    lab.close(notebook)
