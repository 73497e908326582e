"""InProcess: trains cohorts in this process, one after another, with as many runs each as memory allows."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from search_spaces.errors import InputError
from study.machine import out_of_memory, release_memory
from study.objective import Evaluation, Objective, Run, Stop, never

TOO_LARGE = "one run does not fit into the GPU's memory: use a smaller --batch-size"


class InProcess:
    """An `Executor`. cohort: maximum number of runs trained together; 1 is the plain loop, run by run."""

    def __init__(self, objective: Objective, cohort: int = 1) -> None:
        self.objective, self.cohort = objective, cohort

    def train(
        self, runs: Sequence[Run], stop: Stop = never, done: Collection[int] = frozenset()
    ) -> Iterator[Evaluation]:
        """Implements `Executor.train`; yields each evaluation as soon as it is made.

        If a cohort does not fit into GPU memory, its runs restart in two halves, no evaluation is yielded twice, and
        later cohorts are no larger than these halves. Raises InputError if a single run does not fit.
        """
        reached = [0.0] * len(runs)  # the last evaluated step of each run; infinity once it has ended
        waiting = deque[tuple[list[int], tuple[int, ...]]](
            (cohort, ()) for cohort in cohorts(runs, self.cohort, self.objective) if not set(cohort) <= set(done)
        )
        while waiting:
            cohort, too_large = waiting.popleft()
            if len(cohort) > self.cohort:
                waiting.extendleft((part, too_large) for part in reversed(divide(cohort, self.cohort)))
                continue
            try:
                for evaluation in self.train_together(runs, cohort, stop):
                    index = cohort[evaluation.run]
                    if evaluation.step > reached[index] or evaluation.last:
                        reached[index] = math.inf if evaluation.last else evaluation.step
                        yield replace(evaluation, run=index, cohort=len(cohort), too_large=too_large)
                continue
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                if len(cohort) == 1:
                    raise InputError(TOO_LARGE) from error
            release_memory()
            left = [index for index in cohort if reached[index] < math.inf]
            self.cohort = min(self.cohort, math.ceil(len(cohort) / 2))
            waiting.appendleft((left, (*too_large, len(cohort))))

    def train_together(self, runs: Sequence[Run], cohort: Sequence[int], stop: Stop) -> Iterator[Evaluation]:
        """Train the runs at these indices as one cohort."""
        return self.objective.train([runs[index] for index in cohort], lambda run: stop(cohort[run]))


def cohorts(runs: Sequence[Run], most: int, objective: Objective) -> list[list[int]]:
    """The indices of the runs in each cohort, in order: as few cohorts as possible, each of one budget.

    most: maximum number of runs in a cohort.
    """
    apart = most > 1 and len({run.train_seed for run in runs}) > 1 and not objective.mixes_seeds
    alike: dict[tuple[int, int | None], list[int]] = {}
    for index, run in enumerate(runs):
        alike.setdefault((run.budget, run.train_seed if apart else None), []).append(index)
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
