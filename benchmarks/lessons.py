"""Seconds and peak memory of every lesson, run from top to bottom in a fresh kernel; nothing is written.

    python benchmarks/lessons.py [NUMBER ...]

On two quiet cores the project asks for 75 seconds and 1.3 GiB at most a lesson, and for ten minutes for all. Memory is
the kernel's peak, by Linux; elsewhere it is not shown.
"""

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def measure(path: Path) -> tuple[float, float]:
    """Seconds, and GiB (NaN where the system does not say)."""
    client = NotebookClient(nbformat.read(path, 4), timeout=600, resources={"metadata": {"path": str(path.parent)}})
    peak = float("nan")
    with client.setup_kernel():
        start = time.perf_counter()
        for index, cell in enumerate(client.nb.cells):
            client.execute_cell(cell, index)
        seconds = time.perf_counter() - start
        process = getattr(client.km.provisioner, "pid", None)
        status = Path(f"/proc/{process}/status")
        if status.exists():
            lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines() if ":" in line)
            peak = int(lines["VmHWM"].split()[0]) / 2**20
    return seconds, peak


def main() -> None:
    total = 0.0
    print("lesson                      seconds   peak GiB")
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if not sys.argv[1:] or path.name[:2] in sys.argv[1:]:
            seconds, peak = measure(path)
            total += seconds
            print(f"{path.stem:25} {seconds:9.1f} {peak:10.2f}", flush=True)
    print(f"{'all':25} {total:9.1f}")


if __name__ == "__main__":
    main()
