"""Whether the plain loop and lockstep on a device train what the plain loop trains on the CPU."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from search_spaces import WSD, Cosine, OneCycle, Plateau
from study.executors.in_process import InProcess
from study.objective import Run
from study.training.workload_objective import WorkloadObjective
from study.workloads.workload import Workload

TOLERANCE = 1e-3
"""Relative difference of a loss that rounding may make in one epoch, without TF32."""


@dataclass(frozen=True)
class Agreement:
    """One way of training a workload on the device, beside the plain loop on the CPU.

    difference: the largest relative one of any validation loss. same_rates: whether every learning rate is the same.
    """

    workload: str
    way: str
    difference: float
    same_rates: bool

    @property
    def agrees(self) -> bool:
        """Whether rounding explains the difference."""
        return self.same_rates and self.difference <= TOLERANCE


def compare_with_cpu(workload: Workload, device: torch.device) -> list[Agreement]:
    """Train a few runs on the CPU, and on the device run by run and in lockstep. workload: on the CPU.

    Without TF32, in which CUDA rounds convolutions to ten bits: it is probably why losses of a CNN in lockstep differed
    by 2e-3 on an H200.
    """
    runs = example_runs(workload)
    expected = evaluated(WorkloadObjective(workload), 1, runs)
    objective = WorkloadObjective(workload.to(device))
    found = []
    for way, cohort in (("loop", 1), (f"lockstep of {len(runs)}", len(runs))):
        with without_tf32():
            pairs = list(zip(expected, evaluated(objective, cohort, runs), strict=True))
        difference = max(abs(here - there) / there for (there, _), (here, _) in pairs)
        same_rates = all(here == there for (_, there), (_, here) in pairs)
        found.append(Agreement(workload.name, way, difference, same_rates))
    return found


@contextmanager
def without_tf32() -> Iterator[None]:
    """Convolutions on CUDA in full single precision, as matrix products are anyway."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def example_runs(workload: Workload) -> list[Run]:
    """Runs of one epoch, with peaks that learn; momentum moves, and a loss is observed."""
    low, high = workload.peak_lr
    peak = math.sqrt(low * high)
    schedules = [
        Cosine(peak_lr=peak),
        OneCycle(peak_lr=peak),
        WSD(peak_lr=peak / 3, warmup_fraction=0.1),
        Plateau(peak_lr=2 * peak, evaluations=4),
    ]
    return [Run(schedule, 1, train_seed=0, evaluations=4) for schedule in schedules]


def evaluated(objective: WorkloadObjective, cohort: int, runs: Sequence[Run]) -> list[tuple[float, float]]:
    """(loss, learning rate) of every evaluation of the runs, in the order of the runs."""
    found = list(InProcess(objective, cohort).train(runs))
    return [(one.loss, one.lr) for one in sorted(found, key=lambda one: (one.run, one.step))]
