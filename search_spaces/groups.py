"""Parameter groups: the one with the highest learning rate follows the schedule, the others keep their ratio to it.

Not all torch schedulers do that (`CosineAnnealingLR` has one `eta_min` for all groups, `OneCycleLR` and `CyclicLR` make
the groups equal), so torch's scheduler moves a stand-in with one group, and `RunScheduler` applies the ratios.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search_spaces.errors import InputError

if TYPE_CHECKING:
    from torch.optim import Optimizer


def take_ratios(optimizer: Optimizer) -> list[float]:
    """Each group's learning rate divided by the highest; raises InputError if the highest is not above 0.

    At the end of an earlier run all may be 0: then the groups' initial rates count.
    """
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    if not max(rates) > 0:
        rates = [float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups]
    highest = max(rates)
    if not highest > 0:
        raise InputError(f"the optimizer needs a group with a learning rate above 0, but its groups have {rates}")
    return [rate / highest for rate in rates]


def set_rate(group: dict[str, Any], lr: float) -> None:
    """Set the learning rate of a group; one that is a tensor is filled in place, as torch's schedulers do."""
    if hasattr(group["lr"], "fill_"):
        group["lr"].fill_(lr)
    else:
        group["lr"] = lr


def set_momentum(group: dict[str, Any], momentum: float) -> None:
    """Set the momentum of a group, which is beta1 in Adam."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def require_momentum(optimizer: Optimizer, family: str) -> None:
    """Raise InputError if the optimizer has no momentum to cycle: torch would give SGD(momentum=0) one of 0.95."""
    for group in optimizer.param_groups:
        momentum = group["betas"][0] if "betas" in group else group.get("momentum", 0.0)
        if not momentum:
            raise InputError(
                f"{family} with cycle_momentum=True needs an optimizer with momentum, "
                f"but {type(optimizer).__name__} has none: give it momentum, or set cycle_momentum=False"
            )
