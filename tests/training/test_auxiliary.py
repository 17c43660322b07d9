"""What users rely on where a network has auxiliary heads: `fit` adds their losses, and only while it trains."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import data, models, training


def network(aux_heads: bool) -> nn.Module:
    torch.manual_seed(0)
    return models.get_model("googlenet_2014_tiny", aux_heads=aux_heads, in_channels=1)


def weights(model: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach()


def by_hand(model: nn.Module, dataset: data.Dataset, aux_weight: float, lr: float, batch_size: int, seed: int) -> list:
    """One epoch, written out, with the layout in memory that `fit` has. Returns its losses."""
    model.to(memory_format=torch.channels_last)
    images, labels = dataset.train.inputs(), dataset.train.labels
    optimizer = torch.optim.SGD(model.parameters(), lr, 0.9, weight_decay=5e-4, nesterov=True)
    steps = -(-len(images) // batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps + 1, pct_start=0.25)
    losses = []
    torch.manual_seed(seed)
    model.train()
    for batch in torch.randperm(len(images)).split(batch_size):
        logits, aux1, aux2 = model(images[batch])
        loss = F.cross_entropy(logits, labels[batch])
        loss = loss + aux_weight * F.cross_entropy(aux1, labels[batch])
        loss = loss + aux_weight * F.cross_entropy(aux2, labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    model.to(memory_format=torch.contiguous_format)
    return losses


@pytest.mark.slow  # large networks
def test_fit_adds_the_losses_of_the_heads_as_a_loop_by_hand_does():
    digits = data.load("handwritten", train=64, test=20)
    fitted, written, main_only = network(True), network(True), network(True)
    start = weights(fitted)
    run = training.fit(fitted, digits, epochs=1, lr=0.01, batch_size=16, seed=3, precision="fp32", progress=False)
    losses = by_hand(written, digits, 0.3, 0.01, 16, 3)
    by_hand(main_only, digits, 0.0, 0.01, 16, 3)
    moved = (weights(written) - start).norm()
    assert (weights(fitted) - weights(written)).norm() < 1e-3 * moved
    assert (weights(fitted) - weights(main_only)).norm() > 0.1 * moved  # so the agreement means something
    assert abs(run.history[0].train_loss - sum(losses) / len(losses)) < 1e-4


def test_the_weight_of_the_heads_is_the_models():
    digits = data.load("handwritten", train=64, test=20)
    model, written = network(True), network(True)
    start = weights(model)
    model.aux_weight = 0.0
    training.fit(model, digits, epochs=1, lr=0.01, batch_size=16, precision="fp32", progress=False)
    by_hand(written, digits, 0.0, 0.01, 16, 0)
    assert (weights(model) - weights(written)).norm() < 1e-3 * (weights(written) - start).norm()


def test_the_heads_are_not_asked_after_training():
    digits = data.load("handwritten", train=64, test=20)
    model = network(True)
    before = training.evaluate(model, digits.test)
    for parameter in model.aux_heads.parameters():
        nn.init.normal_(parameter)
    assert training.evaluate(model, digits.test) == before
    assert isinstance(model.eval()(digits.test.inputs()), torch.Tensor)
