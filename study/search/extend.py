"""Extend: train the schedule of a trial for longer than the study's full run, at a few peaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import optuna

from search_spaces.schedule import Schedule
from study.objective import FIRST_FRESH_SEED, Executor, Objective, Run, Stop, never
from study.search.confirm import LOOKS
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
    shares = dict.fromkeys(done, 1.0)
    for evaluation in executor.train(runs, stop, done):
        shares[evaluation.run] = max(shares.get(evaluation.run, 0), evaluation.step / evaluation.total_steps)
        if evaluation.last and evaluation.run not in done:
            done.add(evaluation.run)
            peak_lr = schedules[evaluation.run].peak_lr
            kept.append(LongerRun(trial, peak_lr, FIRST_FRESH_SEED, evaluation.metric, evaluation.test_metric))
            optuna_study.set_user_attr(KEY, with_longer_runs(optuna_study.user_attrs, budget, kept))
        yield FinalsProgress(sum(shares.values()), len(runs))
    if len(done) < len(runs):
        raise KeyboardInterrupt
