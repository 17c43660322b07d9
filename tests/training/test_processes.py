"""Two processes under torchrun train the model that one process trains, and go on from a checkpoint together."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.slow  # every test starts processes

SCRIPT = """
import json, os, shutil, sys
from pathlib import Path

import torch

from cnnlab import data, models, training

folder = Path(sys.argv[1])
rank = int(os.environ.get("RANK", 0))
# 5 batches an epoch, the last one of 21 images: two processes cannot share it equally
digits = data.load("handwritten", train=149, test=20)
seen = []


def note(images):
    seen.extend(images.sum((1, 2, 3)).mul(100).round().long().tolist())
    return images


torch.manual_seed(0 if rank == 0 else 99)  # only the first process's weights count
model = models.get_model("lenet5")
run = training.fit(
    model, digits, epochs=4, batch_size=32, lr=0.05, augment=note, precision="fp32", progress=False,
    on_epoch=lambda run: print("epoch", len(run.history), flush=True),
)
(folder / f"seen{rank}.json").write_text(json.dumps(seen[:149]), encoding="utf-8")
torch.save({"weights": model.state_dict(), "losses": [epoch.train_loss for epoch in run.history],
            "accuracies": [epoch.train_accuracy for epoch in run.history]}, folder / f"{rank}.pt")


def keep(run):
    if len(run.history) == 2:
        shutil.copy(folder / "checkpoint", folder / "after two")


def with_chance(path):
    torch.manual_seed(0)
    model = models.get_model("alexnet_tiny", in_channels=1)
    digits = data.load("handwritten", train=64, test=20)
    training.fit(model, digits, epochs=4, batch_size=32, lr=0.01, augment=training.Augment(shift=4), progress=False,
                 checkpoint=folder / path, on_epoch=keep)
    return model.state_dict()


if "RANK" in os.environ:
    whole, resumed = with_chance("checkpoint"), with_chance("after two")
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items()), "not the same weights"
    print("resumed", flush=True)
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, tuple[Path, str]]:
    found = {}
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for name, launcher in (("alone", []), ("together", torchrun)):
        folder = tmp_path_factory.mktemp(name)
        (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
        command = [sys.executable, *launcher, str(folder / "script.py"), str(folder)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, cwd=Path.cwd())
        assert done.returncode == 0, done.stderr
        found[name] = folder, done.stdout
    return found


def test_twenty_steps_of_two_processes_are_those_of_one(runs):
    alone = torch.load(runs["alone"][0] / "0.pt")
    first, second = (torch.load(runs["together"][0] / f"{rank}.pt") for rank in (0, 1))
    for name, value in alone["weights"].items():
        torch.testing.assert_close(first["weights"][name], value, atol=1e-4, rtol=0)
        assert torch.equal(first["weights"][name], second["weights"][name])
    assert first["losses"] == pytest.approx(alone["losses"], abs=1e-4)
    assert first["accuracies"] == pytest.approx(alone["accuracies"], abs=0.01)
    assert first["losses"] == second["losses"] and first["accuracies"] == second["accuracies"]


def test_each_process_sees_its_own_share(runs):
    folder = runs["together"][0]
    shares = [json.loads((folder / f"seen{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1)]
    epoch = [shares[0][:75], shares[1][:74]]  # 16 of every 32, 11 and 10 of the last
    whole = json.loads((runs["alone"][0] / "seen0.json").read_text(encoding="utf-8"))
    assert sorted(epoch[0] + epoch[1]) == sorted(whole)


def test_only_the_first_process_speaks(runs):
    assert [line for line in runs["together"][1].splitlines() if line.startswith("epoch")] == [
        f"epoch {n}" for n in range(1, 5)
    ]


def test_a_checkpoint_of_two_processes_is_gone_on_from_exactly(runs):
    assert runs["together"][1].count("resumed") == 2
