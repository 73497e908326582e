"""The progress of a search: lines for a log, a bar in a notebook, a bar and a table of the families in a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from study.analysis.cost import Cost
from study.analysis.leaders import leaders
from study.analysis.verdict import random_after
from study.cli import in_notebook
from study.objective import duration
from study.reports.failed_runs import FailureNotes
from study.reports.leaders import leaders_in_words, values_under_way
from study.reports.notebook_bar import NotebookBar
from study.reports.rich_table import rich_table
from study.reports.schedule_words import family_of_study
from study.reports.verdict import value_in_words
from study.search.bracket import Bracket
from study.search.configuration import PRUNES_MIDWAY, Configuration
from study.search.epochs_left import epochs_left
from study.storage.study_record import StudyRecord

LINE_EVERY = 30.0
"""A log gets lines at least this often, in seconds, and at the end of every bracket."""
DRAW_EVERY = 0.2
"""A terminal is drawn at most this often, in seconds."""
UNKNOWN_UNTIL = 0.02
"""Share of the epochs of this start before which the time left is not estimated: the first runs wait for much else."""
WIDTH = 80
"""Columns of a line in a log, at most."""


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
        self.cost = Cost.of(self.study)
        self.trained = 0.0  # epochs of the brackets that this start has finished
        self.last_shown = time.monotonic()
        self.first: tuple[float, float] | None = None  # when epochs of this start were first seen, and how many
        self.bracket: Bracket | None = None
        self.failed: set[tuple[int, int]] = set()  # runs that failed, as (bracket, position)
        self.notes = FailureNotes(console)
        self.bar = Progress(BarColumn(20), TextColumn("{task.description}"), console=console)
        self.task = self.bar.add_task("starting")
        self.live = (
            Live(self.bar, console=console, transient=True)
            if console.is_terminal and not console.is_dumb_terminal and not console.quiet
            else None
        )
        self.notebook = NotebookBar() if in_notebook() and not console.quiet else None

    def __enter__(self) -> Display:
        if self.live:
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.live:
            self.live.stop()
        if self.bracket and kind is KeyboardInterrupt:
            self.console.print(self.best(self.bracket))

    def update(self, bracket: Bracket) -> None:
        """Show the present state, unless that was done a moment ago; the bracket is under way, or finished."""
        self.bracket = bracket
        self.note_failures(bracket)
        trained = self.trained + trained_now(bracket)
        if self.first is None and trained:
            self.first = time.monotonic(), trained
        every = DRAW_EVERY if self.live or self.notebook else LINE_EVERY
        if not bracket.finished and time.monotonic() - self.last_shown < every:
            return
        self.last_shown = time.monotonic()
        if bracket.finished:
            self.study = self.read(self.study)
            self.cost = Cost.of(self.study)
            self.trained += trained_now(bracket)
        done, total = self.epochs(bracket)
        if self.live:
            self.bar.update(self.task, completed=done, total=total, description=self.status(bracket))
            table = self.families(bracket)
            self.live.update(Group(table, self.bar) if table.row_count else self.bar)
        elif self.notebook:
            self.notebook.update(done, total, [self.status(bracket), self.best(bracket)])
        else:
            self.console.print(f"{self.status(bracket)}\n  {self.best(bracket)}")

    def note_failures(self, bracket: Bracket) -> None:
        """Print why a run has failed, once."""
        for one in bracket.training:
            failure, place = one.evaluations[-1].failure if one.evaluations else None, (bracket.number, one.position)
            if failure and place not in self.failed:
                self.failed.add(place)
                what = f"{family_of_study(self.study, one.schedule.family)}, peak_lr {one.schedule.peak_lr:.3g}"
                self.notes.note(failure, "counts as diverged", what)

    def best(self, bracket: Bracket) -> str:
        """The leaders, on a line."""
        return leaders_in_words(self.study, leaders(self.study, values_under_way(bracket)), WIDTH - 2)

    def status(self, bracket: Bracket) -> str:
        """Epochs done and expected, trials tried, whether all were drawn at random, and the time left."""
        done, total = self.epochs(bracket)
        tried = self.cost.trials + (0 if bracket.finished else bracket.tried)
        random = " (random so far)" if random_after(self.study.settings, tried, len(self.study.complete)) else ""
        trained = f"{done:.0f}/{total:.0f} {self.configuration.unit}"
        return f"{trained}, {tried}/{self.trials} trials{random}, {self.time_left(bracket)}"

    def families(self, bracket: Bracket) -> Table:
        """The best of each family after its longest runs."""
        heads = ("family", "tried", self.configuration.unit, f"best val_{self.study.metric.name}")
        rows = [
            [
                family_of_study(self.study, one.family),
                str(one.tried),
                str(one.epochs),
                value_in_words(self.study, one.value),
            ]
            for one in leaders(self.study, values_under_way(bracket))
        ]
        return rich_table(heads, rows)

    def epochs(self, bracket: Bracket) -> tuple[float, float]:
        """(trained by now, expected in the end), those of earlier starts included."""
        done = self.cost.epochs + (0.0 if bracket.finished else bracket.epochs_trained)
        asked = self.cost.trials if bracket.finished else self.cost.trials - len(bracket.stored_before) + bracket.size
        return done, done + epochs_left(bracket) + self.epochs_of_a_trial * max(0, self.trials - asked)

    @property
    def epochs_of_a_trial(self) -> float:
        """What a trial of a later bracket is expected to cost: under Optuna's pruners, what the others have cost."""
        if self.configuration.pruner in PRUNES_MIDWAY and self.cost.trials:
            return self.cost.epochs / self.cost.trials
        return self.configuration.expected_epochs(self.study.steps_per_epoch)

    def time_left(self, bracket: Bracket) -> str:
        """An estimate from the time that the epochs of this start have taken, without the first, which start slowly."""
        done, total = self.epochs(bracket)
        trained = self.trained + (0.0 if bracket.finished else trained_now(bracket))
        if done == total:
            return "done"
        began, before = self.first or (time.monotonic(), trained)
        return time_left(began, trained - before, total - done)


def time_left(began: float, trained: float, left: float) -> str:
    """An estimate from the time that training has taken so far, once a fiftieth is done.

    began: on the monotonic clock. trained: epochs since then. left: epochs.
    """
    if trained <= 0 or trained < UNKNOWN_UNTIL * (trained + left):
        return "time left unknown"
    return f"{duration(left * (time.monotonic() - began) / trained)} left"


def trained_now(bracket: Bracket) -> float:
    """Epochs of the bracket that this start has trained."""
    return bracket.epochs_trained - bracket.epochs_loaded
