"""The verdict of a comparison of families in words: for each budget the best family, and what is tied with it."""

from __future__ import annotations

from collections.abc import Sequence

from study.analysis.cost import Cost
from study.analysis.family_results import by_budget, ranking
from study.analysis.ranking import seeds_needed
from study.analysis.statistics import Interval
from study.objective import length_in_words
from study.reports.failed_runs import comparison_failures, why_unknown
from study.storage.study_record import StudyRecord


def comparison_lines(studies: Sequence[StudyRecord]) -> list[str]:
    """The verdict on these studies, without markup: the lines of each budget, then the cost."""
    budgets = by_budget(studies) if studies else {}
    return [line for epochs, own in budgets.items() for line in budget_lines(epochs, own)] + cost_lines(studies)


def budget_lines(epochs: int, studies: Sequence[StudyRecord]) -> list[str]:
    """The best family of one budget, by the mean over fresh seeds, and the families that are tied with it."""
    standings, length = ranking(studies), length_in_words(epochs, studies[0].settings.unit)
    lost = [f"  {line}" for line in comparison_failures(studies)]
    if not standings:
        return [f"Best at {length}: unknown, {why_unknown(studies)}.", *lost]
    best, *others = standings
    mean = mean_in_words(studies[0], best.mean)
    name = studies[0].metric.name
    lines = [f"Best at {length}: {best.name}, test {name} {mean} over {best.n} fresh seeds", *lost]
    tied = [one.name for one in others if one.tied_with_best]
    if not others:
        return lines
    if best.n < (needed := seeds_needed(len(others))):
        return [*lines, f"  ties: inconclusive, {len(standings)} families need at least {needed} seeds to differ"]
    return [*lines, f"  statistically tied with it: {', '.join(tied) or 'no other family'}"]


def mean_in_words(study: StudyRecord, mean: Interval) -> str:
    """A mean of the test metric with its 95 % interval."""
    return f"{mean.points:.1f} %" if study.metric.counts_rows else f"{mean:.4g}"


def cost_lines(studies: Sequence[StudyRecord]) -> list[str]:
    """What tuning and confirming have cost."""
    costs = [Cost.of(study) for study in studies]
    trials, tuned = sum(cost.trials for cost in costs), sum(cost.epochs for cost in costs)
    confirmed = sum(len(study.confirmed.seeds) * study.settings.epochs for study in studies if study.confirmed)
    what = f"{len(studies)} stud{'y' if len(studies) == 1 else 'ies'}, {trials} trials"
    if not studies:
        return []
    return [f"Cost: {what}, {tuned:.0f} {studies[0].settings.unit} to tune and {confirmed} to confirm"]
