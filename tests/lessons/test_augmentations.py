"""Lesson 03: the solutions agree with loops and with torchvision, and right answers of other forms pass."""

import pytest
import torch
from torchvision.transforms.v2 import functional as transforms

from cnnlab import course

TASKS = {task.id: task for task in course.exercises("03")}


def solved(id: str):
    return TASKS[id].made(TASKS[id].solution)


def test_images_are_flipped_and_raised_one_by_one():
    task = TASKS["03.flip-and-gamma"]
    for images, mirrored, gammas in task.arguments():
        one_by_one = zip(images, mirrored, gammas, strict=True)
        expected = torch.stack([(transforms.hflip(i) if flip else i) ** gamma for i, flip, gamma in one_by_one])
        torch.testing.assert_close(solved(task.id)(images, mirrored, gammas), expected)


@pytest.mark.parametrize("antialias", [True, False])
def test_a_window_may_be_resized_by_torchvision(antialias):
    def crop(image, area, ratio, across, down, size):
        height, width = image.shape[1:]
        h = (area * height * width / ratio) ** 0.5
        w, h = round(ratio * h), round(h)
        left, top = round(across * (width - w)), round(down * (height - h))
        return transforms.resized_crop(image, top, left, h, w, [size, size], antialias=antialias)

    assert course.check("03.random-resized-crop", crop).status == "passed"


@pytest.mark.parametrize(
    "keeps", ["adefgi", "a, d, e, f, g, i", {letter: letter in "adefgi" for letter in "abcdefghijk"}, set("ADEFGI")]
)
def test_letters_may_come_in_other_forms(keeps):
    assert course.check("03.keeps-the-label", keeps).status == "passed"


def test_test_images_are_normalised_as_torchvision_does_it():
    task = TASKS["03.test-pipeline"]
    for train, test in task.arguments():
        known = train.double().div(255).movedim(1, 0).flatten(1)
        mean, std = known.mean(1).tolist(), known.std(1, correction=0).tolist()
        expected = transforms.normalize(test.float().div(255), mean, std)
        torch.testing.assert_close(solved(task.id)(train, test), expected, rtol=1e-3, atol=1e-4)
