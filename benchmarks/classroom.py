"""A class on one server: so many kernels at once run the same lesson through JupyterLab's server.

    python benchmarks/classroom.py [KERNELS [LESSON]]      # 8 kernels, lesson 06

Each kernel is started by the server's API and spoken to through its websocket, as a browser does. Shown are the memory
of a kernel after the cell that imports the package, its peak (both by Linux; elsewhere they are not shown), the
cells that failed and the seconds. The project allows 700 MiB after the imports, and no failure with 8.

The kernels share the cores: with 8 on two cores each computes with one thread, as TEACHING.md advises. Left to
themselves each takes all cores, the threads wait for one another, and everything is many times slower.
"""

import json
import math
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import websocket

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
LIMIT = 1800  # seconds that a cell may take: many kernels share few cores


@dataclass
class Learner:
    """One kernel: what it used, in MiB, how long it took, and what failed."""

    imported: float = float("nan")
    peak: float = float("nan")
    seconds: float = float("nan")
    failures: list[str] = field(default_factory=list)


class Server:
    """JupyterLab on a port of its own, with nothing of the user's settings."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.token = secrets.token_hex(16)
        runtime = folder / "runtime"
        places = {name: str(folder) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0"]
        command += [f"--IdentityProvider.token={self.token}"]
        environment = os.environ | places | {"JUPYTER_RUNTIME_DIR": str(runtime), "OMP_NUM_THREADS": str(threads)}
        with open(folder / "log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, cwd=NOTEBOOKS, env=environment, stdout=log, stderr=log)
        for _ in range(600):
            time.sleep(0.2)
            written = next(runtime.glob("jpserver-*.json"), None)
            if written and (text := written.read_text(encoding="utf-8")).endswith("}"):  # or it is being written
                self.port = json.loads(text)["port"]
                return
            if self.process.poll() is not None:
                break
        self.process.kill()
        raise SystemExit(f"JupyterLab did not start: {(folder / 'log').read_text(encoding='utf-8')[-1000:]}")

    def post(self, path: str, body: dict) -> dict:
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        url = f"http://127.0.0.1:{self.port}/api/{path}"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        return json.load(urllib.request.urlopen(request, timeout=LIMIT))

    def connect(self, kernel: str) -> websocket.WebSocket:
        address = f"ws://127.0.0.1:{self.port}/api/kernels/{kernel}/channels?token={self.token}"
        return websocket.create_connection(address, timeout=LIMIT)


def execute(socket: websocket.WebSocket, code: str) -> tuple[str, str]:
    """Run code in the kernel: what it printed, and its error, or nothing."""
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "username": "",
        "session": "",
        "version": "5.3",
    }
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    socket.send(json.dumps(message))
    printed, error, replied, idle = "", "", False, False
    while not (replied and idle):  # a kernel that dies says so to every channel, with no parent
        answer = json.loads(socket.recv())
        kind, content = answer["msg_type"], answer["content"]
        if kind == "status" and content["execution_state"] in ("dead", "restarting"):
            return printed, "the kernel died"
        if answer["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        idle |= kind == "status" and content["execution_state"] == "idle"
        replied |= kind == "execute_reply"
        if kind == "stream":
            printed += content["text"]
        if kind == "error":
            error = f"{content['ename']}: {content['evalue']}"
    return printed, error


def mebibytes(process: int, what: str) -> float:
    """A line of Linux's account of a process, such as VmRSS or VmHWM."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return float("nan")
    return next(
        int(line.split()[1]) / 1024
        for line in status.read_text(encoding="utf-8").splitlines()
        if line.startswith(f"{what}:")
    )


def attend(server: Server, cells: list[str], learner: Learner) -> None:
    """Run the lesson in a kernel of its own."""
    start = time.perf_counter()
    try:
        kernel = server.post("kernels", {"name": "python3"})["id"]
        socket = server.connect(kernel)
        process = int(execute(socket, "import os; print(os.getpid())")[0])
        for number, code in enumerate(cells, 1):
            error = execute(socket, code)[1]
            if error:
                learner.failures.append(f"cell {number}: {error}")
            if math.isnan(learner.imported) and "import " in code:
                learner.imported = mebibytes(process, "VmRSS")
        learner.peak = mebibytes(process, "VmHWM")
        socket.close()
    except (OSError, ValueError, websocket.WebSocketException) as error:
        learner.failures.append(f"{type(error).__name__}: {error}")
    learner.seconds = time.perf_counter() - start


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    lesson = sys.argv[2] if len(sys.argv) > 2 else "06"
    path = next(NOTEBOOKS.glob(f"{lesson}-*.ipynb"), None)
    if path is None:
        raise SystemExit(f"There is no lesson {lesson!r}: give the two digits that its file begins with.")
    cells = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    threads_each = max(1, (os.cpu_count() or 1) // count)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), threads_each)
        learners = [Learner() for _ in range(count)]
        threads = [threading.Thread(target=attend, args=(server, cells, learner)) for learner in learners]
        start = time.perf_counter()
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            server.process.terminate()
            server.process.wait()
    print(f"{path.stem}, {count} kernels at once, threads in each: {threads_each}; {time.perf_counter() - start:.0f} s")
    print("kernel   MiB after imports   peak MiB   seconds   failures")
    for number, one in enumerate(learners, 1):
        said = "; ".join(one.failures) or "none"
        print(f"{number:6}   {one.imported:17.0f}   {one.peak:8.0f}   {one.seconds:7.0f}   {said}")
    sys.exit(any(one.failures for one in learners))


if __name__ == "__main__":
    main()
