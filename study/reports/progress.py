"""The progress of a search: lines for a log; in a terminal a bar and a table of the families as well."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn

from study.analysis.summary import Tally, best_by_family
from study.reports.terminal import family_table
from study.search.bracket import Bracket
from study.search.configuration import Configuration
from study.storage.study_record import StudyRecord

LINE_EVERY = 30.0
"""A log gets a line at least this often, in seconds, if brackets take longer."""
DRAW_EVERY = 0.2
"""A terminal is drawn at most this often, in seconds."""


class Display:
    """Shows how far a search is: a context, updated with every bracket that `search` yields."""

    def __init__(
        self,
        console: Console,
        read: Callable[[StudyRecord | None], StudyRecord],
        configuration: Configuration,
        trials: int,
    ) -> None:
        """Of a study that is to hold this many trials; read: its present record, given the one before."""
        self.console, self.read, self.configuration, self.trials = console, read, configuration, trials
        self.study = read(None)
        self.tally = Tally.of(self.study)
        self.spent_before = self.tally.spent
        self.started = self.last_shown = time.monotonic()
        self.bar = Progress(BarColumn(), TextColumn("{task.description}"), console=console)
        self.task = self.bar.add_task("", total=trials)
        self.live = (
            Live(self.bar, console=console, transient=True)
            if console.is_terminal and not console.is_dumb_terminal and not console.quiet
            else None
        )

    def __enter__(self) -> Display:
        if self.live:
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.live:
            self.live.stop()

    def update(self, bracket: Bracket) -> None:
        """Show the present state, unless that was done a moment ago; the bracket is on its way, or finished."""
        every = DRAW_EVERY if self.live else LINE_EVERY
        if not bracket.finished and time.monotonic() - self.last_shown < every:
            return
        self.last_shown = time.monotonic()
        if bracket.finished:
            self.study = self.read(self.study)
            self.tally = Tally.of(self.study)
        line = self.line(bracket)
        if self.live:
            tried = 0 if bracket.finished else bracket.tried
            self.bar.update(self.task, completed=self.tally.trials + tried, description=line)
            self.live.update(Group(family_table(self.study), self.bar))
        else:
            self.console.print(line, self.families(), sep=" | ")

    def line(self, bracket: Bracket) -> str:
        """Trials tried, the best of the finished, epochs spent and saved, time left.

        The trials of a finished bracket are among those of the study; those of another are added to them.
        """
        tally = self.tally
        tried, trained, loaded = tally.trials, 0.0, 0.0
        if not bracket.finished:
            tried, trained, loaded = tried + bracket.tried, bracket.epochs_trained, bracket.epochs_loaded
        best = f"best {tally.best.value:.4f} {tally.best.family}" if tally.best else "none complete"
        spent = f"{tally.spent + trained:.0f} epochs spent, {tally.saved:.0%} saved"
        return f"{tried}/{self.trials} trials | {best} | {spent} | {self.time_left(trained, loaded)}"

    def families(self) -> str:
        """The best value of each family that has one."""
        best = best_by_family(self.study)
        values = ", ".join(f"{name} {trial.value:.4f}" for name, trial in best.items() if trial)
        return f"{self.study.value_name} by family: {values or '-'}"

    def time_left(self, trained: float, loaded: float) -> str:
        """An estimate from the epochs that this start has trained.

        trained: epochs of the bracket that is on its way. loaded: those of them that an earlier start trained.
        """
        done = self.tally.spent - self.spent_before + trained - loaded
        if not done:
            return "time left unknown"
        expected = self.configuration.expected_epochs(self.study.steps_per_epoch)
        if self.tally.trials:
            expected = self.tally.spent / self.tally.trials
        left = expected * (self.trials - self.tally.trials) - trained
        minutes, seconds = divmod(round(max(0.0, left) * (time.monotonic() - self.started) / done), 60)
        return f"{minutes}:{seconds:02d} left"
