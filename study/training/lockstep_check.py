"""Why a workload cannot be trained in lockstep, found by trying it: its model may do anything."""

from __future__ import annotations

import torch

from search_spaces import Constant
from search_spaces.errors import InputError
from study.machine import out_of_memory, same_random_numbers_after
from study.objective import Run
from study.training.lockstep import Lockstep
from study.training.loop import EVALUATION_ROWS
from study.training.plain import Plain
from study.workloads.user_code import failure
from study.workloads.workload import Workload

STEPS = 3
"""This many steps are compared with the plain loop's, then an evaluation, in which batch norm shows its statistics."""
ROUNDING, OTHER_DRAWS = 1e-3, 0.25
"""Relative differences of a loss: what rounding may make, and what other random numbers may, if the model draws any:
dropout fills its mask in the order of the memory, which may be another one in a stacked model."""


def lockstep_obstacle(workload: Workload) -> str | None:
    """Why two runs of the workload cannot be trained as one stacked model; None if they can."""
    if not workload.data.resident:
        return "its data is read as it is needed"
    low, _ = workload.peak_lr  # at high rates a deep model makes much of rounding
    runs = [Run(Constant(peak_lr=times * low), 1, train_seed=0, evaluations=1) for times in (1, 2)]
    with same_random_numbers_after(workload.device):
        try:
            together = losses(workload, runs, Lockstep)
            alone = torch.cat([losses(workload, [run], Plain) for run in runs], dim=1)
        except InputError as error:
            return str(error)
        except Exception as error:  # whatever a model does that vmap cannot follow
            if isinstance(error, RuntimeError) and out_of_memory(error):
                return None  # the executor makes the cohort smaller, or says that one run does not fit
            return failure(error)
    tolerance = OTHER_DRAWS if draws_random_numbers(workload) else ROUNDING
    same = torch.isclose(together, alone, rtol=tolerance, atol=1e-6, equal_nan=True).all()
    return None if same else "its losses are not those of the plain loop"


def losses(workload: Workload, runs: list[Run], kind: type[Plain] | type[Lockstep]) -> torch.Tensor:
    """(steps + 1, runs): the losses of a few steps, and of an evaluation after them."""
    learner = kind(workload, runs)
    for run, optimizer in zip(runs, learner.optimizers, strict=True):
        run.schedule.build(optimizer, STEPS)
    x, y = workload.data.train.first(workload.batch_size)
    found = [learner.update(x.clone(), y).double() for _ in range(STEPS)]
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
        model(workload.data.train.first(workload.batch_size)[0])
        return not torch.equal(before, state())
