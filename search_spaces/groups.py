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
    """Each group's learning rate as a share of the highest; raises InputError where that is not above 0."""
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
    """Raise InputError where there is no momentum to cycle: torch would turn SGD(momentum=0) into 0.95."""
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
        # Not LRScheduler's own __init__: it would take a step.
        self.scheduler, self.optimizer, self.ratios = scheduler, optimizer, ratios
        self._apply_ratios()

    def _apply_ratios(self) -> None:
        self.lr = self.optimizer.param_groups[0]["lr"]
        for group, ratio in zip(self.optimizer.param_groups, self.ratios, strict=True):
            group["lr"] = self.lr * ratio

    def _with_equal_groups(self, move: Callable[[], None]) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr
        move()
        self._apply_ratios()

    def step(self) -> None:  # type: ignore[override]
        """Move on by one optimizer update."""
        self._with_equal_groups(self.scheduler.step)

    def observe(self, loss: float) -> None:
        """Hear the validation loss, where the schedule listens."""
        self._with_equal_groups(lambda: self.scheduler.observe(loss))

    def get_last_lr(self) -> list[Any]:
        """The rate of each group now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on after `load_state_dict`."""
        return {"lr": self.lr, "ratios": self.ratios, "scheduler": self.scheduler.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state; the optimizer's own state is loaded before."""
        self.lr, self.ratios = state_dict["lr"], state_dict["ratios"]
        self.scheduler.load_state_dict(state_dict["scheduler"])
