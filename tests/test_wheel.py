"""Away from the checkout: an installed wheel, asked from another folder, has the lessons and all that they load."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cnnlab import files

pytestmark = pytest.mark.slow  # it builds and installs a wheel

ROOT = Path(__file__).parents[1]
NEEDED = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "cnnlab", "data", "notebooks")
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
QUESTIONS = """
import json
from cnnlab import course, files, models, view


def output_size(size, kernel, stride=1, padding=0):
    return (size + 2 * padding - kernel) // stride + 1


surface = course.recorded_surface("resnet56-cifar10")
print(json.dumps({
    "package": files.__file__,
    "checkout": str(files.CHECKOUT),
    "record": len(course.record("degradation").results),
    "weights": type(models.get_model("resnet20_tiny", weights="street_digits")).__name__,
    "surface": [surface.complete, list(surface.loss.shape)],
    "right": course.check("01.output-size", output_size).points,
    "wrong": course.check("01.output-size", lambda size, kernel, stride=1, padding=0: size).points,
    "claims": "ImageNet" in str(course.claims("00")),
}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The folder that a wheel was installed into. The wheel is built of a copy, so that nothing is left in this one."""
    folder = tmp_path_factory.mktemp("wheel")
    copy, out, site = (folder / name for name in ("copy", "out", "site"))
    copy.mkdir()
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "downloads", ".*"))
        else:
            shutil.copy(ROOT / name, copy)
    for litter in ("data/downloads/cifar.tar", "data/records/.vgg_depth/a.checkpoint", "notebooks/.hidden.ipynb"):
        (copy / litter).parent.mkdir(parents=True, exist_ok=True)
        (copy / litter).write_text("not for a wheel", encoding="utf-8")
    run([*PIP, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(out), str(copy)], folder)
    (wheel,) = out.iterdir()
    run([*PIP, "install", "--no-deps", "--no-index", "--target", str(site), str(wheel)], folder)
    return site


def run(command: list[str], folder: Path, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PIP_REQUIRE_VIRTUALENV")}
    done = subprocess.run(command, cwd=folder, env=clean | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_carries_what_the_checkout_has_and_nothing_else(installed):
    for folder in ("weights", "records", "surfaces", "pictures"):
        here = {path.name for path in (files.DATA / folder).iterdir() if not path.name.startswith(".")}
        assert {path.name for path in (installed / "cnnlab/_data" / folder).iterdir()} == here
    assert {path.name for path in (installed / "cnnlab/_data").iterdir()} == {
        "weights",
        "records",
        "surfaces",
        "pictures",
    }
    assert {path.name for path in (installed / "cnnlab/_notebooks").iterdir()} == {
        path.name for path in files.NOTEBOOKS.glob("*.ipynb")
    }


def test_it_answers_from_another_folder(installed, tmp_path):
    said = json.loads(run([sys.executable, "-c", QUESTIONS], tmp_path, PYTHONPATH=str(installed)).splitlines()[-1])
    assert Path(said.pop("package")).is_relative_to(installed)
    assert said == {
        "checkout": "None",
        "record": 10,
        "weights": "ResNet",
        "surface": [True, [51, 51]],
        "right": 2,
        "wrong": 0,
        "claims": True,
    }


def test_its_lessons_are_copied_into_a_folder(installed, tmp_path):
    """JupyterLab's own --version ends it before it serves anything."""
    run([sys.executable, "-m", "cnnlab", "lab", "mine", "--version"], tmp_path, PYTHONPATH=str(installed))
    for lesson in files.NOTEBOOKS.glob("*.ipynb"):
        assert (tmp_path / "mine" / lesson.name).read_bytes() == lesson.read_bytes()
