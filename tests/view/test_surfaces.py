"""Loss surfaces are drawn on one scale, say what they show, and turn where plotly is at hand."""

import io
import json
import math

import numpy as np
import pytest
import torch
from PIL import Image

from cnnlab import measure, view


def bowl(depth: float = 0.01, points: int = 9) -> measure.LossSurface:
    axis = torch.linspace(-1, 1, points)
    loss = depth + axis[:, None] ** 2 + 2 * axis[None] ** 2
    return measure.LossSurface(axis, axis.clone(), loss, torch.zeros_like(loss))


def test_several_surfaces_share_one_scale():
    picture = view.surface({"deep": bowl(0.01), "shallow": bowl(0.5)}, title="Two bowls")
    scales = {(axis.collections[0].norm.vmin, axis.collections[0].norm.vmax) for axis in picture.figure.axes[:2]}
    assert len(scales) == 1
    low, high = scales.pop()
    assert low == pytest.approx(0.01) and high == pytest.approx(3.5)
    assert "deep: 9 x 9 points, loss from 0.01 to 3.01" in picture.alt


def test_a_path_and_a_mark_are_drawn_where_they_are():
    path = torch.tensor([[0.5, 0.5], [0.0, 0.0]])
    axis = view.surface(bowl(), path=path, mark=(0.25, -0.25)).figure.axes[0]
    drawn, cross = axis.lines
    assert drawn.get_xydata().tolist() == path.tolist()
    assert cross.get_xydata().tolist() == [[0.25, -0.25]]


def test_points_not_measured_yet_do_not_stop_the_drawing():
    surface = bowl()
    surface.loss[0, 0] = math.nan
    assert "0.01 to 3.01" in view.surface(surface).alt
    surface.loss[:] = math.nan
    with pytest.raises(ValueError, match="no point"):
        view.surface(surface)


def test_the_landscape_goes_into_a_notebook_with_its_words_beside_it():
    landscape = view.rotatable_surface({"a": bowl(), "b": bowl(0.1)}, most=1.0, title="Two <bowls>")
    bundle = json.loads(json.dumps(landscape._repr_mimebundle_()))
    first, second = bundle["application/vnd.plotly.v1+json"]["data"]
    assert first["type"] == second["type"] == "surface"
    assert first["z"][4][4] == pytest.approx(-2) and max(map(max, first["z"])) == pytest.approx(0)
    assert (first["cmin"], first["cmax"]) == (second["cmin"], second["cmax"])
    assert "Two &lt;bowls&gt;" in bundle["text/html"] and "9 x 9 points" in bundle["text/plain"]


def test_no_hole_where_the_loss_is_below_the_scale():
    """The scale ends at 1e-4; rounded to a float that is less, and what is less than the first level is not drawn."""
    x = torch.linspace(-1, 1, 5)
    loss = torch.full((5, 5), 3.0)
    loss[1:4, 1:4] = 1e-9
    picture = view.surface(measure.LossSurface(x, x, loss, loss, {}))
    pixels = np.asarray(Image.open(io.BytesIO(picture.png())).convert("RGB")).astype(int)
    darkest = (abs(pixels - np.array([0, 42, 92])).sum(2) < 40).mean()
    assert darkest > 0.1  # cividis, and not the white of paper
