"""Trajectory: what a search has spent and found over time, recorded while its runs are trained."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from search_spaces.schedule import Schedule
from study.objective import Evaluation, Executor, Run, Stop, never


@dataclass(frozen=True)
class EndedRun:
    """A run that reached the end of its budget.

    budget: in epochs. metric: at its end. epochs, seconds: spent by the whole search until then.
    """

    schedule: Schedule
    budget: int
    metric: float
    epochs: float
    seconds: float


@dataclass(frozen=True)
class Spent:
    """The cost of a search at some moment. runs: number of runs started. training: seconds spent on training."""

    runs: int
    epochs: float
    seconds: float
    training: float


@dataclass
class Trajectory:
    """The runs of one search, in the order in which they ended.

    tried: the schedule of every run started, in order. epochs: trained in total. began: a `time.perf_counter` value.
    training: if runs are only looked up, the seconds that training would have taken.
    """

    ended: list[EndedRun] = field(default_factory=list)
    tried: list[Schedule] = field(default_factory=list)
    epochs: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    training: float = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the search began, including simulated training."""
        return time.perf_counter() - self.began + self.training

    @property
    def spent(self) -> Spent:
        """The cost so far."""
        return Spent(len(self.tried), self.epochs, self.seconds, self.training)

    def incumbents(self, sign: int) -> list[EndedRun]:
        """Every run that was, when it ended, the best of the longest runs so far, in order.

        sign: 1 if a smaller metric is better, else -1.
        """
        found: list[EndedRun] = []
        for run in self.ended:
            if not found or (-run.budget, sign * run.metric) < (-found[-1].budget, sign * found[-1].metric):
                found.append(run)
        return found


@dataclass
class Watched:
    """An `Executor` that delegates to another one and records every run in a trajectory.

    seconds_per_epoch: of one run by cohort size, to simulate training time; empty if the other executor really trains.
    """

    executor: Executor
    steps_per_epoch: int
    seconds_per_epoch: Mapping[int, float] = field(default_factory=dict)
    trajectory: Trajectory = field(default_factory=Trajectory)

    def train(
        self, runs: Sequence[Run], stop: Stop = never, done: Collection[int] = frozenset()
    ) -> Iterator[Evaluation]:
        """Implements `Executor.train`."""
        trajectory = self.trajectory
        steps = dict.fromkeys(range(len(runs)), 0)
        rate = self.rate(len(runs) - len(done))
        for evaluation in self.executor.train(runs, stop, done):
            run, before = runs[evaluation.run], steps[evaluation.run]
            if not before:
                trajectory.tried.append(run.schedule)
            trajectory.epochs += (evaluation.step - before) / self.steps_per_epoch
            trajectory.training += rate * (evaluation.step - before) / self.steps_per_epoch
            steps[evaluation.run] = evaluation.step
            if evaluation.last and not evaluation.diverged:
                ended = EndedRun(run.schedule, run.budget, evaluation.metric, trajectory.epochs, trajectory.seconds)
                trajectory.ended.append(ended)
            yield evaluation

    def rate(self, runs: int) -> float:
        """Seconds per epoch of one run if `runs` are trained at a time, in the largest timed cohort that they fill."""
        timed = [size for size in self.seconds_per_epoch if size <= max(1, runs)]
        return min((self.seconds_per_epoch[size] for size in timed), default=0.0)
