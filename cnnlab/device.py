"""The machine: which device and which number format to compute with, how to compute the same twice, how to stop."""

import atexit
import os
import platform
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import psutil
import torch
import torch.distributed as dist

from cnnlab.table import Table

Precision = Literal["auto", "fp32", "bf16"]

# Others keep all cores busy, while this process sleeps for a moment: threads would mostly wait for threads that do not
# run. Two kernels with two threads each on two cores train many times slower than with one each.
if "OMP_NUM_THREADS" not in os.environ and psutil.cpu_percent(interval=0.3) > 90:
    torch.set_num_threads(1)


def find_device(device: str | torch.device | None = None) -> torch.device:
    """The device asked for, or the best of cuda, mps and cpu. Raises ValueError where it is not there."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device is None:
        best = next(name for name, available in there.items() if available)
        return torch.device(best, int(os.environ.get("LOCAL_RANK", 0))) if best == "cuda" else torch.device(best)
    try:
        device = torch.device(device)
    except (RuntimeError, TypeError):
        raise ValueError(f"device must be 'cuda', 'mps', 'cpu', or None for the best, not {device!r}.") from None
    if device.type == "cuda" and there["cuda"] and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"There is no {device} here: the last one is cuda:{torch.cuda.device_count() - 1}.")
    if not there.get(device.type):
        raise ValueError(f"There is no {device.type} here. Possible: {', '.join(n for n, a in there.items() if a)}.")
    return device


def processes(device: torch.device) -> tuple[int, int]:
    """Which of how many processes this is: (0, 1) alone, and under `torchrun` a rank in a group that lasts to the end.

    A second group in the place of the first could meet what is left of it, and one left open aborts the process.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) > 1 and not dist.is_initialized():
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        atexit.register(dist.destroy_process_group)
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def has_bf16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 natively: elsewhere it is emulated, and slower than fp32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        return any(torch.cpu.get_capabilities().get(name, False) for name in ("avx512_bf16", "amx_bf16"))
    return False


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """The context in which a forward pass runs at this precision."""
    if precision not in ("auto", "fp32", "bf16"):
        raise ValueError(f"precision must be 'auto', 'fp32' or 'bf16', not {precision!r}.")
    enabled = precision == "bf16" or (precision == "auto" and has_bf16(device))
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


@contextmanager
def reproducible(seed: int, device: torch.device) -> Iterator[None]:
    """Everything random inside follows the seed; the random state outside is as if nothing had happened.

    NumPy's and Python's random numbers too: people's own augmentations use them.
    """
    cudnn, state = torch.backends.cudnn, random_state(device)
    numpys, pythons = np.random.get_state(), random.getstate()
    deterministic, benchmark = cudnn.deterministic, cudnn.benchmark
    try:
        cudnn.deterministic, cudnn.benchmark = True, False
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
        yield
    finally:
        with unstoppable():
            cudnn.deterministic, cudnn.benchmark = deterministic, benchmark
            set_random_state(state, device)
            np.random.set_state(numpys)
            random.setstate(pythons)


@contextmanager
def one_thread() -> Iterator[None]:
    """Everything inside is computed by one core, so that times compare on machines with few and with many."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def random_state(device: torch.device) -> list[torch.Tensor]:
    """The state of PyTorch's random numbers, on the processor and on this device."""
    return [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]


def set_random_state(state: list[torch.Tensor], device: torch.device) -> None:
    """Go on with the random numbers where `random_state` was taken."""
    torch.set_rng_state(state[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state[1], device)


_stop_asked = False


def _note_press(signum: int, frame: object) -> None:
    global _stop_asked
    stop_if_asked()  # pressed again before there was a good moment: now
    _stop_asked = True


def _only_note_press(signum: int, frame: object) -> None:
    global _stop_asked
    _stop_asked = True


def stop_if_asked() -> None:
    """A good moment to stop: raises KeyboardInterrupt where the stop button was pressed inside `undisturbed`."""
    global _stop_asked
    if _stop_asked:
        _stop_asked = False
        raise KeyboardInterrupt


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, the stop button waits for `stop_if_asked`; autocast and gradients are as before after any exit.

    Otherwise KeyboardInterrupt could fall between a switch and its way back, for example into the end of autocast, and
    whatever is computed next would be computed with it. Pressed a second time, the button acts at once. Handlers other
    than Python's own, and threads other than the main one, which gets the signal, are left alone.
    """
    casts, gradients = _autocast_state(), torch.is_grad_enabled()
    with _presses_go_to(_note_press, of=(signal.default_int_handler,)):
        try:
            yield
        finally:
            with unstoppable():
                _restore_autocast(casts)
                torch.set_grad_enabled(gradients)


_stopped_cell: int | None = None


def training_stopped() -> None:
    """Note that a training was stopped in the notebook's cell that runs now: what it would train next stops, too."""
    global _stopped_cell
    _stopped_cell = _cell()


def stop_with_the_cell() -> None:
    """KeyboardInterrupt where a training of this cell was stopped before: the button ends a cell, not its first half.

    Outside of a notebook nothing: a script sees what `fit` returns.
    """
    if _stopped_cell is not None and _stopped_cell == _cell():
        raise KeyboardInterrupt


def _cell() -> int | None:
    """The number of the cell that runs now; None outside of IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell.execution_count if shell else None


@contextmanager
def unstoppable() -> Iterator[None]:
    """Inside, the stop button waits, however often it is pressed: for the few steps that put everything back."""
    with _presses_go_to(_only_note_press, of=(signal.default_int_handler, _note_press)):
        yield


@contextmanager
def _presses_go_to(handler: Callable[[int, object], None], of: tuple[object, ...]) -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    mine = before in of and threading.current_thread() is threading.main_thread()
    if mine:
        signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        if mine:
            signal.signal(signal.SIGINT, before)
            if before is signal.default_int_handler:
                stop_if_asked()


def _autocast_state() -> dict[str, object]:
    depth = torch.autocast_increment_nesting() - 1
    torch.autocast_decrement_nesting()
    types = {name: (torch.is_autocast_enabled(name), torch.get_autocast_dtype(name)) for name in ("cpu", "cuda", "mps")}
    return {"depth": depth, "types": types, "cache": torch.is_autocast_cache_enabled()}


def _restore_autocast(state: dict[str, object]) -> None:
    for _ in range(_autocast_state()["depth"] - state["depth"]):
        torch.autocast_decrement_nesting()
    for name, (enabled, dtype) in state["types"].items():
        torch.set_autocast_enabled(name, enabled)
        torch.set_autocast_dtype(name, dtype)
    torch.set_autocast_cache_enabled(state["cache"])
    if state["depth"] == 0:
        torch.clear_autocast_cache()


@contextmanager
def eval_mode(model: torch.nn.Module) -> Iterator[None]:
    """In eval mode inside; afterwards each module is in the mode that it was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        with unstoppable():
            for module, training in modes:
                module.training = training


def machine_class(device: torch.device, precision: Precision = "auto") -> str:
    """The kind of machine that a record was made on, in a few words, and the precision of what was trained there."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    if precision == "auto":
        precision = "bf16" if has_bf16(device) else "fp32"
    return f"{threads} CPU thread{'s' if threads > 1 else ''}, {precision}"


def machine() -> Table:
    """What this machine has, as a table."""
    device = find_device()
    names = {"cuda": torch.cuda.get_device_name, "mps": lambda: "Apple GPU", "cpu": lambda: "none"}
    rows = [
        ["processor cores used by PyTorch", torch.get_num_threads(), "training is faster with more"],
        ["memory", _memory(), "a lesson needs at most 1.5 GiB"],
        ["graphics processor", names[device.type](), "training.fit uses it by itself"],
        [
            "bfloat16 in hardware",
            "yes" if has_bf16(device) else "no",
            "numbers of half the size: faster where it is there",
        ],
        ["Python, PyTorch", f"{platform.python_version()}, {torch.__version__}", ""],
    ]
    return Table(["this machine", "", "what it means"], rows)


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    except (AttributeError, ValueError, OSError):  # Windows does not tell this way
        return "unknown"
