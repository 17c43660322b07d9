"""A notebook that was saved and opened again shows its widgets' last pictures before any cell has run.

They are drawn where the cells run, although JupyterLab tells them of their values in another thread.
"""

import re

import nbformat
import pytest
from driver import WAIT, Lab
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

pytestmark = pytest.mark.slow  # a browser

DRAW = """
import threading
import matplotlib
matplotlib.use("agg")
from matplotlib.figure import Figure
from cnnlab import view
from cnnlab.view import Picture

threads = {"told": [], "drawn": []}

def draw(kernel=3):
    threads["drawn"].append(threading.current_thread() is threading.main_thread())
    return Picture(Figure(figsize=(1, 1)), f"{kernel} pixels")

def told(change):
    threads["told"].append(threading.current_thread() is threading.main_thread())

explorer = view.explore(draw, kernel=(1, 7, 2))
explorer.controls["kernel"].observe(told, "value")
explorer
"""


def test_a_widget_of_a_saved_notebook_shows_its_last_picture(lab: Lab):
    path = lab.folder / "saved.ipynb"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # or a box asks for it
    nbformat.write(new_notebook(cells=[new_code_cell(DRAW)], metadata=kernel), path)
    notebook = lab.open(path.name)
    notebook.run_all()
    explorer = notebook.show(0).locator(".widget-interact")
    expect(explorer.get_by_role("status")).to_have_text("3 pixels", timeout=WAIT)
    explorer.get_by_role("slider").focus()
    for key, pixels in (("ArrowRight", 5), ("ArrowRight", 7), ("ArrowLeft", 5)):
        notebook.page.keyboard.press(key)
        expect(explorer.get_by_role("status")).to_have_text(f"{pixels} pixels", timeout=WAIT)
    threads = eval(notebook.ask("threads"))
    assert False in threads["told"] and threads["drawn"] == [True] * 4
    notebook.js("await panel.context.save()")
    lab.close(notebook)

    opened = lab.open(path.name)
    shown = opened.show(0)
    expect(shown.get_by_role("status")).to_have_text("5 pixels", timeout=WAIT)
    assert "model not found" not in shown.inner_text()
    assert shown.locator("img").evaluate("image => image.naturalWidth") > 10
    assert re.search(r"img alt=.{1,3}5 pixels", str(nbformat.read(path, as_version=4).metadata.widgets))
    lab.close(opened)
