import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from search_spaces.errors import InputError, require
from search_spaces.ranges import Float
from search_spaces.schedule import Schedule, evaluation_steps, linear_warmup


@dataclass(frozen=True, kw_only=True)
class Plateau(Schedule):
    """Reduce on plateau: multiply by factor when the validation loss has not improved for a while.

    lr <- max(lr * factor, floor_ratio * peak_lr)

    after each patience + 1 evaluations in a row that do not improve the loss by `threshold` (relative).
    patience = patience_fraction * evaluations, rounded, at least 1.

    The scheduler has two calls: `step()` after every optimizer step, which only warms up, and
    `observe(validation_loss)` after every evaluation. Losses observed during the warm-up do not count.
    (Torch cannot warm up into ReduceLROnPlateau, pytorch#68978.)

    Ranges: torch's defaults are factor 0.1 and patience 10.
    """

    family = "plateau"
    torch_class = ReduceLROnPlateau
    space = {
        "factor": Float(0.05, 0.7, log=True),
        "patience_fraction": Float(0.05, 0.3),
    }

    factor: float = 0.1
    """Factor at each reduction, above 0 and below 1."""
    patience_fraction: float = 0.1
    """Evaluations without improvement that are tolerated, as a share of the run's, above 0 and at most 1."""
    threshold: float = 1e-4
    """Relative improvement of the loss that counts, at least 0 and below 1."""
    floor_ratio: float = 0.0
    """The lowest rate as a share of the peak, at least 0 and below 1."""
    evaluations: int = 20  # type: ignore[misc]  # a class variable of the others, which observe nothing
    """How many evaluations of the run the schedule observes, at least 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.factor < 1, "factor must be above 0 and below 1", self.factor)
        require(0 < self.patience_fraction <= 1, "patience_fraction must be above 0, at most 1", self.patience_fraction)
        require(0 <= self.threshold < 1, "threshold must be at least 0 and below 1", self.threshold)
        require(0 <= self.floor_ratio < 1, "floor_ratio must be at least 0 and below 1", self.floor_ratio)
        require(self.evaluations >= 1, "evaluations must be at least 1", self.evaluations)

    def arguments(self, steps: int) -> dict[str, Any]:
        return {
            "factor": self.factor,
            "patience": max(1, round(self.patience_fraction * self.evaluations)),
            "threshold": self.threshold,
            "min_lr": self.floor_ratio * self.peak_lr,
            "eps": 0.0,  # torch's 1e-8 would block reductions of small rates
        }

    def assemble(self, optimizer: Optimizer, warmup_steps: int, arguments: dict[str, Any]) -> Any:
        return PlateauScheduler(optimizer, warmup_steps, arguments)

    def body(self, steps: int) -> Any:
        return np.full(steps, self.peak_lr)

    def rates(self, total_steps: int, losses: Sequence[float] | None = None) -> NDArray[np.float64]:
        if losses is None:
            raise InputError("plateau observes validation losses: give losses, one for each evaluation of the run")
        require(len(losses) <= total_steps, f"at most {total_steps} losses can be observed", len(losses))
        rates = super().rates(total_steps)
        warmup_steps, steps = self.split(total_steps)
        given, lr, best, bad = self.arguments(steps), self.peak_lr, math.inf, 0
        for step, loss in zip(evaluation_steps(total_steps, len(losses)), losses, strict=True):
            if step < warmup_steps:
                continue
            improved = loss < best * (1 - self.threshold)
            best, bad = (loss, 0) if improved else (best, bad + 1)
            if bad > given["patience"]:
                lr, bad = max(lr * self.factor, given["min_lr"]), 0
                rates[step:] = lr
        return rates


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
