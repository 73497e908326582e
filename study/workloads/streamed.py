"""Examples that are read as they are needed, by worker processes: more than fit into memory, or made anew each time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from search_spaces.errors import InputError
from study.machine import usable_cores

CPU = torch.device("cpu")
MOST_WORKERS = 4
"""Processes that read, at most."""
LOOKED_AT = 64
"""Rows, evenly spread, that the fingerprint of a split is taken of."""


@dataclass(frozen=True)
class StreamedSplit:
    """A split as data.Split is, of a map-style dataset whose items are (x, y): the same rows in the same order.

    What the dataset draws at random must come from torch: workers are seeded alike in every run.
    """

    dataset: Dataset[Any]
    device: torch.device = CPU

    @property
    def rows(self) -> int:
        """How many examples there are."""
        return len(self.dataset)  # type: ignore[arg-type]  # map-style datasets have a length

    def fetch(self, order: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """(x, y) of the rows of these numbers, batch by batch; raises InputError if one cannot be read."""
        loader = DataLoader(
            self.dataset,
            batch_sampler=(rows.tolist() for rows in order),
            num_workers=min(MOST_WORKERS, usable_cores()),
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # its own: the model's random numbers are those of a run in memory
        )
        try:
            for x, y in loader:
                yield x.to(self.device, non_blocking=True), y.to(self.device, non_blocking=True)
        except Exception as error:  # whatever the user's dataset raises; the last line of a worker's says what
            reason = str(error).strip().splitlines()[-1].removeprefix(f"{InputError.__module__}.InputError: ")
            raise InputError(
                reason if isinstance(error, InputError) else f"an example cannot be read ({reason})"
            ) from error

    def parts(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All rows in order, `size` at a time."""
        return self.fetch(torch.arange(self.rows).split(size))

    def first(self, rows: int) -> tuple[Tensor, Tensor]:
        """(x, y) of the first rows."""
        return next(self.fetch([torch.arange(min(rows, self.rows))]))

    def to(self, device: torch.device) -> StreamedSplit:
        """The same rows, which go to a device when they are read."""
        return replace(self, device=device)

    def sample(self) -> tuple[Tensor, Tensor]:
        """(x, y) of what the fingerprint is taken of."""
        return next(self.fetch([torch.linspace(0, self.rows - 1, min(self.rows, LOOKED_AT)).round().long()]))
