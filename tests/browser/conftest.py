"""JupyterLab as `make lab` starts it, and a browser that drives it: both cut off the network where the system can."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import CUT_OFF, FLAGS, QUIET, WAIT, Lab, can_be_cut_off, chromium
from playwright.sync_api import Playwright, sync_playwright

from cnnlab.teaching.lab import write_settings


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """For one module only: its event loop would be in nbval's way."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser_path(playwright: Playwright) -> str:
    """Where the browser is; without one, the test is skipped."""
    path = chromium(playwright)
    if path is None:
        pytest.skip("there is no Chromium here: install it, or name it in CNNLAB_CHROMIUM")
    return path


@pytest.fixture(scope="module")
def lab(playwright: Playwright, browser_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    path = browser_path
    folder = tmp_path_factory.mktemp("lab")
    kept = {name: folder / name for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    kept |= {name: folder / name for name in ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR")}
    settings = kept["JUPYTERLAB_SETTINGS_DIR"] / "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(QUIET), encoding="utf-8")
    (folder / "notebooks").mkdir()
    (folder / "for-everybody").mkdir()
    write_settings(folder / "for-everybody")
    command = ["-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0"]
    command += ["--LabApp.expose_app_in_browser=True", f"--LabApp.app_settings_dir={folder / 'for-everybody'}"]
    alone = can_be_cut_off()
    command = ["unshare", "-rn", sys.executable, "-c", CUT_OFF, *command] if alone else [sys.executable, *command]
    environment = os.environ | {name: str(place) for name, place in kept.items()} | {"OMP_NUM_THREADS": "1"}
    with open(folder / "log", "w", encoding="utf-8") as log:
        server = subprocess.Popen(
            command, cwd=folder / "notebooks", env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        about = _started(server, kept["JUPYTER_RUNTIME_DIR"], folder / "log")
        if alone:  # the browser goes where the server is, and finds nothing else there
            inside = folder / "chromium"
            inside.write_text(
                f'#!/bin/sh\nexec nsenter -t {server.pid} -U -n --preserve-credentials "{path}" "$@"\n',
                encoding="utf-8",
            )
            inside.chmod(0o755)
            path = str(inside)
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=WAIT)
        yield Lab(folder / "notebooks", about["url"], about["token"], browser)
        browser.close()
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()


def _started(server: subprocess.Popen, runtime: Path, log: Path) -> dict:
    """What the server writes about itself when it listens."""
    for _ in range(WAIT // 200):
        time.sleep(0.2)
        written = next(runtime.glob("jpserver-*.json"), None)
        if written and (text := written.read_text(encoding="utf-8")).endswith("}"):  # or it is being written
            return json.loads(text)
        if server.poll() is not None:
            break
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")
