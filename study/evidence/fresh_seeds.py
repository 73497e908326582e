"""How every comparison evaluates the result of a search: its schedule on test, over fresh training seeds."""

from __future__ import annotations

from statistics import mean

from search_spaces.schedule import Schedule
from study.executors.in_process import InProcess
from study.objective import FIRST_FRESH_SEED, Objective
from study.search.confirm import confirm


def mean_test(objective: Objective, schedule: Schedule, epochs: int, confirm_seeds: int) -> float:
    """The test metric at the end of full runs of `epochs` epochs, averaged over `confirm_seeds` fresh seeds."""
    seeds = range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + confirm_seeds)
    return mean(confirm(objective, trainer(objective, confirm_seeds), schedule, epochs, seeds))


def trainer(objective: Objective, most_together: int) -> InProcess:
    """The executor that trains up to `most_together` runs together, or one at a time if they cannot be stacked."""
    stacked = most_together > 1 and objective.lockstep_obstacle() is None
    return InProcess(objective, most_together if stacked else 1)
