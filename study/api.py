"""For scripts and notebooks: the only place where objective, executor, search and storage meet.

>>> import study
>>> result = study.find_schedule(dataset="digits", epochs=2, trials=4, families=("cosine", "rex"), progress=False)
>>> result.schedule.family in ("cosine", "rex")
True
>>> list(result.trials["epochs"])
[2.0, 2.0, 2.0, 2.0]

Functions named `..._and_show` print their progress and results; `progress=False` makes a call quiet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from search_spaces.errors import InputError, require
from search_spaces.schedule import Schedule
from study.analysis.extension import Extension, best_run
from study.arguments import naming_arguments, options_of
from study.cli import in_notebook, interruption, plain_console
from study.executors.choice import Demand, agree, as_stored, executor_of
from study.executors.options import ExecutorOptions
from study.machine import torch_threads
from study.objective import Engine, Unit
from study.reports.comparison_progress import ComparisonDisplay, StudyProgress
from study.reports.dashboard.dashboard import Dashboard
from study.reports.extension import advice, all_diverged, print_extension, print_lines
from study.reports.finals_progress import FinalsDisplay
from study.reports.findings import Comparison, Findings
from study.reports.search_console import display_of, print_opened, print_outcome
from study.reports.table_names import check_tables
from study.search.configuration import UNPRUNED, Configuration, SearchOptions, check_confirm_seeds, check_longer_runs
from study.search.enqueue import read_known
from study.search.extend import TRYING, confirming_seeds, extending
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
    make_objective,
    narrowed,
    source_record,
    stored_objective,
)
from study.speed import ChosenEngine
from study.storage.finals import FinalRun
from study.storage.longer_runs import longer_runs
from study.storage.provenance import provenance
from study.storage.quiet import quiet_optuna
from study.storage.studies import keep_engine, open_study, read_studies, stored_attributes, stored_engine
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord
from study.storage.url import storage_url
from study.training.training_options import TrainingOptions
from study.training.training_source import TrainingSource, name_of
from study.workloads.objects import workload_source
from study.workloads.options import DATA_ROOT, WorkloadOptions

S = TypeVar("S", bound=SearchOptions)


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
) -> StudyPlan:
    """The plan of one study; raises InputError if its parts do not fit each other. source: of the objective.

    name: None derives it from the workload and the configuration. enqueue: schedules to try first, as for `read_known`.
    reference: as for `make_reference`; None takes that of the stored study, or the usual one for a new study.
    announce: is given lines for people, if the objective must be tried first. accept_changes: whether a stored study
    continues although the user's files or model have changed.
    """
    name = name or configuration.study_name(source.subject)
    objective = objective.counting(configuration.unit)
    objective = after_first_runs(objective, configuration.budget, storage, name, announce)
    configuration, left_out = narrowed(configuration, objective)
    configuration.check(objective)
    known = read_known(enqueue, storage, partial(configuration.suggest, peak_lr=objective.peak_lr))
    record = source_record(source, objective) | configuration.record(objective)
    record |= {"enqueued": known} if known else {}
    stored = stored_attributes(storage, name) if storage else {}
    found, obstacle = chosen_reference(reference, configuration, objective, stored)
    record |= {"reference": found.record} if found else {}
    changed = changed_since(objective, stored, name, record, accept_changes, part=group is not None)
    about = "\n".join(filter(None, [objective.about, *left_out, obstacle, changed]))
    plan = StudyPlan(name, objective, configuration, record, storage, group or name, known, about, found)
    return replace(plan, accept_changes=accept_changes)


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
    objective = plan.objective
    attributes = {"group": plan.group, **objective.attributes()} | ({"limit": dict(plan.limit)} if plan.limit else {})
    with ExitStack() as stack:
        stack.enter_context(quiet_optuna())  # studies in memory are none of the user's business
        session = provenance(objective.device)
        opening = open_study(plan.storage, plan.name, plan.record, attributes, session, plan.accept_changes)
        optuna_study = stack.enter_context(opening)
        announce(StudyRecord.of(optuna_study))
        stored = stored_engine(optuna_study)
        if stored is None and like:
            chosen = ChosenEngine(like, "as in the studies before")
        elif stored is None and plan.chosen:
            chosen = plan.chosen
        else:
            chosen = agree(plan.name, stored, options, objective, demand_of(plan))
        if stored is None:
            keep_engine(optuna_study, as_stored(chosen, options))
        executor = stack.enter_context(executor_of(chosen.engine, objective))
        dashboard = stack.enter_context(Dashboard(optuna_study, plan.storage)) if plan.storage else None
        yield OpenStudy(plan, optuna_study, chosen.engine, chosen.reason, executor, dashboard, chosen.speed)


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
    chosen = agree(plan.name, None, options, plan.objective, demand_of(plan))
    fitted = Fitting(plan.configuration, plan.objective, limit, chosen, plan.reference is not None).fit(
        trials, len(plan.known)
    )
    return fitted.plan(replace(plan, chosen=chosen), limit), fitted.trials


def search_and_show(
    plan: StudyPlan,
    options: ExecutorOptions,
    trials: int,
    console: Console,
    show: Sequence[str] = (),
    confirm_seeds: int | None = None,
) -> StudyRecord:
    """Search until the study has this many finished trials, confirm the answer, and print progress and verdict.

    show: names of the tables that are printed besides the verdict, see `reports.table_names`. confirm_seeds: fresh
    seeds that confirm the answer, 0 for none; None fits them to what the search has cost, see `search.finals`.
    Ctrl-C and SIGTERM end the search: the results so far are printed, then KeyboardInterrupt is raised. In a
    notebook, and for a study in memory, which nothing else keeps, they are returned instead.
    """
    require(isinstance(trials, int) and trials >= 1, "--trials must be at least 1", trials)
    check_tables(show)
    check_confirm_seeds(confirm_seeds)
    known = len(plan.known)
    require(trials >= known, f"--trials must be at least {known}, to try what is enqueued", trials)
    stopped = False
    # Opened before: an interruption then ends it at once, and reading thousands of trials takes seconds.
    with opened(plan, options, announce=partial(print_opened, console, plan, trials)) as study:
        with interruption() as interrupted:
            try:
                with display_of(console, study, trials, confirm_seeds) as display:
                    for bracket in study.search(trials, interrupted):
                        display.update(bracket)
                if confirm_seeds != 0:
                    with FinalsDisplay(console) as finals_display:
                        for progress in study.run_finals(confirm_seeds, interrupted):
                            finals_display.update(progress)
            except KeyboardInterrupt:
                stopped = True
        record = study.record
    with interruption():
        print_outcome(console, plan, record, stopped, study.watcher.problem if study.watcher else None, show)
    if stopped and plan.storage and not in_notebook():
        raise KeyboardInterrupt
    return record


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
) -> ComparisonPlan:
    """The plan of a comparison of families; raises InputError, before anything runs, if a part cannot be trained.

    budgets: of the unit. search_seeds: how often each search is repeated. confirm_seeds: fresh seeds for each winner.
    announce: as for `plan_search`.
    """
    for flag, number in (("--confirm-seeds", confirm_seeds), ("--search-seeds", search_seeds)):
        require(isinstance(number, int) and number >= 1, f"{flag} must be at least 1", number)
    require(len(budgets) >= 1, f"--{unit} needs at least one budget", budgets)
    require(all(isinstance(one, int) and one >= 1 for one in budgets), f"--{unit} must be at least 1", budgets)
    name = name or f"benchmark-{source.subject}"
    todo = parts(options, budgets, search_seeds, confirm_seeds, name, unit)
    objective = after_first_runs(objective.counting(unit), budgets[0], storage, todo[0].name, announce)
    plans = [plan_search(source, objective, part.configuration, storage, part.name, group=name) for part in todo]
    return ComparisonPlan(name, plans, [part.seeds for part in todo])


def comparing(
    plan: ComparisonPlan, options: ExecutorOptions, trials: int, interrupted: Callable[[], bool] = lambda: False
) -> Iterator[StudyProgress]:
    """Tune each family with this many trials, and confirm its winner; continues a comparison that was stopped.

    A new study has the engine of the one before it.
    """
    chosen: Engine | None = None
    for number, (part, seeds) in enumerate(zip(plan.studies, plan.seeds, strict=True)):
        progress = partial(StudyProgress, number, part.configuration.families[0], part.configuration.budget)
        with opened(part, options, chosen) as study:
            chosen, trained, now = study.engine, 0.0, 0.0
            for bracket in study.search(trials, interrupted):
                now = bracket.epochs_trained - bracket.epochs_loaded
                yield progress(trained + now)
                trained += now if bracket.finished else 0.0
            epochs = 0.0
            for epochs in study.confirm(seeds, interrupted):
                yield progress(trained + epochs)
            yield progress(trained + epochs, study.record)


def compare_and_show(
    plan: ComparisonPlan, options: ExecutorOptions, trials: int, console: Console
) -> list[StudyRecord]:
    """Tune each family with this many trials, confirm its winner, and print the progress; returns the studies in order.

    Ctrl-C and SIGTERM raise KeyboardInterrupt after the present write. For a comparison in memory, the finished studies
    are returned instead.
    """
    require(isinstance(trials, int) and trials >= 1, "--trials-per-family must be at least 1", trials)
    found = []
    try:
        with interruption() as interrupted, ComparisonDisplay(console, plan, trials) as display:
            for progress in comparing(plan, options, trials, interrupted):
                display.update(progress)
                found += [progress.study] if progress.study else []
    except KeyboardInterrupt:
        if plan.studies[0].storage:
            raise
    return found


class Result(Findings):
    """The results of a study, with methods that train its trials again, or its schedule for longer."""

    @naming_arguments
    def extend(
        self,
        epochs: int | None = None,
        steps: int | None = None,
        runs: int = 1,
        confirm_seeds: int = 0,
        storage: str | Path | None = None,
        data_root: str | Path = DATA_ROOT,
        progress: bool = True,
        **objects: Any,
    ) -> Schedule:
        """The schedule for a longer run, as `scripts/extend.py` finds it: at most ten times as long as a full run.

        epochs or steps: of the longer run, in the unit of the study. runs: to train: 1 for the recommended schedule, 2
        or 3 for as many of the best ones, or 0. confirm_seeds: with how many seeds to train the chosen one again.
        storage: that keeps the study, and then these runs too. objects: data, model, optimizer, workload or train, if
        the study was made of Python objects.
        """
        unit = self.record.settings.unit
        budget = epochs if unit == "epochs" else steps
        if budget is None:
            raise InputError(f"the budget of study {self.record.name!r} is in {unit}: give {unit}=...")
        console = plain_console(quiet=not progress)
        url, repeats = storage_url(storage), (runs, confirm_seeds)
        return extend_and_show(self.record, url, budget, *repeats, console, Path(data_root), **objects)

    def reproduce(self, trial: int, data_root: str | Path = DATA_ROOT, **objects: Any) -> list[Reproduced]:
        """Train a trial again as it was trained; returns the stored value and the new one for each of its runs.

        objects: data, model, optimizer or workload, if the study was made of Python objects.
        Raises InputError if something that the study was made with is missing now.
        """
        chosen = self.record.trial(trial)
        with torch_threads(self.record.session_of(chosen).threads):
            return list(reproducing(self.record, chosen, Path(data_root), **objects))


def reproducing(record: StudyRecord, trial: TrialRecord, data_root: Path, **objects: Any) -> Iterator[Reproduced]:
    """The same, run by run, with torch's present number of threads; raises InputError before it trains anything."""
    objective = stored_objective(record, data_root, objects)

    def trained() -> Iterator[Reproduced]:
        with executor_of(record.engine, objective) as executor:
            yield from reproduce(record, trial, objective, executor)

    return trained()


def extend_and_show(
    record: StudyRecord,
    storage: str | None,
    budget: int,
    runs: int,
    confirm_seeds: int,
    console: Console,
    data_root: Path = DATA_ROOT,
    output: Path | None = None,
    **objects: Any,
) -> Schedule:
    """The schedule for a longer run than those of a study, tried in a few runs; prints what is known of it.

    budget: of the longer run, in the study's unit. runs: to train, see `Extension.of`; those that the study keeps are
    not trained again. confirm_seeds: with how many seeds to train the chosen schedule again. output: file for the code;
    None prints it. objects: as for `Result.reproduce`.
    Raises InputError if the study cannot be extended so far, or all runs diverged, and KeyboardInterrupt on Ctrl-C and
    SIGTERM.
    """
    check_longer_runs(runs, confirm_seeds)
    extension = Extension.of(record, budget, runs)
    print_lines(console, advice(record, extension))
    if not extension.trials:
        return extension.recommended.schedule
    objective = stored_objective(record, data_root, objects)
    configuration = Configuration.stored(record.configuration)
    plan = StudyPlan(record.name, objective, configuration, dict(record.configuration), storage, record.group)
    with interruption() as interrupted, opened(plan, ExecutorOptions()) as study:

        def trained(trials: Sequence[int], seeds: Sequence[int], what: str) -> list[FinalRun]:
            """The runs of these trials with these seeds, trained as far as the study does not keep them."""
            own = (study.optuna_study, record, study.executor, trials, budget, seeds, lambda _: interrupted())
            with FinalsDisplay(console, what) as display:
                for progress in extending(*own):
                    display.update(progress)
            kept = {(run.trial, run.seed): run for run in longer_runs(study.optuna_study.user_attrs, budget)}
            return [kept[trial, seed] for trial in trials for seed in seeds]

        tried = trained([trial.number for trial in extension.trials], TRYING, "Training longer")
        best = best_run(record, tried)
        if best is None:
            raise InputError(all_diverged(record, extension))
        seeds = confirming_seeds(confirm_seeds)
        confirming = trained([best.trial], seeds, "Confirming with fresh seeds") if seeds else []
    print_extension(console, record, extension, tried, best, confirming, output)
    return record.trial(best.trial).schedule


def source_and_options(
    given: Mapping[str, Any], options: Mapping[str, Any], search: type[S]
) -> tuple[Source, S, ExecutorOptions]:
    """What is trained, and the options of the search and of the executor.

    given: model, data, optimizer, workload and train, as names or Python objects; None is not given. options: all
    others, by name. Raises InputError for what does not go together.
    """
    if given["train"] is None and options.get("command") is None:
        workload, search_options, executor = options_of(options, WorkloadOptions, search, ExecutorOptions)
        return workload_source(workload, **{k: v for k, v in given.items() if k != "train"}), search_options, executor
    whole = "command" if given["train"] is None else "train"
    for name, value in given.items():
        require(name == "train" or value is None, f"{whole} replaces {name}: remove {name}", value)
    named = {} if given["train"] is None else {"train": name_of(given["train"])}
    training, search_options, executor = options_of({**options, **named}, TrainingOptions, search, ExecutorOptions)
    return TrainingSource.of(training, given["train"]), search_options, executor


@naming_arguments
def find_schedule(
    *,
    model: Any = None,
    data: Any = None,
    optimizer: Any = None,
    workload: Any = None,
    train: Any = None,
    trials: int = 50,
    max_cost: float | None = None,
    max_hours: float | None = None,
    storage: str | Path | None = None,
    study: str | None = None,
    enqueue: str | Path | Sequence[str | Path] = (),
    device: str = "auto",
    data_root: str | Path = DATA_ROOT,
    progress: bool = True,
    show: Sequence[str] = (),
    reference: str | None = None,
    confirm_seeds: int | None = None,
    accept_changes: bool = False,
    **options: Any,
) -> Result:
    """Search for the best learning-rate schedule, as `scripts/search.py` does with the flags of the same names.

    model, optimizer: a name, or a function that makes one. data: (x, y), a Dataset, a dict of such with train, val and
    test, or Data; instead of it `dataset` takes a name. workload: a name, or a Workload. train: instead of all these, a
    function that trains, or its name: a generator of (schedule, epochs, seed) that yields its validation value; with
    it, metric, direction, peak_lr and worst may be given. storage: a file or a database URL that keeps the study, so
    that the same call continues it; None keeps it in memory.
    trials: of the study in total, including earlier calls. max_cost, max_hours: the most that they may cost, in full
    runs or hours; otherwise there are fewer, or cheaper rungs. progress: whether to print the progress and the verdict.
    show: tables to print before the verdict: families, importance, peaks, audit, edges. reference: what the answer is
    compared with: a family, a JSON file of export.py, or "none"; None is a cosine. confirm_seeds: fresh seeds that
    confirm the answer, 0 for none; None is 8, or fewer if a full run takes more than a minute.
    accept_changes: whether a stored study continues although your files or model have changed.
    options: all other flags of the command line, such as epochs, families, sampler, cohort.
    Raises InputError for options that do not fit each other. On Ctrl-C, a stored study raises KeyboardInterrupt; a
    study in memory, and any study in a notebook, returns its results so far.
    """
    given = {"model": model, "data": data, "optimizer": optimizer, "workload": workload, "train": train}
    source, configuration, executor = source_and_options(given, options, Configuration)
    objective = make_objective(source, device, Path(data_root))
    known = [str(one) for one in ([enqueue] if isinstance(enqueue, str | Path) else enqueue)]
    console = plain_console(quiet=not progress)
    url = storage_url(storage)
    plan = plan_search(
        source, objective, configuration, url, study, None, known, reference, console.print, accept_changes
    )
    [limit] = options_of({"max_cost": max_cost, "max_hours": max_hours}, Limit)
    plan, trials = within(plan, limit, executor, trials)
    return Result(search_and_show(plan, executor, trials, console, show, confirm_seeds))


@naming_arguments
def compare_families(
    *,
    model: Any = None,
    data: Any = None,
    optimizer: Any = None,
    workload: Any = None,
    train: Any = None,
    epochs: int | Sequence[int] = 20,
    steps: int | Sequence[int] | None = None,
    trials_per_family: int = 50,
    confirm_seeds: int = 16,
    search_seeds: int = 1,
    storage: str | Path | None = None,
    name: str | None = None,
    device: str = "auto",
    data_root: str | Path = DATA_ROOT,
    progress: bool = True,
    **options: Any,
) -> Comparison:
    """Compare families of schedules fairly, as `scripts/benchmark.py` does with the flags of the same names.

    Each family is tuned separately with the same number of trials, all full runs unless a pruner is named; its best
    schedule is trained again with fresh seeds and evaluated on test. epochs: one budget or several. steps: the same in
    optimizer steps, instead of epochs. The other options are those of `find_schedule`.
    """
    options = {"pruner": UNPRUNED.pruner} | options
    given = {"model": model, "data": data, "optimizer": optimizer, "workload": workload, "train": train}
    source, search_options, executor = source_and_options(given, options, SearchOptions)
    objective = make_objective(source, device, Path(data_root))
    unit: Unit = "epochs" if steps is None else "steps"
    one_or_more, url = epochs if steps is None else steps, storage_url(storage)
    budgets = [one_or_more] if isinstance(one_or_more, int) else list(one_or_more)
    repeats, console = (search_seeds, confirm_seeds), plain_console(quiet=not progress)
    plan = plan_comparison(source, objective, search_options, budgets, *repeats, url, name, unit, console.print)
    return Comparison(compare_and_show(plan, executor, trials_per_family, console))


def load(study: str, storage: str | Path | None) -> Result | Comparison:
    """The results of a stored study or comparison of families; raises InputError if this name does not exist."""
    url = storage_url(storage)
    if url is None:
        raise InputError("load needs the storage that holds the study: a file or a database URL, but None was given")
    records = read_studies(url, study)
    return Result(records[0]) if records[0].name == study else Comparison(records)
