"""The lr of a stored trial's full run as a line to draw, cheaply: a few milliseconds, once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from optuna.trial import FrozenTrial

from search_spaces import Schedule, from_params

SIMULATED_UPDATES = 1000
"""A longer run is simulated with as many: a schedule is the same at every length but for rounding to whole updates."""
POINTS = 120
"""Most points of a line."""


class Line(NamedTuple):
    """Points of a line; x: optimizer updates, ascending."""

    x: Sequence[float]
    y: Sequence[float]


def lr_line(trial: FrozenTrial) -> Line:
    """The lr over the updates of a trial that ran to its end.

    After its warm-up, a schedule that listens is drawn from the record: an evaluation's lr holds since the one before.
    """
    curve = trial.user_attrs["curve"]
    schedule, total_steps = from_params(trial.params), curve["step"][-1]
    if schedule.evaluations:
        warmup, _ = schedule.split(total_steps)
        points = [(0, schedule.peak_lr / (warmup + 1)), (warmup, schedule.peak_lr)]
        for before, end, rate in zip([0, *curve["step"]], curve["step"], curve["lr"], strict=False):
            points += [(max(before, warmup), rate), (end, rate)] if end > warmup else []
        return Line(*zip(*points, strict=True))
    rates = simulated(schedule, min(total_steps, SIMULATED_UPDATES))
    shown = sorted({round(point * (len(rates) - 1) / POINTS) for point in range(POINTS + 1)})
    # The last update's lr holds to the end of the run.
    x = [*(total_steps * update / len(rates) for update in shown), total_steps]
    return Line(x, [*(rates[update] for update in shown), rates[-1]])


@lru_cache(maxsize=128)
def simulated(schedule: Schedule, updates: int) -> list[float]:
    """The lr at each of so many updates, which are the whole run."""
    return [rate for rate, _ in schedule.simulate(updates)]
