"""Image folders that are read while a network trains: the layout of ImageNet, images of different sizes and formats."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnnlab import data, models, training
from cnnlab.training import pipelines

SIZES = [(40, 30), (30, 44), (64, 64), (33, 50)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two classes, red and blue, with noise; JPEG, PNG, a grey one, one with transparency."""
    root = tmp_path_factory.mktemp("images")
    noise = np.random.default_rng(0)
    for part, count in (("train", 12), ("val", 4)):
        for label, name in enumerate(("blue", "red")):
            place = root / part / name
            place.mkdir(parents=True)
            for i in range(count):
                width, height = SIZES[i % 4]
                pixels = noise.integers(0, 120, (height, width, 3), np.uint8)
                pixels[..., 0 if label else 2] += 120
                image = Image.fromarray(pixels)
                if i == 3:
                    image = image.convert("RGBA")
                image.save(place / (f"{i}.png" if i % 2 else f"{i}.JPEG"))
    Image.new("L", (20, 20), 99).save(root / "train" / "red" / "grey.png")
    return root


def streamed(folder: Path, workers: int = 0, **transforms) -> data.Dataset:
    given = {"train": pipelines.torchvision_train(24), "test": pipelines.torchvision_test(24, 28)} | transforms
    return data.stream(folder, **given, workers=workers)


def test_what_it_says_of_itself(folder):
    dataset = streamed(folder)
    assert repr(dataset) == f"{folder.name}: 25 training and 8 test images, 3x24x24, 2 classes"
    assert dataset.classes == ("blue", "red")
    assert dataset.train.labels.tolist() == [0] * 12 + [1] * 13
    assert repr(dataset.test) == "8 images in files, 3x24x24"


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_come_in_the_order_asked_for(folder, workers):
    split = streamed(folder, workers).test
    order = [torch.tensor([7, 0, 3]), torch.tensor([5])]
    batches = list(split.batches(order))
    for asked, (images, labels) in zip(order, batches, strict=True):
        assert torch.equal(images, split.inputs(asked)) and torch.equal(labels, split.labels[asked])
    assert batches[0][0].shape == (3, 3, 24, 24) and batches[0][0].dtype == torch.float32


@pytest.mark.slow  # it trains, and starts processes
@pytest.mark.parametrize("workers", [0, 2])
def test_a_network_learns_from_it_and_twice_the_same(folder, workers):
    def run() -> training.Run:
        torch.manual_seed(0)
        model = models.get_model("resnet20_tiny", depths=(1, 1, 1), num_classes=2)
        return training.fit(model, streamed(folder, workers), epochs=6, batch_size=8, lr=0.05, progress=False)

    first, second = run(), run()
    assert first.images == 25 and first.history[-1].test_accuracy == 1
    for key, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[key]), key


def test_it_trains_as_the_same_images_in_memory_do(tmp_path):
    """Where nothing is random in the pipeline, a stream and a split are the same data set."""
    digits = data.load("street_digits", train=100, test=100)
    for part, split in (("train", digits.train), ("val", digits.test)):
        for i, (image, label) in enumerate(zip(split.images, split.labels.tolist(), strict=True)):
            place = tmp_path / part / digits.classes[label]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(place / f"{i:03}.png")
    whole = data.load(tmp_path)

    def normal(pixels: np.ndarray) -> torch.Tensor:
        return pipelines.normalize(torch.tensor(pixels).permute(2, 0, 1), whole.mean, whole.std)

    runs = []
    for dataset in (whole, data.stream(tmp_path, train=normal, test=normal, workers=0)):
        torch.manual_seed(0)
        arguments = {"epochs": 1, "batch_size": 16, "precision": "fp32", "progress": False}
        runs.append(training.fit(models.get_model("lenet5", in_channels=3), dataset, **arguments))
    ours, theirs = (torch.cat([p.flatten() for p in run.model.parameters()]) for run in runs)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)
    assert runs[0].history[-1].test_loss == pytest.approx(runs[1].history[-1].test_loss, abs=1e-4)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_image_is_named(folder, tmp_path, workers):
    import shutil

    shutil.copytree(folder, tmp_path / "copy")
    broken = tmp_path / "copy" / "train" / "red" / "1.png"
    broken.write_bytes(broken.read_bytes()[:200])
    model = models.get_model("resnet20_tiny", depths=(1, 1, 1), num_classes=2)
    with pytest.raises(data.DataError, match=r"1\.png.*cannot be read as an image.*mend or remove it"):
        training.fit(model, streamed(tmp_path / "copy", workers), epochs=1, progress=False)


def test_a_folder_without_held_out_images_is_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "train" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "train" / name / "1.png")
    with pytest.raises(data.DataError, match="neither val nor test"):
        streamed(tmp_path)


def test_a_stream_cannot_hold_out(folder):
    with pytest.raises(data.DataError, match="is streamed: move some of its training files"):
        streamed(folder).hold_out(3)


def test_what_needs_images_in_memory_says_so(folder):
    with pytest.raises(data.DataError, match=r"is streamed: turn the images in memory, which data\.load"):
        training.quarter_turns(streamed(folder))


def test_a_split_and_a_stream_answer_to_the_same_calls(folder):
    digits = data.load("street_digits", train=6, test=4)
    for split in (digits.test, streamed(folder).test):
        order = [torch.tensor([2, 0]), torch.tensor([3])]
        for batches in (split.batches(order), split.batches(order, "cpu"), split.reader(torch.device("cpu"))(order)):
            for asked, (inputs, labels) in zip(order, batches, strict=True):
                assert torch.equal(inputs, split.inputs(asked)) and torch.equal(labels, split.labels[asked])
        assert split.inputs(torch.tensor([1])).shape[1:] == split.shape
        some = split.take(torch.tensor([3, 1]))
        assert torch.equal(some.labels, split.labels[[3, 1]]) and torch.equal(some.inputs(), split.inputs([3, 1]))
        assert len(split.take(slice(0))) == 0


def test_features_of_streamed_images(folder):
    model = models.get_model("resnet20_tiny", depths=(1, 1, 1), num_classes=2)
    assert training.features(model, streamed(folder).test).shape == (8, 32)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("wrapped", [False, True])
def test_albumentations_draws_anew_in_each_worker_and_pass_and_the_same_again(folder, workers, wrapped):
    def passes() -> list[torch.Tensor]:
        pipeline = pipelines.albumentations_train(24)
        transform = (lambda pixels: pipeline(image=pixels)["image"]) if wrapped else pipeline
        split = streamed(folder, workers, train=transform).train
        same = [torch.zeros(4, dtype=torch.int64)] * 2  # one file four times, by each worker
        torch.manual_seed(0)
        return [images for _ in range(2) for images, _ in split.batches(same)]

    first, second = passes(), passes()
    drawn = torch.cat(first)
    assert len(torch.unique(drawn.flatten(1), dim=0)) > 12  # of 16; a crop may be drawn twice
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
