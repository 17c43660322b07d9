"""Measuring networks: what they cost, and what goes on inside."""

from cnnlab.measure.cost import Cost, cost
from cnnlab.measure.features import feature_maps

__all__ = ["Cost", "cost", "feature_maps"]
