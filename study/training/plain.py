"""Plain: trains one run with an ordinary model and torch optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel

from search_spaces.averaging import averaged_model
from study.machine import same_random_numbers_after
from study.objective import Run
from study.training.batch_norm import statistics_of
from study.training.row_order import batches
from study.workloads.inputs import Inputs, forward
from study.workloads.workload import Workload

STATISTICS_BATCHES = 50
"""Most batches that the statistics of batch norm are estimated from, as in the examples of schedulefree."""


class Plain:
    """A `Learner` of one run."""

    def __init__(self, workload: Workload, runs: Sequence[Run]) -> None:
        (run,) = runs
        torch.manual_seed(run.train_seed)
        self.workload, self.run = workload, run
        self.model = workload.make_model().to(workload.device).train()
        self.optimizers = [run.schedule.optimizer(workload.optimizer_of(self.model, run.weight_decay))]
        self.averaged: AveragedModel | None = None

    def update(self, x: Inputs, y: Tensor) -> Tensor:
        loss = self.workload.loss(forward(self.model, x), y).mean()
        self.optimizers[0].zero_grad()
        loss.backward()
        if self.workload.clip_norm is not None:
            clip_grad_norm_(self.model.parameters(), self.workload.clip_norm)
        self.optimizers[0].step()
        return loss.detach()[None]

    def average(self, total_steps: int, averaging_fraction: float) -> None:
        self.averaged = self.averaged or averaged_model(self.model, total_steps, averaging_fraction)
        self.averaged.update_parameters(self.model)

    def outputs(self, x: Inputs, raw: bool = False) -> Any:
        """The model's outputs in evaluation. raw: not with averaged weights."""
        model = self.model if raw or self.averaged is None else self.averaged.module
        model.eval()
        outputs = forward(model, x)
        model.train()
        return outputs

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """A schedule-free optimizer has averaged weights to evaluate, with the statistics that batch norm needs."""
        if not self.run.schedule.replaces_optimizer:
            yield
            return
        optimizer: Any = self.optimizers[0]
        optimizer.eval()
        with same_random_numbers_after(self.workload.device), statistics_of(self.model, self.some_batches()):
            yield
        optimizer.train()

    def some_batches(self) -> Iterator[Inputs]:
        """Inputs of the first steps of the run."""
        some = min(STATISTICS_BATCHES, self.workload.steps_per_epoch)
        return (x for x, _ in self.workload.data.train.fetch(islice(batches(self.workload, [self.run]), some)))

    def evaluate(self, x: Inputs, y: Tensor, positions: Sequence[int], raw: bool = False) -> Tensor:
        outputs = self.outputs(x, raw)
        loss, metric = self.workload.loss(outputs, y), self.workload.measure(outputs, y)
        return torch.stack([loss.double().sum(), metric.double().sum()])[None]

    def keep(self, positions: Sequence[int]) -> None:
        """Does nothing: there is only one run."""
