"""Parameter groups: the one with the highest rate follows the schedule, the others keep their ratio to it.

Torch's schedulers do not all do that (`CosineAnnealingLR` has one `eta_min` for all groups, `OneCycleLR` and `CyclicLR`
make the groups equal), so they are shown groups of equal rates; `KeepRatios` applies the ratios after each step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from search_spaces.errors import InputError

if TYPE_CHECKING:
    from torch.optim import Optimizer


def take_ratios(optimizer: Optimizer) -> list[float]:
    """Each group's learning rate as a share of the highest; raises InputError if that is not above 0."""
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    highest = max(rates)
    if not highest > 0:
        raise InputError(f"the optimizer needs a group with a learning rate above 0, but its rates are {rates}")
    return [rate / highest for rate in rates]


def set_all_to(optimizer: Optimizer, peak_lr: float) -> None:
    """Give every group this rate to start from.

    An optimizer that served another scheduler still holds that one's `initial_lr`, and torch would believe it.
    """
    for group in optimizer.param_groups:
        group["lr"] = peak_lr
        group.pop("initial_lr", None)


def require_momentum(optimizer: Optimizer, family: str) -> None:
    """Raise InputError if there is no momentum to cycle: torch would turn SGD(momentum=0) into 0.95."""
    for group in optimizer.param_groups:
        momentum = group["betas"][0] if "betas" in group else group.get("momentum", 0.0)
        if not momentum:
            raise InputError(
                f"{family} with cycle_momentum=True needs an optimizer with momentum, "
                f"but {type(optimizer).__name__} has none: give it momentum, or set cycle_momentum=False"
            )
