"""Measuring networks: what they cost, and what goes on inside."""

from cnnlab.measure.cost import Cost, cost
from cnnlab.measure.features import feature_maps
from cnnlab.measure.throughput import Throughput, throughput

__all__ = ["Cost", "Throughput", "cost", "feature_maps", "throughput"]
