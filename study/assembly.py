"""Where objective, executor, search and storage meet: plans are made here, and studies opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from search_spaces.errors import InputError, require
from study.executors.choice import Demand, agree, as_stored, asked_pool, check_workers, executor_of
from study.executors.options import ExecutorOptions
from study.executors.ray_cluster import ray_running
from study.machine import name_of_device
from study.objective import Engine, Objective, Unit
from study.reports.comparison_progress import StudyProgress
from study.reports.dashboard.dashboard import Dashboard
from study.search.configuration import Configuration, SearchOptions
from study.search.enqueue import read_known
from study.search.family_plan import ComparisonPlan, parts
from study.search.fitted_plan import Fitting, fitted_before
from study.search.limit import Limit
from study.search.reference import NO_REFERENCE, USUAL, Reference, make_reference
from study.search.reproduce import Reproduced, reproduce
from study.search.study_plan import OpenStudy, StudyPlan
from study.source import (
    AnyObjective,
    Source,
    after_first_runs,
    changed_since,
    changes_in_words,
    executor_again,
    narrowed,
    source_record,
    stored_objective,
    suggested,
)
from study.speed import ChosenEngine
from study.storage.artifact_places import check_reachable, keep_place
from study.storage.provenance import provenance
from study.storage.quiet import quiet_optuna
from study.storage.studies import keep_engine, open_study, stored_attributes, stored_engine
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord


def plan_search(
    source: Source,
    objective: AnyObjective,
    configuration: Configuration,
    storage: str | None,
    name: str | None = None,
    group: str | None = None,
    enqueue: Sequence[str] = (),
    reference: str | None = NO_REFERENCE,
    announce: Callable[[str], None] = lambda line: None,
    accept_changes: bool = False,
    artifacts: str | None = None,
) -> StudyPlan:
    """The plan of one study; raises InputError if its parts do not fit each other. source: of the objective.

    name: None derives it from the workload and the configuration. enqueue: schedules to try first, as for `read_known`.
    reference: as for `make_reference`; None takes that of the stored study, or the usual one for a new study.
    announce: is given lines for people, if the objective must be tried first. accept_changes: whether a stored study
    continues although the user's files or model have changed. artifacts: as of the plan.
    """
    name = name or configuration.study_name(source.subject)
    objective = objective.counting(configuration.unit)
    configuration.besides(objective)  # raises InputError before anything runs
    objective = after_first_runs(objective, configuration.budget, storage, name, announce)
    asked = configuration
    configuration, left_out = narrowed(asked, objective)
    configuration.check(objective)
    within = partial(suggested, asked=asked, configuration=configuration, objective=objective)
    known = read_known(enqueue, storage, within)
    record = source_record(source, objective) | configuration.record(objective)
    record |= {"enqueued": known} if known else {}
    stored = stored_attributes(storage, name) if storage else {}
    found, obstacle = chosen_reference(reference, configuration, objective, stored)
    record |= {"reference": found.record} if found else {}
    changed = changed_since(objective, stored, name, record, accept_changes, part=group is not None)
    said = changes_in_words(stored, name, changed)
    about = "\n".join(filter(None, [objective.about, *left_out, obstacle, said]))
    plan = StudyPlan(name, objective, configuration, record, storage, group or name, known, about, found)
    return replace(plan, accepted=changed if accept_changes else None, artifacts=artifacts)


def chosen_reference(
    given: str | None, configuration: Configuration, objective: AnyObjective, stored: Mapping[str, Any]
) -> tuple[Reference | None, str]:
    """(the reference of a study, why it has none). given: its name; None for that of a stored study, the usual one
    for a new study, or no reference, if that one cannot be trained. stored: the attributes of the study, if it exists.
    """
    if given is None and "configuration" in stored:
        return Reference.read(stored["configuration"].get("reference")), ""
    if given == NO_REFERENCE:
        return None, ""
    try:
        return make_reference(given or USUAL, configuration, objective), ""
    except InputError as error:
        if given is not None:
            raise
        return None, f"No reference: {error}"


@contextmanager
def opened(
    plan: StudyPlan,
    options: ExecutorOptions,
    like: Engine | None = None,
    announce: Callable[[StudyRecord], None] = lambda record: None,
) -> Iterator[OpenStudy]:
    """Open or create the study, agree on its engine, and own both until the context ends.

    like: the engine for a new study; None chooses one by the options. announce: called once the study is open, before
    the engine is chosen, which takes a while.
    Raises InputError if the study cannot be opened, or was made with another configuration.
    """
    objective, demand = plan.objective, demand_of(plan)
    check_workers(options, objective, demand)
    attributes = {"group": plan.group, **objective.attributes()} | ({"limit": dict(plan.limit)} if plan.limit else {})
    with ExitStack() as stack:
        stack.enter_context(quiet_optuna())  # studies in memory are none of the user's business
        pool = stack.enter_context(asked_pool(options, objective))  # before a study is made: it may fail to start
        session = provenance(torch.device("cpu") if pool else objective.device)
        session |= {"device": pool.call(device_there)} if pool and objective.device.type == "cuda" else {}
        opening = open_study(plan.storage, plan.name, plan.record, attributes, session, plan.accepted)
        check_reachable(plan.artifacts)
        optuna_study = stack.enter_context(opening)
        place = keep_place(optuna_study, plan.artifacts, plan.storage) if plan.storage else None
        announce(StudyRecord.of(optuna_study))
        stored = stored_engine(optuna_study)
        if stored is None and like:
            chosen = ChosenEngine(like, "as in the studies before")
        elif stored is None and plan.chosen:
            chosen = plan.chosen
        else:
            chosen = agree(plan.name, stored, options, objective, demand, pool)
        if stored is None:
            keep_engine(optuna_study, as_stored(chosen, options))
        asked = ExecutorOptions(**stored["asked"]) if stored and pool is None else options
        executor = stack.enter_context(executor_of(chosen.engine, objective, pool, asked))
        dashboard = None
        if plan.storage and place:
            dashboard = stack.enter_context(Dashboard(optuna_study, plan.storage, place))
        yield OpenStudy(plan, optuna_study, chosen.engine, chosen.reason, executor, dashboard, chosen.speed)


def device_there(objective: Objective) -> str:
    """The name of the device that a worker trains on."""
    return name_of_device(objective.device)


def demand_of(plan: StudyPlan) -> Demand:
    """What the search of this plan requires of its executor."""
    configuration, objective = plan.configuration, plan.objective
    most_together = configuration.most_together(objective.steps(1))
    return Demand(most_together, objective.steps(configuration.budget), configuration.worker_obstacle)


def within(plan: StudyPlan, limit: Limit, options: ExecutorOptions, trials: int) -> tuple[StudyPlan, int]:
    """The plan with the rungs, and the number of trials, that a limit of the cost allows; at most `trials`.

    They are fitted when the study begins, at the speed that is measured then, and are stored with it. Raises InputError
    if the limit is too small, or the study was begun with another one.
    """
    require(isinstance(trials, int) and trials >= 1, "--trials must be at least 1", trials)
    stored = stored_attributes(plan.storage, plan.name) if plan.storage else {}
    if "configuration" in stored:
        return fitted_before(plan, limit, stored.get("limit"), trials)
    if not limit.given:
        return plan, trials
    demand = demand_of(plan)
    check_workers(options, plan.objective, demand)
    with asked_pool(options, plan.objective) as pool:
        chosen = agree(plan.name, None, options, plan.objective, demand, pool)
    fitted = Fitting(plan.configuration, plan.objective, limit, chosen, plan.reference is not None).fit(
        trials, len(plan.known)
    )
    return fitted.plan(replace(plan, chosen=chosen), limit), fitted.trials


def plan_comparison(
    source: Source,
    objective: AnyObjective,
    options: SearchOptions,
    budgets: Sequence[int],
    search_seeds: int,
    confirm_seeds: int,
    storage: str | None,
    name: str | None = None,
    unit: Unit = "epochs",
    announce: Callable[[str], None] = lambda line: None,
    artifacts: str | None = None,
) -> ComparisonPlan:
    """The plan of a comparison of families; raises InputError, before anything runs, if a part cannot be trained.

    budgets: of the unit. search_seeds: how often each search is repeated. confirm_seeds: fresh seeds for each winner.
    announce, artifacts: as for `plan_search`.
    """
    for flag, number in (("--confirm-seeds", confirm_seeds), ("--search-seeds", search_seeds)):
        require(isinstance(number, int) and number >= 1, f"{flag} must be at least 1", number)
    require(len(budgets) >= 1, f"--{unit} needs at least one budget", budgets)
    require(all(isinstance(one, int) and one >= 1 for one in budgets), f"--{unit} must be at least 1", budgets)
    name = name or f"benchmark-{source.subject}"
    todo = parts(options, budgets, search_seeds, confirm_seeds, name, unit)
    options.besides(objective)  # raises InputError before anything runs
    objective = after_first_runs(objective.counting(unit), budgets[0], storage, todo[0].name, announce)
    plans = [
        plan_search(source, objective, part.configuration, storage, part.name, group=name, artifacts=artifacts)
        for part in todo
    ]
    return ComparisonPlan(name, plans, [part.seeds for part in todo])


def comparing(
    plan: ComparisonPlan, options: ExecutorOptions, trials: int, interrupted: Callable[[], bool] = lambda: False
) -> Iterator[StudyProgress]:
    """Tune each family with this many trials, and confirm its winner; continues a comparison that was stopped.

    A new study has the engine of the one before it.
    """
    chosen: Engine | None = None
    with ray_running(options):  # for all studies
        for number, (part, seeds) in enumerate(zip(plan.studies, plan.seeds, strict=True)):
            progress = partial(StudyProgress, number, part.configuration.families[0], part.configuration.budget)
            with opened(part, options, chosen) as study:
                chosen, trained, now = study.engine, 0.0, 0.0
                for bracket in study.search(trials, interrupted):
                    now = bracket.epochs_trained - bracket.epochs_loaded
                    yield progress(trained + now)
                    trained += now if bracket.finished else 0.0
                epochs = 0.0
                for epochs, failed in study.confirm(seeds, interrupted):
                    yield progress(trained + epochs, failed=failed)
                yield progress(trained + epochs, study.record)


def reproducing(
    record: StudyRecord, trial: TrialRecord, data_root: Path, trust: bool = False, **objects: Any
) -> Iterator[Reproduced]:
    """The same, run by run, with torch's present number of threads; raises InputError before it trains anything."""
    objective = stored_objective(record, data_root, objects, trust)

    def trained() -> Iterator[Reproduced]:
        with executor_of(record.engine, objective, options=executor_again(record)) as executor:
            yield from reproduce(record, trial, objective, executor)

    return trained()
