"""How fast runs are trained: what a search will take is estimated from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from study.objective import Engine


@dataclass(frozen=True)
class Speed:
    """Seconds of training, as measured; nothing depends on them but estimates.

    by_cohort: seconds per step and run, by the number of runs that are trained together. start: seconds per run before
    its first step. Both are of the whole machine: divided by the number of workers, if there are any.
    """

    by_cohort: Mapping[int, float] = field(default_factory=dict)
    start: float = 0.0

    @property
    def known(self) -> bool:
        """Whether anything was measured."""
        return any(map(math.isfinite, self.by_cohort.values()))

    def seconds(self, runs: int, steps: int, engine: Engine) -> float:
        """What these runs take, each of this many steps, if the engine trains them side by side as far as it can."""
        cohorts = math.ceil(runs / engine.cohort)
        together = math.ceil(runs / cohorts)
        if engine.workers:  # some wait in the last round
            runs = math.ceil(cohorts / engine.workers) * engine.workers * together
        return runs * (steps * self.of_a_step(together) + self.start)

    def of_a_step(self, together: int) -> float:
        """Seconds per step and run in a cohort of this size: those of the largest timed one that is no larger."""
        timed = {cohort: seconds for cohort, seconds in self.by_cohort.items() if math.isfinite(seconds)}
        return timed[max((cohort for cohort in timed if cohort <= together), default=min(timed))]

    def divided(self, workers: int) -> Speed:
        """The speed of this many workers that train side by side, each as fast as this."""
        return Speed({cohort: seconds / workers for cohort, seconds in self.by_cohort.items()}, self.start / workers)

    def scaled(self, times: float) -> Speed:
        """The speed if each step takes `times` as long."""
        return Speed({cohort: seconds * times for cohort, seconds in self.by_cohort.items()}, self.start)

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        finite = {str(cohort): seconds for cohort, seconds in self.by_cohort.items() if math.isfinite(seconds)}
        return {"by_cohort": finite, "start": self.start}

    @classmethod
    def read(cls, stored: Mapping[str, Any] | None) -> Speed:
        """What `plain` made, as stored; nothing is known of a study that was made before this was kept."""
        if stored is None:
            return cls()
        return cls({int(cohort): seconds for cohort, seconds in stored["by_cohort"].items()}, stored["start"])


class ChosenEngine(NamedTuple):
    """The engine of a study, why it is that one, and how fast it trains."""

    engine: Engine
    reason: str
    speed: Speed = Speed()
