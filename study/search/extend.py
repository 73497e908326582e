"""Extend: train schedules of a study for longer than its full runs, first one run each, then the chosen one again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import optuna

from study.objective import FIRST_FRESH_SEED, Executor, Stop, never
from study.search.finals import SELECTION_SEEDS, FinalsProgress, training_again
from study.storage.finals import FailedRun
from study.storage.longer_runs import KEY, longer_runs, with_longer_runs
from study.storage.study_record import StudyRecord

TRYING = (FIRST_FRESH_SEED,)
"""The seed that each schedule is tried with."""


def confirming_seeds(seeds: int) -> tuple[int, ...]:
    """The seeds that the chosen schedule is trained again with: those that confirm the answer of a search."""
    first = FIRST_FRESH_SEED + SELECTION_SEEDS
    return tuple(range(first, first + seeds))


def extending(
    optuna_study: optuna.Study,
    study: StudyRecord,
    executor: Executor,
    trials: Sequence[int],
    budget: int,
    seeds: Sequence[int] = TRYING,
    stop: Stop = never,
) -> Iterator[FinalsProgress]:
    """Train the schedules of these trials with each of these seeds, and store each run when it ends, unless it fails.

    study: that holds the trials. Yields the progress after each evaluation. Runs that are stored are not trained again;
    all are evaluated on test at their end. Raises KeyboardInterrupt if the runs were stopped, and InputError if several
    in a row failed.
    """
    kept = longer_runs(optuna_study.user_attrs, budget)
    places = [(trial, seed) for trial in trials for seed in seeds]
    for trained, run in training_again(executor, study, places, budget, True, kept, stop):
        failed = run if isinstance(run, FailedRun) else None
        if run and not isinstance(run, FailedRun):
            kept.append(run)
            optuna_study.set_user_attr(KEY, with_longer_runs(optuna_study.user_attrs, budget, kept))
        yield FinalsProgress(trained, len(places), failed)
