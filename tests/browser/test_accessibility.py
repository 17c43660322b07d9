"""The lessons for those who do not see them, do not see colours, or read them on a dark screen.

That every widget can be moved by the keyboard is in test_lab.py, where a kernel answers.
"""

import re
from collections.abc import Iterator
from html import unescape
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from driver import FLAGS, LESSONS, WAIT
from matplotlib import rcParams
from matplotlib.colors import to_rgb
from playwright.sync_api import Browser, Playwright

from cnnlab import view
from cnnlab.lessons import exercise
from cnnlab.teaching import site
from cnnlab.view.source import _Readable

pytestmark = pytest.mark.slow  # notebooks, a browser

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
WHITE, LIGHT, DARK = "#ffffff", "#ffffff", "#111111"  # a figure's paper, JupyterLab's backgrounds


def outputs(lesson: Path) -> list[nbformat.NotebookNode]:
    cells = nbformat.read(lesson, as_version=4).cells
    return [o for cell in cells if cell.cell_type == "code" for o in cell.outputs if "data" in o]


def alternatives(lesson: Path) -> list[str]:
    """What stands for the figures that stand still, and for those that turn."""
    still = [o.metadata["image/png"]["alt"] for o in outputs(lesson) if "image/png" in o.data]
    return still + [o.data["text/plain"].partition(": ")[2] for o in outputs(lesson) if site.PLOTLY in o.data]


@each_lesson
def test_alternative_texts_say_what_the_figures_show(lesson):
    texts = alternatives(lesson)
    assert texts
    for text in texts:
        assert len(text) >= 40 and len(text.split()) >= 6, text
        assert re.search(r"\d", text), f"no number: {text}"
        assert not re.search(r"\.(?:png|jpe?g|svg)\b", text), f"a file's name: {text}"
        assert texts.count(text) == 1, f"twice: {text}"


@each_lesson
def test_headings_go_down_one_level_at_a_time(lesson):
    cells = nbformat.read(lesson, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    levels = [len(marks) for marks in re.findall(r"^(#+) ", re.sub(r"(?ms)^```.*?^```", "", text), re.M)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@each_lesson
def test_a_text_stands_below_what_moves(lesson):
    """The page that a notebook stores shows the words of an explorer's picture, not only their place in its HTML."""
    stored = nbformat.read(lesson, as_version=4).metadata.widgets[site.WIDGET.replace("view", "state")]["state"]
    shown = [unescape(m["state"].get("value", "")) for m in stored.values() if m["model_name"] == "HTMLModel"]
    explorers = [o for o in outputs(lesson) if str(o.data.get("text/plain", "")).startswith("Explorer of")]
    assert explorers
    for output in explorers:
        alt = output.metadata["image/png"]["alt"]
        assert any(f'alt="{alt}"' in text and re.search(r'<p role="status"[^>]*>' + re.escape(alt), text)
                   for text in shown)  # fmt: skip


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_contrast_is_computed_as_the_standard_says():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_text_in_figures_and_boxes_can_be_read_on_any_background():
    """Figures, boxes and listings bring their own paper, so that a dark theme never lies behind their text."""
    assert rcParams["figure.facecolor"] == "white" and rcParams["savefig.facecolor"] == "auto"
    assert not rcParams["savefig.transparent"]
    inks = ("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color")
    on_figures = [view.INK, view.GREY, *(rcParams[ink] for ink in inks if rcParams[ink] != "auto")]
    pairs = [(f"#{ink}" if re.fullmatch("[0-9a-f]{6}", ink) else ink, WHITE) for ink in on_figures]
    for look, (_, _, ink, paper) in exercise._LOOKS.items():
        box = exercise._box(look, "text")
        assert f"background:{paper}" in box
        pairs += [(ink, paper), (re.search(r";color:(#\w+)", box).group(1), paper)]
    styles = [style["color"] for _, style in _Readable if style["color"]]
    pairs += [(f"#{colour}", _Readable.background_color) for colour in styles]
    assert {pair: round(contrast(*pair), 2) for pair in pairs if contrast(*pair) < 4.5} == {}


def test_lines_and_bars_stand_out_from_their_paper_or_have_another_cue():
    """Orange and sky blue are too light on white for a thin line: they come last, and each line has its own marker."""
    palette = [view.BLUE, view.VERMILLION, view.GREEN, view.PURPLE, view.ORANGE, view.SKY]
    assert [colour for colour in palette if contrast(colour, WHITE) < 3] == [view.ORANGE, view.SKY]
    cycle = rcParams["axes.prop_cycle"].by_key()
    colours = ["#" + colour.lstrip("#").upper() for colour in cycle["color"]]
    assert colours[-2:] == [view.ORANGE, view.SKY] and len(set(cycle["marker"])) == len(colours)


def test_the_edge_of_a_feedback_box_shows_on_light_and_dark():
    """The box itself does on a dark page, its edge on a light one."""
    for _, _, ink, paper in exercise._LOOKS.values():
        assert contrast(ink, LIGHT) >= 3 and contrast(paper, DARK) >= 3


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    site.build(folder, moving=False)
    return folder


@pytest.fixture(scope="module")
def browser(playwright: Playwright, browser_path: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS, timeout=WAIT)
    yield browser
    browser.close()


@pytest.mark.parametrize("name", [*(path.stem for path in LESSONS), "index", "TEACHING", "CONTRIBUTING", "RESULTS"])
def test_axe_finds_nothing_serious_on_a_page(browser, pages, name):
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(WAIT)
    page.goto(f"file://{pages}/{name}.html")
    all_rules = {"resultTypes": ["violations"]}
    colours = all_rules | {"runOnly": {"type": "rule", "values": ["color-contrast"]}}  # a dark page has no other markup
    for scheme, rules in (("light", all_rules), ("dark", colours)):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page, options=rules).response["violations"]
        serious = [v for v in found if v["impact"] in ("serious", "critical")]
        said = [f"{scheme}: {v['id']}: {v['nodes'][0]['html'][:150]} ({len(v['nodes'])} places)" for v in serious]
        assert said == []
    page.close()
