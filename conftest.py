"""What the examples in docstrings may use without importing it."""

import pytest


@pytest.fixture(autouse=True)
def names_in_examples(doctest_namespace: dict, request: pytest.FixtureRequest) -> None:
    import torch

    from cnnlab import data, files, measure, models

    doctest_namespace |= {"torch": torch, "data": data, "measure": measure, "models": models}
    doctest_namespace |= {"assemble": data.assemble}
    if request.node.name.startswith("cnnlab.files"):
        doctest_namespace |= {"folder": request.getfixturevalue("tmp_path"), "written_whole": files.written_whole}
    doctest_namespace |= {"get_model": models.get_model, "list_models": models.list_models}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A busy machine may need more than nbval's five seconds to bring a cell's output."""
    for item in items:
        if hasattr(item, "output_timeout"):
            item.output_timeout = 120
