"""Training: one loop for every network, and what is measured while it runs."""

from cnnlab.training import pipelines
from cnnlab.training.augment import Augment
from cnnlab.training.checkpoint import CheckpointError
from cnnlab.training.grow import Growth, grow, initialize
from cnnlab.training.loop import evaluate, fit
from cnnlab.training.run import DivergedError, Epoch, Metrics, Run
from cnnlab.training.search import CellSpace, Controller, Search, evolve, policy_loss, random_search, reinforce
from cnnlab.training.speedrun import speed_run
from cnnlab.training.transfer import (
    Study,
    features,
    fine_tune,
    freeze,
    keep_up,
    last_layer,
    linear_probe,
    quarter_turns,
    replace_head,
    transfer_study,
)
from cnnlab.training.views import Averaged

__all__ = [
    "Augment",
    "Averaged",
    "CellSpace",
    "CheckpointError",
    "Controller",
    "DivergedError",
    "Epoch",
    "Growth",
    "Metrics",
    "Run",
    "Search",
    "Study",
    "evaluate",
    "evolve",
    "features",
    "fine_tune",
    "fit",
    "freeze",
    "grow",
    "initialize",
    "keep_up",
    "last_layer",
    "linear_probe",
    "pipelines",
    "policy_loss",
    "quarter_turns",
    "random_search",
    "reinforce",
    "replace_head",
    "speed_run",
    "transfer_study",
]
