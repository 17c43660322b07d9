"""Lesson 03, augmentations: what takes longer to measure than the lesson has."""

from dataclasses import replace
from functools import cache, partial
from statistics import mean

import torch
from torch import Tensor, nn

from cnnlab import data
from cnnlab.data import Dataset
from cnnlab.data.dataset import assemble
from cnnlab.device import reproducible
from cnnlab.lessons.augmentations import study
from cnnlab.lessons.augmentations.study import images_only, one_after_another
from cnnlab.lessons.records import Draft
from cnnlab.training import Augment, pipelines

IMAGES, VALIDATION, TEST, EPOCHS, SEEDS = 500, 1000, 2000, 40, (0, 1, 2)
CHOOSING = SEEDS[:2]  # the learning rate is chosen with these
RATES = (0.1, 0.25, 0.6)
ABOUT = "A small network on 500 street digits, with changes of images and labels: accuracies in percent, by arm"

GEOMETRY = Augment(shift=3, rotate=10, zoom=0.15, shear=0.1)
LIGHT = Augment(contrast=0.4, brightness=0.6)
BOTH = replace(GEOMETRY, contrast=LIGHT.contrast, brightness=LIGHT.brightness)
FLIPPED = replace(BOTH, flip=True)
NOISE = 0.64  # of the pixels' standard deviation: as far from the image as what GEOMETRY makes of it


def noise(images: Tensor) -> Tensor:
    """Every pixel gets a random number of its own."""
    return images + NOISE * torch.randn_like(images)


def randaugment(dataset: Dataset, images: Tensor) -> Tensor:
    """RandAugment (Cubuk et al. 2020): two of fourteen changes for each image, at torchvision's strength."""
    from torchvision.transforms import v2

    policy = v2.RandAugment(num_ops=2, magnitude=9)
    pixels = (255 * pipelines.denormalize(images, dataset.mean, dataset.std)).round().to(torch.uint8)
    return pipelines.normalize(torch.stack([policy(one) for one in pixels]), dataset.mean, dataset.std)


both = images_only(BOTH)
ARMS = {
    "none": None,
    "both": both,
    "geometry": images_only(GEOMETRY),
    "light": images_only(LIGHT),
    "noise": images_only(noise),
    "mixup": study.mixing(),
    "both and flip": images_only(FLIPPED),
    "both and flip, own labels": one_after_another(both, study.own_labels),
    "mixed images, one label": study.mixing(of_targets=study.larger),
    "one image, mixed labels": study.mixing(of_images=study.larger),
    "label smoothing": study.smooth,
    "CutMix": study.cutmix,
    "RandAugment": "RandAugment",
    "both and mixup": one_after_another(both, study.mixing()),
}
ON_OTHERS = {  # name: what the images are, the change
    "none, 2,000 images": ("more", None),
    "none, dark images": ("dark", None),
    "light, dark images": ("dark", images_only(LIGHT)),
}
LONGER = ("none", "both", "both and flip", "both and flip, own labels", "mixup", "CutMix")  # these also twice as long
STEADY = ("none", "light", "geometry", "noise")  # of these: which guesses stay when test images are changed
AVERAGED = ("none", "both")  # of these: answers averaged over VIEWS draws of GEOMETRY, and with the mirror image
VIEWS = 8


def augmentation(draft: Draft) -> None:
    """What changes of 500 training images, and of their labels, are worth in the test, over seeds.

    A seed decides everything: which street digits there are to learn from, the initial weights, the order of the images
    and the random changes. Within a seed the arms differ in nothing but the change. The learning rate of each arm is
    the best on validation images, in the mean over two seeds, from a grid that grows until its best lies inside; then
    come accuracies on 2,000 test images, in fonts and over photographs that no training image has.
    """
    settings = {"images": IMAGES, "validation": VALIDATION, "test": TEST, "epochs": EPOCHS, "seeds": list(SEEDS)}
    settings |= {"geometry": repr(GEOMETRY), "light": repr(LIGHT), "noise": NOISE, "views": VIEWS}
    draft.results["settings"] = settings
    for name in (*ARMS, *ON_OTHERS):
        choose(draft, name)
        if name in LONGER:
            longer(draft, name)


def choose(draft: Draft, name: str) -> None:
    """Train at each rate of the grid, and beyond it as long as the best is at its edge; keep what the best one gave."""
    arm = draft.results.setdefault("arms", {}).setdefault(name, {"rates": [], "validation": []})
    if "seeds" in arm:
        return
    tried = arm.setdefault("tried", {})  # by rate, by seed; until the best is found
    waiting = [lr for lr in RATES if lr not in arm["rates"]]
    while waiting or (lr := further(arm["rates"], arm["validation"])):
        if waiting:
            lr = waiting.pop(0)
        done = tried.setdefault(f"{lr:g}", [])
        for seed in CHOOSING[len(done) :]:
            done.append(measured(name, lr, seed))
            print(f"{name}, rate {lr:g}: {done[-1]['validation']:.1f} % of the validation images", flush=True)
            draft.save(ABOUT)
        arm["rates"].append(lr)
        arm["validation"].append(round(mean(one["validation"] for one in done), 2))
    arm["lr"] = max(zip(arm["validation"], arm["rates"], strict=True))[1]
    best = tried[f"{arm['lr']:g}"]
    best += [measured(name, arm["lr"], seed) for seed in SEEDS[len(best) :]]
    arm["seeds"] = best
    del arm["tried"]
    draft.save(ABOUT)


def further(rates: list[float], validation: list[float], most: int = 6) -> float | None:
    """A rate 2.5 times beyond the edge where the best one lies; None where it lies inside, or enough were tried."""
    best = max(zip(validation, rates, strict=True))[1]
    if min(rates) < best < max(rates) or len(rates) >= most:
        return None
    return float(f"{best * 2.5 if best == max(rates) else best / 2.5:.1g}")


def longer(draft: Draft, name: str) -> None:
    """Train in twice as many steps, at the rate that was chosen, with the seeds that the record does not have yet."""
    arm = draft.results["arms"][name]
    done = arm.setdefault("twice as long", [])
    for seed in SEEDS[len(done) :]:
        done.append(measured(name, arm["lr"], seed, times=2))
        print(f"{name}, twice as long: {done[-1]['test']:.1f} % of the test images", flush=True)
        draft.save(ABOUT)


def measured(name: str, lr: float, seed: int, times: int = 1) -> dict[str, object]:
    """Train one network, and test it."""
    which, change = ON_OTHERS.get(name) or ("", ARMS[name])
    dataset = images(which, seed)
    if change == "RandAugment":
        change = images_only(partial(randaugment, dataset))
    epochs = times * EPOCHS * IMAGES // len(dataset.train)  # as many steps, however many images there are
    classes = 20 if name.endswith("own labels") else 10  # behind the ten digits, their mirror images
    model = study.train(dataset, change, epochs=epochs, lr=lr, seed=seed, classes=classes)
    return results_of(model, dataset, name)


@cache
def images(which: str, seed: int) -> Dataset:
    """500 street digits to learn from; "more": four times as many; "dark": the darker half of twice as many."""
    sizes = {"validation": VALIDATION, "test": TEST, "seed": seed}
    if which == "more":
        return data.load("street_digits", train=4 * IMAGES, **sizes)
    if which != "dark":
        return data.load("street_digits", train=IMAGES, **sizes)
    twice = data.load("street_digits", train=2 * IMAGES, **sizes)
    darker = twice.train.images.float().mean((1, 2, 3)).argsort()[:IMAGES].sort().values
    parts = [(s.images, s.labels) for s in (twice.train.take(darker), twice.test, twice.validation)]
    return assemble(twice.name, *parts[:2], twice.classes, twice.about, parts[2])


def results_of(model: nn.Module, dataset: Dataset, name: str) -> dict[str, object]:
    """Accuracies in percent, and how many test images of each digit (row) the network took for which."""
    inputs, labels = dataset.test.inputs(), dataset.test.labels
    guesses = study.logits(model, inputs, 10).argmax(1)
    found = {part: round(study.accuracy(model, getattr(dataset, part), 10), 2) for part in ("train", "validation")}
    found["test"] = share(guesses == labels)
    found["taken_for"] = torch.bincount(10 * labels + guesses, minlength=100).view(10, 10).tolist()
    with reproducible(0, inputs.device):
        if name in STEADY:
            changes = {"light": LIGHT, "geometry": GEOMETRY, "noise": noise}
            other = {key: study.logits(model, change(inputs)).argmax(1) for key, change in changes.items()}
            found["kept"] = {key: share(guesses == g) for key, g in other.items()}
        if name in AVERAGED:
            views = {"draws": [GEOMETRY(inputs) for _ in range(VIEWS)], "mirror image": [inputs, inputs.flip(3)]}
            answers = {key: sum(study.logits(model, one).softmax(1) for one in seen) for key, seen in views.items()}
            found["averaged"] = {key: share(answer.argmax(1) == labels) for key, answer in answers.items()}
    return found


def share(right: Tensor) -> float:
    """In percent."""
    return round(100 * right.float().mean().item(), 2)


RECORDS = {"augmentation": augmentation}
