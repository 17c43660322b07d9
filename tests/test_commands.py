"""The README's commands: they serve the first lesson, do nothing twice, and fail in one clear line."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = [
    pytest.mark.skipif(not shutil.which("make"), reason="there is no make here"),
    pytest.mark.slow,  # environments, JupyterLab
]
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}  # of `make test`
needs_environment = pytest.mark.skipif(
    not (ROOT / ".venv/.ready").exists(), reason="the environment was not made by make"
)


@needs_environment
def test_make_lab_serves_the_first_lesson(tmp_path):
    flags = "--no-browser --allow-root --ip=127.0.0.1 --port=0 --IdentityProvider.token=secret"
    places = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR")}
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        lab = subprocess.Popen(["make", "lab", f"FLAGS={flags}"], cwd=ROOT, stderr=log, env=ENVIRONMENT | places)
        try:
            for _ in range(120):
                time.sleep(0.5)
                if found := re.search(
                    r"http://127\.0\.0\.1:\d+/lab/tree/\S+", (tmp_path / "log").read_text(encoding="utf-8")
                ):
                    break
            address = found.group().split("?")[0]
            assert address.endswith("/lab/tree/00-start-here.ipynb")
            page = urllib.request.urlopen(f"{address}?token=secret").read().decode()
            assert "JupyterLab" in page
            served = address.replace("/lab/tree/", "/api/contents/") + "?token=secret"
            lesson = json.load(urllib.request.urlopen(served))
            assert "# 00 · Start here" in str(lesson["content"])
        finally:
            lab.terminate()
            lab.wait(20)


@needs_environment
def test_nothing_is_installed_twice():
    done = subprocess.run(["make", "--question", ".venv/.ready"], cwd=ROOT, env=ENVIRONMENT)
    assert done.returncode == 0


@pytest.fixture
def fresh(tmp_path):
    """A folder with what `make` needs to begin."""
    for name in ("Makefile", "requirements.txt", "constraints.txt", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "cnnlab", tmp_path / "cnnlab")
    return tmp_path


def python(folder: Path, refuses: str) -> str:
    """A Python that fails where its -c command contains some words."""
    path = folder / "python"
    path.write_text(
        f'#!/bin/sh\ncase "$2" in *"{refuses}"*) exit 1;; esac\nexec {sys.executable} "$@"\n', encoding="utf-8"
    )
    path.chmod(0o755)
    return f"PYTHON={path}"


@pytest.mark.parametrize(
    ("refuses", "message"),
    [("version_info", "cnnlab needs Python 3.11 or newer"), ("import venv", "This Python has no venv module")],
)
def test_a_python_that_will_not_do_is_refused_in_one_line(fresh, refuses, message):
    command = ["make", "lab", python(fresh, refuses)]
    done = subprocess.run(command, cwd=fresh, capture_output=True, text=True, env=ENVIRONMENT)
    lines = (done.stdout + done.stderr).strip().splitlines()
    assert done.returncode != 0 and not (fresh / ".venv").exists()
    assert lines[0].startswith(message) and len(lines) == 2  # the other line is make's own


def test_a_failed_download_says_so_and_the_next_run_tries_again(fresh):
    offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0"}
    offline |= {"PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}
    command = ["make", "test", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, cwd=fresh, capture_output=True, text=True, env=ENVIRONMENT | offline)
    assert done.returncode != 0 and not (fresh / ".venv/.ready").exists()
    assert "The packages could not be installed: is there a network" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
