"""Lesson 03, augmentations: its exercises."""

import re
from collections.abc import Mapping
from functools import cache

import torch
from torch.nn import functional as F  # noqa: F401  the solutions resize with it

from cnnlab import data
from cnnlab.data import Dataset
from cnnlab.lessons.augmentations.study import accuracy, images_only, train
from cnnlab.lessons.calls import seeded
from cnnlab.lessons.compare import kind
from cnnlab.lessons.diagnose import Wrong
from cnnlab.lessons.exercise import edit, exercise, source, when
from cnnlab.lessons.runs import reads_digits, trained

MOST = 3  # points that a change may gain and still count as no help


def images_flips_and_gammas() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    few = torch.tensor([[0.1, 0.2, 0.4], [0.9, 0.6, 0.8]]).view(2, 1, 1, 3)
    flips, gammas = torch.tensor([True, False, True, False, False]), torch.tensor([1.0, 0.5, 2.0, 1.5, 0.7])
    five = torch.rand(5, 3, 5, 5, generator=generator)  # five images five wide: a wrong match of axes fits too
    three = torch.rand(3, 2, 4, 5, generator=generator)
    return [(few, flips[:2], torch.tensor([2.0, 0.5])), (three, flips[1:4], gammas[1:4]), (five, flips, gammas)]


exercise(
    "03.flip-and-gamma",
    points=3,
    stub='''
        def flip_and_gamma(images, mirrored, gammas):
            """images: (N, C, H, W) in 0..1; mirrored: (N,) of True and False; gammas: (N,).
            Mirrors left and right the images where mirrored is True, and raises every
            image to the power of its own gamma."""
            ...
    ''',
    solution="""
        def flip_and_gamma(images, mirrored, gammas):
            flipped = torch.where(mirrored[:, None, None, None], images.flip(3), images)
            return flipped ** gammas[:, None, None, None]
    """,
    hints=[
        "The columns are dimension 3: images.flip(3) mirrors all images. torch.where chooses, image by image.",
        "mirrored has shape (N,) and the images (N, C, H, W): mirrored[:, None, None, None] stands beside them. The"
        " same goes for gammas, in the exponent.",
    ],
    cases=images_flips_and_gammas,
    wrong=[
        edit("flip(3)", "flip(2)", "You turned images upside down: rows are dimension 2, columns 3."),
        edit("flip(3)", "flip(1)", "You mirrored images by their channels: columns are dimension 3."),
        edit("flip(3)", "flip(0)", "You reversed the order of the images: columns are dimension 3."),
        edit("flip(3)", "flip(2, 3)", "You turned images by 180°, rows and columns both: mirror the columns only."),
        edit(
            "torch.where(mirrored[:, None, None, None], images.flip(3), images)",
            "images.flip(3)",
            "With your code every image is mirrored: use `mirrored` to choose.",
        ),
        edit(
            "torch.where(mirrored[:, None, None, None], images.flip(3), images)",
            "images",
            "The gammas are right, but no image is mirrored.",
        ),
        edit(
            "images.flip(3), images",
            "images, images.flip(3)",
            "Nearly: the wrong ones are mirrored. Exchange the two choices.",
        ),
        edit(
            "torch.where(mirrored[:, None, None, None],",
            "torch.where(mirrored,",
            "`mirrored` was matched along the width, so it chose columns and not images: [:, None, None, None].",
        ),
        edit(
            "** gammas[:, None, None, None]",
            "** (1 / gammas[:, None, None, None])",
            "You raised to 1 / gamma; here gamma is the exponent, so that more than 1 makes an image darker.",
        ),
        edit(
            "** gammas",
            "* gammas",
            "You multiplied by gamma: that is brightness. Gamma is an exponent, which leaves 0 and 1 where they are.",
        ),
        edit(
            "gammas[:, None, None, None]",
            "gammas",
            "The gammas were matched along the width, not with the images: [:, None, None, None].",
        ),
        edit("flipped ** gammas[:, None, None, None]", "flipped", "The gammas are not used."),
        edit(
            "flipped ** gammas[:, None, None, None]", "flipped ** gammas[0]", "Every image got the first one's gamma."
        ),
        edit(
            "return flipped ** gammas[:, None, None, None]",
            "return torch.where(mirrored[:, None, None, None], flipped ** gammas[:, None, None, None], images)",
            "Only the mirrored images were raised to their gamma; every image is to be.",
        ),
    ],
)


def windows() -> list[tuple]:
    """Windows no larger than what they are resized to: there, smoothing before shrinking changes nothing."""
    generator = torch.Generator().manual_seed(0)
    nine = torch.arange(1.0, 10).view(1, 3, 3)
    wide, square, third = (torch.rand(s, generator=generator) for s in ((3, 12, 20), (2, 9, 9), (3, 10, 14)))
    return [
        (nine, 0.3, 1.125, 0.8, 0.3, 3),
        (wide, 0.3, 1.5, 0.27, 0.85, 12),
        (square, 0.4, 0.8, 0.9, 0.55, 8),
        (third, 0.5, 1.0, 0.1, 0.7, 9),
    ]


exercise(
    "03.random-resized-crop",
    points=3,
    stub='''
        def random_resized_crop(image, area, ratio, across, down, size):
            """image: (C, H, W) floats. The window has the fraction `area` of its pixels and is
            `ratio` times as wide as high (sides rounded). Its left edge is `across` (0..1) of
            the way that it can move to the right, its upper edge `down` of the way down (both
            rounded). Returns the window, resized bilinearly: (C, size, size)."""
            ...
    ''',
    solution="""
        def random_resized_crop(image, area, ratio, across, down, size):
            height, width = image.shape[1:]
            pixels = area * height * width
            w, h = round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)
            left, top = round(across * (width - w)), round(down * (height - h))
            window = image[:, top : top + h, left : left + w]
            return F.interpolate(window[None], size=(size, size), mode="bilinear")[0]
    """,
    hints=[
        "Let n be the window's number of pixels. w * h = n and w / h = ratio give w = sqrt(n * ratio). And h?",
        "The left edge can move by width - w. Cut with image[:, top : top + h, left : left + w].",
        "F.interpolate wants a batch, image[None], a size and mode='bilinear'; [0] takes the image out again.",
    ],
    cases=windows,
    wrong=[
        edit(
            "round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)",
            "round(area * width * ratio**0.5), round(area * height / ratio**0.5)",
            "You took `area` as the fraction of each side; it is that of the area.",
        ),
        edit(
            "round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)",
            "round(area * width), round(area * height)",
            "You took `area` as the fraction of each side; it is that of the area. And the ratio is not used.",
        ),
        edit(
            "round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)",
            "round(width * area**0.5), round(height * area**0.5)",
            "Your window has the shape of the image: the ratio is not used.",
        ),
        edit(
            "height, width = image.shape[1:]",
            "height = width = image.shape[1]",
            "You took the image for a square: image.shape[1:] is (height, width).",
        ),
        edit(
            'mode="bilinear"',
            'mode="bilinear", align_corners=True',
            "With align_corners=True the middles of the corner pixels stay where they are: leave it out.",
        ),
        edit(
            "round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)",
            "round(round(height * area**0.5) * ratio), round(height * area**0.5)",
            "The ratio changes the width alone, and so the area: with a width of sqrt(n * ratio) the height is"
            " sqrt(n / ratio).",
        ),
        edit(
            "w, h = round",
            "h, w = round",
            "Your window is `ratio` times as high as wide; it should be the other way round.",
        ),
        edit(
            "across * (width",
            "down * (width",
            "down * (height",
            "across * (height",
            "You exchanged `across` and `down`: `across` is for the left edge.",
        ),
        edit(
            "(width - w)",
            "width",
            "(height - h)",
            "height",
            "Your windows leave the image: the left edge can move by the image's width less the window's.",
        ),
        edit(
            'F.interpolate(window[None], size=(size, size), mode="bilinear")[0]',
            "window",
            "The window is right but not resized: for size {size} a result of {size} x {size} pixels is asked for.",
        ),
        edit(', mode="bilinear"', "", 'You resized to the nearest pixel: pass mode="bilinear".'),
        edit("bilinear", "bicubic", 'You resized with a cubic: pass mode="bilinear".'),
        edit("bilinear", "area", 'You averaged pixels over areas: pass mode="bilinear".'),
        edit("pixels * ratio", "pixels", "pixels / ratio", "pixels", "The ratio is not used: your window is a square."),
        edit(
            "(pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)",
            "pixels**0.5 * ratio), round(pixels**0.5 / ratio)",
            "Your window is ratio * ratio times as wide as high: the ratio belongs under the square root.",
        ),
        edit(
            "round((pixels / ratio) ** 0.5)",
            "round(pixels**0.5)",
            "The height does not know the ratio: with a width of sqrt(n * ratio) it is sqrt(n / ratio).",
        ),
        edit(
            "round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)",
            "int((pixels * ratio) ** 0.5), int((pixels / ratio) ** 0.5)",
            "The window's sides are cut off, by int or //; they are to be rounded: round(...).",
        ),
        edit(
            "round(across * (width - w)), round(down * (height - h))",
            "int(across * (width - w)), int(down * (height - h))",
            "The window's edges are cut off, by int or //; they are to be rounded: round(...).",
        ),
        edit(
            "round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)",
            "int((pixels * ratio) ** 0.5), int((pixels / ratio) ** 0.5)",
            "round(across * (width - w)), round(down * (height - h))",
            "int(across * (width - w)), int(down * (height - h))",
            "Sides and edges are cut off, by int or //; they are to be rounded: round(...).",
        ),
        edit("height, width =", "width, height =", "image.shape is (C, H, W): the height comes before the width."),
        edit(
            "top : top + h, left : left + w",
            "left : left + w, top : top + h",
            "You cut rows by `left` and columns by `top`: image[:, rows, columns].",
        ),
        edit(
            "across * (width - w)",
            "0.5 * (width - w)",
            "down * (height - h)",
            "0.5 * (height - h)",
            "Your window is always in the middle: `across` and `down` are not used.",
        ),
    ],
)

_CHANGES = {  # the letters of the lesson's table: whether the label stays true, and why
    "a": (True, "a digit that lies two pixels further is the same digit"),
    "b": (False, "hardly a digit but 0 and 8 is its own mirror image, and nobody writes the others that way"),
    "c": (False, "a 6 becomes a 9"),
    "d": (True, "people write and photograph digits as slanted as that"),
    "e": (True, "a digit may have any colour"),
    "f": (True, "a cat that looks the other way is a cat"),
    "g": (True, "a green cat is strange, and still no dog"),
    "h": (False, "the colour is the label"),
    "i": (True, "a brighter red is still red"),
    "j": (False, "the side is the label"),
    "k": (False, "the brightness is the label"),
}


def letters(keeps: object) -> set[str]:
    """The letters of a list, a text, or a dictionary that says of each whether it is one."""
    if isinstance(keeps, Mapping):
        keeps = [key for key, kept in keeps.items() if kept and str(kept).strip().lower() not in ("no", "n", "false")]
    if isinstance(keeps, str):
        words = re.findall(r"\w+", keeps)
        keeps = words[0] if len(words) == 1 else words
    return {str(letter).strip(" .()").lower() for letter in keeps}


def misjudged(letter: str):
    """Whether a set of letters is wrong about this one; an example of that, and why."""
    kept, why = _CHANGES[letter]
    right = {one for one, (keeps, _) in _CHANGES.items() if keeps}
    verdict = "keeps the label" if kept else "does not keep the label"
    example = f"keeps = {sorted(right ^ {letter})}"
    return when(lambda chosen: (letter in chosen) != kept, example, f"The change {letter} {verdict}: {why}.")


exercise(
    "03.keeps-the-label",
    points=2,
    stub="""
        keeps = [...]
    """,
    solution="""
        keeps = ["a", "d", "e", "f", "g", "i"]
    """,
    hints=[
        "Imagine that you see only the changed image. Would you give it the label that the original has?",
        "Five of the eleven do not keep it: three depend on direction, two on colour or brightness being the label.",
    ],
    look=letters,
    wrong=[
        when(lambda chosen: not chosen, "keeps = []", "Your list is empty, and some of the changes do keep the label."),
        when(
            lambda chosen: chosen - set(_CHANGES),
            'keeps = ["shift", "hue"]',
            "{got} is not made of the letters of the table, a to k, alone.",
        ),
        when(
            lambda chosen: all((letter in chosen) != kept for letter, (kept, _) in _CHANGES.items()),
            'keeps = ["b", "c", "h", "j", "k"]',
            "These are all the changes that do not keep the label: name the others.",
        ),
        *map(misjudged, _CHANGES),
    ],
)


def splits() -> list[tuple]:
    """Channels that differ, and darker test images; large training splits: n and n - 1 in the deviation are alike."""
    generator = torch.Generator().manual_seed(0)
    high = torch.tensor([256, 200, 120]).view(3, 1, 1)

    def images(count: int, height: int, width: int, light: float) -> torch.Tensor:
        lights = light * (0.2 + 0.8 * torch.rand(count, 1, 1, 1, generator=generator))
        return (torch.rand(count, 3, height, width, generator=generator) * high * lights).to(torch.uint8)

    shapes = ((160, 2, 4, 3), (120, 6, 5, 6))  # 3 wide: a wrong match of axes fits too
    return [(images(train, h, w, 1.0), images(test, h, w, 0.5)) for train, test, h, w in shapes]


exercise(
    "03.test-pipeline",
    points=2,
    stub='''
        def test_inputs(train_images, test_images):
            """Both uint8, (N, C, H, W). Returns the test images as the network wants them,
            float32, (N, C, H, W)."""
            ...
    ''',
    solution="""
        def test_inputs(train_images, test_images):
            train_pixels, pixels = train_images.float() / 255, test_images.float() / 255
            mean = train_pixels.mean((0, 2, 3), keepdim=True)
            std = train_pixels.std((0, 2, 3), keepdim=True)
            return (pixels - mean) / std
    """,
    hints=[
        "Two questions for each line of the broken version: is it random? Does an image's result depend on the others?",
        "The network learnt from images with the training images' mean and deviation taken out. A test image must be"
        " changed in the same way: by the same six numbers.",
    ],
    cases=splits,
    tolerance=1e-3,
    forbid={"Augment": "Your pipeline is still random: no augment in a test, so that an image gives one result."},
    wrong=[
        edit(
            "mean = train_pixels",
            "mean = pixels",
            "std = train_pixels",
            "std = pixels",
            "You normalised with the test images' own statistics; the network knows those of the training.",
        ),
        edit("mean = train_pixels", "mean = pixels", "The mean is that of the test images; take the training images'."),
        edit(
            "std = train_pixels", "std = pixels", "The deviation is that of the test images; take the training images'."
        ),
        edit(
            "train_images.float()",
            "torch.cat([train_images, test_images]).float()",
            "You took the statistics of both splits: the test must stay unseen.",
        ),
        source(
            """
            def test_inputs(train_images, test_images):
                pixels = test_images.float() / 255
                mean, std = pixels.mean((2, 3), keepdim=True), pixels.std((2, 3), keepdim=True)
                return (pixels - mean) / std
            """,
            "You normalised each one image by its own statistics: the network would see neither brightness nor colour.",
        ),
        source(
            """
            def test_inputs(train_images, test_images):
                train_pixels, pixels = train_images.float() / 255, test_images.float() / 255
                mean, std = train_pixels.mean((0, 2, 3), keepdim=True), train_pixels.std((0, 2, 3), keepdim=True)
                mirrored = torch.rand(len(pixels), 1, 1, 1) < 0.5
                return (torch.where(mirrored, pixels.flip(3), pixels) - mean) / std
            """,
            "Your pipeline is still random: the same test images come out in two ways.",
        ),
        edit(
            "train_pixels.mean((0, 2, 3), keepdim=True)",
            "train_pixels.mean()",
            "train_pixels.std((0, 2, 3), keepdim=True)",
            "train_pixels.std()",
            "Normalise channel by channel: three means and three deviations.",
        ),
        edit(
            "train_pixels.mean((0, 2, 3), keepdim=True)",
            "train_pixels.mean((0, 2, 3))",
            "train_pixels.std((0, 2, 3), keepdim=True)",
            "train_pixels.std((0, 2, 3))",
            "The three means were matched along the width, not with the channels: give them shape (3, 1, 1).",
        ),
        edit(
            "test_images.float() / 255",
            "test_images.float()",
            "Bring pixels and statistics to one scale: your pixels go to 255, the statistics to 1.",
        ),
        edit(
            "train_images.float() / 255",
            "train_images.float()",
            "Bring pixels and statistics to one scale: your statistics go to 255, the pixels to 1.",
        ),
        edit(" / std", "", "The mean is taken out, but the result is not divided by the deviation."),
        edit("(pixels - mean)", "pixels", "The result is divided by the deviation, but the mean is not taken out."),
        edit(
            "(pixels - mean) / std",
            "pixels",
            "You only divided by 255: the mean and the deviation of the training images are missing.",
        ),
        edit("(pixels - mean)", "pixels - mean", "Brackets: only the mean is divided by the deviation."),
        edit("/ std", "/ std**2", "You divided by the variance; divide by the deviation, its square root."),
        edit("/ std", "* std", "You multiplied by the deviation; divide by it."),
        edit(
            "mean((0, 2, 3), keepdim=True)",
            "mean(0)",
            "std((0, 2, 3), keepdim=True)",
            "std(0)",
            "You took a mean and a deviation for each pixel; over images, rows and columns together there are three.",
        ),
        edit(
            "std((0, 2, 3), keepdim=True)",
            "std((2, 3), keepdim=True).mean(0)",
            "You took the mean of the images' own deviations, which leaves out how images differ from each other.",
        ),
        edit(
            "(pixels - mean) / std",
            "(pixels - torch.tensor([0.485, 0.456, 0.406])[:, None, None])"
            " / torch.tensor([0.229, 0.224, 0.225])[:, None, None]",
            "These are ImageNet's six numbers; the network learnt with those of its own training images.",
        ),
        edit(
            "(pixels - mean) / std",
            "(pixels - 0.5) / 0.5",
            "0.5 is nobody's mean: take the training images' three means and three deviations.",
        ),
    ],
)


def batches_to_mix() -> list[tuple]:
    """Three images or more, so that the one before is not the one after, and targets that are mixed already."""
    generator = torch.Generator().manual_seed(0)
    three = torch.tensor([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]]).view(3, 1, 1, 2)
    five = torch.rand(5, 3, 4, 4, generator=generator)
    soft = torch.rand(5, 10, generator=generator).softmax(1)
    return [(three, torch.eye(3), 0.75), (five, soft, 0.4), (five, soft, 1.0)]


exercise(
    "03.mixup",
    points=3,
    stub='''
        def mixup(images, targets, share):
            """images: (N, C, H, W); targets: (N, classes), each row adds up to 1.
            Mixes each image with the one before it in the batch, the first with the last:
            share of itself, 1 - share of the other. The targets alike. Returns both."""
            ...
    ''',
    solution="""
        def mixup(images, targets, share):
            others, their_targets = images.roll(1, 0), targets.roll(1, 0)
            mixed = share * images + (1 - share) * others
            return mixed, share * targets + (1 - share) * their_targets
    """,
    hints=[
        "x.roll(1, 0) moves every row of x one place on, and the last one to the front: the neighbours, all at once.",
        "share * x + (1 - share) * x.roll(1, 0), once with the images, once with the targets; return both.",
    ],
    cases=batches_to_mix,
    wrong=[
        edit(
            "images.roll(1, 0), targets.roll(1, 0)",
            "images.roll(-1, 0), targets.roll(-1, 0)",
            "You mixed each image with the one after it; take the one before: roll(1, 0).",
        ),
        edit(
            "share * targets + (1 - share) * their_targets",
            "targets",
            "The images are mixed and their targets are not: the network would be told that only one digit is there.",
        ),
        edit(
            "mixed = share * images + (1 - share) * others",
            "mixed = images",
            "The targets are mixed and the images are not.",
        ),
        edit(
            "targets.roll(1, 0)",
            "targets.roll(-1, 0)",
            "The other image is the one before, the other target that of the one after: they belong together.",
        ),
        edit(
            "images.roll(1, 0)",
            "images.roll(-1, 0)",
            "The other image is the one after, the other target that of the one before: they belong together.",
        ),
        edit(
            "share * images + (1 - share) * others",
            "(1 - share) * images + share * others",
            "share * targets + (1 - share) * their_targets",
            "(1 - share) * targets + share * their_targets",
            "`share` is the image's own part; you gave it to the other one.",
        ),
        edit(
            "share * targets + (1 - share) * their_targets",
            "(1 - share) * targets + share * their_targets",
            "The targets have their shares the wrong way round: what is mostly a 3 is called mostly the other.",
        ),
        edit(
            "images.roll(1, 0), targets.roll(1, 0)",
            "images.flip(0), targets.flip(0)",
            "You mixed the batch with itself in reverse order; take the image before: roll(1, 0).",
        ),
        edit(
            "images.roll(1, 0), targets.roll(1, 0)",
            "images.roll(1), targets.roll(1)",
            "Without a dimension, roll moves single pixels on: roll(1, 0) moves whole images.",
        ),
        edit(
            "(1 - share) * others",
            "others",
            "(1 - share) * their_targets",
            "their_targets",
            "The other one is added whole: its part is 1 - share, or a row of targets adds up to more than 1.",
        ),
        edit(
            "share * images + (1 - share) * others",
            "(images + others) / 2",
            "share * targets + (1 - share) * their_targets",
            "(targets + their_targets) / 2",
            "You mixed half and half: `share` is not used.",
        ),
    ],
)


@cache
def digits() -> Dataset:
    return data.load("street_digits", train=500, validation=1000, test=1)


@cache
def reads(change: object = None) -> float:
    """Accuracy on 1,000 images held out, in percent, after 20 epochs on 500 images: the mean over two seeds."""
    changed = images_only(change) if change else None
    models = [train(digits(), changed, epochs=20, lr=0.25, seed=seed) for seed in (0, 1)]
    return sum(accuracy(model, digits().validation) for model in models) / 2


def check_never_twice(never_twice: object) -> None:
    """A change that is new each time and keeps the image recognisable, and does not help: measured."""
    images = digits().train.inputs(slice(0, 100))
    with seeded(0):
        first, second = (changed(never_twice, images) for _ in range(2))
        copies = changed(never_twice, images[:1].repeat(8, 1, 1, 1))
    if min(distance(first, second).min(), distance(first, images).min()) < 0.02:
        raise Wrong("Some images come out (nearly) the same twice, or unchanged: change each of them, at random.")
    if distance(copies[:-1], copies[1:]).min() < 0.02:
        raise Wrong("Copies of one image in a batch become the same image: change each in its own way.")
    light = torch.stack([first.flatten(1), torch.ones_like(first).flatten(1)], 2)
    unexplained = (
        images.flatten(1) - (light @ torch.linalg.lstsq(light, images.flatten(1)[:, :, None]).solution)[..., 0]
    )
    if unexplained.square().mean() < 0.01:
        raise Wrong("This changes the light alone, which does help a little, as the figure shows: find another way.")
    alike = torch.corrcoef(torch.stack([first.flatten(), images.flatten()]))[0, 1].item()
    if not alike >= 0.5:
        raise Wrong(f"Too little is left of the images (correlation {alike:.2f}, at least 0.5 is asked for).")
    with seeded(0):
        without, with_it = reads(), reads(never_twice)
    print(f"Of 1,000 new digits: {without:.1f} % without a change, {with_it:.1f} % with yours.")
    if with_it > without + MOST:
        raise Wrong(
            f"Your change helps, by {with_it - without:.1f} points, and at most {MOST} are allowed: no counterexample."
        )


def changed(change: object, images: torch.Tensor) -> torch.Tensor:
    """What a learner's function makes of a copy of the images. Raises Wrong where it is no such batch."""
    result = change(images.clone())
    if not isinstance(result, torch.Tensor) or result.shape != images.shape:
        raise Wrong(f"never_twice should return images of shape {tuple(images.shape)}; yours gives {kind(result)}.")
    if not result.is_floating_point() or not result.isfinite().all():
        raise Wrong("never_twice should return finite floats.")
    return result.float()


def distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Of images in pairs: the root of the mean squared difference of their pixels."""
    return (a - b).square().mean((1, 2, 3)).sqrt()


exercise(
    "03.never-twice",
    points=3,
    stub='''
        def never_twice(images):
            """images: (N, 3, 32, 32), normalised. Returns them changed, each at random and in
            its own way: no image comes twice, each keeps its digit, and it does not help."""
            ...
    ''',
    solution="""
        def never_twice(images):
            return images + 0.5 * torch.randn_like(images)
    """,
    hints=[
        "Shifts help. They are new each time, but so is much else. What is new each time and says nothing of digits?",
        "A random number for every pixel, torch.randn_like(images), times what leaves the digit readable.",
    ],
    check=check_never_twice,
    wrong=[
        source("def never_twice(images):\n    return images.flip(3)", "the same twice, or unchanged"),
        source("def never_twice(images):\n    return images", "the same twice, or unchanged"),
        source(
            """
            def never_twice(images):
                return images + 0.5 * torch.randn_like(images[:1])
            """,
            "Copies of one image in a batch become the same image",
        ),
        source(
            """
            def never_twice(images):
                return images * (0.6 + 0.8 * torch.rand(len(images), 1, 1, 1)) + torch.rand(len(images), 1, 1, 1)
            """,
            "This changes the light alone",
        ),
        source(
            """
            def never_twice(images):
                return images + 4 * torch.randn_like(images)
            """,
            "Too little is left of the images",
        ),
        source("def never_twice(images):\n    return images.mean(1)", "should return images of shape"),
        source(
            """
            def never_twice(images):
                return (images + 0.5 * torch.randn_like(images)).log()
            """,
            "finite floats",
        ),
        source(
            """
            def never_twice(images):
                places = torch.randint(-3, 4, (len(images),)).tolist()
                return torch.stack([one.roll(by, 2) + 0.05 * torch.randn_like(one) for one, by in zip(images, places)])
            """,
            "Your change helps",
        ),
    ],
)


def check_two_hundred(my_run: object) -> None:
    reads_digits(trained(my_run, images=200), 0.85)


exercise(
    "03.two-hundred",
    points=3,
    stub="""
        torch.manual_seed(0)
        my_run = ...
    """,
    solution="""
        torch.manual_seed(0)
        handful = data.load("street_digits", train=200, test=100)
        my_augment = training.Augment(shift=3, rotate=10, zoom=0.15, shear=0.1, contrast=0.4, brightness=0.6)
        my_run = training.fit(models.get_model("resnet20_tiny"), handful, epochs=80, batch_size=25, augment=my_augment)
    """,
    hints=[
        "Start with the changes that the recorded trainings found to matter most, and with as many epochs as you can"
        " wait for: each of them shows other images.",
        "Augment(shift=3, rotate=10, zoom=0.15, shear=0.1, contrast=0.4, brightness=0.6), 80 epochs and batches of 25"
        " are enough. Can a square that is erased, or your own function, do more?",
    ],
    check=check_two_hundred,
    wrong=[
        source("my_run = training.Augment(shift=3)", "not the run"),
        source("my_run = training.fit(models.get_model('lenet5', in_channels=3), street, epochs=1)", "at most 200"),
        source(
            """
            handful = data.load("street_digits", train=200, test=100)
            my_run = training.fit(models.get_model("resnet20_tiny"), handful, epochs=5, batch_size=25)
            """,
            "fresh street digits",
        ),
    ],
)
