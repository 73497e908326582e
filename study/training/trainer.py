"""What trains a user's runs: a function of theirs, or a command. The interface that `OwnTraining` meets them at."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from search_spaces.schedule import Schedule
from search_spaces.watched import Begun, Noted
from study.objective import Unit


@dataclass(frozen=True)
class RunRequest:
    """What a trainer is asked to run.

    schedule: None in a first run whose peak is not known. unit: of the budget; also the name of the parameter, or of
    the placeholder, that it is handed over as. metric: its name; None if it is not known yet. sign: -1 if a larger
    metric is the better one. exact: whether each rate is checked against the schedule computed apart. silence: seconds
    without an evaluation after which it is ended; None waits for ever.
    """

    schedule: Schedule | None
    budget: int
    unit: Unit
    seed: int
    metric: str | None = None
    sign: int = 1
    exact: bool = False
    silence: float | None = None


@dataclass(frozen=True)
class Reported:
    """An evaluation, and what the run said when it took its schedule: None if it never did, and cannot."""

    begun: Begun | None
    noted: Noted


class Trainer(Protocol):
    """Trains one run at a time."""

    @property
    def name(self) -> str:
        """For people, and a part of the names of studies."""

    def shown(self, request: RunRequest) -> str:
        """What a run is called with, for people."""

    def in_folder(self, folder: Path) -> Trainer:
        """The same; runs that need a folder have one of their own in this one."""

    def record(self) -> dict[str, Any]:
        """Its part of a study's configuration, as plain values: what the results depend on."""

    def schedule_obstacle(self, schedule: Schedule, seen: bool) -> str | None:
        """Why this schedule cannot be handed over; None if it can. seen: as in `FirstRunResult`."""

    def process_obstacle(self) -> str | None:
        """Why it cannot train in other processes, and what to do; None if it can."""

    def run(self, request: RunRequest, left: Callable[[], bool]) -> Generator[Reported, None, None]:
        """Train from scratch to the end of the budget; yields each evaluation as it is made.

        left: asked at each step whether the run is to be left. Closing the generator ends the run.
        Raises InputError if the schedule is not used as it must be, `Died` if the training fails or hangs.
        """


class Died(Exception):
    """A run of the user's failed; its text says why, with the last output if there is any."""
