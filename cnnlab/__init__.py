"""cnnlab: thirty years of convolutional networks that you can run, measure and question.

>>> import cnnlab
>>> cnnlab.models.list_models()[0]
'lenet5_1998'
"""

import os
from importlib import import_module

__version__ = "0.1.0"

# Threads that wait for one another spin for a fraction of a millisecond, then sleep. Sleeping at once makes the small
# networks of the course slower with two threads than with one; spinning for long, as GNU's threads do by default, takes
# the cores from the browser and from other kernels. Read when PyTorch is loaded; what the user has set stays.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # GNU's threads, in PyTorch from PyPI
os.environ.setdefault("KMP_BLOCKTIME", "0")  # Intel's, in PyTorch from conda

_ROOMS = ("course", "data", "measure", "models", "training", "view")


def __getattr__(name: str) -> object:
    """The rooms of the package, imported when they are first used: PyTorch takes seconds."""
    if name in _ROOMS:
        return import_module(f"cnnlab.{name}")
    raise AttributeError(f"module 'cnnlab' has no attribute {name!r}; there are {', '.join(_ROOMS)}")


def __dir__() -> list[str]:
    return [*globals(), *_ROOMS]
