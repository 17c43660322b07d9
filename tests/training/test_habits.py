"""What people give to `fit` and do with what it returns: what is wrong is found, and said in words."""

import functools
import random
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cnnlab import data, models, training, view
from cnnlab.data import DataError


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("handwritten", train=64, test=64)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 5, 4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(196, 10))


def quick(model: nn.Module, dataset: data.Dataset, **arguments) -> training.Run:
    return training.fit(model, dataset, **{"epochs": 1, "lr": 0.01, "progress": False} | arguments)


@pytest.mark.parametrize("odd", [10, -100, -1])
@pytest.mark.parametrize("part", ["training", "test", "validation"])
def test_labels_that_are_no_class_are_found_before_anything_is_trained(digits, odd, part):
    images, labels = digits.train.images, digits.train.labels
    wrong = labels.clone()
    wrong[[7, 9]] = odd
    parts = {name: (images, wrong if name == part else labels) for name in ("training", "test", "validation")}
    with pytest.raises(
        DataError, match=rf"mine: 2 {part} images have labels .* 0 to 9; the first is {odd}, of image 7"
    ):
        data.assemble("mine", parts["training"], parts["test"], digits.classes, "", parts["validation"])


def test_another_number_or_kind_of_labels_is_refused(digits):
    images, labels = digits.train.images, digits.train.labels
    for wrong in (labels[:-1], labels[:, None], nn.functional.one_hot(labels)):
        with pytest.raises(DataError, match="one number as a label for each of 64 images"):
            data.Split(images, wrong, digits.mean, digits.std)
    for wrong in (labels.float(), labels.int()):
        with pytest.raises(DataError, match=r"mine: labels must be int64, not .*: labels\.long\(\)"):
            data.assemble("mine", (images, labels), (images, wrong), digits.classes)


def test_images_must_be_whole_numbers_and_never_change(digits):
    images, labels = digits.train.images, digits.train.labels
    with pytest.raises(DataError, match=r"must be uint8, .* not torch.float32 .* \(255 \* images\)\.round"):
        data.Split(images / 255, labels, digits.mean, digits.std)
    with pytest.raises(DataError, match=r"not torch.uint8 of the shape \(64, 32, 32\)"):
        data.Split(images[:, 0], labels, digits.mean, digits.std)
    before = images.clone()
    first, second = digits.train.inputs(), digits.train.inputs()
    assert torch.equal(first, second) and torch.equal(images, before)


def test_weights_that_are_no_numbers_are_named(digits):
    model = network()
    with torch.no_grad():
        model[4].bias[3] = float("nan")
    with pytest.raises(ValueError, match=r"weights that are no numbers before it is trained: 4\.bias"):
        quick(model, digits)


@pytest.mark.parametrize("test", ["test", "no test"])
def test_a_divergence_in_the_last_step_is_one(digits, test):
    """The loss was a number in each step; what the last step made of the weights only a test would see."""
    dataset = digits if test == "test" else digits.without_test()
    model = nn.Sequential(nn.Flatten(), nn.Linear(1024, 10))
    with pytest.raises(training.DivergedError, match=r"1\.weight is no number any more after epoch 1") as error:
        quick(model, dataset, batch_size=64, lr=1e38, schedule="constant", weight_decay=1e38, momentum=0)
    assert error.value.run.history == []


def test_an_untested_epoch_says_so(digits):
    run = quick(network(), digits.without_test())
    assert "nan" not in repr(run) and repr(run).count("not tested") == 2
    assert "nan" not in view.curves(run).alt and "not tested" in view.curves(run).alt


class OnePixel(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Conv2d(1, 8, 32), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, 10))


def test_a_last_batch_of_one_is_found_before_the_first(digits):
    few = data.load("handwritten", train=33, test=10)
    model = OnePixel()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=r"Of 33 images in batches of 32 one is left over, .* for example 31"):
        quick(model, few, batch_size=32)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    quick(model, few, batch_size=31)
    quick(network(), few, batch_size=32)  # a larger map has enough numbers in one image


def test_others_data_says_how(digits):
    pairs = TensorDataset(digits.train.inputs(), digits.train.labels)
    fake = torchvision.datasets.FakeData(4, (1, 32, 32))
    for wrong in (pairs, DataLoader(pairs), fake, digits.train, (digits.train.images, digits.train.labels)):
        with pytest.raises(ValueError, match=r"fit takes a data set of cnnlab, not .*data\.assemble takes images"):
            quick(network(), wrong)
    parts = [(split.images, split.labels) for split in (digits.train, digits.test)]
    mine = data.assemble("mine", *parts, digits.classes)
    assert repr(mine) == "mine: 64 training and 64 test images, 1x32x32, 10 classes"
    assert quick(network(), mine).history[0].test_loss == quick(network(), digits).history[0].test_loss


def test_metrics_know_each_class(digits):
    model = quick(network(), digits, epochs=3).model
    measured = training.evaluate(model, digits.test)
    guesses = model(digits.test.inputs()).argmax(1)
    for label in range(10):
        mine = digits.test.labels == label
        assert measured.per_class[label] == pytest.approx((guesses[mine] == label).float().mean().item())
        assert measured.confusion[label].tolist() == guesses[mine].bincount(minlength=10).tolist()
    assert measured.confusion.trace() == round(measured.accuracy * 64)
    assert measured == training.Metrics(measured.loss, measured.accuracy, measured.top5)
    some = digits.test.take(digits.test.labels != 4)
    assert training.evaluate(model, some).per_class[4] != training.evaluate(model, some).per_class[4]  # nan


def test_class_weights_are_those_of_the_loss(digits):
    first, second = (digits.train.labels == label for label in (0, 1))
    rare = digits.train.take(
        torch.cat([first.nonzero()[:1], second.nonzero(), second.nonzero(), second.nonzero()])[:, 0]
    )
    dataset = data.Dataset("rare", rare, digits.test, digits.classes, digits.mean, digits.std, "")
    found = []
    for weights in (None, [30.0, 1.0] + [1.0] * 8):
        run = quick(network(), dataset, epochs=10, batch_size=len(rare), lr=0.02, class_weights=weights)
        found.append(training.evaluate(run.model, digits.test).per_class[0])
    assert found[1] > found[0]
    same = [quick(network(), digits, class_weights=weights).history[0].train_loss for weights in (None, [2.0] * 10)]
    assert same[0] == pytest.approx(same[1])
    for wrong in ([1.0], [-1.0] * 10, [float("nan")] * 10):
        with pytest.raises(ValueError, match="class_weights must be 10 numbers"):
            quick(network(), digits, class_weights=wrong)


class Darker:
    """An augmentation of one's own, without a repr."""

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        return images - 0.1


@pytest.mark.parametrize("augment", [Darker, lambda: functools.partial(torch.sub, other=0.1), lambda: nn.Dropout(0.1)])
def test_a_training_with_ones_own_augmentation_goes_on(digits, tmp_path, augment):
    whole = quick(network(), digits, epochs=4, augment=augment())
    path = tmp_path / "run.checkpoint"

    def stop(run: training.Run) -> None:
        if len(run.history) == 2:
            raise KeyboardInterrupt

    quick(network(), digits, epochs=4, augment=augment(), checkpoint=path, on_epoch=stop)
    run = quick(network(), digits, epochs=4, augment=augment(), checkpoint=path)  # another object, at another address
    assert all(torch.equal(a, b) for a, b in zip(run.model.parameters(), whole.model.parameters(), strict=True))


def test_a_training_with_frozen_stages_goes_on_and_with_others_it_says_why(digits, tmp_path):
    def frozen(stages: int) -> nn.Module:
        torch.manual_seed(0)
        return training.freeze(models.get_model("resnet20_tiny", in_channels=1, depths=(1, 1, 1)), stages)

    path = tmp_path / "run.checkpoint"
    whole = quick(frozen(1), digits, epochs=2)
    quick(frozen(1), digits, epochs=2, checkpoint=path, on_epoch=lambda run: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(training.CheckpointError, match=r"belongs to another training: frozen was '\d+ parameters"):
        quick(frozen(2), digits, epochs=2, checkpoint=path)
    run = quick(frozen(1), digits, epochs=2, checkpoint=path)
    assert len(run.history) == 2
    for key, value in run.model.state_dict().items():
        assert torch.equal(value, whole.model.state_dict()[key]), key


def test_a_run_stopped_in_its_first_epoch_says_what_there_is(digits):
    def pressed(images: torch.Tensor) -> torch.Tensor:
        raise KeyboardInterrupt

    run = quick(network(), digits, augment=pressed)
    assert run.interrupted and run.history == [] and run.images_per_second == 0 and "interrupted" in repr(run)
    with pytest.raises(ValueError, match="Sequential has no whole epoch yet"):
        view.curves(run)


def test_what_numpy_and_python_draw_follows_the_seed_and_is_put_back(digits):
    def noise(images: torch.Tensor) -> torch.Tensor:
        return images * (1 + 0.1 * np.random.rand()) + 0.1 * random.random()

    before = np.random.get_state()[1].tolist(), random.getstate()
    first, second = (quick(network(), digits, augment=noise).history[0].train_loss for _ in range(2))
    assert first == second != quick(network(), digits, augment=noise, seed=1).history[0].train_loss
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before


LATE = """
import sys
from cnnlab import data, models, training
digits = data.load("handwritten", train=64, test=64)
before = set(sys.modules)
training.fit(models.get_model("lenet5"), digits, epochs=1, progress=False)
print(sorted(name for name in set(sys.modules) - before if name.startswith(("torch", "sympy", "mpmath"))))
"""


@pytest.mark.slow  # a process
def test_nothing_large_is_imported_while_it_trains():
    """A stop in the middle of an import leaves half of a library, and every later training fails."""
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    late = eval(done.stdout)
    assert not [name for name in late if name.startswith(("sympy", "mpmath", "torch._dynamo"))] and len(late) < 10, late


def test_numbers_of_numpy_are_numbers_and_the_checkpoint_is_gone_on_from(digits, tmp_path):
    """A rate out of np.logspace, weights out of scikit-learn: their types would have to be executed to be read."""
    one, given = np.int64(1), {"lr": np.float64(0.01), "weight_decay": np.float32(0), "class_weights": np.ones(10)}
    given |= {"epochs": one * 2, "batch_size": one * 16, "seed": one, "rates": {"0": np.float32(0.5)}}
    path = tmp_path / "run.checkpoint"

    def stop(run: training.Run) -> None:
        raise KeyboardInterrupt

    whole = quick(network(), digits, **given)
    quick(network(), digits, **given, checkpoint=path, on_epoch=stop)
    run = quick(network(), digits, **given, checkpoint=path)
    assert len(run.history) == 2 and torch.equal(run.model[-1].weight, whole.model[-1].weight)
    for wrong in ({"epochs": True}, {"batch_size": 16.0}, {"lr": "0.1"}):
        with pytest.raises(ValueError, match=rf"{next(iter(wrong))} must be .*, not "):
            quick(network(), digits, **wrong)


def test_batches_of_one_are_found_before_the_first(digits):
    with pytest.raises(ValueError, match=r"Of 64 images in batches of 1 one is left over, .* for example 2\.$"):
        quick(OnePixel(), digits, batch_size=1)
    few = data.load("handwritten", train=33, test=0)
    with pytest.raises(ValueError, match=r"batches of 2 one is left over, .* for example 3\.$"):
        quick(OnePixel(), few, batch_size=2)
    with pytest.raises(ValueError, match=r"Of 1 images in batches of 128 .* alone\. Take more images\.$"):
        quick(OnePixel(), data.load("handwritten", train=1, test=0), batch_size=128)


class Opened(nn.Module):
    """Written as in PyTorch's own tutorial: the maps are opened by `view`."""

    def __init__(self, view: bool) -> None:
        super().__init__()
        self.view = view
        self.maps = nn.Sequential(nn.Conv2d(1, 4, 5, 4), nn.ReLU(), nn.Conv2d(4, 8, 3))
        self.head = nn.Linear(200, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.maps(images)
        return self.head(maps.view(-1, 200) if self.view else maps.flatten(1))


def test_maps_may_be_opened_by_view(digits):
    runs = []
    for view_ in (True, False):
        torch.manual_seed(0)
        runs.append(quick(Opened(view_), digits, epochs=2, precision="fp32"))
    assert runs[0].history[-1].test_loss == pytest.approx(runs[1].history[-1].test_loss, rel=1e-4)
    assert training.evaluate(runs[0].model, digits.test).loss == pytest.approx(runs[0].history[-1].test_loss, rel=1e-4)


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
def test_it_trains_where_gradients_were_switched_off(digits, off):
    usual = quick(network(), digits)
    model = network()
    with off():
        run = quick(model, digits)
        assert not torch.is_grad_enabled()
    assert run.history[0].test_loss == usual.history[0].test_loss


def test_what_returns_no_logits_is_refused(digits):
    with pytest.raises(ValueError, match=r"logits of the shape \(images, classes\), not shape \(1, 10, 1, 1\)\."):
        quick(nn.Conv2d(1, 10, 32), digits)

    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = network()

        def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"logits": self.inner(images)}

    with pytest.raises(ValueError, match=r"must return logits of the shape \(images, classes\), not a dict\."):
        quick(Wrapped(), digits)


def test_class_weights_by_name_are_refused(digits):
    """Of a dictionary, as Keras has it, the keys would be taken for the weights."""
    with pytest.raises(ValueError, match="class_weights must be 10 numbers"):
        quick(network(), digits, class_weights={label: 1.0 for label in range(10)})


@pytest.mark.parametrize("device", ["gpu", "cuda:x", object()])
def test_a_device_that_there_is_not_is_named(digits, device):
    with pytest.raises(ValueError, match="device must be 'cuda', 'mps', 'cpu', or None"):
        quick(network(), digits, device=device)


def test_a_softmax_at_the_end_is_pointed_out(digits):
    with pytest.warns(UserWarning, match="ends in a softmax"):
        quick(nn.Sequential(network(), nn.Softmax(1)), digits)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick(nn.Sequential(network(), nn.LogSoftmax(1)), digits)  # a softmax of it is the same again
        quick(nn.Sequential(network(), nn.Sigmoid()), digits)


def test_no_images_have_no_features(digits):
    model = models.get_model("resnet20_tiny", in_channels=1, depths=(1, 1, 1))
    with pytest.raises(ValueError, match="no images to take features of"):
        training.features(model, digits.without_test().test)


def test_labels_without_an_output_are_found_before_a_gpu_sees_them(digits):
    model = nn.Sequential(nn.Flatten(), nn.Linear(1024, 3))
    with pytest.raises(ValueError, match="There are labels up to 9, and Sequential has 3 outputs"):
        training.evaluate(model, digits.test)


def test_a_network_without_weights_is_tested_and_not_trained(digits):
    blind = nn.Sequential(nn.AvgPool2d(8), nn.Flatten())  # 16 numbers
    assert training.evaluate(blind, digits.test).confusion.shape == (16, 16)
    with pytest.raises(ValueError, match="Nothing is left to train"):
        quick(blind, digits)


@pytest.mark.parametrize("classes", [0, -1, "3", 2.0])
def test_a_head_of_no_classes_is_refused(classes):
    with pytest.raises(ValueError, match="classes must be a whole number of at least 1"):
        training.replace_head(models.get_model("resnet20_tiny"), classes)
