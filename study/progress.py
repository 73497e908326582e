"""The progress of a search: lines for a log; in a terminal a bar and a table of the families as well."""

from __future__ import annotations

import time
from types import TracebackType

import optuna
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn

from study.search import Batch
from study.summary import Tally, best_by_family, family_table, value_name

LINE_EVERY = 30.0
"""A log gets a line at least this often, in seconds, where batches take longer."""
DRAW_EVERY = 0.2
"""A terminal is drawn at most this often, in seconds."""


class Display:
    """Shows how far a search is: a context, updated with every batch that `search` yields."""

    def __init__(self, console: Console, optuna_study: optuna.Study, trials: int) -> None:
        self.console, self.optuna_study, self.trials = console, optuna_study, trials
        self.tally = Tally.of(optuna_study)
        self.finished_before = len(self.tally.trials)
        self.started = self.last_shown = time.monotonic()
        self.bar = Progress(BarColumn(), TextColumn("{task.description}"), console=console)
        self.task = self.bar.add_task("", total=trials)
        self.live = (
            Live(self.bar, console=console, transient=True)
            if console.is_terminal and not console.is_dumb_terminal
            else None
        )

    def __enter__(self) -> Display:
        if self.live:
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.live:
            self.live.stop()

    def update(self, batch: Batch) -> None:
        """Show the present state, unless that was done a moment ago; `batch` is anywhere on its way, or finished."""
        every = DRAW_EVERY if self.live else LINE_EVERY
        if not batch.finished and time.monotonic() - self.last_shown < every:
            return
        self.last_shown = time.monotonic()
        if batch.finished:
            self.tally = Tally.of(self.optuna_study)
        line = self.line(0.0 if batch.finished else batch.epochs_trained)
        if self.live:
            self.bar.update(self.task, completed=len(self.tally.trials), description=line)
            self.live.update(Group(family_table(self.optuna_study, self.tally.trials), self.bar))
        else:
            self.console.print(line, self.families(), sep=" | ")

    def line(self, epochs_in_batch: float) -> str:
        """Trials done, the best of them, epochs spent and saved, time left."""
        tally = self.tally
        best = f"best {tally.best.value:.4f} {tally.best.params['family']}" if tally.best else "none complete"
        spent = f"{tally.spent + epochs_in_batch:.0f} epochs spent, {tally.saved:.0%} saved"
        return f"{len(tally.trials)}/{self.trials} trials | {best} | {spent} | {self.time_left()}"

    def families(self) -> str:
        """The best value of each family that has one."""
        best = best_by_family(self.optuna_study, self.tally.trials)
        values = ", ".join(f"{name} {trial.value:.4f}" for name, trial in best.items() if trial)
        return f"{value_name(self.optuna_study)} by family: {values or '-'}"

    def time_left(self) -> str:
        """An estimate from the trials that this start has finished."""
        done = len(self.tally.trials) - self.finished_before
        if not done:
            return "time left unknown"
        left = (time.monotonic() - self.started) / done * (self.trials - len(self.tally.trials))
        minutes, seconds = divmod(round(left), 60)
        return f"{minutes}:{seconds:02d} left"
