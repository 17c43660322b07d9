"""Twins of VGG from several starts, and grown in stages, on street digits, three seeds each: the record of lesson 04.

python data/vgg_depth.py
"""

import time
from dataclasses import asdict, replace
from functools import partial

import torch
from torch import nn

from cnnlab import course, data, models, training

SEEDS = (0, 1, 2)
SMALL, LARGER = (partial(nn.init.normal_, std=std) for std in (0.01, 0.05))
HE = partial(nn.init.kaiming_normal_, nonlinearity="relu")
GLOROT = nn.init.xavier_uniform_


def main() -> None:
    start = time.perf_counter()
    digits = data.load("street_digits", train=4000, test=1000)
    pixels = {part: replace(getattr(digits, part), std=(1 / 255,) * 3) for part in ("train", "test")}
    pixels = replace(digits, **pixels)  # as in the paper: the mean is subtracted, nothing is divided
    results = {}

    def train(name: str, model: nn.Module, seed: int, epochs: int, lr: float, dataset=digits) -> nn.Module:
        run = training.fit(model, dataset, epochs=epochs, lr=lr, batch_size=32, seed=seed, progress=False)
        known = training.evaluate(model, dataset.train)
        entry = {"lr": lr, "history": [asdict(epoch) for epoch in run.history], "train": asdict(known)}
        results.setdefault(name, []).append(entry)
        print(f"{name}, seed {seed}: train {known.accuracy:.1%}, test {run.history[-1].test_accuracy:.1%}", flush=True)
        return model

    def begin(layers: int, rule, seed: int) -> nn.Module:
        torch.manual_seed(seed)
        return training.initialize(models.get_model(f"vgg{layers}_tiny"), rule)

    for seed in SEEDS:
        train("11 layers, std 0.01", begin(11, SMALL, seed), seed, 3, 0.02)
        train("19 layers, std 0.01", begin(19, SMALL, seed), seed, 3, 0.02)
        shallow = train("11 layers, std 0.05", begin(11, LARGER, seed), seed, 10, 0.02)
        for std, rule in ((0.05, LARGER), (0.01, SMALL)):
            deep = begin(19, rule, seed)
            training.grow(deep, shallow, convolutions=4)
            train(f"19 layers, grown from 11, std {std}", deep, seed, 4, 0.01)
        train("19 layers, std 0.05", begin(19, LARGER, seed), seed, 14, 0.02)
        train("19 layers, std 0.05, half the rate", begin(19, LARGER, seed), seed, 14, 0.01)
        train("19 layers, He", begin(19, HE, seed), seed, 6, 0.01)
        train("19 layers, Glorot", begin(19, GLOROT, seed), seed, 8, 0.01)
        train("19 layers, Glorot, pixels to 255", begin(19, GLOROT, seed), seed, 8, 0.01, pixels)
        net = shallow
        for layers, epochs in ((13, 3), (16, 3), (19, 4)):
            deep = begin(layers, SMALL, seed)
            training.grow(deep, net)
            net = train(f"{layers} layers, grown by few, std 0.01", deep, seed, epochs, 0.01)
    about = (
        "VGG twins of width 16 without batch norm on 4,000 street digits, batches of 32. std: of a normal distribution "
        "with mean 0, for all weights, or for those that the shallower net does not give. Grown from 11: with its "
        "first four convolutions and the fully-connected layers, as in the paper; by few: 11, 13, 16, 19, with all "
        "layers. "
        "`train` is measured after the training."
    )
    course.save_record("vgg_depth", about, "python data/vgg_depth.py", time.perf_counter() - start, results)


if __name__ == "__main__":
    main()
