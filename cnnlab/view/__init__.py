"""Pictures, diagrams, listings and widgets: they draw what the rest of the package measured."""

from cnnlab.view.blocks import block
from cnnlab.view.diagrams import cell, ribbon
from cnnlab.view.explore import Explorer, explore
from cnnlab.view.picture import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SIGNED, SKY, VERMILLION, Picture, blank, figure
from cnnlab.view.plots import (
    confusion,
    curves,
    dots,
    feature_maps,
    filters,
    images,
    in_training,
    lines,
    live_curves,
    log_axis,
    panels,
    predicted,
    scatter,
    shares,
    top_predictions,
)
from cnnlab.view.source import Source, source
from cnnlab.view.surfaces import Rotatable, rotatable_surface, surface

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "ORANGE",
    "PURPLE",
    "SIGNED",
    "SKY",
    "VERMILLION",
    "Explorer",
    "Picture",
    "Rotatable",
    "Source",
    "blank",
    "block",
    "cell",
    "confusion",
    "curves",
    "dots",
    "explore",
    "feature_maps",
    "figure",
    "filters",
    "images",
    "in_training",
    "lines",
    "live_curves",
    "log_axis",
    "panels",
    "predicted",
    "ribbon",
    "rotatable_surface",
    "scatter",
    "shares",
    "source",
    "surface",
    "top_predictions",
]
