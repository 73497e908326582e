"""Finds out by trial whether a workload can be trained in lockstep, since its model may do anything."""

from __future__ import annotations

import re

import torch

from search_spaces import Constant
from search_spaces.errors import InputError
from study.machine import out_of_memory, same_random_numbers_after
from study.objective import Run
from study.training.lockstep import Lockstep
from study.training.loop import EVALUATION_ROWS
from study.training.plain import Plain
from study.workloads.inputs import forward
from study.workloads.raised import failure
from study.workloads.workload import Workload

STEPS = 3
"""Steps compared with the plain loop, followed by one evaluation, which uses the statistics of batch norm."""
ROUNDING, OTHER_DRAWS = 1e-3, 0.25
"""Tolerated relative differences of a loss, due to rounding, and due to other random numbers if the model draws any:
dropout fills its mask in memory order, which may differ in a stacked model."""


def lockstep_obstacle(workload: Workload) -> str | None:
    """Why two runs of the workload cannot be trained as one stacked model; None if they can."""
    if not workload.data.resident:
        return "its data is not in memory"
    if workload.data.several_inputs:
        return "its model has several inputs"
    if workload.metric.whole is not None:
        return "its metric needs all rows at once"
    low, _ = workload.peak_lr  # at high learning rates a deep model amplifies rounding differences
    runs = [Run(Constant(peak_lr=times * low), 1, train_seed=0, evaluations=1) for times in (1, 2)]
    with same_random_numbers_after(workload.device):
        try:
            together = losses(workload, runs, Lockstep)
            alone = torch.cat([losses(workload, [run], Plain) for run in runs], dim=1)
        except InputError as error:
            return str(error)
        except Exception as error:  # whatever vmap raises for operations that it does not support
            if isinstance(error, RuntimeError) and out_of_memory(error):
                return None  # the executor reduces the cohort, or reports that one run does not fit
            return first_sentence(failure(error))
    tolerance = OTHER_DRAWS if draws_random_numbers(workload) else ROUNDING
    same = torch.isclose(together, alone, rtol=tolerance, atol=1e-6, equal_nan=True).all()
    return None if same else "its losses differ from those of the plain loop"


def first_sentence(message: str) -> str:
    """The first sentence of a message; torch's may have pages, with a table of its kernels.

    >>> first_sentence("RuntimeError: no kernel for this. It may be (table.cpp, line 3)")
    'RuntimeError: no kernel for this.'
    """
    return re.split(r"(?<=[.!?]) ", message, maxsplit=1)[0]


def losses(workload: Workload, runs: list[Run], kind: type[Plain] | type[Lockstep]) -> torch.Tensor:
    """The losses of STEPS steps and of an evaluation after them, (STEPS + 1, runs)."""
    learner = kind(workload, runs)
    for run, optimizer in zip(runs, learner.optimizers, strict=True):
        run.schedule.build(optimizer, STEPS)
    x, y = workload.data.train.first(workload.batch_size)
    found = []
    for _ in range(STEPS):
        found.append(learner.update(x.clone(), y).double())
        if workload.averaging_fraction is not None:
            learner.average(STEPS, workload.averaging_fraction)
    x, y = workload.data.validation.first(EVALUATION_ROWS)
    with torch.no_grad():
        found.append(learner.evaluate(x.clone(), y, range(len(runs)))[:, 0] / len(x))
    return torch.stack(found)


def draws_random_numbers(workload: Workload) -> bool:
    """Whether the model draws random numbers in training, as dropout does."""
    device = workload.device
    state = torch.cuda.get_rng_state if device.type == "cuda" else torch.get_rng_state
    with same_random_numbers_after(device):
        model = workload.make_model().to(device).train()
        before = state()
        forward(model, workload.data.train.first(workload.batch_size)[0])
        return not torch.equal(before, state())
