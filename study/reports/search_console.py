"""What a search prints: what is searched, how it goes, the winner's code, and the verdict as the last lines."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from search_spaces.export import shown_code, torch_code
from study.analysis.answer import recommended
from study.analysis.own_schedule import keeps_own_schedule
from study.objective import length_in_words
from study.reports.expected_cost import assumed_steps, confirming_line, expected_line, full_length, planned_line
from study.reports.progress import Display
from study.reports.run_lengths import drift_in_words, lengths_in_words
from study.reports.schedule_origin import as_comment, exported
from study.reports.section import range_in_words
from study.reports.terminal import TABLES
from study.reports.verdict import verdict_lines
from study.search.study_plan import OpenStudy, StudyPlan
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord
from study.storage.url import dashboard_command, shown_url, storage_flag, study_folder

LONG_STUDY = 1000
"""Trials from which on a slow sampler is announced."""
MOST_COLUMNS = 100
"""Sentences are wrapped at the width of the terminal, and at this many columns in a wider one."""


def print_opened(console: Console, plan: StudyPlan, trials: int, record: StudyRecord) -> None:
    """Print what is searched. trials: how many the study is to hold. record: what it holds now."""
    print_about(console, plan)
    for difference in record.sessions[0].differences(record.sessions[-1]):
        console.print(
            wrapped_line(f"note: the last bits may differ from the first session's: {difference}", console.width)
        )
    done = len(record.trials)
    if done >= trials:
        limit, more = plan.limit, "raise --trials to add more"
        if limit and done >= limit["trials"]:
            more = f"{limit['limit']} allows no more"
        said = f"Study {plan.name!r} already has {done} trials: {more}."
        console.print(wrapped_line(said, console.width))
        return
    kept = f", kept in {shown_url(plan.storage)}" if plan.storage else ""
    found = f", {done} of {trials} trials done" if done else ""
    what = f"Study {plan.name!r}: {plan.objective.name} on {record.sessions[-1].device}{kept}{found}"
    console.print(wrapped_line(what, console.width))
    steps = plan.objective.steps(1)
    if plan.configuration.pruner == "horizon" and len(plan.configuration.budgets(steps)) == 1:
        full = f"Full runs of {full_length(plan)} are too short for short runs"
        least = f"of at least {plan.configuration.least_steps} steps (--least-steps)"
        console.print(wrapped_line(f"{full} {least}: all trials are trained in full.", console.width))
    if plan.configuration.sampler == "gp-optuna" and trials >= LONG_STUDY:
        slow = "Sampler gp-optuna takes seconds per trial in a study of thousands, and Ctrl-C waits for the suggestion"
        console.print(wrapped_line(f"{slow} in progress; --sampler gp does neither.", console.width))
    if plan.known:
        known = ", ".join(one["family"] for one in plan.known)
        console.print(wrapped_line(f"Known schedules, tried first: {known}", console.width))


def print_about(console: Console, plan: StudyPlan) -> None:
    """Print how the data was read, or what the first runs found. A command stays on one line, to be copied."""
    for line in plan.about.splitlines():
        is_command = line.startswith("First run: ")
        console.print(line if is_command else wrapped_line(line, console.width))


def print_plan(console: Console, plan: StudyPlan, trials: int) -> None:
    """Print what would be searched."""
    print_about(console, plan)
    objective, search = plan.objective, plan.configuration
    runs = ", ".join(length_in_words(budget, search.unit) for budget in search.budgets(objective.steps(1)))
    full = "" if assumed_steps(plan) else f", {full_length(plan)} in full"
    low, high = objective.peak_lr
    besides = [f"{name}: {range_in_words(domain)}" for name, domain in search.besides(objective).items()]
    for line in (
        f"Study {plan.name!r}: {trials} trials, runs of {runs}{full}",
        f"peak_lr from {low:.3g} to {high:.3g}, families {', '.join(search.families)}",
        *besides,
        planned_line(plan, trials),
    ):
        console.print(wrapped_line(line, console.width))
    console.print("Nothing was stored (--dry-run).")


def display_of(console: Console, study: OpenStudy, trials: int, confirm_seeds: int | None) -> Display:
    """The display of a search's progress; prints first how runs are trained, and what that is expected to cost."""
    console.print(wrapped_line(f"Engine: {study.engine} ({study.reason})", console.width))
    if len(study.record.trials) < trials:
        console.print(wrapped_line(expected_line(study, trials), console.width))
        if confirming := confirming_line(study.plan, trials, confirm_seeds, study.speed):
            console.print(wrapped_line(confirming, console.width))
    return Display(console, partial(StudyRecord.of, study.optuna_study), study.plan.configuration, trials)


def print_outcome(
    console: Console,
    plan: StudyPlan,
    record: StudyRecord,
    interrupted: bool,
    problem: str | None,
    show: Sequence[str] = (),
) -> None:
    """Print what was found, the verdict last. problem: what could not be shown elsewhere. show: names of TABLES."""
    if console.quiet:
        return
    if problem and not interrupted:
        console.print(wrapped_line(f"note: {problem}", console.width))
    for name in show:
        console.print()
        console.print(TABLES[name](record))
    where = []
    if chosen := recommended(record):
        path = write_code(record, chosen, plan.storage) if plan.storage and not keeps_own_schedule(record) else None
        console.print(f"\n{code_shown(record, chosen, console.width)}\n")
        where = where_lines(record, plan.storage, path)
    for line in verdict_lines(record):
        console.print(wrapped_line(line, console.width))
    for line in where:
        console.print(line)
    if interrupted:
        kept = "everything finished is kept; the same command continues the search"
        said = f"Interrupted: {kept if plan.storage else 'what was found is returned'}."
        console.print(wrapped_line(said, console.width))


def code_shown(record: StudyRecord, chosen: TrialRecord, width: int) -> str:
    """The code of the schedule to use, as it is to be read; below it, for which lengths of a run it is known.

    There is no code if a script kept its own schedule.
    """
    known = "; ".join(filter(None, [lengths_in_words(record, chosen), drift_in_words(record)]))
    length = wrapped_line(f"Length: {known}.", width)
    if keeps_own_schedule(record):
        return length
    return f"The schedule in PyTorch:\n\n{shown_code(exported(record, chosen))}\n\n{length}"


def write_code(record: StudyRecord, chosen: TrialRecord, storage: str) -> Path | None:
    """Write the code of the schedule to use beside the storage; its path, or None if that cannot be written."""
    path = study_folder(storage, record.name) / "schedule.py"
    code = f"{as_comment(record, chosen)}\n{torch_code(exported(record, chosen))}\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
    except OSError:
        return None
    return path


def where_lines(record: StudyRecord, storage: str | None, path: Path | None) -> list[str]:
    """Where the code, if there is any, the report and the dashboard are. path: of the code."""
    has_code = not keeps_own_schedule(record)
    if storage is None:
        return [*(["Code: print(result.code())"] if has_code else []), "Report: result.report(FOLDER)"]
    study = f"--study {shlex.quote(record.name)}{storage_flag(storage)}"
    return [
        *([f"Code: {path}" if path else f"Code: python scripts/export.py {study}"] if has_code else []),
        f"Report: python scripts/report.py {study}",
        f"Dashboard: {dashboard_command(storage)}",
    ]


def wrapped_line(line: str, width: int) -> str:
    """A line broken between its words, with what follows indented further."""
    indent = " " * (2 + len(line) - len(line.lstrip()))
    return textwrap.fill(line, min(width, MOST_COLUMNS), subsequent_indent=indent, break_on_hyphens=False)
