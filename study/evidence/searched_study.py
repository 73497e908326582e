"""A search in memory, as a measurement makes it: with one thread, and in lockstep where the workload can be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch

from study.assembly import opened, plan_search
from study.evidence.schedules_alone import require_schedules_alone
from study.executors.options import ExecutorOptions
from study.objective import Engine
from study.search.configuration import Configuration
from study.search.reference import USUAL
from study.search.study_plan import OpenStudy
from study.source import make_objective
from study.training.workload_objective import WorkloadObjective
from study.workloads.options import WorkloadOptions


@cache
def objective_of(what: WorkloadOptions, data_root: Path) -> WorkloadObjective:
    """The objective; cached per process."""
    torch.set_num_threads(1)
    return make_objective(what, "cpu", data_root)


@contextmanager
def searched_study(
    what: WorkloadOptions,
    objective: WorkloadObjective,
    configuration: Configuration,
    trials: int,
    reference: str = USUAL,
) -> Iterator[OpenStudy]:
    """A study after this many trials, still open. reference: as for `plan_search`."""
    require_schedules_alone(configuration)
    plan = plan_search(what, objective, configuration, None, reference=reference)
    engine = Engine(cohort=1 if objective.lockstep_obstacle() else configuration.trials_per_batch)
    with opened(plan, ExecutorOptions(), engine) as study:
        for _ in study.search(trials):
            pass
        yield study
