"""Lesson 08, loss surfaces: what takes longer to measure than the lesson has.

All of it learns from CIFAR-10, of whose 50,000 training images 5,000 are held out, the same for every network; the test
images are never looked at.
"""

import sys
from copy import deepcopy
from dataclasses import asdict
from datetime import date
from functools import partial

import torch

from cnnlab import data, measure, models, training
from cnnlab.device import find_device, machine_class
from cnnlab.lessons.records import WEIGHTS, Draft, file_of

IMAGES = 500  # of the training images: the loss on them is drawn


def network(draft: Draft, model: str, epochs: int, lr: float = 0.2, **options: object) -> None:
    """A network trained on CIFAR-10, with its weights.

    Images are shifted by up to 4 pixels and mirrored. The training keeps a checkpoint: stopped, even by a power cut, it
    goes on after the last whole epoch. The weights are rounded to half precision and measured again as they are in the
    file.
    """
    if draft.results:
        return
    seed, options = 0, options | {"num_classes": 10}
    torch.manual_seed(seed)
    net, dataset = models.get_model(model, **options), draft.cifar10()
    run = training.fit(
        net,
        dataset,
        epochs=epochs,
        lr=lr,
        augment=training.Augment(flip=True, shift=4),
        seed=seed,
        checkpoint=draft.checkpoints / "training.checkpoint",
        on_epoch=lambda run: print(run.table().rows[-1], flush=True),
        progress=sys.stderr.isatty(),
    )
    file = WEIGHTS / f"{draft.name}.safetensors"
    origin = {"command": draft.command, "seed": seed, **dataset.preparation()}
    models.save_weights(deepcopy(net).half(), file, name=model, options=options, **origin)
    measured = training.evaluate(models.get_model(model, weights=file), dataset.test, precision="fp32")
    about = (
        f"{model} on CIFAR-10's training images: 45,000 to learn from, 5,000 held out. The weights are in "
        f"{file.name}, in half precision; `held_out` was measured from them."
    )
    draft.results |= {
        "options": options,
        "seed": seed,
        "parameters": sum(p.numel() for p in net.parameters()),
        "held_out": asdict(measured),
        "history": [asdict(epoch) for epoch in run.history],
    }
    draft.save(about, run.seconds)
    print(f"{draft.name}: {measured.accuracy:.2%} of the held-out images, {run.seconds:,.0f} s")


def surface(draft: Draft, model: str, seed: int = 0, points: int = 51) -> None:
    """The loss surface of one of these networks on CIFAR-10: points x points around it.

    Two random, filter-normalised directions, drawn with the same seed for all networks, reach from -1 to 1, as in the
    paper; the loss is that on some of the training images.
    """
    file = file_of(draft.name)
    if file.exists() and "command" in measure.LossSurface.load(file).provenance:
        return
    net = models.get_model(model, weights=WEIGHTS / f"{model}-cifar10.safetensors").eval()
    learnt = draft.cifar10().train
    some = torch.randperm(len(learnt), generator=torch.Generator().manual_seed(0))[:IMAGES]
    split = data.Split(learnt.images[some], learnt.labels[some], learnt.mean, learnt.std)
    measured = measure.loss_surface(net, split, points=points, seed=seed, file=file, progress=sys.stderr.isatty())
    measured.provenance |= {
        "command": draft.command,
        "date": date.today().isoformat(),
        "machine": machine_class(find_device()),
    }
    measured.save(file)
    print(measured, measured.provenance, flush=True)


RECORDS = {
    "resnet20-cifar10": partial(network, model="resnet20", epochs=60),
    "resnet56-cifar10": partial(network, model="resnet56", epochs=28, shortcut="B"),
    "plain56-cifar10": partial(network, model="plain56", epochs=28, lr=0.05),
}
for _model in ("resnet56", "plain56"):
    RECORDS[f"surface-{_model}-cifar10"] = partial(surface, model=_model)
    for _seed in (1, 2):
        RECORDS[f"surface-{_model}-cifar10-seed{_seed}"] = partial(surface, model=_model, seed=_seed, points=25)
