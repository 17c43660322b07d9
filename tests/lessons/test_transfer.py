"""Lesson 16: the backbones that are shipped, its record, and the functions that its text relies on."""

import copy
import math
import statistics
from dataclasses import replace

import pytest
import torch
from torch import nn

from cnnlab import course, data, lessons, models, training
from cnnlab.lessons.transfer import solar, solar_tables, study
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


def tiny():
    torch.manual_seed(0)
    return models.get_model("efficientnet_b0_tiny", num_classes=2)


@pytest.fixture(scope="module")
def two_classes():
    street = data.load("street_digits", train=solar.BATCH, test=8, validation=8)
    parts = {
        name: replace(part, labels=part.labels % 2)
        for name, part in vars(street).items()
        if name in ("train", "validation", "test")
    }
    return replace(street, classes=("even", "odd"), **parts)


@pytest.mark.parametrize("stages", [0, 2])
def test_learning_from_stored_maps_is_learning_behind_frozen_stages(stages, two_classes):
    """`training.fit` sends every image through the frozen stages each time, and ends with the same weights."""
    stored, whole, split = tiny(), training.freeze(tiny(), stages), two_classes.train
    maps = solar.maps(stored, split.inputs(), stages).clone()
    losses = solar.tune(solar.above(stored, stages), maps, split.labels, lr=0.1, share=0.1, steps=5)
    settings = {"batch_size": solar.BATCH, "precision": "fp32", "progress": False}
    slow = {"stem": 0.1, "stages": 0.1} if not stages else {"stages": 0.1}
    training.fit(whole, two_classes.without_test(), epochs=5, lr=0.1, rates=slow, **settings)
    assert len(losses) == 5
    for (name, one), other, before in zip(
        stored.state_dict().items(), whole.state_dict().values(), tiny().state_dict().values(), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-4, msg=name)
        if name.endswith("weight"):
            frozen = name.startswith(("stem", "stages.0", "stages.1")) and stages
            assert torch.equal(one, before) == bool(frozen), name


def test_bit_by_bit_means_that_the_last_stages_learn_first(two_classes, monkeypatch):
    """All quarters have equally many steps; while four and two stages are frozen, they do not move."""
    asked, tune = [], solar.tune

    def watched(part, inputs, labels, lr, share, steps):
        before = copy.deepcopy(model.state_dict())
        losses = tune(part, inputs, labels, lr, share, steps)
        moved = {
            name.split(".")[1] for name, value in model.state_dict().items() if not torch.equal(value, before[name])
        }
        asked.append((steps, share, sorted(stage for stage in moved if stage.isdigit())))
        return losses

    model = tiny()
    monkeypatch.setattr(solar, "tune", watched)
    monkeypatch.setattr(solar, "BIT_BY_BIT", (4, 2, 0))
    losses = solar.learn(model, "unfrozen bit by bit", two_classes.train, lr=0.1, steps=15)
    assert asked == [(5, 0.1, []), (5, 0.1, ["2", "3"]), (5, 0.1, ["0", "1", "2", "3"])] and len(losses) == 15


def test_every_method_learns_for_as_many_steps():
    assert all(steps % len(solar.BIT_BY_BIT) == 0 for steps in solar.STEPS.values())
    assert all(labels % solar.BATCH == 0 for labels in solar.LABELS)


def test_random_weights_are_as_large_as_their_authors_made_them():
    """With the depthwise weights as large as PyTorch makes them, nothing of the image would arrive at the end."""
    torch.manual_seed(0)
    images = data.load("street_digits", train=40, test=0).train
    spreads = []
    for model in (models.get_model("efficientnet_lite0"), solar.untrained("efficientnet_lite0")):
        spreads.append(training.features(model, images).std(0).mean().item())
    assert spreads[0] < 1e-6 and spreads[1] > 1e-2


def test_of_a_record_of_cells_only_what_validation_chose_is_shown():
    def run(method, lr, seed, validation, balanced, labels=100):
        return {"method": method, "labels": labels, "seed": seed, "lr": lr, "validation": validation} | {
            "accuracy": 0.7, "balanced": balanced, "processor_seconds": 2.0
        }  # fmt: skip

    runs = [
        run("fine-tuned", 0.1, 0, 0.6, 0.1),
        run("fine-tuned", 0.2, 0, 0.7, 0.2),
        run("fine-tuned", 0.4, 0, 0.6, 0.3),
    ]
    runs += [
        run("fine-tuned", 0.2, 1, 0.1, 0.4),
        run("from scratch", 0.1, 0, 0.5, 0.5),
        run("from scratch", 0.2, 0, 0.5, 0.5),
    ]
    probe = {"network": "ImageNet", "labels": 20, "strength": 1.0, "seed": 0, "validation": 0.5, "processor_seconds": 1}
    depths = [probe | {"stages": stages, "balanced": 0.1 * stages} for stages in range(3)]
    found = solar_tables.measured({"probes": [], "depths": depths, "runs": runs})
    assert found.values(solar_tables.SCALED, 20, "balanced") == [0.2]
    assert found.values("fine-tuned", 100, "balanced") == [0.2, 0.4]
    assert found.values("fine-tuned", 100, "seconds") == [2.0, 2.0]
    assert solar_tables.at_the_edge(runs) == [("from scratch", 100)]
    assert solar_tables.mean(found, "fine-tuned", 100) == pytest.approx(30)


@pytest.fixture(scope="module")
def measured_cells():
    results = course.record("solar_cells").results
    return results, solar_tables.measured(results)


def test_the_record_of_cells_has_every_case_once_and_every_rate_was_looked_for(measured_cells):
    results, found = measured_cells
    blocks = lessons.import_module("cnnlab.lessons.transfer.record").BLOCKS
    wanted = {(method, labels, seed) for methods, labels, seeds in blocks for method in methods for seed in seeds}
    runs = [(run["method"], run["labels"], run["seed"]) for run in found.results if "lr" in run]
    assert sorted(runs) == sorted(wanted)
    for name in solar.PROBED:
        assert [len(found.values(f"linear probe, {name}", labels)) for labels in solar.LABELS] == [len(study.SEEDS)] * 4
    tried = {run["lr"] for run in results["runs"]}
    assert len(tried) > len(solar.RATES) and set(solar.RATES) < tried
    for run in results["runs"]:
        times = 2 if run["method"].endswith(solar.LONGER) else 1
        assert run["steps"] == times * solar.STEPS[run["labels"]]
    kept = {(p["network"], p["stages"], p["labels"]) for p in results["depths"]}
    assert len(kept) == len(solar.BY_DEPTH) * 9 * len(solar.LABELS)


def test_nothing_of_a_photograph_is_in_the_record(measured_cells):
    results, _ = measured_cells
    for run in (run for part in results.values() for run in part):
        assert all(isinstance(value, (str, int, float)) for value in run.values())


@pytest.mark.slow  # 2,624 photographs are read
def test_what_is_recorded_of_cells_can_be_measured_again(measured_cells):
    pytest.importorskip("elpv_dataset")
    _, found = measured_cells
    said = next(run for run in found.results if (run["method"], run["labels"]) == ("7 stages frozen", 20))
    again = solar.trained("7 stages frozen", 20, said["seed"], said["lr"])
    assert again["balanced"] == pytest.approx(said["balanced"], abs=0.05)
    assert again.keys() | {"seconds"} == said.keys()


def test_tables_of_cells_show_what_the_record_has(measured_cells):
    results, found = measured_cells
    table = solar_tables.overview(found, {"probe": solar_tables.PROBE, "tuned": "fine-tuned, one rate"})
    probe = 100 * statistics.mean(found.values(solar_tables.PROBE, 500, "balanced"))
    assert table.rows[0][3].startswith(f"{probe:.1f} / ") and len(table.header) == 6
    cuts = solar_tables.cuts(found, (20, 100))
    cut = dict(zip(cuts.header, cuts.rows[1], strict=True))
    assert cut["labels"] == "100" and cut["none"] == f"{solar_tables.mean(found, 'fine-tuned', 100):.1f}"
    assert cut["7"].startswith(f"{solar_tables.mean(found, '7 stages frozen', 100):.1f}")
    more = solar_tables.longer(found, "fine-tuned, one rate", 500)
    assert [row[0] for row in more.rows] == ["linear probe", "fine-tuned, one rate", "twice the steps"]
    faces = study.recorded(course.record("transfer").results["runs"], "faces")
    rows = solar_tables.advice(faces, found, results["depths"]).rows
    of_all = solar_tables.mean(found, solar_tables.PROBE, 1900)
    assert len(rows) == 4 and rows[3][3].startswith(f"probe {of_all:.0f}, scaled ")
    picture = solar_tables.depths(results["depths"], 100, "Title")
    at_stem = 100 * statistics.mean(solar_tables.by_depth(results["depths"], "ImageNet", 100)[0])
    assert f"ImageNet {at_stem:.0f}, " in picture.alt and "100 labels" in picture.alt


def test_each_draw_has_the_depth_that_its_validation_cells_choose(measured_cells):
    def probe(stages, seed, validation, balanced):
        return {"network": "ImageNet", "labels": 20, "strength": 1.0} | {
            "stages": stages, "seed": seed, "validation": validation, "balanced": balanced
        }  # fmt: skip

    first = [probe(0, 0, 0.5, 0.1), probe(1, 0, 0.7, 0.2), probe(2, 0, 0.6, 0.3)]
    probes = [*first, probe(0, 1, 0.8, 0.4), probe(1, 1, 0.5, 0.5), probe(2, 1, 0.5, 0.6)]
    assert solar_tables.own_depth(probes, "ImageNet", 20) == ([1, 0], [0.2, 0.4])
    table, gains = solar_tables.against_the_end(probes, (20,))
    assert gains[20] == pytest.approx((-0.15, 0.05)) and table.rows[0][1:] == [
        "1, stem",
        "30.0",
        "45.0",
        "-15.0 ± 5.0 *",
    ]

    results, found = measured_cells
    scaled = [found.values(solar_tables.SCALED, labels, "balanced") for labels in (20, 100)]
    assert scaled == [solar_tables.by_depth(results["depths"], "ImageNet", labels)[-1] for labels in (20, 100)]


def test_earlier_features_are_shown_to_help_where_both_numbers_of_labels_are_clear():
    (claim,) = [claim for claim in course.all_claims("16") if claim.id == "earlier_features"]
    assert claim.follows((4.1, 0.9, 3.0, 1.0)) == "shown here"
    assert claim.follows((4.1, 0.9, 2.1, 1.0)) == "not shown at this scale"
    assert claim.follows((-4.1, 0.9, -3.0, 1.0)) == "the opposite was measured"


def test_other_figures_than_accuracy_can_be_compared():
    results = [
        {
            "method": m,
            "labels": n,
            "seed": s,
            "accuracy": 0.5,
            "balanced": 0.6 + 0.1 * (m == "a") + 0.01 * s,
            "seconds": 1,
        }
        for m in "ab"
        for n in (20, 100)
        for s in range(5)
    ]
    found = training.Study(results)
    alt = study.compared(found, (20, 100), {"A": "a"}, what="balanced", images="labelled cells").alt
    assert alt == "Mean balanced accuracy in % of 5 seeds with 20, 100 labelled cells: A 72, 72."
    pairs, counts = {"a - b": ("a", "b")}, {"cells": (20, 100)}
    assert study.differences({"cells": found}, pairs, counts)[1] == {"a - b": [0, 0]}
    table, clear = study.differences({"cells": found}, pairs, counts, "balanced")
    assert clear == {"a - b": [1, 1]} and table.header[0] == "labels" and table.rows[0][0] == "cells, 20"
