"""Ground: what searches are compared on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import optuna
import torch

from search_spaces.errors import InputError
from study.executors.recorded_runs import Recorded, read
from study.executors.timing import cohort_sizes, seconds_per_update
from study.search.configuration import Configuration
from study.training.lockstep_check import obstacle
from study.workloads.workload import Workload

MOST_TOGETHER = 16
"""Runs in the largest cohort whose speed is timed."""


@dataclass(frozen=True)
class Ground:
    """What searches are compared on: the workload, the search to change, and how a schedule is judged."""

    configuration: Configuration
    workload: Workload
    recorded: Recorded | None

    @property
    def name(self) -> str:
        """As the rows of its searches have it."""
        return f"{self.workload.name}, {self.configuration.epochs} epochs"


@cache
def ground(asked: Configuration, file: Path | None, data_root: Path) -> Ground:
    """Load a workload, and its recorded runs; once in each process. file: None where the searches train."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if file is None:
        return Ground(asked, asked.make_workload(data_root), None)
    recorded = read(file)
    stored = recorded.about.configuration
    names = ("dataset", "model", "optimizer", "epochs", "batch_size", "weight_decay", "train_seed", "split_seed")
    kept = {name: stored[name] for name in names} | {"families": tuple(stored["families"])}
    configuration = replace(asked, **kept)
    workload = configuration.make_workload(data_root)
    if workload.data.fingerprint() != stored["data"]:
        raise InputError(f"{file} was recorded on other data: record it again with scripts/evidence/record_runs.py")
    return Ground(configuration, workload, recorded)


def rates(here: Ground) -> dict[int, float]:
    """Seconds per epoch of a run, by how many are trained together, timed now; nothing where the searches train."""
    if not here.recorded:
        return {}
    sizes = [1, *([] if obstacle(here.workload) else cohort_sizes(MOST_TOGETHER))]
    return {size: seconds_per_update(here.workload, size) * here.workload.steps_per_epoch for size in sizes}
