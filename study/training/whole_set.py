"""Evaluation by a metric that needs all rows at once: F1, AUC, intersection over union."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from search_spaces.errors import InputError
from study.training.plain import Plain
from study.workloads.data import Split
from study.workloads.inputs import joined, tensors_in
from study.workloads.raised import failure, users_code
from study.workloads.streamed import StreamedSplit
from study.workloads.workload import Workload


@torch.no_grad()
def evaluate_whole(
    workload: Workload,
    learner: Plain,
    split: Split | StreamedSplit,
    rows: int,
    stop: Callable[[], bool],
    raw: bool = False,
) -> tuple[float, float] | None:
    """(loss, metric) over all rows of a split; None if stopped in between. rows: of each forward pass. raw: as in
    `Learner`.

    The metric is NaN if the loss is not finite or an output is NaN: it would then fail, or give any number.
    """
    kept, loss = [], 0.0
    for x, y in split.parts(rows):
        if stop():
            return None
        outputs = learner.outputs(x, raw)
        loss += float(workload.loss(outputs, y).double().sum())
        kept.append((outputs, y))
    outputs, targets = (joined(parts) for parts in zip(*kept, strict=True))
    if not math.isfinite(loss) or any(bool(one.isnan().any()) for one in tensors_in(outputs)):
        return loss / split.rows, math.nan
    return loss / split.rows, whole_value(workload, outputs, targets)


def whole_value(workload: Workload, outputs: Any, targets: Any) -> float:
    """The metric of all rows; raises InputError unless it is one number."""
    name = f"{workload.name}: the metric {workload.metric.name!r}"
    with users_code(f"{name} failed"):
        value = workload.measure(outputs, targets)
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} must be one number for all rows ({failure(error)})") from error
