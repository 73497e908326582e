"""Confirm: re-train a schedule on fresh seeds and evaluate it on test, which the search never saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from search_spaces.errors import InputError
from search_spaces.schedule import Schedule
from study.objective import Evaluation, Executor, Objective, Run, Stop, never
from study.search.failures import Failures

LOOKS = 10
"""Evaluations of a run, so that progress can be shown."""


def training_missing(
    executor: Executor, runs: Sequence[Run], done: Set[int], stop: Stop = never
) -> Iterator[tuple[float, Evaluation | None]]:
    """Train the runs that are not `done`; yields after each evaluation.

    Yields how many runs are trained, unfinished ones by their share, and the evaluation if a run has ended with it;
    it has `failure` if the run failed.
    Raises KeyboardInterrupt if runs were stopped, and InputError if several in a row failed, as a search does.
    """
    shares, ended, failures = dict.fromkeys(done, 1.0), set(done), Failures()
    last = -1
    for evaluation in executor.train(runs, stop, done):
        if not done.isdisjoint(range(last + 1, evaluation.run)):  # a run between them ended well before
            failures = Failures()
        last = evaluation.run
        failures.count(evaluation)
        share = 1.0 if evaluation.last else evaluation.step / evaluation.total_steps
        shares[evaluation.run] = max(shares.get(evaluation.run, 0.0), share)  # a cohort is trained again as a whole
        ends = evaluation.last and evaluation.run not in ended
        ended |= {evaluation.run} if ends else set()
        yield sum(shares.values()), evaluation if ends else None
    if len(ended) < len(runs):
        raise KeyboardInterrupt


def confirm(
    objective: Objective, executor: Executor, schedule: Schedule, budget: int, train_seeds: Sequence[int]
) -> list[float]:
    """The test metric at the end of one full run per seed, in the order of the seeds; the worst if it diverged.

    Of an objective without test rows it is the validation metric. Raises InputError if a run failed.
    """
    return confirm_each(objective, executor, [schedule], budget, train_seeds)[0]


def confirm_each(
    objective: Objective, executor: Executor, schedules: Sequence[Schedule], budget: int, train_seeds: Sequence[int]
) -> list[list[float]]:
    """`confirm` for each of these schedules, whose runs may train together."""
    runs = [Run(schedule, budget, seed, LOOKS, test=True) for schedule in schedules for seed in train_seeds]
    found = dict[int, float]()
    for _, last in training_missing(executor, runs, set()):
        if last and last.failure:
            raise InputError(f"a run failed: {last.failure}")
        if last:
            value = last.metric if last.test_metric is None else last.test_metric
            found[last.run] = objective.metric.worst if last.diverged else value
    of_one = len(train_seeds)
    return [[found[of_one * number + index] for index in range(of_one)] for number in range(len(schedules))]
