"""Schedulers around torch's own: a warm-up before any of them, plateau with a warm-up, and unequal parameter groups.

Loaded when a schedule is built: this module needs torch, a schedule does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LinearLR, LRScheduler, ReduceLROnPlateau, SequentialLR


def with_warmup(torch_class: Any, optimizer: Optimizer, warmup_steps: int, arguments: dict[str, Any]) -> Any:
    """The warm-up, if there is one, then torch's scheduler."""
    if warmup_steps == 0:
        return torch_class(optimizer, **arguments)
    warmup = linear_warmup(optimizer, warmup_steps)
    body = torch_class(optimizer, **arguments)
    return SequentialLR(optimizer, [warmup, body], milestones=[warmup_steps])


def plateau_with_warmup(torch_class: Any, optimizer: Optimizer, warmup_steps: int, arguments: dict[str, Any]) -> Any:
    """The same for ReduceLROnPlateau, which torch does not put after another scheduler."""
    return PlateauScheduler(optimizer, warmup_steps, arguments)


def linear_warmup(optimizer: Optimizer, warmup_steps: int) -> LinearLR:
    """Multiplies the rate by (step + 1) / (warmup_steps + 1)."""
    return LinearLR(optimizer, start_factor=1 / (warmup_steps + 1), end_factor=1.0, total_iters=warmup_steps)


class PlateauScheduler(LRScheduler):
    """Torch's LinearLR for the warm-up, then torch's ReduceLROnPlateau."""

    def __init__(self, optimizer: Optimizer, warmup_steps: int, arguments: dict[str, Any]) -> None:
        self.plateau = ReduceLROnPlateau(optimizer, **arguments)
        self.warmup = linear_warmup(optimizer, warmup_steps)
        self.warmup_steps = warmup_steps
        super().__init__(optimizer)

    def step(self) -> None:  # type: ignore[override]
        """Move on by one optimizer step; `__init__` calls it too, to set the first rate."""
        if 0 <= self.last_epoch < self.warmup_steps:
            self.warmup.step()
        super().step()

    def observe(self, loss: float) -> None:
        """Observe the validation loss (lower is better) of the evaluation just made."""
        if self.last_epoch >= self.warmup_steps:
            self.plateau.step(loss)

    def get_lr(self) -> list[Any]:
        """The rate of each group now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    get_last_lr = get_lr  # not the one of the last step: observe() moves the rate too

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on after `load_state_dict`."""
        inner = {"warmup": self.warmup.state_dict(), "plateau": self.plateau.state_dict()}
        return super().state_dict() | inner

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state; the optimizer's own state is loaded before."""
        self.warmup.load_state_dict(state_dict["warmup"])
        self.plateau.load_state_dict(state_dict["plateau"])
        super().load_state_dict(state_dict | {"warmup": self.warmup, "plateau": self.plateau})


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
