"""What users rely on in transfer learning: what is frozen stays, what is probed agrees with what is trained."""

import copy

import pytest
import torch
from torch import nn

from cnnlab import data, models, training
from cnnlab.data import Dataset
from cnnlab.training import features, fine_tune, freeze, last_layer, linear_probe, quarter_turns, replace_head


@pytest.fixture(scope="module")
def few() -> Dataset:
    return data.load("handwritten", train=50, test=100).in_rgb()


@pytest.fixture
def net() -> nn.Module:
    """With statistics in its batch norms that are not those of the data to come."""
    torch.manual_seed(0)
    model = models.get_model("resnet20_tiny", depths=(1, 1, 1), num_classes=7)
    for _ in range(3):
        model(torch.randn(16, 3, 32, 32) * 2 + 1)
    for norm in (m for m in model.stages[-1].modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.constant_(norm.weight, 4)  # so that its features differ from image to image
    return model.eval()


def test_a_new_head_and_nothing_else(net):
    before = copy.deepcopy(net.state_dict())
    assert replace_head(net, 4)(torch.zeros(2, 3, 32, 32)).shape == (2, 4)
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items() if not k.startswith("head"))


@pytest.mark.parametrize("name", ["lenet5", "alexnet_tiny", "vgg11_tiny", "googlenet_tiny", "resnet20_tiny",
                                  "densenet_40_12_tiny", "mobilenet_v2_tiny", "nasnet_a_mobile_tiny",
                                  "efficientnet_b0_tiny", "vit_b_16_tiny", "convnext_tiny_tiny"])  # fmt: skip
def test_every_family_has_a_head_to_replace_and_features(name):
    model = replace_head(models.get_model(name, in_channels=3), 5)
    split = data.load("street_digits", train=2, test=3).test
    seen = features(model, split)
    assert seen.shape == (3, last_layer(model).in_features)
    torch.testing.assert_close(model.eval()(split.inputs()), last_layer(model)(seen), rtol=1e-4, atol=1e-4)
    freeze(model)
    trained = {name.partition(".")[0] for name, p in model.named_parameters() if p.requires_grad}
    assert trained == {"head"}


def test_a_network_that_ends_otherwise_is_refused():
    with pytest.raises(ValueError, match="does not end with a linear layer"):
        replace_head(models.get_model("lenet5_1998"), 3)


@pytest.mark.parametrize("stages", [0, 1, 3, None])
def test_what_is_frozen_stays_with_its_statistics(net, few, stages):
    before = copy.deepcopy(net)
    fine_tune(net, few, stages=stages, backbone=1, steps=4)
    frozen = {0: [], 1: ["stem", "stages.0"], 3: ["stem", "stages"], None: ["stem", "stages"]}[stages]
    for name, value in net.state_dict().items():
        if name.startswith("head") or "num_batches" in name:
            continue
        same = torch.equal(value, before.state_dict()[name])
        assert same == any(name.startswith(part) for part in frozen), name


@pytest.mark.parametrize("stages", [-1, 4])
def test_there_are_only_so_many_stages(net, stages):
    with pytest.raises(ValueError, match=f"stages must be 0 to 3, or None .*, not {stages}"):
        freeze(net, stages)


def test_freezing_can_be_taken_back(net):
    assert all(p.requires_grad for p in freeze(freeze(net), 0).parameters())


def test_everything_frozen_is_an_error(net, few):
    replace_head(net, 10).requires_grad_(False)
    with pytest.raises(ValueError, match="all parameters are frozen"):
        training.fit(net, few, progress=False)


def test_rates_are_shares_of_the_learning_rate(net, few):
    """Without momentum's help a step is as long as its rate: with a share of 0 nothing moves."""
    before = replace_head(net, 10)
    arguments = {"epochs": 1, "lr": 0.01, "batch_size": 50, "precision": "fp32", "weight_decay": 0.0, "progress": False}
    moved = {}
    for share in (1.0, 0.1, 0.0):
        model = copy.deepcopy(before)
        training.fit(model, few, rates={"stem": share}, **arguments)
        moved[share] = (model.stem.conv.weight - before.stem.conv.weight).norm().item()
    assert moved[0.0] == 0 and moved[0.1] == pytest.approx(0.1 * moved[1.0], rel=1e-3)
    with pytest.raises(ValueError, match=r"no share 0\.5 for 'stam' is possible: the parts"):
        training.fit(net, few, rates={"stam": 0.5}, progress=False)


def objective(model: nn.Module, split: data.Split, strength: float) -> torch.Tensor:
    penalty = last_layer(model).weight.square().sum() / (2 * strength * len(split))
    return nn.functional.cross_entropy(model(split.inputs()), split.labels) + penalty


@pytest.mark.slow  # seconds
@pytest.mark.parametrize(("name", "classes"), [("handwritten", 10), ("faces", 2)])
def test_a_probe_is_the_minimum_that_sgd_on_a_frozen_backbone_goes_to(net, name, classes):
    few, strength = data.load(name, train=50, test=1).in_rgb(), 0.1
    probe = linear_probe(net, few, strength=strength)
    layer = last_layer(probe)
    least = objective(probe, few.train, strength)
    for slope in torch.autograd.grad(least, [layer.weight, layer.bias]):
        assert slope.abs().max() < 2e-3
    reached = []
    for epochs in (10, 200):
        sgd = freeze(replace_head(copy.deepcopy(net), classes))
        nn.init.zeros_(last_layer(sgd).weight)
        arguments = {"batch_size": 50, "weight_decay": 1 / (strength * 50), "precision": "fp32", "progress": False}
        training.fit(sgd, few, epochs=epochs, lr=0.01, **arguments)
        reached.append(objective(sgd, few.train, strength).item())
    assert least.item() < reached[1] < reached[0] and reached[1] < 1.1 * least.item()


@pytest.mark.parametrize("classes", [(3, 8), (1, 4, 6)])
def test_a_probe_of_some_classes_knows_no_other(net, few, classes):
    chosen = torch.isin(few.train.labels, torch.tensor(classes))
    split = data.Split(few.train.images[chosen], few.train.labels[chosen], few.mean, few.std)
    some = Dataset("some", split, few.test, few.classes, few.mean, few.std, "")
    probe = linear_probe(net, some)
    assert set(probe(few.test.inputs()).argmax(1).tolist()) <= set(classes)
    with torch.no_grad():
        assert (probe(split.inputs()).argmax(1) == split.labels).float().mean() > 0.8


def test_a_probe_of_one_class_is_refused(net, few):
    one = few.train.labels == 3
    split = data.Split(few.train.images[one], few.train.labels[one], few.mean, few.std)
    with pytest.raises(ValueError, match="at least two classes"):
        linear_probe(net, Dataset("one", split, few.test, few.classes, few.mean, few.std, ""))


def test_quarter_turns_are_a_task_without_labels():
    plain = data.load("street_digits", train=6, test=3)
    turned = quarter_turns(plain)
    assert repr(turned) == "street_digits, turned: 24 training and 12 test images, 3x32x32, 4 classes"
    once = turned.train.images[turned.train.labels == 1]
    assert torch.equal(once[2, :, 0, :], plain.train.images[2, :, :, -1])  # the right edge became the upper one


def test_a_study_is_one_table(few):
    def start() -> nn.Module:
        return models.get_model("resnet20_tiny", depths=(1, 1, 1))

    methods = {"probe": (start, linear_probe), "all": (start, lambda m, d: fine_tune(m, d, steps=2))}
    study = training.transfer_study(
        methods,
        lambda count, seed: data.load("handwritten", train=10 * count, test=50, seed=seed).in_rgb(),
        labels=(1, 2),
        seeds=(0, 1, 2),
    )
    assert len(study.results) == 12 and len(study.values("all", 2)) == 3
    table = study.table()
    assert table.header == ["accuracy in %, by labels per class", "1", "2", "seconds"]
    assert [row[0] for row in table.rows] == ["probe", "all"] and "±" in table.rows[0][1]
