"""Ways of searching, compared: tables, from the rows of their searches."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean

from study.analysis.statistics import mean_interval, median_interval
from study.evidence.searches.evaluated_search import EvaluatedSearch, Incumbent, Unit
from study.reports.markdown import table

CLOSE = 0.5
"""Points within which a regret is close."""


def of_arm(rows: Sequence[EvaluatedSearch], arm: str) -> list[EvaluatedSearch]:
    """The rows of one arm, by search seed."""
    return sorted((row for row in rows if row.arm == arm), key=lambda row: row.search_seed)


def of_workload(rows: Sequence[EvaluatedSearch], workload: str) -> list[EvaluatedSearch]:
    """The rows of one workload."""
    return [row for row in rows if row.workload == workload]


def incumbent_at(row: EvaluatedSearch, spent: float, unit: Unit = "epochs") -> Incumbent | None:
    """The incumbent when this was spent; None before the first one."""
    reached = (one for one in row.incumbents if getattr(one, unit) <= spent)
    return max(reached, key=lambda one: one.epochs, default=None)


def regret_at(row: EvaluatedSearch, spent: float, best: float, unit: Unit = "epochs") -> float:
    """Points of test error over the best known schedule's, when this was spent; NaN before the first incumbent."""
    found = incumbent_at(row, spent, unit)
    return 100 * (found.error - best) if found else math.nan


def close_from(row: EvaluatedSearch, best: float, epochs: float) -> Incumbent | None:
    """The incumbent from which on all were within CLOSE points of the best known; None if the last one is not.

    epochs: what was spent later does not count.
    """
    found = None
    for one in (one for one in row.incumbents if one.epochs <= epochs):
        near = 100 * (one.error - best) <= CLOSE + 1e-9
        found = (found or one) if near else None
    return found


def table_after(rows: Sequence[EvaluatedSearch], arms: Sequence[str], best: float, full_epochs: float) -> str:
    """Markdown: what each arm has found with the same number of trials, and what it cost.

    best: the error of the best known schedule. full_epochs: what the trials take unpruned.
    """
    heads = ["arm", "n", "regret", *(f"against {arm}" for arm in arms[:2])]
    heads += [f"epochs of {full_epochs:.0f}", "seconds", "lost the best", "ms per trial besides"]
    lines = []
    for arm in arms:
        own = of_arm(rows, arm)
        epochs = fmean(row.epochs for row in own)
        cost = [f"{epochs:.0f} ({epochs / full_epochs:.0%})", f"{fmean(row.seconds for row in own):.1f}"]
        besides = [row.overhead for row in own if row.overhead is not None]
        cost += [share_lost(own), f"{fmean(besides):.1f}" if besides else "-"]
        lines.append([arm, *mean_and_gaps(rows, arms, arm, lambda row: 100 * (row.error - best)), *cost])
    return table(heads, lines)


def table_equal(rows: Sequence[EvaluatedSearch], arms: Sequence[str], best: float, full_epochs: float) -> str:
    """Markdown: what each arm has found when it has spent the epochs that the trials take unpruned, and how soon.

    The arguments are as for `table_after`.
    """
    heads = ["arm", "n", "regret at 25 %", f"against {arms[0]} at 100 %", "regret at 100 %"]
    heads += [f"against {arm}" for arm in arms[:2]]
    heads += [f"epochs to within {CLOSE}", "seconds", "not within"]
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
    """Markdown: the means over the workloads, in pairs of equal search seeds; at equal trials, and equal epochs."""
    heads = ["arm", "n", "regret, equal trials", *(f"against {arm}" for arm in arms[:2]), "epochs", "lost the best"]
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
    """n, an arm's mean, and its paired differences to the first two arms; a pair is a search seed."""
    own = by_seed(rows, arm, measure)
    cells = [str(len(own)), f"{mean_interval(list(own.values())):.2f}"]
    for other in arms[:2]:
        theirs = by_seed(rows, other, measure)
        both = [seed for seed in own if seed in theirs]
        gap = mean_interval([own[seed] - theirs[seed] for seed in both])
        cells.append("-" if other == arm else f"{gap:+.2f}")
    return cells


def by_seed(rows: Sequence[EvaluatedSearch], arm: str, measure: Callable[[EvaluatedSearch], float]) -> dict[int, float]:
    """A measure of an arm by search seed: its mean over the workloads, of the seeds that all of them have."""
    workloads = {row.workload for row in rows}
    found: dict[int, list[float]] = {}
    for row in of_arm(rows, arm):
        found.setdefault(row.search_seed, []).append(measure(row))
    return {seed: fmean(values) for seed, values in found.items() if len(values) == len(workloads)}


def share_lost(rows: Sequence[EvaluatedSearch]) -> str:
    """The share of the searches that lost the best."""
    return "-" if rows[0].lost is None else f"{sum(bool(row.lost) for row in rows) / len(rows):.0%}"
