"""For all tests: what they pass is noted in a folder of their own, not in the one where they run."""

import pytest


@pytest.fixture(autouse=True)
def own_progress(monkeypatch, tmp_path_factory):
    """Where the progress of a test is kept."""
    from cnnlab.lessons import progress  # here, and not in the process that only hands out the tests

    file = tmp_path_factory.getbasetemp() / "progress" / progress.FILE.name
    monkeypatch.setattr(progress, "FILE", file)
