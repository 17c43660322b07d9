"""Lesson 16: the backbones that are shipped, its record, and the functions that its text relies on."""

import math
import statistics

import pytest
import torch
from torch import nn

from cnnlab import course, data, models, training
from cnnlab.lessons.transfer import solar, study
from cnnlab.models.pretrained import FOLDER
from cnnlab.training import last_layer

TASKS = {task.id: task for task in course.exercises("16")}


@pytest.mark.slow  # two thousand images
@pytest.mark.parametrize("name", ["named", "turned"])
def test_a_shipped_backbone_reads_what_its_record_says(name):
    network, weights = study.BACKBONES[name]
    said = course.record("street_backbones").results[weights]
    dataset = data.load("street_digits", train=1000, test=1000)  # the first of the 2,000 that the record tested
    if name == "turned":
        dataset = training.quarter_turns(dataset)
    accuracy = training.evaluate(models.get_model(network, weights=weights), dataset.test).accuracy
    assert accuracy == pytest.approx(said["accuracy"], abs=0.025)


@pytest.mark.parametrize(("network", "weights"), study.BACKBONES.values())
def test_its_file_is_small_and_says_where_it_comes_from(network, weights):
    path = FOLDER / f"{network}-{weights}.safetensors"
    about, tensors = models.weight_file(path)
    assert path.stat().st_size < 600 * 1024
    assert about["model"] == network and about["command"].startswith("python -m cnnlab record ") and "seed" in about
    assert all(tensor.isfinite().all() for tensor in tensors.values())


def test_the_record_has_every_method_of_every_seed_once():
    runs = course.record("transfer").results["runs"]
    wanted = [
        (name, count, seed, method)
        for name, counts in study.LABELS.items()
        for count in counts
        for seed in study.SEEDS
        for method in study.methods()
    ]
    found = [(r["data"], r["labels"], r["seed"], r["method"]) for r in runs]
    assert sorted(found) == sorted(wanted)
    assert all(0 <= r["accuracy"] <= 1 and r["processor_seconds"] > 0 for r in runs)


def test_few_has_as_many_of_each_class_and_others_to_test():
    for name, classes in (("handwritten", 10), ("faces", 2)):
        few, again = study.few(name, 3, seed=1), study.few(name, 5, seed=1)
        assert few.train.labels.bincount().tolist() == [3] * classes and few.train.shape == (3, 32, 32)
        assert torch.equal(few.test.images, again.test.images)
        images = {image.numpy().tobytes() for image in few.test.images}
        assert not any(image.numpy().tobytes() in images for image in few.train.images)


def test_differences_are_taken_seed_by_seed():
    mean, error = study.paired([0.9, 0.5, 0.7], [0.8, 0.4, 0.6])
    assert mean == pytest.approx(0.1) and error == pytest.approx(0, abs=1e-9)
    mean, error = study.paired([1.0, 0.0], [0.0, 0.0])
    assert (mean, error) == (0.5, pytest.approx(statistics.stdev([1, 0]) / math.sqrt(2)))


def test_images_are_alike_where_the_nearest_other_has_their_class():
    features = torch.tensor([[0.0], [0.1], [1.0], [1.1], [5.0]])
    assert study.alike(features, torch.tensor([0, 0, 1, 1, 1])) == 1
    assert study.alike(features, torch.tensor([0, 1, 0, 1, 1])) == pytest.approx(0.2)


def test_the_probes_head_is_where_tuning_begins():
    torch.manual_seed(0)
    net, few = models.get_model("resnet20_tiny", width=4, depths=(1, 1, 1)), study.few("handwritten", 2, test=10)
    probe = training.linear_probe(net, few)
    kept = training.fine_tune(probe, few, new_head=False, lr=1e-9, steps=1)
    assert kept is probe and last_layer(kept).weight.abs().sum() > 0
    torch.testing.assert_close(last_layer(kept).weight, last_layer(training.linear_probe(net, few)).weight)


def test_the_parts_of_a_network_are_all_of_it():
    model = study.backbone("named")
    assert sum(study.parts(model).values()) == sum(p.numel() for p in model.parameters())


def test_the_probes_gradient_is_autograds():
    task = TASKS["16.probe"]
    for features, labels, weight, bias, strength in task.arguments():
        given = weight.clone().requires_grad_()
        penalty = given.square().sum() / (2 * strength * len(labels))
        loss = torch.nn.functional.cross_entropy(features @ given.T + bias, labels) + penalty
        (gradient,) = torch.autograd.grad(loss, given)
        torch.testing.assert_close(task.made(task.solution)(features, labels, weight, bias, strength), gradient)


def test_the_difference_of_the_exercise_is_the_records():
    task = TASKS["16.difference"]
    for first, second in task.arguments():
        assert task.made(task.solution)(first, second) == pytest.approx(study.paired(first, second), rel=1e-4)


def test_few_holds_out_validation_images_that_leave_the_others_as_they_are():
    few = study.few("handwritten", 5, validation=200)
    assert len(few.validation) == 200 and torch.equal(few.train.images, study.few("handwritten", 5).train.images)


def test_batch_norms_that_lag_are_made_to_keep_up():
    model = models.get_model("efficientnet_lite0")
    assert {norm.momentum for norm in study.batch_norms(model)} == {0.01}
    assert training.keep_up(model) is model and {norm.momentum for norm in study.batch_norms(model)} == {0.1}
    faster = nn.BatchNorm2d(2, momentum=0.5), nn.BatchNorm2d(2, momentum=None)
    training.keep_up(nn.Sequential(*faster))
    assert [norm.momentum for norm in faster] == [0.5, None]


def test_a_figure_of_solar_cells_names_source_and_licence():
    pytest.importorskip("elpv_dataset")
    cells = data.load("solar_cells", train=30, test=40, size=16)
    picture = solar.gallery(cells)
    assert any("CC BY-NC-SA 4.0" in text.get_text() for text in picture.figure.texts)
    fewer = solar.with_labels(cells, 10, seed=0)
    assert len(fewer.train) == 10 and fewer.test is cells.test
    assert torch.equal(fewer.train.images, solar.draw(cells.train, 10, seed=0).images)


def test_the_lesson_says_what_is_missing_where_there_are_no_solar_cells(monkeypatch):
    from cnnlab.data import solar_cells

    solar.cells.cache_clear()
    solar_cells.cells.cache_clear()
    monkeypatch.setattr(solar_cells, "find_spec", lambda name: None)
    with pytest.raises(data.DataError, match="pip install elpv-dataset"):
        solar.cells()


def test_the_advice_has_all_four_pairs_of_tasks():
    runs = course.record("transfer").results["runs"]
    table = study.advice({name: study.recorded(runs, name) for name in study.LABELS})
    assert len(table.rows) == 4 and table.rows[0][0] == "street digits → handwritten"
    assert all(cell.count("/") == 2 for row in table.rows for cell in row[1:])
