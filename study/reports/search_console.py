"""What a search prints: what it is, how it goes, and what was found."""

from __future__ import annotations

from functools import partial

from rich.console import Console

from study.reports.progress import Display
from study.reports.terminal import print_result
from study.search.study_plan import OpenStudy, StudyPlan
from study.storage.study_record import StudyRecord
from study.storage.url import shown_url


def print_opened(console: Console, plan: StudyPlan, trials: int, record: StudyRecord) -> None:
    """Print what is searched. trials: how many the study is to hold. record: what it holds now."""
    if plan.about:
        console.print(plan.about)
    for difference in record.sessions[0].differences(record.sessions[-1]):
        console.print(f"note: not as when the study began, so the last bits may differ: {difference}")
    done = len(record.trials)
    if done >= trials:
        console.print(f"Study {plan.name!r} already holds {done} finished trials: nothing is left to do.")
        return
    kept = f", kept in {shown_url(plan.storage)}" if plan.storage else ""
    console.print(f"Study {plan.name!r}: {plan.objective.name} on {record.sessions[-1].device}{kept}")
    if plan.known:
        console.print(f"Known schedules, tried first: {', '.join(one['family'] for one in plan.known)}")


def print_plan(console: Console, plan: StudyPlan, trials: int) -> None:
    """Print what would be searched."""
    if plan.about:
        console.print(plan.about)
    objective, search = plan.objective, plan.configuration
    runs = ", ".join(f"{budget} {search.unit}" for budget in search.budgets(objective.steps(1)))
    low, high = objective.peak_lr
    console.print(
        f"Study {plan.name!r}: {trials} trials, runs of {runs}, {objective.steps(search.budget)} steps in full"
    )
    console.print(f"peak_lr from {low:.3g} to {high:.3g}, families {', '.join(search.families)}")
    console.print("Nothing was stored (--dry-run).")


def display_of(console: Console, study: OpenStudy, trials: int) -> Display:
    """The display of a search's progress; says first how runs are trained."""
    console.print(f"Engine: {study.engine} ({study.reason})")
    return Display(console, partial(StudyRecord.of, study.optuna_study), study.plan.configuration, trials)


def print_outcome(
    console: Console, plan: StudyPlan, record: StudyRecord, interrupted: bool, problem: str | None
) -> None:
    """Print what was found. problem: what could not be shown elsewhere, and why."""
    if interrupted:
        kept = "everything finished is kept; the same command goes on" if plan.storage else "what was found is returned"
        console.print(f"Interrupted: {kept}.")
    elif problem:
        console.print(f"note: {problem}")
    print_result(console, record, plan.storage)
