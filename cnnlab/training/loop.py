"""The training loop: plain PyTorch, the same for every network and data set of the course."""

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from operator import index
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab.data import Dataset, Images
from cnnlab.device import (
    Precision,
    autocast,
    eval_mode,
    find_device,
    reproducible,
    stop_if_asked,
    stop_with_the_cell,
    training_stopped,
    undisturbed,
    unstoppable,
)
from cnnlab.training import optimizer as optimizers
from cnnlab.training.checkpoint import Checkpoint, description
from cnnlab.training.meter import Meter, not_finite
from cnnlab.training.run import NOT_TESTED, Metrics, Run
from cnnlab.training.team import Team

_VIEW = "view size is not compatible"  # in PyTorch's error


@undisturbed()
@torch.inference_mode(False)
@torch.enable_grad()  # also where a cell has switched gradients off
def fit(
    model: nn.Module,
    dataset: Dataset,
    *,
    epochs: int = 5,
    lr: float = 0.1,
    batch_size: int = 128,
    weight_decay: float = 5e-4,
    momentum: float = 0.9,
    nesterov: bool = True,
    schedule: optimizers.Schedule = "one-cycle",
    optimizer: optimizers.Name = "sgd",
    rates: Mapping[str, float] | None = None,
    augment: Callable[[Tensor], Tensor] | None = None,
    class_weights: Sequence[float] | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
    precision: Precision = "auto",
    checkpoint: str | Path | None = None,
    on_epoch: Callable[[Run], None] | None = None,
    progress: bool = True,
) -> Run:
    """Train a model on a data set's training images, and test it after each pass over them.

    model: (N, C, H, W) float images -> (N, classes) logits. It is trained in place and left in eval mode. A model with
        auxiliary heads returns their logits too while it trains; their losses count `model.aux_weight` times.
    dataset: tested on its test images; `dataset.choosing()` is the same set, tested on its validation images.
    lr: the highest learning rate. SGD wants about 0.1, AdamW about 0.002.
    schedule: "one-cycle" (Smith, Topin 2017): the rate rises from lr / 25 to lr in a quarter of the steps and falls to
        almost 0 in the others, along a cosine, while the momentum goes from 0.05 above its value to 0.05 below and back
        (in AdamW the first beta, around 0.9). "steps": divided by 10 after a half, three quarters and eleven twelfths
        of the steps (Li et al. 2018, section 4; the first two in He et al. 2015). "constant": lr.
    momentum, nesterov: of SGD; 0 is none.
    rates: the learning rates of parts of the network as shares of lr, by the beginning of their parameters' names, for
        example {"stem": 0.1, "stages": 0.1}. What does not require gradients is not trained, and a batch norm among it
        keeps its statistics.
    augment: changes each batch of normalised training images, for example `training.Augment(flip=True, shift=4)`.
    class_weights: how much the loss of an image counts by its class, where the classes are of unequal size; all the
        same where None. Test losses do not use them.
    seed: of the order of images, augmentation and dropout; the weights come from the model. The caller's random state
        is kept, and the same model, seed and machine give the same weights to the last bit.
    device: "cuda", "mps" or "cpu"; the best there is where None.
    precision: "fp32", "bf16" (autocast), or "auto": bf16 where the hardware multiplies it natively.
    checkpoint: a file that is replaced after each epoch. Where it is there already, training goes on from it, and ends
        with the same weights, to the last bit, as if it had never stopped.
    on_epoch: called with the run so far after each epoch, for example `view.live_curves()`.

    Under `torchrun` the processes train one model together: each takes its share of every batch, gradients are averaged
    over the batch, and only the first writes and shows anything. The result is that of one process, up to rounding,
    but for what sees only its own share: batch norms in training, and the draws of augmentation and dropout.

    Interrupting (the stop button of a notebook) returns the run so far, and the next training of the same cell stops
    before it begins. Raises DivergedError where the loss or a weight becomes infinite or NaN, ValueError where model,
    data and arguments do not fit together, CheckpointError where the checkpoint is damaged, belongs to another training
    or cannot be written.
    """
    stop_with_the_cell()
    image = _checked(model, dataset, epochs, lr, batch_size, class_weights)
    # NumPy's numbers as Python's: a checkpoint of theirs could not be opened without running its code.
    epochs, batch_size, seed = map(index, (epochs, batch_size, seed))
    lr, weight_decay, momentum = map(float, (lr, weight_decay, momentum))
    rates = {part: float(share) for part, share in rates.items()} if rates else None
    class_weights = None if class_weights is None else [float(weight) for weight in class_weights]
    settings = {"epochs": epochs, "lr": lr, "batch_size": batch_size, "weight_decay": weight_decay, "seed": seed}
    settings |= {"momentum": momentum, "nesterov": nesterov, "schedule": schedule, "optimizer": optimizer}
    settings |= {"rates": rates, "class_weights": class_weights}
    images = len(dataset.train)
    steps = -(-images // batch_size)  # of an epoch
    run, team = Run(model, images=images), Team(find_device(device))
    try:
        views = _views_maps(model, image)
        model.to(team.device, memory_format=None if views else torch.channels_last)
        optimizer = optimizers.make_optimizer(model, optimizer, lr, rates, weight_decay, momentum, nesterov)
        schedule = optimizers.make_schedule(optimizer, schedule, epochs * steps)
        parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
        kept = Checkpoint(checkpoint, description(model, dataset, augment, **settings), team, parts)
        aux_weight = getattr(model, "aux_weight", 0.0)
        by_class = None if class_weights is None else torch.tensor(class_weights, device=team.device)
        with reproducible(seed + team.rank, team.device):
            kept.restore(run)
            network = team.network(model)
            read = dataset.train.reader(team.device)
            with Meter(run, team, epochs, steps, lr, precision, progress) as meter:
                for epoch in range(len(run.history) + 1, epochs + 1):
                    _train_mode(model)
                    meter.start(epoch)
                    order = team.agree(torch.randperm(images, device=team.device))
                    batches, weights = team.share(order.split(batch_size))
                    for (inputs, labels), weight in zip(read(batches), weights, strict=True):
                        if augment:
                            inputs = augment(inputs)
                        if views:
                            inputs = inputs.clone(memory_format=torch.contiguous_format)
                        with autocast(team.device, precision):
                            logits, loss = _logits_and_loss(network, inputs, labels, aux_weight, by_class)
                        optimizer.zero_grad()
                        (loss * weight).backward()
                        optimizer.step()
                        schedule.step()
                        meter.count(loss, logits, labels, weight)
                    meter.stop()
                    meter.check_weights(model)
                    test = evaluate(model, dataset.test, precision=precision) if len(dataset.test) else NOT_TESTED
                    run.history.append(meter.record(test, optimizer.param_groups[0]["lr"]))
                    kept.keep(run)
                    if on_epoch and team.first:
                        on_epoch(run)
                    stop_if_asked()
    except KeyboardInterrupt:
        run.interrupted = True
        training_stopped()
    finally:
        with unstoppable():
            model.eval().to(memory_format=torch.contiguous_format)  # so that .view of a weight works again
    return run


@undisturbed()
@torch.no_grad()
def evaluate(model: nn.Module, split: Images, *, batch_size: int = 100, precision: Precision = "auto") -> Metrics:
    """Loss and accuracies of a model on all images of a split, in eval mode, on the device that the model is on.

    Raises ValueError for an empty split, and for labels that the model has no output for.
    """
    if len(split) == 0:
        raise ValueError("There are no images to evaluate on: load the data set with a test split (test=...).")
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    most = split.labels.max().item()
    loss = top1 = top5 = 0.0
    pairs = []
    with eval_mode(model):
        for inputs, labels in split.batches(torch.arange(len(split)).split(batch_size), device):
            with autocast(device, precision):
                logits = _logits(model, inputs).float()
            if most >= logits.shape[1]:  # on a GPU the loss would end all computing of this process
                has = f"{type(model).__name__} has {logits.shape[1]} outputs"
                raise ValueError(f"There are labels up to {most}, and {has}.")
            guesses = logits.topk(min(5, logits.shape[1])).indices
            hits = guesses == labels[:, None]
            loss += F.cross_entropy(logits, labels, reduction="sum").item()
            top1 += hits[:, 0].sum().item()
            top5 += hits.sum().item()
            pairs.append(labels * logits.shape[1] + guesses[:, 0])
            stop_if_asked()
    classes = logits.shape[1]
    confusion = torch.cat(pairs).bincount(minlength=classes**2).view(classes, classes).cpu()
    return Metrics(loss / len(split), top1 / len(split), top5 / len(split), confusion)


def _logits_and_loss(
    network: nn.Module, inputs: Tensor, labels: Tensor, aux_weight: float, by_class: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The logits and their cross-entropy, to which that of each auxiliary head's logits adds `aux_weight` times."""
    outputs = network(inputs)
    if isinstance(outputs, Tensor):
        return outputs, F.cross_entropy(outputs, labels, by_class)
    logits, *auxiliary = outputs
    extra = sum(F.cross_entropy(guess, labels, by_class) for guess in auxiliary)
    return logits, F.cross_entropy(logits, labels, by_class) + aux_weight * extra


def _logits(model: nn.Module, inputs: Tensor) -> Tensor:
    try:
        return model(inputs)
    except RuntimeError as error:
        if _VIEW not in str(error):
            raise
        return model(inputs.clone(memory_format=torch.contiguous_format))  # of one channel .contiguous() does nothing


def _views_maps(model: nn.Module, image: Tensor) -> bool:
    """Whether a network opens its maps by `view`, which cannot be done to maps that lie channels last."""
    try:
        with torch.no_grad(), eval_mode(model):  # two, for of one the layout may be either
            model(image.repeat(2, 1, 1, 1).to(memory_format=torch.channels_last))
    except RuntimeError as error:
        return _VIEW in str(error)
    return False


def _train_mode(model: nn.Module) -> None:
    """Training mode, but for batch norms that are frozen: their statistics are those of what they were trained on."""
    model.train()
    for module in model.modules():
        norm = isinstance(module, nn.modules.batchnorm._BatchNorm) and module.affine
        if norm and not (module.weight.requires_grad or module.bias.requires_grad):
            module.eval()


def _checked(
    model: nn.Module,
    dataset: Dataset,
    epochs: int,
    lr: float,
    batch_size: int,
    class_weights: Sequence[float] | None,
) -> Tensor:
    """The first image, after everything that can be found before a training was looked for."""
    if not isinstance(dataset, Dataset):
        raise ValueError(
            f"fit takes a data set of cnnlab, not {type(dataset).__module__}.{type(dataset).__name__}: data.load knows "
            "the sets of torchvision by name, data.stream reads folders by workers, and data.assemble takes images and "
            "labels in tensors of your own."
        )
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}.")
    if not isinstance(lr, Real) or not lr > 0:
        raise ValueError(f"lr must be above 0, not {lr!r}.")
    classes = len(dataset.classes)
    with torch.random.fork_rng(devices=[]):  # a pipeline may draw
        image = dataset.train.inputs(slice(0, 1))
    image = image.to(next((parameter.device for parameter in model.parameters()), image.device))
    what = f"{type(model).__name__} does not take {dataset.name}"
    try:
        with torch.no_grad(), eval_mode(model):
            logits = model(image)
    except (RuntimeError, ValueError) as error:
        shape = " x ".join(map(str, image.shape[1:]))
        raise ValueError(f"{what}, images of {shape}: {error}") from error
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        given = f"shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
        raise ValueError(f"{what}: in eval mode it must return logits of the shape (images, classes), not {given}.")
    outputs = logits.shape[1]
    if logits.min() >= 0 and (logits.sum(1) - 1).abs().max() < 1e-4:
        warnings.warn(
            f"{type(model).__name__} ends in a softmax, and the loss takes a softmax of its logits itself: with two of "
            "them it learns slowly, and its loss cannot come near 0. Leave the one in the network out.",
            stacklevel=4,
        )
    if outputs < classes:
        raise ValueError(f"{what}: {classes} classes, but {outputs} outputs. Build it with num_classes={classes}.")
    if class_weights is not None and not _are_weights(class_weights, outputs):
        raise ValueError(f"class_weights must be {outputs} numbers, 0 or more, one an output: not {class_weights!r}.")
    if broken := not_finite(model):
        raise ValueError(f"{type(model).__name__} has weights that are no numbers before it is trained: {broken}.")
    if batch_size == 1 or len(dataset.train) % batch_size == 1:
        _check_one_image(model, image, len(dataset.train), batch_size)
    return image


def _are_weights(given: Sequence[float], outputs: int) -> bool:
    return not isinstance(given, Mapping) and len(given) == outputs and min(given) >= 0


def _check_one_image(model: nn.Module, image: Tensor, images: int, batch_size: int) -> None:
    """A batch norm over a single number fails in training; the last batch of an epoch would be the first to see it."""
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            copy.deepcopy(model).train()(image)
    except ValueError as error:
        if "more than 1 value per channel" in str(error):
            others = (size for size in (batch_size - 1, *range(2, images + 1)) if size > 1 and images % size != 1)
            better = next(others, None)
            advice = f"Take another batch_size, for example {better}." if better else "Take more images."
            raise ValueError(
                f"Of {images:,} images in batches of {batch_size} one is left over, and a batch norm of this network "
                f"cannot train on one alone. {advice}"
            ) from None
        raise
