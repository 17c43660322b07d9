"""The site in a browser, from files and without a network: what moves, what is found, on a phone and a large screen."""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from driver import FLAGS, WAIT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import Page, Playwright, expect

from cnnlab.teaching import execute, site

pytestmark = pytest.mark.slow  # a browser, a kernel

DRAW = """
from cnnlab import view

def draw(depth=20, kind="plain"):
    if (depth, kind) == (8, "residual"):
        raise ValueError("there is none")
    figure, axis = view.figure(size=(3, 1))
    axis.plot([0, depth])
    return view.Picture(figure, f"A {kind} network of {depth} layers")

view.explore(draw, depth=[8, 20, 56], kind=["plain", "residual"])
"""
SLIDER = DRAW.replace("depth=[8, 20, 56]", "depth=(8, 56, 12)")
WIDE = "long = " + repr("x" * 79)  # 88 columns


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    cells = [
        new_markdown_cell("# 01 · A lesson\n\nWords.\n\n## Play\n\nA shortcut is an identity."),
        new_code_cell(DRAW),
    ]
    cells += [new_markdown_cell("## The end\n\nNothing here."), new_code_cell(SLIDER), new_code_cell(WIDE)]
    lesson = folder / "01-a.ipynb"
    nbformat.write(new_notebook(cells=cells), lesson)
    execute.execute(lesson)
    site.build(folder / "site", [lesson])
    return folder / "site" / "01-a.html"


@pytest.fixture(params=[390, 1366, 1920])
def page(playwright: Playwright, browser_path: str, built: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS, timeout=WAIT)
    page = browser.new_page(viewport={"width": request.param, "height": 800})
    page.set_default_timeout(WAIT)
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"file://{built}")
    yield page
    assert said == []
    browser.close()


def test_a_picture_follows_its_controls_by_the_keyboard(page):
    lists, slider = page.locator(".moves").all()
    picture, words = lists.locator("img"), lists.get_by_role("status")
    expect(words).to_have_text("A plain network of 20 layers")
    lists.get_by_role("slider").press("ArrowRight")
    expect(picture).to_have_attribute("alt", "A plain network of 56 layers")
    assert picture.evaluate("async image => { await image.decode(); return image.naturalWidth }") > 100
    lists.get_by_label("kind").select_option("residual")
    expect(words).to_have_text("A residual network of 56 layers")
    lists.get_by_role("slider").press("Home")
    expect(words).to_have_text("⚠ there is none")
    expect(picture).to_be_hidden()
    slider.get_by_role("slider").press("ArrowRight")
    expect(slider.get_by_role("slider")).to_have_attribute("aria-valuetext", "32")
    expect(slider.get_by_role("status")).to_have_text("A plain network of 32 layers")


def test_words_are_found_in_all_pages(page):
    page.get_by_label("Search all lessons").fill("identity shortcut")
    link = page.locator("#found a")
    expect(link).to_have_text("01 · A lesson: Play")
    link.click()
    assert page.url.endswith("01-a.html#play")
    page.get_by_label("Search all lessons").fill("no such words anywhere")
    expect(page.locator("#found").get_by_role("status")).to_have_text("0 places")


def test_the_page_fits_and_can_be_read_by_all(page):
    wide = page.viewport_size["width"] > 1000
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    code = page.locator(".code pre").last
    assert code.evaluate("pre => pre.scrollWidth <= pre.clientWidth") == wide  # 88 columns
    assert page.locator(".contents").evaluate("contents => contents.open") == wide
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        serious = [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
        assert [f"{scheme}: {v['id']}: {v['nodes'][0]['html'][:150]}" for v in serious] == []
