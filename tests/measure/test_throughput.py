"""Times: of one core, whatever else the machine does."""

import pytest
import torch

from cnnlab import models
from cnnlab.measure import core_seconds, throughput


def test_core_seconds_grow_with_the_work_and_threads_are_restored():
    a, b, threads = torch.randn(64, 64), torch.randn(512, 512), torch.get_num_threads()
    assert core_seconds(lambda: b @ b, 0.01) > 10 * core_seconds(lambda: a @ a, 0.01)
    with pytest.raises(ZeroDivisionError):
        core_seconds(lambda: 1 / 0)
    assert torch.get_num_threads() == threads


def test_the_modes_and_the_layout_are_as_before_also_after_an_error():
    model = models.get_model("resnet20_tiny", depths=(1, 1, 1)).train()
    model.stem.eval()
    before = [module.training for module in model.modules()]
    throughput(model, (3, 32, 32), batch_size=2, steps=1)
    assert [module.training for module in model.modules()] == before
    with pytest.raises(RuntimeError):
        throughput(model, (1, 32, 32), batch_size=2, steps=1)
    assert [module.training for module in model.modules()] == before
    assert all(parameter.is_contiguous() for parameter in model.parameters())
