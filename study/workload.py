"""Workload: data, model, loss, metric and optimizer. What a schedule is judged on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD, AdamW, Optimizer

from search_spaces import ADAMW_PEAK_LR, SGD_PEAK_LR
from search_spaces.errors import require, unknown
from study.data import Data, load
from study.models import MODELS


@dataclass(frozen=True)
class Metric:
    """What a run is judged by.

    name: as in records and reports, where `val_` or `test_` goes before it. unit: of the number, for axes.
    worst: the finite value that a diverged run is given.
    measure: (outputs, targets) of some rows -> a number for each row, (rows,); the metric is their mean.
    """

    name: str
    direction: Literal["minimize", "maximize"]
    unit: str
    worst: float
    measure: Callable[[Tensor, Tensor], Tensor]


def wrong(scores: Tensor, targets: Tensor) -> Tensor:
    """For each row whether its highest score is not its target's."""
    return scores.argmax(1) != targets


ERROR = Metric("error", "minimize", "fraction of rows", 1.0, wrong)
"""Classification error, from 0 to 1."""


class OptimizerChoice(NamedTuple):
    """A named optimizer: torch's class with fixed arguments, its usual weight decay, where its peak is searched."""

    torch_class: type[Any]
    arguments: dict[str, Any]
    weight_decay: float
    peak_lr: tuple[float, float]


OPTIMIZERS = {
    "sgd": OptimizerChoice(SGD, {"momentum": 0.9}, 5e-4, SGD_PEAK_LR),
    "adamw": OptimizerChoice(AdamW, {}, 1e-2, ADAMW_PEAK_LR),
}


@dataclass(frozen=True)
class Workload:
    """Everything about a training run but its schedule, length and seed.

    name: for people. make_model: a freshly initialised model. loss: (outputs, targets) -> a loss for each row, (rows,).
    make_optimizer: an optimizer for the model; its learning rates matter only relative to each other.
    optimizer_code: the optimizer as a line of PyTorch, its rate written as `{lr}`.
    peak_lr: the range, (lowest, highest), that the peak is searched in. batch_size: rows per update.
    weight_decay: the optimizer's, for the record.
    """

    name: str
    data: Data
    make_model: Callable[[], nn.Module]
    loss: Callable[[Tensor, Tensor], Tensor]
    metric: Metric
    make_optimizer: Callable[[nn.Module], Optimizer]
    optimizer_code: str
    peak_lr: tuple[float, float]
    batch_size: int
    weight_decay: float

    @property
    def device(self) -> torch.device:
        """Where the data is and the models are trained."""
        return self.data.train.x.device

    @property
    def steps_per_epoch(self) -> int:
        """Updates per epoch; the rows that do not fill a batch wait for the next epoch's order."""
        return len(self.data.train.x) // self.batch_size

    def attributes(self) -> dict[str, Any]:
        """What the records say of it, as plain values, besides the configuration."""
        metric = self.metric
        return {
            "workload": self.name,
            "metric": {"name": metric.name, "direction": metric.direction, "unit": metric.unit, "worst": metric.worst},
            "optimizer_code": self.optimizer_code,
            "steps_per_epoch": self.steps_per_epoch,
        }

    def to(self, device: torch.device) -> Workload:
        """The same workload, on a device."""
        return replace(self, data=self.data.to(device))


def named_workload(
    dataset: str, model: str, optimizer: str, batch_size: int, weight_decay: float, split_seed: int, data_root: Path
) -> Workload:
    """A classification from the names of DATASETS, MODELS and OPTIMIZERS.

    Raises InputError for a name that is unknown, data that is not there, or a batch larger than the training rows.
    """
    if model not in MODELS:
        raise unknown("model", model, MODELS)
    choice = optimizer_choice(optimizer)
    data = load(dataset, data_root, split_seed)
    rows = len(data.train.x)
    require(batch_size <= rows, f"--batch-size must be at most {rows}, the training rows of {dataset}", batch_size)
    make_model = partial(MODELS[model], data.input_shape, data.classes)
    make_model()  # a model that cannot take this data says so now
    arguments = choice.arguments | {"weight_decay": weight_decay}
    listed = "".join(f", {name}={value!r}" for name, value in arguments.items())
    return Workload(
        name=f"{dataset}-{model}-{optimizer}",
        data=data,
        make_model=make_model,
        loss=partial(cross_entropy, reduction="none"),
        metric=ERROR,
        make_optimizer=partial(make_optimizer, choice.torch_class, arguments),
        optimizer_code=f"torch.optim.{choice.torch_class.__name__}(model.parameters(), lr={{lr}}{listed})",
        peak_lr=choice.peak_lr,
        batch_size=batch_size,
        weight_decay=weight_decay,
    )


def make_optimizer(torch_class: type[Any], arguments: dict[str, Any], model: nn.Module) -> Any:
    """One of torch's optimizers for all parameters of the model."""
    return torch_class(model.parameters(), lr=1.0, fused=True, **arguments)


def optimizer_choice(name: str) -> OptimizerChoice:
    """The optimizer of this name; raises InputError where there is none."""
    if name not in OPTIMIZERS:
        raise unknown("optimizer", name, OPTIMIZERS)
    return OPTIMIZERS[name]
