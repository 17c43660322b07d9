"""The site: every lesson a page that needs nothing but itself, and that can be read without seeing its pictures."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cnnlab.teaching import site


class Page(HTMLParser):
    """What a page links to, its headings and its pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.needs, self.links, self.levels, self.alts, self.ids = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids.append(given.get("id"))
        if tag in ("img", "script", "link"):
            self.needs += [given[key] for key in ("src", "href") if key in given]
        if tag == "a":
            self.links.append(given["href"])
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "img":
            self.alts.append(given.get("alt", ""))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("site")
    site.build(out, moving=False)
    return out


LESSONS = sorted((site.ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("name", [*(path.stem for path in LESSONS), "index", "TEACHING", "CONTRIBUTING", "RESULTS"])
def test_a_page_is_whole(folder, name):
    text = (folder / f"{name}.html").read_text(encoding="utf-8")
    page = Page(text)
    for needed in page.needs:
        assert needed.startswith("data:image/png;base64,") or (folder / needed).is_file(), needed[:80]
    for link in page.links:
        target, _, fragment = link.partition("#")
        if not re.match("https?:", link):
            assert not target or (folder / target).is_file(), link
            assert target or fragment in page.ids, link
    assert page.levels[0] == 1 and page.levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(page.levels, page.levels[1:], strict=False))
    assert (page.alts or name in ("TEACHING", "CONTRIBUTING", "RESULTS")) and all(len(alt) > 20 for alt in page.alts)
    for used in ("$$", "\\frac", "jupyter.widget"):
        assert used not in re.sub(r"<pre.*?</pre>|<code.*?</code>", "", text, flags=re.DOTALL)


def test_sections_have_anchors_a_table_of_contents_and_are_searched(tmp_path):
    cells = [new_markdown_cell("# A lesson\n\nFirst words.\n\n## The `loss`\n\nA *valley* here.\n\n## The `loss`")]
    cells.append(new_code_cell("hidden = 1", metadata={"jupyter": {"source_hidden": True}}))
    nbformat.write(new_notebook(cells=cells), tmp_path / "01-a.ipynb")
    page = site.build(tmp_path / "out", [tmp_path / "01-a.ipynb"], moving=False)[0].read_text(encoding="utf-8")
    assert '<li class="h2"><a href="#the-loss">The <code>loss</code></a></li>' in page
    assert 'id="the-loss"' in page and 'id="the-loss-the-loss"' in page
    assert "<summary>Code of this cell: 1 line</summary>" in page
    found = json.loads(
        (tmp_path / "out" / "search.js").read_text(encoding="utf-8").removeprefix("window.sections = ").rstrip(";")
    )
    assert ["01-a.html", "", "A lesson", "A lesson", "A lesson First words."] in found
    assert ["01-a.html", "the-loss", "A lesson", "The loss", "A valley here."] in found
    assert not any("hidden" in text for page, *_, text in found if page == "01-a.html")


LESSON = """
import matplotlib.pyplot as plt
from cnnlab import view

def draw(depth=2, kind="plain", shown=True):
    if kind == "none":
        raise ValueError("there is none")
    fig, _ = view.figure(size=(2, 1))
    return view.Picture(fig, f"A drawing of {kind}, {depth} deep, shown: {shown}")
"""


@pytest.mark.slow  # a kernel
@pytest.mark.parametrize(("deepest", "together"), [(3, True), (40, False), (80, None)])
def test_an_explorer_of_few_values_moves(tmp_path, deepest, together):
    show = f"view.explore(draw, depth=(1, {deepest}), kind=['plain', 'none'], shown=True)"
    picture = {"image/png": "QUJD", "text/plain": "Explorer of depth, kind, shown. Picture: A drawing"}
    output = new_output("display_data", picture, metadata={"image/png": {"alt": "A drawing of a block, to move"}})
    cells = [new_markdown_cell("# A lesson"), new_code_cell(LESSON), new_code_cell("run = 1 / 0")]
    cells.append(new_code_cell(show, outputs=[output]))
    nbformat.write(new_notebook(cells=cells), tmp_path / "01-a.ipynb")
    out = tmp_path / "out"
    page = site.build(out, [tmp_path / "01-a.ipynb"])[0].read_text(encoding="utf-8")
    if together is None:
        assert "In the notebook this picture moves: depth, kind, shown." in page and not list(out.glob("*.webp"))
        return
    moves = json.loads(html.unescape(re.search(r'data-moves="(.*?)"', page)[1]))
    assert moves["starts"] == [1, 0, 1] and moves["together"] == together
    shown = moves["shown"]
    assert len(shown) == (3 * 2 * 2 if together else 1 + 39 + 1 + 1)
    assert shown["1,1,1"] == ["", "⚠ there is none"]
    assert shown["0,0,1"][1] == "A drawing of plain, 1 deep, shown: True" and (out / shown["0,0,1"][0]).is_file()
    assert len({file for file, _ in shown.values() if file}) == len(list(out.glob("*.webp")))
    assert "One control moves at a time" in page or together


def test_what_a_cell_showed_is_on_the_page(tmp_path):
    figure = {"image/png": "QUJD", "text/plain": "Explorer of depth. Picture: a figure that moves"}
    turns = {site.PLOTLY: {"data": [{"name": "</script>"}], "layout": {}}, "text/plain": "Rotatable: a <hill>"}
    outputs = [
        new_output("stream", text="one <b>\n"),
        new_output("stream", text="two\n"),
        new_output("display_data", figure, metadata={"image/png": {"alt": 'a "figure" that moves', "width": 700}}),
        new_output("display_data", {site.WIDGET: {}, "text/plain": "  0%|   |"}),
        new_output("display_data", turns),
        new_output("execute_result", {"text/plain": "42"}, execution_count=1),
    ]
    cells = [new_markdown_cell("# 01 · First\n\nWith $x^2$ and [the second](02-second.ipynb).")]
    cells.append(new_code_cell("print('one <b>')", outputs=outputs, execution_count=1))
    for name in ("01-first", "02-second"):
        nbformat.write(new_notebook(cells=cells), tmp_path / f"{name}.ipynb")
    out = tmp_path / "site"
    pages = site.build(out, sorted(tmp_path.glob("*.ipynb")), moving=False)
    assert [page.stem for page in pages] == ["01-first", "02-second", "RESULTS", "TEACHING", "CONTRIBUTING", "index"]
    assert 'href="RESULTS.html"' in pages[-1].read_text(encoding="utf-8")
    text = pages[0].read_text(encoding="utf-8")
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in text and 'href="02-second.html"' in text
    assert "one &lt;b&gt;\ntwo\n</pre>" in text and "0%|" not in text and ">42</pre>" in text
    assert 'alt="a &quot;figure&quot; that moves" width="700"' in text
    assert "In the notebook this picture moves: depth." in text
    assert 'aria-label="a &lt;hill&gt;"' in text and "<\\/script>" in text and (out / "plotly.min.js").is_file()
    assert '<a href="02-second.html">Next: 01 · First</a>' in text
