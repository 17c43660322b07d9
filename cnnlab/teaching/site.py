"""The lessons as a site: static pages that need no network and no server, with their figures, text and formulas.

    python -m cnnlab.teaching.site site

A page shows what a notebook stored: nothing is executed. Formulas become MathML, which browsers draw themselves; a
widget is the picture of its first state, a prediction its question; a surface still turns.
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

ROOT = files.CHECKOUT or Path()
STYLE = Path(__file__).with_name("site.css")
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
<header><nav aria-label="Lessons">{navigation}</nav></header>
<main id="main">
{body}
</main>
<footer><nav aria-label="Next">{navigation}</nav></footer>
</body>
</html>
"""

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


def build(out: str | Path, notebooks: Sequence[Path] | None = None) -> list[Path]:
    """Write the site into a folder, which is made where it is not there, and return its pages.

    notebooks: the lessons, in order (default: all). Files of that name in the folder are replaced, others left alone.
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
        body = _notebook(nbformat.read(path, as_version=4))
        turning |= 'class="turns"' in body
        pages.append(_write(out / f"{path.stem}.html", titles[path.stem], body, " ".join(links)))
    shutil.copyfile(STYLE, out / "site.css")
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
    return pages


def _write(path: Path, title: str, body: str, navigation: str) -> Path:
    description = html.escape(f"{title}. cnnlab, a course on convolutional networks that can be run.")
    page = PAGE.format(title=html.escape(title), description=description, navigation=navigation, body=body)
    path.write_text(page, encoding="utf-8")
    return path


def _title(notebook: NotebookNode) -> str:
    first = next((cell.source for cell in notebook.cells if cell.cell_type == "markdown"), "")
    return first.partition("\n")[0].lstrip("# ") or "A lesson"


def _notebook(notebook: NotebookNode) -> str:
    parts = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            parts.append(_markdown(cell.source))
        elif cell.cell_type == "code":
            parts.append(_code(cell.source))
            parts += [_output(output, f"figure-{number}-{i}") for i, output in enumerate(_joined(cell.outputs))]
    return "\n".join(parts)


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


def _output(output: NotebookNode, name: str) -> str:
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
        moved = re.match(r"Explorer of (.*?)\. ", words)
        note = f"In the notebook this picture moves: {moved.group(1)}." if moved else ""
        return f"<figure>{picture}{f'<figcaption>{note}</figcaption>' if note else ''}</figure>"
    if WIDGET in data and "text/html" not in data:
        return ""  # a progress bar: it has done its work
    if "text/html" in data:
        shown = data["text/html"].replace("<pre ", '<pre tabindex="0" ')
        return f'<div class="output scrolls" tabindex="0">{_without_empty_headings(shown)}</div>'
    return f'<pre class="output" tabindex="0">{html.escape(words)}</pre>'


def _inside_script(value: object) -> str:
    return json.dumps(value).replace("</", "<\\/")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="the folder to write into")
    print(f"{len(build(parser.parse_args().out))} pages")


if __name__ == "__main__":
    main()
