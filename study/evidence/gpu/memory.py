"""Whether real memory bounds a cohort beforehand, and halves one that does not fit after all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import isqrt, prod

import torch
from torch import nn

from search_spaces import Cosine
from search_spaces.errors import require
from study.executors.in_process import InProcess
from study.machine import free_memory, release_memory
from study.objective import Run
from study.training.workload_objective import WorkloadObjective
from study.workloads.data import Split
from study.workloads.workload import Workload

FITTING = 6
"""Runs of the model that would fit into the free memory by our estimate, before its margin."""
ASKED = 16
"""Runs that are trained together nevertheless."""
ROWS = 320
"""Training rows: a few steps show the memory that all need."""


@dataclass(frozen=True)
class MemoryFound:
    """What happened to cohorts in little memory.

    free: bytes. bound: the largest cohort by our estimate, at most ASKED; bound_fits: whether it was trained whole.
    tried: the sizes that did not fit when ASKED runs were trained together, in order. settled: the largest size after
    that. ended: how many of the runs came to their end.
    """

    free: int
    bound: int
    bound_fits: bool
    tried: tuple[int, ...]
    settled: int
    ended: int

    @property
    def problems(self) -> list[str]:
        """What is not as it must be, in sentences."""
        found = []
        if not 1 < self.bound < ASKED:
            found.append(f"the estimate allows {self.bound} runs together, where about {FITTING} fit")
        if not self.bound_fits:
            found.append(f"a cohort of the estimated {self.bound} runs did not fit")
        if not self.tried:
            found.append(f"{ASKED} runs fitted, so nothing was halved: the model is too small for this check")
        if self.ended < ASKED:
            found.append(f"{ASKED - self.ended} of {ASKED} runs did not come to their end")
        return found


def fill_memory(workload: Workload, device: torch.device, free: int) -> MemoryFound:
    """Train cohorts of a model that is sized to run out of this many bytes. workload: on the CPU; its data is used."""
    with little_memory(device, free):
        objective = WorkloadObjective(with_wide_model(workload, free // (4 * FITTING)).to(device))
        bound = min(objective.largest_cohort(), ASKED)
        too_large, _ = train_together(InProcess(objective, bound), bound)
        release_memory()
        executor = InProcess(objective, ASKED)
        tried, ended = train_together(executor, ASKED)
        return MemoryFound(free, bound, not too_large, tried, executor.cohort, ended)


@contextmanager
def little_memory(device: torch.device, free: int) -> Iterator[None]:
    """Leave no more than this many bytes free on a GPU, by filling the rest."""
    release_memory()
    surplus = free_memory(device) - free if device.type == "cuda" else 0
    require(surplus >= 0, f"the check needs {free} bytes free on the GPU", free_memory(device))
    filling = torch.empty(surplus, dtype=torch.uint8, device=device)
    try:
        yield
    finally:
        del filling
        release_memory()


def with_wide_model(workload: Workload, weight_bytes: int) -> Workload:
    """A few rows of the workload, and a model whose float32 weights take this many bytes, nearly all in one layer."""
    features, classes = prod(workload.data.input_shape), workload.data.classes
    width = max(1, isqrt(weight_bytes // 4))
    data = replace(workload.data, train=Split(*workload.data.train.first(ROWS)))
    return replace(workload, data=data, make_model=partial(wide_model, features, width, classes))


def wide_model(features: int, width: int, classes: int) -> nn.Module:
    """Two hidden layers."""
    layers = [nn.Linear(features, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, classes)]
    return nn.Sequential(nn.Flatten(), *layers)


def train_together(executor: InProcess, count: int) -> tuple[tuple[int, ...], int]:
    """Train this many runs; (sizes of cohorts that did not fit, how many runs came to their end)."""
    low, _ = executor.objective.peak_lr
    runs = [Run(Cosine(peak_lr=low * (1 + i / count)), 1, train_seed=0, evaluations=1) for i in range(count)]
    found = list(executor.train(runs))
    return max((one.too_large for one in found), key=len, default=()), sum(one.last for one in found)
