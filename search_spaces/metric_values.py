"""The numbers of an evaluation by name, such as `val_error` and `test_error`: which of them is the metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from search_spaces.errors import InputError


def metric_name(values: Mapping[str, float], metric: str | None) -> str:
    """The name of the metric without `val_`; metric: the one asked for, None if nobody did.

    Raises InputError if it is not among the values, or is not clear.
    """
    names = [name.removeprefix("val_") for name in values if not name.startswith("test_")]
    if metric is not None:
        if metric.removeprefix("val_") not in names:
            raise InputError(
                f"the metric {metric!r} is missing: the evaluation has {', '.join(values)}; check --metric"
            )
        return metric.removeprefix("val_")
    validation = [name for name in values if name.startswith("val_")]
    found = [name.removeprefix("val_") for name in validation] or names
    if len(found) != 1:
        raise InputError(f"which of {', '.join(values)} is the metric? Name it with --metric")
    return found[0]


def value_on(split: Literal["val", "test"], values: Mapping[str, float], metric: str) -> float | None:
    """The metric on `val` or `test`; None if it was not given."""
    if split == "val":
        return values.get(f"val_{metric}", values.get(metric))
    return values.get(f"test_{metric}")


def observable(values: Mapping[str, float], metric: str, sign: int) -> float:
    """What a schedule may observe: lower is better. sign: -1 if a larger metric is the better one.

    A positive metric that is to be large is observed as 1 / metric, so that relative improvements stay the same.
    """
    value = value_on("val", values, metric)
    if value is None:
        raise InputError(f"the metric {metric!r} is missing: the evaluation has {', '.join(values)}")
    if sign > 0:
        return value
    return 1 / value if value > 0 else -value
