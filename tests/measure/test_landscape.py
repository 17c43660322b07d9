"""What users rely on in loss surfaces: exact points, filter normalisation, files that can be trusted."""

import copy
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from cnnlab import data, measure, models, training
from cnnlab.data import Split
from cnnlab.measure import LossSurface
from cnnlab.measure.fused import FusedConv, fused, repack
from cnnlab.measure.landscape import Prober, fold


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("handwritten", train=200, test=100)


@pytest.fixture(scope="module")
def model(digits) -> nn.Module:
    torch.manual_seed(0)
    net = models.get_model("resnet20_tiny", in_channels=1, depths=(1, 1, 1), shortcut="B")
    return training.fit(net, digits, epochs=3, batch_size=32, progress=False).model


def moved(model: nn.Module, plane: measure.Plane, x: float, y: float) -> nn.Module:
    state = dict(plane.origin)
    for direction, step in ((plane.first, x), (plane.second, y)):
        for name, change in direction.items():
            state[name] = state[name] + step * change
    other = copy.deepcopy(model)
    other.load_state_dict(state)
    return other.eval()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_point_is_the_loss_of_the_network_moved_there(digits, model, precision):
    """Against the plain way: add the directions to the weights, run the network as it is, batch norms and all."""
    surface = measure.loss_surface(
        model, digits.test, points=3, span=0.4, seed=1, precision=precision, progress=False, batch_size=33
    )
    plane = measure.random_plane(model, 1)
    for row, y in enumerate(surface.y.tolist()):
        for column, x in enumerate(surface.x.tolist()):
            plain = training.evaluate(moved(model, plane, x, y), digits.test, precision="fp32")
            tolerance = 1e-4 if precision == "fp32" else 0.05
            assert surface.loss[row, column] == pytest.approx(plain.loss, rel=tolerance)
            assert surface.accuracy[row, column] == pytest.approx(
                plain.accuracy, abs=1e-6 if precision == "fp32" else 0.04
            )
    assert surface.complete and surface.points_per_second > 0
    assert surface.provenance.get("bf16_error", 1.0) < 0.05 or precision == "fp32"


def test_a_place_of_a_plane_is_a_state_of_the_network(model):
    plane = measure.random_plane(model, 1)
    expected = moved(model, plane, 0.3, -0.2).state_dict()
    state = plane.at(0.3, -0.2)
    assert all(torch.allclose(state[name], value, atol=1e-6) for name, value in expected.items())
    assert all(torch.equal(plane.at(0)[name], value) for name, value in model.state_dict().items())


def test_curvatures_are_the_eigenvalues_of_the_hessian():
    """Of z = x^2 + 3xy - 2y^2, whose Hessian is [[2, 3], [3, -4]] everywhere."""
    x, y = torch.linspace(-1, 1, 5), torch.linspace(0, 1, 4)
    loss = x[None] ** 2 + 3 * x[None] * y[:, None] - 2 * y[:, None] ** 2
    curvatures = LossSurface(x, y, loss, loss).curvatures()
    expected = torch.linalg.eigvalsh(torch.tensor([[2.0, 3.0], [3.0, -4.0]]))
    assert curvatures.shape == (2, 3, 2)
    torch.testing.assert_close(curvatures, expected.expand(2, 3, 2), atol=1e-4, rtol=1e-4)


def analytic(log_loss, points: int = 25, rows: int | None = None) -> LossSurface:
    """The surface whose log loss is this function of x and y, from -1 to 1."""
    x, y = (torch.linspace(-1, 1, n, dtype=torch.double) for n in (points, rows or points))
    loss = log_loss(x[None], y[:, None]).exp().expand(len(y), len(x))
    return LossSurface(x, y, loss, loss)


STEP = 2 / 24  # between two points of these surfaces
EGGS = 4 * math.pi  # waves per unit: valleys at -1, -0.5, 0, 0.5 and 1, in x and in y
SURFACES = {  # log loss; laplacian, minima, descent
    "plane": (lambda x, y: 2 * x + y, 0, 0, 5**0.5 / math.pi),
    "bowl": (lambda x, y: 3 * (x**2 + y**2), 12 * STEP**2, 1, 0),
    "long bowl": (lambda x, y: x**2 + 9 * y**2, 20 * STEP**2, 1, 0),
    "upside down": (lambda x, y: -3 * (x**2 + y**2), 12 * STEP**2, 0, 3),
    "saddle": (lambda x, y: x**2 - y**2, 0, 0, 1 / math.pi),
    "cone": (lambda x, y: (x**2 + y**2).sqrt() + 0 * y, None, 1, 0),
    "egg-box": (lambda x, y: -(EGGS * x).cos() - (EGGS * y).cos(), None, 9, None),
}


@pytest.mark.parametrize("name", SURFACES)
def test_what_the_eye_sees_of_surfaces_that_are_known(name):
    log_loss, laplacian, minima, descent = SURFACES[name]
    surface = analytic(log_loss)
    assert surface.minima == minima
    if laplacian is not None:
        assert surface.laplacian == pytest.approx(laplacian, abs=1e-9)
    if descent is not None:
        assert surface.descent() == pytest.approx(descent, rel=0.02, abs=1e-9)


def test_the_laplacian_of_a_cone_and_an_egg_box():
    """That of r is 1 / r, and its mean over a disc 2 / radius; that of a wave is the wave, times its bend."""
    finer = analytic(SURFACES["cone"][0], 201)
    inside = 8 * math.log(1 + 2**0.5) / 4  # the mean of 1 / r over the square from -1 to 1
    assert finer.laplacian / 0.01**2 == pytest.approx(inside, rel=0.02)
    x = torch.linspace(-1, 1, 25, dtype=torch.double)[1:-1]
    waves = (EGGS * x[None]).cos() + (EGGS * x[:, None]).cos()
    expected = 2 * (1 - math.cos(EGGS * STEP)) * waves.abs().mean().item()
    assert analytic(SURFACES["egg-box"][0]).laplacian == pytest.approx(expected)


def test_ripples_in_a_bowl_are_descents_and_minima():
    """Rings, six of them: on its way out a ray goes down on each, from its top to its bottom."""

    def rings(x, y):
        r = (x**2 + y**2).sqrt()
        return 0.5 * (1 - (2 * math.pi * 6 * r).cos())

    assert analytic(rings, 401).descent() == pytest.approx(6, rel=0.01)
    assert analytic(lambda x, y: rings(x, y) + 40 * (x**2 + y**2).sqrt(), 401).descent() == pytest.approx(0, abs=1e-9)


def test_turning_rescaling_and_a_rectangle_change_nothing():
    bumpy = analytic(lambda x, y: (7 * x).sin() * (5 * y + 1).cos() + x**2)
    same = LossSurface(bumpy.y, bumpy.x, 30 * bumpy.loss.T, bumpy.accuracy.T)
    for surface in (same, LossSurface(10 * bumpy.x, 10 * bumpy.y, bumpy.loss, bumpy.accuracy)):
        assert surface.laplacian == pytest.approx(bumpy.laplacian)
        assert surface.minima == bumpy.minima > 1
        assert surface.descent() == pytest.approx(bumpy.descent())
    wide = analytic(SURFACES["bowl"][0], 31, rows=21)
    assert wide.minima == 1 and wide.descent() == pytest.approx(0, abs=1e-9)


def test_every_second_point_is_a_coarser_surface():
    fine = analytic(SURFACES["bowl"][0], 49)
    coarse = fine.every(2)
    assert torch.equal(coarse.x, fine.x[::2]) and torch.equal(coarse.loss, fine.loss[::2, ::2])
    assert coarse.laplacian == pytest.approx(4 * fine.laplacian) == pytest.approx(SURFACES["bowl"][1])


def test_of_what_is_not_whole_nothing_is_said():
    surface = analytic(SURFACES["bowl"][0])
    surface.loss = surface.loss.clone()
    surface.loss[3, 4] = math.nan
    line = analytic(SURFACES["bowl"][0], rows=1)
    for unfit in (surface, line):
        for number in (lambda s: s.laplacian, lambda s: s.minima, LossSurface.descent):
            with pytest.raises(ValueError, match="whole surface"):
                number(unfit)


def test_a_place_is_the_network_with_the_planes_weights(digits, model):
    plane = measure.random_plane(model)
    probe, moved = Prober(model, plane, digits.test, torch.device("cpu"), "fp32", 50), copy.deepcopy(model).eval()
    for place in [(0.3, -0.2), (0.0, 0.0), (-0.5, 0.5)]:
        moved.load_state_dict(plane.at(*place))
        there = training.evaluate(moved, digits.test, precision="fp32")
        assert probe(*place) == pytest.approx((there.loss, there.accuracy), rel=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_losses_are_those_of_the_processor(digits, model):
    settings = (model, measure.random_plane(model), digits.test)
    there, here = (Prober(*settings, torch.device(device), "fp32", 50) for device in ("cuda", "cpu"))
    for place in [(0.3, -0.2), (0.0, 0.0), (-0.5, 0.5)]:
        assert there(*place) == pytest.approx(here(*place), rel=1e-2)


FUSED = {"resnet20_tiny": 19, "plain20_tiny": 19, "mobilenet_v2_tiny": 22, "efficientnet_b0_tiny": 21}


@pytest.mark.parametrize("name", FUSED)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_fused_convolutions_follow_the_weights(name, dtype):
    torch.manual_seed(0)
    model, images = models.get_model(name).eval(), torch.randn(4, 3, 32, 32).to(dtype)
    fold(model, measure.random_plane(model).origin, [])
    model.to(dtype)
    quick = fused(model, images)
    assert sum(isinstance(module, FusedConv) for module in quick.modules()) >= FUSED[name]
    with torch.inference_mode():
        before = quick(images).float()
        for weight in model.parameters():
            weight.mul_(0.9)
        repack(quick)
        after, expected = quick(images).float(), model(images).float()
    assert (after - expected).norm() < (1e-3 if dtype == torch.float32 else 0.05) * expected.norm()
    assert (after - before).norm() > 0.1 * before.norm()


def test_a_network_that_cannot_be_traced_is_measured_all_the_same(digits, model):
    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, x):
            return self.inner(x) if x.mean() < 1e9 else x

    assert fused(Branching().eval(), torch.zeros(1, 1, 8, 8)) is None
    options = {"points": 3, "precision": "fp32", "progress": False}
    plain, branching = (measure.loss_surface(each, digits.test, **options) for each in (model, Branching().eval()))
    assert torch.allclose(plain.loss, branching.loss, rtol=1e-3)


def test_a_network_that_hides_something_from_the_tracing_is_not_fused():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.times = nn.Conv2d(1, 1, 1), 0

        def forward(self, x):
            self.times += 1
            return self.conv(x) * self.times

    assert fused(Counting(), torch.ones(1, 1, 2, 2)) is None


def test_every_filter_of_a_direction_is_as_long_as_its_own(model):
    direction = measure.random_direction(model, 3)
    parameters = dict(model.named_parameters())
    assert set(direction) == {name for name, parameter in parameters.items() if parameter.ndim > 1}
    for name, drawn in direction.items():
        own, drawn = parameters[name].flatten(1).norm(dim=1), drawn.flatten(1).norm(dim=1)
        torch.testing.assert_close(drawn, own.detach(), rtol=1e-4, atol=1e-6)
    raw = measure.random_direction(model, 3, normalize=False)
    assert raw["head.fc.weight"].std() == pytest.approx(1, abs=0.1)
    assert torch.equal(direction["head.fc.weight"], measure.random_direction(model, 3)["head.fc.weight"])
    assert not torch.equal(direction["head.fc.weight"], measure.random_direction(model, 4)["head.fc.weight"])


def test_filter_normalisation_sees_through_a_rescaling_that_changes_nothing(digits, model):
    """Twice the weights before a batch norm is the same network: the normalised surface must be the same too."""
    doubled = copy.deepcopy(model)
    with torch.no_grad():
        for module in doubled.modules():
            if isinstance(module, nn.Sequential):
                for conv, norm in zip(module, list(module)[1:], strict=False):
                    if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                        conv.weight *= 2
                        norm.running_mean *= 2
                        norm.running_var.add_(norm.eps).mul_(4).sub_(norm.eps)
    options = {"points": 3, "span": 0.5, "precision": "fp32", "progress": False}
    one, other = (measure.loss_surface(m, digits.test, **options) for m in (model, doubled))
    torch.testing.assert_close(one.loss, other.loss, rtol=1e-3, atol=1e-4)
    planes = [measure.random_plane(m, normalize=False) for m in (model, doubled)]
    one, other = (
        measure.loss_surface(m, digits.test, plane=p, **options) for m, p in zip((model, doubled), planes, strict=True)
    )
    assert (one.loss - other.loss).abs().max() > 0.1, "without it the same network looks different"


def test_a_line_between_two_networks_has_both_at_its_ends(digits, model):
    torch.manual_seed(5)
    other = models.get_model("resnet20_tiny", in_channels=1, depths=(1, 1, 1), shortcut="B").eval()
    line = measure.loss_line(model, digits.test, to=other.state_dict(), points=3, span=(0, 1), progress=False)
    for at, net in ((0, model), (2, other)):
        assert line.loss[0, at] == pytest.approx(training.evaluate(net, digits.test, precision="fp32").loss, rel=1e-4)
    with pytest.raises(ValueError, match="no state of this ResNet"):
        measure.loss_line(model, digits.test, to={}, progress=False)


def test_a_plane_through_three_checkpoints_goes_through_them(digits, model):
    states = [copy.deepcopy(model.state_dict()) for _ in range(3)]
    for i, state in enumerate(states[1:], start=1):
        state["head.fc.weight"] += i
    plane = measure.plane_through(*states)
    surface = measure.loss_surface(
        model, digits.test, plane=plane, points=2, span=(0, 1, 0, 1), precision="fp32", progress=False
    )
    for (row, column), state in zip(((0, 0), (0, 1), (1, 0)), states, strict=True):
        other = copy.deepcopy(model)
        other.load_state_dict(state)
        expected = training.evaluate(other, digits.test, precision="fp32").loss
        assert surface.loss[row, column] == pytest.approx(expected, rel=1e-4)


def test_the_principal_plane_holds_a_path_that_lies_in_a_plane(model):
    end, generator = model.state_dict(), torch.Generator().manual_seed(0)
    name, ways = "head.fc.weight", torch.randn(2, 10, 32, generator=generator)
    states = [{**end, name: end[name] + a * ways[0] + b * ways[1]} for a, b in ((3, 1), (2, 0), (1, 2), (0, 0))]
    plane, path, shares = measure.principal_plane(states)
    assert shares.sum() == pytest.approx(1, abs=1e-4)
    for state, (x, y) in zip(states, path.tolist(), strict=True):
        torch.testing.assert_close(
            plane.origin[name] + x * plane.first[name] + y * plane.second[name], state[name], rtol=1e-3, atol=1e-3
        )
    with pytest.raises(ValueError, match="at least three states"):
        measure.principal_plane(states[:2])


def test_a_surface_is_kept_in_one_file_and_goes_on_from_it(digits, model, tmp_path, monkeypatch):
    options = {"points": 3, "precision": "fp32", "progress": False}
    whole = measure.loss_surface(model, digits.test, **options)
    file, calls, call = tmp_path / "surface.safetensors", [], Prober.__call__

    def interrupted(self, *place):
        calls.append(place)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return call(self, *place)

    monkeypatch.setattr(Prober, "__call__", interrupted)
    part = measure.loss_surface(model, digits.test, file=file, **options)
    assert not part.complete and part.loss.isnan().sum() == 5 and "5 points missing" in repr(part)
    done = measure.loss_surface(model, digits.test, file=file, **options)
    assert len(calls) == 5 + 5 and torch.equal(done.loss, whole.loss)
    loaded = LossSurface.load(file)
    assert torch.equal(loaded.loss, whole.loss) and loaded.provenance["images"] == 100
    assert [path.name for path in tmp_path.iterdir()] == ["surface.safetensors"]
    with pytest.raises(ValueError, match="holds another surface"):
        measure.loss_surface(model, digits.test, file=file, points=3, seed=1, progress=False)


@pytest.mark.parametrize("content", [b"", b"not a surface at all", None])
def test_a_damaged_file_is_named(tmp_path, content):
    file = tmp_path / "surface.safetensors"
    if content is None:
        grid = torch.zeros(2, 2)
        LossSurface(torch.zeros(2), torch.ones(2), grid, grid + 1).save(file)
        content = file.read_bytes()[:-9]
    file.write_bytes(content)
    with pytest.raises(ValueError, match="damaged or no loss surface"):
        LossSurface.load(file)


def test_impossible_grids_are_refused(digits, model):
    with pytest.raises(ValueError, match="at least 1 x 1 points"):
        measure.loss_surface(model, digits.test, points=0)
    empty = Split(digits.test.images[:0], digits.test.labels[:0], digits.mean, digits.std)
    with pytest.raises(ValueError, match="and one image"):
        measure.loss_surface(model, empty)


SHARED = """
import sys, torch
from cnnlab import data, measure, models
torch.manual_seed(0)
model = models.get_model("resnet20_tiny", in_channels=1, depths=(1, 1, 1))
split = data.load("handwritten", train=50, test=40).test
surface = measure.loss_surface(model, split, points=3, precision="fp32", progress=False, file=sys.argv[1])
assert surface.complete
"""


@pytest.mark.slow  # two processes
def test_two_processes_share_a_grid(tmp_path):
    script = tmp_path / "shared.py"
    script.write_text(SHARED, encoding="utf-8")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    alone = [sys.executable, str(script), str(tmp_path / "alone")]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for command in (alone, [*torchrun, str(script), str(tmp_path / "together")]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, cwd=Path.cwd())
        assert done.returncode == 0, done.stderr
    alone, together = (LossSurface.load(tmp_path / name) for name in ("alone", "together"))
    torch.testing.assert_close(alone.loss, together.loss)
    assert together.provenance["measured"] < 9


# Each family's twin, and how many of its batch norms follow a convolution: not those that come
# first in a block, or after two convolutions side by side.
FOLDED = {
    **{"resnet20_tiny": (0, 19), "resnet50_tiny": (0, 53), "resnext29_8x64d_tiny": (0, 31), "plain20_tiny": (0, 19)},
    **{"preact_resnet110_tiny": (55, 54), "preact_resnet50_tiny": (17, 32), "wrn_16_8_tiny": (7, 6)},
    **{"vgg11_bn_tiny": (0, 8), "googlenet_tiny": (0, 57), "densenet_40_12_tiny": (15, 0)},
    **{"densenet_bc_100_12_tiny": (15, 12), "mobilenet_v1_tiny": (0, 17), "conv_mobilenet_v1_tiny": (0, 9)},
    **{"mobilenet_v2_tiny": (0, 22), "efficientnet_b0_tiny": (0, 13), "nasnet_a_mobile_tiny": (3, 68)},
}


@pytest.mark.parametrize("name", FOLDED)
def test_folding_leaves_the_function_as_it_was(name):
    torch.manual_seed(0)
    net, images = models.get_model(name).eval(), torch.randn(2, 3, 32, 32)
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:  # as after a training
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, std=0.1)
        nn.init.normal_(norm.running_mean, std=0.1)
        nn.init.uniform_(norm.running_var, 0.5, 1.5)
    with torch.no_grad():
        expected, folded = net(images), copy.deepcopy(net)
        (state,) = fold(folded, net.state_dict(), [])
        folded.load_state_dict(state)
    torch.testing.assert_close(folded(images), expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
    left = sum(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    assert (left, len(norms) - left) == FOLDED[name]


def test_a_surface_at_home_is_gone_on_from(digits, model, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    settings = {"points": 2, "precision": "fp32", "progress": False, "file": "~/surface.safetensors"}
    first, again = (measure.loss_surface(model, digits.test, **settings) for _ in range(2))
    assert [path.name for path in tmp_path.iterdir()] == ["surface.safetensors"]
    assert again.provenance["measured"] == first.provenance["measured"] == 4  # none a second time


def test_around_infinite_numbers_there_is_no_loss():
    model = models.get_model("resnet20_tiny").eval()
    model.stem.norm.running_var[0] = float("inf")  # the loss would be finite, and that of another network
    with pytest.raises(ValueError, match=r"stem.norm.running_var has values that are infinite or no numbers"):
        measure.random_plane(model)
