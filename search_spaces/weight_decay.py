"""The weight decay of an optimizer: what it is, where it is searched, and how a run gets another one.

Exported code quotes `with_weight_decay`.
"""

from __future__ import annotations

from torch.optim import Optimizer

from search_spaces.usual_weight_decay import USUAL

FACTOR = 30.0
"""An optimizer that USUAL does not list is searched from its own weight decay divided by this, to that times this."""


def own_weight_decay(optimizer: Optimizer) -> float:
    """The weight decay of the parameter group that has most of it; 0 if none has any."""
    return max(float(group.get("weight_decay", 0.0)) for group in optimizer.param_groups)


def usual_weight_decay(optimizer: Optimizer) -> tuple[float, float]:
    """(lowest, highest): where weight decay is usually searched for this optimizer; its own must be above 0."""
    own = own_weight_decay(optimizer)
    return USUAL.get(type(optimizer).__name__, (own / FACTOR, own * FACTOR))


def with_weight_decay(optimizer: Optimizer, weight_decay: float) -> Optimizer:
    """The optimizer with this weight decay in the group that has most of it, in place.

    The other groups keep their ratio to it, so those without weight decay stay without.
    """
    highest = max(group.get("weight_decay", 0.0) for group in optimizer.param_groups)
    for group in optimizer.param_groups:
        if group.get("weight_decay"):
            group["weight_decay"] = weight_decay * (group["weight_decay"] / highest)
    return optimizer
