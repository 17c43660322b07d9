"""All benchmarks, one after the other, into one page: what they print, below the machine and the versions.

    python benchmarks/run_all.py               # all, into benchmarks/RESULTS.md
    python benchmarks/run_all.py lessons ...   # these anew; the others stay, if of this machine and these versions

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


def header() -> str:
    """The page's beginning, with what its figures depend on."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    machine = f"{processor()}, {os.cpu_count()} cores; {machine_class(find_device())}"
    return "\n\n".join(
        [
            "# Benchmarks",
            "Written by `python benchmarks/run_all.py`. Seconds and images/s are this machine's; what holds elsewhere "
            "are the ratios, each taken in one run, in turns. Above each table stands what it measures and what the "
            "project asks of it.",
            f"{machine}. Python {platform.python_version()}, {versions}.",
        ]
    )


def measured_before(header: str) -> dict[str, str]:
    """The sections of the page, if it is of this machine and these versions."""
    beginning, *sections = PAGE.read_text(encoding="utf-8").rstrip().split("\n\n## ") if PAGE.exists() else [""]
    return dict(section.split("\n\n", 1) for section in sections) if beginning == header else {}


def main() -> None:
    scripts = {script.stem: script for script in sorted(HERE.glob("*.py")) if script.stem not in ("run_all", "gpu")}
    asked = sys.argv[1:] or [name for name in scripts if name != "peers"]
    if unknown := [name for name in asked if name not in scripts]:
        raise SystemExit(f"There is no benchmark {unknown[0]!r}. There are: {', '.join(scripts)}.")
    beginning = header()
    sections = measured_before(beginning)
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
        sections[name] = f"{about}\n\n```text\n{table}\n```\n\n`python benchmarks/{name}.py`, {took}"
        parts = [beginning, *(f"## {title}\n\n{text}" for title, text in sorted(sections.items()))]
        PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(f"written to {PAGE}")
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
