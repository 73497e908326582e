"""Trainer: trains runs in this process, alone or in cohorts, as many together as memory allows."""

from __future__ import annotations

import gc
import math
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import torch

from search_spaces.errors import InputError
from study.training.lockstep import Lockstep
from study.training.loop import Evaluation, Run, Stop, train_cohort
from study.training.plain import Plain
from study.workloads.workload import Workload


def never(run: int) -> bool:
    """Leave no run."""
    return False


@contextmanager
def same_random_numbers_after(device: torch.device) -> Iterator[None]:
    """Give torch's global generators their state back when the context ends: initialisation and dropout draw there."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield


class Trains(Protocol):
    """What trains runs, in any way. cohort: the most that it trains together."""

    cohort: int

    def train(
        self, runs: Sequence[Run], stop: Stop = never, done: Collection[int] = frozenset()
    ) -> Iterator[Evaluation]:
        """Train the runs that are not `done`; yields each evaluation, the last of each run at its horizon."""


class Trainer:
    """Trains runs of a workload. cohort: the most that are trained in lockstep; 1 is the plain loop, run by run."""

    def __init__(self, workload: Workload, cohort: int = 1) -> None:
        self.workload, self.cohort = workload, cohort

    def train(
        self, runs: Sequence[Run], stop: Stop = never, done: Collection[int] = frozenset()
    ) -> Iterator[Evaluation]:
        """Train the runs and yield each evaluation as it is made; the last one of each run comes at its horizon.

        stop: asked before every update and every few rows evaluated whether to leave the run of that index. done:
        indices of runs that need no training; a cohort is trained whole unless all of it is done, so that it is the
        same cohort.
        Where a cohort does not fit into the memory of a GPU, its runs start again in two halves, no evaluation is
        yielded twice, and later cohorts are no larger. Raises InputError where one run does not fit.
        """
        reached = [0.0] * len(runs)  # the last update evaluated of each run; infinity for one that has ended
        waiting = deque[tuple[list[int], tuple[int, ...]]](
            (cohort, ()) for cohort in self.cohorts(runs) if not set(cohort) <= set(done)
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
                    raise InputError(
                        "one run does not fit into the GPU's memory: use a smaller --batch-size"
                    ) from error
            gc.collect()
            torch.cuda.empty_cache()
            left = [index for index in cohort if reached[index] < math.inf]
            self.cohort = min(self.cohort, math.ceil(len(cohort) / 2))
            waiting.appendleft((left, (*too_large, len(cohort))))

    def train_together(self, runs: Sequence[Run], cohort: Sequence[int], stop: Stop) -> Iterator[Evaluation]:
        """Train the runs at these indices as one cohort."""
        chosen = [runs[index] for index in cohort]
        with same_random_numbers_after(self.workload.device):  # the learner seeds torch's generators for its runs
            learner = (Plain if len(chosen) == 1 else Lockstep)(self.workload, chosen)
            yield from train_cohort(self.workload, chosen, learner, lambda run: stop(cohort[run]))

    def cohorts(self, runs: Sequence[Run]) -> list[list[int]]:
        """The indices of the runs that are trained together, in order: of one length, and as few cohorts as can be."""
        apart = self.cohort > 1 and len({run.train_seed for run in runs}) > 1 and self.draws_random_numbers
        alike: dict[tuple[int, int | None], list[int]] = {}
        for index, run in enumerate(runs):
            alike.setdefault((run.epochs, run.train_seed if apart else None), []).append(index)
        return [cohort for indices in alike.values() for cohort in divide(indices, self.cohort)]

    @cached_property
    def draws_random_numbers(self) -> bool:
        """Whether the model draws random numbers in training, as dropout does: each seed then trains apart."""
        device = self.workload.device
        state = torch.cuda.get_rng_state if device.type == "cuda" else torch.get_rng_state
        with same_random_numbers_after(device):
            model = self.workload.make_model().to(device).train()
            before = state()
            model(self.workload.data.train.first(self.workload.batch_size)[0])
            return not torch.equal(before, state())


def out_of_memory(error: RuntimeError) -> bool:
    """Whether the error is a GPU's memory running out, which CUDA's libraries tell in their own ways."""
    return isinstance(error, torch.OutOfMemoryError) or "ALLOC_FAILED" in str(error)


def divide(indices: Sequence[int], most: int) -> list[list[int]]:
    """Consecutive parts of nearly equal length, none longer than `most`.

    >>> divide(range(10), 4)
    [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]
    """
    if not indices:
        return []
    parts = math.ceil(len(indices) / most)
    length, longer = divmod(len(indices), parts)
    ends = [length * part + min(part, longer) for part in range(parts + 1)]
    return [list(indices[start:end]) for start, end in pairwise(ends)]
