"""Trace: what a search has spent and found at every moment, for judging it afterwards."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from search_spaces.schedule import Schedule
from study.executors.choice import Engine
from study.executors.in_process import Trains, never
from study.training.loop import Evaluation, Run, Stop
from study.workloads.workload import Workload


@dataclass(frozen=True)
class Ended:
    """A run that came to its horizon. epochs: what the whole search had trained by then. seconds: since it began."""

    schedule: Schedule
    horizon: int
    metric: float
    epochs: float
    seconds: float


@dataclass(frozen=True)
class Mark:
    """A moment of a search: how many runs had been begun, what was spent; training: of the seconds."""

    tried: int
    epochs: float
    seconds: float
    training: float


@dataclass
class Trace:
    """The runs of one search, in the order in which they ended.

    epochs: trained in all. tried: the schedule of every run begun. training: seconds that training would have taken,
    where the engine only looks runs up.
    """

    ended: list[Ended] = field(default_factory=list)
    tried: list[Schedule] = field(default_factory=list)
    epochs: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    training: float = 0.0

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self.began + self.training

    def mark(self) -> Mark:
        """The present moment."""
        return Mark(len(self.tried), self.epochs, self.seconds, self.training)

    def incumbents(self, sign: int) -> list[Ended]:
        """What one would have taken at each moment: the best of the longest runs so far; each change of it, in order.

        sign: makes a smaller metric the better one.
        """
        found: list[Ended] = []
        for run in self.ended:
            if not found or (-run.horizon, sign * run.metric) < (-found[-1].horizon, sign * found[-1].metric):
                found.append(run)
        return found


@dataclass(frozen=True)
class TracedEngine(Engine):
    """Trains as another engine does, and notes it.

    seconds_per_epoch: of one run, by how many are trained together; nothing where the engine really trains.
    """

    inner: Engine = field(default_factory=Engine)
    trace: Trace = field(default_factory=Trace)
    seconds_per_epoch: Mapping[int, float] = field(default_factory=dict)

    @contextmanager
    def trainer(self, workload: Workload) -> Iterator[Trains]:
        """What trains, watched."""
        with self.inner.trainer(workload) as trains:
            yield Watched(trains, self.trace, workload.steps_per_epoch, self.seconds_per_epoch)


@dataclass
class Watched:
    """Trains as another does, and notes every run in a trace."""

    trains: Trains
    trace: Trace
    steps_per_epoch: int
    seconds_per_epoch: Mapping[int, float]
    cohort: int = field(init=False)

    def __post_init__(self) -> None:
        self.cohort = self.trains.cohort

    def train(
        self, runs: Sequence[Run], stop: Stop = never, done: Collection[int] = frozenset()
    ) -> Iterator[Evaluation]:
        """The evaluations of the other."""
        steps = dict.fromkeys(range(len(runs)), 0)
        rate = self.rate(len(runs) - len(done))
        for evaluation in self.trains.train(runs, stop, done):
            run, before = runs[evaluation.run], steps[evaluation.run]
            if not before:
                self.trace.tried.append(run.schedule)
            self.trace.epochs += (evaluation.step - before) / self.steps_per_epoch
            self.trace.training += rate * (evaluation.step - before) / self.steps_per_epoch
            steps[evaluation.run] = evaluation.step
            if evaluation.last and not evaluation.diverged:
                ended = Ended(run.schedule, run.epochs, evaluation.metric, self.trace.epochs, self.trace.seconds)
                self.trace.ended.append(ended)
            yield evaluation
        self.cohort = self.trains.cohort

    def rate(self, runs: int) -> float:
        """Seconds per epoch of one run when so many are trained at a time, by the largest cohort that they fill."""
        timed = [size for size in self.seconds_per_epoch if size <= max(1, runs)]
        return min((self.seconds_per_epoch[size] for size in timed), default=0.0)
