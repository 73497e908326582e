"""What is trained: turns what the user names into an objective, with what a stored study already knows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

from search_spaces import Schedule
from search_spaces.errors import InputError
from search_spaces.space_file import corners
from study.machine import choose_device, same_random_numbers_after
from study.search.configuration import Configuration
from study.storage.studies import stored_attributes
from study.storage.url import runs_folder
from study.training.first_run import FirstRunResult
from study.training.own_training import OwnTraining
from study.training.training_options import TrainingOptions
from study.training.training_source import TrainingSource
from study.training.workload_objective import WorkloadObjective
from study.workloads.objects import WorkloadObjects
from study.workloads.options import WorkloadOptions

WorkloadSource = WorkloadOptions | WorkloadObjects
"""What is trained by our loop."""
Source = WorkloadSource | TrainingSource
"""What is trained."""
AnyObjective = WorkloadObjective | OwnTraining


def chosen_source(workload: WorkloadOptions, training: TrainingOptions) -> Source:
    """What is trained, as the command line says it; raises InputError if what is named cannot be imported."""
    return TrainingSource.of(training) if training.given else workload


@overload
def make_objective(source: WorkloadSource, device: str, data_root: Path) -> WorkloadObjective: ...
@overload
def make_objective(source: TrainingSource, device: str, data_root: Path) -> OwnTraining: ...
@overload
def make_objective(source: Source, device: str, data_root: Path) -> AnyObjective: ...
def make_objective(source: Source, device: str, data_root: Path) -> AnyObjective:
    """The objective, on its device: auto, cpu or cuda; raises InputError if it cannot be made."""
    chosen = choose_device(device)
    if isinstance(source, TrainingSource):
        return source.objective(chosen)
    with same_random_numbers_after(chosen):  # models are made, to be inspected
        return WorkloadObjective(source.load(data_root).to(chosen))


def source_record(source: Source, objective: AnyObjective) -> dict[str, Any]:
    """What the configuration of a study says of what is trained."""
    if isinstance(source, TrainingSource):
        assert isinstance(objective, OwnTraining)
        return source.record(objective)
    assert isinstance(objective, WorkloadObjective)
    return source.record(objective.workload)


def after_first_runs(
    objective: AnyObjective, budget: int, storage: str | None, name: str, announce: Callable[[str], None]
) -> AnyObjective:
    """The objective with what only a run can tell: as the study of this name keeps it, or found by short runs now.

    announce: is given lines for people, as these runs may take a while.
    """
    if isinstance(objective, WorkloadObjective):
        return objective
    objective = objective.in_folder(runs_folder(storage, name))
    if objective.first_run:
        return objective
    stored = stored_attributes(storage, name) if storage else {}
    if "first_run" in stored:
        return replace(objective, first_run=FirstRunResult.read(stored["first_run"]))
    return objective.after_first_runs(budget, announce)


def narrowed(configuration: Configuration, objective: AnyObjective) -> tuple[Configuration, list[str]]:
    """The configuration without the families that the objective cannot train, and what there is to say of these."""
    ranges, left_out = configuration.space_file.ranges, {}
    for family in configuration.families:
        for schedule in corners(family, objective.peak_lr, ranges):
            if isinstance(schedule, Schedule) and (why := objective.schedule_obstacle(schedule)):
                left_out[family] = why
    kept = tuple(family for family in configuration.families if family not in left_out)
    for family in configuration.families[:1] if not kept else ():
        raise InputError(f"{objective.name} cannot be trained with {family}: {left_out[family]}")
    by_reason: dict[str, list[str]] = {}
    for family, why in left_out.items():
        by_reason.setdefault(why, []).append(family)
    said = [f"Left out: {', '.join(families)} ({why})" for why, families in by_reason.items()]
    return (replace(configuration, families=kept) if left_out else configuration), said
