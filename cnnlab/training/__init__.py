"""Training: one loop for every network, and what is measured while it runs."""

from cnnlab.training.loop import DivergedError, Epoch, Metrics, Run, evaluate, fit

__all__ = ["DivergedError", "Epoch", "Metrics", "Run", "evaluate", "fit"]
