"""How fast `training.fit` is beside the loops of Lightning, fastai and accelerate, and beside a plain one.

    pip install -r benchmarks/requirements-peers.txt
    python benchmarks/peers.py              # or run_all.py peers, which writes it onto the page

The same initial weights, images, batches of 128, SGD with Nesterov momentum, weight decay and one cycle of the learning
rate, for all; no validation, no logger, no checkpoint, no progress bar. The peers read normalised images in memory by a
DataLoader, as their introductions do; "plain" is the shortest loop over the same tensors without one. Their own bf16
is switched on where `fit` takes it by itself. All in turns: images/s are medians over the rounds, and the ratio is that
of `fit` to each in the same round. The loss on the training images at the end says that all have learnt.
"""

import copy
import logging
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from training_overhead import bare  # beside this file

from cnnlab import data, models, training
from cnnlab.device import find_device, has_bf16

try:
    import accelerate
    import lightning
    from fastai import basics
    from fastai.callback import schedule  # noqa: F401, gives a Learner its fit_one_cycle
except ImportError as error:
    sys.exit(f"{error}: pip install -r benchmarks/requirements-peers.txt")

ROUNDS, BATCH, LR = 5, 128, 0.1
SGD = {"momentum": 0.9, "weight_decay": 5e-4, "nesterov": True}
HALF = has_bf16(find_device("cpu"))


def loader(dataset: data.Dataset) -> DataLoader:
    return DataLoader(TensorDataset(dataset.train.inputs(), dataset.train.labels), BATCH, shuffle=True)


def one_cycle(optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.OneCycleLR:
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, steps + 1, pct_start=0.25)


class Classifier(lightning.LightningModule):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], index: int) -> torch.Tensor:
        return F.cross_entropy(self.model(batch[0]), batch[1])

    def configure_optimizers(self) -> dict:
        optimizer = torch.optim.SGD(self.parameters(), LR, **SGD)
        schedule = one_cycle(optimizer, self.trainer.estimated_stepping_batches)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def by_lightning(model: nn.Module, dataset: data.Dataset, epochs: int) -> None:
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        precision="bf16-mixed" if HALF else "32-true",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Classifier(model), loader(dataset))


def by_fastai(model: nn.Module, dataset: data.Dataset, epochs: int) -> None:
    loaders = basics.DataLoaders(loader(dataset), loader(dataset), device=torch.device("cpu"))
    optimizer = partial(basics.OptimWrapper, opt=partial(torch.optim.SGD, **SGD))
    learner = basics.Learner(loaders, model, nn.CrossEntropyLoss(), opt_func=optimizer)
    with learner.no_bar(), learner.no_logging(), learner.added_cbs([*[Half()] * HALF, NoValidation()]):
        learner.fit_one_cycle(epochs, LR, pct_start=0.25, moms=(0.95, 0.85, 0.95))


class Half(basics.Callback):
    """bfloat16 by autocast on a processor, for which fastai's own mixed precision is not made."""

    order = 10

    def before_batch(self) -> None:
        self.context = torch.autocast("cpu", torch.bfloat16)
        self.context.__enter__()

    def after_loss(self) -> None:
        self.context.__exit__(None, None, None)


class NoValidation(basics.Callback):
    def before_validate(self) -> None:
        raise basics.CancelValidException


def by_accelerate(model: nn.Module, dataset: data.Dataset, epochs: int) -> None:
    helper = accelerate.Accelerator(cpu=True, mixed_precision="bf16" if HALF else "no")
    optimizer = torch.optim.SGD(model.parameters(), LR, **SGD)
    batches = loader(dataset)
    schedule = one_cycle(optimizer, epochs * len(batches))
    model, optimizer, batches, schedule = helper.prepare(model, optimizer, batches, schedule)
    model.train()
    for _ in range(epochs):
        for inputs, labels in batches:
            with helper.autocast():
                loss = F.cross_entropy(model(inputs), labels)
            optimizer.zero_grad()
            helper.backward(loss)
            optimizer.step()
            schedule.step()


def by_fit(model: nn.Module, dataset: data.Dataset, epochs: int) -> None:
    training.fit(model, dataset.without_test(), epochs=epochs, lr=LR, batch_size=BATCH, device="cpu", progress=False)


WAYS: dict[str, Callable[[nn.Module, data.Dataset, int], object]] = {
    "fit": by_fit,
    "plain": lambda model, dataset, epochs: bare(model, dataset, epochs, BATCH),
    "Lightning": by_lightning,
    "fastai": by_fastai,
    "accelerate": by_accelerate,
}


def main() -> None:
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    cases = [("lenet5", {"in_channels": 3}, 6_400), ("resnet20_tiny", {}, 1_280), ("resnet20", {}, 1_280)]
    print(f"{torch.get_num_threads()} threads, {'bf16' if HALF else 'fp32'}, {ROUNDS} rounds")
    print("network        by            images/s   fit is faster by (least, most)   loss at the end")
    for name, options, images in cases:
        model, dataset = models.get_model(name, **options), data.load("street_digits", train=images, test=1)
        speeds, losses, epochs = {way: [] for way in WAYS}, {}, 2
        for index in range(ROUNDS + 1):
            for way, train in WAYS.items():
                trained = copy.deepcopy(model)
                torch.manual_seed(index)
                start = time.perf_counter()
                train(trained, dataset, epochs)
                if index:  # the first round warms up
                    speeds[way].append(epochs * images / (time.perf_counter() - start))
                losses[way] = training.evaluate(trained, dataset.train).loss
        for way, of_it in speeds.items():
            ratios = [ours / theirs for ours, theirs in zip(speeds["fit"], of_it, strict=True)]
            spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}, {max(ratios):.2f})"
            print(f"{name:14} {way:12} {statistics.median(of_it):9,.0f}   {spread:31} {losses[way]:.2f}", flush=True)


if __name__ == "__main__":
    main()
