"""Answers of learners to the exercises of lesson 03, in many styles, written without looking at the checks.

Names of the lesson that are used: none but its imports.
"""

from answers import Right, Wrong

ANSWERS = [
    Right(
        "03.flip-and-gamma",
        "where and broadcasting",
        """
def flip_and_gamma(images, mirrored, gammas):
    turned = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    return turned ** gammas[:, None, None, None]
""",
    ),
    Right(
        "03.flip-and-gamma",
        "in place on a copy, by a mask",
        """
def flip_and_gamma(images, mirrored, gammas):
    out = images.clone()
    out[mirrored] = out[mirrored].flip(-1)
    out.pow_(gammas.view(-1, 1, 1, 1))
    return out
""",
    ),
    Right(
        "03.flip-and-gamma",
        "a mixture with weights of zero and one",
        """
def flip_and_gamma(images, mirrored, gammas):
    m = mirrored.to(images.dtype).reshape(-1, 1, 1, 1)
    both = m * torch.fliplr(images.permute(2, 3, 0, 1)).permute(2, 3, 0, 1) + (1 - m) * images
    return torch.pow(both, gammas.reshape(-1, 1, 1, 1))
""",
    ),
    Right(
        "03.flip-and-gamma",
        "gathers columns",
        """
def flip_and_gamma(images, mirrored, gammas):
    n, c, h, w = images.shape
    columns = torch.arange(w).expand(n, w)
    columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    moved = images.gather(3, columns[:, None, None, :].expand(n, c, h, w))
    return moved.pow(gammas[:, None, None, None])
""",
    ),
    Right(
        "03.flip-and-gamma",
        "NumPy inside",
        """
def flip_and_gamma(images, mirrored, gammas):
    x = images.numpy().copy()
    pick = mirrored.numpy()
    x[pick] = x[pick][..., ::-1]
    return torch.from_numpy(x ** gammas.numpy().reshape(-1, 1, 1, 1))
""",
    ),
    Right(
        "03.flip-and-gamma",
        "torchvision's flip, double precision",
        """
def flip_and_gamma(images, mirrored, gammas):
    x = images.double()
    x = torch.where(mirrored.view(-1, 1, 1, 1), v2.functional.horizontal_flip(x), x)
    return x ** gammas.double().view(-1, 1, 1, 1)
""",
    ),
    Wrong(
        "03.flip-and-gamma",
        "upside down",
        """
def flip_and_gamma(images, mirrored, gammas):
    turned = torch.where(mirrored[:, None, None, None], images.flip(2), images)
    return turned ** gammas[:, None, None, None]
""",
        mistake="flips the height (dim 2), which mirrors above and below",
    ),
    Wrong(
        "03.flip-and-gamma",
        "all of them",
        """
def flip_and_gamma(images, mirrored, gammas):
    return images.flip(3) ** gammas[:, None, None, None]
""",
        mistake="mirrors every image, whatever mirrored says",
    ),
    Wrong(
        "03.flip-and-gamma",
        "the others",
        """
def flip_and_gamma(images, mirrored, gammas):
    turned = torch.where(mirrored[:, None, None, None], images, images.flip(3))
    return turned ** gammas[:, None, None, None]
""",
        mistake="mirrors the images that are not named and leaves those that are",
    ),
    Wrong(
        "03.flip-and-gamma",
        "one over gamma",
        """
def flip_and_gamma(images, mirrored, gammas):
    turned = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    return turned ** (1 / gammas[:, None, None, None])
""",
        mistake="raises to the power of one over gamma, which brightens where it should darken",
    ),
    Wrong(
        "03.flip-and-gamma",
        "times gamma",
        """
def flip_and_gamma(images, mirrored, gammas):
    turned = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    return turned * gammas[:, None, None, None]
""",
        mistake="multiplies by gamma and does not raise to its power",
    ),
    Wrong(
        "03.flip-and-gamma",
        "gamma only where it is mirrored",
        """
def flip_and_gamma(images, mirrored, gammas):
    gammas = gammas[:, None, None, None]
    return torch.where(mirrored[:, None, None, None], images.flip(3) ** gammas, images)
""",
        mistake="applies gamma to the mirrored images only",
    ),
    Wrong(
        "03.flip-and-gamma",
        "one gamma for all",
        """
def flip_and_gamma(images, mirrored, gammas):
    turned = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    return turned ** gammas[0]
""",
        mistake="raises all images to the gamma of the first",
    ),
    Wrong(
        "03.flip-and-gamma",
        "gammas along the width",
        """
def flip_and_gamma(images, mirrored, gammas):
    turned = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    return turned ** gammas
""",
        mistake="lets the gammas broadcast along the width, where they fit only by chance",
    ),
    Wrong(
        "03.flip-and-gamma",
        "the order of the images",
        """
def flip_and_gamma(images, mirrored, gammas):
    out = images.clone()
    out[mirrored] = out[mirrored].flip(0)
    return out ** gammas[:, None, None, None]
""",
        mistake="reverses the order of the images (dim 0), not their columns",
    ),
    Wrong(
        "03.flip-and-gamma",
        "in the caller's images",
        """
def flip_and_gamma(images, mirrored, gammas):
    images[mirrored] = images[mirrored].flip(3)
    return images ** gammas[:, None, None, None]
""",
        mistake="mirrors the images of the caller, who needs them as they were for the next epoch",
    ),
    Wrong(
        "03.flip-and-gamma",
        "in bytes",
        """
def flip_and_gamma(images, mirrored, gammas):
    turned = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    return (255 * turned) ** gammas[:, None, None, None] / 255
""",
        mistake="raises pixels from 0 to 255 to a power, so that white does not stay white",
    ),
    Right(
        "03.random-resized-crop",
        "the sides, the corner, interpolate",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    _, height, width = image.shape
    pixels = area * height * width
    w = round((pixels * ratio) ** 0.5)
    h = round((pixels / ratio) ** 0.5)
    left = round(across * (width - w))
    top = round(down * (height - h))
    window = image[:, top : top + h, left : left + w]
    return F.interpolate(window[None], size=(size, size), mode="bilinear", align_corners=False, antialias=False)[0]
""",
    ),
    Right(
        "03.random-resized-crop",
        "torchvision crops and resizes",
        """
import math

def random_resized_crop(image, area, ratio, across, down, size):
    H, W = image.shape[1:]
    h = math.sqrt(area * H * W / ratio)
    w = ratio * h
    h, w = int(round(h)), int(round(w))
    top, left = int(round(down * (H - h))), int(round(across * (W - w)))
    return v2.functional.resized_crop(image, top, left, h, w, [size, size], antialias=False)
""",
    ),
    Right(
        "03.random-resized-crop",
        "antialiased",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    height, width = image.shape[-2:]
    n = area * height * width
    w, h = round((n * ratio) ** 0.5), round((n / ratio) ** 0.5)
    x, y = round((width - w) * across), round((height - h) * down)
    window = image[..., y : y + h, x : x + w]
    return F.interpolate(window.unsqueeze(0), (size, size), mode="bilinear", antialias=True).squeeze(0)
""",
    ),
    Right(
        "03.random-resized-crop",
        "torchvision's defaults, which smooth",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    height, width = image.shape[1:]
    w = int(np.rint(np.sqrt(area * height * width * ratio)))
    h = int(np.rint(np.sqrt(area * height * width / ratio)))
    left, top = int(np.rint((width - w) * across)), int(np.rint((height - h) * down))
    return v2.functional.resized_crop(image, top, left, h, w, [size, size])
""",
    ),
    Right(
        "03.random-resized-crop",
        "narrow, then samples a grid",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    c, height, width = image.shape
    w, h = (int(np.rint(np.sqrt(area * height * width * r))) for r in (ratio, 1 / ratio))
    x, y = int(np.rint(across * (width - w))), int(np.rint(down * (height - h)))
    window = image.narrow(1, y, h).narrow(2, x, w)
    at = (torch.arange(size, dtype=image.dtype) + 0.5) / size * 2 - 1
    grid = torch.stack([at.expand(size, size), at[:, None].expand(size, size)], dim=-1)[None]
    return F.grid_sample(window[None], grid, align_corners=False, padding_mode="border")[0]
""",
    ),
    Right(
        "03.random-resized-crop",
        "bilinear by hand, as two products of matrices",
        """
def weights(old, new):
    at = ((torch.arange(new) + 0.5) * old / new - 0.5).clamp(0, old - 1)
    low = at.floor().long().clamp(max=max(old - 2, 0))
    rows = torch.arange(new)
    matrix = torch.zeros(new, old)
    matrix[rows, low] += 1 - (at - low)
    matrix[rows, (low + 1).clamp(max=old - 1)] += at - low
    return matrix

def random_resized_crop(image, area, ratio, across, down, size):
    _, rows, columns = image.shape
    wide = round((area * rows * columns * ratio) ** 0.5)
    high = round((area * rows * columns / ratio) ** 0.5)
    x0, y0 = round((columns - wide) * across), round((rows - high) * down)
    piece = image[:, y0 : y0 + high, x0 : x0 + wide]
    return weights(high, size) @ piece @ weights(wide, size).T
""",
    ),
    Wrong(
        "03.random-resized-crop",
        "the ratio upside down",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    _, height, width = image.shape
    pixels = area * height * width
    h, w = round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)
    left, top = round(across * (width - w)), round(down * (height - h))
    window = image[:, top : top + h, left : left + w]
    return F.interpolate(window[None], size=(size, size), mode="bilinear")[0]
""",
        mistake="takes the ratio for height over width, where it is width over height",
    ),
    Wrong(
        "03.random-resized-crop",
        "the share of each side",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    _, height, width = image.shape
    h, w = round(area * height), round(area * width)
    left, top = round(across * (width - w)), round(down * (height - h))
    window = image[:, top : top + h, left : left + w]
    return F.interpolate(window[None], size=(size, size), mode="bilinear")[0]
""",
        mistake="shortens each side to the share of the area, which leaves its square, and ignores the ratio",
    ),
    Wrong(
        "03.random-resized-crop",
        "left and top exchanged",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    _, height, width = image.shape
    pixels = area * height * width
    w, h = round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)
    left, top = round(down * (width - w)), round(across * (height - h))
    window = image[:, top : top + h, left : left + w]
    return F.interpolate(window[None], size=(size, size), mode="bilinear")[0]
""",
        mistake="moves the window down by across and to the right by down",
    ),
    Wrong(
        "03.random-resized-crop",
        "a share of the whole width",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    _, height, width = image.shape
    pixels = area * height * width
    w, h = round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)
    left, top = round(across * width), round(down * height)
    window = image[:, top : top + h, left : left + w]
    return F.interpolate(window[None], size=(size, size), mode="bilinear")[0]
""",
        mistake="moves the window over the whole width, so that it hangs over the edge and is cut off",
    ),
    Wrong(
        "03.random-resized-crop",
        "cuts off in place of rounding",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    _, height, width = image.shape
    pixels = area * height * width
    w, h = int((pixels * ratio) ** 0.5), int((pixels / ratio) ** 0.5)
    left, top = int(across * (width - w)), int(down * (height - h))
    window = image[:, top : top + h, left : left + w]
    return F.interpolate(window[None], size=(size, size), mode="bilinear")[0]
""",
        mistake="cuts off with int() what is to be rounded",
    ),
    Wrong(
        "03.random-resized-crop",
        "the nearest pixel",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    _, height, width = image.shape
    pixels = area * height * width
    w, h = round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)
    left, top = round(across * (width - w)), round(down * (height - h))
    window = image[:, top : top + h, left : left + w]
    return F.interpolate(window[None], size=(size, size))[0]
""",
        mistake="resizes to the nearest pixel, which is what interpolate does when it is not told a mode",
    ),
    Wrong(
        "03.random-resized-crop",
        "only for square images",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    side = image.shape[1]
    w, h = round(side * (area * ratio) ** 0.5), round(side * (area / ratio) ** 0.5)
    left, top = round(across * (side - w)), round(down * (side - h))
    window = image[:, top : top + h, left : left + w]
    return F.interpolate(window[None], size=(size, size), mode="bilinear")[0]
""",
        mistake="takes the height for the width too, which is right for square images only",
    ),
    Wrong(
        "03.random-resized-crop",
        "corners aligned",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    _, height, width = image.shape
    pixels = area * height * width
    w, h = round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)
    left, top = round(across * (width - w)), round(down * (height - h))
    window = image[:, top : top + h, left : left + w]
    return F.interpolate(window[None], size=(size, size), mode="bilinear", align_corners=True)[0]
""",
        mistake="aligns the centres of the corner pixels (align_corners), as if an image ended at them",
    ),
    Wrong(
        "03.random-resized-crop",
        "not resized",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    _, height, width = image.shape
    pixels = area * height * width
    w, h = round((pixels * ratio) ** 0.5), round((pixels / ratio) ** 0.5)
    left, top = round(across * (width - w)), round(down * (height - h))
    return image[:, top : top + h, left : left + w]
""",
        mistake="cuts the window out and forgets to resize it",
    ),
    Wrong(
        "03.random-resized-crop",
        "chance",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    crop = v2.RandomResizedCrop(size, scale=(area, area), ratio=(ratio, ratio))
    return crop(image)
""",
        mistake="lets torchvision draw the place at random, where across and down say it",
    ),
    Wrong(
        "03.random-resized-crop",
        "the sides without the root",
        """
def random_resized_crop(image, area, ratio, across, down, size):
    _, height, width = image.shape
    h = round(height * area**0.5)
    w = round(h * ratio)
    left, top = round(across * (width - w)), round(down * (height - h))
    window = image[:, top : top + h, left : left + w]
    return F.interpolate(window[None], size=(size, size), mode="bilinear")[0]
""",
        mistake="stretches the width by the whole ratio and leaves the height, which changes the window's area",
    ),
    Right("03.keeps-the-label", "a list of letters", 'keeps = ["a", "d", "e", "f", "g", "i"]'),
    Right("03.keeps-the-label", "the letters of a word", 'keeps = list("adefgi")'),
    Right(
        "03.keeps-the-label",
        "a verdict for each, then a comprehension",
        """
verdict = dict(a=True, b=False, c=False, d=True, e=True, f=True, g=True, h=False, i=True, j=False, k=False)
keeps = [letter for letter, kept in verdict.items() if kept]
""",
    ),
    Right("03.keeps-the-label", "all but those that lie", 'keeps = [c for c in "abcdefghijk" if c not in "bchjk"]'),
    Right("03.keeps-the-label", "in another order", 'keeps = ["i", "g", "f", "e", "d", "a"]'),
    Wrong(
        "03.keeps-the-label",
        "all",
        'keeps = list("abcdefghijk")',
        mistake="keeps all: a mirrored or turned digit, another light, another arrow and the night are other labels",
    ),
    Wrong(
        "03.keeps-the-label",
        "with the mirrored digit",
        'keeps = ["a", "b", "d", "e", "f", "g", "i"]',
        mistake="allows mirrored digits: a 2 or a 7 seen in a mirror is no digit",
    ),
    Wrong(
        "03.keeps-the-label",
        "with the digit upside down",
        'keeps = ["a", "c", "d", "e", "f", "g", "i"]',
        mistake="allows a rotation by 180°, which makes a 9 of a 6",
    ),
    Wrong(
        "03.keeps-the-label",
        "with the colour of the traffic light",
        'keeps = ["a", "d", "e", "f", "g", "h", "i"]',
        mistake="allows another hue where the colour of the light is what the label says",
    ),
    Wrong(
        "03.keeps-the-label",
        "with the arrow",
        'keeps = ["a", "d", "e", "f", "g", "i", "j"]',
        mistake="mirrors an arrow, which then points to the other side",
    ),
    Wrong(
        "03.keeps-the-label",
        "with day and night",
        'keeps = ["a", "d", "e", "f", "g", "i", "k"]',
        mistake="takes a strong gamma for harmless where the brightness is what the label says",
    ),
    Wrong(
        "03.keeps-the-label",
        "without the green cat",
        'keeps = ["a", "d", "e", "f", "i"]',
        mistake="takes a change that no camera would make for one that changes the label: a green cat is a cat",
    ),
    Wrong(
        "03.keeps-the-label",
        "without the small rotation",
        'keeps = ["a", "e", "f", "g", "i"]',
        mistake="forbids a rotation by 10° because one by 180° is wrong: strength decides",
    ),
    Wrong(
        "03.keeps-the-label",
        "without a slightly brighter traffic light",
        'keeps = ["a", "d", "e", "f", "g"]',
        mistake="forbids a gamma of 0.8, after which the same light is on, in the same colour",
    ),
    Wrong(
        "03.keeps-the-label",
        "those that lie",
        'keeps = ["b", "c", "h", "j", "k"]',
        mistake="lists the changes that do not keep the label",
    ),
    Right(
        "03.test-pipeline",
        "the statistics of the training images",
        """
def test_inputs(train_images, test_images):
    pixels = train_images.float() / 255
    mean, std = pixels.mean((0, 2, 3), keepdim=True), pixels.std((0, 2, 3), keepdim=True)
    return (test_images.float() / 255 - mean) / std
""",
    ),
    Right(
        "03.test-pipeline",
        "never divides by 255",
        """
def test_inputs(train_images, test_images):
    train = train_images.double()
    mean = train.mean(dim=(0, 2, 3)).view(1, -1, 1, 1)
    std = train.var(dim=(0, 2, 3), unbiased=False).sqrt().view(1, -1, 1, 1)
    return ((test_images - mean) / std).float()
""",
    ),
    Right(
        "03.test-pipeline",
        "channel by channel, in place on a copy",
        """
def test_inputs(train_images, test_images):
    result = test_images.to(torch.float32) / 255
    for channel in range(train_images.shape[1]):
        known = train_images[:, channel].float() / 255
        result[:, channel] -= known.mean()
        result[:, channel] /= known.std()
    return result
""",
    ),
    Right(
        "03.test-pipeline",
        "NumPy",
        """
def test_inputs(train_images, test_images):
    known = train_images.numpy() / 255
    mean, std = known.mean(axis=(0, 2, 3), keepdims=True), known.std(axis=(0, 2, 3), keepdims=True)
    return torch.from_numpy(((test_images.numpy() / 255 - mean) / std).astype(np.float32))
""",
    ),
    Right(
        "03.test-pipeline",
        "the package's pieces",
        """
def test_inputs(train_images, test_images):
    known = train_images.transpose(0, 1).flatten(1) / 255
    mean, std = tuple(known.mean(1).tolist()), tuple(known.std(1).tolist())
    return data.Split(test_images, torch.zeros(len(test_images)), mean, std).inputs()
""",
    ),
    Right(
        "03.test-pipeline",
        "torchvision",
        """
def test_inputs(train_images, test_images):
    scale = v2.ToDtype(torch.float32, scale=True)
    known = scale(train_images)
    steps = v2.Compose([scale, v2.Normalize(known.mean((0, 2, 3)).tolist(), known.std((0, 2, 3)).tolist())])
    return steps(test_images)
""",
    ),
    Wrong(
        "03.test-pipeline",
        "the statistics of the test",
        """
def test_inputs(train_images, test_images):
    pixels = test_images.float() / 255
    mean, std = pixels.mean((0, 2, 3), keepdim=True), pixels.std((0, 2, 3), keepdim=True)
    return (pixels - mean) / std
""",
        mistake="takes out the augmentation and keeps the second bug: it normalises by the test images",
    ),
    Wrong(
        "03.test-pipeline",
        "the statistics of all",
        """
def test_inputs(train_images, test_images):
    pixels = torch.cat([train_images, test_images]).float() / 255
    mean, std = pixels.mean((0, 2, 3), keepdim=True), pixels.std((0, 2, 3), keepdim=True)
    return (test_images.float() / 255 - mean) / std
""",
        mistake="normalises by training and test images together, so that an image's input depends on its company",
    ),
    Wrong(
        "03.test-pipeline",
        "augmented still",
        """
def test_inputs(train_images, test_images):
    pixels = train_images.float() / 255
    mean, std = pixels.mean((0, 2, 3), keepdim=True), pixels.std((0, 2, 3), keepdim=True)
    return Augment(flip=True, shift=4)((test_images.float() / 255 - mean) / std)
""",
        mistake="repairs the statistics and leaves the augmentation in the test",
    ),
    Wrong(
        "03.test-pipeline",
        "two scales",
        """
def test_inputs(train_images, test_images):
    pixels = train_images.float() / 255
    mean, std = pixels.mean((0, 2, 3), keepdim=True), pixels.std((0, 2, 3), keepdim=True)
    return (test_images.float() - mean) / std
""",
        mistake="measures the training images from 0 to 1 and leaves the test images from 0 to 255",
    ),
    Wrong(
        "03.test-pipeline",
        "the training images",
        """
def test_inputs(train_images, test_images):
    pixels = train_images.float() / 255
    mean, std = pixels.mean((0, 2, 3), keepdim=True), pixels.std((0, 2, 3), keepdim=True)
    return (pixels - mean) / std
""",
        mistake="returns the training images",
    ),
    Wrong(
        "03.test-pipeline",
        "one mean for all colours",
        """
def test_inputs(train_images, test_images):
    pixels = train_images.float() / 255
    return (test_images.float() / 255 - pixels.mean()) / pixels.std()
""",
        mistake="takes one mean and one standard deviation over all channels",
    ),
    Wrong(
        "03.test-pipeline",
        "a mean image",
        """
def test_inputs(train_images, test_images):
    pixels = train_images.float() / 255
    return (test_images.float() / 255 - pixels.mean(0)) / pixels.std(0)
""",
        mistake="takes the statistics of each pixel over the images, not of each channel over images and pixels",
    ),
    Wrong(
        "03.test-pipeline",
        "ImageNet's numbers",
        """
def test_inputs(train_images, test_images):
    return pipelines.normalize(test_images)
""",
        mistake="normalises by ImageNet's six numbers, where the network learnt with those of its training images",
    ),
    Right(
        "03.test-pipeline",
        "double precision",
        """
def test_inputs(train_images, test_images):
    pixels = train_images.double() / 255
    mean, std = pixels.mean((0, 2, 3), keepdim=True), pixels.std((0, 2, 3), keepdim=True)
    return (test_images.double() / 255 - mean) / std
""",
    ),
    Wrong(
        "03.test-pipeline",
        "the mean of the images' deviations",
        """
def test_inputs(train_images, test_images):
    pixels = train_images.float() / 255
    mean = pixels.mean((0, 2, 3), keepdim=True)
    std = pixels.std((2, 3), keepdim=True).mean(0, keepdim=True)
    return (test_images.float() / 255 - mean) / std
""",
        mistake="averages each image's own standard deviation, which leaves out how images differ from each other",
    ),
    Wrong(
        "03.test-pipeline",
        "the variance",
        """
def test_inputs(train_images, test_images):
    pixels = train_images.float() / 255
    mean, var = pixels.mean((0, 2, 3), keepdim=True), pixels.var((0, 2, 3), keepdim=True)
    return (test_images.float() / 255 - mean) / var
""",
        mistake="divides by the variance, not by the standard deviation",
    ),
    Right(
        "03.mixup",
        "roll and arithmetic",
        """
def mixup(images, targets, share):
    return tuple(share * x + (1 - share) * torch.roll(x, 1, dims=0) for x in (images, targets))
""",
    ),
    Right(
        "03.mixup",
        "lerp, a list",
        """
def mixup(images, targets, share):
    order = torch.arange(len(images)) - 1
    return [torch.lerp(images[order], images, share), torch.lerp(targets[order], targets, share)]
""",
    ),
    Right(
        "03.mixup",
        "one image at a time, in double precision",
        """
def mixup(images, targets, share):
    new_images, new_targets = [], []
    for i in range(len(images)):
        new_images.append(share * images[i].double() + (1 - share) * images[i - 1].double())
        new_targets.append(share * targets[i].double() + (1 - share) * targets[i - 1].double())
    return torch.stack(new_images), torch.stack(new_targets)
""",
    ),
    Right(
        "03.mixup",
        "a matrix that mixes rows",
        """
def mixup(images, targets, share):
    n = len(images)
    matrix = share * torch.eye(n) + (1 - share) * torch.roll(torch.eye(n), -1, 1)
    return torch.einsum("ij,jchw->ichw", matrix, images), matrix @ targets
""",
    ),
    Wrong(
        "03.mixup",
        "the images alone",
        """
def mixup(images, targets, share):
    return share * images + (1 - share) * images.roll(1, 0), targets
""",
        mistake="mixes the images and leaves the targets as they were",
    ),
    Wrong(
        "03.mixup",
        "the one after",
        """
def mixup(images, targets, share):
    order = (torch.arange(len(images)) + 1) % len(images)
    return share * images + (1 - share) * images[order], share * targets + (1 - share) * targets[order]
""",
        mistake="mixes with the next image of the batch, where the one before is asked for",
    ),
    Wrong(
        "03.mixup",
        "a partner at random",
        """
def mixup(images, targets, share):
    order = torch.randperm(len(images))
    return share * images + (1 - share) * images[order], share * targets + (1 - share) * targets[order]
""",
        mistake="takes a random partner, as the paper does, where the one before is asked for",
    ),
    Wrong(
        "03.mixup",
        "in the caller's images",
        """
def mixup(images, targets, share):
    others = images.roll(1, 0)
    images *= share
    images += (1 - share) * others
    return images, share * targets + (1 - share) * targets.roll(1, 0)
""",
        mistake="changes the images of the caller",
    ),
    Wrong(
        "03.mixup",
        "hard targets",
        """
def mixup(images, targets, share):
    mixed = share * images + (1 - share) * images.roll(1, 0)
    return mixed, targets if share > 0.5 else targets.roll(1, 0)
""",
        mistake="gives the mixture the target of the larger share alone",
    ),
    Right(
        "03.never-twice",
        "noise in every pixel",
        """
def never_twice(images):
    return torch.normal(images, 0.6)
""",
        slow=True,
    ),
    Right(
        "03.never-twice",
        "a fifth of the pixels black",
        """
def never_twice(images):
    kept = torch.rand(len(images), 1, *images.shape[2:]) > 0.2
    return images * kept
""",
        slow=True,
    ),
    Right(
        "03.never-twice",
        "grainy and in another light, image by image",
        """
def never_twice(images):
    changed = []
    for image in images.numpy():
        grain = np.random.default_rng(int(torch.randint(10**6, ()))).normal(0, 0.5, image.shape)
        changed.append(torch.from_numpy((image * 0.9 + grain).astype(np.float32)))
    return torch.stack(changed)
""",
        slow=True,
    ),
    Wrong(
        "03.never-twice",
        "shifts",
        """
def never_twice(images):
    return training.Augment(shift=3)(images)
""",
        mistake="shifts, which is new nearly each time and does help (and some images are not shifted at all)",
    ),
    Wrong(
        "03.never-twice",
        "shifts and turns",
        """
def never_twice(images):
    return Augment(shift=3, rotate=10, zoom=0.1)(images)
""",
        mistake="moves the digits, which helps",
        slow=True,
    ),
    Wrong(
        "03.never-twice",
        "upside down",
        """
def never_twice(images):
    return images.flip(2)
""",
        mistake="changes every image in the same way each time",
    ),
    Wrong(
        "03.never-twice",
        "brightness",
        """
def never_twice(images):
    return images + torch.randn(len(images), 1, 1, 1)
""",
        mistake="changes the light, which the lesson has just shown and the text excludes",
    ),
    Wrong(
        "03.never-twice",
        "nothing but noise",
        """
def never_twice(images):
    return torch.randn_like(images)
""",
        mistake="throws the images away",
    ),
    Wrong(
        "03.never-twice",
        "one noise for all",
        """
def never_twice(images):
    return images + 0.5 * torch.randn(3, 32, 32)
""",
        mistake="changes all images of a batch in the same way",
    ),
    Right(
        "03.two-hundred",
        "the ResNet, everything that Augment has but flips, for a long time",
        """
torch.manual_seed(0)
two_hundred = data.load("street_digits", train=200, test=100)
changes = Augment(shift=3, rotate=10, zoom=0.15, shear=0.1, contrast=0.4, brightness=0.6)
my_run = training.fit(
    models.get_model("resnet20_tiny"),
    two_hundred,
    epochs=250,
    lr=0.1,
    batch_size=50,
    augment=changes,
    progress=False,
)
""",
        slow=True,
    ),
    Wrong(
        "03.two-hundred",
        "more images",
        """
torch.manual_seed(0)
more = data.load("street_digits", train=500, test=100)
my_run = training.fit(models.get_model("resnet20_tiny"), more, epochs=2, lr=0.1, batch_size=50, progress=False)
""",
        mistake="learns from 500 images, where 200 are allowed",
    ),
    Wrong(
        "03.two-hundred",
        "without augmentation, a few epochs",
        """
torch.manual_seed(0)
two_hundred = data.load("street_digits", train=200, test=100)
my_run = training.fit(
    models.get_model("resnet20_tiny"), two_hundred, epochs=5, lr=0.1, batch_size=50, progress=False
)
""",
        mistake="shows 200 images as they are, a few times over, from which no network learns to read new ones",
    ),
    Wrong(
        "03.two-hundred",
        "the data in place of the run",
        """
my_run = data.load("street_digits", train=200, test=100)
""",
        mistake="gives the images and no trained network",
    ),
    Wrong(
        "03.two-hundred",
        "another task",
        """
torch.manual_seed(0)
two_hundred = data.load("handwritten", train=200, test=100).in_rgb()
my_run = training.fit(
    models.get_model("lenet5", in_channels=3), two_hundred, epochs=5, lr=0.05, batch_size=20, progress=False
)
""",
        mistake="learns from 200 handwritten digits, not from street digits",
    ),
    Wrong(
        "03.two-hundred",
        "not trained",
        """
torch.manual_seed(0)
my_run = models.get_model("resnet20_tiny").eval()
""",
        mistake="has built a network and not trained it",
    ),
]
