"""Confirm: re-train a schedule on fresh seeds and evaluate it on test, which the search never saw."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from search_spaces.schedule import Schedule
from study.objective import Evaluation, Executor, Objective, Run, Stop, never

LOOKS = 10
"""Evaluations of a run, so that progress can be shown."""


def training_missing(
    executor: Executor, runs: Sequence[Run], done: Collection[int], stop: Stop = never
) -> Iterator[tuple[float, Evaluation | None]]:
    """Train the runs that are not `done`; yields after each evaluation.

    Yields how many runs are trained, unfinished ones by their share, and the evaluation if a run has ended with it.
    Raises KeyboardInterrupt if runs were stopped.
    """
    shares, ended = dict.fromkeys(done, 1.0), set(done)
    for evaluation in executor.train(runs, stop, done):
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

    Of an objective without test rows it is the validation metric.
    """
    *_, (_, test) = confirming(objective, executor, schedule, budget, train_seeds)
    return test


def confirming(
    objective: Objective,
    executor: Executor,
    schedule: Schedule,
    budget: int,
    train_seeds: Sequence[int],
    stop: Stop = never,
    weight_decay: float | None = None,
) -> Iterator[tuple[float, list[float]]]:
    """The same with progress: (epochs trained so far, test metrics of the finished runs), after each evaluation.

    weight_decay: as of a `Run`.
    """
    runs = [Run(schedule, budget, seed, LOOKS, test=True, weight_decay=weight_decay) for seed in train_seeds]
    worst = objective.metric.worst
    latest: dict[int, Evaluation] = {}
    for evaluation in executor.train(runs, stop):
        latest[evaluation.run] = evaluation
        trained = sum(one.step for one in latest.values()) / objective.steps(1)
        ended = [one for _, one in sorted(latest.items()) if one.last]
        found = [one.metric if one.test_metric is None else one.test_metric for one in ended]
        yield trained, [worst if one.diverged else value for one, value in zip(ended, found, strict=True)]
