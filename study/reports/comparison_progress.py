"""The progress of a comparison of families, a line for each study that is done, and the verdict at its end."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from statistics import mean
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from study.objective import duration, length_in_words
from study.reports.comparison_verdict import comparison_lines
from study.reports.failed_runs import FailureNotes
from study.reports.progress import time_left
from study.reports.search_console import wrapped_line
from study.reports.verdict import value_in_words
from study.search.family_plan import ComparisonPlan
from study.storage.finals import FailedRun
from study.storage.study_record import StudyRecord
from study.storage.url import shown_url, storage_flag

UNCONFIRMED = "not confirmed, as too many runs failed (the same command trains them again)"


@dataclass(frozen=True)
class StudyProgress:
    """Where one study of a comparison is.

    number: of the study, from 0. budget: epochs of a full run. epochs: trained by this start. study: what it holds,
    once nothing is left to do. failed: the run that was to confirm its winner and has just failed, if one has.
    """

    number: int
    family: str
    budget: int
    epochs: float
    study: StudyRecord | None = None
    failed: FailedRun | None = None


class ComparisonDisplay:
    """Shows how far a comparison is, and its verdict at the end: a context. trials: of each study."""

    def __init__(self, console: Console, plan: ComparisonPlan, trials: int) -> None:
        self.console, self.plan, self.expected = console, plan, plan.expected_epochs(trials)
        columns = BarColumn(20), TextColumn("{task.description}")
        self.bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal or console.quiet)
        self.task = self.bar.add_task("starting", total=sum(self.expected))
        self.began, self.trained_before = time.monotonic(), 0.0
        self.storage, self.unit = plan.studies[0].storage, plan.studies[0].configuration.unit
        self.done: list[StudyRecord] = []
        self.notes = FailureNotes(console)

    def __enter__(self) -> ComparisonDisplay:
        budgets = " and ".join(map(str, dict.fromkeys(part.configuration.budget for part in self.plan.studies)))
        kept = f", kept in {shown_url(self.storage)}" if self.storage else ""
        self.console.print(
            f"Benchmark {self.plan.name!r}: {len(self.plan.studies)} studies of {budgets} {self.unit}{kept}"
        )
        self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.bar.stop()
        if kind in (None, KeyboardInterrupt):
            self.print_verdict(interrupted=kind is not None)

    def update(self, progress: StudyProgress) -> None:
        """Show the present state; a study that is done gets a line."""
        number, expected, study = progress.number, self.expected, progress.study
        name = f"{number + 1}/{len(expected)} {progress.family}, {length_in_words(progress.budget, self.unit)}"
        own = expected[number] if study else min(progress.epochs, expected[number])
        left = sum(expected[number:]) - own
        ends = time_left(self.began, self.trained_before + progress.epochs, left) if left else "done"
        self.bar.update(self.task, completed=sum(expected) - left, description=f"{name}: {ends}")
        if progress.failed:
            self.notes.note_left_out(progress.failed, name)
        if study:
            self.trained_before += progress.epochs
            self.done.append(study)
            found = "all trials diverged"
            if study.best:
                kept = study.confirmed if study.confirmed and study.confirmed.trial == study.best.number else None
                test = f"test {value_in_words(study, mean(kept.test))}" if kept else UNCONFIRMED
                found = f"validation {value_in_words(study, study.best.value)}, {test}"
            self.console.print(f"{name}: {found}; {ends}")

    def print_verdict(self, interrupted: bool) -> None:
        """Print what is known of the studies that are done, how long it took, and what to type next."""
        lines = [wrapped_line(line, self.console.width) for line in comparison_lines(self.done)]
        self.console.print("\n".join(["", *lines, f"Time: {duration(time.monotonic() - self.began)} in this session"]))
        if interrupted:
            kept = "everything finished is kept; the same command continues the benchmark"
            self.console.print(f"Interrupted: {kept if self.storage else 'the studies that are done are returned'}.")
        elif self.storage:
            where = f"--study {shlex.quote(self.plan.name)}{storage_flag(self.storage)}"
            self.console.print(f"Report: python scripts/report.py {where}")
