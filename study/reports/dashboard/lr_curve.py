"""The lr of a stored trial's full run as a line to draw."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from search_spaces import Schedule
from study.storage.trial_record import TrialRecord

SIMULATED_STEPS = 1000
"""A longer run is simulated with this many: a schedule has the same shape at every length, up to rounding to steps."""
POINTS = 120
"""The most points a line has."""


class LrLine(NamedTuple):
    """Points of a line; x: optimizer steps, ascending."""

    x: Sequence[float]
    y: Sequence[float]


def lr_line(trial: TrialRecord) -> LrLine:
    """The lr over the steps of a trial that ran to its end.

    A schedule that observes losses is drawn from the record after its warm-up: the lr of an evaluation holds since the
    evaluation before it.
    """
    assert trial.curve is not None
    schedule, steps = trial.schedule, trial.curve.steps
    total_steps = steps[-1]
    if schedule.evaluations:
        warmup, _ = schedule.split(total_steps)
        points = [(0, schedule.peak_lr / (warmup + 1)), (warmup, schedule.peak_lr)]
        for before, end, rate in zip([0, *steps], steps, trial.curve.lr, strict=False):
            points += [(max(before, warmup), rate), (end, rate)] if end > warmup else []
        return LrLine(*zip(*points, strict=True))
    rates = simulated(schedule, min(total_steps, SIMULATED_STEPS))
    shown = sorted({round(point * (len(rates) - 1) / POINTS) for point in range(POINTS + 1)})
    # The last step's lr holds to the end of the run.
    x = [*(total_steps * step / len(rates) for step in shown), total_steps]
    return LrLine(x, [*(rates[step] for step in shown), rates[-1]])


@lru_cache(maxsize=128)
def simulated(schedule: Schedule, steps: int) -> list[float]:
    """The lr at each step of a run of this length."""
    return [rate for rate, _ in schedule.simulate(steps)]
