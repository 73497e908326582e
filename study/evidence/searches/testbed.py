"""Testbed: an objective on which searches are compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import optuna
import torch

from search_spaces.errors import InputError
from search_spaces.schedule import Schedule
from study.evidence.fresh_seeds import mean_test, trainer
from study.evidence.schedules_alone import require_schedules_alone
from study.evidence.searches.searches import Searches
from study.executors.recorded_runs import Recorded, read_recorded
from study.executors.replay import Replay
from study.executors.timing import cohort_sizes, seconds_per_step
from study.objective import Executor, Objective
from study.search.configuration import Configuration
from study.source import make_objective
from study.workloads.options import WorkloadOptions

MOST_TOGETHER = 16
"""Size of the largest cohort that is timed."""


@dataclass(frozen=True)
class Testbed:
    """An objective whose runs are recorded or trained live.

    configuration: the search that arms change. recorded: None if runs are trained. confirm_seeds: number of fresh seeds
    that evaluate a schedule if runs are trained.
    """

    configuration: Configuration
    objective: Objective
    recorded: Recorded | None = None
    confirm_seeds: int = 5

    @property
    def name(self) -> str:
        """The workload name in the rows of its searches."""
        return f"{self.objective.name}, {self.configuration.epochs} epochs"

    def executor(self, most_together: int) -> Executor:
        """An executor that looks runs up, or trains up to `most_together` of them together."""
        return Replay(self.objective, self.recorded) if self.recorded else trainer(self.objective, most_together)

    def true_error(self, schedule: Schedule) -> float:
        """The mean test error of a full run over fresh seeds."""
        if self.recorded:
            return self.recorded.nearest(schedule).mean_test
        return mean_test(self.objective, schedule, self.configuration.epochs, self.confirm_seeds)

    def full_error(self, schedule: Schedule) -> float | None:
        """The validation error of a full run with the search's seed; None if runs are not recorded."""
        if not self.recorded:
            return None
        return self.recorded.nearest(schedule).runs[self.configuration.epochs].metrics[-1]

    def seconds_per_epoch(self) -> dict[int, float]:
        """Seconds per epoch of one run by cohort size, timed now; empty if runs are trained live."""
        if not self.recorded:
            return {}
        sizes = [1, *([] if self.objective.lockstep_obstacle() else cohort_sizes(MOST_TOGETHER))]
        return {size: seconds_per_step(self.objective, size) * self.objective.steps(1) for size in sizes}


def testbed_of(searches: Searches, file: Path | None) -> Testbed:
    """The testbed of a file of recorded runs; None for live training."""
    return open_testbed(searches.workload, searches.search, file, searches.confirm_seeds, searches.data_root)


@cache
def open_testbed(
    what: WorkloadOptions, configuration: Configuration, file: Path | None, confirm_seeds: int, data_root: Path
) -> Testbed:
    """Load a workload and its recorded runs; cached per process.

    file: recorded runs, which determine the workload, run length, families and seed; None to train live.
    Raises InputError if the file does not exist or was recorded on other data.
    """
    require_schedules_alone(configuration)
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if file is None:
        return Testbed(configuration, make_objective(what, "cpu", data_root), confirm_seeds=confirm_seeds)
    recorded = read_recorded(file)
    stored = recorded.about.configuration
    objective = make_objective(WorkloadOptions.stored(stored), "cpu", data_root)
    if objective.fingerprint() != stored["data"]:
        raise InputError(f"{file} was recorded on other data: record it again with scripts/evidence/record_runs.py")
    as_recorded = {name: stored[name] for name in ("epochs", "train_seed")} | {"families": tuple(stored["families"])}
    return Testbed(replace(configuration, **as_recorded), objective, recorded)
