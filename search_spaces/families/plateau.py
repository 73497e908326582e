import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from search_spaces.errors import InputError, require
from search_spaces.imported import Imported
from search_spaces.ranges import Float
from search_spaces.schedule import Schedule, evaluation_steps


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
    torch_class = Imported("torch.optim.lr_scheduler:ReduceLROnPlateau")
    assemble = Imported("search_spaces.schedulers:PlateauWithWarmup")
    fitted = Imported("search_spaces.schedulers:ObservingScheduler")
    space = {
        "factor": Float(0.05, 0.7, log=True),
        "patience_fraction": Float(0.05, 0.3),
    }

    raises: ClassVar[bool] = False
    """Whether the rate rises again while the loss improves."""

    factor: float = 0.1
    """Factor at each reduction, above 0 and below 1."""
    patience_fraction: float = 0.1
    """Evaluations without improvement that are tolerated, as a fraction of `evaluations`, above 0 and at most 1."""
    threshold: float = 1e-4
    """Minimum relative improvement of the loss, at least 0 and below 1."""
    floor_ratio: float = 0.0
    """The lowest learning rate as a fraction of the peak, at least 0 and below 1."""
    evaluations: int = 20  # type: ignore[misc]  # a class variable in families that observe nothing
    """Number of evaluations per run that the schedule observes, at least 1; twice as many warn."""

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

    def extendable(self, steps: int) -> int:
        return steps

    def body(self, steps: int) -> Any:
        return np.full(steps, self.peak_lr)

    def rates(self, total_steps: int, losses: Sequence[float] | None = None) -> NDArray[np.float64]:
        if losses is None:
            said = f"{self.family} observes validation losses: give losses, one for each evaluation of the run"
            raise InputError(said)
        rates = super().rates(total_steps)
        require(len(losses) <= total_steps, f"at most {total_steps} losses can be observed", len(losses))
        warmup_steps, steps = self.split(total_steps)
        given, lr, best, good, bad = self.arguments(steps), self.peak_lr, math.inf, 0, 0
        for step, loss in zip(evaluation_steps(total_steps, len(losses)), losses, strict=True):
            if step < warmup_steps:
                continue
            improved = loss < best * (1 - self.threshold)
            best, good, bad = (loss, good + 1, 0) if improved else (best, 0, bad + 1)
            if bad > given["patience"]:
                lr, bad = max(lr * self.factor, given["min_lr"]), 0
            if self.raises and good > given["patience"]:
                lr, good = min(lr / self.factor, self.peak_lr), 0
            rates[step:] = lr
        return rates
