from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from search_spaces.errors import require
from search_spaces.ranges import Float
from search_spaces.schedule import Schedule, linear_warmup


@dataclass(frozen=True, kw_only=True)
class Plateau(Schedule):
    """Reduce on plateau: multiply by factor when the validation loss stops improving.

    lr <- max(lr * factor, floor_ratio * peak_lr)

    after patience + 1 consecutive evaluations that do not improve the loss by `threshold` (relative).
    patience = patience_fraction * evaluations, rounded, at least 1.

    Call `step()` after every optimizer step, which is only needed for the warm-up, and `observe(validation_loss)`
    after every evaluation. Losses observed during the warm-up are ignored.
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
    """Evaluations without improvement that are tolerated, as a fraction of `evaluations`, above 0 and at most 1."""
    threshold: float = 1e-4
    """Minimum relative improvement of the loss, at least 0 and below 1."""
    floor_ratio: float = 0.0
    """The lowest learning rate as a fraction of the peak, at least 0 and below 1."""
    evaluations: int = 20  # type: ignore[misc]  # a class variable in families that observe nothing
    """Number of evaluations per run that the schedule observes, at least 1."""

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
            "eps": 0.0,  # torch's default of 1e-8 would block reductions of small learning rates
        }

    def assemble(self, optimizer: Optimizer, warmup_steps: int, arguments: dict[str, Any]) -> Any:
        return PlateauScheduler(optimizer, warmup_steps, arguments)


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
