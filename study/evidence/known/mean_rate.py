"""Whether the mean learning rate of a run explains its value: with few steps, the schedule that learns most may win.

Only peaks up to the best one are compared, and not those far below, where every value follows the peak.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scipy import stats

from study.analysis.family_results import by_budget
from study.evidence.known.known_results import Benchmark
from study.reports.markdown import escaped, table
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

WITHIN = 8.0
"""Factor by which a peak may be below that of the best trial; above it, some runs become unstable."""
FEWEST = 8
"""Trials for a correlation to say anything."""


class MeanRate(NamedTuple):
    """At one budget of a benchmark, named by `where`: rank correlations (Spearman), over n trials of all families.

    of_mean, of_peak: of the validation value with the mean learning rate of the run, and with its peak; -1 if a higher
    rate always has the better value.
    """

    where: str
    n: int
    of_mean: float
    of_peak: float


def mean_rates(benchmark: Benchmark) -> Iterator[MeanRate]:
    """One for each budget with enough trials."""
    for budget, studies in by_budget(benchmark.studies).items():
        trials = near_best(studies)
        if len(trials) >= FEWEST:
            sign, steps = studies[0].metric.sign, studies[0].total_steps
            values = [sign * trial.value for trial in trials]
            means = [trial.schedule.rates(steps).mean() for trial in trials]
            found = [stats.spearmanr(x, values).statistic for x in (means, [trial.peak_lr for trial in trials])]
            yield MeanRate(benchmark.at(budget), len(trials), *map(float, found))


def near_best(studies: Sequence[StudyRecord]) -> list[TrialRecord]:
    """The full runs whose peak is that of the best of them or somewhat lower; not of schedules whose rates depend on
    the losses, nor of those that replace the optimizer."""
    every = [
        trial
        for study in studies
        for trial in study.trials
        if trial.complete and not (trial.diverged or trial.schedule.evaluations or trial.schedule.replaces_optimizer)
    ]
    if not every:
        return []
    sign = studies[0].metric.sign
    best = min(every, key=lambda trial: sign * trial.value).peak_lr
    return [trial for trial in every if best / WITHIN <= trial.peak_lr <= best]


def mean_rate_table(benchmarks: Sequence[Benchmark]) -> str:
    """Markdown: what is compared, and a row for each benchmark and budget."""
    rows = [
        [escaped(one.where), str(one.n), f"{one.of_mean:.2f}", f"{one.of_peak:.2f}"]
        for benchmark in benchmarks
        for one in mean_rates(benchmark)
    ]
    said = (
        "Rank correlations (Spearman) of the validation value, lower is better, over the full runs of all families "
        f"whose peak is that of the best one, or at most {WITHIN:g} times lower. The nearer the correlation "
        "with the mean rate is to -1, and the weaker the one with the peak, the less the shape matters beyond its mean "
        "rate: a family may then rank first only because its tuning found high rates."
    )
    return f"{said}\n\n{table(['workload', 'runs', 'with the mean rate', 'with the peak'], rows)}"
