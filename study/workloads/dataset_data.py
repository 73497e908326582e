"""Data from map-style Datasets, read by DataLoader workers when needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset, Subset

from search_spaces.errors import InputError, require
from study.workloads.data import Data
from study.workloads.inputs import described_inputs, tensors_in
from study.workloads.named import name_list
from study.workloads.raised import users_code
from study.workloads.splits import row_numbers
from study.workloads.streamed import StreamedSplit

TARGETS = {"labels", "label"}
"""Keys of the target in items that are dicts, as Hugging Face's models call it."""


class Labelled(Dataset[Any]):
    """A dataset of dicts with a target as one of (inputs, target). Lists of numbers become tensors.

    text: names of the inputs that are text, which are left out.
    """

    def __init__(self, dataset: Any, target: str, text: Collection[str]) -> None:
        self.dataset, self.target, self.text = dataset, target, text
        for name in ("classes", "targets"):
            if hasattr(dataset, name):
                setattr(self, name, getattr(dataset, name))

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, row: int) -> tuple[dict[str, Any], Any]:
        item = self.dataset[row]
        inputs = {name: part for name, part in item.items() if name != self.target and name not in self.text}
        tensors = {name: torch.tensor(part) if isinstance(part, list) else part for name, part in inputs.items()}
        return tensors, item[self.target]


def is_dataset(value: Any) -> bool:
    """Whether this is a torch Dataset, or what has its methods, such as a Dataset of Hugging Face."""
    if isinstance(value, Mapping | tuple | list | str | Tensor) or hasattr(value, "dtype") or hasattr(value, "dtypes"):
        return False
    return isinstance(value, Dataset) or (hasattr(value, "__getitem__") and hasattr(value, "__len__"))


def data_of_datasets(name: str, parts: Mapping[str, Any], task: str | None, split_seed: int) -> Data:
    """Data from Datasets by part; raises InputError for items that are not (x, y), empty, or not finite in x."""
    whole = {part: with_targets(f"{name} ({part})", dataset) for part, dataset in parts.items()}
    rows = row_numbers(name, len(whole["train"]), split_seed, "validation" not in whole, "test" not in whole)
    sets = whole | {part: Subset(whole["train"], numbers.tolist()) for part, numbers in rows.items()}
    train, validation, test = (StreamedSplit(sets[part]) for part in ("train", "validation", "test"))
    x, y = train.first(2)
    require(y.numel() > 0, f"{name}: the targets must not be empty", tuple(y.shape))
    for one in tensors_in(x):
        require(one.numel() > 0, f"{name}: the examples must not be empty", tuple(one.shape))
        require(bool(torch.isfinite(one).all()), f"{name}: the examples must be finite", "NaN or infinity")
    task = task or ("regression" if y.is_floating_point() else "classification")
    classes = 1 if y.ndim == 1 else y.shape[1]
    if task == "classification":
        classes = count_classes(name, whole["train"], train)
    counts = f"{train.rows} + {validation.rows} + {test.rows}"
    first = f"{name}: {counts} rows for train, validation and test, read when needed; {task}"
    text = {name: None for dataset in whole.values() if isinstance(dataset, Labelled) for name in dataset.text}
    notes = [f"left out: {name_list(text)} (text)"] if text else []
    about = "\n".join([first, *notes, f"x: {described_inputs(x)}"])
    data = Data(name, classes, train, validation, test, task, about)
    if all(as_floats(one) is one for one in tensors_in(x)):
        return data
    return replace(data, alternative=partial(in_other_form, data))


def in_other_form(data: Data) -> Data:
    """The data as a model takes it whose parameters are float32."""
    splits = (data.train, data.validation, data.test)
    train, validation, test = (replace(split, form=as_floats) for split in splits if isinstance(split, StreamedSplit))
    about = f"{data.about}, given to the model as {described_inputs(train.first(1)[0]).rpartition(', ')[2]}"
    return replace(data, train=train, validation=validation, test=test, about=about, alternative=None)


def as_floats(x: Tensor) -> Tensor:
    """Numbers as float32, bytes as floats from 0 to 1."""
    if x.dtype == torch.uint8:
        return x.float() / 255
    return x if x.is_complex() or x.dtype == torch.float32 else x.float()


def with_targets(where: str, dataset: Any) -> Any:
    """The dataset with items (x, y); raises InputError if its first item is anything else, or it is not map-style."""
    sized = not isinstance(dataset, IterableDataset) and hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")
    require(sized, f"{where} must be a map-style Dataset, with __len__ and __getitem__", type(dataset).__name__)
    with users_code(f"{where} has no length"):
        len(dataset)
    with users_code(f"{where}: an example cannot be read"), torch.random.fork_rng():
        item = dataset[0]
    what = f"{where}: an item must be (x, y), or a dict with 'labels': convert it, or use --workload"
    if isinstance(item, Mapping):
        found = TARGETS & set(item)
        require(len(found) == 1, what, f"a dict of {', '.join(map(str, item))}")
        target = found.pop()
        text = [name for name, part in item.items() if is_text(part)]
        needed = [target] if target in text else text if len(text) == len(item) - 1 else []
        if needed:
            raise InputError(f"{where}: {name_list(map(repr, needed))} must be numbers, but text was given: convert it")
        return Labelled(dataset, target, text)
    parts = len(item) if isinstance(item, tuple | list) else 1
    require(parts == 2, what, f"an item of {parts} parts" if isinstance(item, tuple | list) else type(item).__name__)
    for part, value in zip("xy", item, strict=True):
        named = value if isinstance(value, Mapping) else {part: value}
        for name, one in named.items():
            require(not is_text(one), f"{where}: {name!r} must be numbers: convert or remove it", one)
    return dataset


def is_text(value: Any) -> bool:
    """Whether a part of an item is text, or a list of texts."""
    return isinstance(value, str) or (isinstance(value, list | tuple) and any(isinstance(one, str) for one in value))


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
