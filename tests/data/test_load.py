"""`data.load` and what it returns: names, sizes, errors, normalisation, and that nothing is written."""

import numpy as np
import pytest
import torch

from cnnlab import data

EMBEDDED = ["street_digits", "handwritten", "faces", "photos"]

# street_digits with 600 and 100 images, so that training crosses a chunk's border; the others whole. Made by the pinned
# environment: a newer Pillow may draw the glyphs or resize another way, and then these are to be made anew.
CHECKSUMS = {
    "street_digits train": "741d5e33a130d47e41b4a45bcd0f0467cf536ffcf77e967da08674652e22fa43",
    "street_digits test": "25ed5189d7decbcef5dbcacf3c9a03bd6af4d6f5098de0b4eebb40ecd1aef1e3",
    "handwritten train": "2ddfe39b5d5ee3b7aed2d19c057e71a25c3a2d1794c17ade61c5364842c355bf",
    "handwritten test": "a486aedb58be89a45b56bdafbac7c62bf8162470dde7bce3a2d630f9930d4757",
    "faces train": "9aa4eb0161be844a807797286dd93bb3d70b90cd380f74b3135e1fd16a96ff4c",
    "faces test": "78fe0fdf87d21dcad34ad0b6312509f30590c3d55115512049c65298df686a84",
    "photos train": "a796a8ee53dde12d99c497eb66eb0c4fbf6c7e1454ecbec06f3653f74494b0a4",
    "photos test": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}


def test_names_lists_what_load_knows():
    assert data.names() == [*EMBEDDED, "solar_cells", "mnist", "fashion_mnist", "cifar10", "cifar100", "svhn"]


@pytest.mark.parametrize("name", EMBEDDED)
def test_every_embedded_set_has_the_promised_form(name):
    dataset = data.load(name)
    assert dataset.name == name
    for split in (dataset.train, dataset.test):
        assert split.images.dtype == torch.uint8 and split.labels.dtype == torch.int64
        assert len(split) == len(split.images) == len(split.labels)
        assert (split.mean, split.std) == (dataset.mean, dataset.std)
        assert split.images.is_contiguous()
    assert set(dataset.train.labels.tolist()) == set(range(len(dataset.classes)))
    assert "icence" in dataset.about and len(dataset.about) > 200


@pytest.mark.parametrize("name", EMBEDDED)
def test_inputs_are_normalised_by_the_training_split(name):
    dataset = data.load(name)
    inputs = dataset.train.inputs()
    assert inputs.dtype == torch.float32 and inputs.shape == dataset.train.images.shape
    deviations, means = torch.std_mean(inputs.double(), (0, 2, 3), correction=0)
    assert torch.allclose(means, torch.zeros_like(means), atol=1e-5)
    assert torch.allclose(deviations, torch.ones_like(deviations), atol=1e-5)


def test_inputs_follow_the_formula_for_every_kind_of_index():
    split = data.load("street_digits", train=10, test=10).test
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (split.mean, split.std))
    expected = (split.images.float() / 255 - mean) / std
    for index in (slice(2, 5), torch.tensor([7, 1]), [3, 3], torch.arange(10) > 4, 6):
        assert torch.allclose(split.inputs(index), expected[index], atol=1e-5)
    assert split.images.dtype == torch.uint8  # and the images themselves are as they were
    assert torch.equal(split.images, data.load("street_digits", train=10, test=10).test.images)


def test_a_constant_channel_can_be_normalised():
    from cnnlab.data.dataset import assemble

    black = torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.tensor([0, 1])
    dataset = assemble("black", black, black, ("a", "b"), "")
    assert torch.equal(dataset.train.inputs(), torch.zeros(2, 1, 4, 4))


@pytest.mark.parametrize(
    ("name", "nearest"), [("street_digit", "street_digits"), ("cifar", "cifar10"), ("Handwriten", "handwritten")]
)
def test_unknown_name_gives_the_nearest_and_all(name, nearest):
    with pytest.raises(
        ValueError, match=f"no data set is called '{name}'. Did you mean {nearest}.*There are {EMBEDDED[0]}"
    ):
        data.load(name)


def test_unknown_name_far_from_all_gives_all():
    with pytest.raises(ValueError, match=r"called 'xyz'\. There are street_digits, .*svhn"):
        data.load("xyz")


@pytest.mark.parametrize("name", [*EMBEDDED, "cifar10"])
@pytest.mark.parametrize(
    "sizes", [{"train": 0}, {"train": -1}, {"test": -1}, {"train": 2.0}, {"test": True}, {"train": "9"}]
)
def test_impossible_sizes(name, sizes):
    with pytest.raises(
        ValueError, match=r"(train|test)=.* is not possible; (train|test) is a whole number of images, "
    ):
        data.load(name, **sizes)


@pytest.mark.parametrize(
    ("name", "sizes", "possible"),
    [
        ("handwritten", {"train": 1798}, "1 to 1,797"),
        ("handwritten", {"train": 1700, "test": 98}, "1 to 1,699"),
        ("handwritten", {"test": 1797}, "0 to 1,796"),
        ("faces", {"train": 201}, "1 to 200"),
        ("photos", {"train": 5}, "1 to 4"),
        ("photos", {"test": 1}, "0 to 0"),
    ],
)
def test_sizes_beyond_what_there_is_say_what_is_possible(name, sizes, possible):
    with pytest.raises(ValueError, match=possible):
        data.load(name, **sizes)


def test_numpy_sizes_are_whole_numbers():
    assert len(data.load("photos", train=np.int64(2)).train) == 2


@pytest.mark.parametrize("seed", [-1, 0.5, True, None])
def test_impossible_seed(seed):
    with pytest.raises(ValueError, match=r"seed=.* is not possible"):
        data.load("handwritten", seed=seed)


def test_root_is_refused_where_nothing_is_read_from_it(tmp_path):
    with pytest.raises(ValueError, match="street_digits is not read from a root folder"):
        data.load("street_digits", root=tmp_path)


@pytest.mark.slow  # a process
def test_embedded_sets_are_the_recorded_bits_in_a_fresh_process(fresh):
    assert fresh.checksums == CHECKSUMS


@pytest.mark.slow  # a process
def test_embedded_sets_write_nothing(fresh):
    assert fresh.left == []


@pytest.mark.slow  # a process
def test_import_loads_no_heavy_library(fresh):
    assert "cnnlab" in fresh.imported
    assert not set(fresh.imported) & {"skimage", "sklearn", "matplotlib", "torchvision", "PIL", "scipy"}


def test_resized_images_are_the_same_ones_and_their_statistics_are_their_own():
    street = data.load("street_digits", train=50, test=20)
    small = street.resized(16)
    assert small.train.images.shape == (50, 3, 16, 16) and small.train.images.dtype == torch.uint8
    assert torch.equal(small.test.labels, street.test.labels)
    means = torch.nn.functional.avg_pool2d(street.train.images.float(), 2) - small.train.images
    assert means.abs().mean() < 8 and small.std != street.std


def test_grey_images_in_three_equal_channels():
    grey = data.load("handwritten", train=20, test=10)
    coloured = grey.in_rgb()
    assert coloured.train.images.shape == (20, 3, 32, 32) and coloured.mean == grey.mean * 3
    assert all(torch.equal(coloured.test.images[:, c], grey.test.images[:, 0]) for c in range(3))


def test_a_set_without_test_images_keeps_everything_else():
    whole = data.load("handwritten", train=20, test=10)
    blind = whole.without_test()
    assert len(blind.test) == 0 and blind.train is whole.train and blind.test.shape == whole.test.shape
    assert blind.classes == whole.classes and len(whole.test) == 10
