"""Two backbones for lesson 16 from the same street digits: one learnt to name them, one only which way up they are.

    python data/street_backbones.py

Both are a resnet20_tiny that sees 192,000 images: 16,000 street digits twelve times with their labels, or three times
in each of four orientations, without any label but the turn. The weights are written with 16 bits each, read again, and
tested as they were read. Some six minutes on one quiet core.
"""

import copy
import time
from pathlib import Path

import torch

from cnnlab import course, data, models, training

NAME, MODEL, SEED, IMAGES = "street_backbones", "resnet20_tiny", 0, 16000
FOLDER = Path(__file__).parent
SETTINGS = {"lr": 0.2, "batch_size": 128, "seed": SEED, "progress": False}


def main() -> None:
    street = data.load("street_digits", train=IMAGES, test=2000, seed=SEED)
    tasks = {"street_digits": (street, 12), "turned_street_digits": (training.quarter_turns(street), 3)}
    command, results, start = f"python data/{NAME}.py", {}, time.perf_counter()
    for name, (dataset, epochs) in tasks.items():
        torch.manual_seed(SEED)
        options = {"num_classes": len(dataset.classes)}
        run = training.fit(models.get_model(MODEL, **options), dataset, epochs=epochs, **SETTINGS)
        path = FOLDER / f"{MODEL}-{name}.safetensors"
        about = {"data": dataset.name, "images": IMAGES, "epochs": epochs, "seed": SEED, "command": command}
        models.save_weights(copy.deepcopy(run.model).half(), path, name=MODEL, options=options, **about)
        accuracy = training.evaluate(models.get_model(MODEL, weights=name), dataset.test).accuracy
        results[name] = {
            "accuracy": accuracy,
            "before rounding": run.history[-1].test_accuracy,
            "seed": SEED,
            "epochs": epochs,
            "views": epochs * len(dataset.train),
            "seconds": round(run.seconds),
        }
        print(name, results[name], flush=True)
        about = (
            "Test accuracy of the shipped resnet20_tiny, each on its own task: 2,000 street digits, upright or turned."
        )
        course.save_record(NAME, about, command, time.perf_counter() - start, results)


if __name__ == "__main__":
    main()
