"""Intervals, tests and other statistics of samples; imports nothing of this project."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats


class Interval(NamedTuple):
    """A mean and the ends of its confidence interval, in the unit of the values; n values."""

    mean: float
    low: float
    high: float
    n: int

    def __format__(self, spec: str) -> str:
        """The mean and both ends, each by the format of a number; a dash for what is not finite, or for all of it.

        >>> f"{Interval(0.5, 0.25, 1, n=3):+.2f}"
        '+0.50 [+0.25, +1.00]'
        >>> f"{Interval(0.5, 0.25, math.inf, n=3):+.2f}"
        '+0.50 [+0.25, -]'
        """
        mean, low, high = (f"{value:{spec}}" if np.isfinite(value) else "-" for value in self[:3])
        return f"{mean} [{low}, {high}]" if mean != "-" else "-"

    @property
    def points(self) -> Interval:
        """Of a share: the same in hundredths."""
        return Interval(100 * self.mean, 100 * self.low, 100 * self.high, self.n)


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean and its BCa bootstrap interval (Efron 1987), which allows for skew; the resampling seed is fixed.

    For fewer than two values, or equal ones, the interval has no width; if a value is NaN, all is NaN. For two arms
    over the same seeds, give their differences: the interval is then the paired one.
    """
    mean = float(np.mean(values))
    if len(values) < 2 or np.ptp(values) == 0 or np.isnan(mean):
        return Interval(mean, mean, mean, len(values))
    found = stats.bootstrap(
        (values,), np.mean, n_resamples=10_000, confidence_level=level, method="BCa", rng=np.random.default_rng(0)
    )
    low, high = found.confidence_interval
    return Interval(mean, float(low), float(high), len(values))


def t_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean and its interval by Student's t, for a few values, with which a bootstrap interval is too narrow.

    Equal values have an interval without width, and a single value one without ends. For two arms over the same seeds,
    give their differences.
    """
    found = finite(values)
    if len(found) < 2:
        return Interval(float(found[0]), -math.inf, math.inf, len(found))
    if np.ptp(found) == 0:  # their mean may be another number, by rounding
        return Interval(float(found[0]), float(found[0]), float(found[0]), len(found))
    mean = float(found.mean())
    half = float(stats.t.ppf((1 + level) / 2, len(found) - 1) * stats.sem(found))
    return Interval(mean, mean - half, mean + half, len(found))


def deviation(interval: Interval, level: float = 0.95) -> float:
    """The standard deviation of the values that a `t_interval` of this level was made of, two or more."""
    half = (interval.high - interval.low) / 2
    return half * math.sqrt(interval.n) / float(stats.t.ppf((1 + level) / 2, interval.n - 1))


def median_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The median, in the place of a mean, and its interval from the order statistics, of at least that level.

    It assumes nothing about the values, which may be infinite. With too few values for an end, the end is infinite.
    """
    median = float(np.median(values))
    low, high = stats.quantile_test(np.asarray(values), p=0.5).confidence_interval(level)
    low, high = (-math.inf if np.isnan(low) else float(low)), (math.inf if np.isnan(high) else float(high))
    return Interval(median, low, high, len(values))


def finite(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """The values as an array; raises ValueError if it is empty, or a value is NaN or infinite."""
    found = np.asarray(values, dtype=np.float64)
    if not found.size or not np.isfinite(found).all():
        raise ValueError(f"finite numbers are required, at least one: got {found.tolist()}")
    return found


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of several comparisons, adjusted for their number (Holm 1979), in the order given.

    Who acts on those below a level has a chance of at most that level of even one false call among them, however they
    depend on each other. The smallest of m is multiplied by m, the next by m - 1 and so on; an adjusted one is never
    below that of a smaller p-value, and never above 1.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p-values from 0 to 1 are required: got {p.tolist()}")
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return [float(one) for one in adjusted]


def wilcoxon_p(differences: Sequence[float]) -> float:
    """The two-sided p-value of Wilcoxon's signed-rank test for paired differences: are they symmetric about 0?

    Exact, also with ties and zeros: the chance that fair signs give a rank sum at least as far from its middle.
    (scipy's is exact with ties up to 13 pairs only; errors that count rows of a test split tie nearly always.)
    Equal magnitudes share their mean rank. Zeros are ranked with the others, then left out (Pratt 1959): were they
    left out first, raising every difference could make a significant increase insignificant. All zeros: 1.
    """
    values = finite(differences)
    # Twice the rank: a shared one may end in a half.
    ranks = (2 * stats.rankdata(np.abs(values))).astype(int)
    plus, minus = int(ranks[values > 0].sum()), int(ranks[values < 0].sum())
    chance = np.zeros(plus + minus + 1)
    chance[0] = 1  # chance[s]: that the ranks so far, each with a fair sign, give the positive ones a sum of s
    for rank in ranks[values != 0]:
        chance = (chance + np.roll(chance, rank)) / 2  # what rolls over the end is 0: no sum is as large yet
    return min(1.0, 2 * float(chance[: min(plus, minus) + 1].sum()))


def probability_of_improvement(a: Sequence[float], b: Sequence[float], sign: int) -> float:
    """The chance, 0 to 1, that a value of `a` is better than one of `b`, each drawn by itself; a tie counts one half.

    sign: 1 if smaller is better, -1 if larger is. Mann-Whitney's U over the number of pairs (Agarwal 2021). Every
    value meets every other, whatever seeds they share: this is about two runs of different seeds, not about one seed.
    """
    own, other = sign * finite(a)[:, None], sign * finite(b)
    return float(np.mean((own < other) + 0.5 * (own == other)))


def product_term(
    first: Sequence[float], second: Sequence[float], values: Sequence[float], level: float = 0.95
) -> Interval | None:
    """The coefficient of `first` times `second` in a quadratic least-squares fit of the values, and its t interval.

    The fit has a constant, both, their squares and their product; all three samples are standardised, so the
    coefficient is in standard deviations of the values. It is 0 on average if the effects of both add up and each is
    about quadratic. None if the fit is not unique, or at most six values are given. Equal noise in all is assumed.
    """
    samples = [finite(one) for one in (first, second, values)]
    n, terms = len(values), 6
    if n <= terms or any(np.ptp(one) == 0 for one in samples):
        return None
    p, d, value = (stats.zscore(one) for one in samples)
    design = np.column_stack([p * d, np.ones(n), p, d, p**2, d**2])
    coefficients, _, rank, _ = np.linalg.lstsq(design, value)
    if rank < terms:
        return None
    variance = float(np.sum((value - design @ coefficients) ** 2)) / (n - terms)
    error = math.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0])
    found, half = float(coefficients[0]), float(stats.t.ppf((1 + level) / 2, n - terms)) * error
    return Interval(found, found - half, found + half, n)


def best_of_k(values: Sequence[float], sign: int) -> list[float]:
    """What the best of k of the n values is on average, in their unit, for k = 1 to n: the mean first, the best last.

    sign: 1 if smaller is better, -1 if larger is. The mean over all subsets of k, that is drawn *without*
    replacement: unbiased, and at k = n the best itself. Drawn with replacement (Dodge 2019) the best of k is on average
    too bad, the more so the nearer k is to n (Tang 2020).
    """
    n = len(finite(values))
    k = np.arange(1, n + 1)
    chance = k / n  # that the best of the k is the i-th best of all: C(n - i, k - 1) / C(n, k), from i to i + 1
    expected = np.zeros(n)
    for worse, value in zip(range(n - 1, -1, -1), np.sort(sign * finite(values)), strict=True):
        expected += chance * value
        chance *= (worse - k + 1) / max(worse, 1)
    return [float(sign * one) for one in expected]


def explained(values: np.ndarray, groups: np.ndarray) -> float:
    """The share of the variance that lies between groups (omega squared, which allows for their number)."""
    own = [values[groups == group] for group in np.unique(groups)]
    total = float(np.sum((values - values.mean()) ** 2))
    between = float(sum(len(group) * (group.mean() - values.mean()) ** 2 for group in own))
    within = (total - between) / (len(values) - len(own))
    return max(0.0, (between - (len(own) - 1) * within) / (total + within))
