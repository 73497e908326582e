"""How long a step takes in cohorts of different sizes, timed now."""

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
"""A way of training is timed for this many steps, or for this many seconds if they end first."""


def cohort_sizes(most: int) -> list[int]:
    """The sizes worth timing: powers of two, and the largest.

    >>> cohort_sizes(10)
    [2, 4, 8, 10]
    """
    return sorted({min(2**power, most) for power in range(1, most.bit_length() + 1)} - {1}) if most > 1 else []


def seconds_per_step(objective: Objective, cohort: int, summary: Callable[[Sequence[float]], float] = min) -> float:
    """The time that one step of one run takes in a cohort of this size; infinity if it does not fit into memory.

    summary: of a few steps. The shortest is the one that other programs disturb least; to time workers that compete for
    the machine, give another.
    """
    moments: list[float] = []

    def stop(run: int) -> bool:
        """Asked before every step of every run; the first run's moments are noted."""
        if run == 0:
            if objective.device.type == "cuda":
                torch.cuda.synchronize()  # or only the launches would be timed
            moments.append(time.perf_counter())
        return len(moments) > TIMED_STEPS or (len(moments) > 3 and moments[-1] - moments[0] > TIMED_SECONDS)

    # Evaluated at its end only, which is never reached.
    run = Run(Constant(peak_lr=objective.peak_lr[0]), 2 * TIMED_STEPS, train_seed=0, evaluations=1)
    if not fits_in_memory(objective, [run] * cohort, stop):
        release_memory()
        return math.inf
    took = [after - before for before, after in pairwise(moments)]
    return summary(took) / cohort


def fits_in_memory(objective: Objective, runs: Sequence[Run], stop: Stop) -> bool:
    """Train the runs as one cohort until they are stopped; whether they fit. Raises InputError if one does not."""
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
