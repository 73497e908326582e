"""What a user's training says of an evaluation: a number, (step, number), or numbers by name."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import torch

from search_spaces.errors import InputError

UNNAMED = "value"
"""The metric's name if nobody gives it one."""
FORMS = 'a number, (step, number), or a dict such as {"val_error": 0.1, "test_error": 0.2}'


def read_yielded(yielded: Any, metric: str | None) -> tuple[int | None, dict[str, float]]:
    """(step, numbers by name) of what was yielded; the step is None if it was not given.

    metric: the name of a number without one. Raises InputError for anything else.
    """
    step, values = None, yielded
    if isinstance(yielded, tuple):
        if len(yielded) != 2 or not is_whole(yielded[0]):
            raise InputError(f"yield {FORMS}, but {yielded!r} was yielded")
        step, values = int(yielded[0]), yielded[1]
    if not isinstance(values, Mapping):
        values = {f"val_{metric or UNNAMED}": values}
    if not values or not all(isinstance(name, str) for name in values):
        raise InputError(f"yield {FORMS}, but {yielded!r} was yielded")
    return step, {name: number(value, yielded) for name, value in values.items()}


def is_whole(value: Any) -> bool:
    """Whether this is a number of steps."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def number(value: Any, yielded: Any) -> float:
    """The value as a float, of a tensor or an array of one number too; raises InputError if it is not a number."""
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        return float(value.detach())
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    raise InputError(f"yield {FORMS}, but {yielded!r} was yielded")
