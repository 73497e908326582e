"""Columns that give the target away: a copy of it, a number of the row in a sorted file, a value known only later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_ROWS = 2000
"""Training rows that are looked at."""
LEFT_TO_GUESS = 0.02
"""A column gives the target away if it leaves at most this fraction of the error of a guess."""
LEAST_WRONG = 5
"""Wrong guesses that are needed to tell: nearly all rows may have one class."""


def leaks(columns: Any, target: NDArray[Any], classes: bool) -> Iterator[str]:
    """The names of columns of which each alone predicts the target.

    A row gets the target of the row whose value is the nearest: even rows learn, odd rows are predicted.
    columns: a DataFrame of the training rows. target: theirs. classes: whether the target is one.
    """
    step = max(1, len(target) // MOST_ROWS)
    some, y = columns.iloc[::step], target[::step]
    learnt, asked = slice(0, None, 2), slice(1, None, 2)
    if classes:
        _, y = np.unique(y, return_inverse=True)
        usual = np.bincount(y[learnt]).argmax()
        guess = float((y[asked] != usual).sum())
        if guess < LEAST_WRONG:
            return
    else:
        y = y.astype(np.float64)
        guess = float(np.square(y[asked] - y[learnt].mean(0)).sum())
    for name in some.columns:
        values = numbers_of_column(some[name])
        found = y[learnt][nearest(values[learnt], values[asked])]
        wrong = (found != y[asked]).sum() if classes else np.square(found - y[asked]).sum()
        if wrong <= LEFT_TO_GUESS * guess:
            yield str(name)


def numbers_of_column(cells: Any) -> NDArray[np.float64]:
    """The cells as numbers: categories as numbers of their order, empty cells as the median."""
    if cells.dtype.kind not in "biuf":
        return np.unique(cells.fillna("").astype(str).to_numpy(dtype=np.str_), return_inverse=True)[1].astype(
            np.float64
        )
    values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    empty = np.isnan(values)
    return np.where(empty, np.median(values[~empty]) if not empty.all() else 0.0, values)


def nearest(known: NDArray[np.float64], asked: NDArray[np.float64]) -> NDArray[np.intp]:
    """The positions of the nearest known values."""
    order = np.argsort(known, kind="stable")
    right = np.clip(np.searchsorted(known[order], asked), 1, len(known) - 1)
    left_is_nearer = asked - known[order][right - 1] <= known[order][right] - asked
    return order[right - left_is_nearer]
