"""Intervals for means; imports nothing of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats


class Interval(NamedTuple):
    """A mean and the ends of its confidence interval, in the unit of the values; n values."""

    mean: float
    low: float
    high: float
    n: int


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean and its BCa bootstrap interval (Efron 1987), which allows for skew; the resampling seed is fixed.

    Of fewer than two values, or of equal ones, the interval has no width; where one is NaN all is. For the difference
    of two arms over the same seeds, give the differences: the interval is then the paired one.
    """
    mean = float(np.mean(values))
    if len(values) < 2 or np.ptp(values) == 0 or np.isnan(mean):
        return Interval(mean, mean, mean, len(values))
    found = stats.bootstrap(
        (values,), np.mean, n_resamples=10_000, confidence_level=level, method="BCa", rng=np.random.default_rng(0)
    )
    low, high = found.confidence_interval
    return Interval(mean, float(low), float(high), len(values))
