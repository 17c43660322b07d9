"""cnnlab: thirty years of convolutional networks that you can run, measure and question.

>>> import cnnlab
>>> cnnlab.models.list_models()[0]
'lenet5_1998'
"""

import os
from importlib import import_module

__version__ = "0.1.0"

# Threads that wait for one another sleep. By default they spin, which is a little faster alone and many times slower as
# soon as two kernels share the cores. Read when PyTorch is loaded; what the user has set stays.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # GNU's threads, in PyTorch from PyPI
os.environ.setdefault("KMP_BLOCKTIME", "0")  # Intel's, in PyTorch from conda

_ROOMS = ("course", "data", "measure", "models", "training", "view")


def __getattr__(name: str) -> object:
    """The rooms of the package, imported when they are first used: PyTorch takes seconds."""
    if name in _ROOMS:
        return import_module(f"cnnlab.{name}")
    raise AttributeError(f"module 'cnnlab' has no attribute {name!r}; there are {', '.join(_ROOMS)}")


def __dir__() -> list[str]:
    return [*globals(), *_ROOMS]
