"""How long a study takes on many devices: a simulation over recorded run lengths and values.

A batch is asked when the one before it is evaluated; the best of a bracket are promoted together, by the rule of a
search. So devices idle at the end of each batch, and while few long runs are trained. A bracket that begins before the
ones before it have ended fills these gaps.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from study.executors.recorded_runs import Recorded
from study.search.rungs import worst_to_promote


@dataclass(frozen=True)
class Shape:
    """How a study is searched. ahead: how many brackets may begin before the first unfinished one has ended."""

    trials: int
    batch: int
    bracket: int
    ahead: int = 0


@dataclass(frozen=True)
class Makespan:
    """The simulated time of a study, in the time of a full run. work: what one device would need."""

    devices: int
    shape: Shape
    time: float
    work: float

    @property
    def idle(self) -> float:
        """The share of the devices' time in which they have nothing to train."""
        return 1 - self.work / (self.devices * self.time)


@dataclass(frozen=True)
class RecordedLengths:
    """Lengths and values of recorded runs, by schedule and rung, on one workload. sign: as of the metric.

    lengths: in full runs, (schedules, rungs); a diverged run is shorter. values: (schedules, rungs), lower is better.
    """

    lengths: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, recorded: Recorded, budgets: Sequence[int], steps_per_epoch: int, sign: int) -> RecordedLengths:
        """Of the runs of these budgets, which must be recorded."""
        runs = [[schedule.runs[budget] for budget in budgets] for schedule in recorded.schedules]
        full = budgets[-1] * steps_per_epoch
        lengths = np.array([[run.steps[-1] / full for run in each] for each in runs])
        return cls(lengths, sign * np.array([[run.metrics[-1] for run in each] for each in runs]))


Group = list[float]
"""Lengths of runs that begin together: a batch, or the promoted trials of a bracket."""


@dataclass
class BracketInTime:
    """One bracket of the simulation: its groups of runs in order. next: the group that begins next. left: how many runs
    of the present group have not ended."""

    groups: list[Group]
    batches: int
    next: int = 0
    left: int = 0

    @property
    def explored(self) -> bool:
        """Whether all of its first runs have ended: what the next bracket is asked from."""
        return self.next >= self.batches and not (self.next == self.batches and self.left)

    @property
    def ended(self) -> bool:
        """Whether all of its runs have ended."""
        return self.next == len(self.groups) and not self.left


def brackets(shape: Shape, runs: RecordedLengths, reduction: int, seed: int) -> Iterator[BracketInTime]:
    """The brackets of a study of random schedules, with the runs that the promotion rule gives them."""
    rng, rungs = np.random.default_rng(seed), runs.lengths.shape[1]
    seen: list[list[float]] = [[] for _ in range(rungs)]
    for begin in range(0, shape.trials, shape.bracket):
        live = rng.integers(len(runs.lengths), size=min(shape.bracket, shape.trials - begin))
        firsts = [runs.lengths[live[start : start + shape.batch], 0] for start in range(0, len(live), shape.batch)]
        groups = [group.tolist() for group in firsts]
        batches = len(groups)
        for before, rung in pairwise(range(rungs)):
            seen[before] += runs.values[live, before].tolist()
            worst = worst_to_promote(seen[before], reduction)
            live = live[runs.values[live, before] <= worst]
            groups.append(runs.lengths[live, rung].tolist())
        yield BracketInTime([group for group in groups if group], batches)


@dataclass
class Simulation:
    """Devices that train runs: of earlier brackets first, and of one bracket in order."""

    devices: int
    ahead: int
    todo: Iterator[BracketInTime]
    open: list[BracketInTime] = field(default_factory=list)
    ready: list[tuple[int, int, float]] = field(default_factory=list)
    begun: int = 0
    runs: int = 0

    def run(self) -> tuple[float, float]:
        """(time when all runs have ended, their sum)."""
        now, work, free = 0.0, 0.0, self.devices
        numbers: dict[int, BracketInTime] = {}
        training: list[tuple[float, int, int]] = []
        self.begin(numbers)
        while self.ready or training:
            while free and self.ready:
                number, order, length = heapq.heappop(self.ready)
                heapq.heappush(training, (now + length, order, number))
                free, work = free - 1, work + length
            now, _, number = heapq.heappop(training)
            free += 1
            bracket = numbers[number]
            bracket.left -= 1
            if not bracket.left:
                self.begin(numbers)
        return now, work

    def begin(self, numbers: dict[int, BracketInTime]) -> None:
        """Make the next groups ready, and begin the next brackets, as far as what is before them has ended."""
        self.open = [bracket for bracket in self.open if not bracket.ended]
        while len(self.open) <= self.ahead and (not self.open or self.open[-1].explored):
            bracket = next(self.todo, None)
            if bracket is None:
                break
            self.open.append(bracket)
            numbers[self.begun] = bracket
            self.begun += 1
            self.release(self.begun - 1, bracket)
        for number, bracket in numbers.items():
            if bracket in self.open and not bracket.left and not bracket.ended:
                first = bracket is self.open[0]
                if bracket.next < bracket.batches or first:  # it is promoted when those before it have ended
                    self.release(number, bracket)

    def release(self, number: int, bracket: BracketInTime) -> None:
        """Make the next group of a bracket ready."""
        for length in bracket.groups[bracket.next]:
            heapq.heappush(self.ready, (number, self.runs, length))
            self.runs += 1
        bracket.left = len(bracket.groups[bracket.next])
        bracket.next += 1


def simulate(devices: int, shape: Shape, runs: RecordedLengths, reduction: int, seed: int = 0) -> Makespan:
    """The makespan of a study on this many devices, with one run on each."""
    time, work = Simulation(devices, shape.ahead, brackets(shape, runs, reduction, seed)).run()
    return Makespan(devices, shape, time, work)


def filling(trials: int, devices: int, ahead: int) -> Shape:
    """A study whose batches have two runs for each device, and its brackets five batches, as far as it has trials."""
    batch = min(trials, 2 * devices)
    return Shape(trials, batch, min(trials, 5 * batch), ahead)
