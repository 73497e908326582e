"""Parameter groups: the one with the highest learning rate follows the schedule, the others keep their ratio to it.

Not all torch schedulers do that (`CosineAnnealingLR` has one `eta_min` for all groups, `OneCycleLR` and `CyclicLR` make
the groups equal), so the scheduler sees groups of equal learning rates, and the ratios are applied after each step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from search_spaces.errors import InputError


def take_ratios(optimizer: Optimizer) -> list[float]:
    """Each group's learning rate divided by the highest; raises InputError if the highest is not above 0."""
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    highest = max(rates)
    if not highest > 0:
        raise InputError(f"the optimizer needs a group with a learning rate above 0, but its groups have {rates}")
    return [rate / highest for rate in rates]


def set_all_to(optimizer: Optimizer, peak_lr: float) -> None:
    """Set the learning rate that every group starts from.

    Remove `initial_lr`: an earlier scheduler may have left it, and torch would use it.
    """
    for group in optimizer.param_groups:
        group["lr"] = peak_lr
        group.pop("initial_lr", None)


def require_momentum(optimizer: Optimizer, family: str) -> None:
    """Raise InputError if the optimizer has no momentum to cycle: torch would give SGD(momentum=0) one of 0.95."""
    for group in optimizer.param_groups:
        momentum = group["betas"][0] if "betas" in group else group.get("momentum", 0.0)
        if not momentum:
            raise InputError(
                f"{family} with cycle_momentum=True needs an optimizer with momentum, "
                f"but {type(optimizer).__name__} has none: give it momentum, or set cycle_momentum=False"
            )


class KeepRatios(LRScheduler):
    """Wraps a scheduler that needs equal groups, for an optimizer whose groups have different learning rates."""

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
        """Advance by one optimizer step; `__init__` calls it too, to set the first learning rates."""
        if self.last_epoch >= 0:
            self._with_equal_groups(self.scheduler.step)
        super().step()

    def observe(self, loss: float) -> None:
        """Pass the validation loss to the scheduler; only for schedules that observe it."""
        self._with_equal_groups(lambda: self.scheduler.observe(loss))

    def get_lr(self) -> list[Any]:
        """The current learning rate of each group."""
        return [self.lr * ratio for ratio in self.ratios]

    get_last_lr = get_lr  # torch's returns the rates of the last step(), but observe() changes them too

    def state_dict(self) -> dict[str, Any]:
        """Everything that `load_state_dict` needs to resume."""
        return super().state_dict() | {"scheduler": self.scheduler.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume from a saved state; load the optimizer's own state first."""
        self.scheduler.load_state_dict(state_dict["scheduler"])
        super().load_state_dict(state_dict | {"scheduler": self.scheduler})
