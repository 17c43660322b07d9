"""A learner's own copy of the lessons, opened in JupyterLab: `python -m cnnlab lab [FOLDER]`."""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cnnlab import files

FIRST = "00-start-here.ipynb"
COPIED = ".cnnlab-lessons.json"  # which lesson each copy was made of, so that a newer one is told from a changed one


# Saved with the notebook, a widget shows its last picture when the notebook is opened again, before any cell has run.
SETTINGS = {"@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True}}


def copy_lessons(folder: Path) -> list[str]:
    """Copy the lessons into a folder, and say what was done. A file that is there and differs is never written over.

    A learner's work lies in such files. Where the course has a newer lesson than the one that was copied, it goes
    beside the old copy, once, as <lesson>-newer.ipynb.
    """
    before, said, new = _known(folder / COPIED), [], 0
    known = dict(before)
    for lesson in sorted(files.NOTEBOOKS.glob("*.ipynb")):
        content, copy = lesson.read_bytes(), folder / lesson.name
        mark = hashlib.sha256(content).hexdigest()
        if not copy.exists():
            _write(copy, content)
            new += 1
        elif known.get(lesson.name) != mark and copy.read_bytes() != content:
            beside = _free(folder, lesson.stem)
            _write(beside, content)
            said.append(f"{copy.name} is kept as it is; the course's newer lesson lies beside it: {beside.name}.")
        known[lesson.name] = mark
    if known != before:
        _write(folder / COPIED, json.dumps(known, indent=1).encode())
    return [f"{new} lessons copied to {folder}.", *said] if new else said


def open_lab(folder: Path, options: Sequence[str]) -> None:
    """Serve a folder by JupyterLab, its first lesson open, until the server is stopped."""
    from jupyterlab.labapp import LabApp  # here, for it takes half a second

    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # no lesson asks the network for anything
    os.chdir(folder)
    with TemporaryDirectory(prefix="cnnlab-") as settings:
        write_settings(Path(settings))
        ours = [f"--LabApp.default_url=/lab/tree/{FIRST}", f"--LabApp.app_settings_dir={settings}"]
        LabApp.launch_instance([*ours, *options])


def write_settings(folder: Path) -> None:
    """JupyterLab's settings for everybody, with SETTINGS beside them: for this server only."""
    from jupyterlab.commands import get_app_dir

    usual = Path(get_app_dir()) / "settings"
    if usual.is_dir():
        shutil.copytree(usual, folder, dirs_exist_ok=True)
    (folder / "overrides.d").mkdir(exist_ok=True)
    (folder / "overrides.d" / "cnnlab.json").write_text(json.dumps(SETTINGS), encoding="utf-8")


def _known(path: Path) -> dict[str, str]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return known if isinstance(known, dict) else {}
    except (FileNotFoundError, ValueError):  # a damaged one: each copy that differs may be an old lesson
        return {}


def _free(folder: Path, stem: str) -> Path:
    """A name that nothing has yet."""
    path, count = folder / f"{stem}-newer.ipynb", 1
    while path.exists():
        count += 1
        path = folder / f"{stem}-newer-{count}.ipynb"
    return path


def _write(path: Path, content: bytes) -> None:
    with files.written_whole(path) as beside:
        beside.write_bytes(content)
