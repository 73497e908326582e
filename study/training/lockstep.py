"""Lockstep: trains several runs as one stacked model, so that they share every kernel."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from search_spaces.averaging import ema_decay, moved_towards
from study.objective import Run
from study.training.attention import batchable_attention
from study.training.stacked_optimizers import stacked_optimizer
from study.workloads.workload import Workload


class Lockstep:
    """A `Learner` of runs of equal length. The first axis of every parameter and buffer is the run.

    Each run has its own torch optimizer, which does not train: the run's scheduler sets its `lr` and `momentum`, and
    the stacked optimizer reads them. Runs with equal `train_seed` draw the same random numbers as they would alone;
    runs with different seeds may share a cohort only if the model draws none (`draws_random_numbers`).
    """

    def __init__(self, workload: Workload, runs: Sequence[Run]) -> None:
        self.workload = workload
        models = {}
        for seed in {run.train_seed: None for run in runs}:
            torch.manual_seed(seed)
            models[seed] = workload.make_model().to(workload.device).train()
        self.model = models[runs[0].train_seed]
        self.optimizers = [workload.optimizer_of(self.model, run.weight_decay) for run in runs]
        self.parameters, self.buffers = stack_module_state([models[run.train_seed] for run in runs])
        names = {parameter: name for name, parameter in self.model.named_parameters()}
        groups = [[names[parameter] for parameter in group["params"]] for group in self.optimizers[0].param_groups]
        self.stacked = stacked_optimizer(self.optimizers, groups)
        self.averaged: dict[str, Tensor] = {}

    def one_run(self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor) -> Any:
        """The outputs of the model with one run's parameters and buffers."""
        return functional_call(self.model, (parameters, buffers), (x,))

    def update(self, x: Tensor, y: Tensor) -> Tensor:
        if not self.stacked.steps:
            for optimizer in self.optimizers:
                optimizer.step()  # without gradients; torch's schedulers warn if the optimizer never made a step
        shared = x.ndim == 1 + len(self.workload.data.input_shape)
        with batchable_attention(x.device):
            forward = vmap(self.one_run, (0, 0, None if shared else 0), randomness="same")
            outputs = forward(self.parameters, self.buffers, x)
        losses = self.by_run(self.workload.loss, outputs, y, shared).mean(1)
        trained = {name: tensor for name, tensor in self.parameters.items() if tensor.requires_grad}
        # Each run's loss depends only on its own parameters, so the gradient of the sum contains every run's gradient.
        gradients = torch.autograd.grad(losses.sum(), list(trained.values()), allow_unused=True)
        given = {name: gradient for name, gradient in zip(trained, gradients, strict=True) if gradient is not None}
        if self.workload.clip_norm is not None:
            clip_each(given, self.workload.clip_norm)
        with torch.no_grad():
            self.stacked.step(self.parameters, given, self.optimizers)
        return losses.detach()

    @torch.no_grad()
    def average(self, total_steps: int, averaging_fraction: float) -> None:
        next_average = partial(moved_towards, decay=ema_decay(total_steps, averaging_fraction))
        for name, value in {**self.parameters, **self.buffers}.items():
            before = self.averaged.get(name)
            self.averaged[name] = value.detach().clone() if before is None else next_average(before, value)

    def evaluate(self, x: Tensor, y: Tensor, positions: Sequence[int], raw: bool = False) -> Tensor:
        parameters, buffers = self.parameters, self.buffers
        if self.averaged and not raw:
            parameters, buffers = ({name: self.averaged[name] for name in own} for own in (parameters, buffers))
        if len(positions) < len(self.optimizers):
            parameters, buffers = (at_positions(state, positions) for state in (parameters, buffers))
        self.model.eval()
        with batchable_attention(x.device):
            outputs = vmap(self.one_run, (0, 0, None), randomness="same")(parameters, buffers, x)
        self.model.train()
        measures = (self.workload.loss, self.workload.measure)
        return torch.stack([self.by_run(measure, outputs, y, True).double().sum(1) for measure in measures], dim=1)

    def evaluating(self) -> AbstractContextManager[None]:
        """The weights are those that are trained."""
        return nullcontext()

    def by_run(self, measure: Any, outputs: Tensor, y: Tensor, shared: bool) -> Tensor:
        """A per-row measure, computed for all rows of all runs at once: (runs, rows)."""
        targets = y.expand(len(outputs), *y.shape) if shared else y
        values: Tensor = measure(outputs.flatten(0, 1), targets.flatten(0, 1))
        return values.view(len(outputs), -1)

    def keep(self, positions: Sequence[int]) -> None:
        self.optimizers = [self.optimizers[position] for position in positions]
        states = (self.parameters, self.buffers, self.averaged)
        self.parameters, self.buffers, self.averaged = (at_positions(state, positions) for state in states)
        self.stacked.keep(positions)


def clip_each(gradients: dict[str, Tensor], norm: float) -> None:
    """What `torch.nn.utils.clip_grad_norm_` does, in place, for each run. gradients: (runs, ...) by parameter."""
    if not gradients:
        return
    squares = [gradient.reshape(len(gradient), -1).abs().square().sum(1) for gradient in gradients.values()]
    shares = (norm / (torch.stack(squares).sum(0).sqrt() + 1e-6)).clamp(max=1.0)
    for gradient in gradients.values():
        gradient.mul_(shares.view(-1, *[1] * (gradient.ndim - 1)))


def at_positions(state: dict[str, Tensor], positions: Sequence[int]) -> dict[str, Tensor]:
    """Copies of the tensors that contain only the runs at these positions."""
    return {
        name: tensor.detach()[list(positions)].requires_grad_(tensor.requires_grad) for name, tensor in state.items()
    }
