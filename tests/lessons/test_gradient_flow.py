"""Lesson 07: the solutions agree with autograd, and Fixup's zeros are no fault."""

import pytest
import torch
from torch import nn

from cnnlab import course

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
