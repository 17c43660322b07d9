"""What users rely on in checkpoints: a training that goes on from one ends as if it had never stopped."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from cnnlab import data, models, training
from cnnlab.training import CheckpointError, checkpoint


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("handwritten", train=120, test=60)


def fit(digits: data.Dataset, path: Path | None = None, **arguments) -> training.Run:
    torch.manual_seed(0)
    model = nn.Sequential(models.get_model("resnet20_tiny", in_channels=1, depths=(1, 1, 1)), nn.Dropout(0.2))
    given = {"epochs": 3, "batch_size": 16, "augment": training.Augment(shift=2), "progress": False} | arguments
    return training.fit(model, digits, checkpoint=path, **given)


def same(one: nn.Module, other: nn.Module) -> bool:
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def stop_after(epochs: int):
    def stop(run: training.Run) -> None:
        if len(run.history) == epochs:
            raise KeyboardInterrupt

    return stop


@pytest.mark.parametrize("epochs", [1, 2])
def test_an_interrupted_training_ends_with_the_same_weights(digits, tmp_path, epochs):
    whole = fit(digits)
    stopped = fit(digits, tmp_path / "run", on_epoch=stop_after(epochs))
    assert stopped.interrupted and not same(whole.model, stopped.model)
    resumed = fit(digits, tmp_path / "run")
    assert same(whole.model, resumed.model)
    assert [epoch.train_loss for epoch in whole.history] == [epoch.train_loss for epoch in resumed.history]
    assert same(whole.model, fit(digits, tmp_path / "run").model), "a finished training is only read"


SCRIPT = """
import sys
sys.path.insert(0, {here!r})
from test_checkpoint import fit, data
from pathlib import Path
fit(data.load("handwritten", train=120, test=60), Path(sys.argv[1]), epochs=40)
"""


@pytest.mark.slow  # it trains in a process that is killed again and again
def test_killed_at_any_moment_it_goes_on(digits, tmp_path):
    path = tmp_path / "run"
    command = [sys.executable, "-c", SCRIPT.format(here=str(Path(__file__).parent)), str(path)]
    for moment in (0.0, 0.13, 0.31):
        before = path.stat().st_mtime_ns if path.exists() else 0
        process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
        while process.poll() is None and (not path.exists() or path.stat().st_mtime_ns == before):
            time.sleep(0.01)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert path.exists()
    subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=True)
    torch.set_num_threads(1)
    resumed = fit(digits, path, epochs=40)
    assert same(resumed.model, fit(digits, epochs=40).model)


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(digits, tmp_path, monkeypatch):
    path = tmp_path / "run"
    fit(digits, path, on_epoch=stop_after(1))
    before = path.read_bytes()

    def full(content, file):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(CheckpointError, match=r"No space left.*The last one there is untouched"):
        fit(digits, path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"lr": 0.3}, r"lr was 0.1 and is 0.3"),
        ({"epochs": 5}, r"epochs was 3 and is 5"),
        ({"augment": None}, r"augment was 'Augment\(.*and is 'None'"),
    ],
)
def test_another_training_is_not_continued(digits, tmp_path, changed, message):
    fit(digits, tmp_path / "run", on_epoch=stop_after(1))
    with pytest.raises(CheckpointError, match=message):
        fit(digits, tmp_path / "run", **changed)


def test_other_data_and_another_model_are_not_continued(digits, tmp_path):
    fit(digits, tmp_path / "run", on_epoch=stop_after(1))
    with pytest.raises(CheckpointError, match="data was"):
        fit(data.load("handwritten", train=120, test=60, seed=1), tmp_path / "run")
    with pytest.raises(CheckpointError, match="model was"):
        training.fit(models.get_model("lenet5"), digits, checkpoint=tmp_path / "run", progress=False)


@pytest.mark.parametrize("damage", ["cut", "text", "foreign", "code"])
def test_a_damaged_or_foreign_file_is_named(digits, tmp_path, damage):
    path = tmp_path / "run"
    fit(digits, path, on_epoch=stop_after(1))
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-2000])
    elif damage == "text":
        path.write_text("my weights", encoding="utf-8")
    elif damage == "foreign":
        torch.save({"state_dict": {}}, path)
    else:
        torch.save({"format": checkpoint.FORMAT, "configuration": {}, "state": Path}, path)
    content = path.read_bytes()
    with pytest.raises(CheckpointError, match="damaged or no checkpoint of cnnlab"):
        fit(digits, path)
    assert path.read_bytes() == content
