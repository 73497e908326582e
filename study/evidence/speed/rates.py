"""How fast `Schedule.rates` computes a curve, beside `Schedule.simulate`, which steps torch's scheduler."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from search_spaces import FAMILIES
from search_spaces.schedule import Schedule
from study.reports.markdown import table

WARMUP_FRACTION = 0.1
"""Of the schedules that are timed with a warm-up."""


@dataclass(frozen=True)
class TimedCurve:
    """One schedule: the seconds that its curve takes each way, the shortest of several rounds."""

    schedule: Schedule
    simulated: float
    computed: float

    @property
    def ratio(self) -> float:
        """How many times as fast `rates` is."""
        return self.simulated / self.computed


def time_curves(total_steps: int, rounds: int) -> list[TimedCurve]:
    """Time every family, without a warm-up and, unless it has its own, with one; both ways in each round."""
    schedules = [family(peak_lr=0.1) for family in FAMILIES.values()]
    schedules += [
        family(peak_lr=0.1, warmup_fraction=WARMUP_FRACTION)
        for family in FAMILIES.values()
        if not family.has_own_warmup
    ]
    return [time_curve(schedule, total_steps, rounds) for schedule in schedules]


def time_curve(schedule: Schedule, total_steps: int, rounds: int) -> TimedCurve:
    """Time one schedule both ways, once in each round; plateau observes a loss that does not improve."""
    losses = [1.0] * min(schedule.evaluations, total_steps)
    pairs = [
        (
            seconds(lambda: schedule.simulate(total_steps, losses)),
            seconds(lambda: schedule.rates(total_steps, losses if schedule.evaluations else None)),
        )
        for _ in range(rounds)
    ]
    return TimedCurve(schedule, min(simulated for simulated, _ in pairs), min(computed for _, computed in pairs))


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def table_of_curves(timed: Sequence[TimedCurve]) -> str:
    """Markdown, a line for each schedule."""
    heads = ["family", "warm-up", "simulate, ms", "rates, ms", "times as fast"]
    lines = [
        [
            one.schedule.family,
            f"{one.schedule.warmup_fraction:.0%}" if one.schedule.warmup_fraction else "none",
            f"{1000 * one.simulated:.2f}",
            f"{1000 * one.computed:.3f}",
            f"{one.ratio:.0f}",
        ]
        for one in timed
    ]
    return table(heads, lines)
