"""Whatever a learner writes and whatever a disk does to a file: an answer in words, and no harm."""

import itertools
import json
import random
import threading
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnlab import course, data, measure, models, training
from cnnlab.training import checkpoint

fuzzed = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
EXERCISES = [exercise.id for exercise in course.exercises()]


class Awkward:
    """Answers every question about itself with an error."""

    def __getattr__(self, name):
        raise RuntimeError("no")

    def __eq__(self, other):
        raise RuntimeError("no")

    def __repr__(self):
        raise RuntimeError("no")

    def __len__(self):
        raise RuntimeError("no")

    def __iter__(self):
        raise RuntimeError("no")

    def __bool__(self):
        raise RuntimeError("no")

    __hash__ = None


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no")


def raises(error):
    def function(*args, **kwargs):
        raise error

    return function


def recurses(*args, **kwargs):
    return recurses(*args, **kwargs)


plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.builds(lambda: 10**5000),
    st.sampled_from([-(2**70), float("nan"), float("inf"), 1e308, 3 + 4j, b"\xff", "", "…\ud800"]),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([torch.zeros(()), torch.zeros(0, 3), torch.ones(2, 3, 4, 5), torch.arange(10)]),
    st.sampled_from([torch.tensor(float("nan")), torch.zeros(2, 2, device="meta"), torch.ones(3, dtype=torch.bool)]),
    st.sampled_from([object(), type, int, print, torch, Ellipsis, NotImplemented, range(10**12), slice(1)]),
    st.sampled_from([torch.nn.Identity(), torch.nn.Linear(2, 2), torch.nn.ReLU, course.check]),
)


def nested(parts: st.SearchStrategy) -> st.SearchStrategy:
    return st.recursive(
        parts,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.tuples(inner, inner),
            st.dictionaries(st.text(max_size=3), inner, max_size=3),
        ),
        max_leaves=6,
    )


values = nested(plain)
answers = nested(plain | st.builds(Awkward))
errors = st.sampled_from(
    [ValueError("no"), SystemExit(1), RecursionError(), MemoryError(), AssertionError(), StopIteration(), Unspeakable()]
)
functions = st.one_of(
    answers.map(lambda value: lambda *args, **kwargs: value),
    errors.map(raises),
    st.just(recurses),
    st.just(lambda x: x),
)


@pytest.mark.slow  # thousands of answers
@fuzzed
@given(exercise=st.sampled_from(EXERCISES), answer=st.one_of(answers, functions))
def test_check_answers_whatever_it_is_given(exercise, answer):
    feedback = course.check(exercise, answer)
    assert feedback.status in ("wrong", "not attempted", "passed") and exercise in repr(feedback)
    assert 0 <= feedback.points <= feedback.worth and len(feedback.message) < 3000
    assert "Traceback" not in feedback.message and "<script" not in feedback._repr_html_()


@pytest.mark.slow  # six answers to every exercise
@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize(
    "answer",
    [
        Awkward(),
        raises(Unspeakable()),
        raises(SystemExit(0)),
        recurses,
        lambda *a: 10**5000,
        "<script>alert(1)</script>",
    ],
    ids=["awkward", "unspeakable", "exit", "recursion", "huge", "script"],
)
def test_no_answer_of_this_kind_is_right(exercise, answer):
    feedback = course.check(exercise, answer)
    assert feedback.status == "wrong" and feedback.points == 0
    assert "<script" not in feedback._repr_html_()


def test_the_stop_button_still_works_in_a_check():
    with pytest.raises(KeyboardInterrupt):
        course.check(EXERCISES[0], raises(KeyboardInterrupt()))


@pytest.mark.slow  # some hundred calls
@fuzzed
@given(name=st.one_of(values, st.sampled_from(data.names())), size=values, seed=values)
def test_data_load_refuses_in_words(name, size, seed):
    try:
        loaded = data.load(name, train=size, test=10, seed=seed)
    except (ValueError, OSError, data.DataError, TypeError) as error:
        assert str(error)
    else:
        assert len(loaded.train) >= 1


@fuzzed
@given(
    name=st.one_of(values, st.sampled_from(["lenet5", "resnet20_tiny", "nasnet_a_mobile_tiny", "vit_tiny"])),
    classes=values,
    weights=values,
    options=st.dictionaries(st.sampled_from(["width", "depths", "shortcut", "small_images", "so"]), values, max_size=2),
)
def test_get_model_refuses_in_words(name, classes, weights, options):
    try:
        with torch.device("meta"):
            model = models.get_model(name, num_classes=classes, weights=weights, **options)
    except (ValueError, OSError, TypeError) as error:
        assert str(error)
    else:
        assert isinstance(model, torch.nn.Module)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, bytes]:
    """A whole file of each kind that the package writes."""
    folder = tmp_path_factory.mktemp("files")
    model, digits = models.get_model("lenet5"), data.load("handwritten", train=64, test=32)
    models.save_weights(model, folder / "weights.safetensors", name="lenet5", options={})
    measure.loss_surface(model, digits.train, points=3, file=folder / "surface.safetensors", progress=False)
    checkpoint.save(folder / "run.checkpoint", {"a": 1}, {"model": model.state_dict(), "epoch": 3})
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def read(path: Path) -> object:
    if path.suffix == ".checkpoint":
        return checkpoint.load(path, {"a": 1})
    if path.stem == "surface":
        return repr(measure.LossSurface.load(path))
    return models.get_model("lenet5", weights=path)


@pytest.mark.parametrize("name", ["weights.safetensors", "surface.safetensors", "run.checkpoint"])
@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_file_is_read_as_before_or_refused_in_words(files, tmp_path, name, seed):
    content, chance, path = bytearray(files[name]), random.Random(seed), tmp_path / name
    damage = ("cut", "flip", "flip", "head", "insert", "zeros")[seed % 6]
    if damage == "cut":
        del content[chance.randrange(len(content)) :]
    elif damage == "insert":
        place = chance.randrange(len(content))
        content[place:place] = chance.randbytes(chance.randrange(1, 200))
    elif damage == "zeros":
        place = chance.randrange(len(content))
        content[place : place + 512] = bytes(len(content[place : place + 512]))
    else:
        end = 600 if damage == "head" else len(content)
        for _ in range(chance.randrange(1, 20)):
            content[chance.randrange(end)] = chance.randrange(256)
    path.write_bytes(content)
    try:
        read(path)
    except (ValueError, training.CheckpointError) as error:
        assert str(path) in str(error) and len(str(error)) < 3000
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_file_does_not_run_code(tmp_path):
    class Code:
        def __reduce__(self):
            return Path.touch, (tmp_path / "it ran",)

    torch.save({"format": checkpoint.FORMAT, "configuration": {}, "state": Code()}, tmp_path / "run.checkpoint")
    with pytest.raises(training.CheckpointError):
        checkpoint.load(tmp_path / "run.checkpoint", {})
    for name in ("weights.safetensors", "surface.safetensors"):
        torch.save(Code(), tmp_path / name)
        with pytest.raises(ValueError, match="damaged"):
            read(tmp_path / name)
    assert not (tmp_path / "it ran").exists()
    torch.load(tmp_path / "run.checkpoint", weights_only=False)
    assert (tmp_path / "it ran").exists()  # the file was really dangerous


@pytest.mark.parametrize("provenance", ["[]", "null", "{", '{"a": 1e999}', json.dumps({"a": {"b": []}})])
def test_a_surface_whose_provenance_is_odd(files, tmp_path, provenance):
    from safetensors import safe_open
    from safetensors.torch import save_file

    (tmp_path / "good.safetensors").write_bytes(files["surface.safetensors"])
    with safe_open(tmp_path / "good.safetensors", "pt") as file:
        tensors = {name: file.get_tensor(name) for name in ("x", "y", "loss", "accuracy")}
    save_file(tensors, tmp_path / "surface.safetensors", {"cnnlab": "loss surface", "provenance": provenance})
    try:
        surface = measure.LossSurface.load(tmp_path / "surface.safetensors")
    except ValueError as error:
        assert "damaged" in str(error)
    else:
        assert surface.points_per_second >= 0


@pytest.mark.slow  # it waits
@pytest.mark.parametrize("answer", [itertools.count(), lambda *arguments: itertools.count()], ids=["value", "function"])
def test_an_endless_answer_does_not_hang_the_check(answer):
    done = []

    def ask():
        for exercise in EXERCISES:
            done.append(course.check(exercise, answer).status)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(120)
    assert done == ["wrong"] * len(EXERCISES)
