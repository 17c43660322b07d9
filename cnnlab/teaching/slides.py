"""A lesson as slides: one page that needs no network, scaled to the screen, where each press shows something more."""

import html
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from cnnlab.teaching import site

STYLE, SCRIPT = (Path(__file__).with_name(f"slides.{end}") for end in ("css", "js"))

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body class="slides">
{sections}
<p id="place" role="status"></p>
<script>
{script}
</script>
</body>
</html>
"""


def write(lesson: Path, out: Path, solution: Callable[[NotebookNode], str | None], is_check: Callable) -> None:
    """Write the slides of a lesson as one file.

    A piece of text is a slide; so is a cell that shows something, its code first, then its figures and what it prints.
    solution: that of the exercise whose stub a cell holds, for the speaker's notes, or None. is_check: whether a cell
    checks an answer; such cells are left out, as is what shows nothing.
    """
    notebook = nbformat.read(lesson, as_version=4)
    sections = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            sections.append(_section([site._markdown(cell.source)]))
        elif cell.cell_type == "code" and not is_check(cell):
            answer = solution(cell)
            shown = [_shown(output) for output in site._joined(cell.outputs)] if answer is None else []
            hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
            steps = ([] if hidden else [site._code(cell.source)]) + [text for text in shown if text]
            if answer is not None or any(shown):
                sections.append(_section(steps, answer))
    page = PAGE.format(
        title=html.escape(site._title(notebook)),
        style=site.STYLE.read_text(encoding="utf-8") + STYLE.read_text(encoding="utf-8"),
        script=SCRIPT.read_text(encoding="utf-8"),
        sections="\n".join(sections),
    )
    out.write_text(page, encoding="utf-8")


def _section(steps: Sequence[str], answer: str | None = None) -> str:
    parts = "\n".join(f'<div class="step">{step}</div>' for step in steps)
    notes = f'<aside class="notes"><p>One solution:</p>{site._code(answer)}</aside>' if answer else ""
    return f'<section><div class="fit">{parts}</div>{notes}</section>'


def _shown(output: NotebookNode) -> str:
    """An output without what needs a kernel or a library: of a widget its picture, of a landscape its words."""
    output = NotebookNode(output)
    if "data" in output:
        output.data = {kind: value for kind, value in output.data.items() if kind != site.PLOTLY}
    return site._output(output, "")
