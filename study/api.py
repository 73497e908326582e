"""For scripts and notebooks: the only place where objective, executor, search and storage meet.

import study

result = study.find_schedule(dataset="digits", epochs=4, trials=12)
scheduler = result.schedule.build(optimizer, total_steps)
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import optuna
import torch
from optuna.trial import FrozenTrial
from rich.console import Console

from search_spaces import from_params
from search_spaces.errors import InputError, require
from study.cli import interruption
from study.executors.choice import Demand, ExecutorOptions, agree, as_stored, executor_of
from study.machine import choose_device
from study.objective import Engine, Executor
from study.reports.comparison_progress import ComparisonDisplay, StudyProgress
from study.reports.dashboard.dashboard import Dashboard
from study.reports.progress import Display
from study.reports.search_result import print_result
from study.search.bracket import Bracket
from study.search.configuration import Configuration, SearchOptions
from study.search.confirm import confirming
from study.search.enqueue import read_known
from study.search.family_plan import parts
from study.search.reproduce import reproduce
from study.search.search import search
from study.storage.provenance import differing_versions, provenance
from study.storage.records import best_trial, finished_trials, session_of, trial_of
from study.storage.studies import open_study, read_study
from study.storage.url import shown, storage_flag
from study.training.workload_objective import WorkloadObjective
from study.workloads.objects import WorkloadObjects
from study.workloads.options import WorkloadOptions

DATA_ROOT = Path.home() / ".cache" / "learning-rate-study"
"""Directory for downloaded data sets."""


@dataclass(frozen=True)
class StudyPlan:
    """One study that is to be searched, or searched on: all that `opened` needs.

    record: the configuration as it is stored. storage: a database URL; None keeps the study in memory. group: the
    comparison of families that it belongs to, its own name otherwise. known: the schedules it begins with, as
    parameters of trials.
    """

    name: str
    objective: WorkloadObjective
    configuration: Configuration
    record: dict[str, Any]
    executor: ExecutorOptions
    storage: str | None
    group: str
    known: Sequence[dict[str, Any]] = ()


def make_objective(what: WorkloadOptions | WorkloadObjects, device: str, data_root: Path) -> WorkloadObjective:
    """The objective, on its device; raises InputError if it cannot be made."""
    chosen = choose_device(device)
    return WorkloadObjective(what.load(data_root).to(chosen))


def plan_search(
    what: WorkloadOptions | WorkloadObjects,
    objective: WorkloadObjective,
    configuration: Configuration,
    executor: ExecutorOptions,
    storage: str | None,
    name: str | None = None,
    group: str | None = None,
    enqueue: Sequence[str] = (),
) -> StudyPlan:
    """The plan of one study; raises InputError if something does not go together. what: the objective was made of it.

    name: None is derived from the workload and the configuration. enqueue: schedules to begin with, as `read_known`.
    """
    configuration.check(objective)
    known = read_known(enqueue, storage, partial(configuration.suggest, peak_lr=objective.peak_lr))
    record = what.record(objective.workload) | configuration.record(objective) | ({"enqueued": known} if known else {})
    name = name or configuration.study_name(what.subject)
    return StudyPlan(name, objective, configuration, record, executor, storage, group or name, known)


@dataclass
class OpenStudy:
    """A study that this process owns, with the executor that trains its runs. reason: why this engine."""

    plan: StudyPlan
    optuna_study: optuna.Study
    engine: Engine
    reason: str
    executor: Executor
    dashboard: Dashboard | None

    @property
    def best(self) -> FrozenTrial | None:
        """The best trial that ran to its end."""
        return best_trial(self.optuna_study, finished_trials(self.optuna_study))

    def search(self, trials: int, interrupted: Callable[[], bool] = lambda: False) -> Iterator[Bracket]:
        """Search until the study holds this many finished trials; yields the bracket after every evaluation.

        Raises KeyboardInterrupt once `interrupted` says so.
        """
        plan = self.plan
        attach: Callable[[FrozenTrial], FrozenTrial] = self.dashboard.attach if self.dashboard else lambda trial: trial
        searching = search(
            self.optuna_study, plan.objective, plan.configuration, self.executor, trials, interrupted, attach
        )
        for bracket in searching:
            if self.dashboard:
                self.dashboard.update(bracket)
            yield bracket

    def confirm(self, seeds: Sequence[int], interrupted: Callable[[], bool] = lambda: False) -> Iterator[float]:
        """Train the best schedule again with each of these seeds, and keep its values on test as `confirmed`.

        Yields the epochs trained by now. Does nothing if that is done, or if no trial ran to its end.
        """
        best = self.best
        kept = self.optuna_study.user_attrs.get("confirmed", {})
        if best is None or (kept.get("trial"), kept.get("seeds")) == (best.number, list(seeds)):
            return
        plan, schedule = self.plan, from_params(best.params)
        budget = plan.configuration.epochs
        test: list[float] = []
        looks = confirming(plan.objective, self.executor, schedule, budget, seeds, lambda _: interrupted())
        for epochs, test in looks:  # noqa: B007  # the last one is kept
            yield epochs
        if interrupted():
            raise KeyboardInterrupt
        self.optuna_study.set_user_attr("confirmed", {"trial": best.number, "seeds": list(seeds), "test": test})


@contextmanager
def opened(plan: StudyPlan, like: Engine | None = None) -> Iterator[OpenStudy]:
    """Open or create the study, agree on its engine, and own both until the context ends.

    like: the engine that a new study is to have; None chooses one.
    Raises InputError if the study cannot be opened, or was made with something else.
    """
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # a study in memory is an implementation detail
    objective = plan.objective
    attributes = {"group": plan.group, **objective.attributes()}
    steps = objective.steps(1)
    demand = Demand(
        plan.configuration.most_together(steps),
        objective.steps(plan.configuration.epochs),
        plan.configuration.prunes_midway,
    )
    with ExitStack() as stack:
        stack.callback(optuna.logging.set_verbosity, verbosity)
        optuna_study = stack.enter_context(
            open_study(plan.storage, plan.name, plan.record, attributes, provenance(objective.device))
        )
        stored = optuna_study.user_attrs.get("engine")
        if stored is None and like:
            engine, reason = like, "as the studies before"
        else:
            engine, reason = agree(plan.name, stored, plan.executor, objective, demand)
        if stored is None:
            optuna_study.set_user_attr("engine", as_stored(engine, plan.executor))
        executor = stack.enter_context(executor_of(engine, objective))
        dashboard = stack.enter_context(Dashboard(optuna_study, plan.storage)) if plan.storage else None
        yield OpenStudy(plan, optuna_study, engine, reason, executor, dashboard)


UNPRUNED = SearchOptions(pruner="none")
"""A comparison of families gives each the same epochs; pruned ones take what their trials happen to be worth."""


@dataclass(frozen=True)
class ComparisonPlan:
    """The studies that compare families, in order. seeds: the fresh ones that confirm each study's winner."""

    name: str
    studies: list[StudyPlan]
    seeds: list[list[int]]

    def expected_epochs(self, trials: int) -> list[float]:
        """What each study costs: its trials and the confirming of its winner."""
        return [
            trials * plan.configuration.expected_epochs(plan.objective.steps(1)) + len(own) * plan.configuration.epochs
            for plan, own in zip(self.studies, self.seeds, strict=True)
        ]


def plan_comparison(
    what: WorkloadOptions | WorkloadObjects,
    objective: WorkloadObjective,
    options: SearchOptions,
    budgets: Sequence[int],
    search_seeds: int,
    confirm_seeds: int,
    executor: ExecutorOptions,
    storage: str | None,
    name: str | None = None,
) -> ComparisonPlan:
    """The plan of a comparison of families; raises InputError, before anything runs, if a part cannot be trained.

    budgets: epochs. search_seeds: how often each search is repeated. confirm_seeds: fresh seeds for each winner.
    """
    name = name or f"benchmark-{what.subject}"
    todo = parts(options, budgets, search_seeds, confirm_seeds, name)
    plans = [
        plan_search(what, objective, part.configuration, executor, storage, part.name, group=name) for part in todo
    ]
    return ComparisonPlan(name, plans, [part.seeds for part in todo])


def comparing(
    plan: ComparisonPlan, trials: int, interrupted: Callable[[], bool] = lambda: False
) -> Iterator[StudyProgress]:
    """Tune each family with this many trials, and confirm its winner; goes on where it was.

    A new study is trained as the first one was.
    """
    chosen: Engine | None = None
    for number, (part, seeds) in enumerate(zip(plan.studies, plan.seeds, strict=True)):
        family, budget = part.configuration.families[0], part.configuration.epochs
        with opened(part, chosen) as study:
            chosen, before, now = study.engine, 0.0, 0.0
            for bracket in study.search(trials, interrupted):
                now = bracket.epochs_trained - bracket.epochs_loaded
                yield StudyProgress(number, family, budget, before + now)
                before += now if bracket.finished else 0.0
            trained = before
            for epochs in study.confirm(seeds, interrupted):
                trained = before + epochs
                yield StudyProgress(number, family, budget, trained)
            best, test = study.best, study.optuna_study.user_attrs.get("confirmed", {}).get("test")
            yield StudyProgress(
                number, family, budget, trained, best.value if best else None, mean(test) if test else None, done=True
            )


def compare_and_show(plan: ComparisonPlan, trials: int, console: Console) -> None:
    """Tune each family with this many trials, confirm its winner, and print how it goes.

    Ctrl-C and SIGTERM raise KeyboardInterrupt once what is being written is written.
    """
    budgets = ", ".join(map(str, dict.fromkeys(part.configuration.epochs for part in plan.studies)))
    storage = plan.studies[0].storage
    kept = f", kept in {shown(storage)}" if storage else ""
    console.print(f"Benchmark {plan.name!r}: {len(plan.studies)} studies, {budgets} epochs{kept}")
    with interruption() as interrupted, ComparisonDisplay(console, plan.expected_epochs(trials)) as display:
        for progress in comparing(plan, trials, interrupted):
            display.update(progress)
    if storage:
        where = f"--study {shlex.quote(plan.name)}{storage_flag(storage)}"
        console.print(f"\nThe report: python scripts/report.py {where}")


def search_and_show(plan: StudyPlan, trials: int, console: Console) -> None:
    """Search until the study holds this many finished trials, and print how it goes and what was found.

    Ctrl-C and SIGTERM end the search: what was found is printed, then KeyboardInterrupt is raised.
    """
    least = max(1, len(plan.known))
    require(trials >= least, f"--trials must be at least {least}, to try what is enqueued", trials)
    if about := plan.objective.workload.data.about:
        console.print(f"Data: {about}")
    with opened(plan) as study:
        optuna_study, sessions = study.optuna_study, study.optuna_study.user_attrs["sessions"]
        for difference in differing_versions(sessions[0], sessions[-1]):
            console.print(f"note: not as when the study began, so the last bits may differ: {difference}")
        done = len(finished_trials(optuna_study))
        if done >= trials:
            console.print(f"Study {plan.name!r} already holds {done} finished trials: nothing is left to do.")
        else:
            kept = f", kept in {shown(plan.storage)}" if plan.storage else ""
            console.print(f"Study {plan.name!r}: {plan.objective.name} on {sessions[-1]['device']}{kept}")
            if plan.known:
                console.print(f"Known schedules, tried first: {', '.join(one['family'] for one in plan.known)}")
        console.print(f"Engine: {study.engine} ({study.reason})")
        try:
            with interruption() as interrupted, Display(console, optuna_study, plan.configuration, trials) as display:
                for bracket in study.search(trials, interrupted):
                    display.update(bracket)
        except KeyboardInterrupt:
            console.print("Interrupted: everything finished is kept; the same command goes on.")
            print_result(console, optuna_study, plan.storage)
            raise
        if study.dashboard and (problem := study.dashboard.artifacts.problem):
            console.print(f"note: {problem}")
        print_result(console, optuna_study, plan.storage)


def reproduce_and_show(storage: str, name: str, number: int, data_root: Path, console: Console) -> bool:
    """Train a stored trial again, and print stored and reproduced values; whether they are equal to the last bit.

    Raises InputError if the study cannot be read, or what it was made with is not there any more.
    """
    optuna_study = read_study(storage, name)
    trial = trial_of(optuna_study, number)
    stored = optuna_study.user_attrs["configuration"]
    session = session_of(optuna_study, trial)
    torch.set_num_threads(session["threads"])
    options = WorkloadOptions.stored(stored)
    objective = make_objective(options, stored["device"], data_root)
    if objective.fingerprint() != stored["data"]:
        raise InputError(f"the data {stored['dataset']!r} is not what study {name!r} was made with")
    for module, digest in (stored.get("sources") or {}).items():
        if options.sources.get(module) != digest:
            raise InputError(f"the file of {module!r} is not what study {name!r} was made with")
    different = differing_versions(session, provenance(objective.device))
    for difference in different:
        console.print(f"note: not as when the trial ran: {difference}")
    console.print(f"Trial {trial.number} of {name}, {trial.params['family']}:")
    engine, equal = optuna_study.user_attrs["engine"], True
    with executor_of(Engine(engine["cohort"], engine["workers"]), objective) as executor:
        for one in reproduce(optuna_study, trial, objective, executor):
            same = one.stored == one.found
            equal = equal and same
            together = f", trained {one.cohort} together" if one.cohort > 1 else ""
            said = "equal" if same else "they differ"
            console.print(f"  {one.epochs} epochs{together}: stored {one.stored!r}, reproduced {one.found!r}: {said}")
    if equal:
        console.print("Reproduced to the last bit.")
    else:
        reason = "see the notes above" if different else "the machine differs in something that no record holds"
        console.print(f"Not reproduced to the last bit: {reason}.")
    return equal
