"""Searches, comparisons and longer runs that print their progress and results: what scripts and notebooks call."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from search_spaces.errors import InputError, require
from search_spaces.schedule import Schedule
from study.analysis.extension import Extension, best_run, shorter_runs_beating
from study.assembly import comparing, opened
from study.cli import Interrupted, in_notebook, interruption
from study.executors.options import ExecutorOptions
from study.reports.comparison_progress import ComparisonDisplay
from study.reports.extension import advice, longer_answer, none_ended_well, print_extension, print_lines
from study.reports.finals_progress import FinalsDisplay
from study.reports.schedule_origin import check_exportable
from study.reports.search_console import display_of, print_opened, print_outcome
from study.reports.table_names import check_tables
from study.search.configuration import Configuration, check_confirm_seeds, check_longer_runs
from study.search.extend import TRYING, confirming_seeds, extending
from study.search.family_plan import ComparisonPlan
from study.search.study_plan import StudyPlan
from study.source import executor_again, stored_objective
from study.storage.finals import FailedRun, FinalRun
from study.storage.longer_runs import longer_runs
from study.storage.study_record import StudyRecord
from study.storage.url import runs_folder
from study.training.own_training import OwnTraining
from study.workloads.options import DATA_ROOT


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
                if not interrupted():  # the user's code has raised it
                    raise
                stopped = True
        record = study.record
    with interruption():
        print_outcome(console, plan, record, stopped, study.watcher.problem if study.watcher else None, show)
    if stopped and plan.storage and not in_notebook():
        raise Interrupted
    return record


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
    except KeyboardInterrupt as error:
        if plan.studies[0].storage:
            raise Interrupted().with_traceback(error.__traceback__) from None  # user's code may have raised it
    return found


def extend_and_show(
    record: StudyRecord,
    storage: str | None,
    budget: int,
    runs: int,
    confirm_seeds: int,
    console: Console,
    data_root: Path = DATA_ROOT,
    output: Path | None = None,
    trust: bool = False,
    **objects: Any,
) -> Schedule:
    """The schedule for a longer run than those of a study, tried in a few runs; prints what is known of it.

    budget: of the longer run, in the study's unit. runs: to train, see `Extension.of`; those that the study keeps are
    not trained again. confirm_seeds: with how many seeds to train the chosen schedule again. output: file for the code;
    None prints it. trust, objects: as for `Result.reproduce`.
    Raises InputError if the study cannot be extended so far, has no schedule to write, or no run of it is worth
    recommending, and KeyboardInterrupt on Ctrl-C and SIGTERM.
    """
    check_longer_runs(runs, confirm_seeds)
    extension = Extension.of(record, budget, runs)
    if output:
        check_exportable(record, extension.recommended)
    print_lines(console, advice(record, extension))
    if not extension.trials:
        return extension.recommended.schedule
    objective = stored_objective(record, data_root, objects, trust)
    if storage and isinstance(objective, OwnTraining):
        objective = objective.in_folder(runs_folder(storage, record.name))  # its checkpoints are worth keeping
    configuration = Configuration.stored(record.configuration)
    plan = StudyPlan(record.name, objective, configuration, dict(record.configuration), storage, record.group)
    failed: list[FailedRun] = []
    with interruption() as interrupted, opened(plan, executor_again(record)) as study:

        def trained(trials: Sequence[int], seeds: Sequence[int], what: str) -> list[FinalRun]:
            """The runs of these trials with these seeds that did not fail; the study may keep them already."""
            own = (study.optuna_study, record, study.executor, trials, budget, seeds, lambda _: interrupted())
            with FinalsDisplay(console, what) as display:
                for progress in extending(*own):
                    display.update(progress)
                    failed.extend([progress.failed] if progress.failed else [])
            kept = {(run.trial, run.seed): run for run in longer_runs(study.optuna_study.user_attrs, budget)}
            return [kept[trial, seed] for trial in trials for seed in seeds if (trial, seed) in kept]

        tried = trained([trial.number for trial in extension.trials], TRYING, "Training longer")
        best = best_run(record, tried)
        if best is None:
            raise InputError(none_ended_well(record, extension, failed))
        if shorter_runs_beating(record, best):
            raise InputError(longer_answer(record, extension, best, len(tried), []))
        seeds = confirming_seeds(confirm_seeds)
        confirming = trained([best.trial], seeds, "Confirming with fresh seeds") if seeds else []
    print_extension(console, record, extension, tried, best, confirming, output, confirm_seeds)
    return record.trial(best.trial).schedule
