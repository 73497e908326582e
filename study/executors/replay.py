"""Replay: looks runs up in recorded ones instead of training them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from search_spaces.errors import InputError
from study.executors.recorded_runs import Recorded, RecordedRun
from study.objective import Evaluation, Objective, Run, Stop, never


@dataclass
class Replay:
    """An `Executor` that yields the evaluations of the nearest recorded runs, one run after another."""

    objective: Objective
    recorded: Recorded

    def train(
        self, runs: Sequence[Run], stop: Stop = never, done: Collection[int] = frozenset()
    ) -> Iterator[Evaluation]:
        """Implements `Executor.train`; raises InputError if a budget was not recorded."""
        for index, run in enumerate(runs):
            if index in done:
                continue
            total_steps, found = self.objective.steps(run.budget), self.find(run)
            for step, metric in zip(found.steps, found.metrics, strict=True):
                if stop(index):
                    break
                diverged = found.diverged and step == found.steps[-1]
                yield Evaluation(index, step, total_steps, math.nan, metric, diverged=diverged)

    def find(self, run: Run) -> RecordedRun:
        """The recorded run that replaces this one."""
        runs = self.recorded.nearest(run.schedule).runs
        if run.budget not in runs:
            recorded = ", ".join(map(str, runs))
            raise InputError(
                f"a run must have one of the recorded budgets ({recorded} epochs), but {run.budget} epochs were given: "
                "change --rung-fractions, or record this budget with scripts/evidence/record_runs.py"
            )
        return runs[run.budget]
