"""Lesson 07, gradient flow: what is stated about it, beside what was computed or measured."""

import torch
from torch import nn

from cnnlab.lessons.claims import OPPOSITE, SHOWN, VARIANT, Claim, compared, register

register(
    Claim(
        lesson="07",
        id="formula",
        statement="dl/dx = dl/dy (dF/dx + 1) with the shortcut, dl/dy dF/dx without, by autograd to 1e-5",
        stated="yes",
        source="lecture; He et al. 2016, eq. 5",
        verdict=SHOWN,
        compute=lambda: _formulas_hold(),
    ),
    Claim(
        lesson="07",
        id="per_layer",
        statement="What batch norm and ReLU multiply a gradient by, in each layer of a plain network",
        stated="1.21",
        source="Yang et al. 2019, for fully-connected layers of infinite width",
        verdict=VARIANT,
        judge=lambda factor: SHOWN if round(factor, 2) == 1.21 else VARIANT,
        why="these are convolutions of 8 to 32 channels, the theory is of other layers; which difference counts was not"
        " tested",
    ),
    Claim(
        lesson="07",
        id="activation",
        statement="It grows because of the ReLU",
        stated="yes",
        source="Yang et al. 2019: the closer to linear, the slower it grows",
        verdict=SHOWN,
        figure="{:.2f} in each layer with ReLU, {:.2f} without activation",
        judge=lambda relu, none: compared(relu - none, least=0.1),
    ),
    Claim(
        lesson="07",
        id="vanishing",
        statement="In a deep plain network the gradient vanishes on its way to the image (with batch norm)",
        stated="yes",
        source="often said",
        verdict=OPPOSITE,
        figure="no: {:,.0f} times larger at the first block of 110 layers",
        judge=lambda times: compared(1 - times, least=0.5),
        why="with batch norm it explodes; without it, it vanishes where the weights are small, as this lesson"
        " shows too",
    ),
    Claim(
        lesson="07",
        id="shortcuts",
        statement="With shortcuts the gradient keeps its size",
        stated="yes",
        source="lecture",
        verdict=VARIANT,
        figure="{:,.0f} times larger at the first block of 110 layers",
        judge=lambda times: SHOWN if times < 3 else VARIANT if times < 1000 else OPPOSITE,
        why="it grows, but by tens and not by millions as without shortcuts: each block adds to it, once for its"
        " shortcut and once for its layers",
    ),
    Claim(
        lesson="07",
        id="unrolled",
        statement="The output is the input plus all that the blocks have added, exactly, with pre-activation only",
        stated="yes",
        source="He et al. 2016, eq. 4",
        verdict=SHOWN,
        figure="{:.0%} apart with pre-activation, {:.0%} in the ResNet of 2015",
        judge=lambda pre, post: SHOWN if pre < 1e-3 < post else OPPOSITE,
    ),
    Claim(
        lesson="07",
        id="shattering",
        statement="Gradients of nearby images are unlike in deep plain networks, alike in residual ones",
        stated="yes",
        source="Balduzzi et al. 2017",
        verdict=SHOWN,
        figure="cosine {:.2f} plain, {:.2f} residual",
        judge=lambda plain, residual: compared(residual - plain, least=0.3),
    ),
    Claim(
        lesson="07",
        id="equal",
        statement="With steps that are the same share of each layer's length, 56 plain layers learn as soon as with"
        " shortcuts",
        stated="yes",
        source="would follow if the uneven size of the gradient were what delays them",
        verdict=OPPOSITE,
        figure="half known after {:.0f} of 44 epochs plain, {:.0f} of 22 residual",
        judge=lambda plain, residual: compared(1.5 - plain / residual, least=0.5),
        why="it needs several times as many, each at its own learning rate: what delays it is not the size alone",
    ),
    Claim(
        lesson="07",
        id="uneven",
        statement="Steps as uneven as in 56 plain layers keep a network of 56 residual layers from learning",
        stated="yes",
        source="would follow from the same",
        verdict=OPPOSITE,
        figure="no: with shortcuts it knows {:.0f} % of its images in the end",
        judge=lambda known: compared(50 - known, least=30),
        why="the residual network learns a few epochs later, and nearly all; other networks were not tried",
    ),
    Claim(
        lesson="07",
        id="steps",
        statement="After a small step the gradient of 56 residual layers still holds, that of 56 plain ones does not",
        stated="easier to optimise",
        source="He et al. 2015; this reading is the lesson's",
        verdict=SHOWN,
        figure="cosine {:.2f} plain, {:.2f} residual after a step of 0.01 %",
        judge=lambda plain, residual: compared(residual - plain, least=0.3),
    ),
)


def _formulas_hold() -> str:
    torch.manual_seed(0)
    f = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 2, 3, padding=1)).double()
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(32, dtype=torch.float64)
    jacobian = torch.func.jacrev(lambda x: f(x).flatten())(x.detach()).flatten(1)
    for skip in (0, 1):
        (gradient,) = torch.autograd.grad((f(x) + skip * x).flatten() @ upstream, x)
        if (gradient.flatten() - upstream @ (jacobian + skip * torch.eye(32))).abs().max() > 1e-5:
            return "no"
    return "yes"
