"""The most that a search may cost, as flags; its trials and rungs are then fitted to it (fitted_plan.py)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from search_spaces.errors import InputError, require


@dataclass(frozen=True)
class Limit:
    """The most that a search may cost."""

    max_cost: float | None = None
    """Most full runs that the search may cost: fits trials (at most --trials) and rungs when the study begins."""
    max_hours: float | None = None
    """The same in hours, at the speed measured when the study begins."""

    def __post_init__(self) -> None:
        for flag, value in (("--max-cost", self.max_cost), ("--max-hours", self.max_hours)):
            sound = value is None or (value > 0 and math.isfinite(value))
            require(sound, f"{flag} must be above 0", value)
        if self.max_cost is not None and self.max_hours is not None:
            raise InputError("give --max-cost or --max-hours, not both")

    @property
    def given(self) -> bool:
        """Whether there is one."""
        return self.max_cost is not None or self.max_hours is not None

    @property
    def flag(self) -> str:
        """The flag that was given."""
        return "--max-hours" if self.max_cost is None else "--max-cost"

    @property
    def value(self) -> float:
        """Its value: full runs or hours; infinite without a limit."""
        return next((value for value in (self.max_cost, self.max_hours) if value is not None), math.inf)

    def __str__(self) -> str:
        return f"{self.flag} {self.value:g}"
