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
    """The mean and its Student t interval; of fewer than two values, or of equal ones, an interval of no width.

    For the difference of two arms over the same seeds, give the differences: the interval is then the paired one.
    """
    mean = float(np.mean(values))
    if len(values) < 2 or np.ptp(values) == 0:
        return Interval(mean, mean, mean, len(values))
    interval = stats.ttest_1samp(values, 0.0).confidence_interval(level)
    return Interval(mean, float(interval.low), float(interval.high), len(values))
