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
os.getloadavg = lambda: ({load}, 0, 0)
psutil.cpu_percent = lambda interval: {busy}
os.cpu_count = lambda: 4
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
    ("load", "busy", "before", "given", "expected"),
    [
        (0.5, 99, "", {}, ["10000", "0", None, None]),  # something that will soon be over
        (4.2, 12, "", {}, ["10000", "0", None, None]),  # something that was: the lesson before
        (4.2, 99, "", {}, ["10000", "0", None, 1]),
        (4.2, 99, "import torch", {}, ["10000", "0", None, 1]),
        (0.5, 12, "", {"GOMP_SPINCOUNT": "7"}, ["7", "0", None, None]),
        (4.2, 99, "", {"OMP_NUM_THREADS": "2"}, ["10000", "0", "2", 2]),
        (4.2, 99, "import torch", {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "ACTIVE"}, [None, "0", "2", 2]),
        (0.5, 99, "del os.getloadavg", {}, ["10000", "0", None, None]),  # Windows
    ],
)
def test_waiting_threads_spin_for_a_moment_and_a_full_machine_gives_one_core(load, busy, before, given, expected):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "KMP_", "GOMP_"))}
    script = SCRIPT.format(load=load, busy=busy, before=before)
    done = subprocess.run([sys.executable, "-c", script], env=environment | given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected
