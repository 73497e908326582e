"""Recorded runs: schedules whose runs were trained once, so that searches can be repeated without training.

A file of them holds one JSON object per line: first what was recorded (`About`), then a schedule per line. A schedule
that was not recorded is answered by the nearest one of its family, so a search over recorded runs sees a landscape of
steps, whose every value is a real run's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from search_spaces import from_params
from search_spaces.errors import InputError
from search_spaces.ranges import Choice, Domain, Either, Float, Integer, share_of_range
from search_spaces.schedule import Schedule

PEAK_WEIGHT = 4.0
"""How much more a difference of `peak_lr` counts than one of any other parameter, each over its whole range."""


@dataclass(frozen=True)
class RecordedRun:
    """What the evaluations of one run found. steps: updates done; metrics: on validation."""

    steps: list[int]
    metrics: list[float]
    diverged: bool


@dataclass(frozen=True)
class RecordedSchedule:
    """A schedule's runs: one of the search's seed for each horizon, in epochs, and full runs of fresh seeds.

    params: as a trial's. test: the test metric at the end of a full run, by fresh seed.
    """

    params: dict[str, Any]
    runs: dict[int, RecordedRun]
    test: list[float]

    @property
    def truth(self) -> float:
        """What the schedule is worth: the mean over the fresh seeds."""
        return math.fsum(self.test) / len(self.test)


@dataclass(frozen=True)
class About:
    """What was recorded. configuration: of the study whose runs these are, resolved. session: provenance."""

    configuration: dict[str, Any]
    judge_seeds: list[int]
    session: dict[str, Any]


@dataclass(frozen=True)
class Recorded:
    """The recorded schedules of one workload."""

    about: About
    schedules: list[RecordedSchedule]

    @cached_property
    def points(self) -> dict[str, tuple[list[int], np.ndarray]]:
        """By family: the numbers of its schedules, and where they lie, (schedules, coordinates)."""
        found: dict[str, tuple[list[int], list[list[float]]]] = {}
        for number, recorded in enumerate(self.schedules):
            numbers, points = found.setdefault(recorded.params["family"], ([], []))
            numbers.append(number)
            points.append(coordinates(from_params(recorded.params), self.peak_lr))
        return {family: (numbers, np.array(points)) for family, (numbers, points) in found.items()}

    @property
    def peak_lr(self) -> tuple[float, float]:
        """The range of the peak."""
        attributes = self.about.configuration["space"]["peak_lr"]["attributes"]
        return attributes["low"], attributes["high"]

    def nearest(self, schedule: Schedule) -> int:
        """The number of the recorded schedule of the same family that is nearest to this one."""
        if schedule.family not in self.points:
            raise InputError(f"no schedule of family {schedule.family!r} was recorded: leave it out of --families")
        numbers, points = self.points[schedule.family]
        return numbers[int(((points - coordinates(schedule, self.peak_lr)) ** 2).sum(1).argmin())]

    def write(self, path: Path) -> None:
        """Write the file, its folder too."""
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [asdict(self.about), *map(asdict, self.schedules)]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def read(path: Path) -> Recorded:
    """The recorded runs of a file; raises InputError where there is none."""
    if not path.is_file():
        raise InputError(f"{path} holds no recorded runs: make it with scripts/evidence/record_runs.py")
    first, *lines = path.read_text().splitlines()
    schedules = []
    for values in map(json.loads, lines):
        runs = {int(horizon): RecordedRun(**run) for horizon, run in values["runs"].items()}
        schedules.append(RecordedSchedule(values["params"], runs, values["test"]))
    return Recorded(About(**json.loads(first)), schedules)


def recorded_path(folder: Path, subject: str, epochs: int) -> Path:
    """The file of the runs of this workload and length."""
    return folder / f"{subject}-{epochs}-epochs.jsonl"


def coordinates(schedule: Schedule, peak_lr: tuple[float, float]) -> list[float]:
    """Where a schedule lies among those of its family: every parameter from 0 to 1 over its range, on its own scale.

    An exact value beside a range (`Either`) lies at distance 1 from all of the range, and so do two categories.
    """
    found = [PEAK_WEIGHT * share_of_range(schedule.peak_lr, Float(*peak_lr, log=True))]
    for name, domain in {**schedule.shared_space(), **schedule.space}.items():
        found += spread(getattr(schedule, name), domain)
    return found


def spread(value: Any, domain: Domain) -> Sequence[float]:
    """The coordinates of one parameter."""
    match domain:
        case Either(exact, otherwise):
            return [1.0, 0.5] if value == exact else [0.0, share_of_range(value, otherwise)]
        case Choice(options):
            return [math.sqrt(0.5) * (value == option) for option in options]
        case Float() | Integer():
            return [share_of_range(value, domain)]
