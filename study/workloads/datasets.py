"""Reads the data that `--dataset` names (see names.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset, Subset, TensorDataset

from search_spaces.errors import InputError, require, unknown
from study.workloads.builtin_datasets import load_dataset
from study.workloads.data import Data
from study.workloads.image_folder import read_images
from study.workloads.names import ARRAYS, DATASETS, TABLES, check_dataset, is_table
from study.workloads.npz import read_arrays
from study.workloads.splits import data_of_arrays, row_numbers
from study.workloads.streamed import StreamedSplit
from study.workloads.table import TableOptions, read_table
from study.workloads.user_code import call, imported

PART_NAMES = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}


@dataclass(frozen=True)
class Source:
    """Where data comes from, as given by flags: see `WorkloadOptions` for their meaning."""

    dataset: str
    target: str | None = None
    task: str | None = None
    image_size: int | None = None
    split_by: str | None = None
    split_time: str | None = None

    def read(self, data_root: Path, split_seed: int) -> Data:
        """Read the data; raises InputError if it is missing or unsuitable for training."""
        check_dataset(self.dataset)
        path = Path(self.dataset).expanduser()
        table, images = is_table(path), self.dataset not in DATASETS and path.is_dir()
        for flag in ("target", "split_by", "split_time") if not table else ():
            if (given := getattr(self, flag)) is not None:
                named = f"--{flag.replace('_', '-')}"
                raise InputError(f"{named} is for tables ({', '.join(TABLES)}): remove {named} {given}")
        size = self.image_size
        if size is not None and not images:
            raise InputError(f"--image-size is for folders of images: remove --image-size {size}")
        if self.task == "regression" and (images or self.dataset in DATASETS):
            raise InputError(f"{self.dataset} is a classification: remove --task regression")
        if self.dataset in DATASETS:
            return load_dataset(self.dataset, data_root, split_seed)
        if images:
            return read_images(path, size, split_seed)
        if table:
            options = TableOptions(self.target, self.task, self.split_by, self.split_time)
            return read_table(path, options, split_seed)
        if path.suffix.lower() == ARRAYS:
            return read_arrays(path, self.task, split_seed)
        made = call(imported(self.dataset, "--dataset"), "--dataset", split_seed=split_seed, data_root=data_root)
        return made_data(self.dataset, made, self.task, split_seed)


def made_data(name: str, made: Any, task: str | None, split_seed: int) -> Data:
    """Data from what a user's function returned: (x, y), a Dataset, a dict of either by part, or Data itself.

    Tensors and arrays stay in memory, unchanged. A Dataset is read when needed, so it may be larger than memory or
    augment its rows. Raises InputError for anything else.
    """
    if isinstance(made, Data):
        return made
    parts = made if isinstance(made, Mapping) else {"train": made}
    for part in parts:
        if part not in PART_NAMES:
            raise unknown(f"part of {name}", str(part), PART_NAMES)
    require("train" in parts, f"{name} must return a part named train", list(parts))
    parts = {
        PART_NAMES[part]: value.tensors if type(value) is TensorDataset else value for part, value in parts.items()
    }
    for value in parts.values():
        fits = isinstance(value, Dataset) or (isinstance(value, tuple | list) and len(value) == 2)
        require(fits, f"{name} must return (x, y), a torch Dataset, or a dict of either", type(value).__name__)
    if not any(isinstance(value, Dataset) for value in parts.values()):
        return data_of_arrays(name, parts, task, split_seed, standardise=False)
    require(all(isinstance(v, Dataset) for v in parts.values()), f"{name}: all parts must be Datasets", list(parts))
    return data_of_datasets(name, parts, task, split_seed)


def data_of_datasets(name: str, parts: Mapping[str, Any], task: str | None, split_seed: int) -> Data:
    """Data from map-style Datasets, read by DataLoader workers."""
    for part, dataset in parts.items():
        sized = hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")
        require(
            sized, f"{name} ({part}) must be a map-style Dataset, with __len__ and __getitem__", type(dataset).__name__
        )
    rows = row_numbers(name, len(parts["train"]), split_seed, "validation" not in parts, "test" not in parts)
    sets = dict(parts) | {part: Subset(parts["train"], numbers.tolist()) for part, numbers in rows.items()}
    train, validation, test = (StreamedSplit(sets[part]) for part in ("train", "validation", "test"))
    x, y = train.first(2)
    require(bool(torch.isfinite(x.double()).all()), f"{name}: the examples must be finite", "NaN or infinity")
    task = task or ("regression" if y.is_floating_point() else "classification")
    classes = 1 if y.ndim == 1 else y.shape[1]
    if task == "classification":
        classes = count_classes(name, parts["train"], train)
    counts = f"{train.rows} + {validation.rows} + {test.rows}"
    about = f"{name}: {counts} rows for train, validation and test, read when needed; {task}"
    return Data(name, classes, train, validation, test, task, about)


def count_classes(name: str, dataset: Any, train: StreamedSplit) -> int:
    """The number of classes: from the dataset's `classes` or `targets`, else by reading all targets once."""
    named = getattr(dataset, "classes", None)
    if named is not None:
        return named if isinstance(named, int) else len(named)
    targets = getattr(dataset, "targets", None)
    y = torch.as_tensor(targets) if targets is not None else torch.cat([y for _, y in train.parts(256)])
    require(
        not y.is_floating_point() and y.ndim == 1, f"{name}: classification needs one integer target per row", y.dtype
    )
    found = y.unique()
    require(len(found) > 1, f"{name}: the target needs at least two classes", found.tolist())
    require(int(found[0]) >= 0, f"{name}: classes must be numbered from 0", int(found[0]))
    return int(found[-1]) + 1
