"""Recorder: trains the runs that recorded.py keeps."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import optuna
from optuna.samplers import RandomSampler

from search_spaces import from_params
from study.executors.in_process import Trainer
from study.executors.recorded_runs import About, Recorded, RecordedRun, RecordedSchedule
from study.search.configuration import Configuration
from study.search.confirm import FIRST_FRESH_SEED
from study.storage.provenance import provenance
from study.storage.records import CURVE_POINTS
from study.training.loop import Evaluation, Run
from study.workloads.workload import Workload

HORIZON_SHARES = (0.05, 0.1, 0.125, 0.2, 0.25, 0.5)
"""The short runs that are recorded, as shares of the full run."""


def horizons_to_record(epochs: int) -> list[int]:
    """The epochs of each run, ascending, the full run last.

    >>> horizons_to_record(20)
    [1, 2, 4, 5, 10, 20]
    """
    return sorted({epochs, *(max(1, int(share * epochs)) for share in HORIZON_SHARES)})


def draw_pool(configuration: Configuration, workload: Workload, per_family: int) -> list[dict[str, Any]]:
    """The parameters of the schedules to record: of each family the peaks evenly over their range, the rest random."""
    low, high = workload.peak_lr
    pool = []
    for number, family in enumerate(configuration.families):
        drawn = optuna.create_study(sampler=RandomSampler(seed=number))
        for i in range(per_family):
            drawn.enqueue_trial({"peak_lr": low * (high / low) ** ((i + 0.5) / per_family)})
            trial = drawn.ask()
            replace(configuration, families=(family,)).suggest(trial, workload)
            pool.append(trial.params)
    return pool


def record(
    configuration: Configuration, workload: Workload, per_family: int, judge_seeds: int, cohort: int
) -> Generator[str, None, Recorded]:
    """Train every schedule at every horizon with the search's seed, and in full with fresh seeds.

    cohort: the most runs trained together, all of one seed. Yields a line for every part that is done.
    """
    pool = draw_pool(configuration, workload, per_family)
    schedules = [from_params(params) for params in pool]
    seeds = list(range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + judge_seeds))
    trainer = Trainer(workload, cohort)

    def train(epochs: int, seed: int, evaluations: int, test: bool) -> list[list[Evaluation]]:
        """The evaluations of each schedule's run."""
        heard: list[list[Evaluation]] = [[] for _ in schedules]
        for evaluation in trainer.train([Run(schedule, epochs, seed, evaluations, test) for schedule in schedules]):
            heard[evaluation.run].append(evaluation)
        return heard

    runs: list[dict[int, RecordedRun]] = [{} for _ in schedules]
    tests: list[list[float]] = [[] for _ in schedules]
    for horizon in horizons_to_record(configuration.epochs):
        heard = train(horizon, configuration.train_seed, min(horizon, CURVE_POINTS), test=False)
        for own, evaluations in zip(runs, heard, strict=True):
            own[horizon] = as_recorded(evaluations)
        yield f"{len(schedules)} runs of {horizon} epochs"
    for seed in seeds:
        for test, evaluations in zip(tests, train(configuration.epochs, seed, evaluations=1, test=True), strict=True):
            test.append(judged(evaluations[-1], workload.metric.worst))
        yield f"{len(schedules)} runs judged with seed {seed}"
    about = About(configuration.resolved(workload), seeds, provenance(workload.device))
    return Recorded(about, [RecordedSchedule(*kept) for kept in zip(pool, runs, tests, strict=True)])


def as_recorded(evaluations: Sequence[Evaluation]) -> RecordedRun:
    """A run's evaluations, as they are kept."""
    metrics = [round(evaluation.metric, 6) for evaluation in evaluations]
    return RecordedRun([evaluation.step for evaluation in evaluations], metrics, evaluations[-1].diverged)


def judged(last: Evaluation, worst: float) -> float:
    """The test metric at the end of a run; the worst where it diverged."""
    return round(worst if last.test_metric is None else last.test_metric, 6)
