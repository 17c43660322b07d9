"""All benchmarks, one after the other, into one page: what they print, with the machine and the versions.

    python benchmarks/run_all.py               # all, into benchmarks/RESULTS.md
    python benchmarks/run_all.py lessons ...   # these anew; the others stay, and each names its machine

`gpu.py` has arguments of its own and is not on the page; `peers.py` needs further packages and is only run by its name.
It takes about forty minutes, and wants a machine that does nothing else. The page is renewed after each benchmark, so
that an interruption leaves those that were done. The command fails where a benchmark does.
"""

import ast
import os
import platform
import subprocess
import sys
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

from cnnlab.device import find_device, machine_class

HERE = Path(__file__).parent
PAGE = HERE / "RESULTS.md"
PACKAGES = ("torch", "torchvision", "albumentations", "numpy", "jupyterlab", "nbval")


def processor() -> str:
    """The processor's name, where the system says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


BEGINNING = (
    "# Benchmarks\n\nWritten by `python benchmarks/run_all.py`. Seconds and images/s are those of the machine that is "
    "named below each table; what holds elsewhere are the ratios, each taken in one run, in turns. Above each table "
    "stands what it measures and what the project asks of it."
)


def machine() -> str:
    """What figures depend on: the processor, how much of it is used, and the versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    used = f"{os.cpu_count()} cores; {machine_class(find_device())}"
    return f"{processor()}, {used}. Python {platform.python_version()}, {versions}."


def measured_before() -> dict[str, str]:
    """The sections of the page, by their titles."""
    sections = PAGE.read_text(encoding="utf-8").rstrip().split("\n\n## ")[1:] if PAGE.exists() else []
    return dict(section.split("\n\n", 1) for section in sections)


def main() -> None:
    scripts = {script.stem: script for script in sorted(HERE.glob("*.py")) if script.stem not in ("run_all", "gpu")}
    asked = sys.argv[1:] or [name for name in scripts if name != "peers"]
    if unknown := [name for name in asked if name not in scripts]:
        raise SystemExit(f"There is no benchmark {unknown[0]!r}. There are: {', '.join(scripts)}.")
    sections = measured_before()
    failed = []
    for name in asked:
        print(f"{name} ...", flush=True)
        start = time.perf_counter()
        said = []
        command = [sys.executable, scripts[name]]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as done:
            for line in done.stdout:  # shown as it comes: some take a quarter of an hour
                print(line, end="", flush=True)
                said.append(line)
        if done.returncode:
            failed.append(name)
        table = "".join(said).rstrip()
        about = ast.get_docstring(ast.parse(scripts[name].read_text(encoding="utf-8")))
        took = f"{date.today()}, {time.perf_counter() - start:,.0f} s" + ("; failed" if done.returncode else "")
        sections[name] = f"{about}\n\n```text\n{table}\n```\n\n`python benchmarks/{name}.py`, {took}. {machine()}"
        parts = [BEGINNING, *(f"## {title}\n\n{text}" for title, text in sorted(sections.items()))]
        PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(f"written to {PAGE}")
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
