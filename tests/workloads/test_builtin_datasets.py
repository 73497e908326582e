"""Built-in datasets: sizes, disjoint splits, and the message if one is missing."""

import gzip
import random
import shutil
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pytest
import torch
import torchvision.datasets
from mnist1d.data import get_dataset_args, make_dataset

from search_spaces import InputError
from study.machine import torch_threads
from study.workloads.builtin_datasets import (
    DEBIAN_FASHION_MNIST,
    load_dataset,
    make_mnist1d,
    unpack_debian_fashion_mnist,
)
from study.workloads.names import DATASETS


@pytest.mark.parametrize(
    ("name", "shape", "rows"),
    [("mnist1d", (1, 40), (3200, 800, 1000)), ("digits", (1, 8, 8), (1078, 360, 359))],
)
def test_made_data(name, shape, rows, data_root):
    data = load_dataset(name, data_root, 0)
    assert data.input_shape == shape
    assert (len(data.train.x), len(data.validation.x), len(data.test.x)) == rows
    assert data.classes == 10
    seen = [{example.tobytes() for example in split.x.numpy()} for split in (data.train, data.validation, data.test)]
    assert not seen[0] & seen[1]
    assert not (seen[0] | seen[1]) & seen[2]
    assert data.train.x.mean().item() == pytest.approx(0, abs=1e-5)
    assert data.train.x.std().item() == pytest.approx(1, abs=1e-3)
    assert set(data.validation.y.tolist()) == set(range(10))


def test_the_split_follows_its_seed(data_root):
    first, again, other = (load_dataset("mnist1d", data_root, seed) for seed in (0, 0, 1))
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    moved = replace(first, train=first.validation, validation=first.train)
    assert moved.fingerprint() != first.fingerprint()
    assert (len(first.test.x), first.test.y.tolist()) == (len(other.test.x), other.test.y.tolist())


def test_the_number_of_threads_changes_no_bit(data_root):
    """Or a search could not go on where torch uses more or fewer."""
    found = set()
    for threads in (1, 2, 3):
        with torch_threads(threads):
            found.add(load_dataset("mnist1d", data_root, 0).fingerprint())
    assert len(found) == 1


def random_states():
    """What numpy's and Python's global generators would draw next."""
    name, *state = np.random.get_state()
    return name, [np.asarray(part).tolist() for part in state], random.getstate()


@pytest.fixture
def seeded():
    np.random.seed(3)  # the global generators are what it is about
    random.seed(3)
    return random_states()


def test_mnist1d_is_what_its_package_makes(seeded):
    """To the last bit; and the caller's random numbers, which the package seeds, stay as they are."""
    made = make_mnist1d()
    assert random_states() == seeded
    expected = make_dataset(get_dataset_args())
    assert {name: array.tobytes() for name, array in made.items()} == {name: expected[name].tobytes() for name in made}


def test_mnist1d_is_made_once(seeded, tmp_path, monkeypatch):
    made = load_dataset("mnist1d", tmp_path, 0)
    monkeypatch.setattr("mnist1d.data.make_dataset", None)
    kept = load_dataset("mnist1d", tmp_path, 0)
    assert kept.fingerprint() == made.fingerprint()
    assert random_states() == seeded
    for split in ("train", "validation", "test"):
        assert [tensor.dtype for tensor in getattr(kept, split)] == [torch.float32, torch.int64]


def test_mnist1d_made_by_another_version_is_not_used(tmp_path, monkeypatch):
    """scipy interpolates and numpy draws: either may change the bits."""
    load_dataset("mnist1d", tmp_path, 0)
    versions = {"mnist1d": version("mnist1d"), "numpy": version("numpy"), "scipy": "0.1"}
    monkeypatch.setattr("study.workloads.builtin_datasets.version", versions.__getitem__)
    made = []

    def make_again():
        made.append(True)
        return make_mnist1d()

    monkeypatch.setattr("study.workloads.builtin_datasets.make_mnist1d", make_again)
    load_dataset("mnist1d", tmp_path, 0)
    assert made == [True]


def test_two_processes_may_unpack_fashion_mnist_at_the_same_time(tmp_path, monkeypatch):
    """One comes in while the other writes."""
    packed = tmp_path / "packed"
    packed.mkdir()
    with gzip.open(packed / "rows.gz", "wb") as file:
        file.write(b"rows")
    monkeypatch.setattr("study.workloads.builtin_datasets.DEBIAN_FASHION_MNIST", packed)
    copy, inside = shutil.copyfileobj, []

    def copy_while_another_does(source, target):
        if not inside:
            inside.append(True)
            unpack_debian_fashion_mnist(tmp_path / "data")
        copy(source, target)

    monkeypatch.setattr("study.workloads.builtin_datasets.shutil.copyfileobj", copy_while_another_does)
    unpack_debian_fashion_mnist(tmp_path / "data")
    raw = tmp_path / "data/FashionMNIST/raw"
    assert [path.name for path in raw.iterdir()] == ["rows"]
    assert (raw / "rows").read_bytes() == b"rows"


@pytest.mark.skipif(not DEBIAN_FASHION_MNIST.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_fashion_mnist_is_found_where_debian_puts_it(tmp_path):
    data = load_dataset("fashion-mnist", tmp_path, 0)
    assert data.input_shape == (1, 28, 28)
    assert (len(data.train.x), len(data.validation.x), len(data.test.x)) == (54_000, 6_000, 10_000)
    assert torch.bincount(data.test.y).tolist() == [1000] * 10


@pytest.mark.parametrize("name", ["fashion-mnist", "mnist", "kmnist", "cifar10", "cifar100"])
def test_data_that_cannot_be_had_is_told_in_one_line(name, tmp_path, monkeypatch, capfd):
    nowhere = "http://127.0.0.1:9/"
    monkeypatch.setattr("study.workloads.builtin_datasets.DEBIAN_FASHION_MNIST", tmp_path / "nowhere")
    for cls in (torchvision.datasets.MNIST, torchvision.datasets.FashionMNIST, torchvision.datasets.KMNIST):
        monkeypatch.setattr(cls, "mirrors", [nowhere])
    for cls in (torchvision.datasets.CIFAR10, torchvision.datasets.CIFAR100):
        monkeypatch.setattr(cls, "url", nowhere + "cifar.tar.gz")
    with pytest.raises(InputError, match=f"dataset '{name}' cannot be read from .* or downloaded") as told:
        load_dataset(name, tmp_path, 0)
    assert "\n" not in str(told.value)
    assert ("install Debian's package" in str(told.value)) == (name == "fashion-mnist")
    assert capfd.readouterr().out == ""


def test_a_data_root_that_is_a_file_is_told(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InputError, match="dataset 'fashion-mnist' cannot be read from"):
        load_dataset("fashion-mnist", file, 0)


def test_unknown_names():
    assert list(DATASETS) == ["mnist1d", "digits", "fashion-mnist", "mnist", "kmnist", "cifar10", "cifar100", "pydoc"]
    with pytest.raises(InputError, match="unknown dataset 'minst1d': did you mean 'mnist1d'"):
        load_dataset("minst1d", None, 0)
