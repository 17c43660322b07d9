"""Training: one loop for every network, and what is measured while it runs."""

from cnnlab.training import pipelines
from cnnlab.training.augment import Augment
from cnnlab.training.checkpoint import CheckpointError
from cnnlab.training.grow import Growth, grow, initialise
from cnnlab.training.loop import DivergedError, Epoch, Metrics, Run, evaluate, fit
from cnnlab.training.search import CellSpace, Controller, Search, evolve, policy_loss, random_search, reinforce

__all__ = [
    "Augment",
    "CellSpace",
    "CheckpointError",
    "Controller",
    "DivergedError",
    "Epoch",
    "Growth",
    "Metrics",
    "Run",
    "Search",
    "evaluate",
    "evolve",
    "fit",
    "grow",
    "initialise",
    "pipelines",
    "policy_loss",
    "random_search",
    "reinforce",
]
