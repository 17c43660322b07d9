"""Lesson 03, augmentations: what takes longer to measure than the lesson has."""

from dataclasses import replace

import torch

from cnnlab import data, models, training
from cnnlab.lessons.records import Draft
from cnnlab.training import Augment

IMAGES, TEST, EPOCHS, BATCH, LR, SEEDS = 500, 2000, 40, 50, 0.1, (0, 1, 2)

GEOMETRY = Augment(shift=3, rotate=10, zoom=0.15, shear=0.1)
LIGHT = Augment(contrast=0.4, brightness=0.6)
BOTH = replace(GEOMETRY, contrast=LIGHT.contrast, brightness=LIGHT.brightness)
ARMS = {"none": None, "light": LIGHT, "geometry": GEOMETRY, "both": BOTH, "both and flip": replace(BOTH, flip=True)}
LONGER = ("both", "both and flip")  # these also twice as long


def augmentation(draft: Draft) -> None:
    """What augmentation is worth with 500 training images, over seeds.

    A seed decides everything: which 500 street digits there are to learn from, the network's first weights, the order
    of the images and the random changes. Within a seed the arms differ in nothing but their augmentation. Accuracies
    are on 2,000 test images, in fonts and over photographs that no training image has.
    """
    arms = {name: (augment, EPOCHS) for name, augment in ARMS.items()}
    arms |= {f"{name}, twice as long": (ARMS[name], 2 * EPOCHS) for name in LONGER}
    settings = {"images": IMAGES, "test_images": TEST, "epochs": EPOCHS, "batch_size": BATCH, "lr": LR}
    settings |= {"seeds": list(SEEDS), "augment": {name: repr(augment) for name, augment in ARMS.items()}}
    draft.results["settings"] = settings
    about = "resnet20_tiny on 500 street digits with and without augmentation: accuracies in percent, one for each seed"
    for seed in SEEDS:
        for name, (augment, epochs) in arms.items():
            values = draft.results.setdefault("arms", {}).setdefault(name, {})
            if len(values.get("test", [])) > seed:
                continue
            for key, value in trained(augment, epochs, seed).items():
                values.setdefault(key, []).append(value)
            print(f"seed {seed}, {name}: {values['test'][-1]:.1f} %", flush=True)
            draft.save(about)


def trained(augment: Augment | None, epochs: int, seed: int) -> dict[str, object]:
    """Train one network: its accuracies in percent, and how many test images of each digit (row) it took for which."""
    dataset = data.load("street_digits", train=IMAGES, test=100, seed=seed)  # a short test: it comes after every epoch
    test = data.load("street_digits", train=IMAGES, test=TEST, seed=seed).test
    torch.manual_seed(seed)
    model = models.get_model("resnet20_tiny")
    run = training.fit(
        model, dataset, epochs=epochs, lr=LR, batch_size=BATCH, augment=augment, seed=seed, progress=False
    )
    with torch.inference_mode():
        guesses = torch.cat([model(test.inputs(part)).argmax(1) for part in torch.arange(TEST).split(500)])
    taken_for = torch.bincount(10 * test.labels + guesses, minlength=100).view(10, 10)
    return {
        "train": 100 * training.evaluate(model, dataset.train).accuracy,
        "test": 100 * taken_for.trace().item() / TEST,
        "last_train_loss": round(run.history[-1].train_loss, 4),
        "taken_for": taken_for.tolist(),
    }


RECORDS = {"augmentation": augmentation}
