"""Lesson 07: solutions agree with autograd, Fixup's zeros are no fault, steps are as long as they are said to be."""

import pytest
import torch
from torch import nn

from cnnlab import course, data
from cnnlab.lessons import rates, records
from cnnlab.lessons.gradient_flow import record, study

TASKS = {task.id: task for task in course.exercises("07")}


def solved(id: str):
    return TASKS[id].made(TASKS[id].solution)


@pytest.mark.parametrize(("slopes", "shortcut"), TASKS["07.chain"].arguments())
def test_the_gradient_of_a_chain_is_autograds(slopes, shortcut):
    x = y = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    for slope in slopes:
        y = slope * y + (y if shortcut else 0)
    assert solved("07.chain")(slopes, shortcut) == pytest.approx(torch.autograd.grad(y, x)[0].item())


def test_norms_are_those_of_gradients_at_outputs():
    _, (model, layers, images, labels), *_ = TASKS["07.hooks"].arguments()
    outputs = [model[0](images)]
    outputs += [model[1:3](outputs[0])]
    outputs += [model[3:](outputs[1])]
    gradients = torch.autograd.grad(nn.functional.cross_entropy(outputs[2], labels), outputs)
    assert solved("07.hooks")(model, layers, images, labels) == pytest.approx([g.norm().item() for g in gradients])


def branches(model: nn.Module) -> list[nn.Module]:
    return [block.residual for stage in model.stages for block in stage]


@pytest.mark.slow  # trains
def test_fixup_with_a_head_of_zeros_passes():
    """The first step moves the head alone, and the others follow."""

    def fixup(model):
        with torch.no_grad():
            for branch in branches(model):
                branch.conv1.weight *= len(branches(model)) ** -0.5
                branch.conv2.weight.zero_()
            model.head[-1].weight.zero_()
            model.head[-1].bias.zero_()

    feedback = course.check("07.tame", fixup)
    assert feedback.status == "passed", feedback


def test_branches_that_can_never_start_are_refused():
    def dead(model):
        with torch.no_grad():
            for branch in branches(model):
                branch.conv1.weight.zero_()
                branch.conv2.weight.zero_()

    assert "get no gradient at the start" in course.check("07.tame", dead).message


IMAGES = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(8)


def backward(model: nn.Module) -> list[torch.Tensor]:
    """The gradients that training would see, after one backward pass."""
    model.zero_grad()
    nn.functional.cross_entropy(model.train()(IMAGES), LABELS).backward()
    return [parameter.grad.clone() for parameter in model.parameters()]


def test_a_scaled_gradient_has_its_direction_and_the_length_that_is_asked_for():
    """Which is the parameter's own times its share; that of a bias or of a batch norm counts as if all were 1."""
    model = record.initial("plain20", 0)
    lengths = [p.norm().item() if p.ndim > 1 else len(p) ** 0.5 for p in model.parameters()]
    plain = backward(model)
    shares = torch.linspace(0.5, 2, len(lengths))
    study.scale_gradients(model, shares)
    scaled = backward(model)
    assert [g.norm().item() for g in scaled] == pytest.approx(
        [share * length for share, length in zip(shares.tolist(), lengths, strict=True)], rel=1e-4
    )
    for one, other in zip(plain, scaled, strict=True):
        assert nn.functional.cosine_similarity(one.flatten(), other.flatten(), dim=0) > 0.9999


def test_only_convolutions_are_kept_at_their_length_and_the_network_stays_the_same_function():
    model = record.initial("plain20", 0)
    lengths = [parameter.norm().item() for parameter in model.parameters()]
    study.scale_gradients(model, torch.ones(len(lengths)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 1.5
        longer = model.train()(IMAGES)
    backward(model)
    for parameter, length in zip(model.parameters(), lengths, strict=True):
        kept = length if parameter.ndim == 4 else 1.5 * length
        assert parameter.norm().item() == pytest.approx(kept, rel=1e-4)
    assert torch.allclose(model(IMAGES), longer, atol=0.02)


def test_uneven_shares_are_those_of_the_deep_plain_network_and_their_geometric_mean_is_one():
    dataset = data.load("street_digits", train=128, test=1, seed=0)
    shares = record.first_shares(dataset, 0)
    assert shares.log().mean().item() == pytest.approx(0, abs=1e-4)
    model = record.initial("plain56", 0)
    nn.functional.cross_entropy(model(dataset.train.inputs()), dataset.train.labels).backward()
    weights = [layer.weight for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    first, last = (weight.grad.norm() / weight.norm() for weight in (weights[0], weights[-1]))
    positions = [i for i, parameter in enumerate(model.parameters()) if parameter.ndim == 4]
    assert (shares[positions[0]] / shares[positions[-1]]).item() == pytest.approx((first / last).item(), rel=1e-3)
    assert record.unevenness(model) >= round((first / last).item(), 2) > 100


def test_every_arm_was_trained_at_a_rate_inside_those_that_were_tried():
    results = records.record("equal_steps").results
    for arm, of in results.items():
        chosen = {run["lr"] for run in of["seeds"]}
        assert len(chosen) == 1 and rates.inside(*chosen, [run["lr"] for run in of["rates"]]), arm
        assert sorted(run["seed"] for run in of["seeds"]) == list(record.SEEDS), arm


def test_level_steps_leave_the_deep_plain_network_late_and_uneven_ones_do_not_stop_a_residual_one():
    arms = records.record("equal_steps").results
    half = {arm: study.half_known(arms, arm) for arm in arms}
    assert min(half["plain56, equal"]) >= 3 * max(half["resnet56, equal"])
    assert min(run[-1] for run in study.in_training(arms, "resnet56, uneven")) > 99
    assert min(ratio for run in arms["resnet56, uneven"]["seeds"] for ratio in run["ratio"]) > 1000
    for arm in ("plain20, equal", "plain56, equal", "resnet56, equal"):
        assert all(ratio == pytest.approx(1, abs=0.05) for run in arms[arm]["seeds"] for ratio in run["ratio"]), arm


def test_half_is_never_known_where_no_epoch_reaches_it():
    curves = ([[0.2, 0.1], [0.5, 0.1]], [[0.2, 0.1], [0.4, 0.1]])
    arms = {"plain56, SGD": {"seeds": [{"curve": curve} for curve in curves]}}
    assert study.half_known(arms, "plain56, SGD") == [2, float("inf")]
