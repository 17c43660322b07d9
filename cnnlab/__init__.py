"""cnnlab: thirty years of convolutional networks that you can run, measure and question.

>>> import cnnlab
>>> cnnlab.models.list_models()[0]
'lenet5_1998'
"""

from importlib import import_module

__version__ = "0.1.0"

_ROOMS = ("course", "data", "measure", "models", "training", "view")


def __getattr__(name: str) -> object:
    """The rooms of the package, imported when they are first used: PyTorch takes seconds."""
    if name in _ROOMS:
        return import_module(f"cnnlab.{name}")
    raise AttributeError(f"module 'cnnlab' has no attribute {name!r}; there are {', '.join(_ROOMS)}")


def __dir__() -> list[str]:
    return [*globals(), *_ROOMS]
