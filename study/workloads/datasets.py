"""Reads the data that `--dataset` names (see names.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.utils.data import TensorDataset

from search_spaces.errors import InputError, require, unknown
from study.workloads.array_data import data_of_arrays
from study.workloads.builtin_datasets import load_dataset
from study.workloads.data import Data
from study.workloads.dataset_data import TARGETS, data_of_datasets, is_dataset
from study.workloads.image_folder import read_images
from study.workloads.names import ARRAYS, DATASETS, TABLES, TEXT, check_dataset, is_table
from study.workloads.npz import read_arrays
from study.workloads.table import TableOptions, read_table
from study.workloads.text import read_text_file
from study.workloads.tokens import read_tokens
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
    tokenizer: str | None = None

    def read(self, data_root: Path, split_seed: int) -> Data:
        """Read the data; raises InputError if it is missing or unsuitable for training."""
        check_dataset(self.dataset)
        path = Path(self.dataset).expanduser()
        text = self.dataset == "pydoc" or (path.suffix.lower() == TEXT and self.target is None)
        table, images = is_table(path) and not text, self.dataset not in DATASETS and path.is_dir()
        for flag in ("target", "split_by", "split_time") if not table else ():
            if (given := getattr(self, flag)) is not None:
                named = f"--{flag.replace('_', '-')}"
                raise InputError(f"{named} is for tables ({', '.join(TABLES)}): remove {named} {given}")
        size = self.image_size
        if size is not None and not images:
            raise InputError(f"--image-size is for folders of images: remove --image-size {size}")
        if text and self.task is not None:
            raise InputError(
                f"{self.dataset} is text, for language models: remove --task {self.task}, or give a table its --target"
            )
        if self.tokenizer is not None and not (text and is_table(path)):
            raise InputError(f"--tokenizer is for files of text (FILE.txt): remove --tokenizer {self.tokenizer}")
        if self.task == "regression" and (images or self.dataset in DATASETS):
            raise InputError(f"{self.dataset} is a classification: remove --task regression")
        if self.dataset in DATASETS:
            return load_dataset(self.dataset, data_root, split_seed)
        if images:
            return read_images(path, size, split_seed)
        if text and self.tokenizer is not None:
            return read_tokens(path, self.tokenizer, split_seed)
        if text:
            return read_text_file(path, split_seed)
        if table:
            options = TableOptions(self.target, self.task, self.split_by, self.split_time)
            return read_table(path, options, split_seed)
        if path.suffix.lower() == ARRAYS:
            return read_arrays(path, self.task, split_seed)
        made = call(imported(self.dataset, "--dataset"), "--dataset", split_seed=split_seed, data_root=data_root)
        return made_data(self.dataset, made, self.task, split_seed)


def made_data(name: str, made: Any, task: str | None, split_seed: int) -> Data:
    """Data from what a user's function returned: (x, y), a Dataset, a dict of either by part, or Data itself.

    Tensors and arrays stay in memory, not standardised; x may be a tuple or dict of several. A Dataset is read when
    needed, so it may be larger than memory or augment its rows. Raises InputError for anything else.
    """
    if isinstance(made, Data):
        return made
    named = isinstance(made, Mapping) and not TARGETS & set(made)
    parts = made if named else {"train": made}
    for part in parts:
        if part not in PART_NAMES:
            raise unknown(f"part of {name}", str(part), PART_NAMES)
    require("train" in parts, f"{name} must return a part named train", list(parts))
    whole = {PART_NAMES[part]: tensors_of(name, value) for part, value in parts.items()}
    if not any(map(is_dataset, whole.values())):
        return data_of_arrays(name, whole, task, split_seed, standardise=False)
    require(all(map(is_dataset, whole.values())), f"{name}: all parts must be Datasets", list(parts))
    return data_of_datasets(name, whole, task, split_seed)


def tensors_of(name: str, value: Any) -> Any:
    """(x, y) of one part, or the Dataset that it is; raises InputError for anything else."""
    if type(value) is TensorDataset:
        *x, y = value.tensors
        return (x[0] if len(x) == 1 else tuple(x)), y
    if isinstance(value, Mapping) and len(found := TARGETS & set(value)) == 1:  # as of Hugging Face's tokenizers
        target = found.pop()
        return {key: part for key, part in value.items() if key != target}, value[target]
    fits = is_dataset(value) or (isinstance(value, tuple | list) and len(value) == 2)
    given = type(value).__name__ + (f" of {len(value)}" if isinstance(value, tuple | list) else "")
    require(fits, f"{name} must return (x, y), a torch Dataset, or a dict of either", given)
    return value
