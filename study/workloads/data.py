"""Data in three disjoint splits: train, validation and test."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

import torch
from torch import Tensor

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


@dataclass(frozen=True)
class Data:
    """A dataset in three disjoint splits; the search never touches test.

    classes: outputs of a model per example: the number of classes, or, for regression, of targets, usually 1.
    task: classification, regression or language. about: lines for the user about how the data was read.
    alternative: makes the same data with its inputs in another type, for a model that does not take this one.
    """

    name: str
    classes: int
    train: Split | StreamedSplit
    validation: Split | StreamedSplit
    test: Split | StreamedSplit
    task: str = "classification"
    about: str = ""
    alternative: Callable[[], Data] | None = field(default=None, compare=False)

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
