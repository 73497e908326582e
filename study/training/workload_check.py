"""Checks on a few rows, before anything is searched or written, that the parts of a workload fit together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from search_spaces import Constant
from search_spaces.errors import InputError, require
from search_spaces.groups import require_momentum
from search_spaces.schedule import Schedule
from study.machine import same_random_numbers_after
from study.objective import Run
from study.training.loop import EVALUATION_ROWS
from study.training.plain import Plain
from study.training.whole_set import whole_value
from study.workloads.data import Split
from study.workloads.inputs import described_inputs, forward, tensors_in
from study.workloads.language import token_loss
from study.workloads.raised import users_code
from study.workloads.splits import check_finite
from study.workloads.tokens import counted_token_loss
from study.workloads.workload import CROSS_ENTROPY, Workload, squared_error

ROWS = 8
"""Number of rows to try; batch norm, for one, needs several."""


def check_workload(workload: Workload) -> None:
    """Raise InputError if the model cannot be trained on the data, or loss or metric is not one number per row."""
    check_splits(workload)
    rows = min(ROWS, workload.batch_size)
    x, y = workload.data.train.first(rows)
    what = f"{workload.name}: the model cannot be trained on examples of {described_inputs(x)}"
    with same_random_numbers_after(workload.device):
        with users_code(what):
            learner = Plain(workload, [Run(Constant(peak_lr=workload.peak_lr[0]), 1, train_seed=0, evaluations=1)])
            with torch.no_grad():
                outputs = forward(learner.model, x)
        check_outputs(workload, outputs, y)
        with users_code(what):
            with torch.no_grad():
                measured = {"loss": workload.loss(outputs, y)}
                if workload.metric.whole is None:
                    measured["metric"] = workload.measure(outputs, y)
            for name, values in measured.items():
                each = f"{workload.name}: the {name} must be one number per row, shape ({rows},)"
                require(isinstance(values, Tensor) and values.shape == (rows,), each, shape_of(values))
            learner.update(x, y)
            if workload.averaging_fraction is not None:
                learner.average(1, workload.averaging_fraction)
            if workload.metric.whole is None:
                learner.evaluate(x, y, [0])
        if workload.metric.whole is not None:  # few rows may not have all classes
            x, y = workload.data.validation.first(EVALUATION_ROWS)
            with users_code(what), torch.no_grad():
                outputs = learner.outputs(x)
            whole_value(workload, outputs, y)


def check_splits(workload: Workload) -> None:
    """Raise InputError if rows in memory are missing, without a target, or not finite."""
    data = workload.data
    for part, split in (("train", data.train), ("validation", data.validation), ("test", data.test)):
        where = f"{data.name} ({part})"
        require(split.rows >= 1, f"{where} must have rows", split.rows)
        for x in tensors_in(split.x) if isinstance(split, Split) else ():
            require(len(x) == split.rows, f"{where}: x and y must have the same number of rows", (len(x), split.rows))
            check_finite(where, x)


def check_outputs(workload: Workload, outputs: Any, y: Tensor) -> None:
    """Raise InputError if the outputs do not fit the loss of a classification or a regression of ours."""
    if workload.loss in (token_loss, counted_token_loss):
        shape = (len(y), *workload.data.input_shape, workload.data.classes)
        must = f"{workload.name}: a language model must give a score for each next token, shape {shape}"
        if (given := shape_of(outputs)) != shape:
            raise InputError(f"{must}, but gives {given}")
    if workload.loss not in (CROSS_ENTROPY, squared_error):
        return
    found = f"{workload.name}: the model gives"
    if not isinstance(outputs, Tensor):
        raise InputError(f"{found} a {type(outputs).__name__}, and must give a tensor: wrap it, or use --workload")
    if outputs.ndim == 0:
        raise InputError(f"{found} one number for all rows, and must give one or more for each row")
    require(
        len(outputs) == len(y), f"{found} outputs for {len(outputs)} of {len(y)} rows; it must for each", len(outputs)
    )
    numbers, classes = outputs[0].numel(), workload.data.classes
    if workload.loss is squared_error:
        wanted = y[0].numel()
        if numbers != wanted:
            raise InputError(f"{found} {in_numbers(numbers)} per row, but the target is {in_numbers(wanted)} per row")
    elif outputs.ndim < 2 or outputs.shape[1] < classes:
        each = 1 if outputs.ndim < 2 else outputs.shape[1]
        raise InputError(f"{found} {in_numbers(each)} per row, but there are {classes} classes: it needs one for each")


def in_numbers(count: int) -> str:
    """A count with its noun."""
    return "1 number" if count == 1 else f"{count} numbers"


def shape_of(values: Any) -> Any:
    """The shape of a tensor, the type of anything else."""
    return tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__


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
