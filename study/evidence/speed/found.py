"""What a study found, and what that cost: the same rule and the same words, whoever ran it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search_spaces import InputError, Schedule, from_params


@dataclass(frozen=True)
class Tried:
    """One trial: its parameters, the epochs trained, whether it ran to its end, and the last val metric."""

    params: Mapping[str, Any]
    epochs: float
    complete: bool
    value: float


@dataclass(frozen=True)
class Found:
    """The winner's schedule, the trials, the epochs trained over all of them, and the wall time in seconds."""

    schedule: Schedule
    trials: int
    epochs: float
    seconds: float


def found(tried: Sequence[Tried], direction: str, seconds: float) -> Found:
    """The winner is the best of the trials that ran to their end, by the value there; the earliest of equals.

    direction: minimize or maximize. Raises InputError where no trial ran to its end.
    """
    complete = [trial for trial in tried if trial.complete]
    if not complete:
        raise InputError("no trial ran to its end: give more --trials")
    best = (min if direction == "minimize" else max)(complete, key=lambda trial: trial.value)
    return Found(from_params(best.params), len(tried), sum(trial.epochs for trial in tried), seconds)
