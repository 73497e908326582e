"""Schedulers that combine torch's own: a warm-up before any of them, and support for unequal parameter groups.

Imported only when a schedule is built, because this module needs torch and a schedule does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LinearLR, LRScheduler, ReduceLROnPlateau, SequentialLR


def with_warmup(torch_class: Any, optimizer: Optimizer, warmup_steps: int, arguments: dict[str, Any]) -> Any:
    """The warm-up, if any, followed by torch's scheduler."""
    if warmup_steps == 0:
        return torch_class(optimizer, **arguments)
    warmup = linear_warmup(optimizer, warmup_steps)
    body = torch_class(optimizer, **arguments)
    return SequentialLR(optimizer, [warmup, body], milestones=[warmup_steps])


def plateau_with_warmup(torch_class: Any, optimizer: Optimizer, warmup_steps: int, arguments: dict[str, Any]) -> Any:
    """`with_warmup` for ReduceLROnPlateau, which torch cannot put after another scheduler."""
    return PlateauScheduler(optimizer, warmup_steps, arguments)


def linear_warmup(optimizer: Optimizer, warmup_steps: int) -> LinearLR:
    """Multiplies the learning rate by (step + 1) / (warmup_steps + 1)."""
    return LinearLR(optimizer, start_factor=1 / (warmup_steps + 1), end_factor=1.0, total_iters=warmup_steps)


class PlateauScheduler(LRScheduler):
    """LinearLR for the warm-up, then ReduceLROnPlateau."""

    def __init__(self, optimizer: Optimizer, warmup_steps: int, arguments: dict[str, Any]) -> None:
        self.plateau = ReduceLROnPlateau(optimizer, **arguments)
        self.warmup = linear_warmup(optimizer, warmup_steps)
        self.warmup_steps = warmup_steps
        super().__init__(optimizer)

    def step(self) -> None:  # type: ignore[override]
        """Advance by one optimizer step; `__init__` calls it too, to set the first learning rate."""
        if 0 <= self.last_epoch < self.warmup_steps:
            self.warmup.step()
        super().step()

    def observe(self, loss: float) -> None:
        """Pass the validation loss (lower is better) of the latest evaluation."""
        if self.last_epoch >= self.warmup_steps:
            self.plateau.step(loss)

    def get_lr(self) -> list[Any]:
        """The current learning rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    get_last_lr = get_lr  # torch's returns the rate of the last step(), but observe() changes it too

    def state_dict(self) -> dict[str, Any]:
        """Everything that `load_state_dict` needs to resume."""
        inner = {"warmup": self.warmup.state_dict(), "plateau": self.plateau.state_dict()}
        return super().state_dict() | inner

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume from a saved state; load the optimizer's own state first."""
        self.warmup.load_state_dict(state_dict["warmup"])
        self.plateau.load_state_dict(state_dict["plateau"])
        super().load_state_dict(state_dict | {"warmup": self.warmup, "plateau": self.plateau})


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
