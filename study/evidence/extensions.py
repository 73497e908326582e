"""What a longer run loses if its schedule is extended from a short study, against a search at the long length.

For each sampler seed: a search at the short length with its finals, as `scripts/search.py` runs it, extended in several
ways, and a search at the long one. What each would use is evaluated by its test metric over the same fresh seeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import mean, median

from search_spaces.schedule import Schedule
from study.analysis.answer import recommended
from study.analysis.cost import Cost
from study.analysis.extension import ENOUGH_STEPS, Extension
from study.analysis.statistics import t_interval
from study.evidence.fresh_seeds import mean_test
from study.evidence.searched_study import objective_of, searched_study
from study.objective import FIRST_FRESH_SEED, Executor, Run
from study.search.configuration import MOST_LONGER_RUNS, Configuration
from study.search.confirm import LOOKS
from study.search.finals import SEEDS
from study.workloads.options import WorkloadOptions


@dataclass(frozen=True)
class ExtendedSearch:
    """One search seed. Metrics are means of the test metric at the long length, costs are full runs of that length.

    single: of the short study's best single run. winner: of the winner of its finals. kept: of the schedule that these
    recommend, winner or reference, as `scripts/extend.py` uses it. held: the same with lr x weight decay x steps held
    fixed. peaks: of the best of three of its peaks. finalists: of the best of the three finalists with the best means.
    searched: of the best full run of the long search.
    cost, finals: of the short study, without the runs that extend it, and of its finals. long_cost: of the long search.
    """

    search_seed: int
    single: float
    winner: float
    kept: float
    held: float
    peaks: float
    finalists: float
    searched: float
    cost: float
    finals: float
    long_cost: float


APART = 1.5
"""Ratio of neighbouring peaks."""
WAYS = {
    "single": ("best single run of the short study", 0),
    "winner": ("winner of its finals", 0),
    "kept": ("schedule that these recommend: the winner, or the reference if tied", 0),
    "held": ("the same, lr x weight decay x steps held fixed", 0),
    "peaks": ("the best of three of its peaks, one run each", MOST_LONGER_RUNS),
    "finalists": ("the best of the top three finalists, one run each", MOST_LONGER_RUNS),
}
"""By field: how a schedule for the longer run is chosen, and how many longer runs choose it."""


def extended_search(
    what: WorkloadOptions, search: Configuration, long: int, trials: int, seeds: int, search_seed: int, data_root: Path
) -> ExtendedSearch:
    """Search at both lengths with this sampler seed, extend, and evaluate.

    long: epochs of the longer run. seeds: fresh ones that evaluate what each would use.
    """
    objective, short = objective_of(what, data_root), replace(search, sampler_seed=search_seed)
    with searched_study(what, objective, short, trials) as study:
        for _ in study.run_finals(SEEDS):
            pass
        record = study.record
        sign, chosen = record.metric.sign, recommended(record)
        assert chosen is not None
        peak = best_of_runs(study.executor, other_peaks(chosen.schedule, record.total_steps), long, sign)
        best = [trial.schedule for trial in Extension.of(record, long, MOST_LONGER_RUNS).trials]
        finalist = best_of_runs(study.executor, best, long, sign)
    with searched_study(what, objective, replace(short, epochs=long), trials) as study:
        whole = study.record
    assert record.finals is not None
    assert record.finals.winner is not None
    assert record.best is not None
    assert whole.best is not None
    decay = objective.workload.weight_decay * short.epochs / long
    holding = objective_of(replace(what, weight_decay=decay), data_root)
    evaluated = cache(lambda schedule: mean_test(objective, schedule, long, seeds))
    return ExtendedSearch(
        search_seed=search_seed,
        single=evaluated(record.best.schedule),
        winner=evaluated(record.trial(record.finals.winner).schedule),
        kept=evaluated(chosen.schedule),
        held=mean_test(holding, chosen.schedule, long, seeds),
        peaks=evaluated(peak),
        finalists=evaluated(finalist),
        searched=evaluated(whole.best.schedule),
        cost=Cost.of(record).epochs / long,
        finals=len(record.finals.runs) * short.epochs / long,
        long_cost=Cost.of(whole).full_runs,
    )


def other_peaks(schedule: Schedule, steps: int) -> list[Schedule]:
    """The schedule and two others that differ in their peak, which is lower if runs had few steps. steps: of a run."""
    places = [0, -1, -2] if steps < ENOUGH_STEPS else [0, -1, 1]
    return [replace(schedule, peak_lr=schedule.peak_lr * APART**place) for place in places]


def best_of_runs(executor: Executor, schedules: Sequence[Schedule], budget: int, sign: int) -> Schedule:
    """The schedule with the best validation value in one run each, with the seed that extends a study."""
    runs = [Run(schedule, budget, FIRST_FRESH_SEED, LOOKS) for schedule in schedules]
    ended = [evaluation for evaluation in executor.train(runs) if evaluation.last]
    return schedules[min(ended, key=lambda one: sign * one.metric).run]


def extensions_page(rows: Sequence[ExtendedSearch], what: str, seeds: int) -> str:
    """The regret as a table, in points, with 95 % intervals over the searches."""

    def line(field: str, name: str, runs: int) -> str:
        regrets = [getattr(row, field) - row.searched for row in rows]
        return f"| {name} | {runs} | {t_interval(regrets).points:+.2f} | {100 * median(regrets):+.2f} |"

    cost, finals, long_cost = (mean(getattr(row, name) for row in rows) for name in ("cost", "finals", "long_cost"))
    lines = [
        f"{len(rows)} searches on {what}. In full runs of the long length, the short study cost {cost:.1f}, its finals",
        f"{finals:.1f}, and the search at the long length {long_cost:.1f}. Test error over {seeds} fresh seeds.",
        "",
        "| schedule for the longer run | longer runs to choose it | behind the search at the long length, points "
        "[95 % interval] | median |",
        "|---|---:|---:|---:|",
        *(line(field, *way) for field, way in WAYS.items()),
        "",
        f"Holding lr x weight decay x steps fixed, against keeping the weight decay: {held_fixed(rows)}.",
        "",
    ]
    return "\n".join(lines)


def held_fixed(rows: Sequence[ExtendedSearch]) -> str:
    """What holding the product fixed costs, in points; with an interval unless most searches have the same schedule."""
    difference = t_interval([row.held - row.kept for row in rows]).points
    [(_, same)] = Counter((row.kept, row.held) for row in rows).most_common(1)
    if 2 * same > len(rows) > 1:
        return f"{difference.mean:+.2f} points, above 0 is worse; the same schedule in {same} of {len(rows)}"
    return f"{difference:+.2f} points, above 0 is worse"
