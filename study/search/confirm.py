"""Confirm: re-train a schedule on fresh seeds and judge it on test, which the search never saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from search_spaces.schedule import Schedule
from study.executors.in_process import Trainer, never
from study.training.loop import Evaluation, Run, Stop
from study.workloads.workload import Workload

FIRST_FRESH_SEED = 1000
"""Where confirming seeds start, by habit: far from those that searches train with."""
LOOKS = 10
"""Evaluations of a run, for those who wait."""


def confirm(
    workload: Workload, schedule: Schedule, epochs: int, train_seeds: Sequence[int], cohort: int = 1
) -> list[float]:
    """The test metric at the end of one full run per seed, in the order of the seeds; the worst where one diverged.

    cohort: the most runs that are trained together.
    """
    *_, (_, test) = confirming(workload, schedule, epochs, train_seeds, cohort)
    return test


def confirming(
    workload: Workload, schedule: Schedule, epochs: int, train_seeds: Sequence[int], cohort: int = 1, stop: Stop = never
) -> Iterator[tuple[float, list[float]]]:
    """The same on its way: (epochs trained by now, the test metrics of the runs that have ended), after each look.

    stop: asked before every update whether to leave the run of that index.
    """
    runs = [Run(schedule, epochs, seed, evaluations=LOOKS, test=True) for seed in train_seeds]
    latest: dict[int, Evaluation] = {}
    for evaluation in Trainer(workload, cohort).train(runs, stop):
        latest[evaluation.run] = evaluation
        trained = sum(one.step for one in latest.values()) / workload.steps_per_epoch
        ended = [one for _, one in sorted(latest.items()) if one.last]
        yield trained, [workload.metric.worst if one.test_metric is None else one.test_metric for one in ended]
