"""What the course is made of: a folder a lesson, with its exercises, claims, measuring and records."""

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
