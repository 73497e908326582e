"""Recorded runs: schedules whose runs were trained once, so that searches can be repeated without training.

A file has one JSON object per line: first what was recorded (`About`), then one schedule per line. A schedule that was
not recorded is replaced by the nearest one of its family. So a search sees a piecewise constant function, and every
value is that of a real run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
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
"""Weight of a difference in `peak_lr` relative to other parameters, each as a fraction of its range."""


@dataclass(frozen=True)
class RecordedRun:
    """The evaluations of one run. steps: completed at each; metrics: on validation."""

    steps: list[int]
    metrics: list[float]
    diverged: bool


@dataclass(frozen=True)
class RecordedSchedule:
    """A schedule's runs: for each budget in epochs one with the search's seed, and full runs with fresh seeds.

    params: as in a trial. test: the test metric at the end of a full run, for each fresh seed.
    """

    params: dict[str, Any]
    runs: dict[int, RecordedRun]
    test: list[float]

    @property
    def mean_test(self) -> float:
        """The schedule's true value: the mean test metric over the fresh seeds."""
        return math.fsum(self.test) / len(self.test)


@dataclass(frozen=True)
class About:
    """What was recorded. configuration: as stored with a study. confirm_seeds: the fresh seeds. session: provenance."""

    configuration: dict[str, Any]
    confirm_seeds: list[int]
    session: dict[str, Any]

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> About:
        """From the stored form, which keeps an older name: `judge_seeds` for the fresh seeds."""
        return cls(stored["configuration"], stored["judge_seeds"], stored["session"])

    def stored(self) -> dict[str, Any]:
        """The stored form, as `read` takes it."""
        return {"configuration": self.configuration, "judge_seeds": self.confirm_seeds, "session": self.session}


@dataclass(frozen=True)
class Recorded:
    """The recorded schedules of one workload."""

    about: About
    schedules: list[RecordedSchedule]

    @cached_property
    def points(self) -> dict[str, tuple[list[int], np.ndarray]]:
        """By family: the indices of its schedules, and their coordinates, (schedules, coordinates)."""
        found: dict[str, tuple[list[int], list[list[float]]]] = {}
        for number, recorded in enumerate(self.schedules):
            numbers, points = found.setdefault(recorded.params["family"], ([], []))
            numbers.append(number)
            points.append(coordinates(from_params(recorded.params), self.peak_lr))
        return {family: (numbers, np.array(points)) for family, (numbers, points) in found.items()}

    @property
    def peak_lr(self) -> tuple[float, float]:
        """The search range of the peak, (lowest, highest)."""
        attributes = self.about.configuration["space"]["peak_lr"]["attributes"]
        return attributes["low"], attributes["high"]

    def nearest(self, schedule: Schedule) -> RecordedSchedule:
        """The nearest recorded schedule of the same family; raises InputError if the family was not recorded."""
        if schedule.family not in self.points:
            raise InputError(f"no schedule of family {schedule.family!r} was recorded: remove it from --families")
        numbers, points = self.points[schedule.family]
        distances = ((points - coordinates(schedule, self.peak_lr)) ** 2).sum(1)
        return self.schedules[numbers[int(distances.argmin())]]

    def write(self, path: Path) -> None:
        """Write the file, creating its directory."""
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [self.about.stored(), *map(asdict, self.schedules)]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def read_recorded(path: Path) -> Recorded:
    """Read a file of recorded runs; raises InputError if it does not exist."""
    if not path.is_file():
        raise InputError(f"{path} does not exist: create it with scripts/evidence/record_runs.py")
    first, *lines = path.read_text().splitlines()
    schedules = []
    for values in map(json.loads, lines):
        runs = {int(budget): RecordedRun(**run) for budget, run in values["runs"].items()}
        schedules.append(RecordedSchedule(values["params"], runs, values["test"]))
    return Recorded(About.read(json.loads(first)), schedules)


def recorded_path(folder: Path, subject: str, epochs: int) -> Path:
    """The path of the file for this workload and length."""
    return folder / f"{subject}-{epochs}-epochs.jsonl"


def coordinates(schedule: Schedule, peak_lr: tuple[float, float]) -> list[float]:
    """The coordinates of a schedule within its family: every parameter from 0 to 1 over its range, on its scale.

    The exact value of an `Either` has distance 1 or more from its range; two categories have distance 1.
    """
    found = [PEAK_WEIGHT * share_of_range(schedule.peak_lr, Float(*peak_lr, log=True))]
    for name, domain in {**schedule.shared_space(), **schedule.space}.items():
        found += parameter_coordinates(getattr(schedule, name), domain)
    return found


def parameter_coordinates(value: Any, domain: Domain) -> Sequence[float]:
    """The coordinates of one parameter."""
    match domain:
        case Either(exact, otherwise):
            return [1.0, 0.5] if value == exact else [0.0, share_of_range(value, otherwise)]
        case Choice(options):
            return [math.sqrt(0.5) * (value == option) for option in options]
        case Float() | Integer():
            return [share_of_range(value, domain)]
