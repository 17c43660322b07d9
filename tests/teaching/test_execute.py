"""`make notebooks`: outputs are renewed, a progress bar does not stay, and a lesson that fails is left as it was."""

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from cnnlab.teaching.execute import execute

pytestmark = pytest.mark.slow  # kernels


def test_a_lesson_is_executed_where_it_lies(tmp_path):
    path = tmp_path / "lesson.ipynb"
    bar = "from tqdm.auto import tqdm\nfor _ in tqdm(range(3)): pass\n'done'"
    nbformat.write(new_notebook(cells=[new_code_cell("import os; print(os.getcwd())"), new_code_cell(bar)]), path)
    execute(path)
    first, second = nbformat.read(path, as_version=4).cells
    assert first.outputs[0].text.strip() == str(tmp_path.resolve()) and not first.metadata
    assert [output.data["text/plain"] for output in second.outputs] == ["'done'"]

    broken = nbformat.read(path, as_version=4)
    broken.cells.append(new_code_cell("1 / 0"))
    nbformat.write(broken, path)
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute(path)
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == ["lesson.ipynb"]
