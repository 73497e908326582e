"""What a user says of the metric and the peak of their own training: by flags, or beside the function."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from search_spaces.errors import require

DIRECTIONS = ("minimize", "maximize")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Declaration:
    """What is said of the metric and the peak; None is found out by the first run.

    metric: its name. direction: minimize if None. peak_lr: (lowest, highest). worst: the value of a diverged run.
    """

    metric: str | None = None
    direction: str | None = None
    peak_lr: tuple[float, float] | None = None
    worst: float | None = None

    def __post_init__(self) -> None:
        require(self.direction in (*DIRECTIONS, None), "--direction must be minimize or maximize", self.direction)
        if self.peak_lr is not None:
            object.__setattr__(self, "peak_lr", tuple(self.peak_lr))
            two = len(self.peak_lr) == 2 and 0 < self.peak_lr[0] < self.peak_lr[1] < math.inf
            require(two, "--peak-lr must be LOW HIGH, with 0 < LOW < HIGH", self.peak_lr)
        require(self.worst is None or math.isfinite(self.worst), "--worst must be finite", self.worst)

    @property
    def sign(self) -> int:
        """1 or -1: times this, a smaller value is the better one."""
        return -1 if self.direction == "maximize" else 1

    def over(self, other: Declaration) -> Declaration:
        """This, and the other where nothing is said here."""
        both = ((mine, theirs) for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True))
        return Declaration(*(theirs if mine is None else mine for mine, theirs in both))


DECLARED = "_study_declaration"
"""The attribute of a function that `trains` has marked."""


def trains(
    *,
    metric: str | None = None,
    direction: str | None = None,
    peak_lr: tuple[float, float] | None = None,
    worst: float | None = None,
) -> Callable[[F], F]:
    """Say beside a training function what the flags of the same names say; a flag that is given wins.

    >>> @trains(metric="error", worst=1.0, peak_lr=(0.001, 1.0))
    ... def train(schedule, epochs, seed):
    ...     yield 0.5
    """
    declared = Declaration(metric, direction, peak_lr, worst)

    def mark(function: F) -> F:
        setattr(function, DECLARED, declared)
        return function

    return mark
