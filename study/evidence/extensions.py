"""What a longer run loses if its schedule is extended from a short study, against a search at the long length.

For each sampler seed: a search at the short length, extended as `scripts/extend.py` does it, and a search at the long
one. What both would use is evaluated by its test metric over the same fresh seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from study.analysis.cost import Cost
from study.analysis.extension import MOST_RUNS, Extension
from study.analysis.statistics import t_interval
from study.api import opened, plan_search
from study.evidence.answers import objective_of
from study.evidence.fresh_seeds import mean_test
from study.executors.options import ExecutorOptions
from study.objective import Engine
from study.reports.extension import schedule_of
from study.search.configuration import Configuration
from study.search.extend import extending
from study.search.finals import SEEDS
from study.search.reference import USUAL
from study.storage.longer_runs import longer_runs
from study.workloads.options import WorkloadOptions


@dataclass(frozen=True)
class ExtendedSearch:
    """One search seed. extended, kept, searched: mean test metric at the long length of the best of the tried peaks, of
    the short study's own peak, and of the best full run of the long search. cost, long_cost: in full runs at the long
    length; the cost of the short study includes the runs that extend it.
    """

    search_seed: int
    extended: float
    kept: float
    searched: float
    cost: float
    long_cost: float


def extended_search(
    what: WorkloadOptions, search: Configuration, long: int, trials: int, search_seed: int, data_root: Path
) -> ExtendedSearch:
    """Search at both lengths with this sampler seed, extend, and evaluate. long: epochs of the longer run."""
    objective, short = objective_of(what, data_root), replace(search, sampler_seed=search_seed)
    engine = Engine(cohort=1 if objective.lockstep_obstacle() else short.trials_per_batch)
    with opened(plan_search(what, objective, short, None, reference=USUAL), ExecutorOptions(), engine) as study:
        for _ in study.search(trials):
            pass
        record = study.record
        extension = Extension.of(record, long, MOST_RUNS)
        own = (extension.trial.number, extension.schedules, long)
        for _ in extending(study.optuna_study, objective, study.executor, *own):
            pass
        runs = longer_runs(study.record.stored, long)
    best = min(runs, key=lambda run: record.metric.sign * run.validation)
    with opened(
        plan_search(what, objective, replace(short, epochs=long), None, reference=USUAL), ExecutorOptions(), engine
    ) as study:
        for _ in study.search(trials):
            pass
        whole = study.record
    assert whole.best is not None
    chosen = (schedule_of(extension, best), extension.trial.schedule, whole.best.schedule)
    extended, kept, searched = (mean_test(objective, schedule, long, SEEDS) for schedule in chosen)
    cost = Cost.of(record).epochs / long + len(runs)
    return ExtendedSearch(search_seed, extended, kept, searched, cost, Cost.of(whole).full_runs)


def extensions_page(rows: Sequence[ExtendedSearch], what: str) -> str:
    """The regret as a table, in points, with 95 % intervals over the searches."""
    regrets = {
        "the best of three peaks": [row.extended - row.searched for row in rows],
        "the peak of the short study": [row.kept - row.searched for row in rows],
    }
    cost, long_cost = mean(row.cost for row in rows), mean(row.long_cost for row in rows)
    lines = [
        f"{len(rows)} searches on {what}. The short study and its three longer runs cost {cost:.1f} full runs of the",
        f"long length, the search at that length {long_cost:.1f}. Test error over {SEEDS} fresh seeds.",
        "",
        "| extended with | behind the search at the long length, points [95 % interval] |",
        "|---|---:|",
        *(f"| {name} | {t_interval(values).points:+.2f} |" for name, values in regrets.items()),
        "",
    ]
    return "\n".join(lines)
