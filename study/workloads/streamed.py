"""Examples that worker processes read when needed: too large for memory, or augmented on each read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from search_spaces.errors import InputError, words_of
from study.machine import usable_cores
from study.workloads.inputs import Inputs, mapped

CPU = torch.device("cpu")
MOST_WORKERS = 4
"""Maximum number of worker processes."""
LOOKED_AT = 64
"""Number of rows, evenly spaced, from which the fingerprint of a split is computed."""


@dataclass(frozen=True)
class StreamedSplit:
    """Has the interface of data.Split, over a map-style dataset whose items are (x, y).

    The dataset must draw its random numbers from torch, whose worker seeds are the same in every run.
    workers: the most processes that read; 0 reads in this process. form: converts the inputs.
    """

    dataset: Dataset[Any]
    device: torch.device = CPU
    workers: int = MOST_WORKERS
    form: Callable[[Tensor], Tensor] | None = None

    @property
    def rows(self) -> int:
        """Number of examples."""
        return len(self.dataset)  # type: ignore[arg-type]  # map-style datasets have a length

    def fetch(self, order: Iterable[Tensor]) -> Iterator[tuple[Inputs, Tensor]]:
        """(x, y) for each batch of row indices in `order`; raises InputError if a row cannot be read."""
        loader = DataLoader(
            self.dataset,
            batch_sampler=(rows.tolist() for rows in order),
            num_workers=min(self.workers, usable_cores()),
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # separate, so that the model draws the same numbers as with data in memory
        )
        try:
            for x, y in loader:
                yield mapped(x, self.converted), y.detach().to(self.device, non_blocking=True)
        except Exception as error:  # whatever the user's dataset raises; a worker's traceback ends with the message
            lines = str(error).strip().splitlines() or [type(error).__name__]
            last = lines[-1].removeprefix(f"{InputError.__module__}.InputError: ")
            raise InputError(
                last if isinstance(error, InputError) else f"an example cannot be read ({words_of(last)})"
            ) from error

    def converted(self, tensor: Tensor) -> Tensor:
        """An input in the type that the model takes, on the device."""
        tensor = tensor.detach()
        return (self.form(tensor) if self.form else tensor).to(self.device, non_blocking=True)

    def parts(self, size: int) -> Iterator[tuple[Inputs, Tensor]]:
        """All rows in order, `size` at a time."""
        return self.fetch(torch.arange(self.rows).split(size))

    def first(self, rows: int) -> tuple[Inputs, Tensor]:
        """(x, y) of the first rows."""
        return next(self.fetch([torch.arange(min(rows, self.rows))]))

    def to(self, device: torch.device) -> StreamedSplit:
        """The same rows, moved to a device when they are read."""
        return replace(self, device=device)

    def sample(self) -> tuple[Inputs, Tensor]:
        """(x, y) of the rows that the fingerprint is computed from."""
        return next(self.fetch([torch.linspace(0, self.rows - 1, min(self.rows, LOOKED_AT)).round().long()]))
