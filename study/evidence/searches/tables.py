"""The tables of a comparison of searches, from its rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean

from study.analysis.statistics import mean_interval, median_interval
from study.evidence.searches.evaluated_search import EvaluatedSearch, Incumbent, Unit
from study.reports.markdown import table

CLOSE = 0.5
"""A regret of at most this many points is close."""


def of_arm(rows: Sequence[EvaluatedSearch], arm: str) -> list[EvaluatedSearch]:
    """The rows of one arm, ordered by search seed."""
    return sorted((row for row in rows if row.arm == arm), key=lambda row: row.search_seed)


def of_workload(rows: Sequence[EvaluatedSearch], workload: str) -> list[EvaluatedSearch]:
    """The rows of one workload."""
    return [row for row in rows if row.workload == workload]


def incumbent_at(row: EvaluatedSearch, spent: float, unit: Unit = "epochs") -> Incumbent | None:
    """The incumbent after spending `spent`; None before the first one."""
    reached = (one for one in row.incumbents if getattr(one, unit) <= spent)
    return max(reached, key=lambda one: one.epochs, default=None)


def regret_at(row: EvaluatedSearch, spent: float, best: float, unit: Unit = "epochs") -> float:
    """Regret in points of test error after spending `spent`; NaN before the first incumbent. best: lowest error."""
    found = incumbent_at(row, spent, unit)
    return 100 * (found.error - best) if found else math.nan


def close_from(row: EvaluatedSearch, best: float, epochs: float) -> Incumbent | None:
    """The first incumbent from which on all are within CLOSE points of the best known; None if the last one is not.

    epochs: later incumbents are ignored.
    """
    found = None
    for one in (one for one in row.incumbents if one.epochs <= epochs):
        near = 100 * (one.error - best) <= CLOSE + 1e-9
        found = (found or one) if near else None
    return found


def table_after(rows: Sequence[EvaluatedSearch], arms: Sequence[str], best: float, full_epochs: float) -> str:
    """Markdown: the result of each arm after the same number of trials, and its cost.

    best: the error of the best known schedule. full_epochs: the epochs of an unpruned search.
    """
    heads = ["arm", "n", "regret", *(f"against {arm}" for arm in arms[:2])]
    heads += [f"epochs of {full_epochs:.0f}", "seconds", "missed the best", "ms per trial outside training"]
    lines = []
    for arm in arms:
        own = of_arm(rows, arm)
        epochs = fmean(row.epochs for row in own)
        cost = [f"{epochs:.0f} ({epochs / full_epochs:.0%})", f"{fmean(row.seconds for row in own):.1f}"]
        overheads = [row.overhead for row in own if row.overhead is not None]
        cost += [share_lost(own), f"{fmean(overheads):.1f}" if overheads else "-"]
        lines.append([arm, *mean_and_gaps(rows, arms, arm, lambda row: 100 * (row.error - best)), *cost])
    return table(heads, lines)


def table_equal(rows: Sequence[EvaluatedSearch], arms: Sequence[str], best: float, full_epochs: float) -> str:
    """Markdown: the result of each arm after the epochs of an unpruned search, and how soon it was close.

    See `table_after` for the arguments.
    """
    heads = ["arm", "n", "regret at 25 %", f"against {arms[0]} at 100 %", "regret at 100 %"]
    heads += [f"against {arm}" for arm in arms[:2]]
    heads += [f"epochs to within {CLOSE}", "seconds", "never within"]
    ends = by_seed(rows, arms[0], lambda row: regret_at(row, full_epochs, best))
    lines = []
    for arm in arms:
        own = of_arm(rows, arm)
        quarters = by_seed(rows, arm, lambda row: regret_at(row, full_epochs / 4, best))
        quarter = mean_interval(list(quarters.values()))
        behind = mean_interval([quarters[seed] - ends[seed] for seed in quarters if seed in ends])
        n, regret, *against = mean_and_gaps(rows, arms, arm, lambda row: regret_at(row, full_epochs, best))
        close = [close_from(row, best, full_epochs) for row in own]
        shares = median_interval([one.epochs / full_epochs if one else math.inf for one in close])
        seconds = median_interval([one.seconds if one else math.inf for one in close])
        never = sum(one is None for one in close) / len(own)
        soon = [f"{shares:.0%}", f"{seconds:.1f}"]
        lines.append([arm, n, f"{quarter:.2f}", f"{behind:+.2f}", regret, *against, *soon, f"{never:.0%}"])
    return table(heads, lines)


def table_overall(
    rows: Sequence[EvaluatedSearch],
    arms: Sequence[str],
    best: dict[str, float],
    full_epochs: dict[str, float],
    equal_epochs: bool,
) -> str:
    """Markdown: means over the workloads, paired by search seed, at equal trials and, if asked for, equal epochs."""
    heads = ["arm", "n", "regret, equal trials", *(f"against {arm}" for arm in arms[:2]), "epochs", "missed the best"]
    heads += ["regret, equal epochs", *(f"against {arm}" for arm in arms[:2])] if equal_epochs else []
    lines = []
    for arm in arms:
        epochs = fmean(row.epochs / full_epochs[row.workload] for row in of_arm(rows, arm))
        after = mean_and_gaps(rows, arms, arm, lambda row: 100 * (row.error - best[row.workload]))
        line = [arm, *after, f"{epochs:.0%}", share_lost(of_arm(rows, arm))]
        if equal_epochs:
            line += mean_and_gaps(
                rows, arms, arm, lambda row: regret_at(row, full_epochs[row.workload], best[row.workload])
            )[1:]
        lines.append(line)
    return table(heads, lines)


def mean_and_gaps(
    rows: Sequence[EvaluatedSearch], arms: Sequence[str], arm: str, measure: Callable[[EvaluatedSearch], float]
) -> list[str]:
    """n, the mean of an arm, and its differences to the first two arms, paired by search seed."""
    own = by_seed(rows, arm, measure)
    cells = [str(len(own)), f"{mean_interval(list(own.values())):.2f}"]
    for other in arms[:2]:
        theirs = by_seed(rows, other, measure)
        both = [seed for seed in own if seed in theirs]
        gap = mean_interval([own[seed] - theirs[seed] for seed in both])
        cells.append("-" if other == arm else f"{gap:+.2f}")
    return cells


def by_seed(rows: Sequence[EvaluatedSearch], arm: str, measure: Callable[[EvaluatedSearch], float]) -> dict[int, float]:
    """A measure of an arm by search seed, averaged over the workloads; seeds that a workload lacks are left out."""
    workloads = {row.workload for row in rows}
    found: dict[int, list[float]] = {}
    for row in of_arm(rows, arm):
        found.setdefault(row.search_seed, []).append(measure(row))
    return {seed: fmean(values) for seed, values in found.items() if len(values) == len(workloads)}


def share_lost(rows: Sequence[EvaluatedSearch]) -> str:
    """The fraction of searches that missed the best schedule."""
    return "-" if rows[0].lost is None else f"{sum(bool(row.lost) for row in rows) / len(rows):.0%}"
