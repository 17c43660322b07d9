"""Reported figures: those of their source, and written down in one place."""

import ast
from pathlib import Path

import pytest
from torchvision.models import get_model_weights, list_models

from cnnlab import lessons
from cnnlab.lessons.facts import NETWORKS, SIBLINGS, network

ELSEWHERE = {"mobilenet_v1", "nasnet_a_mobile", "mobilenet_v2"} - set(list_models())


@pytest.mark.parametrize("known", [n for n in NETWORKS + SIBLINGS if n.name not in ELSEWHERE], ids=lambda n: n.name)
def test_accuracies_are_those_that_torchvision_documents(known):
    documented = get_model_weights(known.name)["IMAGENET1K_V1"].meta["_metrics"]["ImageNet-1K"]
    assert (known.top1, known.top5) == (documented["acc@1"], documented["acc@5"])


def test_a_network_is_found_by_its_name():
    assert network("convnext_large").label == "ConvNeXt-L" and network("vgg19") in NETWORKS
    with pytest.raises(KeyError):
        network("vgg20")


def test_a_figure_stands_in_one_place():
    """An accuracy with three decimals is in facts.py, and elsewhere in the lessons only where someone states it."""
    figures = {figure for n in NETWORKS + SIBLINGS for figure in (n.top1, n.top5) if round(figure, 2) != figure}
    assert len(figures) > 25
    for path in Path(lessons.__file__).parent.rglob("*.py"):
        if path.name not in ("facts.py", "claims.py"):
            numbers = {
                node.value
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Constant)
            }
            written = {figure for figure in figures if f"{figure:.3f}" in path.read_text(encoding="utf-8")}
            assert not (numbers & figures or written), f"{path}: take them from facts.py"
