"""Times: of one core, whatever else the machine does."""

import pytest
import torch

from cnnlab.measure import core_seconds


def test_core_seconds_grow_with_the_work_and_threads_are_restored():
    a, b, threads = torch.randn(64, 64), torch.randn(512, 512), torch.get_num_threads()
    assert core_seconds(lambda: b @ b, 0.01) > 10 * core_seconds(lambda: a @ a, 0.01)
    with pytest.raises(ZeroDivisionError):
        core_seconds(lambda: 1 / 0)
    assert torch.get_num_threads() == threads
