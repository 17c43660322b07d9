"""What the open exercises ask of a network that a learner has trained, as checks that raise a diagnosis."""

from torch import nn

from cnnlab import data
from cnnlab.lessons.compare import kind
from cnnlab.lessons.exercise import Wrong
from cnnlab.training import Run, evaluate


def trained(run: object, *, images: int | None = None, parameters: int | None = None) -> nn.Module:
    """The network of a run, as `training.fit` returns it.

    images, parameters: how many the run may have seen, and the network may have. Raises Wrong where it has more.
    """
    if not isinstance(run, Run):
        raise Wrong(f"my_run is {kind(run)}, not the run that training.fit returns.")
    if images is not None and run.images > images:
        raise Wrong(f"Your run saw {run.images:,} training images; at most {images:,} are allowed here.")
    count = sum(p.numel() for p in run.model.parameters())
    if parameters is not None and count > parameters:
        raise Wrong(f"Your network has {count:,} parameters; at most {parameters:,} are allowed here.")
    return run.model


def sees_colours(network: nn.Module) -> None:
    """Raises Wrong where a network takes grey images only."""
    first = next((p for p in network.parameters() if p.ndim == 4), None)
    if first is not None and first.shape[1] == 1:
        raise Wrong("This network takes grey images, such as handwritten digits: train on the street digits.")


def reads_digits(network: nn.Module, least: float, *, seed: int = 1) -> None:
    """Raises Wrong where a network reads less than this share of 1,000 street digits that no lesson uses."""
    fresh = data.load("street_digits", train=1000, test=1000, seed=seed).test
    sees_colours(network)
    accuracy = evaluate(network, fresh).accuracy
    if accuracy < least:
        raise Wrong(
            f"On 1,000 fresh street digits your network reads {accuracy:.1%}; at least {least:.0%} is asked for."
        )
