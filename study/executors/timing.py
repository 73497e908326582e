"""What a way of training costs: the seconds of an update, timed, and the memory of a run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import psutil
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from search_spaces import Constant
from study.executors.in_process import Trainer
from study.training.loop import Run
from study.workloads.workload import Workload

MEMORY_SHARE = 0.8
"""Share of the memory that is free which a cohort may take."""
TIMED_UPDATES = 12
TIMED_SECONDS = 4.0
"""A way is timed for so many updates, or so many seconds if they end first."""


def cohort_sizes(most: int) -> list[int]:
    """The sizes worth timing: powers of two, and the largest.

    >>> cohort_sizes(10)
    [2, 4, 8, 10]
    """
    return sorted({min(2**power, most) for power in range(1, most.bit_length() + 1)} - {1}) if most > 1 else []


def seconds_per_update(workload: Workload, cohort: int, summary: Callable[[Sequence[float]], float] = min) -> float:
    """The time that one update of one run takes in a cohort of this size; infinity if it does not fit into memory.

    summary: of a few updates. The shortest is what else the machine does adds least to, unless it is what competes.
    """
    moments: list[float] = []

    def stop(run: int) -> bool:
        """Asked before every update of every run; the first run's are noted."""
        if run == 0:
            if workload.device.type == "cuda":
                torch.cuda.synchronize()  # or only the launches would be timed
            moments.append(time.perf_counter())
        return len(moments) > TIMED_UPDATES or (len(moments) > 3 and moments[-1] - moments[0] > TIMED_SECONDS)

    # Evaluated at its end only, which is never reached.
    run = Run(Constant(peak_lr=workload.peak_lr[0]), 2 * TIMED_UPDATES, train_seed=0, evaluations=1)
    trainer = Trainer(workload, cohort)
    for _ in trainer.train([run] * cohort, stop):
        pass
    if trainer.cohort < cohort:
        return math.inf
    took = [after - before for before, after in pairwise(moments)]
    return summary(took) / cohort


def runs_in_memory(workload: Workload) -> int:
    """How many runs fit into the memory that is free: their parameters, gradients, states and activations."""
    device = workload.device
    model = workload.make_model().to(device).train()
    saved: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        saved[tensor.data_ptr()] = tensor.nbytes
        return tensor

    x, y = workload.data.train.first(workload.batch_size)
    with saved_tensors_hooks(note, lambda tensor: tensor):
        loss = workload.loss(model(x), y).mean()
    del loss
    weights = sum(parameter.nbytes for parameter in model.parameters())
    # Parameters, gradients and two states; activations, and as much again for what is made on the way.
    per_run = 4 * weights + 2 * sum(saved.values())
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
    return int(MEMORY_SHARE * free / per_run)
