"""Times a training step in cohorts of different sizes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch

from search_spaces import Constant
from search_spaces.errors import InputError
from study.executors.cohort_queue import TOO_LARGE
from study.machine import out_of_memory, release_memory
from study.objective import Objective, Run, Stop

TIMED_STEPS = 12
TIMED_SECONDS = 2.0
"""Timing ends after TIMED_STEPS steps or TIMED_SECONDS seconds, whichever comes first."""
ROUNDS = 2
"""Each cohort size is timed this many times, in turn with the others: a busy machine disturbs one, but seldom all."""
TOO_SLOW = 1.2
"""Times the fastest cohort: larger cohorts than one that takes longer no longer fit into the caches."""


def cohort_sizes(most: int) -> list[int]:
    """The cohort sizes to time: powers of two, and `most`.

    >>> cohort_sizes(10)
    [2, 4, 8, 10]
    """
    return sorted({min(2**power, most) for power in range(1, most.bit_length() + 1)} - {1}) if most > 1 else []


def seconds_by_cohort(objective: Objective, most: int) -> tuple[dict[int, float], float]:
    """(the shortest time per step and run of each cohort size up to `most`, how far two times of one size lie apart).

    The first are seconds; a size that does not fit into memory takes infinitely long. The second is the largest ratio
    of two times of the same size, 1 if they agree.
    """
    times: dict[int, list[float]] = {}
    for _ in range(ROUNDS):
        for cohort in [1, *cohort_sizes(most)]:
            times.setdefault(cohort, []).append(seconds_per_step(objective, cohort))
            together = [min(took) for size, took in times.items() if size > 1]
            if together and min(times[cohort]) > TOO_SLOW * min(together) and cohort > 1:
                break
    apart = max(max(took) / min(took) for took in times.values() if max(took) < math.inf)
    return {cohort: min(took) for cohort, took in times.items()}, apart


def seconds_per_step(objective: Objective, cohort: int, summary: Callable[[Sequence[float]], float] = min) -> float:
    """Seconds per step and run in a cohort of this size; infinity if the cohort does not fit into memory.

    summary: reduces the times of a few steps to one. The minimum is least disturbed by other programs; use another
    to time workers that compete for the machine.
    """
    moments: list[float] = []

    def stop(run: int) -> bool:
        """Called before every step of every run; records the time for the first run."""
        if run == 0:
            if objective.device.type == "cuda":
                torch.cuda.synchronize()  # otherwise only the kernel launches would be timed
            moments.append(time.perf_counter())
        return len(moments) > TIMED_STEPS or (len(moments) > 3 and moments[-1] - moments[0] > TIMED_SECONDS)

    # The run is evaluated only at its end, which it never reaches.
    run = Run(Constant(peak_lr=objective.peak_lr[0]), 2 * TIMED_STEPS, train_seed=0, evaluations=1)
    if not fits_in_memory(objective, [run] * cohort, stop):
        release_memory()
        return math.inf
    took = [after - before for before, after in pairwise(moments)]
    return summary(took) / cohort


def fits_in_memory(objective: Objective, runs: Sequence[Run], stop: Stop) -> bool:
    """Train the runs as one cohort until they are stopped; returns whether they fit into memory.

    Raises InputError if a single run does not fit.
    """
    try:
        for _ in objective.train(runs, stop):
            pass
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        if len(runs) == 1:
            raise InputError(TOO_LARGE) from error
        return False
    return True
