"""Ranges as Optuna distributions, and as the JSON that is stored; nothing else in this package imports Optuna."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
    json_to_distribution,
)

from search_spaces.errors import InputError
from search_spaces.ranges import Choice, Float, Integer, Range


def as_distribution(searched: Range) -> BaseDistribution:
    """The distribution that Optuna records for a parameter with this range."""
    match searched:
        case Float(low, high, log):
            return FloatDistribution(low, high, log=log)
        case Integer(low, high):
            return IntDistribution(low, high)
        case Choice(options):
            return CategoricalDistribution(options)


def as_range(distribution: BaseDistribution) -> Range:
    """The inverse of `as_distribution`; raises InputError for a step or a log scale of integers."""
    match distribution:
        case FloatDistribution(low=low, high=high, log=log, step=None):
            return Float(low, high, log)
        case IntDistribution(low=low, high=high, log=False, step=1):
            return Integer(low, high)
        case CategoricalDistribution(choices=choices):
            return Choice(choices)
    raise InputError(f"a range must have no step, and no log scale for integers, but {distribution} was given")


def range_to_json(searched: Range) -> dict[str, Any]:
    """A range as it is stored: the object that Optuna's `distribution_to_json` writes."""
    stored: dict[str, Any] = json.loads(distribution_to_json(as_distribution(searched)))
    return stored


def range_from_json(stored: Mapping[str, Any]) -> Range:
    """The range that `range_to_json` stored."""
    return as_range(json_to_distribution(json.dumps(stored)))
