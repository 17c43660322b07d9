"""What the examples in docstrings may use without importing it."""

import pytest


@pytest.fixture(autouse=True)
def names_in_examples(doctest_namespace: dict) -> None:
    import torch

    from cnnlab import data, measure, models

    doctest_namespace |= {"torch": torch, "data": data, "measure": measure, "models": models}
    doctest_namespace |= {"get_model": models.get_model, "list_models": models.list_models}
