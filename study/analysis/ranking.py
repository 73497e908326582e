"""Arms ranked on test over paired seeds, which of them differ, and how much of a result is chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from study.analysis.statistics import Interval, finite, holm, mean_interval, probability_of_improvement, wilcoxon_p

LEVEL = 0.05
"""An adjusted p-value below it counts as a difference."""
DECIMALS = 12
"""Differences and means that agree to this many decimals are equal: 0.3 - 0.2 and 0.2 - 0.1 are not, in floats."""

RULE = """\
For each family, the one schedule that its search chose on validation is trained again with fresh training seeds, the
same for every family, and evaluated once on test. (With fewer than 10 seeds no difference among fifteen families can be
significant.) The test values are compared seed by seed. Which families are worse than the best, the one with the best
mean? Which differ from the control, the constant learning rate? Each difference is tested by Wilcoxon's exact
signed-rank test, two-sided; within each of the two questions the p-values are corrected by Holm's method. A family
whose corrected p-value against the best is 0.05 or more is statistically tied with it. Intervals (95 % BCa bootstrap,
per family) are shown for information and play no part in the decision.

Not claimed: that tied families are equal (the test is inconclusive); how far ahead the best is, or that a verdict
against it is wrong in only 5 % of comparisons, because it was picked on the same seeds; anything about two families of
which neither is the best or the control; anything about another search for the same family, another workload or another
budget.
"""
"""The rule by which families are compared, written before there were results; a report prints it above them."""


@dataclass(frozen=True)
class Standing:
    """One arm among others. Differences are paired by seed, the arm's values less the other's, in the values' unit."""

    name: str
    mean: Interval
    to_best: Interval
    p_best: float
    """Against the best, adjusted for the number of arms besides it."""
    to_control: Interval | None
    p_control: float | None
    """Against the control, adjusted for the number of arms besides it."""
    improvement: float | None
    """The chance that a run of this arm is better than a run of the control with any other seed."""

    @property
    def n(self) -> int:
        """Seeds."""
        return self.mean.n

    @property
    def tied_with_best(self) -> bool:
        """Whether the difference from the best is not significant; true of the best."""
        return self.p_best >= LEVEL


def standings(values: Mapping[str, Sequence[float]], direction: str, control: str = "constant") -> list[Standing]:
    """The arms by mean, best first, equal ones by name.

    values: for each arm one value per seed, the same seeds in the same order. direction: minimize or maximize.
    An arm compared with itself has difference 0, p 1 and improvement one half, and is not counted in a correction.
    Without the control among the arms, the fields on the control are None.

    The best arm is chosen on the seeds that it is then compared on, which favours it (the winner's curse): by chance
    more arms are called worse than LEVEL says. The control is chosen beforehand, so LEVEL holds there.
    """
    sign = {"minimize": 1, "maximize": -1}.get(direction)
    if sign is None:
        raise ValueError(f"the direction must be minimize or maximize: got {direction!r}")
    arms: dict[str, list[float]] = {name: finite(of_arm).tolist() for name, of_arm in values.items()}
    if len({len(of_arm) for of_arm in arms.values()}) != 1:
        counts = ", ".join(f"{name} {len(of_arm)}" for name, of_arm in arms.items())
        raise ValueError(f"at least one arm is required, all with the same number of values: got {counts or 'none'}")
    means = {name: mean_interval(of_arm) for name, of_arm in arms.items()}
    order = sorted(arms, key=lambda name: (round(sign * means[name].mean, DECIMALS), name))
    best = order[0]
    p_best = p_against(arms, best)
    p_control = p_against(arms, control) if control in arms else None
    return [
        Standing(
            name,
            means[name],
            mean_interval(gaps(arms[name], arms[best])),
            p_best[name],
            mean_interval(gaps(arms[name], arms[control])) if p_control else None,
            p_control[name] if p_control else None,
            probability_of_improvement(arms[name], arms[control], sign) if p_control else None,
        )
        for name in order
    ]


def p_against(arms: Mapping[str, Sequence[float]], other: str) -> dict[str, float]:
    """The adjusted p-value of each arm against another of them; 1 against itself, which is not counted."""
    names = [name for name in arms if name != other]
    adjusted = holm([wilcoxon_p(gaps(arms[name], arms[other])) for name in names])
    return {other: 1.0, **dict(zip(names, adjusted, strict=True))}


def gaps(a: Sequence[float], b: Sequence[float]) -> list[float]:
    """The paired differences, a less b, to DECIMALS."""
    return [round(own - other, DECIMALS) for own, other in zip(a, b, strict=True)]


def seeds_needed(comparisons: int, level: float = LEVEL) -> int:
    """The fewest paired seeds with which one of this many comparisons can be significant at all.

    This is reached if all seeds agree: Wilcoxon's exact two-sided p is then 2 / 2**seeds, and Holm multiplies the
    smallest p by the number of comparisons. If one seed disagrees, or shows a difference of 0, more are needed.

    >>> seeds_needed(1), seeds_needed(14), seeds_needed(105)
    (6, 10, 13)
    """
    if comparisons < 1 or not 0 < level <= 1:
        raise ValueError(f"at least 1 comparison and a level in (0, 1] are required: got {comparisons}, {level}")
    seeds = 1
    while comparisons * 2 / 2**seeds >= level:
        seeds += 1
    return seeds


def variance_split(values: Sequence[Sequence[float]]) -> tuple[float, float]:
    """The standard deviation of a result between searches and between training seeds, in its unit.

    values: a row for each repeat of the whole search, with its winner's values over fresh training seeds; two rows or
    more, of equal length, two or more. The one-way random-effects analysis of variance, by moments (Searle, Casella &
    McCulloch 1992, section 3.5): a value is its search's level plus its seed's deviation. The search's variance is 0
    if the rows' means differ by less than their seeds explain.

    Each row needs training seeds of its own. The effect of seeds that the rows share moves all rows alike, so it would
    count for the seeds but not between the rows, and the deviation of the search would be too small.
    """
    rows = [finite(row) for row in values]
    lengths = [len(row) for row in rows]
    if len(rows) < 2 or len(set(lengths)) != 1 or lengths[0] < 2:
        raise ValueError(f"at least two rows of equal length, at least 2, are required: got lengths {lengths}")
    table = np.stack(rows)
    within = float(np.mean(np.var(table, axis=1, ddof=1)))
    between = float(np.var(np.mean(table, axis=1), ddof=1))
    return max(0.0, between - within / table.shape[1]) ** 0.5, within**0.5
