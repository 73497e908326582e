"""The cohorts of some runs, in order: which run trains with which, and what happens if a cohort does not fit."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from search_spaces.errors import InputError
from study.objective import Evaluation, Objective, Run

TOO_LARGE = "one run does not fit into the GPU's memory: use a smaller --batch-size"


@dataclass(frozen=True, eq=False)
class Cohort:
    """Runs that are trained together. runs: their indices. too_large: sizes of larger cohorts that were tried before
    with these runs, and did not fit into memory."""

    runs: list[int]
    too_large: tuple[int, ...] = ()


class CohortQueue:
    """The cohorts that are left to train. most: maximum number of runs in a cohort."""

    def __init__(self, runs: Sequence[Run], most: int, objective: Objective, done: Collection[int]) -> None:
        self.most = most
        self.reached = [0.0] * len(runs)  # the last evaluated step of each run; infinity once it has ended
        every = cohorts(runs, most, objective)
        self.waiting = deque(Cohort(indices) for indices in every if not set(indices) <= set(done))

    def new(self, cohort: Cohort, evaluations: Iterator[Evaluation]) -> Iterator[Evaluation]:
        """The evaluations of a cohort as those of these runs, without those that an earlier attempt has yielded."""
        for evaluation in evaluations:
            index = cohort.runs[evaluation.run]
            if evaluation.step > self.reached[index] or evaluation.last:
                self.reached[index] = math.inf if evaluation.last else evaluation.step
                yield replace(evaluation, run=index, cohort=len(cohort.runs), too_large=cohort.too_large)

    def halve(self, cohort: Cohort) -> None:
        """Put the runs of a cohort that did not fit into memory first again, in two halves.

        All further cohorts are no larger than these halves. Raises InputError if a single run did not fit.
        """
        size = len(cohort.runs)
        if size == 1:
            raise InputError(TOO_LARGE)
        self.most = min(self.most, math.ceil(size / 2))
        left = [index for index in cohort.runs if self.reached[index] < math.inf]
        self.waiting.appendleft(Cohort(left, (*cohort.too_large, size)))
        self.waiting = deque(
            Cohort(part, one.too_large) for one in self.waiting for part in divide(one.runs, self.most)
        )


def cohorts(runs: Sequence[Run], most: int, objective: Objective) -> list[list[int]]:
    """The indices of the runs in each cohort, in order: as few cohorts as possible, each of one budget.

    A run whose schedule replaces the optimizer trains alone: the stacked optimizers are torch's.
    most: maximum number of runs in a cohort.
    """
    apart = most > 1 and len({run.train_seed for run in runs}) > 1 and not objective.mixes_seeds
    alike: dict[tuple[int, int | None, int | None], list[int]] = {}
    for index, run in enumerate(runs):
        alone = index if run.schedule.replaces_optimizer else None
        alike.setdefault((run.budget, run.train_seed if apart else None, alone), []).append(index)
    return [cohort for indices in alike.values() for cohort in divide(indices, most)]


def divide(indices: Sequence[int], most: int) -> list[list[int]]:
    """Split into consecutive parts of nearly equal length, none longer than `most`.

    >>> divide(range(10), 4)
    [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]
    """
    if not indices:
        return []
    parts = math.ceil(len(indices) / most)
    length, longer = divmod(len(indices), parts)
    ends = [length * part + min(part, longer) for part in range(parts + 1)]
    return [list(indices[start:end]) for start, end in pairwise(ends)]
