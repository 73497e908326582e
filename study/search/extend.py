"""Extend: train the schedule of a trial for longer than the study's full run, at a few peaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import optuna

from search_spaces.schedule import Schedule
from study.objective import FIRST_FRESH_SEED, Executor, Objective, Run, Stop, never
from study.search.confirm import LOOKS, training_missing
from study.search.finals import FinalsProgress
from study.storage.longer_runs import KEY, LongerRun, longer_runs, with_longer_runs


def extending(
    optuna_study: optuna.Study,
    objective: Objective,
    executor: Executor,
    trial: int,
    schedules: Sequence[Schedule],
    budget: int,
    stop: Stop = never,
) -> Iterator[FinalsProgress]:
    """Train one run of each of these schedules that has not had it, and store it when it ends; yields the progress.

    All have the same fresh seed, and are evaluated on test at their end. trial: the schedules are its own, with other
    peaks. Raises KeyboardInterrupt if the runs were stopped.
    """
    runs = [Run(schedule, budget, FIRST_FRESH_SEED, LOOKS, test=True) for schedule in schedules]
    kept = longer_runs(optuna_study.user_attrs, budget)
    ended = {(run.trial, run.peak_lr) for run in kept}
    done = {index for index, schedule in enumerate(schedules) if (trial, schedule.peak_lr) in ended}
    for trained, last in training_missing(executor, runs, done, stop):
        if last:
            kept.append(LongerRun(trial, schedules[last.run].peak_lr, FIRST_FRESH_SEED, last.metric, last.test_metric))
            optuna_study.set_user_attr(KEY, with_longer_runs(optuna_study.user_attrs, budget, kept))
        yield FinalsProgress(trained, len(runs))
