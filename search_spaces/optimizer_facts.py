"""What an optimizer says of itself: what it holds now, where its peak is usually searched, and how it is made."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from search_spaces import ADAMW_PEAK_LR, SGD_PEAK_LR
from search_spaces.errors import InputError
from search_spaces.groups import require_momentum

if TYPE_CHECKING:
    from torch.optim import Optimizer

FACTOR = 100.0
"""The peak of another optimizer is searched from the rate that it is made with divided by this, to that times this."""
PLAIN = (int, float, bool, str, tuple, type(None))


def lr_and_momentum(optimizer: Optimizer) -> tuple[float, float | None]:
    """What the optimizer holds now, in the group with the highest learning rate."""
    group: dict[str, Any] = max(optimizer.param_groups, key=lambda group: float(group["lr"]))
    momentum = group["betas"][0] if "betas" in group else group.get("momentum")
    return float(group["lr"]), momentum


def has_momentum(optimizer: Optimizer) -> bool:
    """Whether a schedule can cycle its momentum: each group has one, or betas."""
    try:
        require_momentum(optimizer, family="")
    except InputError:
        return False
    return True


def usual_peak_lr(optimizer: Optimizer) -> tuple[float, float]:
    """(lowest, highest): where the peak is usually searched for this optimizer.

    SGD and the optimizers with betas, such as AdamW, have fixed ranges; another is searched around its present rate.
    """
    from torch.optim import SGD

    if isinstance(optimizer, SGD):
        return SGD_PEAK_LR
    if "betas" in optimizer.param_groups[0]:
        return ADAMW_PEAK_LR
    lr, _ = lr_and_momentum(optimizer)
    return lr / FACTOR, lr * FACTOR


def code_of(optimizer: Optimizer) -> str:
    """The call that makes such an optimizer of `model`, with its whole module path; `{lr}` stands for its rate.

    >>> import torch
    >>> code_of(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0, momentum=0.9))
    'torch.optim.SGD(model.parameters(), lr={lr}, momentum=0.9)'
    """
    made = type(optimizer)
    module = "torch.optim" if made.__module__.startswith("torch.optim.") else made.__module__
    usual = {name: parameter.default for name, parameter in inspect.signature(made).parameters.items()}
    given = {name: value for name, value in optimizer.defaults.items() if name in usual and name not in ("lr", "fused")}
    changed = {name: value for name, value in given.items() if isinstance(value, PLAIN) and value != usual[name]}
    listed = "".join(f", {name}={value!r}" for name, value in changed.items())
    return f"{module}.{made.__name__}(model.parameters(), lr={{lr}}{listed})"


def inner_optimizer(optimizer: Optimizer) -> Optimizer:
    """The optimizer that makes the steps, if this one wraps it, as accelerate's does."""
    from torch.optim import Optimizer

    inner = getattr(optimizer, "optimizer", None)
    return inner_optimizer(inner) if isinstance(inner, Optimizer) else optimizer
