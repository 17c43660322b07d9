"""Execute lessons in place, as `make notebooks` does. A lesson in which a cell fails is left as it was.

    python -m cnnlab.teaching.execute notebooks/01-lenet.ipynb
    python -m cnnlab.teaching.execute --with DATASET=cifar10 --with EPOCHS=1 notebooks/*.ipynb

The second tries whether the lessons run with other settings, and writes nothing.
"""

import argparse
import ast
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from cnnlab import files


def without_bars(notebook: NotebookNode) -> NotebookNode:
    """The notebook without progress bars: where no kernel runs, each one would stand at 0 % for ever."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                output for output in cell.outputs if "%|" not in output.get("data", {}).get("text/plain", "")
            ]
    return notebook


def parameters(notebook: NotebookNode) -> list[str]:
    """The names in its first cell, which holds the parameters."""
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    return [statement.targets[0].id for cell in cells for statement in ast.parse(cell.source).body]


def set_to(notebook: NotebookNode, settings: Mapping[str, object]) -> NotebookNode:
    """The lesson with other values in its first cell; a setting that it does not have changes nothing."""
    names = parameters(notebook)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source += "".join(f"\n{name} = {value!r}" for name, value in settings.items() if name in names)
    return notebook


def execute(path: Path, settings: Mapping[str, object] | None = None) -> NotebookNode:
    """Run a lesson from top to bottom in a fresh kernel; the executed notebook. Raises CellExecutionError.

    settings: other values of the names in its first cell; None: those that stand there, and the outputs are written.
    """
    notebook = set_to(nbformat.read(path, as_version=4), settings or {})
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=1800, record_timing=False, resources=where).execute()
    if settings is None:
        with files.written_whole(path) as beside:
            nbformat.write(without_bars(notebook), beside)
    return notebook


def setting(words: str) -> tuple[str, object]:
    """NAME=VALUE: a number where it is one, else a text."""
    name, equals, value = words.partition("=")
    if not (equals and name.isidentifier()):
        raise argparse.ArgumentTypeError(f"{words!r} is not NAME=VALUE, as in EPOCHS=1")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cnnlab.teaching.execute", description=__doc__.partition("\n")[0])
    parser.add_argument("lessons", nargs="+", type=Path)
    parser.add_argument("--with", dest="settings", action="append", type=setting, metavar="NAME=VALUE")
    asked = parser.parse_args()
    known = {name for path in asked.lessons for name in parameters(nbformat.read(path, as_version=4))}
    if unknown := sorted({name for name, _ in asked.settings or ()} - known):
        parser.error(f"no setting {', '.join(unknown)} in these lessons: there are {', '.join(sorted(known))}")
    failed = 0
    for path in asked.lessons:
        try:
            execute(path, dict(asked.settings) if asked.settings else None)
            if asked.settings:
                print(f"{path.name}: every cell ran", flush=True)
        except CellExecutionError as error:
            left = "a cell failed" if asked.settings else "left as it was"
            print(f"{path.name}: {left}\n{error}", file=sys.stderr, flush=True)
            failed += 1
    sys.exit(f"{failed} of {len(asked.lessons)} lessons failed" if failed else 0)


if __name__ == "__main__":
    main()
