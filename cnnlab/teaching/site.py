"""The lessons as a site: static pages that need no network and no server, with their figures, text and formulas.

    python -m cnnlab.teaching.site site

A page shows what a notebook stored. Formulas become MathML, which browsers draw themselves; a prediction is its
question; a surface still turns. An explorer whose controls have few values moves here, too: its pictures are drawn
once, in a kernel, while the site is built; the others are the pictures of their first states.
"""

import argparse
import html
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat
from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from cnnlab import files
from cnnlab.teaching.moving import Moving, explorers

ROOT = files.CHECKOUT or Path()
STYLE, SCRIPT = (Path(__file__).with_name(name) for name in ("site.css", "site.js"))
HEADING = re.compile(r'<h([23]) id="([^"]+)">(.*?)</h[23]>', re.DOTALL)  # as `_with_anchors` leaves them
PLOTLY, WIDGET = "application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="{description}">
<title>{title}</title>
<link rel="stylesheet" href="site.css">
</head>
<body>
<a class="skip" href="#main">To the text</a>
<header>
<nav aria-label="Lessons">{navigation}</nav>
<search><label>Search all lessons <input id="search" type="search" autocomplete="off"></label>
<div id="found" hidden><p role="status"></p><ul></ul></div></search>
</header>
<div class="page">
{contents}
<main id="main">
{body}
</main>
</div>
<footer><nav aria-label="Next">{navigation}</nav></footer>
<script src="site.js"></script>
</body>
</html>
"""

CONTENTS = """<details class="contents" open><summary>On this page</summary>
<nav aria-label="On this page"><ol>{items}</ol></nav></details>"""

MOVING = """<figure class="moves" data-moves="{data}"><div class="controls">{controls}</div>
{picture}<p role="status">{words}</p><figcaption>{note}</figcaption></figure>"""

FOLDED = """<details class="code-folded"><summary>Code of this cell: {lines}</summary>{code}</details>"""

TURNING = """<figure class="turns"><div id="{name}" role="group" aria-label="{alt}"></div>
<figcaption>{alt}</figcaption></figure>
<script src="plotly.min.js"></script>
<script>Plotly.newPlot("{name}", {data}, {layout}, {{responsive: true}});</script>"""


class Renderer(IPythonRenderer):
    """Markdown with formulas in MathML, links between the pages, and without what only a notebook can use."""

    def __init__(self) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)

    def block_math(self, body: str) -> str:
        return f'<div class="formula" tabindex="0">{convert(body, display="block")}</div>'

    def inline_math(self, body: str) -> str:
        return convert(body)

    def link(self, text: str, url: str, title: str | None = None) -> str:
        page = re.sub(
            r"^(?:notebooks/|benchmarks/)?(\d\d-[\w-]+|TEACHING|CONTRIBUTING|RESULTS)\.(?:ipynb|md)", r"\1.html", url
        )
        return super().link(text, page, title)

    def block_code(self, code: str, info: str | None = None) -> str:
        return _code(code) if info in ("python", None) else f'<pre tabindex="0">{html.escape(code)}</pre>'


def build(out: str | Path, notebooks: Sequence[Path] | None = None, moving: bool = True) -> list[Path]:
    """Write the site into a folder, which is made where it is not there, and return its pages.

    notebooks: the lessons, in order (default: all). Files of that name in the folder are replaced, others left alone.
    moving: whether explorers move, for which each lesson needs a kernel for some seconds to minutes.
    """
    out = Path(out)
    lessons = sorted(files.NOTEBOOKS.glob("*.ipynb")) if notebooks is None else list(notebooks)
    out.mkdir(parents=True, exist_ok=True)
    titles = {}
    for path in lessons:
        titles[path.stem] = _title(nbformat.read(path, as_version=4))
    pages, turning, home = [], False, '<a href="index.html">cnnlab: all lessons</a>'
    for place, path in enumerate(lessons):
        around = {"Before": lessons[place - 1] if place else None}
        around["Next"] = lessons[place + 1] if place + 1 < len(lessons) else None
        links = [
            home,
            *(
                f'<a href="{path.stem}.html">{word}: {html.escape(titles[path.stem])}</a>'
                for word, path in around.items()
                if path
            ),
        ]
        body = _notebook(nbformat.read(path, as_version=4), explorers(path, out) if moving else [])
        turning |= 'class="turns"' in body
        pages.append(_write(out / f"{path.stem}.html", titles[path.stem], body, " ".join(links)))
    for file in (STYLE, SCRIPT):
        shutil.copyfile(file, out / file.name)
    pages_of = {
        "benchmarks/RESULTS": "RESULTS",
        "TEACHING": "TEACHING",
        "CONTRIBUTING": "CONTRIBUTING",
        "README": "index",
    }
    for source, name in pages_of.items():
        text = (ROOT / f"{source}.md").read_text(encoding="utf-8")
        pages.append(_write(out / f"{name}.html", text.partition("\n")[0].lstrip("# "), _markdown(text), home))
        for file in re.findall(r"\]\(((?:data/pictures/)?[\w-]+(?:\.png|\.txt)?)\)", text):
            if (ROOT / file).is_file():
                (out / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / file, out / file)
    if turning:
        import plotly

        shutil.copyfile(Path(plotly.__file__).with_name("package_data") / "plotly.min.js", out / "plotly.min.js")
    sections = [section for page in pages for section in _sections(page)]
    (out / "search.js").write_text(f"window.sections = {_inside_script(sections)};", encoding="utf-8")
    return pages


def _write(path: Path, title: str, body: str, navigation: str) -> Path:
    description = html.escape(f"{title}. cnnlab, a course on convolutional networks that can be run.")
    body = _with_anchors(body)
    headings = HEADING.findall(body)
    items = "".join(f'<li class="h{level}"><a href="#{id}">{text}</a></li>' for level, id, text in headings)
    contents = CONTENTS.format(items=items) if len(headings) > 1 else ""
    page = PAGE.format(
        title=html.escape(title), description=description, navigation=navigation, contents=contents, body=body
    )
    path.write_text(page, encoding="utf-8")
    return path


def _with_anchors(body: str) -> str:
    """The headings of sections with an id each, made of their words."""
    taken: set[str] = set()

    def anchored(heading: re.Match) -> str:
        words = name = "-".join(re.findall(r"\w+", _words(heading[2]).lower()))
        while name in taken:
            name += f"-{words}"
        taken.add(name)
        return f'<h{heading[1]} id="{name}">{heading[2]}</h{heading[1]}>'

    return re.sub(r"<h([23])>(.*?)</h\1>", anchored, body, flags=re.DOTALL)


def _sections(page: Path) -> list[tuple[str, str, str, str, str]]:
    """What the search looks through: file, anchor, the page's title, the section's heading and its words."""
    body = page.read_text(encoding="utf-8").partition("<main")[2].partition("</main>")[0].partition(">")[2]
    title = html.unescape(re.search(r"<title>(.*?)</title>", page.read_text(encoding="utf-8"))[1])
    parts = HEADING.split(body)
    sections = [(page.name, "", title, title, _words(parts[0]))]
    for _, id, heading, text in zip(parts[1::4], parts[2::4], parts[3::4], parts[4::4], strict=True):
        sections.append((page.name, id, title, _words(heading), _words(text)))
    return sections


def _words(body: str) -> str:
    """A piece of a page as text: without what is drawn, computed in scripts or folded away."""
    body = re.sub(r"<(script|details|math)\b.*?</\1>", " ", body, flags=re.DOTALL)
    body = re.sub(r"</?(span|a|b|em|strong|code|sub|sup)\b[^>]*>", "", body)  # within a word
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def _title(notebook: NotebookNode) -> str:
    first = next((cell.source for cell in notebook.cells if cell.cell_type == "markdown"), "")
    return first.partition("\n")[0].lstrip("# ") or "A lesson"


def _notebook(notebook: NotebookNode, moving: Sequence[Moving | None] = ()) -> str:
    parts, moves = [], iter(moving)
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            parts.append(_markdown(cell.source))
        elif cell.cell_type == "code":
            hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
            parts.append(_folded(cell.source) if hidden else _code(cell.source))
            for i, output in enumerate(_joined(cell.outputs)):
                explorer = str(output.get("data", {}).get("text/plain", "")).startswith("Explorer of ")
                parts.append(_output(output, f"figure-{number}-{i}", next(moves, None) if explorer else None))
    return "\n".join(parts)


def _folded(source: str) -> str:
    lines = len(source.splitlines())
    return FOLDED.format(lines=f"{lines} line{'s' if lines > 1 else ''}", code=_code(source))


def _markdown(source: str) -> str:
    text = MarkdownWithMath(renderer=Renderer()).render(source)
    text = re.sub(r"<thead>\s*<tr>(?:\s*<th[^>]*></th>)+\s*</tr>\s*</thead>", "", text)  # of a title card: it has none
    return (
        _without_empty_headings(text)
        .replace("<table>", '<div class="scrolls" tabindex="0"><table>')
        .replace("</table>", "</table></div>")
    )


def _without_empty_headings(text: str) -> str:
    """An empty heading of a column says nothing to those who hear it."""
    return re.sub(r"<th(?:\s[^>]*)?></th>", "<td></td>", text)


def _code(source: str) -> str:
    return highlight(source, PythonLexer(), HtmlFormatter(cssclass="code")).replace("<pre>", '<pre tabindex="0">', 1)


def _joined(outputs: Sequence[NotebookNode]) -> list[NotebookNode]:
    """What was printed in several pieces as one."""
    joined = []
    for output in outputs:
        if joined and output.output_type == joined[-1].output_type == "stream":
            joined[-1] = NotebookNode(joined[-1], text=joined[-1].text + output.text)
        else:
            joined.append(output)
    return joined


def _output(output: NotebookNode, name: str, moving: Moving | None = None) -> str:
    if output.output_type == "stream":
        return f'<pre class="output" tabindex="0">{html.escape(output.text)}</pre>'
    data: Mapping[str, object] = output.get("data", {})
    words = str(data.get("text/plain", ""))
    if PLOTLY in data:
        alt = html.escape(words.partition(": ")[2])
        drawn = {key: _inside_script(data[PLOTLY][key]) for key in ("data", "layout")}
        return TURNING.format(name=name, alt=alt, **drawn)
    if "image/png" in data:
        about = output.metadata.get("image/png", {})
        width = f' width="{about["width"]}"' if "width" in about else ""
        picture = (
            f'<img src="data:image/png;base64,{data["image/png"].strip()}" alt="{html.escape(about["alt"])}"{width}>'
        )
        if moving:
            return _moving(moving, picture, about["alt"])
        moved = re.match(r"Explorer of (.*?)\. ", words)
        note = f"In the notebook this picture moves: {moved.group(1)}." if moved else ""
        return f"<figure>{picture}{f'<figcaption>{note}</figcaption>' if note else ''}</figure>"
    if WIDGET in data and "text/html" not in data:
        return ""  # a progress bar: it has done its work
    if "text/html" in data:
        shown = data["text/html"].replace("<pre ", '<pre tabindex="0" ')
        return f'<div class="output scrolls" tabindex="0">{_without_empty_headings(shown)}</div>'
    return f'<pre class="output" tabindex="0">{html.escape(words)}</pre>'


def _moving(moving: Moving, picture: str, words: str) -> str:
    """An explorer with its controls; it starts with the picture that the notebook has."""
    starts = [control.start for control in moving.controls]
    data = json.dumps({"starts": starts, "together": moving.together, "shown": moving.shown})
    controls = []
    for control in moving.controls:
        label = html.escape(control.label)
        if control.numbers:
            names = html.escape(json.dumps(control.values))
            first = html.escape(control.values[control.start])
            slider = (
                f'type="range" min="0" max="{len(control.values) - 1}" value="{control.start}" data-values="{names}"'
            )
            shown = f'<span aria-hidden="true">{first}</span>'
            controls.append(f'<label>{label} <input {slider} aria-valuetext="{first}">{shown}</label>')
            continue
        options = "".join(
            f'<option value="{i}"{" selected" if i == control.start else ""}>{html.escape(value)}</option>'
            for i, value in enumerate(control.values)
        )
        controls.append(f"<label>{label} <select>{options}</select></label>")
    alone = "" if moving.together else "One control moves at a time here, the others stand at their first values; "
    note = alone + ("in the notebook they move together, and further." if alone else "")
    return MOVING.format(
        data=html.escape(data), controls="".join(controls), picture=picture, words=html.escape(words), note=note
    )


def _inside_script(value: object) -> str:
    return json.dumps(value).replace("</", "<\\/")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="the folder to write into")
    print(f"{len(build(parser.parse_args().out))} pages")


if __name__ == "__main__":
    main()
