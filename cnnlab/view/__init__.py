"""Pictures, diagrams, listings and widgets: they draw what the rest of the package measured."""

from cnnlab.view.diagrams import ribbon
from cnnlab.view.explore import Explorer, explore
from cnnlab.view.picture import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SIGNED, SKY, VERMILLION, Picture, blank, figure
from cnnlab.view.plots import curves, feature_maps, filters, images, live_curves, panels, scatter, top_predictions
from cnnlab.view.source import Source, source

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
    "Source",
    "blank",
    "curves",
    "explore",
    "feature_maps",
    "figure",
    "filters",
    "images",
    "live_curves",
    "panels",
    "ribbon",
    "scatter",
    "source",
    "top_predictions",
]
