"""What is trained: turns what the user names into an objective, with what a stored study already knows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, overload

import torch

from search_spaces import EVERY_FAMILY, Ranges, Schedule, domains_of
from search_spaces.errors import InputError, require
from search_spaces.ranges import Choice, Domain, Either, Range, exactly
from search_spaces.space_file import corners, ends_of
from study.executors.options import ExecutorOptions
from study.executors.ray_cluster import address_meant, silence_at
from study.machine import choose_device, same_random_numbers_after
from study.search.configuration import Configuration
from study.storage.checks import ACCEPT, CODE, changed_code, changes_since, differing, refuse_changed
from study.storage.studies import stored_attributes
from study.storage.study_record import StudyRecord
from study.storage.url import runs_folder
from study.training.first_run import FirstRunResult
from study.training.own_training import OwnTraining
from study.training.training_options import TrainingOptions
from study.training.training_source import TrainingSource
from study.training.typed_code import named_code, note_typed, refuse_untyped
from study.training.workload_objective import WorkloadObjective
from study.workloads.made_of import changed_files
from study.workloads.objects import WorkloadObjects, workload_source
from study.workloads.options import WorkloadOptions
from study.workloads.user_code import changed_modules

WorkloadSource = WorkloadOptions | WorkloadObjects
"""What is trained by our loop."""
Source = WorkloadSource | TrainingSource
"""What is trained."""
AnyObjective = WorkloadObjective | OwnTraining
CHOSEN_BY_TIMING = ExecutorOptions()


def chosen_source(workload: WorkloadOptions, training: TrainingOptions, executor: ExecutorOptions) -> Source:
    """What is trained, as the command line says it; raises InputError if what is named cannot be imported."""
    return typed_source(TrainingSource.of(training) if training.given else workload, executor)


def typed_source(source: Source, executor: ExecutorOptions) -> Source:
    """The source, as flags or arguments name it: its code, and that of the executor, is noted as typed."""
    options = source.options if isinstance(source, TrainingSource | WorkloadObjects) else source
    note_typed(named_code({**vars(options), "ray_address": executor.ray_address}))
    return source


@overload
def make_objective(
    source: WorkloadSource, device: str, data_root: Path, executor: ExecutorOptions = ...
) -> WorkloadObjective: ...
@overload
def make_objective(
    source: TrainingSource, device: str, data_root: Path, executor: ExecutorOptions = ...
) -> OwnTraining: ...
@overload
def make_objective(source: Source, device: str, data_root: Path, executor: ExecutorOptions = ...) -> AnyObjective: ...
def make_objective(
    source: Source, device: str, data_root: Path, executor: ExecutorOptions = CHOSEN_BY_TIMING
) -> AnyObjective:
    """The objective, on its device: auto, cpu or cuda; raises InputError if it cannot be made.

    executor: if it trains in other processes, this one leaves the GPUs to them.
    """
    return objective_on(source, device_of_runs(device, executor), data_root, executor.elsewhere)


def objective_on(source: Source, device: torch.device, data_root: Path, elsewhere: bool) -> AnyObjective:
    """The objective. device: of its runs. elsewhere: whether other processes train them; its data stays here then."""
    if isinstance(source, TrainingSource):
        return source.objective(device)
    here = torch.device("cpu") if elsewhere else device
    with same_random_numbers_after(here):  # models are made, to be inspected
        objective = WorkloadObjective(source.load(data_root).to(here))
    return replace(objective, trained_on=device) if elsewhere else objective


def device_of_runs(name: str, executor: ExecutorOptions) -> torch.device:
    """The device that runs are trained on; raises InputError if the flags say two. name: as --device takes it."""
    if executor.executor != "ray":
        return choose_device(name)
    gpus = executor.gpus_per_run
    contradiction = (name == "cpu" and gpus) or (name == "cuda" and gpus == 0)
    require(not contradiction, f"--gpus-per-run must fit --device {name}", gpus)
    return choose_device(name if gpus is None else "cuda" if gpus else "cpu", here=False)


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
    if storage:
        objective = objective.in_folder(runs_folder(storage, name))
    if objective.first_run:
        return objective
    stored = stored_attributes(storage, name) if storage else {}
    if "first_run" in stored:
        return replace(objective, first_run=FirstRunResult.read(stored["first_run"]))
    return objective.after_first_runs(budget, announce)


def changed_since(
    objective: AnyObjective, stored: Mapping[str, Any], name: str, record: Mapping[str, Any], accept: bool, part: bool
) -> tuple[str, ...]:
    """What has changed since the study of this name was made, in words; raises InputError unless that is accepted.

    stored: its attributes, if it exists. record: the configuration now; other differences of it are refused when the
    study is opened. part: whether it is part of a comparison, whose studies are to train the same.
    """
    before = stored.get("configuration")
    if before is None or differing(before, record).keys() - set(CODE):
        return ()
    changed = objective.changes(stored.get("made_of"))
    if not accept:
        refuse_changed(name, changed, "or choose another name with --name" if part else ACCEPT)
        return ()
    return tuple(changed or changed_code(before, record))


def changes_in_words(stored: Mapping[str, Any], name: str, accepted: Sequence[str]) -> str:
    """What to say of the changes that are accepted, or could not be noticed. stored: the attributes of the study."""
    if "configuration" in stored and "made_of" not in stored:
        return f"Note: study {name!r} has no record of your files and the model, so changes of them are not noticed."
    return f"Accepted: {changes_since(name, accepted)}." if accepted else ""


def narrowed(configuration: Configuration, objective: AnyObjective) -> tuple[Configuration, list[str]]:
    """The configuration with what the objective can train, and what there is to say of the rest.

    A parameter of which only one value can be trained is fixed at it; a family that cannot be trained is left out.
    """
    ranges, fixed, left_out = dict(configuration.space_file.ranges), dict[str, str](), dict[str, str]()
    for family in configuration.families:
        if why := obstacle(family, objective, ranges):
            exact = exact_parameter(family, objective, ranges)
            ranges |= {name: domain for name, domain, _ in exact}
            fixed |= {f"{name} = {value}": why for name, _, value in exact}
            left_out |= {} if exact else {family: why}
    kept = tuple(family for family in configuration.families if family not in left_out)
    if not kept:
        family, why = next(iter(left_out.items()))
        raise InputError(f"{objective.name} cannot be trained with {family}: {why}")
    said = [*by_reason("Fixed", fixed), *by_reason("Left out", left_out)]
    return (configuration.limited(kept, ranges) if said else configuration), said


def suggested(given: Any, asked: Configuration, configuration: Configuration, objective: AnyObjective) -> Schedule:
    """The known schedule `given`, within the search space of `configuration`, which is `asked` as `narrowed`.

    A file without weight decay stands for the optimizer's own. Raises InputError, which says why if the family was left
    out.
    """
    left_out = {*asked.families} - {*configuration.families}
    if given.family in left_out:
        why = obstacle(given.family, objective, asked.space_file.ranges)
        raise InputError(f"{objective.name} cannot be trained with {given.family}: {why}")
    besides = configuration.besides(objective)
    if besides and given.weight_decay is None:
        given.weight_decay = own_within(besides["weight_decay"], objective)
    return configuration.suggest(given, objective.peak_lr, besides)


def own_within(searched: Range, objective: AnyObjective) -> float:
    """The optimizer's own weight decay; raises InputError if it is not among what is searched."""
    own, ends = objective.weight_decay.own, ends_of(searched)
    inside = own in ends if isinstance(searched, Choice) else min(ends) <= own <= max(ends)
    if not inside:
        listed = (", " if isinstance(searched, Choice) else " to ").join(f"{end:g}" for end in ends)
        raise InputError(
            f"no weight_decay is given, and the optimizer's own, {own:g}, is outside what is searched, {listed}: "
            "add weight_decay to the file, or widen the range in --space"
        )
    return own


def exact_parameter(family: str, objective: AnyObjective, ranges: Ranges) -> list[tuple[str, Range, str]]:
    """(name, domain, value) of a parameter, one value of which makes a family trainable; empty if none does."""
    for name, domain in domains_of(EVERY_FAMILY[family], objective.peak_lr, ranges).items():
        for value, shown in exact_values(domain).items():
            exact = exactly(value, domain)
            if obstacle(family, objective, {**ranges, name: exact}) is None:
                return [(name, exact, shown)]
    return []


def exact_values(domain: Domain) -> dict[Any, str]:
    """The values at which a parameter may be fixed, each with its text: the one beside a range, and on and off."""
    match domain:
        case Either(value, _):
            return {value: f"{value:g}"}
        case Choice(options) if {*map(type, options)} == {bool}:
            return {value: str(value) for value in options}
    return {}


def obstacle(family: str, objective: AnyObjective, ranges: Ranges) -> str | None:
    """Why the objective cannot be trained with all schedules of a family; None if it can."""
    for schedule in corners(family, objective.peak_lr, ranges):
        if isinstance(schedule, Schedule) and (why := objective.schedule_obstacle(schedule)):
            return why
    return None


def by_reason(what: str, reasons: Mapping[str, str]) -> list[str]:
    """A line for each reason, with the names of what it is the reason for."""
    names: dict[str, list[str]] = {}
    for name, why in reasons.items():
        names.setdefault(why, []).append(name)
    return [f"{what}: {', '.join(these)} ({why})" for why, these in names.items()]


def stored_objective(
    record: StudyRecord, data_root: Path, objects: dict[str, Any], trust: bool = False
) -> AnyObjective:
    """What a study trains, on its device; objects: those that it was made with, if it was made of Python objects.

    trust: whether the code that the study names may run, although it was not typed in the working directory.
    Raises InputError if it may not, or if something that the study was made with is missing, or is not the same now.
    """
    stored = record.configuration
    given = {name for name, value in objects.items() if value is not None} | {*stored.get("objects", {})}
    if not trust:
        named = {**stored, "ray_address": options_before(record).ray_address}
        refuse_untyped(record.name, named_code(named, given))
    files = (record.stored.get("made_of") or {}).get("modules", {})
    changed = [*changed_files(files), *changed_modules(stored.get("sources") or {})]
    refuse_changed(record.name, list(dict.fromkeys(changed)), instead="")  # before they are imported, which runs them
    source = stored_source(record, objects)
    for name in source.given if isinstance(source, WorkloadObjects) else ():
        if name not in stored.get("objects", {}):
            raise InputError(f"the function {name!r} is not what study {record.name!r} was made with")
    device = device_of_runs(record.settings.device, options_before(record))
    objective = objective_on(source, device, data_root, elsewhere=record.engine.workers > 0)
    if isinstance(objective, OwnTraining):
        objective = replace(objective, first_run=FirstRunResult.read(record.stored["first_run"]))
    objective = objective.counting(record.settings.unit)
    now = source_record(source, objective)
    if objective.fingerprint() != stored["data"]:
        raise InputError(f"the data {stored['dataset']!r} is not what study {record.name!r} was made with")
    for kind, what in (("sources", "file of"), ("objects", "function")):
        before, present = stored.get(kind) or {}, now.get(kind) or {}
        for name in before:
            if before[name] != present.get(name):
                raise InputError(f"the {what} {name!r} is not what study {record.name!r} was made with")
    refuse_changed(record.name, objective.changes(record.stored.get("made_of")), instead="")
    return objective


def options_before(record: StudyRecord) -> ExecutorOptions:
    """The flags that chose the engine of a stored study."""
    return ExecutorOptions(**record.stored.get("engine", {"asked": {}})["asked"])


def executor_again(record: StudyRecord) -> ExecutorOptions:
    """How to train runs of a stored study again: in Ray actors if its own runs were, and otherwise as its engine says.

    If nobody answers at the address of its cluster any more, Ray is started here. On CPUs, processes give the same bits
    without Ray.
    """
    options = options_before(record)
    if options.executor != "ray":
        return ExecutorOptions()
    if record.settings.device == "cpu" and find_spec("ray") is None:
        return ExecutorOptions(executor="processes")
    gone = options.ray_address is not None and silence_at(address_meant(options.ray_address)) is not None
    return replace(options, workers=record.engine.workers, ray_address=None if gone else options.ray_address)


def stored_source(record: StudyRecord, objects: dict[str, Any]) -> Source:
    """What a study was made of; raises InputError for Python objects that are not given again."""
    wanted = record.configuration.get("objects", {})
    missing = [name for name in wanted if objects.get(name) is None]
    if missing:
        again = ", ".join(f"{name}=..." for name in missing)
        raise InputError(
            f"study {record.name!r} was made of Python objects ({', '.join(missing)}), which no command can import: "
            f"call study.load({record.name!r}, storage=...), and its reproduce(trial, {again}) or extend(..., {again})"
        )
    if {"train", "command"} & record.configuration.keys():
        return TrainingSource.of(TrainingOptions.stored(record.configuration), objects.get("train"))
    parts = {"data": ("dataset",), "workload": ("dataset", "model")}
    replaced = [name for part in wanted for name in parts.get(part, (part,))]
    named = {name: value for name, value in record.configuration.items() if name not in replaced}
    return workload_source(WorkloadOptions.stored(named), **objects)
