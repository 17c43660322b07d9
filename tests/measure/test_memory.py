"""What training keeps in memory."""

import torch
from torch import nn

from cnnlab import measure, models


def test_kept_bytes_counts_each_storage_once_and_no_parameters():
    layer = nn.Sequential(nn.Linear(10, 10), nn.ReLU(inplace=True), nn.Linear(10, 10))
    # The input, and the first layer's result for both readers.
    assert measure.kept_bytes(layer, torch.zeros(4, 10)) == 4 * 4 * (10 + 10)


def test_kept_bytes_is_the_same_without_numbers():
    model, images = models.get_model("densenet_40_12_tiny", depths=(2, 3)), torch.zeros(2, 3, 16, 16)
    there = measure.kept_bytes(model.train(), images)
    assert there == measure.kept_bytes(model.to("meta"), images.to("meta")) > images.nbytes
