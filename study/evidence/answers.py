"""How optimistic the value of a search's winner is, and what choosing among finalists over fresh seeds gains.

Each search is followed by its finals, as in `scripts/search.py`. Beside the schedule that these choose there are two
others: the one that is best by its single run, and the best after the same search has gone on for more trials, which
cost about as much as the choosing. All are evaluated over the seeds that confirm an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from search_spaces.schedule import Schedule
from study.analysis.cost import Cost
from study.analysis.statistics import Interval, t_interval
from study.evidence.fresh_seeds import trainer
from study.evidence.searched_study import objective_of, searched_study
from study.objective import Executor, Run
from study.search.configuration import Configuration
from study.search.confirm import LOOKS
from study.search.finals import SEEDS
from study.workloads.options import WorkloadOptions


@dataclass(frozen=True)
class AnsweredSearch:
    """One search. Metrics are means over the seeds, as fractions of rows.

    found: validation value of the best full run, by which it was chosen. best_validation, best_test: the same schedule
    over fresh seeds. winner_test: of the finals' winner. longer_test: of the best full run after `longer_trials`.
    reference_test: of the reference. full_runs: that the search cost. choosing: full runs that chose the winner.
    """

    search_seed: int
    found: float
    best_validation: float
    best_test: float
    winner_test: float
    longer_test: float
    reference_test: float
    full_runs: float
    choosing: int
    longer_trials: int


def answered_search(
    what: WorkloadOptions, search: Configuration, trials: int, search_seed: int, data_root: Path
) -> AnsweredSearch:
    """Search with this sampler seed, confirm, search on, and evaluate what each has chosen."""
    objective = objective_of(what, data_root)
    configuration = replace(search, sampler_seed=search_seed)
    with searched_study(what, objective, configuration, trials) as study:
        for _ in study.run_finals(SEEDS):
            pass
        record = study.record
        finals, best = record.finals, record.best
        assert finals is not None
        assert best is not None
        assert finals.winner is not None
        assert finals.reference is not None
        cost = Cost.of(record).full_runs
        choosing = len(finals.finalists) * len(finals.selection_seeds) if len(finals.finalists) > 1 else 0
        longer_trials = trials + round(trials * choosing / cost)
        for _ in study.search(longer_trials):
            pass
        longer = study.record.best
        assert longer is not None
    executor = trainer(objective, SEEDS)
    budget = configuration.epochs
    best_validation, best_test = over_seeds(executor, best.schedule, budget, finals.seeds)
    return AnsweredSearch(
        search_seed=search_seed,
        found=best.value,
        best_validation=best_validation,
        best_test=best_test,
        winner_test=mean(run.test or 0.0 for run in finals.of(finals.winner, finals.seeds)),
        longer_test=over_seeds(executor, longer.schedule, budget, finals.seeds)[1],
        reference_test=mean(run.test or 0.0 for run in finals.of(finals.reference, finals.seeds)),
        full_runs=cost,
        choosing=choosing,
        longer_trials=longer_trials,
    )


def over_seeds(executor: Executor, schedule: Schedule, budget: int, seeds: Sequence[int]) -> tuple[float, float]:
    """(mean validation metric, mean test metric) of full runs with these seeds."""
    runs = [Run(schedule, budget, seed, LOOKS, test=True) for seed in seeds]
    ended = [evaluation for evaluation in executor.train(runs) if evaluation.last]
    return mean(one.metric for one in ended), mean(one.test_metric or 1.0 for one in ended)


def answers_page(rows: Sequence[AnsweredSearch], what: str) -> str:
    """The differences as a table, in points, with 95 % intervals over the searches."""

    def line(name: str, differences: Sequence[float]) -> str:
        return f"| {name} | {in_points(t_interval(differences))} |"

    cost, choosing = mean(row.full_runs for row in rows), mean(row.choosing for row in rows)
    return "\n".join(
        [
            f"{len(rows)} searches on {what}. A search cost {cost:.1f} full runs, choosing its winner {choosing:.1f}",
            f"more; {mean(row.longer_trials for row in rows):.0f} trials cost about as much as both. Each schedule is",
            f"evaluated over the same {SEEDS} fresh seeds.",
            "",
            "| difference | points [95 % interval] |",
            "|---|---:|",
            line(
                "validation error over fresh seeds - that of the run it was chosen by (optimism)",
                [row.best_validation - row.found for row in rows],
            ),
            line(
                "test error, best single run - winner of the finals",
                [row.best_test - row.winner_test for row in rows],
            ),
            line(
                "test error, best single run of the longer search - winner of the finals",
                [row.longer_test - row.winner_test for row in rows],
            ),
            line(
                "test error, reference - winner of the finals", [row.reference_test - row.winner_test for row in rows]
            ),
            "",
        ]
    )


def in_points(interval: Interval) -> str:
    """An interval of fractions, in points."""
    return f"{interval.points:+.2f}"
