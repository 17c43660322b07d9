"""What lesson 08 shows of ResNet-56 and its plain twin: recorded whole, on one scale, from the weights beside it."""

import itertools
from copy import deepcopy

import pytest
import torch

from cnnlab import course, data, measure, models
from cnnlab.lessons import records
from cnnlab.lessons.loss_surfaces import record, study

TASKS = {task.id: task for task in course.exercises("08")}
NAMES = ("resnet56", "plain56")


@pytest.fixture(scope="module")
def surfaces() -> dict[str, measure.LossSurface]:
    return {name: course.recorded_surface(f"{name}-cifar10") for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_surface_is_whole_and_says_where_it_comes_from(surfaces, name):
    surface = surfaces[name]
    assert surface.loss.shape == surface.accuracy.shape == (51, 51) and surface.complete
    assert (surface.loss > 0).all() and ((surface.accuracy >= 0) & (surface.accuracy <= 1)).all()
    about = surface.provenance
    assert (
        about["command"] == f"python -m cnnlab record loss_surfaces surface-{name}-cifar10"
        and about["date"]
        and about["machine"]
    )
    assert about["images"] == 500 and about["bf16_error"] < 0.05


def test_both_are_drawn_along_the_same_directions_and_images(surfaces):
    one, other = surfaces.values()
    torch.testing.assert_close(one.x, other.x)
    torch.testing.assert_close(one.y, other.y)
    assert [one.provenance[key] for key in ("plane", "images", "span")] == [
        other.provenance[key] for key in ("plane", "images", "span")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_middle_is_the_trained_network(surfaces, name):
    """Its loss there is that of a network that has learnt, and no point of the map is much better."""
    surface = surfaces[name]
    history = course.record(f"{name}-cifar10").results["history"][-1]
    assert surface.loss[25, 25] < 1.5 * history["train_loss"] + 0.1
    assert surface.accuracy[25, 25] > history["train_accuracy"] - 0.05
    assert surface.loss.min() > surface.loss[25, 25] - 0.1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [1, 2])
def test_other_directions_meet_in_the_same_network(surfaces, name, seed):
    other = course.recorded_surface(f"{name}-cifar10-seed{seed}")
    assert other.loss.shape == (25, 25) and other.complete
    made_by = f"python -m cnnlab record loss_surfaces surface-{name}-cifar10-seed{seed}"
    assert other.provenance["command"] == made_by
    assert other.loss[12, 12] == pytest.approx(surfaces[name].loss[25, 25].item(), rel=0.01)
    assert (other.loss - surfaces[name].loss[1:-1:2, 1:-1:2]).abs().max() > 1  # another plane


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", (0, 1, 2))
def test_the_paper_s_own_pair_is_whole_and_says_whose_it_is(surfaces, name, seed):
    drawn = f"li2018-{name}" + (f"-seed{seed}" if seed else "")
    surface = course.recorded_surface(drawn)
    about = surface.provenance
    assert surface.complete and about["images"] == 500 and about["span"] == [-1, 1, -1, 1]
    assert about["command"] == f"python -m cnnlab record loss_surfaces surface-{drawn}" and about["date"]
    assert "Li et al. 2018" in about["about"] and "JPEG" in about["about"]
    assert about["plane"] == measure.random_plane(models.get_model("resnet20_tiny"), seed).about
    middle = len(surface.x) // 2
    assert surface.loss[middle, middle] < surface.loss.min() + 0.5


def test_the_mountains_are_in_the_paper_s_plain_network_alone():
    smooth, rough = (study.numbers({"": study.recorded(f"li2018-{name}")})[""] for name in NAMES)
    ours = study.numbers({"": study.recorded("plain56-cifar10")})[""]
    assert min(rough["minima"]) > 2 * max(smooth["minima"] + ours["minima"])
    assert min(rough["descent"]) > 1.5 * max(smooth["descent"] + ours["descent"])
    assert min(rough["laplacian"]) > 2 * max(smooth["laplacian"] + ours["laplacian"])


def test_without_the_paper_s_files_a_record_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.delenv(record.FOLDER, raising=False)
    with pytest.raises(FileNotFoundError, match=r"resnet56_model_300\.t7 is missing.*CNNLAB_LI2018=that/folder"):
        record.paper_network("resnet56")
    monkeypatch.setenv(record.FOLDER, str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"resnet56_noshort_model_300\.t7 is missing"):
        record.paper_network("plain56")


def test_a_network_of_the_paper_is_loaded_layer_by_layer(tmp_path):
    """From a file with their names for the layers, without counters of batches."""
    torch.manual_seed(0)
    theirs = models.get_model("plain56")
    names = {"stem.conv": "conv1", "stem.norm": "bn1", "head.fc": "linear"}
    state = {}
    for name, value in theirs.state_dict().items():
        layer, _, part = name.rpartition(".")
        if part != "num_batches_tracked":
            state[f"{names.get(layer, layer)}.{part}"] = value
    torch.save({"acc": 1.0, "epoch": 300, "state_dict": state}, tmp_path / record.PAPER["plain56"][0])
    ours = record.paper_network("plain56", tmp_path)
    x = torch.randn(2, 3, 32, 32)
    assert not ours.training and torch.equal(ours(x), theirs.eval()(x))


def test_the_networks_are_those_of_the_paper():
    """ResNet-56 with projections, and the same without any shortcut: 0.85 million parameters, less the projections."""
    residual, plain = (models.get_model(name, weights="cifar10") for name in NAMES)
    assert sum(p.numel() for p in residual.parameters()) == 855_770
    convolutions = [[m for m in net.modules() if isinstance(m, torch.nn.Conv2d)] for net in (residual, plain)]
    projections = [m for m in convolutions[0] if m.kernel_size == (1, 1)]
    assert len(projections) == 2 and len(convolutions[0]) - 2 == len(convolutions[1]) == 55
    lost = sum(p.numel() for p in residual.parameters()) - sum(p.numel() for p in plain.parameters())
    assert lost == sum(m.out_channels * m.in_channels + 2 * m.out_channels for m in projections)


def solved(id: str):
    return TASKS[id].made(TASKS[id].solution)


def test_a_normalised_direction_is_the_package_s():
    for direction, weight in TASKS["08.normalise"].arguments():
        got = solved("08.normalise")(direction, weight)
        torch.testing.assert_close(got.flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1))
        along = torch.nn.functional.cosine_similarity(got.flatten(1), direction.flatten(1))
        torch.testing.assert_close(along, torch.ones(len(along)))


def test_between_two_states_all_floats_are_interpolated():
    for a, b, t in TASKS["08.interpolate"].arguments():
        for name, value in solved("08.interpolate")(a, b, t).items():
            true = torch.lerp(a[name], b[name], t) if a[name].is_floating_point() else a[name]
            torch.testing.assert_close(value, true)


def test_the_sharpness_is_an_eigenvalue_of_the_hessian():
    for loss, w in TASKS["08.sharpness"].arguments():
        eigenvalues = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, w)).tolist()
        assert max(eigenvalues, key=abs) == pytest.approx(max(loss.eigenvalues, key=abs), rel=1e-4)
        assert solved("08.sharpness")(loss, w) == pytest.approx(max(eigenvalues, key=abs), rel=1e-3)


ON_THE_WAY = {60: record.KEPT, 132: (1, 3, 10, 26, 30, 44, 66, 99, 121), 300: (1, 3, 10, 30, 60, 100, 150, 225, 275)}
TRAINED = [*itertools.product(NAMES, (60, 132)), ("plain56", 300)]


@pytest.mark.parametrize(("name", "length"), TRAINED)
def test_a_training_by_the_papers_recipe_is_looked_at_on_its_way(name, length):
    said = records.record(f"{name}-{length}-epochs").results
    lrs = [epoch["lr"] for epoch in said["history"]]
    shares = [lrs.count(pytest.approx(lr)) for lr in (0.1, 0.01, 0.001)]
    assert len(lrs) == length and shares == pytest.approx([length / 2, length / 4, length / 6], abs=1)
    surfaces = study.on_the_way(records.record(f"{name}-{length}-epochs"))
    assert {e: len(planes) for e, planes in surfaces.items()} == {**dict.fromkeys(ON_THE_WAY[length], 1), length: 3}
    for epoch, planes in surfaces.items():
        middle, there = planes[0].loss[12, 12].item(), said["on_the_way"][str(epoch)]["learnt"]["loss"]
        assert middle == pytest.approx(there, rel=0.15, abs=0.03)  # of 500 of the images, and of 5,000
    drawn = study.rising(records.record(f"{name}-{length}-epochs"))
    assert f"Local minima after epoch 1: {surfaces[1][0].minima}" in repr(drawn)
    table = study.while_it_rises(records.record(f"{name}-{length}-epochs"))
    assert [row[0] for row in table.rows] == list(surfaces)


@pytest.mark.parametrize("length", (60, 132))
def test_the_two_of_one_recipe_are_one_table(length):
    pair = {name: records.record(f"{name}-{length}-epochs") for name in NAMES}
    table = study.twins_on_the_way(pair)
    assert len(table.rows) == len(ON_THE_WAY[length]) + 1 and len(table.rows[0]) == 7


def test_all_300_epochs_raise_dents_and_not_the_papers_mountains():
    trained = {("plain", length): records.record(f"plain56-{length}-epochs") for length in ON_THE_WAY}
    rows = study.at_their_ends(trained).rows
    few, more, most = (sum(map(int, row[4].split(", "))) / 3 for row in rows)
    by_paper = study.means(study.numbers({"": study.recorded("li2018-plain56")})[""])
    assert max(few, more) < most < by_paper[0] / 3
    maps = study.on_the_way(trained["plain", 300])
    assert max(each.minima for planes in maps.values() for each in planes) < 20
    assert study.means(study.numbers({"": maps[300]})[""])[1] < by_paper[1] / 2


def test_a_longer_training_does_not_raise_the_mountains_either():
    maps = {name: study.on_the_way(records.record(f"{name}-132-epochs")) for name in NAMES}
    all_of_plain = [each for planes in maps["plain56"].values() for each in planes]
    assert max(each.minima for each in all_of_plain) < 20 and max(each.descent() for each in all_of_plain) < 0.2
    smooth, plain = (study.numbers({"": maps[name][132]})[""] for name in ("resnet56", "plain56"))
    by_paper = study.numbers({"": study.recorded("li2018-plain56")})[""]
    assert study.means(plain)[0] < study.means(by_paper)[0] / 3 and study.means(plain)[1] < study.means(by_paper)[1] / 3
    assert max(smooth["minima"]) <= 5


def test_what_half_precision_kept_is_another_network():
    first = records.record("plain56-60-epochs").results["on_the_way"]["1"]
    single, half = study.kept_as(first).rows
    assert float(single[1].rstrip(" %")) > 2 * float(half[1].rstrip(" %")) and half[3] >= 10 > single[3]
    known = records.record("plain56-60-epochs").results["history"][0]["test_accuracy"]
    assert first["held_out"]["accuracy"] == pytest.approx(known, abs=0.01)  # as it was while it was trained


def test_the_papers_mountains_stand_with_other_statistics_and_not_with_those_of_each_point():
    came, anew = (
        measure.LossSurface.load(records.SURFACES / f"li2018-plain56{end}.safetensors") for end in ("", "-anew")
    )
    assert study.alike(came).minima >= 10 and anew.minima >= 10 and anew.descent() >= 0.3
    assert "measured anew on 4,000" in anew.provenance["about"]
    own = study.own_statistics(records.record("statistics_everywhere"), "plain56")
    frozen = study.recorded("li2018-plain56")[1:]
    for mine, centre in zip(own, frozen, strict=True):
        assert mine.loss.shape == centre.loss.shape == (25, 25)
        assert mine.minima < centre.minima / 2 and mine.descent() < centre.descent() / 2
        middle = mine.loss[12, 12], centre.loss[12, 12]  # in the centre they are nearly the same statistics
        assert 0.5 < middle[0] / middle[1] < 1.2
    for then in records.record("statistics_everywhere").results.values():
        for *_, mine, by_others in then.get("checked", []):
            assert by_others == pytest.approx(mine, rel=0.25)


def test_at_every_point_the_statistics_are_those_of_the_photographs(monkeypatch):
    digits = data.load("street_digits", train=40, test=10)
    net = models.get_model("resnet20_tiny", weights="street_digits")
    monkeypatch.setattr(record, "paper_network", lambda *_: deepcopy(net))
    monkeypatch.setattr(record, "photographs", lambda _: digits.train)
    monkeypatch.setattr(record, "other_photographs", lambda _: digits.train)
    monkeypatch.setattr(record, "CHECKED", [(0.0, 0.0), (1.0, -1.0)])
    monkeypatch.setattr(records.Draft, "save", lambda *_, **__: None)
    draft = records.Draft("nothing", "command")
    record.statistics_everywhere(draft, points=3)
    assert [*draft.results] == [f"{name}, seed {seed}" for seed in (1, 2) for name in ("resnet56", "plain56")]
    (grid,) = draft.results["plain56, seed 2"]["losses"]
    inputs = data.Split(digits.train.images, digits.train.labels, record.PAPER_MEAN, record.PAPER_STD).inputs()
    for row, column, place in ((1, 1, (0.0, 0.0)), (0, 2, (1.0, -1.0))):
        then = deepcopy(net)
        then.load_state_dict(measure.random_plane(net, 2).at(*place))
        for layer in then.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.reset_running_stats()
                layer.momentum = None
        then.train()(inputs)  # measured once, on all of them
        loss = torch.nn.functional.cross_entropy(then.eval()(inputs), digits.train.labels)
        assert grid[row][column] == pytest.approx(loss.item(), rel=0.1)
    for x, y, own, by_others in draft.results["plain56, seed 1"]["checked"]:  # the others are the same here
        assert (x, y) in record.CHECKED and by_others == pytest.approx(own, rel=0.1)


def test_what_is_left_of_the_initial_weights_is_in_the_shipped_ones():
    said = records.record("plain56-60-epochs").results
    torch.manual_seed(said["seed"])
    begun = record.filters(models.get_model("plain56", **said["options"]))
    ended = models.get_model("plain56", weights=records.WEIGHTS / "plain56-60-epochs.safetensors")
    cosines = torch.cat([torch.cosine_similarity(*pair) for pair in zip(begun, record.filters(ended), strict=True)])
    quantiles = cosines.quantile(torch.tensor([0.1, 0.5, 0.9])).tolist()
    assert quantiles == pytest.approx(said["on_the_way"]["60"]["cosines"], abs=1e-3)
