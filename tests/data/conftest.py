"""A Python of its own for what must not depend on what the test run has imported, cached or drawn before."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

SCRIPT = """
import json, sys
from hashlib import sha256
import torch
before = set(sys.modules)
from cnnlab import data
imported = sorted({name.partition(".")[0] for name in set(sys.modules) - before})
checksums = {}
for name, sizes in {"street_digits": {"train": 600, "test": 100}, "handwritten": {}, "faces": {}, "photos": {}}.items():
    dataset = data.load(name, **sizes)
    for part, split in (("train", dataset.train), ("test", dataset.test)):
        bits = split.images.numpy().tobytes() + split.labels.numpy().astype("<i8").tobytes()
        checksums[f"{name} {part}"] = sha256(bits).hexdigest()
print(json.dumps({"imported": imported, "checksums": checksums}))
"""


@pytest.fixture(scope="session")
def run_fresh():
    """What a script prints in a new interpreter whose home and working folder are both `home`."""

    def run(script: str, home: Path) -> str:
        env = {"HOME": str(home), "TMPDIR": str(home), "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def fresh(run_fresh, tmp_path_factory):
    """Every embedded set loaded once in a new process: its `checksums`, what was `imported`, which files it `left`."""
    home = tmp_path_factory.mktemp("home")
    printed = json.loads(run_fresh(SCRIPT, home))
    return SimpleNamespace(**printed, left=sorted(str(path.relative_to(home)) for path in home.rglob("*")))
