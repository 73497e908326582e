"""InProcess: trains cohorts in this process, one after another, with as many runs each as memory allows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from study.executors.cohort_queue import CohortQueue
from study.machine import out_of_memory, release_memory
from study.objective import Evaluation, Objective, Run, Stop, never


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
        queue = CohortQueue(runs, self.cohort, self.objective, done)
        while queue.waiting:
            cohort = queue.waiting.popleft()
            try:
                yield from queue.new(cohort, self.train_together(runs, cohort.runs, stop))
                continue
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                queue.halve(cohort)
                self.cohort = queue.most
            release_memory()

    def train_together(self, runs: Sequence[Run], cohort: Sequence[int], stop: Stop) -> Iterator[Evaluation]:
        """Train the runs at these indices as one cohort."""
        return self.objective.train([runs[index] for index in cohort], lambda run: stop(cohort[run]))
