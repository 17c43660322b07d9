"""Loading parameters of others, without a network: matched by name, all or nothing, only what is what it says."""

import hashlib
import io
import urllib.error
from email.message import Message
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from cnnlab import training
from cnnlab.models import get_model, list_models, load_torchvision

QUICK = {"alexnet", "vgg11", "googlenet", "resnet18", "densenet121", "mobilenet_v2", "efficientnet_b0", "convnext_tiny"}
SHARED = [
    pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK))  # of each family one, and all in `make test`
    for name in sorted(set(list_models()) & set(torchvision.models.list_models()))
]


@pytest.mark.filterwarnings("ignore:The default weight initialization of GoogleNet")
@pytest.mark.parametrize("name", SHARED)
def test_torchvisions_names_find_their_place_in_any_order(name: str) -> None:
    options = {"aux_heads": True} if name == "googlenet" else {}
    with torch.device("meta"):
        theirs = torchvision.models.get_model(name).state_dict()
        load_torchvision(get_model(name, **options), {key: theirs[key] for key in sorted(theirs)})


def small() -> nn.Module:
    return get_model("resnet18_tiny")


def refused(model: nn.Module, state_dict: object, message: str) -> None:
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        load_torchvision(model, state_dict)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_a_shape_that_differs_is_refused() -> None:
    other = get_model("resnet18_tiny", num_classes=11).state_dict()
    refused(small(), other, r"head.fc.weight has the shape \(10, 64\) here and \(11, 64\) there. .*num_classes=11")
    other = get_model("resnet18_tiny", in_channels=1).state_dict()
    refused(small(), other, "stem.conv.weight has the shape .* in_channels=1")


@pytest.mark.parametrize("end", [-2, None])
def test_another_set_of_layers_is_refused_with_what_is_missing(end: int | None) -> None:
    other = dict(list(small().state_dict().items())[:end])
    if end is None:
        other["more.weight"] = torch.zeros(1)
    refused(small(), other, "without a place: more.weight" if end is None else "missing: head.fc.weight, head.fc.bias")


@pytest.mark.slow  # large networks
def test_another_depth_is_refused_by_the_names_of_what_is_missing() -> None:
    other = torchvision.models.resnet18().state_dict()
    refused(get_model("resnet34"), other, r"missing: stages\.0\.2\.residual\.conv1\.weight, .* and \d+ more")


@pytest.mark.parametrize("other", [None, [1, 2], {"state_dict": {}}, {"epoch": 3, "nets": {"a": torch.zeros(1)}}])
def test_what_is_no_state_dict_is_refused(other: object) -> None:
    refused(small(), other, "dictionary of tensors")


def test_files_older_than_batch_counts_load() -> None:
    source, target = small(), small()
    target.stem.norm.num_batches_tracked.fill_(3)
    old = {key: value for key, value in source.state_dict().items() if "num_batches_tracked" not in key}
    load_torchvision(target, old)
    assert all(torch.equal(value, target.state_dict()[key]) for key, value in old.items())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of torch.hub, and no network."""
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    monkeypatch.setattr("torch.hub.urlopen", no_network)
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def no_network(*args: object, **kwargs: object) -> None:
    raise urllib.error.URLError("no route to host")


class Page(io.BytesIO):
    """What urlopen returns."""

    def info(self) -> Message:
        headers = Message()
        headers["Content-Length"] = str(len(self.getvalue()))
        return headers


def publish(name: str, contents: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let torchvision's weights of a network be a file with these contents, named with their checksum."""
    url = f"https://example.org/{name}-{hashlib.sha256(contents).hexdigest()[:8]}.pth"
    weights = torchvision.models.get_model_weights(name)["IMAGENET1K_V1"]
    monkeypatch.setattr(weights.value, "url", url)
    return url.rpartition("/")[2]


def saved(state_dict: object) -> bytes:
    file = io.BytesIO()
    torch.save(state_dict, file)
    return file.getvalue()


@pytest.mark.parametrize("shuffled", [False, True])
def test_imagenet_weights_give_torchvisions_logits(
    cache: Path, monkeypatch: pytest.MonkeyPatch, shuffled: bool
) -> None:
    theirs = torchvision.models.resnet18().eval()
    keys = sorted(theirs.state_dict()) if shuffled else list(theirs.state_dict())
    contents = saved({key: theirs.state_dict()[key] for key in keys})
    file = publish("resnet18", contents, monkeypatch)
    monkeypatch.setattr("torch.hub.urlopen", lambda request: Page(contents))
    images = torch.randn(2, 3, 64, 64)
    model = get_model("resnet18", weights="imagenet").eval()
    assert (model(images) - theirs(images)).abs().max() <= 1e-4
    assert (cache / file).read_bytes() == contents
    monkeypatch.setattr("torch.hub.urlopen", no_network)  # from now on without a network
    assert torch.equal(get_model("resnet18", weights="imagenet").eval()(images), model(images))


@pytest.mark.slow  # large networks
@pytest.mark.parametrize("aux_heads", [False, True])
def test_googlenet_takes_images_as_its_weights_want_them(
    cache: Path, monkeypatch: pytest.MonkeyPatch, aux_heads: bool
) -> None:
    theirs = torchvision.models.googlenet(init_weights=False, transform_input=True).eval()
    contents = saved(theirs.state_dict())
    (cache / publish("googlenet", contents, monkeypatch)).write_bytes(contents)
    images = torch.randn(2, 3, 64, 64)
    model = get_model("googlenet", weights="imagenet", aux_heads=aux_heads).eval()
    assert (model(images) - theirs(images)).abs().max() <= 1e-4


def test_densenet_files_call_their_layers_otherwise(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = torchvision.models.densenet121().eval()
    old = {key.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): v for key, v in theirs.state_dict().items()}
    (cache / publish("densenet121", saved(old), monkeypatch)).write_bytes(saved(old))
    images = torch.randn(2, 3, 64, 64)
    assert (get_model("densenet121", weights="imagenet").eval()(images) - theirs(images)).abs().max() <= 1e-4


@pytest.mark.usefixtures("cache")
def test_without_a_network_the_error_says_what_to_do() -> None:
    with pytest.raises(ConnectionError, match=r"download\.pytorch\.org.*no route to host.*put that file at"):
        get_model("resnet18", weights="imagenet")


def test_a_damaged_file_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = saved(torchvision.models.resnet18().state_dict())
    file = cache / publish("resnet18", contents, monkeypatch)
    file.write_bytes(contents[:-1000])
    with pytest.raises(ValueError, match="checksum is wrong"):
        get_model("resnet18", weights="imagenet")


def test_a_damaged_download_is_refused_and_not_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = saved(torchvision.models.resnet18().state_dict())
    file = cache / publish("resnet18", contents, monkeypatch)
    monkeypatch.setattr("torch.hub.urlopen", lambda request: Page(contents[:-1000]))
    with pytest.raises(ValueError, match="is damaged or no file"):
        get_model("resnet18", weights="imagenet")
    assert not file.exists()


@pytest.mark.slow  # large networks
def test_another_networks_file_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = saved(torchvision.models.resnet34().state_dict())
    (cache / publish("resnet18", contents, monkeypatch)).write_bytes(contents)
    with pytest.raises(ValueError, match="do not fit ResNet"):
        get_model("resnet18", weights="imagenet")


class Harmful:
    ran = False

    def __reduce__(self) -> tuple:
        return setattr, (Harmful, "ran", True)


def test_nothing_in_a_file_is_executed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = saved({"conv1.weight": Harmful()})
    (cache / publish("resnet18", contents, monkeypatch)).write_bytes(contents)
    with pytest.raises(ValueError, match="damaged"):
        get_model("resnet18", weights="imagenet")
    assert not Harmful.ran


@pytest.mark.parametrize("name", ["resnet20", "alexnet_2012", "vgg11_tiny", "lenet5"])
def test_networks_without_weights(name: str) -> None:
    with pytest.raises(ValueError, match=f"no ImageNet weights for {name}"):
        get_model(name, weights="imagenet")


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", SHARED)
def test_another_head_is_put_on_afterwards(name: str) -> None:
    with torch.device("meta"):
        with pytest.raises(ValueError, match="1000 classes apart, not 10") as error:
            get_model(name, weights="imagenet", num_classes=10)
        with pytest.raises(ValueError, match="see 3 channels, not 1"):
            get_model(name, weights="imagenet", in_channels=1)
        model = get_model(name).eval()
        exec(str(error.value).partition("at the end: ")[2], {"model": model, "training": training})  # a recipe
        assert model(torch.zeros(1, 3, 224, 224)).shape == (1, 10)


def test_unknown_weights() -> None:
    with pytest.raises(ValueError, match="no weights 'imagenet21k' of resnet18: weights is None, 'imagenet', a file"):
        get_model("resnet18", weights="imagenet21k")
