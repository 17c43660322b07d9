"""Parameters and mult-adds of every network, to the digit, against reference.json: figures of other implementations."""

import json
from pathlib import Path

import pytest
import torch
from equivalence import siblings_slow
from torch.utils.flop_counter import FlopCounterMode

from cnnlab import models

REFERENCE = json.loads(Path(__file__).with_name("reference.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", siblings_slow(models.list_models()))
def test_params_and_macs(name: str) -> None:
    rows = [row for row in REFERENCE if row["name"] == name]
    assert rows or name.endswith("_tiny"), f"{name} has no figures in reference.json"
    for row in rows:
        with torch.device("meta"):
            model = models.get_model(name, **row["options"]).eval()
        params = sum(parameter.numel() for parameter in model.parameters())
        assert params == row["params"], row
        if row["macs"] is not None:
            channels = next(p for p in model.parameters() if p.ndim == 4).shape[1]
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                model(torch.zeros(1, channels, row["size"], row["size"], device="meta"))
            assert counter.get_total_flops() == 2 * row["macs"], row


def test_every_network_of_the_reference_is_there() -> None:
    assert {row["name"] for row in REFERENCE} <= set(models.list_models())
