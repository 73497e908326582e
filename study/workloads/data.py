"""Data in three disjoint splits: train, validation and test."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from study.workloads.streamed import StreamedSplit


class Split(NamedTuple):
    """Examples in rows, in memory: inputs x (rows, ...), targets y (rows, ...).

    A classification has y (rows,) int64, a regression y (rows,) or (rows, numbers) float32.
    """

    x: Tensor
    y: Tensor

    @property
    def rows(self) -> int:
        """How many examples there are."""
        return len(self.x)

    @property
    def device(self) -> torch.device:
        """Where the rows are."""
        return self.x.device

    def fetch(self, order: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Copies of (x, y) of the rows of these numbers, batch by batch, each when it is asked for."""
        return ((self.x[rows], self.y[rows]) for rows in order)

    def parts(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Copies of all rows in order, `size` at a time: a model may work in place on what it is given."""
        return self.fetch(torch.arange(self.rows, device=self.device).split(size))

    def first(self, rows: int) -> tuple[Tensor, Tensor]:
        """Copies of (x, y) of the first rows."""
        return self.x[:rows].clone(), self.y[:rows].clone()

    def to(self, device: torch.device) -> Split:
        """The same rows, resident on a device."""
        return Split(self.x.to(device), self.y.to(device))

    def sample(self) -> tuple[Tensor, Tensor]:
        """What the fingerprint is taken of: all there is."""
        return self.x, self.y


@dataclass(frozen=True)
class Data:
    """A data set in three disjoint splits; the search never touches test.

    classes: numbers that a model gives for an example: the classes, or in a regression the targets, mostly 1.
    task: classification or regression. about: a sentence on how it was read, for people.
    """

    name: str
    classes: int
    train: Split | StreamedSplit
    validation: Split | StreamedSplit
    test: Split | StreamedSplit
    task: str = "classification"
    about: str = ""

    @cached_property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example: (features,), (channels, length) or (channels, height, width)."""
        return tuple(self.train.first(1)[0].shape[1:])

    @property
    def resident(self) -> bool:
        """Whether the rows are in memory, not read as they are needed."""
        return isinstance(self.train, Split)

    def to(self, device: torch.device) -> Data:
        """The same data, on a device."""
        train, validation, test = (split.to(device) for split in (self.train, self.validation, self.test))
        return replace(self, train=train, validation=validation, test=test)

    def fingerprint(self) -> str:
        """A SHA-256 over every number of every split, in order: equal for equal data in an equal split.

        Of rows that are not in memory: over how many there are, and some of them.
        """
        digest = hashlib.sha256()
        for split in (self.train, self.validation, self.test):
            digest.update(b"" if isinstance(split, Split) else str(split.rows).encode())
            for tensor in split.sample():
                digest.update(str(tuple(tensor.shape)).encode())
                digest.update(tensor.cpu().contiguous().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()
