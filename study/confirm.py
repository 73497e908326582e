"""Confirm: re-train a schedule on fresh seeds and judge it on test, which the search never saw."""

from __future__ import annotations

from collections.abc import Sequence

from search_spaces.schedule import Schedule
from study.trainer import Trainer
from study.training import Run
from study.workload import Workload

FIRST_FRESH_SEED = 1000
"""Where confirming seeds start, by habit: far from those that searches train with."""


def confirm(
    workload: Workload, schedule: Schedule, epochs: int, train_seeds: Sequence[int], cohort: int = 1
) -> list[float]:
    """The test metric at the end of one full run per seed, in the order of the seeds; the worst where one diverged.

    cohort: the most runs that are trained together.
    """
    runs = [Run(schedule, epochs, seed, evaluations=1, test=True) for seed in train_seeds]
    last = {evaluation.run: evaluation for evaluation in Trainer(workload, cohort).train(runs) if evaluation.last}
    return [workload.metric.worst if run.test_metric is None else run.test_metric for _, run in sorted(last.items())]
