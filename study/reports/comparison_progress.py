"""The progress of a comparison of families: a line for each study that is done, and in a terminal a bar."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn


@dataclass(frozen=True)
class StudyProgress:
    """Where one study of a comparison is.

    number: of the study, from 0. budget: epochs of a full run. epochs: trained by this start. best: on validation.
    test: the mean over the fresh seeds, once confirmed. done: whether nothing is left to do.
    """

    number: int
    family: str
    budget: int
    epochs: float
    best: float | None = None
    test: float | None = None
    done: bool = False


class ComparisonDisplay:
    """Shows how far a comparison is: a context. expected: the epochs that each study costs."""

    def __init__(self, console: Console, expected: list[float]) -> None:
        self.console, self.expected = console, expected
        columns = BarColumn(), TextColumn("{task.description}")
        self.bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.task = self.bar.add_task("", total=sum(expected))
        self.began, self.trained_before = time.monotonic(), 0.0

    def __enter__(self) -> ComparisonDisplay:
        self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.bar.stop()

    def update(self, progress: StudyProgress) -> None:
        """Show the present state; a study that is done gets a line."""
        number, expected = progress.number, self.expected
        name = f"{number + 1}/{len(expected)} {progress.family}, {progress.budget} epochs"
        own = expected[number] if progress.done else min(progress.epochs, expected[number])
        done = sum(expected[:number]) + own
        left = time_left(self.began, self.trained_before + progress.epochs, sum(expected) - done)
        self.bar.update(self.task, completed=done, description=f"{name} | {left}")
        if progress.done:
            self.trained_before += progress.epochs
            found = "all trials diverged"
            if progress.test is not None:
                found = f"val {progress.best:.4f}, test {progress.test:.4f}"
            self.console.print(f"{name} | {found} | {left}")


def time_left(began: float, trained: float, left: float) -> str:
    """An estimate from the epochs that this start has trained. began: on the monotonic clock. left: epochs."""
    if not trained:
        return "time left unknown"
    minutes, seconds = divmod(round(left * (time.monotonic() - began) / trained), 60)
    return f"{minutes}:{seconds:02d} left"
