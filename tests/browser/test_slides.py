"""A lesson's slides in a browser: each press shows something more, all of it fits, nothing is asked of a network."""

from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from driver import FLAGS, WAIT
from playwright.sync_api import Playwright

from cnnlab import files
from cnnlab.teaching import teach

pytestmark = pytest.mark.slow  # a browser
LESSONS = sorted(files.NOTEBOOKS.glob("*.ipynb"))
STATE = """() => {
  const now = slides[slide], seen = now.querySelector(".fit").getBoundingClientRect();
  return [slide, now.querySelectorAll(".step.shown").length, seen.bottom <= innerHeight, seen.right <= innerWidth];
}"""


@pytest.mark.parametrize("lesson", LESSONS[::6], ids=lambda path: path.stem)
def test_each_press_shows_something_that_fits(playwright: Playwright, browser_path: str, tmp_path: Path, lesson: Path):
    teach.slides(lesson, tmp_path / "slides.html")
    browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS, timeout=WAIT)
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"file://{tmp_path}/slides.html")
    number, seen = page.evaluate("slides.length"), []
    while not seen or seen[-1][0] < number - 1:
        seen.append(page.evaluate(STATE))
        page.keyboard.press("Space")
    assert all(before[:2] != after[:2] for before, after in pairwise(seen))
    assert all(down and across for _, _, down, across in seen)
    page.keyboard.press("Home")
    assert page.evaluate(STATE)[:2] == [0, 1]
    assert errors == [] and [url for url in asked if not url.startswith(("file:", "data:"))] == []
    cells = [cell for cell in nbformat.read(lesson, 4).cells if cell.cell_type == "markdown"]
    assert number > len(cells)
    browser.close()
