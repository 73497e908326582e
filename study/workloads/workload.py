"""Workload: data, model, loss, metric and optimizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from search_spaces.errors import InputError, require
from search_spaces.groups import take_ratios
from study.objective import Metric
from study.workloads.data import Data
from study.workloads.models import model_maker
from study.workloads.optimizers import SGD_DEFAULT, optimizing
from study.workloads.user_code import call, failure, imported


def wrong(scores: Tensor, targets: Tensor) -> Tensor:
    """For each row whether its highest score is not its target's."""
    return scores.argmax(1) != targets


ERROR = Metric("error", "minimize", "fraction of rows", 1.0, wrong)
"""Classification error, from 0 to 1."""


CROSS_ENTROPY: Callable[[Tensor, Tensor], Tensor] = partial(cross_entropy, reduction="none")
"""(class scores, classes) of some rows -> the loss of each."""


def squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """For each row the square of what its outputs are off, the mean where there are several."""
    return (outputs.flatten(1) - targets.reshape(len(targets), -1)).square().mean(1)


def squared_error_metric(variance: float) -> Metric:
    """Mean squared error as a share of the targets' variance: 1 is as bad as always saying their mean."""
    measure = partial(scaled_squared_error, variance=variance)
    return Metric("mse", "minimize", "share of the variance of the targets", 2.0, measure)


def scaled_squared_error(outputs: Tensor, targets: Tensor, variance: float) -> Tensor:
    """For each row its squared error as a share of a variance."""
    return squared_error(outputs, targets) / variance


@dataclass(frozen=True)
class Workload:
    """Everything about a training run but its schedule, length and seed.

    name: for people. make_model: a freshly initialised model. loss: (outputs, targets) -> a loss for each row, (rows,).
    The rest is what `--optimizer` and `--batch-size` say, so that a workload of one's own need not name it.
    make_optimizer: an optimizer for the model; its learning rates matter only relative to each other.
    optimizer_code: the call that makes it of `model`, with whole module paths; `{lr}` stands where its rate goes.
    peak_lr: the range, (lowest, highest), that the peak is searched in. batch_size: rows per update.
    weight_decay: the optimizer's, for the record.
    """

    name: str
    data: Data
    make_model: Callable[[], nn.Module]
    loss: Callable[[Tensor, Tensor], Tensor] = CROSS_ENTROPY
    metric: Metric = ERROR
    make_optimizer: Callable[[nn.Module], Optimizer] = SGD_DEFAULT.make_optimizer
    optimizer_code: str = SGD_DEFAULT.optimizer_code
    peak_lr: tuple[float, float] = SGD_DEFAULT.peak_lr
    batch_size: int = 64
    weight_decay: float = SGD_DEFAULT.weight_decay

    def __post_init__(self) -> None:
        if self.metric.measure is None:
            raise InputError(
                f"the metric {self.metric.name!r} of workload {self.name!r} needs measure, which gives a number a row"
            )

    @property
    def device(self) -> torch.device:
        """Where the data is and the models are trained."""
        return self.data.train.device

    @property
    def measure(self) -> Callable[[Tensor, Tensor], Tensor]:
        """(outputs, targets) of some rows -> the metric of each, (rows,)."""
        assert self.metric.measure is not None
        return self.metric.measure

    @property
    def steps_per_epoch(self) -> int:
        """Updates per epoch; the rows that do not fill a batch wait for the next epoch's order."""
        return self.data.train.rows // self.batch_size

    def attributes(self) -> dict[str, Any]:
        """What the records say of it, as plain values, besides the configuration."""
        metric = self.metric
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            optimizer = self.make_optimizer(self.make_model().to(self.device))
        return {
            "workload": self.name,
            "metric": {"name": metric.name, "direction": metric.direction, "unit": metric.unit, "worst": metric.worst},
            "optimizer_code": self.optimizer_code,
            "unequal_groups": any(ratio != 1 for ratio in take_ratios(optimizer)),
            "steps_per_epoch": self.steps_per_epoch,
        }

    def to(self, device: torch.device) -> Workload:
        """The same workload, on a device."""
        return replace(self, data=self.data.to(device))


def workload_of(name: str, data: Data, model: str | Callable[..., Any]) -> Workload:
    """A classification or regression on this data, by its task. model: what `--model` may name, or a function.

    Raises InputError for a model that is unknown, or cannot take the data.
    """
    loss, metric = CROSS_ENTROPY, ERROR
    if data.task == "regression":
        loss, metric = squared_error, squared_error_metric(float(data.train.sample()[1].var(0, correction=0).mean()))
    return Workload(
        name=name,
        data=data,
        make_model=model_maker(model, data.input_shape, data.classes),
        loss=loss,
        metric=metric,
    )


def imported_workload(name: str, split_seed: int, data_root: Path) -> Workload:
    """The workload that a function of the user's returns; raises InputError if it returns none."""
    made = call(imported(name, "--workload"), "--workload", split_seed=split_seed, data_root=data_root)
    require(
        isinstance(made, Workload),
        f"--workload {name} must return a study.workloads.Workload",
        type(made).__name__,
    )
    return made  # type: ignore[no-any-return]  # checked in the line above


def optimized(
    workload: Workload, optimizer: str | Callable[..., Any], batch_size: int, weight_decay: float | None
) -> Workload:
    """The workload with this optimizer, and batches of this size.

    optimizer: what `--optimizer` may name, or a function. weight_decay: None is the optimizer's usual one.
    Raises InputError for a batch larger than the training rows, or an optimizer that does not fit.
    """
    rows = workload.data.train.rows
    name = workload.data.name
    require(batch_size <= rows, f"--batch-size must be at most {rows}, the training rows of {name}", batch_size)
    try:
        model = workload.make_model()  # a model that cannot take this data says so now
    except InputError:
        raise
    except Exception as error:  # whatever a model does
        shape = workload.data.input_shape
        raise InputError(
            f"{workload.name}: the model cannot be made for examples of shape {shape} ({failure(error)})"
        ) from error
    return replace(workload, batch_size=batch_size, **optimizing(optimizer, weight_decay, model)._asdict())
