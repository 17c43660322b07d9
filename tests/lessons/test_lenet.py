"""Lesson 01: the solutions agree with PyTorch, and with the network of 1998."""

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import course, data, models, training
from cnnlab.lessons.lenet import study

TASKS = {task.id: task for task in course.exercises("01")}


def test_an_output_is_as_wide_as_pytorchs():
    solved = TASKS["01.output-size"].made(TASKS["01.output-size"].solution)
    for size, kernel, *rest in TASKS["01.output-size"].arguments():
        image = torch.zeros(1, 1, size, size)
        assert nn.Conv2d(1, 1, kernel, *rest)(image).shape[-1] == solved(size, kernel, *rest)


def test_c3_has_the_parameters_of_the_network():
    task = TASKS["01.c3-parameters"]
    (c3,) = (layer for name, layer in models.get_model("lenet5_1998").named_modules() if name.endswith("C3"))
    counted = sum(p.numel() for p in c3.parameters())
    assert task.made(task.solution)(*task.arguments()[-1]) == counted == 1516


def test_subsampling_is_a_scaled_average():
    task = TASKS["01.subsampling"]
    for x, coefficient, bias in task.arguments():
        scaled = coefficient[:, None, None] * 4 * F.avg_pool2d(x, 2) + bias[:, None, None]
        torch.testing.assert_close(task.made(task.solution)(x, coefficient, bias), scaled)


def run_with(accuracy: float) -> training.Run:
    epoch = training.Epoch(1, 0.1, 1.0, 0.1, accuracy, 0.01, 1.0)
    return training.Run(nn.Identity(), [epoch])


def test_the_best_rate_is_the_smallest_of_the_best_and_may_lie_at_an_edge():
    runs = {0.3: run_with(0.5), 0.01: run_with(0.9), 0.1: run_with(0.9)}
    assert study.best(runs) == 0.01 and not study.inside(runs)
    runs[0.001] = training.Run(nn.Identity())  # diverged in its first epoch
    assert study.best(runs) == 0.01 and study.inside(runs)
    table = study.rates({"net": runs})
    assert table.header == ["network", "0.001", "0.01", "0.1", "0.3", "chosen"]
    assert table.rows == [["net", "0.0 %", "90.0 %", "90.0 %", "50.0 %", "0.01"]]


def test_each_rate_starts_from_the_same_weights_and_a_diverged_training_counts_as_nothing_read():
    digits = data.load("handwritten", train=64, test=32)
    first = []

    def build() -> nn.Module:
        net = models.get_model("lenet5")
        first.append(net.stem.C1.weight.detach().clone())
        return net

    runs = study.train_at_each(build, digits, (0.01, 1e30), epochs=1, batch_size=16)
    assert list(runs) == [0.01, 1e30] and torch.equal(*first)
    assert study.accuracy(runs[0.01]) == 100 * training.evaluate(runs[0.01].model, digits.test).accuracy
    assert study.accuracy(runs[1e30]) == 0


def test_lenet_gets_grey_images_of_its_size():
    street = data.load("street_digits", train=20, test=10)
    grey = study.for_lenet(street)
    assert grey.train.shape == (1, 32, 32) and abs(grey.train.inputs().mean()) < 1e-3
    assert torch.equal(grey.test.images[0, 0], street.test.images[0].float().mean(0).round().to(torch.uint8))
    assert study.for_lenet(street.resized(16)).train.shape == (1, 32, 32)
    written = data.load("handwritten", train=20, test=10)
    assert study.for_lenet(written) is written


def test_the_layers_are_counted_as_in_the_paper():
    rows = {row[0]: row[1:3] for row in study.counts(models.get_model("lenet5_1998")).rows}
    assert rows["C1"] == [156, 122_304] and rows["C3"] == [1516, 151_600] and rows["output"] == [0, 840]
    assert rows["LeNet-5"] == [60_000, 340_908]


def test_a_line_shows_what_is_read_at_each_place():
    digits = data.load("handwritten", train=20, test=10)
    logits = torch.eye(11)[[1, 10, 3]].repeat(14, 1)[None, :41]  # one, none, three, and again
    picture = study.line(digits, {"a net": logits})
    assert "a net 14 of 41" in picture.alt and "a net: 1 · 3 1 · 3" in picture.alt
    assert "".join(text.get_text() for text in picture.figure.axes[0].texts).startswith("a net1·31·3")
