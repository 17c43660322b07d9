"""The real sets without a network: tiny files in the real formats, downloads that fail, image folders."""

import io
import pickle
import tarfile
from http.client import IncompleteRead
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision.datasets.cifar as torchvision_cifar
import torchvision.datasets.svhn as torchvision_svhn
import torchvision.datasets.utils as torchvision_utils
from PIL import Image
from scipy.io import savemat

from cnnlab import data

BATCHES = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]


def write_cifar10(root: Path) -> None:
    """Two images per file. Every red value is the number of the file, green is 100, blue 200; labels 3 and 7."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for number, name in enumerate(BATCHES):
        pixels = np.repeat(np.array([number, 100, 200], np.uint8), 1024)
        (folder / name).write_bytes(pickle.dumps({"data": np.stack([pixels, pixels]), "labels": [3, 7]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": [f"class {i}" for i in range(10)]}))


def write_mnist(root: Path) -> None:
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for part, count in (("train", 5), ("t10k", 3)):
        header = b"".join(n.to_bytes(4, "big") for n in (0x803, count, 28, 28))
        (folder / f"{part}-images-idx3-ubyte").write_bytes(header + bytes([9]) * count * 28 * 28)
        header = b"".join(n.to_bytes(4, "big") for n in (0x801, count))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(header + bytes(range(count)))


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr(torchvision_utils.urllib.request, "urlopen", refuse)


@pytest.fixture
def any_checksum(monkeypatch):
    """Tiny files do not have the real ones' md5."""
    for module in (torchvision_cifar, torchvision_svhn, torchvision_utils):
        monkeypatch.setattr(module, "check_integrity", lambda path, md5=None: Path(path).is_file())


def test_cifar10_from_disk(tmp_path, any_checksum):
    write_cifar10(tmp_path)
    dataset = data.load("cifar10", root=tmp_path)
    assert repr(dataset) == "cifar10: 10 training and 2 test images, 3x32x32, 10 classes"
    assert dataset.train.images.dtype == torch.uint8 and dataset.train.labels.dtype == torch.int64
    assert dataset.train.images[:, :, 5, 7].tolist() == [[i // 2, 100, 200] for i in range(10)]
    assert dataset.train.labels.tolist() == [3, 7] * 5 and dataset.classes[3] == "class 3"
    assert dataset.test.images[0, :, 0, 0].tolist() == [5, 100, 200]
    assert "icence" in dataset.about


def test_svhn_from_disk(tmp_path, any_checksum):
    for part, count in (("train", 4), ("test", 2)):
        pixels = np.zeros((32, 32, 3, count), np.uint8)
        pixels[5, 7, 2] = range(count)
        savemat(tmp_path / f"{part}_32x32.mat", {"X": pixels, "y": np.array([[10], [1], [2], [3]])[:count]})
    dataset = data.load("svhn", root=tmp_path)
    assert dataset.train.images.shape == (4, 3, 32, 32) and dataset.train.labels.tolist() == [0, 1, 2, 3]
    assert dataset.train.images[:, 2, 5, 7].tolist() == [0, 1, 2, 3] and dataset.train.images.sum() == 6


def test_sizes_take_a_seeded_choice(tmp_path, any_checksum):
    write_cifar10(tmp_path)
    some, more, others = (
        data.load("cifar10", train=n, test=1, seed=seed, root=tmp_path).train.images[:, 0, 0, 0].tolist()
        for n, seed in ((4, 0), (10, 0), (10, 1))
    )
    assert some == more[:4] and sorted(more) == sorted(others) and more != others
    with pytest.raises(ValueError, match="1 to 10"):
        data.load("cifar10", train=11, root=tmp_path)


def test_an_archive_put_into_the_folder_needs_no_network(tmp_path, any_checksum):
    write_cifar10(tmp_path / "made")
    root = tmp_path / "root"
    root.mkdir()
    with tarfile.open(root / "cifar-10-python.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "made" / "cifar-10-batches-py", "cifar-10-batches-py")
    assert len(data.load("cifar10", root=root).train) == 10
    assert sorted(path.name for path in root.iterdir()) == ["cifar-10-batches-py", "cifar-10-python.tar.gz"]
    (root / "cifar-10-python.tar.gz").unlink()
    assert len(data.load("cifar10", root=root).train) == 10


def test_mnist_is_padded_as_in_lenets_paper(tmp_path):
    write_mnist(tmp_path)
    dataset = data.load("mnist", root=tmp_path)
    assert dataset.train.images.shape == (5, 1, 32, 32) and dataset.test.labels.tolist() == [0, 1, 2]
    assert dataset.train.images.sum() == 5 * 28 * 28 * 9 and (dataset.train.images[:, :, 2:30, 2:30] == 9).all()
    assert dataset.classes == tuple("0123456789")


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10", "cifar100", "svhn"])
def test_without_a_network_one_error_says_what_to_do(name, tmp_path):
    root = tmp_path / "datasets"
    with pytest.raises(
        data.DataError, match=r"(?s)is not in .*datasets.*no network.*Run this once with a network, or put"
    ):
        data.load(name, root=root)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_copy_is_not_taken_for_whole_and_stays_where_it_is(tmp_path):
    write_mnist(tmp_path)
    images = tmp_path / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    images.write_bytes(images.read_bytes()[:-1000])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(data.DataError, match=r"mnist is not in .* or damaged there"):
        data.load("mnist", root=tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "failure", [IncompleteRead(b"half"), ConnectionResetError("cut"), TimeoutError("slow"), KeyboardInterrupt()]
)
def test_a_download_cut_halfway_leaves_nothing(tmp_path, monkeypatch, failure):
    class Half(io.BytesIO):
        url, length = None, 1000

        def read(self, size=-1):
            if chunk := super().read(size):
                return chunk
            raise failure

    monkeypatch.setattr(torchvision_utils.urllib.request, "urlopen", lambda request: Half(b"x" * 500))
    written = []
    replace = torchvision_utils._urlretrieve

    def watched(url, path, *args):
        try:
            replace(url, path, *args)
        finally:
            written.append(Path(path).stat().st_size)

    monkeypatch.setattr(torchvision_utils, "_urlretrieve", watched)
    expected = KeyboardInterrupt if isinstance(failure, KeyboardInterrupt) else data.DataError
    with pytest.raises(expected):
        data.load("svhn", root=tmp_path)
    assert 500 in written and list(tmp_path.iterdir()) == []


def test_root_that_is_a_file(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(NotADirectoryError, match="is a file; give the folder"):
        data.load("cifar10", root=file)


def test_root_that_cannot_be_created(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"cannot write into the folder .*give another one as root="):
        data.load("cifar10", root=tmp_path / "file" / "sub")


@pytest.fixture
def folder(tmp_path):
    """Two classes of 4x6 images (width 4): cats are red, dogs are green; val has one of each."""
    for part, count in (("train", 3), ("val", 1)):
        for name, colour in (("cat", (250, 0, 0)), ("dog", (0, 250, 0))):
            (tmp_path / part / name).mkdir(parents=True)
            for i in range(count):
                Image.new("RGB", (4, 6), colour).save(tmp_path / part / name / f"{i}.png")
    return tmp_path


def test_image_folder(folder):
    (folder / "train" / "cat" / "notes.txt").write_text("not an image", encoding="utf-8")
    (folder / "train" / ".ipynb_checkpoints").mkdir()
    dataset = data.load(folder)
    assert dataset.classes == ("cat", "dog") and dataset.name == folder.name
    assert dataset.train.images.shape == (6, 3, 6, 4) and dataset.test.images.shape == (2, 3, 6, 4)
    assert dataset.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert dataset.train.images[:, 0].float().mean((1, 2)).tolist() == [250] * 3 + [0] * 3
    assert len(data.load(str(folder), train=4, test=0).train) == 4


def test_image_folder_with_test_instead_of_val_or_neither(folder):
    (folder / "val").rename(folder / "test")
    assert len(data.load(folder).test) == 2
    (folder / "test").rename(folder / "other")
    with pytest.raises(data.DataError, match="neither val nor test beside train; add one, or ask for test=n"):
        data.load(folder)
    held = data.load(folder, test=2)
    assert (len(held.train), len(held.test), sorted(held.test.labels.tolist())) == (4, 2, [0, 1])
    assert len(data.load(folder, test=0).test) == 0


def test_image_folder_errors(folder):
    Image.new("RGB", (5, 6)).save(folder / "val" / "dog" / "1.png")
    with pytest.raises(
        data.DataError, match=r"differ in size: .* has 4x6 pixels, .* 5x6; resize them to one size, or cut"
    ):
        data.load(folder)
    (folder / "val" / "dog" / "1.png").write_bytes(b"not a PNG")
    with pytest.raises(data.DataError, match=r"1.png' cannot be read as an image"):
        data.load(folder)
    (folder / "val" / "dog").rename(folder / "val" / "wolf")
    with pytest.raises(data.DataError, match="must have the same classes; these differ: dog, wolf"):
        data.load(folder)
    (folder / "train" / "empty").mkdir()
    with pytest.raises(data.DataError, match=r"no image in .*empty"):
        data.load(folder)
    with pytest.raises(data.DataError, match=r"no folder .*nowhere"):
        data.stream(folder / "nowhere", train=np.asarray, test=np.asarray)
