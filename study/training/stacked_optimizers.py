"""Optimizers for stacked parameters: one step for all runs, each with its own learning rate, momentum and weight decay.

The formulas are those of torch.optim.SGD, torch.optim.AdamW and lion_pytorch.Lion. At every step, each run's learning
rate and momentum are read from the torch optimizer that the run's scheduler controls.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from search_spaces.errors import InputError

State = dict[str, Tensor]


class StackedOptimizer(ABC):
    """Updates parameters (runs, ...) in place.

    groups: the parameter names of each group. defaults: the options shared by all runs, by group; `weight_decay` is
    None there if the runs differ in it.
    """

    def __init__(self, groups: Sequence[Sequence[str]], defaults: Sequence[dict[str, Any]]) -> None:
        self.groups, self.defaults = groups, defaults
        self.state: dict[str, State] = {}
        self.steps = 0
        self.own_steps: Counter[str] = Counter()

    def step(self, parameters: State, gradients: State, optimizers: Sequence[Optimizer]) -> None:
        """Make one step for the parameters that have a gradient."""
        self.steps += 1
        self.own_steps.update(gradients.keys())
        for number, (names, defaults) in enumerate(zip(self.groups, self.defaults, strict=True)):
            by_steps: dict[int, list[str]] = {}  # a part of the model that joins later has made fewer
            for name in names:
                if name in gradients:
                    by_steps.setdefault(self.own_steps[name], []).append(name)
            for steps, given in by_steps.items():
                numbers = self.numbers([optimizer.param_groups[number] for optimizer in optimizers], steps)
                first = parameters[given[0]]
                vectors = torch.tensor(numbers, dtype=first.dtype).to(first.device, non_blocking=True)
                shaped: dict[int, Sequence[Tensor]] = {}
                for name in given:
                    dimensions = parameters[name].ndim
                    if dimensions not in shaped:
                        shaped[dimensions] = vectors.view(len(numbers), -1, *[1] * (dimensions - 1)).unbind()
                    state = self.state.setdefault(name, {})
                    self.update(parameters[name], gradients[name], state, steps, defaults, *shaped[dimensions])

    @abstractmethod
    def numbers(self, groups: Sequence[dict[str, Any]], steps: int) -> list[list[float]]:
        """The quantities of this step that differ between runs, as one list over the runs each.

        steps: steps with a gradient that a parameter has made, this one included; torch counts them by parameter.
        """

    @abstractmethod
    def update(
        self, parameter: Tensor, gradient: Tensor, state: State, steps: int, defaults: dict[str, Any], *vectors: Tensor
    ) -> None:
        """Update one parameter of all runs. vectors: `numbers`, reshaped to (runs, 1, ...) for broadcasting."""

    def keep(self, positions: Sequence[int]) -> None:
        """Continue with only the runs at these positions."""
        for state in self.state.values():
            for key, tensor in state.items():
                state[key] = tensor[list(positions)]


class StackedSGD(StackedOptimizer):
    """torch.optim.SGD, with momentum, Nesterov and weight decay."""

    def numbers(self, groups: Sequence[dict[str, Any]], steps: int) -> list[list[float]]:
        return [[group[name] for group in groups] for name in ("lr", "momentum", "weight_decay")]

    def update(
        self, parameter: Tensor, gradient: Tensor, state: State, steps: int, defaults: dict[str, Any], *vectors: Tensor
    ) -> None:
        lr, momentum, decay = vectors
        if not state:
            state["momentum"] = torch.zeros_like(parameter)

        def add_decay(to: Tensor) -> Tensor:
            shared = defaults["weight_decay"]
            return to.addcmul_(parameter, decay) if shared is None else to.add_(parameter, alpha=shared)

        # Add in place, one after the other: a separate sum would allocate memory at every step.
        direction = add_decay(state["momentum"].mul_(momentum).add_(gradient))
        if defaults["nesterov"]:
            direction = add_decay(gradient.clone()).addcmul_(direction, momentum)
        parameter.addcmul_(direction, lr, value=-1)


class StackedAdamW(StackedOptimizer):
    """torch.optim.AdamW."""

    def numbers(self, groups: Sequence[dict[str, Any]], steps: int) -> list[list[float]]:
        step_sizes = [group["lr"] / (1 - group["betas"][0] ** steps) for group in groups]
        kept = [1 - group["lr"] * group["weight_decay"] for group in groups]
        return [step_sizes, kept, [1 - group["betas"][0] for group in groups]]

    def update(
        self, parameter: Tensor, gradient: Tensor, state: State, steps: int, defaults: dict[str, Any], *vectors: Tensor
    ) -> None:
        step_size, kept, new_share = vectors
        beta2 = defaults["betas"][1]
        if not state:
            state["mean"], state["square"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        if defaults["weight_decay"] != 0:
            parameter.mul_(kept)
        state["mean"].lerp_(gradient, new_share)
        state["square"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        spread = state["square"].sqrt().div_((1 - beta2**steps) ** 0.5).add_(defaults["eps"])
        parameter.addcmul_(state["mean"].div(spread), step_size, value=-1)


class StackedLion(StackedOptimizer):
    """lion_pytorch.Lion, with the weight decay that is its default."""

    def numbers(self, groups: Sequence[dict[str, Any]], steps: int) -> list[list[float]]:
        kept = [1 - group["lr"] * group["weight_decay"] for group in groups]
        return [[group["lr"] for group in groups], kept, [1 - group["betas"][0] for group in groups]]

    def update(
        self, parameter: Tensor, gradient: Tensor, state: State, steps: int, defaults: dict[str, Any], *vectors: Tensor
    ) -> None:
        lr, kept, new_share = vectors
        if not state:
            state["mean"] = torch.zeros_like(parameter)
        parameter.mul_(kept).addcmul_(state["mean"].lerp(gradient, new_share).sign_(), lr, value=-1)
        state["mean"].lerp_(gradient, 1 - defaults["betas"][1])


STACKED: dict[str, type[StackedOptimizer]] = {
    "torch.optim.sgd.SGD": StackedSGD,
    "torch.optim.adamw.AdamW": StackedAdamW,
    "lion_pytorch.lion_pytorch.Lion": StackedLion,
}
"""By the class that each is the counterpart of; Lion's package may be missing."""
REFUSED = ("maximize", "amsgrad", "dampening", "differentiable")
"""Options of torch's optimizers that the stacked ones do not support."""


def stacked_optimizer(optimizers: Sequence[Optimizer], groups: Sequence[Sequence[str]]) -> StackedOptimizer:
    """The stacked counterpart of the torch optimizers of runs, equal but for their weight decay.

    Raises InputError if it has none.
    """
    optimizer = optimizers[0]
    kind = type(optimizer)
    path = f"{kind.__module__}.{kind.__qualname__}"
    used = sorted({option for group in optimizer.param_groups for option in REFUSED if group.get(option)})
    used += ["decoupled_weight_decay"] if getattr(optimizer, "decoupled_wd", False) else []
    if path not in STACKED or used:
        *others, last = (known.rpartition(".")[2] for known in STACKED)
        what = f"{kind.__name__} with {', '.join(used)}" if used else kind.__name__
        raise InputError(f"only {', '.join(others)} and {last} can be stacked, not {what}")
    every = [one.param_groups for one in optimizers]
    decays = [{group["weight_decay"] for group in alike} for alike in zip(*every, strict=True)]
    shared = [{"weight_decay": next(iter(found)) if len(found) == 1 else None} for found in decays]
    return STACKED[path](groups, [group | own for group, own in zip(optimizer.param_groups, shared, strict=True)])
