"""What the tests here drive JupyterLab with: where the browser is, and a notebook that is open in it."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Playwright, TimeoutError

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WAIT = 600_000  # milliseconds: on a busy machine everything takes its time, and nothing here measures it
QUIET = {"fetchNews": "false", "checkForUpdates": False}  # or a box asks about news and covers the page
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update"]

# Run in a network namespace of its own, where there is nothing but a loopback device, which is still down.
CUT_OFF = """
import fcntl, os, socket, struct, sys
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
except OSError:
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
sys.exit("the network is not cut off")
"""


def can_be_cut_off() -> bool:
    """Whether a process of ours may have a network namespace of its own, and another may join it."""
    if not (shutil.which("unshare") and shutil.which("nsenter")):
        return False
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode == 0


def chromium(playwright: Playwright) -> str | None:
    """The browser: what CNNLAB_CHROMIUM names, or one on the PATH, or the one that playwright has installed."""
    named = os.environ.get("CNNLAB_CHROMIUM")
    if named is not None:
        return shutil.which(named)
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    own = playwright.chromium.executable_path
    return next((path for path in found if path), own if Path(own).exists() else None)


class Notebook:
    """A notebook open in JupyterLab, with its kernel."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []  # every address that the page asked for
        page.on("request", lambda request: self.requests.append(request.url))

    def js(self, code: str, argument: object = None) -> Any:
        """Evaluate JavaScript in which `panel` is the notebook's panel, `cells` its cells, `given` the argument.

        Raises playwright's Error where it fails, or takes longer than WAIT.
        """
        known = "const panel = jupyterapp.shell.currentWidget, cells = panel?.content?.widgets;"
        late = f"new Promise((_, late) => setTimeout(() => late(new Error('not done in {WAIT / 1000:.0f} s')), {WAIT}))"
        return self.page.evaluate(f"given => Promise.race([(async () => {{ {known} {code} }})(), {late}])", argument)

    def run_all(self) -> None:
        """Run every cell, as the menu does; `errors` has what went wrong."""
        self.js("await jupyterapp.commands.execute('notebook:run-all-cells')")

    def errors(self) -> list[str]:
        """What the cells raised."""
        outputs = "cells.flatMap(c => c.model.type == 'code' ? c.model.sharedModel.getOutputs() : [])"
        return self.js(f"return {outputs}.filter(o => o.output_type == 'error').map(o => o.ename + ': ' + o.evalue)")

    def cells_with(self, source: str) -> list[int]:
        """The numbers of the cells that have exactly this source."""
        return self.js("return [...cells.keys()].filter(i => cells[i].model.sharedModel.getSource() == given)", source)

    def outputs(self, cell: int) -> list[dict]:
        return self.js("return cells[given].model.sharedModel.getOutputs()", cell)

    def show(self, cell: int) -> Locator:
        """Bring a cell onto the screen, and return it."""
        self.js("panel.content.activeCellIndex = given; await panel.content.scrollToItem(given, 'start')", cell)
        shown = self.page.locator(f'.jp-Notebook:visible .jp-Cell[data-windowed-list-index="{cell}"]')
        shown.wait_for(timeout=WAIT)
        return shown

    def run_here(self, cell: int) -> None:
        """Run the selected cell by Shift+Enter, and wait until the kernel has answered."""
        before = self.js("return cells[given].model.executionCount", cell)
        self.page.keyboard.press("Shift+Enter")
        ended = f"m => m.executionCount && m.executionCount != {json.dumps(before)} && m.executionState == 'idle'"
        model = f"jupyterapp.shell.currentWidget.content.widgets[{cell}].model"
        self.page.wait_for_function(f"({ended})({model})", timeout=WAIT, polling=100)

    def ask(self, expression: str) -> str:
        """The value of an expression, which is a string, in the kernel."""
        request = "{code: '', silent: true, user_expressions: {asked: given}}"
        reply = self.js(
            f"return (await panel.sessionContext.session.kernel.requestExecute({request}).done).content", expression
        )
        asked = reply["user_expressions"]["asked"]
        assert asked["status"] == "ok", asked
        return asked["data"]["text/plain"]

    def comes(self, condition: Callable[[], bool]) -> bool:
        """Whether it becomes true within WAIT."""
        end = time.monotonic() + WAIT / 1000
        while not (there := condition()) and time.monotonic() < end:
            self.page.wait_for_timeout(100)
        return there

    def explorers(self) -> list[tuple[int, str]]:
        """For each explorer of the notebook its cell and the id of its model."""
        found = []
        for cell in self.js("return [...cells.keys()].filter(i => cells[i].model.type == 'code')"):
            for output in self.outputs(cell):
                data = output.get("data", {})
                if str(data.get("text/plain", "")).startswith("Explorer of"):
                    found.append((cell, data["application/vnd.jupyter.widget-view+json"]["model_id"]))
        return found


class Lab:
    """JupyterLab's server on a folder, and a browser."""

    def __init__(self, folder: Path, address: str, token: str, browser: Browser) -> None:
        self.folder, self.address, self.token, self.browser = folder, address, token, browser

    def open(self, name: str) -> Notebook:
        """Open a notebook of the folder in a new page, and wait for it and its kernel."""
        page = self.browser.new_page(viewport={"width": 1366, "height": 768})
        page.set_default_timeout(WAIT)
        notebook = Notebook(page)
        address = f"{self.address}lab/tree/{name}?token={self.token}&reset"
        ready = "window.jupyterapp?.shell?.currentWidget?.context?.isReady"
        for left in (2, 1, 0):  # JupyterLab may wait for ever for something that it missed: it is then loaded anew
            try:
                page.goto(address)
                page.wait_for_function(ready, timeout=WAIT / 3, polling=100)
                break
            except TimeoutError as error:
                if not left:
                    raise TimeoutError(f"{error.message} The page says: {page.inner_text('body')[:500]!r}") from None
        notebook.js("await jupyterapp.restored; await panel.context.ready; await panel.sessionContext.ready")
        notebook.js("await panel.sessionContext.session.kernel.info; jupyterapp.shell.collapseLeft()")
        return notebook

    def close(self, notebook: Notebook) -> None:
        """Shut the kernel down and close the page."""
        notebook.js("await panel.sessionContext.shutdown()")
        notebook.page.close()
