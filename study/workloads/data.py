"""Data in three disjoint splits: train, validation and test."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Integral
from operator import itemgetter
from typing import Any, NamedTuple

import torch
from torch import Tensor

from search_spaces.errors import InputError, require
from study.workloads.arrays import require_dense
from study.workloads.inputs import Inputs, mapped, shapes, tensors_in
from study.workloads.streamed import StreamedSplit


class Split(NamedTuple):
    """Examples in memory, one per row: inputs x (rows, ...), targets y (rows, ...).

    x may be a tuple or dict of tensors: a model's positional or keyword arguments.
    For classification y is (rows,) int64; for regression it is (rows,) or (rows, outputs) float32.
    """

    x: Inputs
    y: Tensor

    @property
    def rows(self) -> int:
        """Number of examples."""
        return len(self.y)

    @property
    def device(self) -> torch.device:
        """The device that holds the rows."""
        return self.y.device

    def fetch(self, order: Iterable[Tensor]) -> Iterator[tuple[Inputs, Tensor]]:
        """Copies of (x, y) for each batch of row indices in `order`, made lazily."""
        return ((mapped(self.x, itemgetter(rows)), self.y[rows]) for rows in order)

    def parts(self, size: int) -> Iterator[tuple[Inputs, Tensor]]:
        """Copies of all rows in order, `size` at a time; copies, because a model may modify its input in place."""
        return self.fetch(torch.arange(self.rows, device=self.device).split(size))

    def first(self, rows: int) -> tuple[Inputs, Tensor]:
        """Copies of (x, y) of the first rows."""
        return mapped(self.x, lambda tensor: tensor[:rows].clone()), self.y[:rows].clone()

    def to(self, device: torch.device) -> Split:
        """The same rows, moved to a device."""
        return Split(mapped(self.x, lambda tensor: tensor.to(device)), self.y.to(device))

    def sample(self) -> tuple[Inputs, Tensor]:
        """The rows that the fingerprint is computed from: all of them."""
        return self.x, self.y


def require_split(where: str, split: Any) -> None:
    """Raise InputError unless this is a split whose rows, if they are in memory, are dense tensors."""
    if isinstance(split, StreamedSplit):
        return
    if not isinstance(split, Split):
        given = type_in_words(split)
        raise InputError(f"{where} must be a Split, but {given} was given: type Split(x, y), of study.workloads")
    require_tensors(f"x of {where}", split.x, "x")
    if not isinstance(split.y, Tensor):
        given = type_in_words(split.y)
        raise InputError(f"y of {where} must be a tensor, but {given} was given: type torch.as_tensor(y)")
    require_tensors(f"y of {where}", split.y, "y")


def require_tensors(what: str, x: Any, name: str) -> None:
    """Raise InputError unless these are dense tensors with an axis of rows, at least one. name: what to type for it."""
    parts = [*(x.values() if isinstance(x, Mapping) else x)] if isinstance(x, Mapping | tuple | list) else []
    for part in parts:
        require_tensors(what, part, name)
    if parts:
        return
    if not isinstance(x, Tensor):
        must = f"{what} must be a tensor, or a tuple or dict of tensors"
        raise InputError(f"{must}, but {type_in_words(x)} was given: type torch.as_tensor({name})")
    require_dense(what, x)
    require(x.ndim >= 1, f"{what} must have one row per example", tuple(x.shape))
    require(x.numel() > 0 or not len(x), f"{what} must not have empty rows", tuple(x.shape))


def type_in_words(given: Any) -> str:
    """The type of something, for messages.

    >>> type_in_words([]), type_in_words(1)
    ('a list', 'an int')
    """
    name = type(given).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


@dataclass(frozen=True)
class Data:
    """A dataset in three disjoint splits; the search never touches test.

    classes: outputs of a model per example: the number of classes, or, for regression, of targets, usually 1.
    task: classification, regression or language. about: lines for the user about how the data was read.
    alternative: makes the same data with its inputs in another type, for a model that does not take this one.
    Raises InputError for parts that are no splits of tensors.
    """

    name: str
    classes: int
    train: Split | StreamedSplit
    validation: Split | StreamedSplit
    test: Split | StreamedSplit
    task: str = "classification"
    about: str = ""
    alternative: Callable[[], Data] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        require(isinstance(self.name, str) and bool(self.name), "the name of a Data must be text", self.name)
        number = isinstance(self.classes, Integral) and self.classes >= 1
        require(number, f"classes of {self.name} must be the number of outputs per example, at least 1", self.classes)
        for part in ("train", "validation", "test"):
            require_split(f"{self.name} ({part})", getattr(self, part))

    @cached_property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example: (features,), (channels, length) or (channels, height, width).

        If there are several inputs, a tuple or dict of such shapes.
        """
        shape: tuple[int, ...] = shapes(self.train.first(1)[0])
        return shape

    @property
    def several_inputs(self) -> bool:
        """Whether a model is given several tensors."""
        return not isinstance(self.train.first(1)[0], Tensor)

    @property
    def resident(self) -> bool:
        """Whether the rows are in memory, rather than read when needed."""
        return isinstance(self.train, Split)

    def to(self, device: torch.device) -> Data:
        """The same data, moved to a device."""
        train, validation, test = (split.to(device) for split in (self.train, self.validation, self.test))
        return replace(self, train=train, validation=validation, test=test)

    def fingerprint(self) -> str:
        """A SHA-256 of all numbers of all splits, in order: equal for equal data with equal splits.

        If the rows are not in memory, it covers only their number and a sample of them.
        """
        digest = hashlib.sha256()
        for split in (self.train, self.validation, self.test):
            digest.update(b"" if isinstance(split, Split) else str(split.rows).encode())
            for tensor in tensors_in(split.sample()):
                digest.update(str(tuple(tensor.shape)).encode())
                digest.update(
                    tensor.cpu().clone(memory_format=torch.contiguous_format).view(torch.uint8).numpy().tobytes()
                )
        return digest.hexdigest()
