"""All benchmarks, one after the other, into one page: what they print, below the machine and the versions.

    python benchmarks/run_all.py [OUT.md]      # benchmarks/RESULTS.md

It takes about an hour, and wants a machine that does nothing else. The page is renewed after each benchmark, so that
an interruption leaves those that were done. The command fails where a benchmark does.
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
PACKAGES = ("torch", "torchvision", "albumentations", "numpy", "jupyterlab", "nbval")


def processor() -> str:
    """The processor's name, where the system says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def page(parts: list[str]) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    machine = f"{processor()}, {os.cpu_count()} cores; {machine_class(find_device())}"
    about = [
        "# Benchmarks",
        "Written by `python benchmarks/run_all.py`. Seconds and images/s are this machine's; what holds elsewhere are "
        "the ratios, each taken in one run, in turns. Above each table stands what it measures and what the project "
        "asks of it.",
        f"{date.today()}. {machine}. Python {platform.python_version()}, {versions}.",
    ]
    return "\n\n".join(about + parts) + "\n"


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "RESULTS.md"
    parts, failed = [], []
    for script in sorted(HERE.glob("*.py")):
        if script.name == Path(__file__).name:
            continue
        print(f"{script.stem} ...", flush=True)
        start = time.perf_counter()
        done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=HERE.parent)
        if done.returncode:
            failed.append(script.stem)
        about = ast.get_docstring(ast.parse(script.read_text())).partition("\n")[0]
        said = done.stdout.rstrip() or done.stderr.strip().rpartition("\n")[2]
        took = f"{time.perf_counter() - start:,.0f} s" + ("; failed" if done.returncode else "")
        parts.append(f"## {script.stem}\n\n{about}\n\n```\n{said}\n```\n\n`python benchmarks/{script.name}`, {took}")
        out.write_text(page(parts), encoding="utf-8")
    print(f"written to {out}")
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
