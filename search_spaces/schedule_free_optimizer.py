"""Schedule-free optimizers, of the package schedulefree, in place of torch's. Exported code quotes this."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch.optim import Optimizer

from search_spaces.errors import InputError


def schedule_free(optimizer: Optimizer, beta: float) -> Any:
    """The schedule-free twin of torch's SGD or AdamW, ready to train.

    It keeps the parameter groups with their learning rates and weight decay, and AdamW's beta2 and eps; beta takes the
    place of SGD's momentum and of AdamW's beta1. Raises InputError if there is no such twin.
    """
    if obstacle := schedule_free_obstacle(optimizer):
        raise InputError(f"schedule_free cannot replace this optimizer: {obstacle}")
    import schedulefree

    groups = [{name: group[name] for name in ("params", "lr", "weight_decay")} for group in optimizer.param_groups]
    twin: Any
    if type(optimizer) is torch.optim.SGD:
        twin = schedulefree.SGDScheduleFree(groups, momentum=beta)
    else:
        for group, given in zip(groups, optimizer.param_groups, strict=True):
            group.update(betas=(beta, given["betas"][1]), eps=given["eps"])
        twin = schedulefree.AdamWScheduleFree(groups)
    twin.train()
    return twin


def schedule_free_obstacle(optimizer: Optimizer) -> str | None:
    """Why `schedule_free` cannot replace this optimizer, and what to do; None if it can."""
    if type(optimizer) not in (torch.optim.SGD, torch.optim.AdamW):
        return f"schedulefree has twins of torch's SGD and AdamW, not of {type(optimizer).__name__}"
    for option in ("maximize", "amsgrad"):
        if any(group.get(option) for group in optimizer.param_groups):
            return f"schedulefree's twin of {type(optimizer).__name__} has no {option}"
    if find_spec("schedulefree") is None:
        return "it needs the package schedulefree: pip install schedulefree"
    return None


def require_schedule_free(optimizer: Optimizer) -> None:
    """Raise InputError if this is an ordinary optimizer, which has no averages to evaluate."""
    if not hasattr(optimizer, "train"):
        raise InputError(
            f"schedule_free replaces the optimizer, but torch's {type(optimizer).__name__} was given: "
            "make the scheduler of its twin, schedule_free(optimizer, beta)"
        )
