"""Splits of a table that respect what its rows share: rows of one group stay together, or later rows are held out."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from search_spaces.errors import InputError, require
from study.workloads.columns import are_dates
from study.workloads.splits import SHARE, row_numbers


def rows_by_group(name: str, groups: Any, split_seed: int) -> dict[str, Tensor]:
    """The row numbers of each part; all rows of a group are in the same part.

    The groups are split like rows: the test groups are always the same. Parts are of unequal size if groups are.
    """
    number_of, distinct = groups.factorize(sort=True)
    require(len(distinct) >= 4, f"{name}: --split-by needs a column of at least 4 distinct values", len(distinct))
    parts = row_numbers(name, len(distinct), split_seed, True, True)
    return {part: torch.as_tensor(np.isin(number_of, chosen.numpy()).nonzero()[0]) for part, chosen in parts.items()}


def rows_by_time(name: str, times: Any) -> dict[str, Tensor]:
    """The row numbers of each part: the latest rows are for test, those before them for validation.

    Rows of the same time are in the same part. Raises InputError for times that have no order.
    """
    values = in_order(name, times)
    held = max(1, round(SHARE * len(values)))
    ordered = np.sort(values)
    require(
        len(ordered) > 2 * held, f"{name} needs more rows for separate train, validation and test parts", len(ordered)
    )
    validation_from, test_from = ordered[-2 * held], ordered[-held]
    masks = {
        "train": values < validation_from,
        "validation": (values >= validation_from) & (values < test_from),
        "test": values >= test_from,
    }
    for part, mask in masks.items():
        require(
            bool(mask.sum() >= (2 if part == "train" else 1)), f"{name}: --split-time needs more distinct times", part
        )
    return {part: torch.as_tensor(mask.nonzero()[0]) for part, mask in masks.items()}


def in_order(name: str, times: Any) -> Any:
    """Numbers in the order of the times, which are numbers or dates that begin with the year."""
    import pandas as pd

    if times.dtype.kind in "iuf":
        return times.to_numpy(dtype=np.float64)
    text = times.astype(str).str.strip()
    years_first = bool(text.str.match(r"\d{4}\D").all())
    if years_first and are_dates(text.value_counts().to_dict()):
        found = pd.to_datetime(text, errors="coerce", format="mixed", utc=True)
        if found.notna().all():
            return found.astype("int64").to_numpy()
    example = next((cell for cell in text if not (cell[:4].isdigit() and len(cell) > 4)), text.iloc[0])
    raise InputError(
        f"{name}: --split-time needs numbers, or dates that begin with the year, such as 2024-12-31, "
        f"but {example!r} was given"
    )
