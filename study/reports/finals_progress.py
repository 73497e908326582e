"""The progress of the finals: a bar in a terminal, lines in a log."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from study.reports.failed_runs import FailureNotes
from study.reports.progress import DRAW_EVERY, LINE_EVERY, time_left
from study.search.finals import FinalsProgress


class FinalsDisplay:
    """A context, updated with everything that `run_finals` yields."""

    def __init__(self, console: Console, what: str = "Confirming with fresh seeds") -> None:
        """what: is being done, for a line at the start."""
        self.console, self.what, self.notes = console, what, FailureNotes(console)
        self.bar = Progress(
            BarColumn(20),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal or console.is_dumb_terminal or console.quiet,
        )
        self.began: tuple[float, float] | None = None  # when the first evaluation came, and what had been trained then
        self.last_shown = 0.0

    def __enter__(self) -> FinalsDisplay:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.bar.stop()

    def update(self, progress: FinalsProgress) -> None:
        """Show the present state, unless that was done a moment ago; a run that has failed is always noted."""
        if self.began is None:
            self.began = time.monotonic(), progress.trained
            self.last_shown = time.monotonic()
            self.console.print(f"{self.what}: {progress.total} run{'s' * (progress.total > 1)}")
            self.bar.start()
            self.task = self.bar.add_task("", total=progress.total)
        if progress.failed:
            self.notes.note_left_out(progress.failed)
        if time.monotonic() - self.last_shown < (LINE_EVERY if self.bar.disable else DRAW_EVERY):
            return
        self.last_shown = time.monotonic()
        began, before = self.began
        left = time_left(began, progress.trained - before, progress.total - progress.trained)
        said = f"{progress.trained:.0f}/{progress.total} runs, {left}"
        if self.bar.disable:
            self.console.print(said)
        else:
            self.bar.update(self.task, completed=progress.trained, description=said)
