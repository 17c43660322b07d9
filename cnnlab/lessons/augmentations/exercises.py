"""Lesson 03, augmentations: its exercises."""

import torch
from torch.nn import functional as F

from cnnlab import data
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.training import Run, evaluate


@exercise(
    "03.flip-and-gamma",
    points=3,
    stub='''
        def flip_and_gamma(images, mirrored, gammas):
            """images: (N, C, H, W) in 0..1; mirrored: (N,) of True and False; gammas: (N,).
            Mirrors left and right the images that mirrored names, and raises every image to its own gamma."""
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
    wrong={
        "upside down": """
            def flip_and_gamma(images, mirrored, gammas):
                flipped = torch.where(mirrored[:, None, None, None], images.flip(2), images)
                return flipped ** gammas[:, None, None, None]
        """,
        "every image is mirrored": """
            def flip_and_gamma(images, mirrored, gammas):
                return images.flip(3) ** gammas[:, None, None, None]
        """,
        "the wrong ones are mirrored": """
            def flip_and_gamma(images, mirrored, gammas):
                flipped = torch.where(mirrored[:, None, None, None], images, images.flip(3))
                return flipped ** gammas[:, None, None, None]
        """,
        "1 / gamma": """
            def flip_and_gamma(images, mirrored, gammas):
                flipped = torch.where(mirrored[:, None, None, None], images.flip(3), images)
                return flipped ** (1 / gammas[:, None, None, None])
        """,
        "multiplied": """
            def flip_and_gamma(images, mirrored, gammas):
                flipped = torch.where(mirrored[:, None, None, None], images.flip(3), images)
                return flipped * gammas[:, None, None, None]
        """,
        "along the width": """
            def flip_and_gamma(images, mirrored, gammas):
                flipped = torch.where(mirrored[:, None, None, None], images.flip(3), images)
                return flipped ** gammas
        """,
        "by their channels": """
            def flip_and_gamma(images, mirrored, gammas):
                flipped = torch.where(mirrored[:, None, None, None], images.flip(1), images)
                return flipped ** gammas[:, None, None, None]
        """,
    },
)
def check_flip_and_gamma(flip_and_gamma) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(5, 3, 5, 5, generator=generator)  # five images five wide: a wrong match of shapes fits too
    mirrored, gammas = torch.tensor([True, False, True, False, False]), torch.tensor([1.0, 0.5, 2.0, 1.5, 0.7])

    def expected(images, mirrored, gammas, turned=3, power=lambda x, g: x**g):
        pairs = zip(images, mirrored.tolist(), gammas.tolist(), strict=True)
        return torch.stack([power(image.flip(turned - 1) if flip else image, gamma) for image, flip, gamma in pairs])

    diagnoses = [
        (
            expected(images, mirrored, gammas, turned=2),
            "You turned images upside down: rows are dimension 2, columns 3.",
        ),
        (
            expected(images, mirrored, gammas, turned=1),
            "You mirrored images by their channels: columns are dimension 3.",
        ),
        (
            expected(images, torch.ones(5, dtype=torch.bool), gammas),
            "With your code every image is mirrored: use `mirrored` to choose.",
        ),
        (expected(images, ~mirrored, gammas), "Nearly: the wrong ones are mirrored. Exchange the two choices."),
        (
            expected(images, mirrored, gammas, power=lambda x, g: x ** (1 / g)),
            "You raised to 1 / gamma; here gamma is the exponent, so that more than 1 makes an image darker.",
        ),
        (
            expected(images, mirrored, gammas, power=lambda x, g: x * g),
            "You multiplied by gamma: that is brightness. Gamma is an exponent, which leaves 0 and 1 where they are.",
        ),
        (
            expected(images, mirrored, torch.ones(5)) ** gammas,
            "The gammas were matched along the width, not with the images: [:, None, None, None].",
        ),
        (expected(images, mirrored, torch.ones(5)), "The gammas are not used."),
    ]
    got = flip_and_gamma(images.clone(), mirrored, gammas)
    if tuple(got.shape) != (5, 3, 5, 5):
        raise Wrong(f"The shape must stay (5, 3, 5, 5), and yours is {tuple(got.shape)}.")
    if torch.allclose(got, expected(images, mirrored, gammas), atol=1e-5):
        return
    for values, diagnosis in diagnoses:
        if torch.allclose(got, values, atol=1e-5):
            raise Wrong(diagnosis)
    raise Wrong("The values are not those of the images, mirrored where asked, to the power of their own gamma.")


@exercise(
    "03.random-resized-crop",
    points=3,
    stub='''
        def random_resized_crop(image, area, ratio, across, down, size):
            """image: (C, H, W) floats. The window has the share `area` of its pixels and is `ratio` times as wide as
            high (sides rounded); its left edge lies `across` (0..1) of the way that it can move to the right, its upper
            edge `down` of the way downwards (both rounded). Returns it, resized bilinearly: (C, size, size)."""
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
    wrong={
        "share of each side": """
            def random_resized_crop(image, area, ratio, across, down, size):
                height, width = image.shape[1:]
                w, h = round(area * width * ratio**0.5), round(area * height / ratio**0.5)
                w, h = min(w, width), min(h, height)
                left, top = round(across * (width - w)), round(down * (height - h))
                window = image[None, :, top : top + h, left : left + w]
                return F.interpolate(window, size=(size, size), mode="bilinear")[0]
        """,
        "as high as wide": """
            def random_resized_crop(image, area, ratio, across, down, size):
                height, width = image.shape[1:]
                pixels = area * height * width
                h, w = round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)
                left, top = round(across * (width - w)), round(down * (height - h))
                window = image[None, :, top : top + h, left : left + w]
                return F.interpolate(window, size=(size, size), mode="bilinear")[0]
        """,
        "exchanged": """
            def random_resized_crop(image, area, ratio, across, down, size):
                height, width = image.shape[1:]
                pixels = area * height * width
                w, h = round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)
                left, top = round(down * (width - w)), round(across * (height - h))
                window = image[None, :, top : top + h, left : left + w]
                return F.interpolate(window, size=(size, size), mode="bilinear")[0]
        """,
        "leave the image": """
            def random_resized_crop(image, area, ratio, across, down, size):
                height, width = image.shape[1:]
                pixels = area * height * width
                w, h = round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)
                left, top = round(across * width), round(down * height)
                window = image[None, :, top : top + h, left : left + w]
                return F.interpolate(window, size=(size, size), mode="bilinear")[0]
        """,
        "not resized": """
            def random_resized_crop(image, area, ratio, across, down, size):
                height, width = image.shape[1:]
                pixels = area * height * width
                w, h = round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)
                left, top = round(across * (width - w)), round(down * (height - h))
                return image[:, top : top + h, left : left + w]
        """,
        "nearest pixel": """
            def random_resized_crop(image, area, ratio, across, down, size):
                height, width = image.shape[1:]
                pixels = area * height * width
                w, h = round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)
                left, top = round(across * (width - w)), round(down * (height - h))
                return F.interpolate(image[None, :, top : top + h, left : left + w], size=(size, size))[0]
        """,
    },
)
def check_random_resized_crop(random_resized_crop) -> None:
    image = torch.rand(3, 60, 80, generator=torch.Generator().manual_seed(0))

    def cut(area, ratio, across, down, size, free=True, side=False, mode="bilinear"):
        pixels = (area**2 if side else area) * 60 * 80
        if side:  # area taken as a share of each side
            w, h = min(80, round(area * 80 * ratio**0.5)), min(60, round(area * 60 / ratio**0.5))
        else:
            w, h = round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)
        left, top = (
            (round(across * (80 - w)), round(down * (60 - h))) if free else (round(across * 80), round(down * 60))
        )
        window = image[None, :, top : top + h, left : left + w]
        return F.interpolate(window, size=(size, size), mode=mode)[0] if window.numel() else torch.zeros(3, size, size)

    cases = [
        (0.3, 1.0, 0.0, 0.0, 24),
        (0.2, 4 / 3, 0.25, 0.8, 24),
        (0.5, 0.75, 0.9, 0.3, 32),
        (1 / 12, 1.2, 0.5, 0.85, 16),
    ]
    got = [random_resized_crop(image.clone(), *case) for case in cases]
    for value, (*_, size) in zip(got, cases, strict=True):
        if tuple(value.shape) != (3, size, size):
            raise Wrong(f"The window is not resized: for size {size} yours has the shape {tuple(value.shape)}.")

    def like(truth) -> bool:
        return all(torch.allclose(value, truth(*case), atol=1e-4) for value, case in zip(got, cases, strict=True))

    if like(cut):
        return
    diagnoses = [
        (lambda *c: cut(*c, side=True), "You took `area` as the share of each side; it is that of the area."),
        (
            lambda a, r, *c: cut(a, 1 / r, *c),
            "Your window is `ratio` times as high as wide; it should be the other way round.",
        ),
        (lambda a, r, x, y, s: cut(a, r, y, x, s), "You exchanged `across` and `down`: `across` is for the left edge."),
        (
            lambda *c: cut(*c, free=False),
            "Your windows leave the image: the left edge can move by the image's width less the window's.",
        ),
        (lambda *c: cut(*c, mode="nearest"), 'You resized to the nearest pixel: pass mode="bilinear".'),
        (lambda *c: cut(*c, mode="bicubic"), 'You resized with a cubic: pass mode="bilinear".'),
        (lambda a, r, *c: cut(a, 1.0, *c), "The ratio is not used: your window is a square."),
    ]
    for truth, diagnosis in diagnoses:
        if like(truth):
            raise Wrong(diagnosis)
    raise Wrong("The pixels are others than those of the window.")


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


@exercise(
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
    wrong={
        "a 6 becomes a 9": 'keeps = ["a", "c", "d", "e", "f", "g", "i"]',
        "the colour is the label": 'keeps = ["a", "d", "e", "f", "g", "h", "i"]',
        "its own mirror image": 'keeps = ["a", "b", "d", "e", "f", "g", "i"]',
        "still no dog": 'keeps = ["a", "d", "e", "f", "i"]',
        "a brighter red is still red": 'keeps = ["a", "d", "e", "f", "g"]',
        "2 of the 11": 'keeps = ["a", "d", "e", "f", "g", "i", "j", "k"]',
        "letters of the table": 'keeps = ["shift", "hue"]',
    },
)
def check_keeps_the_label(keeps) -> None:
    chosen = {str(letter).strip().lower() for letter in keeps}
    if not chosen:
        raise Wrong("Your list is empty, and some of the changes do keep the label.")
    if unknown := chosen - set(_CHANGES):
        raise Wrong(f"{min(unknown)!r} is none of the letters of the table, a to k.")
    missed = [letter for letter, (kept, _) in _CHANGES.items() if kept != (letter in chosen)]
    if missed:
        kept, why = _CHANGES[missed[0]]
        verdict = "keeps the label" if kept else "does not keep the label"
        raise Wrong(f"{len(missed)} of the 11 should be judged otherwise. The first, {missed[0]}, {verdict}: {why}.")


@exercise(
    "03.test-pipeline",
    points=2,
    stub='''
        def test_inputs(train_images, test_images):
            """Both uint8 (N, C, H, W). Returns the test images as the network wants them, float32 (N, C, H, W)."""
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
    wrong={
        "test images' own statistics": """
            def test_inputs(train_images, test_images):
                pixels = test_images.float() / 255
                mean, std = pixels.mean((0, 2, 3), keepdim=True), pixels.std((0, 2, 3), keepdim=True)
                return (pixels - mean) / std
        """,
        "still random": """
            def test_inputs(train_images, test_images):
                train_pixels, pixels = train_images.float() / 255, test_images.float() / 255
                mean = train_pixels.mean((0, 2, 3), keepdim=True)
                std = train_pixels.std((0, 2, 3), keepdim=True)
                return training.Augment(flip=True, shift=4)((pixels - mean) / std)
        """,
        "both splits": """
            def test_inputs(train_images, test_images):
                both = torch.cat([train_images, test_images]).float() / 255
                mean, std = both.mean((0, 2, 3), keepdim=True), both.std((0, 2, 3), keepdim=True)
                return (test_images.float() / 255 - mean) / std
        """,
        "one image by its own": """
            def test_inputs(train_images, test_images):
                pixels = test_images.float() / 255
                mean, std = pixels.mean((2, 3), keepdim=True), pixels.std((2, 3), keepdim=True)
                return (pixels - mean) / std
        """,
        "channel by channel": """
            def test_inputs(train_images, test_images):
                train_pixels, pixels = train_images.float() / 255, test_images.float() / 255
                return (pixels - train_pixels.mean()) / train_pixels.std()
        """,
        "not divided by the deviation": """
            def test_inputs(train_images, test_images):
                train_pixels, pixels = train_images.float() / 255, test_images.float() / 255
                return pixels - train_pixels.mean((0, 2, 3), keepdim=True)
        """,
        "one scale": """
            def test_inputs(train_images, test_images):
                train_pixels = train_images.float() / 255
                mean = train_pixels.mean((0, 2, 3), keepdim=True)
                std = train_pixels.std((0, 2, 3), keepdim=True)
                return (test_images.float() - mean) / std
        """,
    },
)
def check_test_pipeline(test_inputs) -> None:
    generator = torch.Generator().manual_seed(0)
    high = torch.tensor([256, 200, 120]).view(3, 1, 1)  # channels that differ, and darker test images
    train = (torch.rand(40, 3, 16, 16, generator=generator) * high).to(torch.uint8)
    test = (torch.rand(30, 3, 16, 16, generator=generator) * high * 0.5).to(torch.uint8)

    def normal(source, dims=(0, 2, 3), scale=1.0):
        source = source / 255
        return (test / 255 * scale - source.mean(dims, keepdim=True)) / source.std(dims, keepdim=True)

    torch.manual_seed(0)
    first = test_inputs(train.clone(), test.clone())
    if tuple(first.shape) != (30, 3, 16, 16):
        raise Wrong(f"30 images of 3 x 16 x 16 must stay so, and yours have the shape {tuple(first.shape)}.")
    torch.manual_seed(1)
    if not torch.equal(first, test_inputs(train.clone(), test.clone())):
        raise Wrong("Your pipeline is still random: the same test images came out in two ways.")
    if torch.allclose(first, normal(train), atol=0.02):
        return
    diagnoses = [
        (normal(test), "You normalised with the test images' own statistics; the network knows those of the training."),
        (normal(torch.cat([train, test])), "You took the statistics of both splits: the test must stay unseen."),
        (
            normal(test, (2, 3)),
            "You normalised each one image by its own statistics: the network would see neither brightness nor colour.",
        ),
        (normal(train, (0, 1, 2, 3)), "Normalise channel by channel: three means and three deviations."),
        (
            normal(train, scale=255),
            "Bring pixels and statistics to one scale: your pixels go to 255, the statistics to 1.",
        ),
        (
            test / 255 - (train / 255).mean((0, 2, 3), keepdim=True),
            "The mean is taken out, but the result is not divided by the deviation.",
        ),
        (test / 255, "You only divided by 255: the mean and the deviation of the training images are missing."),
    ]
    for values, diagnosis in diagnoses:
        if torch.allclose(first, values, atol=0.02):
            raise Wrong(diagnosis)
    raise Wrong("The values are not (pixel - mean) / deviation, by channel, with the training images' figures.")


_OWN_IMAGES, _OWN_ACCURACY = 200, 0.85


@exercise(
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
    wrong={
        "not the run": "my_run = training.Augment(shift=3)",
        "at most 200": "my_run = training.fit(models.get_model('lenet5', in_channels=3), street, epochs=1)",
        "fresh street digits": """
            handful = data.load("street_digits", train=200, test=100)
            my_run = training.fit(models.get_model("resnet20_tiny"), handful, epochs=5, batch_size=25)
        """,
    },
)
def check_two_hundred(my_run) -> None:
    if not isinstance(my_run, Run):
        raise Wrong(f"my_run is a {type(my_run).__name__}, not the run that training.fit returns.")
    if my_run.images > _OWN_IMAGES:
        raise Wrong(f"You trained on {my_run.images:,} images: at most {_OWN_IMAGES} are allowed here.")
    fresh = data.load("street_digits", train=_OWN_IMAGES, test=1000, seed=1).test
    accuracy = evaluate(my_run.model, fresh).accuracy
    if accuracy < _OWN_ACCURACY:
        raise Wrong(
            f"On 1,000 fresh street digits your network reads {accuracy:.0%}; {_OWN_ACCURACY:.0%} or more is asked for."
        )
