"""Workload: data, model, loss, metric and optimizer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from search_spaces.errors import InputError, require
from search_spaces.optimizer_call import is_optimizer_call
from search_spaces.weight_decay import with_weight_decay
from study.machine import same_random_numbers_after
from study.objective import FRACTION_OF_ROWS, Metric
from study.workloads.data import Data, Split
from study.workloads.inputs import forward
from study.workloads.language import BITS_PER_BYTE, CLIP_NORM, token_loss
from study.workloads.models import model_maker
from study.workloads.names import LANGUAGE, LANGUAGE_MODELS, LIBRARIES, MODELS
from study.workloads.optimizers import SGD_DEFAULT, optimizing
from study.workloads.raised import failure
from study.workloads.streamed import StreamedSplit
from study.workloads.tokens import bits_per_byte, counted_token_loss, has_tokens
from study.workloads.user_code import call, imported


def wrong(scores: Tensor, targets: Tensor) -> Tensor:
    """For each row, whether the class with the highest score is not the target."""
    return scores.argmax(1) != targets


ERROR = Metric("error", "minimize", FRACTION_OF_ROWS, 1.0, wrong)
"""Classification error, from 0 to 1."""


CROSS_ENTROPY: Callable[[Tensor, Tensor], Tensor] = partial(cross_entropy, reduction="none")
"""(class scores, classes) of a batch -> the loss of each row."""


def squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """For each row, the squared error, averaged over its outputs."""
    return (outputs.reshape(len(outputs), -1) - targets.reshape(len(targets), -1)).square().mean(1)


def squared_error_metric(variance: float) -> Metric:
    """Mean squared error divided by the targets' variance: 1 is the error of always predicting their mean."""
    measure = partial(scaled_squared_error, variance=variance)
    return Metric("mse", "minimize", "share of the variance of the targets", 2.0, measure)


def scaled_squared_error(outputs: Tensor, targets: Tensor, variance: float) -> Tensor:
    """For each row, the squared error divided by a variance."""
    return squared_error(outputs, targets) / variance


def is_positive(value: object) -> bool:
    """Whether this is a finite number above 0."""
    return isinstance(value, Real) and 0 < float(value) < math.inf


@dataclass(frozen=True)
class Workload:
    """Everything about a training run except its schedule, length and seed.

    name: for messages and reports. make_model: returns a newly initialised model. loss: (outputs, targets) -> the loss
    of each row, (rows,). metric: what is searched for; its `measure` has the signature of `loss`.
    clip_norm: the largest norm of a gradient; a longer one is scaled down to it, None for as it is.
    The other fields are set by `--optimizer`, `--weight-decay`, `--batch-size` and `--average`, so your workload may
    omit them.
    make_optimizer: returns an optimizer for a model; only the ratios between its learning rates matter.
    optimizer_code: the call that makes it from `model`, with full module paths and `{lr}` as the learning rate.
    peak_lr: the search range of the peak, (lowest, highest). batch_size: rows per step.
    weight_decay: the optimizer's, for the record. averaging_fraction: of a run, over which its weights are averaged;
    None if they are not.
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
    clip_norm: float | None = None
    averaging_fraction: float | None = None

    def __post_init__(self) -> None:
        require(isinstance(self.name, str) and bool(self.name), "the name of a Workload must be text", self.name)
        what = f"workload {self.name!r}"
        require(isinstance(self.data, Data), f"the data of {what} must be a study.workloads.Data", self.data)
        require(isinstance(self.metric, Metric), f"the metric of {what} must be a Metric", self.metric)
        for name in ("make_model", "loss", "make_optimizer"):
            require(callable(getattr(self, name)), f"{name} of {what} must be a function", getattr(self, name))
        call = isinstance(self.optimizer_code, str) and is_optimizer_call(self.optimizer_code)
        example = "a call such as 'torch.optim.SGD(model.parameters(), lr={lr})'"
        require(call, f"optimizer_code of {what} must be {example}", self.optimizer_code)
        pair = isinstance(self.peak_lr, tuple | list) and len(self.peak_lr) == 2
        pair = pair and all(map(is_positive, self.peak_lr)) and self.peak_lr[0] <= self.peak_lr[1]
        require(pair, f"peak_lr of {what} must be (lowest, highest), above 0", self.peak_lr)
        clips = self.clip_norm is None or is_positive(self.clip_norm)
        require(clips, f"clip_norm of {what} must be a number above 0 and finite, or None", self.clip_norm)
        rows = isinstance(self.batch_size, Integral) and self.batch_size >= 1
        require(rows, f"batch_size of {what} must be a whole number, at least 1", self.batch_size)
        for name in ("measure", "whole"):
            given = getattr(self.metric, name)
            must = f"{name} of the metric {self.metric.name!r} of {what} must be a function"
            require(given is None or callable(given), must, given)
        if (self.metric.measure is None) == (self.metric.whole is None):
            raise InputError(
                f"the metric {self.metric.name!r} of {what} needs either measure or whole: "
                "give Metric(measure=...) a function (outputs, targets) -> one number per row, or "
                "Metric(whole=...) one that is given all outputs and targets and returns one number"
            )

    @property
    def device(self) -> torch.device:
        """The device that holds the data and trains the models."""
        return self.data.train.device

    @property
    def measure(self) -> Callable[[Tensor, Tensor], Any]:
        """(outputs, targets) -> the metric: of each row, (rows,), or of all rows together, if it is a whole one."""
        measure = self.metric.measure or self.metric.whole
        assert measure is not None
        return measure

    @property
    def steps_per_epoch(self) -> int:
        """Steps per epoch; rows that do not fill a batch are left out of that epoch."""
        return self.data.train.rows // self.batch_size

    def optimizer_of(self, model: nn.Module, weight_decay: float | None = None) -> Optimizer:
        """An optimizer for a model. weight_decay: as of a `Run`."""
        optimizer = self.make_optimizer(model)
        return optimizer if weight_decay is None else with_weight_decay(optimizer, weight_decay)

    def attributes(self) -> dict[str, Any]:
        """What records store about the workload besides the configuration, as plain values."""
        metric = self.metric
        return {
            "workload": self.name,
            "metric": {"name": metric.name, "direction": metric.direction, "unit": metric.unit, "worst": metric.worst},
            "optimizer_code": self.optimizer_code,
            "steps_per_epoch": self.steps_per_epoch,
            "validation_rows": self.data.validation.rows,
        } | ({} if self.clip_norm is None else {"clip_norm": self.clip_norm})

    def to(self, device: torch.device) -> Workload:
        """The same workload, with its data on a device."""
        return replace(self, data=self.data.to(device))


def workload_of(name: str, data: Data, model: str | Callable[..., Any]) -> Workload:
    """A workload for the task of the data. model: a value of `--model`, or a function.

    Raises InputError if the model is unknown or does not fit the data.
    """
    if isinstance(model, str):
        check_task(data, model)
    make_model = model_maker(model, data.input_shape, data.classes)
    data = as_taken(data, make_model)
    if has_tokens(data):
        return Workload(name, data, make_model, counted_token_loss, bits_per_byte(data), clip_norm=CLIP_NORM)
    if data.task == LANGUAGE:
        return Workload(name, data, make_model, token_loss, BITS_PER_BYTE, clip_norm=CLIP_NORM)
    loss, metric = CROSS_ENTROPY, ERROR
    if data.task == "regression":
        loss, metric = squared_error, squared_error_metric(float(data.train.sample()[1].var(0, correction=0).mean()))
    return Workload(name=name, data=data, make_model=make_model, loss=loss, metric=metric)


def check_task(data: Data, model: str) -> None:
    """Raise InputError if a built-in model or one of a library is for text and the data is not, or the reverse."""
    known = model in MODELS or model.partition(":")[0] in LIBRARIES
    if data.task == LANGUAGE and known and model not in LANGUAGE_MODELS:
        raise InputError(
            f"{data.name} is text, for which --model {model} is not made: use --model gpt, "
            "or --target COLUMN if the text is a table"
        )
    if data.task != LANGUAGE and model in LANGUAGE_MODELS:
        raise InputError(f"--model {model} is for text, but {data.name} is a {data.task}: use --dataset FILE.txt")


def as_taken(data: Data, make_model: Callable[[], nn.Module]) -> Data:
    """The data in the type that the model takes: its usual one unless only the other one can be used."""
    other = None
    if data.alternative is not None and not takes(make_model, data.train):
        other = data.alternative()
        other = other if takes(make_model, other.train) else None
    return replace(other or data, alternative=None)


def takes(make_model: Callable[[], nn.Module], split: Split | StreamedSplit) -> bool:
    """Whether a new model computes outputs for two rows."""
    try:
        with torch.no_grad(), same_random_numbers_after(split.device):
            forward(make_model().to(split.device).eval(), split.first(2)[0])
    except (Exception, SystemExit):  # whatever a model raises: it is tried again when the workload is checked
        return False
    return True


def imported_workload(name: str, split_seed: int, data_root: Path) -> Workload:
    """The workload returned by a user's function; raises InputError if it returns anything else."""
    made = call(imported(name, "--workload"), "--workload", split_seed=split_seed, data_root=data_root)
    require(
        isinstance(made, Workload),
        f"--workload {name} must return a study.workloads.Workload",
        type(made).__name__,
    )
    return made  # type: ignore[no-any-return]  # checked in the line above


def optimized(
    workload: Workload,
    optimizer: str | Callable[..., Any],
    batch_size: int,
    weight_decay: float | None,
    averaging_fraction: float | None = None,
) -> Workload:
    """The workload with this optimizer, batch size and average.

    optimizer: a value of `--optimizer`, or a function. weight_decay: None for the optimizer's default.
    Raises InputError if the batch is larger than the training rows, or the optimizer does not fit the model.
    """
    rows = workload.data.train.rows
    name = workload.data.name
    require(
        batch_size <= rows, f"--batch-size must be at most {rows}, the number of training rows of {name}", batch_size
    )
    try:
        model = workload.make_model()  # fails here if it does not fit the data
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # whatever a model does
        shape = workload.data.input_shape
        raise InputError(
            f"{workload.name}: the model cannot be made for examples of shape {shape} ({failure(error)})"
        ) from error
    language = workload.data.task == LANGUAGE
    made = optimizing(optimizer, weight_decay, model, language)._asdict()
    return replace(workload, batch_size=batch_size, averaging_fraction=averaging_fraction, **made)
