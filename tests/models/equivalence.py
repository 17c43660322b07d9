"""Is a network of ours the same function as an independent one?"""

import re
from collections.abc import Callable, Iterable, Mapping

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

# Networks that differ from another one in their depth or width only.
SIBLINGS = re.compile(
    r"(resnet|plain)(32|34|44|56|101|110|152|164)|vgg(13|16|19)|densenet(169|201)|efficientnet_b[1-7]"
    r"|convnext_(small|base|large)|nasnet_a_large|wide_resnet101|resnext101"
)


def siblings_slow(names: Iterable[str]) -> list:
    """Networks as parameters of a test: those that have a smaller sibling in `make test` only."""
    return [pytest.param(name, marks=[pytest.mark.slow] * bool(SIBLINGS.search(name))) for name in names]


def first_quick(names: Iterable[str]) -> list:
    """The networks of a family as parameters of a test: the first in every run, its large siblings in `make test`."""
    return [pytest.param(name, marks=[pytest.mark.slow] * (index > 0)) for index, name in enumerate(names)]


def assert_equivalent(
    build_reference: Callable[[], nn.Module],
    build_ours: Callable[[], nn.Module],
    size: int = 64,
    reorder: Callable[[Mapping], dict] = dict,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Same contents, same images: same logits in eval mode; same loss, gradients and running statistics in train mode.

    reorder: brings a dictionary by the reference's names into our order, where that is another one.
    dtype: of the training, float64 where the gradients of float32 are too noisy to compare.
    """
    torch.manual_seed(0)
    with torch.device("meta"):  # their own initialisation takes longer than the comparison
        reference, ours = build_reference(), build_ours()
    epsilons, own = ([layer.eps for layer in model.modules() if hasattr(layer, "eps")] for model in (reference, ours))
    assert own == epsilons  # too small to be seen in the logits
    fill(reference, size)
    copy_in_order(ours.to_empty(device="cpu"), reorder(reference.state_dict()))

    images = torch.randn(2, 3, size, size)
    with torch.no_grad():
        expected, logits = reference.eval()(images), ours.eval()(images)
    assert (expected[0] - expected[1]).abs().max() > 0.01, "the reference hardly looks at the image"
    assert (expected - logits).abs().max() <= 2e-5

    for model in (reference, ours):
        without_chance(model.to(dtype).train())
        F.cross_entropy(model(images.to(dtype)), torch.tensor([0, 1])).backward()
    gradients = {name: parameter.grad for name, parameter in reference.named_parameters()}
    largest = max(gradient.norm() for gradient in gradients.values())
    for (name, theirs), parameter in zip(reorder(gradients).items(), ours.parameters(), strict=True):
        # A bias before a batch norm has no gradient but rounding errors, so it is compared with the others.
        assert (theirs - parameter.grad).norm() <= 1e-3 * theirs.norm() + 1e-5 * largest, name
    theirs, own = reorder(dict(reference.named_buffers())), dict(ours.named_buffers())
    for (name, expected), buffer in zip(statistics(theirs), statistics(own), strict=True):
        torch.testing.assert_close(buffer[1], expected, rtol=1e-3, atol=1e-4, msg=name)


def copy_in_order(ours: nn.Module, theirs: Mapping[str, Tensor]) -> None:
    """An independent build has names of its own, and the same layers in the same order."""

    def layers(values: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
        found: dict[str, dict[str, Tensor]] = {}
        for key, value in values.items():
            layer, _, name = key.rpartition(".")
            if name != "num_batches_tracked":
                found.setdefault(layer, {})[name] = value
        return list(found.values())

    for target, source in zip(layers(ours.state_dict()), layers(theirs), strict=True):
        assert target.keys() == source.keys()
        for name, value in target.items():
            assert value.shape == source[name].shape, name
            value.copy_(source[name])


def fill(model: nn.Module, size: int) -> None:
    """Random contents, in which every parameter and every running statistic matters to the logits."""
    model.to_empty(device="cpu")
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    gain = 1 if any("Norm" in type(module).__name__ for module in model.modules()) else 2  # what ReLUs take
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("weight") and parameter.ndim > 1:
                bound = (3 * gain / parameter[0].numel()) ** 0.5
                parameter.uniform_(-bound, bound)
            else:
                parameter.uniform_(-0.3, 0.3)
        images, momenta = torch.randn(2, 3, size, size), [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.weight.add_(1)
            norm.momentum = 1.0
        without_chance(model.train())(images)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.running_mean.add_(0.1 * torch.randn_like(norm.running_mean))
            norm.running_var.mul_(0.8 + 0.4 * torch.rand_like(norm.running_var))
        # Logits of about 1, whatever the depth, so that 2e-5 means the same for all.
        [parameter for parameter in model.parameters() if parameter.ndim > 1][-1].div_(model.eval()(images).std())


def without_chance(model: nn.Module) -> nn.Module:
    """Turn dropout and stochastic depth off."""
    for module in model.modules():
        if type(module).__name__ in ("Dropout", "StochasticDepth"):
            module.p = 0.0
    return model


def statistics(buffers: Mapping[str, Tensor]) -> list[tuple[str, Tensor]]:
    return [item for item in buffers.items() if "running_" in item[0]]


def assert_same_initialisation(reference: nn.Module, ours: nn.Module) -> None:
    """Every parameter starts with the mean and the standard deviation that it has in the reference."""
    for (name, theirs), own in zip(reference.named_parameters(), ours.parameters(), strict=True):
        if theirs.numel() == 1 or theirs.std() == 0:
            torch.testing.assert_close(own, theirs, msg=name)
        else:
            chance = 7 * theirs.std() / theirs.numel() ** 0.5
            assert abs(theirs.std() - own.std()) < chance, f"{name}: {own.std()} instead of {theirs.std()}"
            assert abs(theirs.mean() - own.mean()) < chance, f"{name}: {own.mean()} instead of {theirs.mean()}"


def macs(model: nn.Module, size: int) -> int:
    """Mult-adds for one image, by a model on the meta device."""
    channels = next(parameter for parameter in model.parameters() if parameter.ndim == 4).shape[1]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(torch.zeros(1, channels, size, size, device="meta"))
    return counter.get_total_flops() // 2
