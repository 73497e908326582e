"""Parameter groups: the one with the highest rate follows the schedule, the others keep their ratio to it.

Torch's schedulers do not all do that (`CosineAnnealingLR` has one `eta_min` for all groups, `OneCycleLR` and `CyclicLR`
make the groups equal), so they are shown groups of equal rates, and the ratios are applied after each of their moves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from search_spaces.errors import InputError


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


class KeepRatios(LRScheduler):
    """A scheduler of equal groups, for an optimizer whose groups are not equal."""

    def __init__(self, scheduler: Any, optimizer: Optimizer, ratios: list[float]) -> None:
        self.scheduler, self.ratios = scheduler, ratios
        self.lr = optimizer.param_groups[0]["lr"]
        super().__init__(optimizer)
        self.base_lrs = [lr * ratio for lr, ratio in zip(self.base_lrs, ratios, strict=True)]

    def _with_equal_groups(self, move: Callable[[], None]) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr
        move()
        self.lr = self.optimizer.param_groups[0]["lr"]
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = lr

    def step(self) -> None:  # type: ignore[override]
        """Move on by one optimizer step; `__init__` calls it too, to set the first rates."""
        if self.last_epoch >= 0:
            self._with_equal_groups(self.scheduler.step)
        super().step()

    def observe(self, loss: float) -> None:
        """Pass on the validation loss, if the schedule observes it."""
        self._with_equal_groups(lambda: self.scheduler.observe(loss))

    def get_lr(self) -> list[Any]:
        """The rate of each group now."""
        return [self.lr * ratio for ratio in self.ratios]

    get_last_lr = get_lr  # not the one of the last step: observe() moves the rates too

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on after `load_state_dict`."""
        return super().state_dict() | {"scheduler": self.scheduler.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state; the optimizer's own state is loaded before."""
        self.scheduler.load_state_dict(state_dict["scheduler"])
        super().load_state_dict(state_dict | {"scheduler": self.scheduler})
