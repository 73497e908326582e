"""Trains and records the runs of many schedules, for searches to look up (executors/recorded_runs.py)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import optuna
from optuna.samplers import RandomSampler

from search_spaces import from_params
from study.evidence.schedules_alone import require_schedules_alone
from study.executors.recorded_runs import About, Recorded, RecordedRun, RecordedSchedule
from study.objective import FIRST_FRESH_SEED, Evaluation, Executor, Run
from study.search.configuration import Configuration
from study.storage.provenance import provenance
from study.storage.record_format import evaluations_of
from study.training.workload_objective import WorkloadObjective
from study.workloads.options import WorkloadOptions

BUDGET_SHARES = (0.05, 0.1, 0.125, 0.2, 0.25, 0.5)
"""Lengths of the recorded short runs, as fractions of the full run."""


def budgets_to_record(epochs: int) -> list[int]:
    """The length of each recorded run in epochs, ascending, ending with the full run.

    >>> budgets_to_record(20)
    [1, 2, 4, 5, 10, 20]
    """
    return sorted({epochs, *(max(1, int(share * epochs)) for share in BUDGET_SHARES)})


def draw_pool(configuration: Configuration, peak_lr: tuple[float, float], per_family: int) -> list[dict[str, Any]]:
    """The parameters of the schedules to record: in each family evenly spaced peaks (log scale), the rest random."""
    low, high = peak_lr
    pool = []
    for number, family in enumerate(configuration.families):
        drawn = optuna.create_study(sampler=RandomSampler(seed=number))
        for i in range(per_family):
            drawn.enqueue_trial({"peak_lr": low * (high / low) ** ((i + 0.5) / per_family)})
            trial = drawn.ask()
            replace(configuration, families=(family,)).suggest(trial, peak_lr)
            pool.append(trial.params)
    return pool


def record(
    what: WorkloadOptions,
    objective: WorkloadObjective,
    configuration: Configuration,
    executor: Executor,
    per_family: int,
    confirm_seeds: int,
) -> Generator[str, None, Recorded]:
    """Train every schedule at every budget with the search's seed, and in full with fresh seeds.

    what: the options that the objective was made from. Yields a line of progress for every part.
    """
    require_schedules_alone(configuration)
    pool = draw_pool(configuration, objective.peak_lr, per_family)
    schedules = [from_params(params) for params in pool]
    seeds = list(range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + confirm_seeds))

    def train(budget: int, seed: int, evaluations: int, test: bool) -> list[list[Evaluation]]:
        """Train one run per schedule; returns the evaluations of each."""
        made: list[list[Evaluation]] = [[] for _ in schedules]
        for evaluation in executor.train([Run(schedule, budget, seed, evaluations, test) for schedule in schedules]):
            made[evaluation.run].append(evaluation)
        return made

    runs: list[dict[int, RecordedRun]] = [{} for _ in schedules]
    tests: list[list[float]] = [[] for _ in schedules]
    for budget in budgets_to_record(configuration.epochs):
        made = train(budget, configuration.train_seed, evaluations_of(budget), test=False)
        for own, evaluations in zip(runs, made, strict=True):
            own[budget] = as_recorded(evaluations)
        yield f"{len(schedules)} runs of {budget} epochs"
    for seed in seeds:
        for test, evaluations in zip(tests, train(configuration.epochs, seed, evaluations=1, test=True), strict=True):
            test.append(final_test(evaluations[-1], objective.metric.worst))
        yield f"{len(schedules)} runs evaluated on test with seed {seed}"
    about = About(
        what.record(objective.workload) | configuration.record(objective), seeds, provenance(objective.device)
    )
    return Recorded(about, [RecordedSchedule(*kept) for kept in zip(pool, runs, tests, strict=True)])


def as_recorded(evaluations: Sequence[Evaluation]) -> RecordedRun:
    """The evaluations of a run as a `RecordedRun`, metrics rounded to 6 digits."""
    metrics = [round(evaluation.metric, 6) for evaluation in evaluations]
    return RecordedRun([evaluation.step for evaluation in evaluations], metrics, evaluations[-1].diverged)


def final_test(last: Evaluation, worst: float) -> float:
    """The test metric at the end of a run; `worst` if it diverged."""
    return round(worst if last.test_metric is None else last.test_metric, 6)
