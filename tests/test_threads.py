"""Waiting threads spin for a moment only, and one core is taken where others keep all of them; what is set stays."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow  # processes that load PyTorch

SCRIPT = """
import json, os
import psutil
psutil.cpu_percent = lambda interval: {busy}
{before}
import cnnlab
import torch
set_to = int(os.environ.get("OMP_NUM_THREADS", 0))
torch.set_num_threads = lambda threads: globals().update(set_to=threads)
import cnnlab.device
print(json.dumps([os.environ.get(name) for name in ("GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS")]
                 + [set_to or None]))
"""


@pytest.mark.parametrize(
    ("busy", "before", "given", "expected"),
    [
        (60, "", {}, ["10000", "0", None, None]),
        (99, "", {}, ["10000", "0", None, 1]),
        (99, "import torch", {}, ["10000", "0", None, 1]),
        (60, "", {"GOMP_SPINCOUNT": "7"}, ["7", "0", None, None]),
        (99, "", {"OMP_NUM_THREADS": "2"}, ["10000", "0", "2", 2]),
        (99, "import torch", {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "ACTIVE"}, [None, "0", "2", 2]),
    ],
)
def test_waiting_threads_spin_for_a_moment_and_a_full_machine_gives_one_core(busy, before, given, expected):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "KMP_", "GOMP_"))}
    script = SCRIPT.format(busy=busy, before=before)
    done = subprocess.run([sys.executable, "-c", script], env=environment | given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected
