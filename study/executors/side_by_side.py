"""SideBySide: trains cohorts in workers elsewhere, several at a time, and commits their results in order."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from study.executors.cohort_queue import Cohort, CohortQueue
from study.machine import out_of_memory, release_memory
from study.objective import Evaluation, Objective, Run, Stop, never

T = TypeVar("T")

LOOK_EVERY = 0.2
"""Seconds between checks whether to stop."""


@dataclass(frozen=True)
class Trained:
    """What a worker returns of a cohort. fits: whether the cohort fitted into memory; if not, it ended early."""

    evaluations: Sequence[Evaluation]
    fits: bool = True


@dataclass(frozen=True)
class Lost:
    """A cohort that could not be trained, because its workers were lost again and again. reason: for people."""

    reason: str


class Workers(Protocol):
    """Processes, here or on other machines, that each train one cohort at a time."""

    def submit(self, runs: Sequence[Run]) -> int:
        """Let a worker train these runs as one cohort, as soon as one is free; returns the number of this attempt."""

    def ended(self, seconds: float) -> Mapping[int, Trained | Lost]:
        """What has ended since the last call, by attempt; waits for at most these seconds until something has.

        Raises InputError if all workers are lost, and what the training itself has raised.
        """

    def leave(self, attempts: Collection[int]) -> None:
        """Give up these attempts: they are stopped, and what still comes of them is ignored."""

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call function(objective, *arguments) in one worker, on its device."""


class SideBySide:
    """An `Executor` whose cohorts are trained by workers. cohort: maximum number of runs trained together.

    The results depend neither on the number of the workers nor on their speed: cohorts are committed in order.
    """

    def __init__(self, objective: Objective, cohort: int, workers: Workers) -> None:
        self.objective, self.cohort, self.workers = objective, cohort, workers
        self.outcomes: dict[int, Trained | Lost] = {}  # of attempts that have ended and are not committed

    def beside(self) -> SideBySide:
        """Another executor with the same workers, whose runs are trained at the same time."""
        other = SideBySide(self.objective, self.cohort, self.workers)
        other.outcomes = self.outcomes
        return other

    def train(
        self, runs: Sequence[Run], stop: Stop = never, done: Collection[int] = frozenset()
    ) -> Iterator[Evaluation]:
        """Implements `Executor.train`; yields all evaluations of a cohort when it and those before it have ended.

        stop: called several times a second; the workers stop once it is true for all runs. If a cohort does not fit
        into memory, it is halved as in one process: the cohorts after it are divided anew, and trained again.
        """
        with closing(self.train_patiently(runs, stop, done)) as evaluations:
            yield from (evaluation for evaluation in evaluations if evaluation is not None)

    def train_patiently(
        self, runs: Sequence[Run], stop: Stop = never, done: Collection[int] = frozenset()
    ) -> Generator[Evaluation | None, None, None]:
        """The same; yields None several times a second while it waits."""
        queue = CohortQueue(runs, self.cohort, self.objective, done)
        attempts: dict[Cohort, int] = {}
        try:
            while queue.waiting:
                for cohort in queue.waiting:
                    if cohort not in attempts:
                        attempts[cohort] = self.workers.submit([runs[index] for index in cohort.runs])
                if attempts[queue.waiting[0]] not in self.outcomes:
                    self.outcomes |= self.workers.ended(LOOK_EVERY)
                    yield None
                if all(map(stop, range(len(runs)))):
                    return
                while queue.waiting and attempts.get(queue.waiting[0]) in self.outcomes:
                    cohort = queue.waiting.popleft()
                    outcome = self.outcomes.pop(attempts.pop(cohort))
                    if isinstance(outcome, Lost):
                        outcome = self.failed([runs[index] for index in cohort.runs], outcome.reason)
                    yield from queue.new(cohort, iter(outcome.evaluations))
                    if not outcome.fits:
                        self.give_up(attempts)
                        queue.halve(cohort)
                        self.cohort = queue.most
        finally:
            self.give_up(attempts)  # stopped, failed, or the caller closed the iterator early

    def give_up(self, attempts: dict[Cohort, int]) -> None:
        """Forget these attempts."""
        if attempts:
            self.workers.leave(attempts.values())
        for attempt in attempts.values():
            self.outcomes.pop(attempt, None)
        attempts.clear()

    def failed(self, runs: Sequence[Run], reason: str) -> Trained:
        """What is recorded of runs that no worker could train: each ends as a diverged one does, with the reason."""
        steps, worst = self.objective.steps, self.objective.metric.worst
        return Trained(
            [
                Evaluation(index, 1, steps(run.budget), math.inf, worst, diverged=True, failure=reason)
                for index, run in enumerate(runs)
            ]
        )


def train_whole(objective: Objective, runs: Sequence[Run], stop: Stop) -> Trained:
    """Train a cohort to its end, as workers do: until it is stopped, or does not fit into memory."""
    found: list[Evaluation] = []
    try:
        for evaluation in objective.train(runs, stop):
            found.append(evaluation)
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
    else:
        return Trained(found)
    release_memory()
    return Trained(found, fits=False)
