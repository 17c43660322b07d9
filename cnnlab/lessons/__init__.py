"""What the course is made of: a folder a lesson, with its exercises, claims, measuring and records."""

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec

TOPICS = {
    "00": "start",
    "01": "lenet",
    "02": "alexnet",
    "03": "augmentations",
    "04": "vgg",
    "05": "googlenet",
    "06": "resnet",
    "07": "gradient_flow",
    "08": "loss_surfaces",
    "09": "legacy",
    "10": "densenet",
    "11": "mobilenet",
    "12": "nasnet",
    "13": "efficientnet",
    "14": "transformers",
    "15": "convnext",
    "16": "transfer",
    "17": "capstone",
}


def load(part: str, lesson: str = "") -> None:
    """Import one part ("exercises", "claims") of a lesson, or of all: each registers what it holds."""
    for number, topic in TOPICS.items():
        module = f"{__name__}.{topic}.{part}"
        if number.startswith(lesson) and find_spec(module):
            import_module(module)


def topic(name: str) -> str:
    """The folder of a lesson by its name or number. Raises ValueError, with the nearest name, where there is none.

    >>> topic("loss-surfaces"), topic("08")
    ('loss_surfaces', 'loss_surfaces')
    """
    wanted = TOPICS.get(name.zfill(2), name.replace("-", "_"))
    if wanted in TOPICS.values():
        return wanted
    near = get_close_matches(wanted, TOPICS.values(), 1)
    meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(TOPICS.values())}."
    raise ValueError(f"No lesson is called {name!r}: {meant}")


def recipes(topic: str) -> dict[str, Callable]:
    """What makes each record of a lesson: functions of a `records.Draft`, by the records' names; {} for none."""
    module = f"{__name__}.{topic}.record"
    return import_module(module).RECORDS if find_spec(module) else {}
