"""Replay: an engine that trains nothing, but looks runs up among the recorded ones."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from search_spaces.errors import InputError
from study.executors.choice import Engine
from study.executors.in_process import Trains, never
from study.executors.recorded_runs import Recorded, RecordedRun
from study.training.loop import Evaluation, Run, Stop
from study.workloads.workload import Workload


@dataclass
class Replay:
    """Yields what the nearest recorded runs found, run after run, instead of training."""

    workload: Workload
    recorded: Recorded
    cohort: int = 1

    def train(
        self, runs: Sequence[Run], stop: Stop = never, done: Collection[int] = frozenset()
    ) -> Iterator[Evaluation]:
        """The evaluations that were recorded; raises InputError for a horizon that was not recorded."""
        for index, run in enumerate(runs):
            if index in done:
                continue
            total_steps, found = run.epochs * self.workload.steps_per_epoch, self.find(run)
            for step, metric in zip(found.steps, found.metrics, strict=True):
                if stop(index):
                    break
                diverged = found.diverged and step == found.steps[-1]
                yield Evaluation(index, step, total_steps, math.nan, metric, math.nan, None, diverged)

    def find(self, run: Run) -> RecordedRun:
        """The recorded run that stands for this one."""
        runs = self.recorded.schedules[self.recorded.nearest(run.schedule)].runs
        if run.epochs not in runs:
            recorded = ", ".join(map(str, runs))
            raise InputError(f"runs of {recorded} epochs were recorded, but one of {run.epochs} is asked for")
        return runs[run.epochs]


@dataclass(frozen=True)
class ReplayEngine(Engine):
    """The engine of a search over recorded runs."""

    recorded: Recorded | None = None

    @contextmanager
    def trainer(self, workload: Workload) -> Iterator[Trains]:
        """What looks the runs up."""
        if self.recorded is None:
            raise ValueError("a replay needs recorded runs")
        yield Replay(workload, self.recorded)
