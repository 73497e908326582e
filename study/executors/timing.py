"""Times a training step in cohorts of different sizes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch

from search_spaces import Constant
from search_spaces.errors import InputError
from study.executors.in_process import TOO_LARGE
from study.machine import out_of_memory, release_memory
from study.objective import Objective, Run, Stop

TIMED_STEPS = 12
TIMED_SECONDS = 4.0
"""Timing ends after TIMED_STEPS steps or TIMED_SECONDS seconds, whichever comes first."""


def cohort_sizes(most: int) -> list[int]:
    """The cohort sizes to time: powers of two, and `most`.

    >>> cohort_sizes(10)
    [2, 4, 8, 10]
    """
    return sorted({min(2**power, most) for power in range(1, most.bit_length() + 1)} - {1}) if most > 1 else []


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
