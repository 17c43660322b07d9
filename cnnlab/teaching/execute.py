"""Execute lessons in place, as `make notebooks` does. A lesson in which a cell fails is left as it was.

python -m cnnlab.teaching.execute notebooks/01-lenet.ipynb
"""

import sys
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


def execute(path: Path) -> None:
    """Run a lesson from top to bottom in a fresh kernel and write its outputs. Raises CellExecutionError."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=1800, record_timing=False, resources=where).execute()
    with files.written_whole(path) as beside:
        nbformat.write(without_bars(notebook), beside)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        try:
            execute(Path(name))
        except CellExecutionError as error:
            sys.exit(f"{name} was left as it is:\n{error}")
