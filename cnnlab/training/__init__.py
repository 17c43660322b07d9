"""Training: one loop for every network, and what is measured while it runs."""

from cnnlab.training import pipelines
from cnnlab.training.augment import Augment
from cnnlab.training.checkpoint import CheckpointError
from cnnlab.training.grow import Growth, grow, initialise
from cnnlab.training.loop import DivergedError, Epoch, Metrics, Run, evaluate, fit

__all__ = [
    "Augment",
    "CheckpointError",
    "DivergedError",
    "Epoch",
    "Growth",
    "Metrics",
    "Run",
    "evaluate",
    "fit",
    "grow",
    "initialise",
    "pipelines",
]
