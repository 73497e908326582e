"""The built-in datasets: generated locally, or read by torchvision."""

from __future__ import annotations

import gzip
import random
import shutil
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import torch
from numpy.typing import NDArray

from search_spaces.errors import InputError, unknown, words_of
from search_spaces.imported import import_named
from study.machine import torch_threads
from study.workloads.cache import kept_or_made
from study.workloads.data import Data, Split
from study.workloads.names import DATASETS, TORCHVISION_DATASETS

DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package `dataset-fashion-mnist` installs its files."""


def load_dataset(name: str, data_root: Path, split_seed: int) -> Data:
    """Load a dataset by its name in DATASETS; `split_seed` selects the validation rows from the training rows.

    Raises InputError if the name is unknown, or the data is neither in `data_root` nor can be downloaded.
    """
    if name not in DATASETS:
        raise unknown("dataset", name, DATASETS)
    made: Data = import_named(DATASETS[name])(name, data_root, split_seed)
    return made


def mnist1d(name: str, data_root: Path, split_seed: int) -> Data:
    """MNIST-1D (Greydanus & Kobak 2024): 10 classes, 40 numbers per row; 3,200 + 800 + 1,000 rows.

    Generated once and kept in `data_root`, because generating it takes seconds.
    """
    made_with = " ".join(f"{package} {version(package)}" for package in ("mnist1d", "numpy", "scipy"))
    made = kept_or_made(data_root / "mnist1d.cache", made_with, make_mnist1d)
    x, x_test = (torch.tensor(made[key], dtype=torch.float32).unsqueeze(1) for key in ("x", "x_test"))
    y, y_test = (torch.tensor(made[key]) for key in ("y", "y_test"))
    return carve(name, 10, Split(x, y), Split(x_test, y_test), 0.2, split_seed)


def make_mnist1d() -> dict[str, NDArray[np.generic]]:
    """Its inputs x and x_test, and their classes y and y_test, by the package's own defaults and seed."""
    from mnist1d.data import get_dataset_args, make_dataset

    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        made = make_dataset(get_dataset_args())  # it seeds both global generators
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
    return {name: made[name] for name in ("x", "y", "x_test", "y_test")}


def digits(name: str, data_root: Path, split_seed: int) -> Data:
    """scikit-learn's digits: 10 classes, 8 x 8 pixels; 1,078 + 360 + 359 rows, of which the last are for test."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x, y = torch.tensor(bunch.images, dtype=torch.float32).unsqueeze(1) / 16, torch.tensor(bunch.target)
    test_rows = len(x) // 5
    return carve(
        name, 10, Split(x[:-test_rows], y[:-test_rows]), Split(x[-test_rows:], y[-test_rows:]), 0.25, split_seed
    )


def images(name: str, data_root: Path, split_seed: int) -> Data:
    """A torchvision dataset, standardised per channel; a tenth of its training rows is for validation."""
    train, test = (torchvision_images(name, data_root, train) for train in (True, False))
    return carve(name, int(train.y.max()) + 1, train, test, 0.1, split_seed)


def torchvision_images(name: str, data_root: Path, train: bool) -> Split:
    """Train or test rows of a torchvision dataset, read from or downloaded to `data_root`; pixels from 0 to 1."""
    import torchvision.datasets  # takes seconds, which generated data need not wait for

    try:
        if name == "fashion-mnist":
            unpack_debian_fashion_mnist(data_root)
        dataset = getattr(torchvision.datasets, TORCHVISION_DATASETS[name])(str(data_root), train=train, download=True)
    except (RuntimeError, OSError, EOFError, ValueError) as error:
        package = ", or install Debian's package dataset-fashion-mnist" if name == "fashion-mnist" else ""
        raise InputError(
            f"dataset {name!r} cannot be read from {data_root} or downloaded ({words_of(error)}): "
            f"copy torchvision's files for {TORCHVISION_DATASETS[name]} there, "
            f"or set --data-root to the directory that has them{package}"
        ) from error
    pixels = torch.as_tensor(dataset.data)
    pixels = pixels.unsqueeze(1) if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2)
    return Split(pixels.float() / 255, torch.as_tensor(dataset.targets))


def unpack_debian_fashion_mnist(data_root: Path) -> None:
    """Unpack Debian's files to where torchvision looks for them; existing files stay."""
    raw = data_root / "FashionMNIST" / "raw"
    for packed in DEBIAN_FASHION_MNIST.glob("*.gz"):
        unpacked = raw / packed.stem
        if not unpacked.exists():
            raw.mkdir(parents=True, exist_ok=True)
            with gzip.open(packed) as source, NamedTemporaryFile(dir=raw, delete=False) as partial:
                shutil.copyfileobj(source, partial)
            Path(partial.name).replace(unpacked)  # another process may be doing the same


def carve(name: str, classes: int, train: Split, test: Split, validation_share: float, split_seed: int) -> Data:
    """Split off validation rows from the training rows, and standardise all inputs over the remaining training rows.

    validation_share: fraction of the given training rows, above 0 and below 1.
    """
    order = torch.randperm(len(train.x), generator=torch.Generator().manual_seed(split_seed))
    held = round(validation_share * len(order))
    rows = {"train": order[held:], "validation": order[:held]}
    over = [axis for axis in range(train.x.ndim) if axis != 1]
    x = train.x[rows["train"]]
    with torch_threads(1):  # several add in another order: the last bits would differ
        mean, deviation = x.mean(over, keepdim=True), x.std(over, keepdim=True)
    return Data(
        name=name,
        classes=classes,
        train=Split((x - mean) / deviation, train.y[rows["train"]]),
        validation=Split((train.x[rows["validation"]] - mean) / deviation, train.y[rows["validation"]]),
        test=Split((test.x - mean) / deviation, test.y),
    )
