"""What lesson 08 shows of ResNet-56 and its plain twin: recorded whole, on one scale, from the weights beside it."""

import pytest
import torch

from cnnlab import course, measure, models

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
