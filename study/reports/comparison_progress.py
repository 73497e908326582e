"""The progress of a comparison of families: a line for each study that is done, and in a terminal a bar."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from statistics import mean
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from study.search.family_plan import ComparisonPlan
from study.storage.study_record import StudyRecord
from study.storage.url import shown_url, storage_flag


@dataclass(frozen=True)
class StudyProgress:
    """Where one study of a comparison is.

    number: of the study, from 0. budget: epochs of a full run. epochs: trained by this start. study: what it holds,
    once nothing is left to do.
    """

    number: int
    family: str
    budget: int
    epochs: float
    study: StudyRecord | None = None


class ComparisonDisplay:
    """Shows how far a comparison is: a context. trials: of each study."""

    def __init__(self, console: Console, plan: ComparisonPlan, trials: int) -> None:
        self.console, self.plan, self.expected = console, plan, plan.expected_epochs(trials)
        columns = BarColumn(), TextColumn("{task.description}")
        self.bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal or console.quiet)
        self.task = self.bar.add_task("", total=sum(self.expected))
        self.began, self.trained_before = time.monotonic(), 0.0
        self.storage = plan.studies[0].storage

    def __enter__(self) -> ComparisonDisplay:
        budgets = ", ".join(map(str, dict.fromkeys(part.configuration.epochs for part in self.plan.studies)))
        kept = f", kept in {shown_url(self.storage)}" if self.storage else ""
        self.console.print(f"Benchmark {self.plan.name!r}: {len(self.plan.studies)} studies, {budgets} epochs{kept}")
        self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.bar.stop()
        if kind is None and self.storage:
            where = f"--study {shlex.quote(self.plan.name)}{storage_flag(self.storage)}"
            self.console.print(f"\nThe report: python scripts/report.py {where}")

    def update(self, progress: StudyProgress) -> None:
        """Show the present state; a study that is done gets a line."""
        number, expected, study = progress.number, self.expected, progress.study
        name = f"{number + 1}/{len(expected)} {progress.family}, {progress.budget} epochs"
        own = expected[number] if study else min(progress.epochs, expected[number])
        left = sum(expected[number:]) - own
        ends = time_left(self.began, self.trained_before + progress.epochs, left)
        self.bar.update(self.task, completed=sum(expected) - left, description=f"{name} | {ends}")
        if study:
            self.trained_before += progress.epochs
            found = "all trials diverged"
            if study.best and study.confirmed:
                found = f"val {study.best.value:.4f}, test {mean(study.confirmed.test):.4f}"
            self.console.print(f"{name} | {found} | {ends}")


def time_left(began: float, trained: float, left: float) -> str:
    """An estimate from the epochs that this start has trained. began: on the monotonic clock. left: epochs."""
    if not trained:
        return "time left unknown"
    minutes, seconds = divmod(round(left * (time.monotonic() - began) / trained), 60)
    return f"{minutes}:{seconds:02d} left"
