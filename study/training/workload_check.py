"""Checks on a few rows, before anything is searched or written, that the parts of a workload fit together."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from search_spaces import Constant
from search_spaces.errors import InputError, require
from search_spaces.groups import require_momentum
from search_spaces.schedule import Schedule
from study.machine import same_random_numbers_after
from study.objective import Run
from study.training.plain import Plain
from study.workloads.user_code import failure
from study.workloads.workload import Workload

ROWS = 8
"""Number of rows to try; batch norm, for one, needs several."""


def check_workload(workload: Workload) -> None:
    """Raise InputError if the model cannot be trained on the data, or loss or metric is not one number per row."""
    rows = min(ROWS, workload.batch_size)
    x, y = workload.data.train.first(rows)
    what = f"{workload.name}: the model cannot be trained on examples of shape {tuple(x.shape[1:])}"
    with same_random_numbers_after(workload.device):
        try:
            learner = Plain(workload, [Run(Constant(peak_lr=workload.peak_lr[0]), 1, train_seed=0, evaluations=1)])
            with torch.no_grad():
                outputs = learner.model(x)
                measured = {"loss": workload.loss(outputs, y), "metric": workload.measure(outputs, y)}
            for name, values in measured.items():
                each = f"{workload.name}: the {name} must be one number per row, shape ({rows},)"
                require(values.shape == (rows,), each, tuple(values.shape))
            learner.update(x, y)
            learner.evaluate(x, y, [0])
        except InputError:
            raise
        except Exception as error:
            raise InputError(f"{what} ({failure(error)})") from error


def check_momentum(workload: Workload, schedules: Sequence[Schedule]) -> None:
    """Raise InputError if a schedule cycles momentum but the optimizer has none."""
    with same_random_numbers_after(workload.device):
        optimizer = workload.make_optimizer(workload.make_model())
    for schedule in schedules:
        if getattr(schedule, "cycle_momentum", False):
            try:
                require_momentum(optimizer, schedule.family)
            except InputError as error:
                file = f"[{schedule.family}] cycle_momentum = false in a --space FILE.toml"
                raise InputError(f"{error} ({file}), or remove {schedule.family} from --families") from error
