"""The pictures of a lesson's explorers, drawn once, so that a page without a kernel can move them.

`explorers` runs what they need of a lesson in a kernel. Where the values of all controls make few pictures, each has
its own; where they make many, each control moves alone while the others stand at their first values; or none moves.
"""

import io
import json
import math
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import ipywidgets as widgets
import nbformat
from nbclient import NotebookClient
from PIL import Image

from cnnlab.teaching import teach
from cnnlab.view import Explorer

MOST, ROOM = 60, 2 * 2**20  # pictures of an explorer, and bytes of a lesson's

FIRST = """
import sys
import cnnlab.view
_room, made_here = sys.modules["cnnlab.view.explore"], []
class _Kept(_room.Explorer):
    def __init__(self, *given):
        super().__init__(*given)
        made_here.append(self)
_room.Explorer = _Kept
"""
LAST = """
from cnnlab.teaching import moving
moving.keep(made_here, {folder!r})
"""


@dataclass(frozen=True)
class Control:
    """One control of an explorer: what its values are called, at which it starts, whether it is a slider's numbers."""

    label: str
    values: tuple[str, ...]
    start: int
    numbers: bool


@dataclass(frozen=True)
class Moving:
    """An explorer on paper.

    together: whether all combinations are drawn, or each control moves alone.
    shown: by the indices of the controls' values, "0,2,1", the file of the picture, or "" where there can be none, and
        what is said under it.
    """

    controls: tuple[Control, ...]
    together: bool
    shown: dict[str, tuple[str, str]]


def explorers(lesson: Path, folder: Path) -> list[Moving | None]:
    """Of each explorer of a lesson, in order, what moves, its pictures written into a folder; None for too many."""
    notebook = nbformat.read(lesson, as_version=4)
    for cell in notebook.cells:
        here = "view.explore(" in cell.source or cell.source.startswith(("import ", "from "))
        cell.metadata["cnnlab"] = {"own": here or "parameters" in cell.metadata.get("tags", [])}
    for cell, source in zip(notebook.cells, teach.needed(notebook.cells), strict=True):
        if cell.cell_type == "code":
            cell.source = "" if "course.check(" in source else source
    with TemporaryDirectory() as beside:
        ends = [nbformat.v4.new_code_cell(source) for source in (FIRST, LAST.format(folder=beside))]
        notebook.cells = [ends[0], *notebook.cells, ends[1]]
        where = {"metadata": {"path": str(lesson.parent)}}
        NotebookClient(notebook, timeout=1800, resources=where).execute()
        kept = json.loads((Path(beside) / "moving.json").read_text(encoding="utf-8"))
        return [one and _written(one, Path(beside), folder, f"{lesson.stem}-{n}") for n, one in enumerate(kept)]


def _written(one: dict, beside: Path, folder: Path, name: str) -> Moving:
    """What a kernel has kept, its pictures under names of this lesson."""
    shown = {}
    for number, (where, (file, words)) in enumerate(one["shown"].items()):
        if file:
            (folder / f"{name}-{number}.webp").write_bytes((beside / file).read_bytes())
        shown[where] = (f"{name}-{number}.webp" if file else "", words)
    return Moving(tuple(Control(**control) for control in one["controls"]), one["together"], shown)


def keep(made: list[Explorer], folder: str) -> None:
    """In the lesson's kernel: draw what its explorers can show, as far as there is room."""
    kept, room = [], ROOM
    for number, explorer in enumerate(made):
        moving, pictures = _drawn(explorer, f"{number}")
        size = sum(map(len, pictures.values()))
        if moving is None or size > room:
            kept.append(None)
            continue
        room -= size
        kept.append(asdict(moving))
        for file, picture in pictures.items():
            Path(folder, file).write_bytes(picture)
    Path(folder, "moving.json").write_text(json.dumps(kept), encoding="utf-8")


def _drawn(explorer: Explorer, name: str) -> tuple[Moving | None, dict[str, bytes]]:
    values = {key: values_of(control) for key, control in explorer.controls.items()}
    starts = [list(values[key]).index(_text(control)) for key, control in explorer.controls.items()]
    lengths = [len(some) for some in values.values()]
    together = math.prod(lengths) <= MOST
    if together:
        places = list(product(*map(range, lengths)))
    else:
        places = [tuple(starts)]
        for index, length in enumerate(lengths):
            places += [(*starts[:index], i, *starts[index + 1 :]) for i in range(length) if i != starts[index]]
    if len(places) > MOST:
        return None, {}
    shown, pictures = {}, {}
    for place in places:
        given = {key: list(some.values())[i] for (key, some), i in zip(values.items(), place, strict=True)}
        file, words = f"{name}-{len(shown)}.webp", ""
        try:
            picture = explorer.drawn(**given)
        except ValueError as error:
            file, words = "", f"⚠ {error}"
        else:
            out, words = io.BytesIO(), picture.alt
            Image.open(io.BytesIO(picture.png())).convert("RGB").save(out, "WEBP", quality=80, method=6)
            pictures[file] = out.getvalue()
        shown[",".join(map(str, place))] = (file, words)
    controls = []
    for (key, some), start in zip(values.items(), starts, strict=True):
        numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in some.values())
        controls.append(Control(explorer.controls[key].description, tuple(some), start, numbers))
    return Moving(tuple(controls), together, shown), pictures


def values_of(control: widgets.Widget) -> dict[str, object]:
    """The values that a control can have, by what they are called."""
    if isinstance(control, widgets.Checkbox):
        return {"no": False, "yes": True}
    if hasattr(control, "options"):
        return {
            str(label): value for label, value in zip(control._options_labels, control._options_values, strict=True)
        }
    steps = round((control.max - control.min) / control.step)
    whole = isinstance(control, widgets.IntSlider)
    values = [control.min + i * control.step for i in range(steps + 1)]
    return {f"{value:g}": value if whole else round(value, 10) for value in values}


def _text(control: widgets.Widget) -> str:
    """What the value at which a control stands is called."""
    values = values_of(control)
    if isinstance(control, (widgets.IntSlider, widgets.FloatSlider)):
        return min(values, key=lambda text: abs(values[text] - control.value))
    return next(text for text, value in values.items() if value == control.value)
