"""A schedule as lines of PyTorch that depend on nothing of ours."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from search_spaces.plateau import Plateau
from search_spaces.schedule import Schedule, warmup_arguments
from study.records import written

TORCH = "torch.optim.lr_scheduler"


def torch_code(schedule: Schedule, total_steps: int, optimizer_code: str) -> str:
    """The lines that build the optimizer and the scheduler for a run of `total_steps` updates.

    optimizer_code: the call that makes the optimizer, with `{lr}` where its rate goes.
    """
    warmup_steps, steps = schedule.split(total_steps)
    arguments = schedule.arguments(steps)
    functions = [value.func for value in arguments.values() if isinstance(value, partial)]
    lines = ["from functools import partial"] if functions else []
    lines += ["import math"] if any("math." in inspect.getsource(function) for function in functions) else []
    lines += ["import torch", ""]
    lines += [line for function in functions for line in ["", inspect.getsource(function), ""]]
    lines += [f"optimizer = {optimizer_code.format(lr=repr(schedule.peak_lr))}"]
    body = call(schedule.torch_class.__name__, arguments)
    warmup = call("LinearLR", warmup_arguments(warmup_steps)) if warmup_steps else None
    if isinstance(schedule, Plateau):
        lines += [f"plateau = {body}"]
        lines += [f"warmup = {warmup}"] if warmup else []
        lines += [f"# after each of the first {warmup_steps} updates: warmup.step()"] if warmup else []
        since = f", from update {warmup_steps} on" if warmup else ""
        lines += [f"# after each of the run's {schedule.evaluations} evaluations{since}: plateau.step(validation_loss)"]
    elif warmup:
        lines += [f"warmup = {warmup}", f"body = {body}"]
        lines += [f"scheduler = {TORCH}.SequentialLR(optimizer, [warmup, body], milestones=[{warmup_steps}])"]
    else:
        lines += [f"scheduler = {body}"]
    if not isinstance(schedule, Plateau):
        lines += [f"# after each of the run's {total_steps} updates: scheduler.step()"]
    return "\n".join(lines)


def call(name: str, arguments: dict[str, Any]) -> str:
    """The call of a torch scheduler, its arguments by name."""
    return f"{TORCH}.{name}(optimizer{''.join(f', {key}={written(value)}' for key, value in arguments.items())})"
