"""Measuring networks: what they cost, what goes on inside, how gradients travel, what surface training walks on."""

from cnnlab.measure.cost import Cost, cost
from cnnlab.measure.features import feature_maps
from cnnlab.measure.gradients import GradientFlow, gradient_correlation, gradient_flow, jacobian_singular_values
from cnnlab.measure.landscape import LossSurface, loss_line, loss_surface
from cnnlab.measure.memory import kept_bytes
from cnnlab.measure.planes import Plane, plane_through, principal_plane, random_direction, random_plane
from cnnlab.measure.throughput import Throughput, core_seconds, throughput

__all__ = [
    "Cost", "GradientFlow", "LossSurface", "Plane", "Throughput",
    "core_seconds", "cost", "feature_maps", "gradient_correlation", "gradient_flow", "jacobian_singular_values",
    "kept_bytes", "loss_line", "loss_surface", "plane_through", "principal_plane", "random_direction", "random_plane",
    "throughput",
]  # fmt: skip
